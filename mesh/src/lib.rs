//! The call on the network. The decisions are `sightline-mesh-proto`'s; here are the socket, the clock and the
//! libraries that carry them out.
//!
//! ```text
//!   Mesh (handle.rs) ──► actor/ ── the one loop: inputs to the state machine, its outputs to the network
//!     events.rs ─ what it says               traffic.rs ─ what media does there      record.rs ─ what both know
//!                          │   │
//!        libp2p swarm ◄────┘   └────► quinn connections: datagrams
//!          ├ control.rs: one stream for each connection, framed by frame.rs        bulk.rs: one more, beside libp2p
//!          └ transport.rs, muxer.rs: our transport on …
//!                 endpoint.rs: … quinn endpoints, with tls.rs (certificate.rs), and congestion.rs, which leaves the
//!                              rate to media
//!                 socket.rs: … on sockets that the gate guards
//!   interfaces.rs ─ which network interfaces are up, and when that changes
//! ```

#![cfg_attr(
    test,
    allow(
        clippy::disallowed_methods,
        reason = "tests own their clock and plain sockets"
    )
)]

mod actor;
mod bulk;
mod certificate;
mod congestion;
mod control;
mod endpoint;
mod events;
#[cfg(test)]
mod fixture;
mod frame;
mod handle;
pub mod interfaces;
mod muxer;
mod record;
mod socket;
mod tls;
mod traffic;
mod transport;

pub use events::Events;
pub use handle::{Entry, Mesh, OpenError, Sender, Setup};
pub use record::{Record, Stats};
pub use traffic::{Leaving, Traffic};
