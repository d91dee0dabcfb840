//! Candidates: the addresses at which a participant may be reached, each with how it is known, as codes and cards carry
//! them (ICE has the same idea: RFC 8445, section 5.1.1).

use std::net::{IpAddr, SocketAddr};

use crate::address;

/// The most candidates that one code or card holds.
pub const MAX_CANDIDATES: usize = 8;

/// The longest candidate that this version knows, bytes: kind (1), length (1), IPv6 address (16), port (2).
const MAX_LEN: usize = 20;

/// The longest list of candidates, bytes.
pub const MAX_LIST_LEN: usize = MAX_CANDIDATES * MAX_LEN;

/// An address at which a participant may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Candidate {
    /// How it is known.
    pub kind: CandidateType,
    /// It, without a zone: that means nothing on another machine.
    pub address: SocketAddr,
}

/// How the address of a candidate is known. The numbers are those on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CandidateType {
    /// One of the machine's own interfaces has it.
    Local = 0,
    /// A router maps it to the machine because it was asked to (PCP, NAT-PMP, UPnP).
    Mapped = 1,
    /// A member saw packets come from it.
    Observed = 2,
    /// The user typed it.
    Manual = 3,
}

/// What is wrong with a candidate on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CandidateError {
    /// The bytes end within it.
    Cut,
    /// Its address is neither IPv4 nor IPv6, or not one that a packet can be sent to.
    Unusable,
}

impl Candidate {
    /// An address of one of this machine's interfaces.
    #[must_use]
    pub fn local(address: SocketAddr) -> Self {
        Self {
            kind: CandidateType::Local,
            address: address::without_zone(address),
        }
    }

    /// Appends it: kind (1), length of what follows (1), address (4 or 16), port (2, big-endian).
    pub fn push(&self, bytes: &mut Vec<u8>) {
        bytes.push(self.kind as u8);
        match self.address.ip() {
            IpAddr::V4(ip) => {
                bytes.push(6);
                bytes.extend_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                bytes.push(18);
                bytes.extend_from_slice(&ip.octets());
            }
        }
        bytes.extend_from_slice(&self.address.port().to_be_bytes());
    }

    /// Takes one off the front of `bytes`; `None` for one of a kind that only newer versions know.
    ///
    /// # Errors
    /// [`CandidateError`]. One that is unusable is taken off all the same.
    pub fn take(bytes: &mut &[u8]) -> Result<Option<Self>, CandidateError> {
        let ([kind, len], rest) = bytes.split_first_chunk::<2>().ok_or(CandidateError::Cut)?;
        let (value, rest) = rest
            .split_at_checked(usize::from(*len))
            .ok_or(CandidateError::Cut)?;
        *bytes = rest;
        let kind = match kind {
            0 => CandidateType::Local,
            1 => CandidateType::Mapped,
            2 => CandidateType::Observed,
            3 => CandidateType::Manual,
            _ => return Ok(None),
        };
        let address = socket_address(value).filter(|address| address::is_usable(*address));
        let address = address.ok_or(CandidateError::Unusable)?;
        Ok(Some(Self { kind, address }))
    }
}

fn socket_address(value: &[u8]) -> Option<SocketAddr> {
    let (ip, port) = value.split_last_chunk::<2>()?;
    let v4 = <[u8; 4]>::try_from(ip).map(IpAddr::from);
    let ip = v4.or_else(|_| <[u8; 16]>::try_from(ip).map(IpAddr::from)).ok()?;
    Some(SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

/// A list as cards carry it, [`MAX_LIST_LEN`] bytes at the most.
#[must_use]
pub fn pack(candidates: &[Candidate]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for candidate in candidates.iter().take(MAX_CANDIDATES) {
        candidate.push(&mut bytes);
    }
    bytes
}

/// Reads a list. What is of a kind that only newer versions know, and what nobody can use, is left out.
#[must_use]
pub fn unpack(mut bytes: &[u8]) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    while candidates.len() < MAX_CANDIDATES {
        match Candidate::take(&mut bytes) {
            Ok(candidate) => candidates.extend(candidate),
            Err(CandidateError::Unusable) => {}
            Err(CandidateError::Cut) => break,
        }
    }
    candidates
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn bytes_of(candidate: Candidate) -> Vec<u8> {
        pack(&[candidate])
    }

    fn candidates() -> impl Strategy<Value = Candidate> {
        let kinds = [
            CandidateType::Local,
            CandidateType::Mapped,
            CandidateType::Observed,
            CandidateType::Manual,
        ];
        let address = (any::<IpAddr>(), 1u16..).prop_map(|(ip, port)| SocketAddr::new(ip, port));
        let usable = address.prop_filter("usable", |address| address::is_usable(*address));
        (prop::sample::select(kinds.to_vec()), usable).prop_map(|(kind, address)| Candidate { kind, address })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(list in prop::collection::vec(candidates(), 0..=MAX_CANDIDATES)) {
            let bytes = pack(&list);
            prop_assert!(bytes.len() <= MAX_LIST_LEN);
            prop_assert_eq!(unpack(&bytes), list);
        }

        #[test]
        fn kinds_that_are_not_known_yet_are_skipped(
            before in candidates(), after in candidates(), kind in 4u8..,
            value in prop::collection::vec(any::<u8>(), 0..=255)
        ) {
            let len = u8::try_from(value.len()).expect("at most 255");
            let unknown = [&[kind, len], value.as_slice()].concat();
            let bytes = [bytes_of(before), unknown, bytes_of(after)].concat();
            prop_assert_eq!(unpack(&bytes), [before, after]);
        }

        #[test]
        fn any_bytes_give_a_short_list(bytes: Vec<u8>) {
            prop_assert!(unpack(&bytes).len() <= MAX_CANDIDATES);
        }
    }

    #[test]
    fn what_nobody_can_have_or_call_is_left_out() {
        let good = Candidate::local(at("192.0.2.1:1"));
        for text in ["192.0.2.1:0", "0.0.0.0:1", "[ff02::1]:1", "[::ffff:192.0.2.1]:1"] {
            let bytes = bytes_of(Candidate::local(at(text)));
            assert_eq!(
                Candidate::take(&mut bytes.as_slice()),
                Err(CandidateError::Unusable),
                "{text}"
            );
            assert_eq!(unpack(&[bytes, bytes_of(good)].concat()), [good], "{text}");
        }
        let neither = [[0, 7].as_slice(), &[1; 7]].concat();
        assert_eq!(
            Candidate::take(&mut neither.as_slice()),
            Err(CandidateError::Unusable)
        );
        let whole = bytes_of(good);
        for len in 0..whole.len() {
            assert_eq!(Candidate::take(&mut &whole[..len]), Err(CandidateError::Cut));
        }
    }

    #[test]
    fn a_zone_is_not_passed_on() {
        let bytes = bytes_of(Candidate::local(at("[fe80::2%7]:2")));
        assert_eq!(unpack(&bytes), [Candidate::local(at("[fe80::2]:2"))]);
    }
}
