//! The network between the simulated participants: addresses that go and come, connections, loss and delay.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use rand::Rng;
use sightline_mesh_proto::address::Pair;
use sightline_mesh_proto::gate::Delivery;
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::{AttemptId, Call, Closed, ConnId, Connected, Exporter, Side};

use super::happen::{Carrier, Happening};
use super::{IDLE, Index, Socket, World};

/// One end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct End2 {
    pub(super) node: Index,
    pub(super) conn: ConnId,
    /// This end's address, and as the other end sees it.
    pub(super) local: SocketAddr,
    pub(super) outside: SocketAddr,
    pub(super) made: u32,
}

#[derive(Debug)]
pub(super) struct Connection {
    pub(super) dialler: End2,
    pub(super) listener: End2,
    pub(super) open: bool,
    /// When the last frame of each stream arrives each way: a stream keeps its order.
    pub(super) last_frame: [[Duration; 2]; 2],
}

impl World {
    pub(super) fn interfaces(&self, index: Index) -> Vec<Interface> {
        let node = &self.nodes[index];
        let (prefix, may_be_used) = node.interface;
        let up = node.sockets.iter().filter(|socket| socket.is_up && may_be_used);
        up.map(|socket| Interface {
            name: format!("{prefix}{}", socket.local.ip()),
            address: socket.local.ip(),
            medium: node.medium,
            index: node.made,
        })
        .collect()
    }

    pub(super) fn own_addresses(&self, index: Index, interfaces: &[Interface]) -> Vec<IpAddr> {
        let up = interfaces.iter().map(|interface| interface.address);
        up.chain(self.nodes[index].others.iter().copied()).collect()
    }

    pub(super) fn is_through(&self, connection: usize) -> bool {
        let link = &self.connections[connection];
        let are_there = [link.dialler, link.listener].iter().all(|end| {
            let node = &self.nodes[end.node];
            let is_it = |socket: Socket| socket.outside == end.outside && socket.made == end.made;
            node.obstacle.is_none() && node.on(end.local).is_some_and(is_it)
        });
        are_there && !self.is_cut
    }

    /// Kills a participant: it says nothing more, to nobody.
    pub fn kill(&mut self, index: Index) {
        self.nodes[index].alive = false;
        for connection in 0..self.connections.len() {
            for listener in [false, true] {
                let link = &self.connections[connection];
                let other = if listener { link.dialler } else { link.listener };
                if link.open && other.node == index {
                    let how = Closed::Silent;
                    self.schedule(
                        IDLE,
                        Happening::Closed {
                            connection,
                            listener,
                            how,
                        },
                    );
                }
            }
        }
    }

    pub(super) fn connect(
        &mut self,
        from: (Index, SocketAddr),
        attempt: u64,
        to: (Index, SocketAddr),
        expect: u64,
    ) {
        let [dials, listens] = [self.nodes[from.0].on(from.1), self.nodes[to.0].seen_as(to.1)];
        let (from, to) = (from.0, to.0);
        if self.is_cut {
            return self.schedule(Duration::ZERO, Happening::DialFails { from, attempt });
        }
        let (Some(dials), Some(listens)) = (dials, listens) else {
            return;
        };
        if !self.nodes[from].alive || !self.nodes[to].alive {
            return;
        }
        let serial = self.connections.len() as u64;
        let dialler = End2 {
            node: from,
            conn: ConnId(serial * 2),
            local: dials.local,
            outside: dials.outside,
            made: dials.made,
        };
        let listener = End2 {
            node: to,
            conn: ConnId(serial * 2 + 1),
            local: listens.local,
            outside: listens.outside,
            made: listens.made,
        };
        let connection = self.connections.len();
        self.connections.push(Connection {
            dialler,
            listener,
            open: true,
            last_frame: [[Duration::ZERO; 2]; 2],
        });
        self.ends.insert((from, dialler.conn), connection);
        self.ends.insert((to, listener.conn), connection);
        let mut exporter = [0; 32];
        self.rng.fill_bytes(&mut exporter);
        for (end, other, side) in [
            (dialler, listener, Side::Dialler(AttemptId(attempt))),
            (
                listener,
                dialler,
                Side::Listener(sightline_mesh_proto::tag::ExpectId(expect)),
            ),
        ] {
            if self.is_intercepted {
                self.rng.fill_bytes(&mut exporter);
            }
            let connected = Connected {
                conn: end.conn,
                peer: self.peer(other.node),
                side,
                local: end.local,
                remote: other.outside,
                exporter: Exporter(exporter),
            };
            let now = self.local_now(end.node);
            self.call(end.node).handle_connected(&connected, now);
        }
        self.drain(to);
        self.drain(from);
    }

    pub(super) fn arrive(
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
        if !self.is_through(connection) {
            return;
        }
        let (local, remote) = (to.local, from.outside);
        let now = self.local_now(to.node);
        if self.nodes[to.node]
            .gate
            .handle_incoming(local, remote, bytes, now)
        {
            handle(self.call(to.node), to.conn, bytes, now);
            self.drain(to.node);
        }
    }

