//! Why a picture is not shown.

use sightline_media_proto::obu::ObuError;

use super::dav1d::Failed;

/// Why a picture was not decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// No decoder can be had.
    #[error("the picture decoder could not be set up")]
    Setup,
    /// Our encoders make no such picture; the decoder has not seen it.
    #[error(transparent)]
    Foreign(#[from] ObuError),
    /// Damaged, or built on a picture that is not there.
    #[error("a picture could not be decoded")]
    Malformed,
    /// Not of the size that it said, or not 8 bits in 4:2:0.
    #[error("a picture of a kind that is not shown")]
    Unsupported,
    /// The decoder failed at it, or took longer than any picture takes, or was stopped.
    #[error("the picture decoder did not survive a picture")]
    Lost,
}

impl From<Failed> for DecodeError {
    fn from(Failed: Failed) -> Self {
        Self::Malformed
    }
}
