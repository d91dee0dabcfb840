//! Standard output and standard error, and what waits on standard input: the only file that writes there. A terminal
//! obeys control characters, so none gets there that is not ours, whoever it came from: arguments, settings, paths,
//! names of devices and interfaces, libraries. Nor does a code, but where it was asked for.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::Cell;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::{BufRead, IsTerminal, Stdin};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::sync::LazyLock;
use std::time::Duration;

use serde::Serialize;

use crate::output::{Output, Weight};

/// Both are written to by threads of their own: a pipe that nobody reads, or a terminal that is held, holds up nothing else.
static OUTPUT: LazyLock<Output> = LazyLock::new(|| Output::start("output", std::io::stdout()));
static ERRORS: LazyLock<Output> = LazyLock::new(|| Output::start("errors", std::io::stderr()));

/// 1 s: how long it is waited at the end for somebody to read a line.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line on standard output, for a person.
pub fn write_line(line: &str) {
    OUTPUT.push(Weight::Event, format!("{}\n", printable(line)));
}

/// A line of JSON on standard output, for a program.
pub fn write_json(value: &impl Serialize, weight: Weight) {
    // What is written has strings for keys, and no number that JSON does not have.
    let line = json(&serde_json::to_string(value).unwrap_or_default());
    OUTPUT.push(weight, format!("{line}\n"));
}

/// How many lines nobody read in time on standard output, so that they were dropped, since this was asked last.
#[must_use]
pub fn take_dropped() -> u64 {
    OUTPUT.take_dropped()
}

/// A sentence for the person in front.
pub fn write_error(sentence: &str) {
    ERRORS.push(Weight::Event, format!("{}\n", told(sentence)));
}

/// Waits until what was said is written, as long as somebody reads it.
pub fn finish() {
    OUTPUT.finish(PATIENCE);
    ERRORS.finish(PATIENCE);
}

/// Asks the person in front, who answers with a line. A terminal that cannot be written to answers nothing.
#[must_use]
pub fn ask(question: &str) -> String {
    ERRORS.push(Weight::Event, format!("{} ", told(question)));
    finish();
    let mut answer = String::new();
    let _gone = std::io::stdin().lock().read_line(&mut answer);
    answer
}

/// Whether a person sees standard error as it comes.
#[must_use]
pub fn is_watched() -> bool {
    std::io::stderr().is_terminal()
}

/// Draws lines in place of so many that were drawn last.
pub fn draw_over(drawn: usize, lines: &[String]) {
    let mut text = String::new();
    if drawn > 0 {
        // Up to the first of them.
        text.push_str(&format!("\x1b[{drawn}A"));
    }
    for line in lines {
        // To the end of what stood there.
        text.push_str(&format!("{}\x1b[K\n", told(line)));
    }
    ERRORS.push(Weight::Measurement, text);
}

/// What is wrong with the arguments, or the help that they ask for. clap quotes arguments as they are, and has colours
/// and lines of its own, so it is asked again about arguments that can be shown.
pub fn write_usage<A: clap::Parser>(error: &clap::Error) {
    let shown =
        std::env::args_os().map(|argument| OsString::from(told_argument(&argument.to_string_lossy())));
    match A::try_parse_from(shown) {
        Err(same) => {
            // Nothing more can be said when the terminal is gone.
            let _gone = same.print();
        }
        // Only the characters that cannot be shown were wrong.
        Ok(_) => error.render().to_string().lines().for_each(write_error),
    }
}

thread_local! {
    /// A panic of this thread is caught, and told by whoever catches it.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// Does what libraries may panic at, such as opening a window on a screen of a kind that they do not expect.
///
/// # Errors
/// What it panicked with.
pub fn catch_panic<R>(act: impl FnOnce() -> R) -> Result<R, String> {
    IS_CAUGHT.set(true);
    // What it leaves behind is not used any more.
    let done = catch_unwind(AssertUnwindSafe(act));
    IS_CAUGHT.set(false);
    done.map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        let text = text.or_else(|| payload.downcast_ref::<&str>().copied());
        text.unwrap_or("it failed").to_owned()
    })
}

