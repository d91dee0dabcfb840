//! A token bucket: how much of something a member may send before it is too much.

use std::time::{Duration, Instant};

/// Tokens that fill up with time and are spent one by one.
#[derive(Debug)]
pub struct Bucket {
    capacity: u32,
    refill: Duration,
    tokens: u32,
    since: Instant,
}

impl Bucket {
    /// A full bucket of `burst` tokens, into which another one falls each `refill`.
    pub fn new(refill: Duration, burst: u32, now: Instant) -> Self {
        Self {
            capacity: burst,
            refill,
            tokens: burst,
            since: now,
        }
    }

    /// Puts a token back: what it was taken for is bounded otherwise.
    pub fn put_back(&mut self) {
        self.tokens = self.tokens.saturating_add(1).min(self.capacity);
    }

    /// Takes one token; false when there is none.
    pub fn take(&mut self, now: Instant) -> bool {
        let elapsed = now.saturating_duration_since(self.since);
        let earned = elapsed.as_nanos() / self.refill.as_nanos().max(1);
        if earned > 0 {
            let earned = u32::try_from(earned).unwrap_or(u32::MAX);
            self.tokens = self.tokens.saturating_add(earned).min(self.capacity);
            self.since += self.refill.saturating_mul(earned).min(elapsed);
        }
        let pass = self.tokens > 0;
        self.tokens = self.tokens.saturating_sub(1);
        pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_gets_the_rate_and_no_more() {
        let start = Instant::now();
        let mut bucket = Bucket::new(Duration::from_millis(10), 50, start);
        let passed = (0..10_000)
            .filter(|n| bucket.take(start + Duration::from_micros(n * 1000)))
            .count();
        // Ten seconds at 100 a second, and the burst.
        assert!((1045..=1051).contains(&passed), "{passed}");
    }
}
