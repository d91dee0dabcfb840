//! What leaves: a voice in frames of constant size and rate. Pictures are in `encode.rs`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::audio::{BLOCK, BLOCK_SAMPLES, Packet, Protection, Span};
use sightline_media_proto::layer::Layer;
use sightline_media_proto::redundancy::{Frame, Protector};
use sightline_media_proto::session::LayerTarget;
use sightline_media_proto::video::Packets;
use sightline_media_proto::{AudioTrack, Ticks, VideoTrack};

use crate::level::Level;
use crate::microphone::{Microphone, MicrophoneError};
use crate::opus_codec::{CodecError, VoiceEncoder};
use crate::processing::Processor;

/// Takes what is to be sent to everybody; must not block for long.
pub trait Outbox: Send + Sync {
    /// A packet of a track of audio.
    fn send_audio(&self, track: AudioTrack, body: Arc<[u8]>);
    /// How much sound the next packet is to carry, and how many parities of what came before.
    fn packing(&self) -> (Span, Protection);
    /// A frame of a track's layer.
    fn send_video(&self, track: VideoTrack, layer: Layer, frame: &Packets);
    /// How each layer of a track is wanted, of those up to `largest`; `None` for one that nobody gets.
    fn wishes(&self, track: VideoTrack, largest: Layer) -> [Option<LayerTarget>; 3];
    /// The microphone gives sound from now on.
    fn microphone_runs(&self);
    /// The microphone gives nothing any more; the sentence says why.
    fn microphone_failed(&self, message: String);
    /// Pictures cannot be encoded any more; the sentence says why.
    fn encoder_failed(&self, message: String);
}

/// A running microphone. Dropping it stops its thread.
pub struct VoiceSender {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl VoiceSender {
    /// Starts sending. While `muted` is set silence is sent, in packets of the same size and rate; `level` says
    /// how loud the microphone is, muted or not; `processor` sees what it hears, too. `epoch` is the program's start.
    ///
    /// # Errors
    /// [`MicrophoneError::Device`] when no thread or codec can be had.
    pub fn start(
        mut microphone: Box<dyn Microphone>,
        outbox: Arc<dyn Outbox>,
        muted: Arc<AtomicBool>,
        level: Arc<Level>,
        mut processor: Processor,
        epoch: Instant,
    ) -> Result<Self, MicrophoneError> {
        let device = |error: &dyn std::fmt::Display| MicrophoneError::Device(error.to_string());
        let encoder = VoiceEncoder::new().map_err(|error| device(&error))?;
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let mut packer = Packer {
            encoder,
            protector: Protector::default(),
            next: None,
            packing: outbox.packing(),
            captured: Ticks(0),
            pending: Vec::with_capacity(Span::Twenty.samples()),
        };
        let thread = spawn("microphone", move || {
            let mut block = [0.0; BLOCK_SAMPLES];
            let mut runs = false;
            while !stopped.load(Ordering::Relaxed) {
                let captured = match microphone.read(&mut block) {
                    Ok(Some(captured)) => captured.saturating_duration_since(epoch),
                    Ok(None) => continue,
                    Err(error) => return outbox.microphone_failed(error.to_string()),
                };
                if !std::mem::replace(&mut runs, true) {
                    outbox.microphone_runs();
                }
                level.handle_samples(&block);
                processor.process(&mut block);
                if muted.load(Ordering::Relaxed) {
                    block.fill(0.0);
                }
                match packer.pack(&block, captured, &*outbox) {
                    Ok(Some(packet)) => outbox.send_audio(AudioTrack::Voice, packet.encode().into()),
                    Ok(None) => {}
                    Err(error) => return outbox.microphone_failed(error.to_string()),
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

/// 150 ms of blocks: if so many more have passed than were read, the microphone has missed them.
const MISSED: u32 = 15;

/// Puts blocks of sound into packets.
struct Packer {
    encoder: VoiceEncoder,
    protector: Protector,
    /// The number of the next packet's first block.
    next: Option<u32>,
    packing: (Span, Protection),
    /// When the first pending sample was captured.
    captured: Ticks,
    pending: Vec<f32>,
}

impl Packer {
    fn pack(
        &mut self,
        block: &[f32],
        captured: Duration,
        outbox: &dyn Outbox,
    ) -> Result<Option<Packet>, CodecError> {
        if self.pending.is_empty() {
            self.captured = Ticks::from_start(captured);
            self.packing = outbox.packing();
        }
        self.pending.extend_from_slice(block);
        let (span, protection) = self.packing;
        if self.pending.len() < span.samples() {
            return Ok(None);
        }
        // Numbers follow the clock at the start, so that a second microphone goes on after the first, and when sound was
        // missed: what follows is not later for it.
        let by_clock = (captured.as_millis() / BLOCK.as_millis()) as u32;
        let next = self.next.filter(|next| by_clock < next.saturating_add(MISSED));
        let first = next.unwrap_or(by_clock);
        self.next = Some(first.wrapping_add(span.blocks()));
        let data = self.encoder.encode(&self.pending, protection.frame_len(span))?;
        self.pending.clear();
        let frame = Frame {
            first,
            captured: self.captured,
            span,
            data,
        };
        Ok(Some(self.protector.pack(frame, protection)))
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
