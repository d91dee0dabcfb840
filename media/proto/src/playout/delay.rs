//! How late packets come: what each took beyond the quickest, over the last seconds, and how long sound has to wait so that
//! almost all are there in time.

use std::collections::VecDeque;
use std::time::Duration;

/// Arrivals remembered: 10 s of packets of 10 ms.
const MEMORY: usize = 1000;

/// Of all packets, how many are to be in time at the least. Fewer are heard more than waiting longer is.
const ENOUGH: f64 = 0.995;

/// When more than so many are in time, waiting less is worth the change. Between the two it stays as it is: each change is
/// heard, a little.
const TOO_MANY: f64 = 0.998;

/// 2 ms: packets that come within this of each other, each less late than the one before, were held up together: that is
/// one event, not many. Else a single stall would count as a hundred late packets.
const TOGETHER: i64 = 2000;

/// 100 packets: how many it takes to know a path.
const YOUNG: usize = 100;

/// 10 ms: what is waited for on a path that is not known yet.
const AT_FIRST: Duration = Duration::from_millis(10);

/// 25 packets: how often what is to be waited for is computed anew.
const OFTEN: usize = 25;

/// 2 ms: when the quickest changes by more, what is to be waited for is computed at once: one is measured by the other.
const JUMP: u64 = 2000;

/// 500 ms: nothing is waited for any longer: nobody can talk at more.
const MOST: Duration = Duration::from_millis(500);

/// 1 s: a packet that is so much off belongs to another clock: the sender began anew, or its sound stood still.
const ANOTHER_CLOCK: i64 = 1_000_000;

/// Arrivals of one sender's packets.
#[derive(Debug)]
pub struct Delays {
    /// When each came, minus when its sound was captured, by two clocks: only differences count. Microseconds.
    took: VecDeque<i64>,
    /// The last packet's time, and when it came.
    last: Option<(i64, i64)>,
    quickest: Option<i64>,
    needed: Duration,
    since: usize,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            took: VecDeque::new(),
            last: None,
            quickest: None,
            needed: AT_FIRST,
            since: 0,
        }
    }
}

impl Delays {
    /// A packet came at `came`; `took` as above.
    pub fn handle_arrival(&mut self, took: i64, came: i64) {
        let (last_took, last_came) = self.last.replace((took, came)).unwrap_or((i64::MIN, 0));
        if came - last_came < TOGETHER && took < last_took {
            return;
        }
        if self
            .quickest
            .is_some_and(|quickest| took.abs_diff(quickest) > ANOTHER_CLOCK as u64)
        {
            *self = Self::default();
        }
        let before = self.quickest;
        if self.took.len() >= MEMORY && self.took.pop_front() == self.quickest {
            self.quickest = self.took.iter().copied().min();
        }
        self.took.push_back(took);
        self.quickest = Some(self.quickest.map_or(took, |quickest| quickest.min(took)));
        self.since += 1;
        let jumps = before
            .zip(self.quickest)
            .is_some_and(|(before, now)| before.abs_diff(now) > JUMP);
        if self.since >= OFTEN || jumps {
            self.since = 0;
            self.judge();
        }
    }

    fn judge(&mut self) {
        let mut sorted: Vec<_> = self.took.iter().copied().collect();
        sorted.sort_unstable();
        let within = |share: f64| {
            let at = (sorted.len() as f64 * share) as usize;
            let late = sorted.get(at.min(sorted.len() - 1))?;
            Some(Duration::from_micros((late - sorted.first()?).unsigned_abs()).min(MOST))
        };
        let (Some(least), Some(most)) = (within(ENOUGH), within(TOO_MANY)) else {
            return;
        };
        let needed = self.needed.clamp(least, most);
        self.needed = if sorted.len() < YOUNG {
            needed.max(AT_FIRST)
        } else {
            needed
        };
    }

    /// What the quickest packet took.
    pub const fn quickest(&self) -> Option<i64> {
        self.quickest
    }

    /// How long after the quickest possible arrival sound has to be played.
    pub const fn needed(&self) -> Duration {
        self.needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn almost_all_are_waited_for_and_a_calm_way_is_known_again() {
        let mut delays = Delays::default();
        assert_eq!(delays.needed(), AT_FIRST);
        for n in 0..2000i64 {
            delays.handle_arrival(-7_000_000 + (n * 37 % 60) * 1000, n * 10_000);
        }
        let needed = delays.needed();
        assert!((58..=59).contains(&needed.as_millis()), "{needed:?}");
        for n in 2000..3000i64 {
            delays.handle_arrival(-7_000_000, n * 10_000);
        }
        assert_eq!(delays.needed(), Duration::ZERO);
    }

    #[test]
    fn a_single_late_one_in_a_thousand_is_not_waited_for() {
        let mut delays = Delays::default();
        for n in 0..3000i64 {
            delays.handle_arrival(if n % 400 == 399 { 300_000 } else { 1000 }, n * 10_000);
        }
        assert_eq!(delays.needed(), Duration::ZERO);
    }

    #[test]
    fn what_is_waited_for_changes_only_when_too_many_or_too_few_are_late() {
        let mut delays = Delays::default();
        let mut n = 0i64;
        let mut late_one_in = |one_in: i64| {
            for _ in 0..2 * MEMORY {
                n += 1;
                let took = if n % one_in == 0 { 60_000 } else { 1000 };
                delays.handle_arrival(took, n * 10_000);
            }
            delays.needed().as_millis()
        };
        assert_eq!(late_one_in(300), 0, "few enough");
        assert_eq!(late_one_in(150), 59, "too many");
        assert_eq!(late_one_in(300), 59, "not so few that it were worth a change");
        assert_eq!(late_one_in(1500), 0);
    }

    #[test]
    fn another_clock_begins_anew() {
        let mut delays = Delays::default();
        for n in 0..200 {
            delays.handle_arrival(0, n * 10_000);
        }
        delays.handle_arrival(i64::from(i32::MAX), 2_000_000);
        assert_eq!(
            (delays.quickest(), delays.needed()),
            (Some(i64::from(i32::MAX)), AT_FIRST)
        );
    }
}
