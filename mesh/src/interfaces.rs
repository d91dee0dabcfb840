//! This machine's network interfaces: which are up, what they are, and when one of them changes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use if_watch::tokio::IfWatcher;
use sightline_mesh_proto::interface::{Interface, Medium};
use tokio::time::Instant;

/// 250 ms: how often the list is read again. Addresses that come and go are told; a cable that is pulled out, or an
/// interface that is shut down with its addresses on it, is not.
const LOOK: Duration = Duration::from_millis(250);

/// 100 ms: when addresses are told to come or go, the list is read this long after it was read last, once for all of
/// them. Some machines have hundreds, and some interfaces never come to rest.
const GATHER: Duration = Duration::from_millis(100);

/// Flags of an IPv6 address on Linux (`if_addr.h`): made to be thrown away (RFC 8981); usable although it is not sure
/// yet that nobody else has it (RFC 4429); somebody else has it; that is being found out (RFC 4862, section 5.4).
const TEMPORARY: u32 = 0x01;
const OPTIMISTIC: u32 = 0x04;
const DAD_FAILED: u32 = 0x08;
const TENTATIVE: u32 = 0x40;

/// Whether an address of this machine can be used just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressState {
    /// It can.
    Up,
    /// The system is still making sure that nobody else has it.
    Tentative,
    /// Its interface is down, or nothing is plugged in.
    Down,
    /// Another machine in its network has it: the system does not let it be used.
    Duplicate,
}

/// An address of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// It, and the interface that has it.
    pub interface: Interface,
    /// Whether it can be used just now.
    pub state: AddressState,
}

/// Every address of this machine, whether it can be used or not.
#[must_use]
pub fn all() -> Vec<Found> {
    // Without a list nothing is known to be there, so nothing is used.
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let flags: HashMap<_, _> = ipv6_flags()
        .into_iter()
        .map(|(address, index, flags)| ((IpAddr::V6(address), index), flags))
        .collect();
    // An interface may have hundreds of addresses.
    let mut radios: HashMap<String, bool> = HashMap::new();
    let found = found.into_iter().map(|found| {
        // 0 is none: no socket can be kept to it.
        let index = found.index.unwrap_or_default();
        let name = own_name(&found.name).to_owned();
        let is_radio = match radios.get(&name) {
            Some(is_radio) => *is_radio,
            None => *radios.entry(name.clone()).or_insert(is_radio(&name)),
        };
        let flags = flags.get(&(found.ip(), index)).copied().unwrap_or_default();
        Found {
            state: state(found.is_oper_up(), flags),
            interface: Interface {
                medium: medium(&name, found.is_p2p, found.is_loopback(), is_radio),
                address: found.ip(),
                index,
                name,
            },
        }
    });
    found.collect()
}

/// The name of an interface, of what the system tells with an address of it. Linux tells an IPv4 address's label, such as
/// `eth0:1`, and no interface there has a colon in its name.
fn own_name(told: &str) -> &str {
    let is_label = cfg!(any(target_os = "linux", target_os = "android"));
    told.split_once(':')
        .filter(|_| is_label)
        .map_or(told, |(name, _)| name)
}

/// The addresses that can be used, with their interfaces; with `only`, those of interfaces of these names.
#[must_use]
pub fn list(only: &[String]) -> Vec<Interface> {
    usable(&all(), only)
}

/// Whether an address can be used, on an interface in `only` (any, when it is empty); `None` when none of them has
/// it. Every address of 127.0.0.0/8 is there, though only one is listed.
#[must_use]
pub fn state_of(address: &SocketAddr, found: &[Found], only: &[String]) -> Option<AddressState> {
    let have = found
        .iter()
        .filter(|found| is_allowed(found, only) && found.interface.has(address));
    let best = have.map(|found| found.state).min();
    best.or_else(|| address.ip().is_loopback().then_some(AddressState::Up))
}

/// IPv6 addresses that were made to be thrown away (RFC 8981), as Linux tells them; none elsewhere.
#[must_use]
pub fn temporary_addresses() -> Vec<IpAddr> {
    temporary(ipv6_flags())
}

fn temporary(flags: Vec<(Ipv6Addr, u32, u32)>) -> Vec<IpAddr> {
    let temporary = flags.into_iter().filter(|(_, _, flags)| flags & TEMPORARY != 0);
    temporary.map(|(address, ..)| address.into()).collect()
}

fn usable(found: &[Found], only: &[String]) -> Vec<Interface> {
    let usable = found
        .iter()
        .filter(|found| found.state == AddressState::Up && is_allowed(found, only));
    let mut usable: Vec<_> = usable.map(|found| found.interface.clone()).collect();
    usable.sort_by_key(|interface| (is_for_guests(&interface.name), interface.clone()));
    usable
}

