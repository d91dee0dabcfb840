//! What the call knows, as the window's model has it.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use libp2p_identity::PeerId;
use sightline_mesh::interfaces;
use sightline_mesh_proto::interface::{Interface, Medium};
use sightline_mesh_proto::route::{self, PathKind, Rule};
use sightline_mesh_proto::{End, UnixTime, Unreached};
use sightline_ui::model::{self, PersonId, RouteState, Saying};

use crate::zone::{self, Zone};

/// Names of those who were seen.
pub type Names = HashMap<PeerId, String>;

/// A peer as the window names it.
pub fn person(peer: &PeerId) -> PersonId {
    PersonId(Arc::from(peer.to_string()))
}

pub const fn state(state: route::State) -> RouteState {
    match state {
        route::State::Proposed => RouteState::Proposed,
        route::State::Approved => RouteState::Approved,
        route::State::Active => RouteState::Active,
        route::State::Paused => RouteState::Paused,
        route::State::Closed => RouteState::Closed,
    }
}

pub const fn rule(rule: model::Rule) -> Rule {
    match rule {
        model::Rule::Ask => Rule::Ask,
        model::Rule::Listed => Rule::Listed,
        model::Rule::Same => Rule::Same,
        model::Rule::All => Rule::All,
        model::Rule::None => Rule::None,
    }
}

/// The next rule that asks less.
pub const fn wider(rule: model::Rule) -> Option<model::Rule> {
    match rule {
        model::Rule::Ask => Some(model::Rule::Listed),
        model::Rule::Listed => Some(model::Rule::Same),
        model::Rule::Same => Some(model::Rule::All),
        model::Rule::All | model::Rule::None => None,
    }
}

pub fn path(path: &route::Path, names: &Names, interfaces: &[Interface]) -> model::Path {
    let medium = medium_of(path.local.ip(), path.interface.as_deref(), interfaces);
    model::Path {
        via: match path.kind {
            PathKind::Direct => None,
            PathKind::Carried(by) => Some(names.get(&by).cloned().unwrap_or_default()),
        },
        local: path.local,
        interface: path.interface.clone(),
        medium: medium.map(Medium::word),
        remote: path.remote,
        remote_medium: path.remote_medium.map(Medium::word),
    }
}

/// What an interface is, if it is there.
fn medium_of(address: IpAddr, name: Option<&str>, interfaces: &[Interface]) -> Option<Medium> {
    let is_it = |one: &&Interface| one.address == address && name.is_none_or(|name| one.name == name);
    interfaces.iter().find(is_it).map(|one| one.medium)
}

pub fn route(step: &route::Transition, names: &Names, interfaces: &[Interface]) -> model::Route {
    let route = &step.route;
    model::Route {
        path: path(&route.path, names, interfaces),
        state: state(route.state),
        approved_by: route.approved_by.map(route::Approval::word),
        theirs: route.theirs.word(),
        reason: step.reason.word(),
    }
}

pub fn step(
    step: &route::Transition,
    names: &Names,
    interfaces: &[Interface],
    (started, zone): (UnixTime, Zone),
) -> model::Step {
    let name = |peer| names.get(&peer).cloned().unwrap_or_default();
    model::Step {
        at: step.at,
        time: zone::time_of_day(started.after(step.at), zone),
        name: step.route.peer.map(name),
        route: route(step, names, interfaces),
    }
}

/// Why a call is over, for the window. The code that led to it may be `over` by this machine's clock, which says that.
pub fn ended(end: Option<End>, over: Option<String>) -> model::Ended {
    let word = match end {
        Some(End::Left) => "ended",
        Some(End::Unreachable(Unreached::Silence)) if over.is_some() => "unreachable_over",
        Some(End::Unreachable(why)) => why.word(),
        Some(End::Impostor) => "impostor",
        Some(End::InviterGone) => "inviter_gone",
        Some(End::LineLost) => "line_lost",
        Some(End::Refused(sightline_mesh_proto::wire::Refusal::Declined)) => "declined",
        Some(End::Refused(why)) => why.word(),
        None => "fault",
    };
    model::Ended {
        saying: Saying::new(word, over.unwrap_or_default()),
        as_wished: end == Some(End::Left),
    }
}

/// This machine's addresses, as they can be shared.
pub fn addresses(only: &[String]) -> Vec<model::Address> {
    let offer = |offer: crate::share::Offer| model::Address {
        address: SocketAddr::new(offer.interface.address, 0),
        interface: offer.interface.name,
        medium: offer.interface.medium.word(),
        is_public: offer.is_public,
        is_lasting: offer.is_lasting,
    };
    crate::share::offers(&interfaces::list(only))
        .into_iter()
        .map(offer)
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sightline_mesh_proto::route::{Consent, Path, Reason, Route, RouteId, State, Transition};

    use super::*;

    #[test]
    fn steps_of_routes_are_shown_at_the_time_that_the_clock_on_the_wall_had() {
        // 2026-10-25, 00:59:58 UTC: two seconds before clocks in Berlin go back from three to two.
        let started = UnixTime(1_792_889_998);
        let berlin: Zone = |at| Some(if at.0 < 1_792_890_000 { 7200 } else { 3600 });
        let unknown: Zone = |_| None;
        let address = SocketAddr::from(([10, 0, 0, 1], 5));
        let shown = |at: u64, zone: Zone| {
            let transition = Transition {
                at: Duration::from_secs(at),
                old: None,
                route: Route {
                    id: RouteId(7),
                    peer: None,
                    path: Path {
                        kind: PathKind::Direct,
                        local: address,
                        interface: None,
                        remote: address,
                        remote_medium: None,
                    },
                    state: State::Proposed,
                    approved_by: None,
                    theirs: Consent::Given,
                },
                reason: Reason::First,
            };
            step(&transition, &Names::new(), &[], (started, zone)).time
        };
        assert_eq!([1, 2].map(|at| shown(at, berlin)), ["02:59:59", "02:00:00"]);
        assert_eq!(shown(2, unknown), "01:00:00 UTC");
    }
}
