//! The sending half of a link.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Class;
use super::controller::Controller;
use super::history::History;
use super::pacer::{Pacer, Priority, Sized};
use super::path_mtu::PathMtu;
use super::probe::Probe;
use super::report::Report;
use crate::layer::{Layer, Share};
use crate::packing;
use crate::rate::Bitrate;
use crate::video::{self, Packets, PartSize};

/// 250 ms: a part of a picture that has waited this long to leave is stale, as the picture after it is.
const STALE: Duration = Duration::from_millis(250);

/// 100 ms: what may wait of pictures before one that nothing builds on is left out.
const CROWDED: Duration = Duration::from_millis(100);

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

/// 250 ms: at a constant rate a packet leaves at least this often, so that a rate that rises again is followed soon.
const SELDOM: Duration = Duration::from_millis(250);

/// 1 ms: on a way that carries only small packets, so long after one the next leaves: what leaves at once may go together in
/// one packet of QUIC's, which is as large as both.
const APART: Duration = Duration::from_millis(1);

/// 600 ms beyond a round trip after sending without a report: nothing but sound leaves until there is one, or for a second,
/// after which it is tried again.
const SILENCE: Duration = Duration::from_millis(600);
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// A part of a picture on its way.
#[derive(Clone, Debug)]
struct Part {
    body: Arc<[u8]>,
    /// When the picture was handed over.
    since: Instant,
    is_discardable: bool,
    tries: u8,
    /// Names it once it is sent again.
    id: u64,
}

/// What a packet carries.
#[derive(Debug)]
enum Carried {
    Sound,
    Part(Part),
    /// Parity or padding: of no use later.
    Other,
}

#[derive(Debug)]
enum Waiting {
    Sound(Arc<[u8]>, u32),
    Part(Part, u32),
    /// Since when it waits.
    Parity(Arc<[u8]>, u32, Instant),
}

impl Sized for Waiting {
    fn size(&self) -> u32 {
        match self {
            Self::Sound(_, size) | Self::Part(_, size) | Self::Parity(_, size, _) => *size,
        }
    }
}

/// From which loss on a lost part is sent again twice, and three times: a part that is lost twice freezes the picture.
const COPIES: [f32; 2] = [0.005, 0.03];

/// From which loss on, and which round trip, the pictures that others build on leave with parity: by the time that a part
/// has been asked for and come again, the next picture is there.
const PARITY_LOSS: f32 = 0.01;
const PARITY_TRIP: Duration = Duration::from_millis(30);

/// Parts on their way again whose copies are counted.
const MAX_REPAIRS: usize = 4096;

/// What a link is asked for beside what pictures usually take on the wire: some are larger, and what is lost is sent again.
const HEADROOM: f64 = 1.4;

/// Of what pictures take on the wire, the least that is taken to be theirs.
const LEAST_EFFICIENT: f64 = 0.3;

/// How fast the shares of pictures and of packing follow: over about a second of pictures.
const FOLLOW: f64 = 1.0 / 32.0;

/// A packet that leaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// What it is.
    pub class: Class,
    /// Its number and what it carries.
    pub body: Vec<u8>,
    /// It is to be as large as if it carried so many bytes at the least.
    pub padded_to: usize,
}

impl Leaving {
    pub(crate) const fn usual(class: Class, body: Vec<u8>) -> Self {
        Self {
            class,
            body,
            padded_to: 0,
        }
    }
}

/// Counts since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
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
    controller: Controller,
    mtu: PathMtu,
    pacer: Pacer<Waiting>,
    history: History<Carried>,
    /// Size on the wire of a body of this class and length.
    wire_size: fn(Class, usize) -> u32,
    /// Pictures can go on only with a key frame.
    is_broken: bool,
    wants_key: Option<Layer>,
    /// What is to be sent of pictures.
    share: Option<Share>,
    /// The layer that is sent: another one follows at its next key frame.
    layer: Option<Layer>,
    /// Of what pictures take on the wire, the share that is theirs: the rest is headers, padding and repair.
    efficiency: f64,
    sound: Steady,
    reports: Steady,
    /// When the last key frame was handed over: what is older than it is not missed.
    last_key: Instant,
    probe: Option<(Probe, u32)>,
    /// The constant rate, and when the next packet is due.
    constant: Option<(Bitrate, Instant)>,
    /// How many copies are on their way of each part that was sent again.
    repairs: BTreeMap<u64, usize>,
    next_repair: u64,
    /// Since when something was sent that no report has answered.
    unanswered: Option<Instant>,
    /// When something was sent last.
    last_sent: Instant,
    counts: Counts,
}

