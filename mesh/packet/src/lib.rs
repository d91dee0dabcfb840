//! What stands inside a sealed packet: class, length, body, and zeros up to one of a few fixed sizes. The one place for
//! packets' sizes: the call packs and unpacks by it, media fills it.
//!
//! ```text
//!   class (1)   length of the body (2)   body   zeros        one of Class::sizes
//! ```

/// What a packet is for, in the order in which classes give way: the last first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Round-trip measurement between two members.
    Control,
    /// Part of an audio track.
    Audio,
    /// What media tells the other side of what came.
    Report,
    /// Part of a video track.
    Video,
    /// Nothing, to see how much the link carries.
    Padding,
}

/// Class (1) and length (2) before the body, bytes.
const HEADER_LEN: usize = 3;

/// The longest inside, bytes: what fits with QUIC's and Noise's overhead (38 and 28) into a path of 1200.
const MAX_INSIDE: usize = 1134;

/// The longest body, bytes.
pub const MAX_BODY: usize = MAX_INSIDE - HEADER_LEN;

/// What a packet takes on the wire beyond its inside, bytes: Noise (28), QUIC (10 with its datagram's header, 16 of
/// authentication), UDP (8), and the larger of the two versions' IP (40).
const WIRE_OVERHEAD: usize = 28 + 26 + 8 + 40;

impl Class {
    /// Sizes of the inside, bytes, the smallest first. Audio has one for packets of 10 ms and one for those of 20,
    /// whatever is said.
    const fn sizes(self) -> &'static [usize] {
        match self {
            Self::Control => &[64],
            Self::Audio => &[113, 209],
            Self::Report => &[64, 160, 576],
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

    const fn id(self) -> u8 {
        match self {
            Self::Control => 0,
            Self::Audio => 1,
            Self::Report => 2,
            Self::Video => 4,
            Self::Padding => 6,
        }
    }

    const fn from_id(id: u8) -> Option<Self> {
        match id {
            0 => Some(Self::Control),
            1 => Some(Self::Audio),
            2 => Some(Self::Report),
            6 => Some(Self::Padding),
            4 => Some(Self::Video),
            _ => None,
        }
    }
}

/// A body that its class has no size for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes do not fit into a packet of their class")]
pub struct TooLong(pub usize);

/// The size of the inside that holds a body of `len` bytes.
fn size(class: Class, len: usize) -> Option<usize> {
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

/// Lays a body out, padded.
///
/// # Errors
/// [`TooLong`].
pub fn pack(class: Class, body: &[u8]) -> Result<Vec<u8>, TooLong> {
    pack_as_long(class, body, 0)
}

/// Lays a body out, padded as one of `least` bytes is if it is shorter.
///
/// # Errors
/// [`TooLong`].
pub fn pack_as_long(class: Class, body: &[u8], least: usize) -> Result<Vec<u8>, TooLong> {
    let longest = body.len().max(least);
    let (Some(size), Ok(len)) = (size(class, longest), u16::try_from(body.len())) else {
        return Err(TooLong(longest));
    };
    let mut inside = Vec::with_capacity(size);
    inside.push(class.id());
    inside.extend_from_slice(&len.to_be_bytes());
    inside.extend_from_slice(body);
    inside.resize(size, 0);
    Ok(inside)
}

/// Not a packet of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a packet could not be read")]
pub struct UnpackError;

/// Takes the inside of a packet apart. Its size must be one of its class, its padding zero.
///
/// # Errors
/// [`UnpackError`].
pub fn unpack(inside: &[u8]) -> Result<(Class, &[u8]), UnpackError> {
    let (id, rest) = inside.split_first().ok_or(UnpackError)?;
    let (len, rest) = rest.split_first_chunk::<2>().ok_or(UnpackError)?;
    let class = Class::from_id(*id).ok_or(UnpackError)?;
    let len = usize::from(u16::from_be_bytes(*len));
    let (body, padding) = rest.split_at_checked(len).ok_or(UnpackError)?;
    if !class.sizes().contains(&inside.len()) || padding.iter().any(|byte| *byte != 0) {
        return Err(UnpackError);
    }
    Ok((class, body))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_at_a_fixed_size(
            body in prop::collection::vec(any::<u8>(), 0..=MAX_BODY),
            least in 0..=MAX_BODY,
        ) {
            for class in [Class::Control, Class::Audio, Class::Report, Class::Video, Class::Padding] {
                if let Ok(inside) = pack(class, &body) {
                    prop_assert!(class.sizes().contains(&inside.len()));
                    prop_assert_eq!(unpack(&inside), Ok((class, body.as_slice())));
                } else {
                    prop_assert!(class.sizes().iter().all(|size| size - HEADER_LEN < body.len()));
                }
                let padded = pack_as_long(class, &body, least);
                let longer = pack(class, &vec![0; body.len().max(least)]);
                prop_assert_eq!(padded.as_ref().map(Vec::len), longer.as_ref().map(Vec::len));
                if let Ok(padded) = padded {
                    prop_assert_eq!(unpack(&padded), Ok((class, body.as_slice())));
                }
            }
        }
    }

    #[test]
    fn audio_has_one_size_for_each_length_of_packet() {
        for (lengths, size) in [(0..=110, 113), (111..=206, 209)] {
            for len in lengths {
                let packed = pack(Class::Audio, &vec![1; len]);
                assert_eq!(packed.map(|inside| inside.len()), Ok(size), "{len}");
            }
        }
    }

    #[test]
    fn odd_sizes_padding_and_classes_are_refused() {
        let inside = pack(Class::Audio, &[7; 150]).expect("packed");
        assert_eq!(unpack(&inside[..208]), Err(UnpackError));
        for (at, byte) in [(0, 3), (0, 9), (2, 207), (208, 1)] {
            let mut changed = inside.clone();
            changed[at] = byte;
            assert_eq!(unpack(&changed), Err(UnpackError), "byte {at}");
        }
    }
}
