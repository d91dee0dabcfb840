//! What arrives: each member's voice through a jitter buffer into one mix, each member's picture through a
//! decoder into a slot for the latest.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::audio::{self, FRAME_SAMPLES, SAMPLE_RATE};
use sightline_media_proto::jitter::{self, JitterBuffer, Playout as Next};
use sightline_media_proto::mixer::{self, Limiter};
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::{Ticks, video};

use crate::av1::Decoder;
use crate::opus_codec::VoiceDecoder;
use crate::picture::{Picture, Size};
use crate::record::Recorder;
use crate::speaker::Speaker;

/// 10 ms: what is mixed at once.
const BLOCK: Duration = Duration::from_millis(10);

/// Samples in a block.
const BLOCK_SAMPLES: usize = 480;

/// 30 ms of sound wait for the loudspeaker: three of its usual periods.
const SPEAKER_LEVEL: u32 = 30;

/// Whole pictures that may wait for the decoder: more would only be late.
const DECODER_QUEUE: usize = 4;

/// 50 ms: how often a decoder without work looks whether a picture is overdue.
const DECODER_POLL: Duration = Duration::from_millis(50);

/// 1 s: pictures that cannot be decoded are told at most this often.
const FAILURE_GAP: Duration = Duration::from_secs(1);

/// 3 s: a loudspeaker that takes nothing for this long is taken to be gone. Some take one to begin.
const SPEAKER_PATIENCE: Duration = Duration::from_secs(3);

/// A picture is frozen when the next one takes longer than three usual intervals, or 150 ms more than one
/// (the definition of `freezeCount` in W3C's webrtc-stats).
const FREEZE_EXTRA: Duration = Duration::from_millis(150);

/// Names a member here; the program above chooses it.
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
    /// A block of a member's voice is played out now. For measurements.
    fn played(&self, _member: MemberId, _samples: &[f32], _at: Instant) {}
    /// A member's picture was decoded. For measurements.
    fn shown(&self, _member: MemberId, _picture: &Picture) {}
}

/// What was measured of one member, over the time since it was last asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Received {
    /// Sound from capture to playout, when the clocks' difference is known.
    pub audio_delay: Option<Duration>,
    /// How long frames of sound wait in the jitter buffer.
    pub audio_buffer: Duration,
    /// Frames of sound since the beginning.
    pub audio: jitter::Counts,
    /// The loudest block's level, decibels below full scale; `None` without sound.
    pub level_db: Option<f32>,
    /// Pictures decoded.
    pub pictures: u32,
    /// The last picture's size.
    pub size: Option<Size>,
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
    mixer: Option<JoinHandle<()>>,
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
        let mixing = Mixing {
            members: Arc::clone(&members),
            recorder: recorder.clone(),
            observer: Arc::clone(&observer),
            speaker,
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
            mixer: Some(mixer),
        })
    }

    /// A member is here.
    ///
    /// # Errors
    /// No decoder or thread can be had.
    pub fn add(&self, id: MemberId, name: &str) -> std::io::Result<()> {
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
            clock_offset: Mutex::new(None),
            epoch: self.epoch,
            stopped: AtomicBool::new(false),
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
            member.stop();
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
            audio: voice.buffer.counts(),
            level_db: voice.take_level(),
            pictures: std::mem::take(&mut seen.since_asked),
            size: seen.latest.as_ref().map(|picture| picture.size),
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
        for member in members.values() {
            member.stop();
        }
    }
}

