use sightline_media_proto::effort::Speed;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::{AudioTrack, Stream, Ticks};

use super::*;
use crate::av1::{EncoderKind, Settings, encoder};
use crate::decoder::DecoderThreads;
use crate::picture::Size;
use crate::receive::{MemberId, Playout};

/// Counts what it is told.
#[derive(Default)]
struct Told(std::sync::Mutex<Vec<&'static str>>);

impl Told {
    fn note(&self, what: &'static str) {
        lock(&self.0).push(what);
    }

    fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut lock(&self.0))
    }
}

impl Observer for Told {
    fn first_audio(&self, _: MemberId, _: AudioTrack) {}
    fn first_video(&self, _: MemberId, _: VideoTrack) {}
    fn needs_key_frame(&self, _: MemberId, _: VideoTrack) {
        self.note("key frame");
    }
    fn speaker_runs(&self) {}
    fn speaker_failed(&self, _: String) {}
    fn undecodable(&self, _: MemberId) {
        self.note("undecodable");
    }
    fn too_costly(&self, _: MemberId) {
        self.note("too costly");
    }
    fn shown(&self, _: MemberId, _: VideoTrack, _: &Arc<Picture>) {
        self.note("shown");
    }
}

fn playout(now: Instant) -> Playout {
    let told = Arc::new(Told::default());
    Playout::start(None, None, Arc::new(DecoderThreads), told, now).expect("a playout")
}

fn frame(number: u32) -> video::Frame {
    let size = Size::new(64, 48).expect("a size");
    let settings = Settings {
        size,
        frame_rate: 30,
        bitrate: Bitrate(100_000),
        speed: Speed(9),
    };
    let mut encoder = encoder(EncoderKind::Aom, settings).expect("an encoder");
    let picture = Picture::grey(size, Instant::now());
    let data = encoder.encode(&picture, true).expect("encoded").remove(0).data;
    video::Frame {
        number,
        captured: Ticks(0),
        dependency: video::Dependency::KEY,
        data,
    }
}

#[test]
fn who_costs_too_much_is_not_decoded_for_a_while_even_after_coming_back() {
    let now = Instant::now();
    let told = Told::default();
    let playout = playout(now);
    playout.add(1, "Ann").expect("a member");
    let member = playout.member(1).expect("she is here");
    let mut decoding = Decoding::new(&member, VideoTrack::Camera, &told);
    decoding.handle(Some(frame(1)), now);
    assert_eq!(told.take(), ["shown"]);

    assert!(member.account_for(None, Duration::from_secs(60), Instant::now()));
    decoding.handle(Some(frame(2)), Instant::now());
    playout.remove(1);
    playout.add(1, "Ann").expect("a member");
    let again = playout.member(1).expect("she is back");
    let mut decoding = Decoding::new(&again, VideoTrack::Camera, &told);
    decoding.handle(Some(frame(3)), Instant::now());
    assert_eq!(told.take(), [""; 0], "nothing is decoded, and nothing asked for");
    playout.add(2, "Bob").expect("a member");
    let other = playout.member(2).expect("he is here");
    Decoding::new(&other, VideoTrack::Camera, &told).handle(Some(frame(1)), Instant::now());
    assert_eq!(told.take(), ["shown"], "the others are");

    let later = Instant::now() + Duration::from_secs(3600);
    let packets = video::Packets::of(frame(4));
    let bodies = packets.bodies(video::PacketSize::Full);
    let video = &again.stream(Stream::Person).video;
    lock(video).reassembler.handle_packet(&bodies[0], later);
    decoding.handle(None, later);
    assert!(decoding.was_open);
    decoding.handle(Some(frame(5)), later);
    assert!(told.take().contains(&"shown"));
}

#[test]
fn who_breaks_the_decoder_or_finds_none_is_paused_and_told() {
    let now = Instant::now();
    let playout = playout(now);
    for (id, failed) in [(1, DecodeError::Lost), (2, DecodeError::Setup)] {
        playout.add(id, "Ann").expect("a member");
        let member = playout.member(id).expect("she is here");
        assert!(!member.account_for(Some(&DecodeError::Malformed), Duration::ZERO, now));
        assert!(lock(&member.allowance).is_open(now));
        assert!(member.account_for(Some(&failed), Duration::ZERO, now));
        assert!(!lock(&member.allowance).is_open(now));
    }
}
