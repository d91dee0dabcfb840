//! How much one link may carry: raised while nothing waits on the way, lowered as soon as something does.
//!
//! The measure is the queue itself (what packets wait beyond the shortest time), as in LEDBAT (RFC 6817) and Copa (NSDI
//! 2018), not its slope alone as in Google congestion control (draft-ietf-rmcat-gcc-02): it is known to the millisecond
//! from the arrival reports, and tells also how long a queue takes to drain. When it grows, the packets that waited arrive just as
//! fast as the link lets them: that is the capacity, and the rate goes a little below it. From there it creeps up;
//! far below, or above, what the link was last known to carry, it hurries. Loss counts only as far as it exceeds what
//! the link loses anyway, and when as much is lost after the rate was cut for it, the cut is taken back. Probes find out at
//! once what hurrying would take seconds to find.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::delivered::{Arrived, Delivered, QUEUED};
use super::loss::LossMeter;
use super::probe::{Found, Probe, Prober};
use super::queue_delay::QueueDelay;
use super::sent_packets::Acked;
use crate::rate::Bitrate;

/// Where a link begins: pictures of 360p with sound.
const START: Bitrate = Bitrate(800_000);

/// Sound in packets of 20 ms, and a little more.
const FLOOR: Bitrate = Bitrate(135_000);

/// 30 kbit/s: what leaves in any case. Where there is no sound, reports of it are the only sign that a queue is gone.
const TRICKLE: Bitrate = Bitrate(30_000);

/// A queue that is there in two reports, or a longer one that is there once, is too long.
const QUEUE: Duration = Duration::from_millis(25);
const LONG_QUEUE: Duration = Duration::from_millis(60);

/// So much more than at the report before, and a queue is too long at once.
const JUMP: Duration = Duration::from_millis(20);

/// Below this a queue is drained.
const DRAINED: Duration = Duration::from_millis(10);

/// From this on the rate is not raised.
const HOLD: Duration = Duration::from_millis(15);

/// The same for bulk alone: it has time, and whoever speaks has not.
const HOLD_BULK: Duration = Duration::from_millis(5);

/// What is left free of a link's capacity once it is known: 6 %, and 25 kbit/s, because on a slow link a single packet more
/// makes a queue.
const FREE: (f64, f64) = (0.06, 25_000.0);

/// And of a link whose buffer is so short that it loses before anything waits for long.
const LOSSY_SHARE: f64 = 0.85;

/// Growth in a second: near the capacity that was last seen, there for bulk alone, and elsewhere.
const CREEP: f64 = 1.06;
const CREEP_FOR_BULK: f64 = 1.02;
const HURRY: f64 = 2.0;

/// A limit is near when it is less than this much above what is asked for.
const ROOM: f64 = 1.5;

/// A rate may have grown so much before the uplink is shared anew.
const SOON: f64 = 2.0;

/// What counts as near.
const NEAR: std::ops::Range<f64> = 0.8..1.12;

/// What is lost while packets waited this long is lost because a buffer is full; after so many reports of it within a
/// second the rate goes down.
const FULL: Duration = Duration::from_millis(12);
const FULL_REPORTS: usize = 2;

/// 1 s: a queue that does not drain within this time although less is sent was not caused by this sender.
const STUCK: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing waits.
    Rising,
    /// What waits has to go first. Since when; the least queue before and since then.
    Draining(Instant, Duration, Duration),
}

/// One link's rate.
#[derive(Debug)]
pub struct CongestionController {
    rate: f64,
    wanted: f64,
    /// The same with bulk, as long as some waits.
    wanted_with_bulk: f64,
    limit: f64,
    phase: Phase,
    queue: QueueDelay,
    /// The queue at the last report.
    standing: Duration,
    delivered: Delivered,
    loss: LossMeter,
    prober: Prober,
    /// When packets were lost though, or because, others waited.
    overflows: VecDeque<Instant>,
    /// What the link carried when it was last full.
    capacity: Option<f64>,
    /// Rate and capacity before the last cut for loss.
    before_loss: Option<(f64, Option<f64>)>,
    round_trip: Duration,
    last_news: Option<Instant>,
    last_cut: Option<Instant>,
}

impl CongestionController {
    pub fn new(now: Instant) -> Self {
        Self {
            rate: f64::from(START.0),
            wanted: f64::from(START.0),
            wanted_with_bulk: 0.0,
            limit: f64::INFINITY,
            phase: Phase::Rising,
            queue: QueueDelay::new(now),
            standing: Duration::ZERO,
            delivered: Delivered::default(),
            loss: LossMeter::default(),
            prober: Prober::default(),
            overflows: VecDeque::new(),
            capacity: None,
            before_loss: None,
            round_trip: Duration::from_millis(100),
            last_news: None,
            last_cut: None,
        }
    }

