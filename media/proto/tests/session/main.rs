//! What one participant sends to many, on virtual time: the real session with an encoder that makes as much as is wanted,
//! and the real sessions of everybody else, with emulated networks between them. What fails names its seed.
#![allow(clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod call;

use std::time::Duration;

use call::Call;

use sightline_media_proto::VideoTrack;
use sightline_media_proto::layer::{Layer, Subscription};
use sightline_media_proto::session::Limits;
use sightline_netem::Weather;

/// A good line, a little of whose packets is lost and none of which comes quite in time.
fn good() -> Weather {
    let mut weather = Weather::steady(5e6, 200.0, 40);
    weather.hop.jitter = Duration::from_millis(5);
    weather.hop.loss = 0.002;
    weather
}

#[test]
fn everybody_hears_as_much_whom_a_limit_leaves_no_room_for_pictures() {
    // Sound to each takes 124 kbit/s: a tenth of it is more than the line carries, and nobody's more than another's.
    for others in [4, 5, 9] {
        let up = Weather::steady(112e3 * others as f64, 200.0, 20);
        let mut call = Call::new(up, &vec![good(); others], Layer::Large, 1);
        call.session
            .set_limits(Limits::of(Some(112 * others as u32), false));
        call.run(20);
        for (at, got) in call.measure(20).into_iter().enumerate() {
            assert!(got.heard > 0.85, "{at} of {others}: {got:?}");
            assert!(got.seen == 0.0, "{at} of {others}: {got:?}");
        }
    }
}

#[test]
fn one_slow_receiver_among_nine_costs_the_others_nothing() {
    for seed in 1..=3 {
        let up = || Weather::steady(20e6, 200.0, 20);
        let mut alike = Call::new(up(), &vec![good(); 9], Layer::Medium, seed);
        alike.run(10);
        let before = alike.measure(20);
        let mut down = vec![good(); 9];
        down[4] = Weather::steady(300e3, 300.0, 40);
        let mut call = Call::new(up(), &down, Layer::Medium, seed);
        call.run(10);
        for (at, (got, before)) in call.measure(20).into_iter().zip(before).enumerate() {
            let is_good = if at == 4 {
                got.heard > 0.97 && got.seen > 5.0
            } else {
                got.is_no_less_than(&before)
            };
            assert!(is_good, "{at}, seed {seed}: {got:?}, all alike {before:?}");
        }
    }
}

#[test]
fn a_member_that_asks_for_everything_takes_nothing_from_the_others() {
    for seed in 1..=3 {
        let [usual, greedy] = [false, true].map(|is_greedy| {
            let up = Weather::steady(20e6, 200.0, 20);
            let mut call = Call::new(up, &vec![good(); 9], Layer::Large, seed);
            if is_greedy {
                call.session.handle_subscription(
                    0,
                    VideoTrack::Camera,
                    Some(Subscription::whole(Layer::Large)),
                );
            }
            call.run(20);
            call.measure(20)
        });
        assert!(
            greedy[0].rate > 1.5 * usual[0].rate,
            "{:?}, {:?}",
            greedy[0],
            usual[0]
        );
        for at in 1..9 {
            let (got, before) = (greedy[at], usual[at]);
            assert!(
                got.is_no_less_than(&before),
                "{at}, seed {seed}: {got:?}, {before:?}"
            );
        }
    }
}

#[test]
fn all_links_together_keep_to_the_users_limit_whatever_is_asked_for() {
    let up = Weather::steady(20e6, 200.0, 20);
    let mut call = Call::new(up, &vec![good(); 9], Layer::Large, 1);
    call.session.set_limits(Limits::of(Some(4000), false));
    for member in 0..9 {
        call.session.handle_subscription(
            member,
            VideoTrack::Camera,
            Some(Subscription::whole(Layer::Large)),
        );
    }
    call.run(20);
    let got = call.measure(20);
    let rate = call.sent as f64 * 8.0 / 20.0;
    assert!(rate < 4e6, "{rate} bit/s");
    assert!(
        got.iter().all(|got| got.heard > 0.97 && got.seen > 10.0),
        "{got:?}"
    );
}

#[test]
fn all_links_together_keep_to_the_users_limit_in_each_second_from_the_first_on() {
    for has_constant_rate in [false, true] {
        for seed in 1..=5 {
            let up = Weather::steady(20e6, 200.0, 20);
            let mut call = Call::new(up, &vec![good(); 2], Layer::Large, seed);
            call.session.set_limits(Limits::of(Some(700), has_constant_rate));
            for second in 1..=10 {
                let got = call.measure(1);
                let rate = call.sent as f64 * 8.0;
                assert!(
                    rate < 700e3,
                    "constant: {has_constant_rate}, seed {seed}, second {second}: {rate} bit/s, {got:?}"
                );
            }
        }
    }
}

