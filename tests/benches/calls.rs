//! Measures whole calls on this machine and prints a table. Nothing here passes or fails.
//!
//! `./run bench [--clip FILE.y4m] [only NAME]` with NAME one of: join, delay, calls, codecs.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline::participant::{Limits, Media, Notice, Participant, Tap, clock};
use sightline_media::av1::{Decoder, EncoderKind, Settings, encoder};
use sightline_media::camera::scene::{clock_millis, read_clock};
use sightline_media::camera::{self, Clip};
use sightline_media::microphone::{Frame, Microphone, MicrophoneError};
use sightline_media::{Capture, Picture, Size, Source, Viewer};
use sightline_media_proto::audio::{BLOCK, SAMPLE_RATE};
use sightline_media_proto::effort::Effort;
use sightline_media_proto::layer::Layer;
use sightline_mesh::{Entry, Setup};
use sightline_mesh_proto::route::Rule;
use sightline_mesh_proto::{Admit, Code, Command, Event, Name};
use sightline_tests::program::Program;

/// Runs of what is over quickly.
const RUNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let after = |word: &str| {
        let at = arguments.iter().position(|argument| argument == word)?;
        arguments.get(at + 1).cloned()
    };
    let only = after("only");
    let wants = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if wants("join") {
        join();
    }
    if wants("delay") {
        delay();
    }
    if wants("calls") {
        calls();
    }
    if wants("codecs") {
        codecs(after("--clip").as_deref());
    }
}

fn row(what: &str, value: &str) {
    println!("{what:<64} {value}");
}

/// The values at the median and at 95 %.
fn quantiles(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        values
            .get((values.len() as f64 * share) as usize)
            .copied()
            .unwrap_or(f64::NAN)
    };
    (at(0.5), at(0.95))
}

/// From the joining program's start, the code in its hand, to the first sound played and picture decoded.
fn join() {
    let (mut sounds, mut pictures) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let media = ["--microphone", "test", "--camera", "test"];
        let mut ann = Program::start_call("Ann", &media);
        let code = ann.code();
        let mut bob = Program::join_call("Bob", &code, &media);
        let first = |program: &mut Program, event| {
            let seen = program.seen.iter().find(|said| said["event"] == event).cloned();
            let event = seen.unwrap_or_else(|| program.wait(event));
            event["since_join"].as_f64().expect("seconds") * 1000.0
        };
        pictures.push(first(&mut bob, "first_video"));
        sounds.push(first(&mut bob, "first_audio"));
        bob.leave();
        ann.leave();
    }
    println!("\nJoining, call of 2, loopback, median of {RUNS} (ms)");
    row(
        "  program started with the code → first sound",
        &format!("{:.0}", quantiles(sounds).0),
    );
    row(
        "  program started with the code → first picture",
        &format!("{:.0}", quantiles(pictures).0),
    );
}

/// A microphone that hears a click every half second, and notes when.
struct Clicks {
    next: Instant,
    frames: u64,
    captured: Arc<Mutex<Vec<Instant>>>,
}

/// Every 25th frame begins with a click.
const CLICK_EVERY: u64 = 25;

impl Microphone for Clicks {
    fn read(&mut self, frame: &mut Frame) -> Result<Option<Instant>, MicrophoneError> {
        let begin = self.next;
        self.next += BLOCK;
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        frame.fill(0.0);
        if self.frames.is_multiple_of(CLICK_EVERY) {
            for (n, sample) in frame.iter_mut().take(96).enumerate() {
                *sample = (n as f32 * 0.26).sin() * 0.9;
            }
            self.captured.lock().expect("unpoisoned").push(begin);
        }
        self.frames += 1;
        Ok(Some(begin))
    }
}

/// Finds clicks in what is played and clocks in what is shown.
#[derive(Default)]
struct Ear {
    clicks: Mutex<Vec<Instant>>,
    pictures: Mutex<Vec<f64>>,
}

impl Tap for Ear {
    fn played(&self, _: u64, samples: &[f32], at: Instant) {
        let mut clicks = self.clicks.lock().expect("unpoisoned");
        let quiet_since = clicks
            .last()
            .is_none_or(|last| at > *last + Duration::from_millis(250));
        if let Some(offset) = samples
            .iter()
            .position(|sample| sample.abs() > 0.3)
            .filter(|_| quiet_since)
        {
            clicks.push(at + Duration::from_secs(1) * offset as u32 / SAMPLE_RATE);
        }
    }

    fn shown(&self, _: u64, picture: &Arc<Picture>) {
        if let Some(captured) = read_clock(picture) {
            let now = clock_millis(Instant::now());
            self.pictures
                .lock()
                .expect("unpoisoned")
                .push(f64::from(now.wrapping_sub(captured)));
        }
    }
}

