//! Media on the call's links: what leaves to whom and when, and what arrives. The links decide (`sightline-media-proto`'s
//! `link` and `layer`); here they are kept, one for each member to whom media flows, and given the packets.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media::{LayerWish, Outbox, Playout};
use sightline_media_proto::audio::{Copies, Span};
use sightline_media_proto::layer::{self, Layer, Receiver, Share};
use sightline_media_proto::link::{Arrivals, Class as Kind, Counts, Number, Report, Sender};
use sightline_media_proto::load::GivenWay;
use sightline_media_proto::packing::Packing;
use sightline_media_proto::rate::Bitrate;
use sightline_media_proto::video::Packets;
use sightline_mesh::{Leaving, Traffic};
use sightline_mesh_proto::Class;
use sightline_mesh_proto::packet;

use crate::wiring::{Notice, Notices, Numbers, tell_patiently};

/// 100 ms: how often it is decided anew who gets which layer.
const SHARE_OUT: Duration = Duration::from_millis(100);

/// What pictures at a constant rate take on the wire, beside what the encoder is to make of them: with less, large ones
/// would wait.
const FILLED: f64 = 1.5;

/// What one link's sender knows.
#[derive(Clone, Copy, Debug)]
pub struct LinkState {
    /// What the link carries, all together, as far as is known.
    pub estimate: Bitrate,
    /// What waits to leave, and what waits on the way.
    pub pacing: Duration,
    /// See above.
    pub queue: Duration,
    /// The share of packets that is lost.
    pub loss: f32,
    /// What is sent of pictures.
    pub share: Option<Share>,
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
    uplink: Option<Bitrate>,
    /// Pictures are sent at one rate, whatever they show.
    constant_rate: bool,
    rates: [Option<Bitrate>; 3],
    next_share_out: Instant,
}

struct Link {
    sender: Sender,
    arrivals: Arrivals,
    share: Option<(Share, Instant)>,
}

impl Links {
    /// No links yet.
    pub fn new(
        numbers: Arc<Numbers>,
        playout: Arc<Playout>,
        epoch: Instant,
        limits: Limits,
    ) -> Self {
        let state = State {
            links: BTreeMap::new(),
            packing: Packing::default(),
            asked: BTreeMap::new(),
            given_way: GivenWay::Nothing,
            uplink: limits.uplink,
            constant_rate: limits.constant_rate,
            rates: [None; 3],
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

    fn packing(&self, now: Instant) -> (Span, Copies) {
        let mut state = self.lock();
        let state = &mut *state;
        let links: Vec<_> = state.links.values().map(|link| link.sender.carries()).collect();
        state.packing.handle_links(&links, now)
    }

    fn wishes(&self, largest: Layer, now: Instant) -> [Option<LayerWish>; 3] {
        let mut state = self.lock();
        if now >= state.next_share_out {
            state.next_share_out = now + SHARE_OUT;
            state.share_out(largest, now);
        }
        let mut wishes = state.rates.map(|rate| {
            rate.map(|rate| LayerWish {
                rate,
                wants_key: false,
                is_open: false,
            })
        });
        for link in state.links.values_mut() {
            if let Some(layer) = link.sender.poll_key_frame_request()
                && let Some(wish) = &mut wishes[layer.index()]
            {
                wish.wants_key = true;
            }
            let own = link.share.map(|(share, _)| share.layer);
            for layer in own.into_iter().chain(link.sender.leaving()) {
                if let Some(wish) = &mut wishes[layer.index()] {
                    wish.is_open |= link.sender.takes_pictures(now);
                }
            }
        }
        wishes
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn share_out(&mut self, largest: Layer, now: Instant) {
        let receivers: Vec<_> = self
            .links
            .iter()
            .map(|(peer, link)| Receiver {
                asks: {
                    let asked = self.asked.get(peer).copied();
                    let wish = asked.unwrap_or(Some(Share::whole(Layer::Medium)));
                    // Whether to be seen while somebody else speaks is for the others to decide.
                    self.given_way.min(GivenWay::Size).limit(wish, true)
                },
                rate: link.sender.picture_rate(),
                has: link.share,
            })
            .collect();
        let (shares, rates) = layer::share_out(&receivers, largest, now);
        let before = std::mem::replace(&mut self.rates, rates);
        let limits = self.uplink.map(|uplink| split(uplink, receivers.len()));
        for ((link, share), receiver) in self.links.values_mut().zip(shares).zip(&receivers) {
            if share != link.share.map(|(share, _)| share) {
                link.share = share.map(|share| (share, now));
            }
            link.sender.set_share(share);
            let most = receiver
                .asks
                .map_or(Bitrate(0), |asks| asks.layer.min(largest).enough());
            link.sender.set_wanted(most);
            link.sender.set_limit(limits);
            let constant = share.filter(|_| self.constant_rate).and_then(|share| {
                let rate = rates[share.layer.index()]?.min(receiver.rate);
                Some(Bitrate((f64::from(rate.0) * FILLED) as u32))
            });
            link.sender.set_constant(constant, now);
            // Nobody is left without pictures while the other layer's key frame is on its way.
            if let Some(layer) = link.sender.leaving() {
                let rate = &mut self.rates[layer.index()];
                *rate = rate.or(before[layer.index()]);
            }
        }
    }
}

/// Each link's part of the uplink.
const fn split(uplink: Bitrate, links: usize) -> Bitrate {
    Bitrate(if links == 0 {
        uplink.0
    } else {
        uplink.0 / links as u32
    })
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
    fn handle_receivers(&self, receivers: &[PeerId], now: Instant) {
        let mut state = self.lock();
        state.links.retain(|peer, _| receivers.contains(peer));
        let incarnation = now.saturating_duration_since(self.epoch).as_millis() as u16;
        for peer in receivers {
            state.links.entry(*peer).or_insert_with(|| Link {
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
        self.lock().links.iter_mut().find_map(|(peer, link)| {
            if let Some(report) = link.arrivals.poll_report(now) {
                return Some(Leaving {
                    to: *peer,
                    class: Class::Report,
                    body: report.encode(),
                    is_filled: false,
                });
            }
            let leaving = link.sender.poll_packet(now)?;
            Some(Leaving {
                to: *peer,
                class: class(leaving.class),
                body: leaving.body,
                is_filled: leaving.is_filled,
            })
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let state = self.lock();
        let due = state.links.values().flat_map(|link| {
            let reports = link.arrivals.poll_timeout();
            reports.into_iter().chain(link.sender.poll_timeout())
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

    fn packing(&self) -> (Span, Copies) {
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
