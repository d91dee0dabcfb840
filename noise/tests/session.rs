//! A pair of sessions on virtual time: what the wire may do to them, and what they promise all the same.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sightline_noise::{
    Binding, Exporter, HandshakeError, Initiator, OLD_KEYS_LIFETIME, OpenError, Psk, REKEY_AFTER, Responder,
    SESSION_LIFETIME, SealError, Session, StaticKey,
};

struct Pair {
    initiator: Session,
    responder: Session,
    now: Instant,
    rng: StdRng,
}

fn binding() -> Binding {
    Binding {
        version: 1,
        context: [3; 16],
        initiator: b"alice".to_vec(),
        responder: b"bob".to_vec(),
        exporter: Exporter([9; 32]),
    }
}

/// Runs a handshake in which each side believes its own binding and secret.
fn meet(
    alice_believes: (Binding, [u8; 32]),
    bob_believes: (Binding, [u8; 32]),
    seed: u64,
) -> Result<Pair, HandshakeError> {
    let mut rng = StdRng::seed_from_u64(seed);
    let now = Instant::now();
    let (alice, bob) = (StaticKey::generate(&mut rng), StaticKey::generate(&mut rng));
    let (alice_psk, bob_psk) = (Psk::from(alice_believes.1), Psk::from(bob_believes.1));
    let (initiator, first) = Initiator::start(&alice, bob.public(), &alice_psk, &alice_believes.0, &mut rng)?;
    let (responder, proved) = Responder::handle_first(&bob, &bob_psk, &bob_believes.0, &first, &mut rng)?;
    assert_eq!(proved, alice.public());
    let (responder, second) = Session::from_first(
        responder,
        bob.clone(),
        alice.public(),
        bob_psk,
        bob_believes.0,
        now,
    )?;
    let initiator = Session::from_second(
        initiator,
        &second,
        alice,
        bob.public(),
        alice_psk,
        alice_believes.0,
        now,
    )?;
    Ok(Pair {
        initiator,
        responder,
        now,
        rng,
    })
}

fn pair(seed: u64) -> Pair {
    meet((binding(), [5; 32]), (binding(), [5; 32]), seed).expect("a handshake")
}

impl Pair {
    fn rekey(&mut self) {
        let first = self
            .initiator
            .handle_timeout(self.now, &mut self.rng)
            .expect("fresh keys are due");
        let second = self
            .responder
            .handle_first(&first, self.now, &mut self.rng)
            .expect("a handshake from the same peer");
        self.initiator
            .handle_second(&second, self.now)
            .expect("the answer to what was asked");
    }

    /// Whether a packet of the initiator's arrives at the responder.
    fn passes(&mut self, text: &[u8]) -> bool {
        let sealed = self.initiator.seal_packet(text, self.now).expect("sealed");
        self.responder.open_packet(&sealed, self.now).as_deref() == Ok(text)
    }
}

#[test]
fn a_session_cannot_be_moved_to_another_call_pair_role_connection_or_secret() {
    let changes: [fn(&mut Binding); 5] = [
        |b| b.version = 2,
        |b| b.context = [4; 16],
        |b| b.exporter = Exporter([8; 32]),
        |b| b.responder = b"mallory".to_vec(),
        |b| std::mem::swap(&mut b.initiator, &mut b.responder),
    ];
    for change in changes {
        let mut other = binding();
        change(&mut other);
        let refused = meet((binding(), [5; 32]), (other, [5; 32]), 1);
        assert_eq!(refused.err(), Some(HandshakeError::Refused));
    }
    let other_secret = meet((binding(), [5; 32]), (binding(), [6; 32]), 1);
    assert_eq!(other_secret.err(), Some(HandshakeError::Refused));
}

#[test]
fn every_changed_bit_of_a_message_is_noticed() {
    let mut pair = pair(2);
    let sealed = pair.initiator.seal_packet(b"hello", pair.now).expect("sealed");
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(
            pair.responder.open_packet(&changed, pair.now).is_err(),
            "bit {bit}"
        );
    }
    assert_eq!(
        pair.responder.open_packet(&sealed, pair.now).as_deref(),
        Ok(&b"hello"[..])
    );
}

#[test]
fn cut_messages_are_named_and_refused() {
    let mut pair = pair(3);
    let sealed = pair.initiator.seal_packet(b"", pair.now).expect("sealed");
    for len in 0..sealed.len() {
        assert_eq!(
            pair.responder.open_packet(&sealed[..len], pair.now),
            Err(OpenError::Short)
        );
    }
}

