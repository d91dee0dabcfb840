//! Rate control of an encoder: which quantizer the next picture gets, so that each second holds its rate.
//!
//! How large a picture gets at a quantizer is learned from those before it, for each class of pictures by itself, and
//! foretold from how much has changed since the pictures that it builds on. What was spent too much or too little is
//! evened out over the pictures that follow.

use std::time::{Duration, Instant};

use crate::rate::Bitrate;

/// How coarsely a picture is quantized, on libaom's scale from 0, the finest, to 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantizer(pub u8);

impl Quantizer {
    /// Finer is not seen.
    pub const FINEST: Self = Self(10);
    /// Coarser shows nothing.
    pub const COARSEST: Self = Self(56);
}

/// What a picture is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameRole {
    /// A key frame.
    Key,
    /// Others build on it.
    Base,
    /// Nothing builds on it.
    Enhancement,
}

/// A picture that is about to be encoded.
#[derive(Clone, Copy, Debug)]
pub struct Incoming {
    /// What it is for.
    pub class: FrameRole,
    /// How much it differs from the nearest of the pictures that it builds on: mean absolute difference of luma, 0 to 255.
    pub change: f64,
    /// When it was captured.
    pub captured: Instant,
}

/// Of the rate, the share of the pictures that others build on, when the two classes take turns.
pub const BASE_SHARE: f64 = 0.7;

/// A key frame takes as much as so many pictures.
const KEY_PICTURES: f64 = 2.2;

/// A picture shrinks by a factor of e^-0.1 with each step of the quantizer (measured: 0.09 to 0.11).
const STEP: f64 = 0.1;

/// 1 of 255: what a picture costs though nothing in it has changed, as change.
const STILL: f64 = 1.0;

/// The part of the accumulated error that the next base-layer picture compensates; an enhancement-layer picture, which has
/// less to give, compensates half of it.
const GAIN: f64 = 0.8;

/// A picture gets at least and at most this share of what is its own.
const LEAST: f64 = 0.3;
const MOST: f64 = 2.0;

/// 330 ms of the rate: no more than this that was spent too much is evened out, the rest is forgotten; and 100 ms of what
/// was saved: a still picture must not be followed by a flood.
const HORIZON: f64 = 0.33;
const SAVED: f64 = 0.1;

/// How much of a surprise is believed.
const LEARNING: f64 = 0.35;

/// A larger surprise than this, a factor of e^0.25, is believed so far as the one before was like it.
const SURPRISE: f64 = 0.25;

/// A picture that is larger by this factor, e^1, than foretold shows another scene: that is believed at once.
const SCENE: f64 = 1.0;

/// From this change on, 15 of 255, a picture may be of another scene: the encoder may make it coarser than foretold.
const CUT: f64 = 15.0;

/// In usual intervals: a longer pause between two pictures saves nothing up. They were left out because the link is full.
const LONGEST: f64 = 2.0;

/// 10 and 250 ms: what is taken for the time between two pictures, whatever a camera's clock says.
const LEAST_APART: Duration = Duration::from_millis(10);
const MOST_APART: Duration = Duration::from_millis(250);

/// How fast the time between two pictures is learned.
const FOLLOWING: f64 = 0.1;

/// Chooses the quantizers of one encoder's pictures.
#[derive(Debug)]
pub struct RateControl {
    bitrate: Bitrate,
    /// Bytes spent beyond the rate.
    debt: f64,
    /// When the last picture was captured.
    last: Option<Instant>,
    /// Seconds between two pictures.
    interval: f64,
    classes: [Knowledge; 3],
    /// The picture that is being encoded.
    current: Option<Incoming>,
    /// Of the last picture that others build on.
    last_quantizer: Option<Quantizer>,
    /// The last picture was one that nothing builds on.
    follows_enhancement: bool,
}

/// What is known of a class.
#[derive(Clone, Copy, Debug, Default)]
struct Knowledge {
    /// The logarithm of the bytes of a picture that differs by nothing at quantizer 0.
    complexity: Option<f64>,
    surprise: f64,
}

impl RateControl {
    /// For an encoder of which nothing is known yet, of about so many pictures a second.
    #[must_use]
    pub fn new(bitrate: Bitrate, frame_rate: u32) -> Self {
        Self {
            bitrate,
            debt: 0.0,
            last: None,
            interval: 1.0 / f64::from(frame_rate.max(1)),
            classes: [Knowledge::default(); 3],
            current: None,
            last_quantizer: None,
            follows_enhancement: false,
        }
    }

    /// The rate that is held.
    #[must_use]
    pub const fn bitrate(&self) -> Bitrate {
        self.bitrate
    }

    /// Another rate, from the next picture on.
    pub const fn set_bitrate(&mut self, bitrate: Bitrate) {
        self.bitrate = bitrate;
    }

