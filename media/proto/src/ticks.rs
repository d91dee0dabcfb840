//! Media time.

use std::time::Duration;

/// Ticks a second: the rate at which Opus counts samples (RFC 7587, section 4.1).
const RATE: u64 = 48_000;

/// A moment on the sender's media clock: ticks of 1/48000 s since its program started, wrapping after a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ticks(pub u32);

impl Ticks {
    /// The tick at `since_start`.
    #[must_use]
    pub const fn from_start(since_start: Duration) -> Self {
        let ticks = since_start.as_micros() as u64 * (RATE / 1000) / 1000;
        Self(ticks as u32)
    }

    /// How long after `earlier` this is, negative when before; right for less than half a day.
    #[must_use]
    pub const fn micros_since(self, earlier: Self) -> i64 {
        let ticks = self.0.wrapping_sub(earlier.0).cast_signed();
        ticks as i64 * 1000 / (RATE as i64 / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_hold_across_the_wrap() {
        let (before, after) = (Ticks(u32::MAX - 479), Ticks(480));
        assert_eq!(after.micros_since(before), 20_000);
        assert_eq!(before.micros_since(after), -20_000);
        assert_eq!(Ticks::from_start(Duration::from_secs(1)), Ticks(48_000));
    }
}
