//! How much picture is sent: a fixed rate, lowered while the worst link loses packets; and key frames, at most
//! one a second for all who ask.

use std::time::{Duration, Instant};

/// Bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bitrate(pub u32);

impl Bitrate {
    /// What a picture of this size needs to look good: 500 kbit/s at 640×360 (measured on the office clip:
    /// 41 dB), a quarter bit for each pixel and second above and below.
    #[must_use]
    pub fn for_picture(width: u32, height: u32) -> Self {
        let pixels = width.saturating_mul(height);
        Self((pixels / 100 * 217).clamp(120_000, 2_000_000))
    }
}

/// Loss from which on the rate is lowered (Google congestion control, draft-ietf-rmcat-gcc-02, section 6).
const HIGH_LOSS: f32 = 0.10;

/// Loss below which it is raised again.
const LOW_LOSS: f32 = 0.02;

/// The lowest rate: a picture that can still be recognised.
const FLOOR: Bitrate = Bitrate(100_000);

/// The cap on the picture's rate.
#[derive(Debug)]
pub struct RateCap {
    full: Bitrate,
    current: Bitrate,
}

impl RateCap {
    /// Starts at `full`.
    #[must_use]
    pub const fn new(full: Bitrate) -> Self {
        Self { full, current: full }
    }

    /// Takes the loss on the worst link over the last second, 0 to 1. Returns the rate from now on.
    pub fn handle_loss(&mut self, worst: f32) -> Bitrate {
        let Bitrate(now) = self.current;
        let next = if worst > HIGH_LOSS {
            // By half the loss, as the draft has it.
            (now as f32 * (1.0 - worst / 2.0)) as u32
        } else if worst < LOW_LOSS {
            now + now / 20
        } else {
            now
        };
        self.current = Bitrate(next.clamp(FLOOR.0.min(self.full.0), self.full.0));
        self.current
    }
}

/// 1 s: the least time between two key frames.
const KEY_FRAME_GAP: Duration = Duration::from_secs(1);

/// Decides when a key frame is sent.
#[derive(Debug, Default)]
pub struct KeyFrames {
    wanted: bool,
    last: Option<Instant>,
}

impl KeyFrames {
    /// Somebody needs one.
    pub const fn handle_request(&mut self) {
        self.wanted = true;
    }

    /// Whether the frame that is encoded now is to be one.
    pub fn poll(&mut self, now: Instant) -> bool {
        let due = self.wanted && self.last.is_none_or(|last| now >= last + KEY_FRAME_GAP);
        if due {
            self.wanted = false;
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_lowers_the_rate_and_calm_brings_it_back() {
        let mut cap = RateCap::new(Bitrate(500_000));
        assert_eq!(cap.handle_loss(0.05), Bitrate(500_000));
        assert_eq!(cap.handle_loss(0.2), Bitrate(450_000));
        for _ in 0..100 {
            cap.handle_loss(1.0);
        }
        assert_eq!(cap.handle_loss(1.0), FLOOR);
        for _ in 0..100 {
            cap.handle_loss(0.0);
        }
        assert_eq!(cap.handle_loss(0.0), Bitrate(500_000));
    }

    #[test]
    fn many_requests_make_one_key_frame_a_second() {
        let start = Instant::now();
        let mut key_frames = KeyFrames::default();
        let sent = (0..3000)
            .filter(|ms| {
                key_frames.handle_request();
                key_frames.poll(start + Duration::from_millis(*ms))
            })
            .count();
        assert_eq!(sent, 3);
        assert!(!KeyFrames::default().poll(start), "none unasked");
    }
}
