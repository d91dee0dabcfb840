//! The real window, clicked through by somebody before a screen: home, code, join, consent, call, routes, leave.
//! The pictures are kept in `target/window`.
#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stderr,
    missing_docs
)]

use std::path::Path;

use image::RgbImage;
use sightline::event::Event;
use sightline_tests::pick;
use sightline_tests::program::{self, Program, is_loud};
use sightline_tests::screen::{Area, NEXT, Screen, areas};

/// What ends something, and what is asked: `danger` and `warn` of ui/src/tokens.rs, dark.
const END: [u8; 3] = [0xc6, 0x32, 0x3b];
const QUESTION: [u8; 3] = [0xf2, 0xb1, 0x4a];

/// Whether a question stands there whose three answers can be given: before that they are faded.
fn can_answer(picture: &RgbImage) -> bool {
    // `control`.
    let buttons = areas(picture, [0x2b, 0x31, 0x3b]);
    let is_answer =
        |area: &&Area| (120..260).contains(&(area.right - area.left)) && area.bottom - area.top < 50;
    !areas(picture, QUESTION).is_empty() && buttons.iter().filter(is_answer).count() == 3
}

#[test]
#[ignore = "needs Xvfb, xdotool, ImageMagick and OpenGL"]
fn a_call_is_joined_consented_to_looked_at_and_left_in_the_window() {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/window");
    let screen = Screen::start("1080x720", pictures).expect("what this test needs");
    let media = ["--microphone", "test", "--camera", "test"];
    let mut ann = Program::start_call("Ann", &media);
    let code = ann.code();
    let mut cleo = Program::join_call("Cleo", &code, &media);
    cleo.wait("first_video");
    let code = ann.another_code();

    let folder = tempfile::tempdir().expect("a folder");
    let (mut bob, _) = screen.open(folder.path(), "lo", None);
    let join = screen.enter_code(&code);
    let knows_bob = |event: &Event| match event {
        Event::Knock { name, .. } | Event::Joined { name, .. } => name == "Bob",
        _ => false,
    };
    assert!(!ann.seen.iter().any(knows_bob), "nobody was contacted yet");
    let button = screen.prepare(join);
    let count = |program: &Program| program.sockets().map(|sockets| sockets.len());
    let before = count(&bob);
    assert!(
        before.is_none_or(|count| count == 0),
        "no socket is open before a call"
    );
    screen.click(button);

    // The user's rule is to ask about each way: to Ann, then to Cleo. Return and space answer nothing.
    for (name, program) in [("consent_1", &mut ann), ("consent_2", &mut cleo)] {
        let joined = pick!(Event::Joined { peer, name, .. } if name == "Bob" => peer.clone());
        let known = program.seen.iter().find_map(joined);
        let bob = known.unwrap_or_else(|| program.wait_for("Bob", joined));
        // With a connection the route says so; before there is one, whoever brings the two together passes it on.
        let is_asked = |event: &Event| match event {
            Event::Waiting { peer, .. } => *peer == bob,
            Event::Route(step) => step.route.theirs == "asked" && step.route.peer.as_ref() == Some(&bob),
            _ => false,
        };
        if !program.seen.iter().any(is_asked) {
            program.wait_until("that Bob is asked", is_asked);
        }
        screen.wait_for(name, |picture| can_answer(picture).then_some(()));
        screen.act(&["key", "Return", "space"]);
        // Had a stray key answered, nothing would be asked any more, or the other side would know.
        screen.wait_for(name, |picture| can_answer(picture).then_some(()));
        program.listen();
        let of_bob =
            pick!(Event::Route(step) if step.route.peer.as_ref() == Some(&bob) => step.route.state.clone());
        let is_active = |event: &Event| of_bob(event).is_some_and(|state| state == "active");
        let states: Vec<_> = program.seen.iter().filter_map(of_bob).collect();
        assert!(
            states.last().is_none_or(|state| state != "active"),
            "nobody consented yet: {states:?}"
        );
        if name == "consent_1" {
            screen.press("F2");
            program.wait_until("an active route", is_active);
        } else {
            // What was looked at may still have been the first question: one that has just appeared takes no answer.
            let is_approved = (0..100).any(|_| {
                screen.press("F2");
                program.wait_for("a word", |event| Some(is_active(event)))
            });
            assert!(is_approved, "the second way is not used");
        }
    }

    // The call: both pictures move, and nothing waits for an answer.
    let still = screen.wait_for("call", |picture| {
        let is_calm = areas(picture, QUESTION).is_empty() && areas(picture, END).len() == 1;
        is_calm.then(|| picture.clone())
    });
    assert_eq!(
        count(&bob).map(|count| count > 0),
        before.map(|_| true),
        "in a call they are seen"
    );
    screen.wait_for("call", |picture| {
        let differs = |left: u32| {
            let at = |n: u32| (left + n % 400, 150 + n / 400 * 4);
            (0..20_000).any(|n| picture.get_pixel(at(n).0, at(n).1) != still.get_pixel(at(n).0, at(n).1))
        };
        (differs(80) && differs(600)).then_some(())
    });
    screen.press("r");
    // The panel's surface: `card`.
    screen.wait_for("routes", |picture| {
        areas(picture, [0x1d, 0x21, 0x28])
            .iter()
            .any(|area| area.left > 600 && area.bottom - area.top > 400)
            .then_some(())
    });
    screen.press("r");
    screen.press("l");
    let leave = screen.wait_for("leave", |picture| {
        areas(picture, END).into_iter().find(|area| area.bottom < 600)
    });
    screen.click(leave);
    assert_eq!(ann.left(), ("Bob".into(), "left".into()));

    let home = screen.wait_for("ended", |picture| {
        let next = areas(picture, NEXT);
        (next.len() == 1).then(|| next[0])
    });
    screen.click(home);
    screen.wait_for("home_again", |picture| {
        areas(picture, NEXT).into_iter().find(|area| *area != home)
    });
    screen.press("ctrl+q");
    assert_eq!(bob.status(), 0);
    cleo.leave();
    ann.leave();
}

