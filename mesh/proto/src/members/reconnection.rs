//! How a member whose path is broken is looked for: often at first, then more seldom, for as long as it has not said that it
//! leaves.

use std::time::{Duration, Instant};

use crate::address::Pair;

/// 30 s: after this long it becomes less.
const OFTEN: Duration = Duration::from_secs(30);

/// 5 min: and after this long less again.
const SOMETIMES: Duration = Duration::from_secs(300);

/// A member that is being sought.
#[derive(Clone, Copy, Debug)]
pub struct Reconnection {
    since: Instant,
    next_at: Instant,
    /// Pairs that were tried: the next attempt goes on with those after them.
    tried: usize,
    /// The user knows that it takes long.
    is_told: bool,
}

impl Reconnection {
    pub const fn begin(now: Instant) -> Self {
        Self {
            since: now,
            next_at: now,
            tried: 0,
            is_told: false,
        }
    }

    /// Something has changed here: it is as in the beginning, but that the user knows of it.
    pub const fn again(self, now: Instant) -> Self {
        Self {
            is_told: self.is_told,
            ..Self::begin(now)
        }
    }

    pub const fn next_at(&self) -> Instant {
        self.next_at
    }

    /// By how many pairs the member is to be dialled now, if it is time.
    pub fn poll(&mut self, now: Instant) -> Option<usize> {
        if now < self.next_at {
            return None;
        }
        let (count, pause) = self.pace(now);
        self.next_at = now + pause;
        Some(count)
    }

    /// Whether the user is to hear that it takes long, once.
    pub fn poll_late(&mut self, now: Instant) -> bool {
        self.has_slowed_down(now) && !std::mem::replace(&mut self.is_told, true)
    }

    /// The next `count` of all pairs that there are, going round.
    pub fn next_pairs(&mut self, mut pairs: Vec<Pair>, count: usize) -> Vec<Pair> {
        if !pairs.is_empty() {
            let first = self.tried % pairs.len();
            pairs.rotate_left(first);
            pairs.truncate(count);
            self.tried = self.tried.wrapping_add(pairs.len());
        }
        pairs
    }

    fn has_slowed_down(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.since) >= OFTEN
    }

    /// How many pairs are tried at once, and how long it takes until the next. Each costs the other side memory for a tag
    /// ([`crate::tag::Seen`]), so it becomes less.
    fn pace(&self, now: Instant) -> (usize, Duration) {
        let age = now.saturating_duration_since(self.since);
        if !self.has_slowed_down(now) {
            (3, Duration::from_secs(1))
        } else if age < SOMETIMES {
            (1, Duration::from_secs(5))
        } else {
            (1, Duration::from_secs(15))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_goes_on_for_a_day_and_leaves_tags_for_hours() {
        let start = Instant::now();
        let mut seek = Reconnection::begin(start);
        let (mut now, mut tags, mut at) = (start, 0, Vec::new());
        while now < start + Duration::from_secs(24 * 3600) {
            tags += seek.poll(now).expect("it is time");
            at.push((now - start, tags));
            now = seek.next_at();
        }
        let made_by = |minutes: u64| {
            let mut before = at.iter().rev();
            let last = before.find(|(age, _)| *age < Duration::from_secs(60 * minutes));
            last.map(|(_, tags)| *tags)
        };
        assert_eq!(at[30].0, Duration::from_secs(30), "each second at first");
        assert_eq!(made_by(5), Some(90 + 54));
        assert!(made_by(180).is_some_and(|tags| tags < 1024), "{:?}", made_by(180));
        assert!(made_by(24 * 60) > made_by(23 * 60), "it never ends");
    }

    #[test]
    fn pairs_are_gone_round_and_the_user_hears_once_that_it_takes_long() {
        let start = Instant::now();
        let pair = |n: u16| (([192, 0, 2, 1], 1).into(), ([198, 51, 100, 1], n).into());
        let all: Vec<Pair> = (0..4).map(pair).collect();
        let mut seek = Reconnection::begin(start);
        let ports = |pairs: Vec<Pair>| -> Vec<u16> { pairs.iter().map(|pair| pair.1.port()).collect() };
        assert_eq!(ports(seek.next_pairs(all.clone(), 3)), [0, 1, 2]);
        assert_eq!(ports(seek.next_pairs(all.clone(), 3)), [3, 0, 1]);
        assert!(seek.next_pairs(Vec::new(), 3).is_empty());
        assert!(!seek.poll_late(start));
        assert!(seek.poll_late(start + OFTEN) && !seek.poll_late(start + OFTEN));
        let mut again = seek.again(start + OFTEN);
        assert_eq!(ports(again.next_pairs(all, 1)), [0]);
        assert!(!again.poll_late(start + 3 * OFTEN), "that is known");
    }
}
