//! Whether anybody can be reached at all: the pairs from this side's addresses to theirs; and when there is none, or
//! nothing came of them, why.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use libp2p_identity::PeerId;

use super::{Call, Event, Problem};
use crate::address::{Pair, can_reach, on_link_of};
use crate::gate::{Delivery, Obstacle};
use crate::link::ConnId;

/// 2.5 s: how long who joins waits for an address of this side that is not there yet. Linux may take a second to see
/// that a link is up, and IPv6 two until it is sure that nobody else has the address (RFC 4862, section 5.4).
pub const LINK_TIME: Duration = Duration::from_millis(2500);

/// Pairs to try for one member, by all of its addresses and all of ours.
pub const MAX_PAIRS: usize = 24;

/// Why nobody could be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Packets left, and nobody answered.
    Silence,
    /// Packets came back, and no connection came of them.
    Unfinished,
    /// None of this side's addresses is of a kind that reaches theirs.
    NoPair,
    /// One that is, is not there: its interface is down, or has only just come up.
    NotUp,
    /// All of theirs are this machine's own.
    Own,
    /// This machine's operating system took no packet.
    Blocked(Obstacle),
}

impl Unreached {
    /// A stable word for programs, when it ended the attempt to join.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silence => "unreachable",
            Self::Unfinished => "unfinished",
            Self::NoPair => "no_pair",
            Self::NotUp => "not_up",
            Self::Own => "own_addresses",
            Self::Blocked(Obstacle::Forbidden) => "firewall",
            Self::Blocked(Obstacle::TooLarge) => "too_large",
            Self::Blocked(Obstacle::NoRoute) => "no_route",
            Self::Blocked(Obstacle::Other) => "not_sent",
        }
    }

    /// A stable word for programs, when it keeps a member away.
    #[must_use]
    pub const fn member_word(self) -> &'static str {
        match self {
            Self::Silence => "member_unreachable",
            Self::Unfinished => "member_unfinished",
            Self::NoPair => "member_no_pair",
            Self::NotUp => "member_not_up",
            Self::Own => "member_own_addresses",
            Self::Blocked(Obstacle::Forbidden) => "member_firewall",
            Self::Blocked(Obstacle::TooLarge) => "member_too_large",
            Self::Blocked(Obstacle::NoRoute) => "member_no_route",
            Self::Blocked(Obstacle::Other) => "member_not_sent",
        }
    }
}

/// The sentence for who wanted to join.
impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cause(*self) {
            None => f.write_str(
                "Nobody answered at the addresses in the code. Is the person who gave it to you still in the call, \
                 and can your networks reach each other? A firewall on their machine, or a router on the way, may \
                 keep your packets out: it has to let UDP in at the port that the code names.",
            ),
            Some(cause) => write!(f, "Nobody could be reached: {cause}"),
        }
    }
}

/// The sentence for who misses a member.
pub fn about_member(why: Unreached) -> String {
    cause(why).map_or_else(
        || {
            "This member does not answer at the addresses that they share. A firewall on their machine, or a router \
             on the way, may keep your packets out. The others may be connected with them."
                .to_owned()
        },
        |cause| format!("This member cannot be reached from here: {cause}"),
    )
}

/// Why nothing was, or could be, sent, or nothing came of it; `None` when nobody answered.
const fn cause(why: Unreached) -> Option<&'static str> {
    Some(match why {
        Unreached::Silence => return None,
        Unreached::Unfinished => {
            "packets came back, but no connection came about. The line is too slow or loses too much, or another program \
             has the address now. Try again, or use another network."
        }
        Unreached::NoPair => {
            "none of your addresses is of a kind that reaches theirs (IPv4 and IPv6, say, or one that leads no further \
             than its own machine or link). Nothing was sent. Share an address of the same kind, or ask them to."
        }
        Unreached::NotUp => {
            "your address is not there. Its network interface is down, or has only just come up. Nothing was sent. \
             Connect the network, and try again."
        }
        Unreached::Own => {
            "this machine has all of their addresses itself (containers and virtual machines have the same ones \
             everywhere), so they lead to its own programs. Nothing was sent. Ask them to share another address."
        }
        Unreached::Blocked(Obstacle::Forbidden) => {
            "your own system let no packet out. A firewall or a rule on this machine forbids it. Allow this program to \
             send UDP, and try again."
        }
        Unreached::Blocked(Obstacle::TooLarge) => {
            "your own system let no packet out. The network of your address takes none of 1200 bytes, which QUIC \
             needs. Use another network, or raise its MTU to 1280."
        }
        Unreached::Blocked(Obstacle::NoRoute) => {
            "your own system knows no route from your address to theirs. Nothing was sent. Connect a network that leads \
             there, or share an address of it."
        }
        Unreached::Blocked(Obstacle::Other) => {
            "your own system let no packet out. Use another address or another network."
        }
    })
}

/// What came of the pairs that were tried.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From one of them packets left.
    has_left: bool,
    /// To one of them something came back.
    has_answer: bool,
    obstacle: Option<Obstacle>,
}

impl Outcome {
    /// A path led to nobody; `delivery` is what became of the last packet there, if there was one.
    pub const fn note(&mut self, delivery: Option<Delivery>) {
        let obstacle = match delivery {
            Some(Delivery::Sent) => {
                self.has_left = true;
                return;
            }
            Some(Delivery::Answered) => {
                self.has_answer = true;
                return;
            }
            Some(Delivery::Failed(obstacle)) => obstacle,
            // It did not come as far as the operating system.
            Some(Delivery::Refused) => Obstacle::Other,
            // It was not even tried.
            None => return,
        };
        if self.obstacle.is_none() {
            self.obstacle = Some(obstacle);
        }
    }

