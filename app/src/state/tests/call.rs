//! Events of the call.

use sightline_mesh_proto::route::{Question, QuestionId, Reason};

use super::*;

#[test]
fn who_joins_is_played_and_shown_and_who_leaves_is_neither() {
    let mut sitting = Sitting::new();
    let zoe = PeerId::random();
    sitting.join(zoe, "Zoe", 3);
    let effects = sitting.effects();
    assert!(has(&effects, "Add("), "{effects:?}");
    assert!(has(&effects, "ShowPerson(2"), "{effects:?}");
    assert_eq!(sitting.person(zoe).name, "Zoe");
    assert_eq!(sitting.notices(), [SayingKey::Joined]);
    for (why, key) in [
        (Why::Left, SayingKey::Left),
        (Why::Lost, SayingKey::Lost),
        (Why::CutOff, SayingKey::CutOff),
    ] {
        sitting.leave(zoe, why);
        let effects = sitting.effects();
        assert!(
            has(&effects, "Remove(") && has(&effects, "HidePerson("),
            "{effects:?}"
        );
        assert_eq!(sitting.shown().people.len(), 2);
        assert_eq!(sitting.notices(), [key]);
        assert_eq!(sitting.state.model.notices[0].saying.name.as_deref(), Some("Zoe"));
        sitting.join(zoe, "Zoe", 12);
    }
}

#[test]
fn a_knock_is_shown_until_it_is_answered_or_of_no_more_use() {
    let mut sitting = Sitting::new();
    let zoe = PeerId::random();
    let knock = || Event::Knock {
        peer: zoe,
        name: Name::new("Zoe"),
        from: SocketAddr::from(([10, 0, 0, 9], 1)),
    };
    sitting.event(knock(), 1);
    sitting.event(knock(), 2);
    assert_eq!(sitting.shown().knocks.len(), 1, "who knocks twice is shown once");
    sitting.event(Event::WentAway(zoe), 3);
    assert_eq!(sitting.shown().knocks, []);
    sitting.event(knock(), 4);
    sitting.join(zoe, "Zoe", 5);
    assert_eq!(sitting.shown().knocks, []);
}

#[test]
fn what_is_tried_beside_the_route_that_media_takes_is_in_the_history_only() {
    let mut sitting = Sitting::new();
    let bob = sitting.bob;
    let remote = |sitting: &Sitting| {
        sitting
            .person(bob)
            .route
            .as_ref()
            .map(|route| route.path.remote.port())
    };
    sitting.is_on(bob, RouteState::Active, 7);
    for state in [RouteState::Proposed, RouteState::Approved, RouteState::Closed] {
        sitting.is_on(bob, state, 8);
        assert_eq!(remote(&sitting), Some(7), "{state:?}");
    }
    sitting.is_on(bob, RouteState::Active, 8);
    assert_eq!(remote(&sitting), Some(8));
    assert_eq!(sitting.shown().history.steps.len(), 5);
}

#[test]
fn the_route_of_who_was_reached_before_being_in_the_call_is_shown_when_they_are() {
    let mut sitting = Sitting::new();
    let zoe = PeerId::random();
    sitting.is_on(zoe, RouteState::Active, 9);
    sitting.join(zoe, "Zoe", 11);
    assert!(sitting.person(zoe).route.is_some());
}

#[test]
fn a_question_is_shown_until_it_is_answered_and_who_is_asked_until_their_route_goes_on() {
    let mut sitting = Sitting::new();
    let bob = sitting.bob;
    let question = Question {
        id: QuestionId(3),
        old: None,
        new: Route {
            id: RouteId(1),
            peer: Some(bob),
            path: path(7),
            state: RouteState::Proposed,
            approved_by: None,
            theirs: Consent::Given,
        },
        reason: Reason::First,
        tells: false,
    };
    sitting.event(Event::Ask(Box::new(question), Some(Name::new("Bob"))), 1);
    let asked: Vec<_> = sitting.shown().questions.iter().map(|one| one.id).collect();
    assert_eq!(asked, [3]);
    let answered = Event::Answered(QuestionId(3), sightline_mesh_proto::route::Answer::Approved);
    sitting.event(answered, 2);
    assert_eq!(sitting.shown().questions, []);
    sitting.event(Event::Waiting(bob), 3);
    assert!(sitting.person(bob).is_being_asked);
    sitting.is_on(bob, RouteState::Approved, 7);
    assert!(!sitting.person(bob).is_being_asked);
}

#[test]
fn a_lost_address_is_told_until_sound_and_picture_go_to_everybody_again() {
    let mut sitting = Sitting::new();
    let (bob, eve) = (sitting.bob, sitting.eve);
    sitting.is_on(bob, RouteState::Active, 7);
    sitting.is_on(eve, RouteState::Paused, 8);
    sitting.event(Event::Problem(Problem::InterfaceGone, None), 10);
    sitting.is_on(bob, RouteState::Active, 7);
    assert_eq!(sitting.notices(), [SayingKey::InterfaceGone]);
    sitting.is_on(eve, RouteState::Active, 8);
    assert_eq!(sitting.notices(), []);
}

#[test]
fn what_a_problem_was_about_clears_its_notice_when_it_comes_right() {
    let mut sitting = Sitting::new();
    let bob = sitting.bob;
    sitting.event(Event::Problem(Problem::Malformed, Some(bob)), 1);
    sitting.event(Event::Problem(Problem::NotApproved, Some(bob)), 1);
    sitting.event(Event::Problem(Problem::TooManyCodes, None), 1);
    assert_eq!(
        sitting.notices(),
        [SayingKey::NotApproved, SayingKey::TooManyCodes],
        "the newest on a topic"
    );
    sitting.join(bob, "Bob", 2);
    assert_eq!(sitting.notices(), [SayingKey::TooManyCodes, SayingKey::Joined]);
}
