//! Seeded calls on virtual time. A failure prints its seed; `SIGHTLINE_SEED=N` runs that one alone.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use sightline_mesh_proto::route::Rule;
use sightline_mesh_proto::wire::Refusal;
use sightline_mesh_proto::{Channel, Code, Command, End, Event, Problem, Unreached, Why};
use sightline_tests::sim::{Carrier, Weather, World, for_seeds};

const FAIR: Weather = Weather::FAIR;

/// A call of `size`.
fn gather(size: usize, weather: Weather, seed: u64, rng: &mut StdRng) -> World {
    let mut world = World::new(size, weather, seed);
    gather_in(&mut world, rng);
    world
}

/// Everybody joins with a code of a random member; returns once all had time to meet.
fn gather_in(world: &mut World, rng: &mut StdRng) {
    world.start(0, Rule::Listed);
    for index in 1..world.nodes.len() {
        let inside: Vec<usize> = (0..index)
            .filter(|other| {
                let events = &world.nodes[*other].events;
                *other == 0 || events.iter().any(|(_, event)| *event == Event::Admitted)
            })
            .collect();
        let inviter = *inside.choose(rng).expect("the starter at least");
        let code = world.code(inviter);
        world.join(index, code, Rule::Listed);
        world.run(Duration::from_millis(rng.random_range(0..1500)));
    }
    world.run(Duration::from_secs(12));
}

/// Everybody speaks ten times a second.
fn talk(world: &mut World, span: Duration) {
    let end = world.now + span;
    while world.now < end {
        for index in world.alive() {
            world.speak(index);
        }
        world.run(Duration::from_millis(100));
    }
}

fn roster_hash(world: &World, index: usize) -> Option<[u8; 32]> {
    let call = world.nodes[index].call.as_ref().expect("takes part");
    call.roster_hash()
}

fn a_call_of_five(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed ^ 0x5eed);
    let weather = Weather::random(&mut rng);
    let mut world = gather(5, weather, seed, &mut rng);
    assert!(world.is_full_mesh(), "not everybody met everybody");
    talk(&mut world, Duration::from_secs(8));
    for index in 0..5 {
        for other in (0..5).filter(|other| *other != index) {
            let came = world.nodes[index]
                .received
                .get(&other)
                .map_or(0, std::collections::BTreeSet::len);
            assert!(
                came >= 80 / 2,
                "p{index} received {came} of 80 packets of p{other}"
            );
        }
    }

    let victim = rng.random_range(0..5);
    let killed_at = world.now;
    world.kill(victim);
    talk(&mut world, Duration::from_secs(10));
    for index in world.alive() {
        let (at, why) = world.told_gone(index, victim).expect("noticed");
        assert_eq!(why, Why::Lost);
        assert!(
            at - killed_at <= Duration::from_secs(5),
            "noticed after {:?}",
            at - killed_at
        );
    }
    assert!(world.is_full_mesh(), "the others did not go on");

    let leaver = *world.alive().choose(&mut rng).expect("four are left");
    world.command(leaver, Command::Leave);
    world.nodes[leaver].alive = false;
    world.run(
        Duration::from_secs(60)
            .saturating_sub(world.now)
            .max(Duration::from_secs(5)),
    );
    for index in world.alive() {
        assert_eq!(
            world.told_gone(index, leaver).map(|(_, why)| why),
            Some(Why::Left)
        );
        let others_lost = (0..5)
            .filter(|other| *other != victim && *other != leaver && *other != index)
            .any(|other| world.told_gone(index, other).is_some());
        assert!(!others_lost, "p{index} believes that somebody is gone who is not");
    }
    assert!(world.is_full_mesh());
    let alive = world.alive().into_iter();
    let hashes: Vec<_> = alive.map(|index| roster_hash(&world, index)).collect();
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "rosters differ");
}

#[test]
fn two_hundred_calls_of_five_hold_together_in_any_weather() {
    for_seeds(200, a_call_of_five);
}

#[test]
fn calls_of_two_to_ten_become_full_meshes() {
    for_seeds(27, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let weather = Weather::random(&mut rng);
        let mut world = gather(2 + seed as usize % 9, weather, seed, &mut rng);
        assert!(world.is_full_mesh());
        talk(&mut world, Duration::from_secs(2));
    });
}

