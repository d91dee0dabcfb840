//! Adds voices up without clipping.

/// The largest sample that leaves: a little below full scale.
const CEILING: f32 = 0.97;

/// How much of the way back to full gain is made in each block: half a second from a shout to a whisper's level.
const RELEASE: f32 = 0.02;

/// A peak limiter over the sum of all voices. It turns down at once and comes back slowly.
#[derive(Debug)]
pub struct Limiter {
    gain: f32,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { gain: 1.0 }
    }
}

impl Limiter {
    /// Brings a block of mixed samples below full scale, the gain sliding from the last block's to this one's.
    pub fn limit(&mut self, block: &mut [f32]) {
        let peak = block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let allowed = if peak > CEILING { CEILING / peak } else { 1.0 };
        let target = allowed.min(self.gain + (1.0 - self.gain) * RELEASE);
        let step = (target - self.gain) / block.len().max(1) as f32;
        for sample in block.iter_mut() {
            self.gain += step;
            // While the gain still slides down, the clamp keeps the promise.
            *sample = (*sample * self.gain).clamp(-CEILING, CEILING);
        }
        self.gain = target;
    }
}

/// Adds a voice to a mix, sample by sample, `volume` times as loud.
pub fn add(mix: &mut [f32], voice: &[f32], volume: f32) {
    for (sum, sample) in mix.iter_mut().zip(voice) {
        *sum += sample * volume;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(amplitude: f32) -> Vec<f32> {
        (0..480).map(|n| amplitude * (n as f32 * 0.13).sin()).collect()
    }

    #[test]
    fn a_single_voice_is_left_as_it_is() {
        let mut block = tone(0.5);
        Limiter::default().limit(&mut block);
        assert_eq!(block, tone(0.5));
    }

    #[test]
    fn a_voice_is_added_as_loud_as_was_asked_for() {
        let mut mix = vec![0.25; 2];
        add(&mut mix, &[0.5, -0.5], 0.5);
        add(&mut mix, &[0.5, -0.5], 0.0);
        assert_eq!(mix, [0.5, 0.0]);
    }

    #[test]
    fn ten_loud_voices_do_not_clip_and_quiet_ones_come_back() {
        let mut limiter = Limiter::default();
        for _ in 0..10 {
            let mut mix = vec![0.0; 480];
            for _ in 0..10 {
                add(&mut mix, &tone(0.8), 1.0);
            }
            limiter.limit(&mut mix);
            assert!(mix.iter().all(|sample| sample.abs() <= CEILING));
        }
        let level = |block: &[f32]| block.iter().fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        let mut first = tone(0.1);
        limiter.limit(&mut first);
        assert!(level(&first) < 0.03, "turned down after the noise");
        let mut last = tone(0.1);
        for _ in 0..400 {
            last = tone(0.1);
            limiter.limit(&mut last);
        }
        assert!(level(&last) > 0.098, "and back up");
    }
}
