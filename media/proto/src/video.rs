//! A picture in packets: its parts, and for each four of them, where a link needs it, their parity, from which one that is
//! lost can be made.

use std::sync::{Arc, OnceLock};

use sightline_packet::Class;

use crate::{Ticks, header};

/// Frame (4), captured (4), index (2), count (2), flags (1), back (1) before the data, bytes.
const HEADER_LEN: usize = 14;

/// What a packet of the call holds at most after number and track, bytes.
pub const MAX_BODY: usize = PacketSize::Full.max_body();

/// Data in one packet at most, bytes.
pub const MAX_DATA: usize = PacketSize::Full.max_data();

/// Parts that share a parity.
pub const GROUP: u16 = 4;

/// 256 packets, 280 kB: the largest frame; ten times a key frame of 720p.
pub const MAX_FRAGMENTS: u16 = 256;

const DISCARDABLE: u8 = 1;
const PARITY: u8 = 2;
const SIZE: u8 = 0b1100;
const SIZE_SHIFT: u32 = SIZE.trailing_zeros();

/// How large the packets of a picture are: all its parts but the last fill theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PacketSize {
    /// A quarter of a full one.
    Quarter,
    /// Half of it.
    Half,
    /// Three quarters of it.
    ThreeQuarters,
    /// As large as packets of the call may be.
    Full,
}

/// Each size of part fills one size of packet.
const _: () = assert!(PacketSize::ALL.len() == Class::Video.size_count());

impl PacketSize {
    /// The smallest first.
    pub const ALL: [Self; 4] = [Self::Quarter, Self::Half, Self::ThreeQuarters, Self::Full];

    /// What such a packet holds after number and track, bytes.
    #[must_use]
    pub const fn max_body(self) -> usize {
        Class::Video.full_body(self as usize) - header::HEADER_LEN
    }

    /// Data in one part, bytes: a parity has the parts' lengths (2) besides.
    #[must_use]
    pub const fn max_data(self) -> usize {
        self.max_body() - HEADER_LEN - 2
    }

    /// The next smaller one.
    #[must_use]
    pub const fn smaller(self) -> Option<Self> {
        match self {
            Self::Quarter => None,
            Self::Half => Some(Self::Quarter),
            Self::ThreeQuarters => Some(Self::Half),
            Self::Full => Some(Self::ThreeQuarters),
        }
    }

    /// The next larger one.
    #[must_use]
    pub const fn larger(self) -> Option<Self> {
        match self {
            Self::Quarter => Some(Self::Half),
            Self::Half => Some(Self::ThreeQuarters),
            Self::ThreeQuarters => Some(Self::Full),
            Self::Full => None,
        }
    }

    /// By how much it is less than full.
    const fn flags(self) -> u8 {
        (Self::Full as u8 - self as u8) << SIZE_SHIFT
    }

    const fn from_flags(flags: u8) -> Self {
        match (flags & SIZE) >> SIZE_SHIFT {
            0 => Self::Full,
            1 => Self::ThreeQuarters,
            2 => Self::Half,
            _ => Self::Quarter,
        }
    }
}

/// An encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Counts frames.
    pub number: u32,
    /// When it was captured, by the sender's clock.
    pub captured: Ticks,
    /// On which other it builds.
    pub dependency: Dependency,
    /// AV1, one temporal unit.
    pub data: Vec<u8>,
}

/// How a frame stands to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dependency {
    /// It builds on the frame this many before it; 0 for a key frame, which builds on none.
    pub frame_diff: u8,
    /// No other builds on it: it may be left out.
    pub is_discardable: bool,
}

impl Dependency {
    /// A key frame.
    pub const KEY: Self = Self {
        frame_diff: 0,
        is_discardable: false,
    };

    /// Whether it can be decoded without any other.
    #[must_use]
    pub const fn is_key(self) -> bool {
        self.frame_diff == 0
    }
}

/// A part of an encoded picture, or a parity of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The frame's number.
    pub number: u32,
    /// When the frame was captured.
    pub captured: Ticks,
    /// Which part, from 0; for a parity the first of its parts.
    pub index: u16,
    /// How many parts, at least 1.
    pub count: u16,
    /// How the frame stands to the others.
    pub dependency: Dependency,
    /// How large the frame's packets are.
    pub size: PacketSize,
    /// Whether it is a parity: the exclusive or of each part's length (2) and data, short ones followed by zeros.
    pub is_parity: bool,
    /// The part.
    pub data: &'a [u8],
}

