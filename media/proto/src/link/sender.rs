//! The sending half of a link.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Class;
use super::budget::Budget;
use super::congestion::CongestionController;
use super::constant::Constant;
use super::leaving::Leaving;
use super::pacer::{Pacer, Priority};
use super::path_mtu::PathMtu;
use super::probe::Probe;
use super::repair::Repairs;
use super::report::ArrivalReport;
use super::selector::{CROWDED, STALE, Selector};
use super::sent_packets::SentPackets;
use super::silence::Silence;
use super::waiting::{Carried, Part, Waiting, What};
use crate::header::{HEADER_LEN, Number, wire_size};
use crate::layer::{Layer, Subscription};
use crate::packing;
use crate::rate::Bitrate;
use crate::track::{AudioTrack, Track, VideoTrack};
use crate::video::{self, Dependency, Packets, PartSize};

/// 400 ms: a part that is lost is sent again only if it arrives within this of its picture.
const REPAIRED_WITHIN: Duration = Duration::from_millis(400);

/// 40 ms: the same for a picture that nothing builds on: the next one is there by then.
const DISCARDABLE_WITHIN: Duration = Duration::from_millis(40);

/// A part is sent again this often.
const TRIES: u8 = 4;

/// 1.5 times the rate: a picture leaves within its interval, whatever its size is beside the others'. 3 times on a link that
/// would carry more than is asked of it.
const PACE: f64 = 1.5;
const QUICK_PACE: f64 = 3.0;

/// 1 ms: on a path that carries only small packets, so long after one the next leaves: what leaves at once may go together in
/// one packet of QUIC's, which is as large as both.
const APART: Duration = Duration::from_millis(1);

/// From which loss on, and which round trip, the pictures that others build on leave with parity: by the time that a part
/// has been asked for and come again, the next picture is there.
const PARITY_LOSS: f32 = 0.01;
const PARITY_TRIP: Duration = Duration::from_millis(30);

/// Counts since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendStats {
    /// Pictures that did not leave because the link could not carry them.
    pub left_out: u64,
    /// Parts of pictures sent again.
    pub repaired: u64,
    /// Packets that the other side says have not come.
    pub lost: u64,
}

/// What leaves on one link.
#[derive(Debug)]
pub struct Sender {
    controller: CongestionController,
    mtu: PathMtu,
    pacer: Pacer<Waiting>,
    sent_packets: SentPackets<Carried>,
    /// Of each track of video.
    selectors: [Selector; VideoTrack::ALL.len()],
    budget: Budget,
    probe: Option<(Probe, u32)>,
    constant: Option<Constant>,
    repairs: Repairs,
    silence: Silence,
    /// When something was sent last.
    last_sent: Instant,
    counts: SendStats,
}

impl Sender {
    /// A link on which nothing was sent. `incarnation` is to differ from that of the sender before on the same link.
    #[must_use]
    pub fn new(incarnation: u16, now: Instant) -> Self {
        Self {
            controller: CongestionController::new(now),
            mtu: PathMtu::new(|size| wire_size(Class::Video, size.max_body()), now),
            pacer: Pacer::new(now),
            sent_packets: SentPackets::new(incarnation),
            selectors: VideoTrack::ALL.map(|_| Selector::new(now)),
            budget: Budget::new(now),
            probe: None,
            constant: None,
            repairs: Repairs::default(),
            silence: Silence::default(),
            last_sent: now,
            counts: SendStats::default(),
        }
    }

    /// How large pictures may become at most, as the encoder counts them. The link is not asked for more than they
    /// take with sound, their packing and repair.
    pub fn set_wanted(&mut self, pictures: Bitrate, now: Instant) {
        self.controller.set_wanted(self.budget.wanted(pictures, now));
    }

    /// Pictures leave at one rate in packets of one size, whatever they show: what is missing is filled up, what is too much
    /// waits. `None` while pictures are as large as they are.
    pub fn set_constant(&mut self, constant: Option<Bitrate>, now: Instant) {
        match (constant, &mut self.constant) {
            (Some(rate), Some(own)) => own.rate = rate,
            (Some(rate), None) => self.constant = Some(Constant { rate, due: now }),
            (None, _) => self.constant = None,
        }
    }

    /// What this link may carry at most, all together with its reports; `None` for as much as it can.
    pub fn set_limit(&mut self, limit: Option<Bitrate>) {
        self.controller
            .set_limit(limit.map(|limit| self.budget.beside_reports(limit)));
    }

    /// What pictures may take on the wire now, all together.
    #[must_use]
    pub fn beside_audio_on_the_wire(&self) -> Bitrate {
        self.budget.beside_audio(self.controller.rate())
    }

