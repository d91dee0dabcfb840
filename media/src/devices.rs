//! The devices of this machine, by name, and when they come and go.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{BufferSize, Device, Host, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

/// What is there to be used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Devices {
    /// Names of cameras.
    pub cameras: Vec<String>,
    /// Names of microphones.
    pub microphones: Vec<String>,
    /// Names of loudspeakers.
    pub speakers: Vec<String>,
}

/// What is there, and what the system takes first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// All of it.
    pub devices: Devices,
    /// The default microphone.
    pub microphone: Option<String>,
    /// The default loudspeaker.
    pub speaker: Option<String>,
}

impl Present {
    /// Looks what is there.
    #[must_use]
    pub fn look() -> Self {
        with_host(|host| {
            let (inputs, outputs) = (inputs(host), outputs(host));
            let name = |device: Option<Device>, named: &[(String, Device)]| name_among(&device?, named);
            Self {
                microphone: name(host.default_input_device(), &inputs),
                speaker: name(host.default_output_device(), &outputs),
                devices: Devices {
                    cameras: crate::camera::names(),
                    microphones: inputs.into_iter().map(|(name, _)| name).collect(),
                    speakers: outputs.into_iter().map(|(name, _)| name).collect(),
                },
            }
        })
    }
}

/// 400 ms: how often it is looked what is there, at most. Not every system tells of changes.
const LOOK: Duration = Duration::from_millis(400);

/// 900 ms: how often it is looked at least, so that a change is noticed within a second.
const SELDOM: Duration = Duration::from_millis(900);

/// Looking takes less than a hundred and fiftieth of the time: ALSA's list costs thirty times as much as PulseAudio's.
const SHARE: u32 = 150;

/// Tells of devices that come and go, from a thread of its own. Dropping it ends the thread.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Tells what is there whenever that is not as it was `known` any more.
    ///
    /// # Errors
    /// No thread can be had.
    #[allow(clippy::disallowed_methods, reason = "measures how long looking takes")]
    pub fn start(known: Present, tell: impl Fn(Present) + Send + 'static) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = crate::send::spawn("devices", move || {
            let mut last = known;
            while !stopped.load(Ordering::Relaxed) {
                let began = Instant::now();
                let now = Present::look();
                let took = began.elapsed();
                if last != now {
                    tell(now.clone());
                    last = now;
                }
                std::thread::park_timeout((took * SHARE).clamp(LOOK, SELDOM));
            }
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
        crate::send::join(&mut self.thread);
    }
}

/// The connection to the system's sound service. There is one for the whole program: making one takes its time, and
/// a service that many are made to in a row turns some away. One that broke is made anew.
static HOST: Mutex<Option<Host>> = Mutex::new(None);

/// Asks the sound service something, one thread at a time.
fn with_host<R>(ask: impl FnOnce(&Host) -> R) -> R {
    let mut known = HOST.lock().unwrap_or_else(PoisonError::into_inner);
    let host = known.take().filter(|host| host.devices().is_ok());
    let host = host.unwrap_or_else(cpal::default_host);
    ask(known.insert(host))
}

fn inputs(host: &Host) -> Vec<(String, Device)> {
    with_names(host.input_devices().into_iter().flatten())
}

fn outputs(host: &Host) -> Vec<(String, Device)> {
    with_names(host.output_devices().into_iter().flatten())
}

/// Devices with the names that the system shows; of several with the same name, each gets a number.
fn with_names(devices: impl Iterator<Item = Device>) -> Vec<(String, Device)> {
    let mut named: Vec<(String, Device)> = Vec::new();
    for device in devices {
        let (Ok(description), Ok(id)) = (device.description(), device.id()) else {
            continue;
        };
        if !is_real(&id.to_string()) {
            continue;
        }
        let plain = description.name().to_owned();
        let numbered = (2..).map(|number| format!("{plain} ({number})"));
        let is_free = |name: &String| named.iter().all(|(taken, _)| taken != name);
        let name = std::iter::once(plain.clone()).chain(numbered).find(is_free);
        named.extend(name.map(|name| (name, device)));
    }
    // What a loudspeaker plays can be taken for a microphone, but only when somebody means it.
    let is_monitor = |device: &Device| device.id().is_ok_and(|id| id.to_string().ends_with(".monitor"));
    named.sort_by_key(|(_, device)| is_monitor(device));
    named
}

/// Whether it is something to hear or speak with. ALSA lists its plugins (rate converters, mixers, the one that
/// discards everything) among the devices; those of a sound card name the card.
fn is_real(id: &str) -> bool {
    id.strip_prefix("alsa:").is_none_or(|name| name.contains("CARD="))
}

/// The name in a list of the device that the system takes first; where that is none of the list, as with ALSA's
/// `default`, the first of it. Without a list there is nothing behind it either.
fn name_among(device: &Device, named: &[(String, Device)]) -> Option<String> {
    let id = device.id().ok()?;
    let found = named
        .iter()
        .find(|(_, other)| other.id().is_ok_and(|other| other == id));
    found.or(named.first()).map(|(name, _)| name.clone())
}

/// A device's own format, in periods of 10 ms where it lets us choose: its default may be seconds.
pub(crate) fn with_short_buffer(supported: &SupportedStreamConfig) -> StreamConfig {
    let mut config = supported.config();
    let period = config.sample_rate / 100;
    config.buffer_size = match supported.buffer_size() {
        SupportedBufferSize::Range { min, max } => BufferSize::Fixed(period.clamp(*min, *max)),
        SupportedBufferSize::Unknown => BufferSize::Fixed(period),
    };
    config
}

/// The default microphone, or one by name.
pub(crate) fn input(name: Option<&str>) -> Option<Device> {
    match name {
        Some(name) => with_host(|host| by_name(inputs(host), name)),
        None => with_host(HostTrait::default_input_device),
    }
}

/// The default loudspeaker, or one by name.
pub(crate) fn output(name: Option<&str>) -> Option<Device> {
    match name {
        Some(name) => with_host(|host| by_name(outputs(host), name)),
        None => with_host(HostTrait::default_output_device),
    }
}

fn by_name(devices: Vec<(String, Device)>, name: &str) -> Option<Device> {
    let mut devices = devices.into_iter();
    devices.find(|(own, _)| own == name).map(|(_, device)| device)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_not_devices() {
        for id in [
            "alsa:sysdefault:CARD=PCH",
            "alsa:hw:CARD=Headset,DEV=0",
            "pulseaudio:alsa_output.usb",
        ] {
            assert!(is_real(id), "{id}");
        }
        for id in ["alsa:null", "alsa:default", "alsa:lavrate", "alsa:pulse"] {
            assert!(!is_real(id), "{id}");
        }
    }
}
