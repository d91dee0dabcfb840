//! What one participant's media says to another's: carried by the call as an opaque, reliable message.

use crate::layer::{Layer, Share};

/// Members named in one report at most: as many as a call holds.
const MAX_NAMES: usize = 16;

/// The longest name of a member, bytes.
const MAX_NAME: usize = 64;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Feedback {
    /// Send a key frame: this receiver can show nothing without one.
    KeyFrame,
    /// How things are on this side.
    Report(Report),
    /// What is of use here of the other side's pictures; `None` for none.
    Want(Option<Share>),
}

/// Stands for no layer.
const NO_LAYER: u8 = 0xff;

/// How things are on one side. Told every second whatever happens, in a size that only the number of members
/// changes, so that its time and size say nothing of when somebody mutes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// A microphone is sent, muted or not.
    pub has_sound: bool,
    /// What the microphone hears is replaced by silence.
    pub is_muted: bool,
    /// A picture is sent.
    pub has_picture: bool,
    /// From whom sound came in the last second: their ids, as the call names them; at most 16 of at most 64 bytes.
    pub hears: Vec<Vec<u8>>,
}

impl Feedback {
    /// The message's bytes: a kind (1); for a report its flags (1), then each name with its length (1) before it; for a
    /// wish the layer (1) and whether it is every second picture only (1).
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::KeyFrame => vec![1],
            Self::Want(None) => vec![3, NO_LAYER, 0],
            Self::Want(Some(share)) => vec![3, share.layer.index() as u8, u8::from(share.is_halved)],
            Self::Report(report) => {
                let flags = [report.has_sound, report.is_muted, report.has_picture];
                let flags = flags.iter().rev().fold(0, |sum, flag| sum * 2 + u8::from(*flag));
                let mut bytes = vec![2, flags];
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
            [1] => Some(Self::KeyFrame),
            [3, NO_LAYER, 0] => Some(Self::Want(None)),
            [3, layer, is_halved @ 0..=1] => Some(Self::Want(Some(Share {
                layer: Layer::at(usize::from(*layer))?,
                is_halved: *is_halved == 1,
            }))),
            [2, flags @ 0..=7, names @ ..] => Some(Self::Report(Report {
                has_sound: flags & 1 != 0,
                is_muted: flags & 2 != 0,
                has_picture: flags & 4 != 0,
                hears: decode_names(names)?,
            })),
            _ => None,
        }
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

    proptest! {
        #[test]
        fn a_report_is_read_as_written(
            [has_sound, is_muted, has_picture] in any::<[bool; 3]>(),
            hears in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..=MAX_NAME), 0..=MAX_NAMES),
        ) {
            let report = Feedback::Report(Report { has_sound, is_muted, has_picture, hears });
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
        assert_eq!(Feedback::decode(&[1]), Some(Feedback::KeyFrame));
        assert_eq!(
            Feedback::decode(&[3, 1, 1]),
            Some(Feedback::Want(Some(Share {
                layer: Layer::Medium,
                is_halved: true
            })))
        );
        let too_many = [&[2, 0][..], &[1, 7].repeat(MAX_NAMES + 1)].concat();
        for bytes in [
            &[][..],
            &[0],
            &[3],
            &[3, 3, 0],
            &[3, 1, 2],
            &[3, 1],
            &[4],
            &[1, 1],
            &[2],
            &[2, 8],
            &[2, 0, 1],
            &[2, 0, 65],
            &too_many,
        ] {
            assert_eq!(Feedback::decode(bytes), None, "{bytes:?}");
        }
    }

    #[test]
    fn muting_does_not_change_a_reports_size() {
        let report = |is_muted| Report {
            is_muted,
            has_sound: true,
            ..Report::default()
        };
        let [one, other] = [true, false].map(|is_muted| Feedback::Report(report(is_muted)).encode());
        assert_eq!(one.len(), other.len());
    }
}
