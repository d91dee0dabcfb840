//! What a member's pictures may cost the others.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_media::av1::{EncoderKind, Settings, encoder};
use sightline_media::{MemberId, Observer, Picture, Playout, Size};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::video::{Frame, Kind, Packets, PartSize};
use sightline_media_proto::{AudioTrack, Stream, Ticks, VideoTrack};

/// Holds a member's thread at its picture until it is let go.
struct Held {
    reached: SyncSender<()>,
    go: Mutex<Receiver<()>>,
}

impl Observer for Held {
    fn first_audio(&self, _: MemberId, _: AudioTrack) {}
    fn first_video(&self, _: MemberId, _: VideoTrack) {}
    fn needs_key_frame(&self, _: MemberId, _: VideoTrack) {}
    fn speaker_lost(&self) {}
    fn undecodable(&self, _: MemberId) {}
    fn too_costly(&self, _: MemberId) {}
    fn shown(&self, _: MemberId, _: VideoTrack, _: &Arc<Picture>) {
        self.reached.send(()).expect("the test waits");
        self.go.lock().expect("the test").recv().expect("let go");
    }
}

/// The packets of one picture.
fn picture(now: Instant) -> Vec<Arc<[u8]>> {
    let size = Size::new(64, 48).expect("a size");
    let settings = Settings {
        size,
        frame_rate: 30,
        bitrate: Bitrate(100_000),
        speed: Speed(9),
    };
    let mut encoder = encoder(EncoderKind::Aom, settings).expect("an encoder");
    let mut encoded = encoder.encode(&Picture::grey(size, now), true).expect("encoded");
    let frame = Frame {
        number: 1,
        captured: Ticks(0),
        kind: Kind::KEY,
        data: encoded.remove(0).data,
    };
    Packets::of(frame).bodies(PartSize::Full).to_vec()
}

#[test]
fn nobody_waits_for_the_picture_of_a_member_that_leaves() {
    let now = Instant::now();
    let (reached, arrival) = sync_channel(1);
    let (let_go, go) = sync_channel(1);
    let held = Held {
        reached,
        go: Mutex::new(go),
    };
    let playout = Playout::start(None, None, Arc::new(held), now).expect("a playout");
    playout.add(1, "Ann").expect("a member");
    for body in picture(now) {
        playout.handle_video(1, VideoTrack::Camera, &body, now);
    }
    arrival
        .recv_timeout(Duration::from_secs(300))
        .expect("the picture");
    // Were the thread waited for, this would never return.
    playout.remove(1);
    assert!(playout.take_stats(1, Stream::Person).is_none());
    let_go.send(()).expect("it waits");
}
