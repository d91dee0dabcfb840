//! Seeking: members whose way is broken are looked for until they are back, or have said that they leave.

use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use super::{Call, Event, Problem};
use crate::dials::Target;
use crate::expected::Origin;
use crate::link::ConnId;
use crate::route::{Reason, State};
use crate::secret::Secret;
use crate::wire::Control;

/// 1.8 s: nothing comes for this long from a member only when the way is broken: beats and pings come each second.
const SILENCE: Duration = Duration::from_millis(1800);

/// Secrets to come back with that one member may use: of the last connections, the newest of which may have broken before
/// its secret arrived.
const MAX_RECONNECT_SECRETS: usize = 4;

/// A member that is being sought.
#[derive(Clone, Copy, Debug)]
pub struct Seek {
    since: Instant,
    next_at: Instant,
    /// Pairs that were tried: the next attempt goes on with those after them.
    tried: usize,
    /// The user knows that it takes long.
    is_told: bool,
}

impl Seek {
    const fn begin(now: Instant, is_told: bool) -> Self {
        Self {
            since: now,
            next_at: now,
            tried: 0,
            is_told,
        }
    }

    fn has_slowed_down(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= Duration::from_secs(30)
    }

    /// How many pairs are tried at once, and how long it takes until the next. Each costs the other side memory for a tag
    /// ([`crate::tag::Seen`]), so it becomes less.
    fn pace(&self, now: Instant) -> (usize, Duration) {
        let age = now.saturating_duration_since(self.since);
        if !self.has_slowed_down(now) {
            (3, Duration::from_secs(1))
        } else if age < Duration::from_secs(300) {
            (1, Duration::from_secs(5))
        } else {
            (1, Duration::from_secs(15))
        }
    }
}

impl Call {
    /// Pauses media to members that have been silent for a while and looks for a path to them: a NAT may have given them
    /// another port. Media continues if packets arrive again.
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
            if self.is_cut_off(self.link_of(&peer)) {
                self.stop_dialling(peer, Reason::Replaced, now);
            }
        }
    }

    /// There is no link, or its address of ours is gone.
    fn is_cut_off(&self, conn: Option<ConnId>) -> bool {
        let link = conn.and_then(|conn| self.links.get(&conn));
        link.is_none_or(|link| !self.sockets.is_open_on(&link.local))
    }

    /// The address of ours is there, and the socket on it may turn out to be good.
    fn may_serve_again(&self, conn: Option<ConnId>) -> bool {
        let link = conn.and_then(|conn| self.links.get(&conn));
        link.is_some_and(|link| self.sockets.may_open_again(&link.local))
    }

    /// The user is being asked about the path of this link.
    fn waits_for_user(&self, conn: Option<ConnId>) -> bool {
        let route = conn.and_then(|conn| self.peer_and_route(conn));
        route.is_some_and(|(_, route)| self.routes.is_asked(route))
    }

    /// Begins to look for the way back to a member.
    pub(super) fn seek(&mut self, peer: PeerId, now: Instant) {
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        member.be_patient(now);
        member.seek = Some(match member.seek {
            Some(seek) if member.restarts.take(now) => Seek::begin(now, seek.is_told),
            Some(seek) => seek,
            None => Seek::begin(now, false),
        });
        self.seek_next(now);
    }

    /// A member is there again.
    pub(super) fn stop_seeking(&mut self, peer: PeerId, now: Instant) {
        if let Some(member) = self.members.get_mut(&peer) {
            member.seek = None;
        }
        self.stop_dialling(peer, Reason::Replaced, now);
    }

    /// Dials whoever is due.
    pub(super) fn seek_next(&mut self, now: Instant) {
        let is_offline = self.sockets.is_offline();
        let mut due = Vec::new();
        let mut late = Vec::new();
        for (peer, member) in &mut self.members {
            let Some(seek) = member.seek.as_mut().filter(|seek| seek.next_at <= now) else {
                continue;
            };
            let (count, pause) = seek.pace(now);
            seek.next_at = now + pause;
            let Some((conn, secret)) = member.reconnect.clone() else {
                continue;
            };
            let is_late = !seek.is_told && !is_offline && seek.has_slowed_down(now);
            // Why it cannot be reached says more, and who is only waited for here is not lost.
            if is_late && member.unreached.is_none() && member.link.is_none() {
                seek.is_told = true;
                late.push(*peer);
            }
            due.push((*peer, conn, secret, count));
        }
        for peer in late {
            self.event(Event::Problem(Problem::Sought, Some(peer)));
        }
        for (peer, conn, secret, count) in due.into_iter().filter(|_| !is_offline) {
            self.seek_by_the_next(peer, conn, secret, count, now);
        }
    }

    /// Dials a member by the next `count` pairs of all that there are, where it was last before the others.
    fn seek_by_the_next(&mut self, peer: PeerId, conn: ConnId, secret: Secret, count: usize, now: Instant) {
        let last = self.last_path(&peer).map(|path| path.remote);
        let mut remotes: Vec<_> = last.into_iter().collect();
        let shared = self.addresses_of(&peer).into_iter();
        remotes.extend(shared.filter(|address| Some(*address) != last));
        let mut pairs = self.pairs(Some(peer), &remotes);
        let seek = self
            .members
            .get_mut(&peer)
            .and_then(|member| member.seek.as_mut());
        if let Some(seek) = seek.filter(|_| !pairs.is_empty()) {
            let first = seek.tried % pairs.len();
            pairs.rotate_left(first);
            pairs.truncate(count);
            seek.tried = seek.tried.wrapping_add(pairs.len());
        }
        self.dial_by(Target::Reconnect(peer, conn), secret, &remotes, pairs, now);
    }

    /// When the next member is due.
    pub(super) fn next_seek(&self) -> Option<Instant> {
        let sought = self.members.values().filter_map(|member| member.seek);
        sought.map(|seek| seek.next_at).min()
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
        let Some(peer) = self.links.get(&conn).map(|link| link.peer) else {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_goes_on_for_a_day_and_leaves_tags_for_hours() {
        let start = Instant::now();
        let seek = Seek::begin(start, false);
        let (mut now, mut tags, mut at) = (start, 0, Vec::new());
        while now < start + Duration::from_secs(24 * 3600) {
            let (count, pause) = seek.pace(now);
            tags += count;
            at.push((now - start, tags));
            now += pause;
        }
        let made_by = |minutes: u64| {
            let mut before = at.iter().rev();
            let last = before.find(|(age, _)| *age < Duration::from_secs(60 * minutes));
            last.map(|(_, tags)| *tags)
        };
        assert_eq!(at[30].0, Duration::from_secs(30), "each second at first");
        assert_eq!(made_by(5), Some(90 + 54));
        assert!(made_by(180).is_some_and(|tags| tags < 1024), "{:?}", made_by(180));
        assert!(made_by(24 * 60) > made_by(23 * 60), "it never ends");
    }
}
