//! The sound service of a system without PulseAudio, through cpal.

use cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use cpal::{
    BufferSize, FromSample, Host, Sample, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig,
};
use rtrb::{Consumer, Producer, RingBuffer};

use super::downmix::Downmix;
use super::{Captured, Device, Listing, Played, SoundError, capacity};

/// Calls what builds a stream for samples of a format.
macro_rules! for_format {
    ($format:expr, $build:ident($($argument:expr),*)) => {
        match $format {
            SampleFormat::F32 => $build::<f32>($($argument),*),
            SampleFormat::F64 => $build::<f64>($($argument),*),
            SampleFormat::I8 => $build::<i8>($($argument),*),
            SampleFormat::I16 => $build::<i16>($($argument),*),
            SampleFormat::I24 => $build::<cpal::I24>($($argument),*),
            SampleFormat::I32 => $build::<i32>($($argument),*),
            SampleFormat::I64 => $build::<i64>($($argument),*),
            SampleFormat::U8 => $build::<u8>($($argument),*),
            SampleFormat::U16 => $build::<u16>($($argument),*),
            SampleFormat::U24 => $build::<cpal::U24>($($argument),*),
            SampleFormat::U32 => $build::<u32>($($argument),*),
            SampleFormat::U64 => $build::<u64>($($argument),*),
            other => return Err(SoundError(format!("its sample format {other} is not supported"))),
        }
    };
}

/// A connection to the service.
pub struct Service(Host);

impl Service {
    pub fn connect() -> Self {
        Self(cpal::default_host())
    }

    pub fn answers(&self) -> bool {
        self.0.devices().is_ok()
    }

    /// The devices that are there.
    pub fn list(&self) -> Listing {
        let inputs = devices(self.0.input_devices().into_iter().flatten());
        let outputs = devices(self.0.output_devices().into_iter().flatten());
        Listing {
            default_microphone: default_among(self.0.default_input_device(), &inputs),
            default_speaker: default_among(self.0.default_output_device(), &outputs),
            microphones: inputs,
            speakers: outputs,
        }
    }

    /// Captures from a device, or the default one.
    ///
    /// # Errors
    /// There is no such device, or it cannot be used.
    pub fn capture(&self, id: Option<&str>) -> Result<(Stream, Captured), SoundError> {
        let device = match id {
            Some(id) => by_id(self.0.input_devices().into_iter().flatten(), id),
            None => self.0.default_input_device(),
        };
        let device = device.ok_or_else(gone)?;
        let supported = device.default_input_config()?;
        let config = with_short_buffer(&supported);
        let (ring, consumer) = RingBuffer::new(capacity(config.sample_rate));
        let captured = Captured {
            ring: consumer,
            rate: config.sample_rate,
        };
        let stream = for_format!(supported.sample_format(), build_input(&device, config, ring))?;
        stream.play()?;
        Ok((stream, captured))
    }

    /// Plays to a device, or the default one.
    ///
    /// # Errors
    /// There is no such device, or it cannot be used.
    pub fn play(&self, id: Option<&str>) -> Result<(Stream, Played), SoundError> {
        let device = match id {
            Some(id) => by_id(self.0.output_devices().into_iter().flatten(), id),
            None => self.0.default_output_device(),
        };
        let device = device.ok_or_else(gone)?;
        let supported = device.default_output_config()?;
        let config = with_short_buffer(&supported);
        let capacity = capacity(config.sample_rate);
        let (producer, ring) = RingBuffer::new(capacity);
        let played = Played {
            ring: producer,
            capacity,
            rate: config.sample_rate,
        };
        let stream = for_format!(supported.sample_format(), build_output(&device, config, ring))?;
        stream.play()?;
        Ok((stream, played))
    }
}

fn devices(found: impl Iterator<Item = cpal::Device>) -> Vec<Device> {
    let described = found.filter_map(|device| {
        let id = device.id().ok()?.to_string();
        let name = device.description().ok()?.name().to_owned();
        Some(Device {
            id,
            name,
            ..Device::default()
        })
    });
    described.filter(|device| is_real(&device.id)).collect()
}

/// Whether it is something to hear or speak with. ALSA lists its plugins (rate converters, mixers, the one that
/// discards everything) among the devices; those of a sound card name the card.
fn is_real(id: &str) -> bool {
    id.strip_prefix("alsa:").is_none_or(|name| name.contains("CARD="))
}

