//! A member's four tracks, all the way: from the encoders through packets and both sides' sessions to what is heard, shown and
//! recorded.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sightline_media::av1::{EncoderKind, Settings, encoder};
use sightline_media::decoder::DecoderThreads;
use sightline_media::{MemberId, Observer, Picture, Playout, Recorder, Size, VoiceEncoder};
use sightline_media_proto::audio::{Protection, Span};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::layer::{Layer, Subscription};
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::redundancy::{self, Protector};
use sightline_media_proto::session::{Limits, Session};
use sightline_media_proto::video::{Dependency, Frame, Packets};
use sightline_media_proto::{AudioTrack, Ticks, Track, VideoTrack};

const SIZE: Size = Size {
    width: 64,
    height: 48,
};

/// Ann, as the others number her, and the others, as she does.
const ANN: MemberId = 7;
const OTHERS: u8 = 1;

/// Notes what is there for the first time, and how bright it is.
struct Notes {
    there: SyncSender<Track>,
    brightness: Mutex<[Option<u8>; 2]>,
}

impl Observer for Notes {
    fn first_audio(&self, member: MemberId, track: AudioTrack) {
        assert_eq!(member, ANN);
        self.there.send(Track::Audio(track)).expect("the test waits");
    }

    fn first_video(&self, member: MemberId, track: VideoTrack) {
        assert_eq!(member, ANN);
        self.there.send(Track::Video(track)).expect("the test waits");
    }

    fn needs_key_frame(&self, _: MemberId, _: VideoTrack) {}
    fn speaker_runs(&self) {}
    fn speaker_failed(&self, _: String) {}
    fn undecodable(&self, _: MemberId) {}
    fn too_costly(&self, _: MemberId) {}

    fn shown(&self, _: MemberId, track: VideoTrack, picture: &Arc<Picture>) {
        let middle = picture.planes()[0][SIZE.width as usize * SIZE.height as usize / 2];
        self.brightness.lock().expect("unpoisoned")[track.index()] = Some(middle);
    }
}

/// How bright a track's pictures are.
const fn brightness(track: VideoTrack) -> u8 {
    match track {
        VideoTrack::Camera => 60,
        VideoTrack::Screen => 200,
    }
}

/// A key frame of a track.
fn frame(track: VideoTrack, now: Instant) -> Packets {
    let settings = Settings {
        size: SIZE,
        frame_rate: 30,
        bitrate: Bitrate(100_000),
        speed: Speed(9),
    };
    let mut picture = Picture::grey(SIZE, now);
    picture.planes_mut()[0].fill(brightness(track));
    let mut encoder = encoder(EncoderKind::Aom, settings).expect("an encoder");
    let data = encoder.encode(&picture, true).expect("encoded").remove(0).data;
    Packets::of(Frame {
        number: 1,
        captured: Ticks(0),
        dependency: Dependency::KEY,
        data,
    })
}

/// A fifth of a second of a hum.
fn hum() -> Vec<Arc<[u8]>> {
    let mut encoder = VoiceEncoder::new().expect("opus");
    let mut protector = Protector::default();
    let samples: Vec<f32> = (0..Span::Ten.samples())
        .map(|at| (at as f32 * 0.05).sin() * 0.3)
        .collect();
    let packet = |first: u32| {
        let len = Protection::Light.frame_len(Span::Ten);
        let frame = redundancy::Frame {
            first,
            captured: Ticks(first * Span::Ten.samples() as u32),
            span: Span::Ten,
            data: encoder.encode(&samples, len).expect("encoded"),
        };
        protector.pack(frame, Protection::Light).encode().into()
    };
    (0..20).map(packet).collect()
}

/// The brightness in the middle of a recording's last picture.
fn recorded(path: &Path) -> u8 {
    let mut decoder = y4m::decode(File::open(path).expect("a recording")).expect("Y4M");
    let mut middle = None;
    while let Ok(frame) = decoder.read_frame() {
        middle = Some(frame.get_y_plane()[SIZE.width as usize * SIZE.height as usize / 2]);
    }
    middle.expect("a picture")
}

