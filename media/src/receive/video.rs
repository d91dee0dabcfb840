//! Video: each track's reassembly, the thread that decodes it, and what was shown.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::video::Fragment;
use sightline_media_proto::{VideoTrack, video};

use super::{Member, Observer, StreamIn, lock};
use crate::decoder::{DecodeError, Decoder};
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

/// What came of one track.
#[derive(Default)]
pub struct VideoIn {
    pub reassembler: Reassembler,
    /// From its first packet on.
    decoder: Option<DecoderThread>,
}

/// A decoder's thread, and the way to it.
struct DecoderThread {
    frames: SyncSender<video::Frame>,
    thread: JoinHandle<()>,
}

impl VideoIn {
    fn hand_on(&mut self, now: Instant) {
        while let Some(frame) = self.reassembler.poll_frame(now) {
            let is_lost = match &self.decoder {
                Some(decoder) => matches!(decoder.frames.try_send(frame), Err(TrySendError::Full(_))),
                None => true,
            };
            if is_lost {
                // A decoder that cannot keep up, or is not there yet, begins again at the next key frame.
                self.reassembler.handle_decode_failure();
            }
        }
    }

    /// Nothing more is decoded. Returns the decoder's thread, which ends after the picture that it is at.
    pub fn end(&mut self) -> Option<JoinHandle<()>> {
        self.decoder.take().map(|decoder| decoder.thread)
    }
}

/// What was shown of a track.
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

/// What a decoder's thread does.
#[allow(clippy::disallowed_methods, reason = "the playout clock")]
fn decode_all(member: &Member, track: VideoTrack, source: &Receiver<video::Frame>, observer: &dyn Observer) {
    let mut decoding = Decoding::new(member, track, observer);
    loop {
        let frame = match source.recv_timeout(DECODER_POLL) {
            Ok(_) if member.stopped.load(Ordering::Relaxed) => return,
            Ok(frame) => Some(frame),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        decoding.handle(frame, Instant::now());
    }
}

/// One track and its decoder.
struct Decoding<'a> {
    member: &'a Member,
    stream: &'a StreamIn,
    observer: &'a dyn Observer,
    decoder: Box<dyn Decoder>,
    /// Whether the member's pictures were decoded the last time.
    was_open: bool,
}

impl<'a> Decoding<'a> {
    fn new(member: &'a Member, track: VideoTrack, observer: &'a dyn Observer) -> Self {
        Self {
            member,
            stream: member.stream(track.stream()),
            observer,
            decoder: member.decoders.decoder(Arc::clone(&member.stopped)),
            was_open: true,
        }
    }

    /// Decodes what came, if it may be, and looks what is missing.
    fn handle(&mut self, frame: Option<video::Frame>, now: Instant) {
        let (member, stream) = (self.member, self.stream);
        let is_open = lock(&member.allowance).is_open(now);
        if is_open && !self.was_open {
            // What was left out is missing.
            lock(&stream.video).reassembler.handle_decode_failure();
        }
        self.was_open = is_open;
        if let Some(frame) = frame.filter(|_| is_open) {
            self.decode(&frame);
        }
        if lock(&stream.seen).has_ceased(now) {
            stream.forget_video();
        }
        let mut video = lock(&stream.video);
        video.hand_on(now);
        let ask = is_open && video.reassembler.poll_key_frame_request(now);
        drop(video);
        if ask {
            self.observer.needs_key_frame(member.id, stream.stream.video());
        }
    }

