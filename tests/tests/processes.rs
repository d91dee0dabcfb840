//! The real program over loopback, as a person or another program would use it.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::io::{Read, Write};
use std::net::{SocketAddr, UdpSocket};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sightline::event::Event;
use sightline_media::camera::scene::read_clock;
use sightline_media::{Picture, Size};
use sightline_mesh_proto::{Candidate, Code, Secret, UnixTime};
use sightline_noise::PublicKey;
use sightline_tests::bench::bytes_on_the_wire;
use sightline_tests::pick;
use sightline_tests::program::{PATIENCE, Program, code_to, command, is_loud, path};
use sightline_tests::slow_line::{SlowLine, Stop};

/// Runs the program to its end. Returns status, standard output, standard error.
fn run(arguments: &[&str]) -> (i32, String, String) {
    run_with(arguments, "")
}

/// The same, with this on standard input.
fn run_with(arguments: &[&str], input: &str) -> (i32, String, String) {
    let mut child = Command::new(path())
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program runs");
    // One that has seen enough may be gone before it has read all.
    let _gone = child.stdin.take().expect("piped").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    )
}

/// Writes a second of a 440 Hz tone, 44.1 kHz stereo, so that it must be converted.
fn write_tone(path: &Path) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 44_100,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(path, spec).expect("a file");
    for n in 0..44_100 {
        let sample = (f64::from(n) * 440.0 * std::f64::consts::TAU / 44_100.0).sin() * 16_000.0;
        for _ in 0..2 {
            writer.write_sample(sample as i16).expect("written");
        }
    }
    writer.finalize().expect("written");
}

/// The share of `samples`' power at a frequency (Goertzel, 1958).
fn share_at(samples: &[f64], frequency: f64) -> f64 {
    let coefficient = 2.0 * (std::f64::consts::TAU * frequency / 48_000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + coefficient * last - before, last);
    }
    let power = last * last + before * before - coefficient * last * before;
    let total: f64 = samples.iter().map(|sample| sample * sample).sum();
    2.0 * power / (samples.len() as f64 * total.max(1e-9))
}

/// 0.1 s: a busy machine tears the sound apart, and some pieces of it come through whole.
const PIECE: usize = 4800;

/// The pieces of a recording in which there is something to hear, so far as it is written.
fn pieces(recording: &Path) -> Vec<Vec<f64>> {
    let Ok(mut sound) = hound::WavReader::open(recording) else {
        return Vec::new();
    };
    let samples = sound.samples::<i16>().map_while(Result::ok).map(f64::from);
    let samples: Vec<f64> = samples.collect();
    let pieces = samples.chunks_exact(PIECE).map(<[f64]>::to_vec);
    pieces.filter(|piece| loudness(piece) > 500.0).collect()
}

fn loudness(samples: &[f64]) -> f64 {
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len() as f64).sqrt()
}

/// The tone as it was sent.
fn is_whole(piece: &[f64]) -> bool {
    share_at(piece, 440.0) > 0.9 && (8_000.0..14_000.0).contains(&loudness(piece))
}

/// The strongest of the frequencies up to 4 kHz, in steps of 20 Hz.
fn strongest(piece: &[f64]) -> f64 {
    let shares = (1..=200).map(|step| {
        let frequency = f64::from(step) * 20.0;
        (frequency, share_at(piece, frequency))
    });
    let strongest = shares.max_by(|one, other| one.1.total_cmp(&other.1));
    strongest.expect("many").0
}

/// What the clock in the recorded pictures shows, where it can be read, milliseconds.
fn clocks(recording: &Path) -> Vec<u32> {
    let Ok(file) = std::fs::File::open(recording) else {
        return Vec::new();
    };
    let Ok(mut video) = y4m::decode(std::io::BufReader::new(file)) else {
        return Vec::new();
    };
    let size = Size::new(video.get_width() as u32, video.get_height() as u32).expect("a size");
    let mut clocks = Vec::new();
    while let Ok(frame) = video.read_frame() {
        let data = [frame.get_y_plane(), frame.get_u_plane(), frame.get_v_plane()].concat();
        let picture = Picture::new(size, data, Instant::now()).expect("a whole picture");
        clocks.extend(read_clock(&picture));
    }
    clocks
}

/// Over how much of the scene's time they reach, milliseconds.
fn reach(clocks: &[u32]) -> u32 {
    let ends = clocks.first().zip(clocks.last());
    ends.map_or(0, |(first, last)| last.saturating_sub(*first))
}

