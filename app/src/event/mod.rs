//! What programs read (`--json`): events, one a line on standard output. `report/` writes them; the demo, the tests and the
//! benches read them.
//!
//! `stats.rs` has what is measured, `record.rs` what the call did. Times are seconds, or milliseconds where the name says
//! so; rates are bits a second, addresses and ids text. `None` is `null`.

mod record;
mod stats;

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

pub use self::record::{Counts, History, HistorySum, Ledger, LedgerRow, LedgerSum, Path, Route, Step};
pub use self::stats::{AudioStats, Stats, Track, VideoStats};

/// An event with what stands beside each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
    /// When, since the program started.
    pub t: f64,
    /// Whose event it is, in a demo.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
}

/// What happened. Words in it are stable.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Sockets are open.
    Listening {
        /// On which addresses.
        local: Vec<SocketAddr>,
    },
    /// A code was made.
    Code {
        /// It, as it is passed on.
        code: CodeText,
        /// When it ends: UTC, RFC 3339.
        expires: String,
        /// How many it lets in.
        uses: u32,
    },
    /// Somebody with a code waits to be let in.
    Knock {
        /// Who.
        peer: String,
        /// The name that they give themselves.
        name: String,
        /// Where they are.
        from: SocketAddr,
    },
    /// Somebody is in the call.
    Joined {
        /// Who.
        peer: String,
        /// The name that they give themselves.
        name: String,
        /// Who let them in.
        invited_by: String,
    },
    /// Somebody is not in the call any more.
    Left {
        /// Who.
        peer: String,
        /// The name that they give themselves.
        name: String,
        /// Who let them in.
        invited_by: String,
        /// Why.
        why: String,
    },
    /// A route took a step.
    Route(Step),
    /// The user is asked about a route.
    Ask {
        /// To be named in the answer.
        id: u64,
        /// Who, if that is known.
        peer: Option<String>,
        /// Their name, if it is known.
        name: Option<String>,
        /// The path that media took before.
        old: Option<Path>,
        /// The route that is asked about.
        new: Route,
        /// Why.
        reason: String,
        /// Whether everybody in the call learns the local address by a yes.
        shares_address: bool,
    },
    /// A question is answered, or needs no answer any more.
    Answered {
        /// Which question.
        id: u64,
        /// `approved`, `denied` or `withdrawn`.
        answer: String,
    },
    /// A member's user is being asked.
    Waiting {
        /// Who.
        peer: String,
        /// Their name, if it is known.
        name: Option<String>,
    },
    /// The first sound of a member's track was played.
    FirstAudio {
        /// Who.
        peer: String,
        /// Which track.
        track: Track,
        /// How long after one's own joining.
        since_join: f64,
    },
    /// The first picture of a member's track was shown.
    FirstVideo {
        /// Who.
        peer: String,
        /// Which track.
        track: Track,
        /// How long after one's own joining.
        since_join: f64,
    },
    /// Something went wrong; the call goes on.
    Problem {
        /// A word for it.
        code: String,
        /// A sentence for it.
        message: String,
        /// Whom it concerns, if it is one member.
        peer: Option<String>,
    },
    /// Who hears whom.
    Hears {
        /// Of each member, whom it hears.
        matrix: BTreeMap<String, Vec<String>>,
    },
    /// What was measured in the last second.
    Stats(Box<Stats>),
    /// Every address that took part.
    Ledger(Ledger),
    /// Every step of every route.
    History(History),
    /// Lines before this one were dropped, because nobody read them in time.
    Dropped {
        /// How many.
        lines: u64,
    },
    /// The record of the call was written.
    Saved {
        /// Where.
        path: String,
    },
    /// What the picture's encoder cost.
    Encoder {
        /// Which one.
        name: String,
        /// Time for a picture, on average.
        ms_per_frame: f64,
        /// Pictures that it has taken and not given back.
        held_back: u64,
        /// Pictures that it was too slow for.
        dropped: u64,
    },
    /// The call is over for this participant.
    End {
        /// Why.
        why: String,
    },
}

/// A code as it is passed on. It wipes itself, and does not print.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CodeText(pub String);

impl fmt::Debug for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeText(…)")
    }
}

impl Drop for CodeText {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

#[cfg(test)]
mod tests;
