//! Chance for tests: the same in each run.

/// 0 to 1, by number and seed (`SplitMix64`: Steele, Lea and Flood, 2014).
pub fn chance(n: u32, seed: u32) -> f64 {
    let value = (u64::from(n) << 32 | u64::from(seed)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((value ^ (value >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}
