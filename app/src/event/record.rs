//! What the call did: addresses and routes.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

/// Every address that took part, and the sum of what has no row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// The rows.
    pub rows: Vec<LedgerRow>,
    /// The sum.
    pub earlier: LedgerSum,
}

/// What passed between two addresses.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerRow {
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Who is there, if that was proved.
    pub peer: Option<String>,
    /// What passed.
    #[serde(flatten)]
    pub counts: Counts,
    /// When the first passed.
    pub first: f64,
    /// When the last did.
    pub last: f64,
}

/// The sum of rows that are not kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LedgerSum {
    /// How many rows.
    pub rows: u64,
    /// What passed.
    #[serde(flatten)]
    pub counts: Counts,
    /// When the first passed.
    pub first: f64,
    /// When the last did.
    pub last: f64,
}

/// Datagrams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Payload sent.
    pub sent_bytes: u64,
    /// Datagrams sent.
    pub sent_packets: u64,
    /// Payload received.
    pub recv_bytes: u64,
    /// Datagrams received.
    pub recv_packets: u64,
    /// Payload refused.
    pub refused_bytes: u64,
    /// Datagrams refused.
    pub refused_packets: u64,
}

/// Every step of every route, and the sum of those that are not kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct History {
    /// The steps.
    pub steps: Vec<Step>,
    /// The sum.
    pub earlier: HistorySum,
}

/// The sum of steps that are not kept one by one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HistorySum {
    /// How many steps.
    pub steps: u64,
    /// Of them, those after which media flowed.
    pub activations: u64,
    /// When the first was taken.
    pub first: f64,
    /// When the last was.
    pub last: f64,
}

/// One step: the route after it, the state before, why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// The route.
    #[serde(flatten)]
    pub route: Route,
    /// When.
    pub at: f64,
    /// The state before.
    pub old_state: Option<String>,
    /// Why.
    pub reason: String,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Its ends.
    #[serde(flatten)]
    pub path: Path,
    /// Its number.
    pub id: u64,
    /// To whom.
    pub peer: Option<String>,
    /// `proposed`, `approved`, `active`, `paused` or `closed`.
    pub state: String,
    /// What approved it.
    pub approved_by: Option<String>,
    /// Whether the other side agrees.
    pub theirs: String,
}

/// Where packets go, and from where.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Path {
    /// `direct` or `carried`.
    pub kind: String,
    /// Who carries.
    pub via: Option<String>,
    /// This end.
    pub local: SocketAddr,
    /// The local interface.
    pub interface: Option<String>,
    /// The other end.
    pub remote: SocketAddr,
    /// What kind of interface is there, if that is told.
    pub peer_interface: Option<String>,
}