#[test]
fn where_nothing_stands_in_the_way_two_members_make_one_connection() {
    let mut world = World::new(10, FAIR, 11);
    world.start(0, Rule::Listed);
    for index in 1..10 {
        let code = world.code(0);
        world.join(index, code, Rule::Listed);
        world.run(Duration::from_secs(3));
    }
    assert!(world.is_full_mesh());
    assert_eq!(world.connections_made(), 45);
}

#[test]
fn keys_are_renewed_during_a_long_call_in_bad_weather() {
    for_seeds(4, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = gather(3, Weather::random(&mut rng), seed, &mut rng);
        world.run(Duration::from_secs(400));
        talk(&mut world, Duration::from_secs(2));
        assert!(world.is_full_mesh());
        let problems = world.nodes.iter().flat_map(|node| &node.events);
        assert_eq!(
            problems
                .filter(|(_, event)| matches!(event, Event::Problem(..)))
                .count(),
            0
        );
    });
}

/// What a wall clock can be ahead or behind: right, a day, eleven and five minutes, in 1970, in 2100.
const CLOCKS: [i64; 7] = [0, -86_400, 11 * 60, -300, 300, -1_800_000_000, 2_302_444_800];

fn set_clocks(world: &mut World, rng: &mut StdRng) {
    for node in &mut world.nodes {
        node.clock_ahead = *CLOCKS.choose(rng).expect("some");
    }
}

#[test]
fn everybody_meets_everybody_however_the_clocks_stand_and_are_set() {
    for_seeds(14, |seed| {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut world = World::new(CLOCKS.len(), Weather::random(&mut rng), seed);
        for (node, ahead) in world.nodes.iter_mut().zip(CLOCKS) {
            node.clock_ahead = ahead;
        }
        if seed % 2 == 1 {
            // Not always the one with the right clock makes the first code.
            set_clocks(&mut world, &mut rng);
        }
        gather_in(&mut world, &mut rng);
        assert!(world.is_full_mesh(), "not everybody met everybody");
        // Clocks are set, and a NAT's new port breaks one member's ways: it comes back to everybody.
        set_clocks(&mut world, &mut rng);
        let member = rng.random_range(0..CLOCKS.len());
        world.rebind(member);
        talk(&mut world, Duration::from_secs(20));
        assert!(world.is_full_mesh(), "not everybody came back");
    });
}

#[test]
fn a_code_made_before_a_clock_was_set_lets_in_whoever_comes_with_it() {
    for (before, after) in [(-1_800_000_000, 0), (0, 86_400 * 365), (2_302_444_800, 0)] {
        let mut world = World::new(2, FAIR, 6);
        world.nodes[0].clock_ahead = before;
        world.start(0, Rule::Listed);
        let code = world.code(0);
        world.nodes[0].clock_ahead = after;
        world.run(Duration::from_secs(7 * 60));
        world.join(1, code, Rule::Listed);
        world.run(Duration::from_secs(2));
        assert!(world.is_full_mesh(), "{before} and then {after}");
    }
}

#[test]
fn a_code_ends_a_day_after_it_was_made_though_its_maker_slept_and_is_told_so_for_ten_minutes() {
    let hours = |hours: u64| Duration::from_secs(hours * 3600);
    let mut world = World::new(3, FAIR, 7);
    world.start(0, Rule::Listed);
    let [used, left, forgotten] = [(); 3].map(|()| world.code(0));
    world.command(0, Command::Slept(hours(23)));
    world.join(1, used, Rule::Listed);
    world.run(Duration::from_secs(2));
    assert_eq!(world.ended(1), None, "an hour is left");
    assert!(!world.has_expired(0, &left));

    world.command(0, Command::Slept(hours(1)));
    assert!(world.has_expired(0, &left) && world.has_expired(0, &forgotten));
    world.join(2, left, Rule::Listed);
    world.run(Duration::from_secs(2));
    assert_eq!(world.ended(2), Some(End::Refused(Refusal::Expired)));

    world.run(Duration::from_secs(11 * 60));
    world.nodes[2].events.clear();
    world.join(2, forgotten, Rule::Listed);
    world.run(Duration::from_secs(15));
    assert_eq!(
        world.ended(2),
        Some(End::Unreachable(Unreached::Silence)),
        "nobody hears it any more"
    );
}

