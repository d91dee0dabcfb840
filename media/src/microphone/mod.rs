//! Microphones: devices, clips, and a made-up voice, behind one trait.

mod clip;
mod device;
mod voice;
mod wav;

use std::time::Instant;

use sightline_media_proto::audio::BLOCK_SAMPLES;

use crate::source::Source;

pub use clip::Clip;

/// 10 ms of sound: 480 samples at 48 kHz, mono, -1 to 1.
pub type Block = [f32; BLOCK_SAMPLES];

/// Something that gives sound.
pub trait Microphone: Send {
    /// Waits until 10 ms are complete, at most about 100 ms. Returns when the first of them was captured; `None` when
    /// they are not complete yet.
    ///
    /// # Errors
    /// [`MicrophoneError`]: there will be no more sound.
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError>;
}

/// Why there is no sound; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MicrophoneError {
    /// A clip that cannot be read.
    #[error("The clip {path} cannot be used: {why}.")]
    Clip {
        /// Which.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// No such device.
    #[error("There is no microphone{}.", .0.as_ref().map_or_else(String::new, |name| format!(" named “{name}”")))]
    NotFound(Option<String>),
    /// The device does not work.
    #[error("The microphone cannot be used: {0}.")]
    Device(String),
}

/// The samples of a made-up voice, without end.
pub fn made_up_voice(seed: u64) -> impl Iterator<Item = f32> {
    let mut voice = voice::Voice::new(seed);
    std::iter::repeat_with(move || voice.next_sample())
}

/// Opens a microphone; `None` for [`Source::Off`]. `seed` makes made-up voices differ.
///
/// # Errors
/// [`MicrophoneError`].
pub fn open(source: &Source, seed: u64) -> Result<Option<Box<dyn Microphone>>, MicrophoneError> {
    Ok(match source {
        Source::Off => None,
        Source::Test => Some(Box::new(voice::Voice::new(seed))),
        Source::File(path) => Some(Box::new(Clip::open(path)?)),
        Source::Device(name) => Some(Box::new(device::Device::open(name.as_deref())?)),
    })
}
