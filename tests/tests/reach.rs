//! Who cannot be reached, why, and what is tried before that is said: on virtual time.
#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::net::SocketAddr;
use std::time::Duration;

use libp2p_identity::PeerId;
use sightline_mesh_proto::gate::Obstacle;
use sightline_mesh_proto::route::{Rule, State};
use sightline_mesh_proto::{Candidate, Code, Command, End, Event, Problem, Unreached, Why};
use sightline_tests::sim::{Socket, Weather, World};

fn socket(address: &str) -> Socket {
    Socket::at(address.parse().expect("an address"))
}

/// Two participants, the first of whom has started a call.
fn started(seed: u64) -> World {
    let mut world = World::new(2, Weather::FAIR, seed);
    world.start(0, Rule::Listed);
    world
}

/// Packets of a participant to an address: those that left, and those that did not.
fn sent(world: &World, from: usize, to: SocketAddr) -> (u64, u64) {
    let rows = world.nodes[from].gate.ledger().rows();
    let rows = rows.filter(|((_, remote), _)| *remote == to);
    rows.fold((0, 0), |(sent, refused), (_, row)| {
        (
            sent + row.counts.sent_packets,
            refused + row.counts.refused_packets,
        )
    })
}

/// What a participant was told of whom it cannot reach.
fn told_unreached(world: &World, who: usize) -> Vec<(Unreached, Option<PeerId>)> {
    let events = world.nodes[who].events.iter();
    let told = events.filter_map(|(_, event)| match event {
        Event::Problem(Problem::Unreached(why), peer) => Some((*why, *peer)),
        _ => None,
    });
    told.collect()
}

fn codes(world: &World, of: usize) -> Vec<Code> {
    let events = world.nodes[of].events.iter();
    let codes = events.filter_map(|(_, event)| match event {
        Event::Code(code) => Some(code.clone()),
        _ => None,
    });
    codes.collect()
}

#[test]
fn a_code_that_none_of_ones_addresses_reaches_is_not_called_silence() {
    for other in ["[fd00::2]:4000", "127.0.0.1:4000", "[fe80::2%3]:4000"] {
        let mut world = started(1);
        let code = world.code(0);
        world.nodes[1].sockets = vec![socket(other)];
        world.join(1, code, Rule::Listed);
        assert_eq!(
            world.ended(1),
            Some(End::Unreachable(Unreached::NoPair)),
            "{other}"
        );
        assert_eq!(sent(&world, 1, world.nodes[0].address()), (0, 0));
    }
}

#[test]
fn what_ones_own_system_refuses_is_told_with_its_reason_and_what_it_lets_out_is_not() {
    for obstacle in [
        Obstacle::Forbidden,
        Obstacle::TooLarge,
        Obstacle::NoRoute,
        Obstacle::Other,
    ] {
        let mut world = started(2);
        let code = world.code(0);
        world.nodes[1].obstacle = Some(obstacle);
        world.join(1, code, Rule::Listed);
        world.run(Duration::from_secs(15));
        let why = Unreached::Blocked(obstacle);
        assert_eq!(world.ended(1), Some(End::Unreachable(why)));
        assert_eq!(sent(&world, 1, world.nodes[0].address()), (0, 1));
    }
    let mut world = started(2);
    let code = world.code(0);
    world.kill(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(15));
    assert_eq!(world.ended(1), Some(End::Unreachable(Unreached::Silence)));
    assert_eq!(sent(&world, 1, world.nodes[0].address()), (1, 0));
}

#[test]
fn an_address_that_is_not_there_yet_is_waited_for_a_moment() {
    let mut world = started(3);
    let code = world.code(0);
    world.nodes[1].sockets[0].is_up = false;
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_millis(2200));
    assert_eq!(world.ended(1), None, "it may still come up");
    world.run(Duration::from_millis(800));
    assert_eq!(world.ended(1), Some(End::Unreachable(Unreached::NotUp)));

    let mut world = started(3);
    let code = world.code(0);
    let home = world.nodes[1].address();
    world.nodes[1].sockets[0].is_up = false;
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_millis(1500));
    world.move_to(1, &[home]);
    world.run(Duration::from_secs(3));
    assert!(world.is_full_mesh(), "it came up, and was used");
    let listening = Event::Listening(vec![home]);
    assert!(world.nodes[1].events.iter().any(|(_, event)| *event == listening));
}

#[test]
fn an_interface_that_goes_while_joining_may_come_back() {
    let mut world = started(4);
    let code = world.code(0);
    let home = world.nodes[1].address();
    world.join(1, code, Rule::Listed);
    world.move_to(1, &[]);
    world.run(Duration::from_secs(1));
    assert_eq!(world.ended(1), None);
    world.move_to(1, &[home]);
    world.run(Duration::from_secs(3));
    assert!(world.is_full_mesh());
}

#[test]
fn who_starts_without_an_address_gets_its_code_when_there_is_one() {
    let mut world = World::new(2, Weather::FAIR, 5);
    let home = world.nodes[0].address();
    world.nodes[0].sockets[0].is_up = false;
    world.start(0, Rule::Listed);
    let wall = world.wall(0);
    world.command(0, Command::NewCode(wall));
    world.run(Duration::from_secs(30));
    assert_eq!(codes(&world, 0), []);
    let waits = Event::Problem(Problem::NoAddressYet, None);
    let said = world.nodes[0].events.iter().filter(|(_, event)| *event == waits);
    assert_eq!(said.count(), 1);

    world.move_to(0, &[home]);
    let made = codes(&world, 0);
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].candidates, [Candidate::local(home)]);
    world.join(1, made[0].clone(), Rule::Listed);
    world.run(Duration::from_secs(3));
    assert!(world.is_full_mesh());
    assert_eq!(world.state(1, 0), Some(State::Active));
}

