//! The invite code: what one person passes to another by a channel they already trust.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use data_encoding::BASE32_NOPAD;
use sightline_noise::PublicKey;
use zeroize::Zeroizing;

use crate::candidate::{Candidate, CandidateError, MAX_CANDIDATES, MAX_LIST_LEN};
use crate::letters::{self, GROUP, Run};
use crate::secret::{Secret, hash};
use crate::time::UnixTime;

/// The format that this program writes and reads.
const VERSION: u8 = 1;

/// 2026-01-01T00:00:00Z: codes count their minutes from here.
const EPOCH: u64 = 1_767_225_600;

/// 24 h: how long a code admits somebody unless its maker says otherwise. Its maker counts them by the monotonic clock.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Bytes of BLAKE2s at the end: one wrong letter in four billion goes unnoticed.
const CHECK_LEN: usize = 4;

/// Bytes before the candidates: version, key, secret, expiry, count.
const FIXED_LEN: usize = 1 + 32 + 32 + 4 + 1;

/// The longest code, bytes.
const MAX_LEN: usize = FIXED_LEN + MAX_LIST_LEN + CHECK_LEN;

/// Letters of the longest code.
const MAX_LETTERS: usize = (MAX_LEN * 8).div_ceil(5);

/// The longest text that is searched for a code, bytes: a long mail. Each word in it is tried as a code's beginning at
/// most once, which takes some microseconds at the worst.
pub const MAX_TEXT: usize = 16 * 1024;

/// The most lines that are searched: a code with each letter on a line of its own has fewer.
pub const MAX_LINES: usize = 512;

/// What a code says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// The inviter's Noise static key: who answers must hold its private half.
    pub inviter: PublicKey,
    /// What lets its holder in, once.
    pub secret: Secret,
    /// From this moment it admits nobody, by the clock of who made it: whole minutes. It is there to be read; whether it
    /// is over, only its maker knows.
    pub expires: UnixTime,
    /// The inviter's shared addresses; 1 to 8 of them.
    pub candidates: Vec<Candidate>,
}

/// Why a text is not a code, or not one that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// Nothing in it looks like a code.
    #[error("There is no code here. A code is about 26 groups of five letters and digits.")]
    Empty,
    /// A character that no code has.
    #[error("{} does not belong in a code: a code has only the letters A to Z and the digits 2 to 7.", letters::describe(*.0))]
    Character(char),
    /// A letter of another alphabet that looks like one of a code's.
    #[error(
        "{} only looks like ‘{}’: a code has only the letters A to Z and the digits 2 to 7. Ask for the code as it was made.",
        letters::describe(*.0),
        letters::look_alike(*.0).unwrap_or_default()
    )]
    LookAlike(char),
    /// It ends too early.
    #[error("The end of the code is missing. Copy all of it, to the last letter.")]
    Cut,
    /// Its last word goes on after its end, or the text is longer than what is searched.
    #[error("There is more text after the code. Copy only the code itself.")]
    TooLong,
    /// Two codes that say different things.
    #[error("There are two different codes here. Copy only the one that you mean.")]
    Several,
    /// The check does not fit.
    #[error("One or more letters of the code are wrong. Compare it with the original, or copy it again.")]
    WrongLetter,
    /// Another format.
    #[error("This code was made by a newer version of Sightline. Update Sightline to use it.")]
    NewerVersion,
    /// It names an address that nobody can have, or none.
    #[error("The code holds no address that can be called. Ask for another one.")]
    NoAddress,
}

impl ParseError {
    /// A stable word for programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Empty => "code_empty",
            Self::Character(_) => "code_character",
            Self::LookAlike(_) => "code_look_alike",
            Self::Cut => "code_cut",
            Self::TooLong => "code_too_long",
            Self::Several => "code_several",
            Self::WrongLetter => "code_wrong_letter",
            Self::NewerVersion => "code_newer_version",
            Self::NoAddress => "code_no_address",
        }
    }

    /// Which character it is, for the sentence of its word: the number, as not each can be shown.
    #[must_use]
    pub fn detail(&self) -> String {
        match self {
            Self::Character(character) | Self::LookAlike(character) => letters::number(*character),
            _ => String::new(),
        }
    }

    /// Whether more text can still make a code of it.
    #[must_use]
    pub const fn may_go_on(&self) -> bool {
        matches!(self, Self::Empty | Self::Character(_) | Self::Cut)
    }
}

impl Code {
    /// Whether the code's time is over by a wall clock that says `wall`. Two clocks need not agree: this is for sentences.
    #[must_use]
    pub fn is_expired(&self, wall: UnixTime) -> bool {
        wall >= self.expires
    }

