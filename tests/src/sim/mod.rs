//! Whole calls on virtual time, in one thread: a network with seeded loss, delay, reordering and duplication
//! between the real state machines and the real gates. Each participant has a wall clock of its own, which may say
//! anything. Connections stand in for QUIC: frames arrive in order
//! (late when lost), datagrams as the network pleases, a silent end is noticed after three seconds.
//!
//! ```text
//!   mod.rs ── the world: who takes part, and what they are asked to do
//!     ├ node.rs ── a participant                happen.rs ── what happens when, and what is done about it
//!     ├ network.rs ── connections, streams, datagrams        addresses.rs ── addresses that go, come and change
//!     └ judge.rs ── whether a program does what its user decided
//! ```

mod addresses;
mod happen;
mod judge;
mod network;
mod node;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sightline_mesh_proto::gate::Gate;
use sightline_mesh_proto::interface::Medium;
use sightline_mesh_proto::route::{Question, Rule, State};
use sightline_mesh_proto::{
    Admit, Call, Class, Clock, Code, Command, Config, ConnId, End, Event, FastKeyErasureRng, Name, UnixTime,
    Why,
};
use sightline_netem::Random;

pub use self::happen::Carrier;
use self::happen::Happening;
use self::network::Connection;
use self::node::Wishes;
pub use self::node::{Node, Socket, Weather};

/// What a right clock says in the beginning, Unix seconds.
const TRUE_WALL: u64 = 1_800_000_000;

/// 3 s: as `mesh` closes a connection from which nothing comes.
const IDLE: Duration = Duration::from_secs(3);

/// A participant's index.
pub type Index = usize;

/// The world: participants, connections, what is on its way.
pub struct World {
    /// Everybody, by index.
    pub nodes: Vec<Node>,
    /// Virtual time since the beginning.
    pub now: Duration,
    /// The network.
    pub weather: Weather,
    /// Somebody stands in the middle of each connection, and has a TLS session with either end.
    pub is_intercepted: bool,
    is_cut: bool,
    start: Instant,
    rng: StdRng,
    /// The network's chance.
    random: Random,
    connections: Vec<Connection>,
    ends: BTreeMap<(Index, ConnId), usize>,
    queue: BinaryHeap<Reverse<(Duration, u64, Happening)>>,
    serial: u64,
}

impl World {
    /// A world with `size` participants, none of whom takes part yet.
    #[must_use]
    pub fn new(size: usize, weather: Weather, seed: u64) -> Self {
        let start = Instant::now();
        let mut rng = StdRng::seed_from_u64(seed);
        let nodes = (0..size)
            .map(|index| Node {
                call: None,
                gate: Gate::new(Clock { start }),
                sockets: vec![Socket::at(SocketAddr::from(([10, 0, 0, index as u8 + 1], 4000)))],
                others: Vec::new(),
                taken: Vec::new(),
                interface: ("if", true),
                made: 1,
                obstacle: None,
                lets_nobody_in: false,
                alive: true,
                events: Vec::new(),
                wishes: Wishes::default(),
                medium: Medium::Cable,
                tells_medium: false,
                clock_ahead: 0,
                received: BTreeMap::new(),
                drift_ppm: rng.random_range(-weather.drift_ppm..=weather.drift_ppm),
                wakes_at: None,
                bulk: BTreeSet::new(),
                sent: 0,
                shared: Vec::new(),
            })
            .collect();
        Self {
            nodes,
            now: Duration::ZERO,
            weather,
            is_intercepted: false,
            is_cut: false,
            start,
            rng,
            random: Random(seed),
            connections: Vec::new(),
            ends: BTreeMap::new(),
            queue: BinaryHeap::new(),
            serial: 0,
        }
    }