    pub(super) fn dial(
        &mut self,
        index: Index,
        (local, remote): (SocketAddr, SocketAddr),
        attempt: AttemptId,
        peer: Option<libp2p_identity::PeerId>,
        tag: [u8; 20],
        patience: Duration,
    ) {
        let mut initial = vec![0; 1200];
        initial[0] = 0xc0;
        initial[4] = 1;
        initial[5] = 20;
        initial[6..26].copy_from_slice(&tag);
        let now = self.local_now(index);
        let is_approved = self.nodes[index].gate.is_open((local, remote), now);
        assert!(is_approved, "p{index} dials {remote}, which is not approved");
        if !self.leaves(index, (local, remote), initial.len(), now) {
            let (from, attempt) = (index, attempt.0);
            return self.schedule(patience, Happening::DialFails { from, attempt });
        }

        let mut nodes = self.nodes.iter();
        let to = nodes.position(|node| node.seen_as(remote).is_some() && node.alive && !self.is_cut);
        let from = self.nodes[index].on(local).map(|socket| socket.outside);
        let expect = to.zip(from).and_then(|(to, from)| {
            let now = self.local_now(to);
            let there = self.nodes[to].seen_as(remote)?.local;
            let node = &mut self.nodes[to];
            let row = node.gate.ledger().row((there, from));
            if node.lets_nobody_in && row.is_none_or(|row| row.counts.sent_packets == 0) {
                return None;
            }
            let gate = &mut node.gate;
            let passes = gate.handle_incoming(there, from, &initial, now);
            let answered = passes && self.leaves(to, (there, from), 1200, now);
            answered.then(|| self.nodes[to].gate.owner(&tag)).flatten()
        });
        let is_right = |to: &Index| peer.is_none_or(|peer| peer == self.peer(*to));
        match (to.filter(is_right), expect) {
            (Some(to), Some(expect)) => {
                // One and a half round trips, and a second more for each lost first packet.
                let mut after = self.latency() + self.latency() + self.latency();
                while self.weather.hop.loses(&mut self.random) {
                    after += Duration::from_secs(1);
                }
                let happening = if after < patience {
                    Happening::Connect {
                        from: index,
                        local,
                        attempt: attempt.0,
                        to,
                        remote,
                        expect: expect.0,
                    }
                } else {
                    Happening::DialFails {
                        from: index,
                        attempt: attempt.0,
                    }
                };
                self.schedule(after.min(patience), happening);
            }
            _ => self.schedule(
                patience,
                Happening::DialFails {
                    from: index,
                    attempt: attempt.0,
                },
            ),
        }
    }

    /// Whether gate and operating system let a datagram out.
    fn leaves(&mut self, index: Index, pair: Pair, len: usize, now: Instant) -> bool {
        let node = &mut self.nodes[index];
        match node.obstacle {
            Some(obstacle) if node.gate.is_open(pair, now) => {
                node.gate.handle_sent(pair, len, Delivery::Failed(obstacle), now);
                false
            }
            _ => node.gate.handle_outgoing(pair.0, pair.1, len, now),
        }
    }

    pub(super) fn send(&mut self, index: Index, conn: ConnId, bytes: Vec<u8>, carrier: Carrier) {
        let Some(connection) = self.ends.get(&(index, conn)).copied() else {
            return;
        };
        let link = &self.connections[connection];
        let to_listener = (link.dialler.node, link.dialler.conn) == (index, conn);
        let ends = [link.dialler, link.listener];
        let (local, remote) = (
            ends[usize::from(!to_listener)].local,
            ends[usize::from(to_listener)].outside,
        );
        let now = self.local_now(index);
        let leaves = self.leaves(index, (local, remote), bytes.len(), now);
        // What an address that is gone, or a system that takes nothing, would have sent is refused there; anything
        // else refused is a fault.
        let node = &self.nodes[index];
        let is_there = node.on(local).is_some() && node.interface.1 && node.obstacle.is_none();
        assert!(
            leaves || !is_there,
            "p{index} sends to {remote}, which is not approved"
        );
        if !leaves {
            return;
        }
        let stream = match carrier {
            Carrier::Control => 0,
            Carrier::Bulk => 1,
            Carrier::Datagram => return self.send_datagram(connection, to_listener, &bytes),
        };
        let after = self.weather.hop.part(self.now, &mut self.random);
        let last = &mut self.connections[connection].last_frame[stream][usize::from(to_listener)];
        *last = (*last).max(self.now + after);
        let after = *last - self.now;
        self.schedule(
            after,
            Happening::Arrives {
                connection,
                to_listener,
                carrier,
                bytes,
            },
        );
    }

    fn send_datagram(&mut self, connection: usize, to_listener: bool, bytes: &[u8]) {
        for after in self.weather.hop.packet(self.now, &mut self.random) {
            self.schedule(
                after,
                Happening::Arrives {
                    connection,
                    to_listener,
                    carrier: Carrier::Datagram,
                    bytes: bytes.to_vec(),
                },
            );
        }
    }

    pub(super) fn close(&mut self, index: Index, conn: ConnId) {
        let Some(connection) = self.ends.get(&(index, conn)).copied() else {
            return;
        };
        let end = self.connections[connection].listener;
        let listener = (end.node, end.conn) == (index, conn);
        // What was handed out before arrives before; the closing end is told at once.
        let after = self.connections[connection].last_frame[0][usize::from(!listener)]
            .saturating_sub(self.now)
            .max(self.weather.hop.delay);
        // Through a broken path the other end is told nothing; silence tells it.
        if self.is_through(connection) {
            let other = !listener;
            self.schedule(
                after,
                Happening::Closed {
                    connection,
                    listener: other,
                    how: Closed::Said,
                },
            );
        }
        let how = Closed::Said;
        self.schedule(
            Duration::ZERO,
            Happening::Closed {
                connection,
                listener,
                how,
            },
        );
    }
}