    /// The addresses of its candidates.
    pub fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        self.candidates.iter().map(|candidate| candidate.address)
    }

    /// What a code that is made at `wall` says of its end: to the minute, and no more than a code can say.
    pub(crate) fn expiry(wall: UnixTime) -> UnixTime {
        from_minutes(to_minutes(wall.after(DEFAULT_LIFETIME)))
    }

    /// Reads a code as people paste, type or print it, alone or within other text: case, blanks, line breaks, dashes,
    /// quotes and what cannot be seen do not matter, and `0`, `1`, `8` are taken for the letters `O`, `I`, `B` that they
    /// resemble. Words before it and after it do not disturb: where a code begins and ends, its check says.
    ///
    /// # Errors
    /// [`ParseError`]: one sentence for each way in which a code can be wrong.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        if text.len() > MAX_TEXT || text.lines().count() > MAX_LINES {
            return Err(ParseError::TooLong);
        }
        let runs = letters::read(text, MAX_LETTERS);
        let mut found: Option<Self> = None;
        let mut flaw = None;
        for run in &runs {
            let mut end = 0;
            for start in run.words().iter().copied() {
                if start < end {
                    continue;
                }
                let Ok((code, length)) = Self::take(run.starting_at(start)) else {
                    continue;
                };
                end = start + length;
                if let Some(stranger) = run.stranger(start, end) {
                    flaw = Some(ParseError::LookAlike(stranger));
                } else if !run.is_between_words(end) {
                    flaw = Some(ParseError::TooLong);
                } else if found.as_ref().is_some_and(|other| *other != code) {
                    return Err(ParseError::Several);
                } else {
                    found = Some(code);
                }
            }
        }
        found.ok_or_else(|| flaw.unwrap_or_else(|| fault(&runs)))
    }

    /// Whether something in `text` looks like a code, or like the beginning of one.
    #[must_use]
    pub fn is_begun(text: &str) -> bool {
        let runs = letters::read(text, MAX_LETTERS);
        let mut beginnings = runs.iter().flat_map(beginnings);
        beginnings.any(|(_, looks_like_code)| looks_like_code)
            || alone(&runs).is_some_and(lacks_its_first_letters)
    }

    /// Takes a code off the front of `letters`. Returns it, and how many letters it has.
    fn take(letters: &[u8]) -> Result<(Self, usize), ParseError> {
        if !may_begin(letters) {
            return Err(ParseError::WrongLetter);
        }
        let bytes = whole_bytes(letters.get(..MAX_LETTERS).unwrap_or(letters));
        let (code, rest) = read_prefix(&bytes)?;
        let (body, rest) = bytes.split_at(bytes.len() - rest.len());
        let check = rest.first_chunk::<CHECK_LEN>().ok_or(ParseError::Cut)?;
        let whole = Zeroizing::new([body, check.as_slice()].concat());
        let written = Zeroizing::new(BASE32_NOPAD.encode(&whole));
        if hash(&[body]).first_chunk() == Some(check) && letters.starts_with(written.as_bytes()) {
            Ok((code, written.len()))
        } else {
            Err(ParseError::WrongLetter)
        }
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // This and the texts below are as large as they can get: what grows leaves parts of the secret behind.
        let mut bytes = Zeroizing::new(Vec::<u8>::with_capacity(MAX_LEN));
        bytes.push(VERSION << 4);
        bytes.extend_from_slice(&self.inviter.0);
        bytes.extend_from_slice(&self.secret.0);
        bytes.extend_from_slice(&to_minutes(self.expires).to_be_bytes());
        let candidates = self.candidates.iter().take(MAX_CANDIDATES);
        bytes.push(u8::try_from(candidates.len()).unwrap_or(0));
        for candidate in candidates {
            candidate.push(&mut bytes);
        }
        let check = hash(&[&bytes]);
        bytes.extend_from_slice(&check[..CHECK_LEN]);
        bytes
    }
}

/// The code as it is shown and passed on: upper-case Base32 in groups of five.
impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letters = Zeroizing::new(BASE32_NOPAD.encode(&self.to_bytes()));
        let mut text = Zeroizing::new(String::with_capacity(letters.len() + letters.len() / GROUP));
        for (at, letter) in letters.chars().enumerate() {
            if at > 0 && at % GROUP == 0 {
                text.push('-');
            }
            text.push(letter);
        }
        f.write_str(&text)
    }
}

/// A moment as a code holds it; what lies before or beyond becomes the first or the last that it can hold.
fn to_minutes(at: UnixTime) -> u32 {
    u32::try_from(at.0.saturating_sub(EPOCH) / 60).unwrap_or(u32::MAX)
}

fn from_minutes(minutes: u32) -> UnixTime {
    UnixTime(EPOCH + u64::from(minutes) * 60)
}

/// Whether a code can begin so: version and flags are `0x10`, which is `C`, and the first three bits of the next letter.
const fn may_begin(letters: &[u8]) -> bool {
    matches!(letters, [b'C'] | [b'C', b'A'..=b'D', ..])
}

