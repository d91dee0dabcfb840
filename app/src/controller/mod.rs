//! The controller: carries out what the user wishes and keeps what the window shows, for a participant with a
//! window and for one without alike. It owns one thread: the main one, or, beside a window, its own.
//!
//! ```text
//!   mod.rs ── the loop: notices in, time passing        wishes.rs ── what each wish does
//!     ├ call.rs ── a call: its events and measurements, as the model has them (view_model.rs, measure.rs)
//!     ├ session.rs ── the beginning and the end of a call
//!     ├ telling.rs ── what the user is told
//!     └ sources.rs ── devices that are chosen, come and go
//! ```

mod call;
pub(crate) mod measure;
mod session;
mod sources;
mod telling;
mod view_model;
mod wishes;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use sightline_media::av1::EncoderKind;
use sightline_media::devices::{Present, Watcher};
use sightline_media::{Level, MemberId, SharedProcessing};
use sightline_media_proto::Track;
use sightline_media_proto::overuse::Degradation;
use sightline_media_proto::session::Limits;
use sightline_mesh_proto::{Clock, Command as Order, End, Event};
use sightline_ui::Text;
use sightline_ui::model::{Choice, Model, Processing, Saying, Sending};

use self::call::Running;
use self::sources::{DeviceKind, OwnPicture, Sources};
use crate::args::{Options, ProcessingStep};
use crate::clock::{self, Sleep};
use crate::exit::Exit;
use crate::participant::SourceError;
use crate::report::Reporter;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::wiring::{Notice, Notices};

pub use self::session::Wanted;
use self::telling::{Topic, sentence};

/// Notices that may wait for the loop.
const NOTICES: usize = 1024;

/// 1 s: how often measurements are told.
const SECOND: Duration = Duration::from_secs(1);

/// 100 ms: how often it is looked who speaks.
const LOOK: Duration = Duration::from_millis(100);

/// 7 s: how long something is shown that needs no answer.
const PASSING: Duration = Duration::from_secs(7);

/// The participant's side of the program.
pub struct Controller {
    clock: Clock,
    sleep: Sleep,
    notices: Receiver<Notice>,
    sink: Notices<Notice>,
    encoder: EncoderKind,
    limits: Limits,
    record: Option<PathBuf>,
    /// Where the record of a call is written at its end.
    save: Vec<PathBuf>,
    interfaces: Vec<String>,
    leave_at: Option<Instant>,
    settings: Settings,
    muted: Arc<AtomicBool>,
    processing: Arc<SharedProcessing>,
    /// What the command line says of the microphone's sound, of a clip's and a made-up voice's as well, until the window
    /// says something else.
    processing_wish: Option<Processing>,
    sources: Sources,
    call: Option<Running>,
    report: Reporter,
    /// For those who read standard output or standard error.
    english: Text,
    model: Model,
    is_dirty: bool,
    screen: Option<Arc<Screen>>,
    watcher: Option<Watcher>,
    next_notice: u64,
    next_second: Instant,
    /// When the microphone last heard speech.
    spoke: Option<Instant>,
    scanned: Option<Instant>,
    /// Nothing was kept since the user had everything forgotten.
    has_forgotten: bool,
    is_over: bool,
    exit: Exit,
}

