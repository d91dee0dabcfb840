//! Loss: what a link loses anyway, and what it loses because it is full.

use std::time::{Duration, Instant};

/// A share is judged over this long, and this many packets at the least.
const SPAN: Duration = Duration::from_millis(800);
const PACKETS: usize = 40;

/// Excess over the usual loss from which the link is taken to be congested, and from which the rate is no longer raised; or
/// this many standard deviations of random loss, whichever is more.
const EXCESS: (f32, f32) = (0.10, 4.0);
const RISING: (f32, f32) = (0.04, 2.0);

/// Of a single report, so many times the usual, and, on a link that always loses 3 %, two packets more: jitter and loss by
/// chance look like a full buffer again and again.
const UNUSUAL: f32 = 3.0;
const LOSSY: f32 = 0.03;
const SURE: f32 = 2.0;

/// The most that a link is taken to lose anyway: beyond it, sending less is right in any case.
const MOST: f32 = 0.30;

/// How fast the usual follows: a tenth at each judgement, about ten seconds; and by half once less is sent, for what is lost
/// then is not lost because the link is full.
const FOLLOW: f32 = 0.1;
const FOLLOW_AFTER_CUT: f32 = 0.5;

/// If so much of the loss is still there after less was sent, that was not the reason.
const STAYS: f32 = 0.6;

/// What is lost on one link.
#[derive(Debug, Default)]
pub struct LossMeter {
    since: Option<Instant>,
    came: usize,
    lost: usize,
    recent: f32,
    /// Packets that `recent` was judged by.
    count: usize,
    usual: Option<f32>,
    is_congestion: bool,
    /// What was lost when the rate was cut for it.
    before_cut: Option<f32>,
    was_mistaken: bool,
}

impl LossMeter {
    pub fn handle(&mut self, came: usize, lost: usize, now: Instant) {
        self.came += came;
        self.lost += lost;
        let since = *self.since.get_or_insert(now);
        let count = self.came + self.lost;
        self.is_congestion = false;
        self.was_mistaken = false;
        if now < since + SPAN || count < PACKETS {
            return;
        }
        self.recent = self.lost as f32 / count as f32;
        self.count = count;
        let usual = self.usual.unwrap_or(self.recent).min(MOST);
        self.usual = Some(usual);
        let before_cut = self.before_cut.take();
        self.was_mistaken = before_cut.is_some_and(|before| (STAYS * before..=MOST).contains(&self.recent));
        let is_beyond = self.recent > MOST + EXCESS.0;
        self.is_congestion = is_beyond || self.exceeds(EXCESS) && !self.was_mistaken;
        let follow = if before_cut.is_some() {
            FOLLOW_AFTER_CUT
        } else {
            FOLLOW
        };
        self.usual = Some((usual + follow * (self.recent - usual)).min(MOST));
        (self.since, self.came, self.lost) = (Some(now), 0, 0);
    }

    /// Just now so much more than usual was lost that the link must be full.
    pub const fn is_congestion(&self) -> bool {
        self.is_congestion
    }

    /// A little more than usual is lost.
    pub fn is_rising(&self) -> bool {
        self.exceeds(RISING)
    }

    fn exceeds(&self, (least, deviations): (f32, f32)) -> bool {
        let usual = self.usual();
        let deviation = (usual * (1.0 - usual) / self.count.max(1) as f32).sqrt();
        self.recent > usual + least.max(deviations * deviation)
    }

    /// Of one report, more is lost than chance makes of the usual.
    pub fn is_unusual(&self, came: usize, lost: usize) -> bool {
        let usual = self.usual();
        let sure = if usual > LOSSY { SURE } else { 0.0 };
        lost as f32 > sure + UNUSUAL * usual * (came + lost) as f32
    }

    /// The rate was cut because so much was lost, and just now as much still was.
    pub const fn was_mistaken(&self) -> bool {
        self.was_mistaken
    }

    /// The share lost lately.
    pub const fn recent(&self) -> f32 {
        self.recent
    }

    /// The share that is lost anyway.
    pub fn usual(&self) -> f32 {
        self.usual.unwrap_or_default()
    }

    /// The rate was cut for what was lost lately, which says nothing of the time after.
    pub fn forget_recent(&mut self) {
        self.before_cut = Some(self.recent);
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
    fn what_is_lost_as_before_though_less_is_sent_is_usual_soon() {
        let mut meter = LossMeter::default();
        let (_, mut now) = run(&mut meter, 10, 0, Instant::now());
        let (mut cuts, mut mistakes) = (0, 0);
        for _ in 0..100 {
            now += Duration::from_millis(100);
            meter.handle(8, 2, now);
            mistakes += u32::from(meter.was_mistaken());
            if meter.is_congestion() {
                cuts += 1;
                meter.forget_recent();
            }
        }
        assert_eq!((cuts, mistakes), (1, 1));
        // It was the reason: what follows the cut is lost no more.
        let (mut now, mut mistakes) = (now, 0);
        for lost in [6; 9].into_iter().chain([0; 11]) {
            now += Duration::from_millis(100);
            meter.handle(10 - lost, lost, now);
            mistakes += u32::from(meter.was_mistaken());
            if meter.is_congestion() {
                meter.forget_recent();
            }
        }
        assert_eq!(mistakes, 0);
    }

    #[test]
    fn half_of_everything_is_never_usual() {
        let mut meter = LossMeter::default();
        let (judged, _) = run(&mut meter, 20, 5, Instant::now());
        assert!(judged >= 15, "{judged}");
    }
}