#[test]
fn a_code_lets_one_participant_in_and_says_so_to_the_second() {
    let mut world = World::new(3, FAIR, 1);
    world.start(0, Rule::Listed);
    let code = world.code(0);
    world.join(1, code.clone(), Rule::Listed);
    world.run(Duration::from_secs(2));
    world.join(2, code, Rule::Listed);
    world.run(Duration::from_secs(2));
    assert_eq!(world.ended(2), Some(End::Refused(Refusal::Used)));
    assert_eq!(world.ended(1), None);

    let withdrawn = world.code(0);
    world.command(0, Command::Withdraw);
    world.nodes[2].events.clear();
    world.join(2, withdrawn, Rule::Listed);
    world.run(Duration::from_secs(2));
    assert_eq!(world.ended(2), Some(End::Refused(Refusal::Withdrawn)));
}

#[test]
fn nobody_there_ends_the_attempt() {
    let mut world = World::new(2, FAIR, 2);
    world.start(0, Rule::Listed);
    let code = world.code(0);
    world.kill(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(15));
    assert_eq!(world.ended(1), Some(End::Unreachable(Unreached::Silence)));
}

#[test]
fn that_the_inviter_went_away_is_said_only_where_they_did() {
    for (leaves, end) in [(true, End::InviterGone), (false, End::LineLost)] {
        let mut world = World::new(2, FAIR, 10);
        world.start(0, Rule::Listed);
        let code = world.code(0);
        world.join(1, code, Rule::Listed);
        // They are connected, and in the handshake.
        world.run(Duration::from_millis(35));
        if leaves {
            world.command(0, Command::Leave);
        } else {
            world.kill(0);
        }
        world.run(Duration::from_secs(15));
        assert_eq!(world.ended(1), Some(end));
    }
}

#[test]
fn a_code_with_another_key_finds_nobody_in() {
    let somebodys = sightline_noise::StaticKey::from([7; 32]).public();
    // With the second no handshake can even begin.
    for inviter in [somebodys, sightline_noise::PublicKey([0; 32])] {
        let mut world = World::new(2, FAIR, 3);
        world.start(0, Rule::Listed);
        let code = Code {
            inviter,
            ..world.code(0)
        };
        world.join(1, code, Rule::Listed);
        world.run(Duration::from_secs(40));
        assert!(world.ended(1).is_some());
        let call = world.nodes[0].call.as_ref();
        assert!(call.expect("takes part").linked().is_empty());
    }
}

#[test]
fn no_session_comes_about_through_somebody_between_two_tls_connections() {
    let mut world = World::new(2, FAIR, 6);
    world.is_intercepted = true;
    world.start(0, Rule::Listed);
    let code = world.code(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(15));
    assert!(world.ended(1).is_some());
    let starter = world.nodes[0].call.as_ref().expect("takes part");
    assert!(starter.linked().is_empty());
}

#[test]
fn two_hundred_come_and_go_and_everybody_agrees_and_the_next_gets_in() {
    const PEOPLE: usize = 204;
    let mut world = World::new(PEOPLE, FAIR, 8);
    world.start(0, Rule::Listed);
    for index in 1..PEOPLE - 1 {
        // Now one who stays lets somebody in, now one who is about to leave.
        let inviter = if index % 2 == 0 { 1 } else { index - 1 };
        let code = world.code(inviter);
        world.join(index, code, Rule::Listed);
        world.run(Duration::from_millis(700));
        assert_eq!(world.ended(index), None, "p{index} got in");
        if index > 3 {
            // The starter leaves as well.
            let leaver = if index == 100 { 0 } else { index - 1 };
            world.command(leaver, Command::Leave);
            world.nodes[leaver].alive = false;
        }
        world.run(Duration::from_millis(300));
    }
    world.run(Duration::from_secs(8));
    let code = world.code(1);
    world.join(PEOPLE - 1, code, Rule::Listed);
    world.run(Duration::from_secs(8));
    assert!(world.is_full_mesh(), "the last to come meets everybody");
    let hashes: Vec<_> = world
        .alive()
        .into_iter()
        .map(|index| roster_hash(&world, index))
        .collect();
    assert!((4..10).contains(&hashes.len()));
    assert!(hashes.windows(2).all(|pair| pair[0] == pair[1]), "rosters differ");
    assert_eq!(world.told_gone(1, 42).map(|(_, why)| why), Some(Why::Left));
}

