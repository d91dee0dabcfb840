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
    /// It knows no way there.
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
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::secret::Secret;

    const LOCAL: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    fn remote(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 99))
    }

    struct Setting {
        gate: Gate,
        key: TagKey,
        rng: StdRng,
        now: Instant,
    }

    fn setting() -> Setting {
        let now = Instant::now();
        let mut rng = StdRng::seed_from_u64(1);
        let key = Secret::generate(&mut rng).tag_key();
        let mut gate = Gate::new(Clock { start: now });
        let code = Sponsor::Code(ExpectId(1));
        gate.handle_change(Change::Expect(ExpectId(1), key.clone(), code));
        gate.handle_change(Change::Listen(LOCAL));
        Setting { gate, key, rng, now }
    }

    impl Setting {
        fn initial(&mut self) -> Vec<u8> {
            let mut datagram = vec![0; 1200];
            datagram[0] = 0xc0;
            datagram[4] = 1;
            datagram[5] = 20;
            let tag = tag::make(&self.key, &mut self.rng);
            datagram[6..26].copy_from_slice(&tag);
            datagram
        }

        fn comes_in(&mut self, from: SocketAddr, datagram: &[u8]) -> bool {
            self.gate.handle_incoming(LOCAL, from, datagram, self.now)
        }

        fn goes_out(&mut self, to: SocketAddr) -> bool {
            self.gate.handle_outgoing(LOCAL, to, 100, self.now)
        }
    }

    #[test]
    fn nothing_leaves_to_an_address_that_was_not_approved() {
        let mut setting = setting();
        assert!(!setting.goes_out(remote(1)));
        setting.gate.handle_change(Change::Approve((LOCAL, remote(1))));
        assert!(setting.goes_out(remote(1)));
        assert!(!setting.goes_out(remote(2)));
        let other_interface = SocketAddr::from(([192, 0, 2, 200], 1));
        let (gate, now) = (&mut setting.gate, setting.now);
        assert!(
            !gate.handle_outgoing(other_interface, remote(1), 100, now),
            "from elsewhere"
        );
        setting.gate.handle_change(Change::Revoke((LOCAL, remote(1))));
        assert!(!setting.goes_out(remote(1)));
        let row = setting.gate.ledger().row((LOCAL, remote(1))).expect("a row");
        assert_eq!(
            (
                row.counts.sent_packets,
                row.counts.sent_bytes,
                row.counts.refused_packets
            ),
            (1, 100, 2)
        );
    }

    #[test]
    fn a_stranger_gets_in_with_a_valid_tag_only_and_only_for_the_handshake() {
        let mut setting = setting();
        assert!(!setting.comes_in(remote(1), &[0xc0; 1200]));
        assert!(!setting.comes_in(remote(1), b"hello"));
        assert!(!setting.goes_out(remote(1)));
        let initial = setting.initial();
        assert!(setting.comes_in(remote(1), &initial));
        assert!(setting.goes_out(remote(1)), "the handshake is answered");
        assert!(setting.comes_in(remote(1), b"the rest of the handshake"));
        assert!(!setting.comes_in(remote(2), &initial), "a copy from elsewhere");
        setting.now += UNVALIDATED_LIFETIME;
        assert!(!setting.goes_out(remote(1)));
        assert!(!setting.comes_in(remote(1), b"late"));
    }

    #[test]
    fn a_handshake_on_a_slow_line_may_take_longer_while_something_comes_and_not_for_ever() {
        let mut setting = setting();
        let began = setting.now;
        let initial = setting.initial();
        assert!(setting.comes_in(remote(1), &initial));
        for _ in 0..8 {
            setting.now += UNVALIDATED_LIFETIME / 2;
            let goes_on = setting.now < began + MAX_UNVALIDATED_TIME;
            assert_eq!(setting.comes_in(remote(1), b"more of it"), goes_on);
            assert_eq!(setting.goes_out(remote(1)), goes_on);
        }
        let next = setting.initial();
        assert!(setting.comes_in(remote(1), &next), "with a tag it may begin anew");
    }

    #[test]
    fn what_was_answered_is_known_until_it_cannot_be_sent_any_more() {
        let mut setting = setting();
        let pair = (LOCAL, remote(1));
        setting.gate.handle_change(Change::Approve(pair));
        assert!(setting.goes_out(remote(1)) && setting.comes_in(remote(1), b"an answer"));
        assert!(setting.goes_out(remote(1)));
        assert_eq!(setting.gate.deliveries().get(&pair), Some(&Delivery::Answered));
        let (gate, now) = (&mut setting.gate, setting.now);
        gate.handle_sent(pair, 100, Delivery::Failed(Obstacle::NoRoute), now);
        assert_eq!(
            gate.deliveries().get(&pair),
            Some(&Delivery::Failed(Obstacle::NoRoute))
        );
    }

    #[test]
    fn nobody_comes_in_at_an_address_that_is_not_shared() {
        let mut setting = setting();
        let unshared = SocketAddr::from(([192, 0, 2, 200], 1));
        let initial = setting.initial();
        let (gate, now) = (&mut setting.gate, setting.now);
        assert!(!gate.handle_incoming(unshared, remote(1), &initial, now));
        assert!(!gate.is_open((unshared, remote(1)), now));
        // Whom this side has dialled from there may answer.
        gate.handle_change(Change::Approve((unshared, remote(1))));
        assert!(gate.handle_incoming(unshared, remote(1), b"an answer", now));
        gate.handle_change(Change::Listen(unshared));
        let initial = setting.initial();
        let (gate, now) = (&mut setting.gate, setting.now);
        assert!(
            gate.handle_incoming(unshared, remote(2), &initial, now),
            "now it is shared"
        );
        gate.handle_change(Change::Ignore(unshared));
        let initial = setting.initial();
        let (gate, now) = (&mut setting.gate, setting.now);
        assert!(
            !gate.handle_incoming(unshared, remote(3), &initial, now),
            "and no longer"
        );
        assert!(
            !gate.handle_outgoing(unshared, remote(2), 100, now),
            "nor is who came in answered any more"
        );
    }

    #[test]
    fn a_copied_first_packet_gets_nothing_for_as_long_as_the_code_lives() {
        let mut setting = setting();
        let (initial, other) = (setting.initial(), setting.initial());
        let began = setting.now;
        assert!(setting.comes_in(remote(1), &initial));
        for minutes in [1, 6, 15, 60, 24 * 60] {
            setting.now = began + Duration::from_secs(60 * minutes);
            for last in [1, 2] {
                assert!(
                    !setting.comes_in(remote(last), &initial),
                    "after {minutes} minutes, as if from {last}"
                );
                assert!(!setting.goes_out(remote(last)), "no answer");
            }
        }
        assert!(
            setting.comes_in(remote(1), &other),
            "one that nobody has seen is as good as on the first day"
        );
    }

    #[test]
    fn a_quicker_copy_keeps_out_its_original_and_the_next_attempt_gets_in() {
        let mut setting = setting();
        let initial = setting.initial();
        assert!(setting.comes_in(remote(2), &initial), "the copy");
        assert!(!setting.comes_in(remote(1), &initial), "the original");
        let next = setting.initial();
        assert!(setting.comes_in(remote(1), &next));
    }

    proptest! {
        /// Each first packet lets in the first address that it comes from, for ten seconds, and nobody else, ever.
        #[test]
        fn a_first_packet_is_worth_something_once(
            arrivals in prop::collection::vec((0..4usize, 0..3u8, prop_oneof![0..20u64, 0..100_000u64]), 1..60)
        ) {
            let mut setting = setting();
            let packets: Vec<_> = (0..4).map(|_| setting.initial()).collect();
            let mut first: BTreeMap<usize, (u8, Instant)> = BTreeMap::new();
            for (packet, from, wait) in arrivals {
                setting.now += Duration::from_secs(wait);
                let (by, at) = *first.entry(packet).or_insert((from, setting.now));
                let expected = by == from && setting.now < at + UNVALIDATED_LIFETIME;
                prop_assert_eq!(setting.comes_in(remote(from), &packets[packet]), expected);
                if expected {
                    prop_assert!(setting.goes_out(remote(from)));
                }
            }
        }
    }

    #[test]
    fn what_the_operating_system_does_not_take_is_refused_and_known_until_it_takes_something() {
        let mut setting = setting();
        let pair = (LOCAL, remote(1));
        let (gate, now) = (&mut setting.gate, setting.now);
        let failed = Delivery::Failed(Obstacle::Forbidden);
        gate.handle_sent(pair, 100, failed, now);
        assert_eq!(gate.deliveries().get(&pair), None, "not approved");
        gate.handle_change(Change::Approve(pair));
        gate.handle_sent(pair, 100, failed, now);
        assert_eq!(gate.deliveries().get(&pair), Some(&failed));
        let row = gate.ledger().row(pair).expect("a row");
        assert_eq!((row.counts.sent_packets, row.counts.refused_packets), (0, 2));
        gate.handle_sent(pair, 100, Delivery::Sent, now);
        assert_eq!(gate.deliveries().get(&pair), Some(&Delivery::Sent));
        gate.handle_change(Change::Revoke(pair));
        assert!(gate.deliveries().is_empty());
    }

    #[test]
    fn a_withdrawn_code_opens_nothing() {
        let mut setting = setting();
        setting.gate.handle_change(Change::Forget(ExpectId(1)));
        let initial = setting.initial();
        assert!(!setting.comes_in(remote(1), &initial));
    }

    #[test]
    fn handshakes_at_once_are_bounded() {
        let mut setting = setting();
        let let_in = (0..=255)
            .filter(|last| {
                let initial = setting.initial();
                setting.comes_in(remote(*last), &initial)
            })
            .count();
        assert_eq!(let_in, MAX_UNVALIDATED_EACH);
    }

    #[test]
    fn nobody_who_knows_many_tags_keeps_others_out() {
        let mut setting = setting();
        let liar = Sponsor::Member(PeerId::random());
        let mut let_in = 0;
        for id in 2..40 {
            setting.key = Secret::generate(&mut setting.rng).tag_key();
            let expect = Change::Expect(ExpectId(id), setting.key.clone(), liar);
            setting.gate.handle_change(expect);
            for last in 0..5 {
                let initial = setting.initial();
                let from = SocketAddr::from(([198, 51, id as u8, last], 9));
                let_in += usize::from(setting.comes_in(from, &initial));
            }
        }
        assert_eq!(let_in, MAX_SPONSORED);
        setting.key = Secret::generate(&mut setting.rng).tag_key();
        let code = Change::Expect(ExpectId(99), setting.key.clone(), Sponsor::Code(ExpectId(99)));
        setting.gate.handle_change(code);
        let initial = setting.initial();
        assert!(setting.comes_in(remote(1), &initial), "who has a code gets in");
    }

    #[test]
    fn who_has_become_a_member_makes_room_for_the_next() {
        let mut setting = setting();
        for last in 0..100 {
            let initial = setting.initial();
            assert!(setting.comes_in(remote(last), &initial), "{last}");
            setting.gate.handle_change(Change::Approve((LOCAL, remote(last))));
        }
    }
}
