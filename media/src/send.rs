//! What leaves: a voice in frames of constant size and rate, a picture as the encoder makes it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::Ticks;
use sightline_media_proto::audio::{self, FRAME, FRAME_SAMPLES};
use sightline_media_proto::rate::{Bitrate, KeyFrames, RateCap};
use sightline_media_proto::video;

use crate::av1::{self, EncodeError, Encoded, Encoder, EncoderKind};
use crate::camera::CameraError;
use crate::capture::Capture;
use crate::level::Level;
use crate::microphone::{Microphone, MicrophoneError};
use crate::opus_codec::VoiceEncoder;
use crate::picture::{Picture, Size};
use crate::slot::LatestSlot;

/// 100 ms: how often a waiting thread looks whether it is to stop.
const STOP_POLL: Duration = Duration::from_millis(100);

/// Takes what is to be sent to everybody; must not block for long.
pub trait Outbox: Send + Sync {
    /// A packet of sound.
    fn send_audio(&self, body: Vec<u8>);
    /// A packet of picture.
    fn send_video(&self, body: Vec<u8>);
    /// A source ended; the sentence says why.
    fn source_failed(&self, code: &'static str, message: String);
}

/// A running microphone. Dropping it stops its thread.
pub struct VoiceSender {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl VoiceSender {
    /// Starts sending. While `muted` is set silence is sent, in packets of the same size and rate; `level` says
    /// how loud the microphone is, muted or not. `epoch` is the program's start.
    ///
    /// # Errors
    /// [`MicrophoneError::Device`] when no thread or codec can be had.
    pub fn start(
        mut microphone: Box<dyn Microphone>,
        outbox: Arc<dyn Outbox>,
        muted: Arc<AtomicBool>,
        level: Arc<Level>,
        epoch: Instant,
    ) -> Result<Self, MicrophoneError> {
        let device = |error: &dyn std::fmt::Display| MicrophoneError::Device(error.to_string());
        let mut encoder = VoiceEncoder::new().map_err(|error| device(&error))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = spawn("microphone", move || {
            let mut frame = [0.0; FRAME_SAMPLES];
            let mut next_seq = None;
            while !stopped.load(Ordering::Relaxed) {
                let captured = match microphone.read(&mut frame) {
                    Ok(Some(captured)) => captured.saturating_duration_since(epoch),
                    Ok(None) => continue,
                    Err(error) => return outbox.source_failed("microphone", error.to_string()),
                };
                level.handle_samples(&frame);
                if muted.load(Ordering::Relaxed) {
                    frame.fill(0.0);
                }
                // Numbers follow the clock at the start, so that a second microphone goes on after the first.
                let seq = next_seq.unwrap_or((captured.as_millis() / FRAME.as_millis()) as u32);
                next_seq = Some(seq.wrapping_add(1));
                match encoder.encode(&frame) {
                    Ok(payload) => {
                        let captured = Ticks::from_start(captured);
                        outbox.send_audio(
                            audio::Packet {
                                seq,
                                captured,
                                payload,
                            }
                            .encode(),
                        );
                    }
                    Err(error) => return outbox.source_failed("microphone", error.to_string()),
                }
            }
        });
        Ok(Self {
            stop,
            thread: Some(thread.map_err(|error| device(&error))?),
        })
    }
}

impl Drop for VoiceSender {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        join(&mut self.thread);
    }
}

/// What the encoder's thread is told while it runs, and what it tells.
#[derive(Debug)]
struct Wishes {
    key_frames: Mutex<KeyFrames>,
    bitrate: AtomicU32,
    encoded: AtomicU64,
    sent: AtomicU64,
    encode_micros: AtomicU64,
}

/// A running encoder, and the camera that feeds it. Dropping it stops both.
pub struct PictureSender {
    stop: Arc<AtomicBool>,
    wishes: Arc<Wishes>,
    cap: Mutex<Option<RateCap>>,
    capture: Capture,
    /// Pictures that were captured and not taken before this encoder was there.
    missed_before: u64,
    thread: Option<JoinHandle<()>>,
}

/// What was encoded so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SentPictures {
    /// Pictures encoded.
    pub encoded: u64,
    /// Pictures that the encoder was too slow for.
    pub dropped: u64,
    /// Pictures that the encoder has taken and not yet given back.
    pub held_back: u64,
    /// Time spent encoding, all together.
    pub encode_time: Duration,
}

impl PictureSender {
    /// Starts sending. `epoch` is the program's start.
    ///
    /// # Errors
    /// [`CameraError`] when no thread can be had.
    pub fn start(
        capture: Capture,
        kind: EncoderKind,
        outbox: Arc<dyn Outbox>,
        epoch: Instant,
    ) -> Result<Self, CameraError> {
        let stop = Arc::new(AtomicBool::new(false));
        let slot = capture.slot();
        let missed_before = slot.dropped();
        let wishes = Arc::new(Wishes {
            key_frames: Mutex::default(),
            bitrate: AtomicU32::new(0),
            encoded: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            encode_micros: AtomicU64::new(0),
        });
        let encode = {
            let work = Encoding {
                kind,
                epoch,
                wishes: Arc::clone(&wishes),
                outbox,
                encoder: None,
                next_number: None,
            };
            let stop = Arc::clone(&stop);
            spawn("encoder", move || work.run(&stop, &slot))
        };
        let device = |error: std::io::Error| CameraError::Device(error.to_string());
        Ok(Self {
            stop,
            wishes,
            cap: Mutex::new(None),
            capture,
            missed_before,
            thread: Some(encode.map_err(device)?),
        })
    }

