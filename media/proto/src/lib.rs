//! Sound and picture as pure logic: what stands in packets, when a frame is played, how large a picture may be.
//! No device, no codec, no clock: bytes and moments go in, frames and decisions come out.
//!
//! ```text
//!   sound:    audio.rs ── packet ──► jitter.rs ── frame or concealment, every 20 ms ──► mixer.rs
//!   picture:  obu.rs ── without metadata ──► video.rs ── fragments ──► reassembly.rs ── whole frames in order
//!   control:  feedback.rs ── what a receiver asks of a sender     rate.rs ── what the sender does about it
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests own their clock"))]

pub mod audio;
pub mod feedback;
pub mod jitter;
pub mod mixer;
pub mod obu;
pub mod rate;
pub mod reassembly;
mod ticks;
pub mod video;

pub use ticks::Ticks;
