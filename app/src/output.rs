//! Lines on their way to somebody who may not read them: a pipe that is full, a terminal that is held. Whoever has something to
//! say never waits for that; a thread does.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// 1 MiB: what may wait to be written.
const MAX_BYTES: usize = 1 << 20;

/// What becomes of a line when too many wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weight {
    /// It is one of many alike: the oldest of these go first.
    Measurement,
    /// It stays as long as there is room.
    Event,
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Queue {
    texts: VecDeque<(Weight, String)>,
    bytes: usize,
    /// Texts that were dropped since that was asked last.
    dropped: u64,
    /// Texts that were written, or could not be.
    done: u64,
    is_writing: bool,
}

impl Queue {
    fn push(&mut self, weight: Weight, text: String) {
        self.bytes += text.len();
        self.texts.push_back((weight, text));
        while self.bytes > MAX_BYTES {
            let measurement = self
                .texts
                .iter()
                .position(|(weight, _)| *weight == Weight::Measurement);
            let Some((_, dropped)) = self.texts.remove(measurement.unwrap_or(0)) else {
                return;
            };
            self.bytes -= dropped.len();
            self.dropped += 1;
        }
    }

    fn pop(&mut self) -> Option<String> {
        let (_, text) = self.texts.pop_front()?;
        self.bytes -= text.len();
        Some(text)
    }

    fn is_idle(&self) -> bool {
        self.texts.is_empty() && !self.is_writing
    }
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes what comes, for as long as the program lives.
    fn write_to(&self, to: &mut impl Write) {
        let mut queue = self.lock();
        loop {
            if let Some(text) = queue.pop() {
                queue.is_writing = true;
                drop(queue);
                // One that is gone takes nothing more; the call goes on.
                let _gone = to.write_all(text.as_bytes()).and_then(|()| to.flush());
                queue = self.lock();
                queue.is_writing = false;
                queue.done += 1;
                self.changed.notify_all();
            } else {
                queue = self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

/// Where lines go.
#[derive(Clone, Debug, Default)]
pub struct Output(Arc<Shared>);

/// Each piece is a line that stays as long as there is room.
impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.push(Weight::Event, String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Output {
    /// Writes to `to`, on a thread of its own. Without one nothing is written.
    pub fn start(name: &str, mut to: impl Write + Send + 'static) -> Self {
        let output = Self::default();
        let shared = Arc::clone(&output.0);
        let thread = std::thread::Builder::new().name(name.into());
        let _unavailable = thread.spawn(move || shared.write_to(&mut to));
        output
    }

    /// Hands a text over. Where too many wait some are dropped, and counted.
    pub fn push(&self, weight: Weight, text: String) {
        self.0.lock().push(weight, text);
        self.0.changed.notify_all();
    }

    /// How many texts were dropped since this was asked last.
    #[must_use]
    pub fn take_dropped(&self) -> u64 {
        std::mem::take(&mut self.0.lock().dropped)
    }

    /// Waits until everything is written, but no longer than so long for any one text.
    pub fn finish(&self, patience: Duration) {
        let mut queue = self.0.lock();
        while !queue.is_idle() {
            let done = queue.done;
            let waited = self
                .0
                .changed
                .wait_timeout_while(queue, patience, |queue| queue.done == done);
            let (now, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            if waited.timed_out() {
                return;
            }
            queue = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// A reader that takes each text when it is told to.
    struct Slow(Receiver<()>, SyncSender<String>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _ended = self.0.recv();
            let _ended = self.1.send(String::from_utf8_lossy(bytes).into_owned());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn whoever_says_something_to_nobody_does_not_wait_and_loses_measurements_first() {
        let (go_on, wait) = sync_channel(0);
        let (sender, written) = sync_channel(4096);
        let output = Output::start("test", Slow(wait, sender));
        let long = "x".repeat(1 << 12);
        output.push(Weight::Event, "first".into());
        for n in 0..1000 {
            output.push(Weight::Measurement, format!("measurement {n} {long}"));
            if n % 100 == 0 {
                output.push(Weight::Event, format!("event {n}"));
            }
        }
        output.finish(Duration::ZERO);
        let dropped = output.take_dropped();
        assert!(dropped > 700, "{dropped}");
        assert_eq!(output.take_dropped(), 0);
        drop(go_on);
        output.finish(Duration::from_secs(60));
        let written: Vec<_> = written.try_iter().collect();
        let events = written
            .iter()
            .filter(|text| text.starts_with("event") || *text == "first");
        assert_eq!(events.count(), 11, "no event was lost");
        assert_eq!(written.len() as u64 + dropped, 1011);
        assert!(
            written
                .last()
                .is_some_and(|text| text.starts_with("measurement 999 "))
        );
    }

    #[test]
    fn events_alone_are_bounded_as_well() {
        let mut queue = Queue::default();
        for n in 0..1000 {
            queue.push(Weight::Event, format!("{n:4096}"));
        }
        assert!(queue.bytes <= MAX_BYTES && queue.dropped > 700);
        queue.push(Weight::Event, "x".repeat(2 * MAX_BYTES));
        assert!(queue.is_idle() && queue.bytes == 0, "{}", queue.texts.len());
    }
}
