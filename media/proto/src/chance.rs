//! Chance for tests: the same in each run.

use sightline_netem::Random;

/// 0 to 1, by number and seed.
pub fn chance(n: u32, seed: u32) -> f64 {
    Random(u64::from(n) << 32 | u64::from(seed)).next()
}
