//! Dialling: the pairs to somebody are tried in turn, asked about where that must be, and given up.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, End, Event, Output, Problem};
use crate::address::Pair;
use crate::link::ConnId;
use crate::reach::{Outcome, Unreached};
use crate::route::{Approval, Holder, Path, Reason, RouteId, Verdict};
use crate::secret::Secret;
use crate::sockets::MAX_PAIRS;
use crate::tag;

/// 300 ms: the time between dialling one address and the next (RFC 8305, section 5, allows 100 ms to 2 s). So long takes
/// the first flight, two datagrams of 1200 bytes, over 64 kbit/s.
const DIAL_STAGGER: Duration = Duration::from_millis(300);

/// 1 s: the same when three or more addresses have not answered yet: their packets are sent again meanwhile.
const MAX_DIAL_STAGGER: Duration = Duration::from_secs(1);

/// 10 s: how long an address may take to answer, and each time that something came from there once more, three times at
/// most; as long as the gate lets a guest speak.
const DIAL_TIME: Duration = Duration::from_secs(10);

/// 3 s: the same on the way back to a member. The next attempt begins before this one is over.
const RECONNECT_DIAL_TIME: Duration = Duration::from_secs(3);

/// 2.5 s: how long who joins waits for an address of this side that is not there yet. Linux may take a second to see
/// that a link is up, and IPv6 two until it is sure that nobody else has the address (RFC 4862, section 5.4).
const LINK_TIME: Duration = Duration::from_millis(2500);

/// 1 s: while the user is being asked, how often the pairs that wait with the question are looked at again: what is known,
/// and so what the rule says of them, may have changed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// 16: as many members as there are. Who introduces more at once makes them up.
const MAX_DIALS_EACH: usize = 16;

/// Names one attempt to reach somebody, by one or more addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DialId(pub u64);

/// Names one dialled address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u64);

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

    const fn patience(self) -> Duration {
        match self {
            Self::Inviter | Self::Member(..) => DIAL_TIME,
            Self::Reconnect(..) => RECONNECT_DIAL_TIME,
        }
    }
}

/// An attempt to reach somebody.
pub struct Dial {
    pub target: Target,
    pub secret: Secret,
    /// Where it is to lead.
    pub remotes: Vec<SocketAddr>,
    /// Pairs still to try: from where, to where; the next one last.
    waiting: Vec<Pair>,
    /// These, and those that were tried.
    known: Vec<Pair>,
    /// Until then it waits for an address of ours that is not there yet.
    waits_until: Option<Instant>,
    next_at: Instant,
    pub dialled: BTreeMap<AttemptId, RouteId>,
    /// The user is being asked about this one. Others that need a question wait.
    asking: Option<(AttemptId, RouteId)>,
    /// It is the other side that dials; this is only for the case that it cannot get in. Nobody is asked for that, nor
    /// told that it did not help.
    is_second: bool,
    /// Whether any address could be tried or asked about.
    has_tried: bool,
    /// Whether the user's rule forbade one.
    is_ruled_out: bool,
    outcome: Outcome,
}

impl Dial {
    /// When the next address is due.
    pub fn next_at(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }

    /// Whether the user is being asked about one of its addresses.
    pub const fn is_asking(&self) -> bool {
        self.asking.is_some()
    }

