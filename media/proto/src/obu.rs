//! AV1's open bitstream units (AV1 specification, section 5.3): metadata is taken out before anything leaves.

/// `OBU_METADATA` (AV1 specification, section 6.2.2): whatever a camera or encoder says about itself.
const METADATA: u8 = 5;

/// `OBU_PADDING`.
const PADDING: u8 = 15;

/// Not a sequence of open bitstream units with sizes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the picture is not a sequence of AV1 units")]
pub struct ObuError;

/// The units of `temporal_unit` without metadata and padding, which decoding does not need.
///
/// # Errors
/// [`ObuError`] when a unit has no size, or ends after the data.
pub fn without_metadata(temporal_unit: &[u8]) -> Result<Vec<u8>, ObuError> {
    let mut kept = Vec::with_capacity(temporal_unit.len());
    let mut rest = temporal_unit;
    while !rest.is_empty() {
        let length = unit_length(rest).ok_or(ObuError)?;
        let (unit, after) = rest.split_at_checked(length).ok_or(ObuError)?;
        if !matches!(kind(unit), Some(METADATA | PADDING)) {
            kept.extend_from_slice(unit);
        }
        rest = after;
    }
    Ok(kept)
}

/// `OBU_FRAME_HEADER` and `OBU_FRAME`: each begins a frame, or shows one that exists.
const FRAMES: [u8; 2] = [3, 6];

/// How many frames `temporal_unit` holds or shows: the work that decoding it means.
///
/// # Errors
/// [`ObuError`] when it is not a sequence of units.
pub fn count_frames(temporal_unit: &[u8]) -> Result<usize, ObuError> {
    let mut count = 0;
    let mut rest = temporal_unit;
    while !rest.is_empty() {
        let length = unit_length(rest).ok_or(ObuError)?;
        let (unit, after) = rest.split_at_checked(length).ok_or(ObuError)?;
        count += usize::from(kind(unit).is_some_and(|kind| FRAMES.contains(&kind)));
        rest = after;
    }
    Ok(count)
}

fn kind(unit: &[u8]) -> Option<u8> {
    unit.first().map(|header| header >> 3 & 0x0f)
}

/// Length of the first unit: header (1 or 2), size (LEB128), payload.
fn unit_length(bytes: &[u8]) -> Option<usize> {
    let header = *bytes.first()?;
    let (is_forbidden, has_extension, has_size) = (header & 0x80 != 0, header & 4 != 0, header & 2 != 0);
    if is_forbidden || !has_size {
        return None;
    }
    let header_len = 1 + usize::from(has_extension);
    let (size, size_len) = leb128(bytes.get(header_len..)?)?;
    header_len.checked_add(size_len)?.checked_add(size)
}

/// AV1 specification, section 4.10.5: seven bits a byte, at most eight bytes, the value below 2^32.
fn leb128(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0u64;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            let value = u32::try_from(value).ok()?;
            return Some((usize::try_from(value).ok()?, at + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_taken_out_and_the_rest_stays() {
        let delimiter = [0x12, 0x00];
        let metadata = [METADATA << 3 | 2, 0x83, 0x00, 1, 2, 3];
        let frame = [0x32, 0x02, 9, 9];
        let unit = [&delimiter[..], &metadata, &frame, &metadata].concat();
        assert_eq!(without_metadata(&unit), Ok([&delimiter[..], &frame].concat()));
    }

    #[test]
    fn frames_are_counted_so_that_a_bomb_is_seen() {
        let delimiter = [0x12, 0x00];
        let show_existing = [0x1a, 0x01, 0x80];
        let bomb = [&delimiter[..], &show_existing.repeat(1000)].concat();
        assert_eq!(count_frames(&bomb), Ok(1000));
        assert_eq!(count_frames(&[0x12, 0x00, 0x32, 0x02, 9, 9]), Ok(1));
        assert_eq!(count_frames(&[0x32, 0x05, 1]), Err(ObuError));
    }

    #[test]
    fn what_is_no_sequence_of_units_is_refused() {
        for bad in [
            &[0x32, 0x05, 1][..],
            &[0x30, 1],
            &[0xb2, 0],
            &[0x32],
            &[0x32, 0xff, 0xff, 0xff, 0xff, 0xff],
        ] {
            assert_eq!(without_metadata(bad), Err(ObuError), "{bad:02x?}");
        }
    }
}
