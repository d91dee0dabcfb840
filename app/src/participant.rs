//! A participant: one place in one call, with its media. Headless programs, benches and the window drive it alike.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender as Notices;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::av1::EncoderKind;
use sightline_media::camera::CameraError;
use sightline_media::decoder::DecoderThreads;
use sightline_media::microphone::{Microphone, MicrophoneError};
use sightline_media::{
    Capture, Level, MemberId, Playout, Processor, Received, Recorder, Recording, SharedProcessing, Speaker,
    SpeakerError, VideoSendStats, VideoSender, VoiceSender,
};
use sightline_media_proto::feedback::{Feedback, MemberStatus};
use sightline_media_proto::layer::Subscription;
use sightline_media_proto::overuse::{Degradation, LoadSample};
use sightline_media_proto::session::{Limits, LinkState};
use sightline_media_proto::{AudioTrack, Stream, Track, VideoTrack};
use sightline_mesh::{Entry, Mesh, OpenError, Record, Setup, Stats};
use sightline_mesh_proto::route::State;
use sightline_mesh_proto::{Channel, Command, Event, Name};

use crate::traffic::{Links, Outgoing};
use crate::wiring::{MemberIds, Watching, tell, tell_timeout, try_tell};
pub use crate::wiring::{Notice, PlayoutObserver};

/// What a participant sends, plays and records.
pub struct Media {
    /// What it sends of sound.
    pub microphone: Option<Box<dyn Microphone>>,
    /// What it sends of picture.
    pub camera: Option<Capture>,
    /// What it plays to.
    pub speaker: Option<Speaker>,
    /// Where it records.
    pub record: Option<PathBuf>,
    /// How it encodes pictures.
    pub encoder: EncoderKind,
    /// Where the microphone's level is shown.
    pub level: Arc<Level>,
    /// While it is set, silence is sent in place of what the microphone hears.
    pub muted: Arc<AtomicBool>,
    /// What the user says of sending.
    pub limits: Limits,
    /// What is done to what the microphone hears.
    pub processing: Arc<SharedProcessing>,
}

/// Why a participant cannot take part; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The network.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// A device.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The folder for recordings.
    #[error("Nothing can be recorded in {0}: {1}.")]
    Record(String, std::io::Error),
    /// No thread can be had.
    #[error("The operating system refused what a call needs: {0}.")]
    System(#[from] std::io::Error),
}

