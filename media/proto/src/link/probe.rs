//! Probes: a few packets sent faster than the rate, to see how fast they arrive.

use std::time::{Duration, Instant};

use super::sent_packets::Acked;

/// 30 ms: how long a probe lasts: what a link that is full already has to hold of it.
const LENGTH: Duration = Duration::from_millis(30);

/// Packets in a probe at the least: fewer say nothing.
const PACKETS: u32 = 5;

/// 1.5 s: from one to the next while nothing more is found.
const GAP: Duration = Duration::from_millis(1500);

/// The largest packet, bytes.
const MOST: u32 = sightline_packet::MAX_BODY as u32;

/// How much more than the rate must be found for the next probe to follow at once.
const WORTH_MORE: f64 = 1.1;

/// How much faster than the rate.
const FASTER: f64 = 2.0;

/// Of the probe's rate, what must arrive for the link to have carried it.
const CARRIED: f64 = 0.9;

/// 250 ms beyond a round trip: after which what has not been told is not waited for.
const PATIENCE: Duration = Duration::from_millis(250);

/// A probe to be sent.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Probe {
    pub id: u32,
    /// Bits a second.
    pub rate: f64,
    /// How much is to be sent at that rate.
    pub bytes: u32,
    /// How large its packets are to be: on a slow link small ones.
    pub packet: u32,
}

/// What a probe found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Found {
    /// The link carries at least this.
    AtLeast(f64),
    /// The link carries just this.
    Full(f64),
}

impl Found {
    pub const fn rate(self) -> f64 {
        match self {
            Self::AtLeast(rate) | Self::Full(rate) => rate,
        }
    }
}

#[derive(Debug)]
struct Active {
    probe: Probe,
    until: Instant,
    lost: u32,
    /// Of those that came: the first's arrival, the last's, and the bytes without the first.
    came: Option<(i64, i64, u32)>,
    first_sent: Option<Instant>,
    last_sent: Option<Instant>,
    count: u32,
}

/// When to probe, and what came of it.
#[derive(Debug, Default)]
pub struct Prober {
    next_id: u32,
    next_at: Option<Instant>,
    active: Option<Active>,
}

impl Prober {
    /// Something happened that a probe must not add to.
    pub fn put_off(&mut self, now: Instant) {
        self.next_at = Some(now + GAP / 2);
        self.active = None;
    }

    pub fn poll(
        &mut self,
        may: bool,
        rate: f64,
        wanted: f64,
        round_trip: Duration,
        now: Instant,
    ) -> Option<Probe> {
        if self.active.as_ref().is_some_and(|active| now > active.until) {
            self.active = None;
        }
        let is_due = self.next_at.is_none_or(|at| now >= at);
        if !may || !is_due || self.active.is_some() {
            return None;
        }
        let rate = (FASTER * rate).min(1.1 * wanted);
        let bytes = (rate / 8.0 * LENGTH.as_secs_f64()) as u32;
        // As many packets as say something, the largest there are at the most.
        let packet = (bytes / PACKETS).clamp(200, MOST);
        let bytes = bytes.max(packet * (PACKETS + 1));
        let probe = Probe {
            id: self.next_id,
            rate,
            bytes,
            packet,
        };
        self.next_id = self.next_id.wrapping_add(1);
        self.next_at = Some(now + GAP);
        self.active = Some(Active {
            probe,
            until: now + LENGTH + round_trip + PATIENCE,
            lost: 0,
            came: None,
            first_sent: None,
            last_sent: None,
            count: 0,
        });
        Some(probe)
    }

    /// Takes what a report said. Returns what the probe found once enough of it came.
    pub fn handle_news(
        &mut self,
        acked: &[Acked],
        lost: &[(u32, Option<u32>)],
        now: Instant,
    ) -> Option<Found> {
        let active = self.active.as_mut()?;
        let id = Some(active.probe.id);
        active.lost += lost
            .iter()
            .filter(|(_, probe)| *probe == id)
            .map(|(size, _)| size)
            .sum::<u32>();
        for packet in acked.iter().filter(|packet| packet.probe == id) {
            let came = active.came.get_or_insert((packet.arrived, packet.arrived, 0));
            if active.count > 0 {
                came.2 += packet.size;
            }
            came.1 = came.1.max(packet.arrived);
            active.first_sent.get_or_insert(packet.sent);
            active.last_sent = Some(packet.sent);
            active.count += 1;
        }
        let (first, last, bytes) = active.came?;
        let (Some(first_sent), Some(last_sent)) = (active.first_sent, active.last_sent) else {
            return None;
        };
        if bytes + active.lost + 2 * active.probe.packet < active.probe.bytes {
            return None;
        }
        let is_sound = active.count >= PACKETS - 1 && active.lost < active.probe.bytes / 4;
        // What leaves together may come together: a link that is this fast carries what was sent.
        let took = Duration::from_micros((last - first).max(1).cast_unsigned());
        let sent_within = last_sent.saturating_duration_since(first_sent);
        let came = f64::from(bytes) * 8.0 / took.as_secs_f64();
        let sent = f64::from(bytes) * 8.0 / sent_within.as_secs_f64().max(1e-6);
        let asked = active.probe.rate;
        self.active = None;
        if !is_sound {
            return None;
        }
        if came >= CARRIED * sent.min(asked) {
            let found = came.min(sent).min(asked);
            if found > WORTH_MORE * asked / FASTER {
                // There may be more.
                self.next_at = Some(now);
            }
            Some(Found::AtLeast(found))
        } else {
            Some(Found::Full(came))
        }
    }
}
