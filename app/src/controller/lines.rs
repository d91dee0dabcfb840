//! What each line on standard input does.

use libp2p_identity::PeerId;
use sightline_mesh_proto::Command as Order;
use sightline_ui::Command;
use sightline_ui::model::{Knock, PersonId};

use super::Controller;
use crate::input::Line;

/// Letters of an id's end that stand for it: nobody finds another key whose id ends so within a call.
const SHORT_ID: usize = 8;

impl Controller {
    /// A line on standard input.
    pub(super) fn handle_line(&mut self, line: &str) {
        match Line::parse(line) {
            // Who is in no call leaves the program.
            Ok(Line::Wish(Command::Leave)) if self.participant.is_none() => self.is_over = true,
            Ok(Line::Wish(wish)) => self.fulfil(wish),
            Ok(Line::Admit(who)) => self.answer_named(&who, Order::Admit),
            Ok(Line::Refuse(who)) => self.answer_named(&who, Order::Refuse),
            Ok(Line::Ledger) => {
                if let Some(participant) = &self.participant {
                    let ledger = participant.mesh().ledger();
                    self.report.ledger(&ledger, &self.state.registry);
                }
            }
            Ok(Line::History) => {
                if let Some(participant) = &self.participant {
                    let record = participant.mesh().record();
                    self.report.history(&record.history, &self.state.registry);
                }
            }
            // Nothing, or what was put around a code: the end of a quotation, a line below it.
            Err(_) if !line.contains(char::is_alphanumeric) => {}
            Err(sentence) => self.say_problem("unknown_command", &sentence),
        }
    }

    /// Answers a knock.
    fn answer_named(&mut self, who: &str, order: fn(PeerId) -> Order) {
        let shown = self.state.model.call.as_ref();
        let knocks = shown.map_or(&[][..], |shown| &shown.knocks);
        match find(who, knocks) {
            Ok(id) => self.answer_person(&id, order),
            Err(sentence) => self.say_problem("nobody_there", &sentence),
        }
    }

    /// Tells of a problem with a line, where events go.
    fn say_problem(&mut self, word: &str, sentence: &str) {
        self.report.problem(word, sentence, None, &self.state.registry);
    }
}

/// Who is meant by an id, the end of one, or a name. An id comes first: everybody can take it for a name. The error is a sentence.
fn find(who: &str, knocks: &[Knock]) -> Result<PersonId, String> {
    let by_id = knocks.iter().find(|knock| *knock.id.0 == *who);
    let by_end = || knocks.iter().find(|knock| short(&knock.id) == who);
    if let Some(knock) = by_id.or_else(by_end) {
        return Ok(knock.id.clone());
    }
    let named: Vec<_> = knocks.iter().filter(|knock| knock.name == who).collect();
    match named.as_slice() {
        [knock] => Ok(knock.id.clone()),
        [] => Err(format!("Nobody called “{who}” is waiting to join.")),
        several => {
            let each = several
                .iter()
                .map(|knock| format!("{} (from {})", short(&knock.id), knock.from));
            let each: Vec<_> = each.collect();
            Err(format!(
                "{} who wait are called “{who}”. Say instead of the name which one you mean: {}.",
                several.len(),
                each.join(" or ")
            ))
        }
    }
}

/// The end of an id. The beginnings of all are alike.
fn short(id: &PersonId) -> &str {
    let start = id.0.len().saturating_sub(SHORT_ID);
    id.0.get(start..).unwrap_or(&id.0)
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn knock(id: &PeerId, name: &str, port: u16) -> Knock {
        Knock {
            id: PersonId(id.to_string().into()),
            name: name.into(),
            from: SocketAddr::from(([10, 0, 0, 1], port)),
        }
    }

    #[test]
    fn who_is_meant_is_asked_where_several_have_one_name() {
        let [ann, other, eve] = [PeerId::random(), PeerId::random(), PeerId::random()];
        let ann_id = ann.to_string();
        let short_ann = ann_id[ann_id.len() - 8..].to_owned();
        let waiting = [
            // Who calls herself by another's id is still not that one.
            knock(&eve, &ann_id, 1),
            knock(&ann, "Ann", 2),
            knock(&other, "Ann", 3),
            knock(&eve, &short_ann, 4),
        ];
        let found = |who: &str| find(who, &waiting).map(|id| id.0.to_string());
        assert_eq!(found(&ann_id).as_ref(), Ok(&ann_id));
        assert_eq!(found(&short_ann).as_ref(), Ok(&ann_id));
        assert_eq!(found(&eve.to_string()), Ok(eve.to_string()));
        let which = found("Ann").expect_err("two of them");
        assert!(
            which.contains(&format!("{short_ann} (from 10.0.0.1:2)")) && which.contains("10.0.0.1:3"),
            "{which}"
        );
        assert!(
            found("Bob")
                .expect_err("nobody")
                .starts_with("Nobody called “Bob”")
        );
        assert_eq!(find("Ann", &waiting[1..2]).map(|id| id.0.to_string()), Ok(ann_id));
    }
}
