//! Who is here: members are linked, say so every second, leave, or get lost.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::seeking::Seek;
use super::{Call, Event, Problem, Why};
use crate::gate::Change;
use crate::interface::Medium;
use crate::limit::Bucket;
use crate::link::{ConnId, Difference, Link};
use crate::name::Name;
use crate::reach::Unreached;
use crate::roster::{Entries, Left, Roster};
use crate::route::{Path, Reason, State};
use crate::secret::Secret;
use crate::wire::{Control, Peer};

/// 1 s: how often each member says what it knows.
pub const HEARTBEAT: Duration = Duration::from_secs(1);

/// 1.2 s: after a link broke, how long the others' beats are awaited before its peer counts as gone. With the
/// three seconds after which a silent connection breaks this stays below five.
const LOST_GRACE: Duration = Duration::from_millis(1200);

/// 6 s: how long somebody of whom we only heard may take to be linked.
const ARRIVAL_GRACE: Duration = Duration::from_secs(6);

/// 10 s: the time before a member whose roster differs is sent all entries again, if neither has changed.
const TOLD_AGAIN: Duration = Duration::from_secs(10);

/// 2 s: a link's age from which its members' beats tell the truth about each other.
const SETTLED: Duration = Duration::from_secs(2);

/// Paths to a member that are remembered besides the last.
const MAX_PATHS_BEFORE: usize = 16;

/// Questions about one member: one every ten seconds for long, and sixteen in a row. What would cause more is turned
/// away unasked, so that nobody can be worn down.
const QUESTION_EVERY: Duration = Duration::from_secs(10);
const QUESTION_BURST: u32 = 16;

/// Times that the search for one member begins anew because something has changed here: once in five minutes for long,
/// and eight in a row.
const RESTART_EVERY: Duration = Duration::from_secs(300);
const RESTART_BURST: u32 = 8;

/// Whether a member is taken to be here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Presence {
    Here,
    /// Cannot be reached by anybody; may come back.
    Lost,
}

/// What we know of another member, until it says goodbye.
#[derive(Debug)]
pub struct Member {
    pub name: Name,
    invited_by: PeerId,
    /// The link that serves it.
    pub link: Option<ConnId>,
    /// The one before, kept while the user is asked about the one that serves.
    pub former: Option<ConnId>,
    /// The path that media took last.
    pub last_path: Option<Path>,
    /// Those before it.
    pub paths_before: Vec<Path>,
    /// The path that the user agreed to, until media takes it.
    pub agreed: Option<Path>,
    /// How to come back to it, and after which link.
    pub reconnect: Option<(ConnId, Secret)>,
    /// Members without a link to it whom its user is being asked about, by its last beat.
    pub asking: BTreeSet<PeerId>,
    /// How often the user may still be asked about it.
    pub questions: Bucket,
    /// When we last heard that its user is being asked about us.
    pub asked_at: Option<Instant>,
    /// It is being sought.
    pub seek: Option<Seek>,
    /// How often a change here may still begin that anew: where interfaces come and go all the time, it would use up the
    /// other side's memory for tags.
    pub restarts: Bucket,
    /// Why it cannot be reached, as the user was told last.
    pub unreached: Option<Unreached>,
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

    /// Restarts the time within which the member has to be linked before it counts as gone.
    pub const fn be_patient(&mut self, now: Instant) {
        if self.link.is_none() {
            self.since = now;
        }
    }

    /// Media takes this path from now on.
    pub fn take_path(&mut self, path: Path) {
        self.agreed = None;
        let remote_medium = self.last_path.as_ref().and_then(|last| last.remote_medium);
        let path = Path {
            remote_medium: path.remote_medium.or(remote_medium),
            ..path
        };
        if let Some(last) = self.last_path.replace(path)
            && self
                .paths_before
                .iter()
                .all(|before| last.change_from(before).is_some())
        {
            if self.paths_before.len() >= MAX_PATHS_BEFORE {
                self.paths_before.remove(0);
            }
            self.paths_before.push(last);
        }
    }

