//! Who is in the call: signed entries, the same set for everybody.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use libp2p_identity::{Keypair, PeerId, PublicKey as IdentityKey, ed25519};
use minicbor::bytes::{ByteArray, ByteVec};
use minicbor::{Decode, Encode};
use sightline_noise::PublicKey;

use crate::address::{self, MAX_ADDRESSES};
use crate::name::Name;
use crate::secret::hash;

/// People in one call at once.
pub const MAX_MEMBERS: usize = 16;

/// People who came over a call's life, those who left among them.
const MAX_ENTRIES: usize = 64;

/// The longest name in a card, and the longest address, bytes: cards are passed on, so they stay small.
const MAX_NAME: usize = 64;
const MAX_ADDRESS_LEN: usize = 19;

/// The call's name: 16 random bytes that its starter drew.
pub type CallId = [u8; 16];

/// A participant's own statement: its keys, its name and the addresses it shares, signed with its identity.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Card {
    #[n(0)]
    identity: ByteArray<32>,
    #[n(1)]
    noise: ByteArray<32>,
    #[n(2)]
    name: String,
    #[n(3)]
    addresses: ByteVec,
    #[n(4)]
    signature: ByteVec,
}

impl Card {
    /// Makes and signs a card. `None` only for an identity that cannot sign.
    #[must_use]
    pub fn sign(identity: &Keypair, noise: PublicKey, name: &Name, addresses: &[SocketAddr]) -> Option<Self> {
        let key = identity.public().try_into_ed25519().ok()?.to_bytes();
        let mut bytes = Vec::new();
        for address in addresses.iter().take(MAX_ADDRESSES) {
            address::push(&mut bytes, *address);
        }
        let mut card = Self {
            identity: key.into(),
            noise: noise.0.into(),
            name: name.as_str().to_owned(),
            addresses: bytes.into(),
            signature: Vec::new().into(),
        };
        card.signature = identity.sign(&card.statement()).ok()?.into();
        Some(card)
    }

    /// Who made the card; `None` when its key is none, or the signature does not fit.
    #[must_use]
    pub fn verify(&self) -> Option<PeerId> {
        if self.name.len() > MAX_NAME || self.addresses.len() > MAX_ADDRESSES * MAX_ADDRESS_LEN {
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

    /// The addresses that the participant shares; those after a malformed one are left out.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        let mut rest = self.addresses.as_slice();
        let mut addresses = Vec::new();
        while addresses.len() < MAX_ADDRESSES
            && let Ok(address) = address::take(&mut rest)
        {
            addresses.push(address);
        }
        addresses
    }

    fn identity_key(&self) -> Option<IdentityKey> {
        ed25519::PublicKey::try_from_bytes(&*self.identity)
            .ok()
            .map(Into::into)
    }

    fn statement(&self) -> Vec<u8> {
        let lengths = [self.name.len() as u64, self.addresses.len() as u64];
        [
            b"sightline card".as_slice(),
            &*self.identity,
            &*self.noise,
            &lengths[0].to_be_bytes(),
            self.name.as_bytes(),
            &lengths[1].to_be_bytes(),
            &self.addresses,
        ]
        .concat()
    }
}

/// An entry: somebody was let in, signed by who let them in.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Joined {
    /// Who came.
    #[n(0)]
    pub card: Card,
    #[n(1)]
    invited_by: ByteVec,
    #[n(2)]
    signature: ByteVec,
}

impl Joined {
    /// Signs for `card` as the one who lets its maker in; the call's starter signs for itself.
    #[must_use]
    pub fn sign(card: Card, inviter: &Keypair, call: &CallId) -> Option<Self> {
        let signature = inviter.sign(&Self::statement(&card, call)).ok()?;
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

    fn is_signed_by(&self, inviter: &Card, call: &CallId) -> bool {
        inviter
            .identity_key()
            .is_some_and(|key| key.verify(&Self::statement(&self.card, call), &self.signature))
    }

    fn statement(card: &Card, call: &CallId) -> Vec<u8> {
        [
            b"sightline joined".as_slice(),
            call,
            &card.statement(),
            &card.signature,
        ]
        .concat()
    }
}

/// An entry: somebody left, signed by themselves.
#[derive(Clone, Debug, PartialEq, Eq, Encode, Decode)]
pub struct Left {
    #[n(0)]
    peer: ByteVec,
    #[n(1)]
    signature: ByteVec,
}

impl Left {
    /// Signs one's own leaving.
    #[must_use]
    pub fn sign(identity: &Keypair, call: &CallId) -> Option<Self> {
        let peer = identity.public().to_peer_id().to_bytes();
        let signature = identity.sign(&Self::statement(&peer, call)).ok()?;
        Some(Self {
            peer: peer.into(),
            signature: signature.into(),
        })
    }

