//! What media has to send, and bulk beside it.

use std::time::Instant;

use libp2p::identity::PeerId;
use sightline_mesh_proto::ConnId;
use sightline_mesh_proto::packet::MAX_BULK;

use super::{Actor, now};
use crate::frame;
use crate::traffic::Leaving;

/// What a frame of bulk counts for at the least, bytes.
const LEAST: usize = MAX_BULK / 2;

impl Actor {
    /// Lets leave what media has to send, and as much bulk as media leaves room for.
    pub(super) async fn send_media(&mut self) {
        let now = now();
        loop {
            while let Some(leaving) = self.traffic.poll_packet(now) {
                self.send_packet(&leaving, now).await;
            }
            let Some((to, room)) = self.traffic.poll_bulk(now) else {
                return;
            };
            self.send_bulk(to, room, now).await;
        }
    }

    async fn send_packet(&mut self, leaving: &Leaving, now: Instant) {
        let Leaving {
            to,
            class,
            body,
            padded_to,
        } = leaving;
        // Bodies are made to fit by the program's own packetizers.
        let fits = self.call.handle_media(to, *class, body, *padded_to, now);
        debug_assert!(fits.is_ok(), "{fits:?}");
        self.carry_out_all().await;
    }

    /// Sends as many frames of bulk as fit, and their marker with them.
    async fn send_bulk(&mut self, to: PeerId, room: usize, now: Instant) {
        let mut sent = 0;
        // What is left at the end and would be short is left for the next time.
        while sent == 0 || sent + LEAST <= room {
            let room = MAX_BULK.min(room - sent) - frame::LENGTH_LEN;
            let frame = self.call.handle_bulk_room(&to, room, now);
            if frame == 0 {
                break;
            }
            // However short messages are, there are not too many fragments.
            sent += (frame::LENGTH_LEN + frame).max(LEAST);
            self.carry_out_all().await;
        }
        if sent == 0 {
            return self.traffic.handle_bulk(to, false);
        }
        if let Some(marker) = self.traffic.handle_bulk_sent(to, sent, now) {
            self.send_packet(&marker, now).await;
        }
    }

    /// Does what the call wants now.
    pub(super) async fn carry_out_all(&mut self) {
        while let Some(output) = self.call.poll_output() {
            self.carry_out(output).await;
        }
    }

    pub(super) fn send_datagram(&self, conn: ConnId, datagram: Vec<u8>) {
        if let Some(peer) = self.peers.get(&conn) {
            // The oldest waiting datagram gives way when there is no room; a closed connection is reported by the
            // swarm.
            let _closed = peer.connection.send_datagram(datagram.into());
        }
    }

    pub(super) fn send_bulk_frame(&mut self, conn: ConnId, frame: &[u8]) {
        let Some(peer) = self.peers.get_mut(&conn) else {
            return;
        };
        let written = peer
            .bulk
            .as_mut()
            .is_some_and(|writer| writer.write(&peer.connection, frame));
        if !written && peer.connection.close_reason().is_none() {
            self.call.handle_stalled(conn);
        }
    }
}
