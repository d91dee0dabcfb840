//! Dials: attempts to reach somebody, each by one pair of addresses after the other. What a pair may be used for, and what
//! came of it, others say; here is which one is next, and what is known of each dial.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use crate::address::{MAX_PAIRS, Pair};
use crate::connection::ConnId;
use crate::gate::Delivery;
use crate::id::AttemptId;
use crate::reach::Outcome;
use crate::route::RouteId;
use crate::secret::Secret;

/// 300 ms: the time between dialling one address and the next (RFC 8305, section 5, allows 100 ms to 2 s). So long takes
/// the first flight, two datagrams of 1200 bytes, over 64 kbit/s.
const DIAL_STAGGER: Duration = Duration::from_millis(300);

/// 1 s: the same when three or more addresses have not answered yet: their packets are sent again meanwhile.
const MAX_DIAL_STAGGER: Duration = Duration::from_secs(1);

/// 10 s: how long an address may take to answer, and each time that something came from there once more, three times at
/// most; as long as the gate lets an unvalidated address speak.
const DIAL_TIME: Duration = Duration::from_secs(10);

/// 3 s: the same on the way back to a member. The next attempt begins before this one is over.
const RECONNECT_DIAL_TIME: Duration = Duration::from_secs(3);

/// 2.5 s: how long who joins waits for an address of this side that is not there yet. Linux may take a second to see
/// that a link is up, and IPv6 two until it is sure that nobody else has the address (RFC 4862, section 5.4).
pub const LINK_TIME: Duration = Duration::from_millis(2500);

/// 1 s: while the user is being asked, how often the pairs that wait with the question are looked at again: what is known,
/// and so what the rule says of them, may have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// 16: as many members as there are. Who introduces more at once makes them up.
const MAX_DIALS_EACH: usize = 16;

/// Names one dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DialId(pub u64);

/// Whom a dial is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Who made the code.
    Inviter,
    /// A member, and who introduced us.
    Member(PeerId, PeerId),
    /// A member whom this link led to.
    Reconnect(PeerId, ConnId),
}

impl Target {
    /// The member, when it is known who that is.
    pub const fn peer(self) -> Option<PeerId> {
        match self {
            Self::Inviter => None,
            Self::Member(peer, _) | Self::Reconnect(peer, _) => Some(peer),
        }
    }

    /// How long one address may take to answer.
    pub const fn patience(self) -> Duration {
        match self {
            Self::Inviter | Self::Member(..) => DIAL_TIME,
            Self::Reconnect(..) => RECONNECT_DIAL_TIME,
        }
    }
}

/// A dial that is to begin.
pub struct Begin<'a> {
    pub target: Target,
    pub secret: Secret,
    /// Where it is to lead, and by which pairs.
    pub remotes: &'a [SocketAddr],
    pub pairs: Vec<Pair>,
    /// It is the other side that dials; this side does so, too, should it not have come by then.
    pub second_at: Option<Instant>,
    /// An address of ours that would do may be there soon.
    pub may_wait: bool,
}

/// One dial: somebody is to be reached, by one pair after the other.
pub struct Dial {
    pub target: Target,
    pub secret: Secret,
    /// Where it is to lead.
    pub remotes: Vec<SocketAddr>,
    /// Pairs still to try; the next one last.
    waiting: Vec<Pair>,
    /// These, and those that were tried.
    known: Vec<Pair>,
    /// Until then it waits for an address of ours that is not there yet.
    waits_until: Option<Instant>,
    next_at: Instant,
    dialled: BTreeMap<AttemptId, RouteId>,
    /// The user is being asked about this one. Others that need a question wait.
    asking: Option<(AttemptId, RouteId)>,
    /// It is the other side that dials; this is only for the case that it cannot get in. Nobody is asked for that, nor
    /// told that it did not help.
    pub is_second: bool,
    /// Whether any address could be tried or asked about.
    pub has_tried: bool,
    /// Whether the user's rule forbade one.
    pub is_ruled_out: bool,
    pub outcome: Outcome,
}

/// What a dial does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// This pair is to be tried.
    Try(Pair),
    /// All that are left need a question that cannot be asked now.
    Wait,
}

impl Dial {
    /// When the next pair is due.
    fn next_at(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }

    /// Whether the user is being asked about one of its pairs.
    pub const fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// These pairs are to be tried as well, after those that wait already.
    fn add_pairs(&mut self, pairs: Vec<Pair>) {
        let room = MAX_PAIRS.saturating_sub(self.known.len());
        let fresh = pairs.into_iter().filter(|pair| !self.known.contains(pair));
        let mut waiting: Vec<_> = fresh.take(room).collect();
        if waiting.is_empty() {
            return;
        }
        self.known.extend(&waiting);
        waiting.reverse();
        waiting.append(&mut self.waiting);
        self.waiting = waiting;
        self.waits_until = None;
    }

