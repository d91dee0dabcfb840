//! A network emulator on virtual time: paths with a bottleneck, a buffer, delay, jitter, loss and outages, between whatever
//! sends and receives packets. All chance in it follows from a seed.
//!
//! ```text
//!   packets ──► path.rs: what waits and passes ── hop.rs: what is lost, doubled, late ──► packets
//!                 trace.rs: capacity over time    random.rs: chance
//! ```

mod hop;
mod path;
mod random;
mod trace;

pub use hop::{Hop, Outage};
pub use path::{Path, Weather};
pub use random::Random;
pub use trace::Trace;
