//! Why nobody could be reached: what came of the pairs that were tried, and the sentence for it.

use std::fmt;

use crate::gate::{Delivery, Obstacle};

/// Why nobody could be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreached {
    /// Packets left, and nobody answered.
    Silence,
    /// Packets came back, and no connection came of them.
    Unfinished,
    /// None of this side's addresses is of a kind that reaches theirs.
    NoPair,
    /// One that is, is not there: its interface is down, or has only just come up.
    NotUp,
    /// All of theirs are this machine's own.
    Own,
    /// This machine's operating system took no packet.
    Blocked(Obstacle),
}

impl Unreached {
    /// A stable word for programs, when it ended the attempt to join.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Silence => "unreachable",
            Self::Unfinished => "unfinished",
            Self::NoPair => "no_pair",
            Self::NotUp => "not_up",
            Self::Own => "own_addresses",
            Self::Blocked(Obstacle::Forbidden) => "firewall",
            Self::Blocked(Obstacle::TooLarge) => "too_large",
            Self::Blocked(Obstacle::NoRoute) => "no_route",
            Self::Blocked(Obstacle::Other) => "not_sent",
        }
    }

    /// A stable word for programs, when it keeps a member away.
    #[must_use]
    pub const fn member_word(self) -> &'static str {
        match self {
            Self::Silence => "member_unreachable",
            Self::Unfinished => "member_unfinished",
            Self::NoPair => "member_no_pair",
            Self::NotUp => "member_not_up",
            Self::Own => "member_own_addresses",
            Self::Blocked(Obstacle::Forbidden) => "member_firewall",
            Self::Blocked(Obstacle::TooLarge) => "member_too_large",
            Self::Blocked(Obstacle::NoRoute) => "member_no_route",
            Self::Blocked(Obstacle::Other) => "member_not_sent",
        }
    }
}

/// The sentence for who wanted to join.
impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cause(*self) {
            None => f.write_str(
                "Nobody answered at the addresses in the code. Is the person who gave it to you still in the call, \
                 and can your networks reach each other? A firewall on their machine, or a router on the way, may \
                 keep your packets out: it has to let UDP in at the port that the code names.",
            ),
            Some(cause) => write!(f, "Nobody could be reached: {cause}"),
        }
    }
}

/// The sentence for who misses a member.
pub fn about_member(why: Unreached) -> String {
    cause(why).map_or_else(
        || {
            "This member does not answer at the addresses that they share. A firewall on their machine, or a router \
             on the way, may keep your packets out. The others may be connected with them."
                .to_owned()
        },
        |cause| format!("This member cannot be reached from here: {cause}"),
    )
}

/// Why nothing was, or could be, sent, or nothing came of it; `None` when nobody answered.
const fn cause(why: Unreached) -> Option<&'static str> {
    Some(match why {
        Unreached::Silence => return None,
        Unreached::Unfinished => {
            "packets came back, but no connection came about. The line is too slow or loses too much, or another program \
             has the address now. Try again, or use another network."
        }
        Unreached::NoPair => {
            "none of your addresses is of a kind that reaches theirs (IPv4 and IPv6, say, or one that leads no further \
             than its own machine or link). Nothing was sent. Share an address of the same kind, or ask them to."
        }
        Unreached::NotUp => {
            "your address is not there. Its network interface is down, or has only just come up. Nothing was sent. \
             Connect the network, and try again."
        }
        Unreached::Own => {
            "this machine has all of their addresses itself (containers and virtual machines have the same ones \
             everywhere), so they lead to its own programs. Nothing was sent. Ask them to share another address."
        }
        Unreached::Blocked(Obstacle::Forbidden) => {
            "your own system let no packet out. A firewall or a rule on this machine forbids it. Allow this program to \
             send UDP, and try again."
        }
        Unreached::Blocked(Obstacle::TooLarge) => {
            "your own system let no packet out. The network of your address takes none of 1200 bytes, which QUIC \
             needs. Use another network, or raise its MTU to 1280."
        }
        Unreached::Blocked(Obstacle::NoRoute) => {
            "your own system knows no route from your address to theirs. Nothing was sent. Connect a network that leads \
             there, or share an address of it."
        }
        Unreached::Blocked(Obstacle::Other) => {
            "your own system let no packet out. Use another address or another network."
        }
    })
}

/// What came of the pairs that were tried.
#[derive(Debug, Default)]
pub struct Outcome {
    /// From one of them packets left.
    has_left: bool,
    /// To one of them something came back.
    has_answer: bool,
    obstacle: Option<Obstacle>,
}

impl Outcome {
    /// A path led to nobody; `delivery` is what became of the last packet there, if there was one.
    pub const fn note(&mut self, delivery: Option<Delivery>) {
        let obstacle = match delivery {
            Some(Delivery::Sent) => {
                self.has_left = true;
                return;
            }
            Some(Delivery::Answered) => {
                self.has_answer = true;
                return;
            }
            Some(Delivery::Failed(obstacle)) => obstacle,
            // It did not come as far as the operating system.
            Some(Delivery::Refused) => Obstacle::Other,
            // It was not even tried.
            None => return,
        };
        if self.obstacle.is_none() {
            self.obstacle = Some(obstacle);
        }
    }

    /// `None` when no path came to an end by itself.
    pub fn verdict(&self) -> Option<Unreached> {
        if self.has_answer {
            return Some(Unreached::Unfinished);
        }
        if self.has_left {
            return Some(Unreached::Silence);
        }
        self.obstacle.map(Unreached::Blocked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_answered_is_said_only_where_something_left() {
        let verdict = |deliveries: &[Option<Delivery>]| {
            let mut outcome = Outcome::default();
            for delivery in deliveries {
                outcome.note(*delivery);
            }
            outcome.verdict()
        };
        let [forbidden, too_large] =
            [Obstacle::Forbidden, Obstacle::TooLarge].map(|what| Some(Delivery::Failed(what)));
        assert_eq!(verdict(&[]), None);
        assert_eq!(
            verdict(&[forbidden, Some(Delivery::Sent)]),
            Some(Unreached::Silence)
        );
        assert_eq!(
            verdict(&[Some(Delivery::Answered), Some(Delivery::Sent)]),
            Some(Unreached::Unfinished)
        );
        assert_eq!(
            verdict(&[forbidden, too_large]),
            Some(Unreached::Blocked(Obstacle::Forbidden))
        );
        assert_eq!(
            verdict(&[Some(Delivery::Refused)]),
            Some(Unreached::Blocked(Obstacle::Other))
        );
        assert_eq!(verdict(&[None]), None, "what was not tried says nothing");
    }

    #[test]
    fn each_reason_has_its_own_word_and_sentence_and_only_silence_says_that_nobody_answered() {
        let obstacles = [
            Obstacle::Forbidden,
            Obstacle::TooLarge,
            Obstacle::NoRoute,
            Obstacle::Other,
        ];
        let mut all = vec![
            Unreached::Silence,
            Unreached::Unfinished,
            Unreached::NoPair,
            Unreached::NotUp,
            Unreached::Own,
        ];
        all.extend(obstacles.map(Unreached::Blocked));
        let mut said = std::collections::BTreeSet::new();
        for why in &all {
            let sentence = why.to_string();
            assert_eq!(
                sentence.contains("answered"),
                *why == Unreached::Silence,
                "{sentence}"
            );
            said.extend([why.word().to_owned(), why.member_word().to_owned()]);
            said.extend([sentence, about_member(*why)]);
        }
        assert_eq!(said.len(), 4 * all.len());
        assert!(Unreached::Silence.to_string().contains("firewall"));
    }
}
