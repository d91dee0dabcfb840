//! Connections that come, stand and go.

use std::time::Duration;

use futures::AsyncReadExt;
use libp2p::Stream;
use libp2p::swarm::SwarmEvent;
use quinn::ConnectionError;
use sightline_mesh_proto::{Closed, ConnId, Side};
use tokio::sync::mpsc;

use super::{Actor, BehaviourEvent, FromPeer, LINGER, Peer, now};
use crate::bulk;
use crate::endpoint::{CLOSE_LOST, CLOSE_NORMAL};
use crate::frame::{self, Ended};
use crate::transport::{Arrival, serial};

/// Control frames that may wait to be written to one peer; one that reads is never this far behind.
const OUTBOX: usize = 128;

/// 3 s: a connection from which nothing comes for this long is closed, so that a killed member is noticed within five; and
/// how often each is looked at.
const SILENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(250);

/// As many round trips, where that is longer: on a slow line what comes has waited in a queue.
const SILENT_ROUND_TRIPS: u32 = 6;

impl Actor {
    /// A connection passed its TLS handshake: its peer may enter the swarm.
    pub(super) fn handle_arrival(&mut self, arrival: Arrival) {
        self.swarm
            .behaviour_mut()
            .allowed
            .allow_peer(arrival.connected.peer);
        let serial = arrival.connected.conn.0;
        self.arrived
            .insert(serial, (arrival.connected, arrival.connection));
        // A handshake given up meanwhile is reported by the swarm.
        let _given_up = arrival.allowed.send(());
    }

    pub(super) fn handle_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                endpoint,
                connection_id,
                ..
            } => {
                self.dialling.remove(&connection_id);
                if let Some(serial) = serial(endpoint.get_remote_address()) {
                    self.connect(serial);
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Control(opened)) => {
                self.start_control(ConnId(opened.serial), opened.stream);
            }
            SwarmEvent::ConnectionClosed { endpoint, .. } => {
                if let Some(serial) = serial(endpoint.get_remote_address()) {
                    self.forget(ConnId(serial));
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, .. } => {
                if let Some(attempt) = self.dialling.remove(&connection_id) {
                    self.arrived.remove(&attempt.0);
                    self.tell_deliveries();
                    self.call.handle_dial_failed(attempt, now());
                }
            }
            SwarmEvent::IncomingConnectionError { send_back_addr, .. } => {
                if let Some(serial) = serial(&send_back_addr) {
                    self.arrived.remove(&serial);
                }
            }
            _ => {}
        }
    }

    fn connect(&mut self, serial: u64) {
        let Some((connected, connection)) = self.arrived.remove(&serial) else {
            return;
        };
        let conn = connected.conn;
        let (outbox, waiting) = mpsc::channel(OUTBOX);
        let sink = self.from_peers.0.clone();
        let datagrams = connection.clone();
        self.tasks.spawn(close_when_silent(connection.clone()));
        self.tasks.spawn(async move {
            while let Ok(datagram) = datagrams.read_datagram().await {
                if sink.send(FromPeer::Datagram(conn, datagram)).await.is_err() {
                    return;
                }
            }
        });
        let peer = Peer {
            id: connected.peer,
            connection,
            outbox: Some(outbox),
            waiting: Some(waiting),
            bulk: None,
        };
        self.peers.insert(conn, peer);
        tracing::debug_span!("connection", conn = conn.0).in_scope(|| {
            let dialled = matches!(connected.side, Side::Dialler(_));
            tracing::debug!(dialled, "up");
        });
        self.call.handle_connected(&connected, now());
    }

    fn start_control(&mut self, conn: ConnId, stream: Stream) {
        let Some(waiting) = self.peers.get_mut(&conn).and_then(|peer| peer.waiting.take()) else {
            return;
        };
        let (read, write) = stream.split();
        self.tasks.spawn(frame::write_all(write, waiting));
        let sink = self.from_peers.0.clone();
        self.tasks.spawn(async move {
            let ended = frame::read_all(read, sink.clone(), |frame| FromPeer::Frame(conn, frame)).await;
            let told = match ended {
                Ended::Stream => FromPeer::StreamEnded(conn),
                Ended::Overlong => FromPeer::Overlong(conn),
            };
            // A loop that is gone needs no telling.
            let _gone = sink.send(told).await;
        });
    }

    /// Media may flow on a connection, and bulk beside it.
    pub(super) fn start_bulk(&mut self, conn: ConnId) {
        let Some(peer) = self.peers.get_mut(&conn).filter(|peer| peer.bulk.is_none()) else {
            return;
        };
        peer.bulk = Some(bulk::Writer::default());
        let connection = peer.connection.clone();
        let sink = self.from_peers.0.clone();
        self.tasks.spawn(async move {
            let ended = bulk::read_all(&connection, sink.clone(), |frame| FromPeer::Bulk(conn, frame)).await;
            if ended == Ended::Overlong {
                let _gone = sink.send(FromPeer::Overlong(conn)).await;
            }
        });
    }

    /// Lets what was handed out be sent, then closes.
    pub(super) fn close(&mut self, conn: ConnId) {
        let Some(peer) = self.peers.get_mut(&conn) else {
            return;
        };
        if peer.outbox.take().is_none() {
            return;
        }
        let connection = peer.connection.clone();
        let sink = self.from_peers.0.clone();
        self.tasks.spawn(async move {
            // The peer closes when it has read the last words.
            let _late = tokio::time::timeout(LINGER, connection.closed()).await;
            let _gone = sink.send(FromPeer::Lingered(conn)).await;
        });
    }

    pub(super) fn forget(&mut self, conn: ConnId) {
        let mut how = Closed::Said;
        if let Some(gone) = self.peers.remove(&conn) {
            how = how_it_closed(&gone.connection);
            gone.connection.close(CLOSE_NORMAL, b"");
            let comes_again = self
                .arrived
                .values()
                .any(|(connected, _)| connected.peer == gone.id);
            if !comes_again && self.peers.values().all(|peer| peer.id != gone.id) {
                self.swarm.behaviour_mut().allowed.disallow_peer(gone.id);
            }
        }
        tracing::debug_span!("connection", conn = conn.0).in_scope(|| tracing::debug!(?how, "down"));
        self.call.handle_closed(conn, how, now());
    }
}

/// Closes a connection once nothing has come for too long. What comes is counted by frames: only who is at the other end
/// can make those. It counts from the call's first words on: who dialled has a connection before the other side knows of
/// it, and on a slow line what completes the handshake there may have to be sent again. Until then the call's own time for
/// setting up runs.
async fn close_when_silent(connection: quinn::Connection) {
    let (mut before, mut silence) = (0, Duration::ZERO);
    while connection.close_reason().is_none() {
        tokio::select! {
            _ = connection.closed() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        let frames = connection.stats().frame_rx;
        let words = frames.stream + frames.datagram;
        let now = words + frames.acks + frames.ping;
        silence = if now == before && words > 0 {
            silence + LOOK
        } else {
            Duration::ZERO
        };
        before = now;
        if silence >= SILENCE.max(connection.rtt() * SILENT_ROUND_TRIPS) {
            connection.close(CLOSE_LOST, b"");
        }
    }
}

/// On this side only silence closes a connection unasked; the other one says so.
fn how_it_closed(connection: &quinn::Connection) -> Closed {
    match connection.close_reason() {
        Some(ConnectionError::TimedOut | ConnectionError::LocallyClosed) => Closed::Silent,
        Some(ConnectionError::ApplicationClosed(close)) if close.error_code == CLOSE_LOST => Closed::Silent,
        _ => Closed::Said,
    }
}
