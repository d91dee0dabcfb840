//! Both encoders keep the same promises.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::time::{Duration, Instant};

use sightline_media::av1::{Encoded, EncoderKind, Settings, encoder};
use sightline_media::decoder::{DecodeError, Decoder, ThreadDecoder};
use sightline_media::{Picture, Size};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::rate::Bitrate;

const SIZE: Size = Size {
    width: 320,
    height: 180,
};
const RATE: Bitrate = Bitrate(200_000);
const SETTINGS: Settings = Settings {
    size: SIZE,
    frame_rate: 30,
    bitrate: RATE,
    speed: Speed(9),
};
const KINDS: [EncoderKind; 2] = [EncoderKind::Aom, EncoderKind::Rav1e];

/// A textured room with a disc that wanders: picture `n` of a 30 fps clip.
fn picture(n: u32, start: Instant) -> Picture {
    let mut picture = Picture::grey(SIZE, start + Duration::from_secs(1) * n / 30);
    let (width, time) = (SIZE.width as usize, f64::from(n) / 30.0);
    let centre = (160.0 + 80.0 * time.sin(), 90.0 + 40.0 * (1.7 * time).cos());
    let [y, u, v] = picture.planes_mut();
    for (at, pixel) in y.iter_mut().enumerate() {
        let (row, column) = ((at / width) as f64, (at % width) as f64);
        let wall = 110.0 + 30.0 * (column / 17.0).sin() + 20.0 * (row / 11.0).cos();
        let inside = (column - centre.0).powi(2) + (row - centre.1).powi(2) < 900.0;
        // A camera's grain: what costs bits.
        let grain = ((at as u32 ^ n.wrapping_mul(2_654_435_761)).wrapping_mul(2_246_822_519) >> 29) as f64;
        *pixel = (grain
            + if inside {
                190.0 + 10.0 * (row / 3.0).sin()
            } else {
                wall
            }) as u8;
    }
    u.fill(120);
    v.fill(140);
    picture
}

/// Encodes pictures `from..to`, forcing key frames at those in `keys`.
fn encode(
    encoder: &mut dyn sightline_media::av1::Encoder,
    (from, to): (u32, u32),
    keys: &[u32],
    start: Instant,
) -> Vec<Encoded> {
    (from..to)
        .flat_map(|n| {
            encoder
                .encode(&picture(n, start), keys.contains(&n))
                .expect("encoded")
        })
        .collect()
}

fn bits_a_second(encoded: &[Encoded]) -> f64 {
    let bytes: usize = encoded.iter().map(|unit| unit.data.len()).sum();
    bytes as f64 * 8.0 * 30.0 / encoded.len() as f64
}

fn psnr(a: &Picture, b: &Picture) -> f64 {
    let (a, b) = (a.planes()[0], b.planes()[0]);
    let squares: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1.0)).log10()
}

#[test]
fn what_is_decoded_looks_like_what_was_captured() {
    for kind in KINDS {
        let start = Instant::now();
        let mut encoder = encoder(kind, SETTINGS).expect("an encoder");
        let mut decoder = ThreadDecoder::default();
        let encoded = encode(&mut *encoder, (0, 60), &[], start);
        assert!(encoded[0].is_key, "{kind:?}");
        for (n, unit) in (0..).zip(encoded) {
            let original = picture(n, start);
            assert_eq!(unit.captured, original.captured, "{kind:?}");
            let decoded = decoder
                .decode(&unit.data, unit.captured)
                .expect("decodable")
                .expect("a picture");
            assert!(
                psnr(&decoded, &original) > 30.0,
                "{kind:?}, picture {n}: {}",
                psnr(&decoded, &original)
            );
        }
    }
}

#[test]
fn aom_holds_no_picture_back_and_rav1e_as_few_as_it_can() {
    for (kind, most) in [(EncoderKind::Aom, 0), (EncoderKind::Rav1e, 4)] {
        let mut encoder = encoder(kind, SETTINGS).expect("an encoder");
        let encoded = encode(&mut *encoder, (0, 30), &[], Instant::now());
        assert!(
            30 - encoded.len() <= most,
            "{kind:?} holds {} back",
            30 - encoded.len()
        );
    }
}

#[test]
fn a_key_frame_comes_on_demand_and_otherwise_only_first() {
    for kind in KINDS {
        let mut encoder = encoder(kind, SETTINGS).expect("an encoder");
        let encoded = encode(&mut *encoder, (0, 60), &[31], Instant::now());
        let keys: Vec<_> = (0..)
            .zip(&encoded)
            .filter(|(_, unit)| unit.is_key)
            .map(|(n, _)| n)
            .collect();
        assert_eq!(keys, [0, 31], "{kind:?}");
        // Who joins at that moment can show it at once.
        let mut decoder = ThreadDecoder::default();
        let unit = &encoded[31];
        assert!(
            decoder
                .decode(&unit.data, unit.captured)
                .is_ok_and(|shown| shown.is_some())
        );
    }
}

