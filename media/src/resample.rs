//! From one sample rate to another, mono, as samples come.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Async, FixedAsync, Resampler as _, SincInterpolationParameters, WindowFunction};

/// Hertz: what can be converted.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=768_000;

/// Samples of the lower rate that the filter spans. At 7 kHz half of them, which is what it delays, are 7 ms.
const TAPS: f64 = 96.0;

/// 2.5 ms: what is converted at once, as a part of a second.
const CHUNKS: u32 = 400;

/// Converts a stream of mono samples. At equal rates it only passes them on.
pub struct Resampler {
    inner: Option<Async<f32>>,
    waiting: Vec<f32>,
}

/// A rate that cannot be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a sample rate of {0} Hz cannot be used")]
pub struct RateError(pub u32);

impl Resampler {
    /// From `from` to `to`, both in hertz, 4000 to 768,000, in whatever proportion. From 7 kHz on it delays by less than 10 ms.
    ///
    /// # Errors
    /// [`RateError`].
    pub fn new(from: u32, to: u32) -> Result<Self, RateError> {
        for rate in [from, to] {
            if !RATES.contains(&rate) {
                return Err(RateError(rate));
            }
        }
        let ratio = f64::from(to) / f64::from(from);
        let taps = (TAPS / ratio.min(1.0)) as usize;
        let parameters = SincInterpolationParameters::new(taps, WindowFunction::BlackmanHarris2);
        let chunk = (from / CHUNKS) as usize;
        let inner = (from != to)
            .then(|| Async::new_sinc(ratio, 1.0, &parameters, chunk, 1, FixedAsync::Input))
            .transpose();
        Ok(Self {
            inner: inner.map_err(|_| RateError(from))?,
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

    /// Usual rates, and such as no simple ratio leads from or to.
    const ODD_AND_USUAL: [u32; 14] = [
        7_000, 8_000, 11_025, 16_000, 16_007, 22_257, 44_056, 44_100, 47_951, 48_000, 48_001, 96_000,
        192_000, 400_000,
    ];

    fn tone(n: u32, rate: u32) -> f32 {
        0.5 * (n as f32 * 440.0 * std::f32::consts::TAU / rate as f32).sin()
    }

    #[test]
    fn a_tone_keeps_its_pitch_and_level_at_any_rate() {
        for (from, to) in ODD_AND_USUAL
            .into_iter()
            .flat_map(|rate| [(rate, 48_000), (48_000, rate)])
        {
            let input: Vec<f32> = (0..from).map(|n| tone(n, from)).collect();
            let mut out = Vec::new();
            let mut resampler = Resampler::new(from, to).expect("a rate");
            for piece in input.chunks(333) {
                resampler.convert(piece, &mut out);
            }
            let what = format!("{from} to {to} Hz");
            assert!(
                out.len() as u32 > to / 100 * 98 && out.len() as u32 <= to + 1,
                "{what}: {}",
                out.len()
            );
            let steady = &out[to as usize / 10..to as usize * 9 / 10];
            let crossings = steady
                .windows(2)
                .filter(|pair| pair[0] < 0.0 && pair[1] >= 0.0)
                .count();
            assert!(
                (351..=353).contains(&crossings),
                "{what}: {crossings} periods in 0.8 s"
            );
            let power: f32 = steady.iter().map(|s| s * s).sum::<f32>() / steady.len() as f32;
            assert!((power - 0.125).abs() < 0.002, "{what}: {power}");
        }
        assert_eq!(Resampler::new(0, 48_000).err(), Some(RateError(0)));
    }

    #[test]
    fn what_comes_in_comes_out_within_ten_milliseconds() {
        for rate in ODD_AND_USUAL {
            let mut resampler = Resampler::new(rate, 48_000).expect("a rate");
            // Silence, and then a step up, in pieces of 1 ms.
            let piece = rate as usize / 1000;
            let begins = 50;
            let mut out = Vec::new();
            let mut heard = None;
            for ms in 0..100 {
                resampler.convert(&vec![if ms < begins { 0.0 } else { 1.0 }; piece], &mut out);
                if heard.is_none() && out.last().is_some_and(|last| *last > 0.5) {
                    heard = Some(ms + 1 - begins);
                }
            }
            assert!(
                heard.is_some_and(|after| after < 10),
                "{rate} Hz: after {heard:?} ms"
            );
        }
    }
}
