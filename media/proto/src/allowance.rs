//! How much of this machine's time one member's pictures may take. What our encoders make takes a few milliseconds a
//! picture; somebody else's program could make each as dear as AV1 allows, and all others would pay for it.

use std::time::{Duration, Instant};

/// Half of a core: thirty pictures a second of 720p take a tenth of one (`only codecs` of the benches), three times that
/// on a slow machine.
const SHARE: f64 = 0.5;

/// 3 s: what may be taken beyond that at once, so that a machine that is busy for a moment costs nobody its pictures.
const BURST: Duration = Duration::from_secs(3);

/// 30 s: how long no pictures of a member are decoded after that; each time twice as long as the time before.
const PAUSE: Duration = Duration::from_secs(30);

/// After so many pauses in a row they get no longer: 32 min.
const MOST_DOUBLED: u32 = 6;

/// 10 min without one: what was before is forgotten.
const FORGIVEN: Duration = Duration::from_secs(600);

/// Pictures that broke the decoder, each of which may cost a thread: then no more are decoded.
const MOST_FAULTS: u32 = 2;

/// One member's allowance.
#[derive(Clone, Debug)]
pub struct Allowance {
    left: Duration,
    at: Instant,
    paused_until: Option<Instant>,
    pauses: u32,
    faults: u32,
}

impl Allowance {
    /// Nothing is spent yet.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            at: now,
            paused_until: None,
            pauses: 0,
            faults: 0,
        }
    }

    /// Whether a picture may be decoded now. After a pause the next one may again.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        self.faults < MOST_FAULTS && self.paused_until.is_none_or(|until| now >= until)
    }

    /// Decoding a picture took so long. Returns whether that was too much, so that a pause begins.
    pub fn handle_spent(&mut self, took: Duration, now: Instant) -> bool {
        if !self.is_open(now) {
            // Of another track, and begun before the pause.
            return false;
        }
        let passed = now.saturating_duration_since(self.at);
        self.at = now;
        self.left = (self.left + passed.mul_f64(SHARE)).min(BURST);
        match self.left.checked_sub(took) {
            Some(left) => self.left = left,
            None => self.pause(now),
        }
        !self.is_open(now)
    }

    /// A picture broke the decoder: a pause begins, and after the second one there is no end to it.
    pub fn handle_fault(&mut self, now: Instant) {
        self.faults += 1;
        self.pause(now);
    }

    /// Nothing can be decoded for a while.
    pub fn pause(&mut self, now: Instant) {
        if self.paused_until.is_some_and(|until| now >= until + FORGIVEN) {
            self.pauses = 0;
        }
        let pause = PAUSE * 2u32.pow(self.pauses.min(MOST_DOUBLED));
        self.pauses = self.pauses.saturating_add(1);
        self.left = BURST;
        self.at = now + pause;
        self.paused_until = Some(now + pause);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FRAME: Duration = Duration::from_millis(33);

    /// Pictures that take `each`, thirty a second for ten minutes; how many were decoded, and how long that took.
    fn play(each: Duration) -> (u32, Duration) {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        let (mut decoded, mut spent, mut now) = (0, Duration::ZERO, start);
        while now < start + Duration::from_secs(600) {
            if allowance.is_open(now) {
                decoded += 1;
                spent += each;
                allowance.handle_spent(each, now + each);
            }
            now += FRAME.max(each);
        }
        (decoded, spent)
    }

    #[test]
    fn pictures_of_the_usual_cost_are_all_decoded_on_a_slow_machine_too() {
        let all = play(Duration::ZERO).0;
        assert_eq!(play(Duration::from_millis(3)).0, all);
        assert_eq!(play(Duration::from_millis(15)).0, all);
    }

    #[test]
    fn dear_pictures_take_little_of_the_machine_whatever_they_cost() {
        for millis in [20, 50, 200, 1000, 5000] {
            let (decoded, spent) = play(Duration::from_millis(millis));
            assert!(decoded > 0);
            assert!(
                spent < Duration::from_secs(120),
                "{millis} ms: {spent:?} of 600 s"
            );
        }
    }

    #[test]
    fn a_moment_of_being_busy_costs_nothing_and_who_was_paused_may_try_again() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        for n in 0..20 {
            assert!(!allowance.handle_spent(Duration::from_millis(130), start + FRAME * n));
        }
        let dear = start + Duration::from_secs(30);
        assert!(allowance.handle_spent(Duration::from_secs(4), dear));
        assert!(!allowance.is_open(dear + PAUSE - FRAME));
        assert!(allowance.is_open(dear + PAUSE));
        assert!(!allowance.handle_spent(FRAME, dear + PAUSE));
        allowance.pause(dear + 2 * PAUSE);
        assert!(!allowance.is_open(dear + 3 * PAUSE), "the second time is longer");
        assert!(allowance.is_open(dear + 4 * PAUSE));
        let later = dear + 4 * PAUSE + FORGIVEN;
        allowance.pause(later);
        assert!(allowance.is_open(later + PAUSE), "long ago is forgotten");
    }

    #[test]
    fn who_breaks_the_decoder_twice_is_not_decoded_any_more() {
        let start = Instant::now();
        let mut allowance = Allowance::new(start);
        allowance.handle_fault(start);
        assert!(!allowance.is_open(start));
        let again = start + PAUSE;
        assert!(allowance.is_open(again));
        allowance.handle_fault(again);
        assert!(!allowance.is_open(again + Duration::from_secs(24 * 3600)));
    }
}
