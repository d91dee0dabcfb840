//! Packets back into frames, in an order that can be decoded. A frame on which others build and that misses a part is
//! waited for, because the sender sends lost parts again; then nothing is handed on until the next key frame. A frame on
//! which nothing builds is waited for until the next one is there.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::video::{self, Fragment, Frame, PacketSize};

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
    size: PacketSize,
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
mod tests;
