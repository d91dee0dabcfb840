//! Connections: dialled or accepted, opened by a handshake, closed.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_noise::Exporter;

use super::{Call, End, Event, Output, Problem};
use crate::connection::{ConnId, Connection, Purpose};
use crate::dials::Target;
use crate::id::AttemptId;
use crate::route::{Holder, Reason};
use crate::session::Stage;
use crate::tag::ExpectId;

/// 15 s: how long a handshake, and after it a knock, may take: over a slow line they wait behind what else is sent.
pub const SETUP_TIME: Duration = Duration::from_secs(15);

/// Connections at once, those in their handshake among them.
const MAX_LINKS: usize = 48;

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
    /// What was exported from the TLS session.
    pub exporter: Exporter,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Closed {
    /// One of both sides said so.
    Said,
    /// Nothing came any more, here or there.
    Silent,
}

/// Who dialled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// We did, by [`Output::Dial`].
    Dialler(AttemptId),
    /// They did, with a tag of this code or introduction.
    Listener(ExpectId),
}

impl Call {
    /// A connection stands; the Noise handshake follows on its control stream, which the dialler opens.
    pub fn handle_connected(&mut self, connected: &Connected, now: Instant) {
        let conn = connected.conn;
        let is_there = self.sockets.is_open_on(&connected.local);
        let is_wanted = !self.ended && is_there && self.connections.len() < MAX_LINKS;
        let set_up = match connected.side {
            _ if !is_wanted => None,
            Side::Dialler(attempt) => self.start_session(connected, attempt, now),
            Side::Listener(id) => self.respond(connected, id, now),
        };
        if set_up.is_some() {
            return;
        }
        if let Side::Dialler(attempt) = connected.side {
            self.handle_dial_failed(attempt, now);
        }
        self.outputs.push_back(Output::Close(conn));
    }

    /// `None` when nobody waits for this connection any more.
    fn start_session(&mut self, connected: &Connected, attempt: AttemptId, now: Instant) -> Option<()> {
        let (dial, route) = self.dials.handle_connected(attempt)?;
        self.routes.hold(route, Holder::Link(connected.conn));
        self.routes.identify(route, connected.peer);
        self.release_dials(&dial.attempt_ids(), Reason::Replaced, now);
        if let Some(peer) = dial.target.peer() {
            self.stop_dialling(peer, Reason::Replaced, now);
        }
        let opened = self.initiate(connected, &dial, route, now);
        if opened.is_none() {
            self.release_link(connected.conn, Reason::Lost, now);
            if dial.target == Target::Inviter {
                // No handshake can begin with the key in the code.
                self.end(End::Impostor);
            }
        }
        opened
    }

    /// A connection is closed, by whomever.
    pub fn handle_closed(&mut self, conn: ConnId, how: Closed, now: Instant) {
        let Some(link) = self.connections.remove(&conn) else {
            return;
        };
        let reason = link.closing.unwrap_or(Reason::Lost);
        self.release_link(conn, reason, now);
        self.unlink(&link, conn, now);
        match &link.purpose {
            Purpose::Inviter if how == Closed::Silent || link.closing == Some(Reason::NoAnswer) => {
                self.end(End::LineLost);
            }
            Purpose::Inviter => self.end(End::InviterGone),
            Purpose::Guest(_) if self.guests.handle_closed(conn) => self.event(Event::WentAway(link.peer)),
            _ => {}
        }
        self.give_back_messages(link);
    }

    /// A connection that is not about to be closed.
    pub(super) fn usable(&mut self, conn: ConnId) -> Option<&mut Connection> {
        let link = self.connections.get_mut(&conn);
        link.filter(|link| link.closing.is_none())
    }

    /// A connection on which what comes counts.
    pub(super) fn receiving(&mut self, conn: ConnId) -> Option<&mut Connection> {
        if self.ended { None } else { self.usable(conn) }
    }

    pub(super) fn release_link(&mut self, conn: ConnId, reason: Reason, now: Instant) {
        self.with_routes(now, |routes, at| routes.release(Holder::Link(conn), reason, at));
    }

    /// A peer announced a frame that is longer than any can be.
    pub fn handle_overlong_frame(&mut self, conn: ConnId) {
        if self.connections.contains_key(&conn) {
            self.fail(conn, Problem::Malformed);
        }
    }

    /// A peer does not read its control stream.
    pub fn handle_stalled(&mut self, conn: ConnId) {
        if self.connections.contains_key(&conn) {
            self.fail(conn, Problem::Stalled);
        }
    }

    /// What was measured on the path to a member.
    #[must_use]
    pub fn stats(&self, peer: &PeerId) -> Option<super::LinkStats> {
        let conn = self.members.link_of(peer)?;
        let link = self.connections.get(&conn)?;
        let Stage::Open(session) = &link.session.stage else {
            return None;
        };
        let arrivals = session.arrivals();
        Some(super::LinkStats {
            rtt: link.path.rtt(),
            clock_offset: link.path.clock_offset(),
            sent_bytes: link.path.sent_bytes,
            received_bytes: link.path.received_bytes,
            received: arrivals.received,
            expected: arrivals.expected,
            dropped: link.path.dropped,
        })
    }
}
