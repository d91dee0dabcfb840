//! A slot for the latest: whoever is slow gets the newest, and what was never taken is counted.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Holds at most one value, the newest.
#[derive(Debug)]
pub struct LatestSlot<T> {
    state: Mutex<State<T>>,
    filled: Condvar,
}

#[derive(Debug)]
struct State<T> {
    value: Option<T>,
    dropped: u64,
}

impl<T> Default for LatestSlot<T> {
    fn default() -> Self {
        Self {
            state: Mutex::new(State {
                value: None,
                dropped: 0,
            }),
            filled: Condvar::new(),
        }
    }
}

impl<T> LatestSlot<T> {
    /// Puts a value in; one that was not taken is dropped and counted.
    pub fn put(&self, value: T) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.dropped += u64::from(state.value.replace(value).is_some());
        drop(state);
        self.filled.notify_one();
    }

    /// Takes the value, waiting for one at most as long as `patience`.
    pub fn take(&self, patience: Duration) -> Option<T> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut state, _) = self
            .filled
            .wait_timeout_while(state, patience, |state| state.value.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        state.value.take()
    }

    /// How many values were never taken.
    pub fn dropped(&self) -> u64 {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).dropped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_is_taken_and_the_rest_is_counted() {
        let slot = LatestSlot::default();
        assert_eq!(slot.take(Duration::ZERO), None);
        for value in 0..5 {
            slot.put(value);
        }
        assert_eq!(
            (slot.take(Duration::ZERO), slot.take(Duration::ZERO)),
            (Some(4), None)
        );
        assert_eq!(slot.dropped(), 4);
    }
}
