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