#[test]
fn two_processes_hear_and_see_what_the_other_sends() {
    let folder = tempfile::tempdir().expect("a folder");
    let tone = folder.path().join("tone.wav");
    write_tone(&tone);
    let microphone = format!("file:{}", tone.display());
    let record = folder.path().join("heard");
    let mut ann = Program::start_call("Ann", &["--microphone", &microphone, "--camera", "test"]);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &["--record", record.to_str().expect("a path")]);
    bob.wait_for_both("first_audio", "first_video");
    let [sound, video] = ["Ann.wav", "Ann.y4m"].map(|name| record.join(name));
    // The slower the machine, the longer it takes until enough was recorded.
    for _ in 0..30 {
        bob.wait("stats");
        if pieces(&sound).iter().any(|piece| is_whole(piece)) && reach(&clocks(&video)) >= 500 {
            break;
        }
    }
    bob.leave();
    assert_eq!(ann.left(), ("Bob".into(), "left".into()));
    ann.leave();

    let pieces = pieces(&sound);
    let heard: Vec<_> = pieces
        .iter()
        .map(|piece| (strongest(piece), share_at(piece, 440.0), loudness(piece)))
        .collect();
    assert!(
        pieces.iter().any(|piece| is_whole(piece)),
        "the tone, as loud as it was sent: {heard:?}"
    );
    let near = heard.iter().filter(|(at, ..)| (at - 440.0).abs() <= 40.0).count();
    assert!(2 * near > heard.len(), "nothing but the tone: {heard:?}");
    let clocks = clocks(&video);
    assert!(
        clocks.windows(2).all(|pair| pair[0] <= pair[1]),
        "the clock runs forwards: {clocks:?}"
    );
    assert!(reach(&clocks) >= 500, "pictures go on: {clocks:?}");
    let mut different = clocks;
    different.dedup();
    assert!(different.len() >= 4, "pictures go on: {different:?}");
}

#[test]
fn a_recording_beside_an_older_one_is_told_and_both_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let older = folder.path().join("Ann.wav");
    std::fs::write(&older, "older").expect("written");
    let mut ann = Program::start_call("Ann", &["--microphone", "test"]);
    let code = ann.code();
    let record = folder.path().to_str().expect("a path");
    let mut bob = Program::join_call("Bob", &code, &["--record", record]);
    let told = bob.wait_for_problem("recording_renamed");
    assert!(told.message.contains("Ann-2.wav"), "{told:?}");
    bob.once("first_audio");
    bob.leave();
    ann.leave();
    assert_eq!(std::fs::read(&older).expect("a file"), b"older");
    let newer = hound::WavReader::open(folder.path().join("Ann-2.wav")).expect("a recording");
    assert!(newer.duration() > 0);
}

#[test]
fn whoever_reads_nothing_holds_up_neither_the_call_nor_its_end() {
    let mut command = Command::new(path());
    command.args(["start", "--json", "--share", "127.0.0.1:0"]);
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = pipes.spawn().expect("it runs");
    let mut input = process.stdin.take().expect("a pipe");
    // More than the pipe holds, and the queue before it.
    let asks = "ledger\n".repeat(20_000);
    let (tell_ended, ended) = sync_channel(1);
    std::thread::spawn(move || {
        let asked = input.write_all(asks.as_bytes());
        let asked = asked.and_then(|()| input.write_all(b"leave\n"));
        tell_ended.send((asked.is_ok(), process.wait().expect("a status").success()))
    });
    assert_eq!(ended.recv_timeout(PATIENCE), Ok((true, true)));
}

#[cfg(target_os = "linux")]
#[test]
fn a_running_program_leaves_no_core_dump() {
    let mut ann = Program::start_call("Ann", &[]);
    ann.wait("code");
    let limits = ann.proc("limits").expect("it runs");
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let limit: Vec<_> = core.expect("a limit").split_whitespace().collect();
    assert_eq!(limit, ["0", "0", "bytes"]);
    ann.leave();
}

/// That packets look the same from outside, in size and number, is told in `shape` of media/tests, without a clock.
#[test]
fn muted_is_silent_and_sound_goes_on_coming() {
    let mut ann = Program::start_call("Ann", &["--microphone", "test"]);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &[]);
    bob.wait("first_audio");
    let loud = |event: &Event| matches!(event, Event::Stats(stats) if is_loud(stats));
    // Of what does not come there is no delay.
    let quiet = |event: &Event| {
        let Event::Stats(stats) = event else {
            return false;
        };
        stats.audio.delay_ms.is_some() && stats.audio.level_db.is_none_or(|level| level < -70.0)
    };
    bob.wait_until("speech", loud);
    ann.tell("mute");
    for _ in 0..3 {
        bob.wait_until("silence", quiet);
    }
    ann.tell("unmute");
    bob.wait_until("speech", loud);
    ann.leave();
    bob.leave();
}

/// What Ann sends to two others with a limit of 700 kbit/s, and these options, kbit/s. Both hear and see her.
fn sent_within_700(more: &[&str]) -> f64 {
    let media = ["--camera", "test", "--microphone", "test", "--uplink", "700"];
    let mut ann = Program::start_call("Ann", &[&media, more].concat());
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &["--camera", "test"]);
    let code = ann.another_code();
    let mut cleo = Program::join_call("Cleo", &code, &[]);
    cleo.wait_for_both("first_audio", "first_video");
    bob.wait_for_both("first_audio", "first_video");
    let mut sent = || {
        let asked = Instant::now();
        (bytes_on_the_wire(&ann.ledger()), asked, Instant::now())
    };
    let (before, began, _) = sent();
    for _ in 0..6 {
        bob.wait("stats");
    }
    let (after, _, ended) = sent();
    for listener in [&mut bob, &mut cleo] {
        let ann = listener.joined()["Ann"].clone();
        listener.wait_until("sound and pictures", |event| {
            matches!(event, Event::Stats(stats) if stats.peer == ann && is_loud(stats) && stats.video.fps > 0)
        });
    }
    for program in [&mut cleo, &mut bob, &mut ann] {
        program.leave();
    }
    // It took no longer than from the first question to the last answer, however late either was.
    (after - before) as f64 * 8.0 / 1000.0 / ended.duration_since(began).as_secs_f64()
}

