//! Every route of a call. The table alone decides what the gate lets pass, and when media may flow.

mod output;
mod questions;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use libp2p_identity::PeerId;

pub use self::output::{Answer, Question, QuestionId, RouteId};
pub(crate) use self::output::{Holder, TableEvent};
use super::{Approval, Consent, Path, PathKind, Reason, Route, State, Transition};
use crate::address::Pair;
use crate::gate::Change;
use crate::interface::Medium;

/// Paths to one member that either side may refuse in one call; a member with more of them is refused altogether.
const MAX_REFUSED: usize = 32;

/// How the gate treats a pair of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum GateState {
    /// A member has proved to be there; the user has still to agree.
    Held,
    Open,
}

#[derive(Debug)]
struct Entry {
    route: Route,
    holders: BTreeSet<Holder>,
    question: Option<QuestionId>,
    /// The user, or a rule, agrees to media.
    consented: bool,
    /// A member has proved to be at the other end.
    proved: bool,
    /// This side's address or interface is gone.
    cut: bool,
}

/// A path that one of both sides said no to, whatever the ports.
type Refused = (PathKind, IpAddr, IpAddr);

/// All routes.
#[derive(Debug, Default)]
pub struct Table {
    entries: BTreeMap<RouteId, Entry>,
    refused: BTreeMap<Option<PeerId>, BTreeSet<Refused>>,
    gate_states: BTreeMap<Pair, GateState>,
    said: VecDeque<TableEvent>,
    next_id: u64,
}

impl Table {
    /// What is to be told, in order; to be taken after each call of another method.
    pub fn poll_event(&mut self) -> Option<TableEvent> {
        self.said.pop_front()
    }

    /// A route, while it is not closed.
    #[must_use]
    pub fn get(&self, id: RouteId) -> Option<&Route> {
        self.entries.get(&id).map(|entry| &entry.route)
    }

