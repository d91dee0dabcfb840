//! What this crate's tests begin with: a gate that expects the holders of one code, their tags, and those of others.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rand::SeedableRng;
use sightline_mesh_proto::gate::{Change, Gate, Sponsor};
use sightline_mesh_proto::tag::ExpectId;
use sightline_mesh_proto::tag::{self, Tag};
use sightline_mesh_proto::{Clock, FastKeyErasureRng, Secret, TagKey};

use crate::socket::SharedGate;

/// 5 min: how long anything may take before a test gives up on it. Only what never comes takes so long, on the slowest
/// machine.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// A gate that expects the holders of one code, at whichever address is then [`listen`]ed on.
pub fn gate() -> SharedGate {
    let clock = Clock {
        start: Instant::now(),
    };
    let gate = SharedGate::new(Gate::new(clock));
    gate.lock()
        .handle_change(Change::Expect(ExpectId(1), key(1), Sponsor::Code(ExpectId(1))));
    gate
}

/// The address is shared.
pub fn listen(gate: &SharedGate, local: SocketAddr) {
    gate.lock().handle_change(Change::Listen(local));
}

/// A tag of a holder of that code, another one for each number.
pub fn tag(number: u64) -> Tag {
    tag::make(&key(1), &mut FastKeyErasureRng::seed_from_u64(number))
}

/// A tag of a code that nobody gave out.
pub fn foreign_tag() -> Tag {
    tag::make(&key(2), &mut FastKeyErasureRng::seed_from_u64(0))
}

fn key(code: u8) -> TagKey {
    Secret([code; 32]).tag_key()
}

/// Gives up on what does not come.
pub async fn within<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, what).await.expect("it comes")
}
