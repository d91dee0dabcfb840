//! `inspect`: what a code says, without contacting anyone.

use sightline_mesh::interfaces;

use crate::exit::Exit;
use crate::terminal::{write_error, write_line};
use crate::{clock, code_text, words};

/// Prints what a code says.
#[must_use]
pub fn run(text: &str) -> Exit {
    let read = code_text::read(text);
    code_text::discard_rest(text);
    let code = match read {
        Ok(code) => code,
        Err(sentence) => {
            write_error(&sentence);
            return Exit::Code;
        }
    };
    let wall = clock::wall();
    let expired = code.is_expired(wall);
    let state = if expired { "expired" } else { "until" };
    write_line(&format!("lets in: one person, once ({state} {})", code.expires));
    let own = interfaces::all().into_iter().map(|found| found.interface.address);
    let own: Vec<_> = own.collect();
    for (at, address) in code.addresses().enumerate() {
        // One that is named twice is contacted once.
        if code.addresses().position(|first| first == address) == Some(at) {
            write_line(&format!("will contact: {address}"));
            if let Some(leads) = words::leads(address, &own) {
                write_line(&format!("  which {leads}"));
            }
        }
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
