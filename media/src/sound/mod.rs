//! The system's sound service: the devices it has, and streams from and to them.
//!
//! ```text
//!   Listing::ask   Microphone, Speaker ──► opening.rs ── a thread for each stream
//!         └──────────────┬──────────────────────┘
//!                        ▼
//!   with_service ── pulse/ ── PulseAudio, or PipeWire in its place
//!                └─ system.rs ── cpal: ALSA, or what another system has
//! ```
//!
//! A service may be stopped, or hang, and whoever asks it then waits for as long: only threads that nobody waits for do.

mod downmix;
mod opening;
#[cfg(target_os = "linux")]
mod pulse;
mod system;

use std::sync::{Mutex, PoisonError};

use rtrb::{Consumer, Producer, RingBuffer};

pub use self::downmix::Downmix;
pub(crate) use self::opening::{Opening, Progress};
pub use self::system::{fill_output, take_input};

/// A device for sound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// What the service calls it: the same whenever it is there.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// It gives what a loudspeaker plays.
    pub is_monitor: bool,
    /// The service has switched it off: because nobody uses it, or because somebody wished so.
    pub is_suspended: bool,
}

/// All devices of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Microphones, and after them what loudspeakers play, which is one only for whoever means it.
    pub microphones: Vec<Device>,
    /// Loudspeakers.
    pub speakers: Vec<Device>,
    /// The id of the microphone that the system takes first.
    pub default_microphone: Option<String>,
    /// The id of the loudspeaker that the system takes first.
    pub default_speaker: Option<String>,
}

/// Why the service did not do something, in its own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SoundError(pub String);

impl Listing {
    /// Asks the service what is there, for as long as it takes.
    ///
    /// # Errors
    /// The service does not answer.
    pub(crate) fn ask() -> Result<Self, SoundError> {
        let mut listing = with_service(Service::list)?;
        listing.microphones.sort_by_key(|device| device.is_monitor);
        Ok(listing)
    }
}

/// What a microphone gives.
pub(crate) struct Captured {
    pub ring: Consumer<f32>,
    /// Hertz.
    pub rate: u32,
}

/// What a loudspeaker takes.
pub(crate) struct Played {
    pub ring: Producer<f32>,
    pub capacity: usize,
    /// Hertz.
    pub rate: u32,
}

/// Opens a microphone by its id, or the default one, on a thread of its own.
///
/// # Errors
/// No thread can be had.
pub(crate) fn capture(id: Option<String>) -> std::io::Result<Opening<Captured>> {
    Opening::start(move || with_service(|service| service.capture(id.as_deref())))
}

/// Opens a loudspeaker by its id, or the default one, on a thread of its own.
///
/// # Errors
/// No thread can be had.
pub(crate) fn play(id: Option<String>) -> std::io::Result<Opening<Played>> {
    Opening::start(move || with_service(|service| service.play(id.as_deref())))
}

/// A sound service that answers.
enum Service {
    #[cfg(target_os = "linux")]
    Pulse(pulse::Service),
    System(system::Service),
}

/// A stream of a device, for as long as it is held.
enum Stream {
    #[cfg(target_os = "linux")]
    Pulse {
        _stream: pulse::Stream,
    },
    System {
        _stream: cpal::Stream,
    },
}

/// The one connection of the whole program: making one takes its time, and a service that many are made to in a row turns some away.
/// One that broke is made anew.
static SERVICE: Mutex<Option<Service>> = Mutex::new(None);

/// Asks the service something, one thread at a time.
fn with_service<R>(ask: impl FnOnce(&Service) -> Result<R, SoundError>) -> Result<R, SoundError> {
    let mut known = SERVICE.lock().unwrap_or_else(PoisonError::into_inner);
    let service = match known.take().filter(Service::is_good) {
        Some(service) => service,
        None => Service::connect()?,
    };
    ask(known.insert(service))
}

impl Service {
    fn connect() -> Result<Self, SoundError> {
        #[cfg(target_os = "linux")]
        if let Some(service) = pulse::Service::connect()? {
            return Ok(Self::Pulse(service));
        }
        Ok(Self::System(system::Service::connect()))
    }

    /// Whether it is to be asked on: it answers, and no better one has come.
    fn is_good(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse(service) => service.answers(),
            #[cfg(target_os = "linux")]
            Self::System(service) => service.answers() && !pulse::Service::is_there(),
            #[cfg(not(target_os = "linux"))]
            Self::System(service) => service.answers(),
        }
    }

    fn list(&self) -> Result<Listing, SoundError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse(service) => service.list(),
            Self::System(service) => Ok(service.list()),
        }
    }

    fn capture(&self, id: Option<&str>) -> Result<(Stream, Captured), SoundError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse(service) => {
                let rate = pulse::RATE;
                let (producer, ring) = RingBuffer::new(capacity(rate));
                let stream = service.capture(id, producer)?;
                Ok((Stream::Pulse { _stream: stream }, Captured { ring, rate }))
            }
            Self::System(service) => {
                let (stream, captured) = service.capture(id)?;
                Ok((Stream::System { _stream: stream }, captured))
            }
        }
    }

    fn play(&self, id: Option<&str>) -> Result<(Stream, Played), SoundError> {
        match self {
            #[cfg(target_os = "linux")]
            Self::Pulse(service) => {
                let rate = pulse::RATE;
                let capacity = capacity(rate);
                let (ring, consumer) = RingBuffer::new(capacity);
                let stream = service.play(id, consumer)?;
                let played = Played { ring, capacity, rate };
                Ok((Stream::Pulse { _stream: stream }, played))
            }
            Self::System(service) => {
                let (stream, played) = service.play(id)?;
                Ok((Stream::System { _stream: stream }, played))
            }
        }
    }
}

/// Half a second of samples.
const fn capacity(rate: u32) -> usize {
    rate as usize / 2
}
