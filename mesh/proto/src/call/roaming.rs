//! Roaming: addresses of this machine go and come, under the same name or another, and so do the sockets on them.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::connection::Closed;
use super::{Call, Event, Output, Problem};
use crate::address::with_any_port;
use crate::candidate::{Candidate, MAX_CANDIDATES};
use crate::gate::Change;
use crate::interface::{Interface, Medium};
use crate::link::ConnId;
use crate::roster::{Card, Entries, Moved};
use crate::route::{Reason, RouteId};
use crate::wire::Control;

/// 5 s: how often a socket that could not be opened is tried again.
const OPEN_AGAIN: Duration = Duration::from_secs(5);

impl Call {
    /// The network interfaces that are up and may be used, all of them, whenever one has changed; those that are more
    /// likely to lead to the others first.
    pub fn handle_interfaces(&mut self, interfaces: Vec<Interface>, now: Instant) {
        if self.ended || interfaces == self.interfaces {
            return;
        }
        let locals = self.locals.iter().chain(&self.awaited).chain(self.closed.keys());
        let locals: Vec<_> = locals.copied().collect();
        let before: Vec<_> = locals
            .iter()
            .map(|local| self.interface_of(local).cloned())
            .collect();
        self.interfaces = interfaces;
        let mut has_lost = false;
        for (local, before) in locals.iter().zip(before) {
            let place = |interface: &Interface| (interface.name.clone(), interface.index);
            match (before.as_ref().map(place), self.interface_of(local).map(place)) {
                (Some(_), None) => has_lost |= self.locals.contains(local),
                // It is back, on another interface, or on one made anew: the socket may be on what is gone.
                (before, Some(place)) if before.as_ref() != Some(&place) => self.open_anew(*local, now),
                _ => {}
            }
        }
        self.listen_where_usable();
        let back = self.tell_routes_what_is_usable(now);
        self.name_interfaces(now);
        if has_lost {
            self.event(Event::Problem(Problem::InterfaceGone, None));
        }
        if self.locals.iter().any(|local| !self.is_usable(local)) {
            self.look_for_another_address();
        }
        self.stop_dialling_from_gone_addresses(now);
        self.resume(&back, now);
        for conn in self.serving_links() {
            self.tell_medium(conn, now);
        }
        self.seek_everybody_cut_off(now);
        self.use_what_is_there(now);
    }

    /// Does what waited for an address of this side.
    fn use_what_is_there(&mut self, now: Instant) {
        self.find_new_pairs(now);
        if !self.shared_addresses().is_empty()
            && let Some((wall, since)) = self.code_awaited.take()
        {
            self.issue_code(wall.after(now.saturating_duration_since(since)), now);
        }
    }

    /// An address of ours serves again when a socket on it is known to be good.
    fn open_anew(&mut self, local: SocketAddr, now: Instant) {
        self.locals.retain(|known| *known != local);
        if !self.awaited.contains(&local) {
            self.closed.insert(local, Some(now + OPEN_AGAIN));
        }
        self.outputs.push_back(Output::Bind(local));
    }

    /// Tries again to open the sockets that could not be opened, where the address is there.
    pub(super) fn open_closed_sockets(&mut self, now: Instant) {
        let due = self.closed.iter().filter(|(local, at)| {
            let is_due = at.is_some_and(|at| at <= now);
            is_due && self.is_usable(local)
        });
        for local in due.map(|(local, _)| *local).collect::<Vec<_>>() {
            self.open_anew(local, now);
        }
    }

    /// Guests come in only at addresses that are there, on interfaces that may be used: a socket stays where it is when its
    /// interface gets another name.
    fn listen_where_usable(&mut self) {
        for local in self.shared.clone() {
            self.change_gate(if self.is_usable(&local) {
                Change::Listen(local)
            } else {
                Change::Ignore(local)
            });
        }
    }

    /// What a route says of its interface is what is so, under whatever name that goes now.
    fn name_interfaces(&mut self, now: Instant) {
        let renamed = self.routes.routes().filter_map(|route| {
            let name = &self.interface_of(&route.path.local)?.name;
            (route.path.interface.as_ref() != Some(name)).then(|| (route.id, name.clone()))
        });
        for (id, name) in renamed.collect::<Vec<_>>() {
            self.with_routes(now, |routes, _| routes.set_interface(id, name));
        }
    }