/// The id in a list of the device that the system takes first; where that is none of the list, as with ALSA's `default`, the first
/// of it. Without a list there is nothing behind it either.
fn default_among(device: Option<cpal::Device>, listed: &[Device]) -> Option<String> {
    let id = device?.id().ok()?.to_string();
    let found = listed.iter().find(|device| device.id == id);
    found.or(listed.first()).map(|device| device.id.clone())
}

fn by_id(mut devices: impl Iterator<Item = cpal::Device>, id: &str) -> Option<cpal::Device> {
    devices.find(|device| device.id().is_ok_and(|own| own.to_string() == id))
}

/// A device's own format, in periods of 10 ms where it lets us choose: its default may be seconds.
fn with_short_buffer(supported: &SupportedStreamConfig) -> StreamConfig {
    let mut config = supported.config();
    let period = config.sample_rate / 100;
    config.buffer_size = match supported.buffer_size() {
        SupportedBufferSize::Range { min, max } => BufferSize::Fixed(period.clamp(*min, *max)),
        SupportedBufferSize::Unknown => BufferSize::Fixed(period),
    };
    config
}

fn build_input<T: SizedSample>(
    device: &cpal::Device,
    config: StreamConfig,
    mut ring: Producer<f32>,
) -> Result<Stream, cpal::Error>
where
    f32: FromSample<T>,
{
    let channels = vec![false; usize::from(config.channels)];
    let mut downmix = Downmix::new(&channels, config.sample_rate);
    device.build_input_stream(
        config,
        move |data: &[T], _: &cpal::InputCallbackInfo| take_input(data, &mut downmix, &mut ring),
        // A device that fails gives no more samples, which the reader notices.
        |_| {},
        None,
    )
}

fn build_output<T: SizedSample + FromSample<f32>>(
    device: &cpal::Device,
    config: StreamConfig,
    mut ring: Consumer<f32>,
) -> Result<Stream, cpal::Error> {
    let channels = usize::from(config.channels);
    device.build_output_stream(
        config,
        move |data: &mut [T], _: &cpal::OutputCallbackInfo| fill_output(data, channels, &mut ring),
        // A device that fails takes no more samples, which the mixer sees in what waits.
        |_| {},
        None,
    )
}

/// Microphone callback: mixes each moment's channels into one sample and puts it into the ring. What finds no room is dropped:
/// nobody reads any more. No allocation, no lock, no call to the system.
pub fn take_input<T: Sample>(data: &[T], downmix: &mut Downmix, ring: &mut Producer<f32>)
where
    f32: FromSample<T>,
{
    for sample in data {
        if let Some(mixed) = downmix.push(f32::from_sample(*sample)) {
            let _full = ring.push(mixed);
        }
    }
}

/// Loudspeaker callback: takes samples from the ring to all channels, silence when there is none. No allocation, no lock, no call to
/// the system.
pub fn fill_output<T: Sample + FromSample<f32>>(data: &mut [T], channels: usize, ring: &mut Consumer<f32>) {
    for moment in data.chunks_mut(channels.max(1)) {
        moment.fill(T::from_sample(ring.pop().unwrap_or(0.0)));
    }
}

fn gone() -> SoundError {
    SoundError("it is not there".into())
}

impl From<cpal::Error> for SoundError {
    fn from(error: cpal::Error) -> Self {
        Self(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_are_not_devices() {
        for id in [
            "alsa:sysdefault:CARD=PCH",
            "alsa:hw:CARD=Headset,DEV=0",
            "coreaudio:1",
        ] {
            assert!(is_real(id), "{id}");
        }
        for id in ["alsa:null", "alsa:default", "alsa:lavrate", "alsa:pulse"] {
            assert!(!is_real(id), "{id}");
        }
    }

    #[test]
    fn stereo_becomes_mono_and_mono_becomes_stereo() {
        let (mut producer, mut consumer) = RingBuffer::new(4);
        let mut downmix = Downmix::new(&[false, false], 48_000);
        take_input(&[0.5f32, 0.1, -0.2, -0.4], &mut downmix, &mut producer);
        let mut out = [0.0f32; 6];
        fill_output(&mut out, 2, &mut consumer);
        for (sample, expected) in out.iter().zip([0.3, 0.3, -0.3, -0.3, 0.0, 0.0]) {
            assert!((sample - expected).abs() < 1e-6, "{out:?}");
        }
        let mut one = Downmix::new(&[false], 48_000);
        take_input(&[0i16; 6], &mut one, &mut producer);
        assert!(producer.is_full(), "the ring holds four");
    }
}
