//! Who hears whom, by what everybody says.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p_identity::PeerId;
use sightline_media_proto::feedback::MemberStatus;

use super::call::{CallState, Remote, VOICE};
use super::{Moment, State, Told};

/// 5 s: how long two members may take until they hear each other.
const SETTLING: Duration = Duration::from_secs(5);

/// 400 ms: how long somebody is shown as speaking after their last loud block: the pause between two words.
const PAUSE: Duration = Duration::from_millis(400);

impl State {
    /// Tells who hears whom (peer → peers), when that has changed.
    pub(super) fn report_hears(&mut self) {
        let (Some(me), Some(call)) = (self.registry.me(), &mut self.call) else {
            return;
        };
        let texts = |peers: &[PeerId]| {
            let mut texts: Vec<_> = peers.iter().map(PeerId::to_string).collect();
            texts.sort();
            texts
        };
        let said = call.remotes.iter().filter_map(|(peer, remote)| {
            let status = remote.status.as_ref()?;
            Some((peer.to_string(), texts(&heard(status))))
        });
        let mut matrix: BTreeMap<_, _> = said.collect();
        matrix.insert(me.to_string(), texts(&call.hears));
        if matrix != call.told_hears {
            call.told_hears.clone_from(&matrix);
            self.report(Told::Hears(matrix));
        }
    }

    /// Shows whom each member cannot hear, though they send sound: a hole has a name.
    pub(super) fn show_holes(&mut self, sends_audio: bool, at: Moment) {
        let (Some(me), Some(call), Some(shown)) = (self.registry.me(), &self.call, &mut self.model.call)
        else {
            return;
        };
        for person in &mut shown.people {
            let of = self.registry.peer_of(&person.id);
            let missed = of.and_then(|peer| missed(call, &peer, me, sends_audio, at.now));
            if let Some(missed) = missed {
                let name = |other: PeerId| (other != me).then(|| self.registry.name(&other).to_owned());
                person.cannot_hear = missed.into_iter().map(name).collect();
            }
        }
    }

    /// Shows who speaks: those who do just now, and those in the pause between two words.
    pub(super) fn show_speakers(&mut self, speaking: &[PeerId], at: Moment) {
        let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) else {
            return;
        };
        let mut is_changed = false;
        for (peer, remote) in &mut call.remotes {
            if speaking.contains(peer) {
                remote.spoke = Some(at.now);
            }
            let speaks = remote
                .spoke
                .is_some_and(|spoke| at.now.saturating_duration_since(spoke) < PAUSE);
            let id = self.registry.person(peer);
            for person in shown.people.iter_mut().filter(|person| person.id == id) {
                is_changed |= person.speaking != speaks;
                person.speaking = speaks;
            }
        }
        if is_changed {
            self.mark_changed();
        }
    }
}

/// Whom a member does not hear, of those who send sound and have been here for long enough; `None` before it has said.
fn missed(
    call: &CallState,
    peer: &PeerId,
    me: PeerId,
    sends_audio: bool,
    now: Instant,
) -> Option<Vec<PeerId>> {
    let remote = call.remotes.get(peer)?;
    let heard = heard(remote.status.as_ref()?);
    let is_settled = |remote: &Remote| now.saturating_duration_since(remote.since) > SETTLING;
    if !is_settled(remote) {
        return Some(Vec::new());
    }
    let sends = |remote: &Remote| {
        let status = remote.status.as_ref();
        status.is_some_and(|status| status.sends.contains(&VOICE))
    };
    let others = call
        .remotes
        .iter()
        .filter(|(other, remote)| *other != peer && sends(remote) && is_settled(remote));
    let others = others.map(|(other, _)| *other).chain(sends_audio.then_some(me));
    Some(others.filter(|other| !heard.contains(other)).collect())
}

fn heard(status: &MemberStatus) -> Vec<PeerId> {
    let heard = status.hears.iter();
    heard.filter_map(|bytes| PeerId::from_bytes(bytes).ok()).collect()
}
