//! Real-time callbacks do not allocate. Locks they cannot take: a ring's ends own their parts alone.
#![allow(clippy::expect_used, missing_docs)]

use std::alloc::System;

use sightline_media::sound::{Downmix, fill_output, take_input};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn callbacks_of_sound_devices_do_not_allocate() {
    let (mut producer, mut consumer) = rtrb::RingBuffer::new(480);
    let input = [0.25f32; 2 * 960];
    let mut output = [0i16; 2 * 960];
    let mut downmix = Downmix::new(&[false, false], 48_000);
    let region = Region::new(ALLOCATOR);
    // More than fits, and more than is there: the bounds are where allocation would tempt.
    for _ in 0..100 {
        take_input(&input, &mut downmix, &mut producer);
        fill_output(&mut output, 2, &mut consumer);
    }
    let change = region.change();
    assert_eq!(
        (change.allocations, change.reallocations, change.deallocations),
        (0, 0, 0)
    );
    // Half of the last came from the ring, half is silence.
    assert_eq!((output[0], output[2 * 480]), (8_192, 0));

    let counted = Region::new(ALLOCATOR);
    drop(std::hint::black_box(vec![1u8]));
    assert_eq!(counted.change().allocations, 1, "the allocator counts");
}
