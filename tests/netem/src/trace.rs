//! Values that change over time.

use crate::Random;

/// A value over time, such as a capacity in bits a second: from each second that is named on, the value beside it. The first
/// second is 0.
#[derive(Clone, Debug)]
pub struct Trace(pub Vec<(f64, f64)>);

impl Trace {
    /// One value at all times.
    #[must_use]
    pub fn constant(value: f64) -> Self {
        Self(vec![(0.0, value)])
    }

    /// The capacity of a mobile network: every 200 ms the capacity wanders, 0.4 to 2.5 Mbit/s, and now and then halves for a second.
    #[must_use]
    pub fn like_3g(seed: u64, seconds: u32) -> Self {
        let mut random = Random(seed);
        let (mut bits, mut fade): (f64, u32) = (1_200_000.0, 0);
        Self::walk(seconds * 5, 0.2, || {
            bits = (bits * (1.0 + 0.3 * (random.next() - 0.5))).clamp(400_000.0, 2_500_000.0);
            fade = if random.next() < 0.02 {
                5
            } else {
                fade.saturating_sub(1)
            };
            if fade > 0 { bits / 2.0 } else { bits }
        })
    }

    /// The capacity of a busy wireless network: 1 to 12 Mbit/s, another value every 50 ms, and nothing at all for 50 ms now and then.
    #[must_use]
    pub fn like_wifi(seed: u64, seconds: u32) -> Self {
        let mut random = Random(seed);
        Self::walk(seconds * 20, 0.05, || {
            let bits = 1_000_000.0 + 11_000_000.0 * random.next();
            if random.next() < 0.01 { 0.0 } else { bits }
        })
    }

    fn walk(steps: u32, length: f64, mut next: impl FnMut() -> f64) -> Self {
        Self(
            (0..steps)
                .map(|step| (f64::from(step) * length, next()))
                .collect(),
        )
    }

    /// The value at a moment, in seconds.
    #[must_use]
    pub fn at(&self, second: f64) -> f64 {
        let after = self.0.partition_point(|(from, _)| *from <= second);
        self.0[after.max(1) - 1].1
    }
}
