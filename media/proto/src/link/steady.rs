//! What leaves at a steady rate, whatever the link carries: audio, and reports.

use std::time::{Duration, Instant};

use crate::rate::Bitrate;

/// Counts over each second.
#[derive(Debug)]
pub struct Steady {
    since: Instant,
    bytes: u32,
    bits: u32,
}

impl Steady {
    const SPAN: Duration = Duration::from_secs(1);

    pub const fn new(since: Instant) -> Self {
        Self {
            since,
            bytes: 0,
            bits: 0,
        }
    }

    pub const fn rate(&self) -> Bitrate {
        Bitrate(self.bits)
    }

    /// It may have ended.
    pub fn expire(&mut self, now: Instant) {
        if now > self.since + 2 * Self::SPAN {
            (self.bytes, self.bits) = (0, 0);
        }
    }

    pub fn count(&mut self, size: u32, now: Instant) {
        if now >= self.since + Self::SPAN {
            let passed = now.saturating_duration_since(self.since).as_secs_f64();
            self.bits = (f64::from(self.bytes) * 8.0 / passed) as u32;
            (self.since, self.bytes) = (now, 0);
        }
        self.bytes += size;
        // Before the first second is over it is what it was so far.
        self.bits = self.bits.max(self.bytes * 8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_known_within_two_seconds_and_forgotten_after_it_ended() {
        let start = Instant::now();
        let mut steady = Steady::new(start);
        for packet in 0..100 {
            steady.count(125, start + Duration::from_millis(20) * packet);
        }
        assert_eq!(steady.rate(), Bitrate(50_000));
        steady.expire(start + Duration::from_secs(10));
        assert_eq!(steady.rate(), Bitrate(0));
    }
}
