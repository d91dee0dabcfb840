//! Bulk: what leaves on streams beside media, when the link has room for it. A stream has no packets of this link's, so the
//! link says how much may leave, and a marker goes along: what becomes of it has become of that.

use std::time::{Duration, Instant};

use sightline_packet::{MAX_BULK, bulk_wire_size};

use super::Sender;
use crate::link::leaving::Leaving;
use crate::link::waiting::Carried;
use crate::link::{Class, pacer};
use crate::rate::Bitrate;
use crate::video::PacketSize;

/// 2 ms: how much leaves at once where that is more than one packet. Audio that comes meanwhile waits no longer.
const AT_ONCE: Duration = Duration::from_millis(2);

/// Of what the link carries, bulk's part while some waits, whatever pictures would take.
const SHARE: f64 = 0.1;

/// 10 ms: of a queue of this length on the way bulk makes none of it; of a shorter one, the less the longer it is.
const QUEUE: Duration = Duration::from_millis(10);

/// 100 Mbit/s: what the link is asked for while bulk waits. A receiver takes twice as many fragments a second.
const WANTED: Bitrate = Bitrate(100_000_000);

/// 2 s: what has left counts against bulk for this long at the most.
const DEBT: Duration = Duration::from_secs(2);

/// 150 ms beyond a round trip: what leaves in this time may be under way. Bulk of which nothing is heard for longer stops, so
/// that little has to be sent again at once when the path is back.
const UNHEARD: Duration = Duration::from_millis(150);

/// 3 s: what nothing was heard of for so long is not under way any more.
const FORGOTTEN: Duration = Duration::from_secs(3);

/// What the link's rate leaves for bulk.
#[derive(Debug)]
pub struct Account {
    waits: bool,
    /// When everything that has left will have passed at the link's rate.
    free_at: Instant,
    /// Bulk of whose markers nothing is known, bytes, and when the last left.
    in_flight: u64,
    last: Instant,
}

impl Account {
    pub const fn new(now: Instant) -> Self {
        Self {
            waits: false,
            free_at: now,
            in_flight: 0,
            last: now,
        }
    }

    /// When the next of it may leave.
    pub const fn free_at(&self) -> Instant {
        self.free_at
    }

    /// The part of a rate that is not bulk's.
    pub fn beside(&self, rate: Bitrate) -> Bitrate {
        let share = if self.waits { 1.0 - SHARE } else { 1.0 };
        Bitrate((f64::from(rate.0) * share) as u32)
    }

    /// Something of this size leaves, of whichever kind.
    pub fn charge(&mut self, size: u32, rate: Bitrate, now: Instant) {
        let takes = pacer::takes(size, rate.0);
        self.free_at = (self.free_at.max(now) + takes).min(now + DEBT);
    }

    /// Bulk that takes so much leaves.
    fn handle_sent(&mut self, size: u32, rate: Bitrate, now: Instant) {
        self.charge(size, rate, now);
        if now >= self.last + FORGOTTEN {
            self.in_flight = 0;
        }
        self.in_flight += u64::from(size);
        self.last = now;
    }

    /// What became of bulk is known.
    pub fn handle_known(&mut self, size: u32) {
        self.in_flight = self.in_flight.saturating_sub(u64::from(size));
    }
}

impl Sender {
    /// Whether bulk waits to leave.
    pub const fn set_bulk(&mut self, waits: bool) {
        self.bulk.waits = waits;
    }

    /// How much the link is asked to carry of bulk.
    pub(super) const fn bulk_wanted(&self) -> Bitrate {
        if self.bulk.waits { WANTED } else { Bitrate(0) }
    }

    /// How many bytes of bulk may leave now, if any.
    #[must_use]
    pub fn poll_bulk(&self, now: Instant) -> Option<usize> {
        if now < self.bulk_at(now)? {
            return None;
        }
        if self.constant.is_some() {
            return Some(MAX_BULK);
        }
        let bytes = f64::from(self.bulk_rate().0) / 8.0 * AT_ONCE.as_secs_f64();
        Some((bytes as usize).max(MAX_BULK))
    }

    /// Whether bulk waits to leave.
    #[must_use]
    pub const fn has_bulk(&self) -> bool {
        self.bulk.waits
    }

    /// Whether bulk is next: some waits, and nothing that goes before it, on the way neither.
    pub(super) fn is_bulk_next(&self) -> bool {
        // On a path that carries small packets only a stream's, which are larger, are lost.
        let is_carried = self.mtu.size() == PacketSize::Full;
        let media_waits = self.pacer.has_audio() || self.pacer.waiting() > 0;
        self.bulk.waits && is_carried && !media_waits && self.controller.is_calm()
    }

    /// When bulk may be under way once more, if so much is that nothing may.
    fn heard_at(&self, now: Instant) -> Option<Instant> {
        let passes = f64::from(self.controller.rate().0) / 8.0;
        let most = passes * (self.controller.round_trip() + UNHEARD).as_secs_f64();
        let forgotten = self.bulk.last + FORGOTTEN;
        let is_unheard = self.bulk.in_flight as f64 > most + MAX_BULK as f64;
        (is_unheard && now < forgotten).then_some(forgotten)
    }

    /// So many bytes of bulk leave now, at least one. Returns their marker, which is to leave with them.
    pub fn handle_bulk_sent(&mut self, bytes: usize, now: Instant) -> Leaving {
        let size = bulk_wire_size(bytes);
        if let Some(constant) = &mut self.constant {
            constant.handle_sent(size, now);
        }
        self.pacer.charge(size, self.bulk_rate().0, now);
        self.bulk.handle_sent(size, self.bulk_rate(), now);
        let probe = self.probe.map(|(probe, _)| probe.id);
        if probe.is_some() {
            self.count_probe(size);
        }
        let number = self.number(Carried::Marker(size), size, probe, now);
        Leaving::usual(Class::Marker, number.before(None, &[]))
    }

    /// When the next bulk may leave, if nothing else happens before; `None` while it is not next.
    pub(super) fn bulk_at(&self, now: Instant) -> Option<Instant> {
        if !self.is_bulk_next() {
            return None;
        }
        let due = match (&self.constant, &self.probe) {
            (Some(constant), _) => constant.due,
            // A probe is faster than the rate.
            (None, Some(_)) => self.pacer.free_at(),
            (None, None) => self.bulk.free_at(),
        };
        let until = self.silent_until(now).into_iter().chain(self.heard_at(now));
        Some(until.fold(due, Instant::max))
    }

    /// How fast bulk leaves while nothing else does.
    fn bulk_rate(&self) -> Bitrate {
        if let Some((probe, _)) = self.probe {
            return Bitrate(probe.rate as u32);
        }
        let queue = self.controller.standing_queue().as_secs_f64() / QUEUE.as_secs_f64();
        let rate = f64::from(self.controller.sending_rate().0) * (1.0 - queue).clamp(SHARE, 1.0);
        Bitrate(rate as u32)
    }
}
