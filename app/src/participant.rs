//! A participant: one place in one call, with its media. Headless programs, benches and the window drive it alike.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender as Notices, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::av1::EncoderKind;
use sightline_media::camera::{self, Camera, CameraError};
use sightline_media::microphone::{self, Microphone, MicrophoneError};
use sightline_media::{
    PictureSender, Playout, Received, Recorder, SentPictures, Sink, Source, Speaker, SpeakerError,
    VoiceSender,
};
use sightline_media_proto::feedback::Feedback;
use sightline_mesh::{Entry, Mesh, OpenError, Record, Setup, Stats};
use sightline_mesh_proto::route::State;
use sightline_mesh_proto::{Command, Event, Name};

use crate::wiring::{Incoming, Numbers, Outgoing, Watching, hint, tell};
pub use crate::wiring::{Notice, Tap};

/// Notices that may wait for the participant's loop.
const NOTICES: usize = 1024;

/// Sound's rate: 188 bytes (160 inside, sealed) fifty times a second.
const VOICE_BPS: u32 = 188 * 8 * 50;

/// What a participant sends, plays and records.
pub struct Media {
    /// What it sends of sound.
    pub microphone: Option<Box<dyn Microphone>>,
    /// What it sends of picture.
    pub camera: Option<Box<dyn Camera>>,
    /// What it plays to.
    pub speaker: Option<Speaker>,
    /// Where it records.
    pub record: Option<PathBuf>,
    /// How it encodes pictures.
    pub encoder: EncoderKind,
}