/// Has panics told here as well: what panics may quote what came from outside.
#[allow(clippy::disallowed_methods, reason = "before there are threads")]
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic: &PanicHookInfo<'_>| {
        if IS_CAUGHT.get() {
            return;
        }
        let thread = std::thread::current();
        let place = panic.location().map_or_else(String::new, |place| {
            // The file's name: its folder is that of whoever built the program.
            let file = place.file().rsplit(['/', '\\']).next().unwrap_or_default();
            format!("{file}:{}", place.line())
        });
        write_error(&format!(
            "thread “{}” panicked at {place}: {}",
            thread.name().unwrap_or_default(),
            panic.payload_as_str().unwrap_or_default()
        ));
        let trace = Backtrace::capture();
        if trace.status() == BacktraceStatus::Captured {
            trace.to_string().lines().for_each(write_error);
        }
        ERRORS.finish(PATIENCE);
    }));
}

/// Throws away what was typed or pasted and nobody has read: when the program ends, a shell would run it. A long paste
/// comes piece by piece, so this goes on until nothing has come for a tenth of a second, for two seconds at most.
pub fn discard_typed() {
    let input = std::io::stdin();
    let mut quiet = 0;
    for _ in 0..100 {
        if quiet == 5 || !input.is_terminal() {
            return;
        }
        quiet = if flush(&input) { 0 } else { quiet + 1 };
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Has the terminal forget what waits, also what is not a whole line yet and could not be read. Returns whether there
/// were whole lines.
#[cfg(unix)]
fn flush(input: &Stdin) -> bool {
    let has_lines = rustix::io::ioctl_fionread(input).is_ok_and(|bytes| bytes > 0);
    let _gone = rustix::termios::tcflush(input, rustix::termios::QueueSelector::IFlush);
    has_lines
}

/// Only Unix's terminals have a queue for it.
#[cfg(not(unix))]
const fn flush(_: &Stdin) -> bool {
    false
}

/// What a person is told: nothing that a terminal obeys, and no code.
fn told(text: &str) -> String {
    without_codes(&printable(text))
}

/// An argument in a sentence. Codes that are given in pieces are arguments of one group each.
fn told_argument(argument: &str) -> String {
    let is_upper = |word: &str| word.contains(char::is_uppercase) && !word.contains(char::is_lowercase);
    let is_piece = |word: &str| word.len() >= 5 && is_of_code(word) && is_upper(word);
    if argument.split_whitespace().any(is_piece) {
        return "…".to_owned();
    }
    told(argument)
}

/// `text` with each character that a terminal obeys, or that changes the order in which the others are shown, as its
/// number.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_obeyed(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// JSON in which such characters are escaped. All of them have four digits, and stand in strings.
fn json(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if is_obeyed(character) {
            // Writing to a string cannot fail.
            let _ok = write!(line, "\\u{:04x}", u32::from(character));
        } else {
            line.push(character);
        }
    }
    line
}

/// Control characters (C0, DEL, C1), separators of lines, and marks of direction (Unicode's `Bidi_Control`).
fn is_obeyed(character: char) -> bool {
    character.is_control()
        || matches!(u32::from(character), 0x61c | 0x200e | 0x200f | 0x2028..=0x202e | 0x2066..=0x2069)
}

/// `text` with what looks like a code, or a part of one, left out.
fn without_codes(text: &str) -> String {
    let is_of_word = |character: char| letter(character).is_some() || is_mark(character);
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find(|next: char| !is_of_word(next)).unwrap_or(rest.len()));
        shown.push_str(if looks_like_code(word) { "…" } else { word });
        let (between, after) = after.split_at(after.find(is_of_word).unwrap_or(after.len()));
        shown.push_str(between);
        rest = after;
    }
    shown
}

/// Whether a word is of a code's letters, and either in groups of five, or in one case and longer than words are. Words of a
/// language are in small letters, so it takes more of those. A peer's name has both cases, and is in no groups.
fn looks_like_code(word: &str) -> bool {
    let letters = || word.chars().filter_map(letter);
    let is_upper = !letters().any(|letter| letter.is_ascii_lowercase());
    let is_lower = !letters().any(|letter| letter.is_ascii_uppercase());
    let (groups, unbroken) = if is_upper { (2, 16) } else { (4, 26) };
    let lengths = word.split(is_mark).map(|group| group.chars().count());
    let mut in_a_row = 0;
    let mut is_grouped = false;
    for length in lengths.clone() {
        in_a_row = if length == 5 { in_a_row + 1 } else { 0 };
        is_grouped |= in_a_row == groups;
    }
    let is_long = is_upper != is_lower && lengths.max().is_some_and(|length| length >= unbroken);
    let is_number = !letters().any(|letter| letter.is_ascii_alphabetic());
    is_of_code(word) && !is_number && (is_grouped || is_long)
}