    fn config(&mut self, index: Index, rule: Rule) -> (Config, FastKeyErasureRng) {
        let mut identity = [0; 32];
        self.rng.fill_bytes(&mut identity);
        let sockets = self.nodes[index].sockets.clone();
        self.nodes[index].shared = sockets.iter().map(|socket| socket.local.ip()).collect();
        let (there, awaited): (Vec<_>, Vec<_>) = sockets.iter().partition(|socket| socket.is_up);
        let locals = |sockets: &[&Socket]| sockets.iter().map(|socket| socket.local).collect();
        let interfaces = self.interfaces(index);
        let config = Config {
            identity: libp2p_identity::Keypair::ed25519_from_bytes(identity).expect("32 bytes"),
            name: Name::new(&format!("p{index}")),
            addresses: locals(&there),
            awaited: locals(&awaited),
            own: self.own_addresses(index, &interfaces),
            interfaces,
            tell_medium: self.nodes[index].tells_medium,
            rule,
            admit: Admit::Code,
            clock: Clock { start: self.start },
        };
        (config, FastKeyErasureRng::seed_from_u64(self.rng.next_u64()))
    }

    /// Lets a participant start the call.
    pub fn start(&mut self, index: Index, rule: Rule) {
        let (config, rng) = self.config(index, rule);
        let now = self.local_now(index);
        self.nodes[index].wishes.rule = rule;
        self.nodes[index].call = Some(Call::start(config, rng, now).expect("an identity"));
        self.drain(index);
    }

    /// Lets a participant join with a code of another.
    pub fn join(&mut self, index: Index, code: Code, rule: Rule) {
        let (config, rng) = self.config(index, rule);
        let now = self.local_now(index);
        self.nodes[index].wishes.rule = rule;
        self.nodes[index].call = Some(Call::join(config, code, rng, now).expect("an identity"));
        self.drain(index);
    }

    /// A fresh code of a participant.
    pub fn code(&mut self, index: Index) -> Code {
        self.command(index, Command::NewCode(self.wall(index)));
        let codes = self.nodes[index].events.iter().rev();
        codes
            .filter_map(|(_, event)| match event {
                Event::Code(code) => Some(code.clone()),
                _ => None,
            })
            .next()
            .expect("a code")
    }

    /// Whether a participant was told that nobody used its code in time.
    #[must_use]
    pub fn has_expired(&self, index: Index, code: &Code) -> bool {
        let mut events = self.nodes[index].events.iter();
        events.any(|(_, event)| matches!(event, Event::Expired(over) if over == code))
    }

    /// Hands a wish to a participant.
    pub fn command(&mut self, index: Index, command: Command) {
        self.note_wish(index, &command);
        let now = self.local_now(index);
        self.call(index).handle_command(command, now);
        self.drain(index);
    }

    /// Lets a participant send one body that nobody sent before. Returns its number and how many it went to.
    pub fn speak(&mut self, index: Index) -> (u64, usize) {
        let number = self.nodes[index].sent;
        self.nodes[index].sent += 1;
        let body = [(index as u64).to_be_bytes(), number.to_be_bytes()].concat();
        let now = self.local_now(index);
        let call = self.call(index);
        let receivers = call.receivers();
        for (peer, _) in &receivers {
            let sent = call.handle_media(peer, Class::Audio, &body, 0, now);
            assert_eq!(sent, Ok(()), "it fits");
        }
        self.drain(index);
        (number, receivers.len())
    }

    /// Lets something that `from` never sealed arrive at `to`, as a modified program could send it.
    pub fn forge(&mut self, from: Index, to: Index, bytes: &[u8], carrier: Carrier) {
        let connection = self.connections.iter().position(|link| {
            let ends = [link.dialler.node, link.listener.node];
            link.open && (ends == [from, to] || ends == [to, from])
        });
        let connection = connection.expect("they are connected");
        let to_listener = self.connections[connection].listener.node == to;
        self.arrive(connection, to_listener, bytes, carrier.handle());
    }

    /// The questions that a participant's user has not answered.
    #[must_use]
    pub fn questions(&self, index: Index) -> Vec<Question> {
        let mut open = Vec::new();
        for (_, event) in &self.nodes[index].events {
            match event {
                Event::Ask(question, _) => open.push(question.as_ref().clone()),
                Event::Answered(id, _) => open.retain(|question| question.id != *id),
                _ => {}
            }
        }
        open
    }

    /// A participant's user answers everything that is asked.
    pub fn answer_all(&mut self, index: Index, approve: bool) -> usize {
        let questions = self.questions(index);
        for question in &questions {
            let command = if approve { Command::Approve } else { Command::Deny };
            self.command(index, command(question.id));
        }
        questions.len()
    }