/// That it is used as well is told on virtual time (`link` and `uplink` of media/proto), and measured by the bench
/// `links`.
#[test]
fn all_links_together_stay_within_the_uplink_that_was_given() {
    for more in [&[][..], &["--constant-rate"]] {
        let rate = sent_within_700(more);
        assert!(rate < 700.0, "{more:?}: {rate:.0} kbit/s");
    }
}

#[test]
fn a_killed_participant_is_gone_and_the_others_go_on() {
    let mut ann = Program::start_call("Ann", &["--microphone", "test"]);
    let mut codes = vec![ann.code()];
    codes.push(ann.another_code());
    let mut bob = Program::join_call("Bob", &codes[0], &["--microphone", "test"]);
    let mut cleo = Program::join_call("Cleo", &codes[1], &["--microphone", "test"]);
    for program in [&mut ann, &mut bob, &mut cleo] {
        for _ in 0..2 {
            program.wait("first_audio");
        }
    }
    bob.kill();
    for program in [&mut ann, &mut cleo] {
        assert_eq!(program.left(), ("Bob".into(), "lost".into()));
    }
    let heard = |event: &Event| matches!(event, Event::Stats(stats) if is_loud(stats));
    ann.wait_until("Cleo's voice", heard);
    cleo.wait_until("Ann's voice", heard);
    ann.leave();
    cleo.leave();
}

#[test]
fn who_knocks_waits_until_somebody_answers() {
    let mut ann = Program::start(&["start", "--json", "--share", "127.0.0.1:0"], None);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &[]);
    let knock = pick!(Event::Knock { peer, name, .. } => (peer.clone(), name.clone()));
    let (peer, name) = ann.wait_for("a knock", knock);
    assert_eq!(name, "Bob");
    ann.tell(&format!("admit {peer}"));
    bob.wait("joined");

    let code = ann.another_code();
    let mut eve = Program::join_call("Eve", &code, &[]);
    ann.wait("knock");
    ann.tell("refuse Eve");
    assert_eq!(eve.status(), 5);
    bob.leave();
    ann.leave();
}

