//! One packet of sound: a frame of Opus with the moment it was captured, and, while packets are lost, the frames before
//! it once more, at a lower rate.
//!
//! Every packet of a length has the same size, with and without those copies: what there is of room is shared between the frame
//! and them. So neither what is said nor how much of it is lost shows in the packets' size or rate.

use std::time::Duration;

use crate::Ticks;

/// Samples a second, mono.
pub const SAMPLE_RATE: u32 = 48_000;

/// 10 ms: what is captured, mixed and played at once; frames are one or two of these.
pub const BLOCK: Duration = Duration::from_millis(10);

/// Samples in a block.
pub const BLOCK_SAMPLES: usize = 480;

/// First block (4), captured (4), flags (1).
const HEADER_LEN: usize = 9;

/// How much sound a packet carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Span {
    /// 10 ms: the lower delay, at half as many bytes again.
    Ten,
    /// 20 ms: RFC 7587's default.
    Twenty,
}

/// How many frames before it a packet has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Copies {
    /// The last.
    One,
    /// The last two, for links that lose much.
    Two,
}

impl Span {
    /// In blocks.
    #[must_use]
    pub const fn blocks(self) -> u32 {
        match self {
            Self::Ten => 1,
            Self::Twenty => 2,
        }
    }

    /// In microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.blocks() as i64 * BLOCK.as_micros() as i64
    }

    /// In samples.
    #[must_use]
    pub const fn samples(self) -> usize {
        self.blocks() as usize * BLOCK_SAMPLES
    }

    /// Room for a frame and its copies, bytes: 77 kbit/s.
    #[must_use]
    pub const fn room(self) -> usize {
        96 * self.blocks() as usize
    }
}

impl Copies {
    /// Bytes of the frame itself: 45 or 32 kbit/s; Opus is transparent for a voice from 32 on.
    #[must_use]
    pub const fn frame_len(self, span: Span) -> usize {
        let for_ten = match self {
            Self::One => 56,
            Self::Two => 40,
        };
        for_ten * span.blocks() as usize
    }

    /// Bytes of the first copy, which is heard where a packet was lost, and of the second, which is heard where two in a row
    /// were: 32 and 13 kbit/s.
    #[must_use]
    pub const fn copy_lens(self, span: Span) -> &'static [usize] {
        match (self, span) {
            (Self::One, Span::Ten) => &[40],
            (Self::One, Span::Twenty) => &[80],
            (Self::Two, Span::Ten) => &[40, 16],
            (Self::Two, Span::Twenty) => &[80, 32],
        }
    }
}

/// A packet on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// The number of its frame's first block; blocks are counted from the sender's start.
    pub first: u32,
    /// When that block's first sample was captured, by the sender's clock.
    pub captured: Ticks,
    /// How much sound each of its frames is.
    pub span: Span,
    /// How many copies there is room for.
    pub room_for: Copies,
    /// The frame, [`Copies::frame_len`] long: Opus.
    pub frame: Vec<u8>,
    /// The one before, and the one before that, [`Copies::copy_lens`] long. Fewer than there is room for at the beginning, and
    /// when those before had another length.
    pub copies: Vec<Vec<u8>>,
}

impl Packet {
    /// The packet's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN + self.span.room());
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.captured.0.to_be_bytes());
        let copies = self.copies.len() as u8;
        bytes.push((self.span.blocks() as u8 - 1) | (self.room_for as u8) << 1 | copies << 2);
        bytes.extend_from_slice(&self.frame);
        for copy in &self.copies {
            bytes.extend_from_slice(copy);
        }
        bytes.resize(HEADER_LEN + self.span.room(), 0);
        bytes
    }

    /// Reads a packet; `None` for bytes that are none.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        let (first, rest) = body.split_first_chunk()?;
        let (captured, rest) = rest.split_first_chunk()?;
        let (flags, room) = rest.split_first()?;
        let span = if flags & 1 == 0 { Span::Ten } else { Span::Twenty };
        let room_for = if flags & 2 == 0 { Copies::One } else { Copies::Two };
        let lens = room_for.copy_lens(span).iter();
        let count = usize::from(flags >> 2 & 3);
        if flags >> 4 != 0 || count > lens.len() || room.len() != span.room() {
            return None;
        }
        let (frame, mut room) = room.split_at_checked(room_for.frame_len(span))?;
        let mut copies = Vec::with_capacity(count);
        for len in lens.take(count) {
            let (copy, rest) = room.split_at_checked(*len)?;
            copies.push(copy.to_vec());
            room = rest;
        }
        Some(Self {
            first: u32::from_be_bytes(*first),
            captured: Ticks(u32::from_be_bytes(*captured)),
            span,
            room_for,
            frame: frame.to_vec(),
            copies,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_written_and_of_a_length_all_have_one_size() {
        for span in [Span::Ten, Span::Twenty] {
            let mut sizes = Vec::new();
            for room_for in [Copies::One, Copies::Two] {
                let lens = room_for.copy_lens(span);
                assert_eq!(room_for.frame_len(span) + lens.iter().sum::<usize>(), span.room());
                for copies in 0..=lens.len() {
                    let packet = Packet {
                        first: 7,
                        captured: Ticks(9),
                        span,
                        room_for,
                        frame: vec![3; room_for.frame_len(span)],
                        copies: lens.iter().take(copies).map(|len| vec![4; *len]).collect(),
                    };
                    let bytes = packet.encode();
                    assert_eq!(Packet::decode(&bytes), Some(packet));
                    assert_eq!(Packet::decode(&bytes[1..]), None);
                    assert_eq!(Packet::decode(&[bytes.as_slice(), &[0]].concat()), None);
                    sizes.push(bytes.len());
                }
            }
            assert!(sizes.iter().all(|size| *size == sizes[0]), "{sizes:?}");
        }
        let mut bytes = vec![0; HEADER_LEN + Span::Ten.room()];
        assert!(Packet::decode(&bytes).is_some());
        for flags in [0b1000, 0b1_0000, 0b1110] {
            bytes[8] = flags;
            assert_eq!(Packet::decode(&bytes), None, "{flags:b}");
        }
    }
}