/// The whole bytes that `letters` hold.
fn whole_bytes(letters: &[u8]) -> Zeroizing<Vec<u8>> {
    let filled_len = letters.len().next_multiple_of(8);
    let mut filled = Zeroizing::new(Vec::with_capacity(filled_len));
    filled.extend_from_slice(letters);
    filled.resize(filled_len, b'A');
    // They are of the alphabet, and whole groups of it.
    let mut bytes = Zeroizing::new(BASE32_NOPAD.decode(&filled).unwrap_or_default());
    bytes.truncate(letters.len() * 5 / 8);
    bytes
}

/// Why no code was found: what helps most to be told.
fn fault(runs: &[Run]) -> ParseError {
    if let Some(fault) = runs.iter().find_map(|run| fault_as_made(run.letters())) {
        return fault;
    }
    let alone = alone(runs);
    if alone.is_some_and(lacks_its_first_letters) {
        return ParseError::WrongLetter;
    }
    for run in runs {
        let mut may_be_cut = false;
        for (start, looks_like_code) in beginnings(run) {
            may_be_cut |= matches!(Code::take(run.starting_at(start)), Err(ParseError::Cut));
            if looks_like_code || (start == 0 && alone.is_some()) {
                return match (may_be_cut, run.broken_by()) {
                    (true, Some(character)) => ParseError::Character(character),
                    (true, None) => ParseError::Cut,
                    (false, _) => run
                        .stranger(start, start + MAX_LETTERS)
                        .map_or(ParseError::WrongLetter, ParseError::LookAlike),
                };
            }
        }
    }
    let foreign = runs.iter().find_map(Run::ended_by);
    foreign.map_or(ParseError::Empty, ParseError::Character)
}

/// What is wrong with a code that arrived as it was made, and is all the letters that there are.
fn fault_as_made(letters: &[u8]) -> Option<ParseError> {
    let bytes = whole_bytes(letters);
    let (body, check) = bytes.split_last_chunk::<CHECK_LEN>()?;
    let is_intact = hash(&[body]).first_chunk() == Some(check);
    match body.first() {
        _ if !is_intact => None,
        Some(version) if version >> 4 > VERSION => Some(ParseError::NewerVersion),
        _ => read_prefix(body).err(),
    }
}

/// Where a code may begin, and whether what is there looks like one: few words of a language begin so, and hardly ever
/// three of five letters in a row.
fn beginnings(run: &Run) -> impl Iterator<Item = (usize, bool)> {
    let words = run.words().iter().enumerate();
    words
        .filter(move |(_, start)| may_begin(run.starting_at(**start)))
        .map(move |(word, start)| (*start, run.looks_like_code(word, 3, 20)))
}

/// The letters of a text that has no others.
fn alone(runs: &[Run]) -> Option<&Run> {
    match runs {
        [run] if run.ended_by().is_none() => Some(run),
        _ => None,
    }
}

/// Whether this looks like a code, though it does not begin like one.
fn lacks_its_first_letters(run: &Run) -> bool {
    !may_begin(run.letters()) && run.looks_like_code(0, 5, 60)
}

fn read_prefix(body: &[u8]) -> Result<(Code, &[u8]), ParseError> {
    if body.len() < FIXED_LEN {
        return Err(ParseError::Cut);
    }
    let (version, rest) = body.split_first().ok_or(ParseError::Cut)?;
    let (inviter, rest) = rest.split_first_chunk::<32>().ok_or(ParseError::Cut)?;
    let (secret, rest) = rest.split_first_chunk::<32>().ok_or(ParseError::Cut)?;
    let (minutes, rest) = rest.split_first_chunk::<4>().ok_or(ParseError::Cut)?;
    let (count, mut rest) = rest.split_first().ok_or(ParseError::Cut)?;
    if *version != VERSION << 4 {
        return Err(ParseError::NewerVersion);
    }
    if usize::from(*count) > MAX_CANDIDATES {
        return Err(ParseError::NoAddress);
    }
    let (mut candidates, mut has_newer) = (Vec::new(), false);
    for _ in 0..*count {
        match Candidate::take(&mut rest) {
            Ok(Some(candidate)) => candidates.push(candidate),
            Ok(None) => has_newer = true,
            Err(CandidateError::Unusable) => {}
            Err(CandidateError::Cut) => return Err(ParseError::Cut),
        }
    }
    if candidates.is_empty() {
        return Err(if has_newer {
            ParseError::NewerVersion
        } else {
            ParseError::NoAddress
        });
    }
    let code = Code {
        inviter: PublicKey(*inviter),
        secret: Secret(*secret),
        expires: from_minutes(u32::from_be_bytes(*minutes)),
        candidates,
    };
    Ok((code, rest))
}

#[cfg(test)]
mod tests;
