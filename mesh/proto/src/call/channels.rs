//! Channels on links: messages out and in, and the room for them.

use std::time::Instant;

use libp2p_identity::PeerId;

use super::{Call, Event, Problem};
use crate::channel::Channel;
use crate::connection::{ConnId, Connection};
use crate::wire::Control;

impl Call {
    pub(super) fn send_message(&mut self, peer: PeerId, channel: Channel, body: Vec<u8>, now: Instant) {
        let conn = self.members.link_of(&peer);
        let link = conn.and_then(|conn| self.connections.get_mut(&conn));
        let link = link.filter(|link| link.closing.is_none());
        let refused = match link {
            Some(link) => link.channels.push(channel, body).err(),
            None => Some(body),
        };
        if let Some(body) = refused {
            self.event(Event::Unsent(peer, channel, body));
        } else if let Some(conn) = conn {
            self.send_messages(conn, now);
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
        if let Some(link) = self.connections.get_mut(&conn)
            && let Some(channel) = link.channels.poll_room()
        {
            let peer = link.peer;
            self.event(Event::Room(peer, channel));
        }
    }

    pub(super) fn handle_message(&mut self, conn: ConnId, channel: u8, body: Vec<u8>) {
        let (Some(link), Some(channel)) = (self.connections.get_mut(&conn), Channel::from_id(channel)) else {
            return self.fail(conn, Problem::Malformed);
        };
        if link.channels.handle_message(channel, body.len()).is_err() {
            return self.fail(conn, Problem::Flood);
        }
        let peer = link.peer;
        self.event(Event::Message {
            peer,
            conn,
            channel,
            body,
        });
    }

    pub(super) fn handle_credit(&mut self, conn: ConnId, channel: u8, bytes: u32, now: Instant) {
        let (Some(link), Some(channel)) = (self.connections.get_mut(&conn), Channel::from_id(channel)) else {
            return self.fail(conn, Problem::Malformed);
        };
        if link.channels.handle_credit(channel, bytes).is_err() {
            return self.fail(conn, Problem::Malformed);
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