impl Sender {
    /// A link on which nothing was sent. `wire_size` says what a body of a class and length takes on the wire, bytes.
    /// `incarnation` is to differ from that of the sender before on the same link.
    #[must_use]
    pub fn new(wire_size: fn(Class, usize) -> u32, incarnation: u16, now: Instant) -> Self {
        Self {
            controller: Controller::new(now),
            mtu: PathMtu::new(|size| wire_size(Class::Picture, size.max_body()), now),
            pacer: Pacer::new(now),
            history: History::new(incarnation),
            wire_size,
            is_broken: true,
            wants_key: None,
            share: None,
            layer: None,
            efficiency: 0.85,
            sound: Steady::new(now),
            reports: Steady::new(now),
            last_key: now,
            probe: None,
            constant: None,
            repairs: BTreeMap::new(),
            next_repair: 1,
            unanswered: None,
            last_sent: now,
            counts: Counts::default(),
        }
    }

    /// How large pictures may become at most, as the encoder counts them. The link is not asked for more than they
    /// take with sound, their packing and repair.
    pub fn set_wanted(&mut self, pictures: Bitrate, now: Instant) {
        self.sound.expire(now);
        self.reports.expire(now);
        let pictures = f64::from(pictures.0) / self.efficiency.max(LEAST_EFFICIENT) * HEADROOM;
        self.controller
            .set_wanted(Bitrate(pictures as u32 + self.sound.bits));
    }

    /// Pictures leave at one rate in packets of one size, whatever they show: what is missing is filled up, what is too much
    /// waits. `None` while pictures are as large as they are.
    pub fn set_constant(&mut self, constant: Option<Bitrate>, now: Instant) {
        match (constant, &mut self.constant) {
            (Some(rate), Some((own, _))) => *own = rate,
            (Some(rate), None) => self.constant = Some((rate, now)),
            (None, _) => self.constant = None,
        }
    }

    /// What this link may carry at most, all together with its reports; `None` for as much as it can.
    pub fn set_limit(&mut self, limit: Option<Bitrate>) {
        let beside_reports = |limit: Bitrate| Bitrate(limit.0.saturating_sub(self.reports.bits));
        self.controller.set_limit(limit.map(beside_reports));
    }

    /// What pictures may take on the wire now, all together.
    #[must_use]
    pub fn beside_sound_on_the_wire(&self) -> Bitrate {
        Bitrate(self.controller.rate().0.saturating_sub(self.sound.bits))
    }

    /// What this link has a use for, all together with its reports.
    #[must_use]
    pub fn needs(&self) -> Bitrate {
        Bitrate(self.controller.needs().0.saturating_add(self.reports.bits))
    }

