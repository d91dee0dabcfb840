//! Frames of a control stream: opened, read, and handed to whom they concern.

use std::time::Instant;

use super::{Call, End, Problem};
use crate::connection::{ConnId, Connection, Purpose};
use crate::secret::Secret;
use crate::session::Stage;
use crate::wire::{Control, Peer};

impl Call {
    /// A frame came on a connection's control stream.
    pub fn handle_frame(&mut self, conn: ConnId, frame: &[u8], now: Instant) {
        let Some(link) = self.receiving(conn) else {
            return;
        };
        if !link.control.take(now) {
            return self.fail(conn, Problem::Flood);
        }
        link.path.received_bytes += frame.len() as u64;
        link.heard = now;
        match &mut link.session.stage {
            Stage::Open(session) => {
                let message = session
                    .open_control(frame, now)
                    .ok()
                    .and_then(|inside| Control::decode(&inside).ok());
                match message {
                    Some(message) => self.handle_control(conn, message, now),
                    None => self.fail(conn, Problem::Malformed),
                }
            }
            Stage::Initiating(..) | Stage::Responding(_) => {
                if self.handle_handshake(conn, frame, now).is_err() {
                    let was_inviter = self
                        .connections
                        .get(&conn)
                        .is_some_and(|link| matches!(link.purpose, Purpose::Inviter));
                    self.fail(conn, Problem::Handshake);
                    if was_inviter {
                        self.end(End::Impostor);
                    }
                }
            }
        }
    }

    /// Dispatches a control message of an open session.
    fn handle_control(&mut self, conn: ConnId, message: Control, now: Instant) {
        let is_member = self.connections.get(&conn).is_some_and(Connection::is_member);
        match message {
            Control::Knock(card) => self.handle_knock(conn, card, now),
            Control::Welcome { call, entries } => self.handle_welcome(conn, *call, entries, now),
            Control::Refused(why) => self.handle_refused(conn, why),
            Control::RekeyFirst(first) => {
                let link = self.connections.get_mut(&conn);
                let answer = link
                    .and_then(Connection::open_session)
                    .and_then(|session| session.handle_first(&first, now, &mut self.rng).ok());
                match answer {
                    Some(second) => self.send(conn, &Control::RekeySecond(second.into()), now),
                    None => self.fail(conn, Problem::Handshake),
                }
            }
            Control::RekeySecond(second) => {
                let session = self.connections.get_mut(&conn).and_then(Connection::open_session);
                if session.is_none_or(|session| session.handle_second(&second, now).is_err()) {
                    self.fail(conn, Problem::Handshake);
                }
            }
            Control::Entries(entries) if self.is_awaiting_welcome(conn) => {
                self.handle_early_entries(conn, entries);
            }
            _ if !is_member => self.fail(conn, Problem::Malformed),
            Control::Introduce { entry, secret, dial } => {
                self.handle_introduce(conn, entry, Secret(*secret), dial, now);
            }
            Control::Ready(peer) => self.handle_ready(conn, &peer, now),
            Control::Heartbeat {
                roster,
                links,
                asking,
            } => {
                let named = |peers: &[Peer]| peers.iter().filter_map(Peer::id).collect();
                let peers = (named(&links), named(&asking));
                self.handle_beat(conn, *roster, peers, now);
            }
            Control::Entries(entries) => self.handle_entries(conn, entries, now),
            Control::Consent(theirs) => self.handle_consent(conn, theirs, now),
            Control::Reconnect(secret) => self.handle_reconnect(conn, Secret(*secret)),
            Control::Asked(by) => self.handle_asked(&by, now),
            Control::Medium(medium) => self.handle_medium(conn, medium, now),
            Control::Message { channel, body } => self.handle_message(conn, channel, body.to_vec()),
            Control::Credit { channel, bytes } => self.handle_credit(conn, channel, bytes, now),
            Control::Bye(left) => self.handle_bye(conn, left, now),
        }
    }
}