    fn statement(peer: &[u8], call: &CallId) -> Vec<u8> {
        [b"sightline left".as_slice(), call, peer].concat()
    }
}

/// Why an entry was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// A signature does not fit.
    #[error("an entry of the roster is not signed by whom it names")]
    Forged,
    /// Its inviter, or who left, is not in the roster (yet).
    #[error("an entry of the roster names somebody unknown")]
    UnknownMember,
    /// The roster is full.
    #[error("the call is full")]
    Full,
}

/// The set of entries.
#[derive(Debug)]
pub struct Roster {
    call: CallId,
    joined: BTreeMap<PeerId, Joined>,
    left: BTreeMap<PeerId, Left>,
}

impl Roster {
    /// An empty roster.
    #[must_use]
    pub const fn new(call: CallId) -> Self {
        Self {
            call,
            joined: BTreeMap::new(),
            left: BTreeMap::new(),
        }
    }

    /// The call's id.
    #[must_use]
    pub const fn call(&self) -> &CallId {
        &self.call
    }

    /// Takes an entry in; the first one must be the starter's, invited by itself. Returns who is new.
    ///
    /// # Errors
    /// [`EntryError`]; the roster is then unchanged.
    pub fn handle_joined(&mut self, entry: Joined) -> Result<Option<PeerId>, EntryError> {
        // What is known already needs no proof: signatures cost time.
        let claimed = entry.card.identity_key().ok_or(EntryError::Forged)?.to_peer_id();
        if self.joined.contains_key(&claimed) {
            return Ok(None);
        }
        if self.joined.len() >= MAX_ENTRIES {
            return Err(EntryError::Full);
        }
        let peer = entry.card.verify().ok_or(EntryError::Forged)?;
        let inviter = entry.invited_by().ok_or(EntryError::Forged)?;
        let is_starter = self.joined.is_empty() && inviter == peer;
        let inviter_card = if is_starter {
            &entry.card
        } else {
            &self.joined.get(&inviter).ok_or(EntryError::UnknownMember)?.card
        };
        if !entry.is_signed_by(inviter_card, &self.call) {
            return Err(EntryError::Forged);
        }
        self.joined.insert(peer, entry);
        Ok(Some(peer))
    }

    /// Takes many entries in, whatever their order. Returns who is new, and the gravest error.
    pub fn handle_many(&mut self, mut entries: Vec<Joined>) -> (Vec<PeerId>, Option<EntryError>) {
        let mut new = Vec::new();
        let mut forged = None;
        loop {
            let before = entries.len();
            let mut waits = None;
            entries.retain(|entry| match self.handle_joined(entry.clone()) {
                Ok(peer) => {
                    new.extend(peer);
                    false
                }
                // Perhaps its inviter comes later in the list.
                Err(EntryError::UnknownMember) => {
                    waits = Some(EntryError::UnknownMember);
                    true
                }
                Err(why) => {
                    forged = forged.or(Some(why));
                    false
                }
            });
            if entries.is_empty() || entries.len() == before {
                return (new, forged.or(waits));
            }
        }
    }

    /// Takes a leaving in. Returns who left, if that was not known.
    ///
    /// # Errors
    /// [`EntryError`]; the roster is then unchanged.
    pub fn handle_left(&mut self, entry: Left) -> Result<Option<PeerId>, EntryError> {
        let peer = PeerId::from_bytes(&entry.peer).map_err(|_| EntryError::Forged)?;
        let card = &self.joined.get(&peer).ok_or(EntryError::UnknownMember)?.card;
        let statement = Left::statement(&entry.peer, &self.call);
        if !card
            .identity_key()
            .is_some_and(|key| key.verify(&statement, &entry.signature))
        {
            return Err(EntryError::Forged);
        }
        Ok(self.left.insert(peer, entry).is_none().then_some(peer))
    }

