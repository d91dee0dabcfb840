//! A made-up voice: a buzz through three formants, in syllables, with pauses between words. It is not
//! language, but it has speech's rhythm, pitch and spectrum.

use std::time::Instant;

use sightline_media_proto::audio::{BLOCK, SAMPLE_RATE};

use super::{Block, Microphone, MicrophoneError};
use crate::pace::Pacer;

/// First and second formants of five vowels, hertz (Peterson and Barney, 1952, men's averages).
const VOWELS: [(f32, f32); 5] = [
    (730.0, 1090.0),
    (530.0, 1840.0),
    (270.0, 2290.0),
    (570.0, 840.0),
    (300.0, 870.0),
];

/// Samples of a syllable: a fifth of a second.
const SYLLABLE: u64 = SAMPLE_RATE as u64 / 5;

/// A voice.
pub struct Voice {
    pacer: Pacer,
    seed: u64,
    pitch: f32,
    position: u64,
    phase: f32,
    formants: [Resonator; 3],
}

impl Voice {
    /// `seed` sets pitch (90 to 210 Hz) and order of syllables.
    pub fn new(seed: u64) -> Self {
        Self {
            pacer: Pacer::new(BLOCK),
            seed,
            pitch: 90.0 + (seed % 7) as f32 * 20.0,
            position: 0,
            phase: 0.0,
            formants: [Resonator::default(); 3],
        }
    }

    /// The next of its samples.
    pub fn next_sample(&mut self) -> f32 {
        let syllable = self.position / SYLLABLE;
        let within = (self.position % SYLLABLE) as f32 / SYLLABLE as f32;
        self.position += 1;
        let draw = hash(self.seed ^ syllable);
        // Every fifth syllable or so is a pause.
        let loudness = if draw.is_multiple_of(5) {
            0.0
        } else {
            (within * std::f32::consts::PI).sin()
        };
        let (first, second) = VOWELS[(draw >> 8) as usize % VOWELS.len()];
        let pitch = self.pitch * (1.0 + 0.15 * (within - 0.5));
        self.phase = (self.phase + pitch / SAMPLE_RATE as f32).fract();
        let buzz = if self.phase < 0.1 {
            1.0 - self.phase * 20.0
        } else {
            0.0
        };
        let [one, two, three] = &mut self.formants;
        let voiced = one.filter(buzz, first, 60.0)
            + 0.5 * two.filter(buzz, second, 90.0)
            + 0.2 * three.filter(buzz, 2800.0, 150.0);
        (0.5 * loudness * voiced).clamp(-0.9, 0.9)
    }
}

impl Microphone for Voice {
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let begin = self.pacer.wait();
        block.fill_with(|| self.next_sample());
        Ok(Some(begin))
    }
}

/// A two-pole resonance.
#[derive(Clone, Copy, Default)]
struct Resonator {
    last: [f32; 2],
}

impl Resonator {
    fn filter(&mut self, input: f32, frequency: f32, bandwidth: f32) -> f32 {
        let rate = SAMPLE_RATE as f32;
        let radius = (-std::f32::consts::PI * bandwidth / rate).exp();
        let angle = std::f32::consts::TAU * frequency / rate;
        let gain = (1.0 - radius) * 2.0;
        let out = gain * input + 2.0 * radius * angle.cos() * self.last[0] - radius * radius * self.last[1];
        self.last = [out, self.last[0]];
        out
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014).
const fn hash(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_voice_is_loud_enough_pauses_and_differs_from_another() {
        let second = |seed| {
            let mut voice = Voice::new(seed);
            (0..SAMPLE_RATE * 5)
                .map(|_| voice.next_sample())
                .collect::<Vec<_>>()
        };
        let (one, other) = (second(1), second(2));
        let power = |samples: &[f32]| samples.iter().map(|s| s * s).sum::<f32>() / samples.len() as f32;
        assert!(power(&one).sqrt() > 0.02, "{}", power(&one).sqrt());
        assert!(one.chunks(4800).any(|piece| power(piece) < 1e-5), "no pause");
        assert!(one.iter().zip(&other).any(|(a, b)| (a - b).abs() > 0.1));
    }
}
