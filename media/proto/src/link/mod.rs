//! One link between two members: what leaves on it and when, what came of it, how much it carries.
//!
//! ```text
//!   audio ────────────────────► sender.rs ── pacer.rs ──► packets, each numbered ──►  arrivals.rs
//!   video ──► selector.rs ─────►   │  ▲
//!                          │  ▲                                                            │
//!                history.rs│  └── what is lost is sent again                               │
//!                          ▼                                                               ▼
//!                     controller.rs  ◄──────────── report.rs: which came, and when, every 40 to 50 ms
//!                      queue_delay.rs, loss.rs, probe.rs; path_mtu.rs: how large they may be
//!
//!   all links: uplink.rs ── what each may take of the way out
//! ```

mod arrivals;
mod controller;
mod history;
mod loss;
mod pacer;
mod path_mtu;
mod probe;
mod queue_delay;
mod repair;
mod report;
mod selector;
mod sender;
mod steady;
mod uplink;

pub use arrivals::Arrivals;
pub use report::{Age, MAX_ENTRIES, Report};
pub use sender::{Counts, Leaving, Sender};
pub use sightline_packet::Class;
pub use uplink::share_uplink;

pub use crate::header::{Number, wire_size};