#[test]
fn each_unusable_code_has_its_status_and_its_sentence() {
    let (status, _, said) = run(&["join", "hello!", "--share", "127.0.0.1"]);
    assert_eq!(status, 3);
    assert!(said.contains("“!”"), "{said}");

    let mut ann = Program::start_call("Ann", &[]);
    let code = ann.code();
    let (status, _, said) = run(&["join", &code[..code.len() - 9], "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("missing")), (3, true), "{said}");

    let mut bob = Program::join_call("Bob", &code, &[]);
    bob.wait("joined");
    let (status, _, said) = run(&["join", &code, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("used already")), (3, true), "{said}");

    let withdrawn = ann.another_code();
    ann.tell("withdraw");
    // The ledger comes after the withdrawal was taken.
    ann.ledger();
    let (status, _, said) = run(&["join", &withdrawn, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("withdrawn")), (3, true), "{said}");

    let unanswered = ann.another_code();
    bob.leave();
    ann.leave();
    let (status, _, said) = run(&["join", &unanswered, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("Nobody answered")), (4, true), "{said}");
    let (status, out, _) = run(&["inspect", &unanswered.to_lowercase().replace('-', " ")]);
    assert_eq!((status, out.contains("127.0.0.1:")), (0, true), "{out}");
}

/// A code that leads nowhere.
fn idle_code() -> String {
    let code = Code {
        inviter: PublicKey([0xa7; 32]),
        secret: Secret([0x5c; 32]),
        expires: UnixTime(4_000_000_020),
        candidates: vec![Candidate::local("192.0.2.7:4433".parse().expect("an address"))],
    };
    code.to_string()
}

#[test]
fn a_code_is_read_alike_from_an_argument_and_from_standard_input_and_is_not_repeated() {
    let code = idle_code();
    let wrapped = |mark: &str| -> String {
        let letters: Vec<char> = code.chars().collect();
        let line = |line: &[char]| format!("{mark}{}\n", line.iter().collect::<String>());
        letters.chunks(70).map(line).collect()
    };
    let mistyped = code.replacen("CCT2P", "CCT3P", 1);
    assert_ne!(mistyped, code);
    let taken = [
        wrapped(""),
        wrapped("> "),
        format!("```\n{code}\n```\n"),
        format!("\u{2068}{code}\u{2069}"),
        format!("\u{feff}{code}\r\n"),
        format!("1. {code}"),
        format!("Hello,\n\nhere is the code: {code}, see you\n"),
    ];
    let refused = [
        code.replace('A', "\u{410}"),
        wrapped("> ").replacen("CCT2P", "CCT3P", 1),
        format!("Here it is:\n{}", &code[..100]),
        "nothing of the kind\n".to_owned(),
    ];
    for (texts, expected) in [(&taken[..], 0), (&refused[..], 3)] {
        for text in texts {
            let by_argument = run(&["inspect", text]);
            assert_eq!(run_with(&["inspect", "-"], text), by_argument, "{text}");
            let (status, out, said) = by_argument;
            assert_eq!(status, expected, "{text}: {said}");
            assert_eq!(out.contains("192.0.2.7:4433"), status == 0, "{text}: {out}");
            for group in code
                .split('-')
                .chain(mistyped.split('-'))
                .filter(|group| group.len() == 5)
            {
                assert!(!said.contains(group), "{text}: {said}");
            }
        }
    }
    // Where a command or an option was expected, it is not repeated either.
    let call = ["start", "--share", "127.0.0.1:0", "--seconds", "1"];
    let elsewhere: [(&[&str], String); 5] = [
        (&call, wrapped("")),
        (&[&code], String::new()),
        (&["inspect", &code, &code[..5]], String::new()),
        (&["start", "--camera", &code], String::new()),
        (&["start", "--share", &code], String::new()),
    ];
    for (arguments, input) in elsewhere {
        let (_, _, said) = run_with(arguments, &input);
        assert!(!said.is_empty(), "{arguments:?}");
        for group in code.split('-').filter(|group| group.len() == 5) {
            assert!(!said.contains(group), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn what_follows_a_code_is_a_command_only_if_it_is_one() {
    let mut ann = Program::start_call("Ann", &[]);
    let code = ann.code();
    let letters: Vec<char> = code.chars().collect();
    let lines = letters.chunks(40).map(|line| line.iter().collect::<String>());
    let pasted = format!("```\n{}\n```\n--", lines.collect::<Vec<_>>().join("\n> "));
    let mut bob = Program::join_call("Bob", &pasted, &[]);
    bob.wait("joined");
    bob.leave();
    assert!(
        !bob.seen
            .iter()
            .any(|event| matches!(event, Event::Problem { .. })),
        "{:#?}",
        bob.seen
    );
    ann.leave();
}

/// What a terminal would obey, or show in another order.
const WILD: &str = "\u{1b}[31m\u{7f}\u{9b}2J\r\n\t\u{202e}\u{2066}";

fn is_obeyed(character: char) -> bool {
    character != '\n' && (character.is_control() || matches!(character, '\u{202e}' | '\u{2066}'))
}

#[test]
fn no_control_character_reaches_the_terminal_from_anywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let wild_folder = folder.path().join(format!("x{WILD}"));
    std::fs::create_dir(&wild_folder).expect("a folder");
    let text = serde_json::to_string(&json!({WILD: WILD})).expect("JSON");
    std::fs::write(wild_folder.join("settings.json"), text).expect("written");
    let wild_folder = wild_folder.to_str().expect("a path");
    let value = tempfile::tempdir().expect("a folder");
    let text = serde_json::to_string(&json!({"encoder": WILD})).expect("JSON");
    std::fs::write(value.path().join("settings.json"), text).expect("written");
    let value = value.path().to_str().expect("a path");

    let prefixed = |prefix: &str| format!("{prefix}x{WILD}");
    let [file, device, option] = ["file:/", "device:", "--"].map(prefixed);
    let saved = format!("{wild_folder}/call.txt");
    let recorded = format!("/proc/{WILD}");
    let open = ["--share", "127.0.0.1:0", "--seconds", "1"];
    let mut cases: Vec<Vec<&str>> = vec![
        vec![WILD],
        vec![&option],
        vec!["inspect", WILD],
        vec!["join", "x", WILD],
        vec!["devices", WILD],
        vec!["demo", "--people", WILD],
        vec!["demo", "--seconds", WILD],
        vec!["start", &option],
    ];
    for option in [
        "--share",
        "--camera",
        "--microphone",
        "--speaker",
        "--approve",
        "--admit",
        "--encoder",
        "--processing",
        "--uplink",
        "--seconds",
    ] {
        cases.push(vec!["start", option, WILD]);
    }
    for more in [
        ["--camera", &file],
        ["--microphone", &file],
        ["--camera", &device],
        ["--microphone", &device],
        ["--speaker", &device],
        ["--interface", WILD],
        ["--settings", wild_folder],
        ["--settings", value],
        ["--record", &recorded],
    ] {
        cases.push([&["start"][..], &open, &more].concat());
    }
    let call = [
        "start",
        "--share",
        "127.0.0.1:0",
        "--seconds",
        "1",
        "--save",
        &saved,
        "--name",
        WILD,
    ];
    cases.push(call.to_vec());
    cases.push([&call[..], &["--json"]].concat());
    let lines = ["dance", "admit", "camera", "rule", "approve", "echo", "save"];
    let lines = lines.map(|verb| format!("{verb} x{}\n", WILD.replace(['\r', '\n'], "")));
    let lines = format!("{}camera {file}\ncamera {device}\n", lines.concat());
    for arguments in cases {
        let (status, out, said) = run_with(&arguments, &lines);
        assert!(!said.is_empty() || status == 0, "{arguments:?}");
        for told in [&out, &said] {
            assert!(!told.contains(is_obeyed), "{arguments:?}: {told:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
#[ignore = "needs script, stty and timeout"]
fn in_a_terminal_nothing_of_a_refused_paste_is_left_to_the_shell() {
    let code = idle_code();
    let text = format!(
        "{}\ntouch this\ntouch that\nand a piece",
        code.replacen("CCT2P", "CCT3P", 1)
    );
    // In place of the shell, something that only shows what it would get.
    let shell = "stty -echo; \"$PROGRAM\" inspect -; echo LEFT:; timeout --foreground 1 cat";
    let mut child = Command::new("script")
        .args(["-qec", &format!("sh -c '{shell}'"), "/dev/null"])
        .env("PROGRAM", path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script runs");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("written");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let shown = String::from_utf8_lossy(&output.stdout);
    assert!(shown.contains("letters of the code are wrong"), "{shown}");
    let (_, left) = shown.rsplit_once("LEFT:").expect("the rest");
    assert_eq!(left.trim(), "", "{shown}");
}

#[test]
fn a_code_that_is_over_by_the_joiners_clock_is_tried_and_the_clock_is_named_when_nobody_answers() {
    let mut ann = Program::start_call("Ann", &[]);
    let told = pick!(Event::Code { code, expires, .. } => (code.0.clone(), expires.clone()));
    let (text, expires) = ann.wait_for("a code", told);
    let mut code = Code::parse(&text).expect("a code");
    assert_eq!(expires, code.expires.to_string(), "one value");

    // As a clock that is years ahead has it. Ann goes by what she made.
    code.expires = UnixTime(1_767_225_600);
    let text = code.to_string();
    let (status, out, said) = run(&["inspect", &text]);
    assert_eq!((status, out.contains("expired")), (3, true), "{out}");
    assert!(said.contains("expired by your clock, which says 20"), "{said}");
    let mut bob = Program::join_call("Bob", &text, &[]);
    bob.wait("joined");
    let (status, _, said) = run(&["join", &text, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("used already")), (3, true), "{said}");
    bob.leave();
    ann.leave();

    let (status, _, said) = run(&["join", &text, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("Nobody answered")), (4, true), "{said}");
    assert!(
        said.contains("ended at 2026-01-01 00:00 UTC, and your clock says 20"),
        "{said}"
    );
}

#[test]
fn what_cannot_be_used_is_named_before_anything_is_opened() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text.y4m");
    std::fs::write(&text, "not a clip").expect("written");
    let file = format!("file:{}", text.display());
    let busy = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let busy = busy.local_addr().expect("bound").to_string();
    let settings = folder.path().to_str().expect("a path");
    std::fs::write(folder.path().join("settings.json"), "{]").expect("written");
    let cases: [(&[&str], &str); 9] = [
        (&["start", "--camera", &file], "not a Y4M clip"),
        (&["start", "--microphone", &file], "not a WAV clip"),
        (&["start", "--camera", "file:/nowhere.y4m"], "/nowhere.y4m"),
        (
            &["start", "--camera", "device:Nobody's"],
            "no camera named “Nobody's”",
        ),
        (
            &["start", "--microphone", "device:Nobody's"],
            "no microphone named “Nobody's”",
        ),
        (
            &["start", "--speaker", "device:Nobody's"],
            "no loudspeaker named “Nobody's”",
        ),
        (&["start", "--settings", settings], "settings.json"),
        (&["start"], "--share"),
        (&["start", "--share", &busy], "is in use by another program"),
    ];
    for (arguments, expected) in cases {
        let given = if arguments.len() > 1 && arguments[1] != "--share" {
            [arguments, &["--share", "127.0.0.1"]].concat()
        } else {
            arguments.to_vec()
        };
        let (status, out, said) = run(&given);
        assert_eq!(status, 2, "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert_eq!(
            (out.as_str(), said.contains("panicked")),
            ("", false),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_address_that_is_of_no_use_is_told_in_words_before_anything_is_opened() {
    let nine: Vec<_> = (1..=9).map(|last| format!("127.0.0.{last}")).collect();
    let nine: Vec<_> = nine
        .iter()
        .flat_map(|address| ["--share", address.as_str()])
        .collect();
    let cases: [(&[&str], &str); 6] = [
        (&["--share", "255.255.255.255"], "not an address of one machine"),
        (&["--share", "[::ffff:127.0.0.1]:0"], "give it as 127.0.0.1"),
        (&["--share", "192.0.2.1"], "does not have the address 192.0.2.1"),
        (&["--share", "fe80::1%nowhere0"], "not on nowhere0"),
        (&["--share", "127.0.0.1%lo"], "only IPv6 addresses"),
        (&nine, "At most eight"),
    ];
    for (arguments, expected) in cases {
        let (status, out, said) = run(&[&["start"][..], arguments].concat());
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}: {said}");
        assert!(said.contains(expected), "{arguments:?}: {said}");
        assert!(!said.contains("os error"), "{arguments:?}: {said}");
    }
}

#[test]
fn where_nothing_could_be_sent_it_is_not_said_that_nobody_answered() {
    let mut ann = Program::start_call("Ann", &[]);
    let code = code_to(&["[::1]:9"], &ann.code());
    let mut bob = Program::join_call("Bob", &code, &[]);
    assert_eq!(bob.status(), 4);
    let end = bob.seen.iter().find_map(pick!(Event::End { why } => why.clone()));
    assert_eq!(end.as_deref(), Some("no_pair"));
    let ledger = bob
        .seen
        .iter()
        .find_map(pick!(Event::Ledger(ledger) => ledger.rows.clone()));
    assert_eq!(ledger, Some(Vec::new()));
    let (status, _, said) = run(&["join", &code, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("answered")), (4, false), "{said}");
    assert!(said.contains("IPv6"), "{said}");
    ann.leave();
}

/// 64 kbit/s, in bytes a second.
const SLOW: u32 = 8000;

/// A line to a program, and a code of its call that leads over it.
fn code_over_a_line(program: &mut Program, rate: u32, stop: Option<Stop>) -> (SlowLine, String) {
    let code = program.code();
    let there = Code::parse(&code).expect("a code").candidates[0].address;
    let line = SlowLine::to(there, rate, stop);
    let code = code_to(&[&line.address().to_string()], &code);
    (line, code)
}

/// Bob joins Ann's call by this code.
fn gets_in(mut ann: Program, code: &str) {
    let mut bob = Program::join_call("Bob", code, &[]);
    bob.wait("joined");
    ann.wait("joined");
    bob.leave();
    ann.leave();
}

#[test]
fn who_joins_over_64_kbit_a_second_gets_in() {
    let mut ann = Program::start_call("Ann", &[]);
    let (_line, code) = code_over_a_line(&mut ann, SLOW, None);
    gets_in(ann, &code);
}

#[test]
fn who_joins_over_a_line_that_stops_for_seconds_in_the_middle_of_the_handshake_gets_in() {
    let mut ann = Program::start_call("Ann", &[]);
    // The guest's hello comes through, and all of the answer: to the guest the connection stands, to Ann it does not.
    let stop = Stop {
        after: 2,
        lasts: Some(Duration::from_secs(4)),
    };
    let (_line, code) = code_over_a_line(&mut ann, 100 * SLOW, Some(stop));
    gets_in(ann, &code);
}

#[test]
fn where_the_line_dies_in_the_middle_of_joining_nobody_is_said_to_have_gone_or_not_to_have_answered() {
    let mut ann = Program::start_call("Ann", &[]);
    let stop = Stop {
        after: 1,
        lasts: None,
    };
    let (_line, code) = code_over_a_line(&mut ann, SLOW, Some(stop));
    let (status, _, said) = run(&["join", &code, "--share", "127.0.0.1"]);
    assert_eq!((status, said.contains("packets came back")), (4, true), "{said}");
    ann.leave();
}

#[test]
fn who_is_not_heard_any_more_while_waiting_to_be_let_in_is_not_told_that_the_other_one_went_away() {
    let mut ann = Program::start(&["start", "--json", "--share", "127.0.0.1:0"], None);
    let (line, code) = code_over_a_line(&mut ann, 100 * SLOW, None);
    let mut bob = Program::join_call("Bob", &code, &[]);
    ann.wait("knock");
    line.cut();
    let why = bob.wait_for("the end", pick!(Event::End { why } => why.clone()));
    assert_eq!(why, "line_lost");
    ann.leave();
}

#[test]
fn inspecting_a_code_tells_where_its_addresses_lead() {
    let mut ann = Program::start_call("Ann", &[]);
    let addresses = ["127.0.0.1:9", "127.0.0.1:9", "[fe80::1]:9", "192.0.2.1:9"];
    let code = code_to(&addresses, &ann.code());
    ann.leave();
    let (status, out, _) = run(&["inspect", &code]);
    assert_eq!(status, 0, "{out}");
    let lines: Vec<_> = out.lines().skip(1).collect();
    let [loopback, leads_here, link_local, leads_near, elsewhere] = lines[..] else {
        panic!("{out}");
    };
    let contacts = [loopback, link_local, elsewhere];
    let expected =
        ["127.0.0.1:9", "[fe80::1]:9", "192.0.2.1:9"].map(|address| format!("will contact: {address}"));
    assert_eq!(contacts, expected.each_ref().map(String::as_str));
    assert!(
        leads_here.contains("machine") && leads_near.contains("network"),
        "{out}"
    );
}

#[test]
fn no_keys_are_written_whatever_the_environment_asks_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let keys = folder.path().join("keys");
    let run = |arguments: &[&str]| {
        let mut command = command(None);
        command.args(arguments).env("SSLKEYLOGFILE", &keys);
        Program::run(command)
    };
    let share = ["--json", "--share", "127.0.0.1:0", "--microphone", "test"];
    let mut ann = run(&[&["start", "--admit", "code"], &share[..]].concat());
    let code = ann.code();
    let mut bob = run(&[&["join", "-"], &share[..]].concat());
    bob.tell(&code);
    for person in [&mut ann, &mut bob] {
        person.wait("first_audio");
    }
    bob.leave();
    ann.leave();
    assert!(!keys.exists(), "the secrets of the sessions were written");
}

#[test]
fn wrong_arguments_are_told_and_help_shows_only_what_works() {
    for arguments in [
        &["dance"][..],
        &["start", "--camera", "x"],
        &["demo", "--people", "1"],
        &["join"],
    ] {
        let (status, out, said) = run(arguments);
        assert_eq!((status, out.as_str()), (2, ""), "{arguments:?}");
        assert!(!said.is_empty());
    }
    let (status, help, _) = run(&["start", "--help"]);
    assert_eq!(status, 0);
    for later in ["words", "carried"] {
        assert!(!help.contains(later), "{later} does not work yet");
    }
    assert!(help.contains("--share"));
    let (status, help, _) = run(&["join", "--help"]);
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(
        (status, help.contains("firewall on their machine")),
        (0, true),
        "{help}"
    );
    let (status, listed, _) = run(&["devices"]);
    assert_eq!(status, 0);
    for kind in ["cameras:", "microphones:", "speakers:"] {
        assert!(listed.contains(kind), "{listed}");
    }
}

#[test]
fn without_a_screen_the_window_says_so_and_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = Command::new(path())
        .arg("--settings")
        .arg(folder.path())
        .env_remove("DISPLAY")
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .expect("the program runs");
    let said = String::from_utf8(output.stderr).expect("text");
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("No window can be shown"), "{said}");
    assert!(output.stdout.is_empty());
    let kept = std::fs::read_dir(folder.path()).expect("a folder").count();
    assert_eq!(kept, 0, "nothing was kept");
}

/// What was said in answer to a question.
fn answer(program: &mut Program) -> String {
    program.wait_for(
        "an answer",
        pick!(Event::Answered { answer, .. } => answer.clone()),
    )
}

fn has_heard(program: &Program) -> bool {
    let mut seen = program.seen.iter();
    seen.any(|event| matches!(event, Event::FirstAudio { .. }))
}

#[test]
fn with_approve_ask_a_question_is_put_the_other_side_waits_and_the_record_tells_it_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let [json, page] = ["call.json", "call.html"].map(|name| folder.path().join(name));
    let json_option = json.to_str().expect("a path");
    let mut ann = Program::start_call(
        "Ann",
        &["--approve", "ask", "--microphone", "test", "--save", json_option],
    );
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &["--microphone", "test"]);
    let asked = ann.question();
    assert_eq!(
        (asked.name.as_deref(), &asked.old, &*asked.reason),
        (Some("Bob"), &None, "first")
    );
    assert_eq!(asked.new.path.kind, "direct");
    let waits = pick!(Event::Route(step) if step.route.theirs == "asked" => step.route.state.clone());
    assert_ne!(bob.wait_for("waiting for consent", waits), "active");
    for _ in 0..2 {
        for program in [&mut ann, &mut bob] {
            program.wait("stats");
            assert!(!has_heard(program), "sound before the answer");
        }
    }
    ann.tell(&format!("approve {}", asked.id));
    assert_eq!(answer(&mut ann), "approved");
    ann.wait("first_audio");
    bob.wait("first_audio");
    ann.tell(&format!("save {}", page.display()));
    ann.wait("saved");
    bob.leave();
    ann.leave();
    let saved: Value = serde_json::from_str(&std::fs::read_to_string(&json).expect("a file")).expect("JSON");
    let steps = saved["routes"]["steps"].as_array().expect("steps");
    // A busy machine may be silent for so long that media pauses.
    let states = steps.iter().filter_map(|step| step["state"].as_str());
    let mut states: Vec<_> = states.filter(|state| *state != "paused").collect();
    states.dedup();
    assert_eq!(states, ["proposed", "approved", "active", "closed"]);
    assert!(
        steps
            .iter()
            .any(|step| step["approved_by"] == "user" && step["reason"] == "agreed")
    );
    assert_eq!(saved["ledger"]["rows"].as_array().map(Vec::len), Some(1));
    let page = std::fs::read_to_string(&page).expect("a page");
    assert!(page.contains("Bob") && page.contains("you agreed"), "{page}");
}

#[test]
fn a_denied_way_carries_nothing_and_the_other_side_is_told() {
    let mut ann = Program::start_call("Ann", &["--approve", "ask", "--microphone", "test"]);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &["--microphone", "test"]);
    let asked = ann.question();
    ann.tell(&format!("deny {}", asked.id));
    assert_eq!(answer(&mut ann), "denied");
    bob.wait_until(
        "the answer",
        |event| matches!(event, Event::Route(step) if step.route.theirs == "denied"),
    );
    ann.wait("left");
    for program in [&mut ann, &mut bob] {
        program.listen();
        assert!(!has_heard(program));
    }
    ann.leave();
    bob.leave();
}

#[cfg(unix)]
#[test]
fn a_demo_that_is_killed_leaves_nobody_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut demo = Command::new(path());
    let arguments = [
        "demo",
        "--json",
        "--no-window",
        "--people",
        "2",
        "--seconds",
        "86400",
    ];
    demo.args(arguments).arg("--record").arg(folder.path());
    let demo = demo.stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let mut demo = demo.expect("the program runs");
    let deadline = Instant::now() + PATIENCE;
    while !folder.path().join("Ann/Bob.y4m").exists() {
        assert!(Instant::now() < deadline, "they never met");
        std::thread::sleep(Duration::from_millis(50));
    }
    demo.kill().expect("it runs");
    demo.wait().expect("it ends");
    // Its participants have the same standard error: it ends with the last of them.
    let (tell, told) = sync_channel(1);
    let mut said = demo.stderr.take().expect("piped");
    std::thread::spawn(move || {
        let mut text = String::new();
        let read = said.read_to_string(&mut text).map(|_| text);
        tell.send(read).expect("the test waits");
    });
    let said = told.recv_timeout(PATIENCE).expect("a participant is still there");
    said.expect("text");
}

/// Runs a demo for some seconds, and again for more of them while not all of it `is_over`: a slow machine takes longer
/// until everybody has met.
fn demo(arguments: &[&str], is_over: impl Fn(i32, &str) -> bool) -> (i32, String) {
    let mut told = (-1, String::new());
    for seconds in ["5", "30", "120"] {
        let (status, out, _) = run(&[&["demo", "--seconds", seconds], arguments].concat());
        told = (status, out);
        if is_over(told.0, &told.1) {
            break;
        }
    }
    told
}

#[test]
fn the_demo_is_a_call_and_honest_about_it() {
    let (status, out) = demo(&["--people", "3"], |status, _| status == 0);
    assert_eq!(status, 0, "{out}");
    assert!(out.contains("Everybody heard and saw everybody."), "{out}");
    assert!(out.contains("No other address was contacted"), "{out}");

    let folder = tempfile::tempdir().expect("a folder");
    let silence = folder.path().join("silence.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&silence, spec).expect("a file");
    for _ in 0..48_000 {
        writer.write_sample(0i16).expect("written");
    }
    writer.finalize().expect("written");
    let silence = format!("file:{}", silence.display());
    let summary =
        |out: &str| -> Value { serde_json::from_str(out.lines().last().expect("a summary")).expect("JSON") };
    let (status, out) = demo(
        &["--people", "2", "--microphone", &silence, "--json"],
        |_, out| summary(out)["not_seen"] == json!([]),
    );
    let summary = summary(&out);
    assert_eq!(
        (status, &summary["good"]),
        (1, &Value::Bool(false)),
        "silence was not heard"
    );
    assert_eq!(summary["not_heard"].as_array().map(Vec::len), Some(2));
    assert_eq!(summary["not_seen"].as_array().map(Vec::len), Some(0));
}

#[test]
fn rav1e_is_seen_as_well_and_says_what_it_costs() {
    let mut ann = Program::start_call("Ann", &["--camera", "test", "--encoder", "rav1e"]);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &[]);
    bob.wait("first_video");
    bob.leave();
    ann.tell("leave");
    let cost = pick!(Event::Encoder { name, ms_per_frame, .. } => (name.clone(), *ms_per_frame));
    let (name, millis) = ann.wait_for("what it cost", cost);
    assert_eq!(name, "rav1e");
    assert!(millis > 0.0);
    assert_eq!(ann.status(), 0);
}

#[test]
fn a_camera_can_be_changed_during_the_call() {
    let mut ann = Program::start_call("Ann", &["--camera", "test"]);
    let code = ann.code();
    let mut bob = Program::join_call("Bob", &code, &[]);
    bob.wait("first_video");
    ann.tell("camera off");
    while bob.stats().video.fps > 0 {}
    ann.tell("camera test");
    while bob.stats().video.fps == 0 {}
    ann.leave();
    bob.leave();
}

/// Everything in these events that says who somebody is, or where: names, peers' ids, addresses, codes.
fn private(program: &Program, names: &[&str]) -> Vec<String> {
    fn gather(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => {
                let address = text.parse::<SocketAddr>().ok();
                found.extend(address.map(|address| address.ip().to_string()));
                found.extend(address.map(|address| format!(":{}", address.port())));
                if address.is_some() || text.len() > 30 {
                    found.push(text.clone());
                }
            }
            Value::Array(all) => all.iter().for_each(|one| gather(one, found)),
            Value::Object(fields) => {
                for (name, field) in fields {
                    found.extend((name.len() > 30).then(|| name.clone()));
                    gather(field, found);
                }
            }
            _ => {}
        }
    }
    let mut found: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let said = program
        .seen
        .iter()
        .filter(|event| !matches!(event, Event::Problem { .. }));
    said.for_each(|event| gather(&serde_json::to_value(event).expect("an event"), &mut found));
    found.sort();
    found.dedup();
    found
}

#[test]
fn diagnostics_tell_what_happens_and_never_who_somebody_is_or_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["Quetzalcoatl", "Xochipilli"];
    let logs = names.map(|name| folder.path().join(format!("{}.log", name.len())));
    let log = |at: usize| logs[at].to_str().expect("a path");
    let media = ["--microphone", "test", "--camera", "test"];
    let mut ann = Program::start_call(names[0], &[&["--log", log(0)][..], &media].concat());
    let code = ann.code();
    let mut bob = Program::join_call(names[1], &code, &[&["--log", log(1)][..], &media].concat());
    bob.wait_for_both("first_audio", "first_video");
    ann.wait_for_both("first_audio", "first_video");
    bob.leave();
    ann.wait("left");
    ann.leave();
    let mut forbidden = private(&ann, &names);
    forbidden.extend(private(&bob, &[]));
    forbidden.extend(code.split('-').map(str::to_owned));
    for log in &logs {
        let text = std::fs::read_to_string(log).expect("diagnostics");
        for span in ["connection{", "session{", "path{", "track{"] {
            assert!(text.contains(span), "{span} is not in {text}");
        }
        for word in &forbidden {
            assert!(!text.contains(word.as_str()), "{word} is in {text}");
        }
    }
}
