//! The controller: carries out what the user wishes, and what an update of [`crate::state`] asks for, for a participant
//! with a window and for one without alike. It owns one thread: the main one, or, beside a window, its own.
//!
//! ```text
//!   mod.rs ── the loop: updates in, time passing
//!     ├ effects.rs ── what is to be done about an update
//!     ├ wishes.rs ── what each wish does            lines.rs ── wishes as lines on standard input
//!     ├ session.rs ── the beginning and the end of a call
//!     ├ timing.rs ── what is looked at ten times a second, and measured every second
//!     └ sources.rs, devices.rs ── devices that are chosen, come and go
//! ```

mod devices;
mod effects;
mod lines;
mod session;
mod sources;
mod timing;
mod wishes;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use sightline_media::av1::EncoderKind;
use sightline_media::devices::{Present, Watcher};
use sightline_media::{Level, SharedProcessing};
use sightline_media_proto::session::Limits;
use sightline_mesh_proto::{Clock, Command as Order, End};
use sightline_ui::Text;
use sightline_ui::model::{Choice, Model, Processing, Saying, SayingKey, Sending};

use self::devices::Watchers;
use self::sources::{OwnPicture, Sources};
use crate::args::{Options, ProcessingStep};
use crate::clock::{self, Sleep};
use crate::exit::Exit;
use crate::participant::{Participant, SourceError};
use crate::report::Reporter;
use crate::screen::Screen;
use crate::settings::Settings;
use crate::state::device::DeviceKind;
use crate::state::{Moment, State, sentence, view_model};
use crate::update::{Update, Updates, tell_timeout};
use crate::zone;

pub use self::session::Wanted;

/// Updates that may wait for the loop.
const UPDATES: usize = 1024;

/// 1 s: how often measurements are told.
const SECOND: Duration = Duration::from_secs(1);

/// 100 ms: how often it is looked who speaks.
const LOOK: Duration = Duration::from_millis(100);

/// 2 s: how long it is waited at the start to hear which devices are there. What is late is listened to all the same.
const FIRST_LOOK: Duration = Duration::from_secs(2);

/// Unknown settings that are named: whoever misspelt one finds it among these.
const NAMED_SETTINGS: usize = 5;

/// The participant's side of the program.
pub struct Controller {
    clock: Clock,
    sleep: Sleep,
    updates: Receiver<Update>,
    sink: Updates,
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
    participant: Option<Participant>,
    state: State,
    report: Reporter,
    /// For those who read standard output or standard error.
    english: Text,
    screen: Option<Arc<Screen>>,
    watchers: Option<Watchers>,
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
        let (sink, updates) = sync_channel(UPDATES);
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
            updates: sink.clone(),
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
        model.interfaces.clone_from(&options.interface);
        let mut controller = Self {
            clock,
            sleep: Sleep::watch(),
            updates,
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
            participant: None,
            state: State::new(model, clock, zone::local, screen.is_some()),
            report: Reporter::new(options.voice(screen.is_some()), clock),
            english: Text::new("en"),
            screen,
            watchers: None,
            sink,
            next_second: clock.start + SECOND,
            spoke: None,
            scanned: None,
            has_forgotten: false,
            is_over: false,
            exit: Exit::Wished,
        };
        controller.check_clock();
        controller.tell_unknown_settings();
        controller
    }

    /// Where other threads put what they notice.
    #[must_use]
    pub fn sink(&self) -> Updates {
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
        &self.state.model
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
        if self.watchers.is_some() {
            return;
        }
        let tell = |sink: Updates| move |found| tell_timeout(&sink, Update::Devices(Box::new(found)));
        // Without them devices that come and go are not noticed.
        let cameras = Watcher::cameras(tell(self.sink())).ok();
        let sound = Watcher::sound(tell(self.sink())).ok();
        let deadline = now() + FIRST_LOOK;
        for watcher in [&cameras, &sound].into_iter().flatten() {
            watcher.wait(deadline.saturating_duration_since(now()));
        }
        self.watchers = Some(Watchers { cameras, sound });
        while let Ok(update) = self.updates.try_recv() {
            self.handle(update);
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
            if let Ok(update) = self.updates.recv_timeout(patience) {
                self.handle(update);
            }
            while let Some(wish) = self.screen.as_ref().and_then(|screen| screen.take_wish()) {
                self.fulfil(wish);
            }
            self.handle_time();
            self.publish();
        }
        if self.participant.is_some() {
            self.order(Order::Leave);
            self.end_call(Some(End::Left));
        }
        self.sources.end_trials();
        self.watchers = None;
        self.exit
    }

    fn next_deadline(&self) -> Instant {
        let own = &self.state.model.own;
        let is_looked_at = self.participant.is_some() || own.microphone.is_some() || own.scanning;
        let look = (self.screen.is_some() && is_looked_at).then(|| now() + LOOK);
        [Some(self.next_second), self.leave_at, look]
            .into_iter()
            .flatten()
            .fold(self.next_second, Instant::min)
    }

    /// Takes an update in, and does what is to be done about it.
    fn handle(&mut self, update: Update) {
        let at = self.moment();
        if let Update::Call(event) = &update {
            self.report.event(event, &self.state.registry);
        }
        self.state.reduce(update, at);
        self.carry_out();
    }

    fn moment(&self) -> Moment {
        Moment {
            now: now(),
            started: clock::started(self.clock),
        }
    }

    /// Tells the user that this machine's clock is wrong, if that is sure.
    fn check_clock(&mut self) {
        let wall = clock::wall();
        if clock::is_wrong(wall) {
            self.tell(SayingKey::ClockWrong, &clock::in_words(wall));
        }
    }

    /// Tells the user of settings that this version does not know: one may be misspelt.
    fn tell_unknown_settings(&mut self) {
        let unknown = self.settings.unknown();
        if !unknown.is_empty() {
            let named = unknown
                .iter()
                .take(NAMED_SETTINGS)
                .map(|name| format!("“{name}”"));
            self.tell(SayingKey::SettingsUnknown, &named.collect::<Vec<_>>().join(", "));
        }
    }

    /// Tells the user that the call that was asked for has not begun.
    pub fn tell_not_begun(&mut self, why: &str) {
        self.tell(SayingKey::Start, why);
    }

    /// Tells the user that the settings could not be read.
    pub fn say_settings_unread(&mut self, why: &str) {
        // Nothing is written over them before the user changes something.
        self.has_forgotten = true;
        let at = self.moment();
        self.state
            .say(Saying::new(SayingKey::SettingsUnread, sentence(why)), at);
    }

    /// Tells the user of a problem, in the window and where events go.
    fn tell(&mut self, key: SayingKey, detail: &str) {
        let at = self.moment();
        self.state.tell(Saying::new(key, detail), at);
        self.carry_out();
    }

    fn order(&self, order: Order) {
        if let Some(participant) = &self.participant {
            participant.command(order);
        }
    }

    fn publish(&mut self) {
        let Some(screen) = &self.screen else {
            return;
        };
        if self.state.take_changed() {
            let model = &mut self.state.model;
            model.now = self.clock.since_start(now());
            model.lines = self.report.lines();
            screen.publish(model.clone());
        }
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
