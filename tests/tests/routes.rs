//! Consent and roaming, in seeded calls on virtual time. After every step the world asserts that the gate lets
//! exactly the approved routes pass, and at every packet that media is handed to active routes only. A failure
//! prints its seed; `SIGHTLINE_SEED=N` runs that one alone.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use sightline_mesh_proto::interface::Medium;
use sightline_mesh_proto::route::{Approval, Consent, Path, Reason, Rule, State, Transition};
use sightline_mesh_proto::{Command, Event, Problem};
use sightline_tests::sim::{Socket, Weather, World, for_seeds};

const FAIR: Weather = Weather::FAIR;

fn elsewhere(last: u8) -> SocketAddr {
    SocketAddr::from(([192, 168, 7, last], 4000))
}

/// A call in which everybody has met, each with its own rule, every question of the beginning approved.
fn gather(rules: &[Rule], weather: Weather, seed: u64) -> World {
    let mut world = World::new(rules.len(), weather, seed);
    world.start(0, rules[0]);
    for (index, rule) in rules.iter().enumerate().skip(1) {
        let code = world.code(0);
        world.join(index, code, *rule);
        for _ in 0..30 {
            world.run(Duration::from_millis(200));
            for index in world.alive() {
                world.answer_all(index, true);
            }
        }
    }
    assert!(world.is_full_mesh(), "not everybody met everybody");
    assert!(is_talking(&mut world), "not everybody hears everybody");
    world
}

/// Whether what everybody says now reaches everybody else.
fn is_talking(world: &mut World) -> bool {
    let people = world.alive();
    let mut said = Vec::new();
    for _ in 0..20 {
        for index in &people {
            said.push((*index, world.speak(*index).0));
        }
        world.run(Duration::from_millis(50));
    }
    world.run(Duration::from_millis(500));
    people.iter().all(|listener| {
        let heard = |from: usize| {
            let received = world.nodes[*listener].received.get(&from);
            said.iter()
                .any(|(index, number)| *index == from && received.is_some_and(|all| all.contains(number)))
        };
        people
            .iter()
            .filter(|from| *from != listener)
            .all(|from| heard(*from))
    })
}

/// The steps of `who`'s routes to `to` since the event at `since`.
fn steps(world: &World, who: usize, to: usize, since: usize) -> Vec<Transition> {
    let peer = world.peer(to);
    let events = world.nodes[who].events.iter().skip(since);
    let steps = events.filter_map(|(_, event)| match event {
        Event::Route(step) if step.route.peer == Some(peer) => Some(step.as_ref().clone()),
        _ => None,
    });
    steps.collect()
}

fn heard_from(world: &World, listener: usize, from: usize) -> usize {
    world.nodes[listener].received.get(&from).map_or(0, BTreeSet::len)
}

#[test]
fn with_the_rule_ask_nothing_is_heard_before_a_yes_and_the_other_side_is_told_to_wait() {
    let mut world = World::new(2, FAIR, 1);
    world.start(0, Rule::Ask);
    let code = world.code(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(20));
    for _ in 0..20 {
        world.speak(0);
        world.speak(1);
        world.run(Duration::from_millis(50));
    }
    assert_eq!((heard_from(&world, 0, 1), heard_from(&world, 1, 0)), (0, 0));
    let asked = world.questions(0);
    assert_eq!(asked.len(), 1, "one question, however long it waits");
    assert_eq!((asked[0].reason, asked[0].old.clone()), (Reason::First, None));
    let last = steps(&world, 1, 0, 0).pop().expect("a step");
    assert_eq!(
        (last.route.theirs, last.route.state),
        (Consent::Asked, State::Paused)
    );

    assert_eq!(world.answer_all(0, true), 1);
    assert!(is_talking(&mut world));
    let by = |world: &World, who, to| steps(world, who, to, 0).pop().expect("a step").route.approved_by;
    assert_eq!(by(&world, 0, 1), Some(Approval::User));
    assert_eq!(by(&world, 1, 0), Some(Approval::Code));
}

