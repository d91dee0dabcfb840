//! Channels on links: messages out and in, and the room for them.

use std::time::Instant;

use libp2p_identity::PeerId;
use sightline_noise::OVERHEAD;

use super::{Call, Event, Output, Problem};
use crate::channel::{Channel, Violation};
use crate::connection::{ConnId, Connection};
use crate::route::State;
use crate::wire::Control;

impl Call {
    pub(super) fn send_message(&mut self, peer: PeerId, channel: Channel, body: Vec<u8>, now: Instant) {
        let conn = self.members.link_of(&peer);
        let refused = match conn.and_then(|conn| self.usable(conn)) {
            Some(link) => link.channels.push(channel, body).err(),
            None => Some(body),
        };
        if let Some(body) = refused {
            self.event(Event::Unsent(peer, channel, body));
        } else if let Some(conn) = conn {
            self.send_messages(conn, now);
        }
    }

    /// Whether bulk waits to leave to a member.
    #[must_use]
    pub fn has_bulk(&self, to: &PeerId) -> bool {
        let conn = self.members.link_of(to);
        let link = conn.and_then(|conn| self.connections.get(&conn));
        link.is_some_and(|link| link.closing.is_none() && link.channels.has_bulk())
    }

    /// Bulk may leave to a member now: one frame of at most `room` bytes. Returns how many it has; 0 when nothing may be sent.
    pub fn handle_bulk_room(&mut self, to: &PeerId, room: usize, now: Instant) -> usize {
        let conn = self.members.link_of(to);
        let active = conn.filter(|conn| self.route_state(*conn) == Some(State::Active));
        let Some((conn, link)) = active.and_then(|conn| Some((conn, self.usable(conn)?))) else {
            return 0;
        };
        // An expired session seals nothing, and a fragment that is taken and not sent would leave a hole.
        let Some(session) = link.session.open().filter(|session| !session.is_expired(now)) else {
            return 0;
        };
        let fragment = link.channels.poll_fragment(room.saturating_sub(OVERHEAD));
        let Some(frame) = fragment.and_then(|fragment| session.seal_bulk(&fragment, now).ok()) else {
            return 0;
        };
        let len = frame.len();
        link.path.sent_bytes += len as u64;
        self.outputs.push_back(Output::Bulk(conn, frame));
        self.tell_room(conn);
        len
    }

    /// A frame came on a connection's stream for bulk.
    pub fn handle_bulk_frame(&mut self, conn: ConnId, frame: &[u8], now: Instant) {
        let Some(link) = self.receiving(conn) else {
            return;
        };
        if !link.fragments.take(now) {
            return self.fail(conn, Problem::Flood);
        }
        link.path.received_bytes += frame.len() as u64;
        link.heard = now;
        let is_member = link.is_member();
        let opened = link.session.open().filter(|_| is_member);
        let Some(fragment) = opened.and_then(|session| session.open_bulk(frame, now).ok()) else {
            return self.fail(conn, Problem::Malformed);
        };
        match link.channels.handle_fragment(&fragment) {
            Ok(None) => {}
            Ok(Some((channel, body))) => self.hand_up(conn, channel, body),
            Err(Violation) => self.fail(conn, Problem::Malformed),
        }
    }

    /// A message came whole.
    fn hand_up(&mut self, conn: ConnId, channel: Channel, body: Vec<u8>) {
        if let Some(peer) = self.connections.get(&conn).map(|link| link.peer) {
            self.event(Event::Message {
                peer,
                conn,
                channel,
                body,
            });
        }
    }

    /// What waited to be sent on a connection that is gone comes back.
    pub(super) fn give_back_messages(&mut self, link: Connection) {
        for (channel, body) in link.channels.into_queued() {
            self.event(Event::Unsent(link.peer, channel, body));
        }
    }

    /// Sends what there is credit for.
    fn send_messages(&mut self, conn: ConnId, now: Instant) {
        while let Some((channel, body)) = self
            .connections
            .get_mut(&conn)
            .and_then(|link| link.channels.poll())
        {
            let message = Control::Message {
                channel: channel.id(),
                body: body.into(),
            };
            self.send(conn, &message, now);
        }
        if let Some(link) = self.connections.get(&conn)
            && link.channels.has_bulk()
        {
            self.outputs.push_back(Output::BulkWaits(link.peer));
        }
        self.tell_room(conn);
    }

    /// Tells who was turned away that there is room again.
    fn tell_room(&mut self, conn: ConnId) {
        while let Some(link) = self.connections.get_mut(&conn)
            && let Some(channel) = link.channels.poll_room()
        {
            let peer = link.peer;
            self.event(Event::Room(peer, channel));
        }
    }

    pub(super) fn handle_message(&mut self, conn: ConnId, channel: u8, body: Vec<u8>) {
        let known = Channel::from_id(channel).filter(|channel| !channel.is_bulk());
        let (Some(link), Some(channel)) = (self.connections.get_mut(&conn), known) else {
            return self.fail(conn, Problem::Malformed);
        };
        if link.channels.handle_message(channel, body.len()).is_err() {
            return self.fail(conn, Problem::Flood);
        }
        self.hand_up(conn, channel, body);
    }

    pub(super) fn handle_credit(&mut self, conn: ConnId, channel: u8, bytes: u32, now: Instant) {
        let (Some(link), Some(channel)) = (self.connections.get_mut(&conn), Channel::from_id(channel)) else {
            return self.fail(conn, Problem::Malformed);
        };
        if link.channels.handle_credit(channel, bytes).is_err() {
            return self.fail(conn, Problem::Malformed);
        }
        if bytes as usize >= channel.window() / 4 {
            // There are no more of these than what was sent uses up.
            link.control.put_back();
        }
        self.send_messages(conn, now);
    }

    /// The program has taken a message.
    pub(super) fn consume(&mut self, conn: ConnId, channel: Channel, len: usize, now: Instant) {
        let link = self.connections.get_mut(&conn);
        if let Some(bytes) = link.and_then(|link| link.channels.handle_consumed(channel, len)) {
            let credit = Control::Credit {
                channel: channel.id(),
                bytes,
            };
            self.send(conn, &credit, now);
        }
    }
}
