//! Pairs of addresses: from which of this side's to which of the other's packets can go.

use std::net::SocketAddr;

use super::Sockets;
use crate::address::{MAX_PAIRS, Pair, can_reach, on_link_of};
use crate::reach::Unreached;

/// Which addresses of this side may be used, in which order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locals {
    /// Those that are shared.
    Shared,
    /// All: this one first, if it is there, then those that are shared.
    All(Option<SocketAddr>),
}

impl Sockets {
    /// The pairs to any of `remotes`, each once.
    pub fn pairs(&self, from: Locals, remotes: &[SocketAddr]) -> Vec<Pair> {
        let mut pairs = Vec::new();
        for pair in remotes.iter().flat_map(|remote| self.pairs_to(from, *remote)) {
            if pairs.len() < MAX_PAIRS && !pairs.contains(&pair) {
                pairs.push(pair);
            }
        }
        pairs
    }

    /// The pairs to `remote`, by each address of this side that fits.
    pub fn pairs_to(&self, from: Locals, remote: SocketAddr) -> Vec<Pair> {
        let (only_shared, first) = match from {
            Locals::Shared => (true, None),
            Locals::All(first) => (false, first),
        };
        let fits = |local: &SocketAddr| self.leads_there(*local, remote) && self.is_usable(local);
        let may_be_used = |local: &SocketAddr| !only_shared || self.is_shared(local);
        let locals = self.open().iter().copied();
        let mut locals: Vec<_> = locals.filter(|local| fits(local) && may_be_used(local)).collect();
        locals.sort_by_key(|local| (Some(*local) != first, !self.is_shared(local)));
        let pair = |local| (local, on_link_of(local, remote));
        locals.into_iter().map(pair).collect()
    }

    /// Whether a packet to `remote` can be sent from `local` now, and to somebody else.
    pub fn leads_out(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        self.is_open_on(&local) && self.leads_there(local, remote)
    }

    /// Why there is no pair to any of `remotes`.
    pub fn why_no_pair(&self, remotes: &[SocketAddr]) -> Unreached {
        let mut ours = self.shared.iter().chain(&self.open);
        let would_do = |local: &SocketAddr| remotes.iter().any(|remote| self.leads_there(*local, *remote));
        if ours.any(|local| !self.is_open_on(local) && would_do(local)) {
            Unreached::NotUp
        } else if !remotes.is_empty() && remotes.iter().all(|remote| self.is_own(*remote)) {
            Unreached::Own
        } else {
            Unreached::NoPair
        }
    }

    /// Whether packets from `local` to `remote` can arrive at somebody else. An address that this machine has itself
    /// leads to its own programs: only from that same address is it meant so, by two programs on one machine.
    fn leads_there(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let is_same = local.ip() == remote.ip();
        can_reach(local, remote)
            && (is_same || !self.is_own(remote))
            && !(is_same && local.port() == remote.port())
    }

    fn is_own(&self, remote: SocketAddr) -> bool {
        !remote.ip().is_loopback() && self.own.contains(&remote.ip())
    }
}
