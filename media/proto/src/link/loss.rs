//! Loss: what a link loses anyway, and what it loses because it is full.

use std::time::{Duration, Instant};

/// A share is judged over this long, and this many packets at the least.
const SPAN: Duration = Duration::from_millis(800);
const PACKETS: usize = 40;

/// Beyond what is usual, from which on the link is taken to be full: chance alone makes half of it with 40 packets.
const EXCESS: f32 = 0.10;

/// From which on the rate is not raised.
const RISING: f32 = 0.04;

/// The most that a link is taken to lose anyway: beyond it, sending less is right in any case.
const MOST: f32 = 0.30;

/// How fast the usual follows: a tenth at each judgement, about ten seconds.
const FOLLOW: f32 = 0.1;

/// What is lost on one link.
#[derive(Debug, Default)]
pub struct LossMeter {
    since: Option<Instant>,
    came: usize,
    lost: usize,
    recent: f32,
    usual: Option<f32>,
    is_congestion: bool,
}

impl LossMeter {
    pub fn handle(&mut self, came: usize, lost: usize, now: Instant) {
        self.came += came;
        self.lost += lost;
        let since = *self.since.get_or_insert(now);
        let count = self.came + self.lost;
        self.is_congestion = false;
        if now < since + SPAN || count < PACKETS {
            return;
        }
        self.recent = self.lost as f32 / count as f32;
        let usual = self.usual.unwrap_or(self.recent).min(MOST);
        self.is_congestion = self.recent > usual + EXCESS;
        self.usual = Some((usual + FOLLOW * (self.recent - usual)).min(MOST));
        (self.since, self.came, self.lost) = (Some(now), 0, 0);
    }

    /// Just now so much more than usual was lost that the link must be full.
    pub const fn is_congestion(&self) -> bool {
        self.is_congestion
    }

    /// A little more than usual is lost.
    pub fn is_rising(&self) -> bool {
        self.recent > self.usual.unwrap_or_default() + RISING
    }

    /// The share lost lately.
    pub const fn recent(&self) -> f32 {
        self.recent
    }

    /// The share that is lost anyway.
    pub fn usual(&self) -> f32 {
        self.usual.unwrap_or_default()
    }

    /// The rate was cut: what was lost before says nothing of the time after.
    pub const fn forget_recent(&mut self) {
        self.recent = 0.0;
        self.since = None;
        self.came = 0;
        self.lost = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(meter: &mut LossMeter, seconds: u32, lost_of_ten: usize, from: Instant) -> (u32, Instant) {
        let mut judged = 0;
        let mut now = from;
        for _ in 0..seconds * 10 {
            now += Duration::from_millis(100);
            meter.handle(10 - lost_of_ten, lost_of_ten, now);
            judged += u32::from(meter.is_congestion());
        }
        (judged, now)
    }

    #[test]
    fn a_link_that_always_loses_is_not_full() {
        let mut meter = LossMeter::default();
        let (judged, _) = run(&mut meter, 60, 2, Instant::now());
        assert_eq!(judged, 0);
        assert!((meter.usual() - 0.2).abs() < 0.01);
    }

    #[test]
    fn a_link_that_suddenly_loses_more_is() {
        let mut meter = LossMeter::default();
        let (_, now) = run(&mut meter, 10, 0, Instant::now());
        let (judged, _) = run(&mut meter, 2, 2, now);
        assert!(judged >= 1);
    }

    #[test]
    fn half_of_everything_is_never_usual() {
        let mut meter = LossMeter::default();
        let (judged, _) = run(&mut meter, 20, 5, Instant::now());
        assert!(judged >= 15, "{judged}");
    }
}