#[test]
fn links_that_are_alike_get_pictures_alike_where_the_limit_is_what_holds_them() {
    for seed in 1..=6 {
        let up = Weather::steady(20e6, 200.0, 20);
        let mut call = Call::new(up, &vec![good(); 4], Layer::Medium, seed);
        call.session.set_limits(Limits::of(Some(2200), false));
        call.session.handle_subscription(3, VideoTrack::Camera, None);
        call.run(20);
        let got = call.measure(20);
        assert!(got[..3].iter().all(|got| got.seen > 28.0), "seed {seed}: {got:?}");
    }
}

#[test]
fn bulk_to_a_member_without_pictures_takes_all_that_the_others_leave_and_no_more() {
    for (limit, least) in [(2200, 500.0), (6000, 1_500_000.0)] {
        let up = Weather::steady(20e6, 200.0, 20);
        let mut call = Call::new(up, &vec![good(); 4], Layer::Medium, 1);
        call.session.set_limits(Limits::of(Some(limit), false));
        call.session.handle_subscription(2, VideoTrack::Camera, None);
        call.run(20);
        let before = call.measure(20);
        call.bulk_to = Some(2);
        call.run(10);
        call.bulk = 0;
        let with_bulk = call.measure(20);
        for at in [0, 1, 3] {
            let (got, before) = (with_bulk[at], before[at]);
            assert!(
                got.is_no_less_than(&before),
                "{at}, {limit}: {got:?}, without bulk {before:?}"
            );
        }
        assert!(with_bulk[2].heard > 0.97, "{limit}: {:?}", with_bulk[2]);
        let bulk = call.bulk as f64 * 8.0 / 20.0;
        assert!(bulk > least, "{limit}: {bulk} bit/s of bulk");
        let rate = call.sent as f64 * 8.0 / 20.0;
        assert!(rate < f64::from(limit) * 1000.0, "{limit}: {rate} bit/s");
    }
}

#[test]
fn who_cannot_be_sent_to_any_more_gets_nothing_and_another_path_begins_anew() {
    let mut call = Call::new(
        Weather::steady(20e6, 200.0, 20),
        &vec![good(); 2],
        Layer::Medium,
        1,
    );
    call.run(10);
    let learnt = call.session.link(&1).expect("a link").estimate;
    assert!(learnt != call.first_estimate(), "{learnt:?}");
    let now = call.start + Duration::from_millis(call.ms);
    call.session.handle_receivers(&[(1, 7)], now);
    assert!(call.session.link(&0).is_none());
    let anew = call.session.link(&1).expect("a link").estimate;
    assert_eq!(anew, call.first_estimate());
    // What is on its way.
    call.run(1);
    let got = call.measure(5);
    assert_eq!(got[0].rate, 0.0);
    assert!(got[1].heard > 0.97 && got[1].seen > 20.0, "{:?}", got[1]);
    call.session.stop_video(VideoTrack::Camera);
    call.sources = [None; 2];
    call.run(2);
    let got = call.measure(5);
    assert!(got[1].heard > 0.97 && got[1].seen == 0.0, "{:?}", got[1]);
}

#[test]
fn a_screen_and_a_camera_go_side_by_side_each_to_whom_wants_it() {
    for seed in 1..=3 {
        let up = Weather::steady(20e6, 200.0, 20);
        // The last has room for one of them, and not for both at full size.
        let mut down = vec![good(); 4];
        down[3] = Weather::steady(600e3, 300.0, 40);
        let mut call = Call::new(up, &down, Layer::Medium, seed);
        call.sources = [Some(Layer::Medium), Some(Layer::Large)];
        call.session.handle_subscription(1, VideoTrack::Camera, None);
        call.session.handle_subscription(2, VideoTrack::Screen, None);
        call.run(10);
        let got = call.measure(20);
        let [both, no_camera, no_screen, slow] = got[..] else {
            panic!("four members: {got:?}");
        };
        assert!(got.iter().all(|got| got.heard > 0.97), "seed {seed}: {got:?}");
        assert!(both.seen > 25.0 && both.screen > 25.0, "seed {seed}: {both:?}");
        assert!(
            no_camera.seen == 0.0 && no_camera.screen > 25.0,
            "seed {seed}: {no_camera:?}"
        );
        assert!(
            no_screen.seen > 25.0 && no_screen.screen == 0.0,
            "seed {seed}: {no_screen:?}"
        );
        assert!(slow.seen > 5.0 && slow.screen > 5.0, "seed {seed}: {slow:?}");

        // One that ends leaves the other alone.
        call.session.stop_video(VideoTrack::Camera);
        call.sources[0] = None;
        call.run(2);
        let [both, _, no_screen, _] = call.measure(10)[..] else {
            panic!("four members");
        };
        assert!(both.seen == 0.0 && both.screen > 25.0, "seed {seed}: {both:?}");
        assert!(
            no_screen.seen == 0.0 && no_screen.screen == 0.0,
            "seed {seed}: {no_screen:?}"
        );
    }
}
