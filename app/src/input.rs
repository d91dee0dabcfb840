//! Lines on standard input.

use std::io::BufRead;
use std::path::PathBuf;
use std::sync::mpsc::SyncSender;

use clap::ValueEnum;
use sightline_media::Source;

use crate::args::ApproveRule;
use crate::wiring::{Notice, tell};

/// The longest line that is taken, bytes.
const MAX_LINE: usize = 4096;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// `mute`
    Mute,
    /// `unmute`
    Unmute,
    /// `camera SRC`
    Camera(Source),
    /// `admit PEER`
    Admit(String),
    /// `refuse PEER`
    Refuse(String),
    /// `approve ID`
    Approve(u64),
    /// `deny ID`
    Deny(u64),
    /// `rule RULE`
    Rule(ApproveRule),
    /// `save FILE`
    Save(PathBuf),
    /// `history`
    History,
    /// `code`
    Code,
    /// `withdraw`
    Withdraw,
    /// `ledger`
    Ledger,
    /// `leave`
    Leave,
}

impl Wish {
    /// Reads a line; the error is a sentence.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (verb, rest) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
        let rest = rest.trim();
        Ok(match (verb, rest) {
            ("mute", "") => Self::Mute,
            ("unmute", "") => Self::Unmute,
            ("camera", source) if !source.is_empty() => Self::Camera(
                source
                    .parse()
                    .map_err(|error: sightline_media::SpecError| error.to_string())?,
            ),
            ("admit", peer) if !peer.is_empty() => Self::Admit(peer.to_owned()),
            ("refuse", peer) if !peer.is_empty() => Self::Refuse(peer.to_owned()),
            ("approve", id) => Self::Approve(question(id)?),
            ("deny", id) => Self::Deny(question(id)?),
            ("rule", rule) => {
                let unknown = |_| format!("“{rule}” is none of: ask, listed, same, all, none");
                Self::Rule(ApproveRule::from_str(rule, false).map_err(unknown)?)
            }
            ("save", file) if !file.is_empty() => Self::Save(file.into()),
            ("history", "") => Self::History,
            ("code", "") => Self::Code,
            ("withdraw", "") => Self::Withdraw,
            ("ledger", "") => Self::Ledger,
            ("leave", "") => Self::Leave,
            _ => {
                return Err(format!(
                    "“{}” is none of: mute, unmute, camera SRC, admit PEER, refuse PEER, approve ID, deny ID, rule RULE, code, \
                     withdraw, ledger, history, save FILE, leave",
                    line.trim()
                ));
            }
        })
    }
}

fn question(id: &str) -> Result<u64, String> {
    let none = |_| format!("“{id}” is not the number of a question");
    id.parse().map_err(none)
}

/// Reads standard input on a thread of its own and passes each line on. The thread ends with the input; one that
/// waits for a line cannot be woken and ends with the program.
pub fn start(notices: SyncSender<Notice>) -> std::io::Result<()> {
    let read = move || {
        let mut input = std::io::stdin().lock();
        loop {
            let mut line = Vec::new();
            let limited = std::io::Read::take(&mut input, MAX_LINE as u64);
            match std::io::BufReader::with_capacity(1, limited).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => return,
                Ok(_) => tell(
                    &notices,
                    Notice::Line(String::from_utf8_lossy(&line).into_owned()),
                ),
            }
        }
    };
    std::thread::Builder::new()
        .name("input".into())
        .spawn(read)
        .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_command_line_names_them() {
        assert_eq!(Wish::parse("mute\n"), Ok(Wish::Mute));
        assert_eq!(
            Wish::parse(" camera  file:/x y \r\n"),
            Ok(Wish::Camera(Source::File("/x y".into())))
        );
        assert_eq!(Wish::parse("admit 12D3"), Ok(Wish::Admit("12D3".into())));
        assert_eq!(Wish::parse("approve 7"), Ok(Wish::Approve(7)));
        assert_eq!(Wish::parse("deny 7\n"), Ok(Wish::Deny(7)));
        assert_eq!(Wish::parse("rule ask"), Ok(Wish::Rule(ApproveRule::Ask)));
        assert_eq!(Wish::parse("save a b.html"), Ok(Wish::Save("a b.html".into())));
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
            assert!(Wish::parse(bad).is_err(), "{bad}");
        }
    }
}
