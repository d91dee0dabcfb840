//! A WAV clip in place of a microphone, looped, read as it is played.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek};
use std::path::Path;
use std::time::Instant;

use sightline_media_proto::audio::{BLOCK, BLOCK_SAMPLES, SAMPLE_RATE};

use super::wav::Wav;
use super::{Block, Microphone, MicrophoneError};
use crate::pace::Pacer;
use crate::resample::Resampler;
use crate::sound::Downmix;

/// 10 ms, as a part of a second: what is read at once, and the shortest clip.
const PARTS: u32 = 100;

/// 1 s: how much is looked at to see in which channels there is something, as many parts.
const LOOK: u32 = 100;

/// A clip.
pub struct Clip<R = BufReader<File>> {
    wav: Wav<R>,
    downmix: Downmix,
    resampler: Resampler,
    /// What is ready to be given, 48 kHz.
    ready: VecDeque<f32>,
    pacer: Pacer,
    path: String,
}

impl Clip {
    /// Opens a file and looks at what it holds.
    ///
    /// # Errors
    /// [`MicrophoneError::Clip`].
    pub fn open(path: &Path) -> Result<Self, MicrophoneError> {
        let name = path.display().to_string();
        let file = crate::source::open_clip(path).map_err(|why| MicrophoneError::Clip {
            path: name.clone(),
            why,
        })?;
        Self::new(BufReader::new(file), name)
    }
}

impl<'a> Clip<Cursor<&'a [u8]>> {
    /// Reads a clip from memory.
    ///
    /// # Errors
    /// [`MicrophoneError::Clip`].
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, MicrophoneError> {
        Self::new(Cursor::new(bytes), "in memory".into())
    }
}

impl<R: Read + Seek> Clip<R> {
    fn new(reader: R, path: String) -> Result<Self, MicrophoneError> {
        let to_error = |why: String| MicrophoneError::Clip {
            path: path.clone(),
            why,
        };
        let mut wav = Wav::open(reader).map_err(to_error)?;
        let rate = wav.rate();
        let resampler = Resampler::new(rate, SAMPLE_RATE).map_err(|error| to_error(error.to_string()))?;
        if wav.moments() * u64::from(PARTS) < u64::from(rate) {
            return Err(to_error("it holds less than 10 ms of sound".into()));
        }
        let mut downmix = Downmix::new(&wav.low_effects(), rate);
        for _ in 0..LOOK {
            let samples = wav
                .read(part(rate))
                .map_err(|error| to_error(error.to_string()))?;
            samples.for_each(|sample| {
                downmix.push(sample);
            });
        }
        wav.rewind().map_err(|error| to_error(error.to_string()))?;
        Ok(Self {
            wav,
            downmix,
            resampler,
            ready: VecDeque::new(),
            pacer: Pacer::new(BLOCK),
            path,
        })
    }

    /// The next 10 ms, from the beginning again after the last, without waiting for their time.
    ///
    /// # Errors
    /// [`MicrophoneError::Clip`]: the clip cannot be read any more.
    pub fn next(&mut self, block: &mut Block) -> Result<(), MicrophoneError> {
        let mut rewound = false;
        while self.ready.len() < BLOCK_SAMPLES {
            let read = self.read_part().map_err(|error| self.error(error.to_string()))?;
            if read == 0 {
                if std::mem::replace(&mut rewound, true) {
                    return Err(self.error("there is no sound in it any more".into()));
                }
                self.wav.rewind().map_err(|error| self.error(error.to_string()))?;
            } else {
                rewound = false;
            }
        }
        for (out, sample) in block.iter_mut().zip(self.ready.drain(..BLOCK_SAMPLES)) {
            // Resampling overshoots at edges.
            *out = sample.clamp(-1.0, 1.0);
        }
        Ok(())
    }

    /// Makes the next part ready. Returns how many samples of one channel there were.
    fn read_part(&mut self) -> std::io::Result<usize> {
        let rate = self.wav.rate();
        let samples = self.wav.read(part(rate))?;
        let mixed: Vec<f32> = samples.filter_map(|sample| self.downmix.push(sample)).collect();
        let mut converted = Vec::new();
        self.resampler.convert(&mixed, &mut converted);
        self.ready.extend(converted);
        Ok(mixed.len())
    }

    fn error(&self, why: String) -> MicrophoneError {
        MicrophoneError::Clip {
            path: self.path.clone(),
            why,
        }
    }
}

impl<R: Read + Seek + Send> Microphone for Clip<R> {
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let begin = self.pacer.wait();
        self.next(block)?;
        Ok(Some(begin))
    }
}

/// Moments of a part.
fn part(rate: u32) -> usize {
    (rate / PARTS) as usize
}