    /// What the link is asked to carry at most: the rate does not rise further. What is known already is not forgotten.
    pub fn set_wanted(&mut self, wanted: Bitrate) {
        self.wanted = f64::from(wanted.0.max(FLOOR.0));
    }

    /// What the link is asked to carry at most with bulk. Up to this the rate rises as well, but is not probed: bulk is in no
    /// hurry, and a probe makes a queue.
    pub fn set_wanted_with_bulk(&mut self, wanted: Bitrate) {
        self.wanted_with_bulk = f64::from(wanted.0);
    }

    /// What the link may carry at most, whatever it is asked for.
    pub fn set_limit(&mut self, limit: Option<Bitrate>) {
        self.limit = limit.map_or(f64::INFINITY, |limit| f64::from(limit.0.max(FLOOR.0)));
        self.rate = self.rate.min(self.limit);
    }

    /// What the link has a use for: what it is asked to carry, or what it may be found to carry soon.
    pub fn needs(&self) -> Bitrate {
        Bitrate(self.wanted.min(SOON * self.rate) as u32)
    }

    /// As far as the rate may rise.
    const fn most(&self) -> f64 {
        self.wanted.max(self.wanted_with_bulk).min(self.limit)
    }

    /// What the link carries, as far as is known.
    pub fn rate(&self) -> Bitrate {
        Bitrate(self.rate as u32)
    }

    /// What is to be sent now: less while a queue drains, so that it is gone within a fraction of a second.
    pub fn sending_rate(&self) -> Bitrate {
        let share = match self.phase {
            Phase::Rising => 1.0,
            Phase::Draining(..) => 1.0 - (self.standing.as_secs_f64() / 0.150).clamp(0.15, 1.0),
        };
        Bitrate((self.rate * share).max(f64::from(TRICKLE.0)) as u32)
    }

    /// Nothing waits on the way, as far as is known.
    pub const fn is_calm(&self) -> bool {
        matches!(self.phase, Phase::Rising)
    }

    /// The rate is as high as was asked for, and no limit is near.
    pub fn is_sated(&self) -> bool {
        self.is_calm() && self.rate >= 0.95 * self.wanted && self.limit >= ROOM * self.wanted
    }

    pub const fn round_trip(&self) -> Duration {
        self.round_trip
    }

    /// What waits on the way.
    pub const fn standing_queue(&self) -> Duration {
        self.standing
    }

    /// The share that is lost, lately or over a longer time, whichever is more.
    pub fn loss(&self) -> f32 {
        self.loss.recent().max(self.loss.usual())
    }

    /// The share that is lost over a longer time.
    pub fn usual_loss(&self) -> f32 {
        self.loss.usual()
    }

    /// A probe that is to begin now.
    pub fn poll_probe(&mut self, now: Instant) -> Option<Probe> {
        // More than is asked for, or allowed, would not be used.
        let most = self.wanted.min(self.limit);
        let is_enough = self.rate >= 0.95 * most;
        let may = self.is_calm() && !is_enough && self.standing < HOLD && self.last_news.is_some();
        self.prober.poll(may, self.rate, most, self.round_trip, now)
    }

    /// Takes what a report said: what came, in order, and how much was lost.
    pub fn handle_news(
        &mut self,
        acked: &[Acked],
        lost: &[(u32, Option<u32>)],
        round_trip: Option<Duration>,
        now: Instant,
    ) {
        self.round_trip = round_trip.unwrap_or(self.round_trip);
        self.loss.handle(acked.len(), lost.len(), now);
        for packet in acked {
            self.arrive(packet, now);
        }
        if let Some(newest) = acked.last() {
            self.delivered.forget_before(newest.arrived);
        }
        let before = self.standing;
        let waits = self.delivered.latest_waits(acked.len());
        if let Some(standing) = waits.clone().take(3).min() {
            self.standing = standing;
        }
        let peak = waits.max();
        if self.loss.is_unusual(acked.len(), lost.len()) && peak > Some(FULL) {
            self.overflows.push_back(now);
        }
        self.overflows.retain(|at| now < *at + Duration::from_secs(1));
        let found = self.prober.handle_news(acked, lost, now);
        match self.phase {
            Phase::Rising => self.rise(before, found, now),
            Phase::Draining(since, least_before, least) => {
                self.drain(since, least_before, least.min(self.standing), before, now);
            }
        }
        self.last_news = Some(now);
    }

