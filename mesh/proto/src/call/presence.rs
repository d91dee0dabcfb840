//! Who is here: members are linked, say so every second, leave, or get lost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Problem, Why};
use crate::connection::{ConnId, Connection, Difference};
use crate::gate::Change;
use crate::name::Name;
use crate::roster::{Entries, Left, Roster};
use crate::route::{Reason, State};
use crate::wire::{Control, Peer};

/// 1 s: how often each member says what it knows.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// 10 s: the time before a member whose roster differs is sent all entries again, if neither has changed.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

impl Call {
    /// Somebody is new in the roster.
    pub(super) fn meet(&mut self, peer: PeerId, now: Instant) {
        if peer == self.me {
            return;
        }
        let entry = self.roster.as_ref().and_then(|roster| roster.get(&peer));
        let known = entry.and_then(|entry| Some((entry.card.name(), entry.invited_by()?)));
        if let Some((name, invited_by)) = known
            && self.members.meet(peer, name, invited_by, now)
        {
            self.consents.meet(peer, now);
            self.tell_joined(peer);
        }
    }

    fn tell_joined(&mut self, peer: PeerId) {
        if let Some(member) = self.members.get(&peer) {
            let (name, invited_by) = (member.name.clone(), member.invited_by);
            self.event(Event::Joined {
                peer,
                name,
                invited_by,
            });
        }
    }

    /// A session with a member stands: it becomes the member's link, unless another one is to be kept.
    pub(super) fn adopt(&mut self, conn: ConnId, now: Instant) {
        let Some(link) = self.connections.get(&conn) else {
            return;
        };
        let (peer, pair) = (link.peer, (link.local, link.remote));
        let is_present = |roster: &Roster| roster.is_present(&peer);
        if !self.roster.as_ref().is_some_and(is_present) {
            return self.close(conn, Reason::Left);
        }
        let old = self.members.link_of(&peer);
        if old.is_some_and(|old| !self.takes_over(conn, old)) {
            return self.close(conn, Reason::Replaced);
        }
        let Some(came_back) = self.members.handle_linked(&peer, conn, now) else {
            return;
        };
        self.change_gate(Change::Name(pair, peer));
        if came_back {
            self.tell_joined(peer);
        }
        self.stop_dialling(peer, Reason::Replaced, now);
        self.retire(peer, conn, old);
        if let Some(route) = self.connections.get(&conn).and_then(|link| link.route) {
            self.routes.forget_theirs(route);
        }
        self.judge_link(conn, now);
        self.offer_reconnect(peer, conn, now);
        self.tell_medium(conn, now);
        self.beat_one(conn, now);
        self.ping_one(conn, now);
    }

    /// Whether a new link is to serve instead of the one that does.
    fn takes_over(&self, conn: ConnId, old: ConnId) -> bool {
        let (Some(new), Some(old_link)) = (self.connections.get(&conn), self.connections.get(&old)) else {
            return true;
        };
        // Who comes back knows that the link before is of no use any more.
        if new.replaces == Some(old) {
            return true;
        }
        // Of two made at once, the one that the smaller id dialled stays; of two in a row, the newer.
        let ours_stays = self.me < new.peer;
        old_link.dialled == new.dialled || old_link.dialled != ours_stays
    }

    /// A new link serves a member. The old one is closed, or kept for as long as the user is asked about another
    /// path: should the answer be no, it serves again.
    fn retire(&mut self, peer: PeerId, conn: ConnId, old: Option<ConnId>) {
        let Some(old) = old else { return };
        let route = |conn: &ConnId| self.connections.get(conn).and_then(|link| link.route);
        let may_serve_again = route(&old).is_some_and(|id| {
            self.routes
                .get(id)
                .is_some_and(|route| matches!(route.state, State::Active | State::Paused))
                && !self.routes.is_asked(id)
        });
        if route(&old) == route(&conn) || !may_serve_again {
            return self.close(old, Reason::Replaced);
        }
        let former = self
            .members
            .get_mut(&peer)
            .and_then(|member| member.former.replace(old));
        if let Some(former) = former {
            self.close(former, Reason::Replaced);
        }
    }

    /// A link is gone; if it served a member, that one is now waited for, and sought.
    pub(super) fn unlink(&mut self, link: &Connection, conn: ConnId, now: Instant) {
        let Some(former) = self.members.handle_unlinked(&link.peer, conn, now) else {
            return;
        };
        if let Some(former) = former {
            self.close(former, Reason::Lost);
        }
        if self.ended {
            return;
        }
        if !matches!(
            link.closing,
            Some(Reason::Denied | Reason::TooMany | Reason::Left)
        ) {
            self.seek(link.peer, now);
        }
        self.find_the_gone(now);
    }

