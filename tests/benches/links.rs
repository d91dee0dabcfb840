//! What is left of a call whose packets are lost, and how much of a small uplink is used.
//!
//! `./run bench only NAME` with NAME one of: loss, uplink. The first as root: it needs network namespaces.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    missing_docs
)]

use std::time::Instant;

use sightline::event::Event;
use sightline_tests::bench;
use sightline_tests::network::Network;
use sightline_tests::pick;
use sightline_tests::program::{Program, is_loud};

/// Seconds until the loss is known for what it is, and the layer back that it may have cost.
const SETTLING: u32 = 10;

/// Seconds that are looked at.
const SECONDS: u32 = 15;

/// kbit/s: little for a call of three, and enough.
const UPLINK: &str = "700";

fn main() {
    let measures: [(&str, fn()); 2] = [("loss", loss), ("uplink", uplink)];
    for (name, measure) in measures {
        if bench::is_wanted(name) {
            measure();
        }
    }
}

/// What one of three hears and sees of another, each losing so much of what comes.
fn loss() {
    println!("\nA call of 3, 360p30, packets lost by chance on their way in, {SECONDS} s");
    println!("  lost   seconds with speech   concealed   pictures   freezes   frozen");
    for percent in [5, 10] {
        let network = match Network::new(3) {
            Ok(network) => network,
            Err(missing) => return println!("  skipped: {missing} is missing"),
        };
        let mut people = network.call();
        for person in &mut people {
            person.tell("camera test");
        }
        people[2].wait("first_video");
        for host in 0..3 {
            network.lose(host, percent);
        }
        let listener = &mut people[2];
        let member = listener.stats().peer;
        let of_member = pick!(Event::Stats(stats) if stats.peer == member => (**stats).clone());
        let mut next = || listener.wait_for("statistics", of_member);
        for _ in 1..SETTLING {
            next();
        }
        let (before, mut loud, mut concealed, mut pictures) = (next(), 0, 0, 0);
        let mut after = before.clone();
        for _ in 0..SECONDS {
            after = next();
            loud += u32::from(is_loud(&after));
            concealed += after.audio.concealed;
            pictures += after.video.fps;
        }
        let freezes = after.video.freezes - before.video.freezes;
        println!(
            "  {percent:>2} %   {loud:>19}   {:>7.2} %   {pictures:>8}   {freezes:>7}   {:>4.2} s",
            concealed as f64 / f64::from(SECONDS),
            after.video.frozen_s - before.video.frozen_s,
        );
        leave(&mut people);
    }
}

/// What somebody sends to two others, with a limit for all of it.
fn uplink() {
    println!("\nA call of 3 with an uplink of {UPLINK} kbit/s, {SECONDS} s (kbit/s, with headers)");
    for (what, more) in [
        ("at the rate that is needed", None),
        ("at a constant rate", Some("--constant-rate")),
    ] {
        let mut media = vec!["--camera", "test", "--microphone", "test", "--uplink", UPLINK];
        media.extend(more);
        let mut ann = Program::start_call("Ann", &media);
        let code = ann.code();
        let mut bob = Program::join_call("Bob", &code, &["--camera", "test"]);
        let code = ann.another_code();
        let mut cleo = Program::join_call("Cleo", &code, &[]);
        cleo.wait_for_both("first_audio", "first_video");
        bob.wait_for_both("first_audio", "first_video");
        let (before, began) = sent(&mut ann);
        for _ in 0..SECONDS {
            bob.wait("stats");
        }
        let (after, ended) = sent(&mut ann);
        let rate = (after - before) as f64 * 8.0 / 1000.0 / ended.duration_since(began).as_secs_f64();
        println!("{:<64} {rate:.0}", format!("  {what}"));
        leave(&mut [ann, bob, cleo]);
    }
}

/// The bytes that it sent so far, on the wire, and when it said so.
fn sent(program: &mut Program) -> (u64, Instant) {
    let ledger = program.ledger();
    (bench::bytes_on_the_wire(&ledger), Instant::now())
}

fn leave(people: &mut [Program]) {
    for person in &mut *people {
        person.tell("leave");
    }
    for person in people {
        person.status();
    }
}