    /// What this link has a use for, all together with its reports.
    #[must_use]
    pub fn needs(&self) -> Bitrate {
        self.budget.with_reports(self.controller.needs())
    }

    /// A report of what came on this link leaves, so many bytes on the wire.
    pub fn count_report(&mut self, size: u32, now: Instant) {
        self.budget.handle_report(size, now);
        self.last_sent = now;
    }

    /// How large packets may be: less than full while larger ones do not get through.
    #[must_use]
    pub const fn packet_size(&self) -> PartSize {
        self.mtu.size()
    }

    /// What this link carries, all together, as far as is known.
    #[must_use]
    pub fn estimate(&self) -> Bitrate {
        self.controller.rate()
    }

    /// How large pictures may be now, as the encoder counts them: what is left beside sound, without what packing adds.
    #[must_use]
    pub fn video_rate(&self) -> Bitrate {
        self.budget.for_video(self.controller.sending_rate())
    }

    /// The same when nothing waits on the way: by this it is decided which layer is sent. A link that carries all that it is
    /// asked to may carry any amount.
    #[must_use]
    pub fn usual_video_rate(&self) -> Bitrate {
        if self.controller.is_sated() {
            return Bitrate(u32::MAX);
        }
        self.budget.for_video(self.controller.rate())
    }

    /// The link, as far as packing sound goes.
    #[must_use]
    pub fn carries(&self) -> packing::LinkQuality {
        packing::LinkQuality {
            estimate: self.estimate(),
            is_sated: self.controller.is_sated(),
            loss: self.controller.usual_loss(),
        }
    }

    /// The share of packets lost, lately or over a longer time, whichever is more.
    #[must_use]
    pub fn loss(&self) -> f32 {
        self.controller.loss()
    }

    /// What waits on the way, by the last report.
    #[must_use]
    pub const fn queue(&self) -> Duration {
        self.controller.standing_queue()
    }

    /// Counts since the beginning.
    #[must_use]
    pub const fn counts(&self) -> SendStats {
        self.counts
    }

    /// A packet of audio is to leave.
    pub fn handle_audio(&mut self, track: AudioTrack, body: Arc<[u8]>, now: Instant) {
        let size = wire_size(Class::Audio, body.len());
        self.budget.handle_audio(size, now);
        let what = What::Audio(track, body);
        self.pacer.push(Priority::Audio, Waiting { what, size });
    }

    /// Whether a packet of audio leaves now.
    #[must_use]
    pub fn has_audio(&self) -> bool {
        self.pacer.has_audio()
    }

    /// The layer of a track that still has to be made for this link: another one follows at its next key frame.
    #[must_use]
    pub fn leaving(&self, track: VideoTrack) -> Option<Layer> {
        self.selectors[track.index()].leaving()
    }

    /// Returns whether a picture encoded now could be sent soon; otherwise it need not be encoded.
    #[must_use]
    pub fn takes_video(&self, now: Instant) -> bool {
        self.pace(now) > 0 && self.backlog() < CROWDED
    }

    /// Which layer of a track is to be sent, and how much of it; `None` for no pictures.
    pub const fn set_subscription(&mut self, track: VideoTrack, share: Option<Subscription>) {
        self.selectors[track.index()].set_subscription(share);
    }

    /// A frame of a track's layer is to leave. It is left out when it is not asked for, or the link cannot carry it in time.
    pub fn handle_video(&mut self, track: VideoTrack, layer: Layer, frame: &Packets, now: Instant) {
        let dependency = frame.dependency();
        if !self.selectors[track.index()].selects(layer, dependency) {
            return;
        }
        self.drop_stale(now);
        // Without packets it was too large for any.
        let fits = !frame.bodies(self.mtu.size()).is_empty();
        let has_room = fits && self.has_room(dependency, now);
        if self.selectors[track.index()].admits(dependency, has_room, now) {
            self.push_frame(track, frame, now);
        } else {
            self.counts.left_out += 1;
        }
    }

    fn has_room(&self, dependency: Dependency, now: Instant) -> bool {
        if dependency.is_discardable {
            return self.takes_video(now);
        }
        self.pace(now) > 0 && self.backlog() < STALE
    }

