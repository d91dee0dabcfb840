//! What is looked at ten times a second, and measured every second.

use std::time::Instant;

use libp2p_identity::PeerId;
use sightline_mesh::interfaces;
use sightline_mesh_proto::Command as Order;

use super::{Controller, LOOK, SECOND, now};
use crate::participant::Participant;
use crate::state::{State, view_model};
use crate::update::{Second, Update};

impl Controller {
    pub(super) fn handle_time(&mut self) {
        let now = now();
        if self.leave_at.is_some_and(|at| now >= at) {
            self.leave_at = None;
            if self.participant.is_some() {
                self.order(Order::Leave);
            } else {
                self.is_over = true;
            }
        }
        if self.screen.is_some() {
            self.look(now);
        }
        if now >= self.next_second {
            self.next_second = (self.next_second + SECOND).max(now);
            self.handle_second();
        }
    }

    /// What is looked at ten times a second: who speaks.
    fn look(&mut self, now: Instant) {
        if self.sources.level.is_speech() {
            self.spoke = Some(now);
        }
        let speaks = self
            .spoke
            .is_some_and(|spoke| now.saturating_duration_since(spoke) < 4 * LOOK);
        if std::mem::replace(&mut self.state.model.own.speaking, speaks) != speaks {
            self.state.mark_changed();
        }
        if let Some(participant) = &self.participant {
            let speaking = speaking(participant, &self.state);
            self.handle(Update::Speaking(speaking));
        }
        self.scan(now);
    }

    fn handle_second(&mut self) {
        self.handle_sleep();
        self.report.dropped();
        if let Some(participant) = &mut self.participant {
            let second = measure(participant, &self.state);
            self.handle(Update::Second(Box::new(second)));
        } else if self.screen.is_some() {
            let addresses = view_model::addresses(&self.interfaces);
            if addresses != self.state.model.addresses {
                self.state.model.addresses = addresses;
                self.state.mark_changed();
            }
        }
        self.retry_missing();
        self.state.clear_passed(self.moment());
    }

    /// Codes are older by how long this machine slept, if it did.
    pub(super) fn handle_sleep(&mut self) {
        if let Some(slept) = self.sleep.take() {
            self.handle(Update::Slept(slept));
        }
    }
}

/// Who speaks just now.
fn speaking(participant: &Participant, state: &State) -> Vec<PeerId> {
    let here = state.registry.here();
    let speaking = here.filter(|(_, member)| participant.playout().is_speaking(*member));
    speaking.map(|(peer, _)| peer).collect()
}

/// Measures a second of a call.
fn measure(participant: &mut Participant, state: &State) -> Second {
    Second {
        members: participant.take_stats(),
        encode: participant.take_encode_time(),
        load: participant.take_load(),
        speaking: speaking(participant, state),
        sends_audio: participant.sends_audio(),
        interfaces: if state.has_window {
            interfaces::list(&[])
        } else {
            Vec::new()
        },
        ledger: state.has_window.then(|| participant.mesh().ledger()),
    }
}
