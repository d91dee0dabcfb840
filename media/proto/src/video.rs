//! A picture in packets.

use crate::Ticks;

/// Frame (4), captured (4), index (2), count (2), flags (1) before the data, bytes.
const HEADER_LEN: usize = 13;

/// What a packet of the call holds at most (`sightline-mesh-proto`'s `packet::MAX_BODY`), bytes.
pub const MAX_BODY: usize = 1131;

/// Data in one packet, bytes.
pub const MAX_DATA: usize = MAX_BODY - HEADER_LEN;

/// 256 packets, 280 kB: the largest frame; ten times a key frame of 720p.
pub const MAX_FRAGMENTS: u16 = 256;

const KEY: u8 = 1;

/// An encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Counts frames.
    pub number: u32,
    /// When it was captured, by the sender's clock.
    pub captured: Ticks,
    /// Whether it can be decoded without any other.
    pub is_key: bool,
    /// AV1, one temporal unit.
    pub data: Vec<u8>,
}

/// A part of an encoded picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fragment<'a> {
    /// The frame's number.
    pub number: u32,
    /// When the frame was captured.
    pub captured: Ticks,
    /// Which part, from 0.
    pub index: u16,
    /// How many parts, at least 1.
    pub count: u16,
    /// Whether the frame is a key frame.
    pub is_key: bool,
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
        let (flags, data) = rest.split_first()?;
        let (index, count) = (u16::from_be_bytes(*index), u16::from_be_bytes(*count));
        if index >= count || count > MAX_FRAGMENTS || flags & !KEY != 0 {
            return None;
        }
        let is_last = index + 1 == count;
        let fits = if is_last {
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
            is_key: flags & KEY != 0,
            data,
        })
    }
}

/// Cuts a frame into packets, all full but the last. Empty for a frame without data, or larger than
/// [`MAX_FRAGMENTS`].
#[must_use]
pub fn packets(frame: &Frame) -> Vec<Vec<u8>> {
    let parts = frame.data.chunks(MAX_DATA);
    let Some(count) = u16::try_from(parts.len())
        .ok()
        .filter(|count| *count <= MAX_FRAGMENTS)
    else {
        return Vec::new();
    };
    (0..count)
        .zip(parts)
        .map(|(index, part)| {
            let mut body = Vec::with_capacity(HEADER_LEN + part.len());
            body.extend_from_slice(&frame.number.to_be_bytes());
            body.extend_from_slice(&frame.captured.0.to_be_bytes());
            body.extend_from_slice(&index.to_be_bytes());
            body.extend_from_slice(&count.to_be_bytes());
            body.push(if frame.is_key { KEY } else { 0 });
            body.extend_from_slice(part);
            body
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_cannot_be_are_refused() {
        let frame = Frame {
            number: 1,
            captured: Ticks(2),
            is_key: true,
            data: vec![3; MAX_DATA + 10],
        };
        let bodies = packets(&frame);
        assert_eq!(Fragment::decode(&bodies[1]).map(|part| part.data.len()), Some(10));
        let with = |at: usize, bytes: &[u8]| {
            let mut body = bodies[1].clone();
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
        assert_eq!(Fragment::decode(&bodies[1][..HEADER_LEN]), None, "no data");
    }
}