    pub(super) fn tell_routes_what_is_usable(&mut self, now: Instant) -> Vec<RouteId> {
        let locals = self.locals.iter().filter(|local| self.is_usable(local));
        let usable: Vec<_> = locals.copied().collect();
        self.with_routes(now, |routes, at| {
            routes.set_usable(|path| usable.contains(&path.local), at)
        })
    }

    /// Routes whose address of ours is back: who is served by one need not be sought any more.
    fn resume(&mut self, back: &[RouteId], now: Instant) {
        for conn in self.serving_links() {
            let served = self.peer_and_route(conn);
            let Some((peer, _)) = served.filter(|(_, route)| back.contains(route)) else {
                continue;
            };
            self.stop_seeking(peer, now);
            self.judge_link(conn, now);
        }
    }

    /// The links that serve members.
    pub(super) fn serving_links(&self) -> Vec<ConnId> {
        self.members.values().filter_map(|member| member.link).collect()
    }

    /// Opens sockets on addresses that this machine still has. Nothing is sent from them before the user agrees.
    fn look_for_another_address(&mut self) {
        for local in self.locals.clone() {
            if !self.is_usable(&local) && !self.shared.contains(&local) {
                self.locals.retain(|known| *known != local);
                self.outputs.push_back(Output::Unbind(local));
            }
        }
        let is_over = |local: &&SocketAddr| !self.is_usable(local) && !self.shared.contains(*local);
        for local in self.closed.keys().filter(is_over).copied().collect::<Vec<_>>() {
            self.closed.remove(&local);
        }
        let fresh: Vec<IpAddr> = self
            .interfaces
            .iter()
            .filter(|interface| interface.medium != Medium::Loopback && is_routable(interface.address))
            .map(|interface| interface.address)
            .filter(|ip| {
                let mut known = self.locals.iter().chain(&self.awaited).chain(self.closed.keys());
                known.all(|local| local.ip() != *ip)
            })
            .collect();
        let room = MAX_CANDIDATES.saturating_sub(self.locals.len() + self.closed.len());
        for ip in fresh.into_iter().take(room) {
            let port = self.locals.first().map_or(0, SocketAddr::port);
            self.outputs.push_back(Output::Bind(SocketAddr::new(ip, port)));
        }
    }

    /// For [`Output::Bind`] a socket is open, with another port if the wish had none. It may be the one that was there;
    /// if it `is_new`, connections on the one before are gone.
    pub fn handle_bound(&mut self, wish: SocketAddr, local: SocketAddr, is_new: bool, now: Instant) {
        if self.ended {
            return;
        }
        let stands_in = |old: &SocketAddr| *old != local && is_same_place(*old, local);
        let is_back = self.closed.remove(&wish).is_some() && self.locals.iter().any(stands_in);
        let is_for_another = |old: &SocketAddr| stands_in(old) && self.shared.contains(old);
        let is_stand_in = wish.port() == 0 && self.closed.keys().any(is_for_another);
        let was_awaited = self.awaited.contains(&wish);
        self.awaited.retain(|known| *known != wish);
        self.locals.retain(|known| *known != local);
        self.locals.push(local);
        // Before anybody is dialled from there.
        let back = self.tell_routes_what_is_usable(now);
        if was_awaited || is_stand_in || is_back {
            self.event(Event::Listening(self.locals.clone()));
            if is_stand_in || self.shared.contains(&wish) {
                self.untick(wish);
                self.share(local);
                self.announce(now);
            }
        }
        if is_new {
            self.close_links_on(local, now);
        }
        self.resume(&back, now);
        if self.shared.contains(&local) {
            self.stop_asking_about_the_cut_off(now);
        }
        self.seek_everybody_cut_off(now);
        self.use_what_is_there(now);
    }

