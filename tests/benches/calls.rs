//! Measures whole calls on this machine and prints a table. Nothing here passes or fails.
//!
//! `./run bench only NAME` with NAME one of: join, delay, calls.
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

use sightline::clock;
use sightline::event::Event;
use sightline::participant::{Media, Participant, PlayoutObserver};
use sightline::state::{self, Effect, Moment, State};
use sightline::update::Update;
use sightline_media::av1::EncoderKind;
use sightline_media::camera;
use sightline_media::camera::scene::{clock_millis, read_clock};
use sightline_media::microphone::{Block, Microphone, MicrophoneError};
use sightline_media::{Capture, Picture, Source, Viewer};
use sightline_media_proto::audio::{BLOCK, SAMPLE_RATE};
use sightline_media_proto::session::Limits;
use sightline_media_proto::{AudioTrack, VideoTrack};
use sightline_mesh::{Entry, Setup};
use sightline_mesh_proto::route::Rule;
use sightline_mesh_proto::{Admit, Code, Command, Event as CallEvent, Name};
use sightline_tests::bench::{self, mean, quantiles};
use sightline_tests::pick;
use sightline_tests::program::Program;
use sightline_ui::model::{Call, Model};

/// Runs of what is over quickly.
const RUNS: usize = 5;

fn main() {
    let measures: [(&str, fn()); 3] = [("join", join), ("delay", delay), ("calls", calls)];
    for (name, measure) in measures {
        if bench::is_wanted(name) {
            measure();
        }
    }
}

fn row(what: &str, value: &str) {
    println!("{what:<64} {value}");
}

/// From the joining program's start, the code in its hand, to the first sound played and picture decoded.
fn join() {
    let (mut sounds, mut pictures) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let media = ["--microphone", "test", "--camera", "test"];
        let mut ann = Program::start_call("Ann", &media);
        let code = ann.code();
        let mut bob = Program::join_call("Bob", &code, &media);
        bob.wait_for_both("first_audio", "first_video");
        let mut seen = bob.seen.iter();
        pictures.extend(
            seen.clone()
                .find_map(pick!(Event::FirstVideo { since_join, .. } => since_join * 1000.0)),
        );
        sounds.extend(seen.find_map(pick!(Event::FirstAudio { since_join, .. } => since_join * 1000.0)));
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
    fn read(&mut self, block: &mut Block) -> Result<Option<Instant>, MicrophoneError> {
        let begin = self.next;
        self.next += BLOCK;
        std::thread::sleep(self.next.saturating_duration_since(Instant::now()));
        block.fill(0.0);
        if self.frames.is_multiple_of(CLICK_EVERY) {
            for (n, sample) in block.iter_mut().take(96).enumerate() {
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

impl PlayoutObserver for Ear {
    fn played(&self, _: u64, _: AudioTrack, samples: &[f32], at: Instant) {
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

    fn shown(&self, _: u64, _: VideoTrack, picture: &Arc<Picture>) {
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
        clock: clock::start(),
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
    updates: Receiver<Update>,
    state: State,
}

impl Side {
    fn start(setup: Setup, media: Media, observer: Option<Arc<dyn PlayoutObserver>>) -> Self {
        let (sink, updates) = sync_channel(1024);
        let clock = setup.clock;
        let participant = Participant::start(setup, media, observer, sink).expect("a call");
        let mut state = State::new(Model::default(), clock, |_| None, false);
        let entry = state::Entered {
            is_starter: participant.is_starter(),
            ..state::Entered::default()
        };
        state.begin_call(participant.me(), entry, Call::default(), moment());
        Self {
            participant,
            updates,
            state,
        }
    }

    /// The next code that comes of it, if one does.
    fn pass(&mut self, patience: Duration) -> Option<Code> {
        let update = self.updates.recv_timeout(patience).ok()?;
        let code = match &update {
            Update::Call(CallEvent::Code(code)) => Some(code.clone()),
            _ => None,
        };
        self.state.reduce(update, moment());
        while let Some(effect) = self.state.poll_effect() {
            if let Effect::Participant(effect) = effect {
                self.participant.carry_out(effect);
            }
        }
        code
    }

    fn wait_for_code(&mut self) -> Code {
        self.participant.command(Command::NewCode(clock::wall()));
        let mut tries = (0..1000).filter_map(|_| self.pass(Duration::from_millis(10)));
        tries.next().expect("a code")
    }
}

fn moment() -> Moment {
    Moment {
        now: Instant::now(),
        started: clock::wall(),
    }
}

/// Nobody looks at it.
struct Unseen;

impl Viewer for Unseen {
    fn camera_runs(&self) {}

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
    let mut ann = Side::start(setup(Entry::Start, "Ann"), media, None);
    let code = ann.wait_for_code();
    let ear = Arc::new(Ear::default());
    let observer: Arc<dyn PlayoutObserver> = Arc::clone(&ear) as _;
    let mut bob = Side::start(setup(Entry::Join(code), "Bob"), silent(), Some(observer));
    let end = Instant::now() + Duration::from_secs(20);
    let mut next_stats = Instant::now() + Duration::from_secs(1);
    let (mut buffer, mut trip) = (Vec::new(), Vec::new());
    while Instant::now() < end {
        ann.pass(Duration::from_millis(5));
        bob.pass(Duration::from_millis(5));
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
            for stats in program
                .seen
                .iter()
                .filter_map(pick!(Event::Stats(stats) => stats))
            {
                let values = [
                    Some(f64::from(stats.video.fps)),
                    Some(stats.audio.concealed as f64),
                    stats.audio.delay_ms,
                    stats.video.delay_ms,
                ];
                gave_way.insert(stats.gave_way.clone());
                for (figure, value) in figures.iter_mut().zip(values) {
                    figure.extend(value);
                }
            }
        }
        let [fps, concealed, sound, picture] = figures;
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
fn frozen(programs: &mut [Program]) -> BTreeMap<(usize, String), u32> {
    let mut frozen = BTreeMap::new();
    for (index, program) in programs.iter_mut().enumerate() {
        program.listen();
        for stats in program
            .seen
            .iter()
            .filter_map(pick!(Event::Stats(stats) => stats))
        {
            frozen.insert((index, stats.peer.clone()), stats.video.freezes);
        }
    }
    frozen
}
