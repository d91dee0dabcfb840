//! The gate: which datagrams may pass between the program and the network. It stands at the socket, the last
//! place before the operating system, and counts everything in the [`Ledger`].

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use crate::address::Pair;
use crate::initial;
use crate::ledger::{Ledger, Passage};
use crate::secret::TagKey;
use crate::tag::{self, ExpectId, Seen, Tag};
use crate::time::Clock;

/// 10 s: how long a source address may send after a valid tag without further proof, and how long that packet may be
/// retransmitted from there: no longer than a dialler waits for the answer.
const UNVALIDATED_LIFETIME: Duration = Duration::from_secs(10);

/// 30 s: how long it may speak if something keeps coming. Over 64 kbit/s, with what else is on the line, a handshake
/// takes longer than ten.
const MAX_UNVALIDATED_TIME: Duration = Duration::from_secs(30);

/// Addresses that may be in their handshake at once by one code or introduction, so that its holder cannot keep everybody
/// else out.
const MAX_UNVALIDATED_EACH: usize = 4;

/// And by one sponsor, however many introductions they make: for four people who come at once.
const MAX_SPONSORED: usize = 4 * MAX_UNVALIDATED_EACH;

/// And in all: each of sixteen codes and fifteen members has its places.
const MAX_UNVALIDATED: usize = 16 * MAX_UNVALIDATED_EACH + 15 * MAX_SPONSORED;

/// Who answers for those that come in by a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sponsor {
    /// Whoever holds this code.
    Code(ExpectId),
    /// This member, which introduces them, or is to come back itself.
    Member(PeerId),
}

/// What became of a datagram of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The operating system took it.
    Sent,
    /// It took it, and something has come back since the first.
    Answered,
    /// The gate did not let it out.
    Refused,
    /// The operating system did not take it.
    Failed(Obstacle),
}

/// Why the operating system did not take a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// It is forbidden: by a firewall on this machine, say.
    Forbidden,
    /// The network of the local address takes only smaller ones.
    TooLarge,
    /// It knows no route there.
    NoRoute,
    /// Anything else.
    Other,
}

/// A change to what the gate lets pass.
#[derive(Clone, Debug)]
pub enum Change {
    /// Datagrams between these two may pass: a route is approved.
    Approve(Pair),
    /// They may pass as well, while the user is asked: a member is there, and needs to hear that it must wait. No
    /// media is ever made for them.
    Hold(Pair),
    /// They may no longer.
    Revoke(Pair),
    /// The remote address is this member's: written in the ledger.
    Name(Pair, PeerId),
    /// First packets with a tag of this key may come in, for which this sponsor answers.
    Expect(ExpectId, TagKey, Sponsor),
    /// They may no longer.
    Forget(ExpectId),
    /// They may come in at this address of ours: the user lets others know it.
    Listen(SocketAddr),
    /// They may no longer.
    Ignore(SocketAddr),
}

/// An address that is in its handshake.
#[derive(Debug)]
struct Unvalidated {
    since: Instant,
    until: Instant,
    /// The code or introduction by which it came.
    owner: ExpectId,
    sponsor: Sponsor,
}

/// The gate's state.
#[derive(Debug)]
pub struct Gate {
    clock: Clock,
    approved: BTreeSet<Pair>,
    held: BTreeSet<Pair>,
    /// Who is in a handshake.
    unvalidated: BTreeMap<Pair, Unvalidated>,
    names: BTreeMap<Pair, PeerId>,
    expected: BTreeMap<ExpectId, (TagKey, Sponsor)>,
    /// Local addresses on which unvalidated peers are accepted. At any other, probing does not reveal that this participant
    /// is there.
    listening: BTreeSet<SocketAddr>,
    seen: Seen,
    /// What became of the last datagram of ours on each approved or held pair.
    deliveries: BTreeMap<Pair, Delivery>,
    ledger: Ledger,
}

