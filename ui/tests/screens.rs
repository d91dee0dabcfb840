//! Every screen as a picture, compared with the one that somebody looked at. After a change that is meant:
//! `UPDATE_SNAPSHOTS=1 cargo test --release --workspace --test screens`, and look at each picture that changed.
#![allow(clippy::expect_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{
    Stand, at_home, in_call, path, person, preferences, settle, window, window_in, with_code, with_knock,
    with_question,
};
use eframe::egui::Key;
use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, SnapshotResults};
use sightline_ui::model::{
    Call, Ended, Notice, Preferences, Quality, Reading, Route, RouteState, Saying, SayingKey, Theme,
};
use sightline_ui::{Model, Text};

const USUAL: [f32; 2] = [1080.0, 720.0];
const SMALL: [f32; 2] = [640.0, 480.0];

/// The pictures of one test. It fails when one of them is not as it was.
#[derive(Default)]
struct Album(SnapshotResults);

impl Album {
    fn look(&mut self, mut harness: Harness<'static, Stand>, name: &str) {
        settle(&mut harness);
        harness.remove_cursor();
        harness.step();
        harness.snapshot(name);
        self.0.extend_harness(&mut harness);
    }

    /// Presses keys one after the other, then looks.
    fn look_after(&mut self, mut harness: Harness<'static, Stand>, keys: &[Key], name: &str) {
        settle(&mut harness);
        for key in keys {
            harness.key_press(*key);
            harness.step();
        }
        self.look(harness, name);
    }

    /// Clicks on something, then looks.
    fn look_after_click(&mut self, mut harness: Harness<'static, Stand>, label: &str, name: &str) {
        settle(&mut harness);
        harness.get_by_label(label).click_accesskit();
        harness.step();
        self.look(harness, name);
    }
}

#[test]
fn home() {
    let mut album = Album::default();
    album.look(window(USUAL, at_home()), "home");
    album.look(window(SMALL, at_home()), "home_small");
    let light = Model {
        preferences: preferences(Theme::Light, false),
        ..with_code()
    };
    album.look(window(USUAL, light), "home_code_light");
    let bad = Model {
        code: Reading::Bad(Saying::new(SayingKey::CodeWrongLetter, "")),
        ..at_home()
    };
    album.look(window(USUAL, bad), "home_bad_code");
}

#[test]
fn before_a_call() {
    let mut album = Album::default();
    let start = "Start a call…";
    let mut model = at_home();
    model.own.camera = Some("Integrated Camera".into());
    model.own.microphone = Some("USB Headset".into());
    model.own.speaking = true;
    album.look_after_click(window([1080.0, 900.0], model), start, "before_start");
    album.look_after_click(window([1080.0, 900.0], with_code()), "Join…", "before_join");
    album.look_after_click(window(SMALL, with_code()), "Join…", "before_join_small");
    let mut nothing = at_home();
    nothing.addresses.clear();
    nothing.wanted.name.clear();
    album.look_after_click(window([1080.0, 900.0], nothing), start, "before_nothing");
}

#[test]
fn tiles() {
    let mut album = Album::default();
    for others in [0, 1, 2, 4, 9] {
        album.look(window(USUAL, in_call(others)), &format!("call_{others}"));
    }
    album.look(window(SMALL, in_call(3)), "call_3_small");
    album.look(window([3840.0, 2160.0], in_call(5)), "call_5_large");
    album.look_after(window(USUAL, in_call(5)), &[Key::G], "call_stage");
    let mut light = in_call(3);
    light.preferences = preferences(Theme::Light, false);
    album.look(window(USUAL, light), "call_3_light");
}

#[test]
fn tiles_that_say_why_nothing_flows() {
    let mut album = Album::default();
    let mut model = in_call(4);
    let call = model.call.as_mut().expect("a call");
    let route = |state, theirs, reason| {
        Some(Route {
            path: path(9, 52_024),
            state,
            approved_by: None,
            theirs,
            reason,
        })
    };
    call.people[0].route = route(RouteState::Paused, "given", "lost");
    call.people[0].quality = Quality::Nothing;
    call.people[1].route = route(RouteState::Approved, "denied", "they_denied");
    call.people[2].route = None;
    call.people[3].is_being_asked = true;
    model.own.muted = true;
    model.own.speaking = true;
    album.look(window(USUAL, model), "call_paused");
}

