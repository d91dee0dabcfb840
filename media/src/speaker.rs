//! A real loudspeaker, through the system's sound service.

use std::time::Duration;

use sightline_media_proto::audio::SAMPLE_RATE;

use crate::resample::Resampler;
use crate::sound::{self, Opening, Played, Progress};
use crate::tone;

/// Why there is no loudspeaker; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SpeakerError {
    /// No such device.
    #[error("There is no loudspeaker{}.", .0.as_ref().map_or_else(String::new, |name| format!(" named “{name}”")))]
    NotFound(Option<String>),
    /// The device does not work.
    #[error("The loudspeaker cannot be used: {0}.")]
    Device(String),
}

/// A loudspeaker. It is opened, and closed, on a thread of its own.
pub struct Speaker {
    opening: Opening<Played>,
    running: Option<Running>,
}

struct Running {
    played: Played,
    resampler: Resampler,
    converted: Vec<f32>,
}

impl Speaker {
    /// By its id, or the default one. Whether it works is told by [`Speaker::is_running`].
    ///
    /// # Errors
    /// [`SpeakerError::Device`] when no thread can be had.
    pub fn open(id: Option<&str>) -> Result<Self, SpeakerError> {
        let opening = sound::play(id.map(str::to_owned));
        Ok(Self {
            opening: opening.map_err(|error| SpeakerError::Device(error.to_string()))?,
            running: None,
        })
    }

    /// Whether it plays already.
    ///
    /// # Errors
    /// [`SpeakerError::Device`]: it never will.
    pub fn is_running(&mut self) -> Result<bool, SpeakerError> {
        if self.running.is_none() {
            match self.opening.poll() {
                Progress::Waits => return Ok(false),
                Progress::Runs(played) => {
                    let resampler = Resampler::new(SAMPLE_RATE, played.rate)
                        .map_err(|error| SpeakerError::Device(error.to_string()))?;
                    self.running = Some(Running {
                        played,
                        resampler,
                        converted: Vec::new(),
                    });
                }
                Progress::Failed(error) => return Err(SpeakerError::Device(error.to_string())),
            }
        }
        Ok(true)
    }

    /// How much sound waits to be played, milliseconds.
    pub fn waiting_millis(&self) -> u32 {
        let Some(Running { played, .. }) = &self.running else {
            return 0;
        };
        let samples = played.capacity - played.ring.slots();
        samples as u32 * 1000 / played.rate
    }

    /// Hands sound over. What finds no room is dropped: the device has stopped, or not begun.
    pub fn play(&mut self, samples: &[f32]) {
        let Some(running) = &mut self.running else {
            return;
        };
        running.converted.clear();
        running.resampler.convert(samples, &mut running.converted);
        for sample in &running.converted {
            if running.played.ring.push(*sample).is_err() {
                return;
            }
        }
    }

    /// Plays the tone by which one hears where the sound comes from, on the default loudspeaker or one by its id. It takes a second;
    /// nobody waits for it.
    ///
    /// # Errors
    /// [`SpeakerError::Device`] when no thread can be had.
    pub fn play_tone(
        id: Option<&str>,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<(), SpeakerError> {
        let mut speaker = Self::open(id)?;
        let play = move || {
            for _ in 0..TONE_LOOKS {
                match speaker.is_running() {
                    Ok(true) => {
                        let samples: Vec<f32> = (0..tone::SAMPLES).map(tone::sample).collect();
                        speaker.play(&samples);
                        return std::thread::sleep(TONE);
                    }
                    Ok(false) => std::thread::sleep(TONE_LOOK),
                    Err(error) => return failed(error.to_string()),
                }
            }
            failed(SpeakerError::Device("it does not answer".into()).to_string());
        };
        crate::send::spawn("tone", play).map_err(|error| SpeakerError::Device(error.to_string()))?;
        Ok(())
    }
}

/// 900 ms: in which the tone is over.
const TONE: Duration = Duration::from_millis(900);

/// 10 ms: how often it is looked whether the loudspeaker for the tone runs, and how many times.
const TONE_LOOK: Duration = Duration::from_millis(10);
const TONE_LOOKS: u32 = 200;
