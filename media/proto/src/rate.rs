//! Rates, and when a key frame is made: at most one a second for all who ask.

use std::time::{Duration, Instant};

/// Bits a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bitrate(pub u32);

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
