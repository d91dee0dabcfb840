//! What a call has done, and what was measured in it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libp2p::identity::PeerId;
use sightline_mesh_proto::LinkStats;
use sightline_mesh_proto::ledger::Ledger;
use sightline_mesh_proto::route::History;

/// What a call has done.
#[derive(Clone, Debug)]
pub struct Record {
    /// Every address that took part.
    pub ledger: Ledger,
    /// Every step of every route.
    pub history: History,
}

/// Every step of every route, written by the loop and read by the program above.
#[derive(Clone, Debug, Default)]
pub struct SharedHistory(Arc<Mutex<History>>);

impl SharedHistory {
    /// A panic elsewhere does not take away what was written before.
    pub fn lock(&self) -> MutexGuard<'_, History> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What was measured on the link to one member.
pub type Stats = Vec<(PeerId, LinkStats)>;
