use proptest::prelude::*;

use super::*;
use crate::chance::chance;

const WAYS: [(Span, Protection); 4] = [
    (Span::Ten, Protection::Light),
    (Span::Ten, Protection::Strong),
    (Span::Twenty, Protection::Strong),
    (Span::Twenty, Protection::Light),
];

fn frame(first: u32, (span, protection): (Span, Protection)) -> Frame {
    let len = protection.frame_len(span) as u32;
    let byte = |at: u32| (first.wrapping_mul(2_654_435_761) >> (at % 24)) as u8;
    Frame {
        first,
        captured: Ticks(first.wrapping_mul(BLOCK_SAMPLES as u32).wrapping_add(11)),
        span,
        data: (0..len).map(byte).collect(),
    }
}

/// Sends so many packets, and those arrive that `arrives` names, in this order. Returns for each frame after how many
/// arrivals it was known; every one is checked.
fn sent(count: u32, way: (Span, Protection), arrives: impl IntoIterator<Item = u32>) -> Vec<Option<usize>> {
    let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
    // Not from 0: what is before the first is missing as well.
    let number = |nth: u32| (50 + nth) * way.0.blocks();
    let packets: Vec<_> = (0..count)
        .map(|nth| protector.pack(frame(number(nth), way), way.1))
        .collect();
    let mut after = vec![None; count as usize];
    for (arrivals, nth) in (1..).zip(arrives) {
        let (own, recovered) = recovery.handle_packet(packets[nth as usize].clone());
        for got in std::iter::once(own).chain(recovered) {
            assert_eq!(got, frame(got.first, way));
            after[(got.first / way.0.blocks() - 50) as usize].get_or_insert(arrivals);
        }
    }
    after
}

fn without(count: u32, lost: impl Fn(u32) -> bool) -> Vec<u32> {
    (0..count).filter(|nth| !lost(*nth)).collect()
}

#[test]
fn what_is_lost_alone_or_two_in_a_row_is_there_again() {
    for way in WAYS {
        let alone = sent(20, way, without(20, |n| n == 10));
        assert_eq!(alone[10], alone[11], "{way:?}: with the next");
        let two = sent(20, way, without(20, |n| n == 10 || n == 11));
        let first = if way.1 == Protection::Light {
            two[13]
        } else {
            two[12]
        };
        assert_eq!([two[10], two[11]], [first, two[12]], "{way:?}");
    }
}

#[test]
fn what_was_sent_before_the_first_packet_or_in_a_long_gap_stays_away() {
    for way in WAYS {
        for (gap, gives_up) in [(LONGEST_GAP, false), (LONGEST_GAP + 1, true)] {
            let is_lost = |n: u32| n < 10 || (30..30 + gap).contains(&n);
            let after = sent(60, way, without(60, is_lost));
            assert!(after[..10].iter().all(Option::is_none), "{way:?}");
            let in_gap = &after[30..30 + gap as usize];
            assert_eq!(in_gap.iter().all(Option::is_none), gives_up, "{way:?} {gap}");
        }
    }
}

#[test]
fn of_what_is_lost_by_chance_little_stays_lost() {
    for (loss, protection, most) in [
        (0.1, Protection::Light, 0.003),
        (0.1, Protection::Strong, 0.002),
        (0.2, Protection::Strong, 0.011),
    ] {
        for seed in 0..5u32 {
            let way = (Span::Ten, protection);
            let after = sent(20_000, way, without(20_000, |n| chance(n, seed) < loss));
            let gone = after.iter().filter(|after| after.is_none()).count() as f64 / 20_000.0;
            assert!(gone < most, "{loss} {protection:?} seed {seed}: {gone}");
        }
    }
}

