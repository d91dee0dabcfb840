//! One connection to one peer, and its life: whom it leads to and what for, what may still come on it. Its keys are in session.rs, what
//! is learnt of its path in path.rs.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use sightline_noise::Session;

use crate::channel::Channels;
use crate::interface::Medium;
use crate::limit::Bucket;
use crate::path::PathMeter;
use crate::route::{Consent, Reason, RouteId};
use crate::session::SessionState;
use crate::tag::ExpectId;

/// Control messages a second that a member may send for long, and at once. A call of sixteen needs twenty.
const CONTROL_RATE: (u32, u32) = (100, 400);

/// Packets a second that a member may send for long, and at once: 12 Mbit/s of full ones.
const PACKET_RATE: (u32, u32) = (1500, 3000);

/// Fragments of bulk a second that a member may send for long, and at once. One that asks its link for 100 Mbit/s sends 12,000
/// full ones, or 24,000 that are short and count as half a full one.
const FRAGMENT_RATE: (u32, u32) = (48_000, 48_000);

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
    /// Somebody came with this code of ours.
    Guest(ExpectId),
    /// We came with a code; the other side is who made it.
    Inviter,
    /// Both are in the call.
    Member,
}

/// A connection.
pub struct Connection {
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
    pub since: Instant,
    /// When something last came on it.
    pub heard: Instant,
    pub session: SessionState,
    /// What this side last said of media on it, and over what it is connected.
    pub said: Consent,
    pub medium: Option<Medium>,
    /// How often the peer may still change what it says of these.
    pub changes: Bucket,
    pub control: Bucket,
    pub packets: Bucket,
    pub fragments: Bucket,
    pub entries: Bucket,
    pub introductions: Bucket,
    pub path: PathMeter,
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

impl Connection {
    /// The rates at which a member may talk, each bucket full: control, packets, fragments of bulk, lists of entries, introductions,
    /// changes.
    pub fn buckets(now: Instant) -> [Bucket; 6] {
        let bucket = |(rate, burst)| Bucket::new(Duration::from_secs(1) / rate, burst, now);
        [
            CONTROL_RATE,
            PACKET_RATE,
            FRAGMENT_RATE,
            ENTRIES_RATE,
            INTRODUCTIONS_RATE,
            CHANGES_RATE,
        ]
        .map(bucket)
    }

    /// The session, once there is one.
    pub fn open_session(&mut self) -> Option<&mut Session> {
        self.session.open()
    }

    pub const fn is_member(&self) -> bool {
        matches!(self.purpose, Purpose::Member)
    }
}
