//! Packets back into frames, in an order that can be decoded. A frame on which others build and that misses a part is
//! waited for, because the sender sends lost parts again; then nothing is handed on until the next key frame. A frame on
//! which nothing builds is waited for until the next one is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::video::{self, Fragment, Frame, PartSize};

const GROUP: usize = video::GROUP as usize;

/// Frames being put together at once: as many as come while one is waited for, at 30 a second and more.
const MAX_FRAMES: usize = 32;

/// 1024 parts, 1.1 MB: what frames being put together may hold at once.
const MAX_PARTS: usize = 1024;

/// 500 ms: how long a frame is waited for; the sender sends its parts again for 400 ms.
const PATIENCE: Duration = Duration::from_millis(500);

/// 300 ms: a key frame is asked for again after this long, in case the request or the frame was lost.
const ASK_AGAIN: Duration = Duration::from_millis(300);

/// Counts since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReassemblyStats {
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
    size: PartSize,
    count: u16,
    last_len: usize,
    have: Vec<bool>,
    /// Of each group, if it came.
    parity: Vec<Option<Vec<u8>>>,
    missing: u16,
    since: Instant,
}

/// One sender's pictures.
#[derive(Debug, Default)]
pub struct Reassembler {
    partial: BTreeMap<u32, Partial>,
    /// The newest frame handed on that others build on; `None` while only a key frame will do.
    reference: Option<u32>,
    /// The newest frame handed on: what is older is too late.
    newest: Option<u32>,
    asked: Option<Instant>,
    counts: ReassemblyStats,
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
        if !self.partial.contains_key(&fragment.number) {
            self.make_room(usize::from(fragment.count));
        }
        let partial = self
            .partial
            .entry(fragment.number)
            .or_insert_with(|| Partial::new(fragment, now));
        partial.insert(fragment)
    }

    /// The oldest give way: who sends so many frames without finishing one has lost it.
    fn make_room(&mut self, parts: usize) {
        let held = |partial: &BTreeMap<u32, Partial>| {
            partial
                .values()
                .map(|partial| usize::from(partial.count))
                .sum::<usize>()
        };
        while self.partial.len() >= MAX_FRAMES || held(&self.partial) + parts > MAX_PARTS {
            let Some((number, _)) = self.partial.pop_first() else {
                return;
            };
            self.give_up(number);
        }
    }

    /// The next whole frame that can be decoded, if it is there.
    pub fn poll_frame(&mut self, now: Instant) -> Option<Frame> {
        loop {
            let ready = self.partial.iter().find(|(number, partial)| {
                partial.missing == 0
                    && (partial.frame.dependency.is_key() || self.builds_on(**number, partial))
            });
            if let Some(number) = ready.map(|(number, _)| *number) {
                return self.hand_on(number);
            }
            let (number, oldest) = self.partial.first_key_value()?;
            if now < oldest.since + PATIENCE {
                return None;
            }
            let number = *number;
            self.partial.pop_first();
            self.give_up(number);
        }
    }

    /// Whether what the frame builds on is the last that was handed on.
    fn builds_on(&self, number: u32, partial: &Partial) -> bool {
        self.reference == Some(number.wrapping_sub(u32::from(partial.frame.dependency.frame_diff)))
    }

    fn hand_on(&mut self, number: u32) -> Option<Frame> {
        let after = self.partial.split_off(&number);
        self.counts.lost += self.partial.len() as u64;
        self.partial = after;
        let partial = self.partial.remove(&number)?;
        self.newest = Some(number);
        if !partial.frame.dependency.is_discardable {
            self.reference = Some(number);
        }
        self.counts.complete += 1;
        Some(partial.into_frame())
    }

    /// Whether a key frame is to be asked for now.
    pub fn poll_key_frame_request(&mut self, now: Instant) -> bool {
        let has_begun = self.newest.is_some() || !self.partial.is_empty();
        let comes = self
            .partial
            .values()
            .any(|partial| partial.frame.dependency.is_key());
        let is_needed = has_begun && self.reference.is_none() && !comes;
        let due = is_needed && self.asked.is_none_or(|asked| now >= asked + ASK_AGAIN);
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
        self.reference = None;
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn counts(&self) -> ReassemblyStats {
        self.counts
    }

    fn give_up(&mut self, number: u32) {
        self.counts.lost += 1;
        self.newest = Some(number);
        self.reference = None;
    }
}

