//! What a device is for, and which sentence says what became of it.

use sightline_media::devices::{Device, Present};
use sightline_ui::model::SayingKey;

/// What a device is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceKind {
    Camera,
    Microphone,
    Speaker,
}

/// What became of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It cannot be used.
    Failed,
    /// Another one is used in its place.
    Moved,
    /// It is used again.
    Back,
    /// It is gone, and there is no other.
    Gone,
}

impl DeviceKind {
    /// Whoever is without both hears again first.
    pub const ALL: [Self; 3] = [Self::Camera, Self::Speaker, Self::Microphone];

    /// The devices of this kind that are there.
    pub fn among(self, present: &Present) -> &[Device] {
        match self {
            Self::Camera => &present.cameras,
            Self::Microphone => &present.sound.microphones,
            Self::Speaker => &present.sound.speakers,
        }
    }

    /// The id of the one of this kind that the system would take.
    pub fn default_of(self, present: &Present) -> Option<&String> {
        match self {
            Self::Camera => present.cameras.first().map(|camera| &camera.id),
            Self::Microphone => present.sound.default_microphone.as_ref(),
            Self::Speaker => present.sound.default_speaker.as_ref(),
        }
    }

    /// What is said when this becomes of one.
    pub const fn key(self, fate: Fate) -> SayingKey {
        match (self, fate) {
            (Self::Camera, Fate::Failed) => SayingKey::Camera,
            (Self::Camera, Fate::Moved) => SayingKey::CameraMoved,
            (Self::Camera, Fate::Back) => SayingKey::CameraBack,
            (Self::Camera, Fate::Gone) => SayingKey::CameraGone,
            (Self::Microphone, Fate::Failed) => SayingKey::Microphone,
            (Self::Microphone, Fate::Moved) => SayingKey::MicrophoneMoved,
            (Self::Microphone, Fate::Back) => SayingKey::MicrophoneBack,
            (Self::Microphone, Fate::Gone) => SayingKey::MicrophoneGone,
            (Self::Speaker, Fate::Failed) => SayingKey::Speaker,
            (Self::Speaker, Fate::Moved) => SayingKey::SpeakerMoved,
            (Self::Speaker, Fate::Back) => SayingKey::SpeakerBack,
            (Self::Speaker, Fate::Gone) => SayingKey::SpeakerGone,
        }
    }
}
