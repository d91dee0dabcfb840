//! The invite code: what one person passes to another by a channel they already trust.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use data_encoding::{BASE32_NOPAD, DecodeKind};
use sightline_noise::PublicKey;
use zeroize::Zeroizing;

use crate::address::{self, AddressError, MAX_ADDRESS_LEN, MAX_ADDRESSES};
use crate::secret::{Secret, hash};
use crate::time::UnixTime;

/// The format that this program writes and reads.
const VERSION: u8 = 1;

/// 2026-01-01T00:00:00Z: codes count their minutes from here.
const EPOCH: u64 = 1_767_225_600;

/// 24 h: how long a code admits somebody unless its maker says otherwise. Its maker counts them by the monotonic clock.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(24 * 3600);

/// Letters between dashes: what the eye takes in at once.
const GROUP: usize = 5;

/// Bytes of BLAKE2s at the end: one wrong letter in four billion goes unnoticed.
const CHECK_LEN: usize = 4;

/// Bytes before the addresses: version, key, secret, expiry, count.
const FIXED_LEN: usize = 1 + 32 + 32 + 4 + 1;

/// The longest code, bytes.
const MAX_LEN: usize = FIXED_LEN + MAX_ADDRESSES * MAX_ADDRESS_LEN + CHECK_LEN;

/// The most letters that are looked at: twice the longest code.
const MAX_LETTERS: usize = 800;

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
    /// Where the inviter can be reached, as ticked by the inviter; 1 to 8 of them.
    pub addresses: Vec<SocketAddr>,
}

/// Why a text is not a code, or not one that can be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseError {
    /// Nothing but blanks, dashes and quotes.
    #[error("There is no code here. A code is about 26 groups of five letters and digits.")]
    Empty,
    /// A character that no code has.
    #[error("“{0}” does not belong in a code: a code has only the letters A to Z and the digits 2 to 7.")]
    Character(char),
    /// It ends too early.
    #[error("The end of the code is missing. Copy all of it, to the last letter.")]
    Cut,
    /// It goes on after its end.
    #[error("There is more text after the code. Copy only the code itself.")]
    TooLong,
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
            Self::Cut => "code_cut",
            Self::TooLong => "code_too_long",
            Self::WrongLetter => "code_wrong_letter",
            Self::NewerVersion => "code_newer_version",
            Self::NoAddress => "code_no_address",
        }
    }
}

impl Code {
    /// Whether the code's time is over by a wall clock that says `wall`. Two clocks need not agree: this is for sentences.
    #[must_use]
    pub fn is_expired(&self, wall: UnixTime) -> bool {
        wall >= self.expires
    }

    /// What a code that is made at `wall` says of its end: to the minute, and no more than a code can say.
    pub(crate) fn expiry(wall: UnixTime) -> UnixTime {
        from_minutes(to_minutes(wall.after(DEFAULT_LIFETIME)))
    }

