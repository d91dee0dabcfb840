//! How large packets are: one of a few sizes, so that little shows in them.

use crate::class::Class;

/// Class (1) and length (2) before the body, bytes.
pub(crate) const HEADER_LEN: usize = 3;

/// The longest inside, bytes: what fits with QUIC's and Noise's overhead (38 and 28) into a path of 1200.
const MAX_INSIDE: usize = 1134;

/// The longest body, bytes.
pub const MAX_BODY: usize = MAX_INSIDE - HEADER_LEN;

/// What a datagram takes on the wire beyond what is sealed, bytes: QUIC (10 with its datagram's header, 16 of
/// authentication), UDP (8), and the larger of the two versions' IP (40).
const DATAGRAM_OVERHEAD: usize = 26 + 8 + 40;

/// What sealing adds (Noise), bytes.
const SEAL: usize = 28;

/// What a packet takes on the wire beyond its inside, bytes.
const WIRE_OVERHEAD: usize = SEAL + DATAGRAM_OVERHEAD;

/// The header of a frame of a stream (RFC 9000, section 19.8), bytes, at the most.
const STREAM_HEADER: usize = 12;

/// The inside of a marker, bytes.
const MARKER: usize = 16;

/// The longest frame of bulk, sealed and with its length before it, bytes: what fits into a datagram of 1200 with its marker.
pub const MAX_BULK: usize = MAX_INSIDE - MARKER - SEAL - STREAM_HEADER - HEADER_LEN;

/// What so many bytes of bulk take on the wire with their marker, bytes.
#[must_use]
pub fn bulk_wire_size(len: usize) -> u32 {
    let packets = len.div_ceil(MAX_BULK).max(1);
    (len + packets * (DATAGRAM_OVERHEAD + STREAM_HEADER) + SEAL + MARKER) as u32
}

impl Class {
    /// Sizes of the inside, bytes, the smallest first. Audio has one for packets of 10 ms and one for those of 20,
    /// whatever is said.
    pub(crate) const fn sizes(self) -> &'static [usize] {
        match self {
            Self::Control => &[64],
            Self::Audio => &[113, 209],
            Self::Report => &[64, 160, 576],
            Self::Marker => &[MARKER],
            Self::Video | Self::Padding => &[288, 576, 864, MAX_INSIDE],
        }
    }

    /// How many sizes of packet the class has.
    #[must_use]
    pub const fn size_count(self) -> usize {
        self.sizes().len()
    }

    /// The body that fills the class's packet of this size, bytes; sizes count from 0, the smallest first.
    ///
    /// # Panics
    /// When the class has no such size: a constant is wrong, not a packet.
    #[must_use]
    pub const fn full_body(self, size: usize) -> usize {
        self.sizes()[size] - HEADER_LEN
    }
}

/// The size of the inside that holds a body of `len` bytes.
pub(crate) fn size(class: Class, len: usize) -> Option<usize> {
    class
        .sizes()
        .iter()
        .copied()
        .find(|size| *size >= HEADER_LEN + len)
}

/// What a body of `len` bytes takes on the wire, all together, bytes.
#[must_use]
pub fn wire_size(class: Class, len: usize) -> u32 {
    (size(class, len).unwrap_or(HEADER_LEN + len) + WIRE_OVERHEAD) as u32
}
