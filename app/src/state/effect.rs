//! What is to be done about an update.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p_identity::PeerId;
use sightline_media::MemberId;
use sightline_media::devices::Found;
use sightline_media_proto::feedback::Feedback;
use sightline_media_proto::layer::Subscription;
use sightline_media_proto::overuse::Degradation;
use sightline_media_proto::{Track, VideoTrack};
use sightline_mesh_proto::{Command, End, Name};
use sightline_ui::Source;
use sightline_ui::model::{PersonId, Saying, SayingKey};

use super::device::DeviceKind;
use super::measure::Measured;

/// What is to be done, in the order in which it is handed out.
#[derive(Debug)]
pub enum Effect {
    /// Carried out by the participant.
    Participant(ParticipantEffect),
    /// Told where events go.
    Tell(Told),
    /// This member's pictures are this person's, from now on.
    ShowPerson(MemberId, PersonId),
    /// Nothing of this person is shown any more.
    HidePerson(PersonId),
    /// This picture is not shown any more.
    HidePicture(Source),
    /// A device gives or takes nothing any more: another one is to be found, or this is to be said of what is none.
    ReplaceDevice(DeviceKind, Saying),
    /// A device works.
    NoteDevice(DeviceKind),
    /// These devices are there now, and no other of their kind.
    LookAtDevices(Box<Found>),
    /// A line of the user's is to be done.
    Line(String),
    /// There is no window: people are told on standard error.
    LoseWindow,
    /// The call is over, for this reason; for none, by a fault.
    EndCall(Option<End>),
    /// The program ends.
    Quit,
}

/// What the participant's mesh and media are to do.
#[derive(Debug)]
pub enum ParticipantEffect {
    /// Tell the call.
    Command(Command),
    /// Tell a member's media.
    Feedback(PeerId, Feedback),
    /// Tell these members how things are here, and whom of them this participant hears.
    Status(Vec<PeerId>, Vec<PeerId>),
    /// Play a member, by this number.
    Add(PeerId, MemberId, Name),
    /// Play a member no more.
    Remove(PeerId, MemberId),
    /// Make a key frame: somebody can show nothing without one.
    KeyFrame(VideoTrack),
    /// Send a member so much of a track.
    Subscription(PeerId, VideoTrack, Option<Subscription>),
    /// A member's track ends or begins because that was asked for: the time between is no freeze.
    ExpectPause(MemberId, VideoTrack),
    /// Degrade the call so far.
    Degrade(Degradation),
}

/// What is told where events go.
#[derive(Debug)]
pub enum Told {
    /// The user is told of a problem, which may concern a member.
    Problem(Saying, Option<PeerId>),
    /// Something that makes, plays or keeps media ended, for this reason.
    Failed(SayingKey, String),
    /// The first sound or picture of a member's track came so long after joining.
    First(Track, PeerId, Duration),
    /// What was measured in the last second, with the call degraded so far.
    Stats(Box<Measured>, Degradation),
    /// Who hears whom.
    Hears(BTreeMap<String, Vec<String>>),
}