    /// Somebody can show nothing without a key frame.
    pub fn request_key_frame(&self) {
        lock(&self.wishes.key_frames).handle_request();
    }

    /// Takes the loss on the worst link over the last second, 0 to 1.
    pub fn report_loss(&self, worst: f32) {
        let current = self.wishes.bitrate.load(Ordering::Relaxed);
        if current > 0 {
            let mut cap = lock(&self.cap);
            let cap = cap.get_or_insert_with(|| RateCap::new(Bitrate(current)));
            self.wishes
                .bitrate
                .store(cap.handle_loss(worst).0, Ordering::Relaxed);
        }
    }

    /// The rate that the encoder aims at; 0 before the first picture.
    #[must_use]
    pub fn bitrate(&self) -> Bitrate {
        Bitrate(self.wishes.bitrate.load(Ordering::Relaxed))
    }

    /// What was encoded so far.
    #[must_use]
    pub fn counts(&self) -> SentPictures {
        let encoded = self.wishes.encoded.load(Ordering::Relaxed);
        SentPictures {
            encoded,
            held_back: encoded.saturating_sub(self.wishes.sent.load(Ordering::Relaxed)),
            dropped: self.capture.slot().dropped() - self.missed_before,
            encode_time: Duration::from_micros(self.wishes.encode_micros.load(Ordering::Relaxed)),
        }
    }
}

impl Drop for PictureSender {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        join(&mut self.thread);
    }
}

/// The encoder's thread.
struct Encoding {
    kind: EncoderKind,
    epoch: Instant,
    wishes: Arc<Wishes>,
    outbox: Arc<dyn Outbox>,
    encoder: Option<(Size, Bitrate, Box<dyn Encoder>)>,
    next_number: Option<u32>,
}

impl Encoding {
    fn run(mut self, stop: &AtomicBool, slot: &LatestSlot<Arc<Picture>>) {
        while !stop.load(Ordering::Relaxed) {
            if let Some(picture) = slot.take(STOP_POLL)
                && let Err(error) = self.encode(&picture)
            {
                return self.outbox.source_failed("encoder", error.to_string());
            }
        }
    }

    #[allow(clippy::disallowed_methods, reason = "measures the encoder")]
    fn encode(&mut self, picture: &Picture) -> Result<(), EncodeError> {
        let began = Instant::now();
        let force_key = lock(&self.wishes.key_frames).poll(began);
        let encoded = self.encoder_for(picture.size)?.encode(picture, force_key)?;
        let took = began.elapsed().as_micros() as u64;
        self.wishes.encode_micros.fetch_add(took, Ordering::Relaxed);
        self.wishes.encoded.fetch_add(1, Ordering::Relaxed);
        for encoded in encoded {
            self.send(encoded);
        }
        Ok(())
    }

    fn encoder_for(&mut self, size: Size) -> Result<&mut Box<dyn Encoder>, EncodeError> {
        if self
            .encoder
            .as_ref()
            .is_none_or(|(made_for, ..)| *made_for != size)
        {
            let bitrate = Bitrate::for_picture(size.width, size.height);
            self.wishes.bitrate.store(bitrate.0, Ordering::Relaxed);
            self.encoder = Some((size, bitrate, av1::encoder(self.kind, size, bitrate)?));
        }
        let wanted = Bitrate(self.wishes.bitrate.load(Ordering::Relaxed));
        match &mut self.encoder {
            Some((_, bitrate, encoder)) => {
                if *bitrate != wanted {
                    encoder.set_bitrate(wanted)?;
                    *bitrate = wanted;
                }
                Ok(encoder)
            }
            None => Err(EncodeError::Size),
        }
    }

    fn send(&mut self, encoded: Encoded) {
        self.wishes.sent.fetch_add(1, Ordering::Relaxed);
        let captured = encoded.captured.saturating_duration_since(self.epoch);
        // Numbers follow the clock at the start, faster than any camera, so that a second camera's pictures come
        // after the first one's.
        let number = self.next_number.unwrap_or((captured.as_millis() / 10) as u32);
        self.next_number = Some(number.wrapping_add(1));
        let frame = video::Frame {
            number,
            captured: Ticks::from_start(captured),
            is_key: encoded.is_key,
            data: encoded.data,
        };
        for body in video::packets(&frame) {
            self.outbox.send_video(body);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work)
}

pub(crate) fn join(thread: &mut Option<JoinHandle<()>>) {
    if let Some(thread) = thread.take() {
        // A panic was printed when it happened.
        let _panicked = thread.join();
    }
}
