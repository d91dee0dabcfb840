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
