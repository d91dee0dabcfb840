//! What stands before the body of each packet of media: its number on the link, and its track.
//!
//! ```text
//!   sender (2)  count (2)   track (1)   body          audio and video
//!   sender (2)  count (2)   zeros                     padding, markers
//! ```

use sightline_packet::Class;

use crate::track::{self, Track};

/// The number before each body but a report's, bytes.
const NUMBER_LEN: usize = 4;

/// Number and track before the body of a packet of audio or video, bytes.
pub const HEADER_LEN: usize = NUMBER_LEN + track::HEADER_LEN;

/// What a body takes on the wire, all together, bytes; before it come the number and the track that its class has.
#[must_use]
pub fn wire_size(class: Class, len: usize) -> u32 {
    let header = match class {
        Class::Audio | Class::Video => HEADER_LEN,
        Class::Padding | Class::Marker => NUMBER_LEN,
        Class::Report | Class::Control => 0,
    };
    sightline_packet::wire_size(class, header + len)
}

/// A packet's number on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Which sender: one that began anew, after the link was gone for one side, has another.
    pub incarnation: u16,
    /// Counts its packets, wrapping.
    pub seq: u16,
}

impl Number {
    /// Takes the number off a packet's body; `None` when it has none.
    #[must_use]
    pub fn split(body: &[u8]) -> Option<(Self, &[u8])> {
        let (incarnation, rest) = body.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let number = Self {
            incarnation: u16::from_be_bytes(*incarnation),
            seq: u16::from_be_bytes(*seq),
        };
        Some((number, rest))
    }

    /// Puts the number, and the track if there is one, before a body.
    pub(crate) fn before(self, track: Option<Track>, body: &[u8]) -> Vec<u8> {
        let mut packet = Vec::with_capacity(HEADER_LEN + body.len());
        packet.extend_from_slice(&self.incarnation.to_be_bytes());
        packet.extend_from_slice(&self.seq.to_be_bytes());
        packet.extend(track.map(Track::id));
        packet.extend_from_slice(body);
        packet
    }
}
