//! A machine that cannot keep up: what gives way, in which order, and when it comes back.
//!
//! The first sign is the mixer, which has to wake up every 5 ms: where it is late, sound will be the next to suffer.

use crate::layer::{Layer, Share};

/// What has given way. Each includes those before it; sound never does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum GivenWay {
    /// Nothing.
    #[default]
    Nothing,
    /// Every second picture.
    Rate,
    /// All but the smallest pictures.
    Size,
    /// Pictures of others than who speaks.
    Others,
    /// All pictures.
    Pictures,
}

impl GivenWay {
    const ORDER: [Self; 5] = [
        Self::Nothing,
        Self::Rate,
        Self::Size,
        Self::Others,
        Self::Pictures,
    ];

    /// As it is called where programs read it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Rate => "rate",
            Self::Size => "size",
            Self::Others => "others",
            Self::Pictures => "pictures",
        }
    }

    /// What is left of a wish for somebody's pictures.
    #[must_use]
    pub fn limit(self, wish: Option<Share>, speaks: bool) -> Option<Share> {
        let wish = wish?;
        let is_halved = wish.is_halved || self >= Self::Rate;
        let layer = if self >= Self::Size {
            Layer::Small
        } else {
            wish.layer
        };
        let is_left = self < Self::Others || (self == Self::Others && speaks);
        is_left.then_some(Share { layer, is_halved })
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
pub struct Second {
    /// The share of mixes that were so late that a frame of sound was overdue.
    pub late: f32,
    /// The share of the camera's pictures that the encoder was too slow for.
    pub missed: f32,
}

impl Second {
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
pub struct Load {
    given: GivenWay,
    bad: u32,
    good: u32,
    patience: u32,
    /// Seconds since something came back.
    since_back: u32,
}

impl Default for Load {
    fn default() -> Self {
        Self {
            given: GivenWay::Nothing,
            bad: 0,
            good: 0,
            patience: GOOD,
            since_back: MOST_GOOD,
        }
    }
}

impl Load {
    /// Takes what was measured in a second. Returns what has given way from now on.
    pub fn handle_second(&mut self, second: &Second) -> GivenWay {
        self.since_back = self.since_back.saturating_add(1);
        self.bad = if second.is_bad() { self.bad + 1 } else { 0 };
        self.good = if second.is_good() { self.good + 1 } else { 0 };
        if self.bad >= BAD {
            self.bad = 0;
            if self.since_back < GOOD {
                self.patience = (2 * self.patience).min(MOST_GOOD);
            }
            self.given = self.given.step(1);
        } else if self.good >= self.patience && self.given > GivenWay::Nothing {
            self.good = 0;
            self.since_back = 0;
            self.given = self.given.step(-1);
        } else if self.good >= MOST_GOOD {
            self.patience = GOOD;
        }
        self.given
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD_SECOND: Second = Second {
        late: 0.0,
        missed: 0.0,
    };
    const BAD_SECOND: Second = Second {
        late: 0.1,
        ..GOOD_SECOND
    };

    #[test]
    fn things_give_way_in_order_and_come_back_by_themselves() {
        let mut load = Load::default();
        assert_eq!(
            load.handle_second(&BAD_SECOND),
            GivenWay::Nothing,
            "once is nothing"
        );
        let went: Vec<_> = (0..8).map(|_| load.handle_second(&BAD_SECOND)).collect();
        assert_eq!(went[7], GivenWay::Pictures);
        assert!(went.is_sorted());
        let came: Vec<_> = (0..60).map(|_| load.handle_second(&GOOD_SECOND)).collect();
        assert_eq!(came[8], GivenWay::Pictures);
        assert_eq!(came[59], GivenWay::Nothing);
        assert!(came.is_sorted_by(|one, next| one >= next));
    }

    #[test]
    fn what_does_not_fit_is_tried_ever_less_often() {
        let mut load = Load::default();
        let mut changes = 0;
        let mut given = GivenWay::Nothing;
        // The machine can do everything but the full rate.
        for _ in 0..1800 {
            let second = if given == GivenWay::Nothing {
                BAD_SECOND
            } else {
                GOOD_SECOND
            };
            let next = load.handle_second(&second);
            changes += u32::from(next != given);
            given = next;
        }
        assert!((10..40).contains(&changes), "{changes} changes in half an hour");
    }

    #[test]
    fn who_speaks_is_seen_the_longest() {
        let wish = Some(Share {
            layer: Layer::Large,
            is_halved: false,
        });
        let small = Some(Share {
            layer: Layer::Small,
            is_halved: true,
        });
        assert_eq!(GivenWay::Nothing.limit(wish, false), wish);
        assert_eq!(GivenWay::Size.limit(wish, false), small);
        assert_eq!(GivenWay::Others.limit(wish, true), small);
        assert_eq!(GivenWay::Others.limit(wish, false), None);
        assert_eq!(GivenWay::Pictures.limit(wish, true), None);
    }
}
