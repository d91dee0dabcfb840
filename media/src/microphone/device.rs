//! A real microphone, through the system's sound service.

use std::time::{Duration, Instant};

use rtrb::Consumer;
use sightline_media_proto::audio::{BLOCK, BLOCK_SAMPLES, SAMPLE_RATE};

use super::{Block, Microphone, MicrophoneError};
use crate::resample::Resampler;
use crate::sound::{self, Captured, Opening, Progress};

/// 2 ms: how often the ring is looked at.
const POLL: Duration = Duration::from_millis(2);

/// 100 ms: how long one reading waits.
const SLICE: Duration = Duration::from_millis(100);

/// A microphone that gives nothing for this long is taken to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// A microphone. It is opened, and closed, on a thread of its own.
pub struct Device {
    opening: Opening<Captured>,
    running: Option<Running>,
    ready: Vec<f32>,
    /// When it was first waited for in vain.
    silent_since: Option<Instant>,
}

struct Running {
    ring: Consumer<f32>,
    resampler: Resampler,
}

impl Device {
    /// By its id, or the default one. Whether it works is told when it is read.
    pub fn open(id: Option<&str>) -> Result<Self, MicrophoneError> {
        let opening = sound::capture(id.map(str::to_owned));
        Ok(Self {
            opening: opening.map_err(|error| MicrophoneError::Device(error.to_string()))?,
            running: None,
            ready: Vec::new(),
            silent_since: None,
        })
    }

    /// What it has given since this was asked last.
    fn take(&mut self) -> Result<(), MicrophoneError> {
        if self.running.is_none() {
            match self.opening.poll() {
                Progress::Waits => {}
                Progress::Runs(Captured { ring, rate }) => {
                    let resampler = Resampler::new(rate, SAMPLE_RATE)
                        .map_err(|error| MicrophoneError::Device(error.to_string()))?;
                    self.running = Some(Running { ring, resampler });
                }
                Progress::Failed(error) => return Err(MicrophoneError::Device(error.to_string())),
            }
        }
        if let Some(Running { ring, resampler }) = &mut self.running
            && let Ok(chunk) = ring.read_chunk(ring.slots())
        {
            let (first, second) = chunk.as_slices();
            resampler.convert(first, &mut self.ready);
            resampler.convert(second, &mut self.ready);
            chunk.commit_all();
        }
        Ok(())
    }
}

#[allow(clippy::disallowed_methods, reason = "a device's clock")]
impl Microphone for Device {
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let begin = Instant::now();
        while self.ready.len() < BLOCK_SAMPLES {
            self.take()?;
            if self.ready.len() < BLOCK_SAMPLES {
                let now = Instant::now();
                if now.saturating_duration_since(*self.silent_since.get_or_insert(begin)) > PATIENCE {
                    return Err(MicrophoneError::Device("it gives no sound any more".into()));
                }
                if now.saturating_duration_since(begin) > SLICE {
                    return Ok(None);
                }
                std::thread::sleep(POLL);
            }
        }
        self.silent_since = None;
        let beyond = self.ready.len() - BLOCK_SAMPLES;
        let age = Duration::from_secs(1) * beyond as u32 / SAMPLE_RATE;
        block.copy_from_slice(&self.ready[..BLOCK_SAMPLES]);
        self.ready.drain(..BLOCK_SAMPLES);
        let now = Instant::now();
        Ok(Some(now.checked_sub(BLOCK + age).unwrap_or(now)))
    }
}
