//! A participant's media in a call: one link to each member, and what each of them gets.
//!
//! ```text
//!   members' wishes, the links' rates, the machine's load ──► who gets which layer, at which rate (layer.rs)
//!                                                        ──► what each link may take of the uplink (allocation.rs)
//!                                                        ──► how a voice is packed (packing.rs)
//!   sound, pictures ──► each member's link ──► packets      packets ──► reports, sound, pictures
//! ```
//!
//! Members are named by the program's own ids `M`; `P` names the path that a link goes by.

mod allocation;
mod limits;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::time::{Duration, Instant};

pub use self::limits::Limits;
use crate::audio::{Protection, Span};
use crate::layer::{Layer, Subscription};
use crate::link::{self, ArrivalReport, Arrivals, Class, Leaving, Number, SendStats, Sender};
use crate::overuse::Degradation;
use crate::packing::Packing;
use crate::rate::Bitrate;
use crate::track::{AudioTrack, Track, VideoTrack};
use crate::video::{PacketSize, Packets};

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
    pub allocated: [Option<Subscription>; VideoTrack::ALL.len()],
    /// How large packets may be: less than full while larger ones do not get through.
    pub packet_size: PacketSize,
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
    allocated: [Option<(Subscription, Instant)>; VideoTrack::ALL.len()],
}

impl<P> MemberLink<P> {
    fn allocated(&self, track: VideoTrack) -> Option<Subscription> {
        self.allocated[track.index()].map(|(subscription, _)| subscription)
    }

    fn all_allocated(&self) -> [Option<Subscription>; VideoTrack::ALL.len()] {
        VideoTrack::ALL.map(|track| self.allocated(track))
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
            allocated: link.all_allocated(),
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
            self.links.entry(*member).or_insert_with(|| MemberLink {
                path: *path,
                sender: Sender::new(incarnation, now),
                arrivals: Arrivals::new(self.epoch),
                allocated: Default::default(),
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

    /// Whether bulk waits to leave to a member, if media flows to it.
    pub fn handle_bulk(&mut self, member: &M, waits: bool) {
        let link = self.links.get_mut(member);
        if let Some(link) = link.filter(|link| link.sender.has_bulk() != waits) {
            link.sender.set_bulk(waits);
            self.next_allocation = self.epoch;
        }
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
}
