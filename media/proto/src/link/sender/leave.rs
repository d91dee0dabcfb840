//! What leaves now, and how fast.

use std::time::{Duration, Instant};

use super::Sender;
use crate::header::{HEADER_LEN, Number, wire_size};
use crate::link::Class;
use crate::link::leaving::Leaving;
use crate::link::waiting::{Carried, Waiting};
use crate::track::Track;
use crate::video::PacketSize;

/// 1.5 times the rate: a picture leaves within its interval, whatever its size is beside the others'. 3 times on a link that
/// would carry more than is asked of it.
pub(super) const PACE: f64 = 1.5;
const QUICK_PACE: f64 = 3.0;

/// 1 ms: on a path that carries only small packets, so long after one the next leaves: what leaves at once may go together in
/// one packet of QUIC's, which is as large as both.
const APART: Duration = Duration::from_millis(1);

impl Sender {
    /// The next packet to leave now.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Leaving> {
        if self.constant.is_some() {
            return self.poll_constant(now);
        }
        let pace = if now < self.apart_until() {
            0
        } else {
            self.pace(now)
        };
        if let Some(waiting) = self.pacer.poll(pace, now) {
            let is_video = matches!(waiting.track(), Track::Video(_));
            let probe = self.probe.filter(|_| is_video).map(|(probe, _)| probe.id);
            if probe.is_some() {
                self.count_probe(waiting.size);
            }
            return Some(self.send(waiting, probe, now));
        }
        if !self.pacer.is_free(pace, now) {
            return None;
        }
        let larger = self.mtu.poll_larger(now);
        if larger.is_none() && self.is_bulk_next() {
            // Bulk is of more use than padding.
            return None;
        }
        let probe = self.probe.filter(|_| larger.is_none()).map(|(probe, _)| probe);
        let len = match (larger, probe) {
            (Some(larger), _) => larger.max_body(),
            (None, Some(probe)) => {
                let wished = (probe.packet as usize).saturating_sub(HEADER_LEN);
                wished.min(self.mtu.size().max_body())
            }
            (None, None) => return None,
        };
        let size = wire_size(Class::Padding, len);
        self.pacer.charge(size, pace, now);
        if probe.is_some() {
            self.count_probe(size);
        }
        let probe = probe.map(|probe| probe.id);
        Some(self.send_padding(len, size, probe, now))
    }

    /// Sound as it comes, and at each of the constant rate's moments a packet as large as may be, with a part of a picture if
    /// there is one.
    fn poll_constant(&mut self, now: Instant) -> Option<Leaving> {
        // Probes would change the rate.
        self.probe = None;
        if let Some(audio) = self.pacer.poll(0, now) {
            return Some(self.send(audio, None, now));
        }
        let apart_until = self.apart_until();
        let mut constant = self
            .constant
            .filter(|constant| now >= constant.due.max(apart_until))?;
        let larger = self.mtu.poll_larger(now);
        if larger.is_none() && self.bulk_at(now).is_some_and(|at| now >= at) {
            // Bulk goes in its place.
            return None;
        }
        let len = larger.unwrap_or(self.mtu.size()).max_body();
        let size = wire_size(Class::Video, len);
        constant.handle_sent(size, now);
        self.constant = Some(constant);
        let waiting = match larger {
            // It is expected to be lost.
            Some(_) => None,
            None => self.pacer.poll(u32::MAX, now),
        };
        let leaving = match waiting {
            Some(waiting) => self.send(Waiting { size, ..waiting }, None, now),
            None => self.send_padding(0, size, None, now),
        };
        Some(Leaving {
            padded_to: HEADER_LEN + len,
            ..leaving
        })
    }

    /// When [`Self::poll_packet`] has something again, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if let Some(constant) = self.constant {
            return Some(constant.due.max(self.apart_until()));
        }
        let waits = self.pacer.waiting() > 0 || (self.probe.is_some() && !self.is_bulk_next());
        let due = self.pacer.free_at().max(self.apart_until());
        let due = waits.then(|| self.silent_until(now).map_or(due, |until| until.max(due)));
        due.into_iter().chain(self.bulk_at(now)).min()
    }

    /// Until when nothing but sound leaves so that it does not go together with what left last.
    pub(super) fn apart_until(&self) -> Instant {
        if self.mtu.size() == PacketSize::Full {
            self.last_sent
        } else {
            self.last_sent + APART
        }
    }

    /// Until when nothing but sound leaves because nothing is heard of what has left.
    pub(super) fn silent_until(&self, now: Instant) -> Option<Instant> {
        self.silence.until(self.controller.round_trip(), now)
    }

    fn send(&mut self, waiting: Waiting, probe: Option<u32>, now: Instant) -> Leaving {
        let (track, size) = (waiting.track(), waiting.size);
        let (carried, body) = waiting.into_carried();
        let number = self.number(carried, size, probe, now);
        Leaving::usual(track.class(), number.before(Some(track), &body))
    }

    fn send_padding(&mut self, len: usize, size: u32, probe: Option<u32>, now: Instant) -> Leaving {
        let number = self.number(Carried::Other, size, probe, now);
        Leaving::usual(Class::Padding, number.before(None, &vec![0; len]))
    }

    /// Something leaves: its number.
    pub(super) fn number(&mut self, carried: Carried, size: u32, probe: Option<u32>, now: Instant) -> Number {
        self.silence.handle_sent(self.controller.round_trip(), now);
        self.last_sent = now;
        match carried {
            Carried::Marker(_) => self.sent_packets.handle_marker(carried, size, probe, now),
            _ => {
                self.bulk.charge(size, self.controller.sending_rate(), now);
                self.sent_packets.handle_sent(carried, size, probe, now)
            }
        }
    }

    pub(super) fn count_probe(&mut self, size: u32) {
        if let Some((probe, sent)) = &mut self.probe {
            *sent += size;
            if *sent >= probe.bytes {
                self.probe = None;
            }
        }
    }

    /// How fast pictures leave, bits a second; 0 while none may.
    pub(super) fn pace(&self, now: Instant) -> u32 {
        if self.silent_until(now).is_some() {
            return 0;
        }
        match self.probe {
            Some((probe, _)) => probe.rate as u32,
            None if self.controller.is_sated() => (f64::from(self.controller.rate().0) * QUICK_PACE) as u32,
            None => (f64::from(self.controller.sending_rate().0) * PACE) as u32,
        }
    }
}
