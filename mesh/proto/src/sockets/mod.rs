//! This side's addresses: which are there, on which a socket is open or is to be, and which the others may know.
//!
//! ```text
//!   handle_interfaces, handle_bound, … ──►  Sockets  ──► poll_output: bind, unbind, listen, ignore
//!                                              │
//!                                              └── pairs.rs: which of them lead where
//! ```
//!
//! An address of this side is *open* (a socket is there), *awaited* (one is to be opened as soon as that can be) or *closed* (one
//! is to be opened anew). Of all three some are *shared*: the user lets the others know them.

mod pairs;

pub use self::pairs::Locals;

use std::collections::{BTreeMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use crate::address::with_any_port;
use crate::candidate::{Candidate, MAX_CANDIDATES};
use crate::interface::{Interface, Medium};

/// 5 s: how often a socket that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

/// What is to be done with a socket.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Open one on this address; to be answered by [`Sockets::handle_bound`] and its like.
    Bind(SocketAddr),
    /// Close the one on this address.
    Unbind(SocketAddr),
    /// Guests may come in at this address.
    Listen(SocketAddr),
    /// They may not any more.
    Ignore(SocketAddr),
}

/// What another socket changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bound {
    /// Other addresses are listened on than before.
    pub is_other_place: bool,
    /// And the others know them under another port.
    pub is_shared_anew: bool,
}

/// This side's addresses and sockets.
#[derive(Debug)]
pub struct Sockets {
    interfaces: Vec<Interface>,
    /// Every address of this machine, on whatever interface, up or not.
    own: Vec<IpAddr>,
    open: Vec<SocketAddr>,
    awaited: Vec<SocketAddr>,
    /// With when it is tried next; `None` once the interface changes.
    closed: BTreeMap<SocketAddr, Option<Instant>>,
    shared: Vec<SocketAddr>,
    outputs: VecDeque<Output>,
}

