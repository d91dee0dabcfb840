//! How a packet is laid out, and read again.

use crate::class::Class;
use crate::size::size;

/// A body that its class has no size for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} bytes do not fit into a packet of their class")]
pub struct TooLong(pub usize);

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
    use crate::size::{HEADER_LEN, MAX_BODY};

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked_at_a_fixed_size(
            body in prop::collection::vec(any::<u8>(), 0..=MAX_BODY),
            least in 0..=MAX_BODY,
        ) {
            for class in [Class::Control, Class::Audio, Class::Report, Class::Video, Class::Padding, Class::Marker] {
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