#[test]
fn a_denied_address_stays_refused_and_the_rest_of_the_call_goes_on() {
    let mut world = gather(&[Rule::Listed, Rule::Listed, Rule::Listed], FAIR, 2);
    world.move_to(2, &[elsewhere(3)]);
    world.run(Duration::from_millis(100));
    world.answer_all(2, true);
    world.run(Duration::from_millis(500));
    let (before, asked) = (heard_from(&world, 0, 2), world.questions(0));
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].reason, asked[0].new.path.remote),
        (Reason::RemoteAddress, elsewhere(3))
    );
    assert_eq!(
        asked[0].old.as_ref().map(|path| path.remote),
        Some(world.nodes[2].address())
    );
    world.answer_all(0, false);
    world.answer_all(1, true);
    for _ in 0..400 {
        world.speak(2);
        world.speak(0);
        world.run(Duration::from_millis(50));
        assert_eq!(world.questions(0), [], "the address is asked about again");
    }
    assert_eq!(
        heard_from(&world, 0, 2),
        before,
        "sound came from a denied address"
    );
    assert_eq!(world.state(1, 2), Some(State::Active));
    assert_eq!(world.state(0, 1), Some(State::Active));
    let passes = world.nodes[0]
        .gate
        .approved()
        .any(|(_, remote)| remote == elsewhere(3));
    assert!(!passes, "the denied address is approved at the gate");
}

#[test]
fn a_changed_network_pauses_asks_and_is_back_within_a_second_of_consent() {
    for_seeds(40, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let delay = Duration::from_millis(rng.random_range(1..60));
        let mut weather = Weather::random(&mut rng);
        weather.hop.delay = delay;
        let mut world = gather(&[Rule::Listed; 3], weather, seed);
        let since = world.nodes[0].events.len();
        let mover = rng.random_range(0..3);
        let others: Vec<_> = (0..3).filter(|index| *index != mover).collect();
        let old = world.nodes[mover].address();
        let new = elsewhere(mover as u8);
        world.move_to(mover, &[new]);
        for other in &others {
            assert_eq!(
                world.state(mover, *other),
                Some(State::Paused),
                "media goes on by itself"
            );
        }
        // The mover is asked at once, and nothing leaves its new address before it says yes.
        let questions = world.questions(mover);
        assert_eq!(questions.len(), 2);
        for question in &questions {
            assert_eq!(question.reason, Reason::LocalInterface);
            assert_eq!(question.old.as_ref().map(|path| path.local), Some(old));
            assert_eq!(question.new.path.local, new);
        }
        let sent = |world: &World| {
            let rows = world.nodes[mover].gate.ledger().rows();
            rows.filter(|((local, _), _)| *local == new)
                .map(|(_, row)| row.counts.sent_packets)
                .sum::<u64>()
        };
        world.run(Duration::from_millis(400));
        assert_eq!(sent(&world), 0);
        assert_eq!(world.answer_all(mover, true), 2);
        // The others are asked as soon as the first packet is there.
        let mut waited = Duration::ZERO;
        while others.iter().any(|other| world.questions(*other).is_empty()) {
            world.run(Duration::from_millis(10));
            waited += Duration::from_millis(10);
            assert!(waited < Duration::from_secs(10), "the others are never asked");
        }
        for other in &others {
            assert_ne!(world.state(*other, mover), Some(State::Active));
            assert_eq!(world.answer_all(*other, true), 1);
        }
        let mut until_sound = Duration::ZERO;
        while others.iter().any(|other| {
            let ways = [world.state(mover, *other), world.state(*other, mover)];
            ways != [Some(State::Active); 2]
        }) {
            world.run(Duration::from_millis(10));
            until_sound += Duration::from_millis(10);
            assert!(
                until_sound <= Duration::from_secs(1),
                "media is not back a second after consent"
            );
        }
        assert!(is_talking(&mut world));
        world.run(Duration::from_secs(8));
        assert!(world.is_full_mesh());
        for other in &others {
            let joined = world.nodes[*other].events.iter().filter(
                |(_, event)| matches!(event, Event::Joined { peer, .. } if *peer == world.peer(mover)),
            );
            assert_eq!(joined.count(), 1, "a ghost");
            assert_eq!(world.told_gone(*other, mover), None);
        }
        assert!(world.nodes[0].events.len() > since);
    });
}

