use sightline_ui::model::SayingKey as Key;

use super::super::device::Fate;
use super::super::tests::{moment, state};
use super::*;

fn shown(state: &State) -> Vec<Key> {
    let notices = state.model.notices.iter();
    notices.map(|notice| notice.saying.key).collect()
}

fn said(keys: &[Key]) -> State {
    let mut state = state();
    for key in keys {
        state.say(Saying::new(*key, key.word()), moment(0));
    }
    state
}

#[test]
fn a_newer_notice_takes_the_place_of_what_it_supersedes() {
    let mut pairs = vec![
        (Key::DegradedFrameRate, Key::DegradedAllVideo),
        (Key::DegradedAllVideo, Key::LoadBack),
        (Key::LoadBack, Key::DegradedResolution),
        (Key::Lost, Key::Joined),
        (Key::Joined, Key::Left),
        (Key::Joined, Key::Lost),
        (Key::SettingsUnread, Key::Settings),
        (Key::CodeCut, Key::Start),
        (Key::Encoder, Key::CameraMoved),
    ];
    for kind in DeviceKind::ALL {
        for (first, second) in [
            (Fate::Gone, Fate::Back),
            (Fate::Moved, Fate::Back),
            (Fate::Moved, Fate::Gone),
            (Fate::Back, Fate::Gone),
            (Fate::Back, Fate::Moved),
            (Fate::Failed, Fate::Moved),
            (Fate::Failed, Fate::Gone),
            (Fate::Moved, Fate::Moved),
        ] {
            pairs.push((kind.key(first), kind.key(second)));
        }
    }
    for (first, second) in pairs {
        assert_eq!(shown(&said(&[first, second])), [second], "after {first:?}");
    }
    for both in [
        [Key::CameraGone, Key::MicrophoneBack],
        [Key::CameraGone, Key::LoadBack],
        [Key::Saved, Key::Save],
        [Key::Malformed, Key::Lost],
        [Key::Handshake, Key::Recording],
        [Key::NotApproved, Key::SmallPacketsOnly],
    ] {
        assert_eq!(shown(&said(&both)), both, "both are true");
    }
}

#[test]
fn what_is_told_of_one_member_stays_when_another_of_the_same_name_comes() {
    let (one, other) = (PeerId::random(), PeerId::random());
    let mut state = state();
    let mut say = |peer: &PeerId, key| {
        state.say_of(Some(peer), Saying::of(key, "Guest"), moment(0));
        shown(&state)
    };
    say(&one, Key::Lost);
    assert_eq!(say(&other, Key::Joined), [Key::Lost, Key::Joined]);
    assert_eq!(say(&one, Key::Joined), [Key::Joined]);
}

#[test]
fn at_a_bound_what_goes_by_itself_goes_first() {
    let keys = [
        Key::Handshake,
        Key::Saved,
        Key::Roster,
        Key::Dropped,
        Key::Recording,
    ];
    let left = [Key::Handshake, Key::Roster, Key::Dropped, Key::Recording];
    assert_eq!(shown(&said(&keys)), left);
}

#[test]
fn what_needs_no_answer_goes_by_itself() {
    let mut state = said(&[Key::Handshake, Key::Saved]);
    state.clear_passed(moment(6));
    assert_eq!(shown(&state), [Key::Handshake, Key::Saved]);
    state.clear_passed(moment(7));
    assert_eq!(shown(&state), [Key::Handshake]);
}

#[test]
fn what_comes_back_by_steps_is_shown_as_it_is_now() {
    let mut state = said(&[Key::DegradedAllVideo]);
    let id = state.model.notices[0].id;
    let less = Saying::new(Key::DegradedFrameRate, "");
    state.amend(Topic::Load, &less);
    assert_eq!(shown(&state), [Key::DegradedFrameRate]);
    assert_eq!(state.model.notices[0].id, id, "it is not told anew");
    state.model.notices.clear();
    state.amend(Topic::Load, &less);
    assert_eq!(shown(&state), [], "who has read it is left in peace");
}

#[test]
fn after_the_call_only_what_still_matters_is_shown() {
    let mut state = said(&[
        Key::DegradedResolution,
        Key::CameraGone,
        Key::Joined,
        Key::Handshake,
    ]);
    state.clear_call();
    assert_eq!(shown(&state), [Key::CameraGone, Key::Handshake]);
}

#[test]
fn without_a_window_nothing_is_kept_for_it() {
    let mut state = state();
    state.has_window = false;
    state.tell(Saying::new(Key::ClockWrong, ""), moment(0));
    assert_eq!(shown(&state), []);
    assert!(matches!(
        state.poll_effect(),
        Some(super::super::Effect::Tell(Told::Problem(..)))
    ));
}
