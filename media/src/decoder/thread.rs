//! A decoder on a thread of this process: dav1d's Rust port.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use sightline_media_proto::obu;

use super::worker::Worker;
use super::{DecodeError, Decoder, DecoderFactory};
use crate::picture::{Picture, Size};

/// Makes decoders on threads of this process.
#[derive(Clone, Copy, Debug, Default)]
pub struct DecoderThreads;

impl DecoderFactory for DecoderThreads {
    fn decoder(&self, stopped: Arc<AtomicBool>) -> Box<dyn Decoder> {
        Box::new(ThreadDecoder::until(stopped))
    }
}

/// Decodes one track on a thread of its own.
#[derive(Default)]
pub struct ThreadDecoder {
    reader: obu::Reader,
    worker: Option<Worker>,
    stopped: Arc<AtomicBool>,
    took: Duration,
}

impl ThreadDecoder {
    /// A decoder that is not waited for any more once it is `stopped`.
    #[must_use]
    pub fn until(stopped: Arc<AtomicBool>) -> Self {
        Self {
            stopped,
            ..Self::default()
        }
    }
}

impl Decoder for ThreadDecoder {
    fn took(&self) -> Duration {
        self.took
    }

    fn decode(&mut self, data: &[u8], captured: Instant) -> Result<Option<Picture>, DecodeError> {
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
