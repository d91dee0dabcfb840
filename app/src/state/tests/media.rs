//! What members say of their media, and a second's measurements.

use super::*;

#[test]
fn feedback_is_read_once_and_each_kind_does_what_it_says() {
    let mut sitting = Sitting::new();
    let bob = sitting.bob;
    let half = Subscription {
        layer: Layer::Small,
        is_base_only: true,
    };
    let whole = Feedback::Subscribe(VideoTrack::Camera, Some(half));
    for (feedback, wanted) in [
        (Feedback::KeyFrame(VideoTrack::Screen), "KeyFrame(Screen)"),
        (whole, "Subscription("),
        (status(&[VOICE], &[]), "ExpectPause(0, Camera)"),
    ] {
        sitting.says(bob, &feedback);
        assert!(has(&sitting.effects(), wanted), "{feedback:?}");
    }
    let nonsense = Event::Message {
        peer: bob,
        conn: ConnId(1),
        channel: Channel::Feedback,
        body: vec![0xff; 9],
    };
    sitting.event(nonsense, 10);
    assert_eq!(sitting.effects(), [""; 0]);
}

#[test]
fn what_a_member_says_that_it_sends_is_shown() {
    let mut sitting = Sitting::new();
    let bob = sitting.bob;
    for (sends, muted, has_video) in [
        (vec![VOICE, CAMERA], false, true),
        (vec![VOICE], false, false),
        (vec![CAMERA], true, true),
        (vec![], true, false),
    ] {
        sitting.says(bob, &status(&sends, &[]));
        let person = sitting.person(bob);
        assert_eq!((person.muted, person.has_video), (muted, has_video), "{sends:?}");
        let hidden = has(&sitting.effects(), "HidePicture(");
        assert_eq!(hidden, !has_video, "an old picture does not come back");
    }
}

fn second(sitting: &Sitting) -> Second {
    let member = |peer| MemberStats {
        peer,
        link: LinkStats::default(),
        sending: None,
        media: Received::default(),
        screen: None,
    };
    Second {
        members: vec![member(sitting.bob), member(sitting.eve)],
        sends_audio: true,
        ..Second::default()
    }
}

#[test]
fn an_overloaded_machine_degrades_the_call_step_by_step_and_says_so() {
    let mut sitting = Sitting::new();
    let mut pass = |late: f32, seconds: u32| {
        let mut effects = Vec::new();
        for _ in 0..seconds {
            let second = Second {
                load: LoadSample { late, missed: 0.0 },
                ..second(&sitting)
            };
            sitting.state.reduce(Update::Second(Box::new(second)), moment(20));
            effects.extend(sitting.effects());
        }
        (effects, sitting.notices())
    };
    let (effects, notices) = pass(0.5, 4);
    assert!(has(&effects, "Degrade(FrameRate)") && has(&effects, "Degrade(Resolution)"));
    assert_eq!(notices, [SayingKey::DegradedResolution]);
    let (effects, notices) = pass(0.0, 10);
    assert!(has(&effects, "Degrade(FrameRate)"));
    assert!(
        !has(&effects, "Problem("),
        "what comes back by steps is told when all of it is"
    );
    assert_eq!(notices, [SayingKey::DegradedFrameRate]);
    let (effects, notices) = pass(0.0, 20);
    assert!(has(&effects, "Degrade(Nothing)"));
    assert_eq!(notices, [SayingKey::LoadBack]);
}

#[test]
fn pictures_are_asked_for_as_large_as_they_are_shown_and_only_when_that_changes() {
    let mut sitting = Sitting::new();
    let asked = |sitting: &mut Sitting| {
        sitting.state.ask_all();
        let effects = sitting.effects();
        let asked = effects.iter().filter(|effect| effect.contains("Subscribe("));
        asked.cloned().collect::<Vec<_>>()
    };
    let first = asked(&mut sitting);
    assert_eq!(first.len(), 2);
    assert!(
        first.iter().all(|effect| effect.contains("layer: Medium")),
        "{first:?}"
    );
    assert_eq!(asked(&mut sitting), [""; 0], "nothing has changed");
    let bob = sitting.bob;
    for (size, wanted) in [
        (TileSize::Large, "layer: Large"),
        (TileSize::Small, "layer: Small"),
        (TileSize::Hidden, "None"),
    ] {
        let id = sitting.state.registry.person(&bob);
        let call = sitting.state.call.as_mut().expect("a call");
        call.tiles = Some([(id, size)].into());
        let again = asked(&mut sitting);
        assert!(
            again.len() == 1 && again[0].contains(wanted),
            "{size:?}: {again:?}"
        );
    }
    // On another route, or when it could not be sent, it is asked for again.
    sitting.is_on(bob, RouteState::Active, 7);
    assert_eq!(asked(&mut sitting).len(), 1);
    sitting.event(Event::Unsent(bob, Channel::Feedback, Vec::new()), 11);
    assert_eq!(asked(&mut sitting).len(), 1);
}

#[test]
fn under_overload_only_who_speaks_is_asked_for_pictures() {
    let mut sitting = Sitting::new();
    let (bob, eve) = (sitting.bob, sitting.eve);
    sitting.state.reduce(Update::Speaking(vec![eve]), moment(10));
    assert!(sitting.person(eve).speaking && !sitting.person(bob).speaking);
    let call = sitting.state.call.as_mut().expect("a call");
    call.degradation = Degradation::NonSpeakers;
    sitting.state.ask_all();
    let effects = sitting.effects();
    let of = |peer: PeerId| {
        let feedback = format!("Feedback(PeerId(\"{peer}\"), Subscribe(Camera, ");
        effects.iter().find_map(|effect| effect.split(&*feedback).nth(1))
    };
    assert!(
        of(bob).is_some_and(|wish| wish.starts_with("None")),
        "{effects:?}"
    );
    assert!(
        of(eve).is_some_and(|wish| wish.starts_with("Some")),
        "{effects:?}"
    );
}

#[test]
fn a_hole_is_named_once_both_have_been_here_for_a_while() {
    let mut sitting = Sitting::new();
    let (me, bob, eve) = (sitting.me, sitting.bob, sitting.eve);
    sitting.says(bob, &status(&[VOICE], &[me]));
    sitting.says(eve, &status(&[VOICE], &[]));
    let names = |sitting: &Sitting, peer| sitting.person(peer).cannot_hear.clone();
    for (seconds, of_bob, of_eve) in [
        (5, vec![], vec![]),
        (
            6,
            vec![Some("Eve".to_owned())],
            vec![Some("Bob".to_owned()), None],
        ),
    ] {
        let second = second(&sitting);
        sitting
            .state
            .reduce(Update::Second(Box::new(second)), moment(seconds));
        assert_eq!(names(&sitting, bob), of_bob, "after {seconds} s");
        assert_eq!(names(&sitting, eve), of_eve, "after {seconds} s");
    }
}

#[test]
fn the_first_of_a_track_is_told_with_the_time_since_the_member_came() {
    let mut sitting = Sitting::new();
    let zoe = PeerId::random();
    sitting.join(zoe, "Zoe", 30);
    sitting.effects();
    let first = Update::First(2, CAMERA, moment(32).now);
    sitting.state.reduce(first, moment(32));
    assert!(has(&sitting.effects(), "2s)"), "Zoe came 30 s after the start");
    sitting.leave(zoe, Why::Left);
    sitting.effects();
    sitting
        .state
        .reduce(Update::First(2, VOICE, moment(33).now), moment(33));
    assert_eq!(sitting.effects(), [""; 0], "who is gone is told of no more");
}
