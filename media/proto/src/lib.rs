//! Sound and picture as pure logic: what stands in packets, when a frame is played, how large a picture may be.
//! No device, no codec, no clock: bytes and moments go in, frames and decisions come out.
//!
//! ```text
//!   sound:    packing.rs ── how much in a packet     redundancy.rs ── parities ──► audio.rs ── packet ──► redundancy.rs ── lost frames again
//!             ──► playout/ ── 10 ms at a time, stretched or made up if need be ──► mixer.rs
//!   picture:  obu/ ── as our encoders make it ──► video.rs ── fragments ──► reassembly.rs ── whole frames in order
//!   layer.rs ── in which sizes, and who gets which     effort.rs ── how long a picture may take
//!   rate_control.rs ── how coarse a picture is, so that each second holds its rate
//!   overuse.rs ── what is degraded when the machine cannot keep up     allowance.rs ── how much of it one member may take
//!   between two members: link/ ── what leaves when, what came of it, how much it may be
//!   among all of them:   session/ ── who gets what
//!   sync.rs ── sound and picture together     track.rs ── what one member sends side by side
//!   header.rs ── what stands before each packet's body
//!   control:  feedback.rs ── what a receiver asks of a sender     rate.rs ── rates, and when a key frame is made
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests own their clock"))]

pub mod allowance;
pub mod audio;
#[cfg(test)]
mod chance;
pub mod effort;
pub mod feedback;
pub mod header;
pub mod layer;
pub mod link;
pub mod mixer;
pub mod obu;
pub mod overuse;
pub mod packing;
pub mod playout;
pub mod rate;
pub mod rate_control;
pub mod reassembly;
pub mod redundancy;
pub mod session;
pub mod sync;
mod ticks;
pub mod track;
pub mod video;

pub use ticks::Ticks;
pub use track::{AudioTrack, Stream, Track, VideoTrack};
