//! The call as a pure state machine: what a participant decides, without a socket, a clock or a thread.
//!
//! ```text
//!   code.rs ─ what one passes to another,      roster.rs ─ who is here, in signed entries
//!     found in a text by letters.rs,          candidate.rs ─ where they may be reached
//!   issued_codes.rs ─ what became of each      wire.rs ─── control messages,
//!                       │                        channel/ ─ with room for the program's own
//!                       │                                   │
//!                       ▼                                   ▼
//!   handle_* ─►  call/  Call: admission, introductions, presence, consent, media  ─►  poll_output, poll_timeout
//!                  │        one connection.rs for each connection, with session.rs and path.rs
//!                  │        sockets/ ─ this side's addresses          members/ ─ who is linked, seen, gone, sought
//!                  │        dials.rs ─ which pair is tried next       introductions.rs, expected.rs, guests.rs ─ who may come in
//!                  │        consents.rs ─ what the user lets media do  reach.rs ─ why nobody was reached
//!                  ▼
//!   route/ ─ which paths media may take ─►  gate.rs ─ what may pass at the socket: tag.rs, initial.rs;
//!   interface.rs                           counted in ledger.rs
//! ```
//!
//! Inputs are [`Call::handle_connected`], [`Call::handle_frame`], [`Call::handle_datagram`] and their like; each
//! takes the time as an argument. Outputs are taken with [`Call::poll_output`] until there is none.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests own their clock"))]

pub mod address;
mod call;
pub mod candidate;
pub mod channel;
pub mod code;
mod connection;
mod consents;
mod dials;
mod expected;
pub mod gate;
mod guests;
mod id;
pub mod initial;
pub mod interface;
mod introductions;
mod issued_codes;
pub mod ledger;
mod letters;
mod limit;
mod members;
mod name;
mod path;
mod reach;
pub mod roster;
pub mod route;
mod secret;
mod session;
mod sockets;
pub mod tag;
mod time;
pub mod wire;

pub use call::{
    Admit, Call, Closed, Command, Config, Connected, End, Event, IdentityError, LinkStats, Output, Problem,
    Side, Why,
};
pub use candidate::Candidate;
pub use channel::Channel;
pub use code::Code;
pub use connection::ConnId;
pub use dials::DialId;
pub use id::AttemptId;
pub use name::Name;
pub use reach::Unreached;
pub use secret::{Private, Secret, TagKey};
pub use sightline_noise::{Exporter, FastKeyErasureRng};
pub use sightline_packet::{self as packet, Class};
pub use time::{Clock, UnixTime};
