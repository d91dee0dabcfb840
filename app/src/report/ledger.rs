//! What passed between which addresses, and by which routes.

use sightline_mesh_proto::ledger::{Counts, Ledger};
use sightline_mesh_proto::route::History;

use super::{Reporter, name, name_of};
use crate::state::Registry;
use crate::{event, record, words};

impl Reporter {
    /// Every address that took part, with what passed.
    pub fn ledger(&mut self, ledger: &Ledger, registry: &Registry) {
        self.tell(event::Event::Ledger(record::ledger(ledger)));
        for ((local, remote), row) in ledger.rows() {
            let whose = row
                .peer
                .map_or_else(|| "a stranger".to_owned(), |peer| name(&peer, registry));
            let counts = &row.counts;
            self.say(&format!(
                "{local} ↔ {remote} ({whose}): sent {} bytes in {} packets, received {} in {}, refused {}.",
                counts.sent_bytes,
                counts.sent_packets,
                counts.recv_bytes,
                counts.recv_packets,
                counts.refused_packets
            ));
        }
        let earlier = &ledger.earlier().counts;
        if *earlier != Counts::default() {
            self.say(&format!(
                "Other addresses: sent {} bytes, received {}, refused {} packets.",
                earlier.sent_bytes, earlier.recv_bytes, earlier.refused_packets
            ));
        }
    }

    /// Every step of every route.
    pub fn history(&mut self, history: &History, registry: &Registry) {
        self.tell(event::Event::History(record::history(history)));
        for step in history.steps() {
            self.say(&format!(
                "{:8.2} s  {}: {}: {} ({}).",
                step.at.as_secs_f64(),
                name_of(step.route.peer, registry),
                words::ends(&step.route),
                words::state(step.route.state, step.route.theirs),
                words::reason(step.reason)
            ));
        }
    }
}
