//! What the window does, seen and touched through the accessibility tree.
#![allow(clippy::expect_used, missing_docs)]

mod common;

use std::time::Duration;

use common::{CODE, Stand, at_home, in_call, settle, window, with_code, with_knock, with_question};
use eframe::egui::accesskit::Role;
use eframe::egui::{Key, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use sightline_ui::model::{
    Answer, Choice, Ended, PersonId, Reading, Rule, Saying, SayingKey, Sending, TileSize,
};
use sightline_ui::{Command, Model};

const SIZE: [f32; 2] = [1080.0, 900.0];

fn open(model: Model) -> Harness<'static, Stand> {
    let mut harness = window(SIZE, model);
    settle(&mut harness);
    harness
}

/// What the user wished; how large the tiles are is told by the window itself.
fn wishes(harness: &mut Harness<'_, Stand>) -> Vec<Command> {
    let mut wishes = std::mem::take(&mut harness.state_mut().wishes);
    wishes.retain(|wish| !matches!(wish, Command::Tiles(_)));
    wishes
}

fn press(harness: &mut Harness<'_, Stand>, key: Key) {
    harness.key_press(key);
    harness.run_steps(2);
}

fn click(harness: &mut Harness<'_, Stand>, label: &str) {
    harness.get_by_label(label).click_accesskit();
    harness.run_steps(2);
}

