//! What was sent on a link, and what became of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::Number;
use super::arrivals::{SETTLED, unwrap};
use super::report::{Age, ArrivalReport};

/// Packets remembered: 2.7 s of the most that a link carries.
const MEMORY: usize = 4096;

/// A missing packet is lost once this many later ones have come, or one of them [`SETTLED`] before the report; before
/// that it may only be out of order.
const REORDERED: usize = 3;

/// A packet that has come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Acked {
    /// When it was sent.
    pub sent: Instant,
    /// When it came, by the receiver's clock: microseconds since a moment that only the receiver knows.
    pub arrived: i64,
    /// Its size on the wire, bytes.
    pub size: u32,
    /// The probe that it belonged to.
    pub probe: Option<u32>,
    /// It goes along with what has this size, and is itself small.
    pub is_marker: bool,
}

/// A packet that has not come.
#[derive(Debug, PartialEq)]
pub struct Lost<T> {
    /// Its size on the wire, bytes.
    pub size: u32,
    /// The probe that it belonged to.
    pub probe: Option<u32>,
    /// What it carried.
    pub carried: T,
}

/// What a report says that was not known before.
#[derive(Debug)]
pub struct News<T> {
    /// What came, in the order of sending.
    pub acked: Vec<Acked>,
    /// What they carried.
    pub arrived: Vec<T>,
    /// What is lost.
    pub lost: Vec<Lost<T>>,
    /// From sending the newest of them until the report came, without the time that the receiver kept it.
    pub round_trip: Option<Duration>,
}

#[derive(Debug)]
struct Sent<T> {
    at: Instant,
    size: u32,
    probe: Option<u32>,
    is_marker: bool,
    /// `None` once its fate is known.
    carried: Option<T>,
}

/// The packets sent on one link, newest last.
#[derive(Debug)]
pub struct SentPackets<T> {
    incarnation: u16,
    first: u64,
    sent: VecDeque<Sent<T>>,
    /// The receiver's clock at its last report, unwrapped.
    receiver_clock: Option<i64>,
}

impl<T> SentPackets<T> {
    /// Nothing was sent yet.
    pub fn new(incarnation: u16) -> Self {
        Self {
            incarnation,
            first: 0,
            sent: VecDeque::new(),
            receiver_clock: None,
        }
    }

    /// Notes a packet that leaves now. Returns its number.
    pub fn handle_sent(&mut self, carried: T, size: u32, probe: Option<u32>, now: Instant) -> Number {
        self.note(carried, size, probe, false, now)
    }

    /// Notes a marker that leaves now with something of this size. Returns its number.
    pub fn handle_marker(&mut self, carried: T, size: u32, probe: Option<u32>, now: Instant) -> Number {
        self.note(carried, size, probe, true, now)
    }

    fn note(&mut self, carried: T, size: u32, probe: Option<u32>, is_marker: bool, now: Instant) -> Number {
        let seq = self.first + self.sent.len() as u64;
        if self.sent.len() >= MEMORY {
            self.sent.pop_front();
            self.first += 1;
        }
        self.sent.push_back(Sent {
            at: now,
            size,
            probe,
            is_marker,
            carried: Some(carried),
        });
        Number {
            incarnation: self.incarnation,
            seq: seq as u16,
        }
    }

    /// Takes a report that came at `now`.
    pub fn handle_report(&mut self, report: &ArrivalReport, now: Instant) -> News<T> {
        let mut news = News {
            acked: Vec::new(),
            arrived: Vec::new(),
            lost: Vec::new(),
            round_trip: None,
        };
        let next = self.first + self.sent.len() as u64;
        let base = unwrap(report.base, next);
        if report.incarnation != self.incarnation || base + report.ages.len() as u64 > next {
            // It tells of what was not sent.
            return news;
        }
        let clock = self.unwrap_clock(report.at);
        for (seq, age) in (base..).zip(&report.ages) {
            let Some(age) = age.map(Age::duration) else {
                continue;
            };
            let Some(sent) = self.get_mut(seq) else { continue };
            let Some(carried) = sent.carried.take() else {
                continue;
            };
            news.arrived.push(carried);
            let (size, at, probe, is_marker) = (sent.size, sent.at, sent.probe, sent.is_marker);
            news.round_trip = now.saturating_duration_since(at).checked_sub(age);
            news.acked.push(Acked {
                sent: at,
                arrived: clock - age.as_micros() as i64,
                size,
                probe,
                is_marker,
            });
        }
        let settled = settled(base, report);
        for seq in self.first..settled {
            let Some(sent) = self.get_mut(seq) else { continue };
            let Some(carried) = sent.carried.take() else {
                continue;
            };
            let (size, probe) = (sent.size, sent.probe);
            news.lost.push(Lost { size, probe, carried });
        }
        // What is known need not be kept but for those that are not.
        while self.sent.front().is_some_and(|sent| sent.carried.is_none()) {
            self.sent.pop_front();
            self.first += 1;
        }
        news
    }