impl Partial {
    fn new(fragment: &Fragment<'_>, now: Instant) -> Self {
        let count = usize::from(fragment.count);
        Self {
            frame: Frame {
                number: fragment.number,
                captured: fragment.captured,
                dependency: fragment.dependency,
                data: vec![0; count * fragment.size.max_data()],
            },
            size: fragment.size,
            count: fragment.count,
            last_len: 0,
            have: vec![false; count],
            parity: vec![None; count.div_ceil(GROUP)],
            missing: fragment.count,
            since: now,
        }
    }

    fn insert(&mut self, fragment: &Fragment<'_>) -> bool {
        let agrees = fragment.count == self.count
            && fragment.size == self.size
            && fragment.dependency == self.frame.dependency
            && fragment.captured == self.frame.captured;
        let index = usize::from(fragment.index);
        let group = index / GROUP;
        if !agrees {
            return false;
        }
        if fragment.is_parity {
            let Some(parity) = self.parity.get_mut(group) else {
                return false;
            };
            *parity = Some(fragment.data.to_vec());
        } else if !self.put(index, fragment.data) {
            return false;
        }
        self.recover(group);
        true
    }

    /// Puts a part in its place. One that is there already was sent again, and not lost after all.
    fn put(&mut self, index: usize, data: &[u8]) -> bool {
        let start = index * self.size.max_data();
        let place = self.frame.data.get_mut(start..start + data.len());
        let (Some(place), Some(have)) = (place, self.have.get_mut(index)) else {
            return false;
        };
        if !*have {
            place.copy_from_slice(data);
            *have = true;
            self.missing -= 1;
            if index + 1 == usize::from(self.count) {
                self.last_len = data.len();
            }
        }
        true
    }

    /// Makes the one part that a group misses from its parity.
    fn recover(&mut self, group: usize) {
        let first = group * GROUP;
        let last = (first + GROUP).min(usize::from(self.count));
        let mut missing = (first..last).filter(|index| !self.have[*index]);
        let (Some(index), None) = (missing.next(), missing.next()) else {
            return;
        };
        let Some(mut sum) = self.parity.get_mut(group).and_then(Option::take) else {
            return;
        };
        for other in (first..last).filter(|other| *other != index) {
            video::add_to_parity(&mut sum, self.part(other));
        }
        let is_last = index + 1 == usize::from(self.count);
        let made = video::last_of_parity(&sum).filter(|data| !data.is_empty());
        let full = self.size.max_data();
        if let Some(data) = made.filter(|data| data.len() == full || (is_last && data.len() < full)) {
            self.put(index, data);
        }
    }

    /// A part that is there.
    fn part(&self, index: usize) -> &[u8] {
        let is_last = index + 1 == usize::from(self.count);
        let full = self.size.max_data();
        let length = if is_last { self.last_len } else { full };
        let start = index * full;
        self.frame.data.get(start..start + length).unwrap_or_default()
    }

