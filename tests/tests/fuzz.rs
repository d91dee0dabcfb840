//! Every parser against mutated input; see `sightline_tests::fuzz` for how to run one longer.
#![allow(clippy::disallowed_methods, clippy::expect_used, missing_docs)]

use std::io::Cursor;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p_identity::Keypair;
use sightline_media::av1::{EncoderKind, Settings, encoder};
use sightline_media::decoder::{DecodeError, Decoder, ThreadDecoder};
use sightline_media::{Picture, Size, VoiceDecoder, VoiceEncoder, camera, microphone};
use sightline_media_proto::audio::{self, BLOCK_SAMPLES, Protection, Span};
use sightline_media_proto::effort::Speed;
use sightline_media_proto::feedback::Feedback;
use sightline_media_proto::link::{ArrivalReport, Arrivals, Number, Sender};
use sightline_media_proto::playout::{Decode, Playout};
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::redundancy::{self, Protector};
use sightline_media_proto::session::{Limits, Session as MediaSession};
use sightline_media_proto::{AudioTrack, Ticks, obu, video};
use sightline_mesh_proto::candidate::{Candidate, CandidateType};
use sightline_mesh_proto::channel::{Channel, Channels, Violation};
use sightline_mesh_proto::gate::{Change, Gate, Sponsor};
use sightline_mesh_proto::interface::Medium;
use sightline_mesh_proto::roster::{Card, Entries, Joined, Left, Moved, Roster};
use sightline_mesh_proto::route::Consent;
use sightline_mesh_proto::tag::ExpectId;
use sightline_mesh_proto::wire::{Control, Refusal};
use sightline_mesh_proto::{Class, Clock, Code, Name, Secret, UnixTime, initial, packet, tag};
use sightline_noise::{Binding, Exporter, Initiator, Psk, PublicKey, Responder, Session, StaticKey};
use sightline_tests::fuzz::{run, run_made};
use sightline_tests::obu::{Real, temporal_unit};
use sightline_tests::photo;

use rand::SeedableRng;
use rand::rngs::StdRng;

fn code() -> Code {
    Code {
        inviter: PublicKey([1; 32]),
        secret: Secret([2; 32]),
        expires: UnixTime(1_800_000_000),
        candidates: vec![
            Candidate::local(SocketAddr::from(([192, 0, 2, 7], 44))),
            Candidate {
                kind: CandidateType::Mapped,
                address: SocketAddr::from(([1, 2, 3, 4, 5, 6, 7, 8], 9)),
            },
        ],
    }
}

#[test]
fn codes() {
    let corpus = [
        code().to_string().into_bytes(),
        format!("1. Here is the code:\n> {}, see you", code()).into_bytes(),
    ];
    run("codes", &corpus, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let _may_go_on = Code::is_begun(&text);
        if let Ok(read) = Code::parse(&text) {
            assert_eq!(Code::parse(&read.to_string()), Ok(read));
        }
    });
}