    /// These pairs are to be tried as well, after those that wait already.
    pub fn add_pairs(&mut self, pairs: Vec<Pair>) {
        let room = MAX_PAIRS.saturating_sub(self.known.len());
        let fresh = pairs.into_iter().filter(|path| !self.known.contains(path));
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

impl Call {
    pub(super) fn dial(&mut self, target: Target, secret: Secret, addresses: &[SocketAddr], now: Instant) {
        let pairs = self.pairs(target.peer(), addresses);
        self.begin_dial(target, secret, addresses, (pairs, None), now);
    }

    /// Dials one of `addresses` by these pairs only.
    pub(super) fn dial_by(
        &mut self,
        target: Target,
        secret: Secret,
        addresses: &[SocketAddr],
        pairs: Vec<Pair>,
        now: Instant,
    ) {
        self.begin_dial(target, secret, addresses, (pairs, None), now);
    }

    /// Dials a member that was to dial us, should it not have come by `at`.
    pub(super) fn dial_second(
        &mut self,
        target: Target,
        secret: Secret,
        addresses: &[SocketAddr],
        at: Instant,
        now: Instant,
    ) {
        let pairs = self.pairs(target.peer(), addresses);
        self.begin_dial(target, secret, addresses, (pairs, Some(at)), now);
    }

    fn begin_dial(
        &mut self,
        target: Target,
        secret: Secret,
        addresses: &[SocketAddr],
        (pairs, second_at): (Vec<Pair>, Option<Instant>),
        now: Instant,
    ) {
        // Who joins has only this one attempt; members are tried again.
        let may_wait = target == Target::Inviter && self.sockets.why_no_pair(addresses) == Unreached::NotUp;
        let id = DialId(self.new_id());
        let mut dial = Dial {
            target,
            secret,
            remotes: addresses.to_vec(),
            waiting: Vec::new(),
            known: Vec::new(),
            waits_until: may_wait.then_some(now + LINK_TIME),
            next_at: second_at.unwrap_or(now),
            dialled: BTreeMap::new(),
            asking: None,
            is_second: second_at.is_some(),
            has_tried: false,
            is_ruled_out: false,
            outcome: Outcome::default(),
        };
        dial.add_pairs(pairs);
        self.dials.insert(id, dial);
        self.dial_next_addresses(now);
    }

    /// An address of this side is there that was not: whoever made the code is called from it as well.
    pub(super) fn find_new_pairs(&mut self, now: Instant) {
        let joining = self
            .dials
            .iter()
            .filter(|(_, dial)| dial.target == Target::Inviter);
        let found: Vec<_> = joining
            .map(|(id, dial)| (*id, self.pairs(None, &dial.remotes)))
            .collect();
        for (id, pairs) in found {
            if let Some(dial) = self.dials.get_mut(&id) {
                dial.add_pairs(pairs);
            }
        }
        self.dial_next_addresses(now);
    }

    pub(super) fn dial_next_addresses(&mut self, now: Instant) {
        for id in self.dials.keys().copied().collect::<Vec<_>>() {
            while self
                .dials
                .get(&id)
                .and_then(Dial::next_at)
                .is_some_and(|at| at <= now)
            {
                self.try_next_address(id, now);
            }
            self.end_dial_if_over(id, now);
        }
    }

    /// Dials a dial's next address if it may be dialled, asks about it if that must be, or leaves it out.
    fn try_next_address(&mut self, id: DialId, now: Instant) {
        let Some((target, at)) = self.next_pair(id) else {
            return;
        };
        let Some(at) = at else {
            return self.wait_for_answer(id, now);
        };
        let Some(dial) = self.dials.get_mut(&id).filter(|dial| at < dial.waiting.len()) else {
            return;
        };
        let (local, remote) = dial.waiting.remove(at);
        if !self.sockets.leads_out(local, remote) {
            return;
        }
        let path = self.path(local, remote);
        let verdict = self.judge_dial(target, &path);
        if verdict == Verdict::No {
            if let Some(dial) = self.dials.get_mut(&id) {
                dial.is_ruled_out = true;
            }
            return;
        }
        let attempt = AttemptId(self.new_id());
        let route = self.with_routes(now, |routes, at| {
            routes.open(target.peer(), &path, Holder::Dial(attempt), at)
        });
        if let Some(dial) = self.dials.get_mut(&id) {
            dial.has_tried = true;
        }
        match verdict {
            Verdict::Go(by) => {
                self.with_routes(now, |routes, at| match target {
                    Target::Inviter => routes.approve(route, by, at),
                    Target::Member(..) | Target::Reconnect(..) => routes.agree(route, by, at),
                });
                self.share_local(route, now);
                self.dial_route(id, attempt, route, now);
            }
            Verdict::Ask(_) if target.peer().is_some_and(|peer| !self.may_ask(peer, route, now)) => {
                self.release_dials(&[attempt], Reason::TooMany, now);
            }
            Verdict::Ask(reason) => {
                let tells = !self.sockets.is_shared(&path.local);
                let old = target.peer().and_then(|peer| self.last_path(&peer).cloned());
                self.with_routes(now, |routes, at| routes.ask(route, old, reason, tells, at));
                if let Some(dial) = self.dials.get_mut(&id) {
                    dial.asking = Some((attempt, route));
                }
            }
            Verdict::No => {}
        }
    }

    /// Returns a dial's target and the index of its next pair. Pairs that need no question come first: they may make the
    /// question unnecessary, and need not wait for an answer. The index is `None` if every remaining pair needs a question
    /// that cannot be asked now.
    fn next_pair(&self, id: DialId) -> Option<(Target, Option<usize>)> {
        let dial = self.dials.get(&id)?;
        let needs_no_question = |(local, remote): &Pair| {
            let verdict = self.judge_dial(dial.target, &self.path(*local, *remote));
            !matches!(verdict, Verdict::Ask(_))
        };
        let last = dial.waiting.len().checked_sub(1)?;
        let at = match dial.waiting.iter().rposition(needs_no_question) {
            Some(at) => Some(at),
            None if dial.is_second => None,
            None if dial.target.peer().is_some_and(|peer| self.is_asked_about(peer)) => None,
            None => Some(last),
        };
        Some((dial.target, at))
    }

    fn judge_dial(&self, target: Target, path: &Path) -> Verdict {
        match target.peer() {
            // Giving the code was consent to contact its addresses; whether media may go there is judged later.
            None => Verdict::Go(Approval::Code),
            Some(peer) => self.judge(peer, path),
        }
    }

    /// Whether the user is being asked about any path to this member: there is one question about it at a time.
    fn is_asked_about(&self, peer: PeerId) -> bool {
        let mut routes = self.routes.routes().filter(|route| route.peer == Some(peer));
        routes.any(|route| self.routes.is_asked(route.id))
    }

    /// Hands a dial's remaining pairs, all of which need a question, to the dial whose question about the same member is
    /// open.
    fn wait_for_answer(&mut self, id: DialId, now: Instant) {
        let Some(dial) = self.dials.get_mut(&id) else {
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
        let mut asking = self.dials.values_mut().filter(|dial| dial.is_asking());
        // Of a question about a connection that stands, the answer decides whether anything else is needed.
        if let Some(asking) = asking.find(|dial| dial.target.peer() == peer) {
            asking.add_pairs(pairs);
        }
    }

    fn dial_route(&mut self, id: DialId, attempt: AttemptId, route: RouteId, now: Instant) {
        let path = self.routes.get(route).map(|route| route.path.clone());
        let (Some(dial), Some(path)) = (self.dials.get_mut(&id), path) else {
            return;
        };
        dial.dialled.insert(attempt, route);
        let unanswered = u32::try_from(dial.dialled.len()).unwrap_or(u32::MAX);
        let stagger = DIAL_STAGGER.saturating_mul(unanswered);
        dial.next_at = now + stagger.min(MAX_DIAL_STAGGER);
        let key = match dial.target {
            Target::Inviter => dial.secret.tag_key(),
            Target::Member(..) | Target::Reconnect(..) => dial.secret.tag_key_of(&self.me),
        };
        let tag = tag::make(&key, &mut self.rng);
        self.outputs.push_back(Output::Dial {
            attempt,
            local: path.local,
            remote: path.remote,
            peer: dial.target.peer(),
            tag,
            patience: dial.target.patience(),
        });
    }

    /// The user has answered about a route that a dial waits for; false when there is no such dial.
    pub(super) fn resume_dial(&mut self, route: RouteId, approved: bool, now: Instant) -> bool {
        let waits = |dial: &Dial| dial.asking.is_some_and(|(_, asked)| asked == route);
        let waiting: Vec<_> = self
            .dials
            .iter()
            .filter(|(_, dial)| waits(dial))
            .map(|(id, _)| *id)
            .collect();
        for (n, id) in waiting.iter().enumerate() {
            let Some(dial) = self.dials.get_mut(id) else {
                continue;
            };
            let Some((attempt, _)) = dial.asking.take() else {
                continue;
            };
            dial.next_at = now;
            let path = self
                .routes
                .get(route)
                .map(|route| (route.path.local, route.path.remote));
            let leads_out = path.is_some_and(|(local, remote)| self.sockets.leads_out(local, remote));
            if approved && n == 0 && leads_out {
                self.dial_route(*id, attempt, route, now);
            } else {
                self.release_dials(&[attempt], Reason::Replaced, now);
            }
        }
        self.dial_next_addresses(now);
        !waiting.is_empty()
    }

    /// Gives the running dials to `target` a newer secret. Returns false if another dial has to be started: there is none,
    /// or `comes_first` is set and each is a second dial or waits for the user. Always true once an introducer has its most
    /// dials.
    pub(super) fn refresh_dials(&mut self, target: Target, secret: &Secret, comes_first: bool) -> bool {
        let mut is_dialling = false;
        for dial in self.dials.values_mut().filter(|dial| dial.target == target) {
            dial.secret = secret.clone();
            is_dialling |= !comes_first || (!dial.is_asking() && !dial.is_second);
        }
        let same_introducer = |dial: &&Dial| match (dial.target, target) {
            (Target::Member(_, one), Target::Member(_, other)) => one == other,
            _ => false,
        };
        is_dialling || self.dials.values().filter(same_introducer).count() >= MAX_DIALS_EACH
    }

    /// Gives up every attempt to reach a member.
    pub(super) fn stop_dialling(&mut self, peer: PeerId, reason: Reason, now: Instant) {
        let over: Vec<_> = self
            .dials
            .extract_if(.., |_, dial| dial.target.peer() == Some(peer))
            .flat_map(|(_, dial)| dial.attempt_ids())
            .collect();
        self.release_dials(&over, reason, now);
    }

    /// Gives up what is dialled, or asked about, from addresses of ours that are gone.
    pub(super) fn stop_dialling_from_gone_addresses(&mut self, now: Instant) {
        let mut gone = Vec::new();
        for (attempt, route) in self.dials.values().flat_map(Dial::in_progress) {
            let local = self.routes.get(route).map(|route| route.path.local);
            if !local.is_some_and(|local| self.sockets.is_open_on(&local)) {
                gone.push(attempt);
            }
        }
        let open = self.sockets.usable();
        for dial in self.dials.values_mut() {
            dial.forget_pairs(&open, now);
            dial.dialled.retain(|attempt, _| !gone.contains(attempt));
            if dial
                .asking
                .take_if(|(attempt, _)| gone.contains(attempt))
                .is_some()
            {
                dial.next_at = now;
            }
        }
        self.release_dials(&gone, Reason::InterfaceGone, now);
        self.dial_next_addresses(now);
    }

    /// Members whom the user is being asked about before they are dialled.
    pub(super) fn asking(&self) -> impl Iterator<Item = PeerId> {
        let asking = self.dials.values().filter(|dial| dial.is_asking());
        asking.filter_map(|dial| dial.target.peer())
    }

    pub(super) fn release_dials(&mut self, attempt_ids: &[AttemptId], reason: Reason, now: Instant) {
        for attempt in attempt_ids {
            self.with_routes(now, |routes, at| {
                routes.release(Holder::Dial(*attempt), reason, at);
            });
        }
    }

    fn end_dial_if_over(&mut self, id: DialId, now: Instant) {
        if !self.dials.get(&id).is_some_and(|dial| dial.is_over(now)) {
            return;
        }
        let Some(dial) = self.dials.remove(&id) else {
            return;
        };
        let verdict = dial.outcome.verdict();
        match (dial.target, verdict) {
            _ if dial.is_second => {}
            (Target::Inviter, _) => {
                let why = verdict.unwrap_or_else(|| self.sockets.why_no_pair(&dial.remotes));
                self.end(End::Unreachable(why));
            }
            (Target::Member(peer, _), Some(why)) => self.tell_unreached(peer, why),
            // The user, or the interface that went, has put an end to it.
            (Target::Member(..), None) if dial.has_tried => {}
            (Target::Member(peer, _), None) if dial.is_ruled_out => {
                self.event(Event::Problem(Problem::NotApproved, Some(peer)));
            }
            (Target::Member(peer, _), None) => {
                let why = self.sockets.why_no_pair(&dial.remotes);
                self.tell_unreached(peer, why);
            }
            (Target::Reconnect(peer, _), Some(why @ Unreached::Blocked(_))) => self.tell_unreached(peer, why),
            // That it is gone, or this side's address is, has been told.
            (Target::Reconnect(..), _) => {}
        }
    }

    /// A dialled address could not be reached.
    pub fn handle_dial_failed(&mut self, attempt: AttemptId, now: Instant) {
        let found = self
            .dials
            .iter_mut()
            .find(|(_, dial)| dial.dialled.contains_key(&attempt));
        let Some((id, dial)) = found else { return };
        let id = *id;
        let route = dial.dialled.remove(&attempt);
        let path = route
            .and_then(|route| self.routes.get(route))
            .map(|route| &route.path);
        let delivery = path.and_then(|path| self.deliveries.get(&(path.local, path.remote)));
        dial.outcome.note(delivery.copied());
        dial.next_at = now;
        self.release_dials(&[attempt], Reason::NoAnswer, now);
        self.dial_next_addresses(now);
        self.end_dial_if_over(id, now);
    }
}