impl<'a> Fragment<'a> {
    /// Reads a packet; `None` when it holds no sensible part.
    #[must_use]
    pub fn decode(body: &'a [u8]) -> Option<Self> {
        let (number, rest) = body.split_first_chunk()?;
        let (captured, rest) = rest.split_first_chunk()?;
        let (index, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let ([flags, back], data) = rest.split_first_chunk()?;
        let (index, count) = (u16::from_be_bytes(*index), u16::from_be_bytes(*count));
        if index >= count || count > MAX_FRAGMENTS || flags & !(DISCARDABLE | PARITY | SIZE) != 0 {
            return None;
        }
        let dependency = Dependency {
            frame_diff: *back,
            is_discardable: flags & DISCARDABLE != 0,
        };
        if dependency.is_key() && dependency.is_discardable {
            return None;
        }
        let size = PacketSize::from_flags(*flags);
        let full = size.max_data();
        let is_parity = flags & PARITY != 0;
        let is_last = index + 1 == count;
        let fits = if is_parity {
            index.is_multiple_of(GROUP) && (3..=full + 2).contains(&data.len())
        } else if is_last {
            (1..=full).contains(&data.len())
        } else {
            data.len() == full
        };
        if !fits {
            return None;
        }
        Some(Self {
            number: u32::from_be_bytes(*number),
            captured: Ticks(u32::from_be_bytes(*captured)),
            index,
            count,
            dependency,
            size,
            is_parity,
            data,
        })
    }
}

/// How much of a packet is picture, bytes.
#[must_use]
pub const fn data_len(body: &[u8]) -> usize {
    body.len().saturating_sub(HEADER_LEN)
}

/// A frame in packets, for all who get it.
#[derive(Debug)]
pub struct Packets {
    frame: Frame,
    /// Of each size; made when it is first asked for.
    cut: [OnceLock<Cut>; PacketSize::ALL.len()],
}

/// A frame in packets of one size.
#[derive(Debug)]
struct Cut {
    bodies: Vec<Arc<[u8]>>,
    /// Made when it is first asked for.
    parity: OnceLock<Vec<Arc<[u8]>>>,
}

impl Packets {
    /// A frame that is to be cut up.
    #[must_use]
    pub const fn of(frame: Frame) -> Self {
        Self {
            frame,
            cut: [const { OnceLock::new() }; PacketSize::ALL.len()],
        }
    }

    /// How the frame stands to the others.
    #[must_use]
    pub const fn dependency(&self) -> Dependency {
        self.frame.dependency
    }

    /// Its parts, full but the last. None for a frame without data, or with more parts than [`MAX_FRAGMENTS`].
    #[must_use]
    pub fn bodies(&self, size: PacketSize) -> &[Arc<[u8]>] {
        &self.cut(size).bodies
    }

    /// A parity for each [`GROUP`] of its parts.
    #[must_use]
    pub fn parity(&self, size: PacketSize) -> &[Arc<[u8]>] {
        let cut = self.cut(size);
        let make = || cut.bodies.chunks(usize::from(GROUP)).map(parity_of).collect();
        cut.parity.get_or_init(make)
    }

