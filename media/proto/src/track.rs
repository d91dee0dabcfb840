//! Tracks: what a member sends side by side. An audio track and the video track that it belongs to make a stream, and are
//! played in time with each other (as in the Media Capture and Streams specification of the W3C).

use sightline_packet::Class;

/// Track (1) before the body of a packet of audio or video, bytes.
pub const HEADER_LEN: usize = 1;

/// A track of either kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Track {
    /// Something to hear.
    Audio(AudioTrack),
    /// Something to see.
    Video(VideoTrack),
}

/// A track of audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AudioTrack {
    /// What a microphone hears.
    Voice,
    /// What a shared screen plays.
    ScreenAudio,
}

/// A track of video.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum VideoTrack {
    /// What a camera sees.
    Camera,
    /// What a shared screen shows.
    Screen,
}

/// An audio track and a video track that are played in time with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Voice and camera.
    Person,
    /// A shared screen and what it plays.
    Screen,
}

impl Track {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Audio(AudioTrack::Voice),
        Self::Video(VideoTrack::Camera),
        Self::Video(VideoTrack::Screen),
        Self::Audio(AudioTrack::ScreenAudio),
    ];

    /// Its number in packets.
    #[must_use]
    pub const fn id(self) -> u8 {
        match self {
            Self::Audio(AudioTrack::Voice) => 0,
            Self::Video(VideoTrack::Camera) => 1,
            Self::Video(VideoTrack::Screen) => 2,
            Self::Audio(AudioTrack::ScreenAudio) => 3,
        }
    }

    /// The track of a number; `None` when there is none.
    #[must_use]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|track| track.id() == id)
    }

    /// The class of its packets.
    #[must_use]
    pub const fn class(self) -> Class {
        match self {
            Self::Audio(_) => Class::Audio,
            Self::Video(_) => Class::Video,
        }
    }

    /// Takes the track off a packet's body; `None` when it names none.
    #[must_use]
    pub fn split(body: &[u8]) -> Option<(Self, &[u8])> {
        let (id, rest) = body.split_first()?;
        Some((Self::from_id(*id)?, rest))
    }
}

impl AudioTrack {
    /// The stream that it belongs to.
    #[must_use]
    pub const fn stream(self) -> Stream {
        match self {
            Self::Voice => Stream::Person,
            Self::ScreenAudio => Stream::Screen,
        }
    }
}

impl VideoTrack {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Camera, Self::Screen];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// The stream that it belongs to.
    #[must_use]
    pub const fn stream(self) -> Stream {
        match self {
            Self::Camera => Stream::Person,
            Self::Screen => Stream::Screen,
        }
    }
}

impl Stream {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Person, Self::Screen];

    /// Its place in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Its track of audio.
    #[must_use]
    pub const fn audio(self) -> AudioTrack {
        match self {
            Self::Person => AudioTrack::Voice,
            Self::Screen => AudioTrack::ScreenAudio,
        }
    }

    /// Its track of video.
    #[must_use]
    pub const fn video(self) -> VideoTrack {
        match self {
            Self::Person => VideoTrack::Camera,
            Self::Screen => VideoTrack::Screen,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_track_is_read_as_written_and_an_unknown_one_is_none() {
        for id in 0..=u8::MAX {
            let track = Track::from_id(id);
            assert_eq!(track.is_some(), id < 4, "{id}");
            assert!(track.is_none_or(|track| track.id() == id));
            let rest: &[u8] = &[7];
            assert_eq!(Track::split(&[id, 7]), track.map(|track| (track, rest)));
        }
        assert_eq!(Track::split(&[]), None);
    }
}
