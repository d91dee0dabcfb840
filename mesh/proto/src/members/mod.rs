//! The other members, as this side knows them: whether they are linked, whom they say to be linked with, who is gone, and who is
//! being sought.

mod reconnection;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use self::reconnection::Reconnection;
use crate::address::Pair;
use crate::connection::ConnId;
use crate::limit::Bucket;
use crate::name::Name;
use crate::reach::Unreached;
use crate::secret::Secret;

/// 1.2 s: after a link broke, how long the others' beats are awaited before its peer counts as gone. With the
/// three seconds after which a silent connection breaks this stays below five.
const LOST_GRACE: Duration = Duration::from_millis(1200);

/// 6 s: how long somebody of whom we only heard may take to be linked.
const ARRIVAL_GRACE: Duration = Duration::from_secs(6);

/// 4 s: words about the same question are that far apart at most; they come with each heartbeat.
const STILL_ASKED: Duration = Duration::from_secs(4);

/// 2 s: a link's age from which its members' beats tell the truth about each other.
const SETTLED: Duration = Duration::from_secs(2);

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
    pub invited_by: PeerId,
    /// The link that serves it.
    pub link: Option<ConnId>,
    /// The one before, kept while the user is asked about the one that serves.
    pub former: Option<ConnId>,
    /// How to come back to it, and after which link.
    pub reconnect: Option<(ConnId, Secret)>,
    /// Members without a link to it whom its user is being asked about, by its last beat.
    pub asking: BTreeSet<PeerId>,
    /// When we last heard that its user is being asked about us.
    asked_at: Option<Instant>,
    /// It is being sought.
    seek: Option<Reconnection>,
    /// How often a change here may still begin that anew: where interfaces come and go all the time, it would use up the
    /// other side's memory for tags.
    restarts: Bucket,
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
    fn new(name: Name, invited_by: PeerId, now: Instant) -> Self {
        Self {
            name,
            invited_by,
            link: None,
            former: None,
            reconnect: None,
            asking: BTreeSet::new(),
            asked_at: None,
            seek: None,
            restarts: Bucket::new(RESTART_EVERY, RESTART_BURST, now),
            unreached: None,
            presence: Presence::Here,
            since: now,
            grace: ARRIVAL_GRACE,
            links: BTreeSet::new(),
        }
    }

    /// Whether it is being sought.
    pub const fn is_sought(&self) -> bool {
        self.seek.is_some()
    }

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
}

/// A member that is to be dialled now, to come back to it.
#[derive(Debug)]
pub struct Due {
    pub peer: PeerId,
    /// The link that led to it, and the secret that came on it.
    pub conn: ConnId,
    pub secret: Secret,
    /// By how many pairs at once.
    pub count: usize,
}

/// All members but this one.
#[derive(Debug, Default)]
pub struct Members(BTreeMap<PeerId, Member>);

impl Members {
    pub fn get(&self, peer: &PeerId) -> Option<&Member> {
        self.0.get(peer)
    }

    pub fn get_mut(&mut self, peer: &PeerId) -> Option<&mut Member> {
        self.0.get_mut(peer)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&PeerId, &Member)> {
        self.0.iter()
    }

    /// Somebody is new in the roster. Returns whether it was not known before.
    pub fn meet(&mut self, peer: PeerId, name: Name, invited_by: PeerId, now: Instant) -> bool {
        if self.0.contains_key(&peer) {
            return false;
        }
        self.0.insert(peer, Member::new(name, invited_by, now));
        true
    }

    /// Somebody has left for good. Returns what was known of it, and whether it was taken to be here.
    pub fn remove(&mut self, peer: &PeerId) -> Option<(Member, bool)> {
        let member = self.0.remove(peer)?;
        let was_here = member.presence == Presence::Here;
        Some((member, was_here))
    }

    /// The link that serves a member.
    pub fn link_of(&self, peer: &PeerId) -> Option<ConnId> {
        self.get(peer)?.link
    }

    /// The links that serve members.
    pub fn links(&self) -> Vec<ConnId> {
        self.0.values().filter_map(|member| member.link).collect()
    }

    /// Members with a link.
    pub fn linked(&self) -> BTreeSet<PeerId> {
        let linked = self.0.iter().filter(|(_, member)| member.link.is_some());
        linked.map(|(peer, _)| *peer).collect()
    }

    /// Members that are taken to be here, whether linked at this moment or not.
    pub fn here(&self) -> BTreeSet<PeerId> {
        let here = self
            .0
            .iter()
            .filter(|(_, member)| member.presence == Presence::Here);
        here.map(|(peer, _)| *peer).collect()
    }

    /// A link serves a member from now on. Returns whether it was lost before; `None` when there is no such member.
    pub fn handle_linked(&mut self, peer: &PeerId, conn: ConnId, now: Instant) -> Option<bool> {
        let member = self.0.get_mut(peer)?;
        member.link = Some(conn);
        member.since = now;
        member.seek = None;
        member.unreached = None;
        member.links.clear();
        Some(std::mem::replace(&mut member.presence, Presence::Here) != Presence::Here)
    }

    /// A link is gone. Returns whether it served the member, and the former link, which is of no use any more then.
    pub fn handle_unlinked(&mut self, peer: &PeerId, conn: ConnId, now: Instant) -> Option<Option<ConnId>> {
        let member = self.0.get_mut(peer)?;
        member.former = member.former.filter(|former| *former != conn);
        if member.link != Some(conn) {
            return None;
        }
        member.link = None;
        member.since = now;
        member.grace = LOST_GRACE;
        member.links.clear();
        member.asking.clear();
        Some(member.former.take())
    }

