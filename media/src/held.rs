//! A stream of a sound device, and how it is given back.

use std::sync::mpsc::sync_channel;
use std::time::Duration;

use cpal::Stream;

/// 300 ms: how long it is waited for a device to be free for others. Those that are there take a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(300);

/// Captures or plays for as long as it is held.
///
/// A device that has been pulled out may never answer again, and cpal waits for its answer when its stream is
/// dropped. So that is done on a thread of its own, which is waited for, but not for ever: then it is left behind
/// with the device.
pub struct Held(Option<Stream>);

impl Held {
    pub const fn new(stream: Stream) -> Self {
        Self(Some(stream))
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let stream = self.0.take();
        let (gone, is_gone) = sync_channel(1);
        let end = move || {
            drop(stream);
            // Nobody may be waiting any more.
            let _late = gone.send(());
        };
        // Without a thread it was dropped here, with the closure.
        if std::thread::Builder::new()
            .name("device end".into())
            .spawn(end)
            .is_ok()
        {
            let _in_time = is_gone.recv_timeout(PATIENCE);
        }
    }
}