#[test]
fn a_new_port_of_the_same_address_goes_on_unasked_and_is_in_the_history() {
    for_seeds(40, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = gather(&[Rule::Listed, Rule::Listed], Weather::random(&mut rng), seed);
        let since = world.nodes[0].events.len();
        world.rebind(1);
        world.run(Duration::from_secs(6));
        assert!(
            is_talking(&mut world),
            "the call did not survive a NAT's new port"
        );
        assert_eq!((world.questions(0), world.questions(1)), (Vec::new(), Vec::new()));
        let steps = steps(&world, 0, 1, since);
        let active = steps
            .iter()
            .rfind(|step| step.route.state == State::Active)
            .expect("active again");
        assert_eq!(active.route.approved_by, Some(Approval::NewPort));
        let paused = steps
            .iter()
            .position(|step| step.route.state == State::Paused)
            .expect("a pause");
        let proposed = steps
            .iter()
            .position(|step| step.route.state == State::Proposed)
            .expect("a new way");
        assert!(paused < proposed, "the old way pauses first");
        assert_eq!(active.route.path.remote.port(), 4001);
    });
}

#[test]
fn who_only_says_nothing_is_not_taken_for_broken_off_in_any_weather() {
    for_seeds(40, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = gather(&[Rule::Listed; 3], Weather::random(&mut rng), seed);
        let since = [0, 1, 2].map(|index| world.nodes[index].events.len());
        world.run(Duration::from_secs(60));
        for (index, since) in since.into_iter().enumerate() {
            let steps = world.nodes[index].events.iter().skip(since);
            let steps = steps.filter(|(_, event)| matches!(event, Event::Route(_)));
            assert_eq!(steps.count(), 0, "p{index}'s routes moved by themselves");
        }
    });
}

#[test]
fn while_this_sides_only_address_is_gone_nothing_leaves_and_the_way_back_is_found() {
    let mut world = gather(&[Rule::Listed; 3], FAIR, 5);
    let home = world.nodes[2].address();
    let total = |world: &World| -> u64 {
        let rows = world.nodes[2].gate.ledger().rows();
        rows.map(|(_, row)| row.counts.sent_packets).sum()
    };
    world.move_to(2, &[]);
    let before = total(&world);
    for _ in 0..400 {
        world.speak(2);
        world.run(Duration::from_millis(50));
    }
    assert_eq!(total(&world), before, "something left without an address");
    assert!(
        !world.nodes[2]
            .events
            .iter()
            .any(|(_, event)| matches!(event, Event::Left { .. }))
    );
    assert!(world.told_gone(0, 2).is_some(), "the others are told");
    world.move_to(2, &[home]);
    world.run(Duration::from_secs(2));
    assert!(world.is_full_mesh());
    assert!(is_talking(&mut world), "the same address is no change");
}

#[test]
fn with_the_rule_same_a_way_that_was_approved_may_come_back() {
    let mut world = gather(&[Rule::Same, Rule::Same], FAIR, 6);
    let home = world.nodes[1].address();
    world.move_to(1, &[elsewhere(1)]);
    for _ in 0..20 {
        world.run(Duration::from_millis(100));
        for index in 0..2 {
            world.answer_all(index, true);
        }
    }
    assert!(is_talking(&mut world));
    let since = [0, 1].map(|index| world.nodes[index].events.len());
    world.move_to(1, &[home]);
    world.run(Duration::from_secs(6));
    assert!(is_talking(&mut world));
    for (index, since) in since.into_iter().enumerate() {
        let asked = world.nodes[index]
            .events
            .iter()
            .skip(since)
            .any(|(_, event)| matches!(event, Event::Ask(..)));
        assert!(!asked, "p{index} was asked about a way that it had approved");
    }
    let last = steps(&world, 0, 1, since[0])
        .into_iter()
        .rfind(|step| step.route.state == State::Active);
    assert_eq!(last.expect("active").route.approved_by, Some(Approval::Before));
}

