//! Media on the call's links: what leaves to whom and when, and what arrives. The links decide (`sightline-media-proto`'s
//! `link` and `layer`); here they are kept, one for each member to whom media flows, and given the packets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::{LayerWish, Outbox, Playout};
use sightline_media_proto::audio::{Protection, Span};
use sightline_media_proto::layer::{self, Layer, Receiver, Share};
use sightline_media_proto::link::{Arrivals, Class as Kind, Counts, Number, Report, Sender, share_uplink};
use sightline_media_proto::load::GivenWay;
use sightline_media_proto::packing::Packing;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::video::{Packets, PartSize};
use sightline_mesh::{Leaving, Traffic};
use sightline_mesh_proto::packet;
use sightline_mesh_proto::{Class, ConnId};

use crate::wiring::{Notice, Notices, Numbers, tell_patiently};

/// 100 ms: how often it is decided anew who gets which layer.
const SHARE_OUT: Duration = Duration::from_millis(100);

/// What pictures at a constant rate take on the wire, beside what the encoder is to make of them: with less, large ones
/// would wait.
const FILLED: f64 = 1.5;

/// 25 kbit/s: what control messages and QUIC's acknowledgements take of a link (measured: 15 to 25).
const CONTROL: u32 = 25_000;

/// 190 kbit/s: where a limit leaves each link less, there is sound only: 124 in packets of 20 ms, and what is left makes no picture
/// that can be recognised.
const LEAST_SEEN: u32 = 190_000;

/// What one link's sender knows.
#[derive(Clone, Copy, Debug)]
pub struct LinkState {
    /// What the link carries, all together, as far as is known.
    pub estimate: Bitrate,
    /// What waits to leave.
    pub pacing: Duration,
    /// What waits on the way.
    pub queue: Duration,
    /// The share of packets that is lost.
    pub loss: f32,
    /// What is sent of pictures.
    pub share: Option<Share>,
    /// How large packets may be: less than full while larger ones do not get through.
    pub packet_size: PartSize,
    /// Counts since the link was there.
    pub counts: Counts,
}

/// What the user says of sending.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// What all links together may send at most.
    pub uplink: Option<Bitrate>,
    /// Pictures are sent at one rate, whatever they show.
    pub constant_rate: bool,
}

impl Limits {
    /// As a user says it: the uplink in kbit/s.
    pub fn of(uplink: Option<u32>, constant_rate: bool) -> Self {
        Self {
            uplink: uplink.map(|kilobits| Bitrate(kilobits.saturating_mul(1000))),
            constant_rate,
        }
    }

    /// What is left of the uplink for media on so many links.
    fn for_media(self, links: usize) -> Option<Bitrate> {
        let control = CONTROL.saturating_mul(links as u32);
        self.uplink.map(|all| Bitrate(all.0.saturating_sub(control)))
    }

    /// Whether an equal part of the uplink has room for more than sound.
    fn leave_room_for_pictures(self, links: usize) -> bool {
        let part = self.for_media(links).map(|media| media.0 / links.max(1) as u32);
        part.is_none_or(|part| part >= LEAST_SEEN)
    }
}

/// The links to all members to whom media flows.
pub struct Links {
    state: Mutex<State>,
    numbers: Arc<Numbers>,
    playout: Arc<Playout>,
    /// The program's start.
    epoch: Instant,
    /// Packets that made no sense.
    dropped: AtomicU64,
}

struct State {
    links: BTreeMap<PeerId, Link>,
    packing: Packing,
    /// What each member asked for; until it does, it gets pictures as large as a tile.
    asked: BTreeMap<PeerId, Option<Share>>,
    /// What this machine cannot keep up with.
    given_way: GivenWay,
    limits: Limits,
    rates: [Option<Bitrate>; 3],
    /// The largest layer that the camera has something for, if there is a camera.
    largest: Option<Layer>,
    next_share_out: Instant,
}

struct Link {
    conn: ConnId,
    sender: Sender,
    arrivals: Arrivals,
    share: Option<(Share, Instant)>,
}

impl Links {
    /// No links yet.
    pub fn new(numbers: Arc<Numbers>, playout: Arc<Playout>, epoch: Instant, limits: Limits) -> Self {
        let state = State {
            links: BTreeMap::new(),
            packing: Packing::default(),
            asked: BTreeMap::new(),
            given_way: GivenWay::Nothing,
            limits,
            rates: [None; 3],
            largest: None,
            next_share_out: epoch,
        };
        Self {
            state: Mutex::new(state),
            numbers,
            playout,
            epoch,
            dropped: AtomicU64::new(0),
        }
    }

    /// A member asks for so much of the own pictures.
    pub fn handle_wish(&self, peer: PeerId, wish: Option<Share>) {
        self.lock().asked.insert(peer, wish);
    }

    /// This machine cannot keep up with everything: less is sent as well.
    pub fn set_given_way(&self, given_way: GivenWay) {
        self.lock().given_way = given_way;
    }

    /// The user says something else of sending.
    pub fn set_limits(&self, limits: Limits) {
        self.lock().limits = limits;
    }

