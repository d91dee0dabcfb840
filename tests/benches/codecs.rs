//! Measures both encoders and the decoder, each layer at its rate, at speeds as a call would choose them, and prints a table.
//! Nothing here passes or fails.
//!
//! `./run bench only codecs [--clip FILE.y4m]`; without a clip, the test scene.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::time::{Duration, Instant};

use sightline_media::av1::{EncoderKind, Settings, encoder};
use sightline_media::camera::{self, Clip};
use sightline_media::decoder::{Decoder, ThreadDecoder};
use sightline_media::{Picture, Size, Source};
use sightline_media_proto::effort::Effort;
use sightline_media_proto::layer::Layer;
use sightline_tests::bench::{self, mean, quantiles};

fn main() {
    if !bench::is_wanted("codecs") {
        return;
    }
    let clip = bench::after("--clip");
    let clip = clip.as_deref();
    println!(
        "\nCodecs, one thread, 15 s of {} (ms a picture; rates but the first two seconds)",
        clip.unwrap_or("the test scene")
    );
    println!(
        "  size        encoder   kbit/s (asked)   worst second   encode median / 95 %   speed   decode   PSNR dB   key frame"
    );
    for layer in Layer::ALL {
        for (kind, name, seconds) in [(EncoderKind::Aom, "aom", 15), (EncoderKind::Rav1e, "rav1e", 6)] {
            let height = layer.height();
            let size = Size {
                width: height * 16 / 9,
                height,
            };
            let step = if layer.is_half_rate() { 2 } else { 1 };
            let pictures: Vec<_> = source(clip, seconds * 30)
                .iter()
                .step_by(step)
                .map(|picture| picture.scaled(size))
                .collect();
            measure_codec(kind, name, layer, &pictures);
        }
    }
}

fn measure_codec(kind: EncoderKind, name: &str, layer: Layer, pictures: &[Picture]) {
    let size = pictures[0].size;
    let rate = layer.enough();
    let mut effort = Effort::new(layer);
    let mut encoder = encoder(
        kind,
        Settings {
            size,
            frame_rate: layer.frame_rate(),
            bitrate: rate,
            speed: effort.speed(),
        },
    )
    .expect("an encoder");
    let mut decoder = ThreadDecoder::default();
    let (mut encode, mut decode, mut psnr) = (Vec::new(), Vec::new(), Vec::new());
    let mut lengths = Vec::new();
    for picture in pictures {
        let began = Instant::now();
        let encoded = encoder.encode(picture, false).expect("encoded");
        let took = began.elapsed();
        encode.push(took.as_secs_f64() * 1000.0);
        let before = effort.speed();
        effort.handle_encoded(took);
        if effort.speed() != before {
            encoder.set_speed(effort.speed()).expect("a speed");
        }
        for unit in encoded {
            lengths.push(unit.data.len());
            let began = Instant::now();
            let decoded = decoder.decode(&unit.data, unit.captured).expect("decodable");
            decode.push(began.elapsed().as_secs_f64() * 1000.0);
            psnr.extend(decoded.map(|decoded| compare(&decoded, &pictures[psnr.len()])));
        }
    }
    let per_second = layer.frame_rate() as usize;
    let rate_of = |lengths: &[usize]| {
        let bits = lengths.iter().sum::<usize>() as f64 * 8.0;
        bits * per_second as f64 / lengths.len().max(1) as f64
    };
    let asked = rate.0;
    let settled = lengths.get(2 * per_second..).unwrap_or_default();
    let worst = settled
        .chunks_exact(per_second)
        .map(|second| (rate_of(second) / f64::from(asked) - 1.0) * 100.0)
        .max_by(|one, other| one.abs().total_cmp(&other.abs()));
    let (median, slow) = quantiles(encode.get(2 * per_second..).unwrap_or_default().to_vec());
    let ordinary = settled.iter().sum::<usize>() as f64 / settled.len().max(1) as f64;
    println!(
        "  {:>4}×{:<4}   {name:<7}   {:>6.0} ({:>5.0})   {:>+10.1} %   {median:>10.1} / {slow:<7.1}   {:>5}   {:>6.2}   {:>7.1}   {:>6.1} ×",
        size.width,
        size.height,
        rate_of(settled) / 1000.0,
        f64::from(asked) / 1000.0,
        worst.unwrap_or(f64::NAN),
        effort.speed().0,
        quantiles(decode).0,
        mean(&psnr),
        lengths[0] as f64 / ordinary,
    );
}

/// So many pictures, 30 a second.
fn source(clip: Option<&str>, count: usize) -> Vec<Picture> {
    let start = Instant::now();
    let mut pictures: Vec<_> = match clip {
        Some(path) => {
            let mut clip = Clip::open(path.as_ref()).expect("a clip");
            let size = clip.size();
            let data = std::iter::repeat_with(move || clip.next_data().expect("a picture"));
            data.take(count)
                .map(|data| Picture::new(size, data, start).expect("a whole picture"))
                .collect()
        }
        None => {
            let mut scene = camera::open(&Source::Test).expect("the scene").expect("a camera");
            std::iter::repeat_with(move || scene.read().expect("a picture"))
                .take(count)
                .collect()
        }
    };
    for (n, picture) in (0u32..).zip(&mut pictures) {
        picture.captured = start + Duration::from_secs(1) * n / 30;
    }
    pictures
}

/// Peak signal-to-noise ratio of the luma, decibels.
fn compare(a: &Picture, b: &Picture) -> f64 {
    let (a, b) = (a.planes()[0], b.planes()[0]);
    let squares: f64 = a
        .iter()
        .zip(b)
        .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
        .sum();
    10.0 * (255.0 * 255.0 * a.len() as f64 / squares.max(1.0)).log10()
}