#[test]
fn a_member_that_says_over_what_it_is_connected_is_asked_about_when_that_changes() {
    let mut world = World::new(2, FAIR, 8);
    world.nodes[1].tells_medium = true;
    world.start(0, Rule::Listed);
    let code = world.code(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(3));
    assert!(is_talking(&mut world));
    assert_eq!(
        world.questions(0),
        [],
        "to say it for the first time changes nothing"
    );
    world.turn_into(1, Medium::Mobile);
    world.run(Duration::from_secs(1));
    assert_eq!(world.state(0, 1), Some(State::Paused));
    let asked = world.questions(0);
    assert_eq!(asked.len(), 1);
    let remote_medium = |path: &Path| path.remote_medium;
    assert_eq!(asked[0].reason, Reason::RemoteInterface);
    assert_eq!(asked[0].old.as_ref().and_then(remote_medium), Some(Medium::Cable));
    assert_eq!(remote_medium(&asked[0].new.path), Some(Medium::Mobile));
    world.answer_all(0, true);
    assert!(is_talking(&mut world));
}

#[test]
fn nobody_is_worn_down_with_questions() {
    let mut world = gather(&[Rule::Listed, Rule::All, Rule::Listed], FAIR, 9);
    let since = world.nodes[0].events.len();
    for last in 1..=120 {
        world.move_to(1, &[elsewhere(last)]);
        world.answer_all(1, true);
        world.run(Duration::from_millis(500));
    }
    let events = world.nodes[0].events.iter().skip(since);
    let asked = events
        .filter(|(_, event)| matches!(event, Event::Ask(..)))
        .count();
    assert!((5..=16 + 6).contains(&asked), "{asked} questions in a minute");
    assert!(
        world.questions(0).len() <= 1,
        "more than one question about one member"
    );
    assert_eq!(
        world.state(0, 2),
        Some(State::Active),
        "the others are not affected"
    );
}

#[test]
fn a_chosen_rule_decides_what_waits() {
    let mut world = World::new(3, FAIR, 7);
    world.start(0, Rule::Listed);
    for index in [1, 2] {
        let code = world.code(0);
        world.join(index, code, Rule::Ask);
        world.run(Duration::from_secs(3));
    }
    assert!(!world.questions(1).is_empty() && !world.questions(2).is_empty());
    // p2 has contacted nobody but who gave it the code; p1 hears of the question through that one.
    let waiting = Event::Waiting(world.peer(2));
    let told = world.nodes[1]
        .events
        .iter()
        .filter(|(_, event)| *event == waiting);
    assert_eq!(told.count(), 1);
    for index in [1, 2] {
        world.command(index, Command::SetRule(Rule::All));
    }
    world.run(Duration::from_secs(12));
    assert!(world.is_full_mesh());
    assert!(is_talking(&mut world));
    assert_eq!((world.questions(1), world.questions(2)), (Vec::new(), Vec::new()));
}

/// What `who` was told of its own ports and of whom it cannot find, since the event at `since`.
fn told(world: &World, who: usize, since: usize) -> Vec<Problem> {
    let events = world.nodes[who].events.iter().skip(since);
    let told = events.filter_map(|(_, event)| match event {
        Event::Problem(problem, _) => Some(*problem),
        _ => None,
    });
    told.collect()
}

