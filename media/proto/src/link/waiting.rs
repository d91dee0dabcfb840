//! What waits to be sent on a link, and what is noted of it once it is.

use std::sync::Arc;
use std::time::Instant;

use super::pacer::OnWire;
use super::repair::RepairId;
use crate::track::{AudioTrack, Track, VideoTrack};

/// A fragment of a frame, until it is known to have come.
#[derive(Clone, Debug)]
pub struct OutgoingFragment {
    pub track: VideoTrack,
    pub body: Arc<[u8]>,
    /// When the frame was handed over.
    pub since: Instant,
    pub is_discardable: bool,
    pub tries: u8,
    /// Once it is sent again.
    pub repair: Option<RepairId>,
}

/// What a packet carries.
#[derive(Debug)]
pub enum Carried {
    Audio,
    Fragment(OutgoingFragment),
    /// Goes along with bulk, which takes so much on the wire.
    Marker(u32),
    /// Parity or padding: of no use later.
    Other,
}

/// What waits to leave, and its size on the wire.
#[derive(Debug)]
pub struct Waiting {
    pub what: What,
    pub size: u32,
}

#[derive(Debug)]
pub enum What {
    Audio(AudioTrack, Arc<[u8]>),
    Fragment(OutgoingFragment),
    /// Since when it waits.
    Parity(VideoTrack, Arc<[u8]>, Instant),
}

impl OnWire for Waiting {
    fn size(&self) -> u32 {
        self.size
    }
}

impl Waiting {
    pub const fn track(&self) -> Track {
        match &self.what {
            What::Audio(track, _) => Track::Audio(*track),
            What::Fragment(OutgoingFragment { track, .. }) | What::Parity(track, ..) => Track::Video(*track),
        }
    }

    /// What is noted of it, and its body.
    pub fn into_carried(self) -> (Carried, Arc<[u8]>) {
        match self.what {
            What::Audio(_, body) => (Carried::Audio, body),
            What::Fragment(fragment) => {
                let body = Arc::clone(&fragment.body);
                (Carried::Fragment(fragment), body)
            }
            What::Parity(_, body, _) => (Carried::Other, body),
        }
    }
}
