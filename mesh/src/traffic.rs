//! What media does with the call's links.

use std::time::Instant;

use libp2p::identity::PeerId;
use sightline_mesh_proto::{Class, ConnId};

/// A packet of media that is to leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// To whom.
    pub to: PeerId,
    /// What it is for.
    pub class: Class,
    /// What it carries.
    pub body: Vec<u8>,
    /// It is to be as large as if its body were of so many bytes at the least.
    pub padded_to: usize,
}

/// What media does with the call's links. Called on the mesh's thread: it must not block for long.
pub trait Traffic: Send + Sync {
    /// From now on media may flow to these members, each on this connection, and to no others.
    fn handle_receivers(&self, receivers: &[(PeerId, ConnId)], now: Instant);
    /// A packet of a member arrived at `now`.
    fn handle_packet(&self, peer: PeerId, class: Class, body: &[u8], now: Instant);
    /// The next packet that is to leave now.
    fn poll_packet(&self, now: Instant) -> Option<Leaving>;
    /// Whether bulk waits to leave to a member.
    fn handle_bulk(&self, to: PeerId, waits: bool);
    /// How many bytes of bulk may leave now beside media, and to whom.
    fn poll_bulk(&self, now: Instant) -> Option<(PeerId, usize)>;
    /// So many bytes of bulk leave to a member now. Returns what is to leave with them, to know what becomes of them.
    fn handle_bulk_sent(&self, to: PeerId, bytes: usize, now: Instant) -> Option<Leaving>;
    /// When there will be a packet or room for bulk, if nothing happens before.
    fn poll_timeout(&self, now: Instant) -> Option<Instant>;
}