    /// A member is gone.
    pub fn forget(&self, peer: &PeerId) {
        self.lock().asked.remove(peer);
    }

    /// How the link to a member is, if media flows to it.
    pub fn state(&self, peer: &PeerId) -> Option<LinkState> {
        let state = self.lock();
        let link = state.links.get(peer)?;
        Some(LinkState {
            estimate: link.sender.estimate(),
            pacing: link.sender.backlog(),
            queue: link.sender.queue(),
            loss: link.sender.loss(),
            share: link.share.map(|(share, _)| share),
            packet_size: link.sender.packet_size(),
            counts: link.sender.counts(),
        })
    }

    /// Packets that made no sense so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    fn handle_sound(&self, body: &Arc<[u8]>, now: Instant) {
        for link in self.lock().links.values_mut() {
            link.sender.handle_sound(Arc::clone(body), now);
        }
    }

    fn handle_picture(&self, layer: Layer, picture: &Packets, now: Instant) {
        for link in self.lock().links.values_mut() {
            link.sender.handle_picture(layer, picture, now);
        }
    }

    fn packing(&self, now: Instant) -> (Span, Protection) {
        let mut state = self.lock();
        let state = &mut *state;
        let links: Vec<_> = state.links.values().map(|link| link.sender.carries()).collect();
        state.packing.handle_links(&links, now)
    }

    /// There is no camera any more.
    pub fn stop_pictures(&self) {
        let mut state = self.lock();
        state.largest = None;
        state.next_share_out = self.epoch;
    }

    fn wishes(&self, largest: Layer, now: Instant) -> [Option<LayerWish>; 3] {
        let mut state = self.lock();
        state.largest = Some(largest);
        state.share_out_in_time(now);
        let mut wishes = state.rates.map(|rate| {
            rate.map(|rate| LayerWish {
                rate,
                wants_key: false,
                is_open: false,
                is_halved: true,
            })
        });
        let mut carried = [Bitrate(0); 3];
        for link in state.links.values() {
            let own = link.share.map(|(share, _)| share.layer);
            for layer in own.into_iter().chain(link.sender.leaving()) {
                if let Some(wish) = &mut wishes[layer.index()] {
                    wish.wants_key |= link.sender.wants_key_frame() == Some(layer);
                    wish.is_open |= link.sender.takes_pictures(now);
                    wish.is_halved &= link.share.is_some_and(|(share, _)| share.is_halved);
                }
                let carried = &mut carried[layer.index()];
                *carried = link.sender.picture_rate().max(*carried);
            }
        }
        // While a queue drains less leaves; where everybody's does, less is made.
        for (wish, carried) in wishes.iter_mut().zip(carried) {
            if let Some(wish) = wish {
                wish.rate = wish.rate.min(carried);
            }
        }
        wishes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Decides anew who gets what, ten times a second.
    fn share_out_in_time(&mut self, now: Instant) {
        if now >= self.next_share_out {
            self.next_share_out = now + SHARE_OUT;
            self.share_out(now);
        }
    }

    fn share_out(&mut self, now: Instant) {
        // Without a camera nobody gets anything, and links are not asked to carry it.
        let has_camera = self.largest.is_some() && self.limits.leave_room_for_pictures(self.links.len());
        let largest = self.largest.unwrap_or(Layer::Small);
        let receivers: Vec<_> = self
            .links
            .iter()
            .map(|(peer, link)| Receiver {
                asks: {
                    let asked = self.asked.get(peer).copied();
                    let wish = asked.unwrap_or(Some(Share::whole(Layer::Medium)));
                    // Whether to be seen while somebody else speaks is for the others to decide.
                    self.given_way
                        .min(GivenWay::Size)
                        .limit(wish.filter(|_| has_camera), true)
                },
                rate: link.sender.usual_picture_rate(),
                has: link.share,
            })
            .collect();
        let (shares, rates) = layer::share_out(&receivers, largest, now);
        let before = std::mem::replace(&mut self.rates, rates);
        for ((link, share), receiver) in self.links.values_mut().zip(shares).zip(&receivers) {
            if share != link.share.map(|(share, _)| share) {
                link.share = share.map(|share| (share, now));
            }
            link.sender.set_share(share);
            let most = receiver
                .asks
                .map_or(Bitrate(0), |asks| asks.layer.min(largest).enough());
            link.sender.set_wanted(most, now);
            let constant = share.filter(|_| self.limits.constant_rate).and_then(|share| {
                let rate = rates[share.layer.index()]?.min(receiver.rate);
                let filled = Bitrate((f64::from(rate.0) * FILLED) as u32);
                Some(filled.min(link.sender.beside_sound_on_the_wire()))
            });
            link.sender.set_constant(constant, now);
            // Nobody is left without pictures while the other layer's key frame is on its way.
            if let Some(layer) = link.sender.leaving() {
                let rate = &mut self.rates[layer.index()];
                *rate = rate.or(before[layer.index()]);
            }
        }
        self.limit_links();
    }

    /// Keeps all links together below the uplink; sound alone may be more than that.
    fn limit_links(&mut self) {
        let needs: Vec<_> = self.links.values().map(|link| link.sender.needs()).collect();
        let uplink = self.limits.for_media(needs.len());
        let shares = uplink.map(|uplink| share_uplink(uplink, &needs));
        for (at, link) in self.links.values_mut().enumerate() {
            link.sender.set_limit(shares.as_ref().map(|shares| shares[at]));
        }
    }
}

