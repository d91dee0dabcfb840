//! One link on virtual time: the real sender, the real arrivals and the real reassembly with a simulated network
//! between them. What fails prints its seed.
#![allow(clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod bulk;
mod call;

use std::time::Duration;

use call::Call;

use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::video::PacketSize;
use sightline_netem::{Hop, Outage, Trace, Weather};

/// The same link, on which something else happens by chance.
fn with(mut weather: Weather, change: impl FnOnce(&mut Hop)) -> Weather {
    change(&mut weather.hop);
    weather
}

/// More than the link carries, in most tests.
const MOST: Bitrate = Bitrate(2_500_000);

#[test]
fn a_steady_link_is_used_and_its_queue_stays_short() {
    let links = [
        (0.3e6, 30, 500.0),
        (0.3e6, 100, 500.0),
        (1e6, 30, 500.0),
        (1e6, 100, 500.0),
        (1e6, 300, 500.0),
        (1e6, 100, 40.0),
        (5e6, 30, 500.0),
        (5e6, 100, 100.0),
        (5e6, 300, 500.0),
    ];
    for (bits, round_trip, buffer) in links {
        for seed in 1..=3 {
            let what = format!("{bits} bit/s, {round_trip} ms, a buffer of {buffer} ms, seed {seed}");
            let mut call = Call::new(
                Weather::steady(bits, buffer, round_trip),
                Bitrate(6_000_000),
                seed,
            );
            call.run(60.0);
            let silence = call.longest_silence();
            let most = match (bits, buffer) {
                // A full packet alone takes 33 ms.
                (..1e6, _) => 140,
                // What finds the buffer full is lost, and is audio as often as pictures: of 60 seeds the worst had 180 ms.
                (_, ..50.0) => 200,
                _ => 120,
            };
            assert!(silence <= most, "{what}: {silence} ms");
            assert!(call.sound_lost() < 0.01, "{what}: {}", call.sound_lost());
            let used = call.used(10.0, 60.0);
            assert!(used >= 0.85, "{what}: {used}");
            let (usual, worst) = call.queue(10.0, 60.0);
            // On 300 kbit/s a single full packet is 33 ms.
            let limit = if bits < 500_000.0 { 110.0 } else { 80.0 };
            assert!(usual < 50.0 && worst < limit, "{what}: {usual} and {worst} ms");
            assert!(call.shown.len() > 1650, "{what}: {} pictures", call.shown.len());
        }
    }
}

#[test]
fn a_link_that_shrinks_is_left_some_room_and_used_again_when_it_is_back() {
    // At 100 ms it took 1.6 to 2.8 s with 60 seeds.
    for (round_trip, drained_within) in [(30, 2.0), (100, 3.0), (300, 4.5)] {
        for seed in 1..=3 {
            let what = format!("{round_trip} ms, seed {seed}");
            let weather = Weather {
                capacity: Trace(vec![(0.0, 2e6), (20.0, 0.3e6), (40.0, 2e6)]),
                ..Weather::steady(2e6, 500.0, round_trip)
            };
            let mut call = Call::new(weather, MOST, seed);
            call.run(60.0);
            // What is counted is what left in the 200 ms before.
            let below = call.until(20.0, |moment| {
                moment.queue > 100.0 && moment.sending < moment.capacity
            });
            assert!(below <= 1.0, "{what}: below the capacity after {below} s");
            let drained = call.until(20.3, |moment| moment.queue < 50.0) + 0.3;
            assert!(drained <= drained_within, "{what}: drained after {drained} s");
            let back = call.until(40.0, |moment| moment.sending > 0.9 * moment.capacity);
            assert!(back <= 5.0, "{what}: back after {back} s");
            assert!(call.sound_lost() < 0.001, "{what}: {}", call.sound_lost());
            assert!(
                call.longest_silence() <= 300,
                "{what}: {} ms",
                call.longest_silence()
            );
            let used = [call.used(26.0, 40.0), call.used(46.0, 60.0)];
            assert!(used.iter().all(|used| *used >= 0.8), "{what}: {used:?}");
        }
    }
}

#[test]
fn without_sound_a_link_that_shrinks_is_used_again_as_well() {
    for seed in 1..=5 {
        let weather = Weather {
            capacity: Trace(vec![(0.0, 2e6), (20.0, 0.3e6), (25.0, 2e6)]),
            ..Weather::steady(2e6, 500.0, 60)
        };
        let mut call = Call::new(weather, MOST, seed);
        call.has_audio = false;
        call.run(45.0);
        assert_eq!(call.in_vain, 0, "seed {seed}: woken up for nothing");
        let used = call.used(32.0, 45.0);
        assert!(used >= 0.8, "seed {seed}: {used}");
        assert!(
            call.longest_freeze(32.0) < 500,
            "seed {seed}: {} ms",
            call.longest_freeze(32.0)
        );
    }
}

