//! Joins mesh and media: who is whose number, and what media has to say. Packets are in `traffic.rs`.

use std::collections::HashMap;
use std::path::PathBuf;
pub use std::sync::mpsc::SyncSender as Notices;
use std::sync::mpsc::TrySendError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::devices::Present;
use sightline_media::{MemberId, Observer, Picture};
use sightline_media_proto::{AudioTrack, VideoTrack};
use sightline_mesh_proto::Event;

/// Something that the participant's loop is told.
#[derive(Debug)]
pub enum Notice {
    /// The call says.
    Call(Event),
    /// The first frame of a member's track was played.
    FirstAudio(MemberId, AudioTrack, Instant),
    /// The first picture of a member's track was decoded.
    FirstVideo(MemberId, VideoTrack, Instant),
    /// A member's track can go on only with a key frame.
    NeedsKeyFrame(MemberId, VideoTrack),
    /// A member's picture could not be decoded.
    Undecodable(MemberId),
    /// A member's pictures take more of this machine than pictures do.
    TooCostly(MemberId),
    /// A microphone, camera, encoder or recording ended.
    SourceFailed(&'static str, String),
    /// A recording goes to this file, because there is one of the usual name already.
    RecordingRenamed(PathBuf),
    /// A line came on standard input.
    Line(String),
    /// The user wishes something, in the window: the screen has it.
    Wished,
    /// The window could not be opened.
    NoWindow,
    /// Devices came or went.
    Devices(Box<Present>),
    /// The network side is gone, whether it said goodbye or not.
    MeshEnded,
    /// The operating system or the person wants the program to end.
    Interrupted,
}

/// Observes what is played and shown, as it happens. For benchmarks and the window.
pub trait PlayoutObserver: Send + Sync {
    /// A block of a member's track is played out now.
    fn played(&self, member: MemberId, track: AudioTrack, samples: &[f32], at: Instant);
    /// A picture of a member's track was decoded just now.
    fn shown(&self, member: MemberId, track: VideoTrack, picture: &Arc<Picture>);
}

/// Maps members to the numbers that media knows them by. A member keeps its number for the whole call.
#[derive(Default)]
pub struct MemberIds(Mutex<HashMap<PeerId, Number>>);

struct Number {
    id: MemberId,
    is_here: bool,
}

impl MemberIds {
    /// A member is here, perhaps once more.
    pub fn add(&self, peer: PeerId) -> MemberId {
        let mut numbers = self.lock();
        let fresh = numbers.len() as MemberId;
        let number = numbers.entry(peer).or_insert(Number {
            id: fresh,
            is_here: true,
        });
        number.is_here = true;
        number.id
    }

    /// A member is gone.
    pub fn remove(&self, peer: &PeerId) -> Option<MemberId> {
        let mut numbers = self.lock();
        let number = numbers.get_mut(peer).filter(|number| number.is_here)?;
        number.is_here = false;
        Some(number.id)
    }

    /// The number of a member that is here.
    pub fn get(&self, peer: &PeerId) -> Option<MemberId> {
        let numbers = self.lock();
        let number = numbers.get(peer).filter(|number| number.is_here)?;
        Some(number.id)
    }

    /// The member of a number, if it is here.
    pub fn peer(&self, number: MemberId) -> Option<PeerId> {
        let numbers = self.lock();
        let found = numbers.iter().find(|(_, own)| own.id == number && own.is_here);
        found.map(|(peer, _)| *peer)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, Number>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Forwards what the receiving side reports to the participant's loop and to an observer.
pub struct Watching {
    pub notices: Notices<Notice>,
    pub observer: Option<Arc<dyn PlayoutObserver>>,
}

#[allow(
    clippy::disallowed_methods,
    reason = "marks when something was first heard or seen"
)]
impl Observer for Watching {
    fn first_audio(&self, member: MemberId, track: AudioTrack) {
        try_tell(&self.notices, Notice::FirstAudio(member, track, Instant::now()));
    }

    fn first_video(&self, member: MemberId, track: VideoTrack) {
        try_tell(&self.notices, Notice::FirstVideo(member, track, Instant::now()));
    }

    fn needs_key_frame(&self, member: MemberId, track: VideoTrack) {
        try_tell(&self.notices, Notice::NeedsKeyFrame(member, track));
    }

    fn speaker_lost(&self) {
        let message = "The loudspeaker takes no more sound. The call goes on without it.";
        try_tell(&self.notices, Notice::SourceFailed("speaker", message.into()));
    }

    fn undecodable(&self, member: MemberId) {
        try_tell(&self.notices, Notice::Undecodable(member));
    }

    fn too_costly(&self, member: MemberId) {
        tell_timeout(&self.notices, Notice::TooCostly(member));
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

/// Sends a notice, waiting for room. Does nothing once the loop has ended.
pub fn tell(notices: &Notices<Notice>, notice: Notice) {
    let _ended = notices.send(notice);
}

/// Sends a notice, waiting up to a second for room. For threads that the loop itself may be waiting for.
pub fn tell_timeout(notices: &Notices<Notice>, notice: Notice) {
    let mut notice = notice;
    for _ in 0..50 {
        match notices.try_send(notice) {
            Err(TrySendError::Full(back)) => notice = back,
            Ok(()) | Err(TrySendError::Disconnected(_)) => return,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a notice without blocking; it is dropped when the queue is full. For notices that recur, and for threads that must
/// not wait.
pub fn try_tell(notices: &Notices<Notice>, notice: Notice) {
    let _busy = notices.try_send(notice);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_comes_back_has_the_number_that_it_had() {
        let numbers = MemberIds::default();
        let [ann, bob] = [PeerId::random(), PeerId::random()];
        let first = numbers.add(ann);
        assert_ne!(numbers.add(bob), first);
        assert_eq!(numbers.remove(&ann), Some(first));
        assert_eq!(
            (numbers.get(&ann), numbers.peer(first), numbers.remove(&ann)),
            (None, None, None)
        );
        assert_eq!(numbers.add(ann), first);
        assert_eq!((numbers.get(&ann), numbers.peer(first)), (Some(first), Some(ann)));
    }
}
