//! Who is in the call: signed entries, the same set for everybody.

mod entry;

use std::collections::{BTreeMap, BTreeSet};

use libp2p_identity::PeerId;

use crate::candidate::Candidate;
use crate::secret::hash;

pub use entry::{Card, Entries, Joined, Left, Moved};

/// People in one call at once.
pub const MAX_MEMBERS: usize = 16;

/// People who were let in and did not say goodbye: who is here, and who was lost and may come back.
const MAX_ENTRIES: usize = 64;

/// People over a call's life. Of who left a quarter of a kilobyte stays, so that nobody brings them back with what they
/// once signed.
const MAX_PEOPLE: usize = 512;

/// The longest entries, as CBOR, bytes; a test reckons them.
const JOINED_LEN: usize = 470;
const LEFT_LEN: usize = 247;
const MOVED_LEN: usize = 274;

/// 52 KiB: the longest entries of one message, so that it fits into a frame.
const PART_LEN: usize = 52 * 1024;

/// Messages that the largest roster takes.
pub const MAX_PARTS: usize = 1
    + (MAX_ENTRIES * (JOINED_LEN + MOVED_LEN) + (MAX_PEOPLE + MAX_ENTRIES) * LEFT_LEN)
        / (PART_LEN - JOINED_LEN - MOVED_LEN);

/// Entries of those who left in one message at most.
pub const MAX_LEFT: usize = PART_LEN / LEFT_LEN;

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

