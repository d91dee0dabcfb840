//! The constant rate: packets of one size at even intervals, whatever there is to send.

use std::time::{Duration, Instant};

use crate::rate::Bitrate;

/// 250 ms: a packet is sent at least this often, so that a rate that rises again is followed soon.
const SELDOM: Duration = Duration::from_millis(250);

/// One link's constant rate.
#[derive(Clone, Copy, Debug)]
pub struct Constant {
    pub rate: Bitrate,
    /// When the next packet is due.
    pub due: Instant,
}

impl Constant {
    /// A packet of this size on the wire is sent.
    pub fn handle_sent(&mut self, size: u32, now: Instant) {
        let bits = f64::from(self.rate.0.max(1));
        let interval = Duration::from_secs_f64(f64::from(size) * 8.0 / bits).min(SELDOM);
        // Whoever was held up does not catch up in a burst.
        self.due = (self.due + interval).max(now.checked_sub(interval).unwrap_or(now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_at_even_intervals_and_not_in_a_burst_after_a_pause() {
        let start = Instant::now();
        let mut constant = Constant {
            rate: Bitrate(80_000),
            due: start,
        };
        constant.handle_sent(1000, start);
        assert_eq!(constant.due, start + Duration::from_millis(100));
        let late = start + Duration::from_secs(5);
        constant.handle_sent(1000, late);
        assert_eq!(constant.due, late - Duration::from_millis(100));
        constant.rate = Bitrate(0);
        constant.due = late;
        constant.handle_sent(1000, late);
        assert_eq!(constant.due, late + SELDOM);
    }
}
