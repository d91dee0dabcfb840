//! From a microphone to another one's loudspeaker, through a sound service of the bench's own, a call, and its codec: delay and
//! drop-outs for microphones of different formats, beside `parec | pacat`, which is no call at all. Nothing here passes or fails.
//!
//! `./run bench only sound [--seconds S]`; needs PulseAudio.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use sightline_tests::bench::{after, is_wanted, quantiles};
use sightline_tests::program::{Program, path};
use sightline_tests::sound::Service;

/// Samples a second, of what is played and of what is recorded.
const RATE: usize = 48_000;

/// 5 ms: how exactly the beginning of a mark is found.
const STEP: usize = RATE / 200;

/// 2 s: how often there is a mark, longer than any delay.
const PERIOD: usize = 2 * RATE;

/// A mark is of another frequency, hertz.
const TONE: f64 = 440.0;
const MARK: f64 = 1200.0;

/// 100 ms: how long a mark lasts.
const MARK_LEN: usize = RATE / 10;

/// The longest delay that is told from the next mark.
const MAX_DELAY: Duration = Duration::from_millis(1900);

/// How long each microphone is listened to, unless it is said, seconds.
const SECONDS: usize = 20;

/// Microphones, and what the service is told of them.
const MICROPHONES: [(&str, &[&str]); 6] = [
    ("48 kHz, float", &["format=float32le", "rate=48000", "channels=1"]),
    ("44.1 kHz, stereo", &["format=s16le", "rate=44100", "channels=2"]),
    ("16 kHz", &["format=s16le", "rate=16000", "channels=1"]),
    ("22257 Hz", &["format=s16le", "rate=22257", "channels=1"]),
    ("24 bits", &["format=s24le", "rate=48000", "channels=2"]),
    (
        "8 channels",
        &[
            "format=s16le",
            "rate=48000",
            "channels=8",
            "channel_map=aux0,aux1,aux2,aux3,aux4,aux5,aux6,aux7",
        ],
    ),
];

fn main() {
    if !is_wanted("sound") {
        return;
    }
    let seconds = after("--seconds")
        .and_then(|text| text.parse().ok())
        .unwrap_or(SECONDS);
    let service = match Service::start() {
        Ok(service) => service,
        Err(lacking) => return println!("sound: not measured, {lacking} is not here"),
    };
    for name in ["Ear", "Pipe"] {
        service.plug(name);
    }
    println!(
        "From a microphone to a loudspeaker, {seconds} s each: delay (median, 95 %), drop-outs of 10 ms"
    );
    println!("{:18} {:>26} {:>26}", "", "a call", "parec | pacat");
    for (name, format) in MICROPHONES {
        let microphone = service.plug_as("Mic", "mic", format);
        let [call, pipe] = measure(&service, seconds);
        println!("{name:18} {call:>26} {pipe:>26}");
        service.unplug(&microphone);
    }
}

/// What one microphone gives, through a call and through a pipe.
fn measure(service: &Service, seconds: usize) -> [String; 2] {
    let run = |arguments: &[&str]| {
        let mut command = Command::new(path());
        command.args(arguments);
        service.offer(&mut command);
        Program::run(command)
    };
    let common = ["--json", "--share", "127.0.0.1:0"];
    let speaks = [
        "start",
        "--admit",
        "code",
        "--microphone",
        "device:Mic",
        "--processing",
        "off",
    ];
    let mut ann = run(&[&speaks, &common[..]].concat());
    let code = ann.code();
    let mut bob = run(&[&["join", "-", "--speaker", "device:Ear"], &common[..]].concat());
    bob.tell(&code);
    bob.wait("first_audio");
    let _pipe = Running::start(
        service,
        "parec -d mic-mic --latency-msec=20 --raw --rate=48000 --channels=1 \
         | pacat -d pipe --latency-msec=20 --process-time-msec=5 --raw --rate=48000 --channels=1",
    );
    let said = Recording::start(service, "mic");
    let heard = [
        Recording::start(service, "ear"),
        Recording::start(service, "pipe"),
    ];
    play(service, seconds);
    let said = marks(&said.finish()).0;
    let results = heard.map(|recording| {
        let (heard, dropouts) = marks(&recording.finish());
        let delay = |at: &Instant| {
            let mut later = heard.iter().filter_map(|heard| heard.checked_duration_since(*at));
            later.find(|delay| *delay < MAX_DELAY)
        };
        // At first buffers fill.
        let delays = said.iter().skip(1).filter_map(delay);
        let delays: Vec<f64> = delays.map(|delay| delay.as_secs_f64() * 1000.0).collect();
        let count = delays.len();
        let (median, worst) = quantiles(delays);
        format!("{median:.0} ms, {worst:.0} ms ({count}), {dropouts}")
    });
    bob.leave();
    ann.leave();
    results
}

