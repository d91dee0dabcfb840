//! What each wish of the user does, whether it came from the window or as a line on standard input.

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
    Answer, CodeSummary, InviteState, PersonId, Processing, Reading, Saying, Sending, Wanted as Filled,
};

use super::{Controller, DeviceKind, Topic, Wanted, now, sentence, view_model};
use crate::clock;
use crate::code_picture::{self, PictureError};
use crate::input::Line;
use crate::settings::Settings;

/// 250 ms: how often a camera's picture is searched for a code.
const SCAN: Duration = Duration::from_millis(250);

impl Controller {
    /// A line on standard input.
    pub(super) fn handle_line(&mut self, line: &str) {
        match Line::parse(line) {
            // Who is in no call leaves the program.
            Ok(Line::Wish(Command::Leave)) if self.call.is_none() => self.is_over = true,
            Ok(Line::Wish(wish)) => self.fulfil(wish),
            Ok(Line::Admit(who)) => self.answer_knock(&who, Order::Admit),
            Ok(Line::Refuse(who)) => self.answer_knock(&who, Order::Refuse),
            Ok(Line::Ledger) => {
                if let Some(call) = &self.call {
                    self.report.ledger(&call.participant.mesh().ledger());
                }
            }
            Ok(Line::History) => {
                if let Some(call) = &self.call {
                    self.report.history(&call.participant.mesh().record().history);
                }
            }
            // Nothing, or what was put around a code: the end of a quotation, a line below it.
            Err(_) if !line.contains(char::is_alphanumeric) => {}
            Err(sentence) => self.report.problem("unknown_command", &sentence, None),
        }
    }

    pub(super) fn fulfil(&mut self, wish: Command) {
        match wish {
            Command::ReadCode(text) => self.read_code(&text),
            Command::ReadPicture(path) => {
                let read = code_picture::read_file(&path);
                self.model.code = match read {
                    Ok(code) => reading(&code),
                    Err(PictureError::Empty) => Reading::Bad(Saying::new("picture_empty", "")),
                    Err(error) => Reading::Bad(Saying::new("picture_bad", error.cause())),
                };
            }
            Command::Scan(on) => self.set_scanning(on),
            Command::Start(filled) => self.enter_as_filled(Entry::Start, &filled),
            Command::Join(text, filled) => match Code::parse(&text) {
                Ok(code) => self.enter_as_filled(Entry::Join(code), &filled),
                Err(error) => self.tell(error.word(), &error.detail()),
            },
            Command::Leave => self.order(Order::Leave),
            Command::Close => {
                self.model.call = None;
                self.model.code = Reading::Nothing;
            }
            Command::Quit => self.is_over = true,
            Command::Mute(muted) => {
                self.model.own.muted = muted;
                self.muted.store(muted, Ordering::Relaxed);
            }
            Command::CancelEcho(on) => self.prefer(|processing| processing.echo = on),
            Command::SuppressNoise(on) => self.prefer(|processing| processing.noise = on),
            Command::AdjustGain(on) => self.prefer(|processing| processing.gain = on),
            Command::Camera(choice) => self.choose_in_window(DeviceKind::Camera, choice),
            Command::Microphone(choice) => self.choose_in_window(DeviceKind::Microphone, choice),
            Command::Speaker(choice) => self.choose_in_window(DeviceKind::Speaker, choice),
            Command::TestSpeaker => self.test_speaker(now()),
            Command::Tiles(sizes) => {
                if let Some(call) = &mut self.call {
                    call.tiles = Some(sizes);
                    call.ask_all(self.model.call.as_ref());
                }
            }
            Command::Volume(id, volume) => self.set_volume(&id, volume),
            Command::Admit(id) => self.answer_person(&id, Order::Admit),
            Command::Refuse(id) => self.answer_person(&id, Order::Refuse),
            Command::Answer(question, answer) => self.answer_question(question, answer),
            Command::Rule(rule) => {
                self.order(Order::SetRule(view_model::rule(rule)));
                if let Some(shown) = &mut self.model.call {
                    shown.rule = rule;
                    for question in &mut shown.questions {
                        question.wider_rule = view_model::wider(rule).filter(|_| !question.tells_address);
                    }
                }
            }
            Command::NewCode => self.new_code(),
            Command::Withdraw(number) => self.withdraw(Some(number)),
            Command::WithdrawAll => self.withdraw(None),
            Command::Save(path) => {
                if let Some(call) = &self.call {
                    let record = call.participant.mesh().record();
                    self.save_record(&path, &record);
                }
            }
            Command::Dismiss(id) => self.model.notices.retain(|told| told.id != id),
            Command::Prefer(preferences) => {
                let before = std::mem::replace(&mut self.model.preferences, preferences);
                self.set_processing();
                self.set_sending(before.sending);
                self.keep();
            }
            Command::Place(place) => {
                self.model.preferences.place = Some(place);
                // Who has just had everything forgotten does not want this written down.
                if !self.has_forgotten {
                    self.keep();
                }
            }
            Command::Forget => {
                self.has_forgotten = true;
                let before = self.model.preferences.sending;
                self.settings = Settings::default().in_folder_of(&self.settings);
                self.settings.show(&mut self.model);
                self.set_processing();
                self.set_sending(before);
                match self.settings.remove() {
                    Ok(()) => self.clear(Topic::Settings, None),
                    Err(error) => self.tell("settings", &sentence(&error.to_string())),
                }
            }
        }
        self.is_dirty = true;
    }

    /// Shows what a code says.
    fn read_code(&mut self, text: &str) {
        self.model.code = if text.trim().is_empty() {
            Reading::Nothing
        } else {
            match Code::parse(text) {
                Ok(code) => reading(&code),
                Err(error) => Reading::Bad(Saying::new(error.word(), error.detail())),
            }
        };
    }

