use std::net::SocketAddr;
use std::time::Instant;

use proptest::prelude::*;

use super::*;
use crate::connection::ConnId;
use crate::gate::Gate;
use crate::time::Clock;

/// Something that happens to a table.
#[derive(Clone, Debug)]
enum Happening {
    Open {
        peer: u8,
        host: u8,
        port: u16,
        carrier: Option<u8>,
        holder: u64,
    },
    Prove(u64),
    Approve(u64),
    Agree(u64, bool),
    Ask(u64),
    Deny(u64),
    Activate(u64),
    Pause(u64),
    Withhold(u64),
    Consent(u64, Consent),
    Usable(u8),
    Release(u64),
}

fn happening() -> impl Strategy<Value = Happening> {
    let id = 1..12u64;
    let consent = prop_oneof![Just(Consent::Given), Just(Consent::Asked), Just(Consent::Denied)];
    prop_oneof![
        4 => (0..3u8, 0..3u8, 1..3u16, prop::option::of(0..3u8), 0..6u64).prop_map(
            |(peer, host, port, carrier, holder)| Happening::Open { peer, host, port, carrier, holder }
        ),
        1 => id.clone().prop_map(Happening::Prove),
        2 => id.clone().prop_map(Happening::Approve),
        3 => (id.clone(), any::<bool>()).prop_map(|(id, user)| Happening::Agree(id, user)),
        2 => id.clone().prop_map(Happening::Ask),
        1 => id.clone().prop_map(Happening::Deny),
        4 => id.clone().prop_map(Happening::Activate),
        1 => id.clone().prop_map(Happening::Pause),
        1 => id.clone().prop_map(Happening::Withhold),
        1 => (id, consent).prop_map(|(id, consent)| Happening::Consent(id, consent)),
        1 => (0..4u8).prop_map(Happening::Usable),
        1 => (0..6u64).prop_map(Happening::Release),
    ]
}

fn local(last: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, last], 5))
}

fn apply(table: &mut Table, happening: &Happening, peers: &[PeerId]) {
    let at = Duration::ZERO;
    match *happening {
        Happening::Open {
            peer,
            host,
            port,
            carrier,
            holder,
        } => {
            let path = Path {
                kind: carrier.map_or(PathKind::Direct, |by| PathKind::Carried(peers[usize::from(by)])),
                local: local(host % 2),
                interface: None,
                remote: SocketAddr::from(([192, 0, 2, host], port)),
                remote_medium: None,
            };
            table.open(
                Some(peers[usize::from(peer)]),
                &path,
                Holder::Link(ConnId(holder)),
                at,
            );
        }
        Happening::Prove(id) => table.prove(RouteId(id)),
        Happening::Approve(id) => table.approve(RouteId(id), Approval::Code, at),
        Happening::Agree(id, user) => {
            let by = if user { Approval::User } else { Approval::Shared };
            table.agree(RouteId(id), by, at);
        }
        Happening::Ask(id) => {
            table.ask(RouteId(id), None, Reason::RemoteAddress, false, at);
        }
        Happening::Deny(id) => table.deny(RouteId(id), at),
        Happening::Activate(id) => {
            table.activate(RouteId(id), Reason::Ready, at);
        }
        Happening::Withhold(id) => table.withhold(RouteId(id), at),
        Happening::Pause(id) => table.pause(RouteId(id), Reason::Replaced, at),
        Happening::Consent(id, theirs) => table.handle_consent(RouteId(id), theirs, at),
        Happening::Usable(locals) => {
            table.set_usable(
                |path| (0..2).any(|bit| locals >> bit & 1 == 1 && path.local == local(bit)),
                at,
            );
        }
        Happening::Release(holder) => table.release(Holder::Link(ConnId(holder)), Reason::Lost, at),
    }
}

proptest! {
    #[test]
    fn the_gate_is_open_for_the_approved_routes_and_media_only_with_everybodys_consent(
        happenings in prop::collection::vec(happening(), 1..120)
    ) {
        let peers = [PeerId::random(), PeerId::random(), PeerId::random()];
        let start = Instant::now();
        let mut gate = Gate::new(Clock { start });
        let mut table = Table::default();
        let mut seen: BTreeMap<RouteId, State> = BTreeMap::new();
        let mut asked = BTreeSet::new();
        for happening in &happenings {
            apply(&mut table, happening, &peers);
            while let Some(said) = table.poll_event() {
                match said {
                    TableEvent::Gate(change) => gate.handle_change(change),
                    TableEvent::Step(step) => {
                        // Each step starts where the last one ended, and none leads back to "proposed".
                        prop_assert_eq!(seen.insert(step.route.id, step.route.state), step.old);
                        if let Some(old) = step.old {
                            prop_assert!(old != State::Closed);
                            prop_assert!(step.route.state != State::Proposed || old == State::Proposed);
                        }
                        if step.route.state == State::Active {
                            prop_assert!(step.route.approved_by.is_some());
                            prop_assert_eq!(step.route.theirs, Consent::Given);
                        }
                    }
                    TableEvent::Asked(question) => prop_assert!(asked.insert(question.id)),
                    TableEvent::Answered(question, _) => prop_assert!(asked.remove(&question)),
                }
            }
            let approved: BTreeSet<_> = gate.approved().collect();
            prop_assert_eq!(&approved, &table.open_pairs().collect());
            for entry in table.entries.values() {
                let route = &entry.route;
                if route.state == State::Active {
                    prop_assert!(entry.consented && entry.question.is_none() && !entry.cut);
                    prop_assert!(approved.contains(&pair(&route.path)));
                }
                prop_assert!(!entry.holders.is_empty());
            }
        }
    }
}

#[test]
fn a_denied_address_is_refused_whatever_its_port() {
    let mut table = Table::default();
    let peer = Some(PeerId::random());
    let path = |port| Path {
        kind: PathKind::Direct,
        local: local(1),
        interface: None,
        remote: SocketAddr::from(([192, 0, 2, 1], port)),
        remote_medium: None,
    };
    let id = table.open(peer, &path(1), Holder::Link(ConnId(1)), Duration::ZERO);
    assert!(table.ask(id, None, Reason::First, false, Duration::ZERO));
    table.deny(id, Duration::ZERO);
    assert!(!table.activate(id, Reason::Ready, Duration::ZERO));
    table.release(Holder::Link(ConnId(1)), Reason::Denied, Duration::ZERO);
    assert!(table.get(id).is_none());
    assert!(table.is_refused(peer, &path(2)));
    let other = Some(PeerId::random());
    assert!(!table.is_refused(other, &path(2)));
    // A member that has itself refused everywhere costs nobody else anything.
    for last in 0..=255 {
        let remote = SocketAddr::from(([198, 51, 100, last], 1));
        let id = table.open(
            peer,
            &Path { remote, ..path(1) },
            Holder::Link(ConnId(2)),
            Duration::ZERO,
        );
        table.handle_consent(id, Consent::Denied, Duration::ZERO);
    }
    assert_eq!(table.refused[&peer].len(), MAX_REFUSED);
    assert!(!table.is_refused(other, &path(2)));
}