impl Controller {
    /// A controller without a call. With a `screen` it keeps what the window there shows.
    #[must_use]
    pub fn new(options: &Options, settings: Settings, clock: Clock, screen: Option<Arc<Screen>>) -> Self {
        let (sink, notices) = sync_channel(NOTICES);
        let mut seed = DefaultHasher::new();
        options.name.hash(&mut seed);
        let own = OwnPicture {
            pictures: screen.as_ref().map(|screen| Arc::clone(&screen.pictures)),
            wake: {
                let screen = screen.clone();
                Box::new(move || {
                    if let Some(screen) = &screen {
                        screen.picture_came();
                    }
                })
            },
            notices: sink.clone(),
        };
        let mut model = Model::default();
        settings.show(&mut model);
        // The command line's, where it says something: what is shown is what is done.
        let sending = Sending {
            uplink: options.uplink,
            constant_rate: options.constant_rate,
        };
        model.preferences.sending = sending;
        let home = std::env::home_dir().unwrap_or_default();
        model.record_path = home.join("sightline-call.html").display().to_string();
        model.addresses = view_model::addresses(&options.interface);
        let mut controller = Self {
            clock,
            sleep: Sleep::watch(),
            notices,
            encoder: options.encoder.unwrap_or_default(),
            limits: Limits::of(sending.uplink, sending.constant_rate),
            record: options.record.clone(),
            save: options.save.clone(),
            interfaces: options.interface.clone(),
            leave_at: options.seconds.map(|seconds| clock.start + SECOND * seconds),
            settings,
            muted: Arc::default(),
            processing: Arc::default(),
            processing_wish: processing_wish(options),
            sources: Sources::new(Present::default(), Arc::new(own), seed.finish()),
            call: None,
            report: Reporter::new(options.voice(screen.is_some()), clock),
            english: Text::new("en"),
            model,
            is_dirty: true,
            screen,
            watcher: None,
            sink,
            next_notice: 1,
            next_second: clock.start + SECOND,
            spoke: None,
            scanned: None,
            has_forgotten: false,
            is_over: false,
            exit: Exit::Wished,
        };
        controller.check_clock();
        controller
    }

    /// Where other threads put notices for the loop.
    #[must_use]
    pub fn sink(&self) -> Notices<Notice> {
        self.sink.clone()
    }

    /// The microphone's level.
    #[must_use]
    pub fn level(&self) -> Arc<Level> {
        Arc::clone(&self.sources.level)
    }

