//! Packets back into frames, in order. A frame that misses a part is waited for a little, then given up, and
//! nothing is handed on until the next key frame: each frame builds on the one before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::video::{Fragment, Frame, MAX_DATA};

/// Frames being put together at once: a quarter of a second.
const MAX_FRAMES: usize = 8;

/// 120 ms: how long a part may be late once a later frame is there.
const PATIENCE: Duration = Duration::from_millis(120);

/// 300 ms: a key frame is asked for again after this long, in case the request or the frame was lost.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// Counts since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Frames handed on.
    pub complete: u64,
    /// Frames given up, or of no use without one that was.
    pub lost: u64,
    /// Packets that fit nowhere.
    pub dropped: u64,
}

#[derive(Debug)]
struct Partial {
    frame: Frame,
    count: u16,
    last_len: usize,
    have: Vec<bool>,
    missing: u16,
    since: Instant,
}

/// One sender's pictures.
#[derive(Debug, Default)]
pub struct Reassembler {
    partial: BTreeMap<u32, Partial>,
    /// The frame that the decoder can take next; `None` while only a key frame will do.
    next: Option<u32>,
    /// The newest frame handed on: what is older is too late.
    newest: Option<u32>,
    asked: Option<Instant>,
    counts: Counts,
}

impl Reassembler {
    /// Takes a packet that arrived at `now`.
    pub fn handle_packet(&mut self, body: &[u8], now: Instant) {
        let kept = Fragment::decode(body).is_some_and(|fragment| self.insert(&fragment, now));
        self.counts.dropped += u64::from(!kept);
    }

    fn insert(&mut self, fragment: &Fragment<'_>, now: Instant) -> bool {
        let is_late = |newest: u32| fragment.number.wrapping_sub(newest).cast_signed() <= 0;
        if self.newest.is_some_and(is_late) {
            return false;
        }
        if !self.partial.contains_key(&fragment.number) && self.partial.len() >= MAX_FRAMES {
            // The oldest gives way: whoever sends eight frames without finishing one has lost it.
            if let Some((number, _)) = self.partial.pop_first() {
                self.give_up(number);
            }
        }
        let partial = self
            .partial
            .entry(fragment.number)
            .or_insert_with(|| Partial::new(fragment, now));
        partial.insert(fragment)
    }

    /// The next whole frame that can be decoded, if it is there.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Frame> {
        loop {
            let (number, partial) = self.partial.first_key_value()?;
            let number = *number;
            let usable = partial.frame.is_key || self.next == Some(number);
            if partial.missing == 0 && usable {
                let (_, partial) = self.partial.pop_first()?;
                self.next = Some(number.wrapping_add(1));
                self.newest = Some(number);
                self.counts.complete += 1;
                return Some(partial.frame.with_length(partial.count, partial.last_len));
            }
            let newer_key = self.partial.values().any(|p| p.frame.is_key && p.missing == 0);
            let is_over = now >= partial.since + PATIENCE && (partial.missing == 0 || self.partial.len() > 1);
            if !(newer_key || is_over) {
                return None;
            }
            self.partial.pop_first();
            self.give_up(number);
        }
    }

    /// Whether a key frame is to be asked for now.
    pub fn poll_key_frame_request(&mut self, now: Instant) -> bool {
        let has_begun = self.newest.is_some() || !self.partial.is_empty();
        let due = has_begun && self.next.is_none() && self.asked.is_none_or(|asked| now >= asked + ASK_AGAIN);
        if due {
            self.asked = Some(now);
        }
        due
    }

    /// The decoder showed a picture: the next loss may be asked about at once.
    pub const fn handle_decoded(&mut self) {
        self.asked = None;
    }

    /// The decoder could not use what it was given: only a key frame will do.
    pub const fn handle_decode_failure(&mut self) {
        self.next = None;
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    fn give_up(&mut self, number: u32) {
        self.counts.lost += 1;
        self.newest = Some(number);
        self.next = None;
    }
}

impl Partial {
    fn new(fragment: &Fragment<'_>, now: Instant) -> Self {
        let count = usize::from(fragment.count);
        Self {
            frame: Frame {
                number: fragment.number,
                captured: fragment.captured,
                is_key: fragment.is_key,
                data: vec![0; count * MAX_DATA],
            },
            count: fragment.count,
            last_len: 0,
            have: vec![false; count],
            missing: fragment.count,
            since: now,
        }
    }

