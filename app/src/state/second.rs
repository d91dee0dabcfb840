//! What a second's measurements mean.

use sightline_media_proto::overuse::Degradation;
use sightline_media_proto::video::PacketSize;
use sightline_ui::model::{Saying, SayingKey};

use super::measure::Measured;
use super::{Moment, ParticipantEffect, State, Told, Topic, sayings};
use crate::update::Second;

impl State {
    /// Takes in what was measured in a second of a call.
    pub(super) fn handle_second(&mut self, second: Second, at: Moment) {
        if self.call.is_none() {
            return;
        }
        self.handle_load(&second, at);
        self.show_speakers(&second.speaking, at);
        self.ask_all();
        let measured = self.measure(&second);
        self.handle_packet_sizes(&measured, at);
        self.report_measured(measured);
        self.report_hears();
        if self.has_window {
            self.show_holes(second.sends_audio, at);
            self.show_invites(at);
            self.show_addresses(second);
            self.mark_changed();
        }
    }

    /// Degrades the call when this machine is overloaded, and tells the user.
    fn handle_load(&mut self, second: &Second, at: Moment) {
        let Some(call) = &mut self.call else {
            return;
        };
        let degradation = call.overuse.handle_sample(&second.load);
        let before = std::mem::replace(&mut call.degradation, degradation);
        if before == degradation {
            return;
        }
        self.order_participant(ParticipantEffect::Degrade(degradation));
        let saying = Saying::new(sayings::degradation(degradation), "");
        if degradation > before || degradation == Degradation::Nothing {
            self.tell(saying, at);
        } else {
            // What is on its way back is told when all of it is; what is shown until then is true all the same.
            self.amend(Topic::Load, &saying);
        }
    }

    /// Measures every link, and shows it.
    fn measure(&mut self, second: &Second) -> Vec<Measured> {
        let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) else {
            return Vec::new();
        };
        let mut measured = Vec::new();
        for stats in &second.members {
            let one = call.meter.measure(stats.clone(), second.encode);
            let id = self.registry.person(&one.stats.peer);
            let remote = call.remotes.get(&one.stats.peer);
            // Before its first report, a picture that comes shows that it is sent.
            let has_said = remote.is_some_and(|remote| remote.status.is_some());
            for person in shown.people.iter_mut().filter(|person| person.id == id) {
                one.show(person);
                person.has_video |= !has_said && one.stats.media.pictures > 0;
            }
            measured.push(one);
        }
        let heard = measured.iter().filter(|one| one.played > 0);
        call.hears = heard.map(|one| one.stats.peer).collect();
        let hears = call.hears.clone();
        let members = measured.iter().map(|one| one.stats.peer).collect();
        self.order_participant(ParticipantEffect::Status(members, hears));
        measured
    }

    fn report_measured(&mut self, measured: Vec<Measured>) {
        let degradation = self.call.as_ref().map(|call| call.degradation);
        for one in measured {
            self.report(Told::Stats(Box::new(one), degradation.unwrap_or_default()));
        }
    }

    /// Tells to whom large packets do not get through since the last second, or do again.
    fn handle_packet_sizes(&mut self, measured: &[Measured], at: Moment) {
        for one in measured {
            let peer = one.stats.peer;
            let size = one.stats.sending.map(|sending| sending.packet_size);
            let is_small = size.is_some_and(|size| size < PacketSize::Full);
            let remote = self.call.as_mut().and_then(|call| call.remotes.get_mut(&peer));
            let was_small = remote.map(|remote| std::mem::replace(&mut remote.gets_small, is_small));
            match (was_small, is_small) {
                (Some(false), true) => self.tell_of(SayingKey::SmallPacketsOnly, Some(peer), at),
                (Some(true), false) => self.clear(Topic::PacketSize, Some(&peer)),
                _ => {}
            }
        }
    }

    fn show_addresses(&mut self, second: Second) {
        let (Some(call), Some(shown)) = (&mut self.call, &mut self.model.call) else {
            return;
        };
        call.interfaces = second.interfaces;
        if let Some(ledger) = &second.ledger {
            shown.addresses = call.rates.rows(ledger, &self.registry, &call.interfaces);
        }
    }
}
