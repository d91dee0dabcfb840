//! Introductions: a member that both sides know gives them a secret, and one of them dials; a little later the other as
//! well, unless they are connected by then: a firewall may let only one of them in.

use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Problem};
use crate::connection::ConnId;
use crate::dials::Target;
use crate::expected::{self, Origin};
use crate::gate::{Change, Sponsor};
use crate::roster::{Entries, Joined, Roster};
use crate::route::{Rule, Verdict};
use crate::secret::Secret;
use crate::tag::ExpectId;
use crate::wire::{Control, Peer};

/// 250 ms, and two round trips to the introducer: when the one that was to be dialled dials as well, should nobody have come
/// (RFC 8305's recommended delay between two attempts; the word to the other side and its first packet take a round trip
/// and a half).
const SECOND_DELAY: Duration = Duration::from_millis(250);

impl Call {
    /// Brings two members together: `waiter` is told first, so that it expects `dialler` before the first
    /// packet comes.
    pub(super) fn introduce(&mut self, dialler: PeerId, waiter: PeerId, now: Instant) {
        if self.introductions.is_recent(dialler, waiter, now) {
            return;
        }
        let secret = Secret::generate(&mut self.rng);
        let entry = self
            .roster
            .as_ref()
            .and_then(|roster| roster.get(&dialler))
            .cloned();
        let (Some(entry), Some(conn)) = (entry, self.members.link_of(&waiter)) else {
            return;
        };
        let message = Control::Introduce {
            entry,
            secret: secret.0.into(),
            dial: false,
        };
        self.introductions.begin(dialler, waiter, secret, now);
        self.send(conn, &message, now);
    }

    /// The waiter is ready: now the other side may dial.
    pub(super) fn handle_ready(&mut self, conn: ConnId, dialler: &Peer, now: Instant) {
        let Some(waiter) = self.connections.get(&conn).map(|link| link.peer) else {
            return;
        };
        let Some(dialler) = dialler.id() else {
            return self.fail(conn, Problem::Malformed);
        };
        let Some(secret) = self.introductions.handle_ready(dialler, waiter) else {
            return;
        };
        let secret = secret.0.into();
        let entry = self
            .roster
            .as_ref()
            .and_then(|roster| roster.get(&waiter))
            .cloned();
        if let (Some(entry), Some(to)) = (entry, self.members.link_of(&dialler)) {
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
        let Some(link) = self.connections.get_mut(&conn) else {
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
        let (Some(_), None) = (known, self.members.link_of(&peer)) else {
            return;
        };
        // The roster's own entries count: everybody sees the same addresses.
        let addresses = self.addresses_of(&peer);
        let pairs = addresses
            .iter()
            .flat_map(|address| self.pairs(Some(peer), &[*address]));
        let verdicts: Vec<_> = pairs
            .map(|(local, remote)| self.judge(peer, &self.path(local, remote)))
            .collect();
        let (target, origin) = (Target::Member(peer, introducer), Origin::Introduced(introducer));
        if dial {
            // A firewall may keep us out there, and it in. Who has to be asked first answers nobody before.
            if verdicts.iter().any(|verdict| matches!(verdict, Verdict::Go(_))) {
                self.expect(peer, origin, secret.clone(), now);
            }
            if !self.dials.refresh(target, &secret, true) {
                self.dial(target, secret, &addresses, now);
            }
            return;
        }
        if self.consents.rule() == Rule::None && verdicts.iter().all(|verdict| *verdict == Verdict::No) {
            return self.event(Event::Problem(Problem::NotApproved, Some(peer)));
        }
        self.expect(peer, origin, secret.clone(), now);
        self.send(conn, &Control::Ready(peer.into()), now);
        if !self.dials.refresh(target, &secret, false) {
            let round_trip = self.connections.get(&conn).and_then(|link| link.path.rtt());
            let at = now + SECOND_DELAY + 2 * round_trip.unwrap_or_default();
            self.dial_second(target, secret, &addresses, at, now);
        }
    }

    /// Expects `peer` to connect with `secret`.
    pub(super) fn expect(&mut self, peer: PeerId, origin: Origin, secret: Secret, now: Instant) {
        let id = ExpectId(self.new_id());
        self.expected.expect(id, peer, origin, secret, now);
        self.change_expected();
    }

    /// Tells the gate who may come in.
    pub(super) fn change_expected(&mut self) {
        while let Some(output) = self.expected.poll_output() {
            match output {
                expected::Output::Forget(id) => self.change_gate(Change::Forget(id)),
                expected::Output::Expect(id) => {
                    if let Some(expectation) = self.expected.get(id) {
                        let key = expectation.secret.tag_key_of(&expectation.peer);
                        let sponsor = Sponsor::Member(expectation.sponsor());
                        self.change_gate(Change::Expect(id, key, sponsor));
                    }
                }
            }
        }
    }

    /// Two members that both have a link with us but none with each other are introduced (again), by the
    /// smallest id among those who could.
    pub(super) fn mend_holes(&mut self, now: Instant) {
        let present: Vec<_> = self.roster.iter().flat_map(Roster::present).collect();
        for (one, other) in self.members.holes(self.me, &present, now) {
            self.introduce(one, other, now);
        }
    }
}