    /// Forgets pairs from addresses of ours that are not among `open`: should they come back, they are new.
    fn forget_pairs(&mut self, open: &[SocketAddr], now: Instant) {
        let before = self.known.len();
        self.known.retain(|(local, _)| open.contains(local));
        self.waiting.retain(|(local, _)| open.contains(local));
        if self.target == Target::Inviter && self.known.len() < before {
            self.waits_until = Some(now + LINK_TIME);
        }
    }

    /// What is being dialled or asked about.
    fn in_progress(&self) -> impl Iterator<Item = (AttemptId, RouteId)> {
        let dialled = self.dialled.iter().map(|(attempt, route)| (*attempt, *route));
        dialled.chain(self.asking)
    }

    /// Of what is being dialled or asked about.
    pub fn attempt_ids(&self) -> Vec<AttemptId> {
        self.in_progress().map(|(attempt, _)| attempt).collect()
    }

    fn is_over(&self, now: Instant) -> bool {
        let is_idle = self.waiting.is_empty() && self.dialled.is_empty() && self.asking.is_none();
        is_idle && self.waits_until.is_none_or(|until| now >= until)
    }
}

/// All dials.
#[derive(Default)]
pub struct Dials(BTreeMap<DialId, Dial>);

impl Dials {
    pub fn begin(&mut self, id: DialId, begin: Begin<'_>, now: Instant) {
        let mut dial = Dial {
            target: begin.target,
            secret: begin.secret,
            remotes: begin.remotes.to_vec(),
            waiting: Vec::new(),
            known: Vec::new(),
            waits_until: begin.may_wait.then_some(now + LINK_TIME),
            next_at: begin.second_at.unwrap_or(now),
            dialled: BTreeMap::new(),
            asking: None,
            is_second: begin.second_at.is_some(),
            has_tried: false,
            is_ruled_out: false,
            outcome: Outcome::default(),
        };
        dial.add_pairs(begin.pairs);
        self.0.insert(id, dial);
    }

    pub fn ids(&self) -> Vec<DialId> {
        self.0.keys().copied().collect()
    }

    pub fn get(&self, id: DialId) -> Option<&Dial> {
        self.0.get(&id)
    }

    pub fn get_mut(&mut self, id: DialId) -> Option<&mut Dial> {
        self.0.get_mut(&id)
    }

