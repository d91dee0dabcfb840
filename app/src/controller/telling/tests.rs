use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use sightline_mesh_proto::Name;
use sightline_mesh_proto::route::{Consent, Path, PathKind, Reason, Route, RouteId, Transition};
use sightline_ui::model::{Call, Choice, Person, Preferences};
use sightline_ui::{Command, LANGUAGES};

use super::*;
use crate::args::Options;
use crate::screen::Screen;
use crate::settings::Settings;

fn controller() -> Controller {
    let screen = Arc::<Screen>::default();
    let clock = clock::start();
    Controller::new(&Options::default(), Settings::default(), clock, Some(screen))
}

fn shown(controller: &Controller) -> Vec<&str> {
    let notices = controller.model.notices.iter();
    notices.map(|told| told.saying.word.as_str()).collect()
}

/// What is left of two things told one after the other.
fn left_of(first: &str, second: &str) -> Vec<String> {
    let mut controller = controller();
    controller.say(Saying::new(first, "first"));
    controller.say(Saying::new(second, "second"));
    shown(&controller).into_iter().map(str::to_owned).collect()
}

#[test]
fn a_newer_notice_takes_the_place_of_what_it_supersedes() {
    let mut pairs = vec![
        ("gave_way_rate".to_owned(), "gave_way_pictures".to_owned()),
        ("gave_way_pictures".into(), "load_back".into()),
        ("load_back".into(), "gave_way_size".into()),
        ("lost".into(), "joined".into()),
        ("joined".into(), "left".into()),
        ("joined".into(), "lost".into()),
        ("settings_unread".into(), "settings".into()),
        ("code_cut".into(), "start".into()),
        ("encoder".into(), "camera_moved".into()),
    ];
    for kind in DeviceKind::ALL {
        let word = |what: &str| format!("{}{what}", kind.word());
        for (first, second) in [
            ("_gone", "_back"),
            ("_moved", "_back"),
            ("_moved", "_gone"),
            ("_back", "_gone"),
            ("_back", "_moved"),
            ("", "_moved"),
            ("", "_gone"),
            ("_moved", "_moved"),
        ] {
            pairs.push((word(first), word(second)));
        }
    }
    for (first, second) in pairs {
        assert_eq!(left_of(&first, &second), [second.as_str()], "after {first}");
    }
    for (first, second) in [
        ("camera_gone", "microphone_back"),
        ("camera_gone", "load_back"),
        ("saved", "save"),
        ("malformed", "lost"),
        ("handshake", "recording"),
        ("not_approved", "small_packets_only"),
    ] {
        assert_eq!(left_of(first, second), [first, second], "both are true");
    }
}

#[test]
fn what_is_told_of_one_member_stays_when_another_of_the_same_name_comes() {
    let (one, other) = (PeerId::random(), PeerId::random());
    let mut controller = controller();
    let guest = |word: &str| Saying {
        name: Some("Guest".into()),
        ..Saying::new(word, "")
    };
    controller.say_of(Some(&one), guest("lost"));
    controller.say_of(Some(&other), guest("joined"));
    assert_eq!(shown(&controller), ["lost", "joined"]);
    controller.say_of(Some(&one), guest("joined"));
    assert_eq!(shown(&controller), ["joined"]);
}

/// Of each new word it has to be decided whether something can supersede it.
#[test]
fn every_word_has_its_topic_or_stays_true() {
    let happened = [
        "saved",
        "recording",
        "undecodable",
        "picture_too_costly",
        "clock_wrong",
        "recording_renamed",
        "handshake",
        "dropped",
        "roster",
    ];
    // On the pages before and after a call.
    let no_notices = [
        "picture_bad",
        "picture_empty",
        "ended",
        "unreachable",
        "unreachable_over",
        "unfinished",
        "no_pair",
        "not_up",
        "own_addresses",
        "firewall",
        "too_large",
        "no_route",
        "not_sent",
        "impostor",
        "inviter_gone",
        "line_lost",
        "full",
        "declined",
        "refused",
        "fault",
    ];
    let mut words = LANGUAGES[0]
        .2
        .lines()
        .filter_map(|line| line.strip_prefix("say-"));
    assert!(words.clone().count() > 40);
    let undecided = words.find(|line| {
        let word = line.split(' ').next().unwrap_or_default();
        let stays = happened.contains(&word) || no_notices.contains(&word);
        Topic::of(word).is_some() == stays
    });
    assert_eq!(undecided, None);
}

