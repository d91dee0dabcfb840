//! What the program knows of a call and shows of it, as a pure state: [`State::reduce`] takes an [`Update`] in and returns
//! what is to be done about it. No clock, no thread, no device.
//!
//! ```text
//!   mod.rs ── which update goes where            effect.rs ── what is to be done
//!     ├ registry.rs ── who was seen: names, numbers, what the window calls them
//!     ├ call.rs, routes.rs ── a call's events    view_model.rs, sayings.rs ── as the window has them
//!     ├ second.rs ── a second's measurements     measure.rs, addresses.rs, hearing.rs
//!     ├ subscriptions.rs ── how much of whose pictures is asked for
//!     ├ invites.rs ── codes that were made here
//!     └ notices.rs ── what the user is told
//! ```

mod addresses;
mod call;
pub(crate) mod device;
mod effect;
mod hearing;
mod invites;
pub(crate) mod measure;
mod notices;
mod registry;
mod routes;
pub(crate) mod sayings;
mod second;
mod subscriptions;
pub(crate) mod view_model;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media_proto::feedback::Feedback;
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::{Clock, Command as Order, End, Event, UnixTime};
use sightline_ui::model::{Call, Model, Saying, SayingKey};

pub use self::effect::{Effect, ParticipantEffect, Told};
pub(crate) use self::notices::{Topic, sentence};
pub use self::registry::Registry;

use self::call::CallState;
use self::device::{DeviceKind, Fate};
use crate::update::{Failed, Update};
use crate::zone::Zone;

/// When an update came.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// By the monotonic clock.
    pub now: Instant,
    /// When the program started, by the wall clock as it stands now.
    pub started: UnixTime,
}

/// How a call was entered.
#[derive(Clone, Debug, Default)]
pub struct Entered {
    /// This participant started it.
    pub is_starter: bool,
    /// What the code that led to it says of its end.
    pub code_ends: Option<UnixTime>,
    /// This machine's interfaces.
    pub interfaces: Vec<Interface>,
}

/// What the program knows and shows.
pub struct State {
    /// What the window shows.
    pub model: Model,
    /// A call that goes on. The model's may be over, and shown still.
    pub(crate) call: Option<CallState>,
    /// Who was seen in it.
    pub(crate) registry: Registry,
    /// There is a window.
    pub(crate) has_window: bool,
    clock: Clock,
    zone: Zone,
    next_notice: u64,
    /// The model changed since it was last taken.
    is_changed: bool,
    effects: VecDeque<Effect>,
}

impl State {
    /// Without a call.
    pub fn new(model: Model, clock: Clock, zone: Zone, has_window: bool) -> Self {
        Self {
            model,
            call: None,
            registry: Registry::default(),
            has_window,
            clock,
            zone,
            next_notice: 1,
            is_changed: true,
            effects: VecDeque::new(),
        }
    }

    /// A call begins, of this participant: as `shown`.
    pub fn begin_call(&mut self, me: PeerId, entered: Entered, mut shown: Call, at: Moment) {
        self.registry = Registry::new(me);
        self.call = Some(CallState::new(entered));
        shown.me = self.registry.person(&me);
        // The model's own time is that of the last picture, which may be long ago.
        shown.since = self.since_start(at);
        self.model.call = Some(shown);
        self.clear(Topic::Entry, None);
        self.mark_changed();
    }