/// Why a participant cannot take part; sentences for the user.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The network.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The camera.
    #[error(transparent)]
    Camera(#[from] CameraError),
    /// The microphone.
    #[error(transparent)]
    Microphone(#[from] MicrophoneError),
    /// The loudspeaker.
    #[error(transparent)]
    Speaker(#[from] SpeakerError),
    /// The folder for recordings.
    #[error("Nothing can be recorded in {0}: {1}.")]
    Record(String, std::io::Error),
    /// No thread can be had.
    #[error("The operating system refused what a call needs: {0}.")]
    System(#[from] std::io::Error),
}

impl Media {
    /// Opens what the user named. `seed` makes made-up voices differ.
    ///
    /// # Errors
    /// [`StartError`] names what is not there.
    pub fn open(
        camera: &Source,
        microphone: &Source,
        speaker: &Sink,
        record: Option<PathBuf>,
        encoder: EncoderKind,
        seed: u64,
    ) -> Result<Self, StartError> {
        Ok(Self {
            microphone: microphone::open(microphone, seed)?,
            camera: camera::open(camera)?,
            speaker: match speaker {
                Sink::Off => None,
                Sink::Device(name) => Some(Speaker::open(name.as_deref())?),
            },
            record,
            encoder,
        })
    }
}

/// A participant in a call. [`Participant::stop`] ends it and all its threads.
pub struct Participant {
    mesh: Mesh,
    playout: Arc<Playout>,
    outgoing: Arc<Outgoing>,
    numbers: Arc<Numbers>,
    muted: Arc<AtomicBool>,
    encoder: EncoderKind,
    voice: Option<VoiceSender>,
    pictures: Option<PictureSender>,
    is_starter: bool,
    epoch: Instant,
    notices: Receiver<Notice>,
    notice_sink: Notices<Notice>,
    forwarder: JoinHandle<()>,
}

/// What one link and the media on it measured in the last second.
#[derive(Clone, Debug)]
pub struct MemberStats {
    /// Who.
    pub peer: PeerId,
    /// The link.
    pub link: sightline_mesh_proto::LinkStats,
    /// The media.
    pub media: Received,
}

impl Participant {
    /// Takes part: opens the network, then sends. `tap` sees what is played and shown as it happens.
    ///
    /// # Errors
    /// [`StartError`]: a sentence for the user.
    pub fn start(setup: Setup, media: Media, tap: Option<Arc<dyn Tap>>) -> Result<Self, StartError> {
        let epoch = setup.clock.start;
        let is_starter = matches!(setup.entry, Entry::Start);
        let (notice_sink, notices) = sync_channel(NOTICES);
        let numbers = Arc::new(Numbers::default());
        let recorder = media.record.map(|folder| {
            let failures = notice_sink.clone();
            Recorder::start(&folder, move |why| {
                tell(&failures, Notice::SourceFailed("recording", why));
            })
            .map_err(|error| StartError::Record(folder.display().to_string(), error))
        });
        let observer = Arc::new(Watching {
            notices: notice_sink.clone(),
            tap,
        });
        let playout = Arc::new(Playout::start(
            media.speaker,
            recorder.transpose()?,
            observer,
            epoch,
        )?);
        let incoming = Incoming {
            numbers: Arc::clone(&numbers),
            playout: Arc::clone(&playout),
        };
        let (mesh, mut events) = Mesh::start(setup, Arc::new(incoming))?;
        let forwarder = {
            let notices = notice_sink.clone();
            std::thread::Builder::new().name("events".into()).spawn(move || {
                while let Some(event) = events.blocking_recv() {
                    tell(&notices, Notice::Call(event));
                }
                tell(&notices, Notice::MeshEnded);
            })?
        };
        let outgoing = Arc::new(Outgoing {
            sender: mesh.sender(),
            notices: notice_sink.clone(),
            dropped: AtomicU64::new(0),
        });
        let mut participant = Self {
            mesh,
            playout,
            outgoing,
            numbers,
            muted: Arc::default(),
            encoder: media.encoder,
            voice: None,
            pictures: None,
            is_starter,
            epoch,
            notices,
            notice_sink,
            forwarder,
        };
        if let Some(microphone) = media.microphone {
            let (outbox, muted) = (participant.outgoing.clone(), Arc::clone(&participant.muted));
            participant.voice = Some(VoiceSender::start(microphone, outbox, muted, epoch)?);
        }
        participant.show(media.camera)?;
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

    /// Where other threads put notices for this participant's loop.
    #[must_use]
    pub fn notice_sink(&self) -> Notices<Notice> {
        self.notice_sink.clone()
    }

    /// Waits for something to happen, at most until `deadline`; what concerns mesh and media is done already.
    pub fn next_notice(&mut self, deadline: Instant) -> Option<Notice> {
        let patience = deadline.saturating_duration_since(now());
        match self.notices.recv_timeout(patience) {
            Ok(notice) => {
                self.handle(&notice);
                Some(notice)
            }
            // The sink above keeps the channel open.
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    fn handle(&mut self, notice: &Notice) {
        match notice {
            Notice::Call(Event::Joined { peer, name, .. }) => self.welcome(*peer, name),
            Notice::Call(Event::Left { peer, .. }) => {
                if let Some(member) = self.numbers.remove(peer) {
                    self.playout.remove(member);
                }
            }
            // Who is new can show nothing before a key frame.
            Notice::Call(Event::Route(step)) if step.route.state == State::Active => self.send_key_frame(),
            Notice::Call(Event::Told(_, body)) => match Feedback::decode(body) {
                Some(Feedback::KeyFrame) => self.send_key_frame(),
                None => {}
            },
            Notice::NeedsKeyFrame(member) => {
                if let Some(peer) = self.numbers.peer(*member) {
                    self.command(Command::Tell(peer, Feedback::KeyFrame.encode()));
                }
            }
            _ => {}
        }
    }

    fn welcome(&mut self, peer: PeerId, name: &Name) {
        let member = self.numbers.add(peer);
        if let Err(error) = self.playout.add(member, name.as_str()) {
            let why = format!("A member cannot be heard or seen: {error}.");
            hint(&self.notice_sink, Notice::SourceFailed("playout", why));
        }
    }

    fn send_key_frame(&self) {
        if let Some(pictures) = &self.pictures {
            pictures.request_key_frame();
        }
    }

    /// Hands a wish to the call.
    pub fn command(&self, command: Command) {
        self.mesh.sender().send_command(command);
    }

    /// Sends silence in place of what the microphone hears, or that again.
    pub fn set_muted(&self, muted: bool) {
        self.muted.store(muted, Ordering::Relaxed);
    }

    /// Sends pictures from another camera, or from none.
    ///
    /// # Errors
    /// [`CameraError`]; the camera before is off then.
    pub fn set_camera(&mut self, source: &Source) -> Result<(), CameraError> {
        self.pictures = None;
        let camera = camera::open(source)?;
        self.show(camera)
    }

    fn show(&mut self, camera: Option<Box<dyn Camera>>) -> Result<(), CameraError> {
        if let Some(camera) = camera {
            let outbox = self.outgoing.clone();
            self.pictures = Some(PictureSender::start(camera, self.encoder, outbox, self.epoch)?);
        }
        Ok(())
    }

    /// The peer behind a number of the media.
    #[must_use]
    pub fn peer(&self, member: sightline_media::MemberId) -> Option<PeerId> {
        self.numbers.peer(member)
    }

    /// What was measured of each member since this was last asked; to be asked once a second.
    #[must_use]
    pub fn take_stats(&self) -> Vec<MemberStats> {
        let links: Stats = self.mesh.stats();
        let worst = links.iter().map(|(_, link)| link.sent_loss).fold(0.0, f32::max);
        if let Some(pictures) = &self.pictures {
            pictures.report_loss(worst);
        }
        links
            .into_iter()
            .filter_map(|(peer, link)| {
                let member = self.numbers.get(&peer)?;
                self.playout.set_clock_offset(member, link.clock_offset);
                let media = self.playout.take_stats(member)?;
                Some(MemberStats { peer, link, media })
            })
            .collect()
    }

    /// What is sent to each member at most, as far as this participant's rate control decided: bits a second.
    #[must_use]
    pub fn estimate_bps(&self) -> u32 {
        let voice = if self.voice.is_some() { VOICE_BPS } else { 0 };
        voice + self.pictures.as_ref().map_or(0, |pictures| pictures.bitrate().0)
    }

    /// What was encoded so far, if there is a camera.
    #[must_use]
    pub fn sent_pictures(&self) -> Option<SentPictures> {
        self.pictures.as_ref().map(PictureSender::counts)
    }

    /// Packets that the network side was too busy to take, so far.
    #[must_use]
    pub fn dropped_packets(&self) -> u64 {
        self.outgoing.dropped.load(Ordering::Relaxed)
    }

    /// Leaves if that has not been done, and ends every thread. Takes at most about half a second. Returns what
    /// the call has done, to the last packet.
    pub fn stop(self) -> Record {
        // Whoever waits to tell something need not any more.
        drop(self.notices);
        drop(self.pictures);
        drop(self.voice);
        let record = self.mesh.stop();
        // Ends with the mesh; a panic was printed when it happened.
        let _panicked = self.forwarder.join();
        drop(self.playout);
        record
    }
}

/// A moment `seconds` from now.
#[must_use]
pub fn after(seconds: f64) -> Instant {
    now() + Duration::from_secs_f64(seconds)
}

#[allow(clippy::disallowed_methods, reason = "the participant's clock")]
fn now() -> Instant {
    Instant::now()
}

/// Ties this program's start to the wall clock.
#[must_use]
#[allow(clippy::disallowed_methods, reason = "the program's clock")]
pub fn clock() -> sightline_mesh_proto::Clock {
    let wall = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    sightline_mesh_proto::Clock {
        start: Instant::now(),
        wall: sightline_mesh_proto::UnixTime(wall.as_secs()),
    }
}