#[test]
fn control_messages() {
    let identity = Keypair::ed25519_from_bytes([3; 32]).expect("a key");
    let candidate = Candidate::local(SocketAddr::from(([192, 0, 2, 7], 44)));
    let card = Card::sign(&identity, PublicKey([4; 32]), &Name::new("Ann"), &[candidate]).expect("signed");
    let joined = Joined::sign(card.clone(), &identity, &[5; 16]).expect("signed");
    let left = Left::sign(&identity, &[5; 16], &joined).expect("signed");
    let peer = identity.public().to_peer_id();
    let moved = Moved::sign(&identity, &[5; 16], 1, &[candidate]).expect("signed");
    let entries = Entries {
        joined: vec![joined.clone()],
        left: vec![left.clone()],
        moved: vec![moved],
    };
    let corpus = [
        Control::Knock(card),
        Control::Welcome {
            call: [5; 16].into(),
            entries: entries.clone(),
        },
        Control::Refused(Refusal::Used),
        Control::Introduce {
            entry: joined.clone(),
            secret: [6; 32].into(),
            dial: true,
        },
        Control::Ready(peer.into()),
        Control::Heartbeat {
            roster: [7; 32].into(),
            links: vec![peer.into()],
            asking: vec![peer.into()],
        },
        Control::Entries(entries),
        Control::Consent(Consent::Asked),
        Control::Reconnect([9; 32].into()),
        Control::Medium(Medium::Vpn),
        Control::Asked(peer.into()),
        Control::RekeyFirst(vec![8; 96].into()),
        Control::RekeySecond(vec![8; 48].into()),
        Control::Message {
            channel: 0,
            body: vec![1].into(),
        },
        Control::Credit {
            channel: 0,
            bytes: 272,
        },
        Control::Bye(left),
    ];
    let corpus: Vec<_> = corpus.iter().map(|message| message.encode().to_vec()).collect();
    run("control_messages", &corpus, |bytes| {
        let Ok(message) = Control::decode(bytes) else {
            return;
        };
        assert_eq!(Control::decode(&message.encode()), Ok(message.clone()));
        match message {
            Control::Knock(card) => {
                let _who = (card.verify(), card.candidates(), card.name());
            }
            Control::Welcome { call, entries } => {
                let mut roster = Roster::new(*call);
                let _news = roster.handle_entries(entries);
                for peer in roster.present().collect::<Vec<_>>() {
                    let _where = roster.candidates(&peer);
                }
                let mut other = Roster::new(*call);
                for part in roster.parts() {
                    assert!(!other.handle_entries(part).forged);
                }
                assert_eq!(other.hash(), roster.hash());
            }
            _ => {}
        }
    });
}

#[test]
fn bulk_fragments() {
    let mut sender = Channels::default();
    let mut corpus = vec![vec![Channel::Bulk.id() << 1], vec![Channel::Bulk.id() << 1 | 1]];
    for len in [0, 1, 900, Channel::Bulk.max_message()] {
        sender.push(Channel::Bulk, vec![7; len]).expect("room");
        corpus.extend(std::iter::from_fn(|| sender.poll_fragment(1000)));
    }
    let mut receiver = Channels::default();
    run("bulk_fragments", &corpus, |bytes| {
        match receiver.handle_fragment(bytes) {
            Ok(None) => {}
            Ok(Some((channel, message))) => {
                assert!(channel.is_bulk() && message.len() <= channel.max_message());
                let credit = receiver.handle_consumed(channel, message.len());
                assert!(credit.is_none_or(|credit| credit as usize <= channel.window()));
            }
            Err(Violation) => receiver = Channels::default(),
        }
    });
}

#[test]
fn datagram_framing() {
    let mut rng = StdRng::seed_from_u64(1);
    let now = Instant::now();
    let (ours, theirs) = (StaticKey::generate(&mut rng), StaticKey::generate(&mut rng));
    let binding = Binding {
        version: 1,
        context: [0; 16],
        initiator: vec![1],
        responder: vec![2],
        exporter: Exporter([3; 32]),
    };
    let psk = Psk::from([4; 32]);
    let (initiator, first) =
        Initiator::start(&ours, theirs.public(), &psk, &binding, &mut rng).expect("started");
    let (responder, _) =
        Responder::handle_first(&theirs, &psk, &binding, &first, &mut rng).expect("answered");
    let (mut session, second) = Session::from_first(
        responder,
        theirs.clone(),
        ours.public(),
        psk.clone(),
        binding.clone(),
        now,
    )
    .expect("a session");
    let mut peer = Session::from_second(initiator, &second, ours, theirs.public(), psk, binding, now)
        .expect("a session");
    let inside: Vec<_> = [
        (Class::Audio, 108, 205),
        (Class::Report, 70, 573),
        (Class::Video, packet::MAX_BODY, packet::MAX_BODY),
        (Class::Video, 200, 861),
        (Class::Padding, 900, packet::MAX_BODY),
        (Class::Marker, 4, 13),
        (Class::Control, 25, 61),
    ]
    .into_iter()
    .flat_map(|(class, len, longest)| {
        let body = vec![7; len];
        [
            packet::pack(class, &body),
            packet::pack_as_long(class, &body, longest),
        ]
    })
    .map(|inside| inside.expect("it fits"))
    .collect();
    let mut corpus: Vec<_> = inside
        .iter()
        .map(|i| peer.seal_packet(i, now).expect("sealed"))
        .collect();
    corpus.extend(inside);
    corpus.extend([first, second]);
    run("datagram_framing", &corpus, |bytes| {
        if let Ok((class, body)) = packet::unpack(bytes) {
            // The sender may take any size of the class that holds the body: what is beyond the smallest is zero.
            let packed = packet::pack(class, body).expect("it was packed");
            let padding = bytes.strip_prefix(packed.as_slice());
            assert!(padding.is_some_and(|more| more.iter().all(|byte| *byte == 0)));
        }
        let _opened = session.open_packet(bytes, now);
        let _opened = session.open_control(bytes, now);
        let _opened = session.open_bulk(bytes, now);
        let _rekeyed = session.handle_first(bytes, now, &mut rng);
        let _rekeyed = peer.handle_second(bytes, now);
    });
}

