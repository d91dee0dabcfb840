//! Which frames of one video track leave on a link: those of the layer that its receiver gets, as far as the link can carry
//! them, and none that builds on one that did not leave.

use std::time::{Duration, Instant};

use crate::layer::{Layer, Subscription};
use crate::video::Dependency;

/// 250 ms: what waits to leave for this long is stale, as the frame after it is.
pub const STALE: Duration = Duration::from_millis(250);

/// 100 ms: what may wait to leave before a frame that nothing builds on is left out.
pub const CROWDED: Duration = Duration::from_millis(100);

/// One video track on one link.
#[derive(Debug)]
pub struct Selector {
    /// What is to be sent of the track.
    subscription: Option<Subscription>,
    /// The layer that is sent: another one follows at its next key frame.
    layer: Option<Layer>,
    /// The track can go on only with a key frame.
    is_broken: bool,
    wants_key: Option<Layer>,
    /// When the last key frame was handed over: what is older than it is not missed.
    last_key: Instant,
}

impl Selector {
    pub const fn new(now: Instant) -> Self {
        Self {
            subscription: None,
            layer: None,
            is_broken: true,
            wants_key: None,
            last_key: now,
        }
    }

    pub const fn set_subscription(&mut self, subscription: Option<Subscription>) {
        self.subscription = subscription;
    }

    /// The layer that still has to be made for this link: another one follows at its next key frame.
    pub fn leaving(&self) -> Option<Layer> {
        self.layer.filter(|layer| {
            self.subscription
                .is_some_and(|subscription| subscription.layer != *layer)
        })
    }

    /// The layer of which only a key frame can go on, and which the link could carry.
    pub const fn wants_key_frame(&self) -> Option<Layer> {
        self.wants_key
    }

    /// Whether a frame of a layer is one that the receiver gets.
    pub fn selects(&mut self, layer: Layer, dependency: Dependency) -> bool {
        let Some(subscription) = self.subscription else {
            self.layer = None;
            return false;
        };
        if Some(layer) != self.layer {
            if layer != subscription.layer {
                return false;
            }
            if !dependency.is_key() {
                self.wants_key = Some(layer);
                return false;
            }
            self.layer = Some(layer);
        }
        !(subscription.is_base_only && dependency.is_discardable)
    }

    /// Whether such a frame leaves; `has_room` says whether the link can carry it in time.
    pub fn admits(&mut self, dependency: Dependency, has_room: bool, now: Instant) -> bool {
        self.is_broken &= !dependency.is_key();
        if self.is_broken {
            let wanted = self
                .subscription
                .filter(|_| has_room)
                .map(|subscription| subscription.layer);
            self.wants_key = self.wants_key.or(wanted);
            return false;
        }
        if !has_room {
            self.is_broken = !dependency.is_discardable;
            return false;
        }
        if dependency.is_key() {
            self.last_key = now;
            self.wants_key = None;
        }
        true
    }

    /// Something that waited was thrown away.
    pub const fn handle_dropped(&mut self) {
        self.is_broken = true;
    }

    /// Everything that waited or is on its way is too large for the path.
    pub fn handle_too_large(&mut self) {
        self.is_broken = true;
        self.wants_key = self.wants_key.or(self.layer);
    }

    /// Part of a frame that others build on, handed over at `since`, is lost for good.
    pub fn handle_lost(&mut self, since: Instant) {
        if !self.is_broken && since >= self.last_key {
            self.is_broken = true;
            self.wants_key = self.layer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UPPER: Dependency = Dependency {
        frame_diff: 1,
        is_discardable: true,
    };
    const BASE: Dependency = Dependency {
        frame_diff: 2,
        is_discardable: false,
    };

    fn sending(now: Instant) -> Selector {
        let mut selector = Selector::new(now);
        selector.set_subscription(Some(Subscription::whole(Layer::Medium)));
        assert!(
            selector.selects(Layer::Medium, Dependency::KEY) && selector.admits(Dependency::KEY, true, now)
        );
        selector
    }

    #[test]
    fn nothing_leaves_that_builds_on_what_did_not() {
        let now = Instant::now();
        let mut selector = sending(now);
        assert!(!selector.admits(UPPER, false, now), "left out");
        assert!(selector.admits(BASE, true, now), "nothing builds on that one");
        assert!(!selector.admits(BASE, false, now), "left out");
        assert_eq!(selector.wants_key_frame(), None, "there is no room for one");
        assert!(!selector.admits(BASE, true, now));
        assert_eq!(selector.wants_key_frame(), Some(Layer::Medium));
        assert!(selector.admits(Dependency::KEY, true, now));
        assert_eq!(selector.wants_key_frame(), None);
    }

    #[test]
    fn another_layer_begins_with_a_key_frame_and_until_then_the_old_one_goes_on() {
        let now = Instant::now();
        let mut selector = sending(now);
        selector.set_subscription(Some(Subscription::whole(Layer::Large)));
        assert_eq!(selector.leaving(), Some(Layer::Medium));
        assert!(!selector.selects(Layer::Large, BASE));
        assert_eq!(selector.wants_key_frame(), Some(Layer::Large));
        assert!(selector.selects(Layer::Medium, BASE));
        assert!(selector.selects(Layer::Large, Dependency::KEY));
        assert_eq!(selector.leaving(), None);
        assert!(!selector.selects(Layer::Medium, BASE));
    }

    #[test]
    fn what_is_lost_from_before_a_key_frame_is_not_missed() {
        let start = Instant::now();
        let later = start + Duration::from_secs(1);
        let mut selector = sending(start);
        assert!(selector.admits(Dependency::KEY, true, later));
        selector.handle_lost(start);
        assert!(selector.admits(BASE, true, later));
        selector.handle_lost(later);
        assert!(!selector.admits(BASE, true, later));
        assert_eq!(selector.wants_key_frame(), Some(Layer::Medium));
    }
}
