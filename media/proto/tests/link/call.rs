//! A link on virtual time: the real sender, the real arrivals and the real reassembly with an emulated network between them.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sightline_media_proto::layer::{Layer, Subscription};
use sightline_media_proto::link::{ArrivalReport, Arrivals, Class, Number, Sender, wire_size};
use sightline_media_proto::rate::{Bitrate, KeyFrames};
use sightline_media_proto::reassembly::Reassembler;
use sightline_media_proto::video::{Dependency, Frame, PacketSize, Packets};
use sightline_media_proto::{AudioTrack, Ticks, Track, VideoTrack};
use sightline_netem::{Path, Random, Trace, Weather};
use sightline_packet::{MAX_BULK, bulk_wire_size};

/// A voice in packets of 20 ms: what a body is, bytes.
const VOICE: usize = 201;

/// What was seen in one millisecond.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// What leaves, bits a second, over the last 200 ms.
    pub sending: f64,
    /// Bits that arrived in it.
    pub passed: f64,
    pub queue: f64,
    pub capacity: f64,
}

pub struct Call {
    pub start: Instant,
    pub ms: u64,
    pub sender: Sender,
    pub there: Path<(Class, Vec<u8>, u64)>,
    pub back: Path<ArrivalReport>,
    pub arrivals: Arrivals,
    pub reassembler: Reassembler,
    pub random: Random,
    pub key_frames: KeyFrames,
    pub number: u32,
    pub last_reference: u32,
    pub most: Bitrate,
    /// How much of its rate the encoder needs: nothing moves with little.
    pub movement: f64,
    pub has_audio: bool,
    pub has_camera: bool,
    /// How often something was to leave, and did not.
    pub in_vain: u32,
    /// Neither sound nor pictures are sent.
    pub is_paused: bool,
    /// Bytes of bulk that wait to leave, and that have come.
    pub bulk: (usize, usize),
    pub sent: Vec<(u64, u32)>,
    pub moments: Vec<Moment>,
    /// When each packet of sound was sent, and how long it took, ms.
    pub sound: Vec<(u64, u64)>,
    pub shown: Vec<u64>,
}

impl Call {
    /// A call over such a link, with pictures of at most `most`.
    pub fn new(weather: Weather, most: Bitrate, seed: u64) -> Self {
        let start = Instant::now();
        let back = Weather {
            capacity: Trace::constant(10e6),
            buffer: 1_000_000,
            ..weather.clone()
        };
        let mut sender = Sender::new(1, start);
        sender.set_subscription(
            VideoTrack::Camera,
            Some(Subscription {
                layer: Layer::Medium,
                is_base_only: false,
            }),
        );
        let mut key_frames = KeyFrames::default();
        key_frames.handle_request();
        Self {
            start,
            ms: 0,
            sender,
            there: Path::new(weather, seed),
            back: Path::new(back, seed ^ 1),
            arrivals: Arrivals::new(start),
            reassembler: Reassembler::default(),
            random: Random(seed ^ 2),
            key_frames,
            number: 0,
            last_reference: 0,
            most,
            movement: 1.0,
            has_audio: true,
            has_camera: true,
            in_vain: 0,
            is_paused: false,
            bulk: (0, 0),
            sent: Vec::new(),
            moments: Vec::new(),
            sound: Vec::new(),
            shown: Vec::new(),
        }
    }

    pub fn now(&self) -> Instant {
        self.start + Duration::from_millis(self.ms)
    }

    pub fn run(&mut self, seconds: f64) {
        let end = self.ms + (seconds * 1000.0) as u64;
        while self.ms < end {
            self.step();
        }
    }

