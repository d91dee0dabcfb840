//! The ledger: every byte that went out or came in, by address, as counted at the socket.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use libp2p_identity::PeerId;

/// Rows of strangers kept apart; what comes from further addresses is summed in [`Ledger::others`].
const MAX_STRANGERS: usize = 256;

/// What passed between one local and one remote address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The member that this address belongs to, once that is proved.
    pub peer: Option<PeerId>,
    /// UDP payload sent, bytes.
    pub sent_bytes: u64,
    /// Datagrams sent.
    pub sent_packets: u64,
    /// UDP payload received, bytes.
    pub recv_bytes: u64,
    /// Datagrams received and let through.
    pub recv_packets: u64,
    /// Datagrams refused, either way: dropped unanswered when received, never sent when ours.
    pub refused_packets: u64,
    /// When the address first took part, since the program started.
    pub first: Duration,
    /// When it last took part.
    pub last: Duration,
}

impl Row {
    const fn new(at: Duration) -> Self {
        Self {
            peer: None,
            sent_bytes: 0,
            sent_packets: 0,
            recv_bytes: 0,
            recv_packets: 0,
            refused_packets: 0,
            first: at,
            last: at,
        }
    }
}

/// Which way a datagram went, and whether it was let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It left.
    Sent,
    /// It came and was handed on.
    Received,
    /// It was stopped at the socket.
    Refused,
}

/// All rows of a call.
#[derive(Debug, Default)]
pub struct Ledger {
    rows: BTreeMap<(SocketAddr, SocketAddr), Row>,
    strangers: usize,
    others: u64,
}

impl Ledger {
    /// Counts one datagram of `bytes`.
    pub fn count(
        &mut self,
        local: SocketAddr,
        remote: SocketAddr,
        bytes: usize,
        passage: Passage,
        at: Duration,
    ) {
        let key = (local, remote);
        if passage == Passage::Refused && !self.rows.contains_key(&key) {
            if self.strangers >= MAX_STRANGERS {
                self.others += 1;
                return;
            }
            self.strangers += 1;
        }
        let row = self.rows.entry(key).or_insert_with(|| Row::new(at));
        row.last = at;
        match passage {
            Passage::Sent => {
                row.sent_packets += 1;
                row.sent_bytes += bytes as u64;
            }
            Passage::Received => {
                row.recv_packets += 1;
                row.recv_bytes += bytes as u64;
            }
            Passage::Refused => row.refused_packets += 1,
        }
    }

    /// Writes down whose address `remote` is.
    pub fn name(&mut self, remote: SocketAddr, peer: PeerId) {
        for ((_, address), row) in &mut self.rows {
            if *address == remote {
                row.peer = Some(peer);
            }
        }
    }

    /// Writes down whose address one row's is.
    pub fn name_row(&mut self, local: SocketAddr, remote: SocketAddr, peer: PeerId) {
        if let Some(row) = self.rows.get_mut(&(local, remote)) {
            row.peer = Some(peer);
        }
    }

    /// The rows, by local and remote address.
    pub fn rows(&self) -> impl Iterator<Item = (SocketAddr, SocketAddr, &Row)> {
        self.rows
            .iter()
            .map(|((local, remote), row)| (*local, *remote, row))
    }

    /// Datagrams refused from addresses beyond those that have a row of their own.
    #[must_use]
    pub const fn others(&self) -> u64 {
        self.others
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_grow_the_ledger_without_bound_nor_get_lost() {
        let mut ledger = Ledger::default();
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        for n in 0..10_000u32 {
            let remote = SocketAddr::from((n.to_be_bytes(), 9));
            ledger.count(local, remote, 50, Passage::Refused, Duration::ZERO);
        }
        assert_eq!(ledger.rows().count(), MAX_STRANGERS);
        let refused: u64 = ledger.rows().map(|(_, _, row)| row.refused_packets).sum();
        assert_eq!(refused + ledger.others(), 10_000);

        let member = SocketAddr::from(([192, 0, 2, 1], 5));
        ledger.count(local, member, 50, Passage::Sent, Duration::ZERO);
        assert_eq!(ledger.rows().count(), MAX_STRANGERS + 1);
    }
}