/// A screen, Ann's call with a window on it, and Bob in that, who hears her.
fn call_with_a_window(folder: &Path) -> (Screen, Program, Program) {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/window");
    let screen = Screen::start("1080x720", pictures).expect("what this test needs");
    let mut command = program::command(None);
    command.args(program::starts_call("Ann"));
    command.args(["--window", "--microphone", "test"]);
    command.arg("--settings").arg(folder);
    screen.offer(&mut command);
    let mut ann = Program::run(command);
    let code = ann.code();
    screen.wait_for("call_with_a_window", |picture| {
        (!areas(picture, END).is_empty()).then_some(())
    });
    let mut bob = Program::join_call("Bob", &code, &["--microphone", "test"]);
    bob.wait("first_audio");
    (screen, ann, bob)
}

#[test]
#[ignore = "needs Xvfb, xdotool, ImageMagick and OpenGL"]
fn a_call_goes_on_when_its_screen_is_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let (screen, mut ann, mut bob) = call_with_a_window(folder.path());
    screen.end();
    ann.another_code();
    bob.listen();
    bob.stats();
    assert!(is_loud(&bob.stats()), "she is heard");
    ann.tell("leave");
    assert_eq!(bob.left(), ("Ann".into(), "left".into()));
    assert_eq!(ann.status(), 0);
    bob.leave();
}

#[test]
#[ignore = "needs Xvfb, xdotool, ImageMagick and OpenGL"]
fn a_screen_that_answers_nothing_keeps_nobody_in_the_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let (screen, mut ann, mut bob) = call_with_a_window(folder.path());
    screen.pause();
    ann.another_code();
    ann.tell("leave");
    assert_eq!(bob.left(), ("Ann".into(), "left".into()));
    // The window, which nobody can close, showed how the call ended.
    ann.interrupt();
    assert_eq!(ann.status(), 0);
    bob.leave();
}

#[test]
#[ignore = "needs Xvfb, xdotool, ImageMagick and OpenGL"]
fn a_screen_that_no_window_can_be_opened_on_gets_a_sentence() {
    let pictures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/window");
    let folder = tempfile::tempdir().expect("a folder");
    let cases: [(&[&str], (&str, &str)); 6] = [
        (&["-extension", "RANDR"], ("LANG", "C")),
        (&[], ("WINIT_X11_SCALE_FACTOR", "1e9")),
        (&[], ("WINIT_X11_SCALE_FACTOR", "1e-9")),
        (&[], ("WINIT_X11_SCALE_FACTOR", "twice")),
        (&[], ("WINIT_X11_SCALE_FACTOR", "-1")),
        (&[], ("DISPLAY", ":nonsense")),
    ];
    for (server, (name, value)) in cases {
        let screen = Screen::start_as("1080x720", pictures.clone(), server).expect("what this test needs");
        let mut command = program::command(None);
        command.arg("--settings").arg(folder.path());
        screen.offer(&mut command);
        let output = command.env(name, value).output().expect("the program runs");
        let said = String::from_utf8(output.stderr).expect("text");
        assert_eq!(
            output.status.code(),
            Some(1),
            "{server:?}, {name}={value}: {said}"
        );
        assert!(
            said.starts_with("No window can be shown: ")
                && said.lines().count() == 1
                && !said.contains(".rs"),
            "{server:?}, {name}={value}: {said}"
        );
    }
}