    pub fn step(&mut self) {
        let now = self.now();
        if self.ms.is_multiple_of(20) && !self.is_paused && self.has_audio {
            let voice = Arc::from(vec![0; VOICE]);
            self.sender.handle_audio(AudioTrack::Voice, voice, now);
        }
        // 30 a second.
        if self.ms * 30 / 1000 != (self.ms + 1) * 30 / 1000 && !self.is_paused && self.has_camera {
            self.capture(now);
        }
        self.sender.set_bulk(self.bulk.0 > 0);
        if !self.has_camera {
            self.sender.set_wanted(Bitrate(0), now);
        }
        loop {
            while let Some(leaving) = self.sender.poll_packet(now) {
                let size = leaving.wire_size();
                self.sent.push((self.ms, size));
                self.there.send((leaving.class, leaving.body, self.ms), size);
            }
            let Some(room) = self.sender.poll_bulk(now) else {
                break;
            };
            self.send_bulk(room.min(self.bulk.0), now);
        }
        let passed = self.there.passed;
        if self.sender.poll_timeout(now).is_some_and(|due| due <= now) {
            self.in_vain += 1;
        }
        for (class, body, sent) in self.there.step(self.ms) {
            self.arrive(class, &body, sent, now);
        }
        if let Some(report) = self.arrivals.poll_report(now) {
            let size = wire_size(Class::Report, report.encode().len());
            self.back.send(report, size);
        }
        for report in self.back.step(self.ms) {
            self.sender.handle_report(&report, now);
        }
        let passes_all = self.there.weather.mtu.0.iter().all(|(_, mtu)| *mtu >= 1500.0);
        assert!(
            !passes_all || self.sender.packet_size() == PacketSize::Full,
            "after {} ms large packets are taken to be lost for their size",
            self.ms
        );
        while self.reassembler.poll_frame(now).is_some() {
            self.shown.push(self.ms);
        }
        if self.reassembler.poll_key_frame_request(now) {
            self.key_frames.handle_request();
        }
        let since = self.ms.saturating_sub(200);
        let lately = self.sent.iter().rev().take_while(|(at, _)| *at > since);
        let bits = lately.map(|(_, size)| f64::from(*size) * 8.0).sum::<f64>();
        self.moments.push(Moment {
            sending: bits / 0.2,
            passed: (self.there.passed - passed) as f64 * 8.0,
            queue: self.there.queue_millis(self.ms),
            capacity: self.there.weather.capacity.at(self.ms as f64 / 1000.0),
        });
        self.ms += 1;
    }

    /// So much of a stream leaves: its marker goes with the first packet.
    fn send_bulk(&mut self, bytes: usize, now: Instant) {
        self.bulk.0 -= bytes;
        let mut marker = Some(self.sender.handle_bulk_sent(bytes, now).body);
        let mut left = bytes;
        while left > 0 {
            let part = left.min(MAX_BULK);
            left -= part;
            let size = bulk_wire_size(part);
            self.sent.push((self.ms, size));
            let body = marker.take().unwrap_or_default();
            // Each stands for a part of the stream; of what it carries only how much is of interest.
            self.there
                .send((Class::Marker, body, self.ms << 16 | part as u64), size);
        }
    }

    /// An encoder with two temporal layers, whose pictures are as large as it is asked for, more or less.
    pub fn capture(&mut self, now: Instant) {
        if self.sender.wants_key_frame(VideoTrack::Camera).is_some() {
            self.key_frames.handle_request();
        }
        self.sender.set_wanted(self.most, now);
        if !self.sender.takes_video(now) {
            return;
        }
        let rate = self.sender.video_rate().0.clamp(60_000, self.most.0);
        let is_key = self.key_frames.poll(now);
        let number = self.number;
        self.number += 1;
        let is_enhancement = !is_key && number.wrapping_sub(self.last_reference) % 2 == 1;
        let share = if is_key {
            3.0
        } else if is_enhancement {
            0.7
        } else {
            1.3
        };
        let bytes = self.movement * f64::from(rate) / 30.0 / 8.0 * share * (0.7 + 0.6 * self.random.next());
        let frame = Frame {
            number,
            captured: Ticks(self.ms as u32 * 48),
            dependency: Dependency {
                frame_diff: if is_key {
                    0
                } else {
                    (number - self.last_reference) as u8
                },
                is_discardable: is_enhancement,
            },
            data: vec![1; bytes as usize],
        };
        if !is_enhancement {
            self.last_reference = number;
        }
        self.sender
            .handle_video(VideoTrack::Camera, Layer::Medium, &Packets::of(frame), now);
    }

