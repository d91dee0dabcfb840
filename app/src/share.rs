//! Which addresses are shared: as given, or as a person chooses among those that this machine has.

use std::io::IsTerminal;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use sightline_mesh::interfaces::{self, Found};
use sightline_mesh_proto::address;
use sightline_mesh_proto::interface::{Interface, Medium};

use crate::terminal::{ask, write_error};
use crate::words;

/// `ADDR[%INTERFACE][:PORT]`; without a port, one is picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SharedAddress {
    /// The address, without its zone.
    pub address: SocketAddr,
    /// The interface of a link-local address: its name or its number.
    pub zone: Option<String>,
}

impl FromStr for SharedAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (without, zone) = take_zone(text);
        let bare = without.trim_start_matches('[').trim_end_matches(']');
        let address: SocketAddr = without
            .parse()
            .or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0)))
            .map_err(|_| {
                format!("“{text}” is not an address like 192.168.1.5, 192.168.1.5:4433 or [fd00::5]:4433")
            })?;
        let ip = address.ip();
        if address::is_mapped(ip) {
            return Err(format!(
                "“{text}” is an IPv4 address in the form of an IPv6 one; give it as {}",
                ip.to_canonical()
            ));
        }
        let is_broadcast = matches!(ip, IpAddr::V4(v4) if v4.is_broadcast());
        if ip.is_unspecified() || ip.is_multicast() || is_broadcast {
            return Err(format!(
                "“{text}” is not an address of one machine; give one that this machine has"
            ));
        }
        if zone.is_some() && !address::needs_zone(ip) {
            return Err(format!(
                "“{text}” names an interface after a “%”, which only IPv6 addresses that begin with fe80 have"
            ));
        }
        Ok(Self { address, zone })
    }
}

/// Takes the zone out of `fe80::1%eth0` or `[fe80::1%eth0]:4433`.
fn take_zone(text: &str) -> (String, Option<String>) {
    let Some((before, after)) = text.split_once('%') else {
        return (text.to_owned(), None);
    };
    let (zone, rest) = match after.split_once(']') {
        Some((zone, rest)) => (zone, format!("]{rest}")),
        None => (after, String::new()),
    };
    (format!("{before}{rest}"), Some(zone.to_owned()))
}

/// Whether one of these interfaces is there, with an address. None named are all of them.
#[must_use]
pub fn are_there(only: &[String]) -> bool {
    is_one_of(&interfaces::all(), only)
}

fn is_one_of(all: &[Found], only: &[String]) -> bool {
    only.is_empty() || all.iter().any(|found| only.contains(&found.interface.name))
}

/// The addresses to share: those given, or the ones that the person in front chooses among those of the interfaces
/// in `only` (all of them, when it is empty).
///
/// # Errors
/// A sentence: when none is given and nobody can be asked, or when one is not on those interfaces.
pub fn choose(given: &[SharedAddress], only: &[String]) -> Result<Vec<SocketAddr>, String> {
    let all = interfaces::all();
    let is_allowed = |found: &&Found| only.is_empty() || only.contains(&found.interface.name);
    if !is_one_of(&all, only) {
        return Err(format!(
            "There is no network interface named {}, or it has no address. Nothing was opened.",
            only.join(" or ")
        ));
    }
    let is_elsewhere = |share: &&SharedAddress| {
        let mut allowed = all.iter().filter(is_allowed);
        allowed.all(|found| found.interface.address != share.address.ip())
    };
    if let Some(share) = given.iter().find(is_elsewhere).filter(|_| !only.is_empty()) {
        return Err(format!(
            "The address {} is not on {}, and you said to use nothing else. Nothing was opened.",
            share.address.ip(),
            only.join(" or ")
        ));
    }
    if !given.is_empty() {
        let mut chosen = Vec::new();
        for share in given {
            let address = on_its_link(share, &all)?;
            // What is said twice is meant once.
            if !chosen.contains(&address) {
                chosen.push(address);
            }
        }
        return Ok(chosen);
    }
    let interfaces = interfaces::list(only);
    let found = offers(&interfaces);
    let listed = found
        .iter()
        .map(|offer| format!("{} ({})", offer.interface.address, in_words(offer)));
    if !std::io::stdin().is_terminal() {
        return Err(format!(
            "Say with --share which address the others may know. This machine has: {}.",
            listed.collect::<Vec<_>>().join(", ")
        ));
    }
    write_error("Which address may the others know, and reach you at?");
    for (at, offer) in listed.enumerate() {
        write_error(&format!("  {}  {offer}", at + 1));
    }
    let mut line = ask("Number:");
    // What was pasted with a code, or the Return after it, is no answer.
    while !line.is_empty() && !line.contains(char::is_alphanumeric) {
        line = ask("Number:");
    }
    let chosen = line
        .trim()
        .parse::<usize>()
        .ok()
        .and_then(|number| found.get(number.checked_sub(1)?));
    match chosen {
        Some(offer) => Ok(vec![SocketAddr::new(offer.interface.address, 0)]),
        None => Err("No address was chosen, so nothing was opened.".into()),
    }
}

