//! What the user, or a rule, says of a route, and what the user is asked.

use std::time::Duration;

use super::{Answer, Holder, Question, QuestionId, RouteId, Table, TableEvent};
use crate::route::{Approval, Path, Reason, State};

impl Table {
    /// The user, or a rule, agrees to media on this route. What was agreed already keeps whom it was approved by.
    pub fn agree(&mut self, id: RouteId, by: Approval, at: Duration) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let was_agreed = std::mem::replace(&mut entry.consented, true);
        let (asked, state) = (entry.question.take(), entry.route.state);
        let is_news = state == State::Proposed || entry.route.approved_by != Some(by);
        let (answer, reason) = match by {
            Approval::User => (Answer::Approved, Reason::Agreed),
            _ => (Answer::Withdrawn, Reason::Rule),
        };
        if let Some(question) = asked {
            self.said.push_back(TableEvent::Answered(question, answer));
        } else if was_agreed {
            return;
        }
        if is_news {
            self.step(id, state.max(State::Approved), Some(by), reason, at);
        }
    }

    /// Media may not flow before the user has answered. Returns false when the question stands already.
    /// `tells`: a yes also lets the others know the route's local address.
    pub fn ask(&mut self, id: RouteId, old: Option<Path>, reason: Reason, tells: bool, at: Duration) -> bool {
        let may_ask = self.entries.contains_key(&id) && !self.is_asked(id);
        if !may_ask {
            return false;
        }
        self.pause(id, reason, at);
        let question = QuestionId(self.new_id());
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        entry.consented = false;
        entry.question = Some(question);
        let new = entry.route.clone();
        self.said.push_back(TableEvent::Asked(Question {
            id: question,
            old,
            new,
            reason,
            tells,
        }));
        true
    }

    /// The route that a question is about.
    #[must_use]
    pub fn asked(&self, question: QuestionId) -> Option<RouteId> {
        let mut entries = self.entries.iter();
        entries.find_map(|(id, entry)| (entry.question == Some(question)).then_some(*id))
    }

    /// Whether the user is being asked about this route.
    #[must_use]
    pub fn is_asked(&self, id: RouteId) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.question.is_some())
    }

    /// The user says no: the addresses are refused to this member from now on. The route is closed; while a
    /// connection on it is there, that one may still say so.
    pub fn deny(&mut self, id: RouteId, at: Duration) {
        self.pause(id, Reason::Denied, at);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.consented = false;
        entry.holders.retain(|holder| matches!(holder, Holder::Link(_)));
        let is_idle = entry.holders.is_empty();
        let route = entry.route.clone();
        if let Some(question) = entry.question.take() {
            self.said
                .push_back(TableEvent::Answered(question, Answer::Denied));
        }
        self.refuse(route.peer, &route.path);
        if is_idle {
            self.close(id, Reason::Denied, at);
        }
    }
}
