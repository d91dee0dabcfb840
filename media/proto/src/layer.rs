//! Layers: the sizes in which a picture is sent at once, and who gets which.
//!
//! Each layer is encoded once for all its subscribers, at the rate of the fastest. A receiver that cannot keep up gets only
//! the base temporal layer, and if that is still too much the next smaller layer. So a slow receiver never lowers what the
//! others get.

use std::fmt;
use std::time::{Duration, Instant};

use crate::rate::Bitrate;

/// A size in which a picture is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Layer {
    /// At most 180 rows, 15 pictures a second.
    Small,
    /// At most 360 rows, 30 a second.
    Medium,
    /// At most 720 rows, 30 a second.
    Large,
}

impl Layer {
    /// All of them, the smallest first.
    pub const ALL: [Self; 3] = [Self::Small, Self::Medium, Self::Large];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The layer at a place in [`Self::ALL`].
    #[must_use]
    pub fn at(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// Rows of a picture at the most.
    #[must_use]
    pub const fn height(self) -> u32 {
        match self {
            Self::Small => 180,
            Self::Medium => 360,
            Self::Large => 720,
        }
    }

    /// Returns whether the layer has half the camera's frame rate.
    #[must_use]
    pub const fn is_half_rate(self) -> bool {
        matches!(self, Self::Small)
    }

    /// Pictures a second.
    #[must_use]
    pub const fn frame_rate(self) -> u32 {
        if self.is_half_rate() { 15 } else { 30 }
    }

    /// More makes it no better (measured on the office clip: 36 dB at 180p, 40 at 360p, 43 at 720p).
    #[must_use]
    pub const fn enough(self) -> Bitrate {
        match self {
            Self::Small => Bitrate(120_000),
            Self::Medium => Bitrate(500_000),
            Self::Large => Bitrate(1_600_000),
        }
    }

    /// With less, the next smaller layer looks better.
    #[must_use]
    pub const fn least(self) -> Bitrate {
        match self {
            Self::Small => Bitrate(0),
            Self::Medium => Bitrate(180_000),
            Self::Large => Bitrate(700_000),
        }
    }
}

/// What one receiver gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// Which layer.
    pub layer: Layer,
    /// Every second picture of it only.
    pub is_base_only: bool,
}

/// A receiver, as far as the choice goes.
#[derive(Clone, Copy, Debug)]
pub struct Receiver {
    /// The most that it asks for; `None` for no picture at all.
    pub asks: Option<Subscription>,
    /// What its link has for pictures.
    pub rate: Bitrate,
    /// What it gets so far, and since when.
    pub has: Option<(Subscription, Instant)>,
}

/// 4 s: the least time between two upgrades of a subscription, so that a fluctuating rate does not make the video fluctuate.
const STAY: Duration = Duration::from_secs(4);

/// What a rate must exceed a limit by to go up again.
const UP: f64 = 1.25;

/// Of the layer's rate, with how much a link still gets it whole, and every second picture of it (70 % of the layer:
/// [`crate::rate_control::BASE_SHARE`]).
const WHOLE: f64 = 0.85;
const BASE_ONLY: f64 = 0.65;

/// Decides what each receiver gets, and at which rate each layer is encoded: `None` for a layer that nobody gets.
/// `largest` is the largest layer that there is.
#[must_use]
pub fn allocate(
    receivers: &[Receiver],
    largest: Layer,
    now: Instant,
) -> (Vec<Option<Subscription>>, [Option<Bitrate>; 3]) {
    let mut allocated: Vec<Option<Subscription>> = receivers
        .iter()
        .map(|receiver| {
            let asks = receiver.asks?.layer.min(largest);
            let layers = Layer::ALL.into_iter().rev().filter(|layer| *layer <= asks);
            // Whoever gets half of a layer's pictures already has the layer: it is no upgrade.
            let carried = layers.map(Subscription::base).find(|base| {
                let least = f64::from(base.layer.least().0);
                receiver.carries(least, *base, now)
            });
            Some(Subscription::whole(
                carried.map_or(Layer::Small, |base| base.layer),
            ))
        })
        .collect();
    let mut rates = [None; 3];
    for layer in Layer::ALL.into_iter().rev() {
        let of_layer = |subscription: &Option<Subscription>| {
            subscription.is_some_and(|subscription| subscription.layer == layer)
        };
        let fastest = allocated
            .iter()
            .zip(receivers)
            .filter(|(subscription, _)| of_layer(subscription));
        let Some(fastest) = fastest.map(|(_, receiver)| receiver.rate).max() else {
            continue;
        };
        let rate = fastest.min(layer.enough());
        rates[layer.index()] = Some(rate);
        let rate = f64::from(rate.0);
        for (subscription, receiver) in allocated.iter_mut().zip(receivers) {
            // For the fastest the layer is made; it has been judged above.
            let is_fastest = receiver.rate >= fastest;
            if !of_layer(subscription)
                || is_fastest
                || receiver.carries(WHOLE * rate, Subscription::whole(layer), now)
            {
                continue;
            }
            let base_only = Subscription::base(layer);
            let smaller = layer.index().checked_sub(1).and_then(Layer::at);
            *subscription = Some(match smaller {
                Some(smaller) if !receiver.carries(BASE_ONLY * rate, base_only, now) => {
                    Subscription::whole(smaller)
                }
                _ => base_only,
            });
        }
    }
    for (subscription, receiver) in allocated.iter_mut().zip(receivers) {
        if let (Some(subscription), Some(asks)) = (subscription, receiver.asks) {
            subscription.is_base_only |= asks.is_base_only;
        }
    }
    (allocated, rates)
}

