//! What each line on standard input does.

use sightline_mesh_proto::Command as Order;
use sightline_ui::Command;

use libp2p_identity::PeerId;

use super::Controller;
use crate::input::Line;

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

    /// Answers a knock, named by id or, when only one is meant, by name.
    fn answer_named(&mut self, who: &str, order: fn(PeerId) -> Order) {
        let shown = self.state.model.call.iter();
        let knocks = shown.flat_map(|shown| &shown.knocks);
        let matching = knocks.filter(|knock| *knock.id.0 == *who || knock.name == who);
        let matching: Vec<_> = matching.map(|knock| knock.id.clone()).collect();
        match matching.as_slice() {
            [id] => self.answer_person(id, order),
            _ => {
                let sentence = format!("Nobody called “{who}” is waiting to join, or more than one.");
                self.say_problem("nobody_there", &sentence);
            }
        }
    }

    /// Tells of a problem with a line, where events go.
    fn say_problem(&mut self, word: &str, sentence: &str) {
        self.report.problem(word, sentence, None, &self.state.registry);
    }
}
