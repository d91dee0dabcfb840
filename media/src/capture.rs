//! A running camera: before a call for the user's own eyes, in one for the encoder as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use crate::camera::{Camera, CameraError};
use crate::picture::Picture;
use crate::send::spawn;
use crate::slot::LatestSlot;

/// 300 ms: how long it is waited for a camera to be free for others. One that gives a picture every 33 ms is free by then.
const PATIENCE: Duration = Duration::from_millis(300);

/// Takes what a camera gives, on the camera's thread; must not block for long.
pub trait Viewer: Send + Sync {
    /// The first picture was taken.
    fn camera_runs(&self);
    /// A picture was taken.
    fn captured(&self, picture: &Arc<Picture>);
    /// There will be no more; the sentence says why.
    fn camera_failed(&self, message: String);
}

/// A camera's thread. Dropping it stops the thread and gives the camera back; one that does not answer is left behind.
pub struct Capture {
    stop: Arc<AtomicBool>,
    slot: Arc<LatestSlot<Arc<Picture>>>,
    /// Nothing is sent: it is over with the thread.
    ended: Receiver<()>,
}

impl Capture {
    /// Starts taking pictures.
    ///
    /// # Errors
    /// [`CameraError::Device`] when no thread can be had.
    pub fn start(mut camera: Box<dyn Camera>, viewer: Arc<dyn Viewer>) -> Result<Self, CameraError> {
        let stop = Arc::new(AtomicBool::new(false));
        let slot = Arc::new(LatestSlot::default());
        let (tell_ended, ended) = sync_channel(0);
        let (own_stop, own_slot) = (Arc::clone(&stop), Arc::clone(&slot));
        let take_all = move || {
            let _ends_with_the_camera = tell_ended;
            let mut runs = false;
            loop {
                let taken = camera.read();
                // Whoever stopped it may have another one by now.
                if own_stop.load(Ordering::Relaxed) {
                    return;
                }
                match taken {
                    Ok(picture) => {
                        if !std::mem::replace(&mut runs, true) {
                            viewer.camera_runs();
                        }
                        let picture = Arc::new(picture);
                        viewer.captured(&picture);
                        own_slot.put(picture);
                    }
                    Err(error) => return viewer.camera_failed(error.to_string()),
                }
            }
        };
        spawn("camera", take_all).map_err(|error| CameraError::Device(error.to_string()))?;
        Ok(Self { stop, slot, ended })
    }

    /// The latest picture, if it was not taken yet.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Picture>> {
        self.slot.take(Duration::ZERO)
    }

    /// Where the latest picture waits for the encoder.
    pub(crate) fn slot(&self) -> Arc<LatestSlot<Arc<Picture>>> {
        Arc::clone(&self.slot)
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _in_time = self.ended.recv_timeout(PATIENCE);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::SyncSender;
    use std::time::Instant;

    use super::*;
    use crate::picture::Size;

    /// Gives a picture for each that it is told to give, and fails after the last.
    struct Told(Receiver<()>);

    impl Camera for Told {
        fn read(&mut self) -> Result<Picture, CameraError> {
            let size = Size::new(16, 16).expect("a size");
            let picture = self.0.recv().map(|()| Picture::grey(size, Instant::now()));
            picture.map_err(|_| CameraError::Device("it is unplugged".into()))
        }
    }

    struct Seen(SyncSender<String>);

    impl Viewer for Seen {
        fn camera_runs(&self) {
            self.0.send("runs".into()).expect("room");
        }

        fn captured(&self, _: &Arc<Picture>) {
            self.0.send("picture".into()).expect("room");
        }

        fn camera_failed(&self, message: String) {
            self.0.send(message).expect("room");
        }
    }

    #[test]
    fn a_camera_runs_with_its_first_picture() {
        let (give, given) = sync_channel(2);
        let (tell, told) = sync_channel(8);
        let capture = Capture::start(Box::new(Told(given)), Arc::new(Seen(tell))).expect("a thread");
        for _ in 0..2 {
            give.send(()).expect("room");
        }
        drop(give);
        let told: Vec<_> = told.iter().collect();
        assert_eq!(
            told,
            [
                "runs",
                "picture",
                "picture",
                "The camera cannot be used: it is unplugged."
            ]
        );
        drop(capture);
    }

    #[test]
    fn a_camera_that_does_not_answer_keeps_nobody_and_says_nothing_later() {
        let (give, given) = sync_channel(1);
        let (tell, told) = sync_channel(8);
        let capture = Capture::start(Box::new(Told(given)), Arc::new(Seen(tell))).expect("a thread");
        drop(capture);
        give.send(()).expect("it still reads");
        assert_eq!(told.iter().count(), 0);
    }
}
