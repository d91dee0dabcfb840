//! A code as text: whoever reads it can take its place in the call.

use std::fmt;
use std::ops::Deref;

use zeroize::Zeroizing;

/// The letters of a code, or what somebody gave for one. They wipe themselves and print as `…`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct CodeText(Zeroizing<String>);

impl From<String> for CodeText {
    fn from(text: String) -> Self {
        Self(Zeroizing::new(text))
    }
}

impl From<&str> for CodeText {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl Deref for CodeText {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CodeText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CodeText(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Command;
    use crate::model::{CodeSummary, Invite, InviteState, Reading};

    #[test]
    fn what_holds_a_code_does_not_print_it() {
        let code = CodeText::from("SECRET");
        let summary = CodeSummary {
            text: code.clone(),
            ..CodeSummary::default()
        };
        let invite = Invite {
            number: 1,
            code: code.clone(),
            expires_in: std::time::Duration::ZERO,
            state: InviteState::Open,
        };
        let printed = format!(
            "{:?} {invite:?} {:?}",
            Reading::Good(summary),
            Command::ReadCode(code)
        );
        assert!(
            printed.contains("CodeText(…)") && !printed.contains("SECRET"),
            "{printed}"
        );
    }
}
