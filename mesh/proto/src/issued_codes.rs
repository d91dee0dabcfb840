//! The codes that this participant gave out, and what became of each.
//!
//! The age of a code is measured by the monotonic clock plus the time that the machine slept, which that clock may not
//! count. The wall clock only supplies the expiry that is written into a code; setting it changes no code's life.

use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use rand::CryptoRng;
use sightline_noise::PublicKey;

use crate::candidate::Candidate;
use crate::code::{Code, DEFAULT_LIFETIME};
use crate::secret::Secret;
use crate::tag::ExpectId;
use crate::time::UnixTime;
use crate::wire::Refusal;

/// Codes remembered at once. The oldest that admits nobody any more goes first.
const MAX_CODES: usize = 16;

/// 10 min: how long a peer that presents an expired, used or withdrawn code is told so.
const AFTERLIFE: Duration = Duration::from_secs(600);

/// What has become of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CodeState {
    Open,
    /// Somebody knocked with it, and waits for an answer.
    UsedBy(PeerId),
    /// They were answered.
    Done,
    Withdrawn,
    /// Its time was over before anybody came.
    Expired,
}

/// One code that was given out.
#[derive(Debug)]
struct Entry {
    id: ExpectId,
    code: Code,
    state: CodeState,
    /// From this moment it admits nobody.
    ends_at: Instant,
    /// From this moment its holder is not even told any more what became of it.
    forget_at: Instant,
}

impl Entry {
    fn is_open(&self, now: Instant) -> bool {
        self.state == CodeState::Open && now < self.ends_at
    }
}

/// All of them.
#[derive(Debug, Default)]
pub struct IssuedCodes {
    entries: Vec<Entry>,
    /// How long the machine slept since the first of them: that makes them older as well.
    slept: Duration,
}

impl IssuedCodes {
    /// Makes a code, which says when it ends by the clock on the wall. Returns it with the id of one that was forgotten
    /// to make room, if any.
    ///
    /// `None` when sixteen codes are still open: withdraw one first.
    pub fn issue(
        &mut self,
        id: ExpectId,
        inviter: PublicKey,
        candidates: &[Candidate],
        wall: UnixTime,
        now: Instant,
        rng: &mut impl CryptoRng,
    ) -> Option<(Code, Option<ExpectId>)> {
        let now = self.aged(now);
        let forgotten = if self.entries.len() >= MAX_CODES {
            let at = self.entries.iter().position(|entry| !entry.is_open(now))?;
            Some(self.entries.remove(at).id)
        } else {
            None
        };
        let code = Code {
            inviter,
            secret: Secret::generate(rng),
            expires: Code::expiry(wall),
            candidates: candidates.to_vec(),
        };
        // A code says whole minutes, and ends when it says so.
        let ends_at = now + (DEFAULT_LIFETIME - Duration::from_secs(wall.0 % 60));
        self.entries.push(Entry {
            id,
            code: code.clone(),
            state: CodeState::Open,
            ends_at,
            forget_at: ends_at + AFTERLIFE,
        });
        Some((code, forgotten))
    }

    /// The secret behind a tag that came in.
    #[must_use]
    pub fn secret(&self, id: ExpectId) -> Option<&Secret> {
        self.entries
            .iter()
            .find(|entry| entry.id == id)
            .map(|entry| &entry.code.secret)
    }

    /// Spends a code on `peer`, and returns it; `None` when they knocked with it before.
    ///
    /// # Errors
    /// Why the code admits nobody.
    pub fn spend(&mut self, id: ExpectId, peer: PeerId, now: Instant) -> Result<Option<&Code>, Refusal> {
        let now = self.aged(now);
        let entry = self
            .entries
            .iter_mut()
            .find(|entry| entry.id == id)
            .ok_or(Refusal::Withdrawn)?;
        match entry.state {
            CodeState::Open if entry.is_open(now) => {
                entry.state = CodeState::UsedBy(peer);
                Ok(Some(&entry.code))
            }
            CodeState::Open | CodeState::Expired => Err(Refusal::Expired),
            CodeState::UsedBy(first) if first == peer => Ok(None),
            CodeState::UsedBy(_) | CodeState::Done => Err(Refusal::Used),
            CodeState::Withdrawn => Err(Refusal::Withdrawn),
        }
    }