#[test]
fn when_both_sides_interfaces_are_made_anew_at_once_they_meet_at_the_same_ports_and_codes_hold() {
    for_seeds(40, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = World::new(3, Weather::random(&mut rng), seed);
        world.start(0, Rule::Listed);
        let (first, second) = (world.code(0), world.code(0));
        world.join(1, first, Rule::Listed);
        world.run(Duration::from_secs(10));
        assert!(is_talking(&mut world));
        let before = [0, 1].map(|index| world.nodes[index].sockets.clone());
        let since = [0, 1].map(|index| world.nodes[index].events.len());
        world.remake(&[0, 1]);
        world.run(Duration::from_secs(10));
        assert!(is_talking(&mut world), "they did not meet again");
        for (index, before) in before.iter().enumerate() {
            let locals = |sockets: &[Socket]| sockets.iter().map(|socket| socket.local).collect::<Vec<_>>();
            assert_eq!(
                locals(&world.nodes[index].sockets),
                locals(before),
                "p{index}'s ports"
            );
            assert_eq!(world.questions(index), [], "nothing has changed");
            assert_eq!(told(&world, index, since[index]), []);
        }
        world.join(2, second, Rule::Listed);
        world.run(Duration::from_secs(15));
        assert!(world.is_full_mesh(), "a code given before does not work any more");
    });
}

#[test]
fn a_port_that_is_taken_is_told_and_stood_in_for_and_codes_work_again_when_it_is_free() {
    let mut world = World::new(3, FAIR, 10);
    world.start(0, Rule::Listed);
    let (first, second) = (world.code(0), world.code(0));
    world.join(1, first, Rule::Listed);
    world.run(Duration::from_secs(3));
    let home = world.nodes[0].address();
    let since = world.nodes[0].events.len();
    world.nodes[0].taken.push(home);
    world.remake(&[0, 1]);
    world.run(Duration::from_secs(8));
    assert!(is_talking(&mut world), "the one that has its port is found");
    assert_eq!(told(&world, 0, since), [Problem::PortTaken], "once");
    let listening = |world: &World| {
        let events = world.nodes[0].events.iter().skip(since);
        let mut listening = events.filter_map(|(_, event)| match event {
            Event::Listening(locals) => Some(locals.clone()),
            _ => None,
        });
        listening.next_back().expect("it is told where it listens")
    };
    let stand_in = listening(&world);
    assert!(stand_in.len() == 1 && stand_in[0].ip() == home.ip() && stand_in[0] != home);
    let leads_to: Vec<_> = world.code(0).addresses().collect();
    assert_eq!(leads_to, stand_in, "a new code leads there");
    assert_eq!(world.questions(1), [], "a port alone is not asked about");

    world.nodes[0].taken.clear();
    world.run(Duration::from_secs(6));
    assert!(listening(&world).contains(&home));
    world.join(2, second, Rule::Listed);
    world.run(Duration::from_secs(8));
    assert!(world.is_full_mesh(), "the code given before");
}

#[test]
fn two_whose_ports_were_both_taken_meet_again_when_those_are_free() {
    let mut world = gather(&[Rule::Listed; 2], FAIR, 11);
    let since = [0, 1].map(|index| world.nodes[index].events.len());
    for index in [0, 1] {
        let home = world.nodes[index].address();
        world.nodes[index].taken.push(home);
    }
    world.remake(&[0, 1]);
    world.run(Duration::from_secs(60));
    assert!(!world.is_full_mesh(), "neither knows where the other is");
    for index in [0, 1] {
        assert_eq!(
            told(&world, index, since[index]),
            [Problem::PortTaken, Problem::Sought]
        );
        world.nodes[index].taken.clear();
    }
    world.run(Duration::from_secs(15));
    assert!(world.is_full_mesh());
    assert!(is_talking(&mut world));
}

#[test]
fn a_third_member_tells_two_whose_ports_are_taken_where_they_are_now() {
    let mut world = gather(&[Rule::Listed; 3], FAIR, 12);
    for index in [0, 1] {
        let home = world.nodes[index].address();
        world.nodes[index].taken.push(home);
    }
    world.remake(&[0, 1]);
    world.run(Duration::from_secs(12));
    assert!(world.is_full_mesh());
    assert!(is_talking(&mut world));
}

