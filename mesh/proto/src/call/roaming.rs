//! Roaming: addresses of this machine go and come, under the same name or another, and so do the sockets on them.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use libp2p_identity::PeerId;

use super::connection::Closed;
use super::{Call, Event, Output, Problem};
use crate::connection::ConnId;
use crate::gate::Change;
use crate::interface::Interface;
use crate::roster::{Card, Entries, Moved};
use crate::route::{Reason, RouteId};
use crate::sockets;
use crate::wire::Control;

impl Call {
    /// Every address of this machine, on whatever interface, up or not; to be told before
    /// [`Call::handle_interfaces`].
    pub fn handle_own_addresses(&mut self, own: Vec<IpAddr>) {
        self.sockets.handle_own_addresses(own);
    }

    /// The network interfaces that are up and may be used, all of them, whenever one has changed; those that are more
    /// likely to lead to the others first.
    pub fn handle_interfaces(&mut self, interfaces: Vec<Interface>, now: Instant) {
        if self.ended {
            return;
        }
        let Some(has_lost) = self.sockets.handle_interfaces(interfaces, now) else {
            return;
        };
        self.change_sockets();
        let back = self.tell_routes_what_is_usable(now);
        self.name_interfaces(now);
        if has_lost {
            self.event(Event::Problem(Problem::InterfaceGone, None));
        }
        self.stop_dialling_from_gone_addresses(now);
        self.resume(&back, now);
        for conn in self.members.links() {
            self.tell_medium(conn, now);
        }
        self.seek_everybody_cut_off(now);
        self.use_what_is_there(now);
    }

    /// Does what waited for an address of this side.
    fn use_what_is_there(&mut self, now: Instant) {
        self.find_new_pairs(now);
        if !self.sockets.shared_addresses().is_empty()
            && let Some((wall, since)) = self.code_awaited.take()
        {
            self.issue_code(wall.after(now.saturating_duration_since(since)), now);
        }
    }

    /// Hands out what is to become of sockets.
    pub(super) fn change_sockets(&mut self) {
        while let Some(output) = self.sockets.poll_output() {
            self.outputs.push_back(match output {
                sockets::Output::Bind(local) => Output::Bind(local),
                sockets::Output::Unbind(local) => Output::Unbind(local),
                sockets::Output::Listen(local) => Output::Gate(Change::Listen(local)),
                sockets::Output::Ignore(local) => Output::Gate(Change::Ignore(local)),
            });
        }
    }

    /// What a route says of its interface is what is so, under whatever name that goes now.
    fn name_interfaces(&mut self, now: Instant) {
        let renamed = self.routes.routes().filter_map(|route| {
            let name = &self.sockets.interface_of(&route.path.local)?.name;
            (route.path.interface.as_ref() != Some(name)).then(|| (route.id, name.clone()))
        });
        for (id, name) in renamed.collect::<Vec<_>>() {
            self.with_routes(now, |routes, _| routes.set_interface(id, name));
        }
    }

    pub(super) fn tell_routes_what_is_usable(&mut self, now: Instant) -> Vec<RouteId> {
        let usable = self.sockets.usable();
        self.with_routes(now, |routes, at| {
            routes.set_usable(|path| usable.contains(&path.local), at)
        })
    }

    /// Routes whose address of ours is back: who is served by one need not be sought any more.
    fn resume(&mut self, back: &[RouteId], now: Instant) {
        for conn in self.members.links() {
            let served = self.peer_and_route(conn);
            let Some((peer, _)) = served.filter(|(_, route)| back.contains(route)) else {
                continue;
            };
            self.stop_seeking(peer, now);
            self.judge_link(conn, now);
        }
    }

    /// For [`Output::Bind`] a socket is open, with another port if the wish had none. It may be the one that was there;
    /// if it `is_new`, connections on the one before are gone.
    pub fn handle_bound(&mut self, wish: SocketAddr, local: SocketAddr, is_new: bool, now: Instant) {
        if self.ended {
            return;
        }
        let bound = self.sockets.handle_bound(wish, local);
        self.change_sockets();
        // Before anybody is dialled from there.
        let back = self.tell_routes_what_is_usable(now);
        if bound.is_other_place {
            self.event(Event::Listening(self.sockets.open().to_vec()));
        }
        if bound.is_shared_anew {
            self.announce(now);
        }
        if is_new {
            self.close_links_on(local, now);
        }
        self.resume(&back, now);
        if self.sockets.is_shared(&local) {
            self.stop_asking_about_the_cut_off(now);
        }
        self.seek_everybody_cut_off(now);
        self.use_what_is_there(now);
    }

    /// For [`Output::Bind`] no socket could be opened: another program has the port.
    pub fn handle_port_taken(&mut self, wish: SocketAddr, now: Instant) {
        if self.ended {
            return;
        }
        self.close_links_on(wish, now);
        if self.sockets.handle_port_taken(wish, now) {
            self.event(Event::Problem(Problem::PortTaken, None));
        }
        self.change_sockets();
    }

    /// For [`Output::Bind`] no socket could be opened that keeps to its interface.
    pub fn handle_not_pinned(&mut self, wish: SocketAddr) {
        if self.ended {
            return;
        }
        self.sockets.handle_not_pinned(wish);
        self.event(Event::Problem(Problem::NotPinned, None));
    }

    /// Connections on a socket that was replaced are gone.
    fn close_links_on(&mut self, local: SocketAddr, now: Instant) {
        let gone = self.connections.iter().filter(|(_, link)| link.local == local);
        for conn in gone.map(|(conn, _)| *conn).collect::<Vec<_>>() {
            self.close(conn, Reason::InterfaceGone);
            self.handle_closed(conn, Closed::Silent, now);
        }
    }

    /// Shares the local address of a path that the user has agreed to.
    pub(super) fn share_local(&mut self, id: RouteId, now: Instant) {
        let Some(local) = self.routes.get(id).map(|route| route.path.local) else {
            return;
        };
        if !self.sockets.is_shared(&local) {
            self.sockets.share(local);
            self.change_sockets();
            self.announce(now);
            // With one yes the address is ticked; what else waited for that alone need not be asked.
            self.judge_questions(now);
        }
    }

    /// Tells everybody who can be reached where this participant is now; who is not let in yet, in its card.
    pub(super) fn announce(&mut self, now: Instant) {
        let candidates = self.sockets.candidates();
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
        for conn in self.members.links() {
            if Some(conn) != from {
                self.send(conn, &message, now);
            }
        }
    }

    /// Where a member can be reached, as it says.
    pub(super) fn addresses_of(&self, peer: &PeerId) -> Vec<SocketAddr> {
        let candidates = self.roster.iter().flat_map(|roster| roster.candidates(peer));
        candidates.map(|candidate| candidate.address).collect()
    }
}
