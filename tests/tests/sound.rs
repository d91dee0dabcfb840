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

use sightline_tests::program::{Program, path};
use sightline_tests::sound::Service;

/// Waits until each of these was told, in any order, and prints after how long. Returns the sentences in this order.
fn wait_for_words(program: &mut Program, words: &[&str], since: Instant) -> Vec<String> {
    let mut messages = BTreeMap::new();
    while messages.len() < words.len() {
        let told = program.wait_for(&words.join(" and "), |said| {
            let code = said["code"].as_str();
            said["event"] == "problem" && code.is_some_and(|code| words.contains(&code))
        });
        let [word, message] =
            ["code", "message"].map(|field| told[field].as_str().expect("a text").to_owned());
        eprintln!("{word} after {:.0} ms", since.elapsed().as_secs_f64() * 1000.0);
        messages.insert(word, message);
    }
    words.iter().map(|word| messages[*word].clone()).collect()
}

/// Waits until Bob hears himself: through Ann's loudspeaker, from there into her microphone, and back.
fn wait_for_echo(bob: &mut Program) {
    bob.listen();
    bob.wait_for("his own voice from Ann", |said| {
        said["event"] == "stats"
            && said["audio"]["level_db"]
                .as_f64()
                .is_some_and(|level| level > -40.0)
    });
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
    bob.wait_for("silence from Ann", |said| {
        let level = said["audio"]["level_db"].as_f64();
        said["event"] == "stats" && level.is_none_or(|level| level < -50.0)
    });

    service.unplug(&laptop);
    bob.leave();
    ann.leave();
}
