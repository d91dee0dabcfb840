//! Small files, written where nobody waits long for the disk: one that hangs must keep nobody in a call.

use std::sync::mpsc::sync_channel;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// 500 ms: how long the disk may take before it is said that it does not answer.
const PATIENCE: Duration = Duration::from_millis(500);

/// What was begun first is written first.
static TURN: Mutex<()> = Mutex::new(());

/// Writes something on a thread of its own. `None` when that takes too long: it may still be written later.
pub fn write<T: Send + 'static>(write: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (tell, told) = sync_channel(1);
    let work = move || {
        let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody may be waiting any more.
        let _late = tell.send(write());
    };
    std::thread::Builder::new().name("disk".into()).spawn(work).ok()?;
    told.recv_timeout(PATIENCE).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_does_not_answer_keeps_nobody() {
        let (answer, answered) = sync_channel::<()>(0);
        assert_eq!(write(move || answered.recv()), None);
        drop(answer);
        // On a busy machine this one may be late as well.
        while write(|| 7) != Some(7) {}
    }
}