    /// Reads a code as people paste, type or print it: case, blanks, line breaks, dashes and quotes do not
    /// matter, and `0`, `1`, `8` are taken for the letters `O`, `I`, `B` that they resemble.
    ///
    /// # Errors
    /// [`ParseError`]: one sentence for each way in which a code can be wrong.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let letters = letters(text)?;
        if letters.is_empty() {
            return Err(ParseError::Empty);
        }
        let bytes = match decode(letters.as_bytes()) {
            Ok(bytes) => bytes,
            Err(DecodeKind::Length) => return Err(ParseError::Cut),
            // The last letter says more than whole bytes hold: a wrong one, or one with more after it.
            Err(_) => {
                let whole = letters.len() - letters.len() % 8;
                let bytes = decode(&letters.as_bytes()[..whole]).unwrap_or_default();
                return Err(match Self::from_bytes(&bytes) {
                    Err(ParseError::Cut | ParseError::Empty) => ParseError::Cut,
                    _ => ParseError::WrongLetter,
                });
            }
        };
        Self::from_bytes(&bytes)
    }

    fn from_bytes(bytes: &[u8]) -> Result<Self, ParseError> {
        let version = *bytes.first().ok_or(ParseError::Empty)?;
        let (body, check) = bytes.split_last_chunk::<CHECK_LEN>().ok_or(ParseError::Cut)?;
        let intact = hash(&[body]).first_chunk() == Some(check);
        match read(body) {
            Ok(code) if intact => Ok(code),
            _ if intact && version >> 4 > VERSION => Err(ParseError::NewerVersion),
            Err(error) if intact => Err(error),
            // A wrong letter can hide the length: only a text that is short by itself is called cut.
            Err(ParseError::Cut) => Err(ParseError::Cut),
            _ if read(bytes).is_ok() => Err(ParseError::Cut),
            Err(ParseError::TooLong) if is_prefix_intact(bytes) => Err(ParseError::TooLong),
            _ => Err(ParseError::WrongLetter),
        }
    }

    fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        // This and the texts below are as large as they can get: what grows leaves parts of the secret behind.
        let mut bytes = Zeroizing::new(Vec::<u8>::with_capacity(MAX_LEN));
        bytes.push(VERSION << 4);
        bytes.extend_from_slice(&self.inviter.0);
        bytes.extend_from_slice(&self.secret.0);
        bytes.extend_from_slice(&to_minutes(self.expires).to_be_bytes());
        let addresses = self.addresses.iter().take(MAX_ADDRESSES);
        bytes.push(u8::try_from(addresses.len()).unwrap_or(0));
        for address in addresses {
            address::push(&mut bytes, *address);
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

/// The letters of a code within a text, in Base32's alphabet (RFC 4648, section 6).
fn letters(text: &str) -> Result<Zeroizing<String>, ParseError> {
    let mut letters = Zeroizing::new(String::with_capacity(text.len().min(MAX_LETTERS)));
    for character in text.chars() {
        let letter = match character {
            '0' => 'O',
            '1' => 'I',
            '8' => 'B',
            'a'..='z' | 'A'..='Z' | '2'..='7' => character.to_ascii_uppercase(),
            _ if is_ornament(character) => continue,
            _ => return Err(ParseError::Character(character)),
        };
        if letters.len() == MAX_LETTERS {
            return Err(ParseError::TooLong);
        }
        letters.push(letter);
    }
    Ok(letters)
}

/// The bytes that letters stand for.
fn decode(letters: &[u8]) -> Result<Zeroizing<Vec<u8>>, DecodeKind> {
    let len = BASE32_NOPAD
        .decode_len(letters.len())
        .map_err(|error| error.kind)?;
    let mut bytes = Zeroizing::new(vec![0u8; len]);
    match BASE32_NOPAD.decode_mut(letters, &mut bytes) {
        Ok(_) => Ok(bytes),
        Err(partial) => Err(partial.error.kind),
    }
}

/// What mail programs, editors and people put around and between the letters.
fn is_ornament(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '-' | '_' | '.' | ',' | '>' | '<' | '"' | '\'' | '`' | '´' | '*' | '=' | '«' | '»' | '‹' | '›'
            | '\u{00ad}' // soft hyphen
            | '\u{200b}'..='\u{200f}' // zero-width and direction marks
            | '\u{2010}'..='\u{2015}' // dashes
            | '\u{2018}'..='\u{201f}' // quotes
            | '\u{2060}' | '\u{feff}' // word joiner, byte order mark
            | '\u{2212}' // minus
        )
}

fn read(body: &[u8]) -> Result<Code, ParseError> {
    let (code, rest) = read_prefix(body)?;
    if rest.is_empty() {
        Ok(code)
    } else {
        Err(ParseError::TooLong)
    }
}