#[test]
fn first_packets_at_the_gate() {
    let mut rng = StdRng::seed_from_u64(2);
    let now = Instant::now();
    let key = Secret([9; 32]).tag_key();
    let mut good = vec![0; 1200];
    good[..6].copy_from_slice(&[0xc0, 0, 0, 0, 1, 20]);
    let made = tag::make(&key, &mut rng);
    good[6..26].copy_from_slice(&made);
    let local = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut gate = Gate::new(Clock { start: now });
    let mut inputs = 0u16;
    run(
        "first_packets_at_the_gate",
        std::slice::from_ref(&good),
        |bytes| {
            // Each input comes from an address of its own, when those before are guests no more.
            let turn = inputs % 32;
            if turn == 0 {
                gate = Gate::new(Clock { start: now });
                gate.handle_change(Change::Expect(
                    ExpectId(1),
                    key.clone(),
                    Sponsor::Code(ExpectId(1)),
                ));
                gate.handle_change(Change::Listen(local));
            }
            inputs = inputs.wrapping_add(1);
            let from = SocketAddr::from(([192, 0, 2, 1], 1000 + turn));
            let passes = gate.handle_incoming(
                local,
                from,
                bytes,
                now + Duration::from_secs(11) * u32::from(turn),
            );
            let has_tag = initial::tag(bytes).is_some_and(|tag| tag == made);
            assert!(!passes || has_tag, "a packet without the tag passed");
        },
    );
}

#[test]
fn reassembly() {
    let frame = video::Frame {
        number: 7,
        captured: Ticks(9),
        dependency: video::Dependency::KEY,
        data: vec![5; 3000],
    };
    let packets = video::Packets::of(frame);
    let of_size = |size| packets.bodies(size).iter().chain(packets.parity(size));
    let bodies = video::PacketSize::ALL.into_iter().flat_map(of_size);
    let corpus: Vec<_> = bodies.map(|body| body.to_vec()).collect();
    let mut reassembler = Reassembler::default();
    let mut now = Instant::now();
    run("reassembly", &corpus, |bytes| {
        now += Duration::from_millis(5);
        reassembler.handle_packet(bytes, now);
        if let Some(frame) = reassembler.poll_frame(now) {
            assert!(frame.data.len() <= usize::from(video::MAX_FRAGMENTS) * video::MAX_DATA);
        }
        let _asked = reassembler.poll_key_frame_request(now);
    });
}