/// The set of entries: about each person the one that they joined, perhaps one that they moved; or, in their place, the
/// one that they left. Whatever the order in which two members learn of the same entries, they end up with the same ones.
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

    /// Takes an entry in; the first one must be the starter's, invited by itself. Returns who is new. Who left is not
    /// brought back by it.
    ///
    /// # Errors
    /// [`EntryError`]; the roster is then unchanged.
    pub fn handle_joined(&mut self, entry: Joined) -> Result<Option<PeerId>, EntryError> {
        // What is known already needs no proof: signatures cost time.
        let claimed = entry.card.identity_key().ok_or(EntryError::Forged)?.to_peer_id();
        if self.knows(&claimed) {
            return Ok(None);
        }
        if self.joined.len() >= MAX_ENTRIES {
            return Err(EntryError::Full);
        }
        let inviter = self.known_inviter(claimed, entry.invited_by())?;
        let peer = entry.card.verify().ok_or(EntryError::Forged)?;
        if !entry.is_signed_by(&inviter, &self.call) {
            return Err(EntryError::Forged);
        }
        self.joined.insert(peer, entry);
        Ok(Some(peer))
    }

    /// Takes a leaving in, in place of what else is known of them. Returns who left, if that was not known.
    ///
    /// # Errors
    /// [`EntryError`]; the roster is then unchanged.
    pub fn handle_left(&mut self, entry: Left) -> Result<Option<PeerId>, EntryError> {
        let peer = entry.subject().ok_or(EntryError::Forged)?;
        if self.left.contains_key(&peer) {
            return Ok(None);
        }
        // For those who are here there is room.
        if self.left.len() >= MAX_PEOPLE && !self.joined.contains_key(&peer) {
            return Err(EntryError::Full);
        }
        let entry = if let Some(joined) = self.joined.get(&peer) {
            entry.after(joined)
        } else {
            let inviter = self.known_inviter(peer, entry.invited_by())?;
            if !entry.was_let_in_by(&inviter, &self.call) {
                return Err(EntryError::Forged);
            }
            entry
        };
        if !entry.is_signed_by(&peer, &self.call) {
            return Err(EntryError::Forged);
        }
        self.joined.remove(&peer);
        self.moved.remove(&peer);
        self.left.insert(peer, entry);
        Ok(Some(peer))
    }

    /// Takes a move in. Returns who is elsewhere, if that was not known.
    ///
    /// # Errors
    /// [`EntryError`]; the roster is then unchanged.
    pub fn handle_moved(&mut self, entry: Moved) -> Result<Option<PeerId>, EntryError> {
        let peer = entry.subject().ok_or(EntryError::Forged)?;
        if self.left.contains_key(&peer) {
            return Ok(None);
        }
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

    /// Takes all entries of a message in, whatever their order.
    pub fn handle_entries(&mut self, entries: Entries) -> News {
        let Entries {
            mut joined,
            mut left,
            moved,
        } = entries;
        let mut news = News::default();
        loop {
            let before = joined.len() + left.len();
            // Of who is unknown the inviter may come later in the list.
            left.retain(|entry| match self.handle_left(entry.clone()) {
                Ok(peer) => {
                    news.left.extend(peer);
                    false
                }
                Err(error) => {
                    news.forged |= error == EntryError::Forged;
                    error == EntryError::UnknownMember
                }
            });
            joined.retain(|entry| match self.handle_joined(entry.clone()) {
                Ok(peer) => {
                    news.joined.extend(peer);
                    false
                }
                Err(error) => {
                    news.forged |= error == EntryError::Forged;
                    error == EntryError::UnknownMember
                }
            });
            if joined.len() + left.len() == before {
                break;
            }
        }
        for entry in moved {
            match self.handle_moved(entry.clone()) {
                Ok(peer) => news.moved.extend(peer.map(|_| entry)),
                Err(error) => news.forged |= error == EntryError::Forged,
            }
        }
        news
    }

    /// Whether somebody was ever let in.
    fn knows(&self, peer: &PeerId) -> bool {
        self.joined.contains_key(peer) || self.left.contains_key(peer)
    }

    /// Whoever is said to have let `peer` in, if they could: the first let itself in, everybody else was let in by
    /// somebody who had been.
    fn known_inviter(&self, peer: PeerId, inviter: Option<PeerId>) -> Result<PeerId, EntryError> {
        let inviter = inviter.ok_or(EntryError::Forged)?;
        let is_starter = self.joined.is_empty() && self.left.is_empty() && inviter == peer;
        if is_starter || self.knows(&inviter) {
            Ok(inviter)
        } else {
            Err(EntryError::UnknownMember)
        }
    }

    /// Where somebody can be reached, as they said last.
    #[must_use]
    pub fn candidates(&self, peer: &PeerId) -> Vec<Candidate> {
        match (self.moved.get(peer), self.joined.get(peer)) {
            (Some(moved), _) => moved.candidates(),
            (None, Some(entry)) => entry.card.candidates(),
            (None, None) => Vec::new(),
        }
    }

    /// Whether so many are here, or have come and gone, that nobody else can be let in. For the leaving of everybody who
    /// was let in there is room.
    #[must_use]
    pub fn is_used_up(&self) -> bool {
        self.joined.len() >= MAX_ENTRIES || self.joined.len() + self.left.len() >= MAX_PEOPLE
    }

    /// The entry of somebody who did not leave.
    #[must_use]
    pub fn get(&self, peer: &PeerId) -> Option<&Joined> {
        self.joined.get(peer)
    }

    /// Whether somebody was let in and did not leave.
    #[must_use]
    pub fn is_present(&self, peer: &PeerId) -> bool {
        self.joined.contains_key(peer)
    }

    /// Who was let in and did not leave.
    pub fn present(&self) -> impl Iterator<Item = PeerId> {
        self.joined.keys().copied()
    }

    /// All entries, to pass on in so many messages, at least one: inviters before those whom they let in, so that who
    /// takes one message in after the other can judge each.
    #[must_use]
    pub fn parts(&self) -> Vec<Entries> {
        let mut parts = Vec::new();
        let (mut part, mut len) = (Entries::default(), 0);
        for peer in self.in_order() {
            let (joined, moved) = (self.joined.get(&peer), self.moved.get(&peer));
            let left = self.left.get(&peer);
            let more = joined.map_or(0, |_| JOINED_LEN)
                + moved.map_or(0, |_| MOVED_LEN)
                + left.map_or(0, |_| LEFT_LEN);
            if len + more > PART_LEN {
                parts.push(std::mem::take(&mut part));
                len = 0;
            }
            len += more;
            part.joined.extend(joined.cloned());
            part.moved.extend(moved.cloned());
            part.left.extend(left.cloned());
        }
        parts.push(part);
        parts
    }

    /// Everybody, each after who let them in.
    fn in_order(&self) -> Vec<PeerId> {
        let joined = self
            .joined
            .iter()
            .map(|(peer, entry)| (*peer, entry.invited_by()));
        let left = self.left.iter().map(|(peer, entry)| (*peer, entry.invited_by()));
        let mut guests: BTreeMap<PeerId, Vec<PeerId>> = BTreeMap::new();
        let mut order = Vec::new();
        for (peer, inviter) in joined.chain(left) {
            match inviter.filter(|inviter| *inviter != peer) {
                Some(inviter) => guests.entry(inviter).or_default().push(peer),
                // The starter.
                None => order.push(peer),
            }
        }
        let mut at = 0;
        while let Some(inviter) = order.get(at).copied() {
            order.extend(guests.remove(&inviter).unwrap_or_default());
            at += 1;
        }
        order
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

    use std::net::SocketAddr;

    use super::entry::MAX_NAME;
    use super::*;
    use crate::candidate::MAX_LIST_LEN;
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

    fn left(seed: u8, inviter: u8) -> Left {
        Left::sign(&identity(seed), &[9; 16], &joined(seed, inviter)).expect("signed")
    }

    fn roster_of(joined: Vec<Joined>, left: Vec<Left>) -> Roster {
        let mut roster = Roster::new([9; 16]);
        take(&mut roster, joined, left);
        roster
    }

    fn take(roster: &mut Roster, joined: Vec<Joined>, left: Vec<Left>) -> News {
        let moved = Vec::new();
        roster.handle_entries(Entries { joined, left, moved })
    }

    #[test]
    fn entries_arrive_in_any_order_and_give_one_hash() {
        let chain = [joined(1, 1), joined(2, 1), joined(3, 2), joined(4, 3)];
        let mut forward = Roster::new([9; 16]);
        assert_eq!(take(&mut forward, chain.to_vec(), Vec::new()).joined.len(), 4);
        let mut backward = Roster::new([9; 16]);
        backward.handle_joined(chain[0].clone()).expect("the starter");
        let news = take(&mut backward, chain.iter().rev().cloned().collect(), Vec::new());
        assert_eq!((news.joined.len(), news.forged), (3, false));
        assert_eq!(forward.hash(), backward.hash());
    }

    #[test]
    fn who_left_stays_away_whoever_passes_on_what_they_signed_and_in_whatever_order() {
        let all = vec![joined(1, 1), joined(2, 1), joined(3, 2)];
        let gone = vec![left(1, 1), left(2, 1)];
        let mut roster = roster_of(all.clone(), Vec::new());
        let known = roster.hash();
        let news = take(&mut roster, Vec::new(), gone.clone());
        assert_eq!(news.left.len(), 2);
        assert_ne!(roster.hash(), known);
        let three = identity(3).public().to_peer_id();
        assert_eq!(
            roster.present().collect::<Vec<_>>(),
            [three],
            "whom one of them let in stays"
        );
        let (hash, two) = (roster.hash(), identity(2).public().to_peer_id());
        for entry in &all {
            assert_eq!(roster.handle_joined(entry.clone()), Ok(None));
        }
        let moved = Moved::sign(&identity(2), &[9; 16], 9, &[]).expect("signed");
        assert_eq!(roster.handle_moved(moved), Ok(None));
        assert!(!roster.is_present(&two));
        assert_eq!(roster.hash(), hash);

        // Who never saw them learns the same, from one message or from another order.
        let mut late = Roster::new([9; 16]);
        for part in roster.parts() {
            assert!(!late.handle_entries(part).forged);
        }
        assert_eq!(late.hash(), hash);
        let mut backward = roster_of(vec![joined(1, 1)], Vec::new());
        let reversed = all.into_iter().rev().collect();
        take(&mut backward, reversed, gone.into_iter().rev().collect());
        assert_eq!(backward.hash(), hash);
    }

    #[test]
    fn nobody_is_said_to_have_left_who_was_not_let_in() {
        let mut roster = roster_of(vec![joined(1, 1), joined(2, 1)], Vec::new());
        assert_eq!(roster.handle_left(left(3, 3)), Err(EntryError::UnknownMember));
        assert_eq!(roster.handle_left(left(3, 7)), Err(EntryError::UnknownMember));
        // The proof that somebody else was let in does not do.
        let borrowed = Left::sign(&identity(3), &[9; 16], &joined(2, 1)).expect("signed");
        assert_eq!(roster.handle_left(borrowed), Err(EntryError::Forged));
        assert_eq!(
            roster.handle_joined(joined(4, 3)),
            Err(EntryError::UnknownMember),
            "nor may they let others in"
        );
        // Who was let in twice leaves once, with the proof that is known.
        let again = left(2, 2);
        assert!(roster.handle_left(again).is_ok_and(|peer| peer.is_some()));
        let other = roster_of(vec![joined(1, 1)], vec![left(2, 1)]);
        assert_eq!(roster.hash(), other.hash());
        assert_eq!(roster.parts(), other.parts());
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
    fn who_lets_somebody_in_changes_nothing_of_their_card() {
        let mut roster = roster_of(vec![joined(1, 1)], Vec::new());
        let signature = card(2).signature;
        let another_key = Card::sign(&identity(2), PublicKey([9; 32]), &Name::new("x"), &[]);
        let [mut renamed, mut moved, mut rekeyed] = [card(2), card(2), another_key.expect("signed")];
        renamed.name = "Eve".into();
        moved.candidates = vec![0, 6, 192, 0, 2, 1, 0, 1].into();
        rekeyed.signature = signature;
        for changed in [renamed, moved, rekeyed] {
            let entry = Joined::sign(changed, &identity(1), &[9; 16]).expect("signed");
            assert_eq!(roster.handle_joined(entry), Err(EntryError::Forged));
        }
        assert!(
            roster
                .handle_joined(joined(2, 1))
                .is_ok_and(|peer| peer.is_some())
        );
    }

    #[test]
    fn only_oneself_can_sign_ones_leaving() {
        let mut roster = roster_of(vec![joined(1, 1), joined(2, 1)], Vec::new());
        let before = roster.hash();
        let mut forged = left(1, 1);
        forged.peer = identity(2).public().to_peer_id().to_bytes().into();
        assert_eq!(roster.handle_left(forged), Err(EntryError::Forged));
        assert_eq!(roster.hash(), before);
        let news = roster.handle_left(left(2, 1));
        assert!(news.is_ok_and(|peer| peer.is_some()));
        assert_eq!(roster.present().count(), 1);
        assert_ne!(roster.hash(), before);
    }

    #[test]
    fn only_oneself_can_move_and_the_last_word_counts() {
        let mut roster = roster_of(vec![joined(1, 1), joined(2, 1)], Vec::new());
        let two = identity(2).public().to_peer_id();
        let at = |last| Candidate::local(SocketAddr::from(([192, 0, 2, last], 1)));
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
        assert_eq!(roster.candidates(&two), [at(3)]);
        assert!(hashes[0] != hashes[1] && hashes[1] == hashes[2]);
        let other_call = Moved::sign(&identity(2), &[8; 16], 4, &[at(4)]).expect("signed");
        assert_eq!(roster.handle_moved(other_call), Err(EntryError::Forged));
        // Two words with one number: everybody ends up with the same one, whichever came first.
        let [one, other] = [5, 6].map(|last| moved(4, last));
        let ends = [[&one, &other], [&other, &one]].map(|order| {
            let mut roster = roster_of(vec![joined(1, 1), joined(2, 1)], Vec::new());
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
        let news = other.handle_entries(roster.parts().remove(0));
        assert_eq!((news.joined.len(), news.moved.len(), news.forged), (2, 1, false));
        assert_eq!(other.hash(), roster.hash());
    }

    /// As many identities as a test needs.
    fn numbered(number: usize) -> Keypair {
        let mut seed = [0; 32];
        seed[..8].copy_from_slice(&number.to_be_bytes());
        Keypair::ed25519_from_bytes(seed).expect("a key")
    }

    /// A card with a name and candidates of so many bytes.
    fn card_of(identity: &Keypair, name: usize, candidates: usize) -> Card {
        let mut card = Card::sign(identity, PublicKey([7; 32]), &Name::new("x"), &[]).expect("signed");
        card.name = "x".repeat(name);
        card.candidates = vec![0; candidates].into();
        card.signature = identity.sign(&card.statement()).expect("signed").into();
        card
    }

    /// A move to candidates of so many bytes.
    fn moved_of(identity: &Keypair, candidates: usize) -> Moved {
        let mut moved = Moved::sign(identity, &[9; 16], u32::MAX, &[]).expect("signed");
        moved.candidates = vec![0; candidates].into();
        let signature = identity.sign(&moved.statement(&[9; 16]));
        moved.signature = signature.expect("signed").into();
        moved
    }

    #[test]
    fn a_roster_and_its_cards_stay_small() {
        // As CBOR, bytes.
        const KEY: usize = 2 + 32;
        const ID: usize = 2 + 38;
        const SIGNATURE: usize = 2 + 64;
        const NAME: usize = 2 + 64;
        const CANDIDATES: usize = 2 + 8 * 20;
        const CARD: usize = 1 + KEY + KEY + NAME + CANDIDATES + SIGNATURE;
        const _: () = assert!(JOINED_LEN == 1 + CARD + ID + SIGNATURE);
        const _: () = assert!(LEFT_LEN == 1 + ID + KEY + ID + SIGNATURE + SIGNATURE);
        const _: () = assert!(MOVED_LEN == 1 + ID + 5 + CANDIDATES + SIGNATURE);
        // What is before the entries: of a message, of the call's id, of each list how long it is.
        const WELCOME: usize = 3 + (1 + 16) + 1 + 3 * 3 + PART_LEN;
        const _: () = assert!(WELCOME + OVERHEAD <= MAX_FRAME, "sealed, it fits into a frame");

        let mut roster = Roster::new([9; 16]);
        for number in 0..MAX_ENTRIES {
            assert_eq!(comes(&mut roster, number), Ok(true));
        }
        assert_eq!(comes(&mut roster, MAX_ENTRIES), Err(EntryError::Full));
        // Who leaves makes room, until too many have come over the call's life.
        for number in MAX_ENTRIES..MAX_PEOPLE {
            assert!(roster.joined.len() + roster.left.len() < MAX_PEOPLE);
            leaves(&mut roster, number - MAX_ENTRIES + 1);
            assert_eq!(comes(&mut roster, number), Ok(true));
        }
        leaves(&mut roster, MAX_PEOPLE - 1);
        assert!(roster.is_used_up());

        let parts = roster.parts();
        assert!((2..=MAX_PARTS).contains(&parts.len()), "{} parts", parts.len());
        let mut other = Roster::new([9; 16]);
        for entries in parts {
            let call = [9; 16].into();
            let welcome = Control::Welcome { call, entries };
            let bytes = welcome.encode();
            assert!(bytes.len() <= WELCOME);
            assert_eq!(Control::decode(&bytes).as_ref(), Ok(&welcome));
            if let Control::Welcome { entries, .. } = welcome {
                assert!(!other.handle_entries(entries).forged);
            }
        }
        assert_eq!(other.hash(), roster.hash());

        let one = numbered(1);
        assert_eq!(card_of(&one, MAX_NAME + 1, 0).verify(), None);
        assert_eq!(card_of(&one, 0, MAX_LIST_LEN + 1).verify(), None);
        let long = moved_of(&one, MAX_LIST_LEN + 1);
        assert!(!long.is_signed_by(&card_of(&one, 0, 0), &[9; 16]));
    }

    /// Somebody with the longest entries comes, and has been elsewhere.
    fn comes(roster: &mut Roster, number: usize) -> Result<bool, EntryError> {
        let card = card_of(&numbered(number), MAX_NAME, MAX_LIST_LEN);
        let entry = Joined::sign(card, &numbered(0), &[9; 16]).expect("signed");
        let came = roster.handle_joined(entry)?;
        let moved = roster.handle_moved(moved_of(&numbered(number), MAX_LIST_LEN));
        assert_eq!(moved, Ok(came));
        Ok(came.is_some())
    }

    fn leaves(roster: &mut Roster, number: usize) {
        let identity = numbered(number);
        let joined = roster.get(&identity.public().to_peer_id()).expect("present");
        let left = Left::sign(&identity, &[9; 16], joined).expect("signed");
        assert!(roster.handle_left(left).is_ok_and(|peer| peer.is_some()));
    }
}