    /// Takes part as the page before the call was filled in, and keeps that for the next time.
    fn enter_as_filled(&mut self, entry: Entry, filled: &Filled) {
        if self.call.is_some() {
            return;
        }
        self.model.wanted = filled.clone();
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
            self.tell("start", &error.to_string());
        }
    }

    /// Changes a device; the window keeps what was chosen, except that it is off.
    fn choose_in_window(&mut self, kind: DeviceKind, choice: sightline_ui::model::Choice) {
        let off = sightline_ui::model::Choice::Off;
        let wanted = &mut self.model.wanted;
        let slot = match kind {
            DeviceKind::Camera => &mut wanted.camera,
            DeviceKind::Microphone => &mut wanted.microphone,
            DeviceKind::Speaker => &mut wanted.speaker,
        };
        if choice != off {
            slot.clone_from(&choice);
        }
        if let Err(error) = self.choose(kind, choice) {
            self.tell(kind.word(), &error.to_string());
        }
    }

    fn set_volume(&mut self, id: &PersonId, volume: f32) {
        let (Some(call), Some(shown)) = (&self.call, &mut self.model.call) else {
            return;
        };
        if let Some(member) = peer(id).and_then(|peer| call.participant.member(&peer)) {
            call.participant
                .playout()
                .set_volume(member, AudioTrack::Voice, volume);
        }
        for person in shown.people.iter_mut().filter(|person| person.id == *id) {
            person.volume = volume;
        }
    }

    fn answer_person(&mut self, id: &PersonId, order: fn(PeerId) -> Order) {
        if let Some(peer) = peer(id) {
            self.answer_peer(peer, order);
        }
    }

    fn answer_peer(&mut self, peer: PeerId, order: fn(PeerId) -> Order) {
        if let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) {
            call.answered(&peer, shown);
        }
        self.order(order(peer));
    }

    /// Answers a knock, named by id or, when only one is meant, by name.
    fn answer_knock(&mut self, who: &str, order: fn(PeerId) -> Order) {
        let knocking = self.call.iter().flat_map(|call| &call.knocking);
        let matching: Vec<_> = knocking
            .filter(|(peer, name)| peer.to_string() == who || *name == who)
            .map(|(peer, _)| *peer)
            .collect();
        match matching.as_slice() {
            [peer] => self.answer_peer(*peer, order),
            _ => {
                let sentence = format!("Nobody called “{who}” is waiting to join, or more than one.");
                self.report.problem("nobody_there", &sentence, None);
            }
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
        self.handle_sleep(now());
        self.order(Order::NewCode(clock::wall()));
    }

    fn withdraw(&mut self, number: Option<u64>) {
        let Some(call) = &mut self.call else {
            return;
        };
        let is_meant = |at: usize| number.is_none_or(|number| at as u64 + 1 == number);
        let mut orders = Vec::new();
        for (at, given) in call.invites.iter_mut().enumerate() {
            if is_meant(at) && given.state == InviteState::Open {
                given.state = InviteState::Withdrawn;
                orders.push(Order::WithdrawCode(Box::new(given.code.clone())));
            }
        }
        if let Some(shown) = &mut self.model.call {
            call.show_invites(shown, now());
        }
        if !orders.is_empty() {
            self.clear(Topic::Codes, None);
        }
        for order in orders {
            self.order(order);
        }
    }

    fn set_scanning(&mut self, on: bool) {
        self.model.own.scanning = on;
        let choice = if on {
            self.model.wanted.camera.switched_on()
        } else {
            sightline_ui::model::Choice::Off
        };
        if let Err(error) = self.choose(DeviceKind::Camera, choice) {
            self.model.own.scanning = false;
            self.tell("camera", &error.to_string());
        }
    }

    /// Looks for a code in what the camera saw last.
    pub(super) fn scan(&mut self, now: Instant) {
        let is_due = self
            .scanned
            .is_none_or(|last| now.saturating_duration_since(last) >= SCAN);
        if !self.model.own.scanning || !is_due {
            return;
        }
        self.scanned = Some(now);
        let picture = self.sources.latest_picture();
        if let Some(code) = picture.and_then(|picture| code_picture::read_picture(&picture)) {
            self.set_scanning(false);
            self.model.code = reading(&code);
            self.is_dirty = true;
        }
    }

    /// Wishes something else about the microphone's sound from now on. In the window it is a preference, and kept.
    fn prefer(&mut self, change: impl FnOnce(&mut Processing)) {
        if self.screen.is_some() {
            // Whoever switches something sees what is done, not what the command line said.
            self.processing_wish = None;
            change(&mut self.model.preferences.processing);
            self.keep();
        } else {
            let wish = &mut self.processing_wish;
            change(wish.get_or_insert(self.model.preferences.processing));
        }
        self.set_processing();
    }

    /// Sends as is preferred now, if that is something else than before, and keeps it.
    fn set_sending(&mut self, before: Sending) {
        let sending = self.model.preferences.sending;
        if sending != before {
            self.settings.take_sending(sending);
            self.limits = Limits::of(sending.uplink, sending.constant_rate);
            if let Some(call) = &self.call {
                call.participant.set_limits(self.limits);
            }
        }
    }

    /// Writes settings down.
    fn keep(&mut self) {
        self.has_forgotten = false;
        self.settings.take(&self.model);
        match self.settings.store() {
            Ok(()) => self.clear(Topic::Settings, None),
            Err(error) => self.tell("settings", &sentence(&error.to_string())),
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

/// The participant that the window names so.
fn peer(id: &PersonId) -> Option<PeerId> {
    id.0.parse().ok()
}
