//! What of a link's rate is left for video: beside audio and reports, which are sent whatever the link carries, and without what
//! packets, padding and repair add.

use std::time::Instant;

use super::steady::Steady;
use crate::rate::Bitrate;

/// What a link is asked for beside what pictures usually take on the wire: some are larger, and what is lost is sent again.
const HEADROOM: f64 = 1.4;

/// Of what pictures take on the wire, the least that is taken to be theirs.
const LEAST_EFFICIENT: f64 = 0.3;

/// How fast the shares of pictures and of packing follow: over about a second of pictures.
const FOLLOW: f64 = 1.0 / 32.0;

/// How one link's rate is used.
#[derive(Debug)]
pub struct Budget {
    /// Of what video takes on the wire, the share that is its own: the rest is headers, padding and repair.
    efficiency: f64,
    audio: Steady,
    reports: Steady,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            efficiency: 0.85,
            audio: Steady::default(),
            reports: Steady::default(),
        }
    }
}

impl Budget {
    /// A packet of audio of this size on the wire is to be sent.
    pub fn handle_audio(&mut self, size: u32, now: Instant) {
        self.audio.count(size, now);
    }

    /// A report of this size on the wire is sent.
    pub fn handle_report(&mut self, size: u32, now: Instant) {
        self.reports.count(size, now);
    }

    /// A frame of so many bytes is to be sent, in packets that take so many on the wire, of which such a share is lost.
    pub fn handle_frame(&mut self, bytes: usize, wire: u32, loss: f32) {
        if wire > 0 {
            let share = (1.0 - f64::from(loss)) * bytes as f64 / f64::from(wire);
            self.efficiency += FOLLOW * (share - self.efficiency);
        }
    }

    /// What the link is to carry so that video may be of this rate, as the encoder counts it.
    pub fn wanted(&mut self, video: Bitrate, now: Instant) -> Bitrate {
        self.audio.expire(now);
        self.reports.expire(now);
        let video = f64::from(video.0) / self.efficiency.max(LEAST_EFFICIENT) * HEADROOM;
        Bitrate(video as u32 + self.audio.rate().0)
    }

    /// What of `all` is left beside audio, on the wire.
    pub const fn beside_audio(&self, all: Bitrate) -> Bitrate {
        Bitrate(all.0.saturating_sub(self.audio.rate().0))
    }

    /// The same, as the encoder counts it.
    pub fn for_video(&self, all: Bitrate) -> Bitrate {
        let left = self.beside_audio(all);
        Bitrate((f64::from(left.0) * self.efficiency) as u32)
    }

    /// What of `all` is left beside reports.
    pub const fn beside_reports(&self, all: Bitrate) -> Bitrate {
        Bitrate(all.0.saturating_sub(self.reports.rate().0))
    }

    /// `media` with its reports.
    pub const fn with_reports(&self, media: Bitrate) -> Bitrate {
        Bitrate(media.0.saturating_add(self.reports.rate().0))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_asked_for_a_rate_of_video_leaves_that_rate_for_it() {
        let start = Instant::now();
        let mut budget = Budget::default();
        for packet in 0..100 {
            let now = start + Duration::from_millis(20) * packet;
            budget.handle_audio(300, now);
            budget.handle_report(100, now);
            budget.handle_frame(800, 1000, 0.1);
        }
        let now = start + Duration::from_secs(2);
        let all = budget.wanted(Bitrate(500_000), now);
        assert!(budget.for_video(all) >= Bitrate(500_000), "{all:?}");
        assert_eq!(budget.beside_audio(Bitrate(200_000)), Bitrate(80_000));
        let limit = budget.beside_reports(Bitrate(200_000));
        assert_eq!(
            (limit, budget.with_reports(limit)),
            (Bitrate(160_000), Bitrate(200_000))
        );
    }
}