/// Why a device cannot be used; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// The camera.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The microphone.
    #[error(transparent)]
    Microphone(#[from] MicrophoneError),
    /// The loudspeaker.
    #[error(transparent)]
    Speaker(#[from] SpeakerError),
}

/// A participant in a call. [`Participant::stop`] ends it and all its threads.
pub struct Participant {
    mesh: Mesh,
    playout: Arc<Playout>,
    links: Arc<Links>,
    outgoing: Arc<Outgoing>,
    ids: Arc<MemberIds>,
    muted: Arc<AtomicBool>,
    encoder: EncoderKind,
    voice: Option<VoiceSender>,
    /// What is sent of each track of video.
    video: BTreeMap<VideoTrack, VideoSender>,
    is_starter: bool,
    epoch: Instant,
    notices: Notices<Notice>,
    level: Arc<Level>,
    processing: Arc<SharedProcessing>,
    /// Pictures taken and missed a second ago.
    pictures_before: (u64, u64),
    /// Time spent encoding, and pictures encoded in it, when that was last asked for.
    encoded_before: (Duration, u64),
    forwarder: JoinHandle<()>,
}

/// What one link and the media on it measured in the last second.
#[derive(Clone, Debug)]
pub struct MemberStats {
    /// Who.
    pub peer: PeerId,
    /// The link.
    pub link: sightline_mesh_proto::LinkStats,
    /// What is sent on it, while media flows.
    pub sending: Option<LinkState>,
    /// Voice and camera.
    pub media: Received,
    /// The screen that they share, once they have.
    pub screen: Option<Received>,
}

impl Participant {
    /// Takes part: opens the network, then sends. What happens goes into `notices`, each of which is to be given
    /// to [`Participant::handle`]; `observer` sees what is played and shown as it happens.
    ///
    /// # Errors
    /// [`StartError`]: a sentence for the user.
    pub fn start(
        setup: Setup,
        media: Media,
        observer: Option<Arc<dyn PlayoutObserver>>,
        notices: Notices<Notice>,
    ) -> Result<Self, StartError> {
        let epoch = setup.clock.start;
        let is_starter = matches!(setup.entry, Entry::Start);
        let ids = Arc::new(MemberIds::default());
        let recorder = media.record.map(|folder| {
            let notices = notices.clone();
            Recorder::start(&folder, move |news| {
                let notice = match news {
                    Recording::Renamed(path) => Notice::RecordingRenamed(path),
                    Recording::Ended(why) => Notice::SourceFailed("recording", why),
                };
                // The loop may be waiting for the recorder.
                tell_timeout(&notices, notice);
            })
            .map_err(|error| StartError::Record(folder.display().to_string(), error))
        });
        let observer = Arc::new(Watching {
            notices: notices.clone(),
            observer,
        });
        let playout = Arc::new(Playout::start(
            media.speaker,
            recorder.transpose()?,
            Arc::new(DecoderThreads),
            observer,
            epoch,
        )?);
        let links = Links::new(Arc::clone(&ids), Arc::clone(&playout), epoch, media.limits);
        let links = Arc::new(links);
        let (mesh, mut events) = Mesh::start(setup, Arc::clone(&links) as _)?;
        let forwarder = {
            let notices = notices.clone();
            std::thread::Builder::new().name("events".into()).spawn(move || {
                while let Some(event) = events.blocking_recv() {
                    tell(&notices, Notice::Call(event));
                }
                tell(&notices, Notice::MeshEnded);
            })?
        };
        let outgoing = Arc::new(Outgoing {
            links: Arc::clone(&links),
            mesh: mesh.sender(),
            notices: notices.clone(),
        });
        let mut participant = Self {
            mesh,
            playout,
            links,
            outgoing,
            ids,
            muted: media.muted,
            encoder: media.encoder,
            voice: None,
            video: BTreeMap::new(),
            is_starter,
            epoch,
            notices,
            level: media.level,
            processing: media.processing,
            pictures_before: (0, 0),
            encoded_before: (Duration::ZERO, 0),
            forwarder,
        };
        participant
            .set_microphone(media.microphone)
            .map_err(SourceError::from)?;
        participant
            .set_video(VideoTrack::Camera, media.camera)
            .map_err(SourceError::from)?;
        Ok(participant)
    }

    /// This participant's id.
    #[must_use]
    pub const fn me(&self) -> PeerId {
        self.mesh.me()
    }

    /// Whether it started the call.
    #[must_use]
    pub const fn is_starter(&self) -> bool {
        self.is_starter
    }

    /// The network side: addresses, ledger.
    #[must_use]
    pub const fn mesh(&self) -> &Mesh {
        &self.mesh
    }

    /// Does what a notice means for mesh and media.
    pub fn handle(&self, notice: &Notice) {
        match notice {
            Notice::Call(Event::Joined { peer, name, .. }) => self.welcome(*peer, name),
            Notice::Call(Event::Left { peer, .. }) => {
                if let Some(member) = self.ids.remove(peer) {
                    self.playout.remove(member);
                }
                self.links.session().handle_left(peer);
            }
            // Who is new can show nothing before a key frame.
            Notice::Call(Event::Route(step)) if step.route.state == State::Active => {
                for track in VideoTrack::ALL {
                    self.send_key_frame(track);
                }
            }
            Notice::Call(Event::Message {
                peer,
                channel: Channel::Feedback,
                body,
                ..
            }) => match Feedback::decode(body) {
                Some(Feedback::KeyFrame(track)) => self.send_key_frame(track),
                Some(Feedback::Subscribe(track, wish)) => {
                    self.links.session().handle_subscription(*peer, track, wish);
                }
                Some(Feedback::Status(report)) => {
                    let is_off = |track: &VideoTrack| !report.sends.contains(&Track::Video(*track));
                    for track in VideoTrack::ALL.into_iter().filter(is_off) {
                        self.expect_pause(peer, track);
                    }
                }
                None => {}
            },
            Notice::NeedsKeyFrame(member, track) => {
                if let Some(peer) = self.ids.peer(*member) {
                    self.say(peer, &Feedback::KeyFrame(*track));
                }
            }
            _ => {}
        }
    }

    fn welcome(&self, peer: PeerId, name: &Name) {
        let member = self.ids.add(peer);
        if let Err(error) = self.playout.add(member, name.as_str()) {
            let why = format!("A member cannot be heard or seen: {error}.");
            try_tell(&self.notices, Notice::SourceFailed("playout", why));
        }
    }

    fn send_key_frame(&self, track: VideoTrack) {
        if let Some(sender) = self.video.get(&track) {
            sender.request_key_frame();
        }
    }

    /// Says something to a member's media. What finds no room comes back ([`Event::Unsent`]).
    fn say(&self, member: PeerId, feedback: &Feedback) {
        self.command(Command::Send(member, Channel::Feedback, feedback.encode()));
    }

    /// Hands a wish to the call.
    pub fn command(&self, command: Command) {
        self.mesh.sender().send_command(command);
    }

    /// Sends sound from another microphone, or from none.
    ///
    /// # Errors
    /// [`MicrophoneError`]; the microphone before is off then.
    pub fn set_microphone(&mut self, microphone: Option<Box<dyn Microphone>>) -> Result<(), MicrophoneError> {
        self.voice = None;
        self.level.clear();
        if let Some(microphone) = microphone {
            let (outbox, muted) = (self.outgoing.clone(), Arc::clone(&self.muted));
            let level = Arc::clone(&self.level);
            let processor = Processor::new(Arc::clone(&self.processing), self.playout.far_end());
            let voice = VoiceSender::start(microphone, outbox, muted, level, processor, self.epoch)?;
            self.voice = Some(voice);
        }
        Ok(())
    }

    /// Sends a track of video from another source, or from none.
    ///
    /// # Errors
    /// [`CameraError`]; the source before is off then.
    pub fn set_video(&mut self, track: VideoTrack, source: Option<Capture>) -> Result<(), CameraError> {
        self.video.remove(&track);
        self.links.session().stop_video(track);
        if let Some(source) = source {
            let outbox = self.outgoing.clone();
            let sender = VideoSender::start(track, source, self.encoder, outbox, self.epoch)?;
            self.video.insert(track, sender);
        }
        Ok(())
    }

    /// What is heard and at whose volume.
    #[must_use]
    pub fn playout(&self) -> &Playout {
        &self.playout
    }

    /// The media's number of a member.
    #[must_use]
    pub fn member(&self, peer: &PeerId) -> Option<MemberId> {
        self.ids.get(peer)
    }

    /// Whether a microphone is sent, muted or not.
    #[must_use]
    pub const fn sends_audio(&self) -> bool {
        self.voice.is_some()
    }

    /// Tells the members how things are here, and whom of them this participant hears.
    pub fn send_report(&self, members: &[PeerId], hears: &[PeerId]) {
        let voice = self.voice.as_ref().map(|_| Track::Audio(AudioTrack::Voice));
        let video = self.video.keys().map(|track| Track::Video(*track));
        let report = Feedback::Status(MemberStatus {
            sends: video.chain(voice).collect(),
            is_muted: self.muted.load(Ordering::Relaxed),
            hears: hears.iter().map(|peer| peer.to_bytes()).collect(),
        });
        for member in members {
            self.say(*member, &report);
        }
    }

    /// Asks a member for so much of a track.
    pub fn ask(&self, member: PeerId, track: VideoTrack, wish: Option<Subscription>) {
        self.say(member, &Feedback::Subscribe(track, wish));
    }

    /// A member's track ends or begins because that was asked for: the time between is no freeze.
    pub fn expect_pause(&self, member: &PeerId, track: VideoTrack) {
        if let Some(member) = self.ids.get(member) {
            self.playout.handle_video_off(member, track);
        }
    }

    /// The user says something else of sending.
    pub fn set_limits(&self, limits: Limits) {
        self.links.session().set_limits(limits);
    }

    /// This machine cannot keep up with everything.
    pub fn set_degradation(&self, degradation: Degradation) {
        self.links.session().set_degradation(degradation);
    }

    /// How well this machine kept up since this was last asked; to be asked once a second.
    #[must_use]
    pub fn take_load(&mut self) -> LoadSample {
        let (taken, missed) = self
            .sent_pictures()
            .map_or((0, 0), |sent| (sent.taken, sent.dropped));
        let before = std::mem::replace(&mut self.pictures_before, (taken, missed));
        let missed = missed.saturating_sub(before.1);
        let all = taken.saturating_sub(before.0) + missed;
        LoadSample {
            late: self.playout.take_lateness(),
            missed: if all == 0 { 0.0 } else { missed as f32 / all as f32 },
        }
    }

    /// The peer behind a number of the media.
    #[must_use]
    pub fn peer(&self, member: MemberId) -> Option<PeerId> {
        self.ids.peer(member)
    }

    /// What was measured of each member since this was last asked; to be asked once a second.
    #[must_use]
    pub fn take_stats(&self) -> Vec<MemberStats> {
        let links: Stats = self.mesh.stats();
        links
            .into_iter()
            .filter_map(|(peer, link)| {
                let member = self.ids.get(&peer)?;
                self.playout.set_clock_offset(member, link.clock_offset);
                let media = self.playout.take_stats(member, Stream::Person)?;
                let screen = self.playout.take_stats(member, Stream::Screen);
                let sending = self.links.session().link(&peer);
                Some(MemberStats {
                    peer,
                    link,
                    sending,
                    media,
                    screen,
                })
            })
            .collect()
    }

    /// How long encoding a picture took since this was last asked, on average.
    #[must_use]
    pub fn take_encode_time(&mut self) -> Option<Duration> {
        let sent = self.sent_pictures()?;
        let before = std::mem::replace(&mut self.encoded_before, (sent.encode_time, sent.encoded));
        let pictures = sent.encoded.checked_sub(before.1)?;
        let time = sent.encode_time.checked_sub(before.0)?;
        time.checked_div(u32::try_from(pictures).ok()?)
    }

    /// What was encoded so far, if there is a camera.
    #[must_use]
    pub fn sent_pictures(&self) -> Option<VideoSendStats> {
        self.video.get(&VideoTrack::Camera).map(VideoSender::counts)
    }

    /// Packets of media that made no sense, so far.
    #[must_use]
    pub fn dropped_packets(&self) -> u64 {
        self.links.session().dropped()
    }

    /// Leaves if that has not been done, and ends every thread. Takes at most about half a second, in which notices
    /// must still be taken. Returns what the call has done, to the last packet.
    pub fn stop(self) -> Record {
        drop(self.video);
        drop(self.voice);
        let record = self.mesh.stop();
        // Ends with the mesh; a panic was printed when it happened.
        let _panicked = self.forwarder.join();
        drop(self.playout);
        record
    }
}
