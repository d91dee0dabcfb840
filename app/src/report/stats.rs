//! What was measured, as programs read it.

use sightline_media::Received;
use sightline_media_proto::VideoTrack;
use sightline_media_proto::overuse::Degradation;

use super::{Reporter, millis, round};
use crate::event;
use crate::state::measure::Measured;

impl Reporter {
    /// What was measured in the last second.
    pub fn stats(&mut self, measured: &Measured, degradation: Degradation) {
        let (link, media) = (&measured.stats.link, &measured.stats.media);
        let sending = measured.stats.sending.as_ref();
        self.tell(event::Event::Stats(Box::new(event::Stats {
            peer: measured.stats.peer.to_string(),
            rtt_ms: link.rtt.map(millis),
            loss: round(measured.loss, 4),
            send_bps: measured.send_bps,
            recv_bps: measured.recv_bps,
            estimate_bps: sending.map(|sending| sending.estimate.0),
            gave_way: degradation.word().to_owned(),
            sent_layer: sending
                .and_then(|sending| sending.allocated[VideoTrack::Camera.index()])
                .map(|allocated| allocated.to_string()),
            pacing_ms: sending.map(|sending| millis(sending.pacing)),
            queue_ms: sending.map(|sending| millis(sending.queue)),
            sent_loss: sending.map(|sending| round(f64::from(sending.loss), 3)),
            repaired: sending.map(|sending| sending.counts.repaired),
            left_out: sending.map(|sending| sending.counts.left_out),
            encode_ms: measured.encode.map(millis),
            dropped_packets: link.dropped,
            audio: event::AudioStats {
                delay_ms: media.audio_delay.map(millis),
                concealed: measured.concealed,
                frame_ms: millis(media.audio_frame),
                network_ms: link.rtt.map(|trip| millis(trip / 2)),
                buffer_ms: millis(media.audio_buffer),
                target_ms: millis(media.audio_target),
                recovered: media.audio.recovered,
                stretched: media.audio.shortened + media.audio.lengthened,
                level_db: media.level_db.map(|level| round(f64::from(level), 1)),
            },
            video: video_stats(media),
            screen: measured.stats.screen.as_ref().map(video_stats),
        })));
    }
}

fn video_stats(media: &Received) -> event::VideoStats {
    event::VideoStats {
        fps: media.pictures,
        width: media.size.map(|size| size.width),
        height: media.size.map(|size| size.height),
        freezes: media.freezes,
        frozen_s: round(media.frozen.as_secs_f64(), 2),
        delay_ms: media.video_delay.map(millis),
        decode_ms: media.decode.map(millis),
        lost: media.video_lost,
        dropped_packets: media.video_dropped,
    }
}
