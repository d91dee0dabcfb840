//! A participant's media in a call: one link to each member, and what each of them gets.
//!
//! ```text
//!   members' wishes, the links' rates, the machine's load ──► who gets which layer, at which rate (layer.rs)
//!                                                        ──► what each link may take of the uplink (limits.rs)
//!                                                        ──► how a voice is packed (packing.rs)
//!   sound, pictures ──► each member's link ──► packets      packets ──► reports, sound, pictures
//! ```
//!
//! Members are named by the program's own ids `M`; `P` names the path that a link goes by.

mod limits;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::limits::Limits;
use crate::audio::{Protection, Span};
use crate::layer::{self, Layer, Receiver, Subscription};
use crate::link::{self, ArrivalReport, Arrivals, Class, Leaving, Number, SendStats, Sender, share_uplink};
use crate::overuse::Degradation;
use crate::packing::Packing;
use crate::rate::Bitrate;
use crate::track::{AudioTrack, Track, VideoTrack};
use crate::video::{Packets, PartSize};

/// 100 ms: how often it is decided anew who gets which layer.
const ALLOCATE_EVERY: Duration = Duration::from_millis(100);

/// What pictures at a constant rate take on the wire, beside what the encoder is to make of them: with less, large ones
/// would wait.
const FILLED: f64 = 1.5;

/// How a layer is wanted just now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerTarget {
    /// At which rate.
    pub rate: Bitrate,
    /// Somebody can go on only with a key frame.
    pub wants_key: bool,
    /// Somebody's link can carry a picture at this moment.
    pub is_open: bool,
    /// Nobody gets those of its pictures that nothing builds on.
    pub is_base_only: bool,
}

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
    /// What is sent of each track of video, in the order of [`VideoTrack::ALL`].
    pub shares: [Option<Subscription>; VideoTrack::ALL.len()],
    /// How large packets may be: less than full while larger ones do not get through.
    pub packet_size: PartSize,
    /// Counts since the link was there.
    pub counts: SendStats,
}

/// The links to all members to whom media flows.
#[derive(Debug)]
pub struct Session<M, P> {
    links: BTreeMap<M, MemberLink<P>>,
    packing: Packing,
    /// What each member asked for of each track of video; until it does, it gets pictures as large as a tile.
    asked: BTreeMap<(M, VideoTrack), Option<Subscription>>,
    /// What this machine cannot keep up with.
    degradation: Degradation,
    limits: Limits,
    /// To whom bulk waits to leave.
    bulk: BTreeSet<M>,
    /// Each track of video.
    sources: [Source; VideoTrack::ALL.len()],
    /// The program's start.
    epoch: Instant,
    next_allocation: Instant,
    /// Whose packet left last. The next is another one's, and who is first changes as well: where the uplink is full, it is not
    /// always the same member whose packets find no room.
    last: Option<M>,
    /// Something has left since there was nothing to leave.
    has_sent: bool,
    /// Packets that made no sense.
    dropped: u64,
}

/// A track of video that is sent.
#[derive(Clone, Copy, Debug, Default)]
struct Source {
    /// The largest layer that it has something for; `None` while there is nothing to send.
    largest: Option<Layer>,
    /// At which rate each layer is encoded.
    rates: [Option<Bitrate>; Layer::ALL.len()],
}

#[derive(Debug)]
struct MemberLink<P> {
    path: P,
    sender: Sender,
    arrivals: Arrivals,
    /// What is sent of each track of video, and since when.
    shares: [Option<(Subscription, Instant)>; VideoTrack::ALL.len()],
}

impl<P> MemberLink<P> {
    fn share(&self, track: VideoTrack) -> Option<Subscription> {
        self.shares[track.index()].map(|(share, _)| share)
    }

    fn all_shares(&self) -> [Option<Subscription>; VideoTrack::ALL.len()] {
        VideoTrack::ALL.map(|track| self.share(track))
    }

