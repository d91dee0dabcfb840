//! Members that may come in: each with a secret, because a member introduced it or because it may come back.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;

use crate::connection::ConnId;
use crate::secret::Secret;
use crate::tag::ExpectId;

/// 30 s: how long an introduced member may take to arrive.
const LIFETIME: Duration = Duration::from_secs(30);

/// Introductions by one member that wait for somebody's arrival at once: a newcomer gets as many as there are others.
const MAX_EACH: usize = 16;

/// Why a member may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This member introduced it.
    Introduced(PeerId),
    /// It was linked with us by this link, and may come back.
    Reconnect(ConnId),
}

/// A member that may come in, with this secret.
pub struct Expectation {
    pub peer: PeerId,
    pub origin: Origin,
    pub secret: Secret,
    since: Instant,
}

impl Expectation {
    /// Who answers for what comes by it.
    pub const fn sponsor(&self) -> PeerId {
        match self.origin {
            Origin::Introduced(by) => by,
            Origin::Reconnect(_) => self.peer,
        }
    }
}

/// What changes at the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Somebody may come in by this.
    Expect(ExpectId),
    /// Nobody may any more.
    Forget(ExpectId),
}

/// Everybody who may come in.
#[derive(Default)]
pub struct Expected {
    all: BTreeMap<ExpectId, Expectation>,
    outputs: VecDeque<Output>,
}

impl Expected {
    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn get(&self, id: ExpectId) -> Option<&Expectation> {
        self.all.get(&id)
    }

    /// Expects `peer` to connect with `secret`. A newer expectation of the same origin and peer replaces the older one; an
    /// origin that has too many loses its oldest.
    pub fn expect(&mut self, id: ExpectId, peer: PeerId, origin: Origin, secret: Secret, now: Instant) {
        let of_origin = self.all.iter().filter(|(_, old)| old.origin == origin);
        let same = of_origin.clone().find(|(_, old)| old.peer == peer);
        let replaced = match same {
            Some((id, _)) => Some(*id),
            None if of_origin.clone().count() >= MAX_EACH => {
                of_origin.min_by_key(|(_, old)| old.since).map(|(id, _)| *id)
            }
            None => None,
        };
        if let Some(id) = replaced {
            self.forget(id);
        }
        let expectation = Expectation {
            peer,
            origin,
            secret,
            since: now,
        };
        self.all.insert(id, expectation);
        self.outputs.push_back(Output::Expect(id));
    }

    /// Who was introduced and has not come in time is not expected any more. Who may come back is, until it says that it leaves:
    /// there are only so many secrets for each member of the roster.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.forget_where(|expectation| {
            matches!(expectation.origin, Origin::Introduced(_)) && now >= expectation.since + LIFETIME
        });
    }

    /// A member has left for good.
    pub fn forget_peer(&mut self, peer: &PeerId) {
        self.forget_where(|expectation| expectation.peer == *peer);
    }

    /// Of the secrets with which a member may come back only the newest count.
    pub fn forget_older_reconnects(&mut self, peer: &PeerId, kept: usize) {
        let of_peer = self.all.iter().filter(|(_, expectation)| {
            expectation.peer == *peer && matches!(expectation.origin, Origin::Reconnect(_))
        });
        let mut newest: Vec<_> = of_peer
            .map(|(id, expectation)| (expectation.since, *id))
            .collect();
        newest.sort();
        let over = newest.len().saturating_sub(kept);
        for (_, id) in newest.into_iter().take(over) {
            self.forget(id);
        }
    }

    fn forget_where(&mut self, is_over: impl Fn(&Expectation) -> bool) {
        let over = self.all.iter().filter(|(_, expectation)| is_over(expectation));
        for id in over.map(|(id, _)| *id).collect::<Vec<_>>() {
            self.forget(id);
        }
    }

    fn forget(&mut self, id: ExpectId) {
        self.all.remove(&id);
        self.outputs.push_back(Output::Forget(id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(expected: &mut Expected) -> Vec<Output> {
        std::iter::from_fn(|| expected.poll_output()).collect()
    }

    #[test]
    fn an_introducers_newer_word_counts_and_so_do_only_its_last_few() {
        let now = Instant::now();
        let (peer, introducer) = (PeerId::random(), PeerId::random());
        let origin = Origin::Introduced(introducer);
        let mut expected = Expected::default();
        for n in 1..=2 {
            expected.expect(ExpectId(n), peer, origin, Secret([n as u8; 32]), now);
        }
        assert_eq!(
            outputs(&mut expected),
            [
                Output::Expect(ExpectId(1)),
                Output::Forget(ExpectId(1)),
                Output::Expect(ExpectId(2))
            ]
        );
        assert!(
            expected
                .get(ExpectId(2))
                .is_some_and(|one| one.sponsor() == introducer)
        );
        for n in 3..=MAX_EACH as u64 + 2 {
            let later = now + Duration::from_secs(n);
            expected.expect(ExpectId(n), PeerId::random(), origin, Secret([0; 32]), later);
        }
        assert!(expected.get(ExpectId(2)).is_none(), "the oldest gave way");
        assert_eq!(expected.all.len(), MAX_EACH);
    }

    #[test]
    fn who_was_introduced_has_half_a_minute_and_who_may_come_back_has_until_it_leaves() {
        let now = Instant::now();
        let peer = PeerId::random();
        let mut expected = Expected::default();
        let introduced = Origin::Introduced(PeerId::random());
        expected.expect(ExpectId(1), peer, introduced, Secret([0; 32]), now);
        for n in 2..6 {
            let later = now + Duration::from_secs(n);
            expected.expect(
                ExpectId(n),
                peer,
                Origin::Reconnect(ConnId(n)),
                Secret([0; 32]),
                later,
            );
        }
        outputs(&mut expected);
        expected.handle_timeout(now + LIFETIME);
        assert_eq!(outputs(&mut expected), [Output::Forget(ExpectId(1))]);
        expected.forget_older_reconnects(&peer, 2);
        assert_eq!(
            outputs(&mut expected),
            [Output::Forget(ExpectId(2)), Output::Forget(ExpectId(3))]
        );
        expected.handle_timeout(now + Duration::from_secs(24 * 3600));
        assert_eq!(outputs(&mut expected), []);
        expected.forget_peer(&peer);
        assert_eq!(
            outputs(&mut expected),
            [Output::Forget(ExpectId(4)), Output::Forget(ExpectId(5))]
        );
    }
}
