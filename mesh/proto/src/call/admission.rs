//! Getting in: a code is made, somebody knocks with it, is let in or not.

use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Admit, Call, End, Event, Output, Problem};
use crate::connection::{ConnId, Purpose};
use crate::gate::{Change, Sponsor};
use crate::guests::Guest;
use crate::roster::{CallId, Card, Entries, Joined, MAX_MEMBERS, Roster};
use crate::route::Reason;
use crate::session::Stage;
use crate::tag::ExpectId;
use crate::time::UnixTime;
use crate::wire::{Control, Refusal};

impl Call {
    pub(super) fn issue_code(&mut self, wall: UnixTime, now: Instant) {
        // What is over is told before it may have to make room.
        self.sweep_codes(now);
        let candidates = self.sockets.candidates();
        if self.roster.is_none() {
            return self.event(Event::Problem(Problem::NotInCall, None));
        }
        if candidates.is_empty() {
            self.code_awaited = Some((wall, now));
            return self.event(Event::Problem(Problem::NoAddressYet, None));
        }
        let id = ExpectId(self.new_id());
        let inviter = self.noise.public();
        let issued = self
            .issued_codes
            .issue(id, inviter, &candidates, wall, now, &mut self.rng);
        let Some((code, forgotten)) = issued else {
            return self.event(Event::Problem(Problem::TooManyCodes, None));
        };
        if let Some(old) = forgotten {
            self.change_gate(Change::Forget(old));
        }
        self.change_gate(Change::Expect(id, code.secret.tag_key(), Sponsor::Code(id)));
        self.event(Event::Code(code));
    }

    /// The machine slept: codes are older by that, and some may be over.
    pub(super) fn handle_sleep(&mut self, slept: Duration, now: Instant) {
        self.issued_codes.handle_sleep(slept);
        self.sweep_codes(now);
    }

    /// Tells which codes are over, and forgets those that have been for long.
    pub(super) fn sweep_codes(&mut self, now: Instant) {
        let (expired, forgotten) = self.issued_codes.sweep(now);
        for code in expired {
            self.event(Event::Expired(code));
        }
        for id in forgotten {
            self.change_gate(Change::Forget(id));
        }
    }

    pub(super) fn handle_knock(&mut self, conn: ConnId, card: Card, now: Instant) {
        let Some(link) = self.connections.get(&conn) else {
            return;
        };
        let (Purpose::Guest(code), Stage::Open(session)) = (&link.purpose, &link.session.stage) else {
            return self.fail(conn, Problem::Malformed);
        };
        if self.guests.is_waiting(conn) {
            return self.fail(conn, Problem::Malformed);
        }
        let (peer, from) = (link.peer, link.remote);
        let guest = match Guest::new(peer, session.remote_static(), *code, card) {
            Ok(guest) => guest,
            Err(why) => return self.turn_away(conn, why, now),
        };
        if self.is_full() {
            return self.turn_away(conn, Refusal::Full, now);
        }
        let name = guest.card.name();
        match self.issued_codes.spend(guest.code, peer, now) {
            Ok(code) => {
                let spent = code.cloned().map(|code| Event::Spent(code, name.clone()));
                self.outputs.extend(spent.map(Output::Event));
            }
            Err(why) => return self.turn_away(conn, why, now),
        }
        self.guests.insert(conn, guest);
        match self.config.admit {
            Admit::Ask => self.event(Event::Knock { peer, name, from }),
            Admit::Code => self.admit(peer, now),
        }
    }

    fn is_full(&self) -> bool {
        self.here().len() + 1 >= MAX_MEMBERS || self.roster.as_ref().is_none_or(Roster::is_used_up)
    }

    fn turn_away(&mut self, conn: ConnId, why: Refusal, now: Instant) {
        self.send(conn, &Control::Refused(why), now);
        self.close(conn, Reason::Left);
    }

    /// Somebody who knocked is answered, which ends the use of their code.
    fn take_guest(&mut self, peer: PeerId, now: Instant) -> Option<(ConnId, Card)> {
        let (conn, guest) = self.guests.take(peer)?;
        self.issued_codes.finish(guest.code, now);
        Some((conn, guest.card))
    }

    pub(super) fn refuse(&mut self, peer: PeerId, now: Instant) {
        if let Some((conn, _)) = self.take_guest(peer, now) {
            self.turn_away(conn, Refusal::Declined, now);
        }
    }

    /// Lets somebody in who knocked: into the roster, and to everybody who is here.
    pub(super) fn admit(&mut self, peer: PeerId, now: Instant) {
        let Some((conn, card)) = self.take_guest(peer, now) else {
            return;
        };
        // Others may have been let in since they knocked.
        if self.is_full() {
            return self.turn_away(conn, Refusal::Full, now);
        }
        let Some(roster) = &mut self.roster else { return };
        let entry = Joined::sign(card, &self.config.identity, roster.call());
        let admitted = entry.is_some_and(|entry| matches!(roster.handle_joined(entry), Ok(Some(_))));
        if !admitted {
            return self.turn_away(conn, Refusal::Full, now);
        }
        let call = (*roster.call()).into();
        let mut parts = roster.parts();
        let entries = parts.pop().unwrap_or_default();
        for part in parts {
            self.send(conn, &Control::Entries(part), now);
        }
        self.send(conn, &Control::Welcome { call, entries }, now);
        if let Some(link) = self.connections.get_mut(&conn) {
            link.purpose = Purpose::Member;
        }
        self.meet(peer, now);
        let others: Vec<_> = self.linked().into_iter().filter(|other| *other != peer).collect();
        self.adopt(conn, now);
        for other in others {
            self.introduce(peer, other, now);
        }
    }

    /// This side has knocked on this link.
    pub(super) fn is_awaiting_welcome(&self, conn: ConnId) -> bool {
        let link = self.connections.get(&conn);
        link.is_some_and(|link| matches!(link.purpose, Purpose::Inviter))
    }

    /// A part of a roster that does not fit into the welcome, which follows.
    pub(super) fn handle_early_entries(&mut self, conn: ConnId, entries: Entries) {
        if !self.early.push(entries) {
            self.fail(conn, Problem::Malformed);
        }
    }

    pub(super) fn handle_welcome(&mut self, conn: ConnId, call: CallId, entries: Entries, now: Instant) {
        let Some(link) = self.connections.get_mut(&conn) else {
            return;
        };
        if !matches!(link.purpose, Purpose::Inviter) || self.roster.is_some() {
            return self.fail(conn, Problem::Malformed);
        }
        let Some(roster) = self.early.finish(call, entries, [&self.me, &link.peer]) else {
            return self.fail(conn, Problem::Roster);
        };
        link.purpose = Purpose::Member;
        let present: Vec<_> = roster.present().filter(|peer| *peer != self.me).collect();
        self.roster = Some(roster);
        self.event(Event::Admitted);
        for peer in present {
            self.meet(peer, now);
        }
        self.adopt(conn, now);
        // What has come after this side knocked is not in its card.
        let said = self.roster.as_ref().map(|roster| roster.candidates(&self.me));
        if said != Some(self.sockets.candidates()) {
            self.announce(now);
        }
    }

    pub(super) fn handle_refused(&mut self, conn: ConnId, why: Refusal) {
        if !self.is_awaiting_welcome(conn) {
            return self.fail(conn, Problem::Malformed);
        }
        self.close(conn, Reason::Left);
        self.end(End::Refused(why));
    }
}