#[test]
fn with_the_camera_off_a_link_is_not_filled_with_padding() {
    let mut call = Call::new(Weather::steady(1e6, 300.0, 50), MOST, 1);
    call.run(10.0);
    call.has_camera = false;
    let now = call.now();
    call.sender.set_wanted(Bitrate(0), now);
    call.run(20.0);
    let used = call.used(12.0, 30.0);
    assert!(used < 0.15, "{used}");
    assert_eq!(call.in_vain, 0, "woken up for nothing");
}

#[test]
fn sound_goes_on_over_mobile_and_wireless_networks() {
    for seed in 1..=5 {
        let mobile = Weather {
            capacity: Trace::like_3g(seed, 60),
            ..Weather::steady(1.2e6, 800.0, 100)
        };
        let wireless = Weather {
            capacity: Trace::like_wifi(seed, 60),
            ..Weather::steady(6e6, 300.0, 20)
        };
        let wireless = with(wireless, |hop| hop.jitter = Duration::from_millis(5));
        for (what, weather, least_used) in [("mobile", mobile, 0.7), ("wireless", wireless, 0.3)] {
            let mut call = Call::new(weather, MOST, seed);
            call.run(60.0);
            let what = format!("{what}, seed {seed}");
            assert!(
                call.longest_silence() <= 250,
                "{what}: {} ms",
                call.longest_silence()
            );
            assert!(call.sound_lost() < 0.005, "{what}: {}", call.sound_lost());
            let used = call.used(10.0, 60.0);
            assert!(used > least_used, "{what}: {used}");
            let (usual, _) = call.queue(10.0, 60.0);
            assert!(usual < 50.0, "{what}: {usual} ms");
            let (_, frozen) = call.freezes(5.0);
            assert!(frozen < 6000, "{what}: frozen for {frozen} ms");
        }
    }
}

#[test]
fn a_download_beside_the_call_does_not_starve_sound_and_pictures_come_back_after_it() {
    for seed in 1..=3 {
        let mut call = Call::new(Weather::steady(2e6, 200.0, 40), MOST, seed);
        call.run(10.0);
        call.there.start_download();
        call.run(30.0);
        call.there.stop_download();
        call.run(15.0);
        assert!(
            call.longest_silence() <= 150,
            "seed {seed}: {} ms",
            call.longest_silence()
        );
        assert!(call.sound_lost() < 0.03, "seed {seed}: {}", call.sound_lost());
        let used = call.used(46.0, 55.0);
        assert!(used >= 0.8, "seed {seed}: {used}");
    }
}

#[test]
fn pictures_go_on_after_a_pause_in_which_nothing_at_all_was_sent() {
    let mut call = Call::new(Weather::steady(2e6, 200.0, 40), MOST, 1);
    call.run(5.0);
    let before = call.shown.len();
    call.is_paused = true;
    call.run(20.0);
    assert!(call.shown.len() <= before + 5);
    call.is_paused = false;
    call.run(3.0);
    assert!(
        call.shown.len() > before + 60,
        "{} pictures",
        call.shown.len() - before
    );
}

#[test]
fn pictures_go_on_after_the_network_was_gone() {
    let weather = Weather {
        capacity: Trace(vec![(0.0, 2e6), (10.0, 0.0), (16.0, 2e6)]),
        ..Weather::steady(2e6, 200.0, 40)
    };
    let mut call = Call::new(weather, MOST, 1);
    call.run(22.0);
    let after = call.shown.iter().filter(|at| **at > 19_000).count();
    assert!(after > 60, "{after} pictures");
}

#[test]
fn lost_parts_of_pictures_are_sent_again_in_time() {
    for seed in 1..=5 {
        for (loss, freezes, frozen) in [(0.05, 0, 0), (0.10, 3, 600)] {
            let weather = with(Weather::steady(5e6, 300.0, 50), |hop| hop.loss = loss);
            let mut call = Call::new(weather, Bitrate(500_000), seed);
            call.run(65.0);
            let seen = call.freezes(5.0);
            assert!(
                seen.0 <= freezes && seen.1 <= frozen,
                "{loss}, seed {seed}: {} freezes, {} ms of 60 s",
                seen.0,
                seen.1
            );
            let pictures = call.shown.iter().filter(|at| **at >= 5000).count();
            assert!(
                pictures > 1600,
                "{loss}, seed {seed}: {pictures} pictures of 1800"
            );
        }
    }
}

#[test]
fn loss_that_begins_and_is_no_congestion_costs_the_picture_little() {
    // With jitter the loss looks like a full buffer's until it is known.
    for (jitter, most_low) in [(0, 2.0), (15, 7.0)] {
        for (loss, seed) in [0.05, 0.1, 0.15]
            .into_iter()
            .flat_map(|loss| (1..=10).map(move |seed| (loss, seed)))
        {
            let weather = with(Weather::steady(5e6, 300.0, 50), |hop| {
                hop.jitter = Duration::from_millis(jitter);
            });
            let mut call = Call::new(weather, Bitrate(500_000), seed);
            call.run(20.0);
            call.there.weather.hop.loss = loss;
            let mut low = 0.0;
            while call.ms < 80_000 {
                call.run(0.1);
                if call.sender.video_rate().0 < 400_000 {
                    low += 0.1;
                }
            }
            assert!(
                low < most_low,
                "{loss}, {jitter} ms, seed {seed}: little was sent for {low} s of 60"
            );
        }
    }
}

