//! `inspect`: what a code says, without contacting anyone.

use std::io::Write;

use crate::clock;
use crate::exit::Exit;
use crate::headless::read_code;
use crate::report::write_error;

/// Prints what a code says.
#[must_use]
pub fn run(text: &str) -> Exit {
    let code = match read_code(text) {
        Ok(code) => code,
        Err(sentence) => {
            write_error(&sentence);
            return Exit::Code;
        }
    };
    let wall = clock::wall();
    let expired = code.is_expired(wall);
    let mut out = std::io::stdout().lock();
    let state = if expired { "expired" } else { "until" };
    let mut lines = vec![format!("lets in: one person, once ({state} {})", code.expires)];
    lines.extend(
        code.addresses
            .iter()
            .map(|address| format!("will contact: {address}")),
    );
    for line in lines {
        // Nothing more can be said when the terminal is gone.
        let _gone = writeln!(out, "{line}");
    }
    if expired {
        write_error(&format!(
            "This code has expired by your clock, which says {}. If your clock is wrong, the code may still let you in; \
             otherwise ask for another one.",
            clock::in_words(wall)
        ));
    }
    if expired { Exit::Code } else { Exit::Wished }
}
