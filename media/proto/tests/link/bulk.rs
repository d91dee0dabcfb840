//! Bulk beside a call.

use sightline_media_proto::rate::Bitrate;
use sightline_netem::Weather;
use sightline_packet::{MAX_BULK, bulk_wire_size};

use crate::call::Call;

/// A call of 40 s over such a link, with as much bulk as it takes or none.
fn call(weather: &Weather, has_camera: bool, has_bulk: bool, seed: u64) -> Call {
    let mut call = Call::new(weather.clone(), Bitrate(1_500_000), seed);
    call.has_camera = has_camera;
    call.bulk.0 = if has_bulk { usize::MAX / 2 } else { 0 };
    call.run(40.0);
    call
}

/// How long audio took after the first seconds, ms: 95 % of it, and all of it, took no longer.
fn audio(call: &Call) -> [f64; 2] {
    let settled = call.sound.iter().filter(|(sent, _)| *sent > 10_000);
    let mut took: Vec<_> = settled.map(|(_, took)| *took).collect();
    took.sort_unstable();
    [took[took.len() * 95 / 100], took[took.len() - 1]].map(|took| took as f64)
}

/// Links by capacity, bits a second, and round trip, ms.
const LINKS: [(f64, u64); 6] = [
    (0.2e6, 60),
    (0.3e6, 60),
    (1e6, 40),
    (10e6, 20),
    (30e6, 100),
    (100e6, 50),
];

#[test]
fn bulk_takes_what_a_voice_leaves_and_keeps_it_waiting_for_little_more_than_a_packet() {
    for (bits, trip) in LINKS {
        for seed in 1..=3 {
            let what = format!("{bits} bit/s, {trip} ms, seed {seed}");
            let weather = Weather::steady(bits, 300.0, trip);
            let [alone, beside] = [false, true].map(|bulk| call(&weather, false, bulk, seed));
            let packet = f64::from(bulk_wire_size(MAX_BULK)) * 8000.0 / bits;
            let more = |at: usize| audio(&beside)[at] - audio(&alone)[at];
            assert!(more(0) < packet + 8.0, "{what}: {} ms, packet {packet}", more(0));
            assert!(more(1) < 2.0 * packet + 8.0, "{what}: at worst {} ms", more(1));
            assert!(beside.sound_lost() < 0.005, "{what}: {}", beside.sound_lost());
            assert_eq!(beside.in_vain, 0, "{what}: woken up for nothing");
            let used = beside.used(10.0, 40.0);
            let least = if bits < 0.3e6 { 0.5 } else { 0.6 };
            assert!(used > least, "{what}: {used} of the link is used");
        }
    }
}

#[test]
fn pictures_go_before_bulk_and_some_of_it_goes_on_all_the_same() {
    for (bits, trip) in LINKS {
        for seed in 1..=3 {
            let what = format!("{bits} bit/s, {trip} ms, seed {seed}");
            let weather = Weather::steady(bits, 300.0, trip);
            let [alone, beside] = [false, true].map(|bulk| call(&weather, true, bulk, seed));
            let pictures = [&alone, &beside].map(|call| call.shown.len());
            // Where one packet takes the time of a whole picture, one picture more or less leaves by chance: 0.86 to 1.14 as many
            // with 60 seeds.
            let least = if bits < 0.3e6 { 0.85 } else { 0.97 };
            assert!(
                pictures[1] as f64 > least * pictures[0] as f64,
                "{what}: {pictures:?} pictures"
            );
            let [more, _] = [0, 1].map(|at| audio(&beside)[at] - audio(&alone)[at]);
            assert!(more < 25.0, "{what}: audio is {more} ms later");
            assert!(beside.sound_lost() < 0.005, "{what}: {}", beside.sound_lost());
            assert!(
                beside.in_vain <= alone.in_vain,
                "{what}: {} times",
                beside.in_vain
            );
            let bulk = beside.bulk.1 as f64 * 8.0 / 40.0;
            // 430 to 4500 with 60 seeds where a packet takes longest.
            let least = if bits < 0.3e6 { 300.0 } else { 1000.0 };
            assert!(bulk > least, "{what}: {bulk} bit/s of bulk");
        }
    }
}

