//! What becomes of packets by chance, whatever else is on the way: loss, also in bursts, duplication, delay, reordering.

use std::time::Duration;

use crate::Random;

/// 25 ms: what is lost of a stream is missed so long after a round trip (RFC 9002, section 6.2).
const MISSED: Duration = Duration::from_millis(25);

/// A time in which nothing passes, again and again.
#[derive(Clone, Copy, Debug)]
pub struct Outage {
    /// From one's end to the next one's.
    pub every: Duration,
    /// How long it is; no longer than that.
    pub lasts: Duration,
}

/// One way from here to there.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// The share of packets that is lost.
    pub loss: f64,
    /// When all of them are.
    pub outage: Option<Outage>,
    /// The share that arrives twice.
    pub duplication: f64,
    /// The shortest time that a packet takes.
    pub delay: Duration,
    /// What is added at random; more than the time between two packets reorders them.
    pub jitter: Duration,
}

impl Hop {
    /// A way that takes `delay`, and on which nothing goes wrong.
    #[must_use]
    pub const fn fair(delay: Duration) -> Self {
        Self {
            loss: 0.0,
            outage: None,
            duplication: 0.0,
            delay,
            jitter: Duration::ZERO,
        }
    }

    /// Whether a packet is lost by chance.
    #[must_use]
    pub fn loses(&self, random: &mut Random) -> bool {
        random.next() < self.loss
    }

    /// Whether a packet arrives twice.
    #[must_use]
    pub fn duplicates(&self, random: &mut Random) -> bool {
        self.duplication > 0.0 && random.next() < self.duplication
    }

    /// Whether nothing passes at this time.
    #[must_use]
    pub fn is_out(&self, at: Duration) -> bool {
        self.outage.is_some_and(|outage| {
            let since = at.as_nanos() % outage.every.as_nanos();
            since >= (outage.every - outage.lasts).as_nanos()
        })
    }

    /// How long a packet takes that is not lost.
    #[must_use]
    pub fn latency(&self, random: &mut Random) -> Duration {
        self.delay + self.jitter.mul_f64(random.next())
    }

    /// How long each copy takes of a packet that leaves at this time; none of one that is lost.
    #[must_use]
    pub fn packet(&self, at: Duration, random: &mut Random) -> Vec<Duration> {
        let copies = 1 + usize::from(self.duplicates(random));
        let mut arrive = Vec::with_capacity(copies);
        for _ in 0..copies {
            if !self.loses(random) && !self.is_out(at) {
                arrive.push(self.latency(random));
            }
        }
        arrive
    }

    /// How long a part of a stream takes, which is sent again until it arrives.
    #[must_use]
    pub fn part(&self, at: Duration, random: &mut Random) -> Duration {
        let mut waited = Duration::ZERO;
        while self.loses(random) || self.is_out(at + waited) {
            waited += 2 * self.delay + MISSED;
        }
        waited + self.latency(random)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn all(hop: &Hop) -> (usize, Vec<Duration>) {
        let mut random = Random(7);
        let packets = (0..10_000).map(|n| hop.packet(n * MS, &mut random));
        let packets: Vec<_> = packets.collect();
        let lost = packets.iter().filter(|copies| copies.is_empty()).count();
        (lost, packets.into_iter().flatten().collect())
    }

    #[test]
    fn packets_are_lost_doubled_and_late_as_often_as_is_said() {
        let fair = Hop::fair(20 * MS);
        assert_eq!(all(&fair), (0, vec![20 * MS; 10_000]));
        let (lost, _) = all(&Hop { loss: 0.1, ..fair });
        assert!((900..1100).contains(&lost), "{lost}");
        let (lost, arrived) = all(&Hop {
            duplication: 0.1,
            jitter: 10 * MS,
            ..fair
        });
        assert!(
            lost == 0 && (10_900..11_100).contains(&arrived.len()),
            "{}",
            arrived.len()
        );
        assert!(arrived.iter().all(|took| (20 * MS..30 * MS).contains(took)));
        let mean = arrived.iter().sum::<Duration>() / arrived.len() as u32;
        assert!((24 * MS..26 * MS).contains(&mean), "{mean:?}");
        let outage = Some(Outage {
            every: 1000 * MS,
            lasts: 200 * MS,
        });
        let (lost, _) = all(&Hop { outage, ..fair });
        assert_eq!(lost, 2000);
    }

    #[test]
    fn a_part_of_a_stream_comes_late_but_comes() {
        let hop = Hop {
            loss: 0.5,
            ..Hop::fair(10 * MS)
        };
        let mut random = Random(3);
        let took: Vec<_> = (0..1000).map(|n| hop.part(n * MS, &mut random)).collect();
        let again = took.iter().filter(|took| **took >= 55 * MS).count();
        assert!((400..600).contains(&again), "{again}");
        assert!(took.iter().all(|took| (took.as_millis() - 10).is_multiple_of(45)));
    }
}
