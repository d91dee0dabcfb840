//! Pictures: each member's reassembly, the thread that decodes them, and what was shown.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::time::{Duration, Instant};

use sightline_media_proto::allowance::Allowance;
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::video;

use super::{Member, Observer, lock};
use crate::av1::{DecodeError, Decoder};
use crate::picture::Picture;

/// Whole pictures that may wait for the decoder: what comes at once when a part that was waited for has come, and while one
/// waits for its sound.
pub const DECODER_QUEUE: usize = 24;

/// 50 ms: how often a decoder without work looks whether a picture is overdue.
const DECODER_POLL: Duration = Duration::from_millis(50);

/// 50 ms: how long a decoder that waits does not look whether it is to stop.
const SLEEP: Duration = Duration::from_millis(50);

/// 1 s: without a picture for this long sound waits for none.
const NO_PICTURES: Duration = Duration::from_secs(1);

/// 1 s: pictures that cannot be decoded are told at most this often.
const FAILURE_GAP: Duration = Duration::from_secs(1);

/// A picture is frozen when the next one takes longer than three usual intervals, or 150 ms more than one
/// (the definition of `freezeCount` in W3C's webrtc-stats).
const FREEZE_EXTRA: Duration = Duration::from_millis(150);

/// What came of one sender's pictures.
pub struct PicturesIn {
    pub reassembler: Reassembler,
    /// To the decoder; `None` once the member is gone.
    pub frames: Option<SyncSender<video::Frame>>,
}

impl PicturesIn {
    pub fn hand_on(&mut self, now: Instant) {
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
pub struct Seen {
    pub latest: Option<Arc<Picture>>,
    pub since_asked: u32,
    pub delay: Option<Duration>,
    /// Time spent decoding, and pictures decoded in it, since that was last asked for.
    decoding: (Duration, u32),
    last_at: Option<Instant>,
    /// When a picture that could not be decoded was last told.
    last_failure: Option<Instant>,
    /// The usual time between two pictures.
    interval: Duration,
    pub freezes: u32,
    pub frozen: Duration,
}

impl Seen {
    /// No picture has come for a while.
    fn has_ceased(&self, now: Instant) -> bool {
        self.last_at.is_some_and(|last| now > last + NO_PICTURES)
    }

    pub fn take_decode(&mut self) -> Option<Duration> {
        let (time, pictures) = std::mem::take(&mut self.decoding);
        time.checked_div(pictures)
    }

    /// The time until the next picture says nothing.
    pub const fn pause(&mut self) {
        self.last_at = None;
    }

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
pub fn decode_all(member: &Member, source: &Receiver<video::Frame>, observer: &dyn Observer) {
    let mut decoder = Decoder::default();
    let mut allowance = Allowance::new(Instant::now());
    let mut was_open = true;
    loop {
        let frame = match source.recv_timeout(DECODER_POLL) {
            Ok(_) if member.stopped.load(Ordering::Relaxed) => return,
            Ok(frame) => Some(frame),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let now = Instant::now();
        let is_open = allowance.is_open(now);
        if is_open && !was_open {
            // What was left out is missing.
            lock(&member.pictures).reassembler.handle_decode_failure();
        }
        was_open = is_open;
        if let Some(frame) = frame.filter(|_| is_open) {
            decode(member, (&mut decoder, &mut allowance), &frame, observer);
        }
        if lock(&member.seen).has_ceased(now) {
            member.forget_pictures();
        }
        let mut pictures = lock(&member.pictures);
        pictures.hand_on(now);
        let ask = is_open && pictures.reassembler.poll_key_frame_request(now);
        drop(pictures);
        if ask {
            observer.needs_key_frame(member.id);
        }
    }
}

/// Sleeps, in pieces, so that the member can go meanwhile.
fn sleep(member: &Member, mut left: Duration) {
    while !left.is_zero() && !member.stopped.load(Ordering::Relaxed) {
        let piece = left.min(SLEEP);
        std::thread::sleep(piece);
        left -= piece;
    }
}

/// How long a picture is to wait for its sound; and the sound is told how long to wait for pictures.
fn wait_for_sound(member: &Member, age: Duration) -> Option<Duration> {
    let mut voice = lock(&member.voice);
    let sound = voice.age?;
    let mut sync = lock(&member.sync);
    // What sound would take if it did not wait for pictures.
    let own = sound.saturating_sub(voice.buffer.delay()) + voice.buffer.target();
    let own = own.saturating_sub(sync.sound_waits());
    let wait = sync.handle_picture(age, sound, own);
    voice.buffer.set_extra(sync.sound_waits());
    Some(wait).filter(|wait| !wait.is_zero())
}

#[allow(clippy::disallowed_methods, reason = "the playout clock")]
fn decode(
    member: &Member,
    (decoder, allowance): (&mut Decoder, &mut Allowance),
    frame: &video::Frame,
    observer: &dyn Observer,
) {
    let captured = frame.captured;
    let began = Instant::now();
    let decoded = decoder.decode(&frame.data, began);
    let took = began.elapsed();
    if decoded == Err(DecodeError::Lost) {
        allowance.pause(began + took);
    }
    if allowance.handle_spent(took, began + took) {
        observer.too_costly(member.id);
    }
    match decoded {
        Ok(Some(picture)) => {
            let picture = Arc::new(picture);
            let decoded_after = member.age(captured, Instant::now());
            if let Some(wait) = decoded_after.and_then(|age| wait_for_sound(member, age)) {
                sleep(member, wait);
            }
            let now = Instant::now();
            let delay = member.age(captured, now);
            lock(&member.pictures).reassembler.handle_decoded();
            let mut seen = lock(&member.seen);
            let is_first = seen.latest.is_none();
            seen.decoding.0 += took;
            seen.decoding.1 += 1;
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