    #[allow(clippy::disallowed_methods, reason = "the playout clock")]
    fn decode(&mut self, frame: &video::Frame) {
        let (member, stream, observer) = (self.member, self.stream, self.observer);
        let captured = frame.captured;
        let decoded = self.decoder.decode(&frame.data, Instant::now());
        if member.stopped.load(Ordering::Relaxed) {
            return;
        }
        let took = self.decoder.took();
        if member.account_for(decoded.as_ref().err(), took, Instant::now()) {
            observer.too_costly(member.id);
        }
        match decoded {
            Ok(Some(picture)) => {
                let picture = Arc::new(picture);
                let decoded_after = member.age(captured, Instant::now());
                if let Some(wait) = decoded_after.and_then(|age| wait_for_audio(stream, age)) {
                    sleep(member, wait);
                }
                let now = Instant::now();
                let delay = member.age(captured, now);
                lock(&stream.video).reassembler.handle_decoded();
                let mut seen = lock(&stream.seen);
                let is_first = seen.latest.is_none();
                seen.decoding.0 += took;
                seen.decoding.1 += 1;
                seen.note(Arc::clone(&picture), delay, now);
                drop(seen);
                let track = stream.stream.video();
                observer.shown(member.id, track, &picture);
                if is_first {
                    let size = picture.size;
                    tracing::debug_span!("track", member = member.id, ?track)
                        .in_scope(|| tracing::debug!(size.width, size.height, "first picture"));
                    observer.first_video(member.id, track);
                }
            }
            Ok(None) => {}
            Err(error) => {
                let track = stream.stream.video();
                tracing::debug_span!("track", member = member.id, ?track)
                    .in_scope(|| tracing::debug!(?error, "undecodable"));
                lock(&stream.video).reassembler.handle_decode_failure();
                let now = Instant::now();
                let mut seen = lock(&stream.seen);
                if seen.last_failure.is_none_or(|last| now > last + FAILURE_GAP) {
                    seen.last_failure = Some(now);
                    observer.undecodable(member.id);
                }
            }
        }
    }
}

impl Member {
    /// A packet of a track arrived. The first starts the track's decoder, on a thread of its own.
    pub fn handle_video(
        member: &Arc<Self>,
        track: VideoTrack,
        body: &[u8],
        observer: &Arc<dyn Observer>,
        now: Instant,
    ) {
        let mut video = lock(&member.stream(track.stream()).video);
        let is_stopped = member.stopped.load(Ordering::Relaxed);
        let may_start = video.decoder.is_none() && !is_stopped;
        if may_start && Fragment::decode(body).is_some() && lock(&member.allowance).is_open(now) {
            match Self::start_decoder(member, track, observer) {
                Ok(decoder) => video.decoder = Some(decoder),
                Err(_) => {
                    lock(&member.allowance).pause(now);
                    observer.undecodable(member.id);
                }
            }
        }
        video.reassembler.handle_packet(body, now);
        video.hand_on(now);
    }

    fn start_decoder(
        member: &Arc<Self>,
        track: VideoTrack,
        observer: &Arc<dyn Observer>,
    ) -> std::io::Result<DecoderThread> {
        let (frames, source) = sync_channel(DECODER_QUEUE);
        let (member, observer) = (Arc::clone(member), Arc::clone(observer));
        let thread = std::thread::Builder::new()
            .name("decoder".into())
            .spawn(move || decode_all(&member, track, &source, &*observer))?;
        Ok(DecoderThread { frames, thread })
    }

    /// A picture was decoded, or not, and took so long. Returns whether no more are decoded for a while.
    fn account_for(&self, failed: Option<&DecodeError>, took: Duration, now: Instant) -> bool {
        let mut allowance = lock(&self.allowance);
        match failed {
            Some(DecodeError::Lost) => allowance.handle_fault(now),
            // There is no decoder to be had: to ask for further key frames would only cost everybody.
            Some(DecodeError::Setup) => allowance.pause(now),
            _ => return allowance.handle_spent(took, now),
        }
        true
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
fn wait_for_audio(stream: &StreamIn, age: Duration) -> Option<Duration> {
    let mut audio = lock(&stream.audio);
    let sound = audio.age?;
    let mut sync = lock(&stream.sync);
    // What sound would take if it did not wait for pictures.
    let own = sound.saturating_sub(audio.buffer.delay()) + audio.buffer.target();
    let own = own.saturating_sub(sync.audio_waits());
    let wait = sync.handle_picture(age, sound, own);
    audio.buffer.set_extra(sync.audio_waits());
    Some(wait).filter(|wait| !wait.is_zero())
}

#[cfg(test)]
mod tests;
