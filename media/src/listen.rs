//! A running microphone before a call: nothing but its level is taken.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use sightline_media_proto::audio::BLOCK_SAMPLES;

use crate::level::Level;
use crate::microphone::{Microphone, MicrophoneError};
use crate::send::{join, spawn};

/// A microphone's thread. Dropping it stops the thread and gives the microphone back.
pub struct Listening {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Starts measuring. `runs` is told when there is sound, `failed` when there will be no more, and why.
    ///
    /// # Errors
    /// [`MicrophoneError::Device`] when no thread can be had.
    pub fn start(
        mut microphone: Box<dyn Microphone>,
        level: Arc<Level>,
        runs: impl FnOnce() + Send + 'static,
        failed: impl FnOnce(String) + Send + 'static,
    ) -> Result<Self, MicrophoneError> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = spawn("microphone", move || {
            let mut frame = [0.0; BLOCK_SAMPLES];
            let mut runs = Some(runs);
            while !stopped.load(Ordering::Relaxed) {
                match microphone.read(&mut frame) {
                    Ok(Some(_)) => {
                        if let Some(runs) = runs.take() {
                            runs();
                        }
                        level.handle_samples(&frame);
                    }
                    Ok(None) => {}
                    Err(error) => return failed(error.to_string()),
                }
            }
        });
        let device = |error: std::io::Error| MicrophoneError::Device(error.to_string());
        Ok(Self {
            stop,
            thread: Some(thread.map_err(device)?),
        })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        join(&mut self.thread);
    }
}
