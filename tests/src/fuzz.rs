//! A fuzzer for a stable toolchain: seeds its randomness, mutates good inputs, prints what failed.
//!
//! All targets share `SIGHTLINE_FUZZ_BUDGET` seconds (2 for each unless set; `./run test` sets it): the sum over the
//! targets, of which several run at the same time. Those whose sources changed lately get more, and chance moves the
//! rest from run to run. `SIGHTLINE_FUZZ_SECONDS` is instead what each target gets, for a long run of one. The seed is
//! `SIGHTLINE_FUZZ_SEED` (drawn unless set).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::Command;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// A target by its name, and where the code is that it exercises: files, and folders with a slash at the end.
type Target = (&'static str, &'static [&'static str]);

/// All targets of `tests/tests/fuzz.rs`.
const TARGETS: [Target; 14] = [
    (
        "codes",
        &[
            "mesh/proto/src/code.rs",
            "mesh/proto/src/letters.rs",
            "mesh/proto/src/candidate.rs",
        ],
    ),
    (
        "control_messages",
        &[
            "mesh/proto/src/wire.rs",
            "mesh/proto/src/roster/",
            "mesh/proto/src/name.rs",
            "mesh/proto/src/candidate.rs",
        ],
    ),
    ("bulk_fragments", &["mesh/proto/src/channel/"]),
    ("datagram_framing", &["noise/src/", "mesh/packet/src/"]),
    (
        "first_packets_at_the_gate",
        &[
            "mesh/proto/src/gate.rs",
            "mesh/proto/src/initial.rs",
            "mesh/proto/src/tag.rs",
        ],
    ),
    (
        "reassembly",
        &["media/proto/src/reassembly.rs", "media/proto/src/video.rs"],
    ),
    (
        "reports_of_arrivals",
        &[
            "media/proto/src/link/",
            "media/proto/src/session/",
            "media/proto/src/header.rs",
            "media/proto/src/track.rs",
        ],
    ),
    (
        "sound_packets",
        &[
            "media/proto/src/audio.rs",
            "media/proto/src/redundancy.rs",
            "media/proto/src/feedback.rs",
            "media/proto/src/playout/",
        ],
    ),
    ("opus_frames", &["media/src/opus_codec.rs"]),
    ("av1_pictures", &["media/src/decoder/", "media/proto/src/obu/"]),
    (
        "av1_units_of_every_kind",
        &["media/src/decoder/", "media/proto/src/obu/", "tests/src/obu.rs"],
    ),
    ("y4m_clips", &["media/src/camera/clip.rs"]),
    ("pictures_of_codes", &["app/src/code_picture.rs"]),
    (
        "wav_clips",
        &["media/src/microphone/clip.rs", "media/src/microphone/wav.rs"],
    ),
];

/// What each target gets at least, seconds.
const LEAST: f64 = 2.0;

/// Lately: the last ten commits, and what is not committed.
const LATELY: &str = "HEAD~10";

/// The seed of this process, and what each target gets, seconds.
static PLAN: LazyLock<(u64, Vec<f64>)> = LazyLock::new(|| {
    let seed = number("SIGHTLINE_FUZZ_SEED").unwrap_or_else(rand::random);
    if let Some(seconds) = number("SIGHTLINE_FUZZ_SECONDS") {
        return (seed, vec![seconds as f64; TARGETS.len()]);
    }
    let budget = number("SIGHTLINE_FUZZ_BUDGET").map_or(0.0, |seconds| seconds as f64);
    let changed = changed_lately().unwrap_or_default();
    let is_changed = TARGETS.map(|(_, sources)| {
        let is_source = |path: &String| sources.iter().any(|source| path.starts_with(source));
        changed.iter().any(is_source)
    });
    let mut rng = StdRng::seed_from_u64(seed);
    let weights = TARGETS.map(|_| rng.random_range(0.05..1.0));
    (seed, share(budget, &is_changed, &weights))
});

/// Shares seconds out. Each target gets the least; of what is left, those that changed share one half alike, and all
/// share the rest by weight: everything, if none changed.
fn share(budget: f64, is_changed: &[bool], weights: &[f64]) -> Vec<f64> {
    let left = (budget - LEAST * weights.len() as f64).max(0.0);
    let changed = is_changed.iter().filter(|changed| **changed).count();
    let for_changed = if changed > 0 { left / 2.0 } else { 0.0 };
    let all: f64 = weights.iter().sum();
    let one = |(changed_one, weight): (&bool, &f64)| {
        let extra = if *changed_one {
            for_changed / changed as f64
        } else {
            0.0
        };
        LEAST + extra + (left - for_changed) * weight / all
    };
    is_changed.iter().zip(weights).map(one).collect()
}

/// The files that changed lately; `None` without git, or so much history.
fn changed_lately() -> Option<Vec<String>> {
    let git = |arguments: &[&str]| {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
        let output = Command::new("git")
            .args(["-C", root])
            .args(arguments)
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        output.status.success().then_some(text)
    };
    let changed = git(&["diff", "--name-only", LATELY, "--"])?;
    let new = git(&["ls-files", "--others", "--exclude-standard"])?;
    Some(changed.lines().chain(new.lines()).map(str::to_owned).collect())
}

/// The longest input made, bytes.
const MAX_LEN: usize = 64 * 1024;

/// Feeds mutations of `corpus` to `target` until the time is over. A panic of the target is passed on, after the
/// seed and the input that caused it were printed.
pub fn run(name: &str, corpus: &[Vec<u8>], mut target: impl FnMut(&[u8])) {
    for good in corpus {
        target(good);
    }
    run_made(name, |rng| mutate(corpus, rng), target);
}

/// The same with inputs that `make` makes.
pub fn run_made(name: &str, mut make: impl FnMut(&mut StdRng) -> Vec<u8>, mut target: impl FnMut(&[u8])) {
    let (seed, shares) = &*PLAN;
    let at = TARGETS.iter().position(|(target, _)| *target == name);
    let seconds = shares[at.expect("a target of the table")];
    let mut rng = StdRng::seed_from_u64(*seed);
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut inputs = 0u64;
    while inputs.is_multiple_of(64) && Instant::now() < end || !inputs.is_multiple_of(64) {
        let input = make(&mut rng);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            eprintln!("{name}: seed {seed}, input {inputs}: {input:02x?}");
            resume_unwind(panic);
        }
        inputs += 1;
    }
    eprintln!("{name}: {inputs} inputs in {seconds:.0} s, seed {seed}");
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// An input like those of `corpus`, changed in some places.
pub fn mutate(corpus: &[Vec<u8>], rng: &mut StdRng) -> Vec<u8> {
    let mut input = match corpus.len() {
        0 => Vec::new(),
        len if rng.random_ratio(15, 16) => corpus[rng.random_range(0..len)].clone(),
        _ => random_bytes(rng),
    };
    for _ in 0..rng.random_range(0..8) {
        change(&mut input, corpus, rng);
    }
    input.truncate(MAX_LEN);
    input
}

fn random_bytes(rng: &mut StdRng) -> Vec<u8> {
    let mut bytes = vec![0; rng.random_range(0..2048)];
    rng.fill_bytes(&mut bytes);
    bytes
}

fn change(input: &mut Vec<u8>, corpus: &[Vec<u8>], rng: &mut StdRng) {
    let at = rng.random_range(0..=input.len());
    let len = rng.random_range(0..=16.min(input.len() - at));
    match rng.random_range(0..7) {
        0 => input.truncate(at),
        1 => {
            input.drain(at..at + len);
        }
        2 => {
            let piece = input[at..at + len].to_vec();
            input.splice(at..at, piece);
        }
        3 => {
            let mut piece = vec![0; len];
            rng.fill_bytes(&mut piece);
            input.splice(at..at, piece);
        }
        4 if at < input.len() => input[at] ^= 1 << rng.random_range(0..8),
        5 if at < input.len() => input[at] = [0, 1, 0x7f, 0x80, 0xff][rng.random_range(0..5)],
        _ => {
            if let Some(other) = corpus.get(rng.random_range(0..corpus.len().max(1))) {
                let from = rng.random_range(0..=other.len());
                input.truncate(at);
                input.extend_from_slice(&other[from..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_whole_budget_is_shared_and_each_target_gets_two_seconds_of_it() {
        let weights = [0.5, 0.05, 0.9, 0.3];
        for is_changed in [[false; 4], [true; 4], [true, false, false, true]] {
            for (budget, expected) in [(0.0, 8.0), (8.0, 8.0), (360.0, 360.0)] {
                let shares = share(budget, &is_changed, &weights);
                let sum: f64 = shares.iter().sum();
                assert!((sum - expected).abs() < 1e-6, "{budget}: {shares:?}");
                assert!(shares.iter().all(|share| *share >= 2.0), "{budget}: {shares:?}");
            }
        }
    }

    #[test]
    fn what_changed_lately_gets_half_of_what_is_left_and_chance_shares_the_rest() {
        let shares = share(108.0, &[true, false, true, false], &[0.1, 0.2, 0.3, 0.4]);
        let expected = [32.0, 12.0, 42.0, 22.0];
        for (share, expected) in shares.iter().zip(expected) {
            assert!((share - expected).abs() < 1e-6, "{shares:?}");
        }
        let shares = share(108.0, &[false; 4], &[0.1, 0.2, 0.3, 0.4]);
        assert!((shares[3] - 42.0).abs() < 1e-6, "{shares:?}");
    }

    #[test]
    fn the_table_names_every_target_and_sources_that_are_there() {
        let tests = include_str!("../tests/fuzz.rs");
        assert_eq!(tests.matches("#[test]").count(), TARGETS.len());
        for (name, sources) in TARGETS {
            assert!(tests.contains(&format!("#[test]\nfn {name}() {{")), "{name}");
            for source in sources {
                let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(source);
                assert!(path.exists(), "{name}: {source}");
                assert_eq!(path.is_dir(), source.ends_with('/'), "{name}: {source}");
            }
        }
    }
}
