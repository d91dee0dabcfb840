//! Decoding gives back what it takes.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::alloc::System;
use std::time::{Duration, Instant};

use sightline_media::av1::{EncoderKind, Settings, encoder};
use sightline_media::decoder::{Decoder, ThreadDecoder};
use sightline_media::{Picture, Size};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::rate::Bitrate;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

#[test]
fn an_hour_of_pictures_takes_no_more_memory_than_a_second() {
    let size = Size {
        width: 64,
        height: 48,
    };
    let start = Instant::now();
    let mut encoder = encoder(
        EncoderKind::Aom,
        Settings {
            size,
            frame_rate: 30,
            bitrate: Bitrate(60_000),
            speed: Speed(11),
        },
    )
    .expect("an encoder");
    let units: Vec<_> = (0..60u32)
        .flat_map(|n| {
            let mut picture = Picture::grey(size, start + Duration::from_millis(33) * n);
            picture.data_mut()[(n as usize * 37) % (64 * 48)] = 255;
            encoder.encode(&picture, false).expect("encoded")
        })
        .collect();
    let mut decoder = ThreadDecoder::default();
    let mut play = || {
        for unit in &units {
            let shown = decoder.decode(&unit.data, unit.captured).expect("decodable");
            assert!(shown.is_some());
        }
    };
    play();
    let region = Region::new(ALLOCATOR);
    (0..20).for_each(|_| play());
    let change = region.change();
    let kept = change.bytes_allocated as i64 - change.bytes_deallocated as i64;
    // 1200 pictures; the library's wrapper would have lost 115 kB.
    assert!(kept.abs() < 4096, "{kept} bytes of 1200 pictures");
}
