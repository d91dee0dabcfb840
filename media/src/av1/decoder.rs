//! Decoding: what a member sends is read and written anew (`obu`), and only then given to dav1d's Rust port, on a thread
//! that can be given up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sightline_media_proto::obu;

use super::decode_error::DecodeError;
use super::worker::Worker;
use crate::picture::{Picture, Size};

/// Decodes one sender's pictures.
#[derive(Default)]
pub struct Decoder {
    reader: obu::Reader,
    worker: Option<Worker>,
    stopped: Arc<AtomicBool>,
    took: Duration,
}

impl Decoder {
    /// A decoder that is not waited for any more once it is `stopped`.
    #[must_use]
    pub fn until(stopped: Arc<AtomicBool>) -> Self {
        Self {
            stopped,
            ..Self::default()
        }
    }

    /// How much of this machine's time the last picture took.
    #[must_use]
    pub const fn took(&self) -> Duration {
        self.took
    }

    /// Decodes a temporal unit; the picture is marked as `captured` then. `None` when there is none to show.
    ///
    /// # Errors
    /// [`DecodeError`]; the next key frame can be decoded again.
    pub fn decode(&mut self, data: &[u8], captured: Instant) -> Result<Option<Picture>, DecodeError> {
        self.took = Duration::ZERO;
        let unit = self.reader.handle_received(data)?;
        let size = Size::new(unit.sequence.width, unit.sequence.height).ok_or(DecodeError::Unsupported)?;
        let worker = match &mut self.worker {
            Some(worker) => worker,
            None => self.worker.insert(Worker::start()?),
        };
        let (decoded, took) = worker.decode(unit.data, size, captured, &self.stopped);
        self.took = took;
        if decoded == Err(DecodeError::Lost) {
            self.worker = None;
        }
        decoded
    }
}
