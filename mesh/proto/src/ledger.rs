//! The ledger: every byte that went out or came in, by address, as counted at the socket.

use std::collections::BTreeMap;
use std::time::Duration;

use libp2p_identity::PeerId;

use crate::address::Pair;

/// Rows of addresses from which nothing was ever let through. What comes from further ones is summed up.
const MAX_STRANGERS: usize = 256;

/// Rows of addresses that something passed to or from. Of more, those unused for longest are summed up.
const MAX_ROWS: usize = 512;

/// What passed between one local and one remote address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The member that this address belongs to, once that is proved.
    pub peer: Option<PeerId>,
    /// What passed.
    pub counts: Counts,
    /// When the address first took part, since the program started.
    pub first: Duration,
    /// When it last took part.
    pub last: Duration,
}

/// Datagrams and their bytes (UDP payload).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent, bytes.
    pub sent_bytes: u64,
    /// Sent, datagrams.
    pub sent_packets: u64,
    /// Received and let through, bytes.
    pub recv_bytes: u64,
    /// Received and let through, datagrams.
    pub recv_packets: u64,
    /// Refused either way, bytes.
    pub refused_bytes: u64,
    /// Refused either way, datagrams: dropped unanswered when received, never sent when ours.
    pub refused_packets: u64,
}

/// The rows of addresses that have none of their own any more, or never had one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Earlier {
    /// How many rows were summed up here.
    pub rows: u64,
    /// What passed on them, and what was refused from strangers without a row.
    pub counts: Counts,
    /// When the first datagram counted here passed or was refused, since the program started.
    pub first: Duration,
    /// When the last was.
    pub last: Duration,
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

impl Counts {
    const fn add(&mut self, passage: Passage, bytes: u64) {
        let (packets, total) = match passage {
            Passage::Sent => (&mut self.sent_packets, &mut self.sent_bytes),
            Passage::Received => (&mut self.recv_packets, &mut self.recv_bytes),
            Passage::Refused => (&mut self.refused_packets, &mut self.refused_bytes),
        };
        *packets += 1;
        *total += bytes;
    }

    const fn add_all(&mut self, other: &Self) {
        self.sent_bytes += other.sent_bytes;
        self.sent_packets += other.sent_packets;
        self.recv_bytes += other.recv_bytes;
        self.recv_packets += other.recv_packets;
        self.refused_bytes += other.refused_bytes;
        self.refused_packets += other.refused_packets;
    }

    /// Whether anything passed, rather than being refused.
    const fn has_passed(&self) -> bool {
        self.sent_packets > 0 || self.recv_packets > 0
    }
}

impl Earlier {
    fn cover(&mut self, first: Duration, last: Duration) {
        let is_empty = self.counts == Counts::default();
        self.first = if is_empty { first } else { self.first.min(first) };
        self.last = self.last.max(last);
    }
}

/// All rows of a call.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    rows: BTreeMap<Pair, Row>,
    /// Rows on which nothing has passed.
    strangers: usize,
    earlier: Earlier,
}

impl Ledger {
    /// Counts one datagram of `bytes`, of `owner` if it is known whose address that is.
    pub fn count(&mut self, pair: Pair, bytes: usize, passage: Passage, owner: Option<PeerId>, at: Duration) {
        let bytes = bytes as u64;
        let known = self.rows.get(&pair).map(|row| row.counts.has_passed());
        match (known, passage) {
            (Some(true), _) | (Some(false), Passage::Refused) => {}
            (None, Passage::Refused) if self.strangers < MAX_STRANGERS => self.strangers += 1,
            (None, Passage::Refused) => {
                self.earlier.cover(at, at);
                self.earlier.counts.add(passage, bytes);
                return;
            }
            (_, Passage::Sent | Passage::Received) => {
                self.make_room();
                self.strangers -= usize::from(known.is_some());
            }
        }
        let row = self.rows.entry(pair).or_insert_with(|| Row {
            peer: None,
            counts: Counts::default(),
            first: at,
            last: at,
        });
        row.counts.add(passage, bytes);
        row.last = at;
        row.peer = owner.or(row.peer);
    }

    /// Of the addresses that something passed to or from, the one unused for longest gives way.
    fn make_room(&mut self) {
        if self.rows.len() - self.strangers < MAX_ROWS {
            return;
        }
        let passed = self.rows.iter().filter(|(_, row)| row.counts.has_passed());
        let oldest = passed.min_by_key(|(_, row)| row.last).map(|(pair, _)| *pair);
        if let Some(row) = oldest.and_then(|pair| self.rows.remove(&pair)) {
            self.earlier.cover(row.first, row.last);
            self.earlier.rows += 1;
            self.earlier.counts.add_all(&row.counts);
        }
    }

    /// Writes down whose address the remote one of `pair` is.
    pub fn name(&mut self, pair: Pair, peer: PeerId) {
        if let Some(row) = self.rows.get_mut(&pair) {
            row.peer = Some(peer);
        }
    }

    /// What passed between two addresses.
    #[must_use]
    pub fn row(&self, pair: Pair) -> Option<&Row> {
        self.rows.get(&pair)
    }

    /// The rows, by local and remote address.
    pub fn rows(&self) -> impl Iterator<Item = (Pair, &Row)> {
        self.rows.iter().map(|(pair, row)| (*pair, row))
    }

    /// What has no row of its own.
    #[must_use]
    pub const fn earlier(&self) -> &Earlier {
        &self.earlier
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn pair(n: u32) -> Pair {
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        (local, SocketAddr::from((n.to_be_bytes(), 9)))
    }

    fn totals(ledger: &Ledger) -> Counts {
        let mut totals = ledger.earlier().counts;
        ledger.rows().for_each(|(_, row)| totals.add_all(&row.counts));
        totals
    }

    #[test]
    fn strangers_cannot_grow_the_ledger_without_bound_nor_get_lost() {
        let mut ledger = Ledger::default();
        for n in 0..10_000 {
            ledger.count(pair(n), 50, Passage::Refused, None, Duration::ZERO);
        }
        assert_eq!(ledger.rows().count(), MAX_STRANGERS);
        assert_eq!(totals(&ledger).refused_packets, 10_000);
        assert_eq!(totals(&ledger).refused_bytes, 500_000);

        ledger.count(pair(20_000), 50, Passage::Sent, None, Duration::ZERO);
        assert_eq!(
            ledger.rows().count(),
            MAX_STRANGERS + 1,
            "a member always has a row"
        );
    }

    #[test]
    fn addresses_unused_for_longest_are_summed_up_and_nothing_is_lost() {
        let mut ledger = Ledger::default();
        for n in 0..2000 {
            let at = Duration::from_secs(u64::from(n));
            ledger.count(pair(n), 10, Passage::Refused, None, at);
            ledger.count(pair(n), 10, Passage::Received, None, at);
            ledger.count(pair(n), 20, Passage::Sent, None, at);
            // One address takes part all the time.
            ledger.count(pair(0), 1, Passage::Sent, None, at);
        }
        assert_eq!(ledger.rows().count(), MAX_ROWS);
        assert!(ledger.row(pair(0)).is_some() && ledger.row(pair(1)).is_none());
        assert_eq!(ledger.earlier().rows, 2000 - MAX_ROWS as u64);
        assert_eq!(ledger.earlier().first, Duration::from_secs(1));
        let totals = totals(&ledger);
        assert_eq!((totals.recv_packets, totals.refused_packets), (2000, 2000));
        assert_eq!((totals.sent_packets, totals.sent_bytes), (4000, 42_000));
    }
}
