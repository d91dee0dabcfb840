//! Whole calls on virtual time, in one thread: a network with seeded loss, delay, reordering and duplication
//! between the real state machines and the real gates. Each participant has a wall clock of its own, which may say
//! anything. Connections stand in for QUIC: frames arrive in order
//! (late when lost), datagrams as the network pleases, a silent end is noticed after three seconds.

mod network;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::{IpAddr, SocketAddr};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sightline_mesh_proto::gate::{Gate, Obstacle};
use sightline_mesh_proto::interface::Medium;
use sightline_mesh_proto::route::{Question, Route, Rule, State};
use sightline_mesh_proto::{
    Admit, AttemptId, Call, Class, Clock, Closed, Code, Command, Config, ConnId, End, Event,
    FastKeyErasureRng, Name, Output, UnixTime, Why,
};
use sightline_netem::{Hop, Random};

/// What a right clock says in the beginning, Unix seconds.
const TRUE_WALL: u64 = 1_800_000_000;

/// 3 s: as `mesh` closes a connection from which nothing comes.
const IDLE: Duration = Duration::from_secs(3);

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

/// A participant's index.
pub type Index = usize;

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
    drift_ppm: i32,
    wakes_at: Option<Duration>,
    /// To whom bulk leaves just now.
    bulk: BTreeSet<PeerId>,
    sent: u64,
    shared: Vec<IpAddr>,
}

/// What a user has decided.
#[derive(Debug, Default)]
pub struct Wishes {
    rule: Rule,
    /// Ways to a member that were approved, and that were denied: own address, the other one.
    approved: BTreeSet<(PeerId, IpAddr, IpAddr)>,
    denied: BTreeSet<(PeerId, IpAddr, IpAddr)>,
    /// Where media was allowed before: what a rule that asks about changes does not ask about.
    flowed: BTreeSet<(PeerId, IpAddr, IpAddr)>,
    last: BTreeMap<PeerId, (IpAddr, IpAddr)>,
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

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct End2 {
    node: Index,
    conn: ConnId,
    /// This end's address, and as the other end sees it.
    local: SocketAddr,
    outside: SocketAddr,
    made: u32,
}

#[derive(Debug)]
struct Connection {
    dialler: End2,
    listener: End2,
    open: bool,
    /// When the last frame of each stream arrives each way: a stream keeps its order.
    last_frame: [[Duration; 2]; 2],
}

/// What bytes of a participant's go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// The control stream.
    Control,
    /// The stream for bulk.
    Bulk,
    /// A datagram.
    Datagram,
}

impl Carrier {
    const fn handle(self) -> fn(&mut Call, ConnId, &[u8], Instant) {
        match self {
            Self::Control => Call::handle_frame,
            Self::Bulk => Call::handle_bulk_frame,
            Self::Datagram => Call::handle_datagram,
        }
    }
}

