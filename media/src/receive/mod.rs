//! What arrives: each track of audio through its playout into one mix, each track of video through a decoder into a slot for
//! the latest picture.

mod audio;
mod member;
mod video;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::allowance::Allowance;
use sightline_media_proto::audio::Packet;
use sightline_media_proto::mixer::Limiter;
use sightline_media_proto::video::Fragment;
use sightline_media_proto::{AudioTrack, Stream, VideoTrack, playout};

use self::audio::{AudioIn, Mixing};
use self::member::{Member, StreamIn};
use crate::decoder::DecoderFactory;
use crate::opus_codec::{CodecError, VoiceDecoder};
use crate::picture::{Picture, Size};
use crate::processing::FarEnd;
use crate::record::Recorder;
use crate::speaker::Speaker;
use crate::tone;

/// 500 ms, in such polls: how long the end of a call waits for decoders, which usually end within a picture.
const END_POLLS: u32 = 50;
const END_POLL: Duration = Duration::from_millis(10);

/// Names a member here; the program above chooses it, and calls it the same when it comes back.
pub type MemberId = u64;

/// What the receiving side tells the program above, on its own threads.
pub trait Observer: Send + Sync {
    /// The first frame of a member's track was played out.
    fn first_audio(&self, member: MemberId, track: AudioTrack);
    /// The first picture of a member's track was decoded.
    fn first_video(&self, member: MemberId, track: VideoTrack);
    /// A member's track can go on only with a key frame.
    fn needs_key_frame(&self, member: MemberId, track: VideoTrack);
    /// The loudspeaker plays: it has taken half a second of sound.
    fn speaker_runs(&self);
    /// The loudspeaker takes no more sound, or never did: the call goes on without it. The sentence says why.
    fn speaker_failed(&self, message: String);
    /// A member's picture could not be decoded.
    fn undecodable(&self, member: MemberId);
    /// A member's pictures take more of this machine than pictures do: none are shown for a while.
    fn too_costly(&self, member: MemberId);
    /// A block of a member's track is played out now. For measurements.
    fn played(&self, _member: MemberId, _track: AudioTrack, _samples: &[f32], _at: Instant) {}
    /// A picture of a member's track was decoded.
    fn shown(&self, _member: MemberId, _track: VideoTrack, _picture: &Arc<Picture>) {}
}

/// What was measured of one stream of a member, over the time since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Received {
    /// Sound from capture to playout, when the clocks' difference is known.
    pub audio_delay: Option<Duration>,
    /// How long sound waits before it is played.
    pub audio_buffer: Duration,
    /// How long it is meant to wait, by what the network needs.
    pub audio_target: Duration,
    /// How much sound a packet carries.
    pub audio_frame: Duration,
    /// Blocks of sound, of 10 ms, since the beginning.
    pub audio: playout::PlayoutStats,
    /// The loudest block's level, decibels below full scale; `None` without sound.
    pub level_db: Option<f32>,
    /// Pictures decoded.
    pub pictures: u32,
    /// The last picture's size.
    pub size: Option<Size>,
    /// How long decoding a picture took, on average.
    pub decode: Option<Duration>,
    /// Picture from capture to decoded, when the clocks' difference is known.
    pub video_delay: Option<Duration>,
    /// Times that the picture froze, since the beginning.
    pub freezes: u32,
    /// For how long, together.
    pub frozen: Duration,
    /// Frames of picture given up, since the beginning.
    pub video_lost: u64,
    /// Packets of picture that made no sense or came too late, since the beginning.
    pub video_dropped: u64,
}

/// Receives, mixes and plays. Dropping it ends its threads.
pub struct Playout {
    members: Arc<Mutex<BTreeMap<MemberId, Arc<Member>>>>,
    decoders: Arc<dyn DecoderFactory>,
    observer: Arc<dyn Observer>,
    recorder: Option<Arc<Recorder>>,
    epoch: Instant,
    stop: Arc<AtomicBool>,
    outlet: Arc<Outlet>,
    mixer: Option<JoinHandle<()>>,
    /// What each member's pictures may still take. Who goes and comes back has spent what it has.
    allowances: Mutex<BTreeMap<MemberId, Arc<Mutex<Allowance>>>>,
    /// Threads of members that are gone, and may still be at a picture of theirs.
    ending: Mutex<Vec<JoinHandle<()>>>,
}