#[test]
fn four_tracks_of_one_member_are_heard_shown_and_recorded_apart() {
    let now = Instant::now();
    let folder = tempfile::tempdir().expect("a folder");
    let recorder = Recorder::start(folder.path(), |told| panic!("{told:?}")).expect("a recorder");
    let (there, first) = sync_channel(4);
    let notes = Arc::new(Notes {
        there,
        brightness: Mutex::default(),
    });
    let playout = Playout::start(
        None,
        Some(recorder),
        Arc::new(DecoderThreads),
        Arc::clone(&notes) as _,
        now,
    )
    .expect("a playout");
    playout.add(ANN, "Ann").expect("a member");

    let [mut ann, mut bob] = [(), ()].map(|()| Session::<u8, ()>::new(Limits::default(), now));
    for session in [&mut ann, &mut bob] {
        session.handle_receivers(&[(OTHERS, ())], now);
    }
    for track in VideoTrack::ALL {
        ann.handle_subscription(OTHERS, track, Some(Subscription::whole(Layer::Small)));
        ann.wishes(track, Layer::Small, now);
    }
    let hum = hum();
    let frames = VideoTrack::ALL.map(|track| frame(track, now));
    for ms in 0..1000 {
        let now = now + Duration::from_millis(ms);
        for track in VideoTrack::ALL.into_iter().filter(|_| ms == 100) {
            let wishes = ann.wishes(track, Layer::Small, now);
            assert!(wishes[Layer::Small.index()].is_some(), "{track:?}");
            ann.handle_video(track, Layer::Small, &frames[track.index()], now);
        }
        if ms % 10 == 0
            && let Some(body) = hum.get(ms as usize / 10)
        {
            ann.handle_audio(AudioTrack::Voice, body, now);
            ann.handle_audio(AudioTrack::ScreenAudio, body, now);
        }
        while let Some((_, leaving)) = ann.poll_packet(now) {
            match bob.handle_packet(&OTHERS, leaving.class, &leaving.body, now) {
                Some((Track::Audio(track), body)) => {
                    // What a slow machine is too late for is of no use.
                    let _late = playout.handle_audio(ANN, track, body, now);
                }
                Some((Track::Video(track), body)) => playout.handle_video(ANN, track, body, now),
                None => {}
            }
        }
    }
    let patience = Duration::from_secs(300);
    let all: BTreeSet<_> = (0..4)
        .map(|_| first.recv_timeout(patience).expect("a track"))
        .collect();
    assert_eq!(all, BTreeSet::from(Track::ALL));
    let is_near = |seen: u8, track| seen.abs_diff(brightness(track)) < 8;
    for track in VideoTrack::ALL {
        let seen = notes.brightness.lock().expect("unpoisoned")[track.index()].expect("a picture");
        assert!(is_near(seen, track), "{track:?}: {seen}");
    }
    // What is recorded next has pictures; dropping the playout finishes the files.
    for name in ["Ann.y4m", "Ann_screen.y4m"] {
        let length = || folder.path().join(name).metadata().map_or(0, |file| file.len());
        while length() < 2 * u64::from(SIZE.width * SIZE.height) {
            assert!(now.elapsed() < patience, "{name}");
            std::thread::yield_now();
        }
    }
    drop(playout);
    for (name, track) in [("Ann", VideoTrack::Camera), ("Ann_screen", VideoTrack::Screen)] {
        let sound = hound::WavReader::open(folder.path().join(format!("{name}.wav"))).expect("a recording");
        assert!(
            sound
                .into_samples::<i16>()
                .any(|sample| sample.expect("one").abs() > 1000),
            "{name}"
        );
        let seen = recorded(&folder.path().join(format!("{name}.y4m")));
        assert!(is_near(seen, track), "{name}: {seen}");
    }
}
