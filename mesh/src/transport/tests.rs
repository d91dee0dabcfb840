//! Two participants' network sides on loopback, without the calls behind them.

use std::future::poll_fn;

use libp2p::Transport as _;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::identity::Keypair;
use sightline_mesh_proto::gate::Change;
use tokio::net::UdpSocket;

use super::*;
use crate::fixture;
use crate::tls::Tls;

const OPTIONS: DialOpts = DialOpts {
    role: Endpoint::Dialer,
    port_use: PortUse::Reuse,
};

struct Side {
    me: PeerId,
    local: SocketAddr,
    gate: SharedGate,
    pending_dials: PendingDials,
    transport: Transport,
    arrivals: mpsc::Receiver<Arrival>,
    _tasks: JoinSet<()>,
}

impl Side {
    /// Must be made within the runtime.
    fn new(seed: u8) -> Self {
        let identity = Keypair::ed25519_from_bytes([seed; 32]).expect("a key");
        let tls = Tls::new(&identity).expect("TLS");
        let gate = fixture::gate();
        let endpoints = Endpoints::new(&tls, &gate, false).expect("QUIC");
        let wish = SocketAddr::from(([127, 0, 0, 1], 0));
        let (local, endpoint) = endpoints.bind(wish, &[]).expect("a free port");
        fixture::listen(&gate, local);
        let (sink, arrivals) = mpsc::channel(MAX_WAITING);
        let (mut acceptor, incoming) = Acceptor::new(gate.clone(), sink.clone());
        let mut tasks = JoinSet::new();
        acceptor.open(local, endpoint.expect("a new one"), &mut tasks);
        let pending_dials = PendingDials::default();
        let mut transport = Transport::new(endpoints, pending_dials.clone(), sink, incoming);
        transport
            .listen_on(ListenerId::next(), Multiaddr::empty())
            .expect("it listens");
        Self {
            me: identity.public().to_peer_id(),
            local,
            gate,
            pending_dials,
            transport,
            arrivals,
            _tasks: tasks,
        }
    }

    fn pending(&self, remote: SocketAddr, tag: Tag) -> PendingDial {
        PendingDial {
            local: self.local,
            remote,
            peer: None,
            tag,
            patience: fixture::PATIENCE,
        }
    }

    /// Packets leave at once; the connection is announced only to who waits for it.
    fn dial(&mut self, attempt: u64, pending: PendingDial) -> Upgrade {
        let pair = (pending.local, pending.remote);
        self.gate.lock().handle_change(Change::Approve(pair));
        let address = self.pending_dials.insert(AttemptId(attempt), pending);
        self.transport.dial(address, OPTIONS).expect("it is planned")
    }

    /// The next connection that is let in.
    async fn incoming(&mut self) -> Upgrade {
        loop {
            let event = poll_fn(|cx| Pin::new(&mut self.transport).poll(cx));
            if let TransportEvent::Incoming { upgrade, .. } = fixture::within(event).await {
                return upgrade;
            }
        }
    }

    async fn arrival(&mut self) -> Connected {
        let arrival = fixture::within(self.arrivals.recv()).await;
        arrival.expect("somebody waits for it").connected
    }
}

/// Both ends of a new connection, and what TLS exports there.
async fn meet(dialler: &mut Side, listener: &mut Side, attempt: u64) -> [Connected; 2] {
    let pending = PendingDial {
        peer: Some(listener.me),
        ..dialler.pending(listener.local, fixture::tag(attempt))
    };
    let mut upgrades = JoinSet::new();
    upgrades.spawn(dialler.dial(attempt, pending));
    upgrades.spawn(listener.incoming().await);
    let ends = [dialler.arrival().await, listener.arrival().await];
    assert_eq!(ends[0].exporter, ends[1].exporter, "two ends of one connection");
    assert_eq!(
        (ends[0].conn, ends[0].peer, ends[1].peer),
        (ConnId(attempt), listener.me, dialler.me)
    );
    ends
}

#[tokio::test]
async fn what_tls_exports_is_the_same_at_both_ends_and_another_for_each_connection() {
    let (mut ann, mut bob) = (Side::new(1), Side::new(2));
    let [first, _] = meet(&mut ann, &mut bob, 1).await;
    let [second, _] = meet(&mut ann, &mut bob, 2).await;
    assert_eq!(first.peer, second.peer);
    assert_ne!(first.exporter, second.exporter);
}

