//! What an address can be used for, judged by the address alone.

use std::net::{IpAddr, SocketAddr};

/// A local and a remote address.
pub type Pair = (SocketAddr, SocketAddr);

/// Pairs to try for one member, by all of its addresses and all of this side's.
pub const MAX_PAIRS: usize = 24;

/// Whether one participant can be meant by `address`: no port 0, no "any", no multicast or broadcast, and IPv4 only as
/// such: from an IPv6 socket nothing goes to `::ffff:192.0.2.1`.
#[must_use]
pub fn is_usable(address: SocketAddr) -> bool {
    let ip = address.ip();
    let broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast && !is_mapped(ip)
}

/// Whether it is an IPv4 address in the form of an IPv6 one (RFC 4291, section 2.5.5.2).
#[must_use]
pub fn is_mapped(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.to_ipv4_mapped().is_some())
}

/// Whether it is an IPv6 address that means something else on each link, so that a zone has to say which link.
#[must_use]
pub fn needs_zone(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// The number of the interface that an address names as its zone.
#[must_use]
pub const fn zone(address: &SocketAddr) -> Option<u32> {
    match address {
        SocketAddr::V6(v6) if v6.scope_id() != 0 => Some(v6.scope_id()),
        SocketAddr::V6(_) | SocketAddr::V4(_) => None,
    }
}

/// The same address, with whatever port is free.
#[must_use]
pub const fn with_any_port(mut address: SocketAddr) -> SocketAddr {
    address.set_port(0);
    address
}

/// As codes and cards carry it: a zone means nothing on another machine.
#[must_use]
pub fn without_zone(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

/// `remote` as it is called from `local`: on the same link.
#[must_use]
pub fn on_link_of(local: SocketAddr, remote: SocketAddr) -> SocketAddr {
    match (local, remote) {
        (SocketAddr::V6(local), SocketAddr::V6(mut remote)) if needs_zone((*remote.ip()).into()) => {
            remote.set_scope_id(local.scope_id());
            remote.into()
        }
        _ => remote,
    }
}

/// Whether a packet from `local` can arrive at `remote`, as far as their kinds tell: both IPv4 or both IPv6, both on
/// one machine (loopback) or neither, both on one link or neither.
#[must_use]
pub fn can_reach(local: SocketAddr, remote: SocketAddr) -> bool {
    let kind = |ip: IpAddr| (ip.is_ipv4(), ip.is_loopback(), needs_zone(ip));
    kind(local.ip()) == kind(remote.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn what_nobody_can_have_or_call_is_not_usable() {
        for text in [
            "192.0.2.1:0",
            "0.0.0.0:1",
            "[::]:1",
            "224.0.0.1:1",
            "[ff02::1]:1",
            "255.255.255.255:1",
            "[::ffff:192.0.2.1]:1",
        ] {
            assert!(!is_usable(at(text)), "{text}");
        }
        for text in ["192.0.2.1:1", "127.0.0.1:1", "[fd00::1]:1", "[fe80::1%3]:1"] {
            assert!(is_usable(at(text)), "{text}");
        }
    }

    #[test]
    fn only_addresses_of_one_kind_reach_each_other() {
        let kinds = [
            "192.0.2.1:1",
            "127.0.0.1:1",
            "[2001:db8::1]:1",
            "[::1]:1",
            "[fe80::1%2]:1",
        ];
        let others = [
            "10.0.0.1:2",
            "127.0.0.2:2",
            "[fd00::1]:2",
            "[::1]:2",
            "[fe80::2]:2",
        ];
        for (n, local) in kinds.iter().enumerate() {
            for (m, remote) in others.iter().enumerate() {
                assert_eq!(can_reach(at(local), at(remote)), n == m, "{local} to {remote}");
            }
        }
    }

    #[test]
    fn a_zone_is_this_sides_and_is_not_passed_on() {
        let [local, remote] = [at("[fe80::1%7]:1"), at("[fe80::2]:2")];
        let called = on_link_of(local, remote);
        assert_eq!(called, at("[fe80::2%7]:2"));
        assert_eq!((zone(&called), zone(&remote)), (Some(7), None));
        assert_eq!(without_zone(called), remote);
        let global = at("[2001:db8::2]:2");
        assert_eq!(on_link_of(local, global), global);
    }
}
