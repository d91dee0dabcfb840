//! Pictures that leave: a thread that takes the camera's latest, and encodes it once for each layer that somebody gets.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::effort::Effort;
use sightline_media_proto::layer::Layer;
use sightline_media_proto::rate::{Bitrate, KeyFrames};
use sightline_media_proto::session::LayerTarget;
use sightline_media_proto::video::{self, Dependency, Packets};
use sightline_media_proto::{Ticks, VideoTrack};

use crate::av1::{self, EncodeError, Encoded, Encoder, EncoderKind};
use crate::camera::CameraError;
use crate::capture::Capture;
use crate::picture::{Picture, Size};
use crate::send::{Outbox, join, spawn};
use crate::slot::LatestSlot;

/// 100 ms: how often a waiting thread looks whether it is to stop.
const STOP_POLL: Duration = Duration::from_millis(100);

/// 3 s: how long an encoder is kept after the last who got its layer.
const KEEP: Duration = Duration::from_secs(3);

/// 50 ms: the least between two pictures of a layer of 15 a second.
const HALF_RATE: Duration = Duration::from_millis(50);

/// 40 kbit/s: with less an encoder makes nothing that can be recognised.
const LEAST: Bitrate = Bitrate(40_000);

/// What the encoder's thread is told while it runs, and what it tells.
#[derive(Debug, Default)]
struct Shared {
    /// Of all layers: somebody new can show nothing before a key frame.
    wants_keys: AtomicBool,
    taken: AtomicU64,
    encoded: AtomicU64,
    sent: AtomicU64,
    left_out: AtomicU64,
    encode_micros: AtomicU64,
}

/// A running encoder, and the camera that feeds it. Dropping it stops both.
pub struct VideoSender {
    stop: Arc<AtomicBool>,
    shared: Arc<Shared>,
    capture: Capture,
    /// Pictures that were captured and not taken before this encoder was there.
    missed_before: u64,
    thread: Option<JoinHandle<()>>,
}

/// What was encoded so far, of all layers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VideoSendStats {
    /// Pictures encoded.
    pub encoded: u64,
    /// Pictures taken from the camera.
    pub taken: u64,
    /// Pictures that the encoder was too slow for.
    pub dropped: u64,
    /// Pictures that were not made because no link could have carried them.
    pub left_out: u64,
    /// Pictures that the encoder has taken and not yet given back.
    pub held_back: u64,
    /// Time spent encoding, all together.
    pub encode_time: Duration,
}

impl VideoSender {
    /// Starts sending as this track. `epoch` is the program's start.
    ///
    /// # Errors
    /// [`CameraError`] when no thread can be had.
    pub fn start(
        track: VideoTrack,
        capture: Capture,
        kind: EncoderKind,
        outbox: Arc<dyn Outbox>,
        epoch: Instant,
    ) -> Result<Self, CameraError> {
        let stop = Arc::new(AtomicBool::new(false));
        let slot = capture.slot();
        let missed_before = slot.dropped();
        let shared = Arc::new(Shared::default());
        let encode = {
            let work = Encoding {
                track,
                kind,
                epoch,
                shared: Arc::clone(&shared),
                outbox,
                layers: [None, None, None],
                next_number: None,
            };
            let stop = Arc::clone(&stop);
            spawn("encoder", move || work.run(&stop, &slot))
        };
        let device = |error: std::io::Error| CameraError::Device(error.to_string());
        Ok(Self {
            stop,
            shared,
            capture,
            missed_before,
            thread: Some(encode.map_err(device)?),
        })
    }

    /// Somebody can show nothing without a key frame.
    pub fn request_key_frame(&self) {
        self.shared.wants_keys.store(true, Ordering::Relaxed);
    }

    /// What was encoded so far.
    #[must_use]
    pub fn counts(&self) -> VideoSendStats {
        let count = |of: &AtomicU64| of.load(Ordering::Relaxed);
        let encoded = count(&self.shared.encoded);
        VideoSendStats {
            encoded,
            taken: count(&self.shared.taken),
            held_back: encoded.saturating_sub(count(&self.shared.sent)),
            dropped: self.capture.slot().dropped() - self.missed_before,
            left_out: count(&self.shared.left_out),
            encode_time: Duration::from_micros(count(&self.shared.encode_micros)),
        }
    }
}

impl Drop for VideoSender {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        join(&mut self.thread);
    }
}

/// The encoder's thread.
struct Encoding {
    track: VideoTrack,
    kind: EncoderKind,
    epoch: Instant,
    shared: Arc<Shared>,
    outbox: Arc<dyn Outbox>,
    layers: [Option<LayerEncoder>; 3],
    next_number: Option<u32>,
}

/// One layer's encoder.
struct LayerEncoder {
    source: Size,
    size: Size,
    encoder: Box<dyn Encoder>,
    key_frames: KeyFrames,
    effort: Effort,
    /// The number of the newest frame on which others build.
    reference: u32,
    /// When the last picture of the layer was captured.
    last: Option<Instant>,
    wanted_at: Instant,
}

impl Encoding {
    fn run(mut self, stop: &AtomicBool, slot: &LatestSlot<Arc<Picture>>) {
        while !stop.load(Ordering::Relaxed) {
            if let Some(picture) = slot.take(STOP_POLL)
                && let Err(error) = self.encode_layers(&picture)
            {
                return self.outbox.encoder_failed(error.to_string());
            }
        }
    }

