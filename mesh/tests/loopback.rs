//! Participants in one process, over real sockets on loopback.
#![allow(clippy::expect_used, clippy::panic, clippy::disallowed_methods, missing_docs)]

use std::collections::BTreeSet;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc as blocking};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_mesh::{Entry, Events, Leaving, Mesh, Setup, Traffic};
use sightline_mesh_proto::packet::MAX_BULK;
use sightline_mesh_proto::route::{Rule, State};
use sightline_mesh_proto::{
    Admit, Candidate, Channel, Class, Clock, Code, Command, ConnId, End, Event, Name, Secret, UnixTime, Why,
};

/// What the wall clocks say: nothing may depend on it.
const WALL: UnixTime = UnixTime(0);

/// 5 min: how long anything may take before a test gives up on it. Only what never comes takes so long, on the slowest
/// machine.
const PATIENCE: Duration = Duration::from_secs(300);

static TURNS: Mutex<()> = Mutex::new(());

thread_local! {
    /// One test after the other. Kept until its thread ends; libtest gives each test a thread of its own.
    static TURN: MutexGuard<'static, ()> = TURNS.lock().unwrap_or_else(PoisonError::into_inner);
}

/// A packet of a member, or for one.
type Packet = (PeerId, Class, Vec<u8>);

/// Greets every receiver once whenever it is told to; hands on what comes.
struct Greeter {
    came: Mutex<blocking::Sender<Packet>>,
    receivers: Mutex<Vec<PeerId>>,
    waiting: Mutex<Vec<Packet>>,
    /// To whom bulk waits to leave.
    bulk: Mutex<Option<PeerId>>,
}

impl Greeter {
    fn greet(&self) {
        let receivers = self.receivers.lock().expect("unpoisoned");
        let greeting = receivers
            .iter()
            .map(|peer| (*peer, Class::Audio, b"hello".to_vec()));
        self.waiting.lock().expect("unpoisoned").extend(greeting);
    }
}

impl Traffic for Greeter {
    fn handle_receivers(&self, receivers: &[(PeerId, ConnId)], _: Instant) {
        let peers = receivers.iter().map(|(peer, _)| *peer).collect();
        *self.receivers.lock().expect("unpoisoned") = peers;
    }

    fn handle_packet(&self, peer: PeerId, class: Class, body: &[u8], _: Instant) {
        if class == Class::Marker {
            return assert_eq!(body, b"mark");
        }
        let came = (peer, class, body.to_vec());
        let _ended = self.came.lock().expect("unpoisoned").send(came);
    }

    fn poll_packet(&self, _: Instant) -> Option<Leaving> {
        let (to, class, body) = self.waiting.lock().expect("unpoisoned").pop()?;
        Some(Leaving {
            to,
            class,
            body,
            padded_to: 0,
        })
    }

    fn handle_bulk(&self, to: PeerId, waits: bool) {
        let mut bulk = self.bulk.lock().expect("unpoisoned");
        *bulk = waits.then_some(to);
    }

    fn poll_bulk(&self, _: Instant) -> Option<(PeerId, usize)> {
        Some((self.bulk.lock().expect("unpoisoned").take()?, ROOM))
    }

    fn handle_bulk_sent(&self, to: PeerId, bytes: usize, _: Instant) -> Option<Leaving> {
        assert!(bytes < ROOM + MAX_BULK, "{bytes} bytes where {ROOM} may leave");
        *self.bulk.lock().expect("unpoisoned") = Some(to);
        Some(Leaving {
            to,
            class: Class::Marker,
            body: b"mark".to_vec(),
            padded_to: 0,
        })
    }

    fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let waits = self.bulk.lock().expect("unpoisoned").is_some();
        waits.then_some(now)
    }
}

/// How much bulk leaves at once.
const ROOM: usize = 3 * MAX_BULK;

struct Participant {
    mesh: Mesh,
    greeter: Arc<Greeter>,
    events: Events,
    packets: blocking::Receiver<Packet>,
    seen: Vec<Event>,
}