/// Whether there is nothing but what codes are made of.
fn is_of_code(word: &str) -> bool {
    word.chars().filter_map(letter).all(|letter| letter != '9')
}

/// A letter or digit of ASCII, or one that is only drawn wider.
fn letter(character: char) -> Option<char> {
    let narrow = match u32::from(character) {
        wide @ 0xff01..=0xff5e => char::from_u32(wide - 0xfee0)?,
        _ => character,
    };
    narrow.is_ascii_alphanumeric().then_some(narrow)
}

/// What may stand between the groups of a code, with no blank.
fn is_mark(character: char) -> bool {
    matches!(character, '-' | '_' | '.' | '·' | '–' | '—' | '−')
        || matches!(u32::from(character), 0xad | 0x200b..=0x200d | 0x2010..=0x2012)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// What no terminal may get: colours, the way back, 8-bit controls, another order.
    const WILD: &str = "a\u{1b}[31m\u{7f}\u{9b}2J\r\n\t\u{7}\u{202e}\u{2066}\u{200f}\u{2028}b";

    #[test]
    fn nothing_that_a_terminal_obeys_is_told_and_what_was_there_can_be_seen() {
        for number in 0..=0x0010_ffff {
            let Some(character) = char::from_u32(number) else {
                continue;
            };
            let shown = told(&format!("“{character}”"));
            assert!(!shown.contains(is_obeyed), "U+{number:04X}");
            assert_eq!(shown.contains(character), !is_obeyed(character), "U+{number:04X}");
        }
        let shown = told(WILD);
        assert!(
            shown.starts_with(r"a\u{1b}[31m\u{7f}\u{9b}2J\u{d}\u{a}\u{9}\u{7}\u{202e}"),
            "{shown}"
        );
    }

    #[test]
    fn json_for_programs_says_the_same_without_such_characters() {
        let value = json!({"path": WILD, "name": "Zoë 山田 👩\u{200d}🚀"});
        let line = json(&value.to_string());
        assert!(!line.contains(is_obeyed), "{line}");
        assert_eq!(serde_json::from_str::<Value>(&line).ok(), Some(value));
    }

    #[test]
    fn codes_and_parts_of_them_are_not_told_and_other_words_are() {
        for secret in [
            "CAWHB-YJLPI-DEN6J-CPH2C",
            "X-WHND4-OF5GA-3BVKC-V",
            "cawhb-yjlpi-den6j-cph2c-pr5tr",
            "CAWHBYJLPIDEN6JCPH2C",
            "cawhbyjlpiden6jcph2cpr5trzztjw",
            "Cawhb-yjlpi-den6j-cph2c-pr5tr",
            "CAWHB_YJLPI.DEN6J·CPH2C",
            "CAWHB\u{ad}YJLPI–DEN6J",
            "ＣＡＷＨＢ-ＹＪＬＰＩ-ＤＥＮ６Ｊ",
        ] {
            assert_eq!(told(&format!("“{secret}” is wrong.")), "“…” is wrong.");
        }
        for word in [
            "12D3KooWGkBLZpTvYwNzzXsJjRNqkZHhgMrFSgTRJTEmRUvSPzqV",
            "audio-video-codec",
            "--constant-rate",
            "192.168.101.255:41828",
            "2026-11-27",
            "12345-67812-34567",
            "fd00:12ab::fe80",
            "enx001122334455",
            "/home/ann/Sightline/call-recording.wav",
            "a NEW PORT",
            "C920-HD-WEBCAM",
        ] {
            assert_eq!(told(word), word);
        }
        for piece in ["YJLPI", "CAWHB YJLPI", "CAWHB-YJ"] {
            assert_eq!(told_argument(piece), "…");
        }
        for argument in ["dance", "--nmae", "start", "Ann", "12345"] {
            assert_eq!(told_argument(argument), argument);
        }
    }
}
