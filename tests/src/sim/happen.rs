//! What happens when, and what participants want done about it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_mesh_proto::route::State;
use sightline_mesh_proto::{AttemptId, Call, Class, Closed, ConnId, Event, Output};

use super::{Index, World};

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
    pub(super) const fn handle(self) -> fn(&mut Call, ConnId, &[u8], Instant) {
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
pub(super) enum Happening {
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

impl World {
    pub(super) fn happen(&mut self, happening: Happening) {
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
    pub(super) fn drain(&mut self, index: Index) {
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

    pub(super) fn plan_wake(&mut self, index: Index) {
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