#[test]
fn with_the_rule_none_no_media_leaves_and_no_member_is_dialled() {
    let mut world = World::new(3, FAIR, 4);
    world.start(0, Rule::Listed);
    for (index, rule) in [(1, Rule::Listed), (2, Rule::None)] {
        let code = world.code(0);
        world.join(index, code, rule);
        world.run(Duration::from_secs(3));
    }
    talk(&mut world, Duration::from_secs(3));
    for index in [0, 1] {
        assert_eq!(
            world.nodes[index].received.get(&2),
            None,
            "media of p2 reached p{index}"
        );
    }
    let approved: Vec<_> = world.nodes[2].gate.approved().map(|(_, remote)| remote).collect();
    assert_eq!(approved, [world.nodes[0].address()], "only whom the code named");
}

/// A member sends what makes no sense: datagrams, and then a frame of one of its streams.
fn garbage_on(stream: Carrier) {
    let mut rng = StdRng::seed_from_u64(5);
    let mut world = gather(3, FAIR, 5, &mut rng);
    let problems = |world: &World, index: usize| -> Vec<Problem> {
        let events = world.nodes[index].events.iter();
        let problems = events.filter_map(|(_, event)| match event {
            Event::Problem(problem, _) => Some(*problem),
            _ => None,
        });
        problems.collect()
    };
    // Datagrams that make no sense are dropped, counted, and told.
    for n in 0..100u8 {
        world.forge(1, 0, &[n; 200], Carrier::Datagram);
    }
    world.run(Duration::from_secs(2));
    assert_eq!(problems(&world, 0), [Problem::Dropped]);
    assert!(world.is_full_mesh(), "the link stays");

    // A frame that makes no sense ends the link: who sends such is not to be understood.
    world.forge(1, 0, &[7; 300], stream);
    assert_eq!(problems(&world, 0), [Problem::Dropped, Problem::Malformed]);
    world.run(Duration::from_millis(1));
    let linked = |world: &World, index: usize| world.nodes[index].call.as_ref().expect("takes part").linked();
    assert_eq!(linked(&world, 0), [world.peer(2)].into());
    let (_, sent) = world.speak(0);
    assert_eq!(sent, 1, "the others go on");
}

#[test]
fn a_member_that_sends_garbage_loses_its_link_and_the_call_goes_on() {
    for stream in [Carrier::Control, Carrier::Bulk] {
        garbage_on(stream);
    }
}

/// The numbers in the messages that have come to `index` since the last time; the messages are taken if `takes`.
fn messages(world: &mut World, index: usize, from: &mut usize, takes: bool) -> Vec<u32> {
    let events = &world.nodes[index].events[*from..];
    let came = events.iter().filter_map(|(_, event)| match event {
        Event::Message {
            conn, channel, body, ..
        } => Some((
            Command::Consumed(*conn, *channel, body.len()),
            u32::from_be_bytes(body[..4].try_into().expect("a number")),
        )),
        _ => None,
    });
    let (consumed, numbers): (Vec<_>, Vec<_>) = came.unzip();
    *from = world.nodes[index].events.len();
    if takes {
        for command in consumed {
            world.command(index, command);
        }
    }
    numbers
}

/// A message that begins with its number.
fn numbered(number: u32, len: usize) -> Vec<u8> {
    [&number.to_be_bytes()[..], &vec![7; len]].concat()
}

fn a_program_that_takes_nothing(seed: u64) {
    for (channel, len) in [(Channel::Feedback, 60), (Channel::Bulk, 4000)] {
        takes_nothing(channel, len, seed);
    }
}

