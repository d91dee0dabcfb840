//! When nothing is heard of what was sent: nothing but audio is sent then until there is a report, or for a while, after which
//! it is tried again.

use std::time::{Duration, Instant};

/// 600 ms beyond a round trip after sending without a report: nothing but audio is sent until there is one, or for a second,
/// after which it is tried again.
const SILENCE: Duration = Duration::from_millis(600);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// What has not been answered on one link.
#[derive(Debug, Default)]
pub struct Silence {
    /// Since when something was sent that no report has answered.
    since: Option<Instant>,
}

impl Silence {
    /// A report came that says something new.
    pub const fn handle_news(&mut self) {
        self.since = None;
    }

    /// Something is sent.
    pub fn handle_sent(&mut self, round_trip: Duration, now: Instant) {
        let since = self.since.get_or_insert(now);
        if now >= *since + SILENCE + round_trip + TRY_AGAIN {
            // It is tried again, and waited for again.
            *since = now;
        }
    }

    /// Until when nothing but audio is sent, if nothing comes before.
    pub fn until(&self, round_trip: Duration, now: Instant) -> Option<Instant> {
        let from = self.since? + SILENCE + round_trip;
        let until = from + TRY_AGAIN;
        (from..until).contains(&now).then_some(until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_silence_it_is_waited_and_tried_again_until_there_is_news() {
        let start = Instant::now();
        let at = |millis| start + Duration::from_millis(millis);
        let trip = Duration::from_millis(100);
        let mut silence = Silence::default();
        silence.handle_sent(trip, start);
        assert_eq!(silence.until(trip, at(699)), None);
        assert_eq!(silence.until(trip, at(700)), Some(at(1700)));
        assert_eq!(silence.until(trip, at(1700)), None, "it is tried again");
        silence.handle_sent(trip, at(1700));
        assert_eq!(silence.until(trip, at(2400)), Some(at(3400)));
        silence.handle_news();
        assert_eq!(silence.until(trip, at(2400)), None);
    }
}
