//! What the user allows to be sent.

use crate::rate::Bitrate;

/// 25 kbit/s: what control messages and QUIC's acknowledgements take of a link (measured: 15 to 25).
const CONTROL: u32 = 25_000;

/// 190 kbit/s: where a limit leaves each link less, there is sound only: 124 in packets of 20 ms, and what is left makes no picture
/// that can be recognised.
const LEAST_SEEN: u32 = 190_000;

/// What the user says of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What all links together may send at most.
    pub uplink: Option<Bitrate>,
    /// Pictures are sent at one rate, whatever they show.
    pub constant_rate: bool,
}

impl Limits {
    /// As a user says it: the uplink in kbit/s.
    #[must_use]
    pub fn of(uplink: Option<u32>, constant_rate: bool) -> Self {
        Self {
            uplink: uplink.map(|kilobits| Bitrate(kilobits.saturating_mul(1000))),
            constant_rate,
        }
    }

    /// What is left of the uplink for media on so many links.
    pub(super) fn for_media(self, links: usize) -> Option<Bitrate> {
        let control = CONTROL.saturating_mul(links as u32);
        self.uplink.map(|all| Bitrate(all.0.saturating_sub(control)))
    }

    /// Whether an equal part of the uplink has room for more than sound.
    pub(super) fn leave_room_for_video(self, links: usize) -> bool {
        let part = self.for_media(links).map(|media| media.0 / links.max(1) as u32);
        part.is_none_or(|part| part >= LEAST_SEEN)
    }
}
