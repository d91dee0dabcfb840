//! The roster that comes with a welcome.

use libp2p_identity::PeerId;

use super::{CallId, Entries, MAX_PARTS, Roster};

/// What came of a roster that is too long for one message, until the welcome brings its last part.
#[derive(Debug, Default)]
pub struct Early(Vec<Entries>);

impl Early {
    /// Takes a part. Returns false when no roster is that long.
    #[must_use]
    pub fn push(&mut self, part: Entries) -> bool {
        let has_room = self.0.len() + 1 < MAX_PARTS;
        if has_room {
            self.0.push(part);
        }
        has_room
    }

    /// The last part has come. Returns the roster, if these two are in it: who was let in, and who let them in.
    pub fn finish(&mut self, call: CallId, last: Entries, two: [&PeerId; 2]) -> Option<Roster> {
        let mut roster = Roster::new(call);
        // An entry that does not fit changes nothing, and its subject is then just not reached.
        for part in std::mem::take(&mut self.0).into_iter().chain([last]) {
            let _news = roster.handle_entries(part);
        }
        two.iter().all(|peer| roster.is_present(peer)).then_some(roster)
    }
}

#[cfg(test)]
mod tests {
    use libp2p_identity::Keypair;
    use sightline_noise::PublicKey;

    use super::*;
    use crate::name::Name;
    use crate::roster::{Card, Joined};

    const CALL: CallId = [7; 16];

    fn joined(who: &Keypair, inviter: &Keypair) -> Entries {
        let card = Card::sign(who, PublicKey([1; 32]), &Name::new("somebody"), &[]).expect("Ed25519");
        Entries {
            joined: vec![Joined::sign(card, inviter, &CALL).expect("Ed25519")],
            ..Entries::default()
        }
    }

    #[test]
    fn a_roster_in_parts_is_whole_with_the_last_one_and_names_both() {
        let [ann, bob, eve] = [(); 3].map(|()| Keypair::generate_ed25519());
        let [ann_id, bob_id, eve_id] = [&ann, &bob, &eve].map(|key| key.public().to_peer_id());
        let mut early = Early::default();
        assert!(early.push(joined(&ann, &ann)));
        let roster = early.finish(CALL, joined(&bob, &ann), [&ann_id, &bob_id]);
        assert_eq!(roster.map(|roster| roster.present().count()), Some(2));
        assert!(
            early
                .finish(CALL, joined(&bob, &ann), [&ann_id, &bob_id])
                .is_none()
        );
        assert!(early.push(joined(&ann, &ann)));
        assert!(
            early
                .finish(CALL, joined(&bob, &ann), [&ann_id, &eve_id])
                .is_none()
        );
    }

    #[test]
    fn parts_are_no_more_than_the_longest_roster_has() {
        let mut early = Early::default();
        for _ in 1..MAX_PARTS {
            assert!(early.push(Entries::default()));
        }
        assert!(!early.push(Entries::default()));
    }
}