fn takes_nothing(channel: Channel, len: usize, seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed ^ 0xc4a2);
    let mut world = gather(3, FAIR, seed, &mut rng);
    assert!(world.is_full_mesh(), "not everybody met everybody");
    let [slow, quick] = [1, 2].map(|index| world.peer(index));
    let mut seen = [0; 2];
    let mut got = [Vec::new(), Vec::new()];
    for number in 0..200u32 {
        for peer in [slow, quick] {
            world.command(0, Command::Send(peer, channel, numbered(number, len)));
        }
        world.run(Duration::from_millis(40));
        got[0].extend(messages(&mut world, 1, &mut seen[0], false));
        got[1].extend(messages(&mut world, 2, &mut seen[1], true));
    }
    world.run(Duration::from_secs(1));
    got[1].extend(messages(&mut world, 2, &mut seen[1], true));
    let all: Vec<u32> = (0..200).collect();
    assert_eq!(got[1], all, "who takes them has them all");
    assert!(
        got[0].len() <= channel.max_messages(),
        "{} wait for who does not",
        got[0].len()
    );
    let unsent = |world: &World| {
        let events = world.nodes[0].events.iter();
        let unsent = events.filter(|(_, event)| matches!(event, Event::Unsent(peer, ..) if *peer == slow));
        unsent.count()
    };
    let given_back = unsent(&world);
    assert!(given_back > 0, "what finds no room is given back");
    assert!(world.is_full_mesh(), "and nobody is cut off for being slow");

    // It takes what it has, and what was waiting comes.
    seen[0] = 0;
    got[0].clear();
    for _ in 0..20 {
        got[0].extend(messages(&mut world, 1, &mut seen[0], true));
        world.run(Duration::from_millis(200));
    }
    assert_eq!(
        got[0].len() + given_back,
        200,
        "each message came or was given back"
    );
    assert!(got[0].is_sorted(), "in order: {:?}", got[0]);
    assert_eq!(unsent(&world), given_back);
    let room = |(_, event): &(_, Event)| *event == Event::Room(slow, channel);
    assert!(
        world.nodes[0].events.iter().any(room),
        "there is room again, and that is said"
    );
}

#[test]
fn what_a_slow_program_has_no_room_for_is_given_back_and_the_rest_arrives_in_order() {
    for_seeds(10, a_program_that_takes_nothing);
}

/// Bulk goes from one to another for as long as keys last twice over, in any weather.
fn bulk_for_two_sets_of_keys(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed ^ 0xb01c);
    let weather = Weather::random(&mut rng);
    let mut world = gather(3, weather, seed, &mut rng);
    assert!(world.is_full_mesh(), "not everybody met everybody");
    let peer = world.peer(1);
    let (mut seen, mut got) = (0, Vec::new());
    for number in 0..600 {
        world.command(0, Command::Send(peer, Channel::Bulk, numbered(number, 5000)));
        world.run(Duration::from_millis(500));
        got.extend(messages(&mut world, 1, &mut seen, true));
    }
    world.run(Duration::from_secs(10));
    got.extend(messages(&mut world, 1, &mut seen, true));
    let all: Vec<u32> = (0..600).collect();
    assert_eq!(got, all, "each once, and in order");
    assert!(world.is_full_mesh(), "and the call is as it was");
}

#[test]
fn bulk_goes_on_while_keys_are_renewed() {
    for_seeds(10, bulk_for_two_sets_of_keys);
}

/// The link breaks while bulk is under way: what has not left whole comes back, and goes by the next link.
fn bulk_over_a_link_that_breaks(seed: u64) {
    let mut rng = StdRng::seed_from_u64(seed ^ 0xb4ea);
    let mut world = gather(3, FAIR, seed, &mut rng);
    let peer = world.peer(1);
    // More than may be under way.
    for number in 0..45 {
        world.command(0, Command::Send(peer, Channel::Bulk, numbered(number, 20_000)));
    }
    world.run(Duration::from_millis(400));
    world.cut(true);
    world.run(Duration::from_secs(8));
    world.cut(false);
    world.run(Duration::from_secs(30));
    assert!(world.is_full_mesh(), "they find each other again");
    let got = messages(&mut world, 1, &mut 0, true);
    let unsent = world.nodes[0].events.iter().filter_map(|(_, event)| match event {
        Event::Unsent(_, Channel::Bulk, body) => {
            Some(u32::from_be_bytes(body[..4].try_into().expect("a number")))
        }
        _ => None,
    });
    let mut back: Vec<_> = unsent.collect();
    back.sort_unstable();
    // What there was no room for came back at once, what waited when the link was gone; only what was under way is lost.
    assert!(back.len() > 20 && back.ends_with(&[43, 44]), "{back:?} came back");
    let is_new = |got: &[u32]| got.iter().chain(&back).is_sorted_by(|one, next| one < next);
    assert!(
        !got.is_empty() && is_new(&got),
        "{got:?} came, {back:?} came back"
    );
    back.truncate(10);
    for number in &back {
        world.command(0, Command::Send(peer, Channel::Bulk, numbered(*number, 20_000)));
    }
    let mut seen = world.nodes[1].events.len();
    world.run(Duration::from_secs(10));
    let again = messages(&mut world, 1, &mut seen, true);
    assert_eq!(again, back);
}

#[test]
fn what_has_not_left_when_a_link_breaks_comes_back_and_goes_by_the_next() {
    for_seeds(10, bulk_over_a_link_that_breaks);
}
