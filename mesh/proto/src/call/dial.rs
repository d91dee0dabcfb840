//! Dialling: the pairs to somebody are judged and tried in turn, asked about where that must be, and given up.

use std::net::SocketAddr;
use std::time::Instant;

use libp2p_identity::PeerId;

use super::{Call, End, Event, Output, Problem};
use crate::address::Pair;
use crate::dials::{Begin, DialId, Next, Target};
use crate::id::AttemptId;
use crate::reach::Unreached;
use crate::route::{Approval, Holder, Path, Reason, RouteId, Verdict};
use crate::secret::Secret;
use crate::sockets::Locals;
use crate::tag;

impl Call {
    pub(super) fn dial(&mut self, target: Target, secret: Secret, addresses: &[SocketAddr], now: Instant) {
        let pairs = self.pairs(target.peer(), addresses);
        self.dial_by(target, secret, addresses, pairs, now);
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
        // Who joins has only this one attempt; members are tried again.
        let may_wait = target == Target::Inviter && self.sockets.why_no_pair(addresses) == Unreached::NotUp;
        let begin = Begin {
            target,
            secret,
            remotes: addresses,
            pairs,
            second_at: None,
            may_wait,
        };
        self.begin_dial(begin, now);
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
        let begin = Begin {
            target,
            secret,
            remotes: addresses,
            pairs: self.pairs(target.peer(), addresses),
            second_at: Some(at),
            may_wait: false,
        };
        self.begin_dial(begin, now);
    }

    fn begin_dial(&mut self, begin: Begin<'_>, now: Instant) {
        let id = DialId(self.new_id());
        self.dials.begin(id, begin, now);
        self.dial_next_addresses(now);
    }

    /// An address of this side is there that was not: whoever made the code is called from it as well.
    pub(super) fn find_new_pairs(&mut self, now: Instant) {
        let sockets = &self.sockets;
        self.dials
            .add_pairs_to_inviter(|remotes| sockets.pairs(Locals::Shared, remotes));
        self.dial_next_addresses(now);
    }

    pub(super) fn dial_next_addresses(&mut self, now: Instant) {
        for id in self.dials.ids() {
            while self.dials.is_due(id, now) {
                self.try_next_address(id, now);
            }
            self.end_dial_if_over(id, now);
        }
    }

    /// Dials a dial's next address if it may be dialled, asks about it if that must be, or leaves it out.
    fn try_next_address(&mut self, id: DialId, now: Instant) {
        let Some((target, waiting)) = self.dials.waiting(id) else {
            return;
        };
        let needs_no_question = |(local, remote): &Pair| {
            let verdict = self.judge_dial(target, &self.path(*local, *remote));
            !matches!(verdict, Verdict::Ask(_))
        };
        let quiet = waiting.iter().rev().copied().find(needs_no_question);
        let is_asked = quiet.is_none() && target.peer().is_some_and(|peer| self.is_asked_about(peer));
        match self.dials.poll_pair(id, quiet, is_asked) {
            Some(Next::Try((local, remote))) if self.sockets.leads_out(local, remote) => {
                self.try_path(id, target, &self.path(local, remote), now);
            }
            Some(Next::Try(_)) | None => {}
            Some(Next::Wait) => self.dials.wait_for_answer(id, now),
        }
    }

    fn try_path(&mut self, id: DialId, target: Target, path: &Path, now: Instant) {
        let verdict = self.judge_dial(target, path);
        if verdict == Verdict::No {
            if let Some(dial) = self.dials.get_mut(id) {
                dial.is_ruled_out = true;
            }
            return;
        }
        let attempt = AttemptId(self.new_id());
        let route = self.with_routes(now, |routes, at| {
            routes.open(target.peer(), path, Holder::Dial(attempt), at)
        });
        if let Some(dial) = self.dials.get_mut(id) {
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
                let old = target.peer().and_then(|peer| self.consents.last(&peer).cloned());
                self.with_routes(now, |routes, at| routes.ask(route, old, reason, tells, at));
                self.dials.handle_asked(id, attempt, route);
            }
            Verdict::No => {}
        }
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

    fn dial_route(&mut self, id: DialId, attempt: AttemptId, route: RouteId, now: Instant) {
        self.dials.handle_dialled(id, attempt, route, now);
        let path = self.routes.get(route).map(|route| route.path.clone());
        let (Some(dial), Some(path)) = (self.dials.get(id), path) else {
            return;
        };
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
        let waited = self.dials.handle_answer(route, now);
        let path = self.routes.get(route).map(|route| route.path.clone());
        let leads_out = path.is_some_and(|path| self.sockets.leads_out(path.local, path.remote));
        for (n, (id, attempt)) in waited.iter().enumerate() {
            if approved && n == 0 && leads_out {
                self.dial_route(*id, *attempt, route, now);
            } else {
                self.release_dials(&[*attempt], Reason::Replaced, now);
            }
        }
        self.dial_next_addresses(now);
        !waited.is_empty()
    }

    /// Gives up every attempt to reach a member.
    pub(super) fn stop_dialling(&mut self, peer: PeerId, reason: Reason, now: Instant) {
        let over = self.dials.remove(peer);
        self.release_dials(&over, reason, now);
    }

    /// Gives up what is dialled, or asked about, from addresses of ours that are gone.
    pub(super) fn stop_dialling_from_gone_addresses(&mut self, now: Instant) {
        let is_gone = |route: RouteId| {
            let local = self.routes.get(route).map(|route| route.path.local);
            !local.is_some_and(|local| self.sockets.is_open_on(&local))
        };
        let gone = self.dials.in_progress().filter(|(_, route)| is_gone(*route));
        let gone: Vec<_> = gone.map(|(attempt, _)| attempt).collect();
        self.dials.forget_gone(&gone, &self.sockets.usable(), now);
        self.release_dials(&gone, Reason::InterfaceGone, now);
        self.dial_next_addresses(now);
    }

    /// Members whom the user is being asked about before they are dialled.
    pub(super) fn asking(&self) -> impl Iterator<Item = PeerId> {
        self.dials.asking().filter_map(Target::peer)
    }

    pub(super) fn release_dials(&mut self, attempt_ids: &[AttemptId], reason: Reason, now: Instant) {
        for attempt in attempt_ids {
            self.with_routes(now, |routes, at| {
                routes.release(Holder::Dial(*attempt), reason, at);
            });
        }
    }

    fn end_dial_if_over(&mut self, id: DialId, now: Instant) {
        let Some(dial) = self.dials.take_over(id, now) else {
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
        let route = self.dials.route_of(attempt);
        let path = route
            .and_then(|route| self.routes.get(route))
            .map(|route| &route.path);
        let delivery = path.and_then(|path| self.deliveries.get(&(path.local, path.remote)));
        let Some(id) = self.dials.handle_failed(attempt, delivery.copied(), now) else {
            return;
        };
        self.release_dials(&[attempt], Reason::NoAnswer, now);
        self.dial_next_addresses(now);
        self.end_dial_if_over(id, now);
    }
}
