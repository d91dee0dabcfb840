//! How large packets may be. A path may carry small packets and lose every large one without a word: a black hole, as RFC 4821
//! and RFC 8899 (4.3) call it. It is noticed by what the reports say, and from time to time a packet of the next larger
//! size shows whether it is over.

use std::time::{Duration, Instant};

use super::sent_packets::Acked;
use crate::video::PacketSize;

/// 2 s, and 20 packets: so long, and so many of the largest size, must have been lost since the last that came. Where a
/// third of all is lost by chance, the chance of that is one in a thousand million.
const SPAN: Duration = Duration::from_secs(2);
const PACKETS: usize = 20;

/// Of one report no more count, so that a single burst says little.
const OF_REPORT: usize = 4;

/// 10 s: how often a larger packet is tried.
const TRY_LARGER: Duration = Duration::from_secs(10);

/// What one path is known to carry.
#[derive(Debug)]
pub struct PathMtu {
    /// What a packet of each size takes on the wire, bytes.
    wire_sizes: [u32; PacketSize::ALL.len()],
    size: PacketSize,
    /// Of this size, lost while smaller ones came, since one came; and since when.
    lost: usize,
    since: Option<Instant>,
    try_at: Instant,
}

impl PathMtu {
    /// A path on which every size is taken to pass.
    pub fn new(wire_size: impl Fn(PacketSize) -> u32, now: Instant) -> Self {
        Self {
            wire_sizes: PacketSize::ALL.map(wire_size),
            size: PacketSize::Full,
            lost: 0,
            since: None,
            try_at: now,
        }
    }

    /// How large packets may be.
    pub const fn size(&self) -> PacketSize {
        self.size
    }

    /// What a packet as large as may be takes on the wire, bytes.
    pub const fn wire_size(&self) -> u32 {
        self.wire_sizes[self.size as usize]
    }

    /// Takes what a report said. Returns whether packets are to be smaller from now on.
    pub fn handle_news(&mut self, acked: &[Acked], lost: &[(u32, Option<u32>)], now: Instant) -> bool {
        // Without one that came there is no telling why the others did not.
        let whole = acked.iter().filter(|packet| !packet.is_marker);
        let Some(largest) = whole.map(|packet| packet.size).max() else {
            return false;
        };
        if largest >= self.wire_size() {
            self.find(largest, now);
            return false;
        }
        let count = |is_it: fn(u32, u32) -> bool| {
            let sizes = lost.iter().map(|(size, _)| *size);
            sizes.filter(|size| is_it(*size, self.wire_size())).count()
        };
        let of_this_size = count(|size, full| size == full);
        // Where small ones are lost as well, it is not for the size.
        if of_this_size == 0 || count(|size, full| size < full) >= acked.len() {
            return false;
        }
        let since = *self.since.get_or_insert(now);
        self.lost += of_this_size.min(OF_REPORT);
        if self.lost < PACKETS || now < since + SPAN {
            return false;
        }
        let Some(smaller) = self.size.smaller() else {
            return false;
        };
        self.set(smaller, now + TRY_LARGER);
        true
    }

    /// The size of a packet that is to be tried now.
    pub fn poll_larger(&mut self, now: Instant) -> Option<PacketSize> {
        let larger = self.size.larger().filter(|_| now >= self.try_at)?;
        self.try_at = now + TRY_LARGER;
        Some(larger)
    }

    /// A packet that takes so much came.
    fn find(&mut self, largest: u32, now: Instant) {
        let passes = |size: &PacketSize| self.wire_sizes[*size as usize] <= largest;
        let found = PacketSize::ALL.into_iter().rev().find(passes);
        // If there is a still larger size, it is tried at once.
        let try_at = if found > Some(self.size) { now } else { self.try_at };
        self.set(found.unwrap_or(self.size), try_at);
    }

