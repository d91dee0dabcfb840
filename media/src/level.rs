//! How loud something is, written by a real-time thread and read by whoever shows it.

use std::sync::atomic::{AtomicU32, Ordering};

/// Quieter than this is silence, decibels below full scale: the room's noise at an ordinary microphone.
const FLOOR_DB: f32 = -60.0;

/// How much of its level a meter keeps from one block of 10 ms to the next: it falls by half in 70 ms.
const DECAY: f32 = 0.905;

/// Louder than this on the meter's scale (-42 dB), somebody speaks.
const SPEECH: f32 = 0.3;

/// A meter: 0 for silence, 1 for full scale, on a scale of decibels. It rises at once and falls slowly.
#[derive(Debug, Default)]
pub struct Level(AtomicU32);

impl Level {
    /// Takes the next samples, at 48 kHz.
    pub fn handle_samples(&self, samples: &[f32]) {
        let power = samples.iter().map(|sample| sample * sample).sum::<f32>() / samples.len().max(1) as f32;
        let decibels = 10.0 * power.max(1e-12).log10();
        let now = ((decibels - FLOOR_DB) / -FLOOR_DB).clamp(0.0, 1.0);
        let blocks = samples.len() as f32 / 480.0;
        let kept = self.get() * DECAY.powf(blocks);
        self.0.store(now.max(kept).to_bits(), Ordering::Relaxed);
    }

    /// The level now.
    #[must_use]
    pub fn get(&self) -> f32 {
        f32::from_bits(self.0.load(Ordering::Relaxed))
    }

    /// Whether it is as loud as somebody who speaks.
    #[must_use]
    pub fn is_speech(&self) -> bool {
        self.get() > SPEECH
    }

    /// Nothing is measured any more.
    pub fn clear(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_meter_rises_at_once_and_falls_slowly() {
        let level = Level::default();
        assert!(!level.is_speech());
        level.handle_samples(&[0.1; 480]);
        assert!(
            (level.get() - 2.0 / 3.0).abs() < 0.01,
            "-20 dB of 60: {}",
            level.get()
        );
        assert!(level.is_speech());
        level.handle_samples(&[0.0; 480]);
        assert!(level.get() > 0.55 && level.get() < 0.65, "{}", level.get());
        (0..40).for_each(|_| level.handle_samples(&[0.0; 480]));
        assert!(!level.is_speech(), "{}", level.get());
        level.handle_samples(&[1.0; 480]);
        assert!((level.get() - 1.0).abs() < 1e-6);
    }
}
