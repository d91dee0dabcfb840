//! A running camera: before a call for the user's own eyes, in one for the encoder as well.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::camera::{Camera, CameraError};
use crate::picture::Picture;
use crate::send::{join, spawn};
use crate::slot::LatestSlot;

/// Takes what a camera gives, on the camera's thread; must not block for long.
pub trait Viewer: Send + Sync {
    /// A picture was taken.
    fn captured(&self, picture: &Arc<Picture>);
    /// There will be no more; the sentence says why.
    fn camera_failed(&self, message: String);
}

/// A camera's thread. Dropping it stops the thread and gives the camera back.
pub struct Capture {
    stop: Arc<AtomicBool>,
    slot: Arc<LatestSlot<Arc<Picture>>>,
    thread: Option<JoinHandle<()>>,
}

impl Capture {
    /// Starts taking pictures.
    ///
    /// # Errors
    /// [`CameraError::Device`] when no thread can be had.
    pub fn start(mut camera: Box<dyn Camera>, viewer: Arc<dyn Viewer>) -> Result<Self, CameraError> {
        let stop = Arc::new(AtomicBool::new(false));
        let slot = Arc::new(LatestSlot::default());
        let thread = {
            let (stop, slot) = (Arc::clone(&stop), Arc::clone(&slot));
            spawn("camera", move || {
                while !stop.load(Ordering::Relaxed) {
                    match camera.read() {
                        Ok(picture) => {
                            let picture = Arc::new(picture);
                            viewer.captured(&picture);
                            slot.put(picture);
                        }
                        Err(error) => return viewer.camera_failed(error.to_string()),
                    }
                }
            })
        };
        let device = |error: std::io::Error| CameraError::Device(error.to_string());
        Ok(Self {
            stop,
            slot,
            thread: Some(thread.map_err(device)?),
        })
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
        join(&mut self.thread);
    }
}
