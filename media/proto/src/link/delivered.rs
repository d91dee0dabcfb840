//! What of a link arrived lately: how fast, and how fast of it what had waited.

use std::collections::VecDeque;
use std::time::Duration;

/// 300 ms: over which deliveries are counted.
const WINDOW: i64 = 300_000;

/// Arrivals remembered: more than a link carries in the window.
const MAX_ARRIVED: usize = 512;

/// What waited less than this may not have waited at all, but for the link's own jitter.
pub const QUEUED: Duration = Duration::from_millis(8);

/// A packet that has come.
#[derive(Clone, Copy, Debug)]
pub struct Arrived {
    pub at: i64,
    pub size: u32,
    pub waited: Duration,
}

/// The packets that came within the window.
#[derive(Debug, Default)]
pub struct Delivered(VecDeque<Arrived>);

impl Delivered {
    /// Another packet came.
    pub fn handle(&mut self, packet: Arrived) {
        self.0.push_back(packet);
        if self.0.len() > MAX_ARRIVED {
            self.0.pop_front();
        }
    }

    /// Forgets what is not within the window of the newest. The receiver's clock may say anything: what is far off either
    /// way does not count.
    pub fn forget_before(&mut self, newest: i64) {
        self.0
            .retain(|arrived| arrived.at.abs_diff(newest) <= WINDOW.unsigned_abs());
    }

    /// How long the latest packets waited, the newest first.
    pub fn latest_waits(&self, count: usize) -> impl Iterator<Item = Duration> + Clone {
        self.0.iter().rev().take(count).map(|packet| packet.waited)
    }

    /// What arrived lately, bits a second.
    pub fn rate(&self) -> f64 {
        let bytes: u64 = self.0.iter().map(|packet| u64::from(packet.size)).sum();
        bytes as f64 * 8.0 / (WINDOW as f64 / 1e6)
    }

    /// How fast the last packets came that all waited: as fast as the link lets them.
    pub fn backlogged(&self) -> Option<f64> {
        let mut run = self.0.iter().rev().take_while(|packet| packet.waited > QUEUED);
        let newest = run.next()?;
        let (mut bytes, mut oldest, mut count) = (u64::from(newest.size), newest.at, 1);
        let mut carried = 0;
        for packet in run {
            carried = bytes;
            bytes += u64::from(packet.size);
            oldest = packet.at;
            count += 1;
        }
        let span = newest.at - oldest;
        (count >= 4 && span >= 20_000).then(|| carried as f64 * 8.0 / (span as f64 / 1e6))
    }
}
