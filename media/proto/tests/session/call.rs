//! A call of one who sends to many, on virtual time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sightline_media_proto::audio::Span;
use sightline_media_proto::layer::Layer;
use sightline_media_proto::link::Leaving;
use sightline_media_proto::rate::{Bitrate, KeyFrames};
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::session::{LayerTarget, Limits, Session};
use sightline_media_proto::video::{Dependency, Frame, Packets};
use sightline_media_proto::{AudioTrack, Ticks, Track, VideoTrack};
use sightline_netem::{Path, Weather};
use sightline_packet::{Class, MAX_BULK, bulk_wire_size};

/// The one who sends, as the others name it, and the path that everybody's links go by at first.
const SENDER: usize = usize::MAX;
const PATH: u8 = 0;

/// Bodies of sound in packets of 10 and of 20 ms, bytes.
const TEN: usize = 105;
const TWENTY: usize = 201;

/// One layer's encoder: every second picture is built on by no other.
#[derive(Default)]
struct Encoder {
    key_frames: KeyFrames,
    is_enhancement_next: bool,
    last_reference: u32,
}

impl Encoder {
    fn encode(
        &mut self,
        number: u32,
        wish: &LayerTarget,
        layer: Layer,
        ms: u64,
        now: Instant,
    ) -> Option<Frame> {
        if wish.wants_key {
            self.key_frames.handle_request();
        }
        if !wish.is_open {
            return None;
        }
        let since_reference = u8::try_from(number - self.last_reference);
        if since_reference.is_err() {
            self.key_frames.handle_request();
        }
        let is_key = self.key_frames.poll(now);
        let is_enhancement = !is_key && self.is_enhancement_next;
        self.is_enhancement_next = !is_enhancement;
        if is_enhancement && wish.is_base_only {
            return None;
        }
        let share = if is_key {
            3.0
        } else if is_enhancement {
            0.6
        } else {
            1.4
        };
        let bytes = f64::from(wish.rate.0) / f64::from(layer.frame_rate()) / 8.0 * share;
        if !is_enhancement {
            self.last_reference = number;
        }
        Some(Frame {
            number,
            captured: Ticks(ms as u32 * 48),
            dependency: Dependency {
                frame_diff: if is_key { 0 } else { since_reference.ok()? },
                is_discardable: is_enhancement,
            },
            data: vec![1; bytes as usize],
        })
    }
}

/// Somebody who listens and looks.
struct Member {
    session: Session<usize, u8>,
    /// Of each track of video.
    reassemblers: [Reassembler; 2],
    down: Path<Leaving>,
    back: Path<Leaving>,
    /// Sound that came, ms, and frames of each track of video, since it was counted last.
    heard: u64,
    seen: [u32; 2],
    received: u64,
}

impl Member {
    fn receive(&mut self, ms: u64, now: Instant) {
        for leaving in self.down.step(ms) {
            let media = self
                .session
                .handle_packet(&SENDER, leaving.class, &leaving.body, now);
            match media {
                Some((Track::Audio(_), body)) => self.heard += if body.len() == TEN { 10 } else { 20 },
                Some((Track::Video(track), body)) => {
                    self.reassemblers[track.index()].handle_packet(body, now);
                }
                None => {}
            }
        }
        for track in VideoTrack::ALL {
            while let Some(frame) = self.reassemblers[track.index()].poll_frame(now) {
                assert!(frame.data.iter().all(|byte| *byte == content(track)), "{track:?}");
                self.seen[track.index()] += 1;
            }
        }
    }
}

/// What the frames of a track are full of.
const fn content(track: VideoTrack) -> u8 {
    track.index() as u8 + 1
}

pub struct Call {
    pub start: Instant,
    pub ms: u64,
    pub session: Session<usize, u8>,
    /// Of each track of video and each of its layers.
    encoders: [[Encoder; 3]; 2],
    /// The number of the next frame of each track, of whichever layer.
    numbers: [u32; 2],
    /// What is left of the packet of sound that is spoken just now, ms.
    speaking: u64,
    /// What left since it was counted last, bytes.
    pub sent: u64,
    /// Of whom, what leaves, and its size on the wire.
    up: Path<(usize, Leaving, u32)>,
    members: Vec<Member>,
    /// To whom bulk waits, without an end, and how much has left, bytes.
    pub bulk_to: Option<usize>,
    pub bulk: usize,
    /// Sound that was spoken, ms, since it was counted last.
    spoken: u64,
    /// How large each track of video is, while there is something to send.
    pub sources: [Option<Layer>; 2],
}

impl Call {
    /// A call of one with a camera up to `camera`, who sends over `up` to as many as there are paths `down`.
    pub fn new(up: Weather, down: &[Weather], camera: Layer, seed: u64) -> Self {
        let start = Instant::now();
        let good = Weather::steady(10e6, 100.0, 0);
        let members = (0..).zip(down).map(|(at, down)| {
            let mut session = Session::new(Limits::default(), start);
            session.handle_receivers(&[(SENDER, PATH)], start);
            Member {
                session,
                reassemblers: Default::default(),
                down: Path::new(down.clone(), seed * 100 + at),
                back: Path::new(good.clone(), seed * 100 + 50 + at),
                heard: 0,
                seen: [0; 2],
                received: 0,
            }
        });
        let members: Vec<_> = members.collect();
        let mut session = Session::new(Limits::default(), start);
        let receivers: Vec<_> = (0..members.len()).map(|member| (member, PATH)).collect();
        session.handle_receivers(&receivers, start);
        Self {
            start,
            ms: 0,
            session,
            encoders: Default::default(),
            numbers: [0; 2],
            speaking: 0,
            sent: 0,
            up: Path::new(up, seed),
            members,
            bulk_to: None,
            bulk: 0,
            spoken: 0,
            sources: [Some(camera), None],
        }
    }

