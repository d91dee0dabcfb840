//! Sound devices that come and go during a call, on a sound service of the test's own.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use sightline::event::Event;
use sightline_tests::pick;
use sightline_tests::program::{Program, is_loud, path};
use sightline_tests::sound::Service;

/// Waits until each of these was told, in any order, and prints after how long. Returns the sentences in this order.
fn wait_for_words(program: &mut Program, words: &[&str], since: Instant) -> Vec<String> {
    let mut messages = BTreeMap::new();
    while messages.len() < words.len() {
        let told = pick!(
            Event::Problem { code, message, .. } if words.contains(&&**code) => (code.clone(), message.clone())
        );
        let (word, message) = program.wait_for(&words.join(" and "), told);
        eprintln!("{word} after {:.0} ms", since.elapsed().as_secs_f64() * 1000.0);
        messages.insert(word, message);
    }
    words.iter().map(|word| messages[*word].clone()).collect()
}

/// Waits until Bob hears himself: through Ann's loudspeaker, from there into her microphone, and back.
fn wait_for_echo(bob: &mut Program) {
    bob.listen();
    while !is_loud(&bob.stats()) {}
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn a_call_moves_to_the_next_device_tells_it_and_comes_back() {
    let service = Service::start().expect("what this test needs");
    let mut laptop = service.plug("Laptop");
    let mut headset = service.plug("Headset");
    let mut command = Command::new(path());
    command.args([
        "start",
        "--json",
        "--share",
        "127.0.0.1:0",
        "--admit",
        "code",
        "--name",
        "Ann",
    ]);
    command.args([
        "--speaker",
        "device:Headset",
        "--microphone",
        "device:Monitor of Headset",
        // The echo of what is played is how it is seen that all works.
        "--processing",
        "off",
    ]);
    service.offer(&mut command);
    let mut ann = Program::run(command);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &["--microphone", "test"]);
    wait_for_echo(&mut bob);

    let now = Instant::now();
    service.unplug(&headset);
    let told = wait_for_words(&mut ann, &["speaker_moved", "microphone_moved"], now);
    assert!(
        told[0].contains("Now in use: Laptop") && told[1].contains("Monitor of Laptop"),
        "{told:?}"
    );
    wait_for_echo(&mut bob);

    // What was chosen is used again as soon as it is back.
    let now = Instant::now();
    headset = service.plug("Headset");
    let told = wait_for_words(&mut ann, &["speaker_back", "microphone_back"], now);
    assert!(
        told.iter().all(|sentence| sentence.contains("Headset")),
        "{told:?}"
    );
    wait_for_echo(&mut bob);

    // None left: that is told, and the call goes on without.
    let now = Instant::now();
    service.unplug(&laptop);
    service.unplug(&headset);
    wait_for_words(&mut ann, &["speaker_gone", "microphone_gone"], now);
    ann.wait("stats");
    let now = Instant::now();
    laptop = service.plug("Laptop");
    wait_for_words(&mut ann, &["speaker_back", "microphone_back"], now);
    wait_for_echo(&mut bob);

    // And it is taken out as soon as that is wished.
    ann.tell("echo on");
    bob.listen();
    while bob.stats().audio.level_db.is_some_and(|level| level >= -50.0) {}

    service.unplug(&laptop);
    bob.leave();
    ann.leave();
}