    /// It says for the first time over what it is connected: that is no change of the path.
    pub const fn learn_remote_medium(&mut self, medium: Medium) {
        if let Some(path) = &mut self.last_path
            && path.remote_medium.is_none()
        {
            path.remote_medium = Some(medium);
        }
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
        let entry = self.roster.as_ref().and_then(|roster| roster.get(&peer));
        let known = entry.and_then(|entry| Some((entry.card.name(), entry.invited_by()?)));
        let Some((name, invited_by)) = known else { return };
        let member = Member {
            name,
            invited_by,
            link: None,
            former: None,
            last_path: None,
            paths_before: Vec::new(),
            agreed: None,
            reconnect: None,
            asking: BTreeSet::new(),
            questions: Bucket::new(QUESTION_EVERY, QUESTION_BURST, now),
            asked_at: None,
            seek: None,
            restarts: Bucket::new(RESTART_EVERY, RESTART_BURST, now),
            unreached: None,
            presence: Presence::Here,
            since: now,
            grace: ARRIVAL_GRACE,
            links: BTreeSet::new(),
        };
        self.members.insert(peer, member);
        self.tell_joined(peer);
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
        let Some(link) = self.links.get(&conn) else { return };
        let (peer, pair) = (link.peer, (link.local, link.remote));
        let is_present = |roster: &Roster| roster.is_present(&peer);
        if !self.roster.as_ref().is_some_and(is_present) {
            return self.close(conn, Reason::Left);
        }
        let old = self.link_of(&peer);
        if old.is_some_and(|old| !self.takes_over(conn, old)) {
            return self.close(conn, Reason::Replaced);
        }
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        member.link = Some(conn);
        member.since = now;
        member.seek = None;
        member.unreached = None;
        member.links.clear();
        let came_back = std::mem::replace(&mut member.presence, Presence::Here) != Presence::Here;
        self.change_gate(Change::Name(pair, peer));
        if came_back {
            self.tell_joined(peer);
        }
        self.stop_dialling(peer, Reason::Replaced, now);
        self.retire(peer, conn, old);
        if let Some(route) = self.links.get(&conn).and_then(|link| link.route) {
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
        let (Some(new), Some(old_link)) = (self.links.get(&conn), self.links.get(&old)) else {
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
        let route = |conn: &ConnId| self.links.get(conn).and_then(|link| link.route);
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
    pub(super) fn unlink(&mut self, link: &Link, conn: ConnId, now: Instant) {
        let Some(member) = self.members.get_mut(&link.peer) else {
            return;
        };
        member.former = member.former.filter(|former| *former != conn);
        if member.link != Some(conn) {
            return;
        }
        member.link = None;
        member.since = now;
        member.grace = LOST_GRACE;
        member.links.clear();
        member.asking.clear();
        if let Some(former) = member.former.take() {
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
        let mut gone = Vec::new();
        for (peer, member) in &self.members {
            if member.link.is_some() || member.presence != Presence::Here {
                continue;
            }
            let seen = self.members.values().any(|other| other.says_linked(peer));
            if !seen && now >= member.since + member.grace {
                let is_cut_off = matches!(member.unreached, Some(Unreached::Blocked(_)));
                gone.push((*peer, if is_cut_off { Why::CutOff } else { Why::Lost }));
            }
        }
        for (peer, why) in gone {
            let Some(member) = self.members.get_mut(&peer) else {
                continue;
            };
            member.presence = Presence::Lost;
            let (name, invited_by) = (member.name.clone(), member.invited_by);
            self.tell_left(peer, name, invited_by, why);
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
        for conn in self.serving_links() {
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
        let Some(link) = self.links.get(&conn) else {
            return;
        };
        if let Some(member) = self.members.get_mut(&link.peer)
            && member.link == Some(conn)
        {
            member.links = links;
            member.asking = asking;
        }
        let Some(roster) = &self.roster else { return };
        let difference = Difference {
            ours: roster.hash(),
            theirs: hash,
        };
        if difference.ours == difference.theirs {
            return;
        }
        let parts = roster.parts();
        let Some(link) = self.links.get_mut(&conn) else {
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
        let link = self.links.get_mut(&conn);
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
        let Some(member) = self.members.remove(&peer) else {
            return;
        };
        for conn in member.link.into_iter().chain(member.former) {
            self.close(conn, Reason::Left);
        }
        if member.presence == Presence::Here {
            self.tell_left(peer, member.name, member.invited_by, Why::Left);
        }
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
