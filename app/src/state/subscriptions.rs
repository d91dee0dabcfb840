//! How much of each member's pictures is asked for: as much as is of use here.

use sightline_media_proto::VideoTrack;
use sightline_media_proto::feedback::Feedback;
use sightline_media_proto::layer::{Layer, Subscription};
use sightline_ui::model::TileSize;

use super::{ParticipantEffect, State};

/// With more others than this a tile in a usual window is small.
const MANY: usize = 6;

impl State {
    /// Asks each member for as much of its pictures as is of use here, where that has changed.
    pub fn ask_all(&mut self) {
        let (Some(call), Some(shown)) = (&mut self.call, &self.model.call) else {
            return;
        };
        // Without a window pictures are as large as they would be in one.
        let usual = if shown.people.len() > MANY {
            Layer::Small
        } else {
            Layer::Medium
        };
        let spoke = call.remotes.iter().max_by_key(|(_, remote)| remote.spoke);
        let spoke = spoke
            .filter(|(_, remote)| remote.spoke.is_some())
            .map(|(peer, _)| *peer);
        let mut effects = Vec::new();
        for (peer, remote) in &mut call.remotes {
            let tiles = call.tiles.as_ref();
            let layer = match tiles.and_then(|tiles| tiles.get(&self.registry.person(peer))) {
                Some(TileSize::Hidden) => None,
                Some(TileSize::Small) => Some(Layer::Small),
                Some(TileSize::Medium) => Some(Layer::Medium),
                Some(TileSize::Large) => Some(Layer::Large),
                None => Some(usual),
            };
            let wish = call
                .degradation
                .limit(layer.map(Subscription::whole), spoke == Some(*peer));
            let before = remote.asked.replace(wish);
            if before == Some(wish) {
                continue;
            }
            let is_pause = wish.is_none() || before == Some(None);
            if let Some(member) = self.registry.member(peer).filter(|_| is_pause) {
                effects.push(ParticipantEffect::ExpectPause(member, VideoTrack::Camera));
            }
            let feedback = Feedback::Subscribe(VideoTrack::Camera, wish);
            effects.push(ParticipantEffect::Feedback(*peer, feedback));
        }
        for effect in effects {
            self.order_participant(effect);
        }
    }
}
