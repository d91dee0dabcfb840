//! A picture in packets: its parts, and for each four of them, where a link needs it, their parity, from which one that is
//! lost can be made.

use std::sync::{Arc, OnceLock};

use crate::{Ticks, link};

/// Frame (4), captured (4), index (2), count (2), flags (1), back (1) before the data, bytes.
const HEADER_LEN: usize = 14;

/// What a packet of the call holds at most (`sightline-mesh-proto`'s `packet::MAX_BODY`) after the link's number, bytes.
pub const MAX_BODY: usize = 1131 - link::HEADER_LEN;

/// Data in one packet, bytes: a parity has the parts' lengths (2) besides.
pub const MAX_DATA: usize = MAX_BODY - HEADER_LEN - 2;

/// Parts that share a parity.
pub const GROUP: u16 = 4;

/// 256 packets, 280 kB: the largest frame; ten times a key frame of 720p.
pub const MAX_FRAGMENTS: u16 = 256;

const DISCARDABLE: u8 = 1;
const PARITY: u8 = 2;

/// An encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Counts frames.
    pub number: u32,
    /// When it was captured, by the sender's clock.
    pub captured: Ticks,
    /// On which other it builds.
    pub kind: Kind,
    /// AV1, one temporal unit.
    pub data: Vec<u8>,
}

/// How a frame stands to the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// It builds on the frame this many before it; 0 for a key frame, which builds on none.
    pub back: u8,
    /// No other builds on it: it may be left out.
    pub is_discardable: bool,
}

impl Kind {
    /// A key frame.
    pub const KEY: Self = Self {
        back: 0,
        is_discardable: false,
    };

    /// Whether it can be decoded without any other.
    #[must_use]
    pub const fn is_key(self) -> bool {
        self.back == 0
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
    pub kind: Kind,
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
        if index >= count || count > MAX_FRAGMENTS || flags & !(DISCARDABLE | PARITY) != 0 {
            return None;
        }
        let kind = Kind {
            back: *back,
            is_discardable: flags & DISCARDABLE != 0,
        };
        if kind.is_key() && kind.is_discardable {
            return None;
        }
        let is_parity = flags & PARITY != 0;
        let is_last = index + 1 == count;
        let fits = if is_parity {
            index.is_multiple_of(GROUP) && (3..=MAX_DATA + 2).contains(&data.len())
        } else if is_last {
            (1..=MAX_DATA).contains(&data.len())
        } else {
            data.len() == MAX_DATA
        };
        if !fits {
            return None;
        }
        Some(Self {
            number: u32::from_be_bytes(*number),
            captured: Ticks(u32::from_be_bytes(*captured)),
            index,
            count,
            kind,
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
    /// How the frame stands to the others.
    pub kind: Kind,
    /// Its parts, full but the last. None for a frame without data, or larger than [`MAX_FRAGMENTS`].
    pub bodies: Vec<Arc<[u8]>>,
    parity: OnceLock<Vec<Arc<[u8]>>>,
}

impl Packets {
    /// Cuts a frame up.
    #[must_use]
    pub fn of(frame: &Frame) -> Self {
        let parts = frame.data.chunks(MAX_DATA);
        let count = u16::try_from(parts.len()).ok();
        let count = count.filter(|count| *count <= MAX_FRAGMENTS).unwrap_or(0);
        let bodies = (0..count).zip(parts).map(|(index, part)| {
            let mut body = Vec::with_capacity(HEADER_LEN + part.len());
            body.extend_from_slice(&frame.number.to_be_bytes());
            body.extend_from_slice(&frame.captured.0.to_be_bytes());
            body.extend_from_slice(&index.to_be_bytes());
            body.extend_from_slice(&count.to_be_bytes());
            let flags = if frame.kind.is_discardable { DISCARDABLE } else { 0 };
            body.extend_from_slice(&[flags, frame.kind.back]);
            body.extend_from_slice(part);
            body.into()
        });
        Self {
            kind: frame.kind,
            bodies: bodies.collect(),
            parity: OnceLock::new(),
        }
    }

    /// A parity for each [`GROUP`] of its parts; made when it is first asked for.
    pub fn parity(&self) -> &[Arc<[u8]>] {
        let make = || self.bodies.chunks(usize::from(GROUP)).map(parity_of).collect();
        self.parity.get_or_init(make)
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
            kind: Kind::KEY,
            data: vec![3; MAX_DATA + 10],
        };
        let bodies = Packets::of(&frame).bodies;
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
        assert_eq!(Fragment::decode(&with(12, &[2])), None, "an unknown flag");
        assert_eq!(
            Fragment::decode(&with(12, &[1])),
            None,
            "a key frame to be left out"
        );
        assert!(Fragment::decode(&with(12, &[1, 1])).is_some());
        assert_eq!(Fragment::decode(&bodies[1][..HEADER_LEN]), None, "no data");
    }
}
