//! What each wish of the user does, whether it came from the window or as a line on standard input (`lines.rs`).

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media_proto::AudioTrack;
use sightline_media_proto::session::Limits;
use sightline_mesh::Entry;
use sightline_mesh_proto::route::QuestionId;
use sightline_mesh_proto::{Admit, Code, Command as Order, Name};
use sightline_ui::Command;
use sightline_ui::model::{
    Answer, CodeSummary, PersonId, Processing, Reading, Saying, SayingKey, Sending, Wanted as Filled,
};

use super::{Controller, Wanted};
use crate::clock;
use crate::code_picture::{self, PictureError};
use crate::disk;
use crate::settings::Settings;
use crate::state::device::{DeviceKind, Fate};
use crate::state::{Topic, sayings, sentence, view_model};

/// 250 ms: how often a camera's picture is searched for a code.
const SCAN: Duration = Duration::from_millis(250);

impl Controller {
    /// Does what the user wishes.
    pub(super) fn fulfil(&mut self, wish: Command) {
        match wish {
            Command::ReadCode(text) => self.read_code(&text),
            Command::ReadPicture(path) => {
                let read = code_picture::read_file(&path);
                self.state.model.code = match read {
                    Ok(code) => reading(&code),
                    Err(PictureError::Empty) => Reading::Bad(Saying::new(SayingKey::PictureEmpty, "")),
                    Err(error) => Reading::Bad(Saying::new(SayingKey::PictureBad, error.cause())),
                };
            }
            Command::Scan(on) => self.set_scanning(on),
            Command::Start(filled) => self.enter_as_filled(Entry::Start, &filled),
            Command::Join(text, filled) => match Code::parse(&text) {
                Ok(code) => self.enter_as_filled(Entry::Join(code), &filled),
                Err(error) => self.tell(sayings::code(&error), &error.detail()),
            },
            Command::Leave => self.order(Order::Leave),
            Command::Close => {
                self.state.model.call = None;
                self.state.model.code = Reading::Nothing;
            }
            Command::Quit => self.is_over = true,
            Command::Mute(muted) => {
                self.state.model.own.muted = muted;
                self.muted.store(muted, Ordering::Relaxed);
            }
            Command::CancelEcho(on) => self.prefer(|processing| processing.echo = on),
            Command::SuppressNoise(on) => self.prefer(|processing| processing.noise = on),
            Command::AdjustGain(on) => self.prefer(|processing| processing.gain = on),
            Command::Camera(choice) => self.choose_in_window(DeviceKind::Camera, choice),
            Command::Microphone(choice) => self.choose_in_window(DeviceKind::Microphone, choice),
            Command::Speaker(choice) => self.choose_in_window(DeviceKind::Speaker, choice),
            Command::TestSpeaker => self.test_speaker(),
            Command::Tiles(sizes) => {
                if let Some(call) = &mut self.state.call {
                    call.tiles = Some(sizes);
                    self.state.ask_all();
                }
            }
            Command::Volume(id, volume) => self.set_volume(&id, volume),
            Command::Admit(id) => self.answer_person(&id, Order::Admit),
            Command::Refuse(id) => self.answer_person(&id, Order::Refuse),
            Command::Answer(question, answer) => self.answer_question(question, answer),
            Command::Rule(rule) => {
                self.order(Order::SetRule(view_model::rule(rule)));
                if let Some(shown) = &mut self.state.model.call {
                    shown.rule = rule;
                    for question in &mut shown.questions {
                        question.wider_rule = view_model::wider(rule).filter(|_| !question.tells_address);
                    }
                }
            }
            Command::NewCode => self.new_code(),
            Command::Withdraw(number) => self.state.withdraw(Some(number), self.moment()),
            Command::WithdrawAll => self.state.withdraw(None, self.moment()),
            Command::Save(path) => {
                if let Some(participant) = &self.participant {
                    let record = participant.mesh().record();
                    self.save_record(vec![path], record);
                }
            }
            Command::Dismiss(id) => self.state.model.notices.retain(|told| told.id != id),
            Command::Prefer(preferences) => {
                let before = std::mem::replace(&mut self.state.model.preferences, preferences);
                self.set_processing();
                self.set_sending(before.sending);
                self.keep();
            }
            Command::Place(place) => {
                self.state.model.preferences.place = Some(place);
                // Who has just had everything forgotten does not want this written down.
                if !self.has_forgotten {
                    self.keep();
                }
            }
            Command::Forget => {
                self.has_forgotten = true;
                let before = self.state.model.preferences.sending;
                self.settings.forget();
                self.settings.show(&mut self.state.model);
                self.set_processing();
                self.set_sending(before);
                self.write_settings(Settings::remove);
            }
        }
        self.state.mark_changed();
        self.carry_out();
    }

    /// Shows what a code says.
    fn read_code(&mut self, text: &str) {
        self.state.model.code = if text.trim().is_empty() {
            Reading::Nothing
        } else {
            match Code::parse(text) {
                Ok(code) => reading(&code),
                Err(error) => Reading::Bad(Saying::new(sayings::code(&error), error.detail())),
            }
        };
    }

    /// Takes part as the page before the call was filled in, and keeps that for the next time.
    fn enter_as_filled(&mut self, entry: Entry, filled: &Filled) {
        if self.participant.is_some() {
            return;
        }
        self.state.model.wanted = filled.clone();
        self.keep();
        let choices =
            (self.sources.choice(DeviceKind::Speaker) != &filled.speaker).then(|| filled.speaker.clone());
        if let Some(speaker) = choices {
            self.choose_in_window(DeviceKind::Speaker, speaker);
        }
        let wanted = Wanted {
            entry,
            name: Name::new(&filled.name),
            addresses: filled.share.clone(),
            rule: filled.rule,
            admit: if filled.admit_by_code {
                Admit::Code
            } else {
                Admit::Ask
            },
            tell_medium: filled.tell_medium,
        };
        if let Err(error) = self.enter(wanted) {
            self.tell(SayingKey::Start, &error.to_string());
        }
    }

