//! A WAV clip in place of a microphone, looped.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Cursor, Read};
use std::path::Path;
use std::time::Instant;

use hound::{SampleFormat, WavReader};
use sightline_media_proto::audio::{BLOCK, BLOCK_SAMPLES, SAMPLE_RATE};

use super::{Block, Microphone, MicrophoneError};
use crate::pace::Pacer;
use crate::resample::Resampler;

/// 10 min: a longer clip is cut. At 48 kHz it takes 115 MB.
const MAX_SECONDS: u32 = 600;

/// A clip, resampled and mixed down when it is opened.
pub struct Clip {
    samples: VecDeque<f32>,
    pacer: Pacer,
}

impl Clip {
    /// Opens and reads a file.
    ///
    /// # Errors
    /// [`MicrophoneError::Clip`].
    pub fn open(path: &Path) -> Result<Self, MicrophoneError> {
        let name = path.display().to_string();
        let to_error = |why: String| MicrophoneError::Clip {
            path: name.clone(),
            why,
        };
        let file = File::open(path).map_err(|error| to_error(error.to_string()))?;
        Self::read_from(BufReader::new(file)).map_err(to_error)
    }

    /// Reads a clip from memory.
    ///
    /// # Errors
    /// [`MicrophoneError::Clip`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, MicrophoneError> {
        Self::read_from(Cursor::new(bytes)).map_err(|why| MicrophoneError::Clip {
            path: "in memory".into(),
            why,
        })
    }

    fn read_from(reader: impl Read) -> Result<Self, String> {
        let mut reader = WavReader::new(reader).map_err(|error| explain(&error))?;
        let spec = reader.spec();
        if spec.channels == 0 || spec.channels > 8 {
            return Err(format!("{} channels are too many", spec.channels));
        }
        let resampler = Resampler::new(spec.sample_rate, SAMPLE_RATE).map_err(|error| error.to_string())?;
        let limit = spec.sample_rate as usize * usize::from(spec.channels) * MAX_SECONDS as usize;
        let interleaved: Vec<f32> = match spec.sample_format {
            SampleFormat::Float => reader
                .samples::<f32>()
                .take(limit)
                .map_while(Result::ok)
                .collect(),
            SampleFormat::Int => {
                let scale = 1.0 / (1u64 << (u32::from(spec.bits_per_sample).clamp(1, 32) - 1)) as f32;
                let samples = reader.samples::<i32>().take(limit).map_while(Result::ok);
                samples.map(|sample| sample as f32 * scale).collect()
            }
        };
        let channels = usize::from(spec.channels);
        let mono: Vec<f32> = interleaved
            .chunks_exact(channels)
            .map(|frame| frame.iter().sum::<f32>() / channels as f32)
            .map(|sample| {
                if sample.is_finite() {
                    sample.clamp(-1.0, 1.0)
                } else {
                    0.0
                }
            })
            .collect();
        let mut samples = resampler.convert_all(&mono);
        // Resampling overshoots at edges.
        for sample in &mut samples {
            *sample = sample.clamp(-1.0, 1.0);
        }
        if samples.len() < BLOCK_SAMPLES {
            return Err("it holds less than 10 ms of sound".into());
        }
        Ok(Self {
            samples: samples.into(),
            pacer: Pacer::new(BLOCK),
        })
    }

    /// The next 10 ms, from the beginning again after the last, without waiting for their time.
    pub fn next(&mut self, block: &mut Block) {
        for (out, sample) in block.iter_mut().zip(&self.samples) {
            *out = *sample;
        }
        self.samples.rotate_left(BLOCK_SAMPLES);
    }
}

impl Microphone for Clip {
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let begin = self.pacer.wait();
        self.next(block);
        Ok(Some(begin))
    }
}

fn explain(error: &hound::Error) -> String {
    match error {
        hound::Error::IoError(error) => error.to_string(),
        hound::Error::Unsupported => "this kind of WAV is not supported".into(),
        _ => "it is not a WAV clip".into(),
    }
}
