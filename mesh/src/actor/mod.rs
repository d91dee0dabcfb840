//! The event loop: passes inputs from the network and the application to the state machine, and carries out its outputs.
//!
//! ```text
//!   mod.rs ── the loop: inputs            outputs.rs ── what the call wants done
//!     ├ connections.rs ── connections that come, stand and go
//!     └ media.rs ── what media has to send, and bulk beside it
//! ```

mod connections;
mod media;
mod outputs;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::StreamExt;
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::{Keypair, PeerId};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::{ConnectionId, NetworkBehaviour};
use libp2p::{Multiaddr, Swarm, memory_connection_limits};
use quinn::Endpoint;
use sightline_mesh_proto::{AttemptId, Call, Command, ConnId, Connected, Event};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::bulk;
use crate::control;
use crate::endpoint::Endpoints;
use crate::events::{Consumed, MAX_PER_PEER};
use crate::interfaces::Watcher;
use crate::record::{SharedHistory, Stats};
use crate::socket::SharedGate;
use crate::traffic::Traffic;
use crate::transport::{Acceptor, Arrival, PendingDials, Transport};

/// Frames and datagrams that may wait for the loop, of all peers together.
const ARRIVALS: usize = 1024;

/// Taken from a queue at once, so that what arrives together is handled together.
const BATCH: usize = 64;

/// 300 ms: how long a closed connection may take to deliver its last words.
const LINGER: Duration = Duration::from_millis(300);

/// A year: the swarm does not see datagrams, so it must not judge whether a connection is idle.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// 1 GiB of process memory: from here on no further connection is accepted.
const MEMORY_LIMIT: usize = 1 << 30;

/// Connections: sixteen members, their doubles while two dial each other, and knocks.
const MAX_CONNECTIONS: u32 = 48;

/// Dials at once: what sixteen members can have each other dial.
const MAX_DIALS: u32 = 512;

/// What the program above brings.
pub enum Input {
    Command(Command),
    Stats(blocking::SyncSender<Stats>),
}

/// What a peer brings.
enum FromPeer {
    Frame(ConnId, Vec<u8>),
    Datagram(ConnId, Bytes),
    /// On its stream for bulk.
    Bulk(ConnId, Vec<u8>),
    /// Its control stream ended or broke.
    StreamEnded(ConnId),
    /// It announced a frame that is too long.
    Overlong(ConnId),
    /// Its last words had their time.
    Lingered(ConnId),
    /// Not of a peer: a socket could not be opened; it is time to try again, so many times still.
    BindAgain(SocketAddr, u32),
}

/// A connection that the call knows.
struct Peer {
    id: PeerId,
    connection: quinn::Connection,
    outbox: Option<mpsc::Sender<Vec<u8>>>,
    /// What waits for the control stream to stand.
    waiting: Option<mpsc::Receiver<Vec<u8>>>,
    /// Once media may flow on it.
    bulk: Option<bulk::Writer>,
}

#[derive(NetworkBehaviour)]
struct Behaviour {
    allowed: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    control: control::Behaviour,
}

/// The loop's state.
pub struct Actor {
    call: Call,
    swarm: Swarm<Behaviour>,
    endpoints: Endpoints,
    acceptor: Acceptor,
    watcher: Watcher,
    gate: SharedGate,
    history: SharedHistory,
    pending_dials: PendingDials,
    traffic: Arc<dyn Traffic>,
    receivers: Vec<(PeerId, ConnId)>,
    events: mpsc::Sender<Event>,
    consumed: Consumed,
    arrivals: mpsc::Receiver<Arrival>,
    from_peers: (mpsc::Sender<FromPeer>, mpsc::Receiver<FromPeer>),
    dialling: HashMap<ConnectionId, AttemptId>,
    arrived: HashMap<u64, (Connected, quinn::Connection)>,
    peers: HashMap<ConnId, Peer>,
    tasks: JoinSet<()>,
    ended: bool,
}

impl Actor {
    /// `None` when libp2p refuses its own set-up.
    pub fn new(
        call: Call,
        identity: &Keypair,
        (endpoints, opened): (Endpoints, Vec<(SocketAddr, Endpoint)>),
        watcher: Watcher,
        (gate, history): (SharedGate, SharedHistory),
        traffic: Arc<dyn Traffic>,
        (events, consumed): (mpsc::Sender<Event>, Consumed),
    ) -> Option<Self> {
        let mut tasks = JoinSet::new();
        let pending_dials = PendingDials::default();
        let (arrival_sink, arrivals) = mpsc::channel(BATCH);
        let (mut acceptor, incoming) = Acceptor::new(gate.clone(), arrival_sink.clone());
        for (local, endpoint) in opened {
            acceptor.open(local, endpoint, &mut tasks);
        }
        let transport = Transport::new(endpoints.clone(), pending_dials.clone(), arrival_sink, incoming);
        let swarm = swarm(identity, transport)?;
        Some(Self {
            call,
            swarm,
            endpoints,
            acceptor,
            watcher,
            gate,
            history,
            pending_dials,
            traffic,
            receivers: Vec::new(),
            events,
            consumed,
            arrivals,
            from_peers: mpsc::channel(ARRIVALS),
            dialling: HashMap::new(),
            arrived: HashMap::new(),
            peers: HashMap::new(),
            tasks,
            ended: false,
        })
    }

