//! What the table says: names, questions, outputs.

use crate::connection::ConnId;
use crate::gate::Change;
use crate::id::AttemptId;
use crate::route::{Path, Reason, Route, Transition};

/// Names a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u64);

/// Names a question about a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QuestionId(pub u64);

/// A question for the user: may media take this route?
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// To be named in the answer.
    pub id: QuestionId,
    /// The route that media took before, if there was one.
    pub old: Option<Path>,
    /// The route in question.
    pub new: Route,
    /// What is new about it.
    pub reason: Reason,
    /// The user has not let the others know the local address so far; a yes does.
    pub tells: bool,
}

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Yes.
    Approved,
    /// No: the address is refused for the rest of the call.
    Denied,
    /// The route is gone, or a rule has decided.
    Withdrawn,
}

/// What a route is needed for. A route that nothing needs is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// It is being dialled, or will be once the user agrees.
    Dial(AttemptId),
    /// A connection uses it.
    Link(ConnId),
}

/// An output of the table.
#[derive(Debug)]
pub enum TableEvent {
    /// Change what the gate lets pass.
    Gate(Change),
    /// A route took a step.
    Step(Transition),
    /// The user is to be asked.
    Asked(Question),
    /// A question is settled.
    Answered(QuestionId, Answer),
}
