//! This machine's network interfaces: which are up, what they are, and when one of them changes.

use std::path::Path;
use std::time::Duration;

use futures::StreamExt;
use if_watch::tokio::IfWatcher;
use sightline_mesh_proto::interface::{Interface, Medium};
use tokio::time::{Interval, MissedTickBehavior};

/// 250 ms: how often the list is read again. Addresses that come and go are told at once; a cable that is pulled
/// out, or an interface that is shut down with its addresses on it, is not.
const LOOK: Duration = Duration::from_millis(250);

/// The interfaces that are up, by name and address; with `only`, those of these names.
#[must_use]
pub fn list(only: &[String]) -> Vec<Interface> {
    // Without a list nothing is known to be there, so nothing is used.
    let found = if_addrs::get_if_addrs().unwrap_or_default();
    let mut interfaces: Vec<_> = found
        .into_iter()
        .filter(if_addrs::Interface::is_oper_up)
        .filter(|interface| only.is_empty() || only.contains(&interface.name))
        .map(|interface| Interface {
            medium: medium(&interface.name, interface.is_p2p, interface.is_loopback()),
            address: interface.ip(),
            index: interface.index.unwrap_or_default(),
            name: interface.name,
        })
        .collect();
    interfaces.sort_by_key(|interface| (is_for_guests(&interface.name), interface.clone()));
    interfaces
}

/// Whether an interface leads, by its customary name, to containers and virtual machines on this machine only.
fn is_for_guests(name: &str) -> bool {
    ["docker", "br-", "virbr", "vboxnet", "vmnet", "lxc", "cni"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

/// What an interface is, by what the operating system says of it or by its customary name.
fn medium(name: &str, is_point_to_point: bool, is_loopback: bool) -> Medium {
    let has_prefix = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    let folder = Path::new("/sys/class/net").join(name);
    if is_loopback {
        Medium::Loopback
    } else if folder.join("wireless").exists() || folder.join("phy80211").exists() || has_prefix(&["wl"]) {
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
    look: Interval,
    last: Vec<Interface>,
}

impl Watcher {
    /// Must be made within the runtime.
    pub fn start(only: Vec<String>) -> Self {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            last: list(&only),
            only,
            // Without it changes are seen a quarter of a second later.
            events: IfWatcher::new().ok(),
            look,
        }
    }

    /// The list as it was seen last.
    pub fn interfaces(&self) -> &[Interface] {
        &self.last
    }

    /// Waits for the next change. Returns the whole list after it.
    pub async fn next_change(&mut self) -> Vec<Interface> {
        loop {
            let event = async {
                match &mut self.events {
                    Some(events) => events.select_next_some().await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                works = event => if !works {
                    self.events = None;
                },
                _ = self.look.tick() => {}
            }
            let now = list(&self.only);
            if now != self.last {
                self.last.clone_from(&now);
                return now;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn loopback_is_there_and_named() {
        let all = list(&[]);
        let localhost = IpAddr::from([127, 0, 0, 1]);
        let found = all
            .iter()
            .find(|interface| interface.address == localhost)
            .expect("loopback");
        assert_eq!(found.medium, Medium::Loopback);
        assert_eq!(
            list(std::slice::from_ref(&found.name))
                .iter()
                .filter(|one| one.name != found.name)
                .count(),
            0
        );
        assert!(list(&["none of this name".into()]).is_empty());
    }

    #[test]
    fn tunnels_and_radios_are_told_by_their_names() {
        let kinds = ["wg0", "tun3", "wlan0", "wwan0", "eth0"].map(|name| medium(name, false, false));
        assert_eq!(
            kinds,
            [
                Medium::Vpn,
                Medium::Vpn,
                Medium::Wifi,
                Medium::Mobile,
                Medium::Cable
            ]
        );
    }
}
