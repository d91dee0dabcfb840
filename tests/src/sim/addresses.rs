//! Addresses that go, come and change.

use std::net::SocketAddr;

use sightline_mesh_proto::gate::Obstacle;
use sightline_mesh_proto::interface::{Interface, Medium};

use super::happen::Happening;
use super::{IDLE, Index, Socket, World};

impl World {
    /// From now on a participant's operating system takes nothing that it sends.
    pub fn block(&mut self, index: Index, obstacle: Obstacle) {
        self.nodes[index].obstacle = Some(obstacle);
        self.break_paths();
    }

    /// Takes a participant's addresses away, and gives it others, perhaps ones that it had before.
    pub fn move_to(&mut self, index: Index, addresses: &[SocketAddr]) {
        for socket in &mut self.nodes[index].sockets {
            socket.is_up = addresses.iter().any(|address| address.ip() == socket.local.ip());
        }
        let mut interfaces = self.interfaces(index);
        for address in addresses {
            if interfaces
                .iter()
                .all(|interface| interface.address != address.ip())
            {
                interfaces.push(Interface {
                    name: format!("{}{}", self.nodes[index].interface.0, address.ip()),
                    address: address.ip(),
                    medium: Medium::Wifi,
                    index: self.nodes[index].made,
                });
            }
        }
        self.break_paths();
        let now = self.local_now(index);
        let own = self.own_addresses(index, &interfaces);
        self.call(index).handle_own_addresses(own);
        self.call(index).handle_interfaces(interfaces, now);
        self.drain(index);
    }

    /// A participant's interface is something else now, under the same name and address.
    pub fn turn_into(&mut self, index: Index, medium: Medium) {
        self.nodes[index].medium = medium;
        self.tell_interfaces(index);
    }

    /// A participant's interfaces go by other names now, perhaps ones that its user does not let it use.
    pub fn rename(&mut self, index: Index, prefix: &'static str, may_be_used: bool) {
        self.nodes[index].interface = (prefix, may_be_used);
        self.tell_interfaces(index);
    }

    /// The interfaces of all these are taken away and made anew at the same moment, with the same names and addresses.
    pub fn remake(&mut self, who: &[Index]) {
        for index in who {
            self.nodes[*index].made += 1;
        }
        self.break_paths();
        for index in who {
            self.tell_interfaces(*index);
        }
    }

    /// From now on nothing passes between anybody, or everything does again; no interface shows it.
    pub fn cut(&mut self, is_cut: bool) {
        self.is_cut = is_cut;
        self.break_paths();
    }

    pub(super) fn tell_interfaces(&mut self, index: Index) {
        let (interfaces, now) = (self.interfaces(index), self.local_now(index));
        self.call(index).handle_interfaces(interfaces, now);
        self.drain(index);
    }

    /// Opens a socket for a participant, or finds that the one that is there is good, or that the port is taken.
    pub(super) fn bind(&mut self, index: Index, wish: SocketAddr) {
        let now = self.local_now(index);
        let mut local = wish;
        if wish.port() == 0 {
            self.serial += 1;
            local.set_port(50_000 + self.serial as u16 % 10_000);
        }
        let node = &mut self.nodes[index];
        if node.on(wish).is_some() {
            return self.call(index).handle_bound(wish, wish, false, now);
        }
        if node.taken.contains(&wish) {
            return self.call(index).handle_port_taken(wish, now);
        }
        let made = node.made;
        let socket = Socket {
            made,
            ..Socket::at(local)
        };
        match node.sockets.iter_mut().find(|old| old.local == local) {
            Some(old) => *old = socket,
            None => node.sockets.push(socket),
        }
        self.call(index).handle_bound(wish, local, true, now);
    }

    /// The NAT before a participant forgets it, and gives it another port.
    pub fn rebind(&mut self, index: Index) {
        for socket in &mut self.nodes[index].sockets {
            socket.outside.set_port(socket.outside.port() + 1);
        }
        self.break_paths();
    }

    /// Connections whose ends are not where they were notice the silence.
    pub(super) fn break_paths(&mut self) {
        for connection in 0..self.connections.len() {
            if self.connections[connection].open && !self.is_through(connection) {
                for listener in [false, true] {
                    self.schedule(IDLE, Happening::Silent { connection, listener });
                }
            }
        }
    }
}
