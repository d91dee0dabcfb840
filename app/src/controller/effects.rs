//! What is to be done about an update, done.

use super::Controller;
use crate::state::{Effect, Report};

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
                Effect::Report(report) => self.say_report(report),
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
                        self.handle_source_failure(kind);
                    } else {
                        let at = self.moment();
                        self.state.say(saying, at);
                    }
                }
                Effect::LookAtDevices(present) => self.handle_devices(*present),
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

    fn say_report(&mut self, report: Report) {
        let registry = &self.state.registry;
        match report {
            Report::Problem(saying, peer) => {
                let sentence = self.english.say(&saying);
                self.report
                    .problem(saying.key.word(), &sentence, peer.as_ref(), registry);
            }
            Report::Failed(key, why) => self.report.problem(key.word(), &why, None, registry),
            Report::First(track, peer, since_join) => {
                self.report.first(track, &peer, since_join, registry);
            }
            Report::Stats(measured, degradation) => self.report.stats(&measured, degradation),
            Report::Hears(matrix) => self.report.hears(matrix),
        }
    }
}
