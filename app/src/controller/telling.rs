//! What the user is told, in the window and where events go.

use sightline_media::MemberId;
use sightline_ui::model::{MAX_NOTICES, Notice as Told, Saying};

use super::{Controller, now};

impl Controller {
    /// Tells the user that the settings could not be read.
    pub fn say_settings_unread(&mut self, why: &str) {
        // Nothing is written over them before the user changes something.
        self.has_forgotten = true;
        self.say(Saying::new("settings_unread", sentence(why)));
    }

    /// Tells the user of a problem, in the window and where events go.
    pub(super) fn tell(&mut self, word: &str, detail: &str) {
        let saying = Saying::new(word, detail);
        self.report.problem(word, &self.english.say(&saying), None);
        self.say(saying);
    }

    /// Tells the user of a problem with a member's pictures, in the window and where events go.
    pub(super) fn tell_of_pictures(&mut self, word: &str, member: MemberId) {
        let peer = self.call.as_ref().and_then(|call| call.participant.peer(member));
        let name = peer.and_then(|peer| self.report.names().get(&peer).cloned());
        let saying = Saying {
            name: Some(name.unwrap_or_default()),
            ..Saying::new(word, "")
        };
        self.report
            .problem(word, &self.english.say(&saying), peer.as_ref());
        self.say(saying);
    }

    /// Tells the user something, in the window.
    pub(super) fn say(&mut self, saying: Saying) {
        if self.screen.is_none() {
            return;
        }
        let notices = &mut self.model.notices;
        // What is said already needs no second line.
        notices.retain(|told| told.saying != saying);
        if notices.len() >= MAX_NOTICES {
            // What goes by itself goes first.
            let passing = notices.iter().position(|told| told.is_passing);
            notices.remove(passing.unwrap_or(0));
        }
        notices.push(Told {
            id: self.next_notice,
            at: self.clock.since_start(now()),
            is_passing: is_passing(&saying.word),
            saying,
        });
        self.next_notice += 1;
        self.is_dirty = true;
    }
}

/// What somebody else says, with a full stop, so that another sentence can follow.
pub fn sentence(words: &str) -> String {
    let words = words.trim();
    if words.ends_with(['.', '!', '?']) {
        words.to_owned()
    } else {
        format!("{words}.")
    }
}

/// Whether what is said needs nothing to be done about it.
fn is_passing(word: &str) -> bool {
    matches!(word, "joined" | "left" | "saved") || word.ends_with("_back") || word.ends_with("_moved")
}