    /// Runs until the call has ended and its last words are said.
    /// `waiting` wakes it when media has something to send.
    pub async fn run(mut self, mut inputs: mpsc::Receiver<Input>, waiting: &Notify) {
        let mut batch = Vec::with_capacity(BATCH);
        let mut from_peers = Vec::with_capacity(BATCH);
        self.drain().await;
        while !(self.ended && self.peers.is_empty()) {
            let deadline = self.call.poll_timeout();
            let deadline = self
                .traffic
                .poll_timeout(now())
                .map_or(deadline, |due| due.min(deadline));
            tokio::select! {
                count = inputs.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        self.call.handle_command(Command::Leave, now());
                        self.drain().await;
                        break;
                    }
                    for input in batch.drain(..) {
                        self.handle_input(input);
                    }
                }
                _ = self.from_peers.1.recv_many(&mut from_peers, BATCH) => {
                    for arrival in from_peers.drain(..) {
                        self.handle_from_peer(arrival);
                    }
                }
                Some(arrival) = self.arrivals.recv() => self.handle_arrival(arrival),
                event = self.swarm.select_next_some() => self.handle_swarm(event),
                () = self.watcher.next_change() => {
                    self.call.handle_own_addresses(self.watcher.own_addresses());
                    self.call.handle_interfaces(self.watcher.interfaces().to_vec(), now());
                }
                () = waiting.notified() => {}
                () = tokio::time::sleep_until(deadline.into()) => {
                    self.tell_deliveries();
                    self.call.handle_timeout(now());
                }
            }
            for command in self.consumed.take() {
                self.call.handle_command(command, now());
            }
            self.drain().await;
            self.send_media().await;
        }
        let linger = tokio::time::Instant::now() + LINGER;
        while !self.peers.is_empty() && tokio::time::Instant::now() < linger {
            tokio::select! {
                arrival = self.from_peers.1.recv() => if let Some(arrival) = arrival {
                    self.handle_from_peer(arrival);
                },
                event = self.swarm.select_next_some() => self.handle_swarm(event),
                () = tokio::time::sleep_until(linger) => {}
            }
            self.drain().await;
        }
        self.endpoints.close().await;
        self.tasks.shutdown().await;
    }

    fn handle_input(&mut self, input: Input) {
        match input {
            Input::Command(command) => self.call.handle_command(command, now()),
            Input::Stats(reply) => {
                let linked = self.call.linked();
                let stats = linked
                    .into_iter()
                    .filter_map(|peer| Some((peer, self.call.stats(&peer)?)));
                // Whoever asked may have stopped waiting.
                let _gone = reply.try_send(stats.collect());
            }
        }
    }

    fn handle_from_peer(&mut self, arrival: FromPeer) {
        match arrival {
            FromPeer::Frame(conn, frame) => self.call.handle_frame(conn, &frame, now()),
            FromPeer::Datagram(conn, datagram) => self.call.handle_datagram(conn, &datagram, now()),
            FromPeer::Bulk(conn, frame) => self.call.handle_bulk_frame(conn, &frame, now()),
            FromPeer::Overlong(conn) => self.call.handle_overlong_frame(conn),
            FromPeer::StreamEnded(conn) | FromPeer::Lingered(conn) => self.forget(conn),
            FromPeer::BindAgain(wish, attempts) => self.bind(wish, attempts),
        }
    }

    /// What the sockets know of what was sent, the call decides by.
    fn tell_deliveries(&mut self) {
        let deliveries = self.gate.lock().deliveries().clone();
        self.call.handle_deliveries(deliveries);
    }
}

fn swarm(identity: &Keypair, transport: Transport) -> Option<Swarm<Behaviour>> {
    let limits = ConnectionLimits::default()
        .with_max_pending_incoming(Some(MAX_CONNECTIONS / 2))
        .with_max_pending_outgoing(Some(MAX_DIALS))
        .with_max_established(Some(MAX_CONNECTIONS))
        .with_max_established_per_peer(Some(MAX_PER_PEER));
    let behaviour = Behaviour {
        allowed: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(limits),
        memory: memory_connection_limits::Behaviour::with_max_bytes(MEMORY_LIMIT),
        control: control::Behaviour::default(),
    };
    let mut swarm = libp2p::SwarmBuilder::with_existing_identity(identity.clone())
        .with_tokio()
        .with_other_transport(|_| transport)
        .ok()?
        .with_behaviour(|_| behaviour)
        .ok()?
        .with_swarm_config(|config| config.with_idle_connection_timeout(NEVER))
        .build();
    swarm
        .listen_on(Multiaddr::empty().with(Protocol::Memory(0)))
        .ok()?;
    Some(swarm)
}

#[allow(clippy::disallowed_methods, reason = "the loop's clock")]
fn now() -> Instant {
    Instant::now()
}
