//! The libp2p transport on our endpoints. It dials only what the call planned, and hands libp2p no network
//! addresses: a connection is `/memory/<serial>` to it, the serial being the call's [`ConnId`].

use std::collections::HashMap;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use libp2p::Multiaddr;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::identity::PeerId;
use libp2p::multiaddr::Protocol;
use sightline_mesh_proto::tag::{self, Tag};
use sightline_mesh_proto::{AttemptId, ConnId, Connected, Exporter, Side};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::endpoint::Endpoints;
use crate::muxer::Muxer;
use crate::socket::SharedGate;
use crate::tls;

/// 10 s: as long as the gate lets a guest speak.
const HANDSHAKE_TIME: Duration = Duration::from_secs(10);

/// How many time-outs a handshake may last, as long as packets keep arriving.
const PATIENCES: usize = 3;

/// With this many handshakes in progress, an address must be validated by a Retry first (RFC 9000, section 8.1.2).
const BUSY: usize = 8;

/// 16: accepted connections that wait for the loop, as many as there can be codes.
const MAX_WAITING: usize = 16;

/// Serials of accepted connections; those of dialled ones are their attempt_ids.
const ACCEPTED: u64 = 1 << 63;

/// The exporter's label (RFC 8446, section 7.5).
const EXPORTER_LABEL: &[u8] = b"EXPORTER-sightline-session";

/// Where to dial, and how.
#[derive(Clone, Copy)]
pub struct PendingDial {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub peer: Option<PeerId>,
    pub tag: Tag,
    pub patience: Duration,
}

/// A peer that finished its handshake, waiting to be allowed into the swarm.
pub struct Arrival {
    pub connected: Connected,
    pub connection: quinn::Connection,
    /// To be answered once the swarm's allow list has the peer.
    pub allowed: oneshot::Sender<()>,
}

/// The pending dials, shared by the loop and the transport.
#[derive(Clone, Default)]
pub struct PendingDials(Arc<Mutex<HashMap<u64, PendingDial>>>);

impl PendingDials {
    fn lock(&self) -> MutexGuard<'_, HashMap<u64, PendingDial>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registers a pending dial. Returns the address to give libp2p for it.
    pub fn insert(&self, attempt: AttemptId, pending: PendingDial) -> Multiaddr {
        self.lock().insert(attempt.0, pending);
        Multiaddr::empty().with(Protocol::Memory(attempt.0))
    }

    /// Cancels a pending dial.
    pub fn remove(&self, attempt: AttemptId) {
        self.lock().remove(&attempt.0);
    }
}

/// The serial in an address of ours.
pub fn serial(address: &Multiaddr) -> Option<u64> {
    address.iter().find_map(|part| match part {
        Protocol::Memory(serial) => Some(serial),
        _ => None,
    })
}

/// Why a connection did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("no such dial is pending")]
    NotPending,
    #[error("there is no socket to dial from")]
    NoSocket,
    #[error("the handshake took too long")]
    TimedOut,
    #[error("somebody else answered")]
    WrongPeer,
    #[error(transparent)]
    Quic(#[from] quinn::ConnectionError),
}

pub type Upgrade = BoxFuture<'static, Result<(PeerId, Muxer), ConnectError>>;

/// The transport.
pub struct Transport {
    endpoints: Endpoints,
    pending_dials: PendingDials,
    arrivals: mpsc::Sender<Arrival>,
    incoming: mpsc::Receiver<(u64, Upgrade)>,
    listener: Option<ListenerId>,
    announced: bool,
}

impl Transport {
    pub fn new(
        endpoints: Endpoints,
        pending_dials: PendingDials,
        arrivals: mpsc::Sender<Arrival>,
        incoming: mpsc::Receiver<(u64, Upgrade)>,
    ) -> Self {
        Self {
            endpoints,
            pending_dials,
            arrivals,
            incoming,
            listener: None,
            announced: false,
        }
    }
}

