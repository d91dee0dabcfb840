//! What stands in a text that may hold a code: letters, what people and programs put between them, and what no code has.

use zeroize::Zeroizing;

/// Letters between dashes: what the eye takes in at once.
pub const GROUP: usize = 5;

/// Letters, as words, up to something that no code has.
#[derive(Debug, Default)]
pub struct Run {
    /// In Base32's alphabet (RFC 4648, section 6). A code's letters have room without growing, so that none is left behind.
    letters: Zeroizing<Vec<u8>>,
    /// Where words begin: letters with nothing between them.
    words: Vec<usize>,
    /// Which letters are of another alphabet, and were taken for those that they look like.
    strangers: Vec<(usize, char)>,
    end: Option<End>,
}

/// What ends a run before the text does.
#[derive(Clone, Copy, Debug)]
struct End {
    character: char,
    /// It stands in a word, as if it were one of its letters.
    is_in_word: bool,
}

/// Reads a text. Case does not matter, and `0`, `1`, `8` are taken for the letters `O`, `I`, `B` that they resemble. There is
/// room for so many letters without growing.
pub fn read(text: &str, room: usize) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut run = Run::default();
    let mut before = ' ';
    let mut is_in_word = false;
    for (at, character) in text.char_indices() {
        let kind = kind(character);
        if let CharClass::Letter(letter) | CharClass::LookAlike(letter) = kind {
            if !is_in_word {
                run.words.push(run.letters.len());
            }
            if let CharClass::LookAlike(_) = kind {
                run.strangers.push((run.letters.len(), character));
            }
            if run.letters.is_empty() {
                run.letters.reserve_exact(room);
            }
            run.letters.push(letter);
        }
        is_in_word = matches!(kind, CharClass::Letter(_) | CharClass::LookAlike(_));
        if let CharClass::Foreign = kind {
            let rest = text.get(at + character.len_utf8()..).unwrap_or_default();
            // Only the first one after letters looks ahead: the text is gone through at most twice.
            let is_in_word = !run.letters.is_empty() && !before.is_whitespace() && goes_on(rest);
            run.end = Some(End {
                character,
                is_in_word,
            });
            runs.push(std::mem::take(&mut run));
        }
        before = character;
    }
    if !run.letters.is_empty() {
        runs.push(run);
    }
    runs
}

/// Whether a letter or a digit comes before the next blank.
fn goes_on(rest: &str) -> bool {
    let next = rest
        .chars()
        .find(|next| next.is_alphanumeric() || next.is_whitespace());
    next.is_some_and(char::is_alphanumeric)
}

impl Run {
    /// All its letters.
    pub fn letters(&self) -> &[u8] {
        &self.letters
    }

    /// Where words begin.
    pub fn words(&self) -> &[usize] {
        &self.words
    }

    /// Its letters from one of them on.
    pub fn starting_at(&self, start: usize) -> &[u8] {
        self.letters.get(start..).unwrap_or_default()
    }

    /// Whether no word goes on at this letter.
    pub fn is_between_words(&self, at: usize) -> bool {
        at == self.letters.len() || self.words.binary_search(&at).is_ok()
    }

    /// The first letter of another alphabet from one letter to before another.
    pub fn stranger(&self, from: usize, to: usize) -> Option<char> {
        let of_these = |(at, _): &&(usize, char)| (from..to).contains(at);
        self.strangers
            .iter()
            .find(of_these)
            .map(|(_, character)| *character)
    }

    /// What ends it before the text does.
    pub fn ended_by(&self) -> Option<char> {
        self.end.map(|end| end.character)
    }

    /// What ends it as if it were a letter of its last word.
    pub fn broken_by(&self) -> Option<char> {
        self.end.filter(|end| end.is_in_word).map(|end| end.character)
    }

    /// Whether the words from this one on look like a code, as words of a language do not: so many groups in a row, or
    /// one word of at least `unbroken` letters.
    pub fn looks_like_code(&self, word: usize, groups: usize, unbroken: usize) -> bool {
        let length = |word: usize| {
            let begin = self.words.get(word)?;
            let end = self.words.get(word + 1).copied();
            Some(end.unwrap_or(self.letters.len()) - begin)
        };
        length(word).is_some_and(|length| length >= unbroken)
            || (word..word + groups).all(|word| length(word) == Some(GROUP))
    }
}

#[derive(Clone, Copy)]
enum CharClass {
    Letter(u8),
    LookAlike(u8),
    /// What does not matter between letters.
    Between,
    Foreign,
}

fn kind(character: char) -> CharClass {
    let letter = |letter: char| letter.to_ascii_uppercase() as u8;
    match narrow(character) {
        '0' => CharClass::Letter(b'O'),
        '1' => CharClass::Letter(b'I'),
        '8' => CharClass::Letter(b'B'),
        own @ ('a'..='z' | 'A'..='Z' | '2'..='7') => CharClass::Letter(letter(own)),
        own if is_ornament(own) || is_invisible(own) => CharClass::Between,
        _ => look_alike(character).map_or(CharClass::Foreign, |own| CharClass::LookAlike(letter(own))),
    }
}

/// The full-width forms of ASCII, which Chinese and Japanese keyboards make, are the same characters, drawn wider.
fn narrow(character: char) -> char {
    match character {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        _ => character,
    }
}