#[test]
fn packets_control_and_bulk_do_not_pass_for_each_other() {
    let mut pair = pair(4);
    let packet = pair.initiator.seal_packet(b"p", pair.now).expect("sealed");
    let control = pair.initiator.seal_control(b"c", pair.now).expect("sealed");
    let bulk = pair.initiator.seal_bulk(b"b", pair.now).expect("sealed");
    for other in [&packet, &bulk] {
        let opened = pair.responder.open_control(other, pair.now);
        assert_eq!(opened.err(), Some(OpenError::Replayed));
    }
    for other in [&packet, &control] {
        let opened = pair.responder.open_bulk(other, pair.now);
        assert_eq!(opened, Err(OpenError::Replayed));
    }
    for other in [&control, &bulk] {
        let opened = pair.responder.open_packet(other, pair.now);
        assert_eq!(opened, Err(OpenError::Forged));
    }
}

#[test]
fn counters_that_no_honest_peer_reaches_are_refused_and_counts_do_not_overflow() {
    let mut pair = pair(10);
    let sealed = pair.initiator.seal_packet(b"x", pair.now).expect("sealed");
    for counter in [1u64 << 40, (1 << 63) - 1] {
        let mut changed = sealed.clone();
        changed[4..12].copy_from_slice(&counter.to_be_bytes());
        assert_eq!(
            pair.responder.open_packet(&changed, pair.now),
            Err(OpenError::Forged)
        );
    }
    assert!(pair.passes(b"y"));
    assert_eq!(
        (
            pair.responder.arrivals().received,
            pair.responder.arrivals().expected
        ),
        (1, 2)
    );
}

#[test]
fn bulk_comes_in_order_and_once_also_under_keys_that_were_renewed_meanwhile() {
    let mut pair = pair(5);
    let seal = |pair: &mut Pair, text: &[u8]| pair.initiator.seal_bulk(text, pair.now).expect("sealed");
    let [first, second] = [b"1", b"2"].map(|text| seal(&mut pair, text));
    let open = |pair: &mut Pair, sealed: &[u8]| pair.responder.open_bulk(sealed, pair.now);
    assert_eq!(open(&mut pair, &second), Err(OpenError::Replayed));
    assert_eq!(open(&mut pair, &first).as_deref(), Ok(&b"1"[..]));
    assert_eq!(open(&mut pair, &first), Err(OpenError::Replayed));
    pair.now += REKEY_AFTER;
    pair.rekey();
    let third = seal(&mut pair, b"3");
    assert_eq!(
        open(&mut pair, &second).as_deref(),
        Ok(&b"2"[..]),
        "it was on its way"
    );
    assert_eq!(open(&mut pair, &third).as_deref(), Ok(&b"3"[..]));
    assert_eq!(open(&mut pair, &second), Err(OpenError::Replayed));
}

#[test]
fn control_messages_come_in_order_and_once() {
    let mut pair = pair(5);
    let first = pair.initiator.seal_control(b"1", pair.now).expect("sealed");
    let second = pair.initiator.seal_control(b"2", pair.now).expect("sealed");
    assert_eq!(
        pair.responder.open_control(&second, pair.now),
        Err(OpenError::Replayed)
    );
    assert!(pair.responder.open_control(&first, pair.now).is_ok());
    assert_eq!(
        pair.responder.open_control(&first, pair.now),
        Err(OpenError::Replayed)
    );
    assert!(pair.responder.open_control(&second, pair.now).is_ok());
}

#[test]
fn keys_are_renewed_and_the_old_ones_live_ten_seconds_more() {
    let mut pair = pair(6);
    assert_eq!(pair.initiator.poll_timeout(), pair.now + REKEY_AFTER);
    let early = pair.initiator.seal_packet(b"early", pair.now).expect("sealed");
    let late = pair.initiator.seal_packet(b"late", pair.now).expect("sealed");
    pair.now += REKEY_AFTER;
    pair.rekey();
    assert!(pair.passes(b"under the new keys"));
    assert!(pair.responder.open_packet(&early, pair.now).is_ok());
    pair.now += OLD_KEYS_LIFETIME;
    assert_eq!(
        pair.responder.open_packet(&late, pair.now),
        Err(OpenError::UnknownIndex)
    );
}

