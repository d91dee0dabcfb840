//! What arrives: each member's voice through its playout into one mix, each member's picture through a
//! decoder into a slot for the latest.

mod pictures;
mod voice;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::allowance::Allowance;
use sightline_media_proto::mixer::Limiter;
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::sync::LipSync;
use sightline_media_proto::{Ticks, audio, playout};

use self::pictures::{DECODER_QUEUE, PicturesIn, Seen, decode_all};
use self::voice::{Mixing, VoiceIn};
use crate::opus_codec::VoiceDecoder;
use crate::picture::{Picture, Size};
use crate::processing::FarEnd;
use crate::record::Recorder;
use crate::speaker::Speaker;
use crate::tone;

/// Names a member here; the program above chooses it, and calls it the same when it comes back.
pub type MemberId = u64;

/// What the receiving side tells the program above, on its own threads.
pub trait Observer: Send + Sync {
    /// The first frame of a member's voice was played out.
    fn first_audio(&self, member: MemberId);
    /// The first picture of a member was decoded.
    fn first_video(&self, member: MemberId);
    /// A member's pictures can go on only with a key frame.
    fn needs_key_frame(&self, member: MemberId);
    /// The loudspeaker takes no more sound: the call goes on without it.
    fn speaker_lost(&self);
    /// A member's picture could not be decoded.
    fn undecodable(&self, member: MemberId);
    /// A member's pictures take more of this machine than pictures do: none are shown for a while.
    fn too_costly(&self, member: MemberId);
    /// A block of a member's voice is played out now. For measurements.
    fn played(&self, _member: MemberId, _samples: &[f32], _at: Instant) {}
    /// A member's picture was decoded.
    fn shown(&self, _member: MemberId, _picture: &Arc<Picture>) {}
}