#[test]
fn an_address_of_ones_own_machine_is_not_called_because_a_code_says_so() {
    let bridge: SocketAddr = "172.17.0.1:4000".parse().expect("an address");
    let mut world = started(6);
    let code = world.code(0);
    let only_the_bridge = Code {
        candidates: vec![Candidate::local(bridge)],
        ..code.clone()
    };
    world.nodes[1].others = vec![bridge.ip()];
    world.join(1, only_the_bridge, Rule::Listed);
    assert_eq!(world.ended(1), Some(End::Unreachable(Unreached::Own)));

    world.nodes[1].events.clear();
    let both = Code {
        candidates: [bridge, world.nodes[0].address()].map(Candidate::local).to_vec(),
        ..code
    };
    world.join(1, both, Rule::Listed);
    world.run(Duration::from_secs(3));
    assert!(world.is_full_mesh());
    assert_eq!(sent(&world, 1, bridge), (0, 0));
}

#[test]
fn two_programs_on_one_machine_meet_by_the_address_that_both_share() {
    let mut world = started(7);
    world.nodes[1].sockets = vec![socket("10.0.0.1:4001")];
    let code = world.code(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(3));
    assert!(world.is_full_mesh());
    assert_eq!(world.state(1, 0), Some(State::Active));
}

#[test]
fn an_address_that_is_named_eight_times_is_called_once() {
    let mut world = started(8);
    let code = world.code(0);
    let there = world.nodes[0].address();
    let repeated = Code {
        candidates: vec![Candidate::local(there); 8],
        ..code
    };
    world.kill(0);
    world.join(1, repeated, Rule::Listed);
    world.run(Duration::from_secs(30));
    assert_eq!(world.ended(1), Some(End::Unreachable(Unreached::Silence)));
    assert_eq!(sent(&world, 1, there), (1, 0));
}

#[test]
fn of_two_who_are_introduced_one_may_be_behind_a_firewall_that_lets_nobody_in() {
    for behind in [1, 2] {
        let mut world = World::new(3, Weather::FAIR, 15);
        world.nodes[behind].lets_nobody_in = true;
        world.start(0, Rule::Listed);
        for (index, time) in [(1, 3), (2, 1)] {
            let code = world.code(0);
            world.join(index, code, Rule::Listed);
            world.run(Duration::from_secs(time));
        }
        assert!(world.is_full_mesh(), "p{behind} could dial");
        assert_eq!(world.state(1, 2), Some(State::Active));
        for who in 0..3 {
            assert_eq!(told_unreached(&world, who), []);
        }
    }
}

#[test]
fn with_the_rule_ask_who_is_introduced_contacts_nobody_before_a_yes_nor_answers() {
    let mut world = World::new(3, Weather::FAIR, 16);
    world.start(0, Rule::Listed);
    for (index, rule) in [(1, Rule::Listed), (2, Rule::Ask)] {
        let code = world.code(0);
        world.join(index, code, rule);
        world.run(Duration::from_secs(3));
    }
    // The one that waits for the dial has dialled itself meanwhile.
    assert_eq!(sent(&world, 1, world.nodes[2].address()).0, 1);
    assert_eq!(sent(&world, 2, world.nodes[1].address()).0, 0);
    assert!(!world.questions(2).is_empty());
}

#[test]
fn a_member_that_cannot_be_reached_is_named_once_with_the_reason() {
    let mut world = World::new(3, Weather::FAIR, 9);
    world.nodes[0].sockets.push(socket("[fd00::1]:4000"));
    world.nodes[2].sockets = vec![socket("[fd00::3]:4000")];
    world.start(0, Rule::Listed);
    for index in [1, 2] {
        let code = world.code(0);
        world.join(index, code, Rule::Listed);
        world.run(Duration::from_secs(3));
    }
    world.run(Duration::from_secs(30));
    assert_eq!(world.state(2, 0), Some(State::Active));
    assert_eq!(
        told_unreached(&world, 2),
        [(Unreached::NoPair, Some(world.peer(1)))]
    );
    assert_eq!(world.told_gone(2, 1), None, "the others hear them");
}

#[test]
fn who_is_cut_off_by_a_firewall_of_ones_own_is_not_said_to_be_gone() {
    let mut world = started(10);
    let code = world.code(0);
    world.join(1, code, Rule::Listed);
    world.run(Duration::from_secs(5));
    assert_eq!(world.state(1, 0), Some(State::Active));
    world.block(1, Obstacle::Forbidden);
    world.run(Duration::from_secs(10));
    let why = Unreached::Blocked(Obstacle::Forbidden);
    assert_eq!(told_unreached(&world, 1), [(why, Some(world.peer(0)))]);
    assert_eq!(world.told_gone(1, 0).map(|(_, why)| why), Some(Why::CutOff));
    assert_eq!(world.told_gone(0, 1).map(|(_, why)| why), Some(Why::Lost));

    world.nodes[1].obstacle = None;
    world.run(Duration::from_secs(8));
    assert!(world.is_full_mesh(), "the way back is found");
}