fn setup(entry: Entry, name: &str) -> Setup {
    Setup {
        entry,
        addresses: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        name: Name::new(name),
        interfaces: Vec::new(),
        tell_medium: false,
        rule: Rule::Listed,
        admit: Admit::Code,
        clock: clock(),
    }
}

fn silent() -> Media {
    Media {
        microphone: None,
        camera: None,
        speaker: None,
        record: None,
        encoder: EncoderKind::Aom,
        level: Arc::default(),
        muted: Arc::default(),
        limits: Limits::default(),
        processing: Arc::default(),
    }
}

/// A participant, and what it has to say.
struct Side {
    participant: Participant,
    notices: Receiver<Notice>,
}

impl Side {
    fn start(setup: Setup, media: Media, tap: Option<Arc<dyn Tap>>) -> Self {
        let (sink, notices) = sync_channel(1024);
        let participant = Participant::start(setup, media, tap, sink).expect("a call");
        Self { participant, notices }
    }

    fn next_notice(&self, patience: Duration) -> Option<Notice> {
        let notice = self.notices.recv_timeout(patience).ok()?;
        self.participant.handle(&notice);
        Some(notice)
    }

    fn wait_for_code(&self) -> Code {
        self.participant.command(Command::NewCode);
        loop {
            let notice = self.next_notice(Duration::from_secs(10)).expect("a code");
            if let Notice::Call(Event::Code(code)) = notice {
                return code;
            }
        }
    }
}

/// Nobody looks at it.
struct Unseen;

impl Viewer for Unseen {
    fn captured(&self, _: &Arc<Picture>) {}

    fn camera_failed(&self, message: String) {
        println!("{message}");
    }
}

/// From the moment of capture to the moment of playing and of having decoded, markers in, markers out.
fn delay() {
    let captured = Arc::new(Mutex::new(Vec::new()));
    let clicks = Clicks {
        next: Instant::now(),
        frames: 0,
        captured: Arc::clone(&captured),
    };
    let scene = camera::open(&Source::Test).expect("the scene").expect("a camera");
    let media = Media {
        microphone: Some(Box::new(clicks)),
        camera: Some(Capture::start(scene, Arc::new(Unseen)).expect("a camera")),
        ..silent()
    };
    let ann = Side::start(setup(Entry::Start, "Ann"), media, None);
    let code = ann.wait_for_code();
    let ear = Arc::new(Ear::default());
    let tap: Arc<dyn Tap> = Arc::clone(&ear) as _;
    let bob = Side::start(setup(Entry::Join(code), "Bob"), silent(), Some(tap));
    let end = Instant::now() + Duration::from_secs(20);
    let mut next_stats = Instant::now() + Duration::from_secs(1);
    let (mut buffer, mut trip) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        let _notice = ann.next_notice(Duration::from_millis(5));
        let _notice = bob.next_notice(Duration::from_millis(5));
        if Instant::now() >= next_stats {
            next_stats += Duration::from_secs(1);
            for stats in bob.participant.take_stats() {
                buffer.push(stats.media.audio_buffer.as_secs_f64() * 1000.0);
                trip.extend(stats.link.rtt.map(|rtt| rtt.as_secs_f64() * 1000.0));
            }
        }
    }
    let sent = ann.participant.sent_pictures().expect("a camera");
    bob.participant.stop();
    ann.participant.stop();
    let captured = captured.lock().expect("unpoisoned");
    let heard = ear.clicks.lock().expect("unpoisoned");
    let sound: Vec<f64> = heard
        .iter()
        .filter_map(|heard| {
            let sent = captured.iter().rev().find(|sent| *sent < heard)?;
            Some(heard.duration_since(*sent).as_secs_f64() * 1000.0)
        })
        .collect();
    // The first second settles.
    let pictures = ear
        .pictures
        .lock()
        .expect("unpoisoned")
        .iter()
        .skip(30)
        .copied()
        .collect();
    println!("\nDelay, call of 2, loopback, 20 s, both in one process (ms, median / 95 %)");
    let (median, worst) = quantiles(sound.into_iter().skip(2).collect());
    row(
        "  sound, captured → played (without devices)",
        &format!("{median:.1} / {worst:.1}"),
    );
    row("    of it: one frame", "10.0");
    row(
        "    of it: waiting, so that late packets are in time",
        &format!("{:.1}", quantiles(buffer).0),
    );
    row(
        "    of it: network, half a round trip",
        &format!("{:.1}", quantiles(trip).0 / 2.0),
    );
    row("    the rest: Opus' look-ahead (6.5), waiting for threads", "");
    let (median, worst) = quantiles(pictures);
    row(
        "  picture, captured → decoded, 360p30",
        &format!("{median:.1} / {worst:.1}"),
    );
    let encode = sent.encode_time.as_secs_f64() * 1000.0 / sent.encoded.max(1) as f64;
    row("    of it: encoding", &format!("{encode:.1}"));
}

