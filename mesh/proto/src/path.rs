//! What is learnt of the path that a connection takes: round trips, the other clock, what passed and what was dropped.

use std::time::Duration;

/// Ten years, microseconds: a program that runs for longer is not believed.
const MAX_PEER_CLOCK: u64 = 10 * 365 * 24 * 3_600_000_000;

/// Round trips and clocks, from pings; counts of what passed.
#[derive(Debug, Default)]
pub struct PathMeter {
    pub sent_bytes: u64,
    pub received_bytes: u64,
    /// Packets that could not be opened or read, or came too fast.
    pub dropped: u64,
    /// Of them, those that the user was told of.
    pub dropped_told: u64,
    outstanding: [Option<u64>; 8],
    pings_sent: usize,
    samples: [Option<Sample>; 8],
    taken: usize,
}

/// One ping's result.
#[derive(Clone, Copy, Debug)]
struct Sample {
    rtt: Duration,
    /// The peer's clock minus ours, microseconds.
    offset: i64,
}

impl PathMeter {
    /// Remembers a ping that was sent, by its time in microseconds.
    pub fn handle_ping_sent(&mut self, sent: u64) {
        let slot = self.pings_sent % self.outstanding.len();
        self.outstanding[slot] = Some(sent);
        self.pings_sent += 1;
    }

    /// Takes the four times of a ping, microseconds: sent and returned by our clock, received and answered by
    /// the peer's (RFC 5905, section 8). False for an answer to no ping of ours, or with times that cannot be.
    pub fn handle_pong(&mut self, sent: u64, received: u64, answered: u64, returned: u64) -> bool {
        let Some(ping) = self.outstanding.iter_mut().find(|ping| **ping == Some(sent)) else {
            return false;
        };
        *ping = None;
        let thinking = answered.checked_sub(received);
        let (Some(away), Some(thinking)) = (returned.checked_sub(sent), thinking) else {
            return false;
        };
        if received > MAX_PEER_CLOCK || answered > MAX_PEER_CLOCK || thinking > away {
            return false;
        }
        // All four are far below half of what an i64 holds.
        let offset = (received / 2 + answered / 2).cast_signed() - (sent / 2 + returned / 2).cast_signed();
        let slot = self.taken % self.samples.len();
        self.samples[slot] = Some(Sample {
            rtt: Duration::from_micros(away - thinking),
            offset,
        });
        self.taken += 1;
        true
    }

    /// How many pings came back.
    pub const fn taken(&self) -> usize {
        self.taken
    }

    /// The newest round trip.
    pub fn rtt(&self) -> Option<Duration> {
        let newest = self.taken.checked_sub(1)? % self.samples.len();
        self.samples[newest].map(|sample| sample.rtt)
    }

    /// The peer's clock minus ours, microseconds, from the quickest of the last eight pings.
    pub fn clock_offset(&self) -> Option<i64> {
        let samples = self.samples.iter().flatten();
        samples
            .min_by_key(|sample| sample.rtt)
            .map(|sample| sample.offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_tells_round_trip_and_clock_offset() {
        let mut meter = PathMeter::default();
        for sent in [1_000_000, 2_000_000, 3_000_000] {
            meter.handle_ping_sent(sent);
        }
        // 10 ms there, 2 ms thinking, 10 ms back; the peer's clock is 1 s ahead.
        meter.handle_pong(1_000_000, 2_010_000, 2_012_000, 1_022_000);
        assert_eq!(meter.rtt(), Some(Duration::from_millis(20)));
        assert_eq!(meter.clock_offset(), Some(1_000_000));
        // A slower, lopsided ping does not spoil the offset.
        meter.handle_pong(2_000_000, 3_090_000, 3_090_000, 2_100_000);
        assert_eq!(meter.clock_offset(), Some(1_000_000));
        assert_eq!(meter.rtt(), Some(Duration::from_millis(100)));
        // What no honest peer says: an answer to nothing, twice, before the question, at the end of time.
        assert!(!meter.handle_pong(5, 5, 5, 5));
        assert!(!meter.handle_pong(1_000_000, 2_010_000, 2_012_000, 1_022_000));
        assert!(!meter.handle_pong(3_000_000, 1 << 63, 1 << 63, 3_100_000));
        assert_eq!(meter.taken(), 2);
    }
}
