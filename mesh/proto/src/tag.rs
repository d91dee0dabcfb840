//! The tag in a first packet: 20 bytes of QUIC connection id that only a code's holder can make.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use rand::CryptoRng;

use crate::gate::ExpectId;
use crate::secret::TagKey;
use crate::time::UnixTime;

/// Length of a tag: the longest connection id that QUIC v1 allows (RFC 9000, section 17.2), bytes.
pub const LEN: usize = RANDOM_LEN + MAC_LEN;

const RANDOM_LEN: usize = 8;
const MAC_LEN: usize = 12;

/// 5 min: how far apart two clocks may be, and how long a random part is remembered.
const WINDOW_SECONDS: u64 = 300;

/// Random parts remembered at once for each code or member, so that none of their holders can keep the others out.
const MAX_SEEN: usize = 128;

/// The bits of the first byte that say in which window a tag was made, so that only one has to be tried.
const WINDOW_BITS: u8 = 3;

/// 8 random bytes, of which two bits are the window's lowest, then 12 bytes of a keyed hash over them and the current
/// five minutes.
pub type Tag = [u8; LEN];

/// Makes a tag for a first packet that is sent at `now`.
pub fn make(key: &TagKey, now: UnixTime, rng: &mut impl CryptoRng) -> Tag {
    let mut tag = [0; LEN];
    let (random, mac) = tag.split_at_mut(RANDOM_LEN);
    let window = now.0 / WINDOW_SECONDS;
    rng.fill_bytes(random);
    random[0] = random[0] & !WINDOW_BITS | low_bits(window);
    mac.copy_from_slice(&compute(key, random, window));
    tag
}

/// Whether `tag` was made with `key` in this window or one beside it.
#[must_use]
pub fn is_valid(key: &TagKey, tag: &Tag, now: UnixTime) -> bool {
    let (random, mac) = tag.split_at(RANDOM_LEN);
    let window = now.0 / WINDOW_SECONDS;
    let mut near = window.saturating_sub(1)..=window + 1;
    let claimed = near.find(|window| low_bits(*window) == random[0] & WINDOW_BITS);
    claimed.is_some_and(|window| is_equal(&compute(key, random, window), mac))
}

const fn low_bits(window: u64) -> u8 {
    window.to_le_bytes()[0] & WINDOW_BITS
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

fn compute(key: &TagKey, random: &[u8], window: u64) -> [u8; MAC_LEN] {
    let mut message = [0; RANDOM_LEN + 8];
    message[..RANDOM_LEN].copy_from_slice(random);
    message[RANDOM_LEN..].copy_from_slice(&window.to_be_bytes());
    let mac = key.mac(&message);
    let mut tag = [0; MAC_LEN];
    tag.copy_from_slice(&mac[..MAC_LEN]);
    tag
}

/// Remembers which random parts were used from where: a copy sent again from elsewhere gets nothing.
#[derive(Debug, Default)]
pub struct Seen {
    uses: BTreeMap<[u8; RANDOM_LEN], Use>,
    counts: BTreeMap<ExpectId, usize>,
}

#[derive(Debug)]
struct Use {
    from: SocketAddr,
    at: UnixTime,
    owner: ExpectId,
}

impl Seen {
    /// Whether a tag with this random part was used from another address.
    #[must_use]
    pub fn is_from_elsewhere(&self, tag: &Tag, from: SocketAddr) -> bool {
        let known = tag
            .first_chunk::<RANDOM_LEN>()
            .and_then(|random| self.uses.get(random));
        known.is_some_and(|known| known.from != from)
    }

    /// Records the use of a valid tag of `owner`. False when it was used from another address, or when there is no
    /// room.
    pub fn insert(&mut self, tag: &Tag, owner: ExpectId, from: SocketAddr, now: UnixTime) -> bool {
        let Some(random) = tag.first_chunk::<RANDOM_LEN>() else {
            return false;
        };
        if let Some(known) = self.uses.get(random) {
            return known.from == from;
        }
        if self.counts.get(&owner).is_some_and(|count| *count >= MAX_SEEN) {
            self.drop_where(|used| now.0 >= used.at.0 + 3 * WINDOW_SECONDS);
        }
        let count = self.counts.entry(owner).or_default();
        if *count >= MAX_SEEN {
            return false;
        }
        *count += 1;
        let at = now;
        self.uses.insert(*random, Use { from, at, owner });
        true
    }

    /// Tags of `owner` are valid no more.
    pub fn forget(&mut self, owner: ExpectId) {
        self.drop_where(|used| used.owner == owner);
        self.counts.remove(&owner);
    }

    fn drop_where(&mut self, is_over: impl Fn(&Use) -> bool) {
        for (_, used) in self.uses.extract_if(.., |_, used| is_over(used)) {
            if let Some(count) = self.counts.get_mut(&used.owner) {
                *count -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_tag_is_valid_for_its_key_and_its_minutes_only() {
        let mut rng = StdRng::seed_from_u64(1);
        let key = Secret::generate(&mut rng).tag_key();
        let other = Secret::generate(&mut rng).tag_key();
        let now = UnixTime(1_800_000_000);
        let tag = make(&key, now, &mut rng);
        assert!(is_valid(&key, &tag, now));
        assert!(is_valid(&key, &tag, UnixTime(now.0 + WINDOW_SECONDS)));
        assert!(!is_valid(&key, &tag, UnixTime(now.0 + 3 * WINDOW_SECONDS)));
        assert!(!is_valid(&other, &tag, now));
        for bit in 0..LEN * 8 {
            let mut changed = tag;
            changed[bit / 8] ^= 1 << (bit % 8);
            assert!(!is_valid(&key, &changed, now), "bit {bit}");
        }
    }

    #[test]
    fn a_copy_from_elsewhere_counts_as_nothing_and_memory_stays_bounded() {
        let mut rng = StdRng::seed_from_u64(2);
        let key = Secret::generate(&mut rng).tag_key();
        let now = UnixTime(1_800_000_000);
        let (here, elsewhere) = (
            SocketAddr::from(([192, 0, 2, 1], 1)),
            SocketAddr::from(([192, 0, 2, 2], 1)),
        );
        let mut seen = Seen::default();
        let [ours, other] = [ExpectId(1), ExpectId(2)];
        let tag = make(&key, now, &mut rng);
        assert!(seen.insert(&tag, ours, here, now));
        assert!(
            seen.insert(&tag, ours, here, now),
            "a retransmission from the same address"
        );
        assert!(!seen.insert(&tag, ours, elsewhere, now));
        assert!(seen.is_from_elsewhere(&tag, elsewhere) && !seen.is_from_elsewhere(&tag, here));
        for _ in 0..2 * MAX_SEEN {
            seen.insert(&make(&key, now, &mut rng), ours, here, now);
        }
        assert_eq!(seen.uses.len(), MAX_SEEN);
        assert!(
            !seen.insert(&tag, ours, elsewhere, now),
            "never forgotten within its time"
        );
        let fresh = make(&key, now, &mut rng);
        assert!(!seen.insert(&fresh, ours, here, now));
        assert!(
            seen.insert(&fresh, other, here, now),
            "one holder keeps no other out"
        );
        seen.forget(ours);
        assert_eq!(seen.uses.len(), 1);
    }
}