    fn poll_packet(&mut self, now: Instant) -> Option<Leaving> {
        let report = if self.sender.has_audio() {
            self.arrivals.poll_report_along(now)
        } else {
            self.arrivals.poll_report(now)
        };
        let Some(report) = report else {
            return self.sender.poll_packet(now);
        };
        let body = report.encode();
        self.sender
            .count_report(link::wire_size(Class::Report, body.len()), now);
        Some(Leaving::usual(Class::Report, body))
    }
}

impl<M: Copy + Ord, P: Copy + Eq> Session<M, P> {
    /// No links yet. `epoch` is the program's start.
    #[must_use]
    pub fn new(limits: Limits, epoch: Instant) -> Self {
        Self {
            links: BTreeMap::new(),
            packing: Packing::default(),
            asked: BTreeMap::new(),
            degradation: Degradation::Nothing,
            limits,
            bulk: BTreeSet::new(),
            sources: Default::default(),
            epoch,
            next_allocation: epoch,
            last: None,
            has_sent: false,
            dropped: 0,
        }
    }

    /// A member asks for so much of a track.
    pub fn handle_subscription(&mut self, member: M, track: VideoTrack, wish: Option<Subscription>) {
        self.asked.insert((member, track), wish);
    }

    /// A member is gone.
    pub fn handle_left(&mut self, member: &M) {
        self.bulk.remove(member);
        for track in VideoTrack::ALL {
            self.asked.remove(&(*member, track));
        }
    }

    /// This machine cannot keep up with everything: less is sent as well.
    pub const fn set_degradation(&mut self, degradation: Degradation) {
        self.degradation = degradation;
    }

    /// The user says something else of sending.
    pub const fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// There is nothing to send of a track any more.
    pub const fn stop_video(&mut self, track: VideoTrack) {
        self.sources[track.index()].largest = None;
        self.next_allocation = self.epoch;
    }

    /// How the link to a member is, if media flows to it.
    pub fn link(&self, member: &M) -> Option<LinkState> {
        let link = self.links.get(member)?;
        Some(LinkState {
            estimate: link.sender.estimate(),
            pacing: link.sender.backlog(),
            queue: link.sender.queue(),
            loss: link.sender.loss(),
            shares: link.all_shares(),
            packet_size: link.sender.packet_size(),
            counts: link.sender.counts(),
        })
    }

    /// Packets that made no sense so far.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// To whom media flows from now on, and by which path. What was known of another path says nothing.
    pub fn handle_receivers(&mut self, receivers: &[(M, P)], now: Instant) {
        self.links
            .retain(|member, link| receivers.contains(&(*member, link.path)));
        let incarnation = now.saturating_duration_since(self.epoch).as_millis() as u16;
        for (member, path) in receivers {
            self.links.entry(*member).or_insert_with(|| {
                let mut sender = Sender::new(incarnation, now);
                sender.set_bulk(self.bulk.contains(member));
                MemberLink {
                    path: *path,
                    sender,
                    arrivals: Arrivals::new(self.epoch),
                    shares: Default::default(),
                }
            });
        }
        self.next_allocation = now;
    }

    /// A packet of a track of audio leaves to everybody.
    pub fn handle_audio(&mut self, track: AudioTrack, body: &Arc<[u8]>, now: Instant) {
        for link in self.links.values_mut() {
            link.sender.handle_audio(track, Arc::clone(body), now);
        }
    }

    /// A frame of a track's layer leaves to whoever gets that.
    pub fn handle_video(&mut self, track: VideoTrack, layer: Layer, frame: &Packets, now: Instant) {
        for link in self.links.values_mut() {
            link.sender.handle_video(track, layer, frame, now);
        }
    }

