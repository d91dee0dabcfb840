//! What the user is told, in the window and where events go.

use libp2p_identity::PeerId;
use sightline_media::MemberId;
use sightline_mesh_proto::Event;
use sightline_mesh_proto::route::State;
use sightline_ui::model::{MAX_NOTICES, Notice as Told, RouteState, Saying};

use super::{Controller, DeviceKind, now, view_model};
use crate::clock;

/// What a notice is about, if it says how things stand. The newest on a topic takes the place of those before it, and
/// once things stand as they should there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Topic {
    /// A device gives or takes what it should.
    Device(DeviceKind),
    /// This machine keeps up.
    Load,
    /// A member is here.
    Presence,
    /// A member is connected.
    Connection,
    /// Packets of every size get through to a member.
    PacketSize,
    /// This machine has the addresses that the call uses.
    Network,
    /// Codes can be made.
    Codes,
    /// A call can begin.
    Entry,
    /// Settings are read and kept.
    Settings,
    /// The record is written.
    Record,
}

impl Topic {
    /// What the notice of this word is about; `None` for what has happened and stays true.
    fn of(word: &str) -> Option<Self> {
        let is_of = |kind: &DeviceKind| {
            let what = word.strip_prefix(kind.word());
            matches!(what, Some("" | "_moved" | "_gone" | "_back"))
        };
        if let Some(kind) = DeviceKind::ALL.into_iter().find(is_of) {
            return Some(Self::Device(kind));
        }
        match word {
            // It ends with the camera.
            "encoder" => Some(Self::Device(DeviceKind::Camera)),
            "gave_way_rate" | "gave_way_size" | "gave_way_others" | "gave_way_pictures" | "load_back" => {
                Some(Self::Load)
            }
            "joined" | "left" | "lost" | "cut_off" => Some(Self::Presence),
            "malformed" | "flood" | "stalled" | "keys_expired" | "not_approved" | "too_many_questions"
            | "playout" => Some(Self::Connection),
            "small_packets_only" => Some(Self::PacketSize),
            "interface_gone" | "not_pinned" => Some(Self::Network),
            _ if word.starts_with("member_") => Some(Self::Connection),
            "too_many_codes" | "not_in_call" | "no_address_yet" | "port_taken" => Some(Self::Codes),
            "start" => Some(Self::Entry),
            _ if word.starts_with("code_") => Some(Self::Entry),
            "settings" | "settings_unread" => Some(Self::Settings),
            // What was saved stays so, whatever becomes of the next record.
            "save" => Some(Self::Record),
            _ => None,
        }
    }

    /// Whether it means nothing outside of a call.
    const fn ends_with_call(self) -> bool {
        match self {
            Self::Load
            | Self::Presence
            | Self::Connection
            | Self::PacketSize
            | Self::Network
            | Self::Codes => true,
            Self::Device(_) | Self::Entry | Self::Settings | Self::Record => false,
        }
    }
}

impl Controller {
    /// Tells the user that the settings could not be read.
    pub fn say_settings_unread(&mut self, why: &str) {
        // Nothing is written over them before the user changes something.
        self.has_forgotten = true;
        self.say(Saying::new("settings_unread", sentence(why)));
    }

    /// Tells the user that this machine's clock is wrong, if that is sure.
    pub(super) fn check_clock(&mut self) {
        let wall = clock::wall();
        if clock::is_wrong(wall) {
            self.tell("clock_wrong", &clock::in_words(wall));
        }
    }

    /// Tells the user of a problem, in the window and where events go.
    pub(super) fn tell(&mut self, word: &str, detail: &str) {
        let saying = Saying::new(word, detail);
        self.report.problem(word, &self.english.say(&saying), None);
        self.say(saying);
    }

    /// Tells the user of a problem with a member's pictures, in the window and where events go.
    pub(super) fn tell_of_video(&mut self, word: &str, member: MemberId) {
        let peer = self.call.as_ref().and_then(|call| call.participant.peer(member));
        self.tell_of(word, peer.as_ref());
    }

