//! The real program on machines on which something is wrong.
#![cfg(unix)]
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use sightline::event::Event;
use sightline_tests::pick;
use sightline_tests::program::{PATIENCE, Program, path};

/// What a shell does before it becomes the program.
const SHELL: [(&str, &str); 22] = [
    ("no home", "unset HOME"),
    ("a home that is not there", "HOME=/nonexistent"),
    ("a home that is a file", "HOME=/dev/null"),
    ("a relative home", "HOME=."),
    ("settings in a device", "XDG_CONFIG_HOME=/dev/full"),
    (
        "no folder for what is passing",
        "TMPDIR=/nonexistent XDG_RUNTIME_DIR=/nonexistent",
    ),
    ("no time zone of this name", "TZ=Nowhere/Nothing"),
    ("a time zone that is a device", "TZ=:/dev/zero"),
    (
        "a language that is none",
        "LANG=\"$(printf '\\377')\" LC_ALL=xx_YY.ZZ LANGUAGE=,,:",
    ),
    ("a terminal that is none", "TERM=nothing COLUMNS=0 LINES=-1"),
    ("a sound server that is none", "PULSE_SERVER=nonsense"),
    ("a sound server that is a device", "PULSE_SERVER=unix:/dev/zero"),
    ("a sound server elsewhere", "PULSE_SERVER=tcp:127.0.0.1:1"),
    ("a cookie without end", "PULSE_COOKIE=/dev/zero"),
    (
        "no sound configuration",
        "ALSA_CONFIG_PATH=/dev/null PULSE_RUNTIME_PATH=/dev/null",
    ),
    (
        "a log of everything",
        "RUST_LOG=trace RUST_BACKTRACE=full RUST_LIB_BACKTRACE=1",
    ),
    ("twelve descriptors", "ulimit -n 12"),
    ("sixteen descriptors", "ulimit -n 16"),
    ("little stack", "ulimit -s 256"),
    ("no file may grow", "ulimit -f 0"),
    ("no room on standard error", "exec 2>/dev/full"),
    ("nothing open", "exec <&- >&- 2>&-"),
];

/// What the program is asked for, and the statuses that it may end with: `cli.md` has no other.
const ASKED: [(&str, &[i32]); 6] = [
    ("start --share 127.0.0.1:0 --seconds 1", &[0]),
    (
        "start --share 127.0.0.1:0 --seconds 1 --microphone test --camera test --json",
        &[0],
    ),
    (
        "start --share 127.0.0.1:0 --seconds 1 --microphone device --speaker device",
        &[0, 2],
    ),
    ("join nonsense", &[3]),
    ("devices", &[0, 1]),
    ("", &[1]),
];

/// Whether a line is the program's own. Libraries of the system print theirs.
fn is_ours(line: &&str) -> bool {
    !["Failed to ", "ALSA lib ", "ftruncate() failed"]
        .iter()
        .any(|begins| line.starts_with(begins))
}

