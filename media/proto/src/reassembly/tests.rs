use proptest::prelude::*;

use super::*;
use crate::Ticks;
use crate::video::{Dependency, Packets};

fn frame(number: u32, len: usize) -> Frame {
    let data = (0..len).map(|at| (at as u32 ^ number) as u8).collect();
    Frame {
        number,
        captured: Ticks(number),
        dependency: Dependency {
            frame_diff: u8::from(!number.is_multiple_of(10)),
            is_discardable: false,
        },
        data,
    }
}

fn packets(frame: &Frame) -> Vec<Vec<u8>> {
    packets_of_size(frame, PacketSize::Full)
}

fn packets_of_size(frame: &Frame, size: PacketSize) -> Vec<Vec<u8>> {
    let packets = Packets::of(frame.clone());
    packets.bodies(size).iter().map(|body| body.to_vec()).collect()
}

fn any_size() -> impl Strategy<Value = PacketSize> {
    prop::sample::select(PacketSize::ALL.to_vec())
}

proptest! {
    #[test]
    fn one_part_of_each_group_may_be_lost_when_there_is_parity(
        len in 1usize..20_000,
        size in any_size(),
        lost in prop::collection::vec(0usize..4, 20),
    ) {
        let now = Instant::now();
        let frame = frame(0, len);
        let packets = Packets::of(frame.clone());
        let mut reassembler = Reassembler::default();
        for parity in packets.parity(size) {
            reassembler.handle_packet(parity, now);
        }
        for (index, body) in packets.bodies(size).iter().enumerate() {
            if lost[index / GROUP] != index % GROUP {
                reassembler.handle_packet(body, now);
            }
        }
        prop_assert_eq!(reassembler.poll_frame(now), Some(frame));
    }

    #[test]
    fn frames_come_out_as_they_went_in_whatever_the_order(
        lens in prop::collection::vec((1usize..6000, any_size()), 1..8),
        order in any::<u64>(),
    ) {
        let now = Instant::now();
        let sizes: Vec<_> = lens.iter().map(|(_, size)| *size).collect();
        let frames: Vec<_> = (0..).zip(lens).map(|(number, (len, _))| frame(number, len)).collect();
        let cut = frames.iter().zip(sizes);
        let mut bodies: Vec<_> = cut.flat_map(|(frame, size)| packets_of_size(frame, size)).collect();
        let len = bodies.len();
        for at in 0..len {
            bodies.swap(at, (order as usize).wrapping_mul(at + 1) % len);
        }
        let mut reassembler = Reassembler::default();
        let mut out = Vec::new();
        for body in bodies {
            reassembler.handle_packet(&body, now);
            while let Some(frame) = reassembler.poll_frame(now) {
                out.push(frame);
            }
        }
        prop_assert_eq!(out, frames);
    }

    #[test]
    fn anything_may_arrive(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..200)) {
        let now = Instant::now();
        let mut reassembler = Reassembler::default();
        for body in bodies {
            reassembler.handle_packet(&body, now);
            let _frame = reassembler.poll_frame(now);
            prop_assert!(reassembler.partial.len() <= MAX_FRAMES);
        }
    }
}

/// Plays `count` frames, 30 a second; `arrives` says how many milliseconds late a part of a frame comes, or `None`.
/// Returns which were shown and how often a key frame was asked for.
fn play(count: u32, make: fn(u32) -> Frame, arrives: impl Fn(u32, usize) -> Option<u64>) -> (Vec<u32>, u32) {
    let start = Instant::now();
    let mut reassembler = Reassembler::default();
    let mut coming = Vec::new();
    for number in 0..count {
        for (index, body) in packets(&make(number)).into_iter().enumerate() {
            coming.extend(arrives(number, index).map(|late| (u64::from(number) * 33 + late, body)));
        }
    }
    coming.sort_by_key(|(at, _)| *at);
    let (mut shown, mut asked) = (Vec::new(), 0);
    for (at, body) in coming {
        let now = start + Duration::from_millis(at);
        reassembler.handle_packet(&body, now);
        while let Some(frame) = reassembler.poll_frame(now) {
            shown.push(frame.number);
        }
        asked += u32::from(reassembler.poll_key_frame_request(now));
    }
    (shown, asked)
}

#[test]
fn a_part_that_is_sent_again_is_waited_for() {
    let late = |number, index| Some(if (number, index) == (3, 1) { 150 } else { 0 });
    let (shown, asked) = play(10, |number| frame(number, 3000), late);
    assert_eq!((shown, asked), ((0..10).collect(), 0));
}

#[test]
fn after_a_loss_only_a_key_frame_goes_on_and_it_is_asked_for() {
    // A key frame every 30 frames.
    let make = |number: u32| Frame {
        dependency: Dependency {
            frame_diff: u8::from(!number.is_multiple_of(30)),
            is_discardable: false,
        },
        ..frame(number, 3000)
    };
    let lost = |number, index| ((number, index) != (3, 1)).then_some(0);
    let (shown, asked) = play(32, make, lost);
    assert_eq!(shown, [0, 1, 2, 30, 31]);
    assert_eq!(asked, 2, "once it was waited for in vain, and again after 300 ms");
}

#[test]
fn a_frame_that_nothing_builds_on_may_be_missing() {
    let make = |number: u32| Frame {
        dependency: Dependency {
            frame_diff: if number == 0 { 0 } else { 2 - (number % 2) as u8 },
            is_discardable: !number.is_multiple_of(2),
        },
        ..frame(number, 3000)
    };
    let lost = |number, index| ((number, index) != (3, 1) && number != 5).then_some(0);
    let (shown, asked) = play(10, make, lost);
    assert_eq!((shown, asked), (vec![0, 1, 2, 4, 6, 7, 8, 9], 0));
}

#[test]
fn frames_that_are_never_finished_take_no_more_memory_than_a_few() {
    let now = Instant::now();
    let mut reassembler = Reassembler::default();
    for number in 0..100 {
        reassembler.handle_packet(&packets(&frame(number, 200 * video::MAX_DATA))[0], now);
        let parts = reassembler
            .partial
            .values()
            .map(|partial| usize::from(partial.count));
        assert!(parts.sum::<usize>() <= MAX_PARTS);
    }
}

#[test]
fn parts_that_contradict_each_other_are_dropped() {
    let now = Instant::now();
    let mut reassembler = Reassembler::default();
    let bodies = packets(&frame(0, 3000));
    reassembler.handle_packet(&bodies[0], now);
    reassembler.handle_packet(&bodies[0], now);
    let mut other_count = bodies[1].clone();
    other_count[11] = 9;
    reassembler.handle_packet(&other_count, now);
    reassembler.handle_packet(&bodies[1][..40], now);
    let mut other_size = bodies[2].clone();
    other_size[12] |= 4;
    assert!(
        Fragment::decode(&other_size).is_some(),
        "it could be one by itself"
    );
    reassembler.handle_packet(&other_size, now);
    assert_eq!(reassembler.counts().dropped, 3);
    assert_eq!(reassembler.poll_frame(now), None);
}
