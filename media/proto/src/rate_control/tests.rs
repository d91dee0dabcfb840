use super::*;

/// What stands for an encoder and a camera: pictures whose sizes follow quantizer and change, and stray.
struct Film {
    control: RateControl,
    random: u64,
    now: Instant,
    interval: Duration,
    /// Bytes of an ordinary picture at quantizer 30.
    ordinary: f64,
    /// How far sizes stray from what can be foretold: the standard deviation of their logarithm, about.
    strays: f64,
    is_base_only: bool,
    count: u32,
}

impl Film {
    fn new(rate: u32) -> Self {
        Self {
            control: RateControl::new(Bitrate(rate), 30),
            random: 1,
            now: Instant::now(),
            interval: Duration::from_secs(1) / 30,
            ordinary: 2000.0,
            strays: 0.15,
            is_base_only: false,
            count: 0,
        }
    }

    /// -1 to 1, the same in each run.
    fn random(&mut self) -> f64 {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.random >> 40) as f64 / f64::from(1 << 23) - 1.0
    }

    fn picture(&mut self, is_key: bool) -> f64 {
        let upper = !self.count.is_multiple_of(2);
        self.count += 1;
        self.now += self.interval;
        if upper && self.is_base_only && !is_key {
            self.picture(false)
        } else {
            self.encode(match (is_key || self.count == 1, upper) {
                (true, _) => FrameRole::Key,
                (_, true) => FrameRole::Enhancement,
                (_, false) => FrameRole::Base,
            })
        }
    }

    fn encode(&mut self, class: FrameRole) -> f64 {
        let change = 4.0 + 3.0 * self.random();
        let incoming = Incoming {
            class,
            change,
            captured: self.now,
        };
        let [finest, coarsest] = self.control.quantizers(incoming);
        // An encoder that may choose knows nothing better than the first time.
        let quantizer = Quantizer(30).clamp(finest, coarsest);
        // How many times an ordinary picture, how it grows with change, and how it strays beside the others.
        let (times, grows, strays) = match class {
            FrameRole::Key => (5.0, 0.0, 0.4),
            FrameRole::Base => (1.0, 0.35, 1.0),
            FrameRole::Enhancement => (0.5, 0.6, 1.0),
        };
        let strayed = (1.7 * strays * self.strays * self.random()).exp();
        let coarser = (-0.095 * (f64::from(quantizer.0) - 30.0)).exp();
        let bytes = self.ordinary * times * ((change + 1.0) / 5.0).powf(grows) * coarser * strayed;
        self.control.handle_encoded(quantizer, bytes as usize);
        bytes
    }

    /// Bits a second over this much time.
    fn run(&mut self, time: Duration) -> f64 {
        let end = self.now + time;
        let mut bytes = 0.0;
        while self.now + self.interval / 2 < end {
            bytes += self.picture(false);
        }
        8.0 * bytes / time.as_secs_f64()
    }

    /// The furthest that a second strays from the rate, of 1.
    fn worst_second(&mut self, seconds: u32, rate: f64) -> f64 {
        (0..seconds)
            .map(|_| (self.run(Duration::from_secs(1)) / rate - 1.0).abs())
            .fold(0.0, f64::max)
    }
}

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn every_second_holds_the_rate() {
    for rate in [150_000, 500_000, 1_500_000] {
        let mut film = Film::new(rate);
        film.run(SECOND);
        let worst = film.worst_second(60, f64::from(rate));
        assert!(worst < 0.03, "{rate}: {worst}");
    }
}

#[test]
fn the_rate_is_held_at_another_frame_rate_and_when_every_second_picture_is_left_out() {
    let mut film = Film::new(500_000);
    film.run(SECOND);
    film.is_base_only = true;
    film.run(SECOND);
    let worst = film.worst_second(20, 500_000.0);
    assert!(worst < 0.06, "halved: {worst}");
    film.is_base_only = false;
    film.interval = SECOND / 10;
    film.run(2 * SECOND);
    let mean = film.run(20 * SECOND) / 500_000.0;
    assert!((mean - 1.0).abs() < 0.03, "10 a second: {mean}");
}

#[test]
fn another_rate_is_there_with_the_next_pictures() {
    let mut film = Film::new(1_000_000);
    film.run(5 * SECOND);
    film.control.set_bitrate(Bitrate(200_000));
    let soon = film.run(SECOND / 5);
    assert!(soon < 280_000.0, "{soon}");
    film.control.set_bitrate(Bitrate(1_000_000));
    let soon = film.run(SECOND / 5);
    assert!(soon > 700_000.0, "{soon}");
}

#[test]
fn pictures_that_others_build_on_take_their_share() {
    let mut film = Film::new(500_000);
    film.run(SECOND);
    let (mut base, mut all) = (0.0, 0.0);
    for _ in 0..300 {
        let one = film.picture(false);
        all += one;
        // The picture that was just made has counted already.
        base += if film.count.is_multiple_of(2) { 0.0 } else { one };
    }
    let share = base / all;
    assert!((share - BASE_SHARE).abs() < 0.03, "{share}");
}

#[test]
fn when_the_lens_is_uncovered_pictures_are_their_size_with_the_next() {
    let mut film = Film::new(500_000);
    let ordinary = film.ordinary;
    let mean = 500_000.0 / 8.0 / 30.0;
    film.ordinary = 20.0;
    film.run(5 * SECOND);
    film.ordinary = ordinary;
    let first = film.picture(false);
    let second: f64 = (1..30).map(|_| film.picture(false)).sum();
    assert!(second < 30.0 * mean, "{} after {}", second / mean, first / mean);
    // And a key frame of that scene knows it, too.
    let key = film.picture(true);
    assert!(key < 5.0 * mean, "{}", key / mean);
}

#[test]
fn a_key_frame_is_no_larger_than_three_ordinary_pictures_and_is_paid_for_at_once() {
    let mut film = Film::new(500_000);
    film.run(3 * SECOND);
    let ordinary = 500_000.0 / 8.0 / 30.0;
    for _ in 0..10 {
        let key = film.picture(true);
        assert!(key < 3.0 * ordinary && key > ordinary, "{}", key / ordinary);
        let rest = film.run(SECOND - film.interval) * (1.0 - 1.0 / 30.0) + 8.0 * key;
        assert!((rest / 500_000.0 - 1.0).abs() < 0.03, "{rest}");
    }
}

#[test]
fn a_busier_scene_is_learned_within_a_second() {
    let mut film = Film::new(500_000);
    film.run(3 * SECOND);
    film.ordinary *= 5.0;
    film.run(SECOND);
    let worst = film.worst_second(10, 500_000.0);
    assert!(worst < 0.03, "{worst}");
}

#[test]
fn a_camera_whose_clock_stood_still_is_forgiven() {
    let mut film = Film::new(500_000);
    let interval = std::mem::take(&mut film.interval);
    for _ in 0..100 {
        film.picture(false);
    }
    film.interval = interval;
    film.run(2 * SECOND);
    let worst = film.worst_second(10, 500_000.0);
    assert!(worst < 0.03, "{worst}");
}

#[test]
fn pictures_that_were_left_out_save_nothing_up() {
    let mut film = Film::new(500_000);
    film.run(3 * SECOND);
    for pause in [SECOND / 5, 20 * SECOND] {
        film.now += pause;
        let after = film.run(SECOND);
        assert!(after < 1.08 * 500_000.0, "{after}");
    }
}