/// One member's streams.
struct Member {
    id: MemberId,
    voice: Mutex<VoiceIn>,
    pictures: Mutex<PicturesIn>,
    seen: Mutex<Seen>,
    /// Their clock minus ours, microseconds.
    clock_offset: Mutex<Option<i64>>,
    epoch: Instant,
    stopped: AtomicBool,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Member {
    fn stop(&self) {
        // What waits to be decoded need not be any more.
        self.stopped.store(true, Ordering::Relaxed);
        lock(&self.pictures).frames = None;
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread {
            // A panic was printed when it happened.
            let _panicked = thread.join();
        }
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

struct VoiceIn {
    buffer: JitterBuffer,
    decoder: VoiceDecoder,
    /// Decoded and not yet played.
    ready: Vec<f32>,
    heard: bool,
    delay: Option<Duration>,
    loudest: f32,
}

impl VoiceIn {
    fn new(decoder: VoiceDecoder) -> Self {
        Self {
            buffer: JitterBuffer::default(),
            decoder,
            ready: Vec::with_capacity(2 * FRAME_SAMPLES),
            heard: false,
            delay: None,
            loudest: 0.0,
        }
    }

    /// The next block. Returns the captured time of its first sample when a frame begins with it.
    fn next_block(&mut self, block: &mut [f32; BLOCK_SAMPLES], now: Instant) -> Option<Ticks> {
        let mut began = None;
        if self.ready.len() < BLOCK_SAMPLES {
            let mut frame = [0.0; FRAME_SAMPLES];
            match self.buffer.poll_frame(now) {
                Next::Frame(packet) => {
                    self.decoder.decode(&packet.payload, &mut frame);
                    began = Some(packet.captured);
                    self.ready.extend_from_slice(&frame);
                }
                Next::Conceal => {
                    self.decoder.conceal(&mut frame);
                    self.ready.extend_from_slice(&frame);
                }
                Next::Silence => {}
            }
        }
        if self.ready.len() >= BLOCK_SAMPLES {
            block.copy_from_slice(&self.ready[..BLOCK_SAMPLES]);
            self.ready.drain(..BLOCK_SAMPLES);
        } else {
            block.fill(0.0);
        }
        let power = block.iter().map(|sample| sample * sample).sum::<f32>() / BLOCK_SAMPLES as f32;
        self.loudest = self.loudest.max(power);
        began
    }

    fn take_level(&mut self) -> Option<f32> {
        let loudest = std::mem::take(&mut self.loudest);
        (loudest > 1e-9).then(|| 10.0 * loudest.log10())
    }
}

/// The mixer's thread.
struct Mixing {
    members: Arc<Mutex<BTreeMap<MemberId, Arc<Member>>>>,
    recorder: Option<Arc<Recorder>>,
    observer: Arc<dyn Observer>,
    speaker: Option<Speaker>,
    limiter: Limiter,
}

#[allow(clippy::disallowed_methods, reason = "the playout clock")]
impl Mixing {
    fn run(mut self, stop: &AtomicBool) {
        let mut due = Instant::now();
        let mut played = due;
        while !stop.load(Ordering::Relaxed) {
            match &self.speaker {
                // The device's clock sets the pace.
                Some(speaker) if speaker.waiting_millis() >= SPEAKER_LEVEL => {
                    std::thread::sleep(Duration::from_millis(2));
                    due = Instant::now();
                    if due > played + SPEAKER_PATIENCE {
                        self.speaker = None;
                        self.observer.speaker_lost();
                    }
                    continue;
                }
                Some(_) => {}
                None => {
                    due += BLOCK;
                    let now = Instant::now();
                    if now > due + 20 * BLOCK {
                        due = now;
                    }
                    std::thread::sleep(due.saturating_duration_since(now));
                }
            }
            played = Instant::now();
            self.play_block(played);
        }
    }

    fn play_block(&mut self, now: Instant) {
        let members: Vec<_> = lock(&self.members).values().cloned().collect();
        let mut mix = [0.0; BLOCK_SAMPLES];
        let mut block = [0.0; BLOCK_SAMPLES];
        for member in members {
            let (began, is_first) = {
                let mut voice = lock(&member.voice);
                let began = voice.next_block(&mut block, now);
                let is_first = began.is_some() && !std::mem::replace(&mut voice.heard, true);
                if let Some(captured) = began {
                    voice.delay = member.age(captured, now).or(voice.delay);
                }
                (began, is_first)
            };
            mixer::add(&mut mix, &block);
            if is_first {
                self.observer.first_audio(member.id);
            }
            if began.is_some() || block.iter().any(|sample| *sample != 0.0) {
                self.observer.played(member.id, &block, now);
            }
            if let Some(recorder) = &self.recorder {
                let picture = lock(&member.seen).latest.clone();
                recorder.write(member.id, &block, picture);
            }
        }
        self.limiter.limit(&mut mix);
        if let Some(speaker) = &mut self.speaker {
            speaker.play(&mix);
        }
    }
}

struct PicturesIn {
    reassembler: Reassembler,
    /// To the decoder; `None` once the member is gone.
    frames: Option<SyncSender<video::Frame>>,
}

impl PicturesIn {
    fn hand_on(&mut self, now: Instant) {
        while let Some(frame) = self.reassembler.poll_frame(now) {
            let full = match &self.frames {
                Some(frames) => matches!(frames.try_send(frame), Err(TrySendError::Full(_))),
                None => false,
            };
            if full {
                // A decoder that cannot keep up begins again at the next key frame.
                self.reassembler.handle_decode_failure();
            }
        }
    }
}

/// What was shown of a member.
#[derive(Default)]
struct Seen {
    latest: Option<Arc<Picture>>,
    since_asked: u32,
    delay: Option<Duration>,
    last_at: Option<Instant>,
    /// When a picture that could not be decoded was last told.
    last_failure: Option<Instant>,
    /// The usual time between two pictures.
    interval: Duration,
    freezes: u32,
    frozen: Duration,
}

impl Seen {
    fn note(&mut self, picture: Arc<Picture>, delay: Option<Duration>, now: Instant) {
        self.latest = Some(picture);
        self.since_asked += 1;
        self.delay = delay.or(self.delay);
        if let Some(last) = self.last_at.replace(now) {
            let gap = now.saturating_duration_since(last);
            if self.interval.is_zero() {
                self.interval = gap;
            }
            if gap >= (3 * self.interval).max(self.interval + FREEZE_EXTRA) {
                self.freezes += 1;
                self.frozen += gap;
            } else {
                self.interval = (self.interval * 15 + gap) / 16;
            }
        }
    }
}

/// A decoder's thread.
#[allow(clippy::disallowed_methods, reason = "the playout clock")]
fn decode_all(member: &Member, source: &Receiver<video::Frame>, observer: &dyn Observer) {
    let Ok(mut decoder) = Decoder::new() else {
        return observer.undecodable(member.id);
    };
    loop {
        match source.recv_timeout(DECODER_POLL) {
            Ok(_) if member.stopped.load(Ordering::Relaxed) => return,
            Ok(frame) => decode(member, &mut decoder, frame, observer),
            Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {}
            Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return,
        }
        let now = Instant::now();
        let mut pictures = lock(&member.pictures);
        pictures.hand_on(now);
        let ask = pictures.reassembler.poll_key_frame_request(now);
        drop(pictures);
        if ask {
            observer.needs_key_frame(member.id);
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "the playout clock")]
fn decode(member: &Member, decoder: &mut Decoder, frame: video::Frame, observer: &dyn Observer) {
    let captured = frame.captured;
    match decoder.decode(frame.data, Instant::now()) {
        Ok(Some(picture)) => {
            let now = Instant::now();
            let picture = Arc::new(picture);
            let delay = member.age(captured, now);
            lock(&member.pictures).reassembler.handle_decoded();
            let mut seen = lock(&member.seen);
            let is_first = seen.latest.is_none();
            seen.note(Arc::clone(&picture), delay, now);
            drop(seen);
            observer.shown(member.id, &picture);
            if is_first {
                observer.first_video(member.id);
            }
        }
        Ok(None) => {}
        Err(_) => {
            lock(&member.pictures).reassembler.handle_decode_failure();
            let now = Instant::now();
            let mut seen = lock(&member.seen);
            if seen.last_failure.is_none_or(|last| now > last + FAILURE_GAP) {
                seen.last_failure = Some(now);
                observer.undecodable(member.id);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const _: () = assert!(BLOCK_SAMPLES as u128 == BLOCK.as_millis() * SAMPLE_RATE as u128 / 1000);
