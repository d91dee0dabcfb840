//! Consent: what the user's rule says of each way, the questions that it leaves to the user, and what the other
//! side says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Output};
use crate::interface::{Interface, Medium};
use crate::link::{ConnId, Link};
use crate::route::{
    self, Approval, Consent, Holder, Kind, Known, QuestionId, Reason, RouteId, Rule, Said, State, Table,
    Verdict, Way,
};
use crate::wire::{Control, Peer};

/// 4 s: words about the same question are that far apart at most; they come with each beat.
const STILL_ASKED: Duration = Duration::from_secs(4);

impl Call {
    /// Changes routes, and hands out what that leads to.
    pub(super) fn with_routes<T>(
        &mut self,
        now: Instant,
        change: impl FnOnce(&mut Table, Duration) -> T,
    ) -> T {
        let result = change(&mut self.routes, self.config.clock.since_start(now));
        while let Some(said) = self.routes.poll_said() {
            self.outputs.push_back(match said {
                Said::Gate(change) => Output::Gate(change),
                Said::Step(step) => Output::Event(Event::Route(Box::new(step))),
                Said::Asked(question) => {
                    let name = question.new.peer.map(|peer| self.name_of(&peer));
                    Output::Event(Event::Ask(Box::new(question), name))
                }
                Said::Answered(question, answer) => Output::Event(Event::Answered(question, answer)),
            });
        }
        result
    }

    /// All routes, those that only wait included.
    #[must_use]
    pub const fn routes(&self) -> &Table {
        &self.routes
    }

    /// The state of the route behind a connection.
    #[must_use]
    pub fn route_state(&self, conn: ConnId) -> Option<State> {
        let route = self.links.get(&conn)?.route?;
        self.routes.get(route).map(|route| route.state)
    }

    /// The way from here to `remote`: `None` when no address of this side fits.
    pub(super) fn way_to(&self, peer: Option<PeerId>, remote: SocketAddr) -> Option<Way> {
        let fits = |local: &&SocketAddr| {
            local.is_ipv4() == remote.is_ipv4()
                && local.ip().is_loopback() == remote.ip().is_loopback()
                && self.is_usable(local)
        };
        let last = peer.and_then(|peer| self.last_way(&peer)).map(|way| &way.local);
        let unchanged = last.filter(|local| self.locals.contains(local)).filter(fits);
        let local = *unchanged.or_else(|| self.locals.iter().find(fits))?;
        Some(self.way(local, remote))
    }

    pub(super) fn way(&self, local: SocketAddr, remote: SocketAddr) -> Way {
        Way {
            kind: Kind::Direct,
            local,
            interface: self.interface_of(&local).map(|interface| interface.name.clone()),
            remote,
            far: None,
        }
    }

    pub(super) fn interface_of(&self, local: &SocketAddr) -> Option<&Interface> {
        let mut interfaces = self.interfaces.iter();
        interfaces.find(|interface| interface.address == local.ip())
    }

    /// Whether this address of ours is there, and on an interface that may be used.
    pub(super) fn is_usable(&self, local: &SocketAddr) -> bool {
        // Every address of 127.0.0.0/8 is there, though only one is listed.
        local.ip().is_loopback() || self.interface_of(local).is_some()
    }

    /// The route of a connection whose peer has just proved who it is.
    pub(super) fn prove_route(&mut self, conn: ConnId, now: Instant) {
        let Some(link) = self.links.get(&conn) else { return };
        let (peer, known) = (link.peer, link.route);
        let way = self.way(link.local, link.remote);
        let route = self.with_routes(now, |routes, at| {
            let route = known.unwrap_or_else(|| routes.open(Some(peer), &way, Holder::Link(conn), at));
            routes.prove(route);
            route
        });
        if let Some(link) = self.links.get_mut(&conn) {
            link.route = Some(route);
        }
    }

    /// What the user's rule says of a way to a member.
    pub(super) fn judge(&self, peer: PeerId, way: &Way) -> Verdict {
        let shared = self.addresses_of(&peer);
        let member = self.members.get(&peer);
        let known = Known {
            last: member.and_then(|member| member.last_way.as_ref()),
            in_code: self.code.as_ref().map_or(&[], |code| &code.addresses),
            shared: &shared,
            before: member.map_or(&[], |member| &member.ways_before),
            agreed: member.and_then(|member| member.agreed.as_ref()),
            denied: self.routes.is_refused(Some(peer), way),
            unticked: !self.ticked.contains(&way.local),
        };
        route::judge(self.rule, way, &known)
    }

