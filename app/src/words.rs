//! What the program says of routes, in words.

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
        Reason::Again => "it is the way as it was, after a break",
        Reason::TooMany => "it came by too many different ways to ask you about each",
        Reason::First => "it is the first way there",
        Reason::RemoteAddress => "the other side's address is another",
        Reason::RemotePort => "the port of the other side's address is another",
        Reason::LocalAddress => "your own address is another",
        Reason::LocalInterface => "your own network interface is another",
        Reason::Kind => "straight instead of through a member, or the other way round",
        Reason::Carrier => "another member would carry the packets",
        Reason::FarInterface => "the other side is connected over something else now",
        Reason::Rule => "your rule allows it",
        Reason::Agreed => "you agreed",
        Reason::Denied => "you said no",
        Reason::Ready => "both sides are ready",
        Reason::TheyAreAsked => "the other side is being asked",
        Reason::TheyDenied => "the other side, or its rule, said no",
        Reason::TheyAgreed => "the other side agrees",
        Reason::Replaced => "another way took its place",
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
        Approval::Unchanged => "it is the way as it was",
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

/// A route's two ends.
#[must_use]
pub fn ends(route: &Route) -> String {
    let way = &route.way;
    match &way.interface {
        Some(interface) => format!("{} ({interface}) → {}", way.local, way.remote),
        None => way.to_string(),
    }
}