#[test]
fn packets_out_of_order_lose_nothing_that_can_be_recovered() {
    for way in WAYS {
        for seed in 0..20 {
            let mut arrives = without(200, |n| (20..190).contains(&n) && n % 7 == 3);
            // Up to five places too late or too early.
            arrives.sort_by_key(|nth| (f64::from(*nth) * 1000.0 + 5000.0 * chance(*nth, seed)) as u32);
            arrives.retain(|nth| *nth > 0);
            arrives.insert(0, 0);
            let after = sent(200, way, arrives);
            let gone = after.iter().filter(|after| after.is_none()).count();
            assert_eq!(gone, 0, "{way:?} seed {seed}");
        }
        // One that comes very late, just before one that is lost.
        let mut arrives = without(60, |n| n == 20 || n == 37);
        arrives.insert(arrives.iter().position(|n| *n == 36).expect("there") + 1, 20);
        assert!(sent(60, way, arrives)[37].is_some(), "{way:?}");
        // From here on the packets come eight earlier than those before them.
        let mut arrives = without(60, |n| n % 9 == 8);
        arrives.sort_by_key(|n| 2 * n + if *n < 30 { 17 } else { 0 });
        let after = sent(60, way, arrives);
        assert!(after[..20].iter().all(Option::is_some), "{way:?}: {after:?}");
        assert!(after[40..].iter().all(Option::is_some), "{way:?}: {after:?}");
    }
}

#[test]
fn a_sender_that_began_anew_is_followed() {
    for way in WAYS {
        let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
        for nth in 300..320 {
            recovery.handle_packet(protector.pack(frame(nth * way.0.blocks(), way), way.1));
        }
        // A little before the old one's end, or far.
        for begins in [316, 0] {
            let mut protector = Protector::default();
            let mut found = Vec::new();
            for nth in begins..begins + 20 {
                let mut again = frame(nth * way.0.blocks(), way);
                again.data.fill(begins as u8);
                let packet = protector.pack(again, way.1);
                if nth != begins + 10 {
                    found.extend(recovery.handle_packet(packet).1);
                }
            }
            let lost = (begins + 10) * way.0.blocks();
            let found = found
                .iter()
                .find(|found| found.first == lost)
                .expect("it is there");
            assert!(found.data.iter().all(|byte| *byte == begins as u8), "{way:?}");
        }
    }
}

#[test]
fn frames_of_another_length_and_across_a_gap_are_not_mixed() {
    let (mut protector, mut recovery) = (Protector::default(), Recovery::default());
    let mut first = 0;
    let mut recovered = [0; WAYS.len()];
    let ways = (0..WAYS.len()).cycle().flat_map(|way| [way; 5]).take(400);
    for (nth, way) in ways.enumerate() {
        let packet = protector.pack(frame(first, WAYS[way]), WAYS[way].1);
        first += packet.span.blocks();
        if nth % 23 == 0 {
            // The microphone has missed something.
            first += 7;
        }
        if nth % 3 == 0 {
            continue;
        }
        for got in recovery.handle_packet(packet).1 {
            let of = WAYS.iter().position(|way| got == frame(got.first, *way));
            let of = of.unwrap_or_else(|| panic!("packet {nth}: {got:?}"));
            recovered[of] += 1;
        }
    }
    assert!(recovered.iter().all(|count| *count > 10), "{recovered:?}");
}

proptest! {
    #[test]
    fn whatever_comes_little_is_kept(
        packets in prop::collection::vec((prop_oneof![0..8u32, any::<u32>()], any::<[bool; 5]>(), any::<u8>()), 1..200),
    ) {
        let mut recovery = Recovery::default();
        for (first, [is_long, has_two, covers @ ..], byte) in packets {
            let span = if is_long { Span::Twenty } else { Span::Ten };
            let protection = if has_two { Protection::Strong } else { Protection::Light };
            let len = protection.frame_len(span);
            let packet = Packet {
                first,
                captured: Ticks(first),
                span,
                protection,
                frame: vec![byte; len],
                covers,
                parities: vec![vec![!byte; len]; protection.parities().len()],
            };
            let (own, recovered) = recovery.handle_packet(packet);
            prop_assert_eq!(own.first, first);
            prop_assert!(recovered.len() <= KEPT);
            prop_assert!(recovery.known.0.len() <= KEPT && recovery.parities.len() <= KEPT);
        }
    }
}