/// How much bulk leaves at once, bytes, and how often.
const BULK_ROOM: usize = 1000;
const BULK_EVERY: Duration = Duration::from_millis(5);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Wake(Index),
    Connect {
        from: Index,
        local: SocketAddr,
        attempt: u64,
        to: Index,
        remote: SocketAddr,
        expect: u64,
    },
    DialFails {
        from: Index,
        attempt: u64,
    },
    Arrives {
        connection: usize,
        to_listener: bool,
        carrier: Carrier,
        bytes: Vec<u8>,
    },
    BulkRoom {
        index: Index,
        peer: Vec<u8>,
    },
    Closed {
        connection: usize,
        listener: bool,
        how: Closed,
    },
    /// Nothing came for as long as a connection may be silent, unless it came back meanwhile.
    Silent {
        connection: usize,
        listener: bool,
    },
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

    fn on(&self, local: SocketAddr) -> Option<Socket> {
        self.good_sockets().find(|socket| socket.local == local)
    }

    fn seen_as(&self, outside: SocketAddr) -> Option<Socket> {
        self.good_sockets().find(|socket| socket.outside == outside)
    }

    fn good_sockets(&self) -> impl Iterator<Item = Socket> {
        let sockets = self.sockets.iter().copied();
        sockets.filter(|socket| socket.is_up && socket.made == self.made)
    }
}

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

    fn note_wish(&mut self, index: Index, command: &Command) {
        let (id, is_yes) = match command {
            Command::SetRule(rule) => {
                self.nodes[index].wishes.rule = *rule;
                return;
            }
            Command::Approve(id) => (*id, true),
            Command::Deny(id) => (*id, false),
            _ => return,
        };
        let question = self
            .questions(index)
            .into_iter()
            .find(|question| question.id == id);
        let Some((peer, way)) = question.and_then(|question| Some((question.new.peer?, question.new.path)))
        else {
            return;
        };
        let wishes = &mut self.nodes[index].wishes;
        let answered = if is_yes {
            &mut wishes.approved
        } else {
            &mut wishes.denied
        };
        answered.insert((peer, way.local.ip(), way.remote.ip()));
    }

    /// Whether the user's own decisions let this route become active, whatever the program thinks.
    fn judge_activation(&mut self, index: Index, route: &Route) {
        let Some(peer) = route.peer else {
            panic!("p{index} activates a route to nobody")
        };
        let there = self
            .nodes
            .iter()
            .position(|node| node.call.as_ref().is_some_and(|call| call.me() == peer));
        let there = there.expect("a participant");
        let (local, remote) = (route.path.local.ip(), route.path.remote.ip());
        let has_ticked = |node: Index, address: IpAddr| {
            let approved = &self.nodes[node].wishes.approved;
            let is_shared = self.nodes[node].shared.contains(&address);
            is_shared || approved.iter().any(|(_, own, _)| *own == address)
        };
        let wishes = &self.nodes[index].wishes;
        let way = (peer, local, remote);
        let is_approved = wishes.approved.contains(&way);
        let allowed = match (wishes.rule, wishes.last.get(&peer)) {
            (Rule::None, _) => false,
            (Rule::All, _) => has_ticked(index, local),
            (Rule::Ask, _) => is_approved,
            (_, None) => is_approved || (has_ticked(index, local) && has_ticked(there, remote)),
            (Rule::Listed, Some(last)) => is_approved || *last == (local, remote),
            (Rule::Same, Some(_)) => is_approved || wishes.flowed.contains(&way),
        };
        assert!(
            allowed,
            "p{index}: {:?} does not allow {local} to {remote}",
            wishes.rule
        );
        let wishes = &mut self.nodes[index].wishes;
        wishes.flowed.insert(way);
        wishes.last.insert(peer, (local, remote));
    }

    /// Whether the user's own decisions allow media on a connection now.
    fn judge_media(&self, index: Index, conn: ConnId) {
        let Some(connection) = self.ends.get(&(index, conn)) else {
            return;
        };
        let link = &self.connections[*connection];
        let is_dialler = (link.dialler.node, link.dialler.conn) == (index, conn);
        let (here, there) = if is_dialler {
            (link.dialler, link.listener)
        } else {
            (link.listener, link.dialler)
        };
        let way = (self.peer(there.node), here.local.ip(), there.outside.ip());
        let wishes = &self.nodes[index].wishes;
        assert_ne!(wishes.rule, Rule::None, "p{index} sends media by no rule");
        assert!(
            !wishes.denied.contains(&way),
            "p{index} sends media by a way that was denied"
        );
        let may_be_unasked = wishes.rule != Rule::Ask || wishes.approved.contains(&way);
        assert!(
            may_be_unasked,
            "p{index} sends media by a way that was not asked about"
        );
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

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(index) => {
                let due = self.nodes[index].wakes_at.is_some_and(|at| at <= self.now);
                if due && self.nodes[index].alive {
                    self.nodes[index].wakes_at = None;
                    let now = self.local_now(index);
                    self.tell_deliveries(index);
                    self.call(index).handle_timeout(now);
                    self.drain(index);
                }
            }
            Happening::DialFails { from, attempt } => {
                if self.nodes[from].alive {
                    let now = self.local_now(from);
                    self.tell_deliveries(from);
                    self.call(from).handle_dial_failed(AttemptId(attempt), now);
                    self.drain(from);
                }
            }
            Happening::Connect {
                from,
                local,
                attempt,
                to,
                remote,
                expect,
            } => self.connect((from, local), attempt, (to, remote), expect),
            Happening::Silent { connection, listener } => {
                if !self.is_through(connection) {
                    let how = Closed::Silent;
                    self.happen(Happening::Closed {
                        connection,
                        listener,
                        how,
                    });
                }
            }
            Happening::Arrives {
                connection,
                to_listener,
                carrier,
                bytes,
            } => self.arrive(connection, to_listener, &bytes, carrier.handle()),
            Happening::BulkRoom { index, peer } => {
                let peer = PeerId::from_bytes(&peer).expect("an id");
                let now = self.local_now(index);
                if self.nodes[index].alive && self.call(index).handle_bulk_room(&peer, BULK_ROOM, now) > 0 {
                    self.give_bulk_room(index, peer);
                    self.drain(index);
                } else {
                    self.nodes[index].bulk.remove(&peer);
                }
            }
            Happening::Closed {
                connection,
                listener,
                how,
            } => {
                let link = &mut self.connections[connection];
                link.open = false;
                let end = if listener { link.listener } else { link.dialler };
                if self.ends.remove(&(end.node, end.conn)).is_some() && self.nodes[end.node].alive {
                    let now = self.local_now(end.node);
                    self.call(end.node).handle_closed(end.conn, how, now);
                    self.drain(end.node);
                }
            }
        }
    }

    fn give_bulk_room(&mut self, index: Index, peer: PeerId) {
        let peer = peer.to_bytes();
        self.schedule(BULK_EVERY, Happening::BulkRoom { index, peer });
    }

    fn tell_deliveries(&mut self, index: Index) {
        let deliveries = self.nodes[index].gate.deliveries().clone();
        self.call(index).handle_deliveries(deliveries);
    }

    /// Does what a participant wants done.
    fn drain(&mut self, index: Index) {
        while let Some(output) = self.call(index).poll_output() {
            match output {
                Output::Gate(change) => self.nodes[index].gate.handle_change(change),
                Output::Dial {
                    attempt,
                    local,
                    remote,
                    peer,
                    tag,
                    patience,
                } => {
                    self.dial(index, (local, remote), attempt, peer, tag, patience);
                }
                Output::Unbind(local) => self.nodes[index].sockets.retain(|socket| socket.local != local),
                Output::Bind(wish) => self.bind(index, wish),
                Output::Frame(conn, bytes) => self.send(index, conn, bytes, Carrier::Control),
                Output::Bulk(conn, bytes) => {
                    let state = self.call(index).route_state(conn);
                    assert_eq!(state, Some(State::Active), "p{index} hands bulk to such a route");
                    self.judge_media(index, conn);
                    self.send(index, conn, bytes, Carrier::Bulk);
                }
                Output::BulkWaits(peer) => {
                    if self.nodes[index].bulk.insert(peer) {
                        self.give_bulk_room(index, peer);
                    }
                }
                Output::Datagram(conn, class, bytes) => {
                    let state = self.call(index).route_state(conn);
                    let may_go = class == Class::Control || state == Some(State::Active);
                    assert!(may_go, "p{index} hands media to a route that is {state:?}");
                    if class != Class::Control {
                        self.judge_media(index, conn);
                    }
                    self.send(index, conn, bytes, Carrier::Datagram);
                }
                Output::Close(conn) => self.close(index, conn),
                Output::Packet(peer, _, body) => self.note_packet(index, peer, &body),
                Output::Event(event) => {
                    if let Event::Route(step) = &event
                        && step.route.state == State::Active
                        && step.old != Some(State::Active)
                    {
                        self.judge_activation(index, &step.route);
                    }
                    self.nodes[index].events.push((self.now, event));
                }
            }
        }
        let approved: BTreeSet<_> = self.nodes[index].gate.approved().collect();
        let routes: BTreeSet<_> = self.call(index).routes().open_pairs().collect();
        assert_eq!(
            approved, routes,
            "p{index}: the gate and the approved routes differ"
        );
        self.plan_wake(index);
    }

    fn plan_wake(&mut self, index: Index) {
        let local = self.call(index).poll_timeout();
        let rate = 1.0 + f64::from(self.nodes[index].drift_ppm) / 1e6;
        let at = local.saturating_duration_since(self.start).div_f64(rate) + Duration::from_micros(1);
        let at = at.max(self.now);
        if self.nodes[index].wakes_at.is_none_or(|planned| at < planned) {
            self.nodes[index].wakes_at = Some(at);
            self.schedule(at - self.now, Happening::Wake(index));
        }
    }

    fn note_packet(&mut self, index: Index, peer: PeerId, body: &[u8]) {
        let numbers = body.as_chunks::<8>().0;
        let [sender, number] = [0, 1].map(|at| u64::from_be_bytes(numbers[at]));
        let sender = sender as Index;
        assert_eq!(
            peer,
            self.peer(sender),
            "p{index} took p{sender}'s packet for another's"
        );
        assert_ne!(sender, index, "p{index} received its own packet");
        let fresh = self.nodes[index]
            .received
            .entry(sender)
            .or_default()
            .insert(number);
        assert!(fresh, "p{index} received packet {number} of p{sender} twice");
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