/// An address that can be shared.
#[derive(Clone, Debug)]
pub struct Offer {
    /// It, and the interface that has it.
    pub interface: Interface,
    /// Reachable from everywhere, and so registered to somebody.
    pub is_public: bool,
    /// It names this very machine for as long as it stays in its network.
    pub is_lasting: bool,
}

/// The addresses of `interfaces` that can be shared: first those that change every day, which tell less than those
/// that stay.
#[must_use]
pub fn offers(interfaces: &[Interface]) -> Vec<Offer> {
    let temporary = interfaces::temporary_addresses();
    let offer = |interface: &Interface| {
        let is_public = is_public(interface.address);
        Offer {
            is_lasting: is_public && interface.address.is_ipv6() && !temporary.contains(&interface.address),
            is_public,
            interface: interface.clone(),
        }
    };
    let usable = interfaces
        .iter()
        .filter(|interface| !is_link_local(interface.address));
    let mut offers: Vec<_> = usable.map(offer).collect();
    offers.sort_by_key(|offer| {
        offer.interface.address.is_ipv6() && !temporary.contains(&offer.interface.address)
    });
    offers
}

/// Sentences about addresses that say more of a person than that they are in this call.
#[must_use]
pub fn warnings(shared: &[SocketAddr]) -> Vec<String> {
    let temporary = interfaces::temporary_addresses();
    let interfaces = interfaces::list(&[]);
    let warning = |address: &SocketAddr| {
        let ip = address.ip();
        let of = interfaces.iter().find(|interface| interface.address == ip);
        let is_vpn = of.is_some_and(|interface| interface.medium == Medium::Vpn);
        if !is_public(ip) || is_vpn {
            None
        } else if ip.is_ipv6() && !temporary.contains(&ip) {
            Some(format!(
                "The address {ip} identifies this very machine for as long as it is in this home's or employer's \
                 network. A temporary address of the same interface, if there is one, says less."
            ))
        } else {
            Some(format!(
                "The address {ip} identifies the home's or employer's network that this machine is in; the others, \
                 and whoever watches the network, can look up to whom it belongs."
            ))
        }
    };
    shared.iter().filter_map(warning).collect()
}

/// Reachable from everywhere, and so registered to somebody.
const fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            // Shared by many customers of one provider (RFC 6598).
            let is_shared = a == 100 && b & 0xc0 == 64;
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || is_shared)
        }
        IpAddr::V6(v6) => !(v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local()),
    }
}

const fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

/// An address that means something else on each link, with the number of the interface that it is meant on.
fn on_its_link(share: &SharedAddress, all: &[Found]) -> Result<SocketAddr, String> {
    let SocketAddr::V6(mut address) = share.address else {
        return Ok(share.address);
    };
    let ip = share.address.ip();
    if !address::needs_zone(ip) {
        return Ok(share.address);
    }
    let is_meant = |interface: &Interface| match &share.zone {
        Some(zone) => interface.name == *zone || interface.index.to_string() == *zone,
        None => true,
    };
    let interfaces = all.iter().map(|found| &found.interface);
    let meant: Vec<_> = interfaces
        .filter(|interface| interface.address == ip && is_meant(interface))
        .collect();
    match (meant.as_slice(), &share.zone) {
        ([interface], _) => {
            address.set_scope_id(interface.index);
            Ok(address.into())
        }
        ([], Some(zone)) => Err(format!("The address {ip} is not on {zone}. Nothing was opened.")),
        ([], None) => Err(format!(
            "The address {ip} is on none of this machine's interfaces. Nothing was opened."
        )),
        ([first, ..], _) => Err(format!(
            "The address {ip} is on more than one interface. Say on which: {ip}%{}. Nothing was opened.",
            first.name
        )),
    }
}

