//! What is to be done about an update, done.

use super::Controller;
use crate::state::{Effect, Told};

impl Controller {
    /// Does what the state asks for.
    pub(super) fn carry_out(&mut self) {
        while let Some(effect) = self.state.poll_effect() {
            match effect {
                Effect::Participant(effect) => {
                    if let Some(participant) = &self.participant {
                        participant.carry_out(effect);
                    }
                }
                Effect::Tell(told) => self.say_told(told),
                Effect::ShowPerson(member, person) => {
                    if let Some(screen) = &self.screen {
                        screen.add_person(member, person);
                    }
                }
                Effect::HidePerson(person) => {
                    if let Some(screen) = &self.screen {
                        screen.remove_person(&person);
                    }
                }
                Effect::HidePicture(source) => {
                    if let Some(screen) = &self.screen {
                        screen.pictures.remove(&source);
                    }
                }
                Effect::ReplaceDevice(kind, saying) => {
                    if self.sources.choice(kind).is_device() {
                        self.handle_source_failure(kind, saying);
                    } else {
                        let at = self.moment();
                        self.state.say(saying, at);
                    }
                }
                Effect::NoteDevice(kind) => self.handle_source_running(kind),
                Effect::LookAtDevices(found) => self.handle_devices(*found),
                Effect::Line(line) => self.handle_line(&line),
                Effect::LoseWindow => {
                    self.screen = None;
                    self.report.speak_up();
                }
                Effect::EndCall(end) => self.end_call(end),
                Effect::Quit => self.is_over = true,
            }
        }
    }

    fn say_told(&mut self, told: Told) {
        let registry = &self.state.registry;
        match told {
            Told::Problem(saying, peer) => {
                let sentence = self.english.say(&saying);
                self.report
                    .problem(saying.key.word(), &sentence, peer.as_ref(), registry);
            }
            Told::Failed(key, why) => self.report.problem(key.word(), &why, None, registry),
            Told::First(track, peer, since_join) => {
                self.report.first(track, &peer, since_join, registry);
            }
            Told::Stats(measured, degradation) => self.report.stats(&measured, degradation),
            Told::Hears(matrix) => self.report.hears(matrix),
        }
    }
}
