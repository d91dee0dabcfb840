//! Lines on standard input.

use std::io::BufRead;

use clap::ValueEnum;
use sightline_media::Source;
use sightline_ui::Command;
use sightline_ui::model::Answer;

use crate::args::ApproveRule;
use crate::choice::from_source;
use crate::update::{Update, Updates, tell};

/// The longest line that is taken, bytes.
const MAX_LINE: usize = 4096;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Line {
    /// What the window can ask for as well.
    Wish(Command),
    /// `admit PEER`, by id or name.
    Admit(String),
    /// `refuse PEER`
    Refuse(String),
    /// `history`
    History,
    /// `ledger`
    Ledger,
}

impl Line {
    /// Reads a line; the error is a sentence, which does not repeat the line: it may be a piece of a code.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        Ok(match (verb, rest) {
            ("mute", "") => Self::Wish(Command::Mute(true)),
            ("unmute", "") => Self::Wish(Command::Mute(false)),
            ("echo", state) => Self::Wish(Command::CancelEcho(is_on(state)?)),
            ("noise", state) => Self::Wish(Command::SuppressNoise(is_on(state)?)),
            ("gain", state) => Self::Wish(Command::AdjustGain(is_on(state)?)),
            ("camera", source) if !source.is_empty() => {
                let source: Result<Source, sightline_media::SpecError> = source.parse();
                let source = source.map_err(|error| error.to_string())?;
                Self::Wish(Command::Camera(from_source(&source)))
            }
            ("admit", peer) if !peer.is_empty() => Self::Admit(peer.to_owned()),
            ("refuse", peer) if !peer.is_empty() => Self::Refuse(peer.to_owned()),
            ("approve", id) => Self::Wish(Command::Answer(question(id)?, Answer::Once)),
            ("deny", id) => Self::Wish(Command::Answer(question(id)?, Answer::No)),
            ("rule", rule) => {
                let unknown = |_| "That is no rule. There are: ask, listed, same, all, none.";
                let rule = ApproveRule::from_str(rule, false).map_err(unknown)?;
                Self::Wish(Command::Rule(rule.into()))
            }
            ("save", file) if !file.is_empty() => Self::Wish(Command::Save(file.into())),
            ("history", "") => Self::History,
            ("code", "") => Self::Wish(Command::NewCode),
            ("withdraw", "") => Self::Wish(Command::WithdrawAll),
            ("ledger", "") => Self::Ledger,
            ("leave", "") => Self::Wish(Command::Leave),
            _ => {
                return Err(
                    "That is no command. There are: mute, unmute, camera SRC, echo on|off, noise on|off, gain on|off, \
                     admit PEER, refuse PEER, approve ID, deny ID, rule RULE, code, withdraw, ledger, history, save FILE, \
                     leave."
                        .to_owned(),
                );
            }
        })
    }
}

fn is_on(state: &str) -> Result<bool, String> {
    match state {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("Say on or off.".to_owned()),
    }
}

fn question(id: &str) -> Result<u64, String> {
    id.parse()
        .map_err(|_| "That is not the number of a question.".to_owned())
}

/// Reads standard input on a thread of its own and passes each line on, and at its end, where that is wished, that the program is to
/// end. The thread ends with the input; one that waits for a line cannot be woken and ends with the program.
pub fn start(updates: Updates, ends_with_input: bool) -> std::io::Result<()> {
    let read = move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let limited = std::io::Read::take(&mut input, MAX_LINE as u64);
            match std::io::BufReader::with_capacity(1, limited).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break,
                Ok(_) => tell(
                    &updates,
                    Update::Line(String::from_utf8_lossy(&line).into_owned()),
                ),
            }
        }
        if ends_with_input {
            tell(&updates, Update::Interrupted);
        }
    };
    std::thread::Builder::new()
        .name("input".into())
        .spawn(read)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use sightline_ui::model::{Choice, Rule};

    use super::*;

    #[test]
    fn lines_are_read_as_the_command_line_names_them() {
        let wish = |line: &str| match Line::parse(line) {
            Ok(Line::Wish(wish)) => Some(wish),
            _ => None,
        };
        assert_eq!(wish("mute\n"), Some(Command::Mute(true)));
        assert_eq!(wish("echo off\n"), Some(Command::CancelEcho(false)));
        assert_eq!(wish("noise loud\n"), None);
        assert_eq!(
            wish(" camera  file:/x y \r\n"),
            Some(Command::Camera(Choice::File("/x y".into())))
        );
        assert_eq!(Line::parse("admit 12D3"), Ok(Line::Admit("12D3".into())));
        assert_eq!(wish("approve 7"), Some(Command::Answer(7, Answer::Once)));
        assert_eq!(wish("deny 7\n"), Some(Command::Answer(7, Answer::No)));
        assert_eq!(wish("rule ask"), Some(Command::Rule(Rule::Ask)));
        assert_eq!(wish("save a b.html"), Some(Command::Save("a b.html".into())));
        for bad in [
            "approve",
            "approve x",
            "deny -1",
            "rule",
            "rule maybe",
            "save",
            "",
            "mute now",
            "camera",
            "camera x",
            "admit",
            "dance",
        ] {
            assert!(Line::parse(bad).is_err(), "{bad}");
        }
    }
}