    /// A packet came from a member. Returns what is to be played of it, and of which track: `None` for a duplicate, a report
    /// or padding.
    pub fn handle_packet<'a>(
        &mut self,
        member: &M,
        class: Class,
        body: &'a [u8],
        now: Instant,
    ) -> Option<(Track, &'a [u8])> {
        let link = self.links.get_mut(member)?;
        if class == Class::Report {
            match ArrivalReport::decode(body) {
                Some(report) => link.sender.handle_report(&report, now),
                None => self.dropped += 1,
            }
            return None;
        }
        let Some((number, body)) = Number::split(body) else {
            self.dropped += 1;
            return None;
        };
        let is_new = link.arrivals.handle_packet(number, now);
        if !is_new || matches!(class, Class::Padding | Class::Marker) {
            return None;
        }
        let found = Track::split(body).filter(|(track, _)| track.class() == class);
        self.dropped += u64::from(found.is_none());
        found
    }

    /// The next packet that leaves, and to whom.
    pub fn poll_packet(&mut self, now: Instant) -> Option<(M, Leaving)> {
        self.allocate_in_time(now);
        let mut poll = |(member, link): (&M, &mut MemberLink<P>)| Some((*member, link.poll_packet(now)?));
        let last = self.last;
        let others = last.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = last.map_or(Bound::Unbounded, Bound::Included);
        let found = self
            .links
            .range_mut((others, Bound::Unbounded))
            .find_map(&mut poll);
        let found = found.or_else(|| self.links.range_mut((Bound::Unbounded, rest)).find_map(&mut poll));
        self.last = match &found {
            Some((member, _)) => Some(*member),
            None if self.has_sent => self.after(last),
            None => last,
        };
        self.has_sent = found.is_some();
        found
    }

    /// The member after this one, the first after the last.
    fn after(&self, member: Option<M>) -> Option<M> {
        let after = member.map_or(Bound::Unbounded, Bound::Excluded);
        let mut next = self.links.range((after, Bound::Unbounded)).chain(&self.links);
        next.next().map(|(member, _)| *member)
    }

    /// Whether bulk waits to leave to a member.
    pub fn handle_bulk(&mut self, member: M, waits: bool) {
        if waits {
            self.bulk.insert(member);
        } else {
            self.bulk.remove(&member);
        }
        if let Some(link) = self.links.get_mut(&member) {
            link.sender.set_bulk(waits);
        }
        self.next_allocation = self.epoch;
    }

    /// How many bytes of bulk may leave now, and to whom.
    #[must_use]
    pub fn poll_bulk(&self, now: Instant) -> Option<(M, usize)> {
        let mut links = self.links.iter();
        links.find_map(|(member, link)| Some((*member, link.sender.poll_bulk(now)?)))
    }

    /// So many bytes of bulk leave to a member now. Returns their marker, which is to leave with them.
    pub fn handle_bulk_sent(&mut self, member: &M, bytes: usize, now: Instant) -> Option<Leaving> {
        let link = self.links.get_mut(member)?;
        Some(link.sender.handle_bulk_sent(bytes, now))
    }

    /// When [`Self::poll_packet`] or [`Self::poll_bulk`] has something again.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        let due = self.links.values().flat_map(|link| {
            let reports = link.arrivals.poll_timeout();
            reports.into_iter().chain(link.sender.poll_timeout(now))
        });
        due.min()
    }

    /// How much sound the next packet is to carry, and how many parities of what came before.
    pub fn packing(&mut self, now: Instant) -> (Span, Protection) {
        let links: Vec<_> = self.links.values().map(|link| link.sender.carries()).collect();
        self.packing.handle_links(&links, now)
    }

    /// How each layer of a track is wanted, of those up to `largest`; `None` for one that nobody gets.
    pub fn wishes(&mut self, track: VideoTrack, largest: Layer, now: Instant) -> [Option<LayerTarget>; 3] {
        self.sources[track.index()].largest = Some(largest);
        self.allocate_in_time(now);
        let mut wishes = self.sources[track.index()].rates.map(|rate| {
            rate.map(|rate| LayerTarget {
                rate,
                wants_key: false,
                is_open: false,
                is_base_only: true,
            })
        });
        let mut carried = [Bitrate(0); 3];
        for link in self.links.values() {
            let own = link.share(track);
            let carries = rate_of(track, &link.all_shares(), link.sender.video_rate());
            let layers = own.map(|share| share.layer).into_iter();
            for layer in layers.chain(link.sender.leaving(track)) {
                if let Some(wish) = &mut wishes[layer.index()] {
                    wish.wants_key |= link.sender.wants_key_frame(track) == Some(layer);
                    wish.is_open |= link.sender.takes_video(now);
                    wish.is_base_only &= own.is_some_and(|share| share.is_base_only);
                }
                let carried = &mut carried[layer.index()];
                *carried = carries.max(*carried);
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

    /// Decides anew who gets what, ten times a second.
    fn allocate_in_time(&mut self, now: Instant) {
        if now >= self.next_allocation {
            self.next_allocation = now + ALLOCATE_EVERY;
            self.allocate(now);
        }
    }

    fn allocate(&mut self, now: Instant) {
        let has_room = self.limits.leave_room_for_video(self.links.len());
        let asks = self.asks(has_room);
        let mut constant = vec![None; self.links.len()];
        for track in VideoTrack::ALL {
            let receivers: Vec<_> = (self.links.values().zip(&asks))
                .map(|(link, asks)| Receiver {
                    asks: asks[track.index()],
                    rate: rate_of(track, asks, link.sender.usual_video_rate()),
                    has: link.shares[track.index()],
                })
                .collect();
            let source = &mut self.sources[track.index()];
            let largest = source.largest.unwrap_or(Layer::Small);
            let (shares, rates) = layer::allocate(&receivers, largest, now);
            let before = std::mem::replace(&mut source.rates, rates);
            for (at, (link, share)) in self.links.values_mut().zip(shares).enumerate() {
                if share != link.share(track) {
                    link.shares[track.index()] = share.map(|share| (share, now));
                }
                link.sender.set_subscription(track, share);
                let rate = share.and_then(|share| rates[share.layer.index()]);
                if let Some(rate) = rate.map(|rate| rate.min(receivers[at].rate)) {
                    let sum: &mut Option<Bitrate> = &mut constant[at];
                    *sum = Some(Bitrate(sum.map_or(0, |sum| sum.0).saturating_add(rate.0)));
                }
                // Nobody is left without pictures while the other layer's key frame is on its way.
                if let Some(layer) = link.sender.leaving(track) {
                    let rate = &mut source.rates[layer.index()];
                    *rate = rate.or(before[layer.index()]);
                }
            }
        }
        for ((link, asks), rate) in self.links.values_mut().zip(&asks).zip(constant) {
            let most = asks.iter().flatten().map(|asks| asks.layer.enough().0);
            link.sender.set_wanted(Bitrate(most.sum()), now);
            let constant = rate.filter(|_| self.limits.constant_rate).map(|rate| {
                let filled = Bitrate((f64::from(rate.0) * FILLED) as u32);
                filled.min(link.sender.beside_audio_on_the_wire())
            });
            link.sender.set_constant(constant, now);
        }
        self.limit_links();
    }

    /// What each link's member asks for of each track that there is. Without a source nobody gets anything, and links are not
    /// asked to carry it.
    fn asks(&self, has_room: bool) -> Vec<[Option<Subscription>; VideoTrack::ALL.len()]> {
        let of_member = |member: &M| {
            VideoTrack::ALL.map(|track| {
                let largest = self.sources[track.index()].largest.filter(|_| has_room)?;
                let asked = self.asked.get(&(*member, track)).copied();
                let wish = asked.unwrap_or(Some(Subscription::whole(Layer::Medium)));
                // Whether to be seen while somebody else speaks is for the others to decide.
                let wish = self.degradation.min(Degradation::Resolution).limit(wish, true)?;
                Some(Subscription {
                    layer: wish.layer.min(largest),
                    ..wish
                })
            })
        };
        self.links.keys().map(of_member).collect()
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

/// What of a link's rate for video is there for one track: all but what the others have a use for, as far as they get an equal
/// part.
fn rate_of(track: VideoTrack, asks: &[Option<Subscription>], rate: Bitrate) -> Bitrate {
    let uses = |asks: &Option<Subscription>| Bitrate(asks.map_or(0, |asks| asks.layer.enough().0));
    let uses: Vec<_> = asks.iter().map(uses).collect();
    let shares = share_uplink(rate, &uses);
    let others = shares.iter().zip(&uses).enumerate();
    let others = others.filter(|(at, _)| *at != track.index());
    let taken: u32 = others.map(|(_, (share, uses))| share.0.min(uses.0)).sum();
    Bitrate(rate.0.saturating_sub(taken))
}