#[test]
fn every_second_picture_may_be_left_out_and_the_others_look_the_same() {
    let start = Instant::now();
    let mut encoder = encoder(EncoderKind::Aom, SETTINGS).expect("an encoder");
    let encoded = encode(&mut *encoder, (0, 90), &[41], start);
    let upper: Vec<_> = (0u32..)
        .zip(&encoded)
        .filter(|(_, unit)| unit.is_discardable)
        .map(|(n, _)| n)
        .collect();
    let expected: Vec<u32> = (1..40).step_by(2).chain((42..90).step_by(2)).collect();
    assert_eq!(upper, expected);
    let [mut whole, mut halved] = [0; 2].map(|_| ThreadDecoder::default());
    for unit in encoded {
        let shown = whole.decode(&unit.data, unit.captured).expect("decodable");
        if !unit.is_discardable {
            let other = halved.decode(&unit.data, unit.captured).expect("decodable");
            let [shown, other] = [shown, other].map(|picture| picture.expect("a picture"));
            assert_eq!(shown.data(), other.data());
        }
    }
}

#[test]
fn the_rate_is_held_and_follows_a_change() {
    for kind in KINDS {
        let start = Instant::now();
        let mut encoder = encoder(kind, SETTINGS).expect("an encoder");
        encode(&mut *encoder, (0, 60), &[], start);
        let before = bits_a_second(&encode(&mut *encoder, (60, 240), &[], start));
        encoder.set_bitrate(Bitrate(RATE.0 / 2)).expect("another rate");
        encode(&mut *encoder, (240, 300), &[], start);
        let after = bits_a_second(&encode(&mut *encoder, (300, 480), &[], start));
        eprintln!(
            "{kind:?}: {before:.0} of {}, then {after:.0} of {}",
            RATE.0,
            RATE.0 / 2
        );
        for (rate, wanted) in [(before, f64::from(RATE.0)), (after, f64::from(RATE.0 / 2))] {
            assert!(
                (rate / wanted - 1.0).abs() < 0.05,
                "{kind:?}: {rate:.0} instead of {wanted:.0}"
            );
        }
    }
}

#[test]
fn each_second_holds_the_rate_and_a_key_frame_is_no_larger_than_three_pictures() {
    let mut encoder = encoder(EncoderKind::Aom, SETTINGS).expect("an encoder");
    let keys: Vec<u32> = (0..12).map(|second| second * 60 + 45).collect();
    let encoded = encode(&mut *encoder, (0, 360), &keys, Instant::now());
    for second in encoded[30..].chunks_exact(30) {
        let off = bits_a_second(second) / f64::from(RATE.0) - 1.0;
        assert!(off.abs() < 0.05, "{:+.1} %", off * 100.0);
    }
    let ordinary = f64::from(RATE.0) / 8.0 / 30.0;
    for key in encoded.iter().filter(|unit| unit.is_key) {
        let pictures = key.data.len() as f64 / ordinary;
        assert!(pictures < 3.0, "a key frame of {pictures:.1} pictures");
    }
}

#[test]
fn when_the_lens_is_uncovered_there_is_no_flood() {
    let start = Instant::now();
    let mut encoder = encoder(EncoderKind::Aom, SETTINGS).expect("an encoder");
    for n in 0..150 {
        let black = Picture::grey(SIZE, start + Duration::from_secs(1) * n / 30);
        encoder.encode(&black, false).expect("encoded");
    }
    let encoded = encode(&mut *encoder, (150, 270), &[195, 235], start);
    let pictures = |unit: &Encoded| unit.data.len() as f64 * 8.0 * 30.0 / f64::from(RATE.0);
    let second = bits_a_second(&encoded[..30]) / f64::from(RATE.0);
    assert!(
        pictures(&encoded[0]) < 3.0,
        "{:.1} pictures",
        pictures(&encoded[0])
    );
    assert!(second < 1.2, "{second:.2} of the rate");
    let keys = [45, 85].map(|at| pictures(&encoded[at]));
    assert!(
        keys.iter().all(|key| *key < 3.0),
        "key frames of {keys:?} pictures"
    );
    assert!(keys[1] > 0.8, "the second knows the first: {keys:?}");
}

#[test]
fn garbage_damage_and_missing_pictures_are_errors_and_a_key_frame_mends_them() {
    let start = Instant::now();
    let mut encoder = encoder(EncoderKind::Aom, SETTINGS).expect("an encoder");
    let encoded = encode(&mut *encoder, (0, 40), &[30], start);
    let mut decoder = ThreadDecoder::default();
    for (n, unit) in encoded.iter().enumerate().take(30) {
        let mut damaged = unit.data.clone();
        let at = (n * 7919) % damaged.len();
        damaged[at] ^= 0x55;
        // Any answer will do but a panic.
        let _answer = decoder.decode(&damaged, start);
        let _answer = decoder.decode(&vec![n as u8; n * 13 % 200], start);
        // An empty ITU-T T.35 metadata unit ended the process in the library.
        let answer = decoder.decode(&[0x2a, 0x03, 0x84, 0x80, 0x00, 0x32, 0x01, 0x00], start);
        assert!(matches!(answer, Err(DecodeError::Foreign(_))), "{answer:?}");
    }
    for unit in &encoded[30..] {
        let decoded = decoder.decode(&unit.data, unit.captured);
        assert!(decoded.is_ok_and(|shown| shown.is_some()));
    }
}

#[test]
fn a_picture_of_another_size_is_refused() {
    for kind in KINDS {
        let mut encoder = encoder(kind, SETTINGS).expect("an encoder");
        let other = Picture::grey(
            Size {
                width: 160,
                height: 90,
            },
            Instant::now(),
        );
        assert!(encoder.encode(&other, false).is_err());
    }
}