#[test]
fn reports_of_arrivals() {
    let start = Instant::now();
    let mut sender = Sender::new(7, start);
    let mut arrivals = Arrivals::new(start);
    let mut members = MediaSession::<u8, ()>::new(Limits::default(), start);
    members.handle_receivers(&[(1, ())], start);
    let audio: Arc<[u8]> = Arc::from(vec![0; 105]);
    let mut corpus = Vec::new();
    let mut now = start;
    for _ in 0..40 {
        now += Duration::from_millis(5);
        sender.handle_audio(AudioTrack::Voice, Arc::clone(&audio), now);
        while let Some(leaving) = sender.poll_packet(now) {
            let (number, _) = Number::split(&leaving.body).expect("a number");
            arrivals.handle_packet(number, now);
            corpus.push(leaving.body);
        }
        corpus.extend(arrivals.poll_report(now).map(|report| report.encode()));
    }
    run("reports_of_arrivals", &corpus, |bytes| {
        now += Duration::from_millis(5);
        sender.handle_audio(AudioTrack::Voice, Arc::clone(&audio), now);
        while sender.poll_packet(now).is_some() {}
        if let Some(report) = ArrivalReport::decode(bytes) {
            sender.handle_report(&report, now);
        }
        if let Some((number, _)) = Number::split(bytes) {
            arrivals.handle_packet(number, now);
        }
        for class in [
            Class::Audio,
            Class::Video,
            Class::Padding,
            Class::Marker,
            Class::Report,
        ] {
            let media = members.handle_packet(&1, class, bytes, now);
            assert!(media.is_none_or(|(track, _)| track.class() == class));
        }
        members.handle_bulk(&1, bytes.len() % 2 == 0);
        while members.poll_packet(now).is_some() {}
        if let Some((member, room)) = members.poll_bulk(now) {
            let marker = members.handle_bulk_sent(&member, room, now);
            assert_eq!(marker.map(|marker| marker.class), Some(Class::Marker));
        }
        let _report = arrivals.poll_report(now);
        assert!(
            (50_000..100_000_000).contains(&sender.estimate().0),
            "{:?}",
            sender.estimate()
        );
    });
}

#[test]
fn sound_packets() {
    let mut corpus = Vec::new();
    for span in [Span::Ten, Span::Twenty] {
        for protection in [Protection::Light, Protection::Strong] {
            let mut protector = Protector::default();
            for nth in 150..158 {
                let frame = redundancy::Frame {
                    first: nth * span.blocks(),
                    captured: Ticks(nth),
                    span,
                    data: vec![3; protection.frame_len(span)],
                };
                corpus.push(protector.pack(frame, protection).encode());
            }
        }
    }
    let mut playout = Playout::default();
    let mut decoder = VoiceDecoder::new().expect("opus");
    let mut out = [0.0; 240];
    let mut now = Instant::now();
    run("sound_packets", &corpus, |bytes| {
        now += Duration::from_millis(20);
        let _feedback = Feedback::decode(bytes);
        if let Some(packet) = audio::Packet::decode(bytes) {
            let _kept = playout.handle_packet(packet, now);
        }
        let _captured = playout.poll_audio(&mut decoder, &mut out, now);
        assert!(out.iter().all(|sample| sample.is_finite()));
    });
}

#[test]
fn opus_frames() {
    let mut voice = VoiceEncoder::new().expect("opus");
    let tone: Vec<_> = (0..Span::Twenty.samples())
        .map(|n| (n as f32 * 0.06).sin() * 0.5)
        .collect();
    let corpus: Vec<_> = (0..5)
        .map(|_| {
            voice
                .encode(&tone, Protection::Light.frame_len(Span::Twenty))
                .expect("encoded")
        })
        .collect();
    let mut decoder = VoiceDecoder::new().expect("opus");
    let mut out = Vec::new();
    run("opus_frames", &corpus, |bytes| {
        out.clear();
        let is_decoded = decoder.decode(bytes, Span::Twenty, &mut out);
        assert_eq!(out.len(), if is_decoded { Span::Twenty.samples() } else { 0 });
        assert!(out.iter().all(|sample| sample.is_finite()));
    });
}

/// What an encoder makes of six small pictures, two of them key frames.
fn encoded(kind: EncoderKind, now: Instant) -> Vec<Vec<u8>> {
    let size = Size {
        width: 64,
        height: 48,
    };
    let settings = Settings {
        size,
        frame_rate: 30,
        bitrate: Bitrate(100_000),
        speed: Speed(9),
    };
    let mut encoder = encoder(kind, settings).expect("an encoder");
    let mut picture = Picture::grey(size, now);
    let units = (0..6u32).flat_map(|n| {
        for (at, pixel) in picture.data_mut().iter_mut().enumerate() {
            *pixel = (at as u32).wrapping_mul(n + 3) as u8;
        }
        picture.captured = now + Duration::from_millis(33) * n;
        encoder.encode(&picture, n == 3).expect("encoded")
    });
    units.map(|unit| unit.data).collect()
}

