//! Control messages, as they stand inside sealed frames of the control stream: CBOR (RFC 8949).

use libp2p_identity::PeerId;
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};

use crate::interface::Medium;
use crate::roster::{Card, Entries, Joined, Left};
use crate::route::Consent;

/// The longest frame on the control stream, sealed, bytes. A full roster is a third of it.
pub const MAX_FRAME: usize = 48 * 1024;

/// The longest opaque message that the program above may send to one member, bytes.
pub const MAX_APP: usize = 1024;

/// Peers named in one message; more than a call ever has.
const MAX_PEERS: usize = 64;

/// One control message.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub enum Control {
    /// Newcomer: let me in.
    #[n(0)]
    Knock(#[n(0)] Card),
    /// Inviter: you are in; this is the call.
    #[n(1)]
    Welcome {
        /// The call's id.
        #[n(0)]
        call: ByteArray<16>,
        /// Everybody's entries, the newcomer's among them.
        #[n(1)]
        entries: Entries,
    },
    /// Inviter: you are not let in.
    #[n(2)]
    Refused(#[n(0)] Refusal),
    /// Introducer: meet this member, by this secret.
    #[n(3)]
    Introduce {
        /// Whom to meet.
        #[n(0)]
        entry: Joined,
        /// What both sides will have in common.
        #[n(1)]
        secret: ByteArray<32>,
        /// Whether the one who is told should dial; the other one waits.
        #[n(2)]
        dial: bool,
    },
    /// To the introducer: I expect this member now.
    #[n(4)]
    Ready(#[n(0)] Peer),
    /// Every second: what I know, and whom I am linked with.
    #[n(5)]
    Beat {
        /// [`crate::roster::Roster::hash`].
        #[n(0)]
        roster: ByteArray<32>,
        /// Members with a session.
        #[n(1)]
        links: Vec<Peer>,
        /// Members whom the sender's user is being asked about before they are dialled.
        #[n(2)]
        asking: Vec<Peer>,
    },
    /// Entries that the receiver may lack.
    #[n(6)]
    Entries(#[n(0)] Entries),
    /// A re-handshake's first message.
    #[n(7)]
    RekeyFirst(#[n(0)] ByteVec),
    /// Its answer.
    #[n(8)]
    RekeySecond(#[n(0)] ByteVec),
    /// A message of the program above, opaque here.
    #[n(9)]
    App(#[n(0)] ByteVec),
    /// The sender leaves.
    #[n(10)]
    Bye(#[n(0)] Left),
    /// Whether the sender's user agrees to media on this connection.
    #[n(11)]
    Consent(#[n(0)] Consent),
    /// The secret to come back with, should this connection break.
    #[n(12)]
    Return(#[n(0)] ByteArray<32>),
    /// Over what the sender is connected.
    #[n(13)]
    Medium(#[n(0)] Medium),
    /// This member's user is being asked about the receiver; passed on for a member that has no link with it yet.
    #[n(14)]
    Asked(#[n(0)] Peer),
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
#[non_exhaustive]
pub enum Refusal {
    /// The person asked said no.
    #[n(0)]
    #[error("The person who gave you the code did not let you in.")]
    Declined,
    /// Somebody else has used the code.
    #[n(1)]
    #[error("This code has been used already: each code lets one person in. Ask for another one.")]
    Used,
    /// Its maker took it back.
    #[n(2)]
    #[error("This code has been withdrawn by the person who made it. Ask for another one.")]
    Withdrawn,
    /// Its time is over.
    #[n(3)]
    #[error("This code has expired. Ask for another one.")]
    Expired,
    /// Sixteen people are there, or too many have come and gone.
    #[n(4)]
    #[error("The call is full.")]
    Full,
    /// The knock did not hold together.
    #[n(5)]
    #[error("The other side could not make sense of this program's request to join.")]
    Invalid,
}

impl Refusal {
    /// A stable word for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Declined | Self::Invalid => "refused",
            Self::Used => "code_used",
            Self::Withdrawn => "code_withdrawn",
            Self::Expired => "code_expired",
            Self::Full => "full",
        }
    }
}

/// A peer's id on the wire.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Peer(#[n(0)] ByteVec);

impl From<PeerId> for Peer {
    fn from(peer: PeerId) -> Self {
        Self(peer.to_bytes().into())
    }
}

impl Peer {
    /// The id, if it is one.
    #[must_use]
    pub fn id(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.0).ok()
    }
}

/// The bytes are not a control message of this protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a control message could not be read")]
pub struct DecodeError;

impl Control {
    /// The message's bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a vector cannot fail.
        let _ok = minicbor::encode(self, &mut bytes);
        bytes
    }

    /// Reads a message; unknown kinds, trailing bytes and lists beyond any call's size are refused.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_FRAME {
            return Err(DecodeError);
        }
        let mut decoder = minicbor::Decoder::new(bytes);
        let message: Self = decoder.decode().map_err(|_| DecodeError)?;
        let sound = decoder.position() == bytes.len()
            && match &message {
                Self::Beat { links, asking, .. } => links.len() <= MAX_PEERS && asking.len() <= MAX_PEERS,
                Self::Welcome { entries, .. } | Self::Entries(entries) => {
                    let Entries { joined, left, moved } = entries;
                    [joined.len(), left.len(), moved.len()]
                        .iter()
                        .all(|len| *len <= MAX_PEERS)
                }
                Self::App(body) => body.len() <= MAX_APP,
                _ => true,
            };
        if sound { Ok(message) } else { Err(DecodeError) }
    }
}