#[test]
fn after_a_fifth_is_lost_or_nothing_came_for_a_while_the_picture_is_back_within_half_a_second() {
    for seed in 1..=5 {
        let lossy = with(Weather::steady(5e6, 300.0, 50), |hop| hop.loss = 0.2);
        let broken = with(Weather::steady(5e6, 300.0, 50), |hop| {
            hop.outage = Some(Outage {
                every: Duration::from_secs(3),
                lasts: Duration::from_millis(200),
            });
        });
        for (what, weather, pause) in [("a fifth", lossy, 0), ("bursts", broken, 200)] {
            let mut call = Call::new(weather, Bitrate(500_000), seed);
            call.run(60.0);
            let longest = call.longest_freeze(5.0);
            assert!(longest <= pause + 500, "{what}, seed {seed}: {longest} ms");
        }
    }
}

#[test]
fn at_a_constant_rate_nothing_shows_whether_somebody_moves() {
    let leave = |movement: f64| {
        let mut call = Call::new(Weather::steady(5e6, 300.0, 50), Bitrate(500_000), 1);
        call.movement = movement;
        let now = call.now();
        call.sender.set_constant(Some(Bitrate(700_000)), now);
        call.run(20.0);
        assert!(call.shown.len() > 550, "{} pictures", call.shown.len());
        call.sent
    };
    let (still, moving) = (leave(0.1), leave(1.0));
    assert!(still == moving, "packets differ in size or time");
    assert!(still.len() > 2000);
}

#[test]
fn a_constant_rate_that_was_nothing_for_a_while_is_followed_again() {
    let mut call = Call::new(Weather::steady(5e6, 300.0, 50), Bitrate(500_000), 1);
    let set = |call: &mut Call, rate: u32| {
        let now = call.now();
        call.sender.set_constant(Some(Bitrate(rate)), now);
    };
    set(&mut call, 0);
    call.run(5.0);
    set(&mut call, 700_000);
    let before = call.shown.len();
    call.run(10.0);
    assert!(
        call.shown.len() > before + 200,
        "{} pictures",
        call.shown.len() - before
    );
}

#[test]
fn a_limit_holds_and_is_forgotten_once_it_is_lifted() {
    let mut call = Call::new(Weather::steady(5e6, 300.0, 50), Bitrate(2_000_000), 1);
    let rate = |call: &Call, from: f64, to: f64| {
        let sent = call.moments(from, to).iter().map(|moment| moment.sending);
        sent.sum::<f64>() / ((to - from) * 1000.0)
    };
    call.sender.set_limit(Some(Bitrate(600_000)));
    call.run(20.0);
    let limited = rate(&call, 5.0, 20.0);
    assert!((400_000.0..600_000.0).contains(&limited), "{limited}");
    assert!(!call.sender.carries().is_sated, "it would not carry any amount");
    assert!(
        call.sender.needs() > Bitrate(1_000_000),
        "{:?}",
        call.sender.needs()
    );
    call.sender.set_limit(None);
    call.run(20.0);
    let free = rate(&call, 30.0, 40.0);
    assert!(free > 1_600_000.0, "{free}");
}

#[test]
fn where_only_small_packets_pass_pictures_are_sent_in_small_ones_and_in_large_ones_once_they_pass() {
    for (mtu, size, known_after) in [
        (1200.0, PacketSize::ThreeQuarters, 10.0),
        (700.0, PacketSize::Half, 16.0),
    ] {
        for constant in [None, Some(Bitrate(1_000_000))] {
            for seed in 1..=5 {
                let what = format!("{mtu} bytes, {constant:?}, seed {seed}");
                let weather = Weather {
                    mtu: Trace(vec![(0.0, 1500.0), (5.0, mtu), (40.0, 1500.0)]),
                    ..Weather::steady(5e6, 300.0, 50)
                };
                let mut call = Call::new(weather, Bitrate(500_000), seed);
                let now = call.now();
                call.sender.set_constant(constant, now);
                call.run(5.0);
                assert_eq!(call.sender.packet_size(), PacketSize::Full, "{what}");
                call.run(5.0 + known_after);
                let shown = call.shown.len();
                call.run(30.0 - known_after);
                let most = (30.0 - known_after) * 30.0;
                let shown = (call.shown.len() - shown) as f64;
                assert!(shown > 0.7 * most, "{what}: {shown} pictures of {most}");
                assert_eq!(call.sender.packet_size(), size, "{what}");
                call.run(13.0);
                assert_eq!(call.sender.packet_size(), PacketSize::Full, "{what}");
                call.run(17.0);
                assert!(call.longest_freeze(55.0) < 500, "{what}: frozen at the end");
                assert!(call.sound_lost() < 0.01, "{what}: {}", call.sound_lost());
            }
        }
    }
}
