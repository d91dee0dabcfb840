//! A real loudspeaker, through the system's sound service.

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{FromSample, SampleFormat, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};
use sightline_media_proto::audio::SAMPLE_RATE;

use crate::device_io::fill_output;
use crate::devices;
use crate::held::Held;
use crate::resample::Resampler;
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

/// A loudspeaker.
pub struct Speaker {
    /// Plays for as long as it is held.
    _stream: Held,
    ring: Producer<f32>,
    capacity: usize,
    rate: u32,
    resampler: Resampler,
    converted: Vec<f32>,
}

impl Speaker {
    /// Opens the default loudspeaker, or one by name.
    ///
    /// # Errors
    /// [`SpeakerError`].
    pub fn open(name: Option<&str>) -> Result<Self, SpeakerError> {
        let to_error = |error: &dyn std::fmt::Display| SpeakerError::Device(error.to_string());
        let device = devices::output(name).ok_or_else(|| SpeakerError::NotFound(name.map(str::to_owned)))?;
        let supported = device.default_output_config().map_err(|error| to_error(&error))?;
        let format = supported.sample_format();
        let config = devices::with_short_buffer(&supported);
        let rate = config.sample_rate;
        let resampler = Resampler::new(SAMPLE_RATE, rate).map_err(|error| to_error(&error))?;
        let capacity = rate as usize / 2;
        let (ring, consumer) = RingBuffer::new(capacity);
        let stream = match format {
            SampleFormat::F32 => build::<f32>(&device, config, consumer),
            SampleFormat::I16 => build::<i16>(&device, config, consumer),
            SampleFormat::I32 => build::<i32>(&device, config, consumer),
            SampleFormat::U8 => build::<u8>(&device, config, consumer),
            other => return Err(to_error(&format!("its sample format {other} is not supported"))),
        };
        let stream = stream.map_err(|error| to_error(&error))?;
        stream.play().map_err(|error| to_error(&error))?;
        Ok(Self {
            _stream: Held::new(stream),
            ring,
            capacity,
            rate,
            resampler,
            converted: Vec::new(),
        })
    }

    /// How much sound waits to be played, milliseconds.
    pub fn waiting_millis(&self) -> u32 {
        let samples = self.capacity - self.ring.slots();
        samples as u32 * 1000 / self.rate
    }

    /// Hands sound over. What finds no room is dropped: the device has stopped.
    pub fn play(&mut self, samples: &[f32]) {
        self.converted.clear();
        self.resampler.convert(samples, &mut self.converted);
        for sample in &self.converted {
            if self.ring.push(*sample).is_err() {
                return;
            }
        }
    }
}

impl Speaker {
    /// Plays the tone by which one hears where the sound comes from. It is over after half a second.
    pub fn play_tone(&mut self) {
        let samples: Vec<f32> = (0..tone::SAMPLES).map(tone::sample).collect();
        self.play(&samples);
    }
}

fn build<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    device.build_output_stream(
        config,
        move |data: &mut [T], _: &cpal::OutputCallbackInfo| {
            fill_output(data, channels, &mut ring);
        },
        // A device that fails takes no more samples, which the mixer sees in what waits.
        |_| {},
        None,
    )
}