/// Runs the program to its end, without a screen, after what a shell does. Returns its status, and what it said to a person.
fn run_after(trouble: &str, asked: &str) -> (Option<i32>, String) {
    let line = format!("set -a; {trouble}; exec \"$@\"");
    let mut command = Command::new("sh");
    command
        .args(["-c", &line, "sh"])
        .arg(path())
        .args(asked.split_whitespace());
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let program = command.spawn().expect("a shell runs");
    let (tell, told) = sync_channel(1);
    std::thread::spawn(move || tell.send(program.wait_with_output()));
    let output = told.recv_timeout(PATIENCE);
    assert!(output.is_ok(), "after “{trouble}”, “{asked}” does not end");
    let output = output.expect("it ends").expect("it runs");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn whatever_is_wrong_with_the_machine_the_program_ends_as_documented_and_says_why() {
    let mut wrong = Vec::new();
    for (name, trouble) in SHELL {
        for (asked, statuses) in ASKED {
            let (status, said) = run_after(trouble, asked);
            let ended = status.is_some_and(|status| statuses.contains(&status));
            let is_plain = !["panicked", ".rs:", "backtrace", "RUST_"]
                .iter()
                .any(|bad| said.contains(bad));
            let can_say = !trouble.contains("exec ");
            let tells = status == Some(0) || !can_say || said.lines().filter(is_ours).count() == 1;
            if !(ended && is_plain && tells) {
                wrong.push(format!("{name}, “{asked}”: {status:?}: {said}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Waits for a file that can be looked at as it should be.
fn wait_for_file<T>(path: &Path, look: impl Fn(&Path) -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(seen) = look(path) {
            return seen;
        }
        assert!(
            Instant::now() < deadline,
            "never as it should be: {}",
            path.display()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The samples of a WAV file, if it is one.
fn samples(path: &Path) -> Option<u32> {
    hound::WavReader::open(path).ok().map(|sound| sound.duration())
}

#[test]
#[ignore = "needs root, unshare, nsenter and mount"]
fn a_full_disk_ends_a_recording_whole_and_it_goes_on_when_there_is_room() {
    let mut ann = Program::start_call("Ann", &["--microphone", "test", "--camera", "test"]);
    let code = ann.code();
    let folder = tempfile::tempdir().expect("a folder");
    // A disk of its own, which ends with it: four seconds of pictures fill it.
    let mut command = Command::new("unshare");
    let mount = "mount -t tmpfs -o size=40m tmpfs \"$1\" && shift && exec \"$@\"";
    command
        .args(["--mount", "sh", "-c", mount, "sh"])
        .arg(folder.path())
        .arg(path())
        .args([
            "join",
            "-",
            "--json",
            "--share",
            "127.0.0.1:0",
            "--name",
            "Bob",
            "--record",
        ])
        .arg(folder.path());
    let mut bob = Program::run(command);
    bob.tell(&code);
    let told = bob.wait_for_problem("recording");
    assert!(told.message.contains("Ann"), "{told:?}");
    // The disk as its program sees it.
    let disk = format!("/proc/{}/root{}", bob.id(), folder.path().display());
    let at = |name: &str| Path::new(&disk).join(name);
    let heard = samples(&at("Ann.wav")).expect("a whole recording");
    assert!(heard > 48_000, "{heard} samples");
    let len = std::fs::metadata(at("Ann.y4m")).expect("a recording").len();
    let file = std::fs::File::open(at("Ann.y4m")).expect("a recording");
    let mut video = y4m::decode(std::io::BufReader::new(file)).expect("a clip");
    let mut pictures = 0;
    while video.read_frame().is_ok() {
        pictures += 1;
    }
    let picture = 6 + video.get_width() as u64 * video.get_height() as u64 * 3 / 2;
    assert!(
        pictures > 10 && len - pictures * picture < 100,
        "{pictures} pictures, {len} bytes"
    );

    let grown = Command::new("nsenter")
        .args(["--target", &bob.id().to_string(), "--mount"])
        .args(["mount", "-o", "remount,size=1g"])
        .arg(folder.path())
        .status();
    assert!(grown.expect("nsenter runs").success());
    let renamed = bob.wait_for_problem("recording_renamed");
    assert!(renamed.message.contains("Ann-2.wav"), "{renamed:?}");
    wait_for_file(&at("Ann-2.wav"), |path| {
        samples(path).filter(|heard| *heard >= 48_000)
    });
    assert_eq!(
        samples(&at("Ann.wav")),
        Some(heard),
        "what was whole stays as it is"
    );
    // Who comes later is recorded as well.
    let code = ann.another_code();
    let mut cleo = Program::join_call("Cleo", &code, &["--microphone", "test"]);
    wait_for_file(&at("Cleo.wav"), |path| {
        samples(path).filter(|heard| *heard >= 48_000)
    });
    bob.leave();
    for program in [&mut cleo, &mut ann] {
        program.wait_for(
            "Bob leaving",
            pick!(Event::Left { name, .. } if name == "Bob" => ()),
        );
    }
    cleo.leave();
    ann.leave();
}
