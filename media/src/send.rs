//! What leaves: a voice in frames of constant size and rate. Pictures are in `encode.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use sightline_media_proto::Ticks;
use sightline_media_proto::audio::{self, FRAME, FRAME_SAMPLES};
use sightline_media_proto::layer::Layer;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::video::Packets;

use crate::level::Level;
use crate::microphone::{Microphone, MicrophoneError};
use crate::opus_codec::VoiceEncoder;

/// How a layer is wanted just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerWish {
    /// At which rate.
    pub rate: Bitrate,
    /// Somebody can go on only with a key frame.
    pub wants_key: bool,
    /// Somebody's link can carry a picture at this moment.
    pub is_open: bool,
}

/// Takes what is to be sent to everybody; must not block for long.
pub trait Outbox: Send + Sync {
    /// A packet of sound.
    fn send_audio(&self, body: Arc<[u8]>);
    /// A picture of a layer.
    fn send_video(&self, layer: Layer, picture: &Packets);
    /// How each layer is wanted, of those up to `largest`; `None` for one that nobody gets.
    fn wishes(&self, largest: Layer) -> [Option<LayerWish>; 3];
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
                            .encode()
                            .into(),
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

pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name(name.into()).spawn(work)
}

pub(crate) fn join(thread: &mut Option<JoinHandle<()>>) {
    if let Some(thread) = thread.take() {
        // A panic was printed when it happened.
        let _panicked = thread.join();
    }
}