/// Decodes what may be decoded; nothing else may come near the decoder's library, and nothing may end it.
fn decode_strictly(decoder: &mut ThreadDecoder, reader: &mut obu::Reader, bytes: &[u8], now: Instant) {
    let read = reader.handle_received(bytes);
    let decoded = decoder.decode(bytes, now);
    assert_ne!(decoded, Err(DecodeError::Lost), "the decoder did not survive it");
    match read {
        Ok(unit) => {
            assert_eq!(unit.data, bytes);
            let real = Real::of(&[unit.data]);
            assert_eq!((real.frames.len(), !real.header.is_empty()), (1, unit.is_key));
            if let Ok(Some(picture)) = decoded {
                assert_eq!(
                    (picture.size.width, picture.size.height),
                    (unit.sequence.width, unit.sequence.height)
                );
            }
        }
        Err(error) => assert_eq!(decoded, Err(error.into())),
    }
}

#[test]
fn av1_pictures() {
    let now = Instant::now();
    let corpus = [EncoderKind::Aom, EncoderKind::Rav1e].map(|kind| encoded(kind, now));
    let (mut decoder, mut reader) = (ThreadDecoder::default(), obu::Reader::default());
    run("av1_pictures", &corpus.concat(), |bytes| {
        decode_strictly(&mut decoder, &mut reader, bytes, now);
    });
}

#[test]
fn av1_units_of_every_kind() {
    let now = Instant::now();
    let reals = [EncoderKind::Aom, EncoderKind::Rav1e].map(|kind| Real::of(&encoded(kind, now)));
    let (mut decoder, mut reader) = (ThreadDecoder::default(), obu::Reader::default());
    let mut made = 0;
    run_made(
        "av1_units_of_every_kind",
        |rng| {
            made += 1;
            let real = &reals[made / 64 % 2];
            temporal_unit(real, rng)
        },
        |bytes| {
            decode_strictly(&mut decoder, &mut reader, bytes, now);
            // What an encoder says too much is taken out, or it is refused as well.
            let _written = obu::Reader::default().handle_encoded(bytes);
        },
    );
}

#[test]
fn y4m_clips() {
    let mut clip = b"YUV4MPEG2 W16 H16 F30:1 Ip A1:1 C420jpeg\n".to_vec();
    for value in 0..2 {
        clip.extend_from_slice(b"FRAME\n");
        clip.extend_from_slice(&[value; 384]);
    }
    run("y4m_clips", &[clip], |bytes| {
        if let Ok(mut clip) = camera::Clip::new(Cursor::new(bytes.to_vec()), "fuzz".into()) {
            for _ in 0..3 {
                let _picture = clip.next_data();
            }
        }
    });
}

#[test]
fn pictures_of_codes() {
    let picture = photo::of("AAAAA-BBBBB", 3);
    let corpus = [image::ImageFormat::Png, image::ImageFormat::Jpeg]
        .map(|format| photo::file(picture.clone(), format));
    run("pictures_of_codes", &corpus, |bytes| {
        let _code = sightline::code_picture::read_bytes(bytes);
    });
}

#[test]
fn wav_clips() {
    let mut corpus = Vec::new();
    for (bits, format) in [
        (8, hound::SampleFormat::Int),
        (16, hound::SampleFormat::Int),
        (32, hound::SampleFormat::Float),
    ] {
        let spec = hound::WavSpec {
            channels: 2,
            sample_rate: 8000,
            bits_per_sample: bits,
            sample_format: format,
        };
        let mut bytes = Cursor::new(Vec::new());
        let mut writer = hound::WavWriter::new(&mut bytes, spec).expect("a writer");
        for n in 0..800 {
            match format {
                hound::SampleFormat::Int => writer.write_sample(n % 100),
                hound::SampleFormat::Float => writer.write_sample(n as f32 / 800.0),
            }
            .expect("written");
        }
        writer.finalize().expect("written");
        corpus.push(bytes.into_inner());
    }
    run("wav_clips", &corpus, |bytes| {
        if let Ok(mut clip) = microphone::Clip::from_bytes(bytes) {
            let mut frame = [0.0; BLOCK_SAMPLES];
            // It may end in the middle.
            let _read = clip.next(&mut frame);
            assert!(frame.iter().all(|sample| sample.abs() <= 1.0));
        }
    });
}
