//! What programs read (`--json`): events, one a line on standard output. `report.rs` writes them; the demo reads them.
//!
//! Times are seconds, or milliseconds where the name says so; rates are bits a second, addresses and ids text. `None` is
//! `null`.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};
use sightline_media_proto::{AudioTrack, VideoTrack};
use zeroize::Zeroize;

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

/// One link and its media over the last second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// The member.
    pub peer: String,
    /// The round trip.
    pub rtt_ms: Option<f64>,
    /// The share of packets that did not arrive here.
    pub loss: f64,
    /// What was sent.
    pub send_bps: u64,
    /// What was received.
    pub recv_bps: u64,
    /// What the link carries, as far as is known.
    pub estimate_bps: Option<u32>,
    /// What this machine cannot keep up with.
    pub gave_way: String,
    /// What is sent of pictures.
    pub sent_layer: Option<String>,
    /// What waits to leave.
    pub pacing_ms: Option<f64>,
    /// What waits on the way.
    pub queue_ms: Option<f64>,
    /// The share of packets that did not arrive there.
    pub sent_loss: Option<f64>,
    /// Parts of pictures sent again, since the beginning.
    pub repaired: Option<u64>,
    /// Pictures that the link could not carry, since the beginning.
    pub left_out: Option<u64>,
    /// Time for encoding a picture.
    pub encode_ms: Option<f64>,
    /// Packets that were unreadable, replayed or too many, since the beginning.
    pub dropped_packets: u64,
    /// The member's sound.
    pub audio: AudioStats,
    /// Its picture.
    pub video: VideoStats,
    /// The screen that it shares, once it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub screen: Option<VideoStats>,
}

/// What a member sends side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Track {
    /// What its microphone hears.
    Voice,
    /// What its camera sees.
    Camera,
    /// The screen that it shares.
    Screen,
    /// What that screen plays.
    ScreenAudio,
}

impl From<AudioTrack> for Track {
    fn from(track: AudioTrack) -> Self {
        match track {
            AudioTrack::Voice => Self::Voice,
            AudioTrack::ScreenAudio => Self::ScreenAudio,
        }
    }
}

impl From<VideoTrack> for Track {
    fn from(track: VideoTrack) -> Self {
        match track {
            VideoTrack::Camera => Self::Camera,
            VideoTrack::Screen => Self::Screen,
        }
    }
}

/// A member's sound over the last second; what is counted, since the beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AudioStats {
    /// From capture to playout.
    pub delay_ms: Option<f64>,
    /// Frames made up in the last second.
    pub concealed: u64,
    /// How much sound a packet carries.
    pub frame_ms: f64,
    /// Half of the round trip.
    pub network_ms: Option<f64>,
    /// How long sound waits before it is played.
    pub buffer_ms: f64,
    /// How long it is meant to wait.
    pub target_ms: f64,
    /// Frames computed from parities.
    pub recovered: u64,
    /// Frames made longer or shorter.
    pub stretched: u64,
    /// The loudest block, decibels below full scale.
    pub level_db: Option<f64>,
}

/// A member's picture over the last second; what is counted, since the beginning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VideoStats {
    /// Pictures decoded.
    pub fps: u32,
    /// The last picture's columns.
    pub width: Option<u32>,
    /// Its rows.
    pub height: Option<u32>,
    /// Times that it froze.
    pub freezes: u32,
    /// For how long, together.
    pub frozen_s: f64,
    /// From capture to decoded.
    pub delay_ms: Option<f64>,
    /// Time for decoding a picture.
    pub decode_ms: Option<f64>,
    /// Frames given up.
    pub lost: u64,
    /// Packets that made no sense or came too late.
    pub dropped_packets: u64,
}

/// Every address that took part, and the sum of what has no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// The sum.
    pub earlier: LedgerSum,
}

/// What passed between two addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Who is there, if that was proved.
    pub peer: Option<String>,
    /// What passed.
    #[serde(flatten)]
    pub counts: Counts,
    /// When the first passed.
    pub first: f64,
    /// When the last did.
    pub last: f64,
}

/// The sum of rows that are not kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerSum {
    /// How many rows.
    pub rows: u64,
    /// What passed.
    #[serde(flatten)]
    pub counts: Counts,
    /// When the first passed.
    pub first: f64,
    /// When the last did.
    pub last: f64,
}

/// Datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Payload sent.
    pub sent_bytes: u64,
    /// Datagrams sent.
    pub sent_packets: u64,
    /// Payload received.
    pub recv_bytes: u64,
    /// Datagrams received.
    pub recv_packets: u64,
    /// Payload refused.
    pub refused_bytes: u64,
    /// Datagrams refused.
    pub refused_packets: u64,
}

/// Every step of every route, and the sum of those that are not kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The steps.
    pub steps: Vec<Step>,
    /// The sum.
    pub earlier: HistorySum,
}

/// The sum of steps that are not kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistorySum {
    /// How many steps.
    pub steps: u64,
    /// Of them, those after which media flowed.
    pub activations: u64,
    /// When the first was taken.
    pub first: f64,
    /// When the last was.
    pub last: f64,
}

/// One step: the route after it, the state before, why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The route.
    #[serde(flatten)]
    pub route: Route,
    /// When.
    pub at: f64,
    /// The state before.
    pub old_state: Option<String>,
    /// Why.
    pub reason: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Its ends.
    #[serde(flatten)]
    pub path: Path,
    /// Its number.
    pub id: u64,
    /// To whom.
    pub peer: Option<String>,
    /// `proposed`, `approved`, `active`, `paused` or `closed`.
    pub state: String,
    /// What approved it.
    pub approved_by: Option<String>,
    /// Whether the other side agrees.
    pub theirs: String,
}

/// Where packets go, and from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// `direct` or `carried`.
    pub kind: String,
    /// Who carries.
    pub via: Option<String>,
    /// This end.
    pub local: SocketAddr,
    /// The local interface.
    pub interface: Option<String>,
    /// The other end.
    pub remote: SocketAddr,
    /// What kind of interface is there, if that is told.
    pub peer_interface: Option<String>,
}

#[cfg(test)]
mod tests;
