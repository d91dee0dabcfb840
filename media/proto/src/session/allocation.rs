//! Who gets which layer of which track, at which rate, and what each link may take of the uplink.

use std::time::{Duration, Instant};

use super::{LayerTarget, Session};
use crate::layer::{self, Layer, Receiver, Subscription};
use crate::link::share_uplink;
use crate::overuse::Degradation;
use crate::rate::Bitrate;
use crate::track::VideoTrack;

/// 100 ms: how often it is decided anew who gets which layer.
const ALLOCATE_EVERY: Duration = Duration::from_millis(100);

/// What pictures at a constant rate take on the wire, beside what the encoder is to make of them: with less, large ones
/// would wait.
const FILLED: f64 = 1.5;

impl<M: Copy + Ord, P: Copy + Eq> Session<M, P> {
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
            let own = link.allocated(track);
            let carries = rate_of(track, &link.all_allocated(), link.sender.video_rate());
            let layers = own.map(|subscription| subscription.layer).into_iter();
            for layer in layers.chain(link.sender.leaving(track)) {
                if let Some(wish) = &mut wishes[layer.index()] {
                    wish.wants_key |= link.sender.wants_key_frame(track) == Some(layer);
                    wish.is_open |= link.sender.takes_video(now);
                    wish.is_base_only &= own.is_some_and(|subscription| subscription.is_base_only);
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
    pub(super) fn allocate_in_time(&mut self, now: Instant) {
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
                    has: link.allocated[track.index()],
                })
                .collect();
            let source = &mut self.sources[track.index()];
            let largest = source.largest.unwrap_or(Layer::Small);
            let (allocated, rates) = layer::allocate(&receivers, largest, now);
            let before = std::mem::replace(&mut source.rates, rates);
            for (at, (link, subscription)) in self.links.values_mut().zip(allocated).enumerate() {
                if subscription != link.allocated(track) {
                    link.allocated[track.index()] = subscription.map(|subscription| (subscription, now));
                }
                link.sender.set_subscription(track, subscription);
                let rate = subscription.and_then(|subscription| rates[subscription.layer.index()]);
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
        let mut needs: Vec<_> = self.links.values().map(|link| link.sender.needs()).collect();
        let uplink = self.limits.for_media(needs.len());
        if let Some(uplink) = uplink {
            self.give_rest_to_bulk(uplink, &mut needs);
        }
        let shares = uplink.map(|uplink| share_uplink(uplink, &needs));
        for (at, link) in self.links.values_mut().enumerate() {
            link.sender.set_limit(shares.as_ref().map(|shares| shares[at]));
        }
    }

    /// What media leaves of the uplink is for the links on which bulk waits.
    fn give_rest_to_bulk(&self, uplink: Bitrate, needs: &mut [Bitrate]) {
        let with_bulk = || self.links.values().map(|link| link.sender.has_bulk());
        let count = with_bulk().filter(|has_bulk| *has_bulk).count() as u32;
        let media: u32 = needs.iter().map(|needs| needs.0).fold(0, u32::saturating_add);
        let Some(rest) = uplink.0.saturating_sub(media).checked_div(count) else {
            return;
        };
        for (needs, _) in needs
            .iter_mut()
            .zip(with_bulk())
            .filter(|(_, has_bulk)| *has_bulk)
        {
            needs.0 = needs.0.saturating_add(rest);
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