impl Gate {
    /// A gate that lets nothing pass yet.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        Self {
            clock,
            approved: BTreeSet::new(),
            held: BTreeSet::new(),
            unvalidated: BTreeMap::new(),
            names: BTreeMap::new(),
            expected: BTreeMap::new(),
            listening: BTreeSet::new(),
            seen: Seen::default(),
            deliveries: BTreeMap::new(),
            ledger: Ledger::default(),
        }
    }

    /// Applies a change that the call decided.
    pub fn handle_change(&mut self, change: Change) {
        match change {
            Change::Approve(pair) => {
                self.unvalidated.remove(&pair);
                self.held.remove(&pair);
                self.approved.insert(pair);
            }
            Change::Hold(pair) => {
                self.unvalidated.remove(&pair);
                self.approved.remove(&pair);
                self.held.insert(pair);
            }
            Change::Revoke(pair) => {
                self.approved.remove(&pair);
                self.held.remove(&pair);
                self.unvalidated.remove(&pair);
                self.names.remove(&pair);
                self.deliveries.remove(&pair);
            }
            Change::Name(pair, peer) => {
                self.ledger.name(pair, peer);
                if self.approved.contains(&pair) || self.held.contains(&pair) {
                    self.names.insert(pair, peer);
                }
            }
            Change::Expect(id, key, sponsor) => {
                self.expected.insert(id, (key, sponsor));
            }
            Change::Forget(id) => {
                self.expected.remove(&id);
                self.seen.forget(id);
            }
            Change::Listen(local) => {
                self.listening.insert(local);
            }
            Change::Ignore(local) => {
                self.listening.remove(&local);
                self.unvalidated.retain(|(at, _), _| *at != local);
            }
        }
    }

    /// Whether a datagram of `len` bytes may leave; counts it as if nothing else could stop it.
    pub fn handle_outgoing(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        len: usize,
        now: Instant,
    ) -> bool {
        let pair = (local, remote);
        let pass = self.is_open(pair, now);
        self.handle_sent(
            pair,
            len,
            if pass { Delivery::Sent } else { Delivery::Refused },
            now,
        );
        pass
    }

    /// Counts a datagram of `len` bytes for which [`Gate::is_open`] was asked before.
    pub fn handle_sent(&mut self, pair: Pair, len: usize, delivery: Delivery, now: Instant) {
        if self.approved.contains(&pair) || self.held.contains(&pair) {
            let before = self.deliveries.get(&pair);
            if !(delivery == Delivery::Sent && before == Some(&Delivery::Answered)) {
                self.deliveries.insert(pair, delivery);
            }
        }
        self.count(pair, len, delivery == Delivery::Sent, Passage::Sent, now);
    }

    /// Whether a received datagram may go on to QUIC; counts it.
    pub fn handle_incoming(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        datagram: &[u8],
        now: Instant,
    ) -> bool {
        let pair = (local, remote);
        let tag = initial::tag(datagram).filter(|_| !self.expected.is_empty());
        let pass = match tag {
            Some(tag) if self.seen.is_spent(&tag, remote, now) => false,
            Some(tag) => match self.owner(&tag) {
                Some(owner) => self.handle_tag(pair, &tag, owner, now),
                None => self.is_open(pair, now),
            },
            None => self.is_open(pair, now),
        };
        if pass {
            self.note_sign_of_life(pair, now);
        }
        self.count(pair, datagram.len(), pass, Passage::Received, now);
        pass
    }

    /// Which code or introduction a tag belongs to.
    #[must_use]
    pub fn owner(&self, tag: &Tag) -> Option<ExpectId> {
        self.expected
            .iter()
            .find_map(|(id, (key, _))| tag::is_valid(key, tag).then_some(*id))
    }

    /// The pairs that datagrams may pass between: of approved routes only, without those in their handshake and
    /// those that the user is asked about.
    pub fn approved(&self) -> impl Iterator<Item = Pair> {
        self.approved.iter().copied()
    }

    /// What became of the last datagram of ours between each pair that they may pass between for good, or while the
    /// user is asked.
    #[must_use]
    pub const fn deliveries(&self) -> &BTreeMap<Pair, Delivery> {
        &self.deliveries
    }

    /// What has been counted.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether datagrams may pass between `pair`, as a member's or in a handshake.
    #[must_use]
    pub fn is_open(&self, pair: Pair, now: Instant) -> bool {
        self.approved.contains(&pair)
            || self.held.contains(&pair)
            || self
                .unvalidated
                .get(&pair)
                .is_some_and(|unvalidated| now < unvalidated.until)
    }

    /// A valid tag lets its source speak, unless it is a copy.
    fn handle_tag(&mut self, pair: Pair, tag: &Tag, owner: ExpectId, now: Instant) -> bool {
        let is_open = self.is_open(pair, now);
        let Some((_, sponsor)) = self.expected.get(&owner) else {
            return false;
        };
        let sponsor = *sponsor;
        self.unvalidated.retain(|_, unvalidated| now < unvalidated.until);
        let of_owner = self
            .unvalidated
            .values()
            .filter(|unvalidated| unvalidated.owner == owner)
            .count();
        let sponsored = self
            .unvalidated
            .values()
            .filter(|unvalidated| unvalidated.sponsor == sponsor)
            .count();
        let has_room = self.unvalidated.len() < MAX_UNVALIDATED
            && of_owner < MAX_UNVALIDATED_EACH
            && sponsored < MAX_SPONSORED;
        let may_come_in = has_room && self.listening.contains(&pair.0);
        if !is_open && !may_come_in {
            return false;
        }
        let until = now + UNVALIDATED_LIFETIME;
        if !self.seen.insert(tag, owner, pair.1, now, until) {
            return false;
        }
        if !is_open {
            let unvalidated = Unvalidated {
                since: now,
                until,
                owner,
                sponsor,
            };
            self.unvalidated.insert(pair, unvalidated);
        }
        true
    }

    /// Something has come between `pair` that may: a handshake may go on, and what was sent was not in vain.
    fn note_sign_of_life(&mut self, pair: Pair, now: Instant) {
        if let Some(unvalidated) = self.unvalidated.get_mut(&pair) {
            unvalidated.until = (now + UNVALIDATED_LIFETIME).min(unvalidated.since + MAX_UNVALIDATED_TIME);
        }
        if let Some(delivery) = self.deliveries.get_mut(&pair)
            && *delivery == Delivery::Sent
        {
            *delivery = Delivery::Answered;
        }
    }

    fn count(&mut self, pair: Pair, len: usize, pass: bool, passed: Passage, now: Instant) {
        let passage = if pass { passed } else { Passage::Refused };
        let at = self.clock.since_start(now);
        let owner = self.names.get(&pair).copied();
        self.ledger.count(pair, len, passage, owner, at);
    }
}

#[cfg(test)]
mod tests;
