//! The replay window: each counter is accepted once, and only while it is recent (RFC 6479's idea, unpacked).

/// How many counters behind the newest are still told apart.
pub const WINDOW: u64 = 8192;

const WORDS: usize = (WINDOW / 64) as usize + 1;

/// A sliding bitmap over the last [`WINDOW`] counters.
#[derive(Debug)]
pub struct Window {
    /// One more than the newest counter accepted; 0 before the first.
    next: u64,
    /// Bit `counter % 64` of word `counter / 64 % WORDS`; one word more than the window, so that the newest
    /// word never shares its place with one still in the window.
    seen: [u64; WORDS],
}

impl Window {
    pub const fn new() -> Self {
        Self {
            next: 0,
            seen: [0; WORDS],
        }
    }

    /// One more than the newest counter accepted.
    pub const fn next(&self) -> u64 {
        self.next
    }

    /// Whether `counter` was not accepted before and is not too old to know.
    pub const fn is_fresh(&self, counter: u64) -> bool {
        if counter >= self.next {
            return true;
        }
        let (word, bit) = place(counter);
        self.next - counter <= WINDOW && self.seen[word] & bit == 0
    }

    /// Remembers `counter`. Only to be called for an authentic message, or a forger could close the window.
    pub fn mark(&mut self, counter: u64) {
        if counter >= self.next {
            let first_new = self.next.div_ceil(64);
            let last_new = counter / 64;
            for block in first_new..=last_new.min(first_new.saturating_add(WORDS as u64)) {
                self.seen[(block % WORDS as u64) as usize] = 0;
            }
            if last_new - first_new.min(last_new) >= WORDS as u64 {
                self.seen = [0; WORDS];
            }
            self.next = counter + 1;
        }
        let (word, bit) = place(counter);
        self.seen[word] |= bit;
    }
}

const fn place(counter: u64) -> (usize, u64) {
    ((counter / 64 % WORDS as u64) as usize, 1 << (counter % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Against the plainest model there is: the set of all counters ever marked.
        #[test]
        fn the_window_agrees_with_a_set(
            steps in prop::collection::vec((0u64..40_000, 0u64..20_000), 1..200)
        ) {
            let mut window = Window::new();
            let mut marked = BTreeSet::new();
            for (base, back) in steps {
                let counter = base.saturating_sub(back);
                let newest = marked.last().copied();
                let fresh = !marked.contains(&counter)
                    && newest.is_none_or(|newest: u64| counter > newest || newest - counter < WINDOW);
                prop_assert_eq!(window.is_fresh(counter), fresh);
                if fresh {
                    window.mark(counter);
                    marked.insert(counter);
                }
            }
        }
    }

    #[test]
    fn a_jump_to_the_far_end_forgets_everything_before() {
        let mut window = Window::new();
        window.mark(5);
        window.mark(u64::MAX >> 1);
        assert!(!window.is_fresh(5));
        assert!(!window.is_fresh(u64::MAX >> 1));
        assert!(window.is_fresh((u64::MAX >> 1) - WINDOW + 1));
    }
}