    pub fn arrive(&mut self, class: Class, body: &[u8], sent: u64, now: Instant) {
        if class == Class::Marker {
            self.bulk.1 += sent as usize & 0xffff;
            if body.is_empty() {
                return;
            }
        }
        let (number, body) = Number::split(body).expect("a number");
        if !self.arrivals.handle_packet(number, now) {
            return;
        }
        if matches!(class, Class::Padding | Class::Marker) {
            return;
        }
        let (track, body) = Track::split(body).expect("a track");
        match track {
            Track::Audio(_) => self.sound.push((sent, self.ms - sent)),
            Track::Video(_) => self.reassembler.handle_packet(body, now),
        }
    }

    pub fn moments(&self, from: f64, to: f64) -> &[Moment] {
        &self.moments[(from * 1000.0) as usize..(to * 1000.0) as usize]
    }

    /// Share of the capacity that was used, from one second to another.
    pub fn used(&self, from: f64, to: f64) -> f64 {
        let moments = self.moments(from, to);
        let sum = |of: fn(&Moment) -> f64| moments.iter().map(of).sum::<f64>();
        sum(|moment| moment.passed) / sum(|moment| moment.capacity / 1000.0)
    }

    /// The queue that was not exceeded in half of the time, and in 95 % of it, ms.
    pub fn queue(&self, from: f64, to: f64) -> (f64, f64) {
        let mut queues: Vec<_> = self.moments(from, to).iter().map(|moment| moment.queue).collect();
        queues.sort_by(f64::total_cmp);
        (queues[queues.len() / 2], queues[queues.len() * 95 / 100])
    }

    /// How long after `from` it took until `is_so`, seconds.
    pub fn until(&self, from: f64, is_so: impl Fn(&Moment) -> bool) -> f64 {
        let to = self.ms as f64 / 1000.0;
        let found = self.moments(from, to).iter().position(is_so);
        found.map_or(f64::INFINITY, |ms| ms as f64 / 1000.0)
    }

    /// The share of sound that never came, but for what may still be on its way.
    pub fn sound_lost(&self) -> f64 {
        let end = self.ms - 1000;
        let came = self.sound.iter().filter(|(sent, _)| *sent < end).count();
        1.0 - came as f64 / (end as f64 / 20.0)
    }

    /// The longest time without sound, ms.
    pub fn longest_silence(&self) -> u64 {
        let arrived = self.sound.iter().map(|(sent, took)| sent + took);
        let mut arrived: Vec<_> = arrived.collect();
        arrived.sort_unstable();
        arrived
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(u64::MAX)
    }

    /// As W3C's webrtc-stats count them: how often, and how long together, ms.
    pub fn freezes(&self, from: f64) -> (usize, u64) {
        let shown: Vec<_> = self
            .shown
            .iter()
            .filter(|at| **at as f64 > from * 1000.0)
            .collect();
        let gaps: Vec<_> = shown.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<u64>() / gaps.len().max(1) as u64;
        let frozen: Vec<_> = gaps
            .iter()
            .filter(|gap| **gap >= (3 * mean).max(mean + 150))
            .collect();
        (frozen.len(), frozen.into_iter().sum())
    }

    /// The longest time between two pictures, ms.
    pub fn longest_freeze(&self, from: f64) -> u64 {
        let shown: Vec<_> = self
            .shown
            .iter()
            .filter(|at| **at as f64 > from * 1000.0)
            .collect();
        shown
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .max()
            .unwrap_or(u64::MAX)
    }
}