    fn get_mut(&mut self, seq: u64) -> Option<&mut Sent<T>> {
        let at = seq.checked_sub(self.first)?;
        self.sent.get_mut(usize::try_from(at).ok()?)
    }

    fn unwrap_clock(&mut self, at: u32) -> i64 {
        let clock = self.receiver_clock.map_or(i64::from(at), |last| {
            let ahead = at.wrapping_sub(last as u32).cast_signed();
            last.saturating_add(i64::from(ahead))
        });
        self.receiver_clock = Some(clock);
        clock
    }
}

/// The number up to which everything that has not come is lost.
fn settled(base: u64, report: &ArrivalReport) -> u64 {
    let newest_first = report.ages.iter().enumerate().rev();
    let mut came = newest_first.filter_map(|(at, age)| age.map(|age| (at, age.duration())));
    let by_count = came.clone().nth(REORDERED - 1).map(|(at, _)| at);
    let by_age = came.find(|(_, age)| *age >= SETTLED).map(|(at, _)| at);
    base + by_count.max(by_age).unwrap_or(0) as u64
}

#[cfg(test)]
mod tests {
    use super::super::arrivals::Arrivals;
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn number(seq: u16) -> Number {
        Number { incarnation: 7, seq }
    }

    #[test]
    fn each_packet_is_known_to_have_come_or_to_be_lost_once() {
        let epoch = Instant::now();
        let mut sent_packets = SentPackets::new(7);
        let mut arrivals = Arrivals::new(epoch);
        let (mut acked, mut lost) = (0, Vec::new());
        for n in 0..1000u32 {
            let now = epoch + 5 * MS * n;
            let number = sent_packets.handle_sent(n, 100, None, now);
            assert_eq!(number.seq, n as u16);
            if !n.is_multiple_of(10) {
                arrivals.handle_packet(number, now + 20 * MS);
            }
            if let Some(report) = arrivals.poll_report(now + 20 * MS) {
                let news = sent_packets.handle_report(&report, now + 40 * MS);
                assert!(
                    news.round_trip
                        .is_none_or(|trip| trip < 41 * MS && trip >= 39 * MS)
                );
                acked += news.acked.len();
                lost.extend(news.lost.into_iter().map(|lost| lost.carried));
            }
        }
        assert!(acked >= 890, "{acked}");
        // The last may still be on its way.
        let expected: Vec<u32> = (0..1000).step_by(10).take(lost.len()).collect();
        assert_eq!(lost, expected);
        assert!(lost.len() >= 98);
        assert!(sent_packets.sent.len() <= 20, "{}", sent_packets.sent.len());
    }

    #[test]
    fn what_comes_out_of_order_is_not_lost() {
        let epoch = Instant::now();
        let mut sent_packets = SentPackets::new(7);
        for n in 0..6u32 {
            sent_packets.handle_sent(n, 100, None, epoch);
        }
        let mut arrivals = Arrivals::new(epoch);
        for seq in [0, 2, 3] {
            arrivals.handle_packet(number(seq), epoch + 60 * MS);
        }
        let report = arrivals.poll_report(epoch + 60 * MS).expect("due");
        assert_eq!(sent_packets.handle_report(&report, epoch).lost, []);
        arrivals.handle_packet(number(1), epoch + 62 * MS);
        arrivals.handle_packet(number(4), epoch + 110 * MS);
        let report = arrivals.poll_report(epoch + 120 * MS).expect("due");
        let news = sent_packets.handle_report(&report, epoch);
        assert_eq!((news.acked.len(), news.lost.len()), (2, 0));
    }

    #[test]
    fn a_report_of_what_was_never_sent_says_nothing() {
        let epoch = Instant::now();
        let mut sent_packets = SentPackets::new(7);
        sent_packets.handle_sent((), 100, None, epoch);
        let age = Some(Age::of(MS));
        for base in [0, 1, 5, 40_000] {
            let report = ArrivalReport {
                incarnation: 7,
                at: 0,
                base,
                ages: vec![age; 2],
            };
            let news = sent_packets.handle_report(&report, epoch);
            assert!(news.acked.is_empty() && news.lost.is_empty(), "{base}");
        }
    }

    #[test]
    fn memory_is_bounded_when_nothing_is_ever_told() {
        let epoch = Instant::now();
        let mut sent_packets = SentPackets::new(7);
        for _ in 0..3 * MEMORY {
            sent_packets.handle_sent((), 10, None, epoch);
        }
        assert_eq!(sent_packets.sent.len(), MEMORY);
    }
}
