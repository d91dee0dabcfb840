//! A short tone, to hear where the sound comes from.

use sightline_media_proto::audio::SAMPLE_RATE;

/// Half a second.
pub const SAMPLES: u32 = SAMPLE_RATE / 2;

/// Hertz.
const PITCH: f32 = 660.0;

/// Samples over which it is faded in and out, to be without a click: 25 ms.
const EDGE: f32 = 1200.0;

/// One of its samples, softly: a fifth of full scale.
#[must_use]
pub fn sample(at: u32) -> f32 {
    let edge = (at.min(SAMPLES.saturating_sub(at)) as f32 / EDGE).min(1.0);
    let phase = (at as f32 * PITCH / SAMPLE_RATE as f32).fract();
    0.2 * edge * (phase * std::f32::consts::TAU).sin()
}
