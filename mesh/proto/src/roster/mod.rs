//! Who is in the call: signed entries, the same set for everybody.

mod entry;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use libp2p_identity::PeerId;

use crate::secret::hash;

pub use entry::{Card, Entries, Joined, Left, Moved};

/// People in one call at once.
pub const MAX_MEMBERS: usize = 16;

/// People who came over a call's life, those who left among them.
const MAX_ENTRIES: usize = 64;

/// The call's name: 16 random bytes that its starter drew.
pub type CallId = [u8; 16];

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
    moved: BTreeMap<PeerId, Moved>,
}

/// What was new among entries.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct News {
    /// Who came.
    pub joined: Vec<PeerId>,
    /// Who left.
    pub left: Vec<PeerId>,
    /// Who is elsewhere, to be passed on.
    pub moved: Vec<Moved>,
    /// One was signed by somebody else.
    pub forged: bool,
}

impl Roster {
    /// An empty roster.
    #[must_use]
    pub const fn new(call: CallId) -> Self {
        Self {
            call,
            joined: BTreeMap::new(),
            left: BTreeMap::new(),
            moved: BTreeMap::new(),
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
        let peer = entry.subject().ok_or(EntryError::Forged)?;
        let card = &self.joined.get(&peer).ok_or(EntryError::UnknownMember)?.card;
        if !entry.is_signed_by(card, &self.call) {
            return Err(EntryError::Forged);
        }
        Ok(self.left.insert(peer, entry).is_none().then_some(peer))
    }

    /// Takes a move in. Returns who is elsewhere, if that was not known.
    ///
    /// # Errors
    /// [`EntryError`]; the roster is then unchanged.
    pub fn handle_moved(&mut self, entry: Moved) -> Result<Option<PeerId>, EntryError> {
        let peer = entry.subject().ok_or(EntryError::Forged)?;
        let card = &self.joined.get(&peer).ok_or(EntryError::UnknownMember)?.card;
        if self
            .moved
            .get(&peer)
            .is_some_and(|known| !entry.comes_after(known))
        {
            return Ok(None);
        }
        if !entry.is_signed_by(card, &self.call) {
            return Err(EntryError::Forged);
        }
        self.moved.insert(peer, entry);
        Ok(Some(peer))
    }

    /// Takes all entries of a message in.
    pub fn handle_entries(&mut self, entries: Entries) -> News {
        let (joined, error) = self.handle_many(entries.joined);
        let mut news = News {
            joined,
            forged: error == Some(EntryError::Forged),
            ..News::default()
        };
        for entry in entries.left {
            match self.handle_left(entry) {
                Ok(peer) => news.left.extend(peer),
                Err(error) => news.forged |= error == EntryError::Forged,
            }
        }
        for entry in entries.moved {
            match self.handle_moved(entry.clone()) {
                Ok(peer) => news.moved.extend(peer.map(|_| entry)),
                Err(error) => news.forged |= error == EntryError::Forged,
            }
        }
        news
    }

    /// Where somebody can be reached, as they said last.
    #[must_use]
    pub fn addresses(&self, peer: &PeerId) -> Vec<SocketAddr> {
        match (self.moved.get(peer), self.joined.get(peer)) {
            (Some(moved), _) => moved.addresses(),
            (None, Some(entry)) => entry.card.addresses(),
            (None, None) => Vec::new(),
        }
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
    pub fn entries(&self) -> Entries {
        Entries {
            joined: self.joined.values().cloned().collect(),
            left: self.left.values().cloned().collect(),
            moved: self.moved.values().cloned().collect(),
        }
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
        let moved = self
            .moved
            .iter()
            .map(|(peer, moved)| hash(&[&peer.to_bytes(), &moved.statement(&self.call)]));
        let (joined, gap) = (joined.into_iter(), [[0; 32]]);
        let digests: Vec<[u8; 32]> = joined.chain(gap).chain(left).chain(gap).chain(moved).collect();
        hash(&[&self.call, digests.as_flattened()])
    }
}

#[cfg(test)]
mod tests {
    use libp2p_identity::Keypair;
    use sightline_noise::{OVERHEAD, PublicKey};

    use super::entry::{MAX_ADDRESSES_LEN, MAX_NAME};
    use super::*;
    use crate::name::Name;
    use crate::wire::{Control, MAX_FRAME};

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
    fn only_oneself_can_move_and_the_last_word_counts() {
        let mut roster = Roster::new([9; 16]);
        roster.handle_many(vec![joined(1, 1), joined(2, 1)]);
        let two = identity(2).public().to_peer_id();
        let at = |last| SocketAddr::from(([192, 0, 2, last], 1));
        let moved = |number, last| Moved::sign(&identity(2), &[9; 16], number, &[at(last)]).expect("signed");
        let hashes: Vec<_> = [(1, 1), (3, 3), (2, 2)]
            .into_iter()
            .map(|(number, last)| {
                let news = roster
                    .handle_moved(moved(number, last))
                    .expect("signed by whom it names");
                assert_eq!(news.is_some(), number != 2, "an older word changes nothing");
                roster.hash()
            })
            .collect();
        assert_eq!(roster.addresses(&two), [at(3)]);
        assert!(hashes[0] != hashes[1] && hashes[1] == hashes[2]);
        let other_call = Moved::sign(&identity(2), &[8; 16], 4, &[at(4)]).expect("signed");
        assert_eq!(roster.handle_moved(other_call), Err(EntryError::Forged));
        // Two words with one number: everybody ends up with the same one, whichever came first.
        let [one, other] = [5, 6].map(|last| moved(4, last));
        let ends = [[&one, &other], [&other, &one]].map(|order| {
            let mut roster = Roster::new([9; 16]);
            roster.handle_many(vec![joined(1, 1), joined(2, 1)]);
            for entry in order {
                roster
                    .handle_moved(entry.clone())
                    .expect("signed by whom it names");
            }
            roster.hash()
        });
        assert_eq!(ends[0], ends[1]);
        let stranger = Moved::sign(&identity(3), &[9; 16], 4, &[at(4)]).expect("signed");
        assert_eq!(roster.handle_moved(stranger), Err(EntryError::UnknownMember));
        let mut other = Roster::new([9; 16]);
        let news = other.handle_entries(roster.entries());
        assert_eq!((news.joined.len(), news.moved.len(), news.forged), (2, 1, false));
        assert_eq!(other.hash(), roster.hash());
    }

    /// A card with a name and addresses of so many bytes.
    fn card_of(seed: u8, name: usize, addresses: usize) -> Card {
        let mut card = card(seed);
        card.name = "x".repeat(name);
        card.addresses = vec![0; addresses].into();
        card.signature = identity(seed).sign(&card.statement()).expect("signed").into();
        card
    }

    /// A move to addresses of so many bytes.
    fn moved_of(seed: u8, addresses: usize) -> Moved {
        let mut moved = Moved::sign(&identity(seed), &[9; 16], u32::MAX, &[]).expect("signed");
        moved.addresses = vec![0; addresses].into();
        let signature = identity(seed).sign(&moved.statement(&[9; 16]));
        moved.signature = signature.expect("signed").into();
        moved
    }

    #[test]
    fn a_roster_and_its_cards_stay_small() {
        // As CBOR, bytes: what is in a list, and before each list how long it is.
        const KEY: usize = 2 + 32;
        const ID: usize = 2 + 38;
        const SIGNATURE: usize = 2 + 64;
        const NAME: usize = 2 + 64;
        const ADDRESSES: usize = 2 + 8 * 19;
        const CARD: usize = 1 + KEY + KEY + NAME + ADDRESSES + SIGNATURE;
        const JOINED: usize = 1 + CARD + ID + SIGNATURE;
        const LEFT: usize = 1 + ID + SIGNATURE;
        const MOVED: usize = 1 + ID + 5 + ADDRESSES + SIGNATURE;
        const ENTRIES: usize = 1 + 3 * 2 + 64 * (JOINED + LEFT + MOVED);
        const WELCOME: usize = 3 + (1 + 16) + ENTRIES;
        const _: () = assert!(WELCOME + OVERHEAD <= MAX_FRAME, "sealed, it fits into a frame");

        let largest = |seed| card_of(seed, MAX_NAME, MAX_ADDRESSES_LEN);
        let mut roster = Roster::new([9; 16]);
        let entries =
            (1..=80).map(|seed| Joined::sign(largest(seed), &identity(1), &[9; 16]).expect("signed"));
        let (new, error) = roster.handle_many(entries.collect());
        assert_eq!((new.len(), error), (MAX_ENTRIES, Some(EntryError::Full)));
        assert!(roster.is_used_up());
        // Everybody has been elsewhere, and is gone.
        for seed in 1..=64 {
            let moved = roster.handle_moved(moved_of(seed, MAX_ADDRESSES_LEN));
            assert!(moved.is_ok_and(|peer| peer.is_some()));
            let left = Left::sign(&identity(seed), &[9; 16]).expect("signed");
            assert!(roster.handle_left(left).is_ok_and(|peer| peer.is_some()));
        }
        let welcome = Control::Welcome {
            call: [9; 16].into(),
            entries: roster.entries(),
        };
        let bytes = welcome.encode();
        assert_eq!(bytes.len(), WELCOME);
        assert_eq!(Control::decode(&bytes), Ok(welcome));

        assert_eq!(card_of(1, MAX_NAME + 1, 0).verify(), None);
        assert_eq!(card_of(1, 0, MAX_ADDRESSES_LEN + 1).verify(), None);
        let long = moved_of(1, MAX_ADDRESSES_LEN + 1);
        assert!(!long.is_signed_by(&card(1), &[9; 16]));
    }
}
