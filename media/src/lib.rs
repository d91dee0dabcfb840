//! Capture, encoding, decoding and playing: devices, files, codecs. It knows packets and members' numbers, never
//! an address.
//!
//! ```text
//!   microphone/ ──► processing.rs ──► send.rs VoiceSender ── opus_codec.rs ──►  Outbox
//!   camera/ ──► capture.rs ──► slot.rs ──► encode.rs VideoSender ── av1/ ──►  (the program above)
//!   before a call: listen.rs and capture.rs alone, with level.rs for the eyes
//!   devices for sound, both ways: sound/, each stream on a thread of its own; what is there: devices.rs
//!
//!   handle_audio ──► receive.rs Playout: playout, opus, mixer ──► speaker.rs
//!   handle_video ──►                     reassembly, av1 decoder ──► latest picture
//!                                          └──► record.rs ── new_file.rs
//! ```
//!
//! Each arrow between threads is bounded and says what it drops.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests own their clock"))]

pub mod av1;
pub mod camera;
mod capture;
pub mod decoder;
pub mod devices;
mod encode;
mod level;
mod listen;
pub mod microphone;
pub mod new_file;
mod opus_codec;
mod pace;
mod picture;
mod processing;
mod receive;
mod record;
mod resample;
mod send;
mod slot;
pub mod sound;
mod source;
mod speaker;
mod tone;

pub use capture::{Capture, Viewer};
pub use encode::{VideoSendStats, VideoSender};
pub use level::Level;
pub use listen::Listening;
pub use opus_codec::{CodecError, VoiceDecoder, VoiceEncoder};
pub use picture::{MAX_PIXELS, Picture, PictureBuffer, Size};
pub use processing::{FarEnd, Processing, Processor, SharedProcessing};
pub use receive::{MemberId, Observer, Playout, Received};
pub use record::{Recorder, Recording};
pub use resample::{RateError, Resampler};
pub use send::{Outbox, VoiceSender};
pub use slot::LatestSlot;
pub use source::{Sink, Source, SpecError};
pub use speaker::{Speaker, SpeakerError};