    /// Who knocked with a code was answered: it is of no more use, to them neither.
    pub fn finish(&mut self, id: ExpectId, now: Instant) {
        let now = self.aged(now);
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.state = CodeState::Done;
            entry.forget_at = now + AFTERLIFE;
        }
    }

    /// Returns the codes whose time is over, each once, and the ids of those that have been over for long: these are
    /// forgotten.
    pub fn sweep(&mut self, now: Instant) -> (Vec<Code>, Vec<ExpectId>) {
        let now = self.aged(now);
        let mut expired = Vec::new();
        for entry in &mut self.entries {
            if entry.state == CodeState::Open && !entry.is_open(now) {
                entry.state = CodeState::Expired;
                expired.push(entry.code.clone());
            }
        }
        let over = self.entries.extract_if(.., |entry| now >= entry.forget_at);
        (expired, over.map(|entry| entry.id).collect())
    }

    /// Withdraws every code that is still open, or this one only. Returns how many there were.
    pub fn withdraw(&mut self, only: Option<&Code>, now: Instant) -> usize {
        let now = self.aged(now);
        let open = self
            .entries
            .iter_mut()
            .filter(|entry| entry.state == CodeState::Open);
        let meant = open.filter(|entry| only.is_none_or(|code| entry.code == *code));
        meant
            .map(|entry| {
                entry.state = CodeState::Withdrawn;
                entry.forget_at = now + AFTERLIFE;
            })
            .count()
    }

    /// The machine slept for so long, and the monotonic clock with it.
    pub const fn handle_sleep(&mut self, slept: Duration) {
        self.slept = self.slept.saturating_add(slept);
    }

    /// Now, on a clock that does not stop while the machine sleeps.
    fn aged(&self, now: Instant) -> Instant {
        now.checked_add(self.slept).unwrap_or(now)
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// Ten seconds past a full minute.
    const WALL: UnixTime = UnixTime(1_800_000_010);

    fn issue(
        book: &mut IssuedCodes,
        id: u64,
        wall: UnixTime,
        now: Instant,
    ) -> Option<(Code, Option<ExpectId>)> {
        let mut rng = StdRng::seed_from_u64(id);
        book.issue(ExpectId(id), PublicKey([0; 32]), &[], wall, now, &mut rng)
    }

    #[test]
    fn a_code_admits_one_participant_until_it_expires_or_is_withdrawn() {
        let mut book = IssuedCodes::default();
        let now = Instant::now();
        let [ann, bob] = [PeerId::random(), PeerId::random()];
        let codes: Vec<_> = (1..=4)
            .map(|id| issue(&mut book, id, WALL, now).expect("room").0)
            .collect();
        assert_eq!(book.spend(ExpectId(1), ann, now), Ok(Some(&codes[0])));
        assert_eq!(
            book.spend(ExpectId(1), ann, now),
            Ok(None),
            "the same one may try again"
        );
        assert_eq!(book.spend(ExpectId(1), bob, now), Err(Refusal::Used));
        assert_eq!(
            book.spend(ExpectId(2), bob, now + DEFAULT_LIFETIME),
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
        assert_eq!(book.sweep(now), (Vec::new(), Vec::new()));
        let over = [1, 2, 3, 4].map(ExpectId).to_vec();
        assert_eq!(book.sweep(now + AFTERLIFE), (Vec::new(), over));
    }

    #[test]
    fn codes_are_bounded_and_open_ones_are_never_forgotten() {
        let mut book = IssuedCodes::default();
        let now = Instant::now();
        for id in 0..MAX_CODES as u64 {
            assert!(matches!(issue(&mut book, id, WALL, now), Some((_, None))));
        }
        assert!(issue(&mut book, 99, WALL, now).is_none());
        book.withdraw(None, now);
        assert!(matches!(
            issue(&mut book, 99, WALL, now),
            Some((_, Some(ExpectId(0))))
        ));
    }

    #[test]
    fn a_code_ends_when_it_says_so_and_is_told_once() {
        let mut book = IssuedCodes::default();
        let now = Instant::now();
        let bob = PeerId::random();
        let (code, _) = issue(&mut book, 1, WALL, now).expect("room");
        let ends = now + Duration::from_secs(code.expires.0 - WALL.0);
        let before = Duration::from_secs(1);
        assert_eq!(book.sweep(ends - before), (Vec::new(), Vec::new()));
        assert_eq!(book.sweep(ends), (vec![code], Vec::new()));
        assert_eq!(book.spend(ExpectId(1), bob, ends), Err(Refusal::Expired));
        assert_eq!(
            book.sweep(ends + AFTERLIFE - before),
            (Vec::new(), Vec::new()),
            "who comes with it is still told"
        );
        assert_eq!(book.sweep(ends + AFTERLIFE), (Vec::new(), vec![ExpectId(1)]));
    }

    #[test]
    fn a_code_lives_as_long_whatever_its_makers_clock_says() {
        for wall in [0, 86_400, 1_800_000_000, 4_102_444_800, u64::MAX] {
            let mut book = IssuedCodes::default();
            let now = Instant::now();
            let bob = PeerId::random();
            issue(&mut book, 1, UnixTime(wall), now).expect("room");
            let minute = Duration::from_secs(60);
            let late = now + DEFAULT_LIFETIME - minute;
            assert_eq!(book.sweep(late), (Vec::new(), Vec::new()), "at {wall}");
            assert!(
                matches!(book.spend(ExpectId(1), bob, late), Ok(Some(_))),
                "at {wall}"
            );
        }
    }

    #[test]
    fn a_code_gets_older_while_the_machine_sleeps() {
        let mut book = IssuedCodes::default();
        let now = Instant::now();
        let bob = PeerId::random();
        issue(&mut book, 1, WALL, now).expect("room");
        let hour = Duration::from_secs(3600);
        book.handle_sleep(23 * hour);
        assert_eq!(book.sweep(now), (Vec::new(), Vec::new()));
        book.handle_sleep(hour);
        assert_eq!(book.spend(ExpectId(1), bob, now), Err(Refusal::Expired));
        assert_eq!(book.sweep(now).0.len(), 1);
        book.handle_sleep(hour);
        assert_eq!(book.sweep(now).1, [ExpectId(1)]);
        let (made_later, _) = issue(&mut book, 2, WALL, now).expect("room");
        assert_eq!(
            book.spend(ExpectId(2), bob, now),
            Ok(Some(&made_later)),
            "what is made afterwards is new"
        );
    }
}