fn enter(entry: Entry, name: &str) -> Participant {
    TURN.with(|_turn| ());
    let setup = Setup {
        entry,
        addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        name: Name::new(name),
        interfaces: Vec::new(),
        tell_medium: false,
        rule: Rule::Listed,
        admit: Admit::Code,
        clock: Clock {
            start: Instant::now(),
        },
    };
    let (sink, packets) = blocking::channel();
    let greeter = Arc::new(Greeter {
        came: Mutex::new(sink),
        receivers: Mutex::default(),
        waiting: Mutex::default(),
        bulk: Mutex::default(),
    });
    let (mesh, events) = Mesh::start(setup, Arc::clone(&greeter) as _).expect("a free port");
    Participant {
        mesh,
        greeter,
        events,
        packets,
        seen: Vec::new(),
    }
}

impl Participant {
    /// Waits for an event; those before it are kept in `seen`.
    fn wait<T>(&mut self, what: &str, pick: impl Fn(&Event) -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.events.try_recv() {
                Some(event) => {
                    let picked = pick(&event);
                    self.seen.push(event);
                    if let Some(picked) = picked {
                        return picked;
                    }
                }
                None if Instant::now() > deadline => panic!("no {what}; seen: {:?}", self.seen),
                None => std::thread::sleep(Duration::from_millis(1)),
            }
        }
    }

    fn code(&mut self) -> Code {
        self.mesh.sender().send_command(Command::NewCode(WALL));
        self.wait("code", |event| match event {
            Event::Code(code) => Some(code.clone()),
            _ => None,
        })
    }

    /// What of bulk found no room since this was last asked. Everything else is kept in `seen`.
    fn unsent(&mut self) -> Vec<Vec<u8>> {
        let mut unsent = Vec::new();
        while let Some(event) = self.events.try_recv() {
            match event {
                Event::Unsent(_, Channel::Bulk, body) => unsent.push(body),
                event => self.seen.push(event),
            }
        }
        unsent
    }

    fn wait_for_routes(&mut self, count: usize) {
        let mut active = BTreeSet::new();
        for event in &self.seen {
            if let Event::Route(step) = event
                && step.route.state == State::Active
            {
                active.insert(step.route.peer);
            }
        }
        while active.len() < count {
            active.insert(self.wait("route", |event| match event {
                Event::Route(step) if step.route.state == State::Active => Some(step.route.peer),
                _ => None,
            }));
        }
    }

    /// Sends until the other side has it: datagrams may be lost.
    fn reaches(&self, other: &Self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            self.greeter.greet();
            self.mesh.sender().wake();
            if let Ok((peer, class, body)) = other.packets.recv_timeout(Duration::from_millis(50))
                && peer == self.mesh.me()
            {
                return class == Class::Audio && body == b"hello";
            }
        }
        false
    }
}

#[test]
fn two_meet_by_a_code_and_only_their_addresses_are_in_the_ledgers() {
    let mut ann = enter(Entry::Start, "ann");
    let code = ann.code();
    let mut bob = enter(Entry::Join(code), "bob");
    ann.wait_for_routes(1);
    bob.wait_for_routes(1);
    assert!(ann.reaches(&bob));
    assert!(bob.reaches(&ann));
    for (one, other) in [(&ann, &bob), (&bob, &ann)] {
        let ledger = one.mesh.ledger();
        let rows: Vec<_> = ledger.rows().collect();
        assert_eq!(rows.len(), 1);
        let (pair, row) = rows[0];
        assert_eq!(pair, (one.mesh.local()[0], other.mesh.local()[0]));
        assert_eq!(row.peer, Some(other.mesh.me()));
        assert_eq!(
            row.counts.refused_packets + ledger.earlier().counts.refused_packets,
            0
        );
    }
    bob.mesh.stop();
    let why = ann.wait("leaving", |event| match event {
        Event::Left { why, .. } => Some(*why),
        _ => None,
    });
    assert_eq!(why, Why::Left);
    ann.mesh.stop();
}

