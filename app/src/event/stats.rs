//! What is measured of a link and its media.

use serde::{Deserialize, Serialize};
use sightline_media_proto::{AudioTrack, VideoTrack};

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
