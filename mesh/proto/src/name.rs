//! The name a participant goes by, safe to show.

use std::fmt;

/// The longest name, bytes of UTF-8.
const MAX_LEN: usize = 64;

/// A name without characters that could disturb what stands around it: no control characters, no marks that
/// turn the writing direction, no blanks at the ends, at most 64 bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Cleans `text`; what is left may be empty.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut clean = String::new();
        for character in text.trim().chars().filter(|character| is_harmless(*character)) {
            if clean.len() + character.len_utf8() > MAX_LEN {
                break;
            }
            clean.push(character);
        }
        Self(clean.trim().to_owned())
    }

    /// The name as it may be shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_harmless(character: char) -> bool {
    !character.is_control()
        && !matches!(character,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// Redacted: names do not belong in logs.
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Name(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_disturb_what_stands_around_it() {
        assert_eq!(Name::new(" Ann\u{61c}\u{202e}\n\x1b[31m ").as_str(), "Ann[31m");
        assert_eq!(Name::new("Zoë 山田").as_str(), "Zoë 山田");
        assert!(Name::new(&"é".repeat(100)).as_str().len() <= MAX_LEN);
        assert_eq!(format!("{:?}", Name::new("Ann")), "Name(…)");
    }
}