fn in_words(offer: &Offer) -> String {
    let interface = &offer.interface;
    let reach = if interface.medium == Medium::Loopback {
        ""
    } else if offer.is_public {
        ", reachable from everywhere"
    } else {
        ", this network only"
    };
    format!("{}: {}{reach}", interface.name, words::medium(interface.medium))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(address: &str, zone: Option<&str>) -> SharedAddress {
        SharedAddress {
            address: address.parse().expect("an address"),
            zone: zone.map(str::to_owned),
        }
    }

    #[test]
    fn addresses_are_read_with_and_without_port() {
        for (text, expected) in [
            ("192.0.2.5", "192.0.2.5:0"),
            ("192.0.2.5:44", "192.0.2.5:44"),
            ("2001:db8::5", "[2001:db8::5]:0"),
            ("[2001:db8::5]", "[2001:db8::5]:0"),
            ("[2001:db8::5]:44", "[2001:db8::5]:44"),
        ] {
            assert_eq!(text.parse(), Ok(share(expected, None)), "{text}");
        }
        for text in [
            "",
            "here",
            "0.0.0.0",
            "224.0.0.1:5",
            "255.255.255.255:5",
            "1.2.3.4:99999",
            "::ffff:1.2.3.4",
            "[::ffff:1.2.3.4]:5",
            "fd00::5%eth0",
            "1.2.3.4%eth0",
        ] {
            assert!(text.parse::<SharedAddress>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_link_local_address_is_read_with_its_interface_and_used_on_that_one() {
        for text in ["fe80::1%eth1", "[fe80::1%eth1]", "[fe80::1%eth1]:0"] {
            assert_eq!(text.parse(), Ok(share("[fe80::1]:0", Some("eth1"))), "{text}");
        }
        let found = |name: &str, index| Found {
            interface: Interface {
                name: name.into(),
                address: "fe80::1".parse().expect("an address"),
                medium: Medium::Cable,
                index,
            },
            state: interfaces::AddressState::Up,
        };
        let both = [found("eth0", 2), found("eth1", 3)];
        let at = |text: &str, all: &[Found]| on_its_link(&text.parse().expect("an address"), all);
        let expected = |text: &str| Ok::<_, String>(text.parse::<SocketAddr>().expect("an address"));
        assert_eq!(at("[fe80::1%eth1]:4433", &both), expected("[fe80::1%3]:4433"));
        assert_eq!(at("fe80::1%2", &both), expected("[fe80::1%2]:0"));
        assert_eq!(
            at("fe80::1", &both[..1]),
            expected("[fe80::1%2]:0"),
            "there is one only"
        );
        for (text, all) in [
            ("fe80::1", &both[..]),
            ("fe80::1%eth2", &both[..]),
            ("fe80::1", &both[..0]),
        ] {
            assert!(at(text, all).is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_that_lead_to_somebodys_door_are_named() {
        let at = |text: &str| SocketAddr::new(text.parse().expect("an address"), 1);
        let quiet = [
            "127.0.0.1",
            "192.168.1.5",
            "10.1.2.3",
            "100.64.0.1",
            "fd00::5",
            "::1",
        ]
        .map(at);
        assert_eq!(warnings(&quiet), Vec::<String>::new());
        let loud = ["8.8.4.4", "2a00:1450::1"].map(at);
        let told = warnings(&loud);
        assert_eq!(told.len(), 2);
        assert!(
            told[0].contains("8.8.4.4") && told[1].contains("this very machine"),
            "{told:?}"
        );
    }

    #[test]
    fn an_address_elsewhere_or_an_interface_that_is_not_there_opens_nothing() {
        let own = [share("127.0.0.1:0", None), share("127.0.0.1:0", None)];
        assert_eq!(
            choose(&own, &[]),
            Ok(vec![own[0].address]),
            "said twice, meant once"
        );
        let none = choose(&own, &["none-such0".into()]).expect_err("nothing of this name");
        assert!(none.contains("none-such0"), "{none}");
        let loopback = interfaces::list(&[])
            .into_iter()
            .find(|one| one.medium == Medium::Loopback);
        let name = loopback.expect("loopback").name;
        assert!(choose(&own, std::slice::from_ref(&name)).is_ok());
        let elsewhere = share("192.0.2.1:0", None);
        assert!(choose(&[elsewhere], &[name]).is_err());
    }
}