impl fmt::Display for Subscription {
    /// As it is usually written: rows, `p`, pictures a second.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.layer.frame_rate();
        let rate = if self.is_base_only { rate / 2 } else { rate };
        write!(f, "{}p{rate}", self.layer.height())
    }
}

impl Subscription {
    /// All of a layer.
    #[must_use]
    pub const fn whole(layer: Layer) -> Self {
        Self {
            layer,
            is_base_only: false,
        }
    }

    /// Every second picture of a layer.
    const fn base(layer: Layer) -> Self {
        Self {
            layer,
            is_base_only: true,
        }
    }

    /// The order of allocated, the least first.
    const fn rank(self) -> (usize, bool) {
        (self.layer.index(), !self.is_base_only)
    }
}

impl Receiver {
    /// Whether the link carries a subscription that needs `least` bits a second: with something to spare and some patience if
    /// that is more than it has.
    fn carries(&self, least: f64, subscription: Subscription, now: Instant) -> bool {
        let rate = f64::from(self.rate.0);
        match self.has {
            Some((has, since)) if subscription.rank() > has.rank() => {
                rate >= UP * least && now >= since + STAY
            }
            _ => rate >= least,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receiver(asks: Layer, bits: u32) -> Receiver {
        Receiver {
            asks: Some(Subscription::whole(asks)),
            rate: Bitrate(bits),
            has: None,
        }
    }

    #[test]
    fn a_slow_receiver_never_lowers_what_the_others_get() {
        let now = Instant::now();
        let quick = receiver(Layer::Medium, 2_000_000);
        for bits in [0, 50_000, 150_000, 250_000, 300_000, 400_000, 450_000, 1_000_000] {
            let (allocated, rates) = allocate(&[quick, receiver(Layer::Large, bits)], Layer::Medium, now);
            assert_eq!(allocated[0], Some(Subscription::whole(Layer::Medium)), "{bits}");
            assert_eq!(rates[1], Some(Layer::Medium.enough()), "{bits}");
        }
    }

    #[test]
    fn who_cannot_follow_gets_half_the_pictures_and_then_a_smaller_layer() {
        let now = Instant::now();
        let subscription = |bits| {
            let receivers = [receiver(Layer::Medium, 2_000_000), receiver(Layer::Medium, bits)];
            allocate(&receivers, Layer::Large, now).0[1].expect("a subscription")
        };
        assert_eq!(subscription(450_000), Subscription::whole(Layer::Medium));
        assert_eq!(subscription(350_000), Subscription::base(Layer::Medium));
        assert_eq!(subscription(300_000), Subscription::whole(Layer::Small));
    }

    #[test]
    fn alone_a_slow_receiver_gets_a_layer_made_for_it() {
        let now = Instant::now();
        let (allocated, rates) = allocate(&[receiver(Layer::Large, 300_000)], Layer::Large, now);
        assert_eq!(allocated, [Some(Subscription::whole(Layer::Medium))]);
        assert_eq!(rates, [None, Some(Bitrate(300_000)), None]);
    }

    #[test]
    fn who_climbs_alone_gets_all_of_the_larger_layer() {
        let start = Instant::now();
        let one = Receiver {
            has: Some((Subscription::whole(Layer::Small), start)),
            ..receiver(Layer::Large, 400_000)
        };
        let (allocated, rates) = allocate(&[one], Layer::Large, start + STAY);
        assert_eq!(allocated, [Some(Subscription::whole(Layer::Medium))]);
        assert_eq!(rates[1], Some(Bitrate(400_000)));
    }

    #[test]
    fn whoever_came_to_half_of_a_larger_layers_pictures_keeps_them() {
        let start = Instant::now();
        let quick = receiver(Layer::Medium, 450_000);
        let mut has = Some((Subscription::whole(Layer::Small), start));
        for step in 0..100u32 {
            let now = start + Duration::from_millis(100) * step;
            let slow = Receiver {
                has,
                ..receiver(Layer::Medium, 370_000)
            };
            let subscription = allocate(&[quick, slow], Layer::Medium, now).0[1].expect("a subscription");
            if has.is_none_or(|(before, _)| before != subscription) {
                has = Some((subscription, now));
            }
            if now >= start + STAY {
                assert_eq!(subscription, Subscription::base(Layer::Medium), "step {step}");
            }
        }
    }

    #[test]
    fn nothing_is_made_that_nobody_asks_for() {
        let now = Instant::now();
        let nobody = Receiver {
            asks: None,
            ..receiver(Layer::Large, 2_000_000)
        };
        assert_eq!(allocate(&[nobody], Layer::Large, now), (vec![None], [None; 3]));
        let (_, rates) = allocate(&[receiver(Layer::Small, 2_000_000)], Layer::Large, now);
        assert_eq!(rates, [Some(Layer::Small.enough()), None, None]);
    }

    #[test]
    fn a_rate_that_wavers_does_not_make_the_picture_waver() {
        let start = Instant::now();
        let mut has = Some((Subscription::whole(Layer::Medium), start));
        let mut changes = 0;
        for step in 0..600u32 {
            let now = start + Duration::from_millis(100) * step;
            let bits = if step % 20 < 10 { 690_000 } else { 760_000 };
            let one = Receiver {
                has,
                ..receiver(Layer::Large, bits)
            };
            let subscription = allocate(&[one], Layer::Large, now).0[0];
            if subscription != has.map(|(subscription, _)| subscription) {
                changes += 1;
                has = subscription.map(|subscription| (subscription, now));
            }
        }
        assert_eq!(changes, 0);
    }
}
