//! Control messages, as they stand inside sealed frames of the control stream: CBOR (RFC 8949).

use std::convert::Infallible;
use std::fmt;

use libp2p_identity::PeerId;
use minicbor::bytes::ByteVec;
use minicbor::encode::Write;
use minicbor::{Decode, Encode};
use zeroize::Zeroizing;

use crate::interface::Medium;
use crate::roster::{Card, Entries, Joined, Left, MAX_LEFT};
use crate::route::Consent;
use crate::secret::Private;

/// The longest frame on the control stream, sealed, bytes. The largest part of a roster fits: a test reckons it.
pub const MAX_FRAME: usize = 56 * 1024;

/// Peers named in one message; more than a call ever has.
const MAX_PEERS: usize = 64;

/// One control message. No secret, name or address in it is printed.
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
        call: Private<[u8; 16]>,
        /// Everybody's entries, the newcomer's among them; or the last of them, when others came in [`Control::Entries`].
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
        secret: Private<[u8; 32]>,
        /// Whether the one who is told should dial at once; the other one does only if nobody comes.
        #[n(2)]
        dial: bool,
    },
    /// To the introducer: I expect this member now.
    #[n(4)]
    Ready(#[n(0)] Peer),
    /// Every second: what I know, and whom I am linked with.
    #[n(5)]
    Heartbeat {
        /// [`crate::roster::Roster::hash`].
        #[n(0)]
        roster: Private<[u8; 32]>,
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
    RekeyFirst(#[n(0)] Private<Vec<u8>>),
    /// Its answer.
    #[n(8)]
    RekeySecond(#[n(0)] Private<Vec<u8>>),
    /// A message on a channel, opaque here.
    #[n(9)]
    Message {
        /// The channel's number ([`crate::channel::Channel::id`]).
        #[n(0)]
        channel: u8,
        /// What the program above says.
        #[n(1)]
        body: Private<Vec<u8>>,
    },
    /// The sender leaves.
    #[n(10)]
    Bye(#[n(0)] Left),
    /// Whether the sender's user agrees to media on this connection.
    #[n(11)]
    Consent(#[n(0)] Consent),
    /// The secret to come back with, should this connection break.
    #[n(12)]
    Reconnect(#[n(0)] Private<[u8; 32]>),
    /// Over what the sender is connected.
    #[n(13)]
    Medium(#[n(0)] Medium),
    /// This member's user is being asked about the receiver; passed on for a member that has no link with it yet.
    #[n(14)]
    Asked(#[n(0)] Peer),
    /// So much of a channel's messages was taken: as much may be sent anew.
    #[n(15)]
    Credit {
        /// The channel's number.
        #[n(0)]
        channel: u8,
        /// Bytes.
        #[n(1)]
        bytes: u32,
    },
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Encode, Decode, thiserror::Error)]
#[cbor(index_only)]
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
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Peer(#[n(0)] ByteVec);

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Peer(…)")
    }
}

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
    /// The message's bytes. They may hold secrets, and wipe themselves.
    #[must_use]
    pub fn encode(&self) -> Zeroizing<Vec<u8>> {
        let mut len = Length(0);
        // Counting cannot fail, nor can writing to a vector.
        let _ok = minicbor::encode(self, &mut len);
        // One that grew would leave parts of the message behind.
        let mut bytes = Zeroizing::new(Vec::<u8>::with_capacity(len.0));
        let _ok = minicbor::encode(self, &mut *bytes);
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
        let is_sane = decoder.position() == bytes.len()
            && match &message {
                Self::Heartbeat { links, asking, .. } => {
                    links.len() <= MAX_PEERS && asking.len() <= MAX_PEERS
                }
                Self::Welcome { entries, .. } | Self::Entries(entries) => {
                    let Entries { joined, left, moved } = entries;
                    joined.len() <= MAX_PEERS && moved.len() <= MAX_PEERS && left.len() <= MAX_LEFT
                }
                _ => true,
            };
        if is_sane { Ok(message) } else { Err(DecodeError) }
    }
}

/// Counts the bytes that are written to it.
struct Length(usize);

impl Write for Length {
    type Error = Infallible;

    fn write_all(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.0 += bytes.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use libp2p_identity::Keypair;
    use sightline_noise::PublicKey;

    use super::*;
    use crate::candidate::Candidate;
    use crate::name::Name;
    use crate::roster::Moved;

    /// Each byte of what must not be printed. Nothing else holds two of it in a row.
    const SECRET: u8 = 0xa7;

    /// CBOR of whatever a field can be. Byte strings, and what stands in the entries, are made of `SECRET`s.
    fn values() -> Vec<Vec<u8>> {
        let identity = Keypair::ed25519_from_bytes([3; 32]).expect("a key");
        let name = Name::new("AAAAAAAA");
        let address = ([SECRET; 4], u16::from_be_bytes([SECRET; 2])).into();
        let candidate = Candidate::local(address);
        let key = PublicKey([SECRET; 32]);
        let card = Card::sign(&identity, key, &name, &[candidate]).expect("signed");
        let joined = Joined::sign(card.clone(), &identity, &[SECRET; 16]).expect("signed");
        let left = Left::sign(&identity, &[SECRET; 16], &joined).expect("signed");
        let moved = Moved::sign(&identity, &[SECRET; 16], 1, &[candidate]).expect("signed");
        let entries = Entries {
            joined: vec![joined.clone()],
            left: vec![left.clone()],
            moved: vec![moved],
        };
        let bytes = |len| minicbor::to_vec(ByteVec::from(vec![SECRET; len]));
        let values = [
            minicbor::to_vec(true),
            minicbor::to_vec(1u8),
            bytes(16),
            bytes(32),
            bytes(96),
            minicbor::to_vec(vec![ByteVec::from(vec![SECRET; 38]); 2]),
            minicbor::to_vec(card),
            minicbor::to_vec(joined),
            minicbor::to_vec(left),
            minicbor::to_vec(entries),
        ];
        values.map(|value| value.expect("a vector takes it")).into()
    }

    /// Every way to take so many of the values in a row.
    fn rows(values: &[Vec<u8>], len: usize) -> Vec<Vec<u8>> {
        (0..len).fold(vec![Vec::new()], |rows, _| {
            let with = |row: &Vec<u8>, value: &Vec<u8>| [row.as_slice(), value].concat();
            let longer = rows
                .iter()
                .flat_map(|row| values.iter().map(move |value| with(row, value)));
            longer.collect()
        })
    }

    /// Messages of every kind that there is, found by trying.
    fn messages() -> Vec<Control> {
        let values = values();
        let head = |kind: u8, fields: u8| [0x82, kind, 0x80 | fields];
        let is_known = |kind: &u8| {
            let error = minicbor::decode::<Control>(&head(*kind, 0)).expect_err("each kind has a field");
            !error.is_unknown_variant()
        };
        let kinds: Vec<u8> = (0..24).take_while(is_known).collect();
        assert!(kinds.len() > 10, "{kinds:?}");
        let found = |kind: u8| {
            let tries = (1..=3).flat_map(|len| {
                let rows = rows(&values, len).into_iter();
                rows.map(move |row| [head(kind, len as u8).as_slice(), &row].concat())
            });
            let messages: Vec<_> = tries.filter_map(|bytes| Control::decode(&bytes).ok()).collect();
            assert!(!messages.is_empty(), "no value fits the message of kind {kind}");
            messages
        };
        kinds.into_iter().flat_map(found).collect()
    }

    #[test]
    fn a_control_message_prints_none_of_its_secrets_names_and_addresses() {
        for message in messages() {
            let hex = format!("{SECRET:02x}");
            for printed in [format!("{message:?}"), format!("{message:#?}")] {
                let text: String = printed.chars().filter(|c| !c.is_whitespace()).collect();
                let text = text.to_lowercase();
                for part in [
                    format!("{SECRET},{SECRET}"),
                    format!("0x{hex}"),
                    format!("{hex}{hex}"),
                    format!("{SECRET}.{SECRET}"),
                    "aaaaaaaa".to_owned(),
                ] {
                    assert!(!text.contains(&part), "{part} in {printed}");
                }
            }
        }
    }

    #[test]
    fn an_encoded_message_wipes_itself_and_did_not_grow() {
        fn wipes_itself<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        for message in messages() {
            let bytes = message.encode();
            wipes_itself(&bytes);
            assert_eq!(bytes.capacity(), bytes.len(), "{message:?}");
            assert_eq!(Control::decode(&bytes), Ok(message));
        }
    }
}
