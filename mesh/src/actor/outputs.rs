//! What the call wants done, done.

use std::net::SocketAddr;
use std::time::Duration;

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use sightline_mesh_proto::{AttemptId, Event, Output};
use tokio::sync::mpsc;

use super::{Actor, FromPeer, now};
use crate::endpoint::EndpointError;
use crate::transport::PendingDial;

/// 300 ms: the time between attempts to open a socket on a fresh address, and how many there are: IPv6 may take
/// two seconds to make sure that nobody else has it (RFC 4862, section 5.4).
const BIND_AGAIN: Duration = Duration::from_millis(300);
const BIND_ATTEMPTS: u32 = 10;

impl Actor {
    /// Does what the call wants.
    pub(super) async fn drain(&mut self) {
        self.carry_out_all().await;
        while self.tasks.try_join_next().is_some() {}
        let receivers = self.call.receivers();
        if receivers != self.receivers {
            self.traffic.handle_receivers(&receivers, now());
            for (peer, conn) in &receivers {
                self.start_bulk(*conn);
                self.traffic.handle_bulk(*peer, self.call.has_bulk(peer));
            }
            self.receivers = receivers;
        }
    }

    pub(super) async fn carry_out(&mut self, output: Output) {
        match output {
            Output::Gate(change) => self.gate.lock().handle_change(change),
            Output::Dial {
                attempt,
                local,
                remote,
                peer,
                tag,
                patience,
            } => {
                let pending = PendingDial {
                    local,
                    remote,
                    peer,
                    tag,
                    patience,
                };
                self.dial(attempt, pending);
            }
            Output::Bind(wish) => self.bind(wish, BIND_ATTEMPTS),
            Output::Unbind(local) => self.endpoints.unbind(local),
            Output::Frame(conn, frame) => {
                let outbox = self.peers.get(&conn).and_then(|peer| peer.outbox.as_ref());
                let stalled = outbox.is_some_and(|outbox| {
                    matches!(outbox.try_send(frame), Err(mpsc::error::TrySendError::Full(_)))
                });
                if stalled {
                    self.call.handle_stalled(conn);
                }
            }
            Output::Datagram(conn, _, datagram) => self.send_datagram(conn, datagram),
            Output::Bulk(conn, frame) => self.send_bulk_frame(conn, &frame),
            Output::BulkWaits(peer) => self.traffic.handle_bulk(peer, true),
            Output::Close(conn) => self.close(conn),
            Output::Packet(peer, class, body) => {
                self.traffic.handle_packet(peer, class, &body, now());
            }
            Output::Event(event) => {
                if let Event::Route(step) = &event {
                    tracing::debug_span!("path", route = step.route.id.0).in_scope(|| {
                        let (state, reason) = (step.route.state.word(), step.reason.word());
                        tracing::debug!(state, reason, "step");
                    });
                    self.history.lock().push(step.as_ref().clone());
                }
                self.ended |= matches!(event, Event::Ended(_));
                // What comes again gives way early, so that what does not always finds room: a loop that
                // waited here for the program above, which may wait for the loop, would stand still. Messages
                // have their room by credit.
                let comes_again = matches!(event, Event::Problem(..));
                if !comes_again || self.events.capacity() > self.events.max_capacity() / 2 {
                    // A program that does not listen any more is about to stop us.
                    let _gone = self.events.send(event).await;
                }
            }
        }
    }

    /// Opens a socket; an address that is not ready yet (IPv6 looks for its double first) is tried again.
    pub(super) fn bind(&mut self, wish: SocketAddr, attempts: u32) {
        match self.endpoints.bind(wish, self.watcher.interfaces()) {
            Ok((local, endpoint)) => {
                let is_new = endpoint.is_some();
                if let Some(endpoint) = endpoint {
                    self.acceptor.open(local, endpoint, &mut self.tasks);
                }
                self.call.handle_bound(wish, local, is_new, now());
            }
            Err(EndpointError::Taken(_)) if wish.port() != 0 => self.call.handle_port_taken(wish, now()),
            Err(_) if attempts > 0 => {
                let sink = self.from_peers.0.clone();
                self.tasks.spawn(async move {
                    tokio::time::sleep(BIND_AGAIN).await;
                    let _gone = sink.send(FromPeer::BindAgain(wish, attempts - 1)).await;
                });
            }
            Err(EndpointError::NotPinned(..)) => self.call.handle_not_pinned(wish),
            // Whatever becomes of the address is a change of interfaces, and seen again.
            Err(_) => {}
        }
    }

    fn dial(&mut self, attempt: AttemptId, pending: PendingDial) {
        tracing::debug!(attempt = attempt.0, "dialling");
        let address = self.pending_dials.insert(attempt, pending);
        let options = match pending.peer {
            Some(peer) => {
                self.swarm.behaviour_mut().allowed.allow_peer(peer);
                DialOpts::peer_id(peer)
                    .condition(PeerCondition::Always)
                    .addresses(vec![address])
                    .build()
            }
            None => DialOpts::unknown_peer_id().address(address).build(),
        };
        let id = options.connection_id();
        if self.swarm.dial(options).is_err() {
            self.pending_dials.remove(attempt);
            self.tell_deliveries();
            self.call.handle_dial_failed(attempt, now());
        } else {
            self.dialling.insert(id, attempt);
        }
    }
}
