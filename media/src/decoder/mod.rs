//! Decoding video, behind a trait: what a member sends is read and written anew (`obu`), and only then given to a decoder that
//! can be given up.
//!
//! ```text
//!   DecoderFactory ── makes ──► Decoder     thread.rs: on a thread of this process
//!                                  └── worker.rs ── dav1d.rs     confined.rs: a panic in there ends that thread alone
//! ```

mod confined;
mod dav1d;
mod error;
mod thread;
mod worker;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

pub use error::DecodeError;
pub use thread::{DecoderThreads, ThreadDecoder};

use crate::picture::Picture;

/// Decodes one track of video.
pub trait Decoder {
    /// Decodes a temporal unit; the picture is marked as `captured` then. `None` when there is none to show.
    ///
    /// # Errors
    /// [`DecodeError`]; the next key frame can be decoded again.
    fn decode(&mut self, data: &[u8], captured: Instant) -> Result<Option<Picture>, DecodeError>;

    /// Returns how much of this machine's time the last picture took.
    fn took(&self) -> Duration;
}

/// Makes decoders: one for each track, on the thread that uses it.
pub trait DecoderFactory: Send + Sync {
    /// Returns a decoder that is not waited for any more once it is `stopped`.
    fn decoder(&self, stopped: Arc<AtomicBool>) -> Box<dyn Decoder>;
}