    /// Whether silence is sent: set at once by whoever hears the wish first.
    #[must_use]
    pub fn muted(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.muted)
    }

    /// What is shown at the start.
    #[must_use]
    pub const fn model(&self) -> &Model {
        &self.model
    }

    /// Chooses camera, microphone and loudspeaker; nothing is sent before a call.
    ///
    /// # Errors
    /// [`SourceError`]: the first that cannot be used.
    pub fn choose_all(
        &mut self,
        camera: Choice,
        microphone: Choice,
        speaker: Choice,
    ) -> Result<(), SourceError> {
        if [&camera, &microphone, &speaker]
            .into_iter()
            .any(Choice::is_device)
        {
            self.watch_devices();
        }
        self.choose(DeviceKind::Camera, camera)?;
        self.choose(DeviceKind::Speaker, speaker)?;
        self.choose(DeviceKind::Microphone, microphone)
    }

    /// Looks at devices from now on.
    pub fn watch_devices(&mut self) {
        if self.watcher.is_none() {
            let present = Present::look();
            self.handle_devices(present.clone());
            let sink = self.sink();
            // Without it devices that go are noticed when they fail.
            self.watcher = Watcher::start(present, move |present| {
                crate::wiring::try_tell(&sink, Notice::Devices(Box::new(present)));
            })
            .ok();
        }
    }

    /// As [`Controller::watch_devices`], from the thread that the controller is to run on.
    #[must_use]
    pub fn watching_devices(mut self) -> Self {
        self.watch_devices();
        self
    }

    /// Runs until the program is to end.
    #[must_use]
    pub fn run(mut self) -> Exit {
        while !self.is_over {
            let deadline = self.next_deadline();
            let patience = deadline.saturating_duration_since(now());
            // The sink of its own keeps the channel open: nothing came, so it is time.
            if let Ok(notice) = self.notices.recv_timeout(patience) {
                self.handle(notice);
            }
            while let Some(wish) = self.screen.as_ref().and_then(|screen| screen.take_wish()) {
                self.fulfil(wish);
            }
            self.handle_time();
            self.publish();
        }
        if self.call.is_some() {
            self.order(Order::Leave);
            self.end_call(Some(End::Left));
        }
        self.sources.end_trials();
        self.watcher = None;
        self.exit
    }

    fn next_deadline(&self) -> Instant {
        let look = (self.screen.is_some()
            && (self.call.is_some() || self.model.own.microphone.is_some() || self.model.own.scanning))
            .then(|| now() + LOOK);
        [Some(self.next_second), self.leave_at, look]
            .into_iter()
            .flatten()
            .fold(self.next_second, Instant::min)
    }

    fn handle(&mut self, notice: Notice) {
        if let Some(call) = &self.call {
            call.participant.handle(&notice);
        }
        match notice {
            Notice::Call(Event::Ended(end)) => self.end_call(Some(end)),
            Notice::MeshEnded => self.end_call(None),
            Notice::Call(event) => self.handle_event(&event),
            Notice::FirstAudio(member, track, at) => self.tell_first(Track::Audio(track), member, at),
            Notice::FirstVideo(member, track, at) => self.tell_first(Track::Video(track), member, at),
            Notice::Undecodable(member) => self.tell_of_video("undecodable", member),
            Notice::TooCostly(member) => self.tell_of_video("picture_too_costly", member),
            Notice::SourceFailed(code, message) => self.handle_failure(code, &message),
            Notice::RecordingRenamed(path) => self.tell("recording_renamed", &path.display().to_string()),
            Notice::Line(line) => self.handle_line(&line),
            Notice::Devices(present) => self.handle_devices(*present),
            Notice::NoWindow => {
                self.screen = None;
                self.report.speak_up();
                self.is_over |= self.call.is_none();
            }
            Notice::Interrupted if self.call.is_some() && self.screen.is_none() => self.order(Order::Leave),
            Notice::Interrupted => self.is_over = true,
            // Wishes are looked for after each notice.
            Notice::Wished | Notice::NeedsKeyFrame(..) => {}
        }
    }

    fn handle_event(&mut self, event: &Event) {
        self.report.event(event);
        let passing = Running::passing(event).map(|(word, peer)| (word, *peer));
        let name = passing.map(|(_, peer)| self.report.names().get(&peer).cloned().unwrap_or_default());
        if let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) {
            let started = clock::started(self.clock);
            call.handle_event(event, shown, self.report.names(), started, now());
            call.show_invites(shown, now());
            if let Event::Admitted = event {
                shown.since = self.clock.since_start(now());
            }
            if let (Some(screen), Event::Joined { peer, .. }) = (&self.screen, event)
                && let Some(member) = call.participant.member(peer)
            {
                screen.add_person(member, view_model::person(peer));
            }
        }
        if let (Some(screen), Event::Left { peer, .. }) = (&self.screen, event) {
            screen.remove_person(&view_model::person(peer));
        }
        if let (Some(screen), Event::Message { peer, .. }) = (&self.screen, event) {
            let id = view_model::person(peer);
            let people = self.model.call.iter().flat_map(|shown| &shown.people);
            // A picture that is not sent any more is not shown again when the next one is.
            if people
                .into_iter()
                .any(|person| person.id == id && !person.has_video)
            {
                screen.pictures.remove(&sightline_ui::Source::Camera(id));
            }
        }
        self.clear_after(event);
        if let Event::Listening(local) = event {
            self.warn_of(local);
        }
        if let Event::Problem(problem, peer) = event {
            let name = peer.map(|peer| self.report.names().get(&peer).cloned().unwrap_or_default());
            let saying = Saying {
                name: Some(name.unwrap_or_default()),
                ..Saying::new(problem.code(), "")
            };
            self.say_of(peer.as_ref(), saying);
        }
        if let Some((word, peer)) = passing {
            let saying = Saying {
                name,
                ..Saying::new(word, "")
            };
            self.say_of(Some(&peer), saying);
        }
        self.is_dirty = true;
    }

    /// A microphone, camera, encoder or recording ended.
    fn handle_failure(&mut self, code: &'static str, message: &str) {
        self.report.problem(code, message, None);
        let kind = match code {
            "camera" => DeviceKind::Camera,
            "microphone" => DeviceKind::Microphone,
            "speaker" => DeviceKind::Speaker,
            _ => return self.say(Saying::new(code, sentence(message))),
        };
        if self.sources.choice(kind).is_device() {
            self.handle_source_failure(kind);
        } else {
            self.say(Saying::new(code, sentence(message)));
        }
    }

    fn tell_first(&mut self, track: Track, member: MemberId, at: Instant) {
        let Some(call) = &self.call else {
            return;
        };
        if let Some(peer) = call.participant.peer(member) {
            self.report
                .first(track, &peer, call.since_join(&peer, at, self.clock.start));
        }
    }

    fn handle_time(&mut self) {
        let now = now();
        if self.leave_at.is_some_and(|at| now >= at) {
            self.leave_at = None;
            if self.call.is_some() {
                self.order(Order::Leave);
            } else {
                self.is_over = true;
            }
        }
        self.sources.handle_time(now);
        if self.screen.is_some() {
            self.look(now);
        }
        if now >= self.next_second {
            self.next_second = (self.next_second + SECOND).max(now);
            self.handle_second(now);
        }
    }

    /// What is looked at ten times a second: who speaks.
    fn look(&mut self, now: Instant) {
        if self.sources.level.is_speech() {
            self.spoke = Some(now);
        }
        let speaks = self
            .spoke
            .is_some_and(|spoke| now.saturating_duration_since(spoke) < 4 * LOOK);
        self.is_dirty |= std::mem::replace(&mut self.model.own.speaking, speaks) != speaks;
        if let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) {
            self.is_dirty |= call.show_speakers(shown, now);
        }
        self.scan(now);
    }

    fn handle_second(&mut self, now: Instant) {
        let has_screen = self.screen.is_some();
        let mut packet_sizes = Vec::new();
        self.handle_sleep(now);
        self.handle_load();
        if let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) {
            call.show_speakers(shown, now);
            call.ask_all(Some(shown));
            let measured = call.measure(shown);
            for one in &measured {
                self.report.stats(one, call.degradation);
            }
            packet_sizes = call.take_packet_sizes(&measured);
            if let Some(matrix) = call.take_hears() {
                self.report.hears(&matrix);
            }
            if has_screen {
                let names = self.report.names();
                call.show_holes(shown, names, now);
                call.show_invites(shown, now);
                call.show_addresses(shown, names);
                self.is_dirty = true;
            }
        } else if has_screen {
            let addresses = view_model::addresses(&self.interfaces);
            self.is_dirty |= addresses != self.model.addresses;
            self.model.addresses = addresses;
        }
        for (peer, is_small) in packet_sizes {
            if is_small {
                self.tell_of("small_packets_only", Some(&peer));
            } else {
                self.clear(Topic::PacketSize, Some(&peer));
            }
        }
        self.retry_missing();
        let at = self.clock.since_start(now);
        let before = self.model.notices.len();
        self.model
            .notices
            .retain(|told| at.saturating_sub(told.at) < PASSING || !told.is_passing);
        self.is_dirty |= before != self.model.notices.len();
    }

    /// Codes are older by how long this machine slept, if it did.
    fn handle_sleep(&mut self, now: Instant) {
        if let Some(slept) = self.sleep.take() {
            self.order(Order::Slept(slept));
            if let Some(call) = &mut self.call {
                call.handle_sleep(slept, now);
            }
        }
    }

    /// Degrades the call when this machine is overloaded, and tells the user.
    fn handle_load(&mut self) {
        let Some(degradation) = self.call.as_mut().and_then(Running::handle_load) else {
            return;
        };
        match degradation {
            (_, Degradation::Nothing) => self.tell("load_back", ""),
            (before, now) if now > before => self.tell(&format!("gave_way_{}", now.word()), ""),
            // What is on its way back is told when all of it is; what is shown until then is true all the same.
            (_, now) => {
                let saying = Saying::new(&format!("gave_way_{}", now.word()), "");
                self.amend(Topic::Load, &saying);
            }
        }
    }

    fn order(&self, order: Order) {
        if let Some(call) = &self.call {
            call.participant.command(order);
        }
    }

    fn publish(&mut self) {
        let Some(screen) = self.screen.as_ref().filter(|_| self.is_dirty) else {
            return;
        };
        self.is_dirty = false;
        self.model.now = self.clock.since_start(now());
        self.model.lines = self.report.lines();
        screen.publish(self.model.clone());
    }
}

#[allow(clippy::disallowed_methods, reason = "the controller's clock")]
fn now() -> Instant {
    Instant::now()
}

/// What the command line says of the microphone's sound.
fn processing_wish(options: &Options) -> Option<Processing> {
    let does = |step| options.processing.contains(&step);
    (!options.processing.is_empty()).then(|| Processing {
        echo: does(ProcessingStep::Echo),
        noise: does(ProcessingStep::Noise),
        gain: does(ProcessingStep::Gain),
    })
}
