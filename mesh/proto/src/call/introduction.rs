//! Introductions: a member that both sides know gives them a secret, and one of them dials; a little later the other as
//! well, unless they are connected by then: a firewall may let only one of them in.

use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::dial::Target;
use super::{Call, Event, Problem};
use crate::gate::Change;
use crate::link::ConnId;
use crate::roster::{Entries, Joined, Roster};
use crate::route::{Rule, Verdict};
use crate::secret::Secret;
use crate::wire::{Control, Peer};

/// 30 s: how long an introduced member may take to arrive.
const EXPECTATION_LIFETIME: Duration = Duration::from_secs(30);

/// 5 s: the time before the same two are introduced again.
const AGAIN: Duration = Duration::from_secs(5);

/// 250 ms, and two round trips to the introducer: when the one that was to be dialled dials as well, should nobody have come
/// (RFC 8305's recommended delay between two attempts; the word to the other side and its first packet take a round trip
/// and a half).
const SECOND_DELAY: Duration = Duration::from_millis(250);

/// Introductions by one member that wait for somebody's arrival at once: a newcomer gets as many as there are others.
const MAX_EXPECTATIONS_EACH: usize = 16;

/// Why a member may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This member introduced it.
    Introduced(PeerId),
    /// It was linked with us by this link, and may come back.
    Reconnect(ConnId),
}

/// A member that may come in, with this secret.
pub struct Expectation {
    pub peer: PeerId,
    pub origin: Origin,
    pub secret: Secret,
    since: Instant,
}

/// We are bringing two members together.
pub struct Introduction {
    secret: Secret,
    since: Instant,
    /// The dialler has been told: who says "ready" again changes nothing.
    is_passed_on: bool,
}

impl Call {
    /// Brings two members together: `waiter` is told first, so that it expects `dialler` before the first
    /// packet comes.
    pub(super) fn introduce(&mut self, dialler: PeerId, waiter: PeerId, now: Instant) {
        let recent = |introduction: &Introduction| now < introduction.since + AGAIN;
        if self.introductions.get(&(dialler, waiter)).is_some_and(recent)
            || self.introductions.get(&(waiter, dialler)).is_some_and(recent)
        {
            return;
        }
        let secret = Secret::generate(&mut self.rng);
        let entry = self
            .roster
            .as_ref()
            .and_then(|roster| roster.get(&dialler))
            .cloned();
        let (Some(entry), Some(conn)) = (entry, self.link_of(&waiter)) else {
            return;
        };
        let message = Control::Introduce {
            entry,
            secret: secret.0.into(),
            dial: false,
        };
        self.introductions.insert(
            (dialler, waiter),
            Introduction {
                secret,
                since: now,
                is_passed_on: false,
            },
        );
        self.send(conn, &message, now);
    }

    /// The waiter is ready: now the other side may dial.
    pub(super) fn handle_ready(&mut self, conn: ConnId, dialler: &Peer, now: Instant) {
        let Some(waiter) = self.links.get(&conn).map(|link| link.peer) else {
            return;
        };
        let Some(dialler) = dialler.id() else {
            return self.fail(conn, Problem::Malformed);
        };
        let waiting = self.introductions.get_mut(&(dialler, waiter));
        let Some(introduction) = waiting.filter(|introduction| !introduction.is_passed_on) else {
            return;
        };
        introduction.is_passed_on = true;
        let secret = introduction.secret.0.into();
        let entry = self
            .roster
            .as_ref()
            .and_then(|roster| roster.get(&waiter))
            .cloned();
        if let (Some(entry), Some(to)) = (entry, self.link_of(&dialler)) {
            self.send(
                to,
                &Control::Introduce {
                    entry,
                    secret,
                    dial: true,
                },
                now,
            );
        }
    }