/// Says the tone with its marks into the microphone.
fn play(service: &Service, seconds: usize) {
    let mut command = Command::new("pacat");
    let arguments = [
        "-d",
        "mic",
        "--raw",
        "--rate=48000",
        "--channels=1",
        "--format=s16le",
    ];
    command
        .args(arguments)
        .arg("--latency-msec=40")
        .stdin(Stdio::piped());
    service.offer(&mut command);
    let mut player = command.spawn().expect("pacat runs");
    let mut phase = 0.0_f64;
    let samples = (0..seconds * RATE).flat_map(|at| {
        let frequency = if at % PERIOD < MARK_LEN { MARK } else { TONE };
        phase += std::f64::consts::TAU * frequency / RATE as f64;
        ((phase.sin() * 10_000.0) as i16).to_le_bytes()
    });
    let bytes: Vec<u8> = samples.collect();
    let mut input = player.stdin.take().expect("piped");
    input.write_all(&bytes).expect("it plays");
    drop(input);
    player.wait().expect("it ends");
}

/// The moments at which a mark began, and how many drop-outs there were between the first and the last of them.
fn marks(steps: &[(Instant, Vec<f64>)]) -> (Vec<Instant>, usize) {
    let mut begun = Vec::new();
    let (mut was_mark, mut dropouts, mut quiet) = (true, 0, 0);
    for (at, samples) in steps {
        let is_mark = power_at(samples, MARK) > power_at(samples, TONE) && power(samples) > 1e5;
        if is_mark && !was_mark {
            begun.push(*at);
            dropouts += if begun.len() > 1 { quiet } else { 0 };
            quiet = 0;
        }
        was_mark = is_mark;
        quiet += usize::from(power(samples) < 1e6);
    }
    (begun, dropouts.div_ceil(2))
}

fn power(samples: &[f64]) -> f64 {
    samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len().max(1) as f64
}

/// What there is of a frequency in some samples (Goertzel, 1958).
fn power_at(samples: &[f64], frequency: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / RATE as f64).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + coefficient * last - before, last);
    }
    last * last + before * before - coefficient * last * before
}

/// What a loudspeaker plays, in steps, each with the moment at which it came.
struct Recording {
    process: Running,
    steps: Receiver<(Instant, Vec<f64>)>,
}

impl Recording {
    fn start(service: &Service, sink: &str) -> Self {
        let mut process = Running::start(
            service,
            &format!(
                "exec parec -d {sink}.monitor --latency-msec=10 --raw --rate=48000 --channels=1 --format=s16le"
            ),
        );
        let mut output = process.0.stdout.take().expect("piped");
        let (sink, steps) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 2 * STEP];
            while output.read_exact(&mut bytes).is_ok() {
                let samples = bytes.as_chunks().0.iter();
                let samples = samples.map(|sample| f64::from(i16::from_le_bytes(*sample)));
                if sink.send((Instant::now(), samples.collect())).is_err() {
                    return;
                }
            }
        });
        Self { process, steps }
    }

    fn finish(self) -> Vec<(Instant, Vec<f64>)> {
        drop(self.process);
        self.steps.into_iter().collect()
    }
}

/// A shell's line that runs until it is dropped.
struct Running(Child);

impl Running {
    fn start(service: &Service, line: &str) -> Self {
        let mut command = Command::new("sh");
        command
            .args(["-c", line])
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // What the shell runs is ended with it.
        command.process_group(0);
        service.offer(&mut command);
        Self(command.spawn().expect("a shell runs"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ended = kill_process_group(Pid::from_child(&self.0), Signal::TERM);
        let _ended = self.0.wait();
    }
}
