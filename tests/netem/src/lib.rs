//! A network emulator on virtual time: paths with a bottleneck, a buffer, delay, jitter, loss and outages, between whatever
//! sends and receives packets. All chance in it follows from a seed.
//!
//! ```text
//!   packets ──► path.rs: what waits, passes, is lost, arrives ──► packets
//!                 trace.rs: capacity over time    random.rs: chance
//! ```

mod path;
mod random;
mod trace;

pub use path::{Outage, Path, Weather};
pub use random::Random;
pub use trace::Trace;