    fn into_frame(self) -> Frame {
        let mut frame = self.frame;
        let full = self.size.max_data();
        frame
            .data
            .truncate((usize::from(self.count) - 1) * full + self.last_len);
        frame
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Ticks;
    use crate::video::{Dependency, Packets};

    fn frame(number: u32, len: usize) -> Frame {
        let data = (0..len).map(|at| (at as u32 ^ number) as u8).collect();
        Frame {
            number,
            captured: Ticks(number),
            dependency: Dependency {
                frame_diff: u8::from(!number.is_multiple_of(10)),
                is_discardable: false,
            },
            data,
        }
    }

    fn packets(frame: &Frame) -> Vec<Vec<u8>> {
        packets_of_size(frame, PartSize::Full)
    }

    fn packets_of_size(frame: &Frame, size: PartSize) -> Vec<Vec<u8>> {
        let packets = Packets::of(frame.clone());
        packets.bodies(size).iter().map(|body| body.to_vec()).collect()
    }

    fn any_size() -> impl Strategy<Value = PartSize> {
        prop::sample::select(PartSize::ALL.to_vec())
    }

    proptest! {
        #[test]
        fn one_part_of_each_group_may_be_lost_when_there_is_parity(
            len in 1usize..20_000,
            size in any_size(),
            lost in prop::collection::vec(0usize..4, 20),
        ) {
            let now = Instant::now();
            let frame = frame(0, len);
            let packets = Packets::of(frame.clone());
            let mut reassembler = Reassembler::default();
            for parity in packets.parity(size) {
                reassembler.handle_packet(parity, now);
            }
            for (index, body) in packets.bodies(size).iter().enumerate() {
                if lost[index / GROUP] != index % GROUP {
                    reassembler.handle_packet(body, now);
                }
            }
            prop_assert_eq!(reassembler.poll_frame(now), Some(frame));
        }

        #[test]
        fn frames_come_out_as_they_went_in_whatever_the_order(
            lens in prop::collection::vec((1usize..6000, any_size()), 1..8),
            order in any::<u64>(),
        ) {
            let now = Instant::now();
            let sizes: Vec<_> = lens.iter().map(|(_, size)| *size).collect();
            let frames: Vec<_> = (0..).zip(lens).map(|(number, (len, _))| frame(number, len)).collect();
            let cut = frames.iter().zip(sizes);
            let mut bodies: Vec<_> = cut.flat_map(|(frame, size)| packets_of_size(frame, size)).collect();
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

    /// Plays `count` frames, 30 a second; `arrives` says how many milliseconds late a part of a frame comes, or `None`.
    /// Returns which were shown and how often a key frame was asked for.
    fn play(
        count: u32,
        make: fn(u32) -> Frame,
        arrives: impl Fn(u32, usize) -> Option<u64>,
    ) -> (Vec<u32>, u32) {
        let start = Instant::now();
        let mut reassembler = Reassembler::default();
        let mut coming = Vec::new();
        for number in 0..count {
            for (index, body) in packets(&make(number)).into_iter().enumerate() {
                coming.extend(arrives(number, index).map(|late| (u64::from(number) * 33 + late, body)));
            }
        }
        coming.sort_by_key(|(at, _)| *at);
        let (mut shown, mut asked) = (Vec::new(), 0);
        for (at, body) in coming {
            let now = start + Duration::from_millis(at);
            reassembler.handle_packet(&body, now);
            while let Some(frame) = reassembler.poll_frame(now) {
                shown.push(frame.number);
            }
            asked += u32::from(reassembler.poll_key_frame_request(now));
        }
        (shown, asked)
    }

    #[test]
    fn a_part_that_is_sent_again_is_waited_for() {
        let late = |number, index| Some(if (number, index) == (3, 1) { 150 } else { 0 });
        let (shown, asked) = play(10, |number| frame(number, 3000), late);
        assert_eq!((shown, asked), ((0..10).collect(), 0));
    }

    #[test]
    fn after_a_loss_only_a_key_frame_goes_on_and_it_is_asked_for() {
        // A key frame every 30 frames.
        let make = |number: u32| Frame {
            dependency: Dependency {
                frame_diff: u8::from(!number.is_multiple_of(30)),
                is_discardable: false,
            },
            ..frame(number, 3000)
        };
        let lost = |number, index| ((number, index) != (3, 1)).then_some(0);
        let (shown, asked) = play(32, make, lost);
        assert_eq!(shown, [0, 1, 2, 30, 31]);
        assert_eq!(asked, 2, "once it was waited for in vain, and again after 300 ms");
    }

    #[test]
    fn a_frame_that_nothing_builds_on_may_be_missing() {
        let make = |number: u32| Frame {
            dependency: Dependency {
                frame_diff: if number == 0 { 0 } else { 2 - (number % 2) as u8 },
                is_discardable: !number.is_multiple_of(2),
            },
            ..frame(number, 3000)
        };
        let lost = |number, index| ((number, index) != (3, 1) && number != 5).then_some(0);
        let (shown, asked) = play(10, make, lost);
        assert_eq!((shown, asked), (vec![0, 1, 2, 4, 6, 7, 8, 9], 0));
    }

    #[test]
    fn frames_that_are_never_finished_take_no_more_memory_than_a_few() {
        let now = Instant::now();
        let mut reassembler = Reassembler::default();
        for number in 0..100 {
            reassembler.handle_packet(&packets(&frame(number, 200 * video::MAX_DATA))[0], now);
            let parts = reassembler
                .partial
                .values()
                .map(|partial| usize::from(partial.count));
            assert!(parts.sum::<usize>() <= MAX_PARTS);
        }
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
        let mut other_size = bodies[2].clone();
        other_size[12] |= 4;
        assert!(
            Fragment::decode(&other_size).is_some(),
            "it could be one by itself"
        );
        reassembler.handle_packet(&other_size, now);
        assert_eq!(reassembler.counts().dropped, 3);
        assert_eq!(reassembler.poll_frame(now), None);
    }
}
