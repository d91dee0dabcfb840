//! What arrived and when, told to the sender: every 40 to 50 ms, and sooner when something is missing.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Number;
use super::report::{Age, ArrivalReport, MAX_ENTRIES};

/// 50 ms: how often arrivals are told; the sender's estimate is never older than this and a round trip.
const EVERY: Duration = Duration::from_millis(50);

/// 10 ms: so much earlier a report leaves with a packet that leaves anyway.
const ALONG: Duration = Duration::from_millis(10);

/// 8 ms: how long after a gap was seen it is told: what is only out of order has come by then.
pub const SETTLED: Duration = Duration::from_millis(8);

/// 16 ms: how long after that it is told again: a lost report must not cost 50 ms.
const AGAIN: Duration = Duration::from_millis(16);

/// 120 ms: what a report covers, so that one or two reports may be lost.
const COVER: Duration = Duration::from_millis(120);

/// Packets remembered: 0.7 s of the most that a member may send.
const MEMORY: usize = 1024;

/// The arrivals on one link.
#[derive(Debug)]
pub struct Arrivals {
    epoch: Instant,
    incarnation: Option<u16>,
    /// The number of the oldest packet in `times`.
    first: u64,
    /// When each packet from `first` on arrived.
    times: VecDeque<Option<Instant>>,
    last_report: Option<Instant>,
    /// Something came, or is seen to be missing, that was not told yet.
    has_news: bool,
    /// When what is missing is to be told, and whether for the first time.
    gap: Option<(Instant, bool)>,
}

impl Arrivals {
    /// Nothing has come yet.
    #[must_use]
    pub const fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            incarnation: None,
            first: 0,
            times: VecDeque::new(),
            last_report: None,
            has_news: false,
            gap: None,
        }
    }

    /// Takes the number of a packet that arrived at `now`. False when it came before, or is far too old.
    pub fn handle_packet(&mut self, number: Number, now: Instant) -> bool {
        let Number { incarnation, seq } = number;
        if self.incarnation.replace(incarnation) != Some(incarnation) {
            self.times.clear();
            self.gap = None;
        }
        let next = self.first + self.times.len() as u64;
        let full = if self.times.is_empty() {
            self.first = u64::from(seq);
            u64::from(seq)
        } else {
            unwrap(seq, next)
        };
        let Some(at) = full.checked_sub(self.first) else {
            return false;
        };
        let at = at as usize;
        if at >= self.times.len() {
            let missing = at - self.times.len();
            // After a jump beyond all that is remembered, nothing of it is of use.
            if missing >= MEMORY {
                self.times.clear();
                self.first = full;
            } else {
                if missing > 0 {
                    self.gap = Some(
                        self.gap
                            .filter(|(_, first)| *first)
                            .unwrap_or((now + SETTLED, true)),
                    );
                }
                self.times.extend(std::iter::repeat_n(None, missing));
            }
            self.times.push_back(Some(now));
            while self.times.len() > MEMORY {
                self.times.pop_front();
                self.first += 1;
            }
        } else if self.times[at].is_none() {
            self.times[at] = Some(now);
        } else {
            return false;
        }
        self.has_news = true;
        true
    }

    /// When there will be something to tell.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let usual = self.last_report.unwrap_or(self.epoch) + EVERY;
        match self.gap {
            Some((soon, _)) => Some(soon.min(usual)),
            None => self.has_news.then_some(usual),
        }
    }

    /// What is to be told now.
    pub fn poll_report(&mut self, now: Instant) -> Option<ArrivalReport> {
        let due = self.poll_timeout().is_some_and(|due| now >= due);
        due.then(|| self.report(now)).flatten()
    }

    /// What is to be told now that another packet leaves: a little earlier than it would be alone, so that both share a
    /// datagram.
    pub fn poll_report_along(&mut self, now: Instant) -> Option<ArrivalReport> {
        let is_soon = self.has_news && now + ALONG >= self.last_report.unwrap_or(self.epoch) + EVERY;
        if is_soon {
            self.report(now)
        } else {
            self.poll_report(now)
        }
    }

    fn report(&mut self, now: Instant) -> Option<ArrivalReport> {
        self.has_news = false;
        self.gap = match self.gap {
            Some((due, true)) if now >= due => Some((now + AGAIN, false)),
            Some((due, false)) if now >= due => None,
            gap => gap,
        };
        self.last_report = Some(now);
        let is_recent = |time: &Option<Instant>| time.is_some_and(|time| time + COVER >= now);
        let from = self.times.iter().position(is_recent)?;
        // What is missing before the first that came lately may be news, too.
        let before = self.times.range(..from).rev();
        let from = from - before.take_while(|time| time.is_none()).count();
        let from = from.max(self.times.len().saturating_sub(MAX_ENTRIES));
        let age = |time: &Option<Instant>| time.map(|time| Age::of(now.saturating_duration_since(time)));
        Some(ArrivalReport {
            incarnation: self.incarnation?,
            at: now.saturating_duration_since(self.epoch).as_micros() as u32,
            base: (self.first + from as u64) as u16,
            ages: self.times.range(from..).map(age).collect(),
        })
    }
}

