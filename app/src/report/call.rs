//! What the call says.

use std::net::SocketAddr;

use sightline_mesh_proto::route::{Answer, Consent, Question, QuestionId, State, Transition};
use sightline_mesh_proto::{Code, Event, Name, Why};
use zeroize::Zeroizing;

use super::{Reporter, Voice, name_of, named};
use crate::event::{self, CodeText};
use crate::state::{Registry, sayings};
use crate::terminal::write_line;
use crate::{record, share, words};

impl Reporter {
    /// An event of the call.
    pub fn event(&mut self, event: &Event, registry: &Registry) {
        match event {
            Event::Code(code) => self.code(code),
            Event::Knock { peer, name, from } => {
                self.tell(event::Event::Knock {
                    peer: peer.to_string(),
                    name: name.as_str().to_owned(),
                    from: *from,
                });
                self.say(&format!(
                    "{} wants to join, from {from}. Type “admit {peer}” or “refuse {peer}”.",
                    named(peer, name.as_str(), registry)
                ));
            }
            Event::Admitted => self.say("You are in."),
            Event::Joined {
                peer,
                name,
                invited_by,
            } => {
                self.tell(event::Event::Joined {
                    peer: peer.to_string(),
                    name: name.as_str().to_owned(),
                    invited_by: invited_by.to_string(),
                });
                self.say(&format!(
                    "{} is here, let in by {}.",
                    named(peer, name.as_str(), registry),
                    super::name(invited_by, registry)
                ));
            }
            Event::Left {
                peer,
                name,
                invited_by,
                why,
            } => {
                let (word, sentence) = match why {
                    Why::Left => ("left", "left"),
                    Why::Lost => ("lost", "is gone: nobody can reach them"),
                    Why::CutOff => ("cut_off", "is cut off: your own system lets nothing out to them"),
                };
                self.tell(event::Event::Left {
                    peer: peer.to_string(),
                    name: name.as_str().to_owned(),
                    invited_by: invited_by.to_string(),
                    why: word.to_owned(),
                });
                self.say(&format!("{} {sentence}.", named(peer, name.as_str(), registry)));
            }
            Event::Route(step) => self.route(step, registry),
            Event::Ask(question, name) => self.ask(question, name.as_ref(), registry),
            Event::Waiting(peer) => {
                self.tell(event::Event::Waiting {
                    peer: peer.to_string(),
                    name: registry.known_name(peer).map(str::to_owned),
                });
                self.say(&format!(
                    "{} is being asked whether to connect with you.",
                    super::name(peer, registry)
                ));
            }
            Event::Answered(question, answer) => self.answered(*question, *answer),
            Event::Listening(local) => self.listening(local, registry),
            Event::Problem(problem, peer) => {
                let word = sayings::problem(*problem).word();
                self.problem(word, &problem.to_string(), peer.as_ref(), registry);
            }
            _ => {}
        }
    }

    /// The addresses that are listened on, and what those that the others learn say of a person.
    pub fn listening(&mut self, local: &[SocketAddr], registry: &Registry) {
        self.tell(event::Event::Listening {
            local: local.to_vec(),
        });
        let addresses: Vec<_> = local.iter().map(ToString::to_string).collect();
        self.say(&format!("Listening on {}.", addresses.join(", ")));
        for warning in share::warnings(local) {
            self.problem("identifying_address", &warning, None, registry);
        }
    }

    fn code(&mut self, code: &Code) {
        let text = Zeroizing::new(code.to_string());
        self.tell(event::Event::Code {
            code: CodeText(text.to_string()),
            expires: code.expires.to_string(),
            uses: 1,
        });
        if self.voice == Voice::Sentences {
            // The code is what was asked for.
            write_line(&text);
        }
        self.say(&format!(
            "Give this code to one person, by a channel that you trust. It works once, until {}.",
            code.expires
        ));
    }

    fn route(&mut self, step: &Transition, registry: &Registry) {
        let route = &step.route;
        self.tell(event::Event::Route(record::step(step)));
        let flowed = matches!(step.old, Some(State::Active | State::Paused));
        let waits = route.state != State::Closed && route.theirs != Consent::Given;
        // What never carried media is of no interest to a person.
        if flowed || waits || route.state == State::Active {
            let approved = match (route.state, route.approved_by) {
                (State::Active, Some(by)) => format!(" Approved: {}.", words::approval(by)),
                _ => String::new(),
            };
            self.say(&format!(
                "Route to {}: {}: {} ({}).{approved}",
                name_of(route.peer, registry),
                words::ends(route),
                words::state(route.state, route.theirs),
                words::reason(step.reason)
            ));
        }
    }

    fn ask(&mut self, question: &Question, name: Option<&Name>, registry: &Registry) {
        let (id, new) = (question.id.0, &question.new);
        self.tell(event::Event::Ask {
            id,
            peer: new.peer.map(|peer| peer.to_string()),
            name: name.map(|name| name.as_str().to_owned()),
            old: question.old.as_ref().map(record::path),
            new: record::route(new),
            reason: question.reason.word().to_owned(),
            shares_address: question.tells,
        });
        let before = question
            .old
            .as_ref()
            .map_or_else(|| "none".to_owned(), ToString::to_string);
        if question.tells {
            let local = new.path.local;
            self.say(&format!(
                "Your address is {local} now. If you approve, everybody in the call learns it."
            ));
            for warning in share::warnings(&[local]) {
                self.say(&warning);
            }
        }
        self.say(&format!(
            "May your sound and picture go to {} by this route? Until you answer they do not.",
            name_of(new.peer, registry)
        ));
        self.say(&format!("  before: {before}"));
        self.say(&format!(
            "  now:    {} ({})",
            words::ends(new),
            words::reason(question.reason)
        ));
        self.say(&format!(
            "Type “approve {id}” or “deny {id}”; “deny” refuses the address for the rest of the call."
        ));
    }

    fn answered(&mut self, question: QuestionId, answer: Answer) {
        let word = match answer {
            Answer::Approved => "approved",
            Answer::Denied => "denied",
            Answer::Withdrawn => "withdrawn",
        };
        self.tell(event::Event::Answered {
            id: question.0,
            answer: word.to_owned(),
        });
        if answer == Answer::Withdrawn {
            self.say(&format!("Question {} needs no answer any more.", question.0));
        }
    }
}
