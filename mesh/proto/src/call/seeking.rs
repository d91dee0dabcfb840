//! Seeking: members whose path is broken are looked for until they are back, or have said that they leave.

use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Problem};
use crate::connection::ConnId;
use crate::dials::Target;
use crate::expected::Origin;
use crate::members::{Due, Member};
use crate::route::{Reason, State};
use crate::secret::Secret;
use crate::wire::Control;

/// 1.8 s: nothing comes for this long from a member only when the path is broken: heartbeats and pings come each second.
const SILENCE: Duration = Duration::from_millis(1800);

/// Secrets to come back with that one member may use: of the last connections, the newest of which may have broken before
/// its secret arrived.
const MAX_RECONNECT_SECRETS: usize = 4;

impl Call {
    /// Pauses media to members that have been silent for a while and looks for a path to them: a NAT may have given them
    /// another port. Media continues if packets arrive again.
    pub(super) fn watch_the_silent(&mut self, now: Instant) {
        for conn in self.members.links() {
            let Some(link) = self.connections.get(&conn) else {
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
            let is_sought = self.members.get(&peer).is_some_and(Member::is_sought);
            if is_silent && state == Some(State::Active) {
                self.with_routes(now, |routes, at| routes.pause(id, Reason::Lost, at));
                self.notice_obstacle(conn);
                self.seek(peer, now);
            } else if !is_silent && state == Some(State::Paused) && is_sought && !self.routes.is_asked(id) {
                self.stop_seeking(peer, now);
                self.settle(conn, now);
            }
        }
    }

    /// Starts reconnecting to members whose link is lost, or uses an address that is gone, and to those whose link waits for
    /// the user, since a path that needs no question may be available again.
    pub(super) fn seek_everybody_cut_off(&mut self, now: Instant) {
        if self.sockets.is_offline() {
            return;
        }
        let members = self.members.iter().filter(|(_, member)| {
            let is_cut_off = self.is_cut_off(member.link) && !self.may_serve_again(member.link);
            is_cut_off || self.waits_for_user(member.link)
        });
        for peer in members.map(|(peer, _)| *peer).collect::<Vec<_>>() {
            self.seek(peer, now);
        }
    }

    /// An address that the others know is there again: who was to be reached from another one, if the user agreed, may need
    /// no question now.
    pub(super) fn stop_asking_about_the_cut_off(&mut self, now: Instant) {
        let asked = self.dials.asking().filter_map(|target| match target {
            Target::Reconnect(peer, _) => Some(peer),
            Target::Inviter | Target::Member(..) => None,
        });
        for peer in asked.collect::<Vec<_>>() {
            if self.is_cut_off(self.members.link_of(&peer)) {
                self.stop_dialling(peer, Reason::Replaced, now);
            }
        }
    }

    /// There is no link, or its address of ours is gone.
    fn is_cut_off(&self, conn: Option<ConnId>) -> bool {
        let link = conn.and_then(|conn| self.connections.get(&conn));
        link.is_none_or(|link| !self.sockets.is_open_on(&link.local))
    }

    /// The address of ours is there, and the socket on it may turn out to be good.
    fn may_serve_again(&self, conn: Option<ConnId>) -> bool {
        let link = conn.and_then(|conn| self.connections.get(&conn));
        link.is_some_and(|link| self.sockets.may_open_again(&link.local))
    }

    /// The user is being asked about the path of this link.
    fn waits_for_user(&self, conn: Option<ConnId>) -> bool {
        let route = conn.and_then(|conn| self.peer_and_route(conn));
        route.is_some_and(|(_, route)| self.routes.is_asked(route))
    }

    /// Begins to look for a path to a member again.
    pub(super) fn seek(&mut self, peer: PeerId, now: Instant) {
        if self.members.seek(&peer, now) {
            self.seek_next(now);
        }
    }

    /// A member is there again.
    pub(super) fn stop_seeking(&mut self, peer: PeerId, now: Instant) {
        self.members.stop_seeking(&peer);
        self.stop_dialling(peer, Reason::Replaced, now);
    }

    /// Dials whoever is due.
    pub(super) fn seek_next(&mut self, now: Instant) {
        let (due, late) = self.members.poll_seek(self.sockets.is_offline(), now);
        for peer in late {
            self.event(Event::Problem(Problem::Sought, Some(peer)));
        }
        for due in due {
            self.seek_by_the_next(due, now);
        }
    }

    /// Dials a member by the next pairs of all that there are, where it was last before the others.
    fn seek_by_the_next(&mut self, due: Due, now: Instant) {
        let peer = due.peer;
        let last = self.consents.last(&peer).map(|path| path.remote);
        let mut remotes: Vec<_> = last.into_iter().collect();
        let shared = self.addresses_of(&peer).into_iter();
        remotes.extend(shared.filter(|address| Some(*address) != last));
        let pairs = self.pairs(Some(peer), &remotes);
        let pairs = self.members.next_pairs(&peer, pairs, due.count);
        let target = Target::Reconnect(peer, due.conn);
        self.dial_by(target, due.secret, &remotes, pairs, now);
    }

    /// Gives a member, on its new link, the secret to come back with should that link break.
    pub(super) fn offer_reconnect(&mut self, peer: PeerId, conn: ConnId, now: Instant) {
        let secret = Secret::generate(&mut self.rng);
        self.expect(peer, Origin::Reconnect(conn), secret.clone(), now);
        // Nobody says whether the new secret has arrived, nor those before it.
        self.expected
            .forget_older_reconnects(&peer, MAX_RECONNECT_SECRETS);
        self.change_expected();
        self.send(conn, &Control::Reconnect(secret.0.into()), now);
    }

    /// A member says how to come back to it.
    pub(super) fn handle_reconnect(&mut self, conn: ConnId, secret: Secret) {
        let Some(peer) = self.connections.get(&conn).map(|link| link.peer) else {
            return;
        };
        if let Some(member) = self
            .members
            .get_mut(&peer)
            .filter(|member| member.link == Some(conn))
        {
            member.reconnect = Some((conn, secret));
        }
    }
}