/// What mail programs, editors and people put around and between the letters.
fn is_ornament(character: char) -> bool {
    character.is_whitespace()
        || matches!(
            character,
            '-' | '_' | '.' | ',' | '>' | '<' | '"' | '\'' | '`' | '´' | '*' | '=' | '«' | '»' | '‹' | '›'
            | '~' | '|' | '¦' | '\\' | '·' | '•' | '…'
            | '\u{2010}'..='\u{2015}' // dashes
            | '\u{2018}'..='\u{201f}' // quotes
            | '\u{2212}' // minus
            | '\u{2500}'..='\u{257f}' // lines of a frame
        )
}

/// What is not drawn: Unicode's `Default_Ignorable_Code_Point` (version 16, `DerivedCoreProperties.txt`), and the marks
/// of annotations (U+FFF9 to U+FFFB). Marks of direction and of order of bytes, joiners, fillers and selectors of
/// variants are among them.
fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Letters of other alphabets above the Latin ones that they are drawn like.
#[rustfmt::skip]
const LOOK_ALIKES: [(char, char); 58] = [
    ('А', 'A'), ('В', 'B'), ('С', 'C'), ('Е', 'E'), ('Н', 'H'), ('І', 'I'), ('Ј', 'J'), ('К', 'K'),
    ('М', 'M'), ('О', 'O'), ('Р', 'P'), ('Ѕ', 'S'), ('Т', 'T'), ('У', 'Y'), ('Х', 'X'), ('Ү', 'Y'),
    ('Ԛ', 'Q'), ('Ԝ', 'W'), ('а', 'a'), ('с', 'c'), ('е', 'e'), ('і', 'i'), ('ј', 'j'), ('о', 'o'),
    ('р', 'p'), ('ѕ', 's'), ('у', 'y'), ('х', 'x'), ('һ', 'h'), ('ԛ', 'q'), ('ԝ', 'w'), ('Α', 'A'),
    ('Β', 'B'), ('Ε', 'E'), ('Ζ', 'Z'), ('Η', 'H'), ('Ι', 'I'), ('Κ', 'K'), ('Μ', 'M'), ('Ν', 'N'),
    ('Ο', 'O'), ('Ρ', 'P'), ('Τ', 'T'), ('Υ', 'Y'), ('Χ', 'X'), ('ο', 'o'), ('ι', 'i'), ('ν', 'v'),
    ('υ', 'u'), ('ρ', 'p'), ('κ', 'k'), ('ϲ', 'c'), ('Օ', 'O'), ('Ս', 'U'), ('օ', 'o'), ('ս', 'u'),
    ('հ', 'h'), ('ո', 'n'),
];

/// The Latin letter that one of another alphabet looks like.
pub fn look_alike(character: char) -> Option<char> {
    let found = LOOK_ALIKES.iter().find(|(strange, _)| *strange == character);
    found.map(|(_, own)| *own)
}

/// A character's number, as Unicode writes it.
pub fn number(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// A character that is no code's, at the beginning of a sentence: quoted only if it is surely seen, and not taken for
/// another one.
pub fn describe(character: char) -> String {
    let number = number(character);
    match (character, alphabet(character)) {
        ('!'..='~' | '¡'..='ſ', _) => format!("“{character}”"),
        (_, Some(alphabet)) => format!("A letter of the {alphabet} alphabet, {number},"),
        _ if character.is_control() => format!("The control character {number}"),
        _ => format!("The character {number}"),
    }
}

/// The alphabet of a letter, of those whose letters are most often taken for Latin ones (Unicode's `Blocks.txt`).
fn alphabet(letter: char) -> Option<&'static str> {
    let name = match letter {
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => "Greek",
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{a640}'..='\u{a69f}' => "Cyrillic",
        '\u{530}'..='\u{58f}' => "Armenian",
        '\u{590}'..='\u{5ff}' => "Hebrew",
        '\u{600}'..='\u{6ff}' => "Arabic",
        '\u{10a0}'..='\u{10ff}' => "Georgian",
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => "Cherokee",
        '\u{2c80}'..='\u{2cff}' => "Coptic",
        '\u{a4d0}'..='\u{a4ff}' => "Lisu",
        '\u{1d400}'..='\u{1d7ff}' => "mathematical",
        _ => return None,
    };
    letter.is_alphabetic().then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_look_alike_is_a_letter_of_a_named_alphabet_and_has_one_latin_letter() {
        for (strange, own) in LOOK_ALIKES {
            assert!(own.is_ascii_alphabetic(), "{own}");
            assert!(alphabet(strange).is_some() && !strange.is_ascii(), "{strange}");
        }
    }

    #[test]
    fn what_is_not_drawn_is_never_quoted() {
        for number in 0..=0x0010_ffff {
            let Some(character) = char::from_u32(number) else {
                continue;
            };
            let described = describe(character);
            let is_seen =
                |shown: char| shown.is_ascii_graphic() || matches!(shown, ' ' | '“' | '”' | '¡'..='ſ');
            assert!(
                is_invisible(character) || described.chars().all(is_seen),
                "{described}"
            );
        }
    }

    #[test]
    fn what_cannot_be_seen_ends_a_word_at_most() {
        for skipped in
            "\u{61c}\u{200b}\u{200f}\u{202e}\u{2064}\u{2068}\u{2069}\u{fe0f}\u{feff}\u{ad}\u{180e}\u{34f}"
                .chars()
        {
            let runs = read(&format!("AB{skipped}CD"), 4);
            let [run] = runs.as_slice() else {
                panic!("U+{:04X} ends a run", u32::from(skipped))
            };
            assert_eq!((run.letters(), run.words()), (&b"ABCD"[..], &[0, 2][..]));
        }
    }
}