    /// The finest and the coarsest quantizer for a picture. They are the same but for pictures of which the encoder knows
    /// more: the first, and those that may be of another scene.
    pub fn quantizers(&mut self, picture: Incoming) -> [Quantizer; 2] {
        self.pass_time(picture.captured);
        self.current = Some(picture);
        let Some(finest) = self.foretell(&picture) else {
            return [Quantizer::FINEST, Quantizer::COARSEST];
        };
        let is_certain = picture.change < CUT;
        [finest, if is_certain { finest } else { Quantizer::COARSEST }]
    }

    /// The quantizer at which a picture is likely to have the bytes that it is to have; `None` for the first.
    fn foretell(&self, picture: &Incoming) -> Option<Quantizer> {
        let last = self.last_quantizer?;
        let Some(complexity) = self.classes[picture.class as usize].complexity else {
            return Some(last);
        };
        let steps = (complexity + picture.growth() - self.target(picture.class).ln()) / STEP;
        // A key frame is never finer than the pictures around it, whatever earlier ones were like.
        let finest = if picture.class == FrameRole::Key {
            last
        } else {
            Quantizer::FINEST
        };
        let coarsest = Quantizer::COARSEST.max(finest);
        let steps = steps.round().clamp(f64::from(finest.0), f64::from(coarsest.0));
        Some(Quantizer(steps as u8))
    }

    /// The picture took so many bytes at this quantizer.
    pub fn handle_encoded(&mut self, quantizer: Quantizer, bytes: usize) {
        let Some(picture) = self.current.take() else {
            return;
        };
        let bytes = bytes.max(1) as f64;
        let second = self.bytes_a_second();
        self.debt = (self.debt + bytes).clamp(-SAVED * second, HORIZON * second);
        self.follows_enhancement = picture.class == FrameRole::Enhancement;
        if !self.follows_enhancement {
            self.last_quantizer = Some(quantizer);
        }
        let complexity = bytes.ln() + STEP * f64::from(quantizer.0) - picture.growth();
        self.learn(picture.class, complexity);
    }

    fn learn(&mut self, class: FrameRole, complexity: f64) {
        let surprise = self.classes[class as usize].learn(complexity);
        // A key frame comes too seldom to be learned bit by bit.
        if class == FrameRole::Key || surprise > SCENE {
            self.classes[class as usize].complexity = Some(complexity);
        }
        // What is another scene for the pictures that others build on is one for all.
        if class == FrameRole::Base && surprise > SCENE {
            for other in [FrameRole::Key, FrameRole::Enhancement] {
                let known = &mut self.classes[other as usize].complexity;
                *known = known.map(|own| own + surprise);
            }
        }
    }

    /// The time since the picture before pays for it.
    fn pass_time(&mut self, now: Instant) {
        let Some(last) = self.last.replace(now) else {
            return;
        };
        let passed = now.saturating_duration_since(last).clamp(LEAST_APART, MOST_APART);
        let passed = passed.as_secs_f64();
        let passed = passed.min(LONGEST * self.interval);
        self.interval += FOLLOWING * (passed - self.interval);
        self.debt -= passed * self.bytes_a_second();
    }

    /// How many bytes the next picture is to have.
    fn target(&self, class: FrameRole) -> f64 {
        let mean = self.interval * self.bytes_a_second();
        // Where the classes take turns, what one takes beyond its part of the time the other has less, and neither owes that.
        let turn = (BASE_SHARE - 0.5) * mean;
        let (pictures, gain, usual_debt) = match class {
            FrameRole::Key => (KEY_PICTURES, 0.0, 0.0),
            FrameRole::Base if self.follows_enhancement => (2.0 * BASE_SHARE, GAIN, -turn),
            FrameRole::Base => (1.0, GAIN, 0.0),
            FrameRole::Enhancement => (2.0 * (1.0 - BASE_SHARE), GAIN / 2.0, turn),
        };
        let own = (pictures * mean).max(1.0);
        (own - gain * (self.debt - usual_debt)).clamp(LEAST * own, MOST * own)
    }

    fn bytes_a_second(&self) -> f64 {
        f64::from(self.bitrate.0) / 8.0
    }
}

impl Incoming {
    /// The logarithm of how much it grows with what has changed (exponents fitted to two clips). A key frame does not.
    fn growth(&self) -> f64 {
        let exponent = match self.class {
            FrameRole::Key => 0.0,
            FrameRole::Base => 0.3,
            FrameRole::Enhancement => 0.7,
        };
        exponent * (self.change + STILL).ln()
    }
}

impl Knowledge {
    /// Returns how much more was seen than was known.
    fn learn(&mut self, seen: f64) -> f64 {
        let Some(complexity) = &mut self.complexity else {
            self.complexity = Some(seen);
            return 0.0;
        };
        let surprise = seen - *complexity;
        let believed = self.surprise.abs().max(SURPRISE);
        *complexity += LEARNING * surprise.clamp(-believed, believed);
        self.surprise = surprise;
        surprise
    }
}

#[cfg(test)]
mod tests {
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
}