/// Where the mix goes next: handed to the mixer's thread.
#[derive(Default)]
struct Outlet {
    /// A change that the mixer has not made yet.
    next: Mutex<Option<Option<Speaker>>>,
    /// Samples of the tone that are still to be played.
    tone: AtomicU32,
    /// What is played, for whoever takes its echo out.
    far_end: Arc<FarEnd>,
    /// Mixes, and those that were late.
    mixes: AtomicU32,
    late: AtomicU32,
}

impl Playout {
    /// Starts playing to `speaker`, or to nowhere at the same pace. Video is decoded by what `decoders` makes. `epoch` is the
    /// program's start.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(
        speaker: Option<Speaker>,
        recorder: Option<Recorder>,
        decoders: Arc<dyn DecoderFactory>,
        observer: Arc<dyn Observer>,
        epoch: Instant,
    ) -> std::io::Result<Self> {
        let members = Arc::new(Mutex::new(BTreeMap::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let recorder = recorder.map(Arc::new);
        let outlet = Arc::new(Outlet::default());
        let mixing = Mixing {
            members: Arc::clone(&members),
            recorder: recorder.clone(),
            observer: Arc::clone(&observer),
            speaker: None,
            next_speaker: speaker.map(|speaker| (speaker, epoch)),
            taken: 0,
            outlet: Arc::clone(&outlet),
            limiter: Limiter::default(),
        };
        let stopped = Arc::clone(&stop);
        let mixer = std::thread::Builder::new()
            .name("mixer".into())
            .spawn(move || mixing.run(&stopped))?;
        Ok(Self {
            members,
            decoders,
            observer,
            recorder,
            epoch,
            stop,
            outlet,
            mixer: Some(mixer),
            allowances: Mutex::default(),
            ending: Mutex::default(),
        })
    }

    /// Plays to another loudspeaker once it runs, and to nowhere until then.
    pub fn set_speaker(&self, speaker: Option<Speaker>) {
        *lock(&self.outlet.next) = Some(speaker);
    }

    /// What the loudspeaker plays, for whoever takes its echo out of what the microphone hears.
    #[must_use]
    pub fn far_end(&self) -> Arc<FarEnd> {
        Arc::clone(&self.outlet.far_end)
    }

    /// The share of mixes since this was last asked that were so late that a frame of sound was overdue.
    #[must_use]
    pub fn take_lateness(&self) -> f32 {
        let mixes = self.outlet.mixes.swap(0, Ordering::Relaxed);
        let late = self.outlet.late.swap(0, Ordering::Relaxed);
        late as f32 / mixes.max(1) as f32
    }

    /// Plays a short tone, to hear where the sound comes from.
    pub fn play_tone(&self) {
        self.outlet.tone.store(tone::SAMPLES, Ordering::Relaxed);
    }

    /// How loud a member's track is played: 1 as it comes, at most 2.
    pub fn set_volume(&self, id: MemberId, track: AudioTrack, volume: f32) {
        if let Some(member) = self.member(id) {
            lock(&member.stream(track.stream()).audio).volume = if volume.is_finite() {
                volume.clamp(0.0, 2.0)
            } else {
                1.0
            };
        }
    }

    /// Whether a member speaks just now.
    #[must_use]
    pub fn is_speaking(&self, id: MemberId) -> bool {
        self.member(id)
            .is_some_and(|member| lock(&member.stream(Stream::Person).audio).level.is_speech())
    }

    /// A member is here.
    ///
    /// # Errors
    /// No decoder can be had.
    #[allow(clippy::disallowed_methods, reason = "the playout clock")]
    pub fn add(&self, id: MemberId, name: &str) -> std::io::Result<()> {
        let allowance = Arc::clone(
            lock(&self.allowances)
                .entry(id)
                .or_insert_with(|| Arc::new(Mutex::new(Allowance::new(Instant::now())))),
        );
        let stream = |stream| -> Result<StreamIn, CodecError> {
            Ok(StreamIn {
                stream,
                audio: Mutex::new(AudioIn::new(VoiceDecoder::new()?)),
                video: Mutex::default(),
                seen: Mutex::default(),
                sync: Mutex::default(),
                has_begun: AtomicBool::new(false),
            })
        };
        let [person, screen] = Stream::ALL.map(stream);
        let member = Member {
            id,
            name: name.to_owned(),
            streams: [
                person.map_err(std::io::Error::other)?,
                screen.map_err(std::io::Error::other)?,
            ],
            clock_offset: Mutex::new(None),
            epoch: self.epoch,
            decoders: Arc::clone(&self.decoders),
            allowance,
            stopped: Arc::default(),
        };
        if let Some(recorder) = &self.recorder {
            recorder.open((id, Stream::Person), name);
        }
        member
            .stream(Stream::Person)
            .has_begun
            .store(true, Ordering::Relaxed);
        lock(&self.members).insert(id, Arc::new(member));
        Ok(())
    }

    /// Something of a stream has come: from now on it is mixed and recorded. Does not wait: it is called by whoever receives.
    fn begin(&self, member: &Member, stream: Stream) {
        let begun = &member.stream(stream).has_begun;
        if begun.load(Ordering::Relaxed) || member.stopped.load(Ordering::Relaxed) {
            return;
        }
        if let Some(recorder) = &self.recorder {
            recorder.open((member.id, stream), &member.name);
        }
        begun.store(true, Ordering::Relaxed);
        tracing::debug_span!("track", member = member.id, ?stream).in_scope(|| tracing::debug!("begins"));
    }

    /// A member is gone.
    pub fn remove(&self, id: MemberId) {
        let removed = lock(&self.members).remove(&id);
        if let Some(member) = removed {
            // Not waited for here: how long a picture takes is the member's choice.
            let mut ending = lock(&self.ending);
            ending.retain(|thread| !thread.is_finished());
            ending.extend(member.begin_to_stop());
            drop(ending);
            if let Some(recorder) = &self.recorder {
                for stream in Stream::ALL {
                    recorder.close((id, stream));
                }
            }
        }
    }

    /// A packet of audio arrived. False when it was of no use.
    pub fn handle_audio(&self, id: MemberId, track: AudioTrack, body: &[u8], now: Instant) -> bool {
        let Some(member) = self.member(id) else {
            return false;
        };
        let Some(packet) = Packet::decode(body) else {
            return false;
        };
        self.begin(&member, track.stream());
        let mut audio = lock(&member.stream(track.stream()).audio);
        audio.buffer.handle_packet(packet, now).is_ok()
    }

    /// A packet of video arrived.
    pub fn handle_video(&self, id: MemberId, track: VideoTrack, body: &[u8], now: Instant) {
        if let Some(member) = self.member(id) {
            // What makes no sense begins nothing; the reassembler counts it.
            let has_begun = member.stream(track.stream()).has_begun.load(Ordering::Relaxed);
            if !has_begun && Fragment::decode(body).is_some() {
                self.begin(&member, track.stream());
            }
            Member::handle_video(&member, track, body, &self.observer, now);
        }
    }

    /// Records that a member has stopped sending video, so that the gap does not count as a freeze.
    pub fn handle_video_off(&self, id: MemberId, track: VideoTrack) {
        if let Some(member) = self.member(id) {
            let stream = member.stream(track.stream());
            lock(&stream.seen).pause();
            stream.forget_video();
        }
    }

    /// The difference between a member's clock and ours, microseconds, as the call measured it.
    pub fn set_clock_offset(&self, id: MemberId, offset: Option<i64>) {
        if let Some(member) = self.member(id) {
            *lock(&member.clock_offset) = offset;
        }
    }

    /// What was measured of a member's stream since this was last asked; `None` for one of which nothing ever came.
    #[must_use]
    pub fn take_stats(&self, id: MemberId, stream: Stream) -> Option<Received> {
        let member = self.member(id)?;
        let stream = member.stream(stream);
        let has_begun = stream.has_begun.load(Ordering::Relaxed);
        has_begun.then(|| stream.take_stats())
    }

    fn member(&self, id: MemberId) -> Option<Arc<Member>> {
        lock(&self.members).get(&id).cloned()
    }
}

impl Drop for Playout {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(mixer) = self.mixer.take() {
            // A panic was printed when it happened.
            let _panicked = mixer.join();
        }
        let members = std::mem::take(&mut *lock(&self.members));
        let mut ending = std::mem::take(&mut *lock(&self.ending));
        ending.extend(members.values().flat_map(|member| member.begin_to_stop()));
        end(ending);
    }
}

/// Joins the threads of decoders that are to stop, and lets go of those that have not ended in time: how long a picture takes
/// is the sender's choice, and they end with it.
fn end(mut threads: Vec<JoinHandle<()>>) {
    for _ in 0..END_POLLS {
        threads.retain(|thread| !thread.is_finished());
        if threads.is_empty() {
            return;
        }
        std::thread::sleep(END_POLL);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
