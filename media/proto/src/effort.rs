//! How much time the encoder takes for a picture: as much as makes it better, and no more than there is.

use std::time::Duration;

use crate::layer::Layer;

/// Encoder speeds, as libaom counts them: 7 takes its time, 11 is the fastest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Speed(pub u8);

/// The slowest that is used: slower ones gain less than a tenth of a decibel (measured on the office clip).
const SLOWEST: Speed = Speed(7);

/// The fastest there is.
const FASTEST: Speed = Speed(11);

/// Where an encoder begins.
const START: Speed = Speed(9);

/// Pictures by whose time the speed is judged: two seconds of 30.
const PICTURES: u32 = 60;

/// The next slower speed takes about a third longer; below this share of the budget it fits with something to spare.
const SPARE: f64 = 0.55;

/// An encoder's speed, chosen by the time that it takes.
#[derive(Debug)]
pub struct Effort {
    budget: Duration,
    speed: Speed,
    /// The slowest that was not found to be too slow; a load that passes is forgotten with time.
    slowest: Speed,
    took: Duration,
    count: u32,
    judged: u32,
}

/// After this many judgements a speed that was too slow is tried again: two minutes of 30 pictures a second.
const FORGET: u32 = 60;

impl Effort {
    /// For an encoder of a layer, of which nothing is known yet.
    #[must_use]
    pub const fn new(layer: Layer) -> Self {
        // A sixth of the time between two pictures at 360p, by pixels for the other sizes.
        let budget = match layer {
            Layer::Small => Duration::from_micros(1_200),
            Layer::Medium => Duration::from_millis(5),
            Layer::Large => Duration::from_millis(18),
        };
        Self {
            budget,
            speed: START,
            slowest: SLOWEST,
            took: Duration::ZERO,
            count: 0,
            judged: 0,
        }
    }

    /// The speed to use.
    #[must_use]
    pub const fn speed(&self) -> Speed {
        self.speed
    }

    /// A picture took so long.
    pub fn handle_encoded(&mut self, took: Duration) {
        self.took += took;
        self.count += 1;
        if self.count < PICTURES {
            return;
        }
        let mean = self.took / self.count;
        (self.took, self.count) = (Duration::ZERO, 0);
        self.judged += 1;
        if self.judged.is_multiple_of(FORGET) {
            self.slowest = SLOWEST;
        }
        if mean > self.budget && self.speed < FASTEST {
            self.speed.0 += 1;
            self.slowest = self.speed;
        } else if mean < self.budget.mul_f64(SPARE) && self.speed > self.slowest {
            self.speed.0 -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs an encoder that takes `slowest` at the slowest speed, a quarter less at each faster one.
    fn run(effort: &mut Effort, slowest: Duration, pictures: u32) -> usize {
        let mut changes = 0;
        for _ in 0..pictures {
            let before = effort.speed();
            let faster = i32::from(before.0 - SLOWEST.0);
            effort.handle_encoded(slowest.mul_f64(0.75f64.powi(faster)));
            changes += usize::from(effort.speed() != before);
        }
        changes
    }

    #[test]
    fn a_quick_machine_takes_its_time_and_a_slow_one_hurries() {
        for (slowest, speed) in [(3, SLOWEST), (6, Speed(8)), (40, FASTEST)] {
            let mut effort = Effort::new(Layer::Medium);
            run(&mut effort, Duration::from_millis(slowest), 3000);
            assert!(
                effort.speed().0.abs_diff(speed.0) <= 1,
                "{slowest} ms: {:?}",
                effort.speed()
            );
            let changes = run(&mut effort, Duration::from_millis(slowest), 3000);
            assert!(changes <= 2, "{slowest} ms: it does not settle");
        }
    }

    #[test]
    fn after_a_load_the_picture_is_as_good_as_before() {
        let mut effort = Effort::new(Layer::Medium);
        run(&mut effort, Duration::from_millis(3), 600);
        run(&mut effort, Duration::from_millis(30), 600);
        assert_eq!(effort.speed(), FASTEST);
        run(&mut effort, Duration::from_millis(3), 60 * 130);
        assert_eq!(effort.speed(), SLOWEST);
    }
}