    /// Takes an update in. What is to be done about it is handed out by [`State::poll_effect`].
    pub fn reduce(&mut self, update: Update, at: Moment) {
        match update {
            Update::Call(Event::Ended(end)) => self.effects.push_back(Effect::EndCall(Some(end))),
            Update::Call(event) => self.handle_event(event, at),
            Update::MeshEnded => self.effects.push_back(Effect::EndCall(None)),
            Update::First(member, track, when) => {
                let known = self.registry.peer(member).zip(self.call.as_ref());
                if let Some((peer, call)) = known {
                    let since_join = call.since_join(&peer, when, self.clock.start);
                    self.report(Told::First(track, peer, since_join));
                }
            }
            Update::NeedsKeyFrame(member, track) => {
                if let Some(peer) = self.registry.peer(member) {
                    let feedback = ParticipantEffect::Feedback(peer, Feedback::KeyFrame(track));
                    self.order_participant(feedback);
                }
            }
            Update::Undecodable(member) => {
                let peer = self.registry.peer(member);
                self.tell_of(SayingKey::Undecodable, peer, at);
            }
            Update::TooCostly(member) => {
                let peer = self.registry.peer(member);
                self.tell_of(SayingKey::PictureTooCostly, peer, at);
            }
            Update::Failed(what, why) => self.handle_failure(what, &why, at),
            Update::CameraRuns => self.effects.push_back(Effect::NoteDevice(DeviceKind::Camera)),
            Update::MicrophoneRuns => self.effects.push_back(Effect::NoteDevice(DeviceKind::Microphone)),
            Update::SpeakerRuns => self.effects.push_back(Effect::NoteDevice(DeviceKind::Speaker)),
            Update::RecordingRenamed(path) => {
                let path = path.display().to_string();
                self.tell(Saying::new(SayingKey::RecordingRenamed, path), at);
            }
            Update::Speaking(peers) => self.show_speakers(&peers, at),
            Update::Second(second) => self.handle_second(*second, at),
            Update::Slept(slept) => {
                self.order(Order::Slept(slept));
                if let Some(call) = &mut self.call {
                    call.invites.handle_sleep(slept, at.now);
                }
            }
            Update::Line(line) => self.effects.push_back(Effect::Line(line)),
            Update::Devices(found) => self.effects.push_back(Effect::LookAtDevices(found)),
            Update::NoWindow => {
                self.has_window = false;
                self.effects.push_back(Effect::LoseWindow);
                if self.call.is_none() {
                    self.effects.push_back(Effect::Quit);
                }
            }
            Update::Interrupted if self.call.is_some() && !self.has_window => self.order(Order::Leave),
            Update::Interrupted => self.effects.push_back(Effect::Quit),
            // Wishes are looked for after each update.
            Update::Wished => {}
        }
    }

    /// What is to be done next.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Whether the model changed since this was last asked.
    pub const fn take_changed(&mut self) -> bool {
        std::mem::replace(&mut self.is_changed, false)
    }

    /// The model was changed.
    pub const fn mark_changed(&mut self) {
        self.is_changed = true;
    }

    /// The call is over: what was shown of it only while it lasted goes.
    pub fn end_call(&mut self, end: Option<End>, over: Option<String>) {
        self.call = None;
        self.clear_call();
        if let Some(shown) = &mut self.model.call {
            shown.ended = Some(sayings::ended(end, over));
        }
        self.model.own.muted = false;
        self.is_changed = true;
    }

    /// When an update came, since the program's start.
    fn since_start(&self, at: Moment) -> Duration {
        self.clock.since_start(at.now)
    }

    fn order(&mut self, order: Order) {
        self.order_participant(ParticipantEffect::Command(order));
    }

    fn order_participant(&mut self, effect: ParticipantEffect) {
        self.effects.push_back(Effect::Participant(effect));
    }

    fn report(&mut self, told: Told) {
        self.effects.push_back(Effect::Tell(told));
    }

    /// A microphone, camera, encoder or recording ended.
    fn handle_failure(&mut self, what: Failed, why: &str, at: Moment) {
        let device = match what {
            Failed::Camera => Ok(DeviceKind::Camera),
            Failed::Microphone => Ok(DeviceKind::Microphone),
            Failed::Speaker => Ok(DeviceKind::Speaker),
            Failed::Encoder => Err(SayingKey::Encoder),
            Failed::Recording => Err(SayingKey::Recording),
            Failed::Playout => Err(SayingKey::Playout),
        };
        let key = device.map_or_else(|key| key, |kind| kind.key(Fate::Failed));
        let saying = Saying::new(key, sentence(why));
        self.report(Told::Failed(key, why.to_owned()));
        match device {
            Ok(kind) => self.effects.push_back(Effect::ReplaceDevice(kind, saying)),
            Err(_) => self.say(saying, at),
        }
    }
}

#[cfg(test)]
mod tests;