    fn push_frame(&mut self, track: VideoTrack, frame: &Packets, now: Instant) {
        let is_discardable = frame.dependency().is_discardable;
        let (mut bytes, mut wire) = (0, 0);
        for body in frame.bodies(self.mtu.size()) {
            let size = wire_size(Class::Video, body.len());
            bytes += video::data_len(body);
            wire += size;
            let what = What::Part(Part {
                track,
                body: Arc::clone(body),
                since: now,
                is_discardable,
                tries: 0,
                repair: None,
            });
            self.pacer.push(Priority::Video, Waiting { what, size });
        }
        if !is_discardable && self.needs_parity() {
            for body in frame.parity(self.mtu.size()) {
                let size = wire_size(Class::Video, body.len());
                wire += size;
                let what = What::Parity(track, Arc::clone(body), now);
                self.pacer.push(Priority::Video, Waiting { what, size });
            }
        }
        self.budget.handle_frame(bytes, wire, self.controller.loss());
    }

    fn needs_parity(&self) -> bool {
        self.controller.loss() > PARITY_LOSS && self.controller.round_trip() > PARITY_TRIP
    }

    /// The layer of a track of which only a key frame can go on, and which the link could carry.
    pub const fn wants_key_frame(&self, track: VideoTrack) -> Option<Layer> {
        self.selectors[track.index()].wants_key_frame()
    }

    /// A report of the other side came. One that makes no sense says nothing.
    pub fn handle_report(&mut self, report: &ArrivalReport, now: Instant) {
        let news = self.sent_packets.handle_report(report, now);
        if news.acked.is_empty() && news.lost.is_empty() {
            return;
        }
        self.silence.handle_news();
        let mut sizes: Vec<_> = news.lost.iter().map(|lost| (lost.size, lost.probe)).collect();
        self.counts.lost += sizes.len() as u64;
        if self.mtu.handle_news(&news.acked, &sizes, now) {
            self.drop_too_large();
        }
        // What is too large for the path says nothing of how much it carries.
        let most = self.mtu.wire_size();
        sizes.retain(|(size, _)| *size <= most);
        self.controller
            .handle_news(&news.acked, &sizes, news.round_trip, now);
        if !self.controller.is_calm() {
            // A probe would only add to what waits.
            self.probe = None;
        }
        for carried in news.arrived {
            if let Carried::Part(Part { repair: Some(id), .. }) = carried {
                self.repairs.handle_arrived(id);
            }
        }
        for lost in news.lost {
            if let Carried::Part(part) = lost.carried
                && part.repair.is_none_or(|id| self.repairs.handle_lost(id))
            {
                self.repair(part, lost.size, now);
            }
        }
        self.repairs.trim();
        if !news.acked.is_empty() && self.probe.is_none() {
            self.probe = self.controller.poll_probe(now).map(|probe| (probe, 0));
        }
    }

    fn repair(&mut self, mut part: Part, size: u32, now: Instant) {
        let within = if part.is_discardable {
            DISCARDABLE_WITHIN
        } else {
            REPAIRED_WITHIN
        };
        let arrives = now + self.controller.round_trip() / 2;
        if part.tries < TRIES && arrives < part.since + within && size <= self.mtu.wire_size() {
            let (id, copies) = self.repairs.begin(self.controller.loss());
            part.tries += 1;
            part.repair = Some(id);
            self.counts.repaired += 1;
            for _ in 0..copies {
                let what = What::Part(part.clone());
                self.pacer.push(Priority::Repair, Waiting { what, size });
            }
        } else if !part.is_discardable {
            self.selectors[part.track.index()].handle_lost(part.since);
        }
    }

    /// The next packet to leave now.
    pub fn poll_packet(&mut self, now: Instant) -> Option<Leaving> {
        if self.constant.is_some() {
            return self.poll_constant(now);
        }
        let pace = if now < self.apart_until() {
            0
        } else {
            self.pace(now)
        };
        if let Some(waiting) = self.pacer.poll(pace, now) {
            let is_video = matches!(waiting.track(), Track::Video(_));
            let probe = self.probe.filter(|_| is_video).map(|(probe, _)| probe.id);
            if probe.is_some() {
                self.count_probe(waiting.size);
            }
            return Some(self.send(waiting, probe, now));
        }
        if !self.pacer.is_free(pace, now) {
            return None;
        }
        let larger = self.mtu.poll_larger(now);
        let probe = self.probe.filter(|_| larger.is_none()).map(|(probe, _)| probe);
        let len = match (larger, probe) {
            (Some(larger), _) => larger.max_body(),
            (None, Some(probe)) => {
                let wished = (probe.packet as usize).saturating_sub(HEADER_LEN);
                wished.min(self.mtu.size().max_body())
            }
            (None, None) => return None,
        };
        let size = wire_size(Class::Padding, len);
        self.pacer.charge(size, pace, now);
        if probe.is_some() {
            self.count_probe(size);
        }
        let probe = probe.map(|probe| probe.id);
        Some(self.send_padding(len, size, probe, now))
    }