    /// When the next pair of any dial is due.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.0.values().filter_map(Dial::next_at).min()
    }

    pub fn is_due(&self, id: DialId, now: Instant) -> bool {
        let next_at = self.get(id).and_then(Dial::next_at);
        next_at.is_some_and(|at| at <= now)
    }

    /// Whom a dial is meant for, and the pairs that it has left, the next one last.
    pub fn waiting(&self, id: DialId) -> Option<(Target, &[Pair])> {
        let dial = self.0.get(&id)?;
        Some((dial.target, &dial.waiting))
    }

    /// Takes a dial's next pair. One that needs no question, `quiet`, comes first: it may make the question unnecessary, and
    /// need not wait for an answer. `is_asked` says whether the user is being asked about the member already: there is one
    /// question about each at a time.
    pub fn poll_pair(&mut self, id: DialId, quiet: Option<Pair>, is_asked: bool) -> Option<Next> {
        let dial = self.0.get_mut(&id)?;
        let last = dial.waiting.len().checked_sub(1)?;
        let at = match dial.waiting.iter().rposition(|pair| Some(*pair) == quiet) {
            Some(at) => at,
            None if dial.is_second || is_asked => return Some(Next::Wait),
            None => last,
        };
        Some(Next::Try(dial.waiting.remove(at)))
    }

    /// All that a dial has left needs a question that cannot be asked now. A second dial gives up; any other hands its pairs to
    /// the dial whose question about the same member is open, or looks again a little later if that is its own.
    pub fn wait_for_answer(&mut self, id: DialId, now: Instant) {
        let Some(dial) = self.0.get_mut(&id) else {
            return;
        };
        if dial.is_second {
            dial.waiting.clear();
            return;
        }
        if dial.is_asking() {
            dial.next_at = now + LOOK_AGAIN;
            return;
        }
        dial.has_tried = true;
        let (peer, mut pairs) = (dial.target.peer(), std::mem::take(&mut dial.waiting));
        pairs.reverse();
        let mut asking = self.0.values_mut().filter(|dial| dial.is_asking());
        // Of a question about a connection that stands, the answer decides whether anything else is needed.
        if let Some(asking) = asking.find(|dial| dial.target.peer() == peer) {
            asking.add_pairs(pairs);
        }
    }

    /// The user is asked about one of a dial's pairs.
    pub fn handle_asked(&mut self, id: DialId, attempt: AttemptId, route: RouteId) {
        if let Some(dial) = self.0.get_mut(&id) {
            dial.asking = Some((attempt, route));
        }
    }

    /// One of a dial's pairs is dialled.
    pub fn handle_dialled(&mut self, id: DialId, attempt: AttemptId, route: RouteId, now: Instant) {
        if let Some(dial) = self.0.get_mut(&id) {
            dial.dialled.insert(attempt, route);
            let unanswered = u32::try_from(dial.dialled.len()).unwrap_or(u32::MAX);
            let stagger = DIAL_STAGGER.saturating_mul(unanswered);
            dial.next_at = now + stagger.min(MAX_DIAL_STAGGER);
        }
    }

    /// The user has answered about a route: which dials waited for that, and with which attempt.
    pub fn handle_answer(&mut self, route: RouteId, now: Instant) -> Vec<(DialId, AttemptId)> {
        let mut waited = Vec::new();
        for (id, dial) in &mut self.0 {
            if let Some((attempt, _)) = dial.asking.take_if(|(_, asked)| *asked == route) {
                dial.next_at = now;
                waited.push((*id, attempt));
            }
        }
        waited
    }

    /// An attempt led to a connection: its dial is over. With the route of that attempt.
    pub fn handle_connected(&mut self, attempt: AttemptId) -> Option<(Dial, RouteId)> {
        let id = self.of_attempt(attempt)?;
        let dial = self.0.remove(&id)?;
        let route = *dial.dialled.get(&attempt)?;
        Some((dial, route))
    }

    /// The route of an attempt that is being dialled.
    pub fn route_of(&self, attempt: AttemptId) -> Option<RouteId> {
        let mut dials = self.0.values();
        dials.find_map(|dial| dial.dialled.get(&attempt).copied())
    }

    /// An attempt led to nobody; `delivery` is what became of the last packet there, if there was one. Returns whose it was.
    pub fn handle_failed(
        &mut self,
        attempt: AttemptId,
        delivery: Option<Delivery>,
        now: Instant,
    ) -> Option<DialId> {
        let id = self.of_attempt(attempt)?;
        let dial = self.0.get_mut(&id)?;
        dial.dialled.remove(&attempt);
        dial.outcome.note(delivery);
        dial.next_at = now;
        Some(id)
    }

    /// Takes a dial that has nothing left to do.
    pub fn take_over(&mut self, id: DialId, now: Instant) -> Option<Dial> {
        self.0.get(&id).filter(|dial| dial.is_over(now))?;
        self.0.remove(&id)
    }

    /// Those who dial whoever made a code may use further pairs.
    pub fn add_pairs_to_inviter(&mut self, pairs_to: impl Fn(&[SocketAddr]) -> Vec<Pair>) {
        for dial in self.0.values_mut().filter(|dial| dial.target == Target::Inviter) {
            dial.add_pairs(pairs_to(&dial.remotes));
        }
    }

    /// Gives the running dials to `target` a newer secret. Returns false if another dial has to be started: there is none,
    /// or `comes_first` is set and each is a second dial or waits for the user. Always true once an introducer has its most
    /// dials.
    pub fn refresh(&mut self, target: Target, secret: &Secret, comes_first: bool) -> bool {
        let mut is_dialling = false;
        for dial in self.0.values_mut().filter(|dial| dial.target == target) {
            dial.secret = secret.clone();
            is_dialling |= !comes_first || (!dial.is_asking() && !dial.is_second);
        }
        let same_introducer = |dial: &&Dial| match (dial.target, target) {
            (Target::Member(_, one), Target::Member(_, other)) => one == other,
            _ => false,
        };
        is_dialling || self.0.values().filter(same_introducer).count() >= MAX_DIALS_EACH
    }

    /// Gives up every dial to a member. Returns their attempts.
    pub fn remove(&mut self, peer: PeerId) -> Vec<AttemptId> {
        let over = self.0.extract_if(.., |_, dial| dial.target.peer() == Some(peer));
        over.flat_map(|(_, dial)| dial.attempt_ids()).collect()
    }

    /// Gives up these attempts, and pairs from addresses of ours that are not among `open`.
    pub fn forget_gone(&mut self, gone: &[AttemptId], open: &[SocketAddr], now: Instant) {
        for dial in self.0.values_mut() {
            dial.forget_pairs(open, now);
            dial.dialled.retain(|attempt, _| !gone.contains(attempt));
            let asked = dial.asking.take_if(|(attempt, _)| gone.contains(attempt));
            if asked.is_some() {
                dial.next_at = now;
            }
        }
    }

    /// All that is being dialled or asked about.
    pub fn in_progress(&self) -> impl Iterator<Item = (AttemptId, RouteId)> {
        self.0.values().flat_map(Dial::in_progress)
    }

    /// Targets that the user is being asked about before they are dialled.
    pub fn asking(&self) -> impl Iterator<Item = Target> {
        let asking = self.0.values().filter(|dial| dial.is_asking());
        asking.map(|dial| dial.target)
    }

    fn of_attempt(&self, attempt: AttemptId) -> Option<DialId> {
        let mut dials = self.0.iter();
        dials.find_map(|(id, dial)| dial.dialled.contains_key(&attempt).then_some(*id))
    }
}

#[cfg(test)]
mod tests;