    /// Marks as gone each member that has no link here and that no other member reports a link with.
    pub(super) fn find_the_gone(&mut self, now: Instant) {
        if self.sockets.is_offline() {
            // It is this side that is gone.
            return;
        }
        for (peer, is_cut_off) in self.members.poll_gone(now) {
            if let Some(member) = self.members.get(&peer) {
                let (name, invited_by) = (member.name.clone(), member.invited_by);
                let why = if is_cut_off { Why::CutOff } else { Why::Lost };
                self.tell_left(peer, name, invited_by, why);
            }
        }
    }

    fn tell_left(&mut self, peer: PeerId, name: Name, invited_by: PeerId, why: Why) {
        self.event(Event::Left {
            peer,
            name,
            invited_by,
            why,
        });
    }

    pub(super) fn beat(&mut self, now: Instant) {
        for conn in self.members.links() {
            self.beat_one(conn, now);
        }
    }

    fn beat_one(&mut self, conn: ConnId, now: Instant) {
        let Some(roster) = &self.roster else { return };
        let beat = Control::Heartbeat {
            roster: roster.hash().into(),
            links: self.linked().into_iter().map(Peer::from).collect(),
            asking: self.asking().map(Peer::from).collect(),
        };
        self.send(conn, &beat, now);
    }

    pub(super) fn handle_beat(
        &mut self,
        conn: ConnId,
        hash: [u8; 32],
        (links, asking): (BTreeSet<PeerId>, BTreeSet<PeerId>),
        now: Instant,
    ) {
        let Some(link) = self.connections.get(&conn) else {
            return;
        };
        let peer = link.peer;
        self.members.handle_heartbeat(&peer, conn, links, asking);
        let Some(roster) = &self.roster else { return };
        let difference = Difference {
            ours: roster.hash(),
            theirs: hash,
        };
        if difference.ours == difference.theirs {
            return;
        }
        let parts = roster.parts();
        let Some(link) = self.connections.get_mut(&conn) else {
            return;
        };
        // What was sent comes; a list that makes no difference is not sent with every beat.
        let was_told = |(told, at): (Difference, Instant)| told == difference && now < at + TOLD_AGAIN;
        if link.told_difference.is_some_and(was_told) {
            return;
        }
        link.told_difference = Some((difference, now));
        for part in parts {
            self.send(conn, &Control::Entries(part), now);
        }
    }

    /// A list of entries: checking it costs time, so a member may send only a few a second.
    pub(super) fn handle_entries(&mut self, conn: ConnId, entries: Entries, now: Instant) {
        let link = self.connections.get_mut(&conn);
        if link.is_some_and(|link| link.entries.take(now)) {
            self.take_entries(conn, entries, now);
        }
    }

    pub(super) fn take_entries(&mut self, conn: ConnId, entries: Entries, now: Instant) {
        let Some(roster) = &mut self.roster else { return };
        let news = roster.handle_entries(entries);
        for peer in news.joined {
            self.meet(peer, now);
        }
        for peer in news.left {
            self.part(peer, now);
        }
        if !news.moved.is_empty() {
            self.pass_on(news.moved, Some(conn), now);
        }
        if news.forged {
            self.fail(conn, Problem::Roster);
        }
    }

    pub(super) fn handle_bye(&mut self, conn: ConnId, left: Left, now: Instant) {
        let left = vec![left];
        self.take_entries(
            conn,
            Entries {
                left,
                ..Entries::default()
            },
            now,
        );
        self.close(conn, Reason::Left);
    }

    /// Somebody said goodbye, and does not come back: they are forgotten.
    fn part(&mut self, peer: PeerId, now: Instant) {
        self.stop_dialling(peer, Reason::Left, now);
        self.expected.forget_peer(&peer);
        self.change_expected();
        self.consents.forget(&peer);
        let Some((member, was_here)) = self.members.remove(&peer) else {
            return;
        };
        for conn in member.link.into_iter().chain(member.former) {
            self.close(conn, Reason::Left);
        }
        if was_here {
            self.tell_left(peer, member.name, member.invited_by, Why::Left);
        }
    }

    /// Members that are taken to be here, whether linked at this moment or not.
    #[must_use]
    pub fn here(&self) -> BTreeSet<PeerId> {
        self.members.here()
    }

    /// The hash of the roster, once admitted.
    #[must_use]
    pub fn roster_hash(&self) -> Option<[u8; 32]> {
        self.roster.as_ref().map(Roster::hash)
    }
}