#[test]
fn what_comes_right_without_a_word_is_not_shown_any_more() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut controller = controller();
    for kind in DeviceKind::ALL {
        controller.tell(&format!("{}_gone", kind.word()), "");
        controller.choose(kind, Choice::Off).expect("nothing is opened");
    }
    assert_eq!(shown(&controller), [""; 0], "nothing is wanted");
    controller.say_settings_unread("It makes no sense");
    controller.settings = Settings::empty_in(Some(folder.path()));
    controller.fulfil(Command::Prefer(Preferences::default()));
    assert_eq!(shown(&controller), [""; 0], "they are written over");

    let bob = PeerId::random();
    for word in ["malformed", "not_approved", "too_many_codes"] {
        let peer = (word != "too_many_codes").then_some(&bob);
        controller.say_of(peer, Saying::new(word, ""));
    }
    assert_eq!(shown(&controller), ["not_approved", "too_many_codes"]);
    controller.handle_event(&Event::Joined {
        peer: bob,
        name: Name::new("Bob"),
        invited_by: bob,
    });
    assert_eq!(shown(&controller), ["too_many_codes", "joined"]);
}

#[test]
fn a_lost_address_is_told_until_sound_and_picture_go_to_everybody_again() {
    let peers = [PeerId::random(), PeerId::random()];
    let address = SocketAddr::from(([10, 0, 0, 1], 5));
    let step = |peer: PeerId, state: State| Transition {
        at: Duration::ZERO,
        old: None,
        route: Route {
            id: RouteId(7),
            peer: Some(peer),
            path: Path {
                kind: PathKind::Direct,
                local: address,
                interface: None,
                remote: address,
                remote_medium: None,
            },
            state,
            approved_by: None,
            theirs: Consent::Given,
        },
        reason: Reason::Again,
    };
    let person = |peer: PeerId, state: State| Person {
        id: view_model::person(&peer),
        route: Some(view_model::route(
            &step(peer, state),
            &view_model::Names::new(),
            &[],
        )),
        ..Person::default()
    };
    let mut controller = controller();
    let [ann, bob] = peers;
    controller.say(Saying::new("interface_gone", ""));
    for (state, left) in [(State::Paused, vec!["interface_gone"]), (State::Active, vec![])] {
        controller.model.call = Some(Call {
            people: vec![person(ann, State::Active), person(bob, state)],
            ..Call::default()
        });
        controller.handle_event(&Event::Route(Box::new(step(ann, State::Active))));
        assert_eq!(shown(&controller), left);
    }
}

#[test]
fn what_comes_back_by_steps_is_shown_as_it_is_now() {
    let mut controller = controller();
    controller.say(Saying::new("gave_way_pictures", ""));
    let id = controller.model.notices[0].id;
    controller.amend(Topic::Load, &Saying::new("gave_way_rate", ""));
    assert_eq!(shown(&controller), ["gave_way_rate"]);
    assert_eq!(controller.model.notices[0].id, id, "it is not told anew");
    controller.model.notices.clear();
    controller.amend(Topic::Load, &Saying::new("gave_way_rate", ""));
    assert_eq!(shown(&controller), [""; 0], "who has read it is left in peace");
}

#[test]
fn after_the_call_only_what_still_matters_is_shown() {
    let mut controller = controller();
    for word in ["gave_way_size", "camera_gone", "joined", "handshake"] {
        controller.say(Saying::new(word, ""));
    }
    controller.clear_call();
    assert_eq!(shown(&controller), ["camera_gone", "handshake"]);
}