    /// `None` when no path came to an end by itself.
    pub fn verdict(&self) -> Option<Unreached> {
        if self.has_answer {
            return Some(Unreached::Unfinished);
        }
        if self.has_left {
            return Some(Unreached::Silence);
        }
        self.obstacle.map(Unreached::Blocked)
    }
}

impl Call {
    /// What became of the last packet on each pair that may be used, by [`crate::gate::Gate::deliveries`]; to be told
    /// before [`Call::handle_dial_failed`] and [`Call::handle_timeout`].
    pub fn handle_deliveries(&mut self, deliveries: BTreeMap<Pair, Delivery>) {
        self.deliveries = deliveries;
    }

    /// Every address of this machine, on whatever interface, up or not; to be told before
    /// [`Call::handle_interfaces`].
    pub fn handle_own_addresses(&mut self, own: Vec<IpAddr>) {
        self.own = own;
    }

    /// The pairs from here to any of `remotes`, each once.
    pub(super) fn pairs(&self, peer: Option<PeerId>, remotes: &[SocketAddr]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for path in remotes.iter().flat_map(|remote| self.pairs_to(peer, *remote)) {
            if pairs.len() < MAX_PAIRS && !pairs.contains(&path) {
                pairs.push(path);
            }
        }
        pairs
    }

    /// The pairs from here to `remote`, by each address of this side that fits: the one used last for this member
    /// first, then those that the others may know. Whoever made a code is dialled from those alone.
    pub(super) fn pairs_to(&self, peer: Option<PeerId>, remote: SocketAddr) -> Vec<Pair> {
        let fits = |local: &&SocketAddr| self.leads_there(**local, remote) && self.is_usable(local);
        let last = peer.and_then(|peer| self.last_path(&peer)).map(|path| path.local);
        let may_be_used = |local: &&SocketAddr| peer.is_some() || self.shared.contains(local);
        let mut locals: Vec<_> = self.locals.iter().filter(fits).filter(may_be_used).collect();
        locals.sort_by_key(|local| (Some(**local) != last, !self.shared.contains(local)));
        let path = |local: &SocketAddr| (*local, on_link_of(*local, remote));
        locals.into_iter().map(path).collect()
    }

    /// Whether packets from `local` to `remote` can arrive at somebody else. An address that this machine has itself
    /// leads to its own programs: only from that same address is it meant so, by two programs on one machine.
    fn leads_there(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let is_same = local.ip() == remote.ip();
        can_reach(local, remote)
            && (is_same || !self.is_own(remote))
            && !(is_same && local.port() == remote.port())
    }

    /// Whether a packet to `remote` can leave from `local` now, and to somebody else.
    pub(super) fn leads_out(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.is_open_on(&local) && self.leads_there(local, remote)
    }

    fn is_own(&self, remote: SocketAddr) -> bool {
        !remote.ip().is_loopback() && self.own.contains(&remote.ip())
    }

    /// Why there is no path to any of `remotes`.
    pub(super) fn why_no_pair(&self, remotes: &[SocketAddr]) -> Unreached {
        let mut ours = self.shared.iter().chain(&self.locals);
        let would_do = |local: &SocketAddr| remotes.iter().any(|remote| self.leads_there(*local, *remote));
        if ours.any(|local| !self.is_open_on(local) && would_do(local)) {
            Unreached::NotUp
        } else if !remotes.is_empty() && remotes.iter().all(|remote| self.is_own(*remote)) {
            Unreached::Own
        } else {
            Unreached::NoPair
        }
    }

    /// The operating system takes nothing any more for the member behind a link.
    pub(super) fn notice_obstacle(&mut self, conn: ConnId) {
        let Some(link) = self.links.get(&conn) else { return };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_answered_is_said_only_where_something_left() {
        let verdict = |deliveries: &[Option<Delivery>]| {
            let mut outcome = Outcome::default();
            for delivery in deliveries {
                outcome.note(*delivery);
            }
            outcome.verdict()
        };
        let [forbidden, too_large] =
            [Obstacle::Forbidden, Obstacle::TooLarge].map(|what| Some(Delivery::Failed(what)));
        assert_eq!(verdict(&[]), None);
        assert_eq!(
            verdict(&[forbidden, Some(Delivery::Sent)]),
            Some(Unreached::Silence)
        );
        assert_eq!(
            verdict(&[Some(Delivery::Answered), Some(Delivery::Sent)]),
            Some(Unreached::Unfinished)
        );
        assert_eq!(
            verdict(&[forbidden, too_large]),
            Some(Unreached::Blocked(Obstacle::Forbidden))
        );
        assert_eq!(
            verdict(&[Some(Delivery::Refused)]),
            Some(Unreached::Blocked(Obstacle::Other))
        );
        assert_eq!(verdict(&[None]), None, "what was not tried says nothing");
    }

    #[test]
    fn each_reason_has_its_own_word_and_sentence_and_only_silence_says_that_nobody_answered() {
        let obstacles = [
            Obstacle::Forbidden,
            Obstacle::TooLarge,
            Obstacle::NoRoute,
            Obstacle::Other,
        ];
        let mut all = vec![
            Unreached::Silence,
            Unreached::Unfinished,
            Unreached::NoPair,
            Unreached::NotUp,
            Unreached::Own,
        ];
        all.extend(obstacles.map(Unreached::Blocked));
        let mut said = std::collections::BTreeSet::new();
        for why in &all {
            let sentence = why.to_string();
            assert_eq!(
                sentence.contains("answered"),
                *why == Unreached::Silence,
                "{sentence}"
            );
            said.extend([why.word().to_owned(), why.member_word().to_owned()]);
            said.extend([sentence, about_member(*why)]);
        }
        assert_eq!(said.len(), 4 * all.len());
        assert!(Unreached::Silence.to_string().contains("firewall"));
    }
}