    /// A member says whom it is linked with, and whom its user is being asked about.
    pub fn handle_heartbeat(
        &mut self,
        peer: &PeerId,
        conn: ConnId,
        links: BTreeSet<PeerId>,
        asking: BTreeSet<PeerId>,
    ) {
        if let Some(member) = self.0.get_mut(peer).filter(|member| member.link == Some(conn)) {
            member.links = links;
            member.asking = asking;
        }
    }

    /// A member's user is being asked about us. Returns whether our user is to know: we wait for that member, and it was not told
    /// a moment ago.
    pub fn handle_asked(&mut self, peer: &PeerId, now: Instant) -> bool {
        let Some(member) = self.0.get_mut(peer).filter(|member| member.link.is_none()) else {
            return false;
        };
        let last = member.asked_at.replace(now);
        last.is_none_or(|last| now >= last + STILL_ASKED)
    }

    /// Marks as gone each member that has no link here and that no other member reports a link with. Returns them, and of each
    /// whether it is this side that is cut off from it.
    pub fn poll_gone(&mut self, now: Instant) -> Vec<(PeerId, bool)> {
        let mut gone = Vec::new();
        for (peer, member) in &self.0 {
            if member.link.is_some() || member.presence != Presence::Here {
                continue;
            }
            let is_seen = self.0.values().any(|other| other.says_linked(peer));
            if !is_seen && now >= member.since + member.grace {
                let is_cut_off = matches!(member.unreached, Some(Unreached::Blocked(_)));
                gone.push((*peer, is_cut_off));
            }
        }
        for (peer, _) in &gone {
            if let Some(member) = self.0.get_mut(peer) {
                member.presence = Presence::Lost;
            }
        }
        gone
    }

    /// Pairs of members that both have a link with us but none with each other, and whom no smaller id than `me` among those
    /// `present` could bring together.
    pub fn holes(&self, me: PeerId, present: &[PeerId], now: Instant) -> Vec<(PeerId, PeerId)> {
        let is_settled = |(_, member): &(&PeerId, &Member)| member.link.is_some() && member.is_settled(now);
        let linked: Vec<_> = self.0.iter().filter(is_settled).map(|(peer, _)| *peer).collect();
        let mut holes = Vec::new();
        for (at, one) in linked.iter().enumerate() {
            for other in &linked[at + 1..] {
                if !self.see_each_other(one, other) && self.is_ours(me, present, one, other) {
                    holes.push((*one, *other));
                }
            }
        }
        holes
    }

    fn says_linked(&self, one: &PeerId, other: &PeerId) -> bool {
        self.get(one).is_some_and(|member| member.says_linked(other))
    }

    fn see_each_other(&self, one: &PeerId, other: &PeerId) -> bool {
        self.says_linked(one, other) && self.says_linked(other, one)
    }

    fn is_ours(&self, me: PeerId, present: &[PeerId], one: &PeerId, other: &PeerId) -> bool {
        let could = |peer: &PeerId| self.says_linked(peer, one) && self.says_linked(peer, other);
        let mut smaller = present.iter().filter(|peer| **peer < me);
        !smaller.any(|peer| peer != one && peer != other && could(peer))
    }

    /// Begins to look for a path back to a member.
    pub fn seek(&mut self, peer: &PeerId, now: Instant) -> bool {
        let Some(member) = self.0.get_mut(peer) else {
            return false;
        };
        member.be_patient(now);
        member.seek = Some(match member.seek {
            Some(seek) if member.restarts.take(now) => seek.again(now),
            Some(seek) => seek,
            None => Reconnection::begin(now),
        });
        true
    }

    /// A member is there, or is not to be sought.
    pub fn stop_seeking(&mut self, peer: &PeerId) {
        if let Some(member) = self.0.get_mut(peer) {
            member.seek = None;
        }
    }

    /// When the next member is to be dialled.
    pub fn next_seek(&self) -> Option<Instant> {
        let sought = self.0.values().filter_map(|member| member.seek);
        sought.map(|seek| seek.next_at()).min()
    }

    /// Whoever is to be dialled now; and whom the user is to hear of, because it takes long. Offline nobody is, and nobody
    /// is late.
    pub fn poll_seek(&mut self, is_offline: bool, now: Instant) -> (Vec<Due>, Vec<PeerId>) {
        let (mut due, mut late) = (Vec::new(), Vec::new());
        for (peer, member) in &mut self.0 {
            let Some(count) = member.seek.as_mut().and_then(|seek| seek.poll(now)) else {
                continue;
            };
            let Some((conn, secret)) = member.reconnect.clone().filter(|_| !is_offline) else {
                continue;
            };
            // Why it cannot be reached says more, and who is only waited for here is not lost.
            let is_waited_for = member.unreached.is_none() && member.link.is_none();
            let is_late = is_waited_for && member.seek.as_mut().is_some_and(|seek| seek.poll_late(now));
            if is_late {
                late.push(*peer);
            }
            due.push(Due {
                peer: *peer,
                conn,
                secret,
                count,
            });
        }
        (due, late)
    }

    /// Of the pairs to a sought member those that come next.
    pub fn next_pairs(&mut self, peer: &PeerId, pairs: Vec<Pair>, count: usize) -> Vec<Pair> {
        let seek = self.0.get_mut(peer).and_then(|member| member.seek.as_mut());
        match seek {
            Some(seek) => seek.next_pairs(pairs, count),
            None => pairs,
        }
    }
}

#[cfg(test)]
mod tests;