    /// The state of the route by which a participant's media goes to another, if there is one.
    #[must_use]
    pub fn state(&self, from: Index, to: Index) -> Option<State> {
        let peer = self.peer(to);
        let routes = self.nodes[from].call.as_ref().expect("takes part").routes();
        let states = routes
            .routes()
            .filter(|route| route.peer == Some(peer))
            .map(|route| route.state);
        states.min_by_key(|state| (*state != State::Active, *state != State::Paused, *state))
    }

    /// How many connections there have been.
    #[must_use]
    pub const fn connections_made(&self) -> usize {
        self.connections.len()
    }

    /// Runs for a span of virtual time.
    pub fn run(&mut self, span: Duration) {
        let until = self.now + span;
        while let Some(Reverse((at, _, _))) = self.queue.peek()
            && *at <= until
        {
            if let Some(Reverse((at, _, happening))) = self.queue.pop() {
                self.now = at;
                self.happen(happening);
            }
        }
        self.now = until;
    }

    /// Indices of those who take part and were not killed.
    #[must_use]
    pub fn alive(&self) -> Vec<Index> {
        (0..self.nodes.len())
            .filter(|index| self.nodes[*index].alive && self.nodes[*index].call.is_some())
            .collect()
    }

    /// The id of a participant.
    #[must_use]
    pub fn peer(&self, index: Index) -> PeerId {
        self.nodes[index].call.as_ref().expect("takes part").me()
    }

    /// Whether everybody alive is linked with everybody else alive and with nobody more.
    #[must_use]
    pub fn is_full_mesh(&self) -> bool {
        let alive = self.alive();
        let everybody: BTreeSet<_> = alive.iter().map(|index| self.peer(*index)).collect();
        alive.iter().all(|index| {
            let call = self.nodes[*index].call.as_ref().expect("takes part");
            let mut others = everybody.clone();
            others.remove(&call.me());
            call.linked() == others && call.here() == others
        })
    }

    /// When a participant was told that another is gone, and how.
    #[must_use]
    pub fn told_gone(&self, who: Index, of: Index) -> Option<(Duration, Why)> {
        let gone = self.peer(of);
        self.nodes[who].events.iter().find_map(|(at, event)| match event {
            Event::Left { peer, why, .. } if *peer == gone => Some((*at, *why)),
            _ => None,
        })
    }

    /// How a participant's call ended, if it did.
    #[must_use]
    pub fn ended(&self, index: Index) -> Option<End> {
        self.nodes[index]
            .events
            .iter()
            .find_map(|(_, event)| match event {
                Event::Ended(end) => Some(*end),
                _ => None,
            })
    }

    fn call(&mut self, index: Index) -> &mut Call {
        self.nodes[index].call.as_mut().expect("takes part")
    }

    /// What a participant's wall clock says.
    #[must_use]
    pub fn wall(&self, index: Index) -> UnixTime {
        let now = TRUE_WALL + self.now.as_secs();
        UnixTime(now.saturating_add_signed(self.nodes[index].clock_ahead))
    }

    /// A participant's own clock, which runs a little faster or slower than the world's.
    fn local_now(&self, index: Index) -> Instant {
        let rate = 1.0 + f64::from(self.nodes[index].drift_ppm) / 1e6;
        self.start + self.now.mul_f64(rate)
    }

    fn schedule(&mut self, after: Duration, happening: Happening) {
        self.serial += 1;
        self.queue
            .push(Reverse((self.now + after, self.serial, happening)));
    }

    fn latency(&mut self) -> Duration {
        self.weather.hop.latency(&mut self.random)
    }
}

/// Runs `scenario` for each seed, on both cores, naming the seed of what fails.
pub fn for_seeds(count: u64, scenario: fn(u64)) {
    let chosen = std::env::var("SIGHTLINE_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok());
    let seeds: Vec<u64> = chosen.map_or_else(|| (0..count).collect(), |seed| vec![seed]);
    std::thread::scope(|scope| {
        for half in [0, 1] {
            let seeds = seeds.iter().skip(half).step_by(2).copied().collect::<Vec<_>>();
            scope.spawn(move || {
                for seed in seeds {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| scenario(seed))) {
                        eprintln!("this call failed: SIGHTLINE_SEED={seed}");
                        resume_unwind(panic);
                    }
                }
            });
        }
    });
}
