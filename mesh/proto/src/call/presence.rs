//! Who is here: members are linked, say so every second, leave, or get lost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Problem, Why};
use crate::gate::Change;
use crate::link::{ConnId, Link};
use crate::roster::{EntryError, Joined, Left, Roster};
use crate::route::{self, Route, State};
use crate::wire::{Control, Peer};

/// 1 s: how often each member says what it knows.
pub const BEAT: Duration = Duration::from_secs(1);

/// 1.2 s: after a link broke, how long the others' beats are awaited before its peer counts as gone. With the
/// three seconds after which a silent connection breaks this stays below five.
const LOST_GRACE: Duration = Duration::from_millis(1200);

/// 6 s: how long somebody of whom we only heard may take to be linked.
const ARRIVAL_GRACE: Duration = Duration::from_secs(6);

/// 2 s: a link's age from which its members' beats tell the truth about each other.
const SETTLED: Duration = Duration::from_secs(2);

/// Whether a member is taken to be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    /// Cannot be reached by anybody; may come back.
    Lost,
    /// Said goodbye; does not come back.
    Left,
}

/// What we know of another member.
#[derive(Debug)]
pub struct Member {
    pub link: Option<ConnId>,
    presence: Presence,
    /// Since when it is linked, or not.
    since: Instant,
    /// How long without a link is still patience.
    grace: Duration,
    /// Whom it says to be linked with.
    links: BTreeSet<PeerId>,
}

impl Member {
    /// Whether it says to be linked with `peer`.
    pub fn says_linked(&self, peer: &PeerId) -> bool {
        self.link.is_some() && self.links.contains(peer)
    }

    /// Whether its link is old enough for its beats to be judged.
    pub fn is_settled(&self, now: Instant) -> bool {
        now >= self.since + SETTLED && !self.links.is_empty()
    }
}

impl Call {
    /// The link that serves a member.
    pub(super) fn link_of(&self, peer: &PeerId) -> Option<ConnId> {
        self.members.get(peer)?.link
    }

    /// Somebody is new in the roster.
    pub(super) fn meet(&mut self, peer: PeerId, now: Instant) {
        if peer == self.me || self.members.contains_key(&peer) {
            return;
        }
        let member = Member {
            link: None,
            presence: Presence::Here,
            since: now,
            grace: ARRIVAL_GRACE,
            links: BTreeSet::new(),
        };
        self.members.insert(peer, member);
        self.tell_joined(peer);
    }

    fn tell_joined(&mut self, peer: PeerId) {
        if let Some(invited_by) = self.inviter_of(&peer) {
            let name = self.name_of(&peer);
            self.event(Event::Joined {
                peer,
                name,
                invited_by,
            });
        }
    }

    fn inviter_of(&self, peer: &PeerId) -> Option<PeerId> {
        self.roster.as_ref()?.get(peer)?.invited_by()
    }

    /// A session with a member stands: it becomes the member's link, unless another one is to be kept.
    pub(super) fn adopt(&mut self, conn: ConnId, now: Instant) {
        let Some(link) = self.links.get(&conn) else { return };
        let (peer, remote, dialled) = (link.peer, link.remote, link.dialled);
        if !self
            .roster
            .as_ref()
            .is_some_and(|roster| roster.is_present(&peer))
        {
            return self.close(conn);
        }
        if let Some(old) = self
            .link_of(&peer)
            .and_then(|old| Some((old, self.links.get(&old)?)))
        {
            let (old, old_link) = old;
            // Of two made at once, the one that the smaller id dialled stays; of two in a row, the newer.
            let ours_stays = self.me < peer;
            if old_link.dialled != dialled && old_link.dialled == ours_stays {
                return self.close(conn);
            }
            self.close(old);
        }
        let in_code = self.code.as_ref().map_or(&[][..], |code| &code.addresses);
        let shared = self
            .roster
            .as_ref()
            .and_then(|roster| roster.get(&peer))
            .map_or_else(Vec::new, |entry| entry.card.addresses());
        let approval = route::judge(self.config.rule, remote, in_code, &shared);
        if let Some(link) = self.links.get_mut(&conn) {
            link.approval = approval;
        }
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        member.link = Some(conn);
        member.since = now;
        member.links.clear();
        let came_back = std::mem::replace(&mut member.presence, Presence::Here) != Presence::Here;
        self.change_gate(Change::Name(remote, peer));
        if came_back {
            self.tell_joined(peer);
        }
        let state = if approval.is_some() {
            State::Active
        } else {
            State::Proposed
        };
        self.tell_route(conn, state);
        self.beat_one(conn, now);
        self.ping_one(conn, now);
    }

    fn tell_route(&mut self, conn: ConnId, state: State) {
        if let Some(link) = self.links.get(&conn) {
            let route = route_of(link, state);
            self.event(Event::Route(route));
        }
    }