/// The full number whose low 16 bits are `seq`, nearest to `near`.
pub fn unwrap(seq: u16, near: u64) -> u64 {
    let ahead = seq.wrapping_sub(near as u16).cast_signed();
    near.saturating_add_signed(i64::from(ahead))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn number(seq: u16) -> Number {
        Number { incarnation: 7, seq }
    }

    #[test]
    fn a_sender_that_begins_anew_is_followed() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        for seq in 0..500 {
            assert!(arrivals.handle_packet(number(seq), epoch));
        }
        let again = |seq| Number { incarnation: 8, seq };
        assert!(arrivals.handle_packet(again(0), epoch));
        assert!(arrivals.handle_packet(again(1), epoch));
        let report = arrivals.poll_report(epoch + 50 * MS).expect("due");
        assert_eq!((report.incarnation, report.base, report.ages.len()), (8, 0, 2));
    }

    #[test]
    fn arrivals_are_told_every_50_ms_and_a_gap_at_once() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        assert!(arrivals.poll_report(epoch + 100 * MS).is_none(), "nothing came");
        assert!(
            arrivals.poll_report_along(epoch + 100 * MS).is_none(),
            "nothing came"
        );
        for seq in 0..4u16 {
            assert!(arrivals.handle_packet(number(seq), epoch + 10 * MS * u32::from(seq)));
        }
        assert!(
            !arrivals.handle_packet(number(2), epoch + 40 * MS),
            "it came before"
        );
        assert!(arrivals.poll_report(epoch + 49 * MS).is_none());
        let report = arrivals.poll_report(epoch + 50 * MS).expect("due");
        assert_eq!((report.base, report.ages.len()), (0, 4));
        assert_eq!(report.ages[3].map(Age::duration), Some(20 * MS));
        // 4 is missing.
        assert!(arrivals.handle_packet(number(5), epoch + 60 * MS));
        assert!(
            arrivals.poll_report(epoch + 67 * MS).is_none(),
            "it may be out of order"
        );
        let report = arrivals.poll_report(epoch + 68 * MS).expect("a gap");
        assert!(report.ages[4].is_none() && report.ages[5].is_some());
        assert!(
            arrivals.poll_report(epoch + 84 * MS).is_some(),
            "again, should that be lost"
        );
        assert!(arrivals.poll_report(epoch + 200 * MS).is_none(), "nothing new");
    }

    #[test]
    fn a_report_goes_along_with_another_packet_when_it_would_leave_soon() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        assert!(arrivals.handle_packet(number(0), epoch));
        assert!(arrivals.poll_report_along(epoch + 39 * MS).is_none());
        assert!(arrivals.poll_report(epoch + 40 * MS).is_none());
        assert!(arrivals.poll_report_along(epoch + 40 * MS).is_some());
        assert!(arrivals.handle_packet(number(1), epoch + 41 * MS));
        assert!(
            arrivals.poll_report(epoch + 89 * MS).is_none(),
            "50 ms after that"
        );
        assert!(arrivals.poll_report(epoch + 90 * MS).is_some());
    }

    #[test]
    fn a_lost_report_loses_nothing() {
        let epoch = Instant::now();
        let mut arrivals = Arrivals::new(epoch);
        let mut told = std::collections::BTreeSet::new();
        let mut reports = 0;
        for seq in 0..500u32 {
            let now = epoch + 7 * MS * seq;
            arrivals.handle_packet(number(65_000u16.wrapping_add(seq as u16)), now);
            if let Some(report) = arrivals.poll_report(now) {
                reports += 1;
                // Every second one is lost.
                if reports % 2 == 0 {
                    continue;
                }
                told.extend((0..report.ages.len()).map(|at| report.base.wrapping_add(at as u16)));
            }
        }
        assert!(reports > 50);
        assert!(told.len() > 480, "{}", told.len());
    }

    proptest! {
        #[test]
        fn whatever_numbers_come_memory_is_bounded(seqs in prop::collection::vec(any::<u16>(), 0..3000)) {
            let epoch = Instant::now();
            let mut arrivals = Arrivals::new(epoch);
            for (at, seq) in (0u32..).zip(seqs) {
                let now = epoch + MS * at;
                arrivals.handle_packet(number(seq), now);
                prop_assert!(arrivals.times.len() <= MEMORY);
                if let Some(report) = arrivals.poll_report(now) {
                    prop_assert!(report.ages.len() <= MAX_ENTRIES);
                    prop_assert_eq!(ArrivalReport::decode(&report.encode()), Some(report));
                }
            }
        }
    }
}
