//! What one participant's media says to another's: carried by the call as an opaque, reliable message.

use std::collections::BTreeSet;

use crate::layer::{Layer, Subscription};
use crate::track::{Track, VideoTrack};

/// Members named in one report at most: as many as a call holds.
const MAX_NAMES: usize = 16;

/// The longest name of a member, bytes.
const MAX_NAME: usize = 64;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Send a key frame of this track: this receiver can show nothing without one.
    KeyFrame(VideoTrack),
    /// How things are on this side.
    Status(MemberStatus),
    /// What is of use here of the other side's track; `None` for none.
    Subscribe(VideoTrack, Option<Subscription>),
}

/// Stands for no layer.
const NO_LAYER: u8 = 0xff;

/// Of a report's flags the one after the tracks'.
const MUTED: u8 = 1 << Track::ALL.len();

/// How things are on one side. Told every second whatever happens, in a size that only the number of members
/// changes, so that its time and size say nothing of when somebody mutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberStatus {
    /// What is sent, the voice also while it is muted.
    pub sends: BTreeSet<Track>,
    /// What the microphone hears is replaced by silence.
    pub is_muted: bool,
    /// From whom sound came in the last second: their ids, as the call names them; at most 16 of at most 64 bytes.
    pub hears: Vec<Vec<u8>>,
}

impl Feedback {
    /// The message's bytes: a kind (1); for a report its flags (1), then each name with its length (1) before it; for the
    /// others the track (1), and for a wish the layer (1) and whether it is every second picture only (1).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::KeyFrame(track) => vec![1, Track::Video(*track).id()],
            Self::Subscribe(track, wish) => {
                let layer = wish.map_or(NO_LAYER, |wish| wish.layer.index() as u8);
                let is_base_only = wish.is_some_and(|wish| wish.is_base_only);
                vec![3, Track::Video(*track).id(), layer, u8::from(is_base_only)]
            }
            Self::Status(report) => {
                let sends = report.sends.iter().map(|track| 1 << track.id());
                let muted = if report.is_muted { MUTED } else { 0 };
                let mut bytes = vec![2, sends.fold(muted, |all, one| all | one)];
                let names = report
                    .hears
                    .iter()
                    .filter(|name| name.len() <= MAX_NAME)
                    .take(MAX_NAMES);
                for name in names {
                    bytes.push(name.len() as u8);
                    bytes.extend_from_slice(name);
                }
                bytes
            }
        }
    }

    /// Reads a message; `None` for one that this version does not have.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [1, track] => Some(Self::KeyFrame(video_track(*track)?)),
            [3, track, NO_LAYER, 0] => Some(Self::Subscribe(video_track(*track)?, None)),
            [3, track, layer, is_base_only @ 0..=1] => {
                let wish = Subscription {
                    layer: Layer::at(usize::from(*layer))?,
                    is_base_only: *is_base_only == 1,
                };
                Some(Self::Subscribe(video_track(*track)?, Some(wish)))
            }
            [2, flags @ 0..=0b1_1111, names @ ..] => Some(Self::Status(MemberStatus {
                sends: Track::ALL
                    .into_iter()
                    .filter(|track| flags >> track.id() & 1 == 1)
                    .collect(),
                is_muted: flags & MUTED != 0,
                hears: decode_names(names)?,
            })),
            _ => None,
        }
    }
}

fn video_track(id: u8) -> Option<VideoTrack> {
    match Track::from_id(id)? {
        Track::Video(track) => Some(track),
        Track::Audio(_) => None,
    }
}

fn decode_names(mut bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut names = Vec::new();
    while let Some((len, rest)) = bytes.split_first() {
        let len = usize::from(*len);
        if names.len() == MAX_NAMES || len > MAX_NAME {
            return None;
        }
        let (name, after) = rest.split_at_checked(len)?;
        names.push(name.to_vec());
        bytes = after;
    }
    Some(names)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::track::AudioTrack;

    proptest! {
        #[test]
        fn a_report_is_read_as_written(
            sends in prop::sample::subsequence(Track::ALL.to_vec(), 0..=Track::ALL.len()),
            is_muted in any::<bool>(),
            hears in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=MAX_NAME), 0..=MAX_NAMES),
        ) {
            let sends = sends.into_iter().collect();
            let report = Feedback::Status(MemberStatus { sends, is_muted, hears });
            prop_assert_eq!(Feedback::decode(&report.encode()), Some(report));
        }

        #[test]
        fn whatever_is_read_is_bounded_and_written_the_same(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
            if let Some(feedback) = Feedback::decode(&bytes) {
                prop_assert_eq!(feedback.encode(), bytes);
            }
        }
    }

    #[test]
    fn nothing_else_is_read() {
        assert_eq!(
            Feedback::decode(&[1, 1]),
            Some(Feedback::KeyFrame(VideoTrack::Camera))
        );
        let halved = Subscription {
            layer: Layer::Medium,
            is_base_only: true,
        };
        assert_eq!(
            Feedback::decode(&[3, 2, 1, 1]),
            Some(Feedback::Subscribe(VideoTrack::Screen, Some(halved)))
        );
        let too_many = [&[2, 0][..], &[1, 7].repeat(MAX_NAMES + 1)].concat();
        for bytes in [
            &[][..],
            &[0],
            &[3, 1],
            &[3, 1, 3, 0],
            &[3, 1, 1, 2],
            &[3, 1, 1],
            &[3, 0, 1, 1],
            &[3, 4, 1, 1],
            &[4],
            &[1],
            &[1, 0],
            &[1, 1, 1],
            &[2],
            &[2, 32],
            &[2, 0, 1],
            &[2, 0, 65],
            &too_many,
        ] {
            assert_eq!(Feedback::decode(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn muting_does_not_change_a_reports_size() {
        let report = |is_muted| MemberStatus {
            is_muted,
            sends: BTreeSet::from([Track::Audio(AudioTrack::Voice)]),
            ..MemberStatus::default()
        };
        let [one, other] = [true, false].map(|is_muted| Feedback::Status(report(is_muted)).encode());
        assert_eq!(one.len(), other.len());
    }
}
