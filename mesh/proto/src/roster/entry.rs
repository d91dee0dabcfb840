//! The entries of a roster, each signed by whom it names or who let them in.

use std::fmt;

use libp2p_identity::{Keypair, PeerId, PublicKey as IdentityKey, ed25519};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use sightline_noise::PublicKey;

use super::CallId;
use crate::candidate::{self, Candidate, MAX_LIST_LEN};
use crate::name::Name;
use crate::secret::hash;

/// The longest name in a card, bytes: cards are passed on, so they stay small.
pub(super) const MAX_NAME: usize = 64;

/// A participant's own statement: its keys, its name and the candidates it shares, signed with its identity.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Card {
    #[n(0)]
    identity: ByteArray<32>,
    #[n(1)]
    noise: ByteArray<32>,
    #[n(2)]
    pub(super) name: String,
    #[n(3)]
    pub(super) candidates: ByteVec,
    #[n(4)]
    pub(super) signature: ByteVec,
}

impl Card {
    /// Makes and signs a card. `None` only for an identity that cannot sign.
    #[must_use]
    pub fn sign(identity: &Keypair, noise: PublicKey, name: &Name, candidates: &[Candidate]) -> Option<Self> {
        let key = identity.public().try_into_ed25519().ok()?.to_bytes();
        let mut card = Self {
            identity: key.into(),
            noise: noise.0.into(),
            name: name.as_str().to_owned(),
            candidates: candidate::pack(candidates).into(),
            signature: Vec::new().into(),
        };
        card.signature = identity.sign(&card.statement()).ok()?.into();
        Some(card)
    }

    /// Who made the card; `None` when its key is none, or the signature does not fit.
    #[must_use]
    pub fn verify(&self) -> Option<PeerId> {
        if self.name.len() > MAX_NAME || self.candidates.len() > MAX_LIST_LEN {
            return None;
        }
        let key = self.identity_key()?;
        key.verify(&self.statement(), &self.signature)
            .then(|| key.to_peer_id())
    }

    /// The Noise static key that the card vouches for.
    #[must_use]
    pub fn noise(&self) -> PublicKey {
        PublicKey(*self.noise)
    }

    /// The name, cleaned.
    #[must_use]
    pub fn name(&self) -> Name {
        Name::new(&self.name)
    }

    /// The candidates that the participant shares, as [`candidate::unpack`] reads them.
    #[must_use]
    pub fn candidates(&self) -> Vec<Candidate> {
        candidate::unpack(&self.candidates)
    }

    pub(super) fn identity_key(&self) -> Option<IdentityKey> {
        ed25519::PublicKey::try_from_bytes(&*self.identity)
            .ok()
            .map(Into::into)
    }

    /// What stands for the card where only that somebody had one is to be proved.
    fn digest(&self) -> [u8; 32] {
        hash(&[&self.statement(), &self.signature])
    }

    pub(super) fn statement(&self) -> Vec<u8> {
        let lengths = [self.name.len() as u64, self.candidates.len() as u64];
        [
            b"sightline card".as_slice(),
            &*self.identity,
            &*self.noise,
            &lengths[0].to_be_bytes(),
            self.name.as_bytes(),
            &lengths[1].to_be_bytes(),
            &self.candidates,
        ]
        .concat()
    }
}

/// Redacted: names and addresses do not belong in logs.
impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Card(…)")
    }
}

/// An entry: somebody was let in, signed by who let them in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Joined {
    /// Who came.
    #[n(0)]
    pub card: Card,
    #[n(1)]
    pub(super) invited_by: ByteVec,
    #[n(2)]
    signature: ByteVec,
}

impl Joined {
    /// Signs for `card` as the one who lets its maker in; the call's starter signs for itself.
    #[must_use]
    pub fn sign(card: Card, inviter: &Keypair, call: &CallId) -> Option<Self> {
        let peer = card.identity_key()?.to_peer_id();
        let signature = inviter
            .sign(&admission(call, &card.digest(), &peer.to_bytes()))
            .ok()?;
        Some(Self {
            card,
            invited_by: inviter.public().to_peer_id().to_bytes().into(),
            signature: signature.into(),
        })
    }

    /// Who let them in.
    #[must_use]
    pub fn invited_by(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.invited_by).ok()
    }

    pub(super) fn is_signed_by(&self, inviter: &PeerId, call: &CallId) -> bool {
        let Some(peer) = self.card.identity_key().map(|key| key.to_peer_id()) else {
            return false;
        };
        let admission = admission(call, &self.card.digest(), &peer.to_bytes());
        key_of(inviter).is_some_and(|key| key.verify(&admission, &self.signature))
    }
}

/// What who lets somebody in signs.
fn admission(call: &CallId, card: &[u8; 32], peer: &[u8]) -> Vec<u8> {
    [b"sightline joined".as_slice(), call, card, peer].concat()
}