    /// A report of what came on this link leaves, so many bytes on the wire.
    pub fn count_report(&mut self, size: u32, now: Instant) {
        self.reports.count(size, now);
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
    pub fn picture_rate(&self) -> Bitrate {
        self.beside_sound(self.controller.sending_rate())
    }

    /// The same when nothing waits on the way: by this it is decided which layer is sent. A link that carries all that it is
    /// asked to may carry any amount.
    #[must_use]
    pub fn usual_picture_rate(&self) -> Bitrate {
        if self.controller.is_sated() {
            return Bitrate(u32::MAX);
        }
        self.beside_sound(self.controller.rate())
    }

    fn beside_sound(&self, all: Bitrate) -> Bitrate {
        let left = all.0.saturating_sub(self.sound.bits);
        Bitrate((f64::from(left) * self.efficiency) as u32)
    }

    /// The link, as far as packing sound goes.
    #[must_use]
    pub fn carries(&self) -> packing::Link {
        packing::Link {
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
    pub const fn counts(&self) -> Counts {
        self.counts
    }

    /// A packet of sound is to leave.
    pub fn handle_sound(&mut self, body: Arc<[u8]>, now: Instant) {
        let size = (self.wire_size)(Class::Sound, body.len());
        self.sound.count(size, now);
        self.pacer.push(Priority::Sound, Waiting::Sound(body, size));
    }

    /// Whether a packet of sound leaves now.
    #[must_use]
    pub fn has_sound(&self) -> bool {
        self.pacer.has_sound()
    }

    /// The layer that still has to be made for this link: another one follows at its next key frame.
    #[must_use]
    pub fn leaving(&self) -> Option<Layer> {
        self.layer
            .filter(|layer| self.share.is_some_and(|share| share.layer != *layer))
    }

    /// Whether a picture that was made now could leave soon. Where nobody takes one it need not be made.
    #[must_use]
    pub fn takes_pictures(&self, now: Instant) -> bool {
        self.pace(now) > 0 && self.backlog() < CROWDED
    }

    /// Which layer is to be sent, and how much of it; `None` for no pictures.
    pub const fn set_share(&mut self, share: Option<Share>) {
        self.share = share;
    }

    /// A picture of a layer is to leave. It is left out when it is not asked for, or the link cannot carry it in time.
    pub fn handle_picture(&mut self, layer: Layer, picture: &Packets, now: Instant) {
        let Some(share) = self.share else {
            self.layer = None;
            return;
        };
        if layer != share.layer && Some(layer) != self.layer {
            return;
        }
        let kind = picture.kind();
        if Some(layer) != self.layer {
            if !kind.is_key() {
                self.wants_key = Some(layer);
                return;
            }
            self.layer = Some(layer);
        }
        if share.is_halved && kind.is_discardable {
            return;
        }
        self.drop_stale(now);
        let bodies = picture.bodies(self.mtu.size());
        let is_taken = if bodies.is_empty() {
            // It was too large for any packets.
            false
        } else if kind.is_discardable {
            self.takes_pictures(now)
        } else {
            self.pace(now) > 0 && self.backlog() < STALE
        };
        self.is_broken &= !kind.is_key();
        if self.is_broken {
            self.counts.left_out += 1;
            self.wants_key = self.wants_key.or(is_taken.then_some(share.layer));
            return;
        }
        if !is_taken {
            self.counts.left_out += 1;
            self.is_broken = !kind.is_discardable;
            return;
        }
        if kind.is_key() {
            self.last_key = now;
            self.wants_key = None;
        }
        let (mut bytes, mut wire) = (0, 0);
        for body in bodies {
            let part = Part {
                body: Arc::clone(body),
                since: now,
                is_discardable: kind.is_discardable,
                tries: 0,
                id: 0,
            };
            let size = (self.wire_size)(Class::Picture, body.len());
            bytes += video::data_len(body);
            wire += size;
            self.pacer.push(Priority::Picture, Waiting::Part(part, size));
        }
        if !kind.is_discardable && self.needs_parity() {
            for body in picture.parity(self.mtu.size()) {
                let size = (self.wire_size)(Class::Picture, body.len());
                wire += size;
                self.pacer
                    .push(Priority::Picture, Waiting::Parity(Arc::clone(body), size, now));
            }
        }
        if wire > 0 {
            let lost = 1.0 - f64::from(self.controller.loss());
            let share = lost * bytes as f64 / f64::from(wire);
            self.efficiency += FOLLOW * (share - self.efficiency);
        }
    }

    fn needs_parity(&self) -> bool {
        self.controller.loss() > PARITY_LOSS && self.controller.round_trip() > PARITY_TRIP
    }

    /// The layer of which only a key frame can go on, and which the link could carry.
    pub const fn wants_key_frame(&self) -> Option<Layer> {
        self.wants_key
    }

    /// A report of the other side came. One that makes no sense says nothing.
    pub fn handle_report(&mut self, report: &Report, now: Instant) {
        let news = self.history.handle_report(report, now);
        if news.acked.is_empty() && news.lost.is_empty() {
            return;
        }
        self.unanswered = None;
        let mut sizes: Vec<_> = news.lost.iter().map(|lost| (lost.size, lost.probe)).collect();
        self.counts.lost += sizes.len() as u64;
        if self.mtu.handle_news(&news.acked, &sizes, now) {
            self.drop_too_large();
        }
        // What is too large for the way says nothing of how much it carries.
        let most = self.mtu.wire_size();
        sizes.retain(|(size, _)| *size <= most);
        self.controller
            .handle_news(&news.acked, &sizes, news.round_trip, now);
        if !self.controller.is_calm() {
            // A probe would only add to what waits.
            self.probe = None;
        }
        for carried in news.arrived {
            if let Carried::Part(part) = carried {
                self.repairs.remove(&part.id);
            }
        }
        for lost in news.lost {
            if let Carried::Part(part) = lost.carried
                && self.is_lost(&part)
            {
                self.repair(part, lost.size, now);
            }
        }
        while self.repairs.len() > MAX_REPAIRS {
            self.repairs.pop_first();
        }
        if !news.acked.is_empty() && self.probe.is_none() {
            self.probe = self.controller.poll_probe(now).map(|probe| (probe, 0));
        }
    }

    /// Whether no copy of a part can still come.
    fn is_lost(&mut self, part: &Part) -> bool {
        if part.tries == 0 {
            return true;
        }
        let Some(copies) = self.repairs.get_mut(&part.id) else {
            return false;
        };
        *copies -= 1;
        if *copies == 0 {
            self.repairs.remove(&part.id);
            return true;
        }
        false
    }

    fn repair(&mut self, mut part: Part, size: u32, now: Instant) {
        let within = if part.is_discardable {
            DISCARDABLE_WITHIN
        } else {
            REPAIRED_WITHIN
        };
        let arrives = now + self.controller.round_trip() / 2;
        if part.tries < TRIES && arrives < part.since + within && size <= self.mtu.wire_size() {
            part.tries += 1;
            part.id = self.next_repair;
            self.next_repair += 1;
            self.counts.repaired += 1;
            let loss = self.controller.loss();
            let copies = 1 + COPIES.iter().filter(|limit| loss > **limit).count();
            self.repairs.insert(part.id, copies);
            for _ in 0..copies {
                self.pacer
                    .push(Priority::Repair, Waiting::Part(part.clone(), size));
            }
        } else if !part.is_discardable && !self.is_broken && part.since >= self.last_key {
            self.is_broken = true;
            self.wants_key = self.layer;
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
            let is_picture = !matches!(waiting, Waiting::Sound(..));
            let probe = self.probe.filter(|_| is_picture).map(|(probe, _)| probe.id);
            let (class, carried, body, size) = match waiting {
                Waiting::Sound(body, size) => (Class::Sound, Carried::Sound, body, size),
                Waiting::Part(part, size) => {
                    let body = Arc::clone(&part.body);
                    (Class::Picture, Carried::Part(part), body, size)
                }
                Waiting::Parity(body, size, _) => (Class::Picture, Carried::Other, body, size),
            };
            if probe.is_some() {
                self.count_probe(size);
            }
            let body = self.send(carried, &body, size, probe, now);
            return Some(Leaving::usual(class, body));
        }
        if !self.pacer.is_free(pace, now) {
            return None;
        }
        let larger = self.mtu.poll_larger(now);
        let probe = self.probe.filter(|_| larger.is_none()).map(|(probe, _)| probe);
        let len = match (larger, probe) {
            (Some(larger), _) => larger.max_body(),
            (None, Some(probe)) => {
                let wished = (probe.packet as usize).saturating_sub(super::HEADER_LEN);
                wished.min(self.mtu.size().max_body())
            }
            (None, None) => return None,
        };
        let padding = vec![0; len];
        let size = (self.wire_size)(Class::Padding, padding.len());
        self.pacer.charge(size, pace, now);
        if probe.is_some() {
            self.count_probe(size);
        }
        let probe = probe.map(|probe| probe.id);
        let packet = self.send(Carried::Other, &padding, size, probe, now);
        Some(Leaving::usual(Class::Padding, packet))
    }

    /// Sound as it comes, and at each of the constant rate's moments a packet as large as may be, with a part of a picture if
    /// there is one.
    fn poll_constant(&mut self, now: Instant) -> Option<Leaving> {
        // Probes would change the rate.
        self.probe = None;
        if let Some(Waiting::Sound(body, size)) = self.pacer.poll(0, now) {
            let body = self.send(Carried::Sound, &body, size, None, now);
            return Some(Leaving::usual(Class::Sound, body));
        }
        let apart_until = self.apart_until();
        let (rate, due) = self
            .constant
            .filter(|(_, due)| now >= *due && now >= apart_until)?;
        let larger = self.mtu.poll_larger(now);
        let len = larger.unwrap_or(self.mtu.size()).max_body();
        let size = (self.wire_size)(Class::Picture, len);
        let interval = Duration::from_secs_f64(f64::from(size) * 8.0 / f64::from(rate.0.max(1))).min(SELDOM);
        // Whoever was held up does not catch up in a burst.
        let next = (due + interval).max(now.checked_sub(interval).unwrap_or(now));
        self.constant = Some((rate, next));
        let waiting = match larger {
            // It is expected to be lost.
            Some(_) => None,
            None => self.pacer.poll(u32::MAX, now),
        };
        let (class, carried, body) = match waiting {
            Some(Waiting::Part(part, _)) => {
                let body = Arc::clone(&part.body);
                (Class::Picture, Carried::Part(part), body)
            }
            Some(Waiting::Sound(body, _) | Waiting::Parity(body, ..)) => {
                (Class::Picture, Carried::Other, body)
            }
            None => (Class::Padding, Carried::Other, Arc::from([])),
        };
        Some(Leaving {
            class,
            body: self.send(carried, &body, size, None, now),
            padded_to: super::HEADER_LEN + len,
        })
    }

    /// When [`Self::poll_packet`] has something again, if nothing happens before.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        if let Some((_, due)) = self.constant {
            return Some(due.max(self.apart_until()));
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
        let from = self.unanswered? + SILENCE + self.controller.round_trip();
        let until = from + TRY_AGAIN;
        (from..until).contains(&now).then_some(until)
    }

    fn send(
        &mut self,
        carried: Carried,
        body: &[u8],
        size: u32,
        probe: Option<u32>,
        now: Instant,
    ) -> Vec<u8> {
        let since = self.unanswered.get_or_insert(now);
        if now >= *since + SILENCE + self.controller.round_trip() + TRY_AGAIN {
            // It is tried again, and waited for again.
            *since = now;
        }
        self.last_sent = now;
        self.history.handle_sent(carried, size, probe, now).before(body)
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

    /// What waits is too large for the way.
    fn drop_too_large(&mut self) {
        let most = self.mtu.wire_size();
        self.pacer.retain(|waiting| waiting.size() <= most);
        // Pictures whose parts are on their way are lost with them.
        self.is_broken = true;
        self.wants_key = self.wants_key.or(self.layer);
    }

    fn drop_stale(&mut self, now: Instant) {
        let is_fresh = |waiting: &Waiting| match waiting {
            Waiting::Sound(..) => true,
            Waiting::Part(part, _) => now < part.since + 2 * STALE,
            Waiting::Parity(_, _, since) => now < *since + 2 * STALE,
        };
        if self.pacer.retain(is_fresh) {
            self.is_broken = true;
        }
    }
}

/// What leaves at a steady rate, whatever the link carries: counted over each second.
#[derive(Debug)]
struct Steady {
    since: Instant,
    bytes: u32,
    bits: u32,
}

impl Steady {
    const SPAN: Duration = Duration::from_secs(1);

    const fn new(since: Instant) -> Self {
        Self {
            since,
            bytes: 0,
            bits: 0,
        }
    }

    /// It may have ended.
    fn expire(&mut self, now: Instant) {
        if now > self.since + 2 * Self::SPAN {
            (self.bytes, self.bits) = (0, 0);
        }
    }

    fn count(&mut self, size: u32, now: Instant) {
        if now >= self.since + Self::SPAN {
            let passed = now.saturating_duration_since(self.since).as_secs_f64();
            self.bits = (f64::from(self.bytes) * 8.0 / passed) as u32;
            (self.since, self.bytes) = (now, 0);
        }
        self.bytes += size;
        // Before the first second is over it is what it was so far.
        self.bits = self.bits.max(self.bytes * 8);
    }
}