#[test]
fn bulk_makes_way_when_the_link_shrinks_and_comes_back_when_it_grows() {
    for seed in 1..=5 {
        let mut weather = Weather::steady(5e6, 300.0, 40);
        weather.capacity = sightline_netem::Trace(vec![(0.0, 5e6), (15.0, 0.6e6), (30.0, 5e6)]);
        let mut call = call(&weather, false, true, seed);
        call.run(20.0);
        let silence = call.longest_silence();
        assert!(silence < 400, "seed {seed}: {silence} ms without a voice");
        let (_, late) = call.queue(18.0, 30.0);
        assert!(late < 60.0, "seed {seed}: a queue of {late} ms stays");
        let used = call.used(45.0, 60.0);
        assert!(used > 0.5, "seed {seed}: {used} is used afterwards");
    }
}

#[test]
fn at_a_constant_rate_bulk_goes_in_place_of_padding_and_the_rate_stays() {
    for bulk in [0, usize::MAX / 2] {
        let mut call = Call::new(Weather::steady(5e6, 300.0, 40), Bitrate(600_000), 1);
        call.movement = 0.2;
        call.bulk.0 = bulk;
        let now = call.now();
        call.sender.set_constant(Some(Bitrate(1_000_000)), now);
        call.run(20.0);
        let second = |at: u64| {
            let sent = call.sent.iter().filter(|(ms, _)| ms / 1000 == at);
            sent.map(|(_, size)| u64::from(*size) * 8).sum::<u64>()
        };
        for at in 5..20 {
            let rate = second(at) as f64 / 1e6;
            // With audio.
            assert!(
                (1.08..1.16).contains(&rate),
                "{rate} Mbit/s in second {at}, {bulk} of bulk"
            );
        }
        let came = call.bulk.1 as f64 * 8.0 / 20.0 / 1e6;
        assert_eq!(came > 0.5, bulk > 0, "{came} Mbit/s of bulk");
    }
}

/// A link whose packets now and then come some milliseconds late is not taken to carry little.
#[test]
fn without_bulk_a_voice_that_waits_a_little_costs_later_pictures_nothing() {
    for seed in 1..=3 {
        let mut weather = Weather::steady(5e6, 300.0, 40);
        weather.hop.jitter = std::time::Duration::from_millis(14);
        let mut call = Call::new(weather, Bitrate(1_500_000), seed);
        call.has_camera = false;
        call.run(20.0);
        let estimate = call.sender.estimate();
        assert!(
            estimate >= Bitrate(700_000),
            "seed {seed}: {estimate:?} after a voice alone"
        );
    }
}

#[test]
fn nothing_of_it_is_noticed_once_no_bulk_waits() {
    let weather = Weather::steady(10e6, 300.0, 40);
    let mut call = Call::new(weather, Bitrate(1_500_000), 1);
    call.has_camera = false;
    call.bulk.0 = 100_000;
    call.run(20.0);
    assert_eq!(call.bulk, (0, 100_000));
    let lately = call.sent.iter().filter(|(at, _)| *at > 10_000);
    let bytes: u64 = lately.map(|(_, size)| u64::from(*size)).sum();
    assert!(bytes * 8 / 10 < 150_000, "{} bit/s", bytes * 8 / 10);
}

#[test]
fn bulk_comes_back_after_the_network_was_gone_for_longer_than_packets_are_remembered() {
    for seed in 1..=3 {
        let weather = Weather {
            capacity: sightline_netem::Trace(vec![(0.0, 5e6), (10.0, 0.0), (100.0, 5e6)]),
            ..Weather::steady(5e6, 300.0, 40)
        };
        let mut call = call(&weather, false, true, seed);
        call.run(80.0);
        let before = call.bulk.1;
        call.run(20.0);
        let bulk = (call.bulk.1 - before) as f64 * 8.0 / 20.0;
        assert!(bulk > 2_000_000.0, "seed {seed}: {bulk} bit/s of bulk");
    }
}
