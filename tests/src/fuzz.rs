//! A fuzzer for a stable toolchain: seeds its randomness, mutates good inputs, prints what failed.
//!
//! Each target runs for `SIGHTLINE_FUZZ_SECONDS` (2 unless set; `./run test` sets it), from the seed
//! `SIGHTLINE_FUZZ_SEED` (drawn unless set).

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

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
    let seconds = number("SIGHTLINE_FUZZ_SECONDS").unwrap_or(2);
    let seed = number("SIGHTLINE_FUZZ_SEED").unwrap_or_else(rand::random);
    let mut rng = StdRng::seed_from_u64(seed);
    let end = Instant::now() + Duration::from_secs(seconds);
    let mut inputs = 0u64;
    while inputs.is_multiple_of(64) && Instant::now() < end || !inputs.is_multiple_of(64) {
        let input = make(&mut rng);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(&input))) {
            eprintln!("{name}: seed {seed}, input {inputs}: {input:02x?}");
            resume_unwind(panic);
        }
        inputs += 1;
    }
    eprintln!("{name}: {inputs} inputs in {seconds} s, seed {seed}");
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
