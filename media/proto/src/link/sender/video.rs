//! Pictures: which frames leave, whose fragments are sent again, and what of them is dropped while it waits.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Sender;
use crate::header::wire_size;
use crate::layer::Layer;
use crate::link::Class;
use crate::link::pacer::Priority;
use crate::link::selector::{CROWDED, STALE};
use crate::link::waiting::{OutgoingFragment, Waiting, What};
use crate::track::{Track, VideoTrack};
use crate::video::{self, Dependency, Packets};

/// 400 ms: a fragment that is lost is sent again only if it arrives within this of its picture.
const REPAIRED_WITHIN: Duration = Duration::from_millis(400);

/// 40 ms: the same for a picture that nothing builds on: the next one is there by then.
const DISCARDABLE_WITHIN: Duration = Duration::from_millis(40);

/// A fragment is sent again this often.
const TRIES: u8 = 4;

/// From which loss on, and which round trip, the pictures that others build on leave with parity: by the time that a fragment
/// has been asked for and come again, the next picture is there.
const PARITY_LOSS: f32 = 0.01;
const PARITY_TRIP: Duration = Duration::from_millis(30);

impl Sender {
    /// Returns whether a picture encoded now could be sent soon; otherwise it need not be encoded.
    #[must_use]
    pub fn takes_video(&self, now: Instant) -> bool {
        self.pace(now) > 0 && self.backlog() < CROWDED
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
            let what = What::Fragment(OutgoingFragment {
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

    pub(super) fn repair(&mut self, mut fragment: OutgoingFragment, size: u32, now: Instant) {
        let within = if fragment.is_discardable {
            DISCARDABLE_WITHIN
        } else {
            REPAIRED_WITHIN
        };
        let arrives = now + self.controller.round_trip() / 2;
        if fragment.tries < TRIES && arrives < fragment.since + within && size <= self.mtu.wire_size() {
            let (id, copies) = self.repairs.begin(self.controller.loss());
            fragment.tries += 1;
            fragment.repair = Some(id);
            self.counts.repaired += 1;
            for _ in 0..copies {
                let what = What::Fragment(fragment.clone());
                self.pacer.push(Priority::Repair, Waiting { what, size });
            }
        } else if !fragment.is_discardable {
            self.selectors[fragment.track.index()].handle_lost(fragment.since);
        }
    }

    /// What waits is too large for the path.
    pub(super) fn drop_too_large(&mut self) {
        let most = self.mtu.wire_size();
        self.pacer.retain(|waiting| waiting.size <= most, |_| {});
        // Pictures whose fragments are on their way are lost with them.
        for selector in &mut self.selectors {
            selector.handle_too_large();
        }
    }

    fn drop_stale(&mut self, now: Instant) {
        let is_fresh = |waiting: &Waiting| match &waiting.what {
            What::Audio(..) => true,
            What::Fragment(OutgoingFragment { since, .. }) | What::Parity(_, _, since) => {
                now < *since + 2 * STALE
            }
        };
        let selectors = &mut self.selectors;
        self.pacer.retain(is_fresh, |dropped| {
            if let Track::Video(track) = dropped.track() {
                selectors[track.index()].handle_dropped();
            }
        });
    }
}