    pub fn run(&mut self, seconds: u64) {
        let end = self.ms + seconds * 1000;
        while self.ms < end {
            self.step();
            self.ms += 1;
        }
    }

    fn step(&mut self) {
        let now = self.start + Duration::from_millis(self.ms);
        self.speak(now);
        self.show(now);
        for member in 0..self.members.len() {
            self.session.handle_bulk(&member, self.bulk_to == Some(member));
        }
        loop {
            while let Some((to, leaving)) = self.session.poll_packet(now) {
                let size = leaving.wire_size();
                self.send(to, leaving, size);
            }
            let Some((to, room)) = self.session.poll_bulk(now) else {
                break;
            };
            self.send_bulk(to, room, now);
        }
        for (to, leaving, size) in self.up.step(self.ms) {
            self.members[to].received += u64::from(size);
            self.members[to].down.send(leaving, size);
        }
        for (at, member) in self.members.iter_mut().enumerate() {
            member.receive(self.ms, now);
            for (encoders, reassembler) in self.encoders.iter_mut().zip(&mut member.reassemblers) {
                if reassembler.poll_key_frame_request(now) {
                    for encoder in encoders {
                        encoder.key_frames.handle_request();
                    }
                }
            }
            while let Some((_, leaving)) = member.session.poll_packet(now) {
                let size = leaving.wire_size();
                member.back.send(leaving, size);
            }
            for leaving in member.back.step(self.ms) {
                let media = self.session.handle_packet(&at, leaving.class, &leaving.body, now);
                assert_eq!(media, None, "nobody else speaks");
            }
        }
    }

    fn send(&mut self, to: usize, leaving: Leaving, size: u32) {
        self.sent += u64::from(size);
        self.up.send((to, leaving, size), size);
    }

    /// Fills the room with bulk: its marker goes with the first packet.
    fn send_bulk(&mut self, to: usize, room: usize, now: Instant) {
        self.bulk += room;
        let marker = self.session.handle_bulk_sent(&to, room, now).expect("a link");
        let rest = Leaving {
            class: Class::Marker,
            body: Vec::new(),
            padded_to: 0,
        };
        let mut packets = std::iter::once(marker).chain(std::iter::repeat(rest));
        let mut left = room;
        while left > 0 {
            let part = left.min(MAX_BULK);
            left -= part;
            let leaving = packets.next().expect("no end");
            self.send(to, leaving, bulk_wire_size(part));
        }
    }

    fn speak(&mut self, now: Instant) {
        if self.speaking == 0 {
            let (millis, len) = match self.session.packing(now).0 {
                Span::Ten => (10, TEN),
                Span::Twenty => (20, TWENTY),
            };
            let body = Arc::from(vec![0; len]);
            self.session.handle_audio(AudioTrack::Voice, &body, now);
            self.speaking = millis;
            self.spoken += millis;
        }
        self.speaking -= 1;
    }

    fn show(&mut self, now: Instant) {
        let is_due = |rate: u64| self.ms * rate / 1000 != (self.ms + 1) * rate / 1000;
        let due = Layer::ALL.map(|layer| is_due(u64::from(layer.frame_rate())));
        if !due.contains(&true) {
            return;
        }
        for track in VideoTrack::ALL {
            let Some(largest) = self.sources[track.index()] else {
                continue;
            };
            let wishes = self.session.wishes(track, largest, now);
            for layer in Layer::ALL {
                let Some(wish) = wishes[layer.index()].filter(|_| due[layer.index()]) else {
                    continue;
                };
                let encoder = &mut self.encoders[track.index()][layer.index()];
                let number = self.numbers[track.index()];
                if let Some(mut frame) = encoder.encode(number, &wish, layer, self.ms, now) {
                    self.numbers[track.index()] += 1;
                    frame.data.fill(content(track));
                    self.session.handle_video(track, layer, &Packets::of(frame), now);
                }
            }
        }
    }

    /// What a link is taken to carry before anything is known of it.
    pub fn first_estimate(&self) -> Bitrate {
        let mut session = Session::new(Limits::default(), self.start);
        session.handle_receivers(&[(0, PATH)], self.start);
        session.link(&0).expect("a link").estimate
    }

    /// Runs on, and returns what each member got in this time.
    pub fn measure(&mut self, seconds: u64) -> Vec<Got> {
        (self.spoken, self.sent) = (0, 0);
        for member in &mut self.members {
            (member.heard, member.seen, member.received) = (0, [0; 2], 0);
        }
        self.run(seconds);
        let got = self.members.iter().map(|member| Got {
            heard: member.heard as f64 / self.spoken as f64,
            seen: f64::from(member.seen[0]) / seconds as f64,
            screen: f64::from(member.seen[1]) / seconds as f64,
            rate: member.received as f64 * 8.0 / seconds as f64,
        });
        got.collect()
    }
}

/// What a member got.
#[derive(Clone, Copy, Debug)]
pub struct Got {
    /// The share of the sound.
    pub heard: f64,
    /// Pictures a second of the camera, and of the screen.
    pub seen: f64,
    pub screen: f64,
    /// Bits a second, all together.
    pub rate: f64,
}

impl Got {
    /// Whether it is what came before, or more, but for a twentieth.
    pub fn is_no_less_than(&self, before: &Self) -> bool {
        self.heard > 0.97 && self.seen > 0.95 * before.seen && self.rate > 0.95 * before.rate
    }
}