fn is_allowed(found: &Found, only: &[String]) -> bool {
    only.is_empty() || only.contains(&found.interface.name)
}

const fn state(is_up: bool, flags: u32) -> AddressState {
    if flags & DAD_FAILED != 0 {
        AddressState::Duplicate
    } else if !is_up {
        AddressState::Down
    } else if flags & TENTATIVE != 0 && flags & OPTIMISTIC == 0 {
        AddressState::Tentative
    } else {
        AddressState::Up
    }
}

/// IPv6 addresses with the number of their interface and their flags, as Linux tells them; none elsewhere.
fn ipv6_flags() -> Vec<(Ipv6Addr, u32, u32)> {
    read_flags(&std::fs::read_to_string("/proc/net/if_inet6").unwrap_or_default())
}

/// Lines of `/proc/net/if_inet6`: address, index, length of prefix, scope, flags, name.
fn read_flags(table: &str) -> Vec<(Ipv6Addr, u32, u32)> {
    let line = |line: &str| {
        let mut fields = line.split_whitespace();
        let address = u128::from_str_radix(fields.next()?, 16).ok()?;
        let index = u32::from_str_radix(fields.next()?, 16).ok()?;
        let flags = u32::from_str_radix(fields.nth(2)?, 16).ok()?;
        Some((Ipv6Addr::from(address), index, flags))
    };
    table.lines().filter_map(line).collect()
}

/// Whether an interface leads, by its customary name, to containers and virtual machines on this machine only.
fn is_for_guests(name: &str) -> bool {
    ["docker", "br-", "virbr", "vboxnet", "vmnet", "lxc", "cni"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// Whether an interface is a radio, by what Linux says of it.
fn is_radio(name: &str) -> bool {
    let folder = Path::new("/sys/class/net").join(name);
    folder.join("wireless").exists() || folder.join("phy80211").exists()
}

/// What an interface is, by what the operating system says of it or by its customary name.
fn medium(name: &str, is_point_to_point: bool, is_loopback: bool, is_radio: bool) -> Medium {
    let has_prefix = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    if is_loopback {
        Medium::Loopback
    } else if is_radio || has_prefix(&["wl"]) {
        Medium::Wifi
    } else if has_prefix(&["wwan", "rmnet", "pdp_ip"]) {
        Medium::Mobile
    } else if is_point_to_point || has_prefix(&["wg", "tun", "tap", "utun", "ppp"]) {
        Medium::Vpn
    } else {
        Medium::Cable
    }
}

/// Tells when the list has changed.
pub struct Watcher {
    only: Vec<String>,
    events: Option<IfWatcher>,
    looks: Looks,
    found: Vec<Found>,
    usable: Vec<Interface>,
}

/// When the list is read.
#[derive(Debug)]
struct Looks {
    last: Instant,
    /// An address has come or gone since.
    has_news: bool,
}

impl Looks {
    const fn begin(now: Instant) -> Self {
        Self {
            last: now,
            has_news: false,
        }
    }

    fn due(&self) -> Instant {
        self.last + if self.has_news { GATHER } else { LOOK }
    }
}

impl Watcher {
    /// Must be made within the runtime.
    pub fn start(only: Vec<String>) -> Self {
        let found = all();
        Self {
            usable: usable(&found, &only),
            found,
            only,
            // Without it changes are seen a quarter of a second later.
            events: IfWatcher::new().ok(),
            looks: Looks::begin(Instant::now()),
        }
    }

    /// The list as it was read last.
    pub fn interfaces(&self) -> &[Interface] {
        &self.usable
    }

    /// Every address that this machine had then, whether it may be used or not.
    pub fn own_addresses(&self) -> Vec<IpAddr> {
        self.found.iter().map(|found| found.interface.address).collect()
    }

    /// Whether an address could be used then, on an interface that may be; `None` when none of those had it.
    pub fn state_of(&self, address: &SocketAddr) -> Option<AddressState> {
        state_of(address, &self.found, &self.only)
    }

    /// Waits for the next change. Nothing is lost when it is not waited for to the end.
    pub async fn next_change(&mut self) {
        loop {
            let due = self.looks.due();
            let event = async {
                match &mut self.events {
                    Some(events) => events.select_next_some().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = tokio::time::sleep_until(due) => if self.look() {
                    return;
                },
                works = event => {
                    self.looks.has_news = true;
                    if !works {
                        self.events = None;
                    }
                }
            }
        }
    }

    /// Reads the list. Returns whether it is another one.
    fn look(&mut self) -> bool {
        let found = all();
        self.looks = Looks::begin(Instant::now());
        let has_changed = found != self.found;
        if has_changed {
            self.usable = usable(&found, &self.only);
            self.found = found;
        }
        has_changed
    }
}

#[cfg(test)]
mod tests;
