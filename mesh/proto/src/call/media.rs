//! Packets: media to members whose route is active, and pings.

use std::time::Instant;

use libp2p_identity::PeerId;

use super::{Call, Event, Output, Problem};
use crate::connection::ConnId;
use crate::packet::{self, Class, TooLong};
use crate::route::State;
use crate::session::Stage;

/// Pings until a round trip is known well, before they go with each beat only.
const EARLY_PINGS: usize = 4;

/// Dropped packets from which on the user is told: fewer happen by themselves when keys change.
const DROPPED_WORTH_TELLING: u64 = 20;

const PING: u8 = 0;
const PONG: u8 = 1;

impl Call {
    /// Members to whom media may flow, and the connection whose route is active.
    #[must_use]
    pub fn receivers(&self) -> Vec<(PeerId, ConnId)> {
        let linked = self
            .members
            .iter()
            .filter_map(|(peer, member)| Some((*peer, member.link?)));
        linked
            .filter(|(_, conn)| self.route_state(*conn) == Some(State::Active))
            .collect()
    }

    /// Sends one body of media to a member, if its route is active, in a packet as large as if it were of `padded_to` bytes
    /// at the least.
    ///
    /// # Errors
    /// [`TooLong`] when no packet of its class holds it.
    pub fn handle_media(
        &mut self,
        to: &PeerId,
        class: Class,
        body: &[u8],
        padded_to: usize,
        now: Instant,
    ) -> Result<(), TooLong> {
        let inside = packet::pack_as_long(class, body, padded_to)?;
        let link = self.members.link_of(to);
        let active = link.filter(|conn| self.route_state(*conn) == Some(State::Active));
        if let Some(conn) = active {
            self.seal_and_send(conn, class, &inside, now);
        }
        Ok(())
    }

    fn seal_and_send(&mut self, conn: ConnId, class: Class, inside: &[u8], now: Instant) {
        let Some(link) = self.usable(conn) else {
            return;
        };
        let Stage::Open(session) = &mut link.session.stage else {
            return;
        };
        // An expired session is closed at the next tick.
        if let Ok(datagram) = session.seal_packet(inside, now) {
            link.path.sent_bytes += datagram.len() as u64;
            self.outputs.push_back(Output::Datagram(conn, class, datagram));
        }
    }

    /// A datagram came on a connection. What cannot be opened or read is dropped and counted.
    pub fn handle_datagram(&mut self, conn: ConnId, datagram: &[u8], now: Instant) {
        let is_active = self.route_state(conn) == Some(State::Active);
        let Some(link) = self.receiving(conn) else {
            return;
        };
        let is_member = link.is_member();
        link.path.received_bytes += datagram.len() as u64;
        let opened = if link.packets.take(now) {
            link.session
                .open()
                .and_then(|session| session.open_packet(datagram, now).ok())
        } else {
            None
        };
        let unpacked = opened.as_deref().and_then(|inside| packet::unpack(inside).ok());
        match unpacked {
            Some((Class::Control, body)) => {
                link.heard = now;
                self.handle_ping(conn, body, now);
            }
            Some((class, body)) if is_active => {
                link.heard = now;
                let peer = link.peer;
                self.outputs.push_back(Output::Packet(peer, class, body.to_vec()));
            }
            // The peer did not know yet that media has to wait.
            Some(_) if is_member => {}
            // Before admission, packets may overtake the words that they rely on.
            _ => link.path.dropped += u64::from(is_member),
        }
    }

    /// Tells of members whose packets made no sense, at most once a beat each.
    pub(super) fn tell_dropped(&mut self) {
        let mut peers = Vec::new();
        for link in self.connections.values_mut() {
            if link.path.dropped >= link.path.dropped_told + DROPPED_WORTH_TELLING {
                link.path.dropped_told = link.path.dropped;
                peers.push(link.peer);
            }
        }
        for peer in peers {
            self.event(Event::Problem(Problem::Dropped, Some(peer)));
        }
    }

    pub(super) fn ping(&mut self, beat: bool, now: Instant) {
        let due: Vec<_> = self
            .connections
            .iter()
            .filter(|(_, link)| link.is_member() && (beat || link.path.taken() < EARLY_PINGS))
            .map(|(conn, _)| *conn)
            .collect();
        for conn in due {
            self.ping_one(conn, now);
        }
    }

    pub(super) fn ping_one(&mut self, conn: ConnId, now: Instant) {
        let micros = self.micros(now);
        if let Some(link) = self.connections.get_mut(&conn) {
            link.path.handle_ping_sent(micros);
        }
        self.send_times(conn, PING, &[micros], now);
    }

    fn handle_ping(&mut self, conn: ConnId, body: &[u8], now: Instant) {
        let micros = self.micros(now);
        let times: Vec<u64> = body
            .get(1..)
            .unwrap_or_default()
            .as_chunks()
            .0
            .iter()
            .map(|t| u64::from_be_bytes(*t))
            .collect();
        match (body.first(), times.as_slice()) {
            (Some(&PING), [sent]) => self.send_times(conn, PONG, &[*sent, micros, micros], now),
            (Some(&PONG), [sent, received, answered]) => {
                if let Some(link) = self.connections.get_mut(&conn) {
                    let is_sound = link.path.handle_pong(*sent, *received, *answered, micros);
                    link.path.dropped += u64::from(!is_sound);
                }
            }
            _ => {
                if let Some(link) = self.connections.get_mut(&conn) {
                    link.path.dropped += 1;
                }
            }
        }
    }

    fn send_times(&mut self, conn: ConnId, kind: u8, times: &[u64], now: Instant) {
        let mut body = vec![kind];
        for time in times {
            body.extend_from_slice(&time.to_be_bytes());
        }
        if let Ok(inside) = packet::pack(Class::Control, &body) {
            self.seal_and_send(conn, Class::Control, &inside, now);
        }
    }

    /// This program's clock, microseconds since its start.
    fn micros(&self, now: Instant) -> u64 {
        u64::try_from(self.config.clock.since_start(now).as_micros()).unwrap_or(u64::MAX)
    }
}
