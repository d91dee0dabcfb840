//! Media on the call's links: adapters between the threads that make and play media, `sightline-media-proto`'s `session`,
//! which decides, and the mesh.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use libp2p_identity::PeerId;
use sightline_media::{Outbox, Playout};
use sightline_media_proto::audio::{Protection, Span};
use sightline_media_proto::layer::Layer;
use sightline_media_proto::link::{self, HEADER_LEN};
use sightline_media_proto::session::{LayerWish, Limits, Session};
use sightline_media_proto::video::Packets;
use sightline_mesh::{Leaving, Traffic};
use sightline_mesh_proto::{Class, ConnId, packet};

use crate::wiring::{Notice, Notices, Numbers, tell_patiently};

/// The links to all members to whom media flows.
pub struct Links {
    session: Mutex<Session<PeerId, ConnId>>,
    numbers: Arc<Numbers>,
    playout: Arc<Playout>,
}

impl Links {
    /// No links yet.
    pub fn new(numbers: Arc<Numbers>, playout: Arc<Playout>, epoch: Instant, limits: Limits) -> Self {
        Self {
            session: Mutex::new(Session::new(wire_size, limits, epoch)),
            numbers,
            playout,
        }
    }

    /// What decides about them.
    pub fn session(&self) -> MutexGuard<'_, Session<PeerId, ConnId>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a body takes on the wire, with its number.
fn wire_size(class: link::Class, len: usize) -> u32 {
    let number = match class {
        link::Class::Report => 0,
        _ => HEADER_LEN,
    };
    packet::wire_size(of_packet(class), number + len) as u32
}

const fn of_packet(class: link::Class) -> Class {
    match class {
        link::Class::Sound => Class::Audio,
        link::Class::Picture => Class::Video,
        link::Class::Padding => Class::Padding,
        link::Class::Report => Class::Report,
    }
}

/// `None` for what the call itself says.
const fn of_link(class: Class) -> Option<link::Class> {
    Some(match class {
        Class::Audio => link::Class::Sound,
        Class::Video => link::Class::Picture,
        Class::Padding => link::Class::Padding,
        Class::Report => link::Class::Report,
        Class::Control => return None,
    })
}

impl Traffic for Links {
    fn handle_receivers(&self, receivers: &[(PeerId, ConnId)], now: Instant) {
        self.session().handle_receivers(receivers, now);
    }

    fn handle_packet(&self, peer: PeerId, class: Class, body: &[u8], now: Instant) {
        let (Some(member), Some(class)) = (self.numbers.get(&peer), of_link(class)) else {
            return;
        };
        let media = self.session().handle_packet(&peer, class, body, now);
        match (class, media) {
            (link::Class::Sound, Some(body)) => {
                // What came too late is counted by the buffer.
                let _late = self.playout.handle_audio(member, body, now);
            }
            (link::Class::Picture, Some(body)) => self.playout.handle_video(member, body, now),
            _ => {}
        }
    }

    fn poll_packet(&self, now: Instant) -> Option<Leaving> {
        let (to, leaving) = self.session().poll_packet(now)?;
        Some(Leaving {
            to,
            class: of_packet(leaving.class),
            body: leaving.body,
            padded_to: leaving.padded_to,
        })
    }

    fn poll_timeout(&self, now: Instant) -> Option<Instant> {
        self.session().poll_timeout(now)
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
        self.links.session().handle_sound(&body, Instant::now());
        self.mesh.wake();
    }

    fn packing(&self) -> (Span, Protection) {
        self.links.session().packing(Instant::now())
    }

    fn send_video(&self, layer: Layer, picture: &Packets) {
        self.links
            .session()
            .handle_picture(layer, picture, Instant::now());
        self.mesh.wake();
    }

    fn wishes(&self, largest: Layer) -> [Option<LayerWish>; 3] {
        self.links.session().wishes(largest, Instant::now())
    }

    fn source_failed(&self, code: &'static str, message: String) {
        tell_patiently(&self.notices, Notice::SourceFailed(code, message));
    }
}

#[cfg(test)]
mod tests {
    use sightline_media_proto::video::PartSize;

    use super::*;

    #[test]
    fn each_size_of_part_fills_one_size_of_packet() {
        for size in PartSize::ALL {
            let one_more = wire_size(link::Class::Picture, size.max_body() + 1);
            assert!(
                wire_size(link::Class::Picture, size.max_body()) < one_more,
                "{size:?}"
            );
            let body = vec![1; size.max_body() + HEADER_LEN];
            let inside = packet::pack(Class::Video, &body).expect("it fits");
            assert_eq!(inside.len(), 3 + body.len(), "{size:?}: no padding");
        }
    }
}