#[test]
fn panels() {
    let mut album = Album::default();
    let mut model = in_call(2);
    model.call.as_mut().expect("a call").people[0].cannot_hear = vec![Some("Cleo".into()), None];
    model.lines = (0..30)
        .map(|n| format!("{n:9.3}  route: state active, peer 12D3KooW").into())
        .collect();
    for (key, name) in [
        (Key::P, "people"),
        (Key::R, "routes"),
        (Key::I, "invite"),
        (Key::D, "diagnostics"),
        (Key::S, "settings_in_call"),
    ] {
        album.look_after(window(USUAL, model.clone()), &[key], &format!("panel_{name}"));
    }
    // What happened stands below the addresses.
    let tall = [USUAL[0], 2.0 * USUAL[1]];
    album.look_after(window(tall, model.clone()), &[Key::R], "panel_routes_history");
    album.look_after(window(SMALL, model), &[Key::R], "panel_routes_small");
}

#[test]
fn questions() {
    let mut album = Album::default();
    album.look(window(USUAL, with_question()), "question");
    album.look(window(SMALL, with_question()), "question_small");
    album.look(window(USUAL, with_knock()), "knock");
    let mut first = with_question();
    let question = &mut first.call.as_mut().expect("a call").questions[0];
    question.old = None;
    question.name = None;
    question.reason = "first";
    question.tells_address = true;
    question.wider_rule = None;
    first.preferences = preferences(Theme::Light, true);
    album.look(window(USUAL, first), "question_first_contrast");
}

#[test]
fn overlays() {
    let mut album = Album::default();
    album.look_after(window(USUAL, in_call(2)), &[Key::Questionmark], "help");
    album.look_after(window(USUAL, in_call(2)), &[Key::L], "leave");
    album.look_after(window(USUAL, with_question()), &[Key::F9], "cover");
    let mut told = in_call(2);
    for (id, saying) in [
        (
            1,
            Saying::new(SayingKey::MicrophoneMoved, "Built-in Audio Analog Stereo"),
        ),
        (2, Saying::new(SayingKey::InterfaceGone, "")),
    ] {
        told.notices.push(Notice {
            id,
            at: Duration::from_secs(999),
            person: None,
            is_passing: id == 1,
            saying,
        });
    }
    album.look(window(USUAL, told), "notices");
}

#[test]
fn joining_and_the_end() {
    let mut album = Album::default();
    let call = |is_in, ended| Model {
        call: Some(Call {
            is_in,
            contacts: vec![([192, 168, 1, 9], 52_024).into()],
            ended,
            ..Call::default()
        }),
        ..at_home()
    };
    album.look(window(USUAL, call(false, None)), "joining");
    let ended = |key, as_wished| {
        Some(Ended {
            saying: Saying::new(key, ""),
            as_wished,
        })
    };
    album.look(window(USUAL, call(true, ended(SayingKey::Ended, true))), "ended");
    album.look(
        window(USUAL, call(false, ended(SayingKey::Unreachable, false))),
        "ended_unreachable",
    );
}

#[test]
fn settings() {
    let mut album = Album::default();
    album.look_after_click(window(USUAL, at_home()), "Settings", "settings");
    let contrast = Model {
        preferences: Preferences {
            text_size: 1.5,
            ..preferences(Theme::Dark, true)
        },
        ..at_home()
    };
    album.look_after_click(window(USUAL, contrast), "Settings", "settings_large_contrast");
}

/// Forty percent more letters in every text.
fn longer(text: &str) -> String {
    let more = text.chars().filter(|letter| letter.is_alphabetic()).count() * 2 / 5;
    format!("{text} {}", "öéñ".chars().cycle().take(more).collect::<String>())
}

#[test]
fn longer_words_and_other_scripts_fit() {
    let mut album = Album::default();
    let text = || Text::new("en").changed(longer);
    album.look(window_in(text(), USUAL, at_home()), "longer_home");
    album.look(window_in(text(), SMALL, with_question()), "longer_question_small");
    let mut model = in_call(3);
    let call = model.call.as_mut().expect("a call");
    call.people[0] = person(1, "שרה לוי");
    call.people[1] = person(2, "محمد الأمين");
    call.people[2] = person(
        3,
        "Wolfeschlegelsteinhausenbergerdorff the Elder of Somewhere Far",
    );
    call.people[2].muted = true;
    album.look(window_in(text(), USUAL, model.clone()), "longer_call");
    album.look_after(window_in(text(), USUAL, model), &[Key::P], "longer_people");
    for language in ["de", "fr", "es"] {
        album.look(
            window_in(Text::new(language), USUAL, with_question()),
            &format!("question_{language}"),
        );
    }
}
