//! What has happened, as the program's loop is told it by whichever thread noticed: each thing once, and typed.

use std::path::PathBuf;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::devices::Found;
use sightline_media::{MemberId, Received};
use sightline_media_proto::overuse::LoadSample;
use sightline_media_proto::session::LinkState;
use sightline_media_proto::{Track, VideoTrack};
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::ledger::Ledger;
use sightline_mesh_proto::{Event, LinkStats};

/// Where threads put what they notice.
pub type Updates = SyncSender<Update>;

/// Something that has happened.
#[derive(Debug)]
pub enum Update {
    /// In the call.
    Call(Event),
    /// The network side is gone, whether it said goodbye or not.
    MeshEnded,
    /// The first frame of a member's track was played, or shown.
    First(MemberId, Track, Instant),
    /// A member's track can go on only with a key frame.
    NeedsKeyFrame(MemberId, VideoTrack),
    /// A member's picture could not be decoded.
    Undecodable(MemberId),
    /// A member's pictures take more of this machine than pictures do.
    TooCostly(MemberId),
    /// Something that makes, plays or keeps media ended, for this reason.
    Failed(Failed, String),
    /// The camera that was opened last gives pictures.
    CameraRuns,
    /// The microphone that was opened last gives sound.
    MicrophoneRuns,
    /// The loudspeaker that was opened last plays.
    SpeakerRuns,
    /// A recording goes to this file, because there is one of the usual name already.
    RecordingRenamed(PathBuf),
    /// These speak just now: looked at ten times a second where there is a window.
    Speaking(Vec<PeerId>),
    /// A second of a call has passed.
    Second(Box<Second>),
    /// The machine slept for so long.
    Slept(Duration),
    /// A line came on standard input.
    Line(String),
    /// The user wishes something, in the window: the screen has it.
    Wished,
    /// The window could not be opened.
    NoWindow,
    /// Devices came or went.
    Devices(Box<Found>),
    /// The operating system or the person wants the program to end.
    Interrupted,
}

/// Something that makes, plays or keeps media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The camera.
    Camera,
    /// The microphone.
    Microphone,
    /// The loudspeaker.
    Speaker,
    /// The encoder of pictures.
    Encoder,
    /// The recorder.
    Recording,
    /// What plays a member.
    Playout,
}

/// What one link and the media on it measured in the last second.
#[derive(Clone, Debug)]
pub struct MemberStats {
    /// Who.
    pub peer: PeerId,
    /// The link.
    pub link: LinkStats,
    /// What is sent on it, while media flows.
    pub sending: Option<LinkState>,
    /// Voice and camera.
    pub media: Received,
    /// The screen that they share, once they have.
    pub screen: Option<Received>,
}

/// What was measured in a second of a call.
#[derive(Clone, Debug, Default)]
pub struct Second {
    /// Of each member.
    pub members: Vec<MemberStats>,
    /// How long encoding a picture took.
    pub encode: Option<Duration>,
    /// How well this machine kept up.
    pub load: LoadSample,
    /// Who speaks at its end.
    pub speaking: Vec<PeerId>,
    /// A microphone is sent, muted or not.
    pub sends_audio: bool,
    /// This machine's interfaces.
    pub interfaces: Vec<Interface>,
    /// What passed so far, where somebody looks at it.
    pub ledger: Option<Ledger>,
}

/// Sends an update, waiting for room. Does nothing once the loop has ended.
pub fn tell(updates: &Updates, update: Update) {
    let _ended = updates.send(update);
}

/// Sends an update, waiting up to a second for room. For threads that the loop itself may be waiting for.
pub fn tell_timeout(updates: &Updates, update: Update) {
    let mut update = update;
    for _ in 0..50 {
        match updates.try_send(update) {
            Err(TrySendError::Full(back)) => update = back,
            Ok(()) | Err(TrySendError::Disconnected(_)) => return,
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends an update without blocking; it is dropped when the queue is full. For updates that recur, and for threads that
/// must not wait.
pub fn try_tell(updates: &Updates, update: Update) {
    let _busy = updates.try_send(update);
}