    pub(super) fn handle_introduce(
        &mut self,
        conn: ConnId,
        entry: Joined,
        secret: Secret,
        dial: bool,
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        let introducer = link.peer;
        if !link.introductions.take(now) {
            return;
        }
        let Some(peer) = entry.card.verify() else {
            return self.fail(conn, Problem::Roster);
        };
        if peer == self.me {
            return;
        }
        let joined = vec![entry];
        self.take_entries(
            conn,
            Entries {
                joined,
                ..Entries::default()
            },
            now,
        );
        let roster = self.roster.as_ref().filter(|roster| roster.is_present(&peer));
        let known = roster.and_then(|roster| roster.get(&peer));
        let (Some(_), None) = (known, self.link_of(&peer)) else {
            return;
        };
        // The roster's own entries count: everybody sees the same addresses.
        let addresses = self.addresses_of(&peer);
        let pairs = self.pairs(Some(peer), &addresses);
        let verdicts: Vec<_> = pairs
            .into_iter()
            .map(|(local, remote)| self.judge(peer, &self.path(local, remote)))
            .collect();
        let (target, origin) = (Target::Member(peer, introducer), Origin::Introduced(introducer));
        if dial {
            // A firewall may keep us out there, and it in. Who has to be asked first answers nobody before.
            if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Go(_))) {
                self.expect(peer, origin, secret.clone(), now);
            }
            if !self.refresh_dials(target, &secret, true) {
                self.dial(target, secret, &addresses, now);
            }
            return;
        }
        if self.rule == Rule::None && verdicts.iter().all(|verdict| *verdict == Verdict::No) {
            return self.event(Event::Problem(Problem::NotApproved, Some(peer)));
        }
        self.expect(peer, origin, secret.clone(), now);
        self.send(conn, &Control::Ready(peer.into()), now);
        if !self.refresh_dials(target, &secret, false) {
            let round_trip = self.links.get(&conn).and_then(|link| link.meter.rtt());
            let at = now + SECOND_DELAY + 2 * round_trip.unwrap_or_default();
            self.dial_second(target, secret, &addresses, at, now);
        }
    }

    /// Expects `peer` to connect with `secret`. A newer expectation of the same origin and peer replaces the older one; an
    /// origin that has too many loses its oldest.
    pub(super) fn expect(&mut self, peer: PeerId, origin: Origin, secret: Secret, now: Instant) {
        let of_origin = self.expectations.iter().filter(|(_, old)| old.origin == origin);
        let same = of_origin.clone().find(|(_, old)| old.peer == peer);
        let replaced = match same {
            Some((id, _)) => Some(*id),
            None if of_origin.clone().count() >= MAX_EXPECTATIONS_EACH => {
                of_origin.min_by_key(|(_, old)| old.since).map(|(id, _)| *id)
            }
            None => None,
        };
        if let Some(id) = replaced {
            self.expectations.remove(&id);
            self.change_gate(Change::Forget(id));
        }
        let sponsor = match origin {
            Origin::Introduced(by) => by,
            Origin::Reconnect(_) => peer,
        };
        let id = self.new_expectation(&secret, &peer, sponsor);
        let expectation = Expectation {
            peer,
            origin,
            secret,
            since: now,
        };
        self.expectations.insert(id, expectation);
    }

    pub(super) fn forget_expectations(&mut self, now: Instant) {
        self.drop_expectations(|expectation| match expectation.origin {
            Origin::Introduced(_) => now >= expectation.since + EXPECTATION_LIFETIME,
            // Until it says that it leaves: so many for each member of the roster at most.
            Origin::Reconnect(_) => false,
        });
        self.introductions
            .retain(|_, introduction| now < introduction.since + AGAIN);
    }

    /// A member may not come in any more by an origin for which `is_over` holds.
    pub(super) fn forget_expectations_of(&mut self, peer: &PeerId, is_over: impl Fn(&Origin) -> bool) {
        self.drop_expectations(|expectation| expectation.peer == *peer && is_over(&expectation.origin));
    }

    /// Of the secrets with which a member may come back only the newest count.
    pub(super) fn forget_older_reconnects(&mut self, peer: &PeerId, kept: usize) {
        let of_peer = self.expectations.iter().filter(|(_, expectation)| {
            expectation.peer == *peer && matches!(expectation.origin, Origin::Reconnect(_))
        });
        let mut newest: Vec<_> = of_peer
            .map(|(id, expectation)| (expectation.since, *id))
            .collect();
        newest.sort();
        let over = newest.len().saturating_sub(kept);
        for (_, id) in newest.into_iter().take(over) {
            self.expectations.remove(&id);
            self.change_gate(Change::Forget(id));
        }
    }

    fn drop_expectations(&mut self, is_over: impl Fn(&Expectation) -> bool) {
        let over = self
            .expectations
            .extract_if(.., |_, expectation| is_over(expectation));
        for id in over.map(|(id, _)| id).collect::<Vec<_>>() {
            self.change_gate(Change::Forget(id));
        }
    }

    /// Two members that both have a link with us but none with each other are introduced (again), by the
    /// smallest id among those who could.
    pub(super) fn mend_holes(&mut self, now: Instant) {
        let Some(roster) = &self.roster else { return };
        let linked: Vec<PeerId> = self
            .linked()
            .into_iter()
            .filter(|peer| {
                self.members
                    .get(peer)
                    .is_some_and(|member| member.is_settled(now))
            })
            .collect();
        let mut holes = Vec::new();
        for (at, one) in linked.iter().enumerate() {
            for other in &linked[at + 1..] {
                if self.see_each_other(*one, *other) || !is_hole_ours(self, roster, *one, *other) {
                    continue;
                }
                holes.push((*one, *other));
            }
        }
        for (one, other) in holes {
            self.introduce(one, other, now);
        }
    }

    fn see_each_other(&self, one: PeerId, other: PeerId) -> bool {
        let sees = |a: &PeerId, b: &PeerId| self.members.get(a).is_some_and(|m| m.says_linked(b));
        sees(&one, &other) && sees(&other, &one)
    }
}

fn is_hole_ours(call: &Call, roster: &Roster, one: PeerId, other: PeerId) -> bool {
    let could = |peer: &PeerId| {
        call.members
            .get(peer)
            .is_some_and(|member| member.says_linked(&one) && member.says_linked(&other))
    };
    !roster
        .present()
        .any(|peer| peer < call.me && peer != one && peer != other && could(&peer))
}