#[test]
fn a_way_that_is_broken_for_however_long_is_mended_and_the_search_is_told() {
    for (minutes, patience) in [(1, 6), (4, 8), (60, 18)] {
        let mut world = gather(&[Rule::Listed; 2], FAIR, 13);
        let since = [0, 1].map(|index| world.nodes[index].events.len());
        world.cut(true);
        world.run(Duration::from_secs(20));
        assert_eq!(told(&world, 0, since[0]), [], "it is quick at first");
        world.run(Duration::from_secs(60 * minutes - 20));
        for index in [0, 1] {
            assert_eq!(told(&world, index, since[index]), [Problem::Sought], "once");
        }
        world.cut(false);
        world.run(Duration::from_secs(patience));
        assert!(world.is_full_mesh(), "not back after {minutes} minutes");
        assert!(is_talking(&mut world));
        assert_eq!((world.questions(0), world.questions(1)), (Vec::new(), Vec::new()));
    }
}

#[test]
fn an_interface_that_is_renamed_is_another_one_and_asked_about() {
    let mut world = gather(&[Rule::Listed; 2], FAIR, 14);
    let since = world.nodes[1].events.len();
    world.rename(1, "lan", true);
    let heard = heard_from(&world, 0, 1);
    for _ in 0..40 {
        world.speak(1);
        world.run(Duration::from_millis(50));
    }
    assert_eq!(heard_from(&world, 0, 1), heard, "media goes on by itself");
    let asked = world.questions(1);
    assert_eq!(asked.len(), 1);
    let name = |path: &Path| path.interface.clone().expect("a name");
    assert_eq!(asked[0].reason, Reason::LocalInterface);
    assert_eq!(asked[0].old.as_ref().map(name).as_deref(), Some("if10.0.0.2"));
    assert_eq!(name(&asked[0].new.path), "lan10.0.0.2");
    world.answer_all(1, true);
    assert!(is_talking(&mut world));
    let active = steps(&world, 1, 0, since)
        .into_iter()
        .rfind(|step| step.route.state == State::Active);
    assert_eq!(name(&active.expect("active").route.path), "lan10.0.0.2");
}

#[test]
fn while_its_interface_has_a_name_that_may_not_be_used_nothing_leaves_whoever_calls() {
    let mut world = gather(&[Rule::Listed; 3], FAIR, 15);
    let sent = |world: &World| -> u64 {
        let rows = world.nodes[2].gate.ledger().rows();
        rows.map(|(_, row)| row.counts.sent_packets).sum()
    };
    let since = world.nodes[2].events.len();
    // The sockets are still there, and the others seek this one.
    world.rename(2, "lan", false);
    let before = sent(&world);
    for _ in 0..400 {
        world.speak(2);
        world.run(Duration::from_millis(50));
    }
    assert_eq!(sent(&world), before, "something left by the renamed interface");
    assert_eq!(told(&world, 2, since)[0], Problem::InterfaceGone);
    assert_ne!(world.state(2, 0), Some(State::Active));
    world.rename(2, "if", true);
    world.run(Duration::from_secs(6));
    assert!(world.is_full_mesh());
    assert!(is_talking(&mut world), "the same interface is no change");
}

#[test]
fn an_approved_way_that_is_back_is_used_while_a_question_about_another_stands_unanswered() {
    let mut world = gather(&[Rule::Listed; 2], FAIR, 12);
    let home = world.nodes[1].address();
    world.move_to(1, &[elsewhere(1)]);
    // Nobody answers, and the other side has long stopped looking.
    world.run(Duration::from_secs(40));
    assert_eq!(
        world.questions(1).len(),
        1,
        "one question, however long it stands"
    );
    world.move_to(1, &[home, elsewhere(1)]);
    world.run(Duration::from_millis(500));
    assert_eq!(world.questions(1), [], "the question is withdrawn");
    assert_eq!(
        (world.state(0, 1), world.state(1, 0)),
        (Some(State::Active), Some(State::Active))
    );
    assert!(is_talking(&mut world));
    let sent = world.nodes[1].gate.ledger().rows();
    let from_elsewhere = sent.filter(|((local, _), _)| *local == elsewhere(1));
    assert_eq!(
        from_elsewhere
            .map(|(_, row)| row.counts.sent_packets)
            .sum::<u64>(),
        0,
        "nothing left from where nobody agreed to"
    );
}

