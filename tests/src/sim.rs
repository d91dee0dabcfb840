//! Whole calls on virtual time, in one thread: a network with seeded loss, delay, reordering and duplication
//! between the real state machines and the real gates. Connections stand in for QUIC: frames arrive in order
//! (late when lost), datagrams as the network pleases, a silent end is noticed after three seconds.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use sightline_mesh_proto::gate::Gate;
use sightline_mesh_proto::route::Rule;
use sightline_mesh_proto::{
    Admit, Call, Class, Clock, Code, Command, Config, ConnId, Connected, End, Event, Name, Output, Side,
    Ticket, UnixTime, Why,
};

/// 3 s: as `mesh` sets QUIC's idle time-out.
const IDLE: Duration = Duration::from_secs(3);

/// 10 s: as `mesh` gives up dialling.
const DIAL_TIME: Duration = Duration::from_secs(10);

/// How the network treats packets.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// The share of packets that is lost.
    pub loss: f64,
    /// The share that arrives twice.
    pub duplication: f64,
    /// The shortest way from one to the other.
    pub delay: Duration,
    /// What is added at random; more than a packet's spacing reorders.
    pub jitter: Duration,
    /// How far clocks drift apart, parts per million.
    pub drift_ppm: i32,
}

impl Weather {
    /// A network as `rng` has it: up to 10 % loss, 1 to 150 ms, up to 60 ms of jitter.
    #[must_use]
    pub fn random(rng: &mut StdRng) -> Self {
        Self {
            loss: rng.random_range(0.0..0.1),
            duplication: rng.random_range(0.0..0.02),
            delay: Duration::from_micros(rng.random_range(1_000..150_000)),
            jitter: Duration::from_micros(rng.random_range(0..60_000)),
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
    /// Where it is.
    pub address: SocketAddr,
    /// False once killed or gone.
    pub alive: bool,
    /// What it was told, with the virtual time.
    pub events: Vec<(Duration, Event)>,
    /// Which bodies it received, by sender.
    pub received: BTreeMap<Index, BTreeSet<u64>>,
    drift_ppm: i32,
    wakes_at: Option<Duration>,
    sent: u64,
}

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct End2 {
    node: Index,
    conn: ConnId,
}

#[derive(Debug)]
struct Connection {
    dialler: End2,
    listener: End2,
    open: bool,
    /// When the last frame arrives each way: frames keep their order.
    last_frame: [Duration; 2],
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Wake(Index),
    Connect {
        from: Index,
        ticket: u64,
        to: Index,
        expect: u64,
    },
    DialFails {
        from: Index,
        ticket: u64,
    },
    Frame {
        connection: usize,
        to_listener: bool,
        bytes: Vec<u8>,
    },
    Datagram {
        connection: usize,
        to_listener: bool,
        bytes: Vec<u8>,
    },
    Closed {
        connection: usize,
        listener: bool,
    },
}

/// The world: participants, connections, what is on its way.
pub struct World {
    /// Everybody, by index.
    pub nodes: Vec<Node>,
    /// Virtual time since the beginning.
    pub now: Duration,
    /// The network.
    pub weather: Weather,
    start: Instant,
    rng: StdRng,
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
                gate: Gate::new(Clock {
                    start,
                    wall: UnixTime(1_800_000_000),
                }),
                address: SocketAddr::from(([10, 0, 0, index as u8 + 1], 4000)),
                alive: true,
                events: Vec::new(),
                received: BTreeMap::new(),
                drift_ppm: rng.random_range(-weather.drift_ppm..=weather.drift_ppm),
                wakes_at: None,
                sent: 0,
            })
            .collect();
        Self {
            nodes,
            now: Duration::ZERO,
            weather,
            start,
            rng,
            connections: Vec::new(),
            ends: BTreeMap::new(),
            queue: BinaryHeap::new(),
            serial: 0,
        }
    }

    fn config(&mut self, index: Index, rule: Rule) -> (Config, StdRng) {
        let mut identity = [0; 32];
        self.rng.fill_bytes(&mut identity);
        let config = Config {
            identity: libp2p_identity::Keypair::ed25519_from_bytes(identity).expect("32 bytes"),
            name: Name::new(&format!("p{index}")),
            addresses: vec![self.nodes[index].address],
            rule,
            admit: Admit::Code,
            clock: Clock {
                start: self.start,
                wall: UnixTime(1_800_000_000),
            },
        };
        (config, StdRng::seed_from_u64(self.rng.next_u64()))
    }

    /// Lets a participant start the call.
    pub fn start(&mut self, index: Index, rule: Rule) {
        let (config, rng) = self.config(index, rule);
        let now = self.local_now(index);
        self.nodes[index].call = Some(Call::start(config, rng, now).expect("an identity"));
        self.drain(index);
    }

    /// Lets a participant join with a code of another.
    pub fn join(&mut self, index: Index, code: Code, rule: Rule) {
        let (config, rng) = self.config(index, rule);
        let now = self.local_now(index);
        self.nodes[index].call = Some(Call::join(config, code, rng, now).expect("an identity"));
        self.drain(index);
    }

    /// A fresh code of a participant.
    pub fn code(&mut self, index: Index) -> Code {
        self.command(index, Command::NewCode);
        let codes = self.nodes[index].events.iter().rev();
        codes
            .filter_map(|(_, event)| match event {
                Event::Code(code) => Some(code.clone()),
                _ => None,
            })
            .next()
            .expect("a code")
    }

    /// Hands a wish to a participant.
    pub fn command(&mut self, index: Index, command: Command) {
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
        let sent = self
            .call(index)
            .handle_media(Class::Audio, &body, now)
            .expect("it fits");
        self.drain(index);
        (number, sent)
    }

    /// Lets something that `from` never sealed arrive at `to`, as a modified program could send it.
    pub fn forge(&mut self, from: Index, to: Index, bytes: &[u8], is_frame: bool) {
        let connection = self.connections.iter().position(|link| {
            let ends = [link.dialler.node, link.listener.node];
            link.open && (ends == [from, to] || ends == [to, from])
        });
        let connection = connection.expect("they are connected");
        let to_listener = self.connections[connection].listener.node == to;
        let handle = if is_frame {
            Call::handle_frame
        } else {
            Call::handle_datagram
        };
        self.arrive(connection, to_listener, bytes, handle);
    }

    /// Kills a participant: it says nothing more, to nobody.
    pub fn kill(&mut self, index: Index) {
        self.nodes[index].alive = false;
        for connection in 0..self.connections.len() {
            for listener in [false, true] {
                let link = &self.connections[connection];
                let other = if listener { link.dialler } else { link.listener };
                if link.open && other.node == index {
                    self.schedule(IDLE, Happening::Closed { connection, listener });
                }
            }
        }
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
    pub fn peer(&self, index: Index) -> libp2p_identity::PeerId {
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
        self.weather.delay + self.weather.jitter.mul_f64(self.rng.random())
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Wake(index) => {
                let due = self.nodes[index].wakes_at.is_some_and(|at| at <= self.now);
                if due && self.nodes[index].alive {
                    self.nodes[index].wakes_at = None;
                    let now = self.local_now(index);
                    self.call(index).handle_timeout(now);
                    self.drain(index);
                }
            }
            Happening::DialFails { from, ticket } => {
                if self.nodes[from].alive {
                    let now = self.local_now(from);
                    self.call(from).handle_dial_failed(Ticket(ticket), now);
                    self.drain(from);
                }
            }
            Happening::Connect {
                from,
                ticket,
                to,
                expect,
            } => self.connect(from, ticket, to, expect),
            Happening::Frame {
                connection,
                to_listener,
                bytes,
            } => {
                self.arrive(connection, to_listener, &bytes, Call::handle_frame);
            }
            Happening::Datagram {
                connection,
                to_listener,
                bytes,
            } => {
                self.arrive(connection, to_listener, &bytes, Call::handle_datagram);
            }
            Happening::Closed { connection, listener } => {
                let link = &mut self.connections[connection];
                link.open = false;
                let end = if listener { link.listener } else { link.dialler };
                if self.ends.remove(&(end.node, end.conn)).is_some() && self.nodes[end.node].alive {
                    let now = self.local_now(end.node);
                    self.call(end.node).handle_closed(end.conn, now);
                    self.drain(end.node);
                }
            }
        }
    }

    fn connect(&mut self, from: Index, ticket: u64, to: Index, expect: u64) {
        if !self.nodes[from].alive || !self.nodes[to].alive {
            return;
        }
        let serial = self.connections.len() as u64;
        let dialler = End2 {
            node: from,
            conn: ConnId(serial * 2),
        };
        let listener = End2 {
            node: to,
            conn: ConnId(serial * 2 + 1),
        };
        let connection = self.connections.len();
        self.connections.push(Connection {
            dialler,
            listener,
            open: true,
            last_frame: [Duration::ZERO; 2],
        });
        self.ends.insert((from, dialler.conn), connection);
        self.ends.insert((to, listener.conn), connection);
        let mut exporter = [0; 32];
        self.rng.fill_bytes(&mut exporter);
        for (end, other, side) in [
            (dialler, listener, Side::Dialler(Ticket(ticket))),
            (
                listener,
                dialler,
                Side::Listener(sightline_mesh_proto::gate::ExpectId(expect)),
            ),
        ] {
            let connected = Connected {
                conn: end.conn,
                peer: self.peer(other.node),
                side,
                local: self.nodes[end.node].address,
                remote: self.nodes[other.node].address,
                exporter,
            };
            let now = self.local_now(end.node);
            self.call(end.node).handle_connected(&connected, now);
        }
        self.drain(to);
        self.drain(from);
    }

    fn arrive(
        &mut self,
        connection: usize,
        to_listener: bool,
        bytes: &[u8],
        handle: fn(&mut Call, ConnId, &[u8], Instant),
    ) {
        let link = &self.connections[connection];
        let (from, to) = if to_listener {
            (link.dialler, link.listener)
        } else {
            (link.listener, link.dialler)
        };
        if !self.nodes[to.node].alive || !self.ends.contains_key(&(to.node, to.conn)) {
            return;
        }
        let (local, remote) = (self.nodes[to.node].address, self.nodes[from.node].address);
        let now = self.local_now(to.node);
        if self.nodes[to.node]
            .gate
            .handle_incoming(local, remote, bytes, now)
        {
            handle(self.call(to.node), to.conn, bytes, now);
            self.drain(to.node);
        }
    }

    /// Does what a participant wants done.
    fn drain(&mut self, index: Index) {
        while let Some(output) = self.call(index).poll_output() {
            match output {
                Output::Gate(change) => self.nodes[index].gate.handle_change(change),
                Output::Dial {
                    ticket,
                    remote,
                    peer,
                    tag,
                } => {
                    self.dial(index, ticket, remote, peer, tag);
                }
                Output::Frame(conn, bytes) => self.send(index, conn, bytes, true),
                Output::Datagram(conn, bytes) => self.send(index, conn, bytes, false),
                Output::Close(conn) => self.close(index, conn),
                Output::Packet(peer, _, body) => self.note_packet(index, peer, &body),
                Output::Event(event) => self.nodes[index].events.push((self.now, event)),
            }
        }
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

    fn dial(
        &mut self,
        index: Index,
        ticket: Ticket,
        remote: SocketAddr,
        peer: Option<libp2p_identity::PeerId>,
        tag: [u8; 20],
    ) {
        let mut initial = vec![0; 1200];
        initial[0] = 0xc0;
        initial[4] = 1;
        initial[5] = 20;
        initial[6..26].copy_from_slice(&tag);
        let (local, now) = (self.nodes[index].address, self.local_now(index));
        let leaves = self.nodes[index]
            .gate
            .handle_outgoing(local, remote, initial.len(), now);
        assert!(leaves, "p{index} dials {remote}, which is not approved");

        let to = self
            .nodes
            .iter()
            .position(|node| node.address == remote && node.alive);
        let expect = to.and_then(|to| {
            let now = self.local_now(to);
            let gate = &mut self.nodes[to].gate;
            let passes = gate.handle_incoming(remote, local, &initial, now);
            let answered = passes && gate.handle_outgoing(remote, local, 1200, now);
            answered.then(|| gate.owner(&tag, now)).flatten()
        });
        let is_right = |to: &Index| peer.is_none_or(|peer| peer == self.peer(*to));
        match (to.filter(is_right), expect) {
            (Some(to), Some(expect)) => {
                // One and a half round trips, and a second more for each lost first packet.
                let mut after = self.latency() + self.latency() + self.latency();
                while self.rng.random_bool(self.weather.loss) {
                    after += Duration::from_secs(1);
                }
                let happening = Happening::Connect {
                    from: index,
                    ticket: ticket.0,
                    to,
                    expect: expect.0,
                };
                self.schedule(after, happening);
            }
            _ => self.schedule(
                DIAL_TIME,
                Happening::DialFails {
                    from: index,
                    ticket: ticket.0,
                },
            ),
        }
    }

    fn send(&mut self, index: Index, conn: ConnId, bytes: Vec<u8>, is_frame: bool) {
        let Some(connection) = self.ends.get(&(index, conn)).copied() else {
            return;
        };
        let to_listener = self.connections[connection].dialler == End2 { node: index, conn };
        let link = &self.connections[connection];
        let to = if to_listener { link.listener } else { link.dialler };
        let (local, remote) = (self.nodes[index].address, self.nodes[to.node].address);
        let now = self.local_now(index);
        let leaves = self.nodes[index]
            .gate
            .handle_outgoing(local, remote, bytes.len(), now);
        assert!(leaves, "p{index} sends to {remote}, which is not approved");
        if is_frame {
            let mut after = self.latency();
            while self.rng.random_bool(self.weather.loss) {
                after += self.weather.delay * 2 + Duration::from_millis(25);
            }
            let last = &mut self.connections[connection].last_frame[usize::from(to_listener)];
            *last = (*last).max(self.now + after);
            let after = *last - self.now;
            self.schedule(
                after,
                Happening::Frame {
                    connection,
                    to_listener,
                    bytes,
                },
            );
            return;
        }
        let copies = 1 + usize::from(self.rng.random_bool(self.weather.duplication));
        for _ in 0..copies {
            if !self.rng.random_bool(self.weather.loss) {
                let after = self.latency();
                let bytes = bytes.clone();
                self.schedule(
                    after,
                    Happening::Datagram {
                        connection,
                        to_listener,
                        bytes,
                    },
                );
            }
        }
    }

    fn close(&mut self, index: Index, conn: ConnId) {
        let Some(connection) = self.ends.get(&(index, conn)).copied() else {
            return;
        };
        let listener = self.connections[connection].listener == End2 { node: index, conn };
        // What was handed out before arrives before; the closing end is told at once.
        let after = self.connections[connection].last_frame[usize::from(!listener)]
            .saturating_sub(self.now)
            .max(self.weather.delay);
        self.schedule(
            after,
            Happening::Closed {
                connection,
                listener: !listener,
            },
        );
        self.schedule(Duration::ZERO, Happening::Closed { connection, listener });
    }

    fn note_packet(&mut self, index: Index, peer: libp2p_identity::PeerId, body: &[u8]) {
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
