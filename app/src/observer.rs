//! What the receiving side notices, on its way to the program's loop and to who watches.

use std::sync::Arc;
use std::time::Instant;

use sightline_media::{MemberId, Observer, Picture};
use sightline_media_proto::{AudioTrack, Track, VideoTrack};

use crate::update::{Failed, Update, Updates, tell_timeout, try_tell};

/// Observes what is played and shown, as it happens. For benchmarks and the window.
pub trait PlayoutObserver: Send + Sync {
    /// A block of a member's track is played out now.
    fn played(&self, member: MemberId, track: AudioTrack, samples: &[f32], at: Instant);
    /// A picture of a member's track was decoded just now.
    fn shown(&self, member: MemberId, track: VideoTrack, picture: &Arc<Picture>);
}

/// Forwards what the receiving side reports to the program's loop and to an observer.
pub struct Watching {
    pub updates: Updates,
    pub observer: Option<Arc<dyn PlayoutObserver>>,
}

#[allow(
    clippy::disallowed_methods,
    reason = "marks when something was first heard or seen"
)]
impl Observer for Watching {
    fn first_audio(&self, member: MemberId, track: AudioTrack) {
        try_tell(
            &self.updates,
            Update::First(member, Track::Audio(track), Instant::now()),
        );
    }

    fn first_video(&self, member: MemberId, track: VideoTrack) {
        try_tell(
            &self.updates,
            Update::First(member, Track::Video(track), Instant::now()),
        );
    }

    fn needs_key_frame(&self, member: MemberId, track: VideoTrack) {
        try_tell(&self.updates, Update::NeedsKeyFrame(member, track));
    }

    fn speaker_runs(&self) {
        try_tell(&self.updates, Update::SpeakerRuns);
    }

    fn speaker_failed(&self, message: String) {
        try_tell(&self.updates, Update::Failed(Failed::Speaker, message));
    }

    fn undecodable(&self, member: MemberId) {
        try_tell(&self.updates, Update::Undecodable(member));
    }

    fn too_costly(&self, member: MemberId) {
        tell_timeout(&self.updates, Update::TooCostly(member));
    }

    fn played(&self, member: MemberId, track: AudioTrack, samples: &[f32], at: Instant) {
        if let Some(observer) = &self.observer {
            observer.played(member, track, samples, at);
        }
    }

    fn shown(&self, member: MemberId, track: VideoTrack, picture: &Arc<Picture>) {
        if let Some(observer) = &self.observer {
            observer.shown(member, track, picture);
        }
    }
}