/// Accepts connections for the transport, on every endpoint handed to it.
pub struct Acceptor {
    gate: SharedGate,
    arrivals: mpsc::Sender<Arrival>,
    incoming: mpsc::Sender<(u64, Upgrade)>,
    opened: u64,
}

impl Acceptor {
    /// Returns the acceptor, and the receiver from which the transport takes accepted connections.
    pub fn new(gate: SharedGate, arrivals: mpsc::Sender<Arrival>) -> (Self, mpsc::Receiver<(u64, Upgrade)>) {
        let (incoming, source) = mpsc::channel(MAX_WAITING);
        let acceptor = Self {
            gate,
            arrivals,
            incoming,
            opened: 0,
        };
        (acceptor, source)
    }

    /// Accepts connections on one endpoint, by a task that ends with it.
    pub fn open(&mut self, local: SocketAddr, endpoint: quinn::Endpoint, tasks: &mut JoinSet<()>) {
        let accepting = EndpointAcceptor {
            local,
            endpoint,
            gate: self.gate.clone(),
            arrivals: self.arrivals.clone(),
            incoming: self.incoming.clone(),
            handshakes: Arc::default(),
            next: ACCEPTED | self.opened << 48,
        };
        self.opened += 1;
        tasks.spawn(accepting.run());
    }
}

impl libp2p::Transport for Transport {
    type Output = (PeerId, Muxer);
    type Error = ConnectError;
    type ListenerUpgrade = Upgrade;
    type Dial = Upgrade;

    fn listen_on(&mut self, id: ListenerId, _: Multiaddr) -> Result<(), TransportError<ConnectError>> {
        self.listener = Some(id);
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listener.take_if(|listener| *listener == id).is_some()
    }

    fn dial(&mut self, address: Multiaddr, _: DialOpts) -> Result<Upgrade, TransportError<ConnectError>> {
        let planned =
            serial(&address).and_then(|serial| Some((serial, self.pending_dials.lock().remove(&serial)?)));
        let (serial, pending) = planned.ok_or(TransportError::Other(ConnectError::NotPending))?;
        let connecting = self
            .endpoints
            .dial(pending.local, pending.remote, pending.tag)
            .ok_or(TransportError::Other(ConnectError::NoSocket))?;
        let arrivals = self.arrivals.clone();
        let conn = ConnId(serial);
        let attempt = Attempt {
            conn,
            side: Side::Dialler(AttemptId(serial)),
            local: pending.local,
            remote: pending.remote,
            patience: pending.patience,
            gate: self.endpoints.gate().clone(),
        };
        let dialled = arrive(connecting, pending.peer, attempt, arrivals);
        Ok(dialled.boxed())
    }

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<TransportEvent<Upgrade, ConnectError>> {
        let Some(listener_id) = self.listener else {
            return Poll::Pending;
        };
        let local_addr = Multiaddr::empty().with(Protocol::Memory(0));
        if !std::mem::replace(&mut self.announced, true) {
            return Poll::Ready(TransportEvent::NewAddress {
                listener_id,
                listen_addr: local_addr,
            });
        }
        match self.incoming.poll_recv(cx) {
            Poll::Ready(Some((serial, upgrade))) => Poll::Ready(TransportEvent::Incoming {
                listener_id,
                upgrade,
                local_addr,
                send_back_addr: Multiaddr::empty().with(Protocol::Memory(serial)),
            }),
            _ => Poll::Pending,
        }
    }
}

/// Accepts connections of one endpoint: only with a tag that belongs to a code or an introduction.
struct EndpointAcceptor {
    local: SocketAddr,
    endpoint: quinn::Endpoint,
    gate: SharedGate,
    arrivals: mpsc::Sender<Arrival>,
    incoming: mpsc::Sender<(u64, Upgrade)>,
    handshakes: Arc<()>,
    next: u64,
}