    fn arrive(&mut self, packet: &Acked, now: Instant) {
        let waited = self.queue.handle(packet, now);
        self.delivered.handle(Arrived {
            at: packet.arrived,
            size: packet.size,
            waited,
        });
    }

    fn rise(&mut self, before: Duration, found: Option<Found>, now: Instant) {
        let (now_waits, jumps) = (self.standing, self.standing > before + JUMP);
        let stays = before > QUEUE && now_waits + QUEUED > before;
        if now_waits > LONG_QUEUE || (now_waits > QUEUE && (jumps || stays)) {
            return self.cut(now);
        }
        if self.loss.was_mistaken()
            && let Some((rate, capacity)) = self.before_loss.take()
        {
            self.rate = self.rate.max(rate.min(self.most()));
            self.capacity = capacity;
        }
        if self.loss.is_congestion() || self.overflows.len() >= FULL_REPORTS {
            self.overflows.clear();
            let capacity = self.delivered.rate() / (1.0 - f64::from(self.loss.usual()));
            if self.loss.is_congestion() {
                self.before_loss = Some((self.rate, self.capacity));
                self.loss.forget_recent();
            }
            self.capacity = Some(capacity);
            self.rate = self.rate.min(LOSSY_SHARE * capacity).max(f64::from(FLOOR.0));
            self.prober.put_off(now);
            return;
        }
        if let Some(found) = found {
            if let Found::Full(capacity) = found {
                self.capacity = Some(capacity);
            }
            let carries = used_of(found.rate());
            self.rate = self.rate.max(carries.min(self.most()));
        }
        let is_for_bulk = self.wanted_with_bulk > self.wanted && self.rate >= self.wanted;
        let hold = if is_for_bulk { HOLD_BULK } else { HOLD };
        if is_for_bulk && self.standing > hold {
            let delivered = self.delivered.rate();
            self.capacity = Some(delivered);
            self.rate = self.rate.min(delivered).max(self.wanted);
        }
        let is_near = self
            .capacity
            .is_some_and(|capacity| NEAR.contains(&(self.rate / capacity)));
        let beyond = if is_for_bulk && is_near { 1.1 } else { 1.5 };
        let is_held = self.standing > hold || self.loss.is_rising();
        let passed = self
            .last_news
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        let is_used = self.rate < beyond * self.delivered.rate() + 30_000.0;
        if !is_held && is_used && self.rate < self.most() {
            let growth: f64 = match is_near {
                true if is_for_bulk => CREEP_FOR_BULK,
                true => CREEP,
                false => HURRY,
            };
            self.rate = (self.rate * growth.powf(passed.as_secs_f64().min(0.2))).min(self.most());
        }
    }

    /// A queue grows: goes below what the link lets through.
    fn cut(&mut self, now: Instant) {
        let capacity = self
            .delivered
            .backlogged()
            .unwrap_or_else(|| self.delivered.rate());
        self.capacity = Some(capacity);
        self.rate = used_of(capacity).min(self.rate).max(f64::from(FLOOR.0));
        self.last_cut = Some(now);
        self.prober.put_off(now);
        self.phase = Phase::Draining(now, Duration::MAX, self.standing);
    }

    fn drain(
        &mut self,
        since: Instant,
        least_before: Duration,
        least: Duration,
        before: Duration,
        now: Instant,
    ) {
        self.phase = Phase::Draining(since, least_before, least);
        if self.standing < DRAINED {
            self.phase = Phase::Rising;
            return;
        }
        let answered = self.round_trip + Duration::from_millis(150);
        let is_answered = self.last_cut.is_none_or(|last| now > last + answered);
        if is_answered && self.standing > before + QUEUED && self.standing > LONG_QUEUE {
            // It still grows: the link carries even less.
            return self.cut(now);
        }
        if now > since + STUCK + self.round_trip {
            let sinks = least < least_before.mul_f64(0.8);
            if sinks {
                self.phase = Phase::Draining(now, least, self.standing);
            } else {
                // The path takes longer now, or somebody else's queue stands there: it is no use to wait.
                self.queue.lengthen(least, now);
                self.phase = Phase::Rising;
            }
        }
    }
}

/// How much of a capacity is used.
fn used_of(capacity: f64) -> f64 {
    capacity * (1.0 - FREE.0) - FREE.1
}
