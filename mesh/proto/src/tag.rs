//! The tag in a first packet: 20 bytes of QUIC connection id that only a code's holder can make.
//!
//! No time is in it, so that no clock can be wrong about it. A tag is worth something for as long as its key is
//! expected, which the receiver decides by its own monotonic clock, and it is worth it once ([`Seen`]).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Instant;

use rand::CryptoRng;

use crate::secret::TagKey;

/// Length of a tag: the longest connection id that QUIC v1 allows (RFC 9000, section 17.2), bytes.
pub const LEN: usize = RANDOM_LEN + MAC_LEN;

const RANDOM_LEN: usize = 8;
const MAC_LEN: usize = 12;

/// Random parts remembered for each code or member, so that none of their holders can keep the others out. Who makes
/// more tags with one key than this has locked out itself: a member on its way back makes 90 in the first half minute,
/// 54 more until five minutes are over, then 240 an hour, and only those count that arrive. Where they arrive for hours, and no
/// answer does, the other side's tags, of another key, lead back.
const MAX_SEEN: usize = 1024;

/// What a tag can be checked against: a code that was given out, or an introduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExpectId(pub u64);

/// 8 random bytes, then 12 bytes of a keyed hash over them.
pub type Tag = [u8; LEN];

/// Makes a tag for one first packet.
pub fn make(key: &TagKey, rng: &mut impl CryptoRng) -> Tag {
    let mut random = [0; RANDOM_LEN];
    rng.fill_bytes(&mut random);
    let mut tag = [0; LEN];
    tag[..RANDOM_LEN].copy_from_slice(&random);
    tag[RANDOM_LEN..].copy_from_slice(&compute(key, &random));
    tag
}

/// Whether `tag` was made with `key`.
#[must_use]
pub fn is_valid(key: &TagKey, tag: &Tag) -> bool {
    let parts = tag.split_first_chunk::<RANDOM_LEN>();
    parts.is_some_and(|(random, mac)| is_equal(&compute(key, random), mac))
}

/// In constant time, so that the time of a refusal tells nothing about the tag.
fn is_equal(ours: &[u8; MAC_LEN], theirs: &[u8]) -> bool {
    ours.len() == theirs.len()
        && ours
            .iter()
            .zip(theirs)
            .fold(0, |differs, (a, b)| differs | (a ^ b))
            == 0
}

fn compute(key: &TagKey, random: &[u8; RANDOM_LEN]) -> [u8; MAC_LEN] {
    let mac = key.mac(random);
    let mut tag = [0; MAC_LEN];
    tag.copy_from_slice(&mac[..MAC_LEN]);
    tag
}

/// Remembers, for as long as their key is expected, which random parts were used and from where: a copy gets nothing,
/// however much later it comes.
#[derive(Debug, Default)]
pub struct Seen {
    uses: BTreeMap<[u8; RANDOM_LEN], Use>,
    counts: BTreeMap<ExpectId, usize>,
}

#[derive(Debug)]
struct Use {
    from: SocketAddr,
    /// Until then the same packet may come again from there, as one does to which no answer came.
    until: Instant,
    owner: ExpectId,
}

impl Use {
    fn may_come_again(&self, from: SocketAddr, now: Instant) -> bool {
        self.from == from && now < self.until
    }
}

impl Seen {
    /// Whether a tag with this random part is worth nothing any more: it was used from another address, or longer ago
    /// than a first packet is sent again.
    #[must_use]
    pub fn is_spent(&self, tag: &Tag, from: SocketAddr, now: Instant) -> bool {
        let known = tag
            .first_chunk::<RANDOM_LEN>()
            .and_then(|random| self.uses.get(random));
        known.is_some_and(|known| !known.may_come_again(from, now))
    }

