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
use sightline_tests::program::{Program, is_loud, path, starts_call};
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

/// Waits until Ann is told that her headset is used again, both ways, and it is.
fn wait_for_headset(ann: &mut Program, bob: &mut Program, since: Instant) {
    let told = wait_for_words(ann, &["speaker_back", "microphone_back"], since);
    assert!(
        told.iter().all(|sentence| sentence.contains("Headset")),
        "{told:?}"
    );
    wait_for_echo(bob);
}

/// Ann in a call of her own, with these devices.
fn start(service: &Service, speaker: &str, microphone: &str) -> Program {
    let mut command = Command::new(path());
    command.args(starts_call("Ann"));
    command.args(["--speaker", speaker, "--microphone", microphone]);
    // The echo of what is played is how it is seen that all works.
    command.args(["--processing", "off"]);
    service.offer(&mut command);
    Program::run(command)
}

/// Bob, who speaks in Ann's call.
fn join(ann: &mut Program) -> Program {
    let code = ann.code();
    Program::join_call("Bob", &code, &["--microphone", "test"])
}

/// Both in a call that is heard through Ann's devices.
fn hear_each_other(service: &Service, speaker: &str, microphone: &str) -> (Program, Program) {
    let mut ann = start(service, speaker, microphone);
    let mut bob = join(&mut ann);
    wait_for_echo(&mut bob);
    (ann, bob)
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn a_call_moves_to_the_next_device_tells_it_and_comes_back() {
    let service = Service::start().expect("what this test needs");
    let mut laptop = service.plug("Laptop");
    let mut headset = service.plug("Headset");
    let (mut ann, mut bob) = hear_each_other(&service, "device:Headset", "device:Headset");

    let now = Instant::now();
    service.unplug(&headset);
    let told = wait_for_words(&mut ann, &["speaker_moved", "microphone_moved"], now);
    assert!(
        told.iter()
            .all(|sentence| sentence.contains("Now in use: Laptop")),
        "{told:?}"
    );
    wait_for_echo(&mut bob);

    // What was chosen is used again as soon as it is back.
    let now = Instant::now();
    headset = service.plug("Headset");
    wait_for_headset(&mut ann, &mut bob, now);

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

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn a_sound_service_that_stops_is_waited_for_by_nobody_and_used_again_when_it_goes_on() {
    let service = Service::start().expect("what this test needs");
    service.plug("Laptop");
    service.plug("Headset");
    let (mut ann, mut bob) = hear_each_other(&service, "device:Headset", "device:Headset");
    service.pause();
    let now = Instant::now();
    wait_for_words(&mut ann, &["speaker_gone", "microphone_gone"], now);
    // All else goes on.
    ann.tell("mute");
    ann.tell("unmute");
    assert!(!ann.ledger().rows.is_empty());
    ann.another_code();
    service.go_on();
    wait_for_headset(&mut ann, &mut bob, Instant::now());
    service.pause();
    bob.leave();
    ann.leave();
    service.go_on();
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn a_device_that_was_suspended_is_used_again() {
    let service = Service::start().expect("what this test needs");
    service.plug("Laptop");
    service.plug("Headset");
    let (mut ann, mut bob) = hear_each_other(&service, "device:Headset", "device:Headset");
    service.suspend("headset", true);
    wait_for_words(&mut ann, &["speaker_moved", "microphone_moved"], Instant::now());
    wait_for_echo(&mut bob);
    service.suspend("headset", false);
    wait_for_headset(&mut ann, &mut bob, Instant::now());
    bob.leave();
    ann.leave();
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn a_call_begins_while_the_sound_service_does_not_answer() {
    let service = Service::start().expect("what this test needs");
    service.plug("Laptop");
    service.plug("Headset");
    service.pause();
    let mut ann = start(&service, "device:Headset", "device:Headset");
    let mut bob = join(&mut ann);
    bob.wait("joined");
    service.go_on();
    wait_for_headset(&mut ann, &mut bob, Instant::now());
    bob.leave();
    ann.leave();
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn a_sound_service_that_is_restarted_is_used_again_with_the_devices_that_were_chosen() {
    let mut service = Service::start().expect("what this test needs");
    // Of two that are called the same the second was chosen.
    let plug = |service: &Service| {
        service.plug_as("Headset", "usb-1", &[]);
        service.plug_as("Headset", "usb-2", &[]);
    };
    plug(&service);
    let (mut ann, mut bob) = hear_each_other(&service, "device:usb-2", "device:usb-2-mic");
    service.restart();
    let now = Instant::now();
    wait_for_words(&mut ann, &["speaker_gone", "microphone_gone"], now);
    plug(&service);
    let now = Instant::now();
    wait_for_words(&mut ann, &["speaker_back", "microphone_back"], now);
    while !service.is_used("usb-2") || !service.is_used("usb-2-mic") {}
    wait_for_echo(&mut bob);
    assert!(!service.is_used("usb-1-mic"));
    bob.leave();
    ann.leave();
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn devices_of_every_format_speak_and_hear() {
    let service = Service::start().expect("what this test needs");
    let aux = "channel_map=aux0,aux1,aux2,aux3,aux4,aux5,aux6,aux7";
    let formats: [&[&str]; 9] = [
        &["format=float32le", "rate=48000", "channels=1"],
        &["format=s24le", "rate=44100"],
        &["format=s24be", "rate=96000"],
        &["format=s24-32le", "rate=16000"],
        &["format=s24-32be", "rate=8000"],
        &["format=alaw", "rate=16007"],
        &["format=ulaw", "rate=22257"],
        &["format=s16le", "rate=47951", "channels=8", aux],
        &["format=s16be", "rate=192000", "channels=6"],
    ];
    for format in formats {
        eprintln!("{format:?}");
        let device = service.plug_as("Device", "device", format);
        let (mut ann, mut bob) = hear_each_other(&service, "device", "device");
        bob.leave();
        ann.leave();
        service.unplug(&device);
    }
}

#[test]
#[ignore = "needs PulseAudio and pactl"]
fn the_sound_service_is_found_wherever_the_environment_says_that_it_is() {
    let service = Service::start().expect("what this test needs");
    service.plug("Headset");
    let socket = service.socket();
    let list = format!("tcp:nowhere {{0123}}unix:/nowhere unix:{}", socket.display());
    let folder = socket.parent().expect("a folder").display().to_string();
    let elsewhere = [("XDG_RUNTIME_DIR", "/nowhere")];
    for set in [
        &[][..],
        &[("PULSE_SERVER", &*list), elsewhere[0]],
        &[("PULSE_RUNTIME_PATH", &*folder), elsewhere[0]],
        // Without a home there is no cookie.
        &[("HOME", "/nowhere"), ("XDG_CONFIG_HOME", "/nowhere")],
    ] {
        let mut command = Command::new(path());
        command.arg("devices");
        service.offer(&mut command);
        command.envs(set.iter().copied());
        let listed = command.output().expect("it runs").stdout;
        let listed = String::from_utf8_lossy(&listed);
        assert_eq!(listed.matches("  Headset").count(), 2, "{set:?}: {listed}");
    }
}
