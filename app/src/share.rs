//! Which addresses are shared: as given, or as a person chooses among those that this machine has.

use std::io::IsTerminal;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use sightline_mesh::interfaces;
use sightline_mesh_proto::interface::{Interface, Medium};

use crate::terminal::{ask, write_error};
use crate::words;

/// `ADDR[:PORT]`; without a port, one is picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(pub SocketAddr);

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.trim_start_matches('[').trim_end_matches(']');
        let address = text
            .parse()
            .or_else(|_| bare.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 0)))
            .map_err(|_| {
                format!("“{text}” is not an address like 192.168.1.5, 192.168.1.5:4433 or [fd00::5]:4433")
            })?;
        if address.ip().is_unspecified() || address.ip().is_multicast() {
            return Err(format!(
                "“{text}” is not an address of one machine; give one that this machine has"
            ));
        }
        Ok(Self(address))
    }
}

/// The addresses to share: those given, or the ones that the person in front chooses among those of the interfaces
/// in `only` (all of them, when it is empty).
///
/// # Errors
/// A sentence: when none is given and nobody can be asked, or when one is not on those interfaces.
pub fn choose(given: &[Share], only: &[String]) -> Result<Vec<SocketAddr>, String> {
    let interfaces = interfaces::list(only);
    if !only.is_empty() && interfaces.is_empty() {
        return Err(format!(
            "There is no network interface named {}, or it is not up. Nothing was opened.",
            only.join(" or ")
        ));
    }
    let is_elsewhere = |share: &&Share| {
        interfaces
            .iter()
            .all(|interface| interface.address != share.0.ip())
    };
    if let Some(Share(address)) = given.iter().find(is_elsewhere).filter(|_| !only.is_empty()) {
        return Err(format!(
            "The address {} is not on {}, and you said to use nothing else. Nothing was opened.",
            address.ip(),
            only.join(" or ")
        ));
    }
    if !given.is_empty() {
        return Ok(given.iter().map(|share| share.0).collect());
    }
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
    let temporary = temporary_addresses();
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
    let temporary = temporary_addresses();
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

/// IPv6 addresses that were made to be thrown away (RFC 8981), as Linux tells them; none elsewhere.
fn temporary_addresses() -> Vec<IpAddr> {
    read_temporary(&std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default())
}

/// Lines of `/proc/net/if_inet6`: address, index, length of prefix, scope, flags (1 is `IFA_F_TEMPORARY`), name.
fn read_temporary(table: &str) -> Vec<IpAddr> {
    let line = |line: &str| {
        let mut fields = line.split_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
        (flags & 1 == 1).then(|| IpAddr::from(Ipv6Addr::from(address)))
    };
    table.lines().filter_map(line).collect()
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

    #[test]
    fn addresses_are_read_with_and_without_port() {
        for (text, expected) in [
            ("192.0.2.5", "192.0.2.5:0"),
            ("192.0.2.5:44", "192.0.2.5:44"),
            ("2001:db8::5", "[2001:db8::5]:0"),
            ("[2001:db8::5]", "[2001:db8::5]:0"),
            ("[2001:db8::5]:44", "[2001:db8::5]:44"),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Share(expected.parse().expect("an address"))),
                "{text}"
            );
        }
        for text in ["", "here", "0.0.0.0", "224.0.0.1:5", "1.2.3.4:99999"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn temporary_addresses_are_told_from_lasting_ones() {
        let table = "20010db8000000000000000000000001 02 40 00 80 eth0\n\
                     20010db800000000aaaabbbbccccdddd 02 40 00 01 eth0\n\
                     rubbish\n00000000000000000000000000000001 01 80 10 80 lo\n";
        let expected: IpAddr = "2001:db8::aaaa:bbbb:cccc:dddd".parse().expect("an address");
        assert_eq!(read_temporary(table), [expected]);
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
        let share = Share(SocketAddr::from(([127, 0, 0, 1], 0)));
        assert_eq!(choose(&[share], &[]), Ok(vec![share.0]));
        let none = choose(&[share], &["none-such0".into()]).expect_err("nothing of this name");
        assert!(none.contains("none-such0"), "{none}");
        let loopback = interfaces::list(&[])
            .into_iter()
            .find(|one| one.medium == Medium::Loopback);
        let name = loopback.expect("loopback").name;
        assert!(choose(&[share], std::slice::from_ref(&name)).is_ok());
        let elsewhere = Share(SocketAddr::from(([192, 0, 2, 1], 0)));
        assert!(choose(&[elsewhere], &[name]).is_err());
    }
}
