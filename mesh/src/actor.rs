//! The event loop: passes inputs from the network and the application to the state machine, and carries out its outputs.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc as blocking;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::{AsyncReadExt, StreamExt};
use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::{Keypair, PeerId};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{Multiaddr, Stream, Swarm, memory_connection_limits};
use quinn::{ConnectionError, Endpoint};
use sightline_mesh_proto::{AttemptId, Call, Closed, Command, ConnId, Connected, Event, Output, Side};
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;

use crate::control;
use crate::endpoint::{CLOSE_LOST, CLOSE_NORMAL, EndpointError, Endpoints};
use crate::events::{Consumed, MAX_PER_PEER};
use crate::frame::{self, Ended};
use crate::interfaces::Watcher;
use crate::record::{SharedHistory, Stats};
use crate::socket::SharedGate;
use crate::traffic::{Leaving, Traffic};
use crate::transport::{Acceptor, Arrival, PendingDial, PendingDials, Transport, serial};

/// Control frames that may wait to be written to one peer; one that reads is never this far behind.
const OUTBOX: usize = 128;

/// Frames and datagrams that may wait for the loop, of all peers together.
const ARRIVALS: usize = 1024;

/// Taken from a queue at once, so that what arrives together is handled together.
const BATCH: usize = 64;

/// 300 ms: how long a closed connection may take to deliver its last words.
const LINGER: Duration = Duration::from_millis(300);

/// 300 ms: the time between attempts to open a socket on a fresh address, and how many there are: IPv6 may take
/// two seconds to make sure that nobody else has it (RFC 4862, section 5.4).
const BIND_AGAIN: Duration = Duration::from_millis(300);
const BIND_ATTEMPTS: u32 = 10;

/// 3 s: a connection from which nothing comes for this long is closed, so that a killed member is noticed within five; and
/// how often each is looked at.
const SILENCE: Duration = Duration::from_secs(3);
const LOOK: Duration = Duration::from_millis(250);

/// As many round trips, where that is longer: on a slow line what comes has waited in a queue.
const SILENT_ROUND_TRIPS: u32 = 6;

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
            self.send_media();
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
            FromPeer::Overlong(conn) => self.call.handle_overlong_frame(conn),
            FromPeer::StreamEnded(conn) | FromPeer::Lingered(conn) => self.forget(conn),
            FromPeer::BindAgain(wish, attempts) => self.bind(wish, attempts),
        }
    }

    /// A connection passed its TLS handshake: its peer may enter the swarm.
    fn handle_arrival(&mut self, arrival: Arrival) {
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

    fn handle_swarm(&mut self, event: SwarmEvent<BehaviourEvent>) {
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

    /// What the sockets know of what was sent, the call decides by.
    fn tell_deliveries(&mut self) {
        let deliveries = self.gate.lock().deliveries().clone();
        self.call.handle_deliveries(deliveries);
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

    /// Does what the call wants.
    async fn drain(&mut self) {
        while let Some(output) = self.call.poll_output() {
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
        while self.tasks.try_join_next().is_some() {}
        let receivers = self.call.receivers();
        if receivers != self.receivers {
            self.traffic.handle_receivers(&receivers, now());
            self.receivers = receivers;
        }
    }

    /// Lets leave what media has to send.
    fn send_media(&mut self) {
        let now = now();
        while let Some(leaving) = self.traffic.poll_packet(now) {
            let Leaving {
                to,
                class,
                body,
                padded_to,
            } = leaving;
            // Bodies are made to fit by the program's own packetizers.
            let fits = self.call.handle_media(&to, class, &body, padded_to, now);
            debug_assert!(fits.is_ok(), "{fits:?}");
            // A packet makes a datagram and nothing else.
            while let Some(output) = self.call.poll_output() {
                if let Output::Datagram(conn, _, datagram) = output {
                    self.send_datagram(conn, datagram);
                }
            }
        }
    }

    fn send_datagram(&self, conn: ConnId, datagram: Vec<u8>) {
        if let Some(peer) = self.peers.get(&conn) {
            // The oldest waiting datagram gives way when there is no room; a closed connection is reported by the
            // swarm.
            let _closed = peer.connection.send_datagram(datagram.into());
        }
    }

    /// Opens a socket; an address that is not ready yet (IPv6 looks for its double first) is tried again.
    fn bind(&mut self, wish: SocketAddr, attempts: u32) {
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

    /// Lets what was handed out be sent, then closes.
    fn close(&mut self, conn: ConnId) {
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

    fn forget(&mut self, conn: ConnId) {
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