    pub(super) fn last_way(&self, peer: &PeerId) -> Option<&Way> {
        self.members.get(peer)?.last_way.as_ref()
    }

    /// Judges the way of the link that serves a member: media flows, or waits for the user, or never flows.
    pub(super) fn judge_link(&mut self, conn: ConnId, now: Instant) {
        let Some((peer, id)) = self
            .links
            .get(&conn)
            .and_then(|link| Some((link.peer, link.route?)))
        else {
            return;
        };
        let Some(route) = self.routes.get(id) else { return };
        let way = route.way.clone();
        let changed = self.last_way(&peer).and_then(|last| way.change_from(last));
        let verdict = self.judge(peer, &way);
        if let (Some(reason), Some(former)) = (changed, self.former_route(&peer)) {
            self.with_routes(now, |routes, at| routes.pause(former, reason, at));
        }
        match verdict {
            Verdict::Go(by) => {
                let was_asked = self.routes.is_asked(id);
                self.with_routes(now, |routes, at| routes.agree(id, by, at));
                if was_asked {
                    self.send(conn, &Control::Consent(Consent::Given), now);
                }
                self.settle(conn, now);
            }
            Verdict::Ask(_) if !self.routes.is_asked(id) && !self.may_ask(peer, now) => {
                self.close(conn, Reason::Denied);
            }
            Verdict::Ask(reason) => {
                let old = self.last_way(&peer).cloned();
                if self.with_routes(now, |routes, at| routes.ask(id, old, reason, at)) {
                    self.send(conn, &Control::Consent(Consent::Asked), now);
                }
            }
            Verdict::No => {
                if self.routes.is_refused(Some(peer), &way) {
                    self.send(conn, &Control::Consent(Consent::Denied), now);
                    self.close(conn, Reason::Denied);
                } else {
                    self.send(conn, &Control::Consent(Consent::Withheld), now);
                }
            }
        }
    }

    /// Whether the user may be asked about this member once more.
    pub(super) fn may_ask(&mut self, peer: PeerId, now: Instant) -> bool {
        let member = self.members.get_mut(&peer);
        member.is_none_or(|member| member.questions.take(now))
    }

    /// The route that a member's media took before the one that serves it now.
    fn former_route(&self, peer: &PeerId) -> Option<RouteId> {
        let former = self.members.get(peer)?.former?;
        self.links.get(&former)?.route
    }

    /// Lets media flow on a member's link if everything agrees; what it took before is closed then.
    fn settle(&mut self, conn: ConnId, now: Instant) {
        let Some((peer, id)) = self
            .links
            .get(&conn)
            .and_then(|link| Some((link.peer, link.route?)))
        else {
            return;
        };
        if self.link_of(&peer) != Some(conn) {
            return;
        }
        let flows = self.with_routes(now, |routes, at| routes.activate(id, Reason::Ready, at));
        let Some(way) = self
            .routes
            .get(id)
            .map(|route| route.way.clone())
            .filter(|_| flows)
        else {
            return;
        };
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        member.take_way(way);
        if let Some(former) = member.former.take() {
            self.close(former, Reason::Replaced);
        }
    }

    /// The user answers a question.
    pub(super) fn answer(&mut self, question: QuestionId, approved: bool, now: Instant) {
        let Some(id) = self.routes.asked(question) else {
            return;
        };
        let conn = self.serving(id);
        if approved {
            self.with_routes(now, |routes, at| routes.agree(id, Approval::User, at));
            self.remember_yes(id);
            self.tick_local(id, now);
            if !self.resume_dial(id, true, now)
                && let Some(conn) = conn
            {
                self.send(conn, &Control::Consent(Consent::Given), now);
                self.settle(conn, now);
            }
            return;
        }
        if let Some(conn) = conn {
            self.send(conn, &Control::Consent(Consent::Denied), now);
        }
        self.with_routes(now, |routes, at| routes.deny(id, at));
        self.resume_dial(id, false, now);
        if let Some(conn) = conn {
            self.close(conn, Reason::Denied);
            self.go_back(conn, now);
        }
    }