#[tokio::test]
async fn only_what_was_planned_is_dialled_and_only_once() {
    let (mut ann, bob) = (Side::new(1), Side::new(2));
    let is_refused = |side: &mut Side, address: Multiaddr| {
        let dialled = side.transport.dial(address, OPTIONS);
        matches!(dialled, Err(TransportError::Other(ConnectError::NotPending)))
    };
    let planned = |attempt: u64| Multiaddr::empty().with(Protocol::Memory(attempt));
    let network = Multiaddr::from(bob.local.ip()).with(Protocol::Udp(bob.local.port()));
    assert!(is_refused(&mut ann, network));
    assert!(is_refused(&mut ann, planned(1)));
    let pending = ann.pending(bob.local, fixture::tag(1));
    let _dialled = ann.dial(1, pending);
    assert!(is_refused(&mut ann, planned(1)), "a pending dial serves once");
    ann.pending_dials.insert(AttemptId(2), pending);
    ann.pending_dials.remove(AttemptId(2));
    assert!(is_refused(&mut ann, planned(2)), "it was given up");
    let elsewhere = PendingDial {
        local: bob.local,
        ..pending
    };
    let address = ann.pending_dials.insert(AttemptId(3), elsewhere);
    assert!(matches!(
        ann.transport.dial(address, OPTIONS),
        Err(TransportError::Other(ConnectError::NoSocket))
    ));
}

#[tokio::test]
async fn somebody_else_who_answers_is_turned_away() {
    let (mut ann, bob) = (Side::new(1), Side::new(2));
    let pending = PendingDial {
        peer: Some(Side::new(3).me),
        ..ann.pending(bob.local, fixture::tag(1))
    };
    let dialled = ann.dial(1, pending);
    let is_refused = fixture::within(async {
        tokio::select! {
            result = dialled => matches!(result, Err(ConnectError::WrongPeer)),
            _ = ann.arrivals.recv() => false,
        }
    });
    assert!(is_refused.await);
}

#[tokio::test]
async fn without_a_good_tag_not_even_a_known_address_gets_a_connection_or_an_answer() {
    let (mut ann, mut bob) = (Side::new(1), Side::new(2));
    let pair = (bob.local, ann.local);
    bob.gate.lock().handle_change(Change::Approve(pair));
    let pending = ann.pending(bob.local, fixture::foreign_tag());
    let first = ann.dial(1, pending);
    // What comes first is handled first: here it would have been accepted, or refused, before this.
    meet(&mut ann, &mut bob, 2).await;
    assert!(first.now_or_never().is_none(), "it was answered");
}

#[tokio::test]
async fn while_many_shake_hands_who_comes_must_prove_its_address_and_then_gets_in() {
    const RETRY: u8 = 0xf0;
    let (mut ann, mut bob) = (Side::new(1), Side::new(2));
    let wire = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
    let mut under_way = Vec::new();
    for attempt in 0..BUSY as u64 {
        let (packet, dialled) = first_packet(&mut ann, &wire, attempt).await;
        wire.send_to(&packet, bob.local).await.expect("sent");
        // Were it asked for a proof, it would not be let in yet.
        under_way.push([dialled, bob.incoming().await]);
    }
    let (packet, _dialled) = first_packet(&mut ann, &wire, 50).await;
    wire.send_to(&packet, bob.local).await.expect("sent");
    // Long headers (RFC 8999, section 5.1): the byte with the type, version (4), whom it is for, whom it is from; a
    // length before each of the two. A first packet is for its tag of 20 bytes; ours are from ids of 8.
    let sender = &packet[26..35];
    let answer = caught(&wire, |answer| answer.get(5..14) == Some(sender)).await;
    assert_eq!(answer[0] & 0xf0, RETRY);
    // QUIC's clients give the proof by themselves.
    meet(&mut ann, &mut bob, 51).await;
}

/// The first packet of a dial to `wire`, and the dial: it goes on for as long as it is kept.
async fn first_packet(side: &mut Side, wire: &UdpSocket, attempt: u64) -> (Vec<u8>, Upgrade) {
    let pending = side.pending(wire.local_addr().expect("bound"), fixture::tag(attempt));
    let dialled = side.dial(attempt, pending);
    let packet = caught(wire, |packet| packet.get(6..26) == Some(&pending.tag[..])).await;
    (packet, dialled)
}

/// The first packet at `wire` that `is_it`.
async fn caught(wire: &UdpSocket, is_it: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut packet = vec![0; 2048];
    loop {
        let receive = wire.recv_from(&mut packet);
        let (len, _) = fixture::within(receive).await.expect("received");
        if is_it(&packet[..len]) {
            packet.truncate(len);
            return packet;
        }
    }
}