#[test]
fn five_become_a_full_mesh() {
    let mut people = vec![enter(Entry::Start, "p0")];
    for index in 1..5 {
        let code = people[index / 2].code();
        let mut next = enter(Entry::Join(code), &format!("p{index}"));
        next.wait("admission", |event| (*event == Event::Admitted).then_some(()));
        people.push(next);
    }
    for person in &mut people {
        person.wait_for_routes(4);
    }
    for one in &people {
        for other in people.iter().filter(|other| other.mesh.me() != one.mesh.me()) {
            assert!(one.reaches(other));
        }
    }
    for person in people {
        person.mesh.stop();
    }
}

#[test]
fn fifteen_who_come_at_the_same_moment_are_all_let_in() {
    let mut ann = enter(Entry::Start, "ann");
    let codes: Vec<_> = (0..15).map(|_| ann.code()).collect();
    let names = (0..).map(|index| format!("guest {index}"));
    let enter = |(code, name): (Code, String)| enter(Entry::Join(code), &name);
    let mut guests: Vec<_> = codes.into_iter().zip(names).map(enter).collect();
    for guest in &mut guests {
        guest.wait("admission", |event| (*event == Event::Admitted).then_some(()));
    }
    ann.wait_for_routes(guests.len());
    for person in guests.into_iter().chain([ann]) {
        person.mesh.stop();
    }
}

/// A socket of somebody who is no participant. It waits for what comes, but not forever.
fn plain() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    socket.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    socket
}

/// What a stranger has sent so far, so many packets, was met with silence. Decided by who comes after it: once
/// that one is let in through the same socket, all of it has been handled.
fn assert_silence(ann: &Participant, code: &Code, stranger: &UdpSocket, packets: usize) {
    let mut next = enter(Entry::Join(code.clone()), "next");
    next.wait("admission", |event| (*event == Event::Admitted).then_some(()));
    stranger.set_nonblocking(true).expect("a socket");
    assert!(
        stranger.recv_from(&mut [0; 2048]).is_err(),
        "the stranger got an answer"
    );
    let ledger = ann.mesh.ledger();
    let pair = (ann.mesh.local()[0], stranger.local_addr().expect("bound"));
    let counts = ledger.row(pair).expect("a row").counts;
    assert_eq!(
        (counts.refused_packets, counts.sent_packets, counts.recv_packets),
        (packets as u64, 0, 0)
    );
    next.mesh.stop();
}

/// The first packets of the real program on its way in with this code.
fn first_packets(code: &Code) -> Vec<Vec<u8>> {
    let wire = plain();
    let code = Code {
        candidates: vec![Candidate::local(wire.local_addr().expect("bound"))],
        ..code.clone()
    };
    let joiner = enter(Entry::Join(code), "joiner");
    let packets = [(); 2].map(|()| {
        let mut packet = vec![0; 2048];
        let (len, _) = wire.recv_from(&mut packet).expect("a first packet");
        packet.truncate(len);
        packet
    });
    joiner.mesh.stop();
    packets.into()
}

#[test]
fn a_valid_first_packet_without_a_good_tag_is_met_with_silence() {
    let mut ann = enter(Entry::Start, "ann");
    let to = ann.mesh.local()[0];
    // Who holds a withdrawn code is told so for ten minutes, or until sixteen others were made.
    let forgotten = ann.code();
    ann.mesh.sender().send_command(Command::Withdraw);
    let codes: Vec<_> = (0..16).map(|_| ann.code()).collect();
    // Of a secret that Ann does not know, a tag is as good as none.
    let unknown = Code {
        secret: Secret([7; 32]),
        ..codes[0].clone()
    };
    let good = first_packets(&codes[0]);
    let first = plain();
    for packet in &good {
        first.send_to(packet, to).expect("sent");
    }
    first
        .recv_from(&mut [0; 2048])
        .expect("an answer where they come from first");
    // Copied from somebody else, without one, and too late.
    let strange = [good, first_packets(&unknown), first_packets(&forgotten)].concat();
    let stranger = plain();
    for packet in &strange {
        stranger.send_to(packet, to).expect("sent");
    }
    assert_silence(&ann, &codes[1], &stranger, strange.len());
    ann.mesh.stop();
}