    /// Whether so many have come and gone that nobody else can be let in.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.joined.len() >= MAX_ENTRIES
    }

    /// An entry, whether its subject left or not.
    #[must_use]
    pub fn get(&self, peer: &PeerId) -> Option<&Joined> {
        self.joined.get(peer)
    }

    /// Whether somebody was let in and did not leave.
    #[must_use]
    pub fn is_present(&self, peer: &PeerId) -> bool {
        self.joined.contains_key(peer) && !self.left.contains_key(peer)
    }

    /// Who was let in and did not leave.
    pub fn present(&self) -> impl Iterator<Item = PeerId> {
        self.joined
            .keys()
            .filter(|peer| !self.left.contains_key(peer))
            .copied()
    }

    /// All entries, to pass on.
    #[must_use]
    pub fn entries(&self) -> (Vec<Joined>, Vec<Left>) {
        (
            self.joined.values().cloned().collect(),
            self.left.values().cloned().collect(),
        )
    }

    /// The same for two members exactly when they have the same entries.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let joined: BTreeSet<_> = self
            .joined
            .values()
            .map(|entry| hash(&[&entry.card.statement(), &entry.invited_by]))
            .collect();
        let left = self.left.keys().map(|peer| hash(&[&peer.to_bytes()]));
        let digests: Vec<[u8; 32]> = joined.into_iter().chain([[0; 32]]).chain(left).collect();
        hash(&[&self.call, digests.as_flattened()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(seed: u8) -> Keypair {
        Keypair::ed25519_from_bytes([seed; 32]).expect("a key")
    }

    fn card(seed: u8) -> Card {
        Card::sign(&identity(seed), PublicKey([seed; 32]), &Name::new("x"), &[]).expect("signed")
    }

    fn joined(seed: u8, inviter: u8) -> Joined {
        Joined::sign(card(seed), &identity(inviter), &[9; 16]).expect("signed")
    }

    #[test]
    fn entries_arrive_in_any_order_and_give_one_hash() {
        let chain = [joined(1, 1), joined(2, 1), joined(3, 2), joined(4, 3)];
        let mut forward = Roster::new([9; 16]);
        assert_eq!(forward.handle_many(chain.to_vec()).0.len(), 4);
        let mut backward = Roster::new([9; 16]);
        backward.handle_joined(chain[0].clone()).expect("the starter");
        let (new, error) = backward.handle_many(chain.iter().rev().cloned().collect());
        assert_eq!((new.len(), error), (3, None));
        assert_eq!(forward.hash(), backward.hash());
    }

    #[test]
    fn nobody_gets_in_without_a_members_signature() {
        let mut roster = Roster::new([9; 16]);
        roster.handle_joined(joined(1, 1)).expect("the starter");
        assert_eq!(roster.handle_joined(joined(2, 2)), Err(EntryError::UnknownMember));
        assert_eq!(roster.handle_joined(joined(3, 7)), Err(EntryError::UnknownMember));
        let mut forged = joined(2, 3);
        forged.invited_by = identity(1).public().to_peer_id().to_bytes().into();
        assert_eq!(roster.handle_joined(forged), Err(EntryError::Forged));
        let other_call = Joined::sign(card(2), &identity(1), &[8; 16]).expect("signed");
        assert_eq!(roster.handle_joined(other_call), Err(EntryError::Forged));
        let mut changed = joined(2, 1);
        changed.card.name = "somebody else".into();
        assert_eq!(roster.handle_joined(changed), Err(EntryError::Forged));
        assert_eq!(roster.present().count(), 1);
    }

    #[test]
    fn only_oneself_can_sign_ones_leaving() {
        let mut roster = Roster::new([9; 16]);
        roster.handle_many(vec![joined(1, 1), joined(2, 1)]);
        let before = roster.hash();
        let mut forged = Left::sign(&identity(1), &[9; 16]).expect("signed");
        forged.peer = identity(2).public().to_peer_id().to_bytes().into();
        assert_eq!(roster.handle_left(forged), Err(EntryError::Forged));
        assert_eq!(roster.hash(), before);
        let left = Left::sign(&identity(2), &[9; 16]).expect("signed");
        assert!(roster.handle_left(left).is_ok_and(|peer| peer.is_some()));
        assert_eq!(roster.present().count(), 1);
        assert_ne!(roster.hash(), before);
    }

    #[test]
    fn a_roster_and_its_cards_stay_small() {
        let mut roster = Roster::new([9; 16]);
        let entries = (1..=80).map(|seed| joined(seed, 1)).collect();
        let (new, error) = roster.handle_many(entries);
        assert_eq!((new.len(), error), (MAX_ENTRIES, Some(EntryError::Full)));
        assert!(roster.is_used_up());

        let mut long = card(1);
        long.name = "x".repeat(MAX_NAME + 1);
        long.signature = identity(1).sign(&long.statement()).expect("signed").into();
        assert_eq!(long.verify(), None);
    }
}