#[test]
fn the_responder_seals_with_new_keys_only_once_the_initiator_has_them() {
    let mut pair = pair(7);
    pair.now += REKEY_AFTER;
    let first = pair
        .initiator
        .handle_timeout(pair.now, &mut pair.rng)
        .expect("due");
    let second = pair
        .responder
        .handle_first(&first, pair.now, &mut pair.rng)
        .expect("same peer");
    // The answer is still on its way: the initiator must be able to read what the responder sends now.
    let sealed = pair
        .responder
        .seal_packet(b"meanwhile", pair.now)
        .expect("sealed");
    assert!(pair.initiator.open_packet(&sealed, pair.now).is_ok());
    pair.initiator
        .handle_second(&second, pair.now)
        .expect("the answer");
    assert!(pair.passes(b"new"));
}

#[test]
fn nothing_is_sealed_or_opened_after_the_hard_stop() {
    let mut pair = pair(8);
    let sealed = pair.initiator.seal_packet(b"x", pair.now).expect("sealed");
    pair.now += SESSION_LIFETIME;
    assert!(pair.initiator.is_expired(pair.now));
    assert_eq!(
        pair.initiator.seal_packet(b"x", pair.now),
        Err(SealError::Expired)
    );
    assert_eq!(
        pair.responder.open_packet(&sealed, pair.now),
        Err(OpenError::Expired)
    );
}

#[test]
fn a_session_lives_for_an_hour_by_renewing_its_keys() {
    let mut pair = pair(9);
    for _ in 0..30 {
        pair.now += REKEY_AFTER;
        pair.rekey();
        assert!(pair.passes(b"still here"));
    }
}

/// What the wire does with one packet.
#[derive(Clone, Debug)]
enum Fate {
    Delivered,
    Lost,
    Delayed(usize),
    Duplicated(usize),
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        5 => Just(Fate::Delivered),
        1 => Just(Fate::Lost),
        1 => (1..200usize).prop_map(Fate::Delayed),
        1 => (1..200usize).prop_map(Fate::Duplicated),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Loss, delay, reordering, duplication and rekeying at any moment: what arrives within the window is
    /// opened exactly once, unchanged, and nothing else is.
    #[test]
    fn each_packet_is_opened_once_whatever_the_wire_does(
        seed in any::<u64>(),
        fates in prop::collection::vec(fate(), 1..400),
        rekey_at in prop::collection::btree_set(0..400usize, 0..4),
    ) {
        let mut pair = pair(seed);
        let mut wire: Vec<(usize, usize, Vec<u8>)> = Vec::new();
        let mut opened = BTreeSet::new();
        let mut readable = BTreeSet::new();
        let mut keys_of = vec![0; fates.len()];
        let mut renewals = 0;
        for at in 0..fates.len() + 400 {
            if rekey_at.contains(&at) {
                pair.now += REKEY_AFTER;
                pair.rekey();
                renewals += 1;
                let confirm = pair.initiator.seal_control(b"", pair.now).expect("sealed");
                pair.responder.open_control(&confirm, pair.now).expect("opened");
            }
            if let Some(fate) = fates.get(at) {
                let sealed = pair.initiator.seal_packet(&at.to_be_bytes(), pair.now).expect("sealed");
                keys_of[at] = renewals;
                match fate {
                    Fate::Lost => {}
                    Fate::Delivered => wire.push((at, at, sealed)),
                    Fate::Delayed(by) => wire.push((at + by, at, sealed)),
                    Fate::Duplicated(by) => {
                        wire.push((at, at, sealed.clone()));
                        wire.push((at + by, at, sealed));
                    }
                }
            }
            pair.now += Duration::from_millis(1);
            for (_, sent, sealed) in wire.extract_if(.., |(arrives, _, _)| *arrives <= at) {
                let too_old = renewals - keys_of[sent] >= 2;
                if !too_old {
                    readable.insert(sent);
                }
                match pair.responder.open_packet(&sealed, pair.now) {
                    Ok(text) => {
                        prop_assert_eq!(text, sent.to_be_bytes());
                        prop_assert!(opened.insert(sent), "packet {} was opened twice", sent);
                    }
                    Err(OpenError::Replayed) => prop_assert!(opened.contains(&sent)),
                    Err(OpenError::UnknownIndex) => prop_assert!(too_old),
                    Err(error) => prop_assert!(false, "packet {} was not opened: {}", sent, error),
                }
            }
        }
        prop_assert_eq!(opened, readable);
    }
}
