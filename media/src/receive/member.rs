//! One member: what is played and shown of each of its streams.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sightline_media_proto::allowance::Allowance;
use sightline_media_proto::sync::LipSync;
use sightline_media_proto::{Stream, Ticks};

use super::audio::AudioIn;
use super::video::{Seen, VideoIn};
use super::{MemberId, Received, lock};
use crate::decoder::DecoderFactory;

/// One member.
pub struct Member {
    pub id: MemberId,
    pub name: String,
    pub streams: [StreamIn; Stream::ALL.len()],
    /// Their clock minus ours, microseconds.
    pub clock_offset: Mutex<Option<i64>>,
    pub epoch: Instant,
    pub decoders: Arc<dyn DecoderFactory>,
    pub allowance: Arc<Mutex<Allowance>>,
    pub stopped: Arc<AtomicBool>,
}

/// One stream of a member.
pub struct StreamIn {
    pub stream: Stream,
    pub audio: Mutex<AudioIn>,
    pub video: Mutex<VideoIn>,
    pub seen: Mutex<Seen>,
    pub sync: Mutex<LipSync>,
    /// Something of it has come.
    pub has_begun: AtomicBool,
}

impl StreamIn {
    /// There are no pictures for sound to wait for.
    pub fn forget_video(&self) {
        *lock(&self.sync) = LipSync::default();
        lock(&self.audio).buffer.set_extra(Duration::ZERO);
    }

    pub fn take_stats(&self) -> Received {
        let mut audio = lock(&self.audio);
        let mut seen = lock(&self.seen);
        let video = lock(&self.video).reassembler.counts();
        Received {
            audio_delay: audio.delay.take(),
            audio_buffer: audio.buffer.delay(),
            audio_target: audio.buffer.target(),
            audio_frame: audio.buffer.frame(),
            audio: audio.buffer.counts(),
            level_db: audio.take_level(),
            pictures: std::mem::take(&mut seen.since_asked),
            size: seen.latest.as_ref().map(|picture| picture.size),
            decode: seen.take_decode(),
            video_delay: seen.delay.take(),
            freezes: seen.freezes,
            frozen: seen.frozen,
            video_lost: video.lost,
            video_dropped: video.dropped,
        }
    }
}

impl Member {
    pub const fn stream(&self, stream: Stream) -> &StreamIn {
        &self.streams[stream.index()]
    }

    /// What waits to be decoded need not be any more. Returns the threads, which end after the picture that they are at.
    pub fn begin_to_stop(&self) -> Vec<JoinHandle<()>> {
        self.stopped.store(true, Ordering::Relaxed);
        let ended = self.streams.iter().filter_map(|stream| lock(&stream.video).end());
        ended.collect()
    }

    /// How long ago something was captured, by our clock.
    pub fn age(&self, captured: Ticks, now: Instant) -> Option<Duration> {
        let offset = (*lock(&self.clock_offset))?;
        let ours = Ticks::from_start(now.saturating_duration_since(self.epoch));
        let age = ours.micros_since(captured).checked_add(offset)?;
        // A little below zero is the measurement's error.
        (-5_000..60_000_000)
            .contains(&age)
            .then(|| Duration::from_micros(age.max(0).cast_unsigned()))
    }
}
