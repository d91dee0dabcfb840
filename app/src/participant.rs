//! A participant: one place in one call, with its media. Headless programs, benches and the window drive it alike.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::av1::EncoderKind;
use sightline_media::camera::CameraError;
use sightline_media::decoder::DecoderThreads;
use sightline_media::microphone::{Microphone, MicrophoneError};
use sightline_media::{
    Capture, Level, MemberId, Playout, Processor, Recorder, Recording, SharedProcessing, Speaker,
    SpeakerError, VideoSendStats, VideoSender, VoiceSender,
};
use sightline_media_proto::feedback::{Feedback, MemberStatus};
use sightline_media_proto::overuse::LoadSample;
use sightline_media_proto::session::Limits;
use sightline_media_proto::{AudioTrack, Stream, Track, VideoTrack};
use sightline_mesh::{Entry, Mesh, OpenError, Record, Setup, Stats};
use sightline_mesh_proto::{Channel, Command, Name};

pub use crate::observer::PlayoutObserver;
use crate::observer::Watching;
use crate::state::ParticipantEffect;
use crate::traffic::{Links, Outgoing};
use crate::update::{Failed, MemberStats, Update, Updates, tell, tell_timeout, try_tell};

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
    muted: Arc<AtomicBool>,
    encoder: EncoderKind,
    voice: Option<VoiceSender>,
    /// What is sent of each track of video.
    video: BTreeMap<VideoTrack, VideoSender>,
    is_starter: bool,
    epoch: Instant,
    updates: Updates,
    level: Arc<Level>,
    processing: Arc<SharedProcessing>,
    /// Pictures taken and missed a second ago.
    pictures_before: (u64, u64),
    /// Time spent encoding, and pictures encoded in it, when that was last asked for.
    encoded_before: (Duration, u64),
    forwarder: JoinHandle<()>,
}

impl Participant {
    /// Takes part: opens the network, then sends. What happens goes into `updates`, for a [`crate::state::State`], whose
    /// effects come back to [`Participant::carry_out`]; `observer` sees what is played and shown as it happens.
    ///
    /// # Errors
    /// [`StartError`]: a sentence for the user.
    pub fn start(
        setup: Setup,
        media: Media,
        observer: Option<Arc<dyn PlayoutObserver>>,
        updates: Updates,
    ) -> Result<Self, StartError> {
        let epoch = setup.clock.start;
        let is_starter = matches!(setup.entry, Entry::Start);
        let recorder = media.record.map(|folder| {
            let updates = updates.clone();
            Recorder::start(&folder, move |news| {
                let update = match news {
                    Recording::Renamed(path) => Update::RecordingRenamed(path),
                    Recording::Ended(why) => Update::Failed(Failed::Recording, why),
                };
                // The loop may be waiting for the recorder.
                tell_timeout(&updates, update);
            })
            .map_err(|error| StartError::Record(folder.display().to_string(), error))
        });
        let observer = Arc::new(Watching {
            updates: updates.clone(),
            observer,
        });
        let playout = Arc::new(Playout::start(
            media.speaker,
            recorder.transpose()?,
            Arc::new(DecoderThreads),
            observer,
            epoch,
        )?);
        let links = Links::new(Arc::clone(&playout), epoch, media.limits);
        let links = Arc::new(links);
        let (mesh, mut events) = Mesh::start(setup, Arc::clone(&links) as _)?;
        let forwarder = {
            let updates = updates.clone();
            std::thread::Builder::new().name("events".into()).spawn(move || {
                while let Some(event) = events.blocking_recv() {
                    tell(&updates, Update::Call(event));
                }
                tell(&updates, Update::MeshEnded);
            })?
        };
        let outgoing = Arc::new(Outgoing {
            links: Arc::clone(&links),
            mesh: mesh.sender(),
            updates: updates.clone(),
        });
        let mut participant = Self {
            mesh,
            playout,
            links,
            outgoing,
            muted: media.muted,
            encoder: media.encoder,
            voice: None,
            video: BTreeMap::new(),
            is_starter,
            epoch,
            updates,
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

    /// Does what an update means for mesh and media.
    pub fn carry_out(&self, effect: ParticipantEffect) {
        match effect {
            ParticipantEffect::Command(command) => self.command(command),
            ParticipantEffect::Feedback(peer, feedback) => self.say(peer, &feedback),
            ParticipantEffect::Status(members, hears) => self.send_status(&members, &hears),
            ParticipantEffect::Add(peer, member, name) => self.add(peer, member, &name),
            ParticipantEffect::Remove(peer, member) => {
                self.links.remove(&peer);
                self.playout.remove(member);
            }
            ParticipantEffect::KeyFrame(track) => {
                if let Some(sender) = self.video.get(&track) {
                    sender.request_key_frame();
                }
            }
            ParticipantEffect::Subscription(peer, track, wish) => {
                self.links.session().handle_subscription(peer, track, wish);
            }
            ParticipantEffect::ExpectPause(member, track) => self.playout.handle_video_off(member, track),
            ParticipantEffect::Degrade(degradation) => self.links.session().set_degradation(degradation),
        }
    }

    fn add(&self, peer: PeerId, member: MemberId, name: &Name) {
        self.links.add(peer, member);
        if let Err(error) = self.playout.add(member, name.as_str()) {
            let why = format!("A member cannot be heard or seen: {error}.");
            try_tell(&self.updates, Update::Failed(Failed::Playout, why));
        }
    }

    /// Says something to a member's media. What finds no room comes back ([`sightline_mesh_proto::Event::Unsent`]).
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

    /// Whether a microphone is sent, muted or not.
    #[must_use]
    pub const fn sends_audio(&self) -> bool {
        self.voice.is_some()
    }

    /// Tells the members how things are here, and whom of them this participant hears.
    fn send_status(&self, members: &[PeerId], hears: &[PeerId]) {
        let voice = self.voice.as_ref().map(|_| Track::Audio(AudioTrack::Voice));
        let video = self.video.keys().map(|track| Track::Video(*track));
        let status = Feedback::Status(MemberStatus {
            sends: video.chain(voice).collect(),
            is_muted: self.muted.load(Ordering::Relaxed),
            hears: hears.iter().map(|peer| peer.to_bytes()).collect(),
        });
        for member in members {
            self.say(*member, &status);
        }
    }

    /// The user says something else of sending.
    pub fn set_limits(&self, limits: Limits) {
        self.links.session().set_limits(limits);
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

    /// What was measured of each member since this was last asked; to be asked once a second.
    #[must_use]
    pub fn take_stats(&self) -> Vec<MemberStats> {
        let links: Stats = self.mesh.stats();
        links
            .into_iter()
            .filter_map(|(peer, link)| {
                let member = self.links.member(&peer)?;
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

    /// Leaves if that has not been done, and ends every thread. Takes at most about half a second, in which updates
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
