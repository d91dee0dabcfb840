//! One packet of sound: a frame of Opus with its number and the moment it was captured.

use std::time::Duration;

use crate::Ticks;

/// Samples a second, mono.
pub const SAMPLE_RATE: u32 = 48_000;

/// 20 ms: RFC 7587's default, the shortest that does not cost much more for its packets' overhead.
pub const FRAME: Duration = Duration::from_millis(20);

/// Samples in a frame.
pub const FRAME_SAMPLES: usize = 960;

/// 100 bytes, 40 kbit/s: every frame's size, whatever is said; Opus is transparent for a voice from 32 on.
pub const PAYLOAD_LEN: usize = 100;

/// A frame on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Counts frames; each follows the one before by [`FRAME`].
    pub seq: u32,
    /// When its first sample was captured, by the sender's clock.
    pub captured: Ticks,
    /// Opus, [`PAYLOAD_LEN`] bytes.
    pub payload: [u8; PAYLOAD_LEN],
}

impl Packet {
    /// Number (4), captured (4), payload (100).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        [
            &self.seq.to_be_bytes()[..],
            &self.captured.0.to_be_bytes(),
            &self.payload,
        ]
        .concat()
    }

    /// Reads a packet; `None` when the size is not the one that packets have.
    #[must_use]
    pub fn decode(body: &[u8]) -> Option<Self> {
        let (seq, rest) = body.split_first_chunk()?;
        let (captured, rest) = rest.split_first_chunk()?;
        Some(Self {
            seq: u32::from_be_bytes(*seq),
            captured: Ticks(u32::from_be_bytes(*captured)),
            payload: rest.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_is_read_as_written_and_no_other_size_is() {
        let packet = Packet {
            seq: 7,
            captured: Ticks(9),
            payload: [3; PAYLOAD_LEN],
        };
        let bytes = packet.encode();
        assert_eq!(Packet::decode(&bytes), Some(packet));
        assert_eq!(Packet::decode(&bytes[1..]), None);
        assert_eq!(Packet::decode(&[bytes.as_slice(), &[0]].concat()), None);
    }
}
