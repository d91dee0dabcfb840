//! A stream that is opened, held and closed on a thread of its own: a device that has been pulled out may never answer again, and a
//! service that is stopped answers when it goes on.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::Duration;

use super::{SoundError, Stream};

/// 300 ms: how long it is waited for a device to be free for others. Those that are there take a few milliseconds.
const PATIENCE: Duration = Duration::from_millis(300);

/// How far a stream has come.
pub enum Progress<T> {
    /// The service has not answered yet.
    Waits,
    /// It runs; its other end is handed out once.
    Runs(T),
    /// It does not, and will not.
    Failed(SoundError),
}

/// A stream, with whose other end `T` the program reads or writes. Dropping it closes the stream.
pub struct Opening<T> {
    opened: Receiver<Result<T, SoundError>>,
    stop: Option<SyncSender<()>>,
    ended: Receiver<()>,
}

impl<T: Send + 'static> Opening<T> {
    pub(super) fn start(
        open: impl FnOnce() -> Result<(Stream, T), SoundError> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (tell_opened, opened) = sync_channel(1);
        let (stop, stopped) = sync_channel(1);
        let (tell_ended, ended) = sync_channel(1);
        crate::send::spawn("sound device", move || {
            match open() {
                Ok((stream, other_end)) => {
                    // Whoever wished for it may have gone meanwhile, which ends the next line as well.
                    let _gone = tell_opened.send(Ok(other_end));
                    let _stop = stopped.recv();
                    drop(stream);
                }
                Err(error) => {
                    let _gone = tell_opened.send(Err(error));
                }
            }
            let _gone = tell_ended.send(());
        })?;
        Ok(Self {
            opened,
            stop: Some(stop),
            ended,
        })
    }

    /// How far it has come since it was asked last.
    pub fn poll(&self) -> Progress<T> {
        match self.opened.try_recv() {
            Ok(Ok(other_end)) => Progress::Runs(other_end),
            Ok(Err(error)) => Progress::Failed(error),
            Err(TryRecvError::Empty) => Progress::Waits,
            Err(TryRecvError::Disconnected) => Progress::Failed(SoundError("it has ended".into())),
        }
    }
}

impl<T> Drop for Opening<T> {
    fn drop(&mut self) {
        self.stop = None;
        // What does not answer in time is left behind with its thread.
        let _in_time = self.ended.recv_timeout(PATIENCE);
    }
}
