//! Those who knocked with a code of this side's and wait for an answer.

use std::collections::BTreeMap;

use libp2p_identity::PeerId;
use sightline_noise::PublicKey;

use crate::connection::ConnId;
use crate::roster::Card;
use crate::tag::ExpectId;
use crate::wire::Refusal;

/// Somebody who knocked.
pub struct Guest {
    pub peer: PeerId,
    /// The code with which they came.
    pub code: ExpectId,
    pub card: Card,
}

impl Guest {
    /// Takes what came with a knock, from this peer over a session with this key.
    ///
    /// # Errors
    /// The card is somebody else's, or for another key.
    pub fn new(peer: PeerId, key: PublicKey, code: ExpectId, card: Card) -> Result<Self, Refusal> {
        if card.verify() == Some(peer) && card.noise() == key {
            Ok(Self { peer, code, card })
        } else {
            Err(Refusal::Invalid)
        }
    }
}

/// All of them, each on a connection of its own.
#[derive(Default)]
pub struct Guests(BTreeMap<ConnId, Guest>);

impl Guests {
    pub fn insert(&mut self, conn: ConnId, guest: Guest) {
        self.0.insert(conn, guest);
    }

    pub fn is_waiting(&self, conn: ConnId) -> bool {
        self.0.contains_key(&conn)
    }

    /// They are answered now, and wait no more.
    pub fn take(&mut self, peer: PeerId) -> Option<(ConnId, Guest)> {
        self.0.extract_if(.., |_, guest| guest.peer == peer).next()
    }

    /// A connection is closed. Returns whether somebody went away on it without an answer.
    pub fn handle_closed(&mut self, conn: ConnId) -> bool {
        self.0.remove(&conn).is_some()
    }
}

#[cfg(test)]
mod tests {
    use libp2p_identity::Keypair;

    use super::*;
    use crate::name::Name;

    const KEY: PublicKey = PublicKey([1; 32]);

    fn card(identity: &Keypair) -> Card {
        Card::sign(identity, KEY, &Name::new("Bob"), &[]).expect("Ed25519")
    }

    fn peer(identity: &Keypair) -> PeerId {
        identity.public().to_peer_id()
    }

    #[test]
    fn a_card_is_taken_from_whom_it_is_and_over_its_own_key() {
        let [bob, eve] = [(); 2].map(|()| Keypair::generate_ed25519());
        let taken = |peer, key| Guest::new(peer, key, ExpectId(1), card(&bob)).map(|guest| guest.peer);
        assert_eq!(taken(peer(&bob), KEY), Ok(peer(&bob)));
        assert_eq!(taken(peer(&eve), KEY), Err(Refusal::Invalid));
        assert_eq!(taken(peer(&bob), PublicKey([2; 32])), Err(Refusal::Invalid));
    }

    #[test]
    fn each_is_answered_once_or_goes_away() {
        let mut guests = Guests::default();
        let people = [(); 2].map(|()| Keypair::generate_ed25519());
        for (conn, identity) in (0..).map(ConnId).zip(&people) {
            let guest = Guest::new(peer(identity), KEY, ExpectId(1), card(identity)).expect("their card");
            guests.insert(conn, guest);
        }
        let [first, second] = people.each_ref().map(peer);
        assert!(guests.is_waiting(ConnId(0)) && guests.is_waiting(ConnId(1)));
        assert_eq!(guests.take(second).map(|(conn, _)| conn), Some(ConnId(1)));
        assert!(guests.take(second).is_none());
        assert!(!guests.handle_closed(ConnId(1)), "they were answered");
        assert!(guests.handle_closed(ConnId(0)));
        assert!(guests.take(first).is_none());
    }
}
