//! The sound devices of this machine, by name.

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{BufferSize, Device, StreamConfig, SupportedBufferSize, SupportedStreamConfig};

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

/// Looks what is there.
#[must_use]
pub fn list() -> Devices {
    let name = |device: Device| Some(device.description().ok()?.name().to_owned());
    Devices {
        cameras: crate::camera::names(),
        microphones: inputs().filter_map(name).collect(),
        speakers: outputs().filter_map(name).collect(),
    }
}

fn inputs() -> impl Iterator<Item = Device> {
    cpal::default_host().input_devices().into_iter().flatten()
}

fn outputs() -> impl Iterator<Item = Device> {
    cpal::default_host().output_devices().into_iter().flatten()
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

fn is_named(device: &Device, name: &str) -> bool {
    device
        .description()
        .is_ok_and(|description| description.name() == name)
}

/// The default microphone, or one by name.
pub(crate) fn input(name: Option<&str>) -> Option<Device> {
    match name {
        Some(name) => inputs().find(|device| is_named(device, name)),
        None => cpal::default_host().default_input_device(),
    }
}

/// The default loudspeaker, or one by name.
pub(crate) fn output(name: Option<&str>) -> Option<Device> {
    match name {
        Some(name) => outputs().find(|device| is_named(device, name)),
        None => cpal::default_host().default_output_device(),
    }
}