impl EndpointAcceptor {
    async fn run(mut self) {
        while let Some(incoming) = self.endpoint.accept().await {
            // Who finds no place gets no answer, and sends its first packet again.
            let Ok(place) = self.incoming.try_reserve() else {
                incoming.ignore();
                continue;
            };
            if let Some(upgrade) = self.accept(incoming) {
                self.next += 1;
                place.send((self.next, upgrade));
            }
        }
    }

    fn accept(&self, incoming: quinn::Incoming) -> Option<Upgrade> {
        let tag: Option<Tag> = incoming.orig_dst_cid()[..]
            .try_into()
            .ok()
            .filter(|t: &Tag| t.len() == tag::LEN);
        let owner = tag.and_then(|tag| self.gate.lock().owner(&tag));
        let Some(owner) = owner else {
            // Dropping it would answer.
            incoming.ignore();
            return None;
        };
        // Each handshake in progress holds one more of these.
        let busy = Arc::strong_count(&self.handshakes) > BUSY;
        if busy && incoming.may_retry() {
            let _unanswered = incoming.retry();
            return None;
        }
        let remote = incoming.remote_address();
        let connecting = incoming.accept().ok()?;
        let arrivals = self.arrivals.clone();
        let handshake = Arc::clone(&self.handshakes);
        let (local, conn) = (self.local, ConnId(self.next + 1));
        let attempt = Attempt {
            conn,
            side: Side::Listener(owner),
            local,
            remote,
            patience: HANDSHAKE_TIME,
            gate: self.gate.clone(),
        };
        let accepted = async move {
            let _handshake = handshake;
            arrive(connecting, None, attempt, arrivals).await
        };
        Some(accepted.boxed())
    }
}

async fn finish(connecting: quinn::Connecting, attempt: &Attempt) -> Result<quinn::Connection, ConnectError> {
    let received = || {
        let gate = attempt.gate.lock();
        let row = gate.ledger().row((attempt.local, attempt.remote));
        row.map_or(0, |row| row.counts.recv_packets)
    };
    let mut connecting = std::pin::pin!(connecting);
    let mut before = received();
    for _ in 0..PATIENCES {
        if let Ok(connection) = tokio::time::timeout(attempt.patience, connecting.as_mut()).await {
            return Ok(connection?);
        }
        let now = received();
        if now == before {
            break;
        }
        before = now;
    }
    Err(ConnectError::TimedOut)
}

/// A connection attempt whose handshake is not finished.
struct Attempt {
    conn: ConnId,
    side: Side,
    local: SocketAddr,
    remote: SocketAddr,
    patience: Duration,
    gate: SharedGate,
}

/// Finishes a handshake, announces the connection, and waits until the swarm will let its peer in.
async fn arrive(
    connecting: quinn::Connecting,
    expected: Option<PeerId>,
    attempt: Attempt,
    arrivals: mpsc::Sender<Arrival>,
) -> Result<(PeerId, Muxer), ConnectError> {
    let connection = finish(connecting, &attempt).await?;
    let peer = tls::peer_of(&connection).ok_or(ConnectError::WrongPeer)?;
    if expected.is_some_and(|expected| expected != peer) {
        return Err(ConnectError::WrongPeer);
    }
    let mut exporter = Exporter([0; 32]);
    connection
        .export_keying_material(&mut exporter.0, EXPORTER_LABEL, b"")
        .map_err(|_| ConnectError::WrongPeer)?;
    let Attempt {
        conn,
        side,
        local,
        remote,
        ..
    } = attempt;
    let connected = Connected {
        conn,
        peer,
        side,
        local,
        remote,
        exporter,
    };
    let (allowed, answer) = oneshot::channel();
    let arrival = Arrival {
        connected,
        connection: connection.clone(),
        allowed,
    };
    arrivals.send(arrival).await.map_err(|_| ConnectError::TimedOut)?;
    answer.await.map_err(|_| ConnectError::WrongPeer)?;
    Ok((peer, Muxer::new(connection)))
}

#[cfg(test)]
mod tests;
