//! What waits to leave on one link, in the order in which it gives way, and when the next of it leaves.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// 5 ms: what may leave at once before its time, so that the program wakes up less often.
const QUANTUM: Duration = Duration::from_millis(5);

/// 100 ms: what has left counts against what follows for this long at the most, so that a moment at a very low rate is
/// forgotten when it is over.
const DEBT: Duration = Duration::from_millis(100);

/// Packets of sound that may wait: what is older is of no use any more.
const MAX_AUDIO: usize = 16;

/// The order in which classes leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Audio: at once, whatever the rate.
    Audio,
    /// Parts of frames, again.
    Repair,
    /// Parts of frames.
    Video,
}

/// The queues of one link.
#[derive(Debug)]
pub struct Pacer<T> {
    audio: VecDeque<T>,
    repair: VecDeque<T>,
    video: VecDeque<T>,
    waiting: u64,
    /// When what has left so far will have passed at the rate.
    free_at: Instant,
    /// Until when what is before its time may leave.
    ahead_until: Instant,
}

/// Something with a size on the wire, bytes.
pub trait OnWire {
    fn size(&self) -> u32;
}

impl<T: OnWire> Pacer<T> {
    pub const fn new(now: Instant) -> Self {
        Self {
            audio: VecDeque::new(),
            repair: VecDeque::new(),
            video: VecDeque::new(),
            waiting: 0,
            free_at: now,
            ahead_until: now,
        }
    }

    pub fn push(&mut self, priority: Priority, item: T) {
        if priority == Priority::Audio && self.audio.len() >= MAX_AUDIO {
            self.audio.pop_front();
        }
        if priority != Priority::Audio {
            self.waiting += u64::from(item.size());
        }
        let queue = match priority {
            Priority::Audio => &mut self.audio,
            Priority::Repair => &mut self.repair,
            Priority::Video => &mut self.video,
        };
        queue.push_back(item);
    }

    /// Bytes of pictures that wait.
    pub const fn waiting(&self) -> u64 {
        self.waiting
    }

    /// Whether sound waits; it leaves with the next poll.
    pub fn has_audio(&self) -> bool {
        !self.audio.is_empty()
    }

    /// What leaves now; nothing but sound while `bits` a second is 0.
    pub fn poll(&mut self, bits: u32, now: Instant) -> Option<T> {
        if let Some(item) = self.audio.pop_front() {
            self.charge(item.size(), bits, now);
            return Some(item);
        }
        if self.waiting == 0 || !self.is_free(bits, now) {
            return None;
        }
        let item = self.repair.pop_front().or_else(|| self.video.pop_front())?;
        self.waiting -= u64::from(item.size());
        self.charge(item.size(), bits, now);
        Some(item)
    }

    /// Whether something other than sound may leave now.
    pub fn is_free(&self, bits: u32, now: Instant) -> bool {
        bits > 0 && (now >= self.free_at || self.free_at < self.ahead_until)
    }

    /// Something of this size leaves now.
    pub fn charge(&mut self, size: u32, bits: u32, now: Instant) {
        let takes = takes(size, bits);
        if now >= self.free_at {
            self.ahead_until = now + QUANTUM;
        }
        self.free_at = (self.free_at.max(now) + takes).min(now + DEBT);
    }

    /// When what has left will have passed: something else than sound can leave then.
    pub const fn free_at(&self) -> Instant {
        self.free_at
    }

    /// Throws away what is no longer of use; `handle_dropped` gets what of it was to leave for the first time.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool, mut handle_dropped: impl FnMut(&T)) {
        for (queue, is_first) in [(&mut self.repair, false), (&mut self.video, true)] {
            queue.retain(|item| {
                let keeps = keep(item);
                if !keeps {
                    self.waiting -= u64::from(item.size());
                    if is_first {
                        handle_dropped(item);
                    }
                }
                keeps
            });
        }
    }
}

/// How long so many bytes take at so many bits a second; nothing at 0.
pub fn takes(size: u32, bits: u32) -> Duration {
    let nanos = u64::from(size) * 8 * 1_000_000_000;
    nanos
        .checked_div(u64::from(bits))
        .map_or(Duration::ZERO, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    impl OnWire for (&'static str, u32) {
        fn size(&self) -> u32 {
            self.1
        }
    }

    #[test]
    fn sound_leaves_at_once_and_pictures_at_the_rate() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        for _ in 0..10 {
            pacer.push(Priority::Video, ("picture", 1000));
        }
        pacer.push(Priority::Repair, ("repair", 1000));
        let mut left = Vec::new();
        for ms in 0..200 {
            let now = start + Duration::from_millis(ms);
            if ms % 20 == 0 {
                pacer.push(Priority::Audio, ("sound", 100));
            }
            while let Some((what, _)) = pacer.poll(500_000, now) {
                left.push((ms, what));
            }
        }
        let times = |wanted: &str| -> Vec<u64> {
            left.iter()
                .filter(|(_, what)| *what == wanted)
                .map(|(ms, _)| *ms)
                .collect()
        };
        assert_eq!(times("sound"), (0..10).map(|n| n * 20).collect::<Vec<_>>());
        assert_eq!(times("repair"), [0], "before pictures that came first");
        // 16 ms each, and 1.6 for each packet of sound.
        assert!((165..190).contains(times("picture").last().expect("one left")));
        assert_eq!(pacer.waiting(), 0);
    }

    #[test]
    fn what_is_stale_does_not_leave() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        pacer.push(Priority::Video, ("old", 1000));
        pacer.push(Priority::Video, ("new", 1000));
        pacer.push(Priority::Repair, ("old", 1000));
        let mut dropped = 0;
        pacer.retain(|(what, _)| *what == "new", |_| dropped += 1);
        assert_eq!(dropped, 1, "what is sent again does not count");
        assert_eq!(pacer.waiting(), 1000);
        assert_eq!(pacer.poll(1_000_000, start), Some(("new", 1000)));
        assert!(pacer.poll(0, start).is_none());
    }
}
