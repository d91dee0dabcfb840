//! Who is in the call: signed entries, the same set for everybody.

mod early;
mod entry;

use std::collections::{BTreeMap, BTreeSet};

use libp2p_identity::PeerId;

use crate::candidate::Candidate;
use crate::secret::hash;

pub(crate) use early::Early;
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
mod tests;