    fn cut(&self, size: PacketSize) -> &Cut {
        self.cut[size as usize].get_or_init(|| Cut {
            bodies: self.frame.cut(size),
            parity: OnceLock::new(),
        })
    }
}

impl Frame {
    fn cut(&self, size: PacketSize) -> Vec<Arc<[u8]>> {
        let parts = self.data.chunks(size.max_data());
        let count = u16::try_from(parts.len()).ok();
        let count = count.filter(|count| *count <= MAX_FRAGMENTS).unwrap_or(0);
        let discardable = if self.dependency.is_discardable {
            DISCARDABLE
        } else {
            0
        };
        let bodies = (0..count).zip(parts).map(|(index, part)| {
            let mut body = Vec::with_capacity(HEADER_LEN + part.len());
            body.extend_from_slice(&self.number.to_be_bytes());
            body.extend_from_slice(&self.captured.0.to_be_bytes());
            body.extend_from_slice(&index.to_be_bytes());
            body.extend_from_slice(&count.to_be_bytes());
            body.extend_from_slice(&[discardable | size.flags(), self.dependency.frame_diff]);
            body.extend_from_slice(part);
            body.into()
        });
        bodies.collect()
    }
}

/// The parity of some parts: the header is the first one's, but for the flag.
fn parity_of(group: &[Arc<[u8]>]) -> Arc<[u8]> {
    let mut body = Vec::new();
    if let Some(first) = group.first() {
        body.extend_from_slice(first.get(..HEADER_LEN).unwrap_or_default());
        body[HEADER_LEN - 2] |= PARITY;
        let parts = group
            .iter()
            .map(|part| part.get(HEADER_LEN..).unwrap_or_default());
        let mut sum = Vec::new();
        parts.for_each(|part| add_to_parity(&mut sum, part));
        body.extend_from_slice(&sum);
    }
    body.into()
}

/// Adds a part to a parity, or takes it out again, which is the same.
pub fn add_to_parity(sum: &mut Vec<u8>, part: &[u8]) {
    sum.resize(sum.len().max(part.len() + 2), 0);
    let length = (part.len() as u16).to_be_bytes();
    for (sum, byte) in sum.iter_mut().zip(length.iter().chain(part)) {
        *sum ^= byte;
    }
}

/// What is left in a parity from which all parts but one were taken: that one. `None` when it cannot be one.
#[must_use]
pub fn last_of_parity(sum: &[u8]) -> Option<&[u8]> {
    let (length, data) = sum.split_first_chunk()?;
    data.get(..usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_cannot_be_are_refused() {
        let frame = Frame {
            number: 1,
            captured: Ticks(2),
            dependency: Dependency::KEY,
            data: vec![3; MAX_DATA + 10],
        };
        let packets = Packets::of(frame);
        let bodies = packets.bodies(PacketSize::Full);
        assert_eq!(Fragment::decode(&bodies[1]).map(|part| part.data.len()), Some(10));
        let with = |at: usize, bytes: &[u8]| {
            let mut body = bodies[1].to_vec();
            body[at..at + bytes.len()].copy_from_slice(bytes);
            body
        };
        // Found by fuzzing: the last index there is, plus one, overflows.
        assert_eq!(Fragment::decode(&with(8, &[0xff, 0xff, 0, 2])), None);
        assert_eq!(
            Fragment::decode(&with(8, &[0, 2, 0, 2])),
            None,
            "beyond the count"
        );
        assert_eq!(
            Fragment::decode(&with(8, &[0, 0, 0, 2])),
            None,
            "short, and not the last"
        );
        assert_eq!(Fragment::decode(&with(10, &[0xff, 0xff])), None, "too many parts");
        assert_eq!(Fragment::decode(&with(12, &[16])), None, "an unknown flag");
        assert_eq!(
            Fragment::decode(&with(12, &[2])),
            None,
            "a parity from within a group on"
        );
        assert_eq!(
            Fragment::decode(&with(12, &[1])),
            None,
            "a key frame to be left out"
        );
        assert!(Fragment::decode(&with(12, &[1, 1])).is_some());
        assert_eq!(Fragment::decode(&bodies[1][..HEADER_LEN]), None, "no data");
        let mut smaller = bodies[0].to_vec();
        smaller[12] = PacketSize::Half.flags();
        assert_eq!(Fragment::decode(&smaller), None, "more than fits into its size");
    }

    #[test]
    fn parts_of_each_size_say_it_and_fill_it() {
        let frame = Frame {
            number: 1,
            captured: Ticks(2),
            dependency: Dependency::KEY,
            data: vec![3; 2 * MAX_DATA],
        };
        let packets = Packets::of(frame);
        for size in PacketSize::ALL {
            let bodies = packets.bodies(size);
            assert_eq!(bodies.len(), (2 * MAX_DATA).div_ceil(size.max_data()));
            assert_eq!(bodies[0].len(), size.max_body() - 2, "{size:?}");
            assert_eq!(packets.parity(size)[0].len(), size.max_body(), "{size:?}");
            let [full, one_more] = [0, 1].map(|more| header::wire_size(Class::Video, size.max_body() + more));
            assert!(full < one_more, "{size:?}: no padding");
            for body in bodies.iter().chain(packets.parity(size)) {
                assert_eq!(Fragment::decode(body).map(|part| part.size), Some(size));
            }
        }
    }
}