    /// Sound as it comes, and at each of the constant rate's moments a packet as large as may be, with a part of a picture if
    /// there is one.
    fn poll_constant(&mut self, now: Instant) -> Option<Leaving> {
        // Probes would change the rate.
        self.probe = None;
        if let Some(audio) = self.pacer.poll(0, now) {
            return Some(self.send(audio, None, now));
        }
        let apart_until = self.apart_until();
        let mut constant = self
            .constant
            .filter(|constant| now >= constant.due.max(apart_until))?;
        let larger = self.mtu.poll_larger(now);
        let len = larger.unwrap_or(self.mtu.size()).max_body();
        let size = wire_size(Class::Video, len);
        constant.handle_sent(size, now);
        self.constant = Some(constant);
        let waiting = match larger {
            // It is expected to be lost.
            Some(_) => None,
            None => self.pacer.poll(u32::MAX, now),
        };
        let leaving = match waiting {
            Some(waiting) => self.send(Waiting { size, ..waiting }, None, now),
            None => self.send_padding(0, size, None, now),
        };
        Some(Leaving {
            padded_to: HEADER_LEN + len,
            ..leaving
        })
    }

    /// When [`Self::poll_packet`] has something again, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if let Some(constant) = self.constant {
            return Some(constant.due.max(self.apart_until()));
        }
        let waits = self.pacer.waiting() > 0 || self.probe.is_some();
        let due = self.pacer.free_at().max(self.apart_until());
        waits.then(|| self.silent_until(now).map_or(due, |until| until.max(due)))
    }

    /// Until when nothing but sound leaves so that it does not go together with what left last.
    fn apart_until(&self) -> Instant {
        if self.mtu.size() == PartSize::Full {
            self.last_sent
        } else {
            self.last_sent + APART
        }
    }

    /// Until when nothing but sound leaves because nothing is heard of what has left.
    fn silent_until(&self, now: Instant) -> Option<Instant> {
        self.silence.until(self.controller.round_trip(), now)
    }

    fn send(&mut self, waiting: Waiting, probe: Option<u32>, now: Instant) -> Leaving {
        let (track, size) = (waiting.track(), waiting.size);
        let (carried, body) = waiting.into_carried();
        let number = self.number(carried, size, probe, now);
        Leaving::usual(track.class(), number.before(Some(track), &body))
    }

    fn send_padding(&mut self, len: usize, size: u32, probe: Option<u32>, now: Instant) -> Leaving {
        let number = self.number(Carried::Other, size, probe, now);
        Leaving::usual(Class::Padding, number.before(None, &vec![0; len]))
    }

    /// Something leaves: its number.
    fn number(&mut self, carried: Carried, size: u32, probe: Option<u32>, now: Instant) -> Number {
        self.silence.handle_sent(self.controller.round_trip(), now);
        self.last_sent = now;
        self.sent_packets.handle_sent(carried, size, probe, now)
    }

    fn count_probe(&mut self, size: u32) {
        if let Some((probe, sent)) = &mut self.probe {
            *sent += size;
            if *sent >= probe.bytes {
                self.probe = None;
            }
        }
    }

    /// How fast pictures leave, bits a second; 0 while none may.
    fn pace(&self, now: Instant) -> u32 {
        if self.silent_until(now).is_some() {
            return 0;
        }
        match self.probe {
            Some((probe, _)) => probe.rate as u32,
            None if self.controller.is_sated() => (f64::from(self.controller.rate().0) * QUICK_PACE) as u32,
            None => (f64::from(self.controller.sending_rate().0) * PACE) as u32,
        }
    }

    /// How long what waits to leave will take.
    #[must_use]
    pub fn backlog(&self) -> Duration {
        let bits = self.controller.rate().0.max(1);
        Duration::from_secs_f64(self.pacer.waiting() as f64 * 8.0 / (f64::from(bits) * PACE))
    }

    /// What waits is too large for the path.
    fn drop_too_large(&mut self) {
        let most = self.mtu.wire_size();
        self.pacer.retain(|waiting| waiting.size <= most, |_| {});
        // Pictures whose parts are on their way are lost with them.
        for selector in &mut self.selectors {
            selector.handle_too_large();
        }
    }

    fn drop_stale(&mut self, now: Instant) {
        let is_fresh = |waiting: &Waiting| match &waiting.what {
            What::Audio(..) => true,
            What::Part(Part { since, .. }) | What::Parity(_, _, since) => now < *since + 2 * STALE,
        };
        let selectors = &mut self.selectors;
        self.pacer.retain(is_fresh, |dropped| {
            if let Track::Video(track) = dropped.track() {
                selectors[track.index()].handle_dropped();
            }
        });
    }
}