    /// Changes a device; the window keeps what was chosen, except that it is off.
    fn choose_in_window(&mut self, kind: DeviceKind, choice: sightline_ui::model::Choice) {
        let off = sightline_ui::model::Choice::Off;
        let wanted = &mut self.state.model.wanted;
        let slot = match kind {
            DeviceKind::Camera => &mut wanted.camera,
            DeviceKind::Microphone => &mut wanted.microphone,
            DeviceKind::Speaker => &mut wanted.speaker,
        };
        if choice != off {
            slot.clone_from(&choice);
        }
        if let Err(error) = self.choose(kind, choice) {
            self.tell(kind.key(Fate::Failed), &error.to_string());
        }
    }

    fn set_volume(&mut self, id: &PersonId, volume: f32) {
        let peer = self.state.registry.peer_of(id);
        let member = peer.and_then(|peer| self.state.registry.member(&peer));
        if let Some((participant, member)) = self.participant.as_ref().zip(member) {
            participant
                .playout()
                .set_volume(member, AudioTrack::Voice, volume);
        }
        let shown = self.state.model.call.iter_mut();
        let people = shown.flat_map(|shown| &mut shown.people);
        for person in people.filter(|person| person.id == *id) {
            person.volume = volume;
        }
    }

    /// Answers a knock.
    pub(super) fn answer_person(&mut self, id: &PersonId, order: fn(PeerId) -> Order) {
        if let Some(peer) = self.state.registry.peer_of(id) {
            self.state.answer_knock(&peer);
            self.order(order(peer));
        }
    }

    fn answer_question(&mut self, question: u64, answer: Answer) {
        let id = QuestionId(question);
        match answer {
            Answer::Once => self.order(Order::Approve(id)),
            Answer::WithRule(rule) => {
                self.order(Order::Approve(id));
                self.fulfil(Command::Rule(rule));
            }
            Answer::No => self.order(Order::Deny(id)),
        }
    }

    /// Has a code made. What this machine has slept makes those before it older, and not this one.
    pub(super) fn new_code(&mut self) {
        self.handle_sleep();
        self.order(Order::NewCode(clock::wall()));
    }

    fn set_scanning(&mut self, on: bool) {
        self.state.model.own.scanning = on;
        let choice = if on {
            self.state.model.wanted.camera.switched_on()
        } else {
            sightline_ui::model::Choice::Off
        };
        if let Err(error) = self.choose(DeviceKind::Camera, choice) {
            self.state.model.own.scanning = false;
            self.tell(SayingKey::Camera, &error.to_string());
        }
    }

    /// Looks for a code in what the camera saw last.
    pub(super) fn scan(&mut self, now: Instant) {
        let is_due = self
            .scanned
            .is_none_or(|last| now.saturating_duration_since(last) >= SCAN);
        if !self.state.model.own.scanning || !is_due {
            return;
        }
        self.scanned = Some(now);
        let picture = self.sources.latest_picture();
        if let Some(code) = picture.and_then(|picture| code_picture::read_picture(&picture)) {
            self.set_scanning(false);
            self.state.model.code = reading(&code);
            self.state.mark_changed();
        }
    }

    /// Wishes something else about the microphone's sound from now on. In the window it is a preference, and kept.
    fn prefer(&mut self, change: impl FnOnce(&mut Processing)) {
        if self.screen.is_some() {
            // Whoever switches something sees what is done, not what the command line said.
            self.processing_wish = None;
            change(&mut self.state.model.preferences.processing);
            self.keep();
        } else {
            let wish = &mut self.processing_wish;
            change(wish.get_or_insert(self.state.model.preferences.processing));
        }
        self.set_processing();
    }

    /// Sends as is preferred now, if that is something else than before, and keeps it.
    fn set_sending(&mut self, before: Sending) {
        let sending = self.state.model.preferences.sending;
        if sending != before {
            self.settings.take_sending(sending);
            self.limits = Limits::of(sending.uplink, sending.constant_rate);
            if let Some(participant) = &self.participant {
                participant.set_limits(self.limits);
            }
        }
    }

    /// Writes settings down.
    fn keep(&mut self) {
        self.has_forgotten = false;
        self.settings.take(&self.state.model);
        self.write_settings(Settings::store);
    }

    /// Does something with the settings' file.
    fn write_settings(&mut self, write: fn(&mut Settings) -> std::io::Result<()>) {
        let mut settings = self.settings.clone();
        let written = disk::write(move || {
            let result = write(&mut settings);
            (settings, result)
        });
        match written {
            Some((settings, result)) => {
                self.settings = settings;
                match result {
                    Ok(()) => self.state.clear(Topic::Settings, None),
                    Err(error) => self.tell(SayingKey::Settings, &sentence(&error.to_string())),
                }
            }
            None => self.tell(SayingKey::Settings, "The disk does not answer."),
        }
    }
}

/// What a code says. One that is over by this machine's clock can be used all the same: its maker knows better.
fn reading(code: &Code) -> Reading {
    let wall = clock::wall();
    Reading::Good(CodeSummary {
        text: code.to_string().into(),
        contacts: code.addresses().collect(),
        expires_in: Duration::from_secs(code.expires.0.saturating_sub(wall.0)),
        over_by: code.is_expired(wall).then(|| clock::in_words(wall)),
    })
}