impl Sockets {
    /// Sockets are open on some addresses, and others are awaited; all of them are shared.
    pub fn new(
        open: Vec<SocketAddr>,
        awaited: Vec<SocketAddr>,
        interfaces: Vec<Interface>,
        own: Vec<IpAddr>,
    ) -> Self {
        let mut sockets = Self {
            interfaces,
            own,
            open,
            awaited,
            closed: BTreeMap::new(),
            shared: Vec::new(),
            outputs: VecDeque::new(),
        };
        // Of an address that is there already the system may only take a moment to be sure of it.
        for wish in sockets.awaited.clone() {
            if sockets.interface_of(&wish).is_some() {
                sockets.outputs.push_back(Output::Bind(wish));
            }
        }
        let all: Vec<_> = sockets.open.iter().chain(&sockets.awaited).copied().collect();
        for local in all {
            sockets.share(local);
        }
        sockets
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn handle_own_addresses(&mut self, own: Vec<IpAddr>) {
        self.own = own;
    }

    /// Other interfaces are up. Returns whether an address with an open socket is gone; `None` when nothing has changed.
    pub fn handle_interfaces(&mut self, interfaces: Vec<Interface>, now: Instant) -> Option<bool> {
        if interfaces == self.interfaces {
            return None;
        }
        let locals = self.open.iter().chain(&self.awaited).chain(self.closed.keys());
        let locals: Vec<_> = locals.copied().collect();
        let place = |interface: &Interface| (interface.name.clone(), interface.index);
        let places = |sockets: &Self| -> Vec<_> {
            let interfaces = locals.iter().map(|local| sockets.interface_of(local));
            interfaces.map(|interface| interface.map(place)).collect()
        };
        let before = places(self);
        self.interfaces = interfaces;
        let mut has_lost = false;
        for ((local, before), after) in locals.iter().zip(before).zip(places(self)) {
            match (before, after) {
                (Some(_), None) => has_lost |= self.open.contains(local),
                // It is back, on another interface, or on one made anew: the socket may be on what is gone.
                (before, Some(after)) if before.as_ref() != Some(&after) => self.open_anew(*local, now),
                _ => {}
            }
        }
        self.listen_where_usable();
        if self.open.iter().any(|local| !self.is_usable(local)) {
            self.look_for_another_address();
        }
        Some(has_lost)
    }

    /// For [`Output::Bind`] a socket is open, with another port if the wish had none.
    pub fn handle_bound(&mut self, wish: SocketAddr, local: SocketAddr) -> Bound {
        let stands_in = |old: &SocketAddr| *old != local && is_same_place(*old, local);
        let is_back = self.closed.remove(&wish).is_some() && self.open.iter().any(stands_in);
        let is_for_another = |old: &SocketAddr| stands_in(old) && self.shared.contains(old);
        let is_stand_in = wish.port() == 0 && self.closed.keys().any(is_for_another);
        let was_awaited = self.awaited.contains(&wish);
        self.awaited.retain(|known| *known != wish);
        self.open.retain(|known| *known != local);
        self.open.push(local);
        let is_other_place = was_awaited || is_stand_in || is_back;
        let is_shared_anew = is_other_place && (is_stand_in || self.shared.contains(&wish));
        if is_shared_anew {
            self.shared.retain(|known| *known != wish);
            self.outputs.push_back(Output::Ignore(wish));
            self.share(local);
        }
        Bound {
            is_other_place,
            is_shared_anew,
        }
    }

    /// For [`Output::Bind`] no socket could be opened: another program has the port. If others know it, it is tried again and
    /// again, since codes and members lead there; until then another one stands in. Returns whether the user is to know.
    pub fn handle_port_taken(&mut self, wish: SocketAddr, now: Instant) -> bool {
        let has_socket = self.open.iter().any(|local| is_same_place(*local, wish));
        self.awaited.retain(|known| *known != wish);
        let is_shared = self.shared.contains(&wish);
        if is_shared {
            self.closed.insert(wish, Some(now + OPEN_AGAIN));
        } else {
            self.closed.remove(&wish);
        }
        if !has_socket {
            self.outputs.push_back(Output::Bind(with_any_port(wish)));
        }
        is_shared && !has_socket
    }

    /// For [`Output::Bind`] no socket could be opened that keeps to its interface: the address is not used until that changes.
    pub fn handle_not_pinned(&mut self, wish: SocketAddr) {
        if let Some(next_at) = self.closed.get_mut(&wish) {
            *next_at = None;
        }
    }

    /// Tries again to open the sockets that could not be opened, where the address is there.
    pub fn handle_timeout(&mut self, now: Instant) {
        let due = self.closed.iter().filter(|(local, at)| {
            let is_due = at.is_some_and(|at| at <= now);
            is_due && self.is_usable(local)
        });
        for local in due.map(|(local, _)| *local).collect::<Vec<_>>() {
            self.open_anew(local, now);
        }
    }

    /// The others may know this address, and come in there.
    pub fn share(&mut self, local: SocketAddr) {
        self.shared.push(local);
        if self.is_usable(&local) {
            self.outputs.push_back(Output::Listen(local));
        }
    }

    /// The interface that has this address.
    pub fn interface_of(&self, local: &SocketAddr) -> Option<&Interface> {
        let mut interfaces = self.interfaces.iter();
        interfaces.find(|interface| interface.has(local))
    }

    /// Whether this address is there, and on an interface that may be used.
    pub fn is_usable(&self, local: &SocketAddr) -> bool {
        // Every address of 127.0.0.0/8 is there, though only one is listed.
        local.ip().is_loopback() || self.interface_of(local).is_some()
    }

    /// Whether a socket is open on this address, and the address is there.
    pub fn is_open_on(&self, local: &SocketAddr) -> bool {
        self.open.contains(local) && self.is_usable(local)
    }

    /// Whether the address is there, and the socket on it, which is opened anew, may turn out to be good.
    pub fn may_open_again(&self, local: &SocketAddr) -> bool {
        self.closed.contains_key(local) && self.is_usable(local)
    }

    /// Whether the others may know this address.
    pub fn is_shared(&self, local: &SocketAddr) -> bool {
        self.shared.contains(local)
    }

    /// Whether no socket is on an address that is there.
    pub fn is_offline(&self) -> bool {
        !self.open.iter().any(|local| self.is_usable(local))
    }

    /// Addresses on which sockets are open.
    pub fn open(&self) -> &[SocketAddr] {
        &self.open
    }

    /// Those of them that are there.
    pub fn usable(&self) -> Vec<SocketAddr> {
        let usable = self.open.iter().filter(|local| self.is_usable(local));
        usable.copied().collect()
    }

    /// Addresses that the others may know, and that are there with a socket.
    pub fn shared_addresses(&self) -> Vec<SocketAddr> {
        let has_socket =
            |local: &&SocketAddr| !self.awaited.contains(local) && !self.closed.contains_key(*local);
        let is_there = |local: &&SocketAddr| self.is_usable(local) && has_socket(local);
        let shared = self.shared.iter().filter(is_there).take(MAX_CANDIDATES);
        shared.copied().collect()
    }

    /// The same, as the others are told.
    pub fn candidates(&self) -> Vec<Candidate> {
        let shared = self.shared_addresses().into_iter();
        shared.map(Candidate::local).collect()
    }

    /// An address serves again when a socket on it is known to be good.
    fn open_anew(&mut self, local: SocketAddr, now: Instant) {
        self.open.retain(|known| *known != local);
        if !self.awaited.contains(&local) {
            self.closed.insert(local, Some(now + OPEN_AGAIN));
        }
        self.outputs.push_back(Output::Bind(local));
    }

    /// Guests come in only at addresses that are there, on interfaces that may be used: a socket stays where it is when its
    /// interface gets another name.
    fn listen_where_usable(&mut self) {
        for local in self.shared.clone() {
            self.outputs.push_back(if self.is_usable(&local) {
                Output::Listen(local)
            } else {
                Output::Ignore(local)
            });
        }
    }

    /// Opens sockets on addresses that this machine still has. Nothing is sent from them before the user agrees.
    fn look_for_another_address(&mut self) {
        let is_over = |local: &SocketAddr| !self.is_usable(local) && !self.shared.contains(local);
        let over: Vec<_> = self.open.iter().copied().filter(is_over).collect();
        let never: Vec<_> = self.closed.keys().copied().filter(is_over).collect();
        self.open.retain(|local| !over.contains(local));
        self.closed.retain(|local, _| !never.contains(local));
        self.outputs.extend(over.into_iter().map(Output::Unbind));
        let is_fresh = |ip: &IpAddr| {
            let mut known = self.open.iter().chain(&self.awaited).chain(self.closed.keys());
            known.all(|local| local.ip() != *ip)
        };
        let elsewhere = self
            .interfaces
            .iter()
            .filter(|interface| interface.medium != Medium::Loopback && is_routable(interface.address));
        let fresh = elsewhere.map(|interface| interface.address).filter(is_fresh);
        let room = MAX_CANDIDATES.saturating_sub(self.open.len() + self.closed.len());
        let port = self.open.first().map_or(0, SocketAddr::port);
        let binds = fresh.take(room).map(|ip| Output::Bind(SocketAddr::new(ip, port)));
        let binds: Vec<_> = binds.collect();
        self.outputs.extend(binds);
    }
}

/// Whether they are the same but for the port.
fn is_same_place(one: SocketAddr, other: SocketAddr) -> bool {
    with_any_port(one) == with_any_port(other)
}

/// Whether a member elsewhere could be reached from this address.
fn is_routable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}

#[cfg(test)]
mod tests;
