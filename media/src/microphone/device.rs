//! A real microphone, through the system's sound service.

use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, SampleFormat, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use sightline_media_proto::audio::{BLOCK, BLOCK_SAMPLES, SAMPLE_RATE};

use super::{Block, Microphone, MicrophoneError};
use crate::device_io::take_input;
use crate::devices;
use crate::held::Held;
use crate::resample::Resampler;

/// 2 ms: how often the ring is looked at.
const POLL: Duration = Duration::from_millis(2);

/// 100 ms: how long one reading waits.
const SLICE: Duration = Duration::from_millis(100);

/// A microphone that gives nothing for this long is taken to be gone.
const PATIENCE: Duration = Duration::from_secs(2);

/// A microphone.
pub struct Device {
    /// Captures for as long as it is held.
    _stream: Held,
    ring: Consumer<f32>,
    resampler: Resampler,
    ready: Vec<f32>,
    /// When it was first waited for in vain.
    silent_since: Option<Instant>,
}

impl Device {
    pub fn open(name: Option<&str>) -> Result<Self, MicrophoneError> {
        let to_error = |error: &dyn std::fmt::Display| MicrophoneError::Device(error.to_string());
        let device =
            devices::input(name).ok_or_else(|| MicrophoneError::NotFound(name.map(str::to_owned)))?;
        let supported = device.default_input_config().map_err(|error| to_error(&error))?;
        let format = supported.sample_format();
        let config = devices::with_short_buffer(&supported);
        let resampler = Resampler::new(config.sample_rate, SAMPLE_RATE).map_err(|error| to_error(&error))?;
        // Half a second.
        let (producer, ring) = RingBuffer::new(config.sample_rate as usize / 2);
        let stream = match format {
            SampleFormat::F32 => build::<f32>(&device, config, producer),
            SampleFormat::I16 => build::<i16>(&device, config, producer),
            SampleFormat::I32 => build::<i32>(&device, config, producer),
            SampleFormat::U8 => build::<u8>(&device, config, producer),
            other => return Err(to_error(&format!("its sample format {other} is not supported"))),
        };
        let stream = stream.map_err(|error| to_error(&error))?;
        stream.play().map_err(|error| to_error(&error))?;
        Ok(Self {
            _stream: Held::new(stream),
            ring,
            resampler,
            ready: Vec::new(),
            silent_since: None,
        })
    }
}

fn build<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = usize::from(config.channels);
    device.build_input_stream(
        config,
        move |data: &[T], _: &cpal::InputCallbackInfo| {
            take_input(data, channels, &mut ring);
        },
        // A device that fails gives no more samples, which the reader notices.
        |_| {},
        None,
    )
}

#[allow(clippy::disallowed_methods, reason = "a device's clock")]
impl Microphone for Device {
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let begin = Instant::now();
        while self.ready.len() < BLOCK_SAMPLES {
            let waiting = self.ring.slots();
            if let Ok(chunk) = self.ring.read_chunk(waiting) {
                let (first, second) = chunk.as_slices();
                self.resampler.convert(first, &mut self.ready);
                self.resampler.convert(second, &mut self.ready);
                chunk.commit_all();
            }
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
