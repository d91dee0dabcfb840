//! What the program says of routes, in words.

use std::net::{IpAddr, SocketAddr};

use sightline_mesh_proto::interface::Medium;
use sightline_mesh_proto::route::{Approval, Consent, Reason, Route, State};

/// What a state means for media.
#[must_use]
pub const fn state(state: State, theirs: Consent) -> &'static str {
    match (state, theirs) {
        (State::Proposed, _) => "no media goes there: it is not approved",
        (State::Approved, Consent::Asked) => "waiting for the other side's consent",
        (State::Approved | State::Paused, Consent::Denied) => "no media: the other side did not agree",
        (State::Approved | State::Paused, Consent::Withheld) => "no media: the other side's rule allows none",
        (State::Approved, _) => "approved, no media yet",
        (State::Active, _) => "media flows",
        (State::Paused, Consent::Asked) => "paused, waiting for the other side's consent",
        (State::Paused, _) => "media is paused",
        (State::Closed, _) => "closed",
    }
}

/// Why a route took a step.
#[must_use]
pub const fn reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Again => "it is the same route as before an interruption",
        Reason::TooMany => "there were too many different routes to ask you about each",
        Reason::First => "it is the first route to them",
        Reason::RemoteAddress => "the other side's address has changed",
        Reason::RemotePort => "the port of the other side's address has changed",
        Reason::LocalAddress => "your own address has changed",
        Reason::LocalInterface => "your own network interface has changed",
        Reason::Kind => "direct instead of through a member, or the reverse",
        Reason::Carrier => "another member would carry the packets",
        Reason::RemoteInterface => "the other side's network has changed",
        Reason::Rule => "your rule allows it",
        Reason::Agreed => "you agreed",
        Reason::Denied => "you said no",
        Reason::Ready => "both sides are ready",
        Reason::TheyAreAsked => "the other side is being asked",
        Reason::TheyDenied => "the other side, or its rule, said no",
        Reason::TheyAgreed => "the other side agrees",
        Reason::Replaced => "another route replaced it",
        Reason::Lost => "nothing comes from there any more",
        Reason::NoAnswer => "nobody answered there",
        Reason::InterfaceGone => "your own address or network interface is gone",
        Reason::Left => "the call with this member is over",
    }
}

/// What approved a route.
#[must_use]
pub const fn approval(approval: Approval) -> &'static str {
    match approval {
        Approval::Code => "it stands in the code that you accepted",
        Approval::Shared => "the member shares this address",
        Approval::Unchanged => "it has not changed",
        Approval::NewPort => "the same address, with a NEW PORT",
        Approval::Before => "you had approved it before",
        Approval::All => "your rule allows every address",
        Approval::User => "you",
    }
}

/// Over what somebody is connected.
#[must_use]
pub const fn medium(medium: Medium) -> &'static str {
    match medium {
        Medium::Loopback => "this machine only",
        Medium::Cable => "cable",
        Medium::Wifi => "Wi-Fi",
        Medium::Mobile => "mobile network",
        Medium::Vpn => "VPN",
    }
}

/// Where an address leads that does not lead to one machine wherever it is called from; `own` are this machine's.
#[must_use]
pub fn leads(address: SocketAddr, own: &[IpAddr]) -> Option<&'static str> {
    let ip = address.ip();
    let is_link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    if ip.is_loopback() {
        Some("leads to the machine on which the code is used, and no further")
    } else if own.contains(&ip) {
        Some(
            "is this machine's own: it is contacted only if you share it as well, for a program on this machine",
        )
    } else if is_link_local {
        Some("leads to the network that the machine is plugged into, and no further")
    } else {
        None
    }
}

/// A route's two ends.
#[must_use]
pub fn ends(route: &Route) -> String {
    let path = &route.path;
    match &path.interface {
        Some(interface) => format!("{} ({interface}) → {}", path.local, path.remote),
        None => path.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_to_another_machine_on_each_are_told() {
        let own: [IpAddr; 2] = ["172.17.0.1", "127.0.0.1"].map(|text| text.parse().expect("an address"));
        let leads = |text: &str| leads(text.parse().expect("an address"), &own);
        for (text, word) in [
            ("127.0.0.1:1", "machine"),
            ("[::1]:1", "machine"),
            ("172.17.0.1:1", "own"),
            ("169.254.1.1:1", "plugged"),
            ("[fe80::1]:1", "plugged"),
        ] {
            assert!(leads(text).is_some_and(|told| told.contains(word)), "{text}");
        }
        for text in ["192.168.1.5:1", "[2001:db8::1]:1"] {
            assert_eq!(leads(text), None);
        }
    }
}
