//! One link on virtual time: the real sender, the real arrivals and the real reassembly with a simulated network
//! between them. What fails prints its seed.
#![allow(clippy::expect_used, clippy::disallowed_methods, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sightline_media_proto::layer::{Layer, Subscription};
use sightline_media_proto::link::{ArrivalReport, Arrivals, Class, Number, Sender, wire_size};
use sightline_media_proto::rate::{Bitrate, KeyFrames};
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::video::{Dependency, Frame, Packets, PartSize};
use sightline_media_proto::{AudioTrack, Ticks, Track, VideoTrack};
use sightline_netem::{Outage, Path, Random, Trace, Weather};

/// A voice in packets of 20 ms: what a body is, bytes.
const VOICE: usize = 201;

/// What was seen in one millisecond.
#[derive(Clone, Copy, Debug)]
struct Moment {
    /// What leaves, bits a second, over the last 200 ms.
    sending: f64,
    /// Bits that arrived in it.
    passed: f64,
    queue: f64,
    capacity: f64,
}

struct Call {
    start: Instant,
    ms: u64,
    sender: Sender,
    there: Path<(Class, Vec<u8>, u64)>,
    back: Path<ArrivalReport>,
    arrivals: Arrivals,
    reassembler: Reassembler,
    random: Random,
    key_frames: KeyFrames,
    number: u32,
    last_reference: u32,
    most: Bitrate,
    /// How much of its rate the encoder needs: nothing moves with little.
    movement: f64,
    has_audio: bool,
    has_camera: bool,
    /// How often something was to leave, and did not.
    in_vain: u32,
    /// Neither sound nor pictures are sent.
    is_paused: bool,
    sent: Vec<(u64, u32)>,
    moments: Vec<Moment>,
    /// When each packet of sound was sent, and how long it took, ms.
    sound: Vec<(u64, u64)>,
    shown: Vec<u64>,
}

impl Call {
    /// A call over such a link, with pictures of at most `most`.
    fn new(weather: Weather, most: Bitrate, seed: u64) -> Self {
        let start = Instant::now();
        let back = Weather {
            capacity: Trace::constant(10e6),
            buffer: 1_000_000,
            ..weather.clone()
        };
        let mut sender = Sender::new(1, start);
        sender.set_subscription(
            VideoTrack::Camera,
            Some(Subscription {
                layer: Layer::Medium,
                is_base_only: false,
            }),
        );
        let mut key_frames = KeyFrames::default();
        key_frames.handle_request();
        Self {
            start,
            ms: 0,
            sender,
            there: Path::new(weather, seed),
            back: Path::new(back, seed ^ 1),
            arrivals: Arrivals::new(start),
            reassembler: Reassembler::default(),
            random: Random(seed ^ 2),
            key_frames,
            number: 0,
            last_reference: 0,
            most,
            movement: 1.0,
            has_audio: true,
            has_camera: true,
            in_vain: 0,
            is_paused: false,
            sent: Vec::new(),
            moments: Vec::new(),
            sound: Vec::new(),
            shown: Vec::new(),
        }
    }

    fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.ms)
    }

    fn run(&mut self, seconds: f64) {
        let end = self.ms + (seconds * 1000.0) as u64;
        while self.ms < end {
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now();
        if self.ms.is_multiple_of(20) && !self.is_paused && self.has_audio {
            let voice = Arc::from(vec![0; VOICE]);
            self.sender.handle_audio(AudioTrack::Voice, voice, now);
        }
        // 30 a second.
        if self.ms * 30 / 1000 != (self.ms + 1) * 30 / 1000 && !self.is_paused && self.has_camera {
            self.capture(now);
        }
        while let Some(leaving) = self.sender.poll_packet(now) {
            let size = leaving.wire_size();
            self.sent.push((self.ms, size));
            self.there.send((leaving.class, leaving.body, self.ms), size);
        }
        let passed = self.there.passed;
        if self.sender.poll_timeout(now).is_some_and(|due| due <= now) {
            self.in_vain += 1;
        }
        for (class, body, sent) in self.there.step(self.ms) {
            self.arrive(class, &body, sent, now);
        }
        if let Some(report) = self.arrivals.poll_report(now) {
            let size = wire_size(Class::Report, report.encode().len());
            self.back.send(report, size);
        }
        for report in self.back.step(self.ms) {
            self.sender.handle_report(&report, now);
        }
        let passes_all = self.there.weather.mtu.0.iter().all(|(_, mtu)| *mtu >= 1500.0);
        assert!(
            !passes_all || self.sender.packet_size() == PartSize::Full,
            "after {} ms large packets are taken to be lost for their size",
            self.ms
        );
        while self.reassembler.poll_frame(now).is_some() {
            self.shown.push(self.ms);
        }
        if self.reassembler.poll_key_frame_request(now) {
            self.key_frames.handle_request();
        }
        let since = self.ms.saturating_sub(200);
        let lately = self.sent.iter().rev().take_while(|(at, _)| *at > since);
        let bits = lately.map(|(_, size)| f64::from(*size) * 8.0).sum::<f64>();
        self.moments.push(Moment {
            sending: bits / 0.2,
            passed: (self.there.passed - passed) as f64 * 8.0,
            queue: self.there.queue_millis(self.ms),
            capacity: self.there.weather.capacity.at(self.ms as f64 / 1000.0),
        });
        self.ms += 1;
    }

    /// An encoder with two temporal layers, whose pictures are as large as it is asked for, more or less.
    fn capture(&mut self, now: Instant) {
        if self.sender.wants_key_frame(VideoTrack::Camera).is_some() {
            self.key_frames.handle_request();
        }
        self.sender.set_wanted(self.most, now);
        if !self.sender.takes_video(now) {
            return;
        }
        let rate = self.sender.video_rate().0.clamp(60_000, self.most.0);
        let is_key = self.key_frames.poll(now);
        let number = self.number;
        self.number += 1;
        let is_enhancement = !is_key && number.wrapping_sub(self.last_reference) % 2 == 1;
        let share = if is_key {
            3.0
        } else if is_enhancement {
            0.7
        } else {
            1.3
        };
        let bytes = self.movement * f64::from(rate) / 30.0 / 8.0 * share * (0.7 + 0.6 * self.random.next());
        let frame = Frame {
            number,
            captured: Ticks(self.ms as u32 * 48),
            dependency: Dependency {
                frame_diff: if is_key {
                    0
                } else {
                    (number - self.last_reference) as u8
                },
                is_discardable: is_enhancement,
            },
            data: vec![1; bytes as usize],
        };
        if !is_enhancement {
            self.last_reference = number;
        }
        self.sender
            .handle_video(VideoTrack::Camera, Layer::Medium, &Packets::of(frame), now);
    }

    fn arrive(&mut self, class: Class, body: &[u8], sent: u64, now: Instant) {
        let (number, body) = Number::split(body).expect("a number");
        if !self.arrivals.handle_packet(number, now) {
            return;
        }
        if class == Class::Padding {
            return;
        }
        let (track, body) = Track::split(body).expect("a track");
        match track {
            Track::Audio(_) => self.sound.push((sent, self.ms - sent)),
            Track::Video(_) => self.reassembler.handle_packet(body, now),
        }
    }

    fn moments(&self, from: f64, to: f64) -> &[Moment] {
        &self.moments[(from * 1000.0) as usize..(to * 1000.0) as usize]
    }

    /// Share of the capacity that was used, from one second to another.
    fn used(&self, from: f64, to: f64) -> f64 {
        let moments = self.moments(from, to);
        let sum = |of: fn(&Moment) -> f64| moments.iter().map(of).sum::<f64>();
        sum(|moment| moment.passed) / sum(|moment| moment.capacity / 1000.0)
    }

    /// The queue that was not exceeded in half of the time, and in 95 % of it, ms.
    fn queue(&self, from: f64, to: f64) -> (f64, f64) {
        let mut queues: Vec<_> = self.moments(from, to).iter().map(|moment| moment.queue).collect();
        queues.sort_by(f64::total_cmp);
        (queues[queues.len() / 2], queues[queues.len() * 95 / 100])
    }

    /// How long after `from` it took until `is_so`, seconds.
    fn until(&self, from: f64, is_so: impl Fn(&Moment) -> bool) -> f64 {
        let to = self.ms as f64 / 1000.0;
        let found = self.moments(from, to).iter().position(is_so);
        found.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0)
    }

    /// The share of sound that never came, but for what may still be on its way.
    fn sound_lost(&self) -> f64 {
        let end = self.ms - 1000;
        let came = self.sound.iter().filter(|(sent, _)| *sent < end).count();
        1.0 - came as f64 / (end as f64 / 20.0)
    }

    /// The longest time without sound, ms.
    fn longest_silence(&self) -> u64 {
        let arrived = self.sound.iter().map(|(sent, took)| sent + took);
        let mut arrived: Vec<_> = arrived.collect();
        arrived.sort_unstable();
        arrived
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(u64::MAX)
    }

    /// As W3C's webrtc-stats count them: how often, and how long together, ms.
    fn freezes(&self, from: f64) -> (usize, u64) {
        let shown: Vec<_> = self
            .shown
            .iter()
            .filter(|at| **at as f64 > from * 1000.0)
            .collect();
        let gaps: Vec<_> = shown.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<u64>() / gaps.len().max(1) as u64;
        let frozen: Vec<_> = gaps
            .iter()
            .filter(|gap| **gap >= (3 * mean).max(mean + 150))
            .collect();
        (frozen.len(), frozen.into_iter().sum())
    }

    /// The longest time between two pictures, ms.
    fn longest_freeze(&self, from: f64) -> u64 {
        let shown: Vec<_> = self
            .shown
            .iter()
            .filter(|at| **at as f64 > from * 1000.0)
            .collect();
        shown
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(u64::MAX)
    }
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
            // A full packet alone takes 33 ms of a link of 300 kbit/s.
            let silence = call.longest_silence();
            assert!(
                silence <= if bits < 1e6 { 140 } else { 120 },
                "{what}: {silence} ms"
            );
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
    for (round_trip, drained_within) in [(30, 2.0), (100, 2.5), (300, 4.5)] {
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
            jitter: 5,
            ..Weather::steady(6e6, 300.0, 20)
        };
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
            let weather = Weather {
                loss,
                ..Weather::steady(5e6, 300.0, 50)
            };
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
            let weather = Weather {
                jitter,
                ..Weather::steady(5e6, 300.0, 50)
            };
            let mut call = Call::new(weather, Bitrate(500_000), seed);
            call.run(20.0);
            call.there.weather.loss = loss;
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
        let lossy = Weather {
            loss: 0.2,
            ..Weather::steady(5e6, 300.0, 50)
        };
        let broken = Weather {
            outage: Some(Outage {
                every: 3000,
                lasts: 200,
            }),
            ..Weather::steady(5e6, 300.0, 50)
        };
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
        (1200.0, PartSize::ThreeQuarters, 10.0),
        (700.0, PartSize::Half, 16.0),
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
                assert_eq!(call.sender.packet_size(), PartSize::Full, "{what}");
                call.run(5.0 + known_after);
                let shown = call.shown.len();
                call.run(30.0 - known_after);
                let most = (30.0 - known_after) * 30.0;
                let shown = (call.shown.len() - shown) as f64;
                assert!(shown > 0.7 * most, "{what}: {shown} pictures of {most}");
                assert_eq!(call.sender.packet_size(), size, "{what}");
                call.run(13.0);
                assert_eq!(call.sender.packet_size(), PartSize::Full, "{what}");
                call.run(17.0);
                assert!(call.longest_freeze(55.0) < 500, "{what}: frozen at the end");
                assert!(call.sound_lost() < 0.01, "{what}: {}", call.sound_lost());
            }
        }
    }
}
