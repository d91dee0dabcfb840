//! What is measured every second, and what it means for a person.

use std::collections::HashMap;
use std::time::Duration;

use libp2p_identity::PeerId;
use sightline_ui::model::{Person, Quality};

use crate::update::MemberStats;

/// One link and its media over the last second.
#[derive(Clone, Debug)]
pub struct Measured {
    pub stats: MemberStats,
    /// How long encoding a picture took in this second.
    pub encode: Option<Duration>,
    /// Share of the packets that did not arrive.
    pub loss: f64,
    pub send_bps: u64,
    pub recv_bps: u64,
    /// Frames of sound that were made up.
    pub concealed: u64,
    /// Frames of sound that were played as they were sent.
    pub played: u64,
    /// The link is younger than a second: what is missing then says nothing.
    is_new: bool,
}

/// A link's totals a second ago.
#[derive(Clone, Copy, Default)]
struct Totals {
    sent: u64,
    received: u64,
    came: u64,
    expected: u64,
    concealed: u64,
    played: u64,
}

/// Turns totals into what happened since they were asked for last.
#[derive(Default)]
pub struct Meter(HashMap<PeerId, Totals>);

impl Meter {
    pub fn measure(&mut self, stats: MemberStats, encode: Option<Duration>) -> Measured {
        let now = Totals {
            sent: stats.link.sent_bytes,
            received: stats.link.received_bytes,
            came: stats.link.received,
            expected: stats.link.expected,
            concealed: stats.media.audio.concealed,
            played: stats.media.audio.played,
        };
        let known = self.0.insert(stats.peer, now);
        let (is_new, before) = (known.is_none(), known.unwrap_or_default());
        let expected = now.expected.saturating_sub(before.expected);
        let missing = expected.saturating_sub(now.came.saturating_sub(before.came));
        Measured {
            loss: if expected == 0 {
                0.0
            } else {
                missing as f64 / expected as f64
            },
            send_bps: now.sent.saturating_sub(before.sent) * 8,
            recv_bps: now.received.saturating_sub(before.received) * 8,
            concealed: now.concealed.saturating_sub(before.concealed),
            played: now.played.saturating_sub(before.played),
            is_new,
            encode,
            stats,
        }
    }

    pub fn forget(&mut self, peer: &PeerId) {
        self.0.remove(peer);
    }
}

impl Measured {
    /// Writes it down for the window.
    pub fn show(&self, person: &mut Person) {
        let (link, media) = (&self.stats.link, &self.stats.media);
        person.quality = self.quality();
        person.round_trip = link.rtt;
        person.loss = self.loss as f32;
        person.sending = self.send_bps;
        person.receiving = self.recv_bps;
        person.audio_delay = media.audio_delay;
        person.video_delay = media.video_delay;
        person.pictures = media.pictures;
        person.freezes = media.freezes;
        person.concealed = self.concealed;
    }

    /// As a listener would judge it: by what is missing, then by how late it comes (one way, ITU-T G.114: up to
    /// 150 ms nobody notices, above 400 ms nobody can talk).
    fn quality(&self) -> Quality {
        let one_way = self.stats.media.audio_delay.or(self.stats.link.rtt);
        let frames = self.played + self.concealed;
        let made_up = if frames == 0 {
            0.0
        } else {
            self.concealed as f64 / frames as f64
        };
        let is_late = |limit: u64| one_way.is_some_and(|delay| delay > Duration::from_millis(limit));
        if self.is_new {
            Quality::Unknown
        } else if self.recv_bps == 0 {
            Quality::Nothing
        } else if made_up > 0.08 || self.loss > 0.12 || is_late(400) {
            Quality::Poor
        } else if made_up > 0.02 || self.loss > 0.03 || is_late(200) {
            Quality::Fair
        } else {
            Quality::Good
        }
    }
}
