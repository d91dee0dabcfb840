//! Introductions that this side makes: two members whom it knows get a common secret, the one that waits first, so that it
//! expects the one that dials before the first packet comes.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use crate::secret::Secret;

/// 5 s: the time before the same two are introduced again.
const AGAIN: Duration = Duration::from_secs(5);

/// Two members being brought together.
struct Introduction {
    secret: Secret,
    since: Instant,
    /// The dialler has been told: who says "ready" again changes nothing.
    is_passed_on: bool,
}

/// All introductions of the last seconds, by dialler and waiter.
#[derive(Default)]
pub struct Introductions(BTreeMap<(PeerId, PeerId), Introduction>);

impl Introductions {
    /// Whether the same two were introduced a moment ago, whichever was to dial.
    pub fn is_recent(&self, one: PeerId, other: PeerId, now: Instant) -> bool {
        let is_recent = |pair| {
            let introduction: Option<&Introduction> = self.0.get(&pair);
            introduction.is_some_and(|introduction| now < introduction.since + AGAIN)
        };
        is_recent((one, other)) || is_recent((other, one))
    }

    /// The waiter is told.
    pub fn begin(&mut self, dialler: PeerId, waiter: PeerId, secret: Secret, now: Instant) {
        let introduction = Introduction {
            secret,
            since: now,
            is_passed_on: false,
        };
        self.0.insert((dialler, waiter), introduction);
    }

    /// The waiter is ready. Returns the secret that the dialler is to get, once.
    pub fn handle_ready(&mut self, dialler: PeerId, waiter: PeerId) -> Option<Secret> {
        let introduction = self.0.get_mut(&(dialler, waiter))?;
        let was_passed_on = std::mem::replace(&mut introduction.is_passed_on, true);
        (!was_passed_on).then(|| introduction.secret.clone())
    }

    /// What is over is forgotten.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.0.retain(|_, introduction| now < introduction.since + AGAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_are_introduced_once_in_a_while_and_the_secret_is_passed_on_once() {
        let now = Instant::now();
        let [ann, bob] = [PeerId::random(), PeerId::random()];
        let mut introductions = Introductions::default();
        assert!(!introductions.is_recent(ann, bob, now));
        introductions.begin(ann, bob, Secret([3; 32]), now);
        assert!(introductions.is_recent(ann, bob, now) && introductions.is_recent(bob, ann, now));
        assert!(
            introductions.handle_ready(bob, ann).is_none(),
            "the other way round"
        );
        assert_eq!(
            introductions.handle_ready(ann, bob).map(|secret| secret.0),
            Some([3; 32])
        );
        assert!(introductions.handle_ready(ann, bob).is_none());
        assert!(!introductions.is_recent(ann, bob, now + AGAIN));
        introductions.handle_timeout(now + AGAIN);
        assert!(introductions.0.is_empty());
    }
}