#[test]
fn a_stranger_hears_nothing_whatever_it_sends() {
    let mut ann = enter(Entry::Start, "ann");
    let code = ann.code();
    let stranger = plain();
    let to = ann.mesh.local()[0];
    let initial = |version: u32, length: usize| {
        let mut packet = vec![0x5a; length];
        packet[0] = 0xc3;
        packet[1..5].copy_from_slice(&version.to_be_bytes());
        packet[5] = 20;
        packet
    };
    // An Initial without a tag; an unknown version (QUIC would negotiate); a short packet (QUIC would reset).
    let packets = [
        initial(1, 1200),
        initial(0x0a0a_0a0a, 1200),
        vec![0x40; 200],
        b"hello".to_vec(),
    ];
    for packet in &packets {
        stranger.send_to(packet, to).expect("sent");
    }
    assert_silence(&ann, &code, &stranger, packets.len());
    ann.mesh.stop();
}

#[test]
fn a_used_code_is_told_apart_from_nobody_there() {
    let mut ann = enter(Entry::Start, "ann");
    let code = ann.code();
    let mut bob = enter(Entry::Join(code.clone()), "bob");
    bob.wait("admission", |event| (*event == Event::Admitted).then_some(()));
    let mut eve = enter(Entry::Join(code), "eve");
    let end = eve.wait("end", |event| match event {
        Event::Ended(end) => Some(*end),
        _ => None,
    });
    assert!(matches!(end, End::Refused(_)), "{end:?}");
    for person in [ann, bob, eve] {
        person.mesh.stop();
    }
}

/// A message of bulk that can be told from others, a little shorter each time.
fn bulk(number: usize) -> Vec<u8> {
    let len = Channel::Bulk.max_message() - number;
    (0..len).map(|at| (at * 31 + number * 7) as u8).collect()
}

#[test]
fn bulk_comes_whole_and_in_order_however_slowly_it_is_taken_and_control_goes_on_meanwhile() {
    let mut ann = enter(Entry::Start, "ann");
    let code = ann.code();
    let mut bob = enter(Entry::Join(code), "bob");
    ann.wait_for_routes(1);
    bob.wait_for_routes(1);
    let (ann_id, bob_id) = (ann.mesh.me(), bob.mesh.me());
    let send = |body| Command::Send(bob_id, Channel::Bulk, body);
    // More than is ever under way: Bob does not take any yet.
    let (mut sent, mut refused) = (0, Vec::new());
    while refused.is_empty() {
        ann.mesh.sender().send_command(send(bulk(sent)));
        sent += 1;
        refused.extend(ann.unsent());
        assert!(sent < 10_000, "nobody is ever told that there is no room");
    }
    // What is not bulk passes it by.
    assert!(ann.reaches(&bob));
    let mut came = Vec::new();
    while came.len() + refused.len() < sent {
        refused.extend(ann.unsent());
        let message = bob.events.try_recv().and_then(|event| match event {
            Event::Message {
                peer,
                channel: Channel::Bulk,
                body,
                ..
            } if peer == ann_id => Some(body),
            _ => None,
        });
        match message {
            Some(message) => came.push(message),
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    }
    let window = Channel::Bulk.window() / Channel::Bulk.max_message();
    assert!(
        came.len() >= window - 1,
        "{} of a window of {window} came",
        came.len()
    );
    let mut expected = (0..sent).map(bulk).filter(|body| !refused.contains(body));
    assert!(came.iter().all(|body| expected.next().as_ref() == Some(body)));
    let room = Event::Room(bob_id, Channel::Bulk);
    if !ann.seen.contains(&room) {
        ann.wait("room", |event| (*event == room).then_some(()));
    }
    let gone = |event: &Event| matches!(event, Event::Left { .. } | Event::Problem(..)).then_some(());
    assert!(
        !ann.seen
            .iter()
            .chain(&bob.seen)
            .any(|event| gone(event).is_some())
    );
    bob.mesh.stop();
    ann.wait("leaving", gone);
}
