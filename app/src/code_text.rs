//! A code as text: an argument, or what standard input begins with. The same text gives the same answer by both ways.

use std::io::{BufRead, IsTerminal, Read};

use sightline_mesh_proto::Code;
use sightline_mesh_proto::code::MAX_TEXT;

use zeroize::Zeroizing;

use crate::terminal::{self, write_error};

/// Instead of a code: it comes on standard input.
const STANDARD_INPUT: &str = "-";

/// Reads a code from an argument, or, for `-`, from standard input.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn read(text: &str) -> Result<Code, String> {
    if text != STANDARD_INPUT {
        return Code::parse(text).map_err(|error| error.to_string());
    }
    let is_typed = std::io::stdin().is_terminal();
    if is_typed {
        write_error("Paste the code, then press Return.");
    }
    read_lines(std::io::stdin().lock(), || {
        if is_typed {
            write_error("That is not a whole code yet. Paste the rest of it, or end it with Ctrl+D.");
        }
    })
}

/// What was pasted after a code on standard input, and is no command, is not left to the shell.
pub fn discard_rest(text: &str) {
    if text == STANDARD_INPUT {
        terminal::discard_typed();
    }
}

/// Reads line by line until there is a code, or until the text can no longer become one; the rest is left for the commands.
/// An empty line ends an unfinished code. Calls `prompt` once if the first line is not enough.
fn read_lines(mut input: impl BufRead, prompt: impl FnOnce()) -> Result<Code, String> {
    let mut prompt = Some(prompt);
    // As large as they can get: what grows leaves parts of the code behind.
    let mut text = Zeroizing::new(Vec::with_capacity(MAX_TEXT + 1));
    let mut line = Zeroizing::new(Vec::with_capacity(MAX_TEXT + 1));
    loop {
        line.clear();
        let room = (MAX_TEXT + 1).saturating_sub(text.len());
        let read = Read::take(&mut input, room as u64).read_until(b'\n', &mut line);
        read.map_err(|error| format!("The code could not be read: {error}."))?;
        text.extend_from_slice(&line);
        let so_far = String::from_utf8_lossy(&text);
        let error = match Code::parse(&so_far) {
            Ok(code) => return Ok(code),
            Err(error) => error,
        };
        let is_blank = line.iter().all(u8::is_ascii_whitespace);
        let is_over = line.is_empty() || !error.may_go_on() || (is_blank && Code::is_begun(&so_far));
        if is_over {
            return Err(error.to_string());
        }
        if let Some(prompt) = prompt.take_if(|_| !is_blank) {
            prompt();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const CODE: &str = "CAAQC-AIBAE-AQCAI-BAEAQ-CAIBA-EAQCA-IBAEA-QCAIB-AEAQC-AIBAE-AQCAQ-CAIBA-EAQCA-IBAEA-QCAIB-\
                        AEAQC-AIBAE-AQCAI-BAEAQ-CAIBA-EAQC7-77777-YBAAD-MAAAC-A4IVC-ZHOKC-KQ";

    /// The code in lines of so many characters, each after a mark.
    fn wrapped(code: &str, width: usize, mark: &str) -> String {
        let letters: Vec<char> = code.chars().collect();
        letters
            .chunks(width)
            .map(|line| format!("{mark}{}\n", line.iter().collect::<String>()))
            .collect()
    }

    /// What standard input says, and what it leaves to the commands.
    fn by_input(text: &str) -> (Result<Code, String>, String) {
        let mut input = Cursor::new(text.as_bytes());
        let read = read_lines(&mut input, || {});
        let mut rest = String::new();
        input.read_to_string(&mut rest).expect("text");
        (read, rest)
    }

    #[test]
    fn a_text_gives_the_same_answer_by_argument_and_by_standard_input() {
        let mistyped = CODE.replacen("AQCAI", "AQCAJ", 1);
        let strange = CODE.replacen('C', "\u{421}", 1);
        let mut texts: Vec<String> = Vec::new();
        for code in [CODE, &CODE.to_lowercase(), &CODE[..100], &mistyped, &strange] {
            texts.extend([
                code.to_owned(),
                format!("\u{feff}{code}\n"),
                format!("\u{2068}{code}\u{2069}\n"),
                format!("\n\n  {code}\r\n"),
                format!("1. {code}\n"),
                format!("“{code}”,\n"),
                format!("Here is the code: {code}, see you\n"),
                format!("Hello,\n\nhere is the code:\n\n{code}\n"),
                format!("```\n{code}\n```\n"),
                format!("~~~ text\n{code}\n~~~\n"),
                format!("* one\n* {code}\n"),
                wrapped(code, 72, ""),
                wrapped(code, 70, "> "),
                wrapped(code, 7, "| "),
                wrapped(code, 1, ""),
                format!("On Monday Ann wrote:\n{}", wrapped(code, 60, "> > ")),
                format!("Вот код:\n{}", wrapped(code, 76, "")),
            ]);
        }
        texts.extend(["", "\n \n", "hello!", "- \n```\n", "no code\n\nat all\n", "C"].map(str::to_owned));
        texts.push("word\n".repeat(5000));
        for text in texts {
            let by_argument = Code::parse(&text).map_err(|error| error.to_string());
            assert_eq!(by_input(&text).0, by_argument, "{text}");
        }
    }

    #[test]
    fn lines_of_a_code_are_no_commands_and_lines_after_it_are() {
        for text in [
            format!("{CODE}\n"),
            wrapped(CODE, 72, ""),
            wrapped(CODE, 20, "> "),
            format!("```\n{CODE}\n"),
        ] {
            let (code, rest) = by_input(&format!("{text}mute\nleave\n"));
            assert!(code.is_ok(), "{text}");
            assert_eq!(rest, "mute\nleave\n", "{text}");
        }
    }

    #[test]
    fn an_empty_line_ends_what_was_begun_and_nothing_else() {
        let (cut, rest) = by_input(&format!("{}\n\n{CODE}\n", &CODE[..70]));
        assert!(cut.is_err_and(|sentence| sentence.contains("end of the code is missing")));
        assert_eq!(rest, format!("{CODE}\n"));
        assert!(by_input(&format!("Carol,\n\n\nthe code\n\n{CODE}\n")).0.is_ok());
    }

    #[test]
    fn what_never_ends_is_given_up() {
        let endless = std::io::BufReader::new(std::io::repeat(b'-'));
        assert!(read_lines(endless, || {}).is_err());
        let lines = std::io::BufReader::new(std::io::repeat(b'\n'));
        assert!(read_lines(lines, || {}).is_err());
    }

    #[test]
    fn a_hint_is_given_once_and_only_when_something_is_missing() {
        for (text, expected) in [
            (CODE.to_owned(), 0),
            (format!("\n{CODE}\n"), 0),
            (wrapped(CODE, 30, ""), 1),
        ] {
            let mut hints = 0;
            let read = read_lines(Cursor::new(text), || hints += 1);
            assert!(read.is_ok());
            assert_eq!(hints, expected);
        }
    }
}