    /// A link is gone; if it served a member, that one is now waited for.
    pub(super) fn unlink(&mut self, link: &Link, conn: ConnId, now: Instant) {
        let Some(member) = self.members.get_mut(&link.peer) else {
            return;
        };
        if member.link != Some(conn) {
            return;
        }
        member.link = None;
        member.since = now;
        member.grace = LOST_GRACE;
        member.links.clear();
        self.event(Event::Route(route_of(link, State::Closed)));
        self.find_the_gone(now);
    }

    /// Who has no link, and whom nobody else says to be linked with, is gone.
    pub(super) fn find_the_gone(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for (peer, member) in &self.members {
            if member.link.is_some() || member.presence != Presence::Here {
                continue;
            }
            let alone = self.members.values().all(|other| other.link.is_none());
            let seen = self.members.values().any(|other| other.says_linked(peer));
            let patient = now < member.since + member.grace;
            if !seen && (!patient || (alone && member.grace == LOST_GRACE)) {
                gone.push(*peer);
            }
        }
        for peer in gone {
            self.mark_gone(peer, Presence::Lost, Why::Lost);
        }
    }

    fn mark_gone(&mut self, peer: PeerId, presence: Presence, why: Why) {
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        let before = std::mem::replace(&mut member.presence, presence);
        if before == Presence::Here
            && let Some(invited_by) = self.inviter_of(&peer)
        {
            let name = self.name_of(&peer);
            self.event(Event::Left {
                peer,
                name,
                invited_by,
                why,
            });
        }
    }

    pub(super) fn beat(&mut self, now: Instant) {
        for conn in self
            .members
            .values()
            .filter_map(|member| member.link)
            .collect::<Vec<_>>()
        {
            self.beat_one(conn, now);
        }
    }

    fn beat_one(&mut self, conn: ConnId, now: Instant) {
        let Some(roster) = &self.roster else { return };
        let arrivals = self
            .links
            .get_mut(&conn)
            .and_then(Link::session)
            .map(|session| session.arrivals())
            .unwrap_or_default();
        let beat = Control::Beat {
            roster: roster.hash().into(),
            links: self.linked().into_iter().map(Peer::from).collect(),
            received: arrivals.received,
            expected: arrivals.expected,
        };
        self.send(conn, &beat, now);
    }

    pub(super) fn handle_beat(
        &mut self,
        conn: ConnId,
        hash: [u8; 32],
        links: BTreeSet<PeerId>,
        report: (u64, u64),
        now: Instant,
    ) {
        let Some(link) = self.links.get_mut(&conn) else {
            return;
        };
        link.meter.handle_report(report.0, report.1);
        if let Some(member) = self.members.get_mut(&link.peer)
            && member.link == Some(conn)
        {
            member.links = links;
        }
        if let Some(roster) = &self.roster
            && roster.hash() != hash
        {
            let (joined, left) = roster.entries();
            self.send(conn, &Control::Entries { joined, left }, now);
        }
    }

    /// A list of entries: checking it costs time, so a member may send only a few a second.
    pub(super) fn handle_entries(
        &mut self,
        conn: ConnId,
        joined: Vec<Joined>,
        left: Vec<Left>,
        now: Instant,
    ) {
        if self
            .links
            .get_mut(&conn)
            .is_some_and(|link| link.entries.take(now))
        {
            self.take_entries(conn, joined, left, now);
        }
    }

    pub(super) fn take_entries(&mut self, conn: ConnId, joined: Vec<Joined>, left: Vec<Left>, now: Instant) {
        let Some(roster) = &mut self.roster else { return };
        let (new, error) = roster.handle_many(joined);
        let mut farewells = Vec::new();
        let mut forged = error == Some(EntryError::Forged);
        for entry in left {
            match roster.handle_left(entry) {
                Ok(peer) => farewells.extend(peer),
                Err(error) => forged |= error == EntryError::Forged,
            }
        }
        for peer in new {
            self.meet(peer, now);
        }
        for peer in farewells {
            self.part(peer);
        }
        if forged {
            self.fail(conn, Problem::Roster);
        }
    }

    pub(super) fn handle_bye(&mut self, conn: ConnId, left: Left, now: Instant) {
        self.take_entries(conn, Vec::new(), vec![left], now);
        self.close(conn);
    }

    /// Somebody said goodbye.
    fn part(&mut self, peer: PeerId) {
        if let Some(conn) = self.link_of(&peer) {
            self.close(conn);
        }
        self.mark_gone(peer, Presence::Left, Why::Left);
    }

    /// Members that are taken to be here, whether linked at this moment or not.
    #[must_use]
    pub fn here(&self) -> BTreeSet<PeerId> {
        let here = self
            .members
            .iter()
            .filter(|(_, member)| member.presence == Presence::Here);
        here.map(|(peer, _)| *peer).collect()
    }

    /// The hash of the roster, once admitted.
    #[must_use]
    pub fn roster_hash(&self) -> Option<[u8; 32]> {
        self.roster.as_ref().map(Roster::hash)
    }
}

fn route_of(link: &Link, state: State) -> Route {
    Route {
        peer: link.peer,
        state,
        local: link.local,
        remote: link.remote,
        approved_by: link.approval,
    }
}
