//! From one sample rate to another, mono, as samples come.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Resampler as _};

/// Converts a stream of mono samples. At equal rates it only passes them on.
pub struct Resampler {
    inner: Option<Fft<f32>>,
    waiting: Vec<f32>,
}

/// A rate that cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sample rate of {0} Hz cannot be used")]
pub struct RateError(pub u32);

impl Resampler {
    /// From `from` to `to`, both in hertz, 8000 to 192,000.
    ///
    /// # Errors
    /// [`RateError`].
    pub fn new(from: u32, to: u32) -> Result<Self, RateError> {
        for rate in [from, to] {
            if !(8_000..=192_000).contains(&rate) {
                return Err(RateError(rate));
            }
        }
        // Chunks of 10 ms.
        let inner = if from == to {
            None
        } else {
            let resampler = Fft::new(
                from as usize,
                to as usize,
                from as usize / 100,
                1,
                FixedSync::Input,
            );
            Some(resampler.map_err(|_| RateError(from))?)
        };
        Ok(Self {
            inner,
            waiting: Vec::new(),
        })
    }

    /// Converts a whole clip: the same length in time, without the delay that a stream has.
    #[must_use]
    pub fn convert_all(mut self, input: &[f32]) -> Vec<f32> {
        let mut out = Vec::new();
        self.convert(input, &mut out);
        let Some(inner) = &self.inner else { return out };
        let (delay, ratio) = (inner.output_delay(), inner.resample_ratio());
        let length = (input.len() as f64 * ratio) as usize;
        let silence = vec![0.0; 2 * inner.input_frames_max()];
        while out.len() < delay + length {
            self.convert(&silence, &mut out);
        }
        out.truncate(delay + length);
        out.split_off(delay)
    }

    /// Converts what came, and appends what is ready to `out`.
    pub fn convert(&mut self, input: &[f32], out: &mut Vec<f32>) {
        let Some(inner) = &mut self.inner else {
            return out.extend_from_slice(input);
        };
        self.waiting.extend_from_slice(input);
        loop {
            let needed = inner.input_frames_next();
            let Some(chunk) = self.waiting.get(..needed) else {
                return;
            };
            // The chunk has the size that was asked for, so neither step can fail.
            if let Ok(adapter) = InterleavedSlice::new(chunk, 1, needed)
                && let Ok(converted) = inner.process(&adapter, None)
            {
                out.extend(converted.take_data());
            }
            self.waiting.drain(..needed);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_keeps_its_pitch_and_level_at_any_rate() {
        for rate in [8_000, 16_000, 44_100, 48_000, 96_000] {
            let input: Vec<f32> = (0..rate)
                .map(|n| 0.5 * (n as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin())
                .collect();
            let mut out = Vec::new();
            let mut resampler = Resampler::new(rate, 48_000).expect("a usual rate");
            for piece in input.chunks(333) {
                resampler.convert(piece, &mut out);
            }
            assert!(
                out.len() > 46_000 && out.len() <= 48_000,
                "{rate} Hz: {}",
                out.len()
            );
            let steady = &out[4_800..43_200];
            let crossings = steady
                .windows(2)
                .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
                .count();
            assert!(
                (351..=353).contains(&crossings),
                "{rate} Hz: {crossings} periods in 0.8 s"
            );
            let power: f32 = steady.iter().map(|s| s * s).sum::<f32>() / steady.len() as f32;
            assert!((power - 0.125).abs() < 0.002, "{rate} Hz: {power}");
        }
        assert_eq!(Resampler::new(0, 48_000).err(), Some(RateError(0)));
    }
}
