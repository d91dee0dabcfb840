//! A call of four on a machine that other programs keep busy for a while: what gives way, and when it is back.
//!
//! `./run bench only starved`; as root, because the others have to come first.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::collections::BTreeMap;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use sightline::event::{Event, Stats};
use sightline_tests::bench::{self, mean};
use sightline_tests::pick;
use sightline_tests::program::Program;

const PEOPLE: usize = 4;

/// How long it is left alone at first, and kept busy then.
const CALM: Duration = Duration::from_secs(10);
const BUSY: Duration = Duration::from_secs(30);

/// How long it is waited for what gave way.
const PATIENCE: Duration = Duration::from_secs(120);

/// 100 ms: how often is looked.
const POLL: Duration = Duration::from_millis(100);

/// The least pictures a second at which nothing is missing.
const WHOLE: f64 = 28.0;

fn main() {
    if !bench::is_wanted("starved") {
        return;
    }
    println!(
        "\nA call of {PEOPLE}, 360p30, while programs that come first keep every processor busy for {} s",
        BUSY.as_secs()
    );
    if !may_come_first() {
        println!("  skipped: only root may let other programs come first");
        return;
    }
    let mut call = Program::gather(PEOPLE, &["--microphone", "test", "--camera", "test"]);
    watch(&mut call, CALM, |_| false);
    let mut others = keep_busy();
    let mut steps = Vec::new();
    let busy = watch(&mut call, BUSY, |latest| {
        for stats in latest.values() {
            if !steps.contains(&stats.gave_way) {
                steps.push(stats.gave_way.clone());
            }
        }
        false
    });
    stop(&mut others);
    let back = watch(&mut call, PATIENCE, |latest| {
        latest
            .values()
            .all(|stats| stats.gave_way == "nothing" && f64::from(stats.video.fps) >= WHOLE)
    });
    println!(
        "  what gave way, of any of them                        {}",
        steps.join(", ")
    );
    println!(
        "  sound concealed meanwhile, mean                      {:.2} %",
        busy.concealed
    );
    match back.after {
        Some(after) => println!(
            "  everything is back after                             {:.0} s",
            after.as_secs_f64()
        ),
        None => println!(
            "  something is not back after                          {} s",
            PATIENCE.as_secs()
        ),
    }
    for program in &mut call {
        program.tell("leave");
    }
    for program in &mut call {
        program.status();
    }
}

/// What was seen in a while.
struct Seen {
    /// When it was as was waited for.
    after: Option<Duration>,
    /// Sound made up, per cent.
    concealed: f64,
}

/// Looks at the newest statistics of each pair until they are as is waited for, or time is over.
fn watch(
    call: &mut [Program],
    patience: Duration,
    mut is_so: impl FnMut(&BTreeMap<(usize, String), Stats>) -> bool,
) -> Seen {
    let began = Instant::now();
    let (mut latest, mut concealed) = (BTreeMap::new(), Vec::new());
    while began.elapsed() < patience {
        std::thread::sleep(POLL);
        for (index, program) in call.iter_mut().enumerate() {
            program.listen();
            let stats = program
                .seen
                .iter()
                .filter_map(pick!(Event::Stats(stats) => (**stats).clone()));
            for stats in stats {
                concealed.push(stats.audio.concealed as f64);
                latest.insert((index, stats.peer.clone()), stats);
            }
            program.seen.clear();
        }
        if !latest.is_empty() && is_so(&latest) {
            return Seen {
                after: Some(began.elapsed()),
                concealed: mean(&concealed),
            };
        }
    }
    Seen {
        after: None,
        concealed: mean(&concealed),
    }
}

/// A command that comes before all others.
fn first(command: &[&str]) -> Command {
    let mut first = Command::new("nice");
    first.args(["-n", "-10"]).args(command);
    first
}

fn may_come_first() -> bool {
    let tried = first(&["true"]).stderr(Stdio::piped()).output();
    tried.is_ok_and(|output| output.status.success() && output.stderr.is_empty())
}

/// Three programs for each processor that never wait.
fn keep_busy() -> Vec<Child> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let start = |_| {
        let mut busy = first(&["sh", "-c", "while :; do :; done"]);
        busy.spawn().expect("a shell")
    };
    (0..3 * processors).map(start).collect()
}

fn stop(others: &mut Vec<Child>) {
    for mut other in others.drain(..) {
        other.kill().expect("it runs");
        other.wait().expect("it ends");
    }
}