/// Everything that is shown, as assistive technology reads it.
fn read(harness: &Harness<'_, Stand>) -> String {
    let nodes = harness.root().children_recursive();
    let texts = nodes.flat_map(|node| {
        let node = node.accesskit_node();
        [node.label(), node.value()]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn nothing_is_sent_before_a_code_is_read_and_the_page_says_whom_it_contacts() {
    let mut harness = open(at_home());
    let field = harness.get_by_role(Role::MultilineTextInput);
    field.focus();
    harness.step();
    harness.get_by_role(Role::MultilineTextInput).type_text(CODE);
    harness.run_steps(2);
    assert_eq!(
        wishes(&mut harness),
        [Command::ReadCode(CODE.into())],
        "it is read, and nothing else happens"
    );
    assert!(
        harness.get_by_label("Join…").accesskit_node().is_disabled(),
        "before it is found to be good"
    );

    harness.state_mut().model = with_code();
    harness.run_steps(2);
    click(&mut harness, "Join…");
    let text = read(&harness);
    assert!(
        text.contains("192.168.1.9:52024") && text.contains("198.51.100.7:52024"),
        "{text}"
    );
    assert!(wishes(&mut harness).is_empty(), "camera and microphone stay off");
    click(&mut harness, "Join the call");
    let joined = wishes(&mut harness);
    let [Command::Join(code, wanted)] = joined.as_slice() else {
        panic!("{joined:?}");
    };
    assert_eq!(&**code, CODE);
    assert_eq!(wanted.name, "Ann Archer");
    assert_eq!(
        wanted.share,
        [at_home().addresses[0].address],
        "the one that says least, and no other"
    );
    assert_eq!(wanted.rule, Rule::Listed);
}

#[test]
fn a_code_that_is_over_by_this_machines_clock_can_be_tried_and_the_clock_is_named() {
    let mut model = with_code();
    if let Reading::Good(summary) = &mut model.code {
        summary.expires_in = Duration::ZERO;
        summary.over_by = Some("1999-12-31 23:59 UTC".into());
    }
    let mut harness = open(model);
    let is_named = |harness: &Harness<'_, Stand>| read(harness).contains("which says 1999-12-31 23:59 UTC");
    assert!(is_named(&harness), "{}", read(&harness));
    click(&mut harness, "Join…");
    assert!(is_named(&harness), "{}", read(&harness));
    click(&mut harness, "Join the call");
    let joined = wishes(&mut harness);
    assert!(
        matches!(joined.as_slice(), [Command::Join(code, _)] if **code == *CODE),
        "{joined:?}"
    );
}

#[test]
fn camera_and_microphone_go_on_when_they_are_switched_on_and_off_when_the_page_is_left() {
    let mut harness = open(at_home());
    click(&mut harness, "Start a call…");
    click(&mut harness, "The camera is off. Click to switch it on");
    click(&mut harness, "The microphone is off. Click to switch it on");
    let headset = Choice::Named("USB Headset".into());
    assert_eq!(
        wishes(&mut harness),
        [Command::Camera(Choice::Default), Command::Microphone(headset)]
    );
    click(&mut harness, "Back");
    let off = wishes(&mut harness);
    for wish in [
        Command::Camera(Choice::Off),
        Command::Microphone(Choice::Off),
        Command::Speaker(Choice::Off),
    ] {
        assert!(off.contains(&wish), "{off:?}");
    }
}

#[test]
fn without_name_or_address_the_call_does_not_begin_and_the_page_says_why() {
    let mut model = at_home();
    model.wanted.name = " ".into();
    let mut harness = open(model);
    click(&mut harness, "Start a call…");
    assert!(
        harness
            .get_by_label("Start the call")
            .accesskit_node()
            .is_disabled()
    );
    assert!(read(&harness).contains("Type a name first."));
}

#[test]
fn a_question_is_answered_by_its_keys_and_buttons_and_by_no_stray_key() {
    let mut harness = open(with_question());
    for _ in 0..40 {
        let focused = harness
            .root()
            .children_recursive()
            .find(|node| node.accesskit_node().is_focused());
        let label = focused.and_then(|node| node.accesskit_node().label());
        assert!(
            !label.as_ref().is_some_and(|label| label.contains("[F")),
            "{label:?} waits for Return"
        );
        press(&mut harness, Key::Tab);
    }
    press(&mut harness, Key::Escape);
    for key in [Key::Enter, Key::Space, Key::Y] {
        press(&mut harness, key);
    }
    let strays = wishes(&mut harness);
    assert!(
        !strays.iter().any(|wish| matches!(wish, Command::Answer(..))),
        "{strays:?}"
    );
    // Nothing is open that was not before.
    let mut harness = open(with_question());

    let text = read(&harness);
    for shown in [
        "192.168.1.9:52001",
        "198.51.100.7:52024",
        "mobile network",
        "The other side’s address has changed",
    ] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
    assert!(
        text.contains("sound and picture to Bob Brown are paused"),
        "{text}"
    );

    for (key, answer) in [
        (Key::F2, Answer::Once),
        (Key::F3, Answer::WithRule(Rule::Same)),
        (Key::F4, Answer::No),
    ] {
        press(&mut harness, key);
        assert_eq!(wishes(&mut harness), [Command::Answer(7, answer)]);
    }
    click(&mut harness, "Do not allow  [F4]");
    assert_eq!(wishes(&mut harness), [Command::Answer(7, Answer::No)]);
}

#[test]
fn a_question_that_has_just_appeared_cannot_be_answered() {
    let mut harness = open(in_call(2));
    harness.state_mut().model = with_question();
    harness.step();
    harness.key_press(Key::F2);
    harness.step();
    assert!(
        wishes(&mut harness).is_empty(),
        "it was pressed for something else"
    );
    let button = harness.get_by_label("Allow  [F2]");
    assert!(button.accesskit_node().is_disabled());
    harness.run_steps(4);
    press(&mut harness, Key::F2);
    assert_eq!(wishes(&mut harness), [Command::Answer(7, Answer::Once)]);
}

#[test]
fn a_question_does_not_take_the_keyboard_from_what_is_typed() {
    let mut harness = open(in_call(2));
    press(&mut harness, Key::R);
    harness.get_by_role(Role::TextInput).focus();
    harness.run_steps(2);
    harness.state_mut().model = with_question();
    harness.run_steps(4);
    assert!(harness.get_by_role(Role::TextInput).is_focused());
    harness.get_by_role(Role::TextInput).type_text("m");
    press(&mut harness, Key::M);
    assert!(
        wishes(&mut harness).is_empty(),
        "a letter that is typed is no key"
    );
    press(&mut harness, Key::F4);
    assert_eq!(
        wishes(&mut harness),
        [Command::Answer(7, Answer::No)],
        "an answer's key works all the same"
    );
}

#[test]
fn who_knocks_is_let_in_or_not() {
    let mut harness = open(with_knock());
    let eve = PersonId("12D3KooWeve".into());
    assert!(read(&harness).contains("198.51.100.77:40404"));
    press(&mut harness, Key::F3);
    assert!(wishes(&mut harness).is_empty(), "there is no third answer");
    press(&mut harness, Key::F2);
    click(&mut harness, "Do not let in  [F4]");
    assert_eq!(
        wishes(&mut harness),
        [Command::Admit(eve.clone()), Command::Refuse(eve)]
    );
}

#[test]
fn every_tile_says_its_route() {
    let harness = open(in_call(3));
    let text = read(&harness);
    for route in ["192.168.1.9:52001", "192.168.1.10:52002", "192.168.1.11:52003"] {
        assert!(
            text.contains(&format!("direct · {route} · Wi-Fi (wlan0)")),
            "{text}"
        );
    }
    assert!(text.contains("Bob Brown, speaks, good connection"), "{text}");
    assert!(text.contains("Cleo, muted, fair connection"), "{text}");
}

#[test]
fn the_cover_hides_names_addresses_and_questions_until_it_is_taken_away() {
    let mut harness = open(with_question());
    press(&mut harness, Key::F9);
    let text = read(&harness);
    for secret in ["Bob", "Cleo", "Ann", "192.168", "198.51"] {
        assert!(!text.contains(secret), "{secret} is in {text}");
    }
    assert!(text.contains("Something waits for your answer."), "{text}");
    assert!(harness.state().view.is_covered());
    press(&mut harness, Key::F2);
    press(&mut harness, Key::L);
    assert!(
        wishes(&mut harness).is_empty(),
        "what cannot be seen cannot be answered"
    );
    press(&mut harness, Key::F9);
    assert!(read(&harness).contains("Bob Brown"));
}

#[test]
fn space_held_opens_the_microphone_for_as_long() {
    let mut model = in_call(2);
    model.own.muted = true;
    let mut harness = open(model);
    harness.key_down(Key::Space);
    harness.run_steps(3);
    assert_eq!(wishes(&mut harness), [Command::Mute(false)]);
    harness.state_mut().model.own.muted = false;
    harness.run_steps(3);
    assert!(wishes(&mut harness).is_empty());
    harness.key_up(Key::Space);
    harness.run_steps(2);
    assert_eq!(wishes(&mut harness), [Command::Mute(true)]);
}

#[test]
fn who_is_heard_speaking_while_muted_is_told() {
    let mut model = in_call(2);
    model.own.muted = true;
    let mut harness = open(model);
    let words = "You are speaking, but you are muted.";
    assert!(!read(&harness).contains(words));
    harness.state_mut().model.own.speaking = true;
    harness.run_steps(2);
    assert!(read(&harness).contains(words));
}

#[test]
fn leaving_is_asked_about_and_closing_the_window_in_a_call_as_well() {
    let mut harness = open(in_call(2));
    press(&mut harness, Key::L);
    assert!(wishes(&mut harness).is_empty());
    press(&mut harness, Key::Enter);
    assert!(wishes(&mut harness).is_empty(), "Return stays");
    press(&mut harness, Key::L);
    let buttons: Vec<_> = harness.get_all_by_label("Leave the call").collect();
    buttons.last().expect("a button").click_accesskit();
    harness.run_steps(2);
    assert_eq!(wishes(&mut harness), [Command::Leave]);

    let model = harness.state().model.clone();
    assert!(!harness.state_mut().view.handle_close(&model), "not at once");
    harness.run_steps(2);
    let buttons: Vec<_> = harness.get_all_by_label("Leave the call").collect();
    buttons.last().expect("a button").click_accesskit();
    harness.run_steps(2);
    assert_eq!(wishes(&mut harness), [Command::Quit]);
    assert!(
        harness.state_mut().view.handle_close(&at_home()),
        "at home nothing is asked"
    );
}

#[test]
fn every_key_is_listed_and_does_what_the_list_says() {
    let mut harness = open(in_call(2));
    press(&mut harness, Key::Questionmark);
    let text = read(&harness);
    for key in [
        "M",
        "V",
        "P",
        "R",
        "I",
        "D",
        "S",
        "G",
        "L",
        "F9",
        "F2",
        "F3",
        "F4",
        "?",
        "Escape",
        "Space, held",
    ] {
        assert!(text.lines().any(|line| line == key), "{key} is not in {text}");
    }
    press(&mut harness, Key::Escape);
    press(&mut harness, Key::M);
    press(&mut harness, Key::V);
    assert_eq!(
        wishes(&mut harness),
        [Command::Mute(true), Command::Camera(Choice::Off)]
    );
    for (key, title) in [
        (Key::P, "Ann Archer (you)"),
        (
            Key::R,
            "Every address that takes part, as counted at this machine’s socket.",
        ),
        (Key::I, "Make another code"),
        (Key::D, "Round trip"),
        (Key::S, "Look"),
    ] {
        press(&mut harness, key);
        assert!(read(&harness).contains(title), "{title}");
    }
}

#[test]
fn everything_that_can_be_clicked_has_a_name() {
    let mut model = with_question();
    model.call.as_mut().expect("a call").knocks = with_knock().call.expect("a call").knocks;
    for side in [
        None,
        Some(Key::P),
        Some(Key::R),
        Some(Key::I),
        Some(Key::D),
        Some(Key::S),
    ] {
        let mut harness = open(model.clone());
        if let Some(key) = side {
            press(&mut harness, key);
        }
        check_names(&harness);
    }
    let mut harness = open(with_code());
    check_names(&harness);
    click(&mut harness, "Join…");
    check_names(&harness);
}

fn check_names(harness: &Harness<'_, Stand>) {
    let roles = [
        Role::Button,
        Role::CheckBox,
        Role::ComboBox,
        Role::RadioButton,
        Role::Slider,
        Role::TextInput,
        Role::MultilineTextInput,
    ];
    for node in harness.root().children_recursive() {
        let node = node.accesskit_node();
        if roles.contains(&node.role()) {
            let is_named =
                node.label().is_some_and(|label| !label.is_empty()) || node.labelled_by().next().is_some();
            assert!(
                is_named,
                "a {:?} without a name, value {:?}",
                node.role(),
                node.value()
            );
        }
    }
}

#[test]
fn the_keyboard_reaches_everything_on_the_pages() {
    let mut harness = open(with_code());
    let mut reached = Vec::new();
    for _ in 0..12 {
        harness.key_press(Key::Tab);
        harness.step();
        let focused = harness
            .root()
            .children_recursive()
            .find(|node| node.accesskit_node().is_focused());
        reached.extend(focused.and_then(|node| node.accesskit_node().label()));
    }
    for button in ["Start a call…", "Join…", "Scan with the camera", "Settings"] {
        assert!(
            reached.iter().any(|label| label == button),
            "{button} is not among {reached:?}"
        );
    }
}

#[test]
fn volume_and_codes_and_the_rule_are_wished_for() {
    let mut harness = open(in_call(1));
    press(&mut harness, Key::I);
    click(&mut harness, "Make another code");
    click(&mut harness, "Withdraw");
    assert_eq!(wishes(&mut harness), [Command::NewCode, Command::Withdraw(2)]);
    press(&mut harness, Key::R);
    click(&mut harness, "Save to this file");
    let saved = wishes(&mut harness);
    assert!(
        matches!(saved.as_slice(), [Command::Save(path)] if path.ends_with("sightline-call.html")),
        "{saved:?}"
    );
}

#[test]
fn what_is_sent_at_most_is_chosen_in_the_settings() {
    let mut harness = open(at_home());
    click(&mut harness, "Settings");
    click(&mut harness, "Send at most");
    click(&mut harness, "2.0 Mbit/s");
    click(
        &mut harness,
        "Pictures always at the same rate (hides whether something moves)",
    );
    let sending = wishes(&mut harness).into_iter().map(|wish| match wish {
        Command::Prefer(preferences) => preferences.sending,
        other => panic!("{other:?}"),
    });
    let (uplink, constant_rate) = (Some(2_000), true);
    assert_eq!(
        sending.collect::<Vec<_>>(),
        [
            Sending {
                uplink,
                ..Sending::default()
            },
            // The model is not ours: each wish is told apart from what is still shown.
            Sending {
                constant_rate,
                ..Sending::default()
            }
        ]
    );
}

#[test]
fn after_the_call_its_keys_do_nothing() {
    let mut model = in_call(2);
    model.own.microphone = None;
    model.call.as_mut().expect("a call").ended = Some(Ended {
        saying: Saying::new(SayingKey::Ended, ""),
        as_wished: true,
    });
    let mut harness = open(model);
    for key in [Key::M, Key::V, Key::L, Key::F2, Key::Space] {
        press(&mut harness, key);
    }
    assert!(
        wishes(&mut harness).is_empty(),
        "nothing shows that anything is on"
    );
    click(&mut harness, "Back to the start");
    assert_eq!(wishes(&mut harness), [Command::Close]);
}

#[test]
fn the_key_to_talk_is_let_go_whatever_is_open() {
    let mut model = in_call(2);
    model.own.muted = true;
    let mut harness = open(model);
    harness.key_down(Key::Space);
    harness.run_steps(2);
    assert_eq!(wishes(&mut harness), [Command::Mute(false)]);
    press(&mut harness, Key::Questionmark);
    harness.key_up(Key::Space);
    harness.run_steps(2);
    assert_eq!(wishes(&mut harness), [Command::Mute(true)]);
}

#[test]
fn a_dropped_picture_leads_on_only_with_the_code_in_it() {
    let mut harness = open(with_code());
    let dropped = eframe::egui::DroppedFile {
        path: Some("/tmp/code.png".into()),
        ..eframe::egui::DroppedFile::default()
    };
    harness.input_mut().dropped_files.push(dropped);
    harness.run_steps(3);
    assert_eq!(
        wishes(&mut harness),
        [Command::ReadPicture("/tmp/code.png".into())]
    );
    assert!(
        read(&harness).contains("Start a call"),
        "the code that was there before leads nowhere"
    );
    let mut other = with_code();
    if let Reading::Good(summary) = &mut other.code {
        summary.contacts = vec![([203, 0, 113, 50], 4433).into()];
    }
    harness.state_mut().model = other;
    harness.run_steps(3);
    assert!(read(&harness).contains("203.0.113.50:4433"));
}

#[test]
fn pictures_are_asked_for_as_large_as_their_tiles() {
    let mut harness = open(in_call(4));
    let told = |harness: &mut Harness<'_, Stand>| {
        let wishes = std::mem::take(&mut harness.state_mut().wishes);
        wishes
            .into_iter()
            .filter_map(|wish| match wish {
                Command::Tiles(tiles) => Some(tiles),
                _ => None,
            })
            .next_back()
    };
    let sizes = told(&mut harness).expect("they are told");
    assert_eq!(sizes.len(), 4);
    assert!(sizes.values().all(|size| *size == TileSize::Medium), "{sizes:?}");
    harness.run_steps(3);
    assert_eq!(told(&mut harness), None, "and not again");
    // Nobody sees a window that is minimised.
    let minimize = |harness: &mut Harness<'_, Stand>, minimized: bool| {
        let root = harness.input_mut().viewports.entry(ViewportId::ROOT);
        root.or_default().minimized = Some(minimized);
        harness.run_steps(2);
    };
    minimize(&mut harness, true);
    let hidden = told(&mut harness).expect("they are told");
    assert!(
        hidden.values().all(|size| *size == TileSize::Hidden),
        "{hidden:?}"
    );
    minimize(&mut harness, false);
    assert_eq!(told(&mut harness), Some(sizes), "as before");
    // One is made large, the others become small.
    press(&mut harness, Key::G);
    let sizes = told(&mut harness).expect("they are told");
    let count = |wanted: TileSize| sizes.values().filter(|size| **size == wanted).count();
    assert_eq!(
        (count(TileSize::Large), count(TileSize::Small)),
        (1, 3),
        "{sizes:?}"
    );
}
