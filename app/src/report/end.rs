//! How a call ended.

use sightline_mesh_proto::{End, UnixTime, Unreached};

use super::{Reporter, Voice};
use crate::terminal::write_error;
use crate::{clock, event};

impl Reporter {
    /// The call is over for this participant. The wall clock says `wall`, the code that it came with `code_ends`.
    pub fn end(&mut self, end: End, code_ends: Option<UnixTime>, wall: UnixTime) {
        let (why, sentence) = match end {
            End::Left => ("left", "You left the call.".to_owned()),
            End::Unreachable(why) => (why.word(), unreachable(why, code_ends, wall)),
            End::Impostor => (
                "impostor",
                "Somebody answered at the address in the code who did not make it. Nothing was sent to them; ask for \
                 another code by another channel."
                    .to_owned(),
            ),
            End::InviterGone => (
                "inviter_gone",
                "The person who gave you the code went away before letting you in.".to_owned(),
            ),
            End::LineLost => (
                "line_lost",
                "The connection to the person who gave you the code was lost before they let you in. It is too slow or loses \
                 too much, or a machine or network on one side is gone. Try again; if the code is used by then, ask for \
                 another one."
                    .to_owned(),
            ),
            End::Refused(why) => (why.word(), why.to_string()),
        };
        self.tell(event::Event::End { why: why.to_owned() });
        if self.voice == Voice::Sentences || (self.voice == Voice::Json && end != End::Left) {
            write_error(&sentence);
        }
    }

    /// The network side stopped working.
    pub fn fault(&mut self) {
        self.tell(event::Event::End {
            why: "fault".to_owned(),
        });
        write_error(
            "The program's network side stopped working, so the call is over. This is a fault of the program.",
        );
    }
}

/// Why nobody was reached. Where nobody answered, the code may be over: only its maker knows, and a clock can be wrong
/// about that, so its owner is told what it says.
fn unreachable(why: Unreached, code_ends: Option<UnixTime>, wall: UnixTime) -> String {
    let sentence = why.to_string();
    let Some(code_ends) = code_ends.filter(|_| why == Unreached::Silence) else {
        return sentence;
    };
    let (ends, says) = (clock::in_words(code_ends), clock::in_words(wall));
    if wall >= code_ends {
        format!(
            "{sentence} The code ended at {ends}, and your clock says {says}: ask for another code, or set your clock if \
             it is wrong."
        )
    } else {
        format!("{sentence} The code ends at {ends}, and your clock says {says}.")
    }
}
