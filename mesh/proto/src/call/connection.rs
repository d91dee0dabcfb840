//! Connections: dialled, accepted, opened by a handshake, closed.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, End, Output, Problem};
use crate::gate::{Change, ExpectId};
use crate::link::{ConnId, Purpose, Stage};
use crate::secret::Secret;
use crate::tag;

/// 5 s: how long a handshake, and after it a knock, may take.
pub const SETUP_TIME: Duration = Duration::from_secs(5);

/// 300 ms: the time between dialling one address and the next (RFC 8305, section 5, allows 100 ms to 2 s).
const DIAL_STAGGER: Duration = Duration::from_millis(300);

/// Connections at once, those in their handshake among them.
const MAX_LINKS: usize = 48;

/// Names one attempt to reach somebody, by one or more addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DialId(pub u64);

/// Names one dialled address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Whom a dial is meant for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// Who made the code.
    Inviter,
    /// A member, and who introduced us.
    Member(PeerId, PeerId),
}

/// An attempt to reach somebody.
pub struct Dial {
    pub target: Target,
    pub secret: Secret,
    waiting: Vec<SocketAddr>,
    next_at: Instant,
    dialled: BTreeSet<Ticket>,
}

impl Dial {
    /// When the next address is due.
    pub fn next_at(&self) -> Option<Instant> {
        (!self.waiting.is_empty()).then_some(self.next_at)
    }
}

/// What an approved address is needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// It is being dialled.
    Dial(DialId),
    /// A connection uses it.
    Link(ConnId),
}

/// A connection whose TLS handshake is done.
#[derive(Clone, Debug)]
pub struct Connected {
    /// Its name from now on.
    pub conn: ConnId,
    /// Who is at the other end, by its certificate.
    pub peer: PeerId,
    /// Who dialled, and why.
    pub side: Side,
    /// Our end.
    pub local: SocketAddr,
    /// Their end.
    pub remote: SocketAddr,
    /// 32 bytes exported from the TLS session.
    pub exporter: [u8; 32],
}

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We did, by [`Output::Dial`].
    Dialler(Ticket),
    /// They did, with a tag of this code or introduction.
    Listener(ExpectId),
}

impl Call {
    pub(super) fn dial(
        &mut self,
        target: Target,
        secret: Secret,
        mut addresses: Vec<SocketAddr>,
        now: Instant,
    ) {
        addresses.reverse();
        let id = DialId(self.new_id());
        let dial = Dial {
            target,
            secret,
            waiting: addresses,
            next_at: now,
            dialled: BTreeSet::new(),
        };
        self.dials.insert(id, dial);
        self.dial_next_addresses(now);
    }

    pub(super) fn dial_next_addresses(&mut self, now: Instant) {
        for id in self.dials.keys().copied().collect::<Vec<_>>() {
            let ticket = Ticket(self.new_id());
            let wall = self.config.clock.wall_at(now);
            let Some(dial) = self.dials.get_mut(&id) else {
                continue;
            };
            if now < dial.next_at {
                continue;
            }
            let Some(remote) = dial.waiting.pop() else {
                continue;
            };
            dial.next_at = now + DIAL_STAGGER;
            dial.dialled.insert(ticket);
            let tag = tag::make(&dial.secret.tag_key(), wall, &mut self.rng);
            let peer = match dial.target {
                Target::Inviter => None,
                Target::Member(peer, _) => Some(peer),
            };
            self.approve(remote, Holder::Dial(id));
            self.outputs.push_back(Output::Dial {
                ticket,
                remote,
                peer,
                tag,
            });
        }
    }

    /// A dialled address could not be reached.
    pub fn handle_dial_failed(&mut self, ticket: Ticket, now: Instant) {
        let Some((id, dial)) = self
            .dials
            .iter_mut()
            .find(|(_, dial)| dial.dialled.contains(&ticket))
        else {
            return;
        };
        let id = *id;
        dial.dialled.remove(&ticket);
        dial.next_at = now;
        if dial.dialled.is_empty() && dial.waiting.is_empty() {
            let target = dial.target;
            self.dials.remove(&id);
            self.release(Holder::Dial(id));
            if target == Target::Inviter {
                self.end(End::Unreachable);
            }
        }
    }

    /// A connection stands; the Noise handshake follows on its control stream, which the dialler opens.
    pub fn handle_connected(&mut self, connected: &Connected, now: Instant) {
        let conn = connected.conn;
        let is_wanted = !self.ended && self.links.len() < MAX_LINKS;
        if is_wanted && self.set_up(connected, now).is_some() {
            return;
        }
        if let Side::Dialler(ticket) = connected.side {
            self.handle_dial_failed(ticket, now);
        }
        self.outputs.push_back(Output::Close(conn));
    }

    /// `None` when the connection is not wanted.
    fn set_up(&mut self, connected: &Connected, now: Instant) -> Option<()> {
        match connected.side {
            Side::Dialler(ticket) => {
                let (id, _) = self
                    .dials
                    .iter()
                    .find(|(_, dial)| dial.dialled.contains(&ticket))?;
                let id = *id;
                let dial = self.dials.remove(&id)?;
                self.approve(connected.remote, Holder::Link(connected.conn));
                self.release(Holder::Dial(id));
                let opened = self.initiate(connected, &dial, now);
                if opened.is_none() {
                    self.release(Holder::Link(connected.conn));
                }
                opened
            }
            Side::Listener(id) => self.respond(connected, id, now),
        }
    }

    /// A connection is closed, by whomever.
    pub fn handle_closed(&mut self, conn: ConnId, now: Instant) {
        let Some(link) = self.links.remove(&conn) else {
            return;
        };
        self.release(Holder::Link(conn));
        self.unlink(&link, conn, now);
        if matches!(link.purpose, Purpose::Inviter) {
            self.end(End::InviterGone);
        }
    }

    /// A peer announced a frame that is longer than any can be.
    pub fn handle_overlong_frame(&mut self, conn: ConnId) {
        if self.links.contains_key(&conn) {
            self.fail(conn, Problem::Malformed);
        }
    }

    /// A peer does not read its control stream.
    pub fn handle_stalled(&mut self, conn: ConnId) {
        if self.links.contains_key(&conn) {
            self.fail(conn, Problem::Stalled);
        }
    }

    pub(super) fn approve(&mut self, remote: SocketAddr, holder: Holder) {
        let holders = self.approvals.entry(remote).or_default();
        if holders.is_empty() {
            self.outputs.push_back(Output::Gate(Change::Approve(remote)));
        }
        holders.insert(holder);
    }

    fn release(&mut self, holder: Holder) {
        let mut revoked = Vec::new();
        self.approvals.retain(|remote, holders| {
            holders.remove(&holder);
            if holders.is_empty() {
                revoked.push(*remote);
            }
            !holders.is_empty()
        });
        for remote in revoked {
            self.change_gate(Change::Revoke(remote));
        }
    }

    /// What was measured on the way to a member.
    #[must_use]
    pub fn stats(&self, peer: &PeerId) -> Option<super::LinkStats> {
        let conn = self.link_of(peer)?;
        let link = self.links.get(&conn)?;
        let Stage::Open(session) = &link.stage else {
            return None;
        };
        let arrivals = session.arrivals();
        Some(super::LinkStats {
            rtt: link.meter.rtt(),
            clock_offset: link.meter.clock_offset(),
            sent_bytes: link.meter.sent_bytes,
            received_bytes: link.meter.received_bytes,
            received: arrivals.received,
            expected: arrivals.expected,
            dropped: link.meter.dropped,
            sent_loss: link.meter.sent_loss,
        })
    }
}
