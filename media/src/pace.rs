//! Keeps made-up and recorded sources at the pace of a device.

use std::thread;
use std::time::{Duration, Instant};

/// Behind by more than this, a source skips ahead instead of catching up in a burst.
const MAX_BEHIND: Duration = Duration::from_millis(200);

/// Wakes its owner at a fixed interval.
#[derive(Debug)]
pub struct Pacer {
    interval: Duration,
    next: Option<Instant>,
}

#[allow(
    clippy::disallowed_methods,
    reason = "the clock of sources that are no device"
)]
impl Pacer {
    pub const fn new(interval: Duration) -> Self {
        Self { interval, next: None }
    }

    /// Sleeps until the current interval is over. Returns when it began.
    pub fn wait(&mut self) -> Instant {
        let now = Instant::now();
        let mut begin = self.next.unwrap_or(now);
        if now > begin + self.interval + MAX_BEHIND {
            begin = now;
        }
        let end = begin + self.interval;
        thread::sleep(end.saturating_duration_since(now));
        self.next = Some(end);
        begin
    }
}
