//! The devices of this machine, and when they come and go.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use crate::sound::{Device, Listing, SoundError};

/// What is there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// Cameras. The first is the one that the system takes.
    pub cameras: Vec<Device>,
    /// Microphones and loudspeakers.
    pub sound: Listing,
}

/// What somebody who looked has found: all of what is there of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Cameras.
    Cameras(Vec<Device>),
    /// Microphones and loudspeakers.
    Sound(Listing),
}

impl Present {
    /// Takes in what was found.
    pub fn update(&mut self, found: Found) {
        match found {
            Found::Cameras(cameras) => self.cameras = cameras,
            Found::Sound(sound) => self.sound = sound,
        }
    }
}

/// Looks which cameras are there, for no longer than two seconds.
#[must_use]
pub fn cameras_in_time() -> Vec<Device> {
    in_time(|| Ok(crate::camera::devices())).unwrap_or_default()
}

/// Asks the sound service what is there, for no longer than two seconds.
///
/// # Errors
/// The sound service does not answer, or not in time.
pub fn sound_in_time() -> Result<Listing, SoundError> {
    in_time(Listing::ask)
}

fn in_time<T: Send + 'static>(
    look: impl FnOnce() -> Result<T, SoundError> + Send + 'static,
) -> Result<T, SoundError> {
    let (tell, told) = sync_channel(1);
    let look = move || {
        // Nobody may be waiting any more.
        let _late = tell.send(look());
    };
    crate::send::spawn("devices", look).map_err(|error| SoundError(error.to_string()))?;
    told.recv_timeout(LAST_PATIENCE)
        .unwrap_or_else(|_| Err(SoundError("it does not answer".into())))
}

/// The name of a device among others: with its id where several are called the same.
#[must_use]
pub fn label(device: &Device, among: &[Device]) -> String {
    let is_only = among.iter().filter(|other| other.name == device.name).count() < 2;
    if is_only {
        device.name.clone()
    } else {
        full_name(device)
    }
}

/// The name of a device, and its id: it means the same whatever else is there.
fn full_name(device: &Device) -> String {
    format!("{} ({})", device.name, device.id)
}

/// The device that somebody means by its id, its name, or both as a [`label`] has them.
#[must_use]
pub fn find<'a>(meant: &str, among: &'a [Device]) -> Option<&'a Device> {
    let by_id = among.iter().find(|device| device.id == meant);
    by_id.or_else(|| {
        among
            .iter()
            .find(|device| device.name == meant || full_name(device) == meant)
    })
}

/// 400 ms: how often it is looked what is there, at most. Not every system tells of changes.
const LOOK: Duration = Duration::from_millis(400);

/// 900 ms: how often it is looked at least, so that a change is noticed within a second.
const SELDOM: Duration = Duration::from_millis(900);

/// Looking takes less than a hundred and fiftieth of the time: ALSA's list costs thirty times as much as PulseAudio's.
const SHARE: u32 = 150;

/// 2 s: how long anybody waits to hear what is there.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// 500 ms: what takes longer to say what is there does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks again and again, on a thread of its own that nobody waits for. Dropping it ends the thread, once what it asks has
/// answered.
pub struct Watcher {
    /// Nothing is sent: the thread ends when this is gone.
    _stop: SyncSender<()>,
    look: Arc<Look>,
}

/// How looking goes.
#[derive(Default)]
struct Look {
    state: Mutex<LookState>,
    changed: Condvar,
}

#[derive(Default)]
struct LookState {
    /// When the one that is being taken began.
    since: Option<Instant>,
    /// The last one failed.
    failed: bool,
    /// One was taken.
    is_taken: bool,
}

#[allow(clippy::disallowed_methods, reason = "measures how long looking takes")]
impl Watcher {
    /// Tells which cameras are there at first, and whenever that changes.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn cameras(mut tell: impl FnMut(Found) + Send + 'static) -> std::io::Result<Self> {
        let look = || Ok(crate::camera::devices());
        Self::start(look, move |cameras| tell(Found::Cameras(cameras)))
    }

    /// Tells which microphones and loudspeakers are there at first, and whenever that changes.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn sound(mut tell: impl FnMut(Found) + Send + 'static) -> std::io::Result<Self> {
        Self::start(Listing::ask, move |listing| tell(Found::Sound(listing)))
    }

    fn start<T: Clone + PartialEq>(
        look: impl Fn() -> Result<T, SoundError> + Send + 'static,
        mut tell: impl FnMut(T) + Send + 'static,
    ) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let state = Arc::<Look>::default();
        let own = Arc::clone(&state);
        crate::send::spawn("devices", move || {
            let mut last = None;
            loop {
                let began = Instant::now();
                own.lock().since = Some(began);
                let now = look();
                let took = began.elapsed();
                let failed = now.is_err();
                if let Ok(now) = now
                    && last.as_ref() != Some(&now)
                {
                    tell(now.clone());
                    last = Some(now);
                }
                own.finish(failed);
                let pause = (took * SHARE).clamp(LOOK, SELDOM);
                if stopped.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        })?;
        Ok(Self {
            _stop: stop,
            look: state,
        })
    }

    /// Whether what is asked answers, as far as is known.
    #[must_use]
    pub fn answers(&self) -> bool {
        let state = self.look.lock();
        !state.failed && state.since.is_none_or(|since| since.elapsed() <= PATIENCE)
    }

    /// Waits until it was looked once, and what was found was told, but no longer than this.
    pub fn wait(&self, patience: Duration) {
        let state = self.look.lock();
        let waited = self
            .look
            .changed
            .wait_timeout_while(state, patience, |state| !state.is_taken);
        drop(waited);
    }
}

impl Look {
    fn lock(&self) -> MutexGuard<'_, LookState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn finish(&self, failed: bool) {
        *self.lock() = LookState {
            since: None,
            failed,
            is_taken: true,
        };
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str) -> Device {
        Device {
            id: id.into(),
            name: name.into(),
            ..Device::default()
        }
    }

    #[test]
    fn devices_of_one_name_are_told_apart_by_their_ids() {
        let devices = [
            device("usb-1", "Headset"),
            device("pci", "Laptop"),
            device("usb-2", "Headset"),
        ];
        let labels = devices.each_ref().map(|device| label(device, &devices));
        assert_eq!(labels, ["Headset (usb-1)", "Laptop", "Headset (usb-2)"]);
        for (meant, id) in [
            ("usb-2", "usb-2"),
            ("Headset (usb-2)", "usb-2"),
            ("Headset", "usb-1"),
            ("Laptop", "pci"),
        ] {
            assert_eq!(
                find(meant, &devices).map(|device| &*device.id),
                Some(id),
                "{meant}"
            );
        }
        assert_eq!(find("Screen", &devices), None);
        let left = &devices[2..];
        assert_eq!(label(&left[0], left), "Headset");
        assert_eq!(find(&labels[2], left), Some(&left[0]), "its twin is gone");
    }
}
