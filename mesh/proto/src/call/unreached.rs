//! Whom nothing leads to: the pairs to a member, and what the user is told when there is none, or nothing came of them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use libp2p_identity::PeerId;

use super::{Call, Event, Problem};
use crate::address::Pair;
use crate::connection::ConnId;
use crate::gate::Delivery;
use crate::reach::Unreached;
use crate::sockets::Locals;

impl Call {
    /// What became of the last packet on each pair that may be used, by [`crate::gate::Gate::deliveries`]; to be told
    /// before [`Call::handle_dial_failed`] and [`Call::handle_timeout`].
    pub fn handle_deliveries(&mut self, deliveries: BTreeMap<Pair, Delivery>) {
        self.deliveries = deliveries;
    }

    /// The pairs to any of a member's addresses, the local address that was used last first. Whoever made a code, of whom
    /// nothing else is known, is dialled from shared addresses alone.
    pub(super) fn pairs(&self, peer: Option<PeerId>, remotes: &[SocketAddr]) -> Vec<Pair> {
        let from = match peer {
            Some(peer) => Locals::All(self.consents.last(&peer).map(|path| path.local)),
            None => Locals::Shared,
        };
        self.sockets.pairs(from, remotes)
    }

    /// The operating system takes nothing any more for the member behind a link.
    pub(super) fn notice_obstacle(&mut self, conn: ConnId) {
        let Some(link) = self.connections.get(&conn) else {
            return;
        };
        let (peer, pair) = (link.peer, (link.local, link.remote));
        if let Some(Delivery::Failed(obstacle)) = self.deliveries.get(&pair).copied() {
            self.tell_unreached(peer, Unreached::Blocked(obstacle));
        }
    }

    /// Tells why a member cannot be reached, once until it can.
    pub(super) fn tell_unreached(&mut self, peer: PeerId, why: Unreached) {
        let Some(member) = self.members.get_mut(&peer) else {
            return;
        };
        if member.unreached.replace(why) != Some(why) {
            self.event(Event::Problem(Problem::Unreached(why), Some(peer)));
        }
    }
}
