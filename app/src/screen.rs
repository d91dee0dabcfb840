//! What controller and window share: the model, the pictures, and when to draw.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use sightline_media::{Level, MemberId, Picture};
use sightline_media_proto::{AudioTrack, VideoTrack};
use sightline_ui::model::PersonId;
use sightline_ui::{Command, Host, Model, Pictures, Source, Wake};

use crate::observer::PlayoutObserver;
use crate::update::{Update, Updates, try_tell};

/// 33 ms: pictures that come in between are drawn together. Nine people's pictures, each drawn when it comes,
/// would be 270 drawings a second.
const FRAME: Duration = Duration::from_millis(33);

/// The window's side of the program.
#[derive(Default)]
pub struct Screen {
    /// The latest picture of everybody.
    pub pictures: Arc<Pictures>,
    model: Mutex<Arc<Model>>,
    wake: Mutex<Option<Wake>>,
    /// A picture has come that is not drawn yet.
    picture_waits: AtomicBool,
    drawn: Mutex<Option<Instant>>,
    people: Mutex<HashMap<MemberId, PersonId>>,
    /// Commands of the user that nobody has carried out yet. Unbounded: a person cannot make many.
    wishes: Mutex<VecDeque<Command>>,
    is_over: AtomicBool,
}

impl Screen {
    /// Something else is to be shown from now on.
    pub fn publish(&self, model: Model) {
        *lock(&self.model) = Arc::new(model);
        self.wake(Duration::ZERO);
    }

    /// A picture was put among the pictures.
    #[allow(clippy::disallowed_methods, reason = "the clock of frames on the screen")]
    pub fn picture_came(&self) {
        if !self.picture_waits.swap(true, Ordering::Relaxed) {
            let since =
                lock(&self.drawn).map_or(FRAME, |drawn| Instant::now().saturating_duration_since(drawn));
            self.wake(FRAME.saturating_sub(since));
        }
    }

    /// A member's pictures are this person's.
    pub fn add_person(&self, member: MemberId, person: PersonId) {
        lock(&self.people).insert(member, person);
    }

    /// A member is gone.
    pub fn remove_person(&self, person: &PersonId) {
        lock(&self.people).retain(|_, known| known != person);
        self.pictures.remove(&Source::Camera(person.clone()));
        self.pictures.remove(&Source::Screen(person.clone()));
    }

    /// The call is over.
    pub fn clear(&self) {
        lock(&self.people).clear();
        self.pictures.clear();
    }

    /// The user wishes something.
    pub fn wish(&self, command: Command) {
        lock(&self.wishes).push_back(command);
    }

    /// The wish that waits longest.
    pub fn take_wish(&self) -> Option<Command> {
        lock(&self.wishes).pop_front()
    }

    /// The window is to close.
    pub fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.wake(Duration::ZERO);
    }

    fn wake(&self, after: Duration) {
        if let Some(wake) = &*lock(&self.wake) {
            wake(after);
        }
    }
}

impl PlayoutObserver for Screen {
    fn played(&self, _: MemberId, _: AudioTrack, _: &[f32], _: Instant) {}

    fn shown(&self, member: MemberId, track: VideoTrack, picture: &Arc<Picture>) {
        let person = lock(&self.people).get(&member).cloned();
        if let Some(person) = person {
            let source = match track {
                VideoTrack::Camera => Source::Camera(person),
                VideoTrack::Screen => Source::Screen(person),
            };
            self.pictures.put(source, Arc::new(Yuv(Arc::clone(picture))));
            self.picture_came();
        }
    }
}

/// The window's end of the wire.
pub struct Wire {
    /// What is shown.
    pub screen: Arc<Screen>,
    /// Where it is told that there are wishes.
    pub updates: Updates,
    /// The microphone's level.
    pub level: Arc<Level>,
    /// Silence is sent in place of what the microphone hears.
    pub muted: Arc<AtomicBool>,
}

impl Host for Wire {
    fn model(&self) -> Arc<Model> {
        Arc::clone(&lock(&self.screen.model))
    }

    fn level(&self) -> f32 {
        self.level.get()
    }

    fn wish(&self, command: Command) {
        // Who mutes waits for nothing, whatever the controller is busy with.
        if let Command::Mute(muted) = command {
            self.muted.store(muted, Ordering::Relaxed);
        }
        self.screen.wish(command);
        // A loop with so much else to do looks for wishes as well.
        try_tell(&self.updates, Update::Wished);
    }

    fn on_change(&self, wake: Wake) {
        *lock(&self.screen.wake) = Some(wake);
    }

    #[allow(clippy::disallowed_methods, reason = "the clock of frames on the screen")]
    fn drawing(&self) {
        *lock(&self.screen.drawn) = Some(Instant::now());
        self.screen.picture_waits.store(false, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        self.screen.is_over.load(Ordering::Relaxed)
    }
}

/// A picture as the window takes it.
pub struct Yuv(pub Arc<Picture>);

impl sightline_ui::Picture for Yuv {
    fn size(&self) -> [usize; 2] {
        [self.0.size.width as usize, self.0.size.height as usize]
    }

    fn planes(&self) -> [&[u8]; 3] {
        self.0.planes()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
