//! One packet of sound: a frame of Opus with the moment it was captured, and parities of frames before it, from which those
//! that are lost are computed (`redundancy.rs`).
//!
//! Every packet of a length has the same size, and a frame and its parities share it in equal parts. So neither what is said
//! nor how much of it is lost shows in the packets' size or rate.

use std::time::Duration;

use sightline_packet::Class;

use crate::{Ticks, header};

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

/// How much of a packet is there for those that are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protection {
    /// Half: one parity.
    Light,
    /// Two thirds, for links that lose much: two parities.
    Strong,
}

/// So many frames back parities reach.
pub const REACH: usize = 3;

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

    /// What a frame and its parities take together, bytes: 77 kbit/s.
    #[must_use]
    pub const fn room(self) -> usize {
        96 * self.blocks() as usize
    }
}

/// A packet of each length fills one size of packet.
const _: () = {
    let header = header::HEADER_LEN + HEADER_LEN;
    assert!(header + Span::Ten.room() == Class::Audio.full_body(0));
    assert!(header + Span::Twenty.room() == Class::Audio.full_body(1));
    assert!(Class::Audio.size_count() == 2);
};

impl Protection {
    /// Bytes of a frame, and of each parity: 38 kbit/s, or 26 under strong protection, which can be heard: Opus is transparent
    /// for a voice from 32 on.
    #[must_use]
    pub const fn frame_len(self, span: Span) -> usize {
        span.room() / (1 + self.parities().len())
    }

    /// Of which frames each parity is made, counted back from the packet's own.
    ///
    /// One parity of the last and the third last: what was lost alone is there again with the next packet, of two in a row the
    /// second as well, and the first after one more. Two parities are the last and the one before it: nothing is waited for
    /// longer than two packets, however much is lost. (Measured: `tests/quality.sh`.)
    #[must_use]
    pub const fn parities(self) -> &'static [&'static [u32]] {
        match self {
            Self::Light => &[&[1, 3]],
            Self::Strong => &[&[1], &[2]],
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
    /// How much sound its frame is.
    pub span: Span,
    /// How many parities it has.
    pub protection: Protection,
    /// The frame, [`Protection::frame_len`] long: Opus.
    pub frame: Vec<u8>,
    /// Which of the last frames the parities are made of, the last first. At the beginning there are fewer, and when those
    /// before had another length.
    pub covers: [bool; REACH],
    /// For each of [`Protection::parities`] the exclusive or of its frames.
    pub parities: Vec<Vec<u8>>,
}

impl Packet {
    /// The packet's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER_LEN + self.span.room());
        bytes.extend_from_slice(&self.first.to_be_bytes());
        bytes.extend_from_slice(&self.captured.0.to_be_bytes());
        let covers = (0u8..).zip(self.covers).map(|(n, covers)| u8::from(covers) << n);
        let covers = covers.fold(0, |all, one| all | one);
        bytes.push((self.span.blocks() as u8 - 1) | (self.protection as u8) << 1 | covers << 2);
        bytes.extend_from_slice(&self.frame);
        for parity in &self.parities {
            bytes.extend_from_slice(parity);
        }
        bytes
    }

    /// Reads a packet; `None` for bytes that are none.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        let (first, rest) = body.split_first_chunk()?;
        let (captured, rest) = rest.split_first_chunk()?;
        let (flags, room) = rest.split_first()?;
        let span = if flags & 1 == 0 { Span::Ten } else { Span::Twenty };
        let protection = if flags & 2 == 0 {
            Protection::Light
        } else {
            Protection::Strong
        };
        let covers = std::array::from_fn(|n| flags >> (n + 2) & 1 == 1);
        let may_cover = |n: usize| {
            protection
                .parities()
                .iter()
                .any(|backs| backs.contains(&(n as u32 + 1)))
        };
        let is_unknown = flags >> (REACH + 2) != 0 || (0..REACH).any(|n| covers[n] && !may_cover(n));
        if is_unknown || room.len() != span.room() {
            return None;
        }
        let mut parts = room.chunks_exact(protection.frame_len(span)).map(<[u8]>::to_vec);
        Some(Self {
            first: u32::from_be_bytes(*first),
            captured: Ticks(u32::from_be_bytes(*captured)),
            span,
            protection,
            frame: parts.next()?,
            covers,
            parities: parts.collect(),
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
            for (protection, all) in [
                (Protection::Light, [true, false, true]),
                (Protection::Strong, [true, true, false]),
            ] {
                let len = protection.frame_len(span);
                for covers in [[false; REACH], [true, false, false], all] {
                    let packet = Packet {
                        first: 7,
                        captured: Ticks(9),
                        span,
                        protection,
                        frame: vec![3; len],
                        covers,
                        parities: vec![vec![4; len]; protection.parities().len()],
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
        for flags in [0b10_0000, 0b1000, 0b1_0010] {
            bytes[8] = flags;
            assert_eq!(Packet::decode(&bytes), None, "{flags:b}");
        }
    }

    #[test]
    fn parities_reach_no_further_than_they_can_say() {
        for protection in [Protection::Light, Protection::Strong] {
            let backs = protection.parities().concat();
            assert!(
                backs.iter().all(|back| (1..=REACH as u32).contains(back)),
                "{backs:?}"
            );
        }
    }
}
