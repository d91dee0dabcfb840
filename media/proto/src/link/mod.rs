//! One link between two members: what leaves on it and when, what came of it, how much it carries.
//!
//! ```text
//!   sound, pictures ──► sender.rs ── pacer.rs ──► packets, each numbered ──────────►  arrivals.rs
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
mod report;
mod sender;
mod uplink;

pub use arrivals::Arrivals;
pub use report::{Age, MAX_ENTRIES, Report};
pub use sender::{Counts, Leaving, Sender};
pub use uplink::share_uplink;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Sound.
    Sound,
    /// A part of a picture.
    Picture,
    /// Nothing: it only shows how much the link carries.
    Padding,
    /// What tells the other side which packets came; the only one without a number.
    Report,
}

/// The number before each body, bytes.
pub const HEADER_LEN: usize = 4;

/// A packet's number on its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Number {
    /// Which sender: one that began anew, after the link was gone for one side, has another.
    pub incarnation: u16,
    /// Counts its packets, wrapping.
    pub seq: u16,
}

impl Number {
    /// Takes the number off a packet's body; `None` when it has none.
    #[must_use]
    pub fn split(body: &[u8]) -> Option<(Self, &[u8])> {
        let (incarnation, rest) = body.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let number = Self {
            incarnation: u16::from_be_bytes(*incarnation),
            seq: u16::from_be_bytes(*seq),
        };
        Some((number, rest))
    }

    /// Puts the number before a body.
    fn before(self, body: &[u8]) -> Vec<u8> {
        [&self.incarnation.to_be_bytes()[..], &self.seq.to_be_bytes(), body].concat()
    }
}