#[test]
fn an_approved_way_that_is_back_takes_the_place_of_a_connection_that_waits_for_an_answer() {
    let mut world = World::new(2, FAIR, 13);
    let home = world.nodes[1].address();
    let mut second = world.nodes[1].sockets[0];
    (second.local, second.outside) = (elsewhere(1), elsewhere(1));
    world.nodes[1].sockets.push(second);
    world.start(1, Rule::Listed);
    let code = world.code(1);
    world.join(0, code, Rule::All);
    world.run(Duration::from_secs(3));
    assert!(is_talking(&mut world));
    let used = |world: &World| {
        let routes = world.nodes[1].call.as_ref().expect("takes part").routes();
        let active = routes.routes().find(|route| route.state == State::Active);
        active.map(|route| route.path.local)
    };
    assert_eq!(used(&world), Some(home), "the code's first address");

    // The other side's rule lets it come by the other address; this side's asks.
    world.move_to(1, &[elsewhere(1)]);
    world.run(Duration::from_secs(10));
    assert_eq!((world.questions(1).len(), used(&world)), (1, None));
    assert!(world.is_full_mesh(), "they are connected, and wait");
    world.move_to(1, &[home, elsewhere(1)]);
    world.run(Duration::from_millis(500));
    assert_eq!((world.questions(1), used(&world)), (Vec::new(), Some(home)));
    assert!(is_talking(&mut world));
}

/// Rules, moves, rebinding NATs, interfaces made anew or renamed, ports that are taken, answers and silence in any order; the world's own assertions judge.
fn anything(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed ^ 0xca11);
    let weather = Weather::random(&mut rng);
    let rules = [Rule::Ask, Rule::Listed, Rule::Same, Rule::All, Rule::None];
    let mut world = World::new(4, weather, seed);
    world.start(0, rules[rng.random_range(0..4)]);
    for index in 1..4 {
        let code = world.code(0);
        world.join(index, code, rules[rng.random_range(0..5)]);
        world.run(Duration::from_millis(rng.random_range(0..3000)));
        world.answer_all(0, true);
    }
    for _ in 0..60 {
        let who = rng.random_range(0..4);
        match rng.random_range(0..15) {
            12 => world.remake(&[who, rng.random_range(0..4)]),
            13 => world.rename(who, ["if", "lan"][rng.random_range(0..2)], rng.random_bool(0.8)),
            14 => {
                let home = world.nodes[who].address();
                let taken = &mut world.nodes[who].taken;
                if taken.pop().is_none() {
                    taken.push(home);
                }
            }
            0 => world.move_to(who, &[elsewhere(who as u8 * 2 + rng.random_range(0..2u8))]),
            1 => {
                let home = world.nodes[who].address();
                world.move_to(who, &[home]);
            }
            2 => world.move_to(who, &[]),
            3 => world.rebind(who),
            4 => {
                world.answer_all(who, false);
            }
            5..8 => {
                world.answer_all(who, true);
            }
            8 => world.command(who, Command::SetRule(rules[rng.random_range(0..5)])),
            _ => {}
        }
        for index in 0..4 {
            if world.ended(index).is_none() {
                world.speak(index);
            }
        }
        world.run(Duration::from_millis(rng.random_range(0..2500)));
    }
}

#[test]
fn whatever_happens_media_goes_to_active_routes_only_and_the_gate_lets_only_approved_ones_pass() {
    for_seeds(200, anything);
}