/// Whether an intact code stands at the front, so that only what follows it is wrong.
fn is_prefix_intact(bytes: &[u8]) -> bool {
    read_prefix(bytes).is_ok_and(|(_, rest)| {
        let body = &bytes[..bytes.len() - rest.len()];
        rest.first_chunk::<CHECK_LEN>() == hash(&[body]).first_chunk()
    })
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
    if *count == 0 || usize::from(*count) > MAX_ADDRESSES {
        return Err(ParseError::NoAddress);
    }
    let addresses = (0..*count)
        .map(|_| {
            address::take(&mut rest).map_err(|error| match error {
                AddressError::Cut => ParseError::Cut,
                AddressError::Unusable => ParseError::NoAddress,
            })
        })
        .collect::<Result<_, _>>()?;
    let code = Code {
        inviter: PublicKey(*inviter),
        secret: Secret(*secret),
        expires: from_minutes(u32::from_be_bytes(*minutes)),
        addresses,
    };
    Ok((code, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn codes() -> impl Strategy<Value = Code> {
        let address = (any::<std::net::IpAddr>(), 1u16..)
            .prop_map(|(ip, port)| SocketAddr::new(ip, port))
            .prop_filter("usable", |address| address::is_usable(*address));
        let addresses = prop::collection::vec(address, 1..=MAX_ADDRESSES);
        (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<u32>(), addresses).prop_map(
            |(inviter, secret, minutes, addresses)| Code {
                inviter: PublicKey(inviter),
                secret: Secret(secret),
                expires: from_minutes(minutes),
                addresses,
            },
        )
    }

    fn sample() -> Code {
        Code {
            inviter: PublicKey([1; 32]),
            secret: Secret([2; 32]),
            expires: UnixTime(EPOCH + 600),
            addresses: vec![SocketAddr::from(([192, 0, 2, 7], 4433))],
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(code in codes()) {
            prop_assert_eq!(Code::parse(&code.to_string()), Ok(code));
        }

        #[test]
        fn what_people_do_to_a_code_does_not_matter(code in codes(), marks in prop::collection::vec(
            prop::sample::select(vec!["\n", " ", "-", "–", "\u{200b}", "> ", "\"", "", "", ""]), 1..40
        )) {
            let text: String = code.to_string().to_lowercase().replace('o', "0").replace('i', "1")
                .chars().zip(marks.iter().cycle())
                .map(|(letter, mark)| format!("{mark}{letter}"))
                .collect();
            prop_assert_eq!(Code::parse(&format!("“{text}”\r\n")), Ok(code));
        }

        #[test]
        fn one_wrong_letter_is_noticed(code in codes(), at in any::<prop::sample::Index>(), to in "[A-Z2-7]") {
            let letters = letters(&code.to_string()).expect("its own letters");
            let at = at.index(letters.len());
            prop_assume!(letters[at..=at] != to);
            let changed = format!("{}{to}{}", &letters[..at], &letters[at + 1..]);
            prop_assert!(Code::parse(&changed).is_err());
        }

        #[test]
        fn a_cut_code_is_called_cut(code in codes(), at in any::<prop::sample::Index>()) {
            let text = code.to_string();
            // The last letter alone holds only a bit or two of the check.
            let at = at.index(text.len() - 3) + 1;
            let error = Code::parse(&text[..at]).expect_err("a part is no code");
            prop_assert_eq!(error, ParseError::Cut);
        }

        #[test]
        fn what_is_said_of_its_end_is_what_the_code_holds_whatever_the_clock_says(
            wall in prop_oneof![0..5_000_000_000u64, any::<u64>()]
        ) {
            let code = Code { expires: Code::expiry(UnixTime(wall)), ..sample() };
            let read = Code::parse(&code.to_string()).expect("its own letters");
            prop_assert_eq!(read.expires, code.expires);
            if (EPOCH..5_000_000_000).contains(&wall) {
                let lifetime = code.expires.0 - wall;
                prop_assert!(lifetime <= 86_400 && lifetime > 86_400 - 60);
            }
        }

        #[test]
        fn any_text_gives_an_answer(text in any::<String>()) {
            let _answer = Code::parse(&text);
        }
    }

    #[test]
    fn each_fault_has_its_own_sentence() {
        let text = sample().to_string();
        assert_eq!(Code::parse(" \n-\"\" "), Err(ParseError::Empty));
        assert_eq!(Code::parse(&format!("{text}!")), Err(ParseError::Character('!')));
        assert_eq!(Code::parse(&text[..text.len() / 2]), Err(ParseError::Cut));
        assert_eq!(Code::parse(&format!("{text}-{text}")), Err(ParseError::TooLong));
        assert_eq!(Code::parse(&"A".repeat(100_000)), Err(ParseError::TooLong));

        let with_byte = |at: usize, byte: u8| {
            let mut bytes = sample().to_bytes();
            bytes[at] = byte;
            let body = bytes.len() - CHECK_LEN;
            let check = hash(&[&bytes[..body]]);
            bytes[body..].copy_from_slice(&check[..CHECK_LEN]);
            Code::parse(&BASE32_NOPAD.encode(&bytes))
        };
        assert_eq!(with_byte(0, 0x20), Err(ParseError::NewerVersion));
        assert_eq!(with_byte(0, 0x11), Err(ParseError::NewerVersion));
        assert_eq!(with_byte(FIXED_LEN - 1, 0), Err(ParseError::NoAddress));
    }

    #[test]
    fn a_code_leaves_no_copy_of_its_secret_behind_and_does_not_print_it() {
        fn wipes_itself<T: zeroize::ZeroizeOnDrop>(_: &T) {}
        let code = sample();
        wipes_itself(&code.secret);
        let bytes = code.to_bytes();
        wipes_itself(&bytes);
        assert_eq!(bytes.capacity(), MAX_LEN, "it did not grow");
        let letters = letters(&code.to_string()).expect("its own letters");
        wipes_itself(&letters);
        wipes_itself(&decode(letters.as_bytes()).expect("its own letters"));
        // The secret is 2, 2, 2 …
        for printed in [format!("{code:?}"), format!("{code:#?}")] {
            assert!(printed.contains("Secret(…)"), "{printed}");
            assert!(!printed.replace(['\n', ' '], "").contains("2,2,2"), "{printed}");
        }
    }

    #[test]
    fn a_code_is_over_at_its_last_minute() {
        let code = sample();
        assert!(!code.is_expired(UnixTime(code.expires.0 - 1)));
        assert!(code.is_expired(code.expires));
    }
}
