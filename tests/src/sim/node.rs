//! A participant: its machine's addresses, what its user decided, what it was told.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libp2p_identity::PeerId;
use rand::RngExt;
use rand::rngs::StdRng;
use sightline_mesh_proto::gate::{Gate, Obstacle};
use sightline_mesh_proto::interface::Medium;
use sightline_mesh_proto::route::Rule;
use sightline_mesh_proto::{Call, Event};
use sightline_netem::Hop;

use super::Index;

/// How the network treats packets, and clocks go.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The way from one to another.
    pub hop: Hop,
    /// How far clocks drift apart, parts per million.
    pub drift_ppm: i32,
}

impl Weather {
    /// 10 ms each way, and nothing goes wrong.
    pub const FAIR: Self = Self {
        hop: Hop::fair(Duration::from_millis(10)),
        drift_ppm: 0,
    };

    /// A network as `rng` has it: up to 10 % loss, 1 to 150 ms, up to 60 ms of jitter.
    #[must_use]
    pub fn random(rng: &mut StdRng) -> Self {
        Self {
            hop: Hop {
                loss: rng.random_range(0.0..0.1),
                outage: None,
                duplication: rng.random_range(0.0..0.02),
                delay: Duration::from_micros(rng.random_range(1_000..150_000)),
                jitter: Duration::from_micros(rng.random_range(0..60_000)),
            },
            drift_ppm: 200,
        }
    }
}

/// A participant on the simulated network.
pub struct Node {
    /// The real state machine; `None` before it takes part.
    pub call: Option<Call>,
    /// The real gate.
    pub gate: Gate,
    /// Its sockets: the first is where it is in the beginning, and all that are there when it takes part are shared.
    pub sockets: Vec<Socket>,
    /// Further addresses of its machine, which it does not use.
    pub others: Vec<IpAddr>,
    /// Ports of its machine that other programs have.
    pub taken: Vec<SocketAddr>,
    /// What the names of its interfaces begin with, and whether they may be used.
    pub interface: (&'static str, bool),
    /// How often its interfaces were made: sockets on those before are good for nothing.
    pub made: u32,
    /// Why its operating system takes nothing that it sends, if so.
    pub obstacle: Option<Obstacle>,
    /// Whether a firewall keeps out whom it has not sent anything to.
    pub lets_nobody_in: bool,
    /// False once killed or gone.
    pub alive: bool,
    /// What it was told, with the virtual time.
    pub events: Vec<(Duration, Event)>,
    /// What its user has decided so far, kept apart from what the program makes of it.
    pub wishes: Wishes,
    /// What its interfaces are; with `tells_medium` it says so to the others.
    pub medium: Medium,
    /// Whether it says over what it is connected.
    pub tells_medium: bool,
    /// How far its wall clock is ahead of a right one, or behind, seconds.
    pub clock_ahead: i64,
    /// Which bodies it received, by sender.
    pub received: BTreeMap<Index, BTreeSet<u64>>,
    pub(super) drift_ppm: i32,
    pub(super) wakes_at: Option<Duration>,
    /// To whom bulk leaves just now.
    pub(super) bulk: BTreeSet<PeerId>,
    pub(super) sent: u64,
    pub(super) shared: Vec<IpAddr>,
}

/// What a user has decided.
#[derive(Debug, Default)]
pub struct Wishes {
    pub(super) rule: Rule,
    /// Ways to a member that were approved, and that were denied: own address, the other one.
    pub(super) approved: BTreeSet<(PeerId, IpAddr, IpAddr)>,
    pub(super) denied: BTreeSet<(PeerId, IpAddr, IpAddr)>,
    /// Where media was allowed before: what a rule that asks about changes does not ask about.
    pub(super) flowed: BTreeSet<(PeerId, IpAddr, IpAddr)>,
    pub(super) last: BTreeMap<PeerId, (IpAddr, IpAddr)>,
}

/// A socket of a participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Socket {
    /// Its own address.
    pub local: SocketAddr,
    /// As the others see it: another one behind a NAT.
    pub outside: SocketAddr,
    /// Whether its interface is there.
    pub is_up: bool,
    /// By which of its interfaces' makings it is bound.
    pub made: u32,
}

impl Socket {
    /// One that is there, and that everybody sees where it is.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self {
            local: address,
            outside: address,
            is_up: true,
            made: 1,
        }
    }
}

impl Node {
    /// Where it is in the beginning.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.sockets[0].local
    }

    pub(super) fn on(&self, local: SocketAddr) -> Option<Socket> {
        self.good_sockets().find(|socket| socket.local == local)
    }

    pub(super) fn seen_as(&self, outside: SocketAddr) -> Option<Socket> {
        self.good_sockets().find(|socket| socket.outside == outside)
    }

    fn good_sockets(&self) -> impl Iterator<Item = Socket> {
        let sockets = self.sockets.iter().copied();
        sockets.filter(|socket| socket.is_up && socket.made == self.made)
    }
}
