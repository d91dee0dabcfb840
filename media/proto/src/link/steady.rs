//! What leaves at a steady rate, whatever the link carries: audio, and reports.

use std::time::{Duration, Instant};

use crate::rate::Bitrate;

const SPAN: Duration = Duration::from_secs(1);

/// 100 ms: what comes in less says nothing of a rate.
const BRIEF: Duration = Duration::from_millis(100);

/// Counts over each second.
#[derive(Debug, Default)]
pub struct Steady {
    /// Since when is counted; `None` while nothing comes.
    since: Option<Instant>,
    bytes: u32,
    /// Bits a second; 0 while nothing comes.
    bits: u32,
    /// Whether a second was counted to its end.
    is_known: bool,
}

impl Steady {
    pub const fn rate(&self) -> Bitrate {
        Bitrate(self.bits)
    }

    /// It may have ended.
    pub fn expire(&mut self, now: Instant) {
        if self.since.is_some_and(|since| now > since + 2 * SPAN) {
            *self = Self::default();
        }
    }

    pub fn count(&mut self, size: u32, now: Instant) {
        self.expire(now);
        let since = *self.since.get_or_insert(now);
        let passed = now.saturating_duration_since(since);
        if passed >= SPAN {
            self.bits = rate(self.bytes, passed);
            self.is_known = true;
            (self.since, self.bytes) = (Some(now), 0);
        }
        self.bytes += size;
        self.bits = if self.is_known {
            self.bits.max(rate(self.bytes, SPAN))
        } else {
            rate(self.bytes, passed.max(BRIEF))
        };
    }
}

fn rate(bytes: u32, span: Duration) -> u32 {
    (f64::from(bytes) * 8.0 / span.as_secs_f64()) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_rate_is_known_at_once_and_forgotten_after_it_ended() {
        let start = Instant::now();
        let mut steady = Steady::default();
        for packet in 0..100 {
            let passed = Duration::from_millis(20) * packet;
            steady.count(125, start + passed);
            if passed >= BRIEF {
                let rate = steady.rate().0;
                assert!((50_000..=60_000).contains(&rate), "after {passed:?}: {rate}");
            }
        }
        assert_eq!(steady.rate(), Bitrate(50_000));
        steady.expire(start + Duration::from_secs(10));
        assert_eq!(steady.rate(), Bitrate(0));
    }

    #[test]
    fn what_begins_long_after_the_link_is_known_as_soon() {
        let start = Instant::now();
        let mut steady = Steady::default();
        for begins in [0, 3_100] {
            for packet in 0..10 {
                steady.count(125, start + Duration::from_millis(begins + 20 * packet));
            }
            let rate = steady.rate().0;
            assert!((50_000..=60_000).contains(&rate), "{begins}: {rate}");
        }
    }
}
