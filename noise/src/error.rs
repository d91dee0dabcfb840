//! What can go wrong, by operation; each message is a sentence.

/// Why a handshake did not come about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The other side has other keys, another secret, or stands in another call, pair or connection.
    #[error("the other side could not prove that it is who it should be")]
    Refused,
    /// The message does not have the one size that it can have.
    #[error("a handshake message of {0} bytes is not one of this protocol")]
    Length(usize),
    /// The pattern or a key could not be set up: a fault of this program.
    #[error("the session could not be prepared")]
    Setup,
}

/// Why a message was not sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// The keys have been in use for [`crate::SESSION_LIFETIME`].
    #[error("the keys shared with this member are too old, and no fresh ones could be agreed")]
    Expired,
    /// More than a Noise message holds (65,519 bytes).
    #[error("a message of {0} bytes is too long to be sealed")]
    TooLong(usize),
}

/// Why a message was not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Shorter than index, counter and tag.
    #[error("the message is cut short")]
    Short,
    /// No keys with its index: of another session, or of one that is over.
    #[error("the message belongs to another session")]
    UnknownIndex,
    /// Its counter was used before, is too old to know, or is out of order on a stream.
    #[error("the message was sent before")]
    Replayed,
    /// Its tag does not fit.
    #[error("the message was not made by this member")]
    Forged,
    /// The keys have been in use for [`crate::SESSION_LIFETIME`].
    #[error("the keys shared with this member are too old")]
    Expired,
}

/// Why a message of a re-handshake was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RekeyError {
    /// It does not belong to this side or moment: only the initiator asks, and it was not asked.
    #[error("an answer about fresh keys came that nobody asked for")]
    Unexpected,
    /// The handshake itself failed.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
}