/// What was measured of one member, over the time since it was last asked for.
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
    pub audio: playout::Counts,
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
    /// Starts playing to `speaker`, or to nowhere at the same pace. `epoch` is the program's start.
    ///
    /// # Errors
    /// No thread can be had.
    pub fn start(
        speaker: Option<Speaker>,
        recorder: Option<Recorder>,
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
            speaker,
            outlet: Arc::clone(&outlet),
            limiter: Limiter::default(),
        };
        let stopped = Arc::clone(&stop);
        let mixer = std::thread::Builder::new()
            .name("mixer".into())
            .spawn(move || mixing.run(&stopped))?;
        Ok(Self {
            members,
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

    /// Plays to another loudspeaker, or to nowhere, from the next block on.
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

    /// How loud a member is played: 1 as they come, at most 2.
    pub fn set_volume(&self, id: MemberId, volume: f32) {
        if let Some(member) = self.member(id) {
            lock(&member.voice).volume = if volume.is_finite() {
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
            .is_some_and(|member| lock(&member.voice).level.is_speech())
    }

    /// A member is here.
    ///
    /// # Errors
    /// No decoder or thread can be had.
    #[allow(clippy::disallowed_methods, reason = "the playout clock")]
    pub fn add(&self, id: MemberId, name: &str) -> std::io::Result<()> {
        let allowance = Arc::clone(
            lock(&self.allowances)
                .entry(id)
                .or_insert_with(|| Arc::new(Mutex::new(Allowance::new(Instant::now())))),
        );
        let decoder = VoiceDecoder::new().map_err(std::io::Error::other)?;
        let (frames, source) = sync_channel(DECODER_QUEUE);
        let member = Arc::new(Member {
            id,
            voice: Mutex::new(VoiceIn::new(decoder)),
            pictures: Mutex::new(PicturesIn {
                reassembler: Reassembler::default(),
                frames: Some(frames),
            }),
            seen: Mutex::new(Seen::default()),
            sync: Mutex::default(),
            clock_offset: Mutex::new(None),
            epoch: self.epoch,
            allowance,
            stopped: Arc::default(),
            thread: Mutex::new(None),
        });
        let thread = {
            let (member, observer) = (Arc::clone(&member), Arc::clone(&self.observer));
            std::thread::Builder::new()
                .name("decoder".into())
                .spawn(move || decode_all(&member, &source, &*observer))?
        };
        *lock(&member.thread) = Some(thread);
        if let Some(recorder) = &self.recorder {
            recorder.open(id, name);
        }
        lock(&self.members).insert(id, member);
        Ok(())
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
                recorder.close(id);
            }
        }
    }

    /// A packet of sound arrived. False when it was of no use.
    pub fn handle_audio(&self, id: MemberId, body: &[u8], now: Instant) -> bool {
        let Some(member) = self.member(id) else {
            return false;
        };
        let Some(packet) = audio::Packet::decode(body) else {
            return false;
        };
        lock(&member.voice).buffer.handle_packet(packet, now).is_ok()
    }

    /// A packet of picture arrived.
    pub fn handle_video(&self, id: MemberId, body: &[u8], now: Instant) {
        if let Some(member) = self.member(id) {
            let mut pictures = lock(&member.pictures);
            pictures.reassembler.handle_packet(body, now);
            pictures.hand_on(now);
        }
    }

    /// A member sends no pictures: that none come is no freeze.
    pub fn handle_camera_off(&self, id: MemberId) {
        if let Some(member) = self.member(id) {
            lock(&member.seen).pause();
            member.forget_pictures();
        }
    }

    /// The difference between a member's clock and ours, microseconds, as the call measured it.
    pub fn set_clock_offset(&self, id: MemberId, offset: Option<i64>) {
        if let Some(member) = self.member(id) {
            *lock(&member.clock_offset) = offset;
        }
    }

    /// What was measured of a member since this was last asked.
    #[must_use]
    pub fn take_stats(&self, id: MemberId) -> Option<Received> {
        let member = self.member(id)?;
        let mut voice = lock(&member.voice);
        let mut seen = lock(&member.seen);
        let pictures = lock(&member.pictures).reassembler.counts();
        let received = Received {
            audio_delay: voice.delay.take(),
            audio_buffer: voice.buffer.delay(),
            audio_target: voice.buffer.target(),
            audio_frame: voice.buffer.frame(),
            audio: voice.buffer.counts(),
            level_db: voice.take_level(),
            pictures: std::mem::take(&mut seen.since_asked),
            size: seen.latest.as_ref().map(|picture| picture.size),
            decode: seen.take_decode(),
            video_delay: seen.delay.take(),
            freezes: seen.freezes,
            frozen: seen.frozen,
            video_lost: pictures.lost,
            video_dropped: pictures.dropped,
        };
        Some(received)
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
        ending.extend(members.values().filter_map(|member| member.begin_to_stop()));
        for thread in ending {
            // A panic was printed when it happened.
            let _panicked = thread.join();
        }
    }
}

/// One member's streams.
struct Member {
    id: MemberId,
    voice: Mutex<VoiceIn>,
    pictures: Mutex<PicturesIn>,
    seen: Mutex<Seen>,
    sync: Mutex<LipSync>,
    /// Their clock minus ours, microseconds.
    clock_offset: Mutex<Option<i64>>,
    epoch: Instant,
    allowance: Arc<Mutex<Allowance>>,
    stopped: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Member {
    /// What waits to be decoded need not be any more. Returns the thread, which ends after the picture that it is at.
    fn begin_to_stop(&self) -> Option<JoinHandle<()>> {
        self.stopped.store(true, Ordering::Relaxed);
        lock(&self.pictures).frames = None;
        lock(&self.thread).take()
    }

    /// There are no pictures for sound to wait for.
    fn forget_pictures(&self) {
        *lock(&self.sync) = LipSync::default();
        lock(&self.voice).buffer.set_extra(Duration::ZERO);
    }

    /// How long ago something was captured, by our clock.
    fn age(&self, captured: Ticks, now: Instant) -> Option<Duration> {
        let offset = (*lock(&self.clock_offset))?;
        let ours = Ticks::from_start(now.saturating_duration_since(self.epoch));
        let age = ours.micros_since(captured).checked_add(offset)?;
        // A little below zero is the measurement's error.
        (-5_000..60_000_000)
            .contains(&age)
            .then(|| Duration::from_micros(age.max(0).cast_unsigned()))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