    #[allow(clippy::disallowed_methods, reason = "measures the encoder")]
    fn encode_layers(&mut self, picture: &Picture) -> Result<(), EncodeError> {
        let all_need_key = self.shared.wants_keys.swap(false, Ordering::Relaxed);
        let wishes = self.outbox.wishes(self.track, largest(picture.size));
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        let now = Instant::now();
        for (layer, wish) in Layer::ALL.into_iter().zip(wishes) {
            let place = &mut self.layers[layer.index()];
            let Some(mut wish) = wish else {
                place.take_if(|unused| now > unused.wanted_at + KEEP);
                continue;
            };
            wish.wants_key |= all_need_key;
            let encoder = match place {
                Some(encoder) if encoder.source == picture.size => encoder,
                _ => {
                    tracing::debug_span!("track", track = ?self.track)
                        .in_scope(|| tracing::debug!(?layer, rate = wish.rate.0, "encoder begins"));
                    place.insert(LayerEncoder::new(self.kind, picture.size, layer, wish.rate, now)?)
                }
            };
            encoder.handle_target(&wish, now)?;
            if !wish.is_open {
                self.shared.left_out.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            if encoder.passes_over(layer, &wish, picture.captured) {
                continue;
            }
            self.encode(layer, picture)?;
        }
        Ok(())
    }

    #[allow(clippy::disallowed_methods, reason = "measures the encoder")]
    fn encode(&mut self, layer: Layer, picture: &Picture) -> Result<(), EncodeError> {
        let Some(own) = &mut self.layers[layer.index()] else {
            return Ok(());
        };
        let began = Instant::now();
        let force_key = own.key_frames.poll(began);
        let scaled = (own.size != own.source).then(|| picture.reduced(own.size));
        let scaling = began.elapsed();
        let picture = scaled.as_ref().unwrap_or(picture);
        let encoded = own.encoder.encode(picture, force_key)?;
        let took = began.elapsed();
        let before = own.effort.speed();
        own.effort.handle_encoded(took - scaling);
        if own.effort.speed() != before {
            own.encoder.set_speed(own.effort.speed())?;
        }
        let micros = took.as_micros() as u64;
        self.shared.encode_micros.fetch_add(micros, Ordering::Relaxed);
        self.shared.encoded.fetch_add(1, Ordering::Relaxed);
        for encoded in encoded {
            self.send(layer, encoded);
        }
        Ok(())
    }

    fn send(&mut self, layer: Layer, encoded: Encoded) {
        let Some(own) = &mut self.layers[layer.index()] else {
            return;
        };
        self.shared.sent.fetch_add(1, Ordering::Relaxed);
        let captured = encoded.captured.saturating_duration_since(self.epoch);
        // Numbers follow the clock at the start, faster than all layers of any camera, so that a second camera's
        // pictures come after the first one's.
        let number = self.next_number.unwrap_or((captured.as_millis() / 5) as u32);
        self.next_number = Some(number.wrapping_add(1));
        let frame_diff = u8::try_from(number.wrapping_sub(own.reference));
        let dependency = match frame_diff {
            _ if encoded.is_key => Dependency::KEY,
            Ok(frame_diff) => Dependency {
                frame_diff,
                is_discardable: encoded.is_discardable,
            },
            // No encoder stands still for so long while the others go on; should one, it begins anew.
            Err(_) => return own.key_frames.handle_request(),
        };
        if !dependency.is_discardable {
            own.reference = number;
        }
        let frame = video::Frame {
            number,
            captured: Ticks::from_start(captured),
            dependency,
            data: encoded.data,
        };
        self.outbox.send_video(self.track, layer, &Packets::of(frame));
    }
}

impl LayerEncoder {
    fn new(
        kind: EncoderKind,
        source: Size,
        layer: Layer,
        rate: Bitrate,
        now: Instant,
    ) -> Result<Self, EncodeError> {
        let size = source.within_height(layer.height());
        let effort = Effort::new(layer);
        Ok(Self {
            source,
            size,
            encoder: av1::encoder(
                kind,
                av1::Settings {
                    size,
                    frame_rate: layer.frame_rate(),
                    bitrate: rate.max(LEAST),
                    speed: effort.speed(),
                },
            )?,
            key_frames: KeyFrames::default(),
            effort,
            reference: 0,
            last: None,
            wanted_at: now,
        })
    }

    /// Whether a picture is not to be made: the layer has fewer of them, or nobody gets it.
    fn passes_over(&mut self, layer: Layer, wish: &LayerTarget, captured: Instant) -> bool {
        let since = self.last.map(|last| captured.saturating_duration_since(last));
        if layer.is_half_rate() && since.is_some_and(|since| since < HALF_RATE) {
            return true;
        }
        self.last = Some(captured);
        wish.is_base_only && self.encoder.leave_out()
    }

    fn handle_target(&mut self, wish: &LayerTarget, now: Instant) -> Result<(), EncodeError> {
        self.wanted_at = now;
        if wish.wants_key {
            self.key_frames.handle_request();
        }
        self.encoder.set_bitrate(wish.rate.max(LEAST))
    }
}

/// The largest layer that a camera's pictures have something for.
fn largest(size: Size) -> Layer {
    let enough = |layer: &Layer| size.height <= layer.height();
    Layer::ALL.into_iter().find(enough).unwrap_or(Layer::Large)
}
