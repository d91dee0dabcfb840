//! What the user is told in the window: notices, each on a topic.

use std::time::Duration;

use libp2p_identity::PeerId;
use sightline_ui::model::{MAX_NOTICES, Notice, Saying, SayingKey};

use super::device::DeviceKind;
use super::{Moment, State, Told};

/// 7 s: how long something is shown that needs no answer.
const PASSING: Duration = Duration::from_secs(7);

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
    /// What a notice is about; `None` for what has happened and stays true.
    const fn of(key: SayingKey) -> Option<Self> {
        use SayingKey as Key;
        Some(match key {
            // The encoder ends with the camera.
            Key::Camera | Key::CameraMoved | Key::CameraBack | Key::CameraGone | Key::Encoder => {
                Self::Device(DeviceKind::Camera)
            }
            Key::Microphone | Key::MicrophoneMoved | Key::MicrophoneBack | Key::MicrophoneGone => {
                Self::Device(DeviceKind::Microphone)
            }
            Key::Speaker | Key::SpeakerMoved | Key::SpeakerBack | Key::SpeakerGone => {
                Self::Device(DeviceKind::Speaker)
            }
            Key::DegradedFrameRate
            | Key::DegradedResolution
            | Key::DegradedNonSpeakers
            | Key::DegradedAllVideo
            | Key::LoadBack => Self::Load,
            Key::Joined | Key::Left | Key::Lost | Key::CutOff => Self::Presence,
            Key::Malformed
            | Key::Flood
            | Key::Stalled
            | Key::KeysExpired
            | Key::NotApproved
            | Key::TooManyQuestions
            | Key::Playout
            | Key::MemberSought
            | Key::MemberUnreachable
            | Key::MemberUnfinished
            | Key::MemberNoPair
            | Key::MemberNotUp
            | Key::MemberOwnAddresses
            | Key::MemberFirewall
            | Key::MemberTooLarge
            | Key::MemberNoRoute
            | Key::MemberNotSent => Self::Connection,
            Key::SmallPacketsOnly => Self::PacketSize,
            Key::InterfaceGone | Key::NotPinned => Self::Network,
            Key::TooManyCodes | Key::NotInCall | Key::NoAddressYet | Key::PortTaken => Self::Codes,
            Key::Start
            | Key::CodeUsed
            | Key::CodeWithdrawn
            | Key::CodeExpired
            | Key::CodeEmpty
            | Key::CodeCharacter
            | Key::CodeLookAlike
            | Key::CodeCut
            | Key::CodeTooLong
            | Key::CodeSeveral
            | Key::CodeWrongLetter
            | Key::CodeNewerVersion
            | Key::CodeNoAddress => Self::Entry,
            Key::Settings | Key::SettingsUnread | Key::SettingsUnknown => Self::Settings,
            // What was saved stays so, whatever becomes of the next record.
            Key::Save => Self::Record,
            Key::Saved
            | Key::Recording
            | Key::RecordingRenamed
            | Key::ClipRate
            | Key::Undecodable
            | Key::PictureTooCostly
            | Key::ClockWrong
            | Key::Handshake
            | Key::Dropped
            | Key::Roster => return None,
            // Told on the pages before and after a call, and by no notice.
            Key::PictureBad
            | Key::PictureEmpty
            | Key::Ended
            | Key::Unreachable
            | Key::UnreachableOver
            | Key::Unfinished
            | Key::NoPair
            | Key::NotUp
            | Key::OwnAddresses
            | Key::Firewall
            | Key::TooLarge
            | Key::NoRoute
            | Key::NotSent
            | Key::Impostor
            | Key::InviterGone
            | Key::LineLost
            | Key::Full
            | Key::Declined
            | Key::Refused
            | Key::Fault => return None,
        })
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

/// Whether what is said needs nothing to be done about it, and is soon over.
const fn is_passing(key: SayingKey) -> bool {
    use SayingKey as Key;
    matches!(
        key,
        Key::Joined
            | Key::Left
            | Key::Saved
            | Key::Undecodable
            | Key::LoadBack
            | Key::CameraBack
            | Key::CameraMoved
            | Key::MicrophoneBack
            | Key::MicrophoneMoved
            | Key::SpeakerBack
            | Key::SpeakerMoved
    )
}

impl State {
    /// Tells the user of a problem, in the window and where events go.
    pub fn tell(&mut self, saying: Saying, at: Moment) {
        self.report(Told::Problem(saying.clone(), None));
        self.say(saying, at);
    }

    /// Tells the user of a problem with a member, in the window and where events go.
    pub(super) fn tell_of(&mut self, key: SayingKey, peer: Option<PeerId>, at: Moment) {
        let name = peer.map(|peer| self.registry.name(&peer).to_owned());
        let saying = Saying::of(key, name.unwrap_or_default());
        self.report(Told::Problem(saying.clone(), peer));
        self.say_of(peer.as_ref(), saying, at);
    }

    /// Tells the user something, in the window.
    pub fn say(&mut self, saying: Saying, at: Moment) {
        self.say_of(None, saying, at);
    }

    /// Tells the user something that concerns somebody, in the window.
    pub(super) fn say_of(&mut self, peer: Option<&PeerId>, saying: Saying, at: Moment) {
        if !self.has_window {
            return;
        }
        let notice = Notice {
            id: self.next_notice,
            at: self.since_start(at),
            person: peer.map(|peer| self.registry.person(peer)),
            is_passing: is_passing(saying.key),
            saying,
        };
        add(&mut self.model.notices, notice);
        self.next_notice += 1;
        self.mark_changed();
    }

    /// What is still shown on a topic says this from now on. Who has dismissed it is not told again.
    pub(super) fn amend(&mut self, topic: Topic, saying: &Saying) {
        let notices = self.model.notices.iter_mut();
        for notice in notices.filter(|notice| Topic::of(notice.saying.key) == Some(topic)) {
            notice.saying.clone_from(saying);
        }
        self.mark_changed();
    }

    /// A topic needs no notice any more: things stand as they should.
    pub fn clear(&mut self, topic: Topic, peer: Option<&PeerId>) {
        let person = peer.map(|peer| self.registry.person(peer));
        self.clear_where(|notice| Topic::of(notice.saying.key) == Some(topic) && notice.person == person);
    }

    /// The call is over: what meant something only in it goes, and what would go by itself.
    pub(super) fn clear_call(&mut self) {
        self.clear_where(|notice| {
            notice.is_passing || Topic::of(notice.saying.key).is_some_and(Topic::ends_with_call)
        });
    }

    /// What goes by itself goes when it has been shown for a while.
    pub fn clear_passed(&mut self, at: Moment) {
        let now = self.since_start(at);
        self.clear_where(|notice| notice.is_passing && now.saturating_sub(notice.at) >= PASSING);
    }

    fn clear_where(&mut self, is_over: impl Fn(&Notice) -> bool) {
        let before = self.model.notices.len();
        self.model.notices.retain(|notice| !is_over(notice));
        if before != self.model.notices.len() {
            self.mark_changed();
        }
    }
}

/// Adds a notice, in the place of what it supersedes.
fn add(notices: &mut Vec<Notice>, notice: Notice) {
    let topic = Topic::of(notice.saying.key);
    notices.retain(|old| {
        // What is said already needs no second line.
        let is_same = old.saying == notice.saying;
        let is_superseded =
            topic.is_some() && Topic::of(old.saying.key) == topic && old.person == notice.person;
        !is_same && !is_superseded
    });
    if notices.len() >= MAX_NOTICES {
        // What goes by itself goes first.
        let passing = notices.iter().position(|notice| notice.is_passing);
        notices.remove(passing.unwrap_or(0));
    }
    notices.push(notice);
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

#[cfg(test)]
mod tests;
