//! The codes that this participant gave out, and what became of each.

use std::net::SocketAddr;
use std::time::Duration;

use libp2p_identity::PeerId;
use rand::CryptoRng;
use sightline_noise::PublicKey;

use crate::code::{Code, DEFAULT_LIFETIME};
use crate::gate::ExpectId;
use crate::secret::Secret;
use crate::time::UnixTime;
use crate::wire::Refusal;

/// Codes remembered at once. The oldest that admits nobody any more goes first.
const MAX_CODES: usize = 16;

/// 10 min: how long who comes with a code that is over is told what became of it.
const AFTERLIFE: Duration = Duration::from_secs(600);

/// What has become of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// Somebody knocked with it, and waits for an answer.
    UsedBy(PeerId),
    /// They were answered.
    Done,
    Withdrawn,
}

/// One code that was given out.
#[derive(Debug)]
struct Entry {
    id: ExpectId,
    code: Code,
    fate: Fate,
    /// From this moment its holder is not even told any more what became of it.
    forget_at: UnixTime,
}

/// All of them.
#[derive(Debug, Default)]
pub struct Book(Vec<Entry>);

impl Book {
    /// Makes a code. Returns it with the id of one that was forgotten to make room, if any.
    ///
    /// `None` when sixteen codes are still open: withdraw one first.
    pub fn issue(
        &mut self,
        id: ExpectId,
        inviter: PublicKey,
        addresses: &[SocketAddr],
        now: UnixTime,
        rng: &mut impl CryptoRng,
    ) -> Option<(Code, Option<ExpectId>)> {
        let forgotten = if self.0.len() >= MAX_CODES {
            let at = self
                .0
                .iter()
                .position(|entry| entry.fate != Fate::Open || now >= entry.code.expires)?;
            Some(self.0.remove(at).id)
        } else {
            None
        };
        // A code holds whole minutes.
        let expires = UnixTime(now.after(DEFAULT_LIFETIME).0 / 60 * 60);
        let code = Code {
            inviter,
            secret: Secret::generate(rng),
            expires,
            addresses: addresses.to_vec(),
        };
        self.0.push(Entry {
            id,
            code: code.clone(),
            fate: Fate::Open,
            forget_at: expires.after(AFTERLIFE),
        });
        Some((code, forgotten))
    }

    /// The secret behind a tag that came in.
    #[must_use]
    pub fn secret(&self, id: ExpectId) -> Option<&Secret> {
        self.0
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| &entry.code.secret)
    }

    /// Spends a code on `peer`, and returns it; `None` when they knocked with it before.
    ///
    /// # Errors
    /// Why the code admits nobody.
    pub fn spend(&mut self, id: ExpectId, peer: PeerId, now: UnixTime) -> Result<Option<&Code>, Refusal> {
        let entry = self
            .0
            .iter_mut()
            .find(|entry| entry.id == id)
            .ok_or(Refusal::Withdrawn)?;
        match entry.fate {
            Fate::Open if now >= entry.code.expires => Err(Refusal::Expired),
            Fate::Open => {
                entry.fate = Fate::UsedBy(peer);
                Ok(Some(&entry.code))
            }
            Fate::UsedBy(first) if first == peer => Ok(None),
            Fate::UsedBy(_) | Fate::Done => Err(Refusal::Used),
            Fate::Withdrawn => Err(Refusal::Withdrawn),
        }
    }

    /// Who knocked with a code was answered: it is of no more use, to them neither.
    pub fn finish(&mut self, id: ExpectId, now: UnixTime) {
        if let Some(entry) = self.0.iter_mut().find(|entry| entry.id == id) {
            entry.fate = Fate::Done;
            entry.forget_at = now.after(AFTERLIFE);
        }
    }

    /// Forgets codes that have long been over. Returns their ids.
    pub fn sweep(&mut self, now: UnixTime) -> Vec<ExpectId> {
        let over = self.0.extract_if(.., |entry| now >= entry.forget_at);
        over.map(|entry| entry.id).collect()
    }

    /// Withdraws every code that is still open, or this one only. Returns how many there were.
    pub fn withdraw(&mut self, only: Option<&Code>, now: UnixTime) -> usize {
        let open = self.0.iter_mut().filter(|entry| entry.fate == Fate::Open);
        let meant = open.filter(|entry| only.is_none_or(|code| entry.code == *code));
        meant
            .map(|entry| {
                entry.fate = Fate::Withdrawn;
                entry.forget_at = now.after(AFTERLIFE);
            })
            .count()
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn issue(book: &mut Book, id: u64) -> Option<(Code, Option<ExpectId>)> {
        let mut rng = StdRng::seed_from_u64(id);
        book.issue(
            ExpectId(id),
            PublicKey([0; 32]),
            &[],
            UnixTime(1_800_000_000),
            &mut rng,
        )
    }

    #[test]
    fn a_code_admits_one_participant_until_it_expires_or_is_withdrawn() {
        let mut book = Book::default();
        let now = UnixTime(1_800_000_000);
        let [ann, bob] = [PeerId::random(), PeerId::random()];
        let codes: Vec<_> = (1..=4).map(|id| issue(&mut book, id).expect("room").0).collect();
        assert_eq!(book.spend(ExpectId(1), ann, now), Ok(Some(&codes[0])));
        assert_eq!(
            book.spend(ExpectId(1), ann, now),
            Ok(None),
            "the same one may try again"
        );
        assert_eq!(book.spend(ExpectId(1), bob, now), Err(Refusal::Used));
        assert_eq!(
            book.spend(ExpectId(2), bob, now.after(DEFAULT_LIFETIME)),
            Err(Refusal::Expired)
        );
        assert_eq!(book.withdraw(Some(&codes[3]), now), 1);
        assert_eq!(book.spend(ExpectId(4), bob, now), Err(Refusal::Withdrawn));
        assert_eq!(book.withdraw(Some(&codes[0]), now), 0, "it is spent");
        assert_eq!(book.withdraw(None, now), 2);
        assert_eq!(book.spend(ExpectId(3), bob, now), Err(Refusal::Withdrawn));
        assert_eq!(book.spend(ExpectId(9), bob, now), Err(Refusal::Withdrawn));
        book.finish(ExpectId(1), now);
        assert_eq!(
            book.spend(ExpectId(1), ann, now),
            Err(Refusal::Used),
            "not to come back after leaving"
        );
        assert_eq!(book.sweep(now), []);
        assert_eq!(book.sweep(now.after(AFTERLIFE)), [1, 2, 3, 4].map(ExpectId));
    }

    #[test]
    fn codes_are_bounded_and_open_ones_are_never_forgotten() {
        let mut book = Book::default();
        for id in 0..MAX_CODES as u64 {
            assert!(matches!(issue(&mut book, id), Some((_, None))));
        }
        assert!(issue(&mut book, 99).is_none());
        book.withdraw(None, UnixTime(1_800_000_000));
        assert!(matches!(issue(&mut book, 99), Some((_, Some(ExpectId(0))))));
    }
}
