//! What a member's pictures may cost the others.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::sync::atomic::AtomicBool;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_media::av1::{EncoderKind, Settings, encoder};
use sightline_media::decoder::{DecodeError, Decoder, DecoderFactory, DecoderThreads};
use sightline_media::{MemberId, Observer, Picture, Playout, Size};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::video::{Dependency, Frame, PacketSize, Packets};
use sightline_media_proto::{AudioTrack, Stream, Ticks, VideoTrack};

/// Does this with each picture that is shown, on the thread that shows it.
struct OnShown<F>(F);

impl<F: Fn(&Arc<Picture>) + Send + Sync> Observer for OnShown<F> {
    fn first_audio(&self, _: MemberId, _: AudioTrack) {}
    fn first_video(&self, _: MemberId, _: VideoTrack) {}
    fn needs_key_frame(&self, _: MemberId, _: VideoTrack) {}
    fn speaker_runs(&self) {}
    fn speaker_failed(&self, _: String) {}
    fn undecodable(&self, _: MemberId) {}
    fn too_costly(&self, _: MemberId) {}
    fn shown(&self, _: MemberId, _: VideoTrack, picture: &Arc<Picture>) {
        (self.0)(picture);
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
        dependency: Dependency::KEY,
        data: encoded.remove(0).data,
    };
    Packets::of(frame).bodies(PacketSize::Full).to_vec()
}

#[test]
fn nobody_waits_for_the_picture_of_a_member_that_leaves() {
    let now = Instant::now();
    let (reached, arrival) = sync_channel(1);
    let (let_go, go) = sync_channel(1);
    let go = Mutex::new(go);
    let held = OnShown(move |_: &Arc<Picture>| {
        reached.send(()).expect("the test waits");
        go.lock().expect("the test").recv().expect("let go");
    });
    let playout =
        Playout::start(None, None, Arc::new(DecoderThreads), Arc::new(held), now).expect("a playout");
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

/// Memory that is not the program's own, as far as a picture can tell.
#[derive(Debug)]
struct Shared(Box<[u8]>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl AsMut<[u8]> for Shared {
    fn as_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

/// Shows the first byte of what it is given, in shared memory.
struct Elsewhere;

impl DecoderFactory for Elsewhere {
    fn decoder(&self, _: Arc<AtomicBool>) -> Box<dyn Decoder> {
        Box::new(Self)
    }
}

impl Decoder for Elsewhere {
    fn decode(&mut self, data: &[u8], captured: Instant) -> Result<Option<Picture>, DecodeError> {
        let size = Size::new(64, 48).expect("a size");
        let samples = vec![data[0]; size.samples()];
        Ok(Picture::new(size, Shared(samples.into()), captured))
    }

    fn took(&self) -> Duration {
        Duration::ZERO
    }
}

#[test]
fn pictures_may_be_decoded_elsewhere_and_come_in_memory_that_is_shared() {
    let now = Instant::now();
    let (sink, shown) = sync_channel(1);
    let observer = Arc::new(OnShown(move |picture: &Arc<Picture>| {
        sink.send(Arc::clone(picture)).expect("the test waits");
    }));
    let playout = Playout::start(None, None, Arc::new(Elsewhere), observer, now).expect("a playout");
    playout.add(1, "Ann").expect("a member");
    let frame = Frame {
        number: 1,
        captured: Ticks(0),
        dependency: Dependency::KEY,
        data: vec![77; 10],
    };
    for body in Packets::of(frame).bodies(PacketSize::Full) {
        playout.handle_video(1, VideoTrack::Camera, body, now);
    }
    let picture = shown.recv_timeout(Duration::from_secs(300)).expect("a picture");
    assert!(picture.data().iter().all(|sample| *sample == 77));
    assert_eq!(picture.as_ref().clone(), *picture, "a copy is the same");
}