    /// A "yes" holds until media flows, however often the way has to be dialled for that.
    fn remember_yes(&mut self, id: RouteId) {
        let route = self.routes.get(id);
        let found = route.and_then(|route| Some((self.members.get_mut(&route.peer?)?, route.way.clone())));
        if let Some((member, way)) = found {
            member.agreed = Some(way);
        }
    }

    /// After a "no" to a new way: the one before serves again, if it is still there.
    fn go_back(&mut self, denied: ConnId, now: Instant) {
        let Some(peer) = self.links.get(&denied).map(|link| link.peer) else {
            return;
        };
        let Some(member) = self
            .members
            .get_mut(&peer)
            .filter(|member| member.link == Some(denied))
        else {
            return;
        };
        if let Some(former) = member.former.take() {
            member.link = Some(former);
            self.judge_link(former, now);
        }
    }

    /// The link that serves a member on this route.
    fn serving(&self, id: RouteId) -> Option<ConnId> {
        let mut links = self.links.iter();
        let serves =
            |conn: &ConnId, link: &Link| link.route == Some(id) && self.link_of(&link.peer) == Some(*conn);
        links.find_map(|(conn, link)| serves(conn, link).then_some(*conn))
    }

    /// The user chooses another rule: what it allows goes on, what it does not waits.
    pub(super) fn set_rule(&mut self, rule: Rule, now: Instant) {
        self.rule = rule;
        for conn in self
            .members
            .values()
            .filter_map(|member| member.link)
            .collect::<Vec<_>>()
        {
            self.judge_link(conn, now);
        }
        let asked: Vec<_> = self
            .routes
            .routes()
            .map(|route| (route.id, route.peer, route.way.clone()))
            .collect();
        for (id, peer, way) in asked {
            let verdict = peer.map(|peer| self.judge(peer, &way));
            if let (true, None, Some(Verdict::Go(by))) = (self.routes.is_asked(id), self.serving(id), verdict)
            {
                self.with_routes(now, |routes, at| routes.agree(id, by, at));
                self.resume_dial(id, true, now);
            }
        }
    }

    /// The other side says what its user says.
    pub(super) fn handle_consent(&mut self, conn: ConnId, theirs: Consent, now: Instant) {
        let Some(id) = self.links.get(&conn).and_then(|link| link.route) else {
            return;
        };
        self.with_routes(now, |routes, at| routes.handle_consent(id, theirs, at));
        self.settle(conn, now);
    }

    /// A member's user is being asked about others, whom only we can tell: it has no link with them.
    pub(super) fn pass_on_asking(&mut self, conn: ConnId, about: &[Peer], now: Instant) {
        let Some(by) = self.links.get(&conn).map(|link| link.peer) else {
            return;
        };
        let known = about.iter().filter_map(|peer| self.link_of(&peer.id()?));
        for to in known.collect::<Vec<_>>() {
            self.send(to, &Control::Asked(by.into()), now);
        }
    }

    /// Somebody's user is being asked about us: whoever waits for them should know.
    pub(super) fn handle_asked(&mut self, by: &Peer, now: Instant) {
        let Some(peer) = by.id() else { return };
        let Some(member) = self.members.get_mut(&peer).filter(|member| member.link.is_none()) else {
            return;
        };
        let last = member.asked_at.replace(now);
        if last.is_none_or(|last| now >= last + STILL_ASKED) {
            self.event(Event::Waiting(peer));
        }
    }

    /// The other side says over what it is connected.
    pub(super) fn handle_medium(&mut self, conn: ConnId, medium: Medium, now: Instant) {
        let Some(link) = self.links.get(&conn) else { return };
        let (peer, Some(id)) = (link.peer, link.route) else {
            return;
        };
        self.with_routes(now, |routes, _| routes.set_far(id, Some(medium)));
        if self.link_of(&peer) != Some(conn) {
            return;
        }
        let is_first = self.last_way(&peer).is_some_and(|way| way.far.is_none());
        if is_first && let Some(member) = self.members.get_mut(&peer) {
            member.learn_far(medium);
        }
        self.judge_link(conn, now);
    }

    /// Says over what this side of a link is connected, if the user wants that said.
    pub(super) fn tell_medium(&mut self, conn: ConnId, now: Instant) {
        if !self.config.tell_medium {
            return;
        }
        let link = self.links.get(&conn);
        let medium = link
            .and_then(|link| self.interface_of(&link.local))
            .map(|interface| interface.medium);
        if let Some(medium) = medium {
            self.send(conn, &Control::Medium(medium), now);
        }
    }
}