    fn set(&mut self, size: PacketSize, try_at: Instant) {
        (self.size, self.try_at) = (size, try_at);
        (self.lost, self.since) = (0, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::chance;

    const SMALL: u32 = 200;
    const REPORT: Duration = Duration::from_millis(50);

    struct Path {
        mtu: PathMtu,
        now: Instant,
    }

    impl Path {
        fn new() -> Self {
            let now = Instant::now();
            let mtu = PathMtu::new(|size| size.max_body() as u32, now);
            Self { mtu, now }
        }

        /// A report comes that says of each packet how large it was and whether it came.
        fn report(&mut self, packets: impl IntoIterator<Item = (u32, bool)>) -> bool {
            self.now += REPORT;
            let (mut acked, mut lost) = (Vec::new(), Vec::new());
            for (size, came) in packets {
                if came {
                    acked.push(Acked {
                        sent: self.now,
                        arrived: 0,
                        size,
                        probe: None,
                        is_marker: false,
                    });
                } else {
                    lost.push((size, None));
                }
            }
            self.mtu.handle_news(&acked, &lost, self.now)
        }

        /// Packets as large as may be, and small ones, over a path that passes only what is so small; nobody tries larger
        /// ones.
        fn run(&mut self, seconds: u32, passes: u32) -> u32 {
            let reports = (0..seconds * 20).filter(|_| {
                let size = self.mtu.wire_size();
                self.report([(SMALL, true), (size, size <= passes), (SMALL, true)])
            });
            reports.count() as u32
        }
    }

    #[test]
    fn when_large_packets_alone_are_lost_for_seconds_smaller_ones_are_sent() {
        let mut path = Path::new();
        assert_eq!(path.run(10, 2000), 0);
        assert_eq!(path.run(1, 900), 0, "too soon to tell");
        assert_eq!(path.run(2, 900), 1);
        assert_eq!(path.mtu.size(), PacketSize::ThreeQuarters);
        assert_eq!(path.run(60, 900), 0, "these pass");
        assert_eq!(path.run(10, 300), 2);
        assert_eq!(path.mtu.size(), PacketSize::Quarter);
        assert_eq!(path.run(10, 100), 0, "there is no smaller one");
    }

    #[test]
    fn a_larger_packet_is_tried_from_time_to_time_and_taken_for_good_when_it_comes() {
        let mut path = Path::new();
        assert_eq!(path.mtu.poll_larger(path.now), None, "there is no larger one");
        assert_eq!(path.run(8, 600), 2);
        assert_eq!(path.mtu.size(), PacketSize::Half);
        let mut tried = 0;
        for _ in 0..30 * 20 {
            tried += u32::from(path.mtu.poll_larger(path.now).is_some());
            path.report([(SMALL, true)]);
        }
        assert!((2..=3).contains(&tried), "{tried}");
        let larger = PacketSize::ThreeQuarters.max_body() as u32;
        path.report([(SMALL, true), (larger, false)]);
        assert_eq!(path.mtu.size(), PacketSize::Half);
        path.report([(SMALL, true), (larger, true)]);
        assert_eq!(path.mtu.size(), PacketSize::ThreeQuarters);
        assert_eq!(
            path.mtu.poll_larger(path.now),
            Some(PacketSize::Full),
            "the next at once"
        );
        path.report([(SMALL, true), (PacketSize::Full.max_body() as u32, true)]);
        assert_eq!(path.mtu.size(), PacketSize::Full);
        assert_eq!(path.run(60, 2000), 0);
    }

    #[test]
    fn what_hits_small_packets_as_well_says_nothing_of_size() {
        let full = PacketSize::Full.max_body() as u32;
        for loss in [0.05, 0.2, 0.4] {
            for seed in 1..=20 {
                let mut path = Path::new();
                let mut n = 0;
                let mut came = || {
                    n += 1;
                    chance(n, seed) >= loss
                };
                for _ in 0..120 * 20 {
                    let packets = [SMALL, full, SMALL, full, SMALL].map(|size| (size, came()));
                    assert!(!path.report(packets), "{loss}, seed {seed}");
                }
            }
        }
        // Nothing at all passes for a while, again and again, and nothing large leaves in between.
        let mut path = Path::new();
        for _ in 0..100 {
            let gone = (0..40).flat_map(|_| [(SMALL, false), (full, false)]);
            assert!(!path.report(gone.chain([(SMALL, true); 3])));
            for _ in 0..20 {
                assert!(!path.report([(SMALL, true)]));
            }
        }
    }

    #[test]
    fn one_burst_says_nothing_of_size() {
        let mut path = Path::new();
        let full = PacketSize::Full.max_body() as u32;
        assert!(!path.report([(full, false); 100].into_iter().chain([(SMALL, true); 3])));
        for _ in 0..200 {
            assert!(!path.report([(SMALL, true)]));
        }
        assert!(!path.report([(full, false); 100].into_iter().chain([(SMALL, true); 3])));
    }
}
