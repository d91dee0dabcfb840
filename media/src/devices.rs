//! The devices of this machine, and when they come and go.

use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::sound::{Listing, SoundError};

pub use crate::sound::Device;

/// What is there, and what the system takes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// Cameras.
    pub cameras: Vec<Device>,
    /// Microphones.
    pub microphones: Vec<Device>,
    /// Loudspeakers.
    pub speakers: Vec<Device>,
    /// The id of the default microphone.
    pub microphone: Option<String>,
    /// The id of the default loudspeaker.
    pub speaker: Option<String>,
}

impl Present {
    /// Looks what is there. It takes as long as the sound service takes to answer.
    ///
    /// # Errors
    /// The sound service does not answer.
    pub fn look() -> Result<Self, SoundError> {
        let sound = Listing::ask()?;
        let cameras = crate::camera::names().into_iter().map(|name| Device {
            id: name.clone(),
            name,
            is_monitor: false,
        });
        Ok(Self {
            cameras: cameras.collect(),
            microphones: in_order(sound.inputs),
            speakers: in_order(sound.outputs),
            microphone: sound.default_input,
            speaker: sound.default_output,
        })
    }

    /// The same, but waits no longer than two seconds.
    ///
    /// # Errors
    /// The sound service does not answer, or not in time.
    pub fn look_in_time() -> Result<Self, SoundError> {
        let (tell, told) = sync_channel(1);
        let look = move || {
            // Nobody may be waiting any more.
            let _late = tell.send(Self::look());
        };
        crate::send::spawn("devices", look).map_err(|error| SoundError(error.to_string()))?;
        told.recv_timeout(LAST_PATIENCE)
            .unwrap_or_else(|_| Err(SoundError("it does not answer".into())))
    }
}

/// What a loudspeaker plays can be taken for a microphone, but only when somebody means it.
fn in_order(mut devices: Vec<Device>) -> Vec<Device> {
    devices.sort_by_key(|device| device.is_monitor);
    devices
}

/// The name of a device among others: with its id where several are called the same.
#[must_use]
pub fn label(device: &Device, among: &[Device]) -> String {
    let is_only = among.iter().filter(|other| other.name == device.name).count() < 2;
    if is_only {
        device.name.clone()
    } else {
        format!("{} ({})", device.name, device.id)
    }
}

/// The device that somebody means by its id, its name, or its name among the others.
#[must_use]
pub fn find<'a>(meant: &str, among: &'a [Device]) -> Option<&'a Device> {
    let by_id = among.iter().find(|device| device.id == meant);
    by_id.or_else(|| {
        among
            .iter()
            .find(|device| device.name == meant || label(device, among) == meant)
    })
}

/// 400 ms: how often it is looked what is there, at most. Not every system tells of changes.
const LOOK: Duration = Duration::from_millis(400);

/// 900 ms: how often it is looked at least, so that a change is noticed within a second.
const SELDOM: Duration = Duration::from_millis(900);

/// Looking takes less than a hundred and fiftieth of the time: ALSA's list costs thirty times as much as PulseAudio's.
const SHARE: u32 = 150;

/// 2 s: how long anybody waits for a sound service to say what is there.
const LAST_PATIENCE: Duration = Duration::from_secs(2);

/// 500 ms: a sound service that takes longer to say what is there does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// Looks again and again, on a thread of its own that nobody waits for. Dropping it ends the thread, once the service has
/// answered.
pub struct Watcher {
    /// Nothing is sent: the thread ends when this is gone.
    _stop: SyncSender<()>,
    look: Arc<Mutex<Look>>,
}

/// How looking goes.
#[derive(Default)]
struct Look {
    /// When the one that is being taken began.
    since: Option<Instant>,
    /// The service said last that it does not answer.
    failed: bool,
}

#[allow(clippy::disallowed_methods, reason = "measures how long looking takes")]
impl Watcher {
    /// Tells what is there at first, and whenever that changes.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(mut tell: impl FnMut(Present) + Send + 'static) -> std::io::Result<Self> {
        let (stop, stopped) = sync_channel::<()>(0);
        let look = Arc::<Mutex<Look>>::default();
        let own = Arc::clone(&look);
        crate::send::spawn("devices", move || {
            let mut last = None;
            loop {
                let began = Instant::now();
                lock(&own).since = Some(began);
                let now = Present::look();
                *lock(&own) = Look {
                    since: None,
                    failed: now.is_err(),
                };
                let took = began.elapsed();
                if let Ok(now) = now
                    && last.as_ref() != Some(&now)
                {
                    tell(now.clone());
                    last = Some(now);
                }
                let pause = (took * SHARE).clamp(LOOK, SELDOM);
                if stopped.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected) {
                    return;
                }
            }
        })?;
        Ok(Self { _stop: stop, look })
    }

    /// Whether the sound service answers, as far as is known.
    #[must_use]
    pub fn answers(&self) -> bool {
        let look = lock(&self.look);
        !look.failed && look.since.is_none_or(|since| since.elapsed() <= PATIENCE)
    }
}

fn lock(look: &Mutex<Look>) -> MutexGuard<'_, Look> {
    look.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, name: &str) -> Device {
        Device {
            id: id.into(),
            name: name.into(),
            is_monitor: false,
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
    }
}