/// A participant's id holds its whole key: an identity multihash, which begins with its kind, 0, and the key's length.
fn key_of(peer: &PeerId) -> Option<IdentityKey> {
    let bytes = peer.to_bytes();
    let key = IdentityKey::try_decode_protobuf(bytes.strip_prefix(&[0_u8, 36])?).ok()?;
    (key.to_peer_id() == *peer).then_some(key)
}

/// An entry: somebody left, signed by themselves. It takes the place of all others about them, so it also holds what
/// proves that they were let in: those whom they let in are in the call because of that.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Left {
    #[n(0)]
    pub(super) peer: ByteVec,
    /// The digest of their card.
    #[n(1)]
    card: ByteArray<32>,
    #[n(2)]
    invited_by: ByteVec,
    /// The inviter's signature.
    #[n(3)]
    admission: ByteVec,
    #[n(4)]
    signature: ByteVec,
}

/// Redacted, as cards are.
impl fmt::Debug for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Left(…)")
    }
}

impl Left {
    /// Signs one's own leaving; `joined` is one's own entry.
    #[must_use]
    pub fn sign(identity: &Keypair, call: &CallId, joined: &Joined) -> Option<Self> {
        let peer = identity.public().to_peer_id().to_bytes();
        let signature = identity.sign(&Self::statement(&peer, call)).ok()?;
        let left = Self {
            peer: peer.into(),
            card: [0; 32].into(),
            invited_by: Vec::new().into(),
            admission: Vec::new().into(),
            signature: signature.into(),
        };
        Some(left.after(joined))
    }

    /// The same, with the proof that the roster has: who was let in twice has left once.
    pub(super) fn after(self, joined: &Joined) -> Self {
        Self {
            card: joined.card.digest().into(),
            invited_by: joined.invited_by.clone(),
            admission: joined.signature.clone(),
            ..self
        }
    }

    /// Who had let them in.
    pub(super) fn invited_by(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.invited_by).ok()
    }

    /// Who left.
    pub(super) fn subject(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.peer).ok()
    }

    pub(super) fn is_signed_by(&self, subject: &PeerId, call: &CallId) -> bool {
        let statement = Self::statement(&self.peer, call);
        key_of(subject).is_some_and(|key| key.verify(&statement, &self.signature))
    }

    /// Whether this inviter let them in.
    pub(super) fn was_let_in_by(&self, inviter: &PeerId, call: &CallId) -> bool {
        let admission = admission(call, &self.card, &self.peer);
        key_of(inviter).is_some_and(|key| key.verify(&admission, &self.admission))
    }

    fn statement(peer: &[u8], call: &CallId) -> Vec<u8> {
        [b"sightline left".as_slice(), call, peer].concat()
    }
}

/// An entry: somebody can be reached elsewhere now, signed by themselves. The one with the highest number counts.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub struct Moved {
    #[n(0)]
    peer: ByteVec,
    #[n(1)]
    number: u32,
    #[n(2)]
    pub(super) candidates: ByteVec,
    #[n(3)]
    pub(super) signature: ByteVec,
}

impl Moved {
    /// Signs where one can be reached now; `number` rises with each move.
    #[must_use]
    pub fn sign(identity: &Keypair, call: &CallId, number: u32, candidates: &[Candidate]) -> Option<Self> {
        let mut moved = Self {
            peer: identity.public().to_peer_id().to_bytes().into(),
            number,
            candidates: candidate::pack(candidates).into(),
            signature: Vec::new().into(),
        };
        moved.signature = identity.sign(&moved.statement(call)).ok()?.into();
        Some(moved)
    }

    /// Who moved.
    pub(super) fn subject(&self) -> Option<PeerId> {
        PeerId::from_bytes(&self.peer).ok()
    }

    /// Whether this word takes the place of `other`. A member that says two things under one number is believed the
    /// same one by everybody.
    pub(super) fn comes_after(&self, other: &Self) -> bool {
        (self.number, self.candidates.as_slice()) > (other.number, other.candidates.as_slice())
    }

    /// Where they are now.
    pub(super) fn candidates(&self) -> Vec<Candidate> {
        candidate::unpack(&self.candidates)
    }

    pub(super) fn is_signed_by(&self, subject: &Card, call: &CallId) -> bool {
        let fits = self.candidates.len() <= MAX_LIST_LEN;
        let key = subject.identity_key().filter(|_| fits);
        key.is_some_and(|key| key.verify(&self.statement(call), &self.signature))
    }

    pub(super) fn statement(&self, call: &CallId) -> Vec<u8> {
        let number = self.number.to_be_bytes();
        [
            b"sightline moved".as_slice(),
            call,
            &self.peer,
            &number,
            &self.candidates,
        ]
        .concat()
    }
}

/// Redacted, as cards are.
impl fmt::Debug for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Moved({}, …)", self.number)
    }
}

/// Entries, as they are passed on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Encode, Decode)]
pub struct Entries {
    /// Who came.
    #[n(0)]
    pub joined: Vec<Joined>,
    /// Who left.
    #[n(1)]
    pub left: Vec<Left>,
    /// Who is elsewhere now.
    #[n(2)]
    pub moved: Vec<Moved>,
}