/// 15 s: what gives way while all come at once is back by then.
const SETTLING: Duration = Duration::from_secs(15);

/// Calls of several processes, all on this machine: pictures of 360p30, of 180p15 (what is sent to many), sound alone.
fn calls() {
    println!(
        "\nCalls of N processes, everybody sends to everybody, all on this machine, 10 s after the first {}",
        SETTLING.as_secs()
    );
    println!(
        "  N            cores each   MB each   pictures/s   freezes   concealed   sound ms   picture ms   gave way"
    );
    for (people, camera) in [
        (2, true),
        (3, true),
        (4, true),
        (6, true),
        (8, true),
        (10, true),
        (16, false),
    ] {
        let media: &[&str] = if camera {
            &["--microphone", "test", "--camera", "test"]
        } else {
            &["--microphone", "test"]
        };
        let mut programs = Program::gather(people, media);
        std::thread::sleep(SETTLING);
        let frozen_before = frozen(&mut programs);
        for program in &mut programs {
            program.seen.clear();
        }
        let usage = |programs: &[Program]| -> Vec<_> {
            programs
                .iter()
                .map(|program| program.usage().unwrap_or_default())
                .collect()
        };
        let (before, began) = (usage(&programs), Instant::now());
        std::thread::sleep(Duration::from_secs(10));
        let (after, took) = (usage(&programs), began.elapsed().as_secs_f64());
        let cores = before
            .iter()
            .zip(&after)
            .map(|(before, after)| (after.0 - before.0) / took)
            .collect();
        let memory = after.iter().map(|usage| usage.1 as f64 / 1e6).collect();
        let frozen = frozen(&mut programs);
        let most_frozen = frozen.iter().map(|(pair, count)| {
            let before = frozen_before.get(pair).copied().unwrap_or_default();
            count.saturating_sub(before)
        });
        let most_frozen = most_frozen.max().unwrap_or_default();
        let mut figures: [Vec<f64>; 4] = Default::default();
        let mut gave_way = BTreeSet::new();
        for program in &programs {
            for stats in program.seen.iter().filter(|event| event["event"] == "stats") {
                let places = [
                    &stats["video"]["fps"],
                    &stats["audio"]["concealed"],
                    &stats["audio"]["delay_ms"],
                    &stats["video"]["delay_ms"],
                ];
                gave_way.insert(stats["gave_way"].as_str().unwrap_or_default().to_owned());
                for (figure, place) in figures.iter_mut().zip(places) {
                    figure.extend(place.as_f64());
                }
            }
        }
        let [fps, concealed, sound, picture] = figures;
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let what = if camera {
            format!("{people}")
        } else {
            format!("{people} sound")
        };
        println!(
            "  {what:<10}   {:>10.2}   {:>7.0}   {:>10.1}   {:>7}   {:>7.2} %   {:>8.0}   {:>10.0}   {gave_way:?}",
            quantiles(cores).0,
            quantiles(memory).0,
            mean(&fps),
            most_frozen,
            mean(&concealed),
            quantiles(sound).0,
            quantiles(picture).0,
        );
        for program in &mut programs {
            program.tell("leave");
        }
        for program in &mut programs {
            program.status();
        }
    }
}

/// How often the pictures of each pair froze since the pair met.
fn frozen(programs: &mut [Program]) -> BTreeMap<(usize, String), u64> {
    let mut frozen = BTreeMap::new();
    for (index, program) in programs.iter_mut().enumerate() {
        program.listen();
        for stats in program.seen.iter().filter(|event| event["event"] == "stats") {
            let peer = stats["peer"].as_str().unwrap_or_default().to_owned();
            let count = stats["video"]["freezes"].as_u64().unwrap_or_default();
            frozen.insert((index, peer), count);
        }
    }
    frozen
}

/// Both encoders and the decoder, each layer at its rate; speeds as a call would choose them.
fn codecs(clip: Option<&str>) {
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
            let step = if layer.is_halved() { 2 } else { 1 };
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
    let mut decoder = Decoder::new().expect("a decoder");
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
        psnr.iter().sum::<f64>() / psnr.len().max(1) as f64,
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
                .map(|data| Picture {
                    size,
                    data,
                    captured: start,
                })
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
