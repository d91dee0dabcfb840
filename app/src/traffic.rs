//! Media on the call's links: adapters between the threads that make and play media, `sightline-media-proto`'s `session`,
//! which decides, and the mesh.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use libp2p_identity::PeerId;
use sightline_media::{MemberId, Outbox, Playout};
use sightline_media_proto::audio::{Protection, Span};
use sightline_media_proto::layer::Layer;
use sightline_media_proto::link;
use sightline_media_proto::session::{LayerTarget, Limits, Session};
use sightline_media_proto::video::Packets;
use sightline_media_proto::{AudioTrack, Track, VideoTrack};
use sightline_mesh::{Leaving, Traffic};
use sightline_mesh_proto::{Class, ConnId};

use crate::update::{Failed, Update, Updates, tell_timeout};

/// The links to all members to whom media flows.
pub struct Links {
    session: Mutex<Session<PeerId, ConnId>>,
    /// The numbers by which playout knows the members that are played.
    played: Mutex<HashMap<PeerId, MemberId>>,
    playout: Arc<Playout>,
}

impl Links {
    /// No links yet.
    pub fn new(playout: Arc<Playout>, epoch: Instant, limits: Limits) -> Self {
        Self {
            session: Mutex::new(Session::new(limits, epoch)),
            played: Mutex::default(),
            playout,
        }
    }

    /// What decides about them.
    pub fn session(&self) -> MutexGuard<'_, Session<PeerId, ConnId>> {
        lock(&self.session)
    }

    /// A member is played from now on, by this number.
    pub fn add(&self, peer: PeerId, member: MemberId) {
        lock(&self.played).insert(peer, member);
    }

    /// A member is not played any more.
    pub fn remove(&self, peer: &PeerId) {
        lock(&self.played).remove(peer);
        self.session().handle_left(peer);
    }

    /// The number by which playout knows a member that is played.
    pub fn member(&self, peer: &PeerId) -> Option<MemberId> {
        lock(&self.played).get(peer).copied()
    }
}

impl Traffic for Links {
    fn handle_receivers(&self, receivers: &[(PeerId, ConnId)], now: Instant) {
        self.session().handle_receivers(receivers, now);
    }

    fn handle_packet(&self, peer: PeerId, class: Class, body: &[u8], now: Instant) {
        let Some(member) = self.member(&peer) else {
            return;
        };
        let media = self.session().handle_packet(&peer, class, body, now);
        match media {
            Some((Track::Audio(track), body)) => {
                // What came too late is counted by the buffer.
                let _late = self.playout.handle_audio(member, track, body, now);
            }
            Some((Track::Video(track), body)) => self.playout.handle_video(member, track, body, now),
            None => {}
        }
    }

    fn poll_packet(&self, now: Instant) -> Option<Leaving> {
        let (to, leaving) = self.session().poll_packet(now)?;
        Some(leaving_to(to, leaving))
    }

    fn handle_bulk(&self, to: PeerId, waits: bool) {
        self.session().handle_bulk(&to, waits);
    }

    fn poll_bulk(&self, now: Instant) -> Option<(PeerId, usize)> {
        self.session().poll_bulk(now)
    }

    fn handle_bulk_sent(&self, to: PeerId, bytes: usize, now: Instant) -> Option<Leaving> {
        let marker = self.session().handle_bulk_sent(&to, bytes, now)?;
        Some(leaving_to(to, marker))
    }

    fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.session().poll_timeout(now)
    }
}

/// Sound and pictures, from the threads that make them to the links.
pub struct Outgoing {
    pub links: Arc<Links>,
    pub mesh: sightline_mesh::Sender,
    pub updates: Updates,
}

#[allow(clippy::disallowed_methods, reason = "when media is handed over")]
impl Outbox for Outgoing {
    fn send_audio(&self, track: AudioTrack, body: Arc<[u8]>) {
        self.links.session().handle_audio(track, &body, Instant::now());
        self.mesh.wake();
    }

    fn packing(&self) -> (Span, Protection) {
        self.links.session().packing(Instant::now())
    }

    fn send_video(&self, track: VideoTrack, layer: Layer, frame: &Packets) {
        let now = Instant::now();
        self.links.session().handle_video(track, layer, frame, now);
        self.mesh.wake();
    }

    fn wishes(&self, track: VideoTrack, largest: Layer) -> [Option<LayerTarget>; 3] {
        self.links.session().wishes(track, largest, Instant::now())
    }

    fn microphone_runs(&self) {
        tell_timeout(&self.updates, Update::MicrophoneRuns);
    }

    fn microphone_failed(&self, message: String) {
        tell_timeout(&self.updates, Update::Failed(Failed::Microphone, message));
    }

    fn encoder_failed(&self, message: String) {
        tell_timeout(&self.updates, Update::Failed(Failed::Encoder, message));
    }
}

fn leaving_to(to: PeerId, leaving: link::Leaving) -> Leaving {
    Leaving {
        to,
        class: leaving.class,
        body: leaving.body,
        padded_to: leaving.padded_to,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