    /// All routes that are not closed.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.entries.values().map(|entry| &entry.route)
    }

    /// The pairs of addresses, local and remote, that datagrams may pass between for good.
    pub fn open_pairs(&self) -> impl Iterator<Item = Pair> {
        let open = self
            .entries
            .values()
            .filter(|entry| entry.gate_state() == Some(GateState::Open));
        open.map(|entry| pair(&entry.route.path))
    }

    /// Whether the user said no to this path.
    #[must_use]
    pub fn is_refused(&self, peer: Option<PeerId>, path: &Path) -> bool {
        let refused = self.refused.get(&peer);
        refused.is_some_and(|paths| paths.len() >= MAX_REFUSED || paths.contains(&without_ports(path)))
    }

    fn refuse(&mut self, peer: Option<PeerId>, path: &Path) {
        let paths = self.refused.entry(peer).or_default();
        if paths.len() < MAX_REFUSED {
            paths.insert(without_ports(path));
        }
    }

    /// The route to `peer` on `path`, made if need be, and now needed by `holder`.
    pub fn open(&mut self, peer: Option<PeerId>, path: &Path, holder: Holder, at: Duration) -> RouteId {
        let same = self.entries.values_mut().find(|entry| {
            let route = &entry.route;
            let is_same_path = route.path.kind == path.kind && pair(&route.path) == pair(path);
            route.peer == peer && is_same_path && route.path.interface == path.interface
        });
        if let Some(entry) = same {
            entry.holders.insert(holder);
            return entry.route.id;
        }
        let id = RouteId(self.new_id());
        let route = Route {
            id,
            peer,
            path: path.clone(),
            state: State::Proposed,
            approved_by: None,
            theirs: Consent::Given,
        };
        let entry = Entry {
            route: route.clone(),
            holders: [holder].into(),
            question: None,
            consented: false,
            proved: false,
            cut: false,
        };
        self.entries.insert(id, entry);
        self.say_step(None, route, Reason::First, at);
        id
    }

    /// Another holder needs the route.
    pub fn hold(&mut self, id: RouteId, holder: Holder) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.holders.insert(holder);
        }
    }

    /// It turned out who is at the other end of a code's address.
    pub fn identify(&mut self, id: RouteId, peer: PeerId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.route.peer = Some(peer);
        }
    }

    /// Records that the peer at the other end has proved its identity: control messages may pass while media waits.
    pub fn prove(&mut self, id: RouteId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.proved = true;
            let pair = pair(&entry.route.path);
            self.tell_gate(pair);
        }
    }

    /// The address may be contacted; media needs [`Table::agree`] as well.
    pub fn approve(&mut self, id: RouteId, by: Approval, at: Duration) {
        if self.get(id).is_some_and(|route| route.state == State::Proposed) {
            self.step(id, State::Approved, Some(by), Reason::Rule, at);
        }
    }

    /// Media flows from now on, if this side and the other agree and the interface is there. Returns whether it
    /// does.
    pub fn activate(&mut self, id: RouteId, reason: Reason, at: Duration) -> bool {
        let Some(entry) = self.entries.get(&id) else {
            return false;
        };
        let state = entry.route.state;
        let agreed = entry.consented && entry.question.is_none() && entry.route.theirs == Consent::Given;
        if !agreed || entry.cut || !matches!(state, State::Approved | State::Paused) {
            return state == State::Active;
        }
        self.step(id, State::Active, None, reason, at);
        true
    }

    /// Media stops, if it flows.
    pub fn pause(&mut self, id: RouteId, reason: Reason, at: Duration) {
        if self.get(id).is_some_and(|route| route.state == State::Active) {
            self.step(id, State::Paused, None, reason, at);
        }
    }

    /// The other side says whether it agrees. Until it does, nothing is sent that it would only throw away.
    pub fn handle_consent(&mut self, id: RouteId, theirs: Consent, at: Duration) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if std::mem::replace(&mut entry.route.theirs, theirs) == theirs {
            return;
        }
        let state = entry.route.state;
        let (reason, then) = match theirs {
            Consent::Given => (Reason::TheyAgreed, state),
            Consent::Asked => (Reason::TheyAreAsked, without_media(state)),
            Consent::Denied | Consent::Withheld => (Reason::TheyDenied, without_media(state)),
        };
        if theirs == Consent::Denied {
            // To come back by a path that the other side refuses would only be turned away.
            let route = entry.route.clone();
            self.refuse(route.peer, &route.path);
        }
        self.step(id, then, None, reason, at);
    }

    /// The member says over what it is connected now. A question about the path as it was is withdrawn.
    pub fn set_remote_medium(&mut self, id: RouteId, remote_medium: Medium) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.route.path.remote_medium = Some(remote_medium);
            if let Some(question) = entry.question.take() {
                self.said
                    .push_back(TableEvent::Answered(question, Answer::Withdrawn));
            }
        }
    }

    /// This side's interface goes by another name now. A question about the path as it was is withdrawn.
    pub fn set_interface(&mut self, id: RouteId, name: String) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.route.path.interface = Some(name);
            if let Some(question) = entry.question.take() {
                self.said
                    .push_back(TableEvent::Answered(question, Answer::Withdrawn));
            }
        }
    }

    /// The user's rule allows no media, whatever was agreed before.
    pub fn withhold(&mut self, id: RouteId, at: Duration) {
        self.pause(id, Reason::Rule, at);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.consented = false;
            if let Some(question) = entry.question.take() {
                self.said
                    .push_back(TableEvent::Answered(question, Answer::Withdrawn));
            }
        }
    }

    /// A new connection serves on this route: what was said on the one before counts no more.
    pub fn forget_theirs(&mut self, id: RouteId) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.route.theirs = Consent::Given;
        }
    }

    /// Which of this side's addresses are there; on the others nothing passes. Returns routes that may be used
    /// again.
    pub fn set_usable(&mut self, is_usable: impl Fn(&Path) -> bool, at: Duration) -> Vec<RouteId> {
        let mut back = Vec::new();
        for id in self.entries.keys().copied().collect::<Vec<_>>() {
            let Some(entry) = self.entries.get_mut(&id) else {
                continue;
            };
            let cut = !is_usable(&entry.route.path);
            if std::mem::replace(&mut entry.cut, cut) == cut {
                continue;
            }
            let pair = pair(&entry.route.path);
            if cut {
                self.pause(id, Reason::InterfaceGone, at);
            } else {
                back.push(id);
            }
            self.tell_gate(pair);
        }
        back
    }

    /// `holder` does not need its route any more; a route that nothing needs is closed.
    pub fn release(&mut self, holder: Holder, reason: Reason, at: Duration) {
        let mut idle = Vec::new();
        for (id, entry) in &mut self.entries {
            if entry.holders.remove(&holder) && entry.holders.is_empty() {
                idle.push(*id);
            }
        }
        for id in idle {
            self.close(id, reason, at);
        }
    }

    fn close(&mut self, id: RouteId, reason: Reason, at: Duration) {
        let Some(entry) = self.entries.remove(&id) else {
            return;
        };
        if let Some(question) = entry.question {
            self.said
                .push_back(TableEvent::Answered(question, Answer::Withdrawn));
        }
        let (pair, old) = (pair(&entry.route.path), entry.route.state);
        let route = Route {
            state: State::Closed,
            ..entry.route
        };
        self.tell_gate(pair);
        self.say_step(Some(old), route, reason, at);
    }

    fn step(&mut self, id: RouteId, state: State, by: Option<Approval>, reason: Reason, at: Duration) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let old = std::mem::replace(&mut entry.route.state, state);
        entry.route.approved_by = by.or(entry.route.approved_by);
        let route = entry.route.clone();
        self.tell_gate(pair(&route.path));
        self.say_step(Some(old), route, reason, at);
    }

    fn say_step(&mut self, old: Option<State>, route: Route, reason: Reason, at: Duration) {
        let step = Transition {
            at,
            old,
            route,
            reason,
        };
        self.said.push_back(TableEvent::Step(step));
    }

    /// Brings the gate up to date with the routes on one pair of addresses.
    fn tell_gate(&mut self, changed: Pair) {
        let on_pair = self
            .entries
            .values()
            .filter(|entry| pair(&entry.route.path) == changed);
        let gate_state = on_pair.filter_map(Entry::gate_state).max();
        let before = match gate_state {
            Some(gate_state) => self.gate_states.insert(changed, gate_state),
            None => self.gate_states.remove(&changed),
        };
        if before == gate_state {
            return;
        }
        self.said.push_back(TableEvent::Gate(match gate_state {
            Some(GateState::Open) => Change::Approve(changed),
            Some(GateState::Held) => Change::Hold(changed),
            None => Change::Revoke(changed),
        }));
    }

    fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

impl Entry {
    fn gate_state(&self) -> Option<GateState> {
        match self.route.state {
            _ if self.cut => None,
            State::Approved | State::Active | State::Paused => Some(GateState::Open),
            State::Proposed if self.proved => Some(GateState::Held),
            State::Proposed | State::Closed => None,
        }
    }
}

fn pair(path: &Path) -> Pair {
    (path.local, path.remote)
}

const fn without_ports(path: &Path) -> Refused {
    (path.kind, path.local.ip(), path.remote.ip())
}

/// Where a route stands when media may not flow.
fn without_media(state: State) -> State {
    if state == State::Active {
        State::Paused
    } else {
        state
    }
}

#[cfg(test)]
mod tests;