    /// Tells the user of a problem with a member, in the window and where events go.
    pub(super) fn tell_of(&mut self, word: &str, peer: Option<&PeerId>) {
        let name = peer.and_then(|peer| self.report.names().get(peer).cloned());
        let saying = Saying {
            name: Some(name.unwrap_or_default()),
            ..Saying::new(word, "")
        };
        self.report.problem(word, &self.english.say(&saying), peer);
        self.say_of(peer, saying);
    }

    /// Tells the user something, in the window.
    pub(super) fn say(&mut self, saying: Saying) {
        self.say_of(None, saying);
    }

    /// Tells the user something that concerns somebody, in the window.
    pub(super) fn say_of(&mut self, peer: Option<&PeerId>, saying: Saying) {
        if self.screen.is_none() {
            return;
        }
        let told = Told {
            id: self.next_notice,
            at: self.clock.since_start(now()),
            person: peer.map(view_model::person),
            is_passing: is_passing(&saying.word),
            saying,
        };
        add(&mut self.model.notices, told);
        self.next_notice += 1;
        self.is_dirty = true;
    }

    /// What is still shown on a topic says this from now on. Who has dismissed it is not told again.
    pub(super) fn amend(&mut self, topic: Topic, saying: &Saying) {
        let notices = self.model.notices.iter_mut();
        for told in notices.filter(|told| Topic::of(&told.saying.word) == Some(topic)) {
            told.saying.clone_from(saying);
            self.is_dirty = true;
        }
    }

    /// A topic needs no notice any more: things stand as they should.
    pub(super) fn clear(&mut self, topic: Topic, peer: Option<&PeerId>) {
        let person = peer.map(view_model::person);
        self.clear_where(|told| Topic::of(&told.saying.word) == Some(topic) && told.person == person);
    }

    /// Clears what an event of the call puts right.
    pub(super) fn clear_after(&mut self, event: &Event) {
        match event {
            Event::Joined { peer, .. } => self.clear(Topic::Connection, Some(peer)),
            Event::Route(step) if step.route.state == State::Active => {
                if let Some(peer) = &step.route.peer {
                    self.clear(Topic::Connection, Some(peer));
                }
                let mut routes = self
                    .model
                    .call
                    .iter()
                    .flat_map(|call| &call.people)
                    .map(|person| person.route.as_ref().map(|route| route.state));
                if routes.all(|state| state == Some(RouteState::Active)) {
                    self.clear(Topic::Network, None);
                }
            }
            Event::Code(_) | Event::Spent(..) => self.clear(Topic::Codes, None),
            _ => {}
        }
    }

    /// The call is over: what meant something only in it goes, and what would go by itself.
    pub(super) fn clear_call(&mut self) {
        self.clear_where(|told| {
            told.is_passing || Topic::of(&told.saying.word).is_some_and(Topic::ends_with_call)
        });
    }

    fn clear_where(&mut self, is_over: impl Fn(&Told) -> bool) {
        let before = self.model.notices.len();
        self.model.notices.retain(|told| !is_over(told));
        self.is_dirty |= before != self.model.notices.len();
    }
}

/// Adds what is to be told, in the place of what it supersedes.
fn add(notices: &mut Vec<Told>, told: Told) {
    let topic = Topic::of(&told.saying.word);
    notices.retain(|old| {
        // What is said already needs no second line.
        let is_same = old.saying == told.saying;
        let is_superseded =
            topic.is_some() && Topic::of(&old.saying.word) == topic && old.person == told.person;
        !is_same && !is_superseded
    });
    if notices.len() >= MAX_NOTICES {
        // What goes by itself goes first.
        let passing = notices.iter().position(|told| told.is_passing);
        notices.remove(passing.unwrap_or(0));
    }
    notices.push(told);
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

/// Whether what is said needs nothing to be done about it, and is soon over.
fn is_passing(word: &str) -> bool {
    matches!(word, "joined" | "left" | "saved" | "undecodable")
        || word.ends_with("_back")
        || word.ends_with("_moved")
}

#[cfg(test)]
mod tests;