    fn insert(&mut self, fragment: &Fragment<'_>) -> bool {
        let index = usize::from(fragment.index);
        let agrees = fragment.count == self.count
            && fragment.is_key == self.frame.is_key
            && fragment.captured == self.frame.captured;
        let Some(have) = self.have.get_mut(index).filter(|have| agrees && !**have) else {
            return false;
        };
        let start = index * MAX_DATA;
        let Some(place) = self.frame.data.get_mut(start..start + fragment.data.len()) else {
            return false;
        };
        place.copy_from_slice(fragment.data);
        *have = true;
        self.missing -= 1;
        if fragment.index + 1 == self.count {
            self.last_len = fragment.data.len();
        }
        true
    }
}

impl Frame {
    fn with_length(mut self, count: u16, last_len: usize) -> Self {
        self.data.truncate((usize::from(count) - 1) * MAX_DATA + last_len);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Ticks;
    use crate::video::packets;

    fn frame(number: u32, len: usize) -> Frame {
        let data = (0..len).map(|at| (at as u32 ^ number) as u8).collect();
        Frame {
            number,
            captured: Ticks(number),
            is_key: number.is_multiple_of(10),
            data,
        }
    }

    proptest! {
        #[test]
        fn frames_come_out_as_they_went_in_whatever_the_order(
            lens in prop::collection::vec(1usize..6000, 1..8),
            order in any::<u64>(),
        ) {
            let now = Instant::now();
            let frames: Vec<_> = (0..).zip(lens).map(|(number, len)| frame(number, len)).collect();
            let mut bodies: Vec<_> = frames.iter().flat_map(packets).collect();
            let len = bodies.len();
            for at in 0..len {
                bodies.swap(at, (order as usize).wrapping_mul(at + 1) % len);
            }
            let mut reassembler = Reassembler::default();
            let mut out = Vec::new();
            for body in bodies {
                reassembler.handle_packet(&body, now);
                while let Some(frame) = reassembler.poll_frame(now) {
                    out.push(frame);
                }
            }
            prop_assert_eq!(out, frames);
        }

        #[test]
        fn anything_may_arrive(bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..200)) {
            let now = Instant::now();
            let mut reassembler = Reassembler::default();
            for body in bodies {
                reassembler.handle_packet(&body, now);
                let _frame = reassembler.poll_frame(now);
                prop_assert!(reassembler.partial.len() <= MAX_FRAMES);
            }
        }
    }

    #[test]
    fn after_a_loss_only_a_key_frame_goes_on_and_it_is_asked_for() {
        let start = Instant::now();
        let mut reassembler = Reassembler::default();
        let mut shown = Vec::new();
        let mut asked = 0;
        for number in 0..15 {
            let now = start + Duration::from_millis(33) * number;
            for (index, body) in packets(&frame(number, 3000)).iter().enumerate() {
                if number != 3 || index != 1 {
                    reassembler.handle_packet(body, now);
                }
            }
            while let Some(frame) = reassembler.poll_frame(now) {
                shown.push(frame.number);
            }
            asked += u32::from(reassembler.poll_key_frame_request(now));
        }
        assert_eq!(shown, [0, 1, 2, 10, 11, 12, 13, 14]);
        assert_eq!(asked, 1, "once the loss is certain, and not again within 300 ms");
        assert_eq!(reassembler.counts().lost, 7);
    }

    #[test]
    fn parts_that_contradict_each_other_are_dropped() {
        let now = Instant::now();
        let mut reassembler = Reassembler::default();
        let bodies = packets(&frame(0, 3000));
        reassembler.handle_packet(&bodies[0], now);
        reassembler.handle_packet(&bodies[0], now);
        let mut other_count = bodies[1].clone();
        other_count[11] = 9;
        reassembler.handle_packet(&other_count, now);
        reassembler.handle_packet(&bodies[1][..40], now);
        assert_eq!(reassembler.counts().dropped, 3);
        assert_eq!(reassembler.poll_frame(now), None);
    }
}
