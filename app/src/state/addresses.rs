//! Every address of a call, with its rates over the last second.

use std::collections::HashMap;

use sightline_mesh_proto::address::Pair;
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::ledger::{Counts, Ledger};
use sightline_ui::model::{AddressRow, Graph};

use super::Registry;

/// What each pair of addresses had sent and received a second ago, and its rates of the last minute.
#[derive(Debug, Default)]
pub struct Rates(HashMap<Option<Pair>, (u64, u64, Graph)>);

impl Rates {
    /// The rows of a ledger that was taken a second after the one before.
    pub fn rows(
        &mut self,
        ledger: &Ledger,
        registry: &Registry,
        interfaces: &[Interface],
    ) -> Vec<AddressRow> {
        let earlier = ledger.earlier();
        let sum = (earlier.counts != Counts::default()).then_some((
            None,
            None,
            &earlier.counts,
            earlier.first,
            earlier.last,
        ));
        let rows = ledger
            .rows()
            .map(|(pair, row)| (Some(pair), row.peer, &row.counts, row.first, row.last));
        let mut rates = HashMap::new();
        let mut addresses = Vec::new();
        for (pair, peer, counts, first, last) in rows.chain(sum) {
            let totals = (counts.sent_bytes, counts.recv_bytes);
            let known = self.0.remove(&pair);
            let (sent, received, mut graph) = known.unwrap_or((totals.0, totals.1, Graph::default()));
            // A row that was summed up and began anew has counted less.
            let sending = totals.0.saturating_sub(sent) * 8;
            let receiving = totals.1.saturating_sub(received) * 8;
            graph.push(sending + receiving);
            rates.insert(pair, (totals.0, totals.1, graph.clone()));
            let interface = pair.and_then(|(local, _)| {
                let mut all = interfaces.iter();
                let of = all.find(|interface| interface.address == local.ip());
                of.map(|interface| interface.name.clone())
            });
            addresses.push(AddressRow {
                pair,
                interface,
                whose: peer.map(|peer| registry.name(&peer).to_owned()),
                sent: totals.0,
                received: totals.1,
                refused: counts.refused_packets,
                sending,
                receiving,
                first,
                last,
                graph,
            });
        }
        self.0 = rates;
        addresses
    }
}