/// What a body takes on the wire.
fn wire_size(kind: Kind, len: usize) -> u32 {
    packet::wire_size(class(kind), len + sightline_media_proto::link::HEADER_LEN) as u32
}

const fn class(kind: Kind) -> Class {
    match kind {
        Kind::Sound => Class::Audio,
        Kind::Picture => Class::Video,
        Kind::Padding => Class::Padding,
    }
}

impl Traffic for Links {
    fn handle_receivers(&self, receivers: &[(PeerId, ConnId)], now: Instant) {
        let mut state = self.lock();
        // On another connection the way is another one: what was known of the old says nothing.
        state
            .links
            .retain(|peer, link| receivers.contains(&(*peer, link.conn)));
        let incarnation = now.saturating_duration_since(self.epoch).as_millis() as u16;
        for (peer, conn) in receivers {
            state.links.entry(*peer).or_insert_with(|| Link {
                conn: *conn,
                sender: Sender::new(wire_size, incarnation, now),
                arrivals: Arrivals::new(self.epoch),
                share: None,
            });
        }
        state.next_share_out = now;
    }

    fn handle_packet(&self, peer: PeerId, class: Class, body: &[u8], now: Instant) {
        let Some(member) = self.numbers.get(&peer) else {
            return;
        };
        let mut state = self.lock();
        let Some(link) = state.links.get_mut(&peer) else {
            return;
        };
        if class == Class::Report {
            match Report::decode(body) {
                Some(report) => link.sender.handle_report(&report, now),
                None => self.count_dropped(),
            }
            return;
        }
        let Some((number, body)) = Number::split(body) else {
            return self.count_dropped();
        };
        let is_new = link.arrivals.handle_packet(number, now);
        drop(state);
        match class {
            Class::Audio if is_new => {
                // What came too late is counted by the buffer.
                let _late = self.playout.handle_audio(member, body, now);
            }
            Class::Video if is_new => self.playout.handle_video(member, body, now),
            _ => {}
        }
    }

    fn poll_packet(&self, now: Instant) -> Option<Leaving> {
        let mut state = self.lock();
        state.share_out_in_time(now);
        state.links.iter_mut().find_map(|(peer, link)| {
            let report = if link.sender.has_sound() {
                link.arrivals.poll_report_along(now)
            } else {
                link.arrivals.poll_report(now)
            };
            if let Some(report) = report {
                let body = report.encode();
                let size = packet::wire_size(Class::Report, body.len());
                link.sender.count_report(size as u32, now);
                return Some(Leaving {
                    to: *peer,
                    class: Class::Report,
                    body,
                    padded_to: 0,
                });
            }
            let leaving = link.sender.poll_packet(now)?;
            Some(Leaving {
                to: *peer,
                class: class(leaving.class),
                body: leaving.body,
                padded_to: leaving.padded_to,
            })
        })
    }

    fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let state = self.lock();
        let due = state.links.values().flat_map(|link| {
            let reports = link.arrivals.poll_timeout();
            reports.into_iter().chain(link.sender.poll_timeout(now))
        });
        due.min()
    }
}

impl Links {
    fn count_dropped(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}

/// Sound and pictures, from the threads that make them to the links.
pub struct Outgoing {
    pub links: Arc<Links>,
    pub mesh: sightline_mesh::Sender,
    pub notices: Notices<Notice>,
}

#[allow(clippy::disallowed_methods, reason = "when media is handed over")]
impl Outbox for Outgoing {
    fn send_audio(&self, body: Arc<[u8]>) {
        self.links.handle_sound(&body, Instant::now());
        self.mesh.wake();
    }

    fn packing(&self) -> (Span, Protection) {
        self.links.packing(Instant::now())
    }

    fn send_video(&self, layer: Layer, picture: &Packets) {
        self.links.handle_picture(layer, picture, Instant::now());
        self.mesh.wake();
    }

    fn wishes(&self, largest: Layer) -> [Option<LayerWish>; 3] {
        self.links.wishes(largest, Instant::now())
    }

    fn source_failed(&self, code: &'static str, message: String) {
        tell_patiently(&self.notices, Notice::SourceFailed(code, message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_size_of_part_fills_one_size_of_packet() {
        for size in PartSize::ALL {
            let one_more = wire_size(Kind::Picture, size.max_body() + 1);
            assert!(wire_size(Kind::Picture, size.max_body()) < one_more, "{size:?}");
            let body = vec![1; size.max_body() + sightline_media_proto::link::HEADER_LEN];
            let inside = packet::pack(Class::Video, &body).expect("it fits");
            assert_eq!(inside.len(), 3 + body.len(), "{size:?}: no padding");
        }
    }
}
