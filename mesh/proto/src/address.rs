//! Addresses as codes and cards carry them: kind, address, port.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The most addresses that one code or card holds.
pub const MAX_ADDRESSES: usize = 8;

/// The longest address: kind (1), IPv6 (16), port (2), bytes.
pub const MAX_ADDRESS_LEN: usize = 19;

const KIND_V4: u8 = 4;
const KIND_V6: u8 = 6;

/// Appends `address`: kind (1), address (4 or 16), port (2, big-endian).
pub fn push(bytes: &mut Vec<u8>, address: SocketAddr) {
    match address.ip() {
        IpAddr::V4(ip) => {
            bytes.push(KIND_V4);
            bytes.extend_from_slice(&ip.octets());
        }
        IpAddr::V6(ip) => {
            bytes.push(KIND_V6);
            bytes.extend_from_slice(&ip.octets());
        }
    }
    bytes.extend_from_slice(&address.port().to_be_bytes());
}

/// What is wrong with an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// The bytes end within it.
    Cut,
    /// Neither IPv4 nor IPv6, or not one that a packet can be sent to.
    Unusable,
}

/// Takes one address off the front of `bytes`.
pub fn take(bytes: &mut &[u8]) -> Result<SocketAddr, AddressError> {
    let (kind, rest) = bytes.split_first().ok_or(AddressError::Cut)?;
    let (ip, rest): (IpAddr, &[u8]) = match *kind {
        KIND_V4 => {
            let (octets, rest) = rest.split_first_chunk::<4>().ok_or(AddressError::Cut)?;
            (Ipv4Addr::from(*octets).into(), rest)
        }
        KIND_V6 => {
            let (octets, rest) = rest.split_first_chunk::<16>().ok_or(AddressError::Cut)?;
            (Ipv6Addr::from(*octets).into(), rest)
        }
        _ => return Err(AddressError::Unusable),
    };
    let (port, rest) = rest.split_first_chunk::<2>().ok_or(AddressError::Cut)?;
    let address = SocketAddr::new(ip, u16::from_be_bytes(*port));
    if !is_usable(address) {
        return Err(AddressError::Unusable);
    }
    *bytes = rest;
    Ok(address)
}

/// Whether one participant can be meant by `address`: no port 0, no "any", no multicast or broadcast.
#[must_use]
pub fn is_usable(address: SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}