    /// Records the use of a valid tag of `owner`, which may come again from there until `until`. False when it is
    /// spent, or when there is no room.
    pub fn insert(
        &mut self,
        tag: &Tag,
        owner: ExpectId,
        from: SocketAddr,
        now: Instant,
        until: Instant,
    ) -> bool {
        let Some(random) = tag.first_chunk::<RANDOM_LEN>() else {
            return false;
        };
        if let Some(known) = self.uses.get(random) {
            return known.may_come_again(from, now);
        }
        let count = self.counts.entry(owner).or_default();
        if *count >= MAX_SEEN {
            return false;
        }
        *count += 1;
        self.uses.insert(*random, Use { from, until, owner });
        true
    }

    /// Tags of `owner` are valid no more.
    pub fn forget(&mut self, owner: ExpectId) {
        self.uses.retain(|_, used| used.owner != owner);
        self.counts.remove(&owner);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_tag_is_valid_for_its_key_only() {
        let mut rng = StdRng::seed_from_u64(1);
        let key = Secret::generate(&mut rng).tag_key();
        let other = Secret::generate(&mut rng).tag_key();
        let tag = make(&key, &mut rng);
        assert!(is_valid(&key, &tag));
        assert!(!is_valid(&other, &tag));
        assert_ne!(tag, make(&key, &mut rng), "no two are the same");
        for bit in 0..LEN * 8 {
            let mut changed = tag;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_valid(&key, &changed), "bit {bit}");
        }
    }

    #[test]
    fn a_members_first_packet_is_none_of_the_other_side_when_it_is_sent_back() {
        let mut rng = StdRng::seed_from_u64(3);
        let secret = Secret::generate(&mut rng);
        let [ann, bob] = [1, 2].map(|seed| {
            let identity = libp2p_identity::Keypair::ed25519_from_bytes([seed; 32]);
            identity.expect("a key").public().to_peer_id()
        });
        let tag = make(&secret.tag_key_of(&ann), &mut rng);
        assert!(
            is_valid(&secret.tag_key_of(&ann), &tag),
            "what Bob expects of Ann"
        );
        assert!(
            !is_valid(&secret.tag_key_of(&bob), &tag),
            "what Ann expects of Bob"
        );
        assert!(!is_valid(&secret.tag_key(), &tag));
    }

    #[test]
    fn a_copy_counts_as_nothing_for_as_long_as_its_key_is_there_and_memory_stays_bounded() {
        let mut rng = StdRng::seed_from_u64(2);
        let key = Secret::generate(&mut rng).tag_key();
        let now = Instant::now();
        let until = now + Duration::from_secs(10);
        let (here, elsewhere) = (
            SocketAddr::from(([192, 0, 2, 1], 1)),
            SocketAddr::from(([192, 0, 2, 2], 1)),
        );
        let mut seen = Seen::default();
        let [ours, other] = [ExpectId(1), ExpectId(2)];
        let tag = make(&key, &mut rng);
        assert!(!seen.is_spent(&tag, here, now));
        assert!(seen.insert(&tag, ours, here, now, until));
        assert!(
            seen.insert(&tag, ours, here, now, until),
            "a retransmission from the same address"
        );
        assert!(!seen.insert(&tag, ours, elsewhere, now, until));
        assert!(seen.is_spent(&tag, elsewhere, now) && !seen.is_spent(&tag, here, now));
        for _ in 0..2 * MAX_SEEN {
            seen.insert(&make(&key, &mut rng), ours, here, now, until);
        }
        assert_eq!(seen.uses.len(), MAX_SEEN);
        for minutes in [1, 6, 60, 24 * 60] {
            let later = now + Duration::from_secs(60 * minutes);
            for from in [here, elsewhere] {
                assert!(seen.is_spent(&tag, from, later), "after {minutes} minutes");
                assert!(!seen.insert(&tag, ours, from, later, later + Duration::from_secs(10)));
            }
        }
        let fresh = make(&key, &mut rng);
        assert!(!seen.insert(&fresh, ours, here, now, until));
        assert!(
            seen.insert(&fresh, other, here, now, until),
            "one holder keeps no other out"
        );
        seen.forget(ours);
        assert_eq!(seen.uses.len(), 1);
    }
}
