//! What the call knows, as the window's model has it.

use std::net::{IpAddr, SocketAddr};

use sightline_mesh::interfaces;
use sightline_mesh_proto::UnixTime;
use sightline_mesh_proto::interface::{Interface, Medium};
use sightline_mesh_proto::route::{self, PathKind, Rule};
use sightline_ui::model::{self, RouteState};

use super::Registry;
use crate::zone::{self, Zone};

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

pub fn path(path: &route::Path, registry: &Registry, interfaces: &[Interface]) -> model::Path {
    let medium = medium_of(path.local.ip(), path.interface.as_deref(), interfaces);
    model::Path {
        via: match path.kind {
            PathKind::Direct => None,
            PathKind::Carried(by) => Some(registry.name(&by).to_owned()),
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

pub fn route(step: &route::Transition, registry: &Registry, interfaces: &[Interface]) -> model::Route {
    let route = &step.route;
    model::Route {
        path: path(&route.path, registry, interfaces),
        state: state(route.state),
        approved_by: route.approved_by.map(route::Approval::word),
        theirs: route.theirs.word(),
        reason: step.reason.word(),
    }
}

/// A step of a route, which is so after it.
pub fn step(
    step: &route::Transition,
    registry: &Registry,
    route: model::Route,
    (started, zone): (UnixTime, Zone),
) -> model::Step {
    model::Step {
        at: step.at,
        time: zone::time_of_day(started.after(step.at), zone),
        name: step.route.peer.map(|peer| registry.name(&peer).to_owned()),
        route,
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
            let registry = Registry::default();
            let shown = route(&transition, &registry, &[]);
            step(&transition, &registry, shown, (started, zone)).time
        };
        assert_eq!([1, 2].map(|at| shown(at, berlin)), ["02:59:59", "02:00:00"]);
        assert_eq!(shown(2, unknown), "01:00:00 UTC");
    }
}
