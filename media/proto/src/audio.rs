//! One packet of sound: a frame of Opus with the moment it was captured, and, while packets are lost, the frames before
//! it once more.
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

/// Copies of earlier frames in a packet at the most.
pub const MAX_COPIES: u8 = 2;

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

impl Span {
    /// In blocks.
    #[must_use]
    pub const fn blocks(self) -> u32 {
        match self {
            Self::Ten => 1,
            Self::Twenty => 2,
        }
    }

    /// In samples.
    #[must_use]
    pub const fn samples(self) -> usize {
        self.blocks() as usize * BLOCK_SAMPLES
    }

    /// Room for frames, bytes: 58 kbit/s. Opus is transparent for a voice from 32 on, so that one copy costs nothing that can
    /// be heard, and two little.
    #[must_use]
    pub const fn room(self) -> usize {
        72 * self.blocks() as usize
    }

    /// Bytes of each frame in a packet with so many copies.
    #[must_use]
    pub const fn payload_len(self, copies: u8) -> usize {
        self.room() / (copies as usize + 1)
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
    /// How many copies there is room for: 0 to [`MAX_COPIES`].
    pub slots: u8,
    /// The frame, then the one before, then the one before that: Opus, each as long as all others. Fewer than there is room
    /// for when those before had another length.
    pub frames: Vec<Vec<u8>>,
}

impl Packet {
    /// The packet's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN + self.span.room());
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.captured.0.to_be_bytes());
        let copies = self.frames.len().saturating_sub(1) as u8;
        bytes.push((self.span.blocks() as u8 - 1) | self.slots << 1 | copies << 3);
        for frame in &self.frames {
            bytes.extend_from_slice(frame);
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
        let (slots, copies) = (flags >> 1 & 3, flags >> 3 & 3);
        if flags >> 5 != 0 || slots > MAX_COPIES || copies > slots || room.len() != span.room() {
            return None;
        }
        let frames = room.chunks_exact(span.payload_len(slots));
        Some(Self {
            first: u32::from_be_bytes(*first),
            captured: Ticks(u32::from_be_bytes(*captured)),
            span,
            slots,
            frames: frames.take(usize::from(copies) + 1).map(<[u8]>::to_vec).collect(),
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
            for slots in 0..=MAX_COPIES {
                for copies in 0..=slots {
                    let packet = Packet {
                        first: 7,
                        captured: Ticks(9),
                        span,
                        slots,
                        frames: vec![vec![3; span.payload_len(slots)]; usize::from(copies) + 1],
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
        let mut bytes = vec![0; 81];
        assert!(Packet::decode(&bytes).is_some());
        for flags in [0b110, 0b1000, 0b10_0000] {
            bytes[8] = flags;
            assert_eq!(Packet::decode(&bytes), None, "{flags:b}");
        }
    }
}
