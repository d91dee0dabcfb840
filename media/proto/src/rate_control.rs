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
mod tests;
