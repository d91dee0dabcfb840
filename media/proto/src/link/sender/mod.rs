//! The sending half of a link.
//!
//! ```text
//!   mod.rs ── what is known of the link, reports        leave.rs ── what leaves now, and how fast
//!     ├ video.rs ── which frames leave, what is sent again       bulk.rs ── what streams may take beside
//! ```

mod bulk;
mod leave;
mod video;

use std::sync::Arc;
use std::time::{Duration, Instant};

use self::bulk::Account;
use self::leave::PACE;
use super::Class;
use super::budget::Budget;
use super::congestion::CongestionController;
use super::constant::Constant;
use super::pacer::{Pacer, Priority};
use super::path_mtu::PathMtu;
use super::probe::Probe;
use super::repair::Repairs;
use super::report::ArrivalReport;
use super::selector::Selector;
use super::sent_packets::{Lost, SentPackets};
use super::silence::Silence;
use super::waiting::{Carried, OutgoingFragment, Waiting, What};
use crate::header::wire_size;
use crate::layer::{Layer, Subscription};
use crate::packing;
use crate::rate::Bitrate;
use crate::track::{AudioTrack, VideoTrack};
use crate::video::PacketSize;

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
    bulk: Account,
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
            budget: Budget::default(),
            probe: None,
            constant: None,
            bulk: Account::new(now),
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
        self.controller.set_wanted_with_bulk(self.bulk_wanted());
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
        self.bulk.charge(size, self.controller.sending_rate(), now);
        self.last_sent = now;
    }

    /// How large packets may be: less than full while larger ones do not get through.
    #[must_use]
    pub const fn packet_size(&self) -> PacketSize {
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
        self.budget
            .for_video(self.bulk.beside(self.controller.sending_rate()))
    }

    /// The same when nothing waits on the way: by this it is decided which layer is sent. A link that carries all that it is
    /// asked to may carry any amount.
    #[must_use]
    pub fn usual_video_rate(&self) -> Bitrate {
        if self.controller.is_sated() {
            return Bitrate(u32::MAX);
        }
        self.budget.for_video(self.bulk.beside(self.controller.rate()))
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

    /// Which layer of a track is to be sent, and how much of it; `None` for no pictures.
    pub const fn set_subscription(&mut self, track: VideoTrack, subscription: Option<Subscription>) {
        self.selectors[track.index()].set_subscription(subscription);
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
        self.counts.lost += news.lost.len() as u64;
        let is_marker = |lost: &&Lost<Carried>| matches!(lost.carried, Carried::Marker(_));
        let size = |lost: &Lost<Carried>| (lost.size, lost.probe);
        let mut sizes: Vec<_> = news
            .lost
            .iter()
            .filter(|lost| !is_marker(lost))
            .map(size)
            .collect();
        if self.mtu.handle_news(&news.acked, &sizes, now) {
            self.drop_too_large();
        }
        // What is too large for the path says nothing of how much it carries.
        let most = self.mtu.wire_size();
        sizes.retain(|(size, _)| *size <= most);
        sizes.extend(news.lost.iter().filter(is_marker).map(size));
        self.controller
            .handle_news(&news.acked, &sizes, news.round_trip, now);
        if !self.controller.is_calm() {
            // A probe would only add to what waits.
            self.probe = None;
        }
        for carried in news.arrived {
            match carried {
                Carried::Fragment(OutgoingFragment { repair: Some(id), .. }) => {
                    self.repairs.handle_arrived(id);
                }
                Carried::Marker(size) => self.bulk.handle_known(size),
                _ => {}
            }
        }
        for lost in news.lost {
            match lost.carried {
                Carried::Fragment(fragment)
                    if fragment.repair.is_none_or(|id| self.repairs.handle_lost(id)) =>
                {
                    self.repair(fragment, lost.size, now);
                }
                Carried::Marker(size) => self.bulk.handle_known(size),
                _ => {}
            }
        }
        self.repairs.trim();
        if !news.acked.is_empty() && self.probe.is_none() {
            self.probe = self.controller.poll_probe(now).map(|probe| (probe, 0));
        }
    }

    /// How long what waits to leave will take.
    #[must_use]
    pub fn backlog(&self) -> Duration {
        let bits = self.controller.rate().0.max(1);
        Duration::from_secs_f64(self.pacer.waiting() as f64 * 8.0 / (f64::from(bits) * PACE))
    }
}
