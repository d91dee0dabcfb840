//! A machine that cannot keep up: what gives way, in which order, and when it comes back.
//!
//! The first sign is the mixer, which has to wake up every 5 ms: where it is late, sound will be the next to suffer.

use crate::layer::{Layer, Subscription};

/// How far the call is degraded because the machine is overloaded. Each level includes those before it; audio is never
/// degraded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Degradation {
    /// Nothing.
    #[default]
    Nothing,
    /// Every second picture.
    FrameRate,
    /// All but the smallest pictures.
    Resolution,
    /// Pictures of others than who speaks.
    NonSpeakers,
    /// All pictures.
    AllVideo,
}

impl Degradation {
    const ORDER: [Self; 5] = [
        Self::Nothing,
        Self::FrameRate,
        Self::Resolution,
        Self::NonSpeakers,
        Self::AllVideo,
    ];

    /// As it is called where programs read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::FrameRate => "rate",
            Self::Resolution => "size",
            Self::NonSpeakers => "others",
            Self::AllVideo => "pictures",
        }
    }

    /// Returns what remains of a subscription at this level of degradation.
    #[must_use]
    pub fn limit(self, wish: Option<Subscription>, speaks: bool) -> Option<Subscription> {
        let wish = wish?;
        let is_base_only = wish.is_base_only || self >= Self::FrameRate;
        let layer = if self >= Self::Resolution {
            Layer::Small
        } else {
            wish.layer
        };
        let is_left = self < Self::NonSpeakers || (self == Self::NonSpeakers && speaks);
        is_left.then_some(Subscription { layer, is_base_only })
    }

    fn step(self, by: isize) -> Self {
        let at = Self::ORDER.iter().position(|step| *step == self);
        let next = at.and_then(|at| at.checked_add_signed(by));
        next.and_then(|next| Self::ORDER.get(next))
            .copied()
            .unwrap_or(self)
    }
}

/// What was measured in a second.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct LoadSample {
    /// The share of mixes that were so late that a frame of sound was overdue.
    pub late: f32,
    /// The share of the camera's pictures that the encoder was too slow for.
    pub missed: f32,
}

impl LoadSample {
    fn is_bad(&self) -> bool {
        self.late > 0.02 || self.missed > 0.25
    }

    fn is_good(&self) -> bool {
        self.late < 0.005 && self.missed < 0.05
    }
}

/// 2 bad seconds in a row: one may be another program's start.
const BAD: u32 = 2;

/// 10 good seconds in a row before something comes back; twice as long each time that it had to go again at once, up to
/// three minutes.
const GOOD: u32 = 10;
const MOST_GOOD: u32 = 160;

/// Decides what gives way.
#[derive(Debug)]
pub struct OveruseDetector {
    degradation: Degradation,
    bad: u32,
    good: u32,
    patience: u32,
    /// Seconds since something came back.
    since_back: u32,
}

impl Default for OveruseDetector {
    fn default() -> Self {
        Self {
            degradation: Degradation::Nothing,
            bad: 0,
            good: 0,
            patience: GOOD,
            since_back: MOST_GOOD,
        }
    }
}

impl OveruseDetector {
    /// Takes one second's measurements. Returns the level of degradation from now on.
    pub fn handle_sample(&mut self, second: &LoadSample) -> Degradation {
        self.since_back = self.since_back.saturating_add(1);
        self.bad = if second.is_bad() { self.bad + 1 } else { 0 };
        self.good = if second.is_good() { self.good + 1 } else { 0 };
        if self.bad >= BAD {
            self.bad = 0;
            if self.since_back < GOOD {
                self.patience = (2 * self.patience).min(MOST_GOOD);
            }
            self.degradation = self.degradation.step(1);
        } else if self.good >= self.patience && self.degradation > Degradation::Nothing {
            self.good = 0;
            self.since_back = 0;
            self.degradation = self.degradation.step(-1);
        } else if self.good >= MOST_GOOD {
            self.patience = GOOD;
        }
        self.degradation
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_SECOND: LoadSample = LoadSample {
        late: 0.0,
        missed: 0.0,
    };
    const BAD_SECOND: LoadSample = LoadSample {
        late: 0.1,
        ..GOOD_SECOND
    };

    #[test]
    fn things_give_way_in_order_and_come_back_by_themselves() {
        let mut load = OveruseDetector::default();
        assert_eq!(
            load.handle_sample(&BAD_SECOND),
            Degradation::Nothing,
            "once is nothing"
        );
        let went: Vec<_> = (0..8).map(|_| load.handle_sample(&BAD_SECOND)).collect();
        assert_eq!(went[7], Degradation::AllVideo);
        assert!(went.is_sorted());
        let came: Vec<_> = (0..60).map(|_| load.handle_sample(&GOOD_SECOND)).collect();
        assert_eq!(came[8], Degradation::AllVideo);
        assert_eq!(came[59], Degradation::Nothing);
        assert!(came.is_sorted_by(|one, next| one >= next));
    }

    #[test]
    fn what_does_not_fit_is_tried_ever_less_often() {
        let mut load = OveruseDetector::default();
        let mut changes = 0;
        let mut degradation = Degradation::Nothing;
        // The machine can do everything but the full rate.
        for _ in 0..1800 {
            let second = if degradation == Degradation::Nothing {
                BAD_SECOND
            } else {
                GOOD_SECOND
            };
            let next = load.handle_sample(&second);
            changes += u32::from(next != degradation);
            degradation = next;
        }
        assert!((10..40).contains(&changes), "{changes} changes in half an hour");
    }

    #[test]
    fn who_speaks_is_seen_the_longest() {
        let wish = Some(Subscription {
            layer: Layer::Large,
            is_base_only: false,
        });
        let small = Some(Subscription {
            layer: Layer::Small,
            is_base_only: true,
        });
        assert_eq!(Degradation::Nothing.limit(wish, false), wish);
        assert_eq!(Degradation::Resolution.limit(wish, false), small);
        assert_eq!(Degradation::NonSpeakers.limit(wish, true), small);
        assert_eq!(Degradation::NonSpeakers.limit(wish, false), None);
        assert_eq!(Degradation::AllVideo.limit(wish, true), None);
    }
}
