//! Who was seen in a call: the one place for names and for what each is called where.

use std::collections::BTreeMap;
use std::sync::Arc;

use libp2p_identity::PeerId;
use sightline_media::MemberId;
use sightline_ui::model::PersonId;

/// Everybody who knocked or was in the call, by the id that the call knows them by. Who is gone is still named, and has the
/// same number when it comes back.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    me: Option<PeerId>,
    people: BTreeMap<PeerId, Entry>,
    next: MemberId,
}

#[derive(Clone, Debug)]
struct Entry {
    name: String,
    person: PersonId,
    /// The number that media knows it by, once it was in the call.
    member: Option<MemberId>,
    is_here: bool,
}

impl Registry {
    /// Nobody but this participant.
    #[must_use]
    pub fn new(me: PeerId) -> Self {
        Self {
            me: Some(me),
            ..Self::default()
        }
    }

    /// This participant.
    #[must_use]
    pub const fn me(&self) -> Option<PeerId> {
        self.me
    }

    /// Somebody gives themselves this name.
    pub fn meet(&mut self, peer: PeerId, name: &str) {
        let entry = self.people.entry(peer).or_insert_with(|| Entry {
            name: String::new(),
            person: person(&peer),
            member: None,
            is_here: false,
        });
        name.clone_into(&mut entry.name);
    }

    /// Somebody of this name is in the call. Returns the number that media knows them by.
    pub fn join(&mut self, peer: PeerId, name: &str) -> MemberId {
        self.meet(peer, name);
        let fresh = self.next;
        let Some(entry) = self.people.get_mut(&peer) else {
            return fresh;
        };
        entry.is_here = true;
        *entry.member.get_or_insert_with(|| {
            self.next += 1;
            fresh
        })
    }

    /// Somebody is not in the call any more. Returns the number that media knew them by, if they were.
    pub fn leave(&mut self, peer: &PeerId) -> Option<MemberId> {
        let number = self.member(peer);
        if let Some(entry) = self.people.get_mut(peer) {
            entry.is_here = false;
        }
        number
    }

    /// The number of somebody who is in the call.
    #[must_use]
    pub fn member(&self, peer: &PeerId) -> Option<MemberId> {
        let entry = self.people.get(peer).filter(|entry| entry.is_here)?;
        entry.member
    }

    /// Who has this number, if they are in the call.
    #[must_use]
    pub fn peer(&self, member: MemberId) -> Option<PeerId> {
        let mut here = self.people.iter().filter(|(_, entry)| entry.is_here);
        let found = here.find(|(_, entry)| entry.member == Some(member));
        found.map(|(peer, _)| *peer)
    }

    /// Those who are in the call, with their numbers.
    pub fn here(&self) -> impl Iterator<Item = (PeerId, MemberId)> {
        let here = self.people.iter().filter(|(_, entry)| entry.is_here);
        here.filter_map(|(peer, entry)| Some((*peer, entry.member?)))
    }

    /// The name that somebody gives themselves; empty for somebody without one, or unknown.
    #[must_use]
    pub fn name(&self, peer: &PeerId) -> &str {
        self.known_name(peer).unwrap_or_default()
    }

    /// The name that somebody gives themselves, if they were seen.
    #[must_use]
    pub fn known_name(&self, peer: &PeerId) -> Option<&str> {
        self.people.get(peer).map(|entry| &*entry.name)
    }

    /// What the window calls somebody.
    #[must_use]
    pub fn person(&self, peer: &PeerId) -> PersonId {
        let known = self.people.get(peer).map(|entry| entry.person.clone());
        known.unwrap_or_else(|| person(peer))
    }

    /// Whom the window calls so, if they were seen.
    #[must_use]
    pub fn peer_of(&self, person: &PersonId) -> Option<PeerId> {
        let found = self.people.iter().find(|(_, entry)| entry.person == *person);
        found.map(|(peer, _)| *peer)
    }

    /// Everybody, with their names.
    pub fn names(&self) -> impl Iterator<Item = (PeerId, &str)> {
        self.people.iter().map(|(peer, entry)| (*peer, &*entry.name))
    }
}

fn person(peer: &PeerId) -> PersonId {
    PersonId(Arc::from(peer.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_has_the_number_that_it_had_and_who_knocks_has_none() {
        let [ann, bob, eve] = [PeerId::random(), PeerId::random(), PeerId::random()];
        let mut registry = Registry::new(PeerId::random());
        registry.meet(eve, "Eve");
        assert_eq!((registry.member(&eve), registry.name(&eve)), (None, "Eve"));
        let first = registry.join(ann, "Ann");
        let second = registry.join(bob, "Bob");
        assert_ne!(first, second);
        assert_eq!(registry.leave(&ann), Some(first));
        assert_eq!((registry.member(&ann), registry.peer(first)), (None, None));
        assert_eq!(registry.leave(&ann), None);
        assert_eq!(registry.name(&ann), "Ann", "a record names who is gone");
        assert_eq!(registry.join(ann, "Anna"), first);
        assert_eq!((registry.peer(first), registry.name(&ann)), (Some(ann), "Anna"));
        assert_eq!(registry.here().count(), 2);
    }

    #[test]
    fn the_windows_word_for_somebody_leads_back_to_them() {
        let [me, ann] = [PeerId::random(), PeerId::random()];
        let mut registry = Registry::new(me);
        registry.meet(ann, "Ann");
        assert_eq!(registry.peer_of(&registry.person(&ann)), Some(ann));
        assert_eq!(
            registry.peer_of(&registry.person(&me)),
            None,
            "nobody but the others"
        );
    }
}
