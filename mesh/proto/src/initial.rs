//! The one kind of packet that a stranger may send: a QUIC version 1 Initial.

use crate::tag::{LEN, Tag};

/// The smallest datagram that may carry a client's Initial (RFC 9000, section 14.1), bytes.
const MIN_DATAGRAM: usize = 1200;

/// QUIC version 1 (RFC 9000, section 15).
const VERSION_1: [u8; 4] = [0, 0, 0, 1];

/// The tag in the destination connection id of an Initial packet; `None` for anything else.
///
/// Layout (RFC 9000, section 17.2.2): first byte `1100 xxxx`, version (4), length of the id (1), id.
#[must_use]
pub fn tag(datagram: &[u8]) -> Option<Tag> {
    if datagram.len() < MIN_DATAGRAM {
        return None;
    }
    let (first, rest) = datagram.split_first()?;
    let (version, rest) = rest.split_first_chunk::<4>()?;
    let (id_len, rest) = rest.split_first()?;
    if first & 0xf0 != 0xc0 || *version != VERSION_1 || usize::from(*id_len) != LEN {
        return None;
    }
    rest.first_chunk::<LEN>().copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_full_size_version_1_initial_has_a_tag() {
        let mut initial = vec![0; MIN_DATAGRAM];
        initial[0] = 0xc3;
        initial[4] = 1;
        initial[5] = 20;
        initial[6..26].fill(7);
        assert_eq!(tag(&initial), Some([7; LEN]));
        assert_eq!(tag(&initial[..MIN_DATAGRAM - 1]), None);
        for (at, byte) in [(0, 0xe3), (0, 0x43), (4, 2), (5, 19), (5, 8)] {
            let mut other = initial.clone();
            other[at] = byte;
            assert_eq!(tag(&other), None);
        }
    }
}