    /// For [`Output::Bind`] no socket could be opened: another program has the port. If others know it, it is tried again
    /// and again, since codes and members lead there; until then another one stands in.
    pub fn handle_port_taken(&mut self, wish: SocketAddr, now: Instant) {
        if self.ended {
            return;
        }
        self.close_links_on(wish, now);
        let has_socket = self.locals.iter().any(|local| is_same_place(*local, wish));
        self.awaited.retain(|known| *known != wish);
        if self.shared.contains(&wish) {
            self.closed.insert(wish, Some(now + OPEN_AGAIN));
            if !has_socket {
                self.event(Event::Problem(Problem::PortTaken, None));
            }
        } else {
            self.closed.remove(&wish);
        }
        if !has_socket {
            self.outputs.push_back(Output::Bind(with_any_port(wish)));
        }
    }

    /// For [`Output::Bind`] no socket could be opened that keeps to its interface: the address is not used until that
    /// changes.
    pub fn handle_not_pinned(&mut self, wish: SocketAddr) {
        if self.ended {
            return;
        }
        if let Some(next_at) = self.closed.get_mut(&wish) {
            *next_at = None;
        }
        self.event(Event::Problem(Problem::NotPinned, None));
    }

    /// Connections on a socket that was replaced are gone.
    fn close_links_on(&mut self, local: SocketAddr, now: Instant) {
        let gone = self.links.iter().filter(|(_, link)| link.local == local);
        for conn in gone.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.close(conn, Reason::InterfaceGone);
            self.handle_closed(conn, Closed::Silent, now);
        }
    }

    /// None of this side's addresses is there.
    pub(super) fn is_offline(&self) -> bool {
        !self.locals.iter().any(|local| self.is_usable(local))
    }

    /// Shares the local address of a path that the user has agreed to.
    pub(super) fn share_local(&mut self, id: RouteId, now: Instant) {
        let Some(local) = self.routes.get(id).map(|route| route.path.local) else {
            return;
        };
        if !self.shared.contains(&local) {
            self.share(local);
            self.announce(now);
            // With one yes the address is ticked; what else waited for that alone need not be asked.
            self.judge_questions(now);
        }
    }

    /// Shares a local address: other members may know it, and it accepts connections.
    pub(super) fn share(&mut self, local: SocketAddr) {
        self.shared.push(local);
        if self.is_usable(&local) {
            self.change_gate(Change::Listen(local));
        }
    }

    fn untick(&mut self, local: SocketAddr) {
        self.shared.retain(|known| *known != local);
        self.change_gate(Change::Ignore(local));
    }

    /// Tells everybody who can be reached where this participant is now; who is not let in yet, in its card.
    pub(super) fn announce(&mut self, now: Instant) {
        let candidates = self.candidates();
        let Some(roster) = &mut self.roster else {
            let config = &self.config;
            if let Some(card) = Card::sign(&config.identity, self.noise.public(), &config.name, &candidates) {
                self.card = card;
            }
            return;
        };
        self.moves += 1;
        let Some(moved) = Moved::sign(&self.config.identity, roster.call(), self.moves, &candidates) else {
            return;
        };
        if roster
            .handle_moved(moved.clone())
            .is_ok_and(|news| news.is_some())
        {
            self.pass_on(vec![moved], None, now);
        }
    }

    /// Tells every member but the one on `from` who has moved.
    pub(super) fn pass_on(&mut self, moved: Vec<Moved>, from: Option<ConnId>, now: Instant) {
        let message = Control::Entries(Entries {
            moved,
            ..Entries::default()
        });
        for conn in self.serving_links() {
            if Some(conn) != from {
                self.send(conn, &message, now);
            }
        }
    }

    /// Addresses of this side that the others may know, and that are there.
    pub(super) fn shared_addresses(&self) -> Vec<SocketAddr> {
        let has_socket =
            |local: &&SocketAddr| !self.awaited.contains(local) && !self.closed.contains_key(*local);
        let is_there = |local: &&SocketAddr| self.is_usable(local) && has_socket(local);
        let shared = self.shared.iter().filter(is_there).take(MAX_CANDIDATES);
        shared.copied().collect()
    }

    /// The same, as the others are told.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        self.shared_addresses()
            .into_iter()
            .map(Candidate::local)
            .collect()
    }

    /// Where a member can be reached, as it says.
    pub(super) fn addresses_of(&self, peer: &PeerId) -> Vec<SocketAddr> {
        let candidates = self.roster.iter().flat_map(|roster| roster.candidates(peer));
        candidates.map(|candidate| candidate.address).collect()
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
