//! One connection to one peer: its handshake, its session, what it measured.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_noise::{Binding, Initiator, Psk, Session};

use crate::channel::Channels;
use crate::interface::Medium;
use crate::limit::Bucket;
use crate::roster::Card;
use crate::route::{Consent, Reason, RouteId};
use crate::tag::ExpectId;

/// Control messages a second that a member may send for long, and at once. A call of sixteen needs twenty.
const CONTROL_RATE: (u32, u32) = (100, 400);

/// Packets a second that a member may send for long, and at once: 12 Mbit/s of full ones.
const PACKET_RATE: (u32, u32) = (1500, 3000);

/// Ten years, microseconds: a program that runs for longer is not believed.
const MAX_PEER_CLOCK: u64 = 10 * 365 * 24 * 3_600_000_000;

/// Lists of entries a second; a roster, which is up to four of them, goes with each beat that found a difference.
const ENTRIES_RATE: (u32, u32) = (4, 16);

/// Introductions a second: one newcomer meets fifteen members at once, and is introduced again every five seconds to
/// those whom it did not reach.
const INTRODUCTIONS_RATE: (u32, u32) = (3, 32);

/// Changes of a peer's mind a second, for long and at once.
const CHANGES_RATE: (u32, u32) = (1, 16);

/// Names a connection; given by whoever owns the connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What a connection is for.
#[derive(Debug)]
pub enum Purpose {
    /// Somebody came with a code of ours. The card is there once they knocked.
    Guest(ExpectId, Option<Box<Card>>),
    /// We came with a code; the other side is who made it.
    Inviter,
    /// Both are in the call.
    Member,
}

/// How far the session has come.
#[allow(
    clippy::large_enum_variant,
    reason = "a handshake lives for milliseconds; boxing it saves nothing"
)]
pub enum Stage {
    /// We sent the first message of the handshake.
    Initiating(Initiator, Psk),
    /// We wait for it.
    Responding(Psk),
    /// There is a session.
    Open(Box<Session>),
}

/// A connection.
pub struct Link {
    pub peer: PeerId,
    /// Whether this side dialled.
    pub dialled: bool,
    pub local: SocketAddr,
    pub remote: SocketAddr,
    /// Its route, once the peer has proved who it is; media flows only while that one is active.
    pub route: Option<RouteId>,
    /// The link whose peer came back with this one, so that this one takes its place.
    pub replaces: Option<ConnId>,
    pub purpose: Purpose,
    pub stage: Stage,
    pub since: Instant,
    /// When something last came on it.
    pub heard: Instant,
    pub binding: Binding,
    /// What this side last said of media on it, and over what it is connected.
    pub said: Consent,
    pub medium: Option<Medium>,
    /// How often the peer may still change what it says of these.
    pub changes: Bucket,
    pub control: Bucket,
    pub packets: Bucket,
    pub entries: Bucket,
    pub introductions: Bucket,
    pub meter: Meter,
    /// It is to be closed, for this reason: what still comes on it counts for nothing.
    pub closing: Option<Reason>,
    pub channels: Channels,
    /// How the rosters differed when all entries were last sent, and when that was.
    pub told_difference: Option<(Difference, Instant)>,
}

/// The hashes of two rosters that differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Difference {
    pub ours: [u8; 32],
    pub theirs: [u8; 32],
}

impl Link {
    /// The rates at which a member may talk, each bucket full: control, packets, lists of entries, introductions, changes.
    pub fn buckets(now: Instant) -> [Bucket; 5] {
        let bucket = |(rate, burst)| Bucket::new(Duration::from_secs(1) / rate, burst, now);
        [
            CONTROL_RATE,
            PACKET_RATE,
            ENTRIES_RATE,
            INTRODUCTIONS_RATE,
            CHANGES_RATE,
        ]
        .map(bucket)
    }

    pub const fn is_member(&self) -> bool {
        matches!(self.purpose, Purpose::Member)
    }

    pub fn session(&mut self) -> Option<&mut Session> {
        match &mut self.stage {
            Stage::Open(session) => Some(session),
            _ => None,
        }
    }
}

/// Round trips and clocks, from pings; counts of what passed.
#[derive(Debug, Default)]
pub struct Meter {
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

impl Meter {
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
        let mut meter = Meter::default();
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
