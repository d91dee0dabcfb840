//! Consent: what follows for links and routes from what the user lets media do (`consents.rs`), the questions that are left to
//! them, and what the other side says.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Output, Problem};
use crate::connection::{ConnId, Connection};
use crate::consents::Facts;
use crate::interface::Medium;
use crate::route::{
    Approval, Consent, Holder, Path, PathKind, QuestionId, Reason, RouteId, Rule, State, Table, TableEvent,
    Verdict,
};
use crate::wire::{Control, Peer};

impl Call {
    /// Changes routes, and hands out what that leads to.
    pub(super) fn with_routes<T>(
        &mut self,
        now: Instant,
        change: impl FnOnce(&mut Table, Duration) -> T,
    ) -> T {
        let result = change(&mut self.routes, self.config.clock.since_start(now));
        while let Some(said) = self.routes.poll_event() {
            self.outputs.push_back(match said {
                TableEvent::Gate(change) => Output::Gate(change),
                TableEvent::Step(step) => Output::Event(Event::Route(Box::new(step))),
                TableEvent::Asked(question) => {
                    let name = question.new.peer.map(|peer| self.name_of(&peer));
                    Output::Event(Event::Ask(Box::new(question), name))
                }
                TableEvent::Answered(question, answer) => Output::Event(Event::Answered(question, answer)),
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
        let (_, route) = self.peer_and_route(conn)?;
        self.routes.get(route).map(|route| route.state)
    }

    /// Whom a connection leads to, and its route, once the peer has proved who it is.
    pub(super) fn peer_and_route(&self, conn: ConnId) -> Option<(PeerId, RouteId)> {
        let link = self.connections.get(&conn)?;
        Some((link.peer, link.route?))
    }

    pub(super) fn path(&self, local: SocketAddr, remote: SocketAddr) -> Path {
        Path {
            kind: PathKind::Direct,
            local,
            interface: self
                .sockets
                .interface_of(&local)
                .map(|interface| interface.name.clone()),
            remote,
            remote_medium: None,
        }
    }

    /// The route of a connection whose peer has just proved who it is.
    pub(super) fn prove_route(&mut self, conn: ConnId, now: Instant) {
        let Some(link) = self.connections.get(&conn) else {
            return;
        };
        let (peer, known) = (link.peer, link.route);
        let path = self.path(link.local, link.remote);
        let route = self.with_routes(now, |routes, at| {
            known.unwrap_or_else(|| routes.open(Some(peer), &path, Holder::Link(conn), at))
        });
        // While the handshake went on the address may have gone.
        self.tell_routes_what_is_usable(now);
        self.with_routes(now, |routes, _| routes.prove(route));
        if let Some(link) = self.connections.get_mut(&conn) {
            link.route = Some(route);
        }
    }

    /// What the user's rule says of a path to a member.
    pub(super) fn judge(&self, peer: PeerId, path: &Path) -> Verdict {
        let facts = Facts {
            shared: &self.addresses_of(&peer),
            is_refused: self.routes.is_refused(Some(peer), path),
            is_unshared: !self.sockets.is_shared(&path.local),
        };
        self.consents.judge(&peer, path, &facts)
    }

    /// Judges the path of the link that serves a member: media flows, or waits for the user, or never flows.
    pub(super) fn judge_link(&mut self, conn: ConnId, now: Instant) {
        let Some((peer, id)) = self.peer_and_route(conn) else {
            return;
        };
        let Some(route) = self.routes.get(id) else { return };
        let path = route.path.clone();
        let changed = self.consents.change(&peer, &path);
        let verdict = self.judge(peer, &path);
        if let (Some(reason), Some(former)) = (changed, self.former_route(&peer)) {
            self.with_routes(now, |routes, at| routes.pause(former, reason, at));
        }
        match verdict {
            Verdict::Go(by) => {
                self.with_routes(now, |routes, at| routes.agree(id, by, at));
                self.say_consent(conn, Consent::Given, now);
                self.settle(conn, now);
            }
            Verdict::Ask(_) if !self.may_ask(peer, id, now) => {
                self.event(Event::Problem(Problem::TooManyQuestions, Some(peer)));
                self.say_consent(conn, Consent::Withheld, now);
                self.close(conn, Reason::TooMany);
                self.go_back(conn, now);
            }
            Verdict::Ask(reason) => {
                let old = self.consents.last(&peer).cloned();
                let tells = !self.sockets.is_shared(&path.local);
                self.with_routes(now, |routes, at| routes.ask(id, old, reason, tells, at));
                self.say_consent(conn, Consent::Asked, now);
            }
            Verdict::No if self.routes.is_refused(Some(peer), &path) => {
                self.say_consent(conn, Consent::Denied, now);
                self.close(conn, Reason::Denied);
                self.go_back(conn, now);
            }
            Verdict::No => {
                self.with_routes(now, |routes, at| routes.withhold(id, at));
                self.members.stop_seeking(&peer);
                self.say_consent(conn, Consent::Withheld, now);
            }
        }
    }

    /// Tells the other side of a link what this side's user, or rule, says now.
    fn say_consent(&mut self, conn: ConnId, ours: Consent, now: Instant) {
        let said = self
            .connections
            .get_mut(&conn)
            .map(|link| std::mem::replace(&mut link.said, ours));
        if said.is_some_and(|said| said != ours) {
            self.send(conn, &Control::Consent(ours), now);
        }
    }

    /// Whether the user may be asked about this member once more.
    pub(super) fn may_ask(&mut self, peer: PeerId, id: RouteId, now: Instant) -> bool {
        self.routes.is_asked(id) || self.consents.take_question(&peer, now)
    }

    /// The route that a member's media took before the one that serves it now.
    fn former_route(&self, peer: &PeerId) -> Option<RouteId> {
        let former = self.members.get(peer)?.former?;
        self.connections.get(&former)?.route
    }

    /// Lets media flow on a member's link if everything agrees; what it took before is closed then.
    pub(super) fn settle(&mut self, conn: ConnId, now: Instant) {
        let Some((peer, id)) = self.peer_and_route(conn) else {
            return;
        };
        if self.members.link_of(&peer) != Some(conn) {
            return;
        }
        let flows = self.with_routes(now, |routes, at| routes.activate(id, Reason::Ready, at));
        let Some(path) = self
            .routes
            .get(id)
            .map(|route| route.path.clone())
            .filter(|_| flows)
        else {
            return;
        };
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        let former = member.former.take();
        self.consents.handle_flows(&peer, path);
        self.members.stop_seeking(&peer);
        if let Some(former) = former {
            self.close(former, Reason::Replaced);
        }
        self.stop_dialling(peer, Reason::Replaced, now);
    }

    /// The user answers a question.
    pub(super) fn answer(&mut self, question: QuestionId, approved: bool, now: Instant) {
        let Some(id) = self.routes.asked(question) else {
            return;
        };
        let conn = self.serving(id);
        if approved {
            self.with_routes(now, |routes, at| routes.agree(id, Approval::User, at));
            let route = self.routes.get(id);
            if let Some((peer, path)) = route.and_then(|route| Some((route.peer?, route.path.clone()))) {
                self.consents.handle_yes(&peer, path);
            }
            self.share_local(id, now);
            if !self.resume_dial(id, true, now)
                && let Some(conn) = conn
            {
                self.say_consent(conn, Consent::Given, now);
                self.settle(conn, now);
            }
            return;
        }
        if let Some(conn) = conn {
            self.say_consent(conn, Consent::Denied, now);
        }
        self.with_routes(now, |routes, at| routes.deny(id, at));
        self.resume_dial(id, false, now);
        if let Some(conn) = conn {
            self.close(conn, Reason::Denied);
            self.go_back(conn, now);
        }
    }

    /// After a "no" to a new path: the one before serves again, if it is still there.
    fn go_back(&mut self, denied: ConnId, now: Instant) {
        let Some(peer) = self.connections.get(&denied).map(|link| link.peer) else {
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
        let mut links = self.connections.iter();
        let serves = |conn: &ConnId, link: &Connection| {
            link.route == Some(id) && self.members.link_of(&link.peer) == Some(*conn)
        };
        links.find_map(|(conn, link)| serves(conn, link).then_some(*conn))
    }

    /// The user chooses another rule: what it allows goes on, what it does not waits.
    pub(super) fn set_rule(&mut self, rule: Rule, now: Instant) {
        self.consents.set_rule(rule);
        for conn in self.members.links() {
            self.judge_link(conn, now);
        }
        self.judge_questions(now);
        let routes = self.routes.routes();
        let ruled_out: Vec<_> = routes
            .filter(|route| route.state == State::Approved && self.serving(route.id).is_none())
            .filter_map(|route| {
                route
                    .peer
                    .filter(|peer| self.judge(*peer, &route.path) == Verdict::No)
            })
            .collect();
        for peer in ruled_out {
            self.stop_dialling(peer, Reason::Rule, now);
        }
    }

    /// Answers open questions by rule where what is known now allows that.
    pub(super) fn judge_questions(&mut self, now: Instant) {
        let asked = self
            .routes
            .routes()
            .filter(|route| self.routes.is_asked(route.id));
        let asked: Vec<_> = asked
            .filter_map(|route| Some((route.id, route.peer?, route.path.clone())))
            .collect();
        for (id, peer, path) in asked {
            match (self.serving(id), self.judge(peer, &path)) {
                (Some(conn), _) => self.judge_link(conn, now),
                (None, Verdict::Go(by)) => {
                    self.with_routes(now, |routes, at| routes.agree(id, by, at));
                    self.resume_dial(id, true, now);
                }
                (None, Verdict::No) => self.stop_dialling(peer, Reason::Rule, now),
                (None, Verdict::Ask(_)) => {}
            }
        }
    }

    /// The other side says what its user says.
    pub(super) fn handle_consent(&mut self, conn: ConnId, theirs: Consent, now: Instant) {
        let Some(link) = self.connections.get_mut(&conn) else {
            return;
        };
        let Some(id) = link.route else { return };
        if !link.changes.take(now) {
            return self.fail(conn, Problem::Flood);
        }
        self.with_routes(now, |routes, at| routes.handle_consent(id, theirs, at));
        self.settle(conn, now);
    }

    /// Members' users are being asked about others with whom they have no link: only we can tell those.
    pub(super) fn pass_on_asking(&mut self, now: Instant) {
        let mut told = Vec::new();
        for (by, member) in self.members.iter() {
            let about = member.asking.iter().filter_map(|peer| self.members.link_of(peer));
            told.extend(about.map(|conn| (conn, *by)));
        }
        for (conn, by) in told {
            self.send(conn, &Control::Asked(by.into()), now);
        }
    }

    /// Somebody's user is being asked about us: whoever waits for them should know.
    pub(super) fn handle_asked(&mut self, by: &Peer, now: Instant) {
        let Some(peer) = by.id() else { return };
        if self.members.handle_asked(&peer, now) {
            self.event(Event::Waiting(peer));
        }
    }

    /// The other side says over what it is connected.
    pub(super) fn handle_medium(&mut self, conn: ConnId, medium: Medium, now: Instant) {
        let Some(link) = self.connections.get_mut(&conn) else {
            return;
        };
        let (peer, Some(id)) = (link.peer, link.route) else {
            return;
        };
        if self
            .routes
            .get(id)
            .is_none_or(|route| route.path.remote_medium == Some(medium))
        {
            return;
        }
        if !link.changes.take(now) {
            return self.fail(conn, Problem::Flood);
        }
        // What the user was asked is not what it would be a yes to any more.
        self.with_routes(now, |routes, _| routes.set_remote_medium(id, medium));
        if self.members.link_of(&peer) != Some(conn) {
            return;
        }
        self.consents.learn_remote_medium(&peer, medium);
        let is_unchanged =
            |path: &Path| self.consents.last(&peer).is_some() && self.consents.change(&peer, path).is_none();
        let active = self.routes.get(id).filter(|route| route.state == State::Active);
        if !active.is_some_and(|route| is_unchanged(&route.path)) {
            self.judge_link(conn, now);
        }
    }

    /// Says over what this side of a link is connected, if the user wants that said.
    pub(super) fn tell_medium(&mut self, conn: ConnId, now: Instant) {
        if !self.config.tell_medium {
            return;
        }
        let link = self.connections.get(&conn);
        let medium = link
            .and_then(|link| self.sockets.interface_of(&link.local))
            .map(|interface| interface.medium);
        let told = self
            .connections
            .get_mut(&conn)
            .map(|link| std::mem::replace(&mut link.medium, medium));
        if let (Some(medium), true) = (medium, told.is_some_and(|told| told != medium)) {
            self.send(conn, &Control::Medium(medium), now);
        }
    }
}
