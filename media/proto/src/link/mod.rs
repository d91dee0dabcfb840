//! One link between two members: what leaves on it and when, what came of it, how much it carries.
//!
//! ```text
//!   audio ────────────────────► sender/ ── pacer.rs ──► packets, each numbered ────►  arrivals.rs
//!   video ──► selector.rs ────►    │  ▲                                                      │
//!             repair.rs: what is   │  │ sent again                                           │
//!                                  ▼  │                                                      ▼
//!                     sent_packets.rs, congestion.rs  ◄──── report.rs: which came, and when, every 40 to 50 ms
//!                        queue_delay.rs, delivered.rs, loss.rs, probe.rs: what the path carries
//!                        path_mtu.rs: how large packets may be
//!
//!   all links: uplink.rs ── what each may take of the uplink
//! ```

mod arrivals;
mod budget;
mod congestion;
mod constant;
mod delivered;
mod leaving;
mod loss;
mod pacer;
mod path_mtu;
mod probe;
mod queue_delay;
mod repair;
mod report;
mod selector;
mod sender;
mod sent_packets;
mod silence;
mod steady;
mod uplink;
mod waiting;

pub use arrivals::Arrivals;
pub use leaving::Leaving;
pub use report::{Age, ArrivalReport, MAX_ENTRIES};
pub use sender::{SendStats, Sender};
pub use sightline_packet::Class;
pub use uplink::share_uplink;

pub use crate::header::{Number, wire_size};
