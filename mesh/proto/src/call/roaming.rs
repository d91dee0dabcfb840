//! Roaming: addresses of this machine go and come, links break, and members find back to each other.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::connection::{Dial, Target};
use super::introduction::Origin;
use super::{Call, Event, Output, Problem};
use crate::address::MAX_ADDRESSES;
use crate::gate::Change;
use crate::interface::{Interface, Medium};
use crate::link::ConnId;
use crate::roster::{Card, Entries, Moved};
use crate::route::{Reason, RouteId, State};
use crate::secret::Secret;
use crate::wire::Control;

/// 1 s: the time between attempts to get back to a member.
const RETRY: Duration = Duration::from_secs(1);

/// 1.8 s: nothing comes for this long from a member only when the way is broken: beats and pings come each second.
const SILENCE: Duration = Duration::from_millis(1800);

/// 30 s: how long a member that broke off is sought. It may come back by itself for longer.
const SEEK_TIME: Duration = Duration::from_secs(30);

/// A member that is being sought.
#[derive(Clone, Copy, Debug)]
pub struct Seek {
    until: Instant,
    next_at: Instant,
}

impl Call {
    /// The network interfaces that are up and may be used, all of them, whenever one has changed; those that are more
    /// likely to lead to the others first.
    pub fn handle_interfaces(&mut self, interfaces: Vec<Interface>, now: Instant) {
        if self.ended || interfaces == self.interfaces {
            return;
        }
        let locals: Vec<_> = self.locals.iter().chain(&self.awaited).copied().collect();
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
                (None, Some(_)) => self.outputs.push_back(Output::Bind(*local)),
                (Some(before), Some(now)) if before != now => {
                    // The same address on another interface, or on one made anew: the socket is on what is gone.
                    self.locals.retain(|known| known != local);
                    self.outputs.push_back(Output::Bind(*local));
                }
                _ => {}
            }
        }
        let back = self.tell_routes_what_is_usable(now);
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
        self.find_new_ways(now);
        if !self.shared_addresses().is_empty()
            && let Some((wall, since)) = self.code_awaited.take()
        {
            self.issue_code(wall.after(now.saturating_duration_since(since)), now);
        }
    }

    fn tell_routes_what_is_usable(&mut self, now: Instant) -> Vec<RouteId> {
        let locals = self.locals.iter().filter(|local| self.is_usable(local));
        let usable: Vec<_> = locals.copied().collect();
        self.with_routes(now, |routes, at| {
            routes.set_usable(|way| usable.contains(&way.local), at)
        })
    }

    /// Routes whose address of ours is back: who is served by one need not be sought any more.
    fn resume(&mut self, back: &[RouteId], now: Instant) {
        for conn in self.serving_links() {
            let served = self.peer_and_route(conn);
            let Some((peer, _)) = served.filter(|(_, route)| back.contains(route)) else {
                continue;
            };
            if let Some(member) = self.members.get_mut(&peer) {
                member.seek = None;
            }
            self.stop_dialling(peer, Reason::Replaced, now);
            self.judge_link(conn, now);
        }
    }

    /// Of a member from which nothing has come for a while, the way may have changed without a word, as when a NAT gives
    /// it another port: media pauses, and the way back is sought. If it was only silent, media goes on.
    pub(super) fn watch_the_silent(&mut self, now: Instant) {
        for conn in self.serving_links() {
            let Some(link) = self.links.get(&conn) else {
                continue;
            };
            let (peer, Some(id)) = (link.peer, link.route) else {
                continue;
            };
            if self.is_cut_off(Some(conn)) {
                // It is this side's address that is gone.
                continue;
            }
            let is_silent = now >= link.heard + SILENCE;
            let state = self.routes.get(id).map(|route| route.state);
            let is_sought = self
                .members
                .get(&peer)
                .is_some_and(|member| member.seek.is_some());
            if is_silent && state == Some(State::Active) {
                self.with_routes(now, |routes, at| routes.pause(id, Reason::Lost, at));
                self.notice_obstacle(conn);
                self.seek(peer, now);
            } else if !is_silent && state == Some(State::Paused) && is_sought {
                if let Some(member) = self.members.get_mut(&peer) {
                    member.seek = None;
                }
                self.stop_dialling(peer, Reason::Replaced, now);
                self.settle(conn, now);
            }
        }
    }

    /// The links that serve members.
    pub(super) fn serving_links(&self) -> Vec<ConnId> {
        self.members.values().filter_map(|member| member.link).collect()
    }

    /// Opens sockets on addresses that this machine still has. Nothing is sent from them before the user agrees.
    fn look_for_another_address(&mut self) {
        for local in self.locals.clone() {
            if !self.is_usable(&local) && !self.ticked.contains(&local) {
                self.locals.retain(|known| *known != local);
                self.outputs.push_back(Output::Unbind(local));
            }
        }
        let fresh: Vec<IpAddr> = self
            .interfaces
            .iter()
            .filter(|interface| interface.medium != Medium::Loopback && is_routable(interface.address))
            .map(|interface| interface.address)
            .filter(|ip| {
                let mut known = self.locals.iter().chain(&self.awaited);
                known.all(|local| local.ip() != *ip)
            })
            .collect();
        let room = MAX_ADDRESSES.saturating_sub(self.locals.len());
        for ip in fresh.into_iter().take(room) {
            let port = self.locals.first().map_or(0, SocketAddr::port);
            self.outputs.push_back(Output::Bind(SocketAddr::new(ip, port)));
        }
    }

    /// A socket was opened for [`Output::Bind`], perhaps on another port than wished for.
    pub fn handle_bound(&mut self, wish: SocketAddr, local: SocketAddr, now: Instant) {
        if self.ended {
            return;
        }
        self.locals.retain(|known| *known != wish && *known != local);
        self.locals.push(local);
        let was_awaited = self.awaited.contains(&wish);
        self.awaited.retain(|known| *known != wish);
        if was_awaited {
            self.event(Event::Listening(self.locals.clone()));
        }
        // The same address of ours, on another port because its interface was made anew, or with one at last.
        if (was_awaited || wish != local) && self.ticked.contains(&wish) {
            self.untick(wish);
            self.tick(local);
            self.announce(now);
        }
        let back = self.tell_routes_what_is_usable(now);
        self.resume(&back, now);
        self.seek_everybody_cut_off(now);
        self.use_what_is_there(now);
    }

    /// Seeks the members whose link is gone, or goes over an address that is.
    fn seek_everybody_cut_off(&mut self, now: Instant) {
        if self.is_offline() {
            return;
        }
        let members = self
            .members
            .iter()
            .filter(|(_, member)| self.is_cut_off(member.link));
        for peer in members.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.seek(peer, now);
        }
    }

    /// There is no link, or its address of ours is gone.
    fn is_cut_off(&self, conn: Option<ConnId>) -> bool {
        let link = conn.and_then(|conn| self.links.get(&conn));
        link.is_none_or(|link| !self.is_open_on(&link.local))
    }

    /// None of this side's addresses is there.
    pub(super) fn is_offline(&self) -> bool {
        !self.locals.iter().any(|local| self.is_usable(local))
    }

    /// Begins to look for the way back to a member.
    pub(super) fn seek(&mut self, peer: PeerId, now: Instant) {
        let Some(member) = self.members.get_mut(&peer).filter(|member| member.may_return()) else {
            return;
        };
        member.be_patient(now);
        let seek = Seek {
            until: now + SEEK_TIME,
            next_at: now,
        };
        member.seek = Some(seek);
        self.seek_next(now);
    }

    /// Dials whoever is due.
    pub(super) fn seek_next(&mut self, now: Instant) {
        let sought = self.members.iter_mut().filter_map(|(peer, member)| {
            member.seek = member.seek.filter(|seek| now < seek.until);
            let seek = member.seek.as_mut().filter(|seek| seek.next_at <= now)?;
            seek.next_at = now + RETRY;
            let (conn, secret) = member.comeback.clone()?;
            Some((
                *peer,
                conn,
                secret,
                member.last_way.as_ref().map(|way| way.remote),
            ))
        });
        for (peer, conn, secret, last) in sought.collect::<Vec<_>>() {
            let waits = |dial: &Dial| dial.target.peer() == Some(peer) && dial.is_asking();
            if self.is_offline() || self.dials.values().any(waits) {
                continue;
            }
            let mut remotes: Vec<_> = last.into_iter().collect();
            let shared = self.addresses_of(&peer).into_iter();
            remotes.extend(shared.filter(|address| Some(*address) != last));
            self.dial(Target::Return(peer, conn), secret, &remotes, now);
        }
    }

    /// When the next member is due.
    pub(super) fn next_seek(&self) -> Option<Instant> {
        let sought = self.members.values().filter_map(|member| member.seek);
        sought.map(|seek| seek.next_at).min()
    }

    /// Gives a member, on its new link, the secret to come back with should that link break.
    pub(super) fn offer_return(&mut self, peer: PeerId, conn: ConnId, now: Instant) {
        let secret = Secret::generate(&mut self.rng);
        let replaced = self.links.get(&conn).and_then(|link| link.replaces);
        self.expect(peer, Origin::Return(conn), secret.clone(), now);
        // Until the new secret has arrived the one before must do; those before that are of no more use.
        self.forget_expectations_of(
            &peer,
            |origin| matches!(origin, Origin::Return(old) if *old != conn && Some(*old) != replaced),
        );
        self.send(conn, &Control::Return(secret.0.into()), now);
    }

    /// A member says how to come back to it.
    pub(super) fn handle_return(&mut self, conn: ConnId, secret: Secret) {
        let Some(peer) = self.links.get(&conn).map(|link| link.peer) else {
            return;
        };
        if let Some(member) = self
            .members
            .get_mut(&peer)
            .filter(|member| member.link == Some(conn))
        {
            member.comeback = Some((conn, secret));
        }
    }

    /// The user agreed to a way from an address of this side: the others may know it from now on.
    pub(super) fn tick_local(&mut self, id: RouteId, now: Instant) {
        let Some(local) = self.routes.get(id).map(|route| route.way.local) else {
            return;
        };
        if !self.ticked.contains(&local) {
            self.tick(local);
            self.announce(now);
            // With one yes the address is ticked; what else waited for that alone need not be asked.
            self.judge_questions(now);
        }
    }

    /// The others may know this address of ours, and come in there.
    pub(super) fn tick(&mut self, local: SocketAddr) {
        self.ticked.push(local);
        self.change_gate(Change::Listen(local));
    }

    fn untick(&mut self, local: SocketAddr) {
        self.ticked.retain(|known| *known != local);
        self.change_gate(Change::Ignore(local));
    }

    /// Tells everybody who can be reached where this participant is now; who is not let in yet, in its card.
    pub(super) fn announce(&mut self, now: Instant) {
        let addresses = self.shared_addresses();
        let Some(roster) = &mut self.roster else {
            let config = &self.config;
            if let Some(card) = Card::sign(&config.identity, self.noise.public(), &config.name, &addresses) {
                self.card = card;
            }
            return;
        };
        self.moves += 1;
        let Some(moved) = Moved::sign(&self.config.identity, roster.call(), self.moves, &addresses) else {
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
        let is_there = |local: &&SocketAddr| self.is_usable(local) && !self.awaited.contains(local);
        self.ticked.iter().filter(is_there).copied().collect()
    }

    /// Where a member can be reached, as it says.
    pub(super) fn addresses_of(&self, peer: &PeerId) -> Vec<SocketAddr> {
        let roster = self.roster.as_ref();
        roster.map_or_else(Vec::new, |roster| roster.addresses(peer))
    }
}

/// Whether a member elsewhere could be reached from this address.
fn is_routable(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => !v4.is_loopback() && !v4.is_link_local() && !v4.is_unspecified(),
        IpAddr::V6(v6) => !v6.is_loopback() && !v6.is_unicast_link_local() && !v6.is_unspecified(),
    }
}
