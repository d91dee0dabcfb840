//! Pairwise Noise sessions: what two members of a call share, and nobody else.
//!
//! ```text
//!  Initiator ── first message ──►  Responder        handshake.rs   (IKpsk1, bound by binding.rs)
//!      ▲                               │
//!      └──────── second message ◄──────┘
//!      │
//!      ▼
//!   Session   seal / open, packets and control      session.rs     (when keys change, when they end)
//!      ├── Keys                                     transport.rs   (one handshake's two keys)
//!      │     └── replay::Window                     replay.rs      (8192 counters)
//!      └── key types that wipe themselves           key.rs, primitives.rs
//!   FastKeyErasureRng ── what keys are drawn from    rng.rs
//! ```
//!
//! Everything here is pure: time and randomness, or its seed, are arguments, bytes go in and come out. The pattern is
//! `Noise_IKpsk1_25519_ChaChaPoly_BLAKE2s` (The Noise Protocol Framework, revision 34), run by `snow` with
//! primitives of our own that wipe their keys.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests own their clock"))]

mod binding;
mod error;
mod handshake;
mod key;
mod primitives;
mod replay;
mod rng;
mod session;
mod transport;

pub use binding::{Binding, Role};
pub use error::{HandshakeError, OpenError, RekeyError, SealError};
pub use handshake::{Initiator, Responder};
pub use key::{Exporter, Psk, PublicKey, StaticKey};
pub use rng::FastKeyErasureRng;
pub use session::{OLD_KEYS_LIFETIME, REKEY_AFTER, SESSION_LIFETIME, Session};
pub use transport::{Arrivals, OVERHEAD};
