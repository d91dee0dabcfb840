//! How long packets wait on their way: what each took beyond the shortest that one of its size took lately.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::sent_packets::Acked;

/// 10 s: how long one minimum is gathered. Three are kept, so that clocks that drift apart by 200 ppm put the
/// measure out by 8 ms at most.
const SPAN: Duration = Duration::from_secs(10);
const SPANS: usize = 3;

/// Sizes that take about equally long to pass a slow link, bytes: on 300 kbit/s a full packet needs 32 ms, a packet of
/// sound 6.
const SIZES: [u32; 3] = [260, 420, 720];

/// The shortest time on the path lately.
#[derive(Debug, Default)]
struct Shortest(VecDeque<(Instant, i64)>);

impl Shortest {
    fn handle(&mut self, micros: i64, now: Instant) {
        // A class that was not used for long knows nothing of the path any more.
        self.0.retain(|(since, _)| now < *since + SPAN * SPANS as u32);
        match self.0.back_mut() {
            Some((since, least)) if now < *since + SPAN => *least = micros.min(*least),
            _ => {
                if self.0.len() >= SPANS {
                    self.0.pop_front();
                }
                self.0.push_back((now, micros));
            }
        }
    }

    fn get(&self) -> Option<i64> {
        self.0.iter().map(|(_, least)| *least).min()
    }
}

/// The waiting time on one path.
#[derive(Debug)]
pub struct QueueDelay {
    epoch: Instant,
    by_size: [Shortest; SIZES.len() + 1],
    /// Of markers: they may leave by themselves, or with what they go along with.
    of_markers: Shortest,
}

impl QueueDelay {
    pub fn new(epoch: Instant) -> Self {
        Self {
            epoch,
            by_size: Default::default(),
            of_markers: Shortest::default(),
        }
    }

    /// Takes a packet's times; the two clocks need not agree. Returns how long it waited.
    pub fn handle(&mut self, packet: &Acked, now: Instant) -> Duration {
        let sent = packet.sent.saturating_duration_since(self.epoch);
        let took = packet.arrived - sent.as_micros() as i64;
        let class = SIZES.iter().take_while(|limit| packet.size > **limit).count();
        let shortest = if packet.is_marker {
            &mut self.of_markers
        } else {
            &mut self.by_size[class]
        };
        shortest.handle(took, now);
        let wait = took - shortest.get().unwrap_or(took);
        Duration::from_micros(wait.max(0).cast_unsigned())
    }

    /// The path takes longer by so much: it is no queue, or not ours.
    pub fn lengthen(&mut self, by: Duration, now: Instant) {
        for shortest in self.by_size.iter_mut().chain([&mut self.of_markers]) {
            if let Some(least) = shortest.get() {
                shortest.0.clear();
                shortest.0.push_back((now, least + by.as_micros() as i64));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    /// How long such a packet waited.
    fn waited(queue: &mut QueueDelay, sent: Instant, arrived: i64, size: u32, now: Instant) -> Duration {
        let packet = Acked {
            sent,
            arrived,
            size,
            probe: None,
            is_marker: false,
        };
        queue.handle(&packet, now)
    }

    #[test]
    fn only_what_is_beyond_the_shortest_of_a_size_is_waiting() {
        let epoch = Instant::now();
        let mut queue = QueueDelay::new(epoch);
        let at = |ms: u32| epoch + MS * ms;
        // The receiver's clock is 7 s behind.
        let arrived = |ms: i64| ms * 1000 - 7_000_000;
        assert_eq!(waited(&mut queue, at(0), arrived(30), 200, at(0)), Duration::ZERO);
        assert_eq!(waited(&mut queue, at(20), arrived(90), 200, at(20)), 40 * MS);
        assert_eq!(
            waited(&mut queue, at(40), arrived(100), 1200, at(40)),
            Duration::ZERO,
            "a large one by itself"
        );
        assert_eq!(waited(&mut queue, at(60), arrived(130), 1200, at(60)), 10 * MS);
        queue.lengthen(25 * MS, at(60));
        assert_eq!(waited(&mut queue, at(80), arrived(140), 200, at(80)), 5 * MS);
    }

    #[test]
    fn clocks_that_drift_apart_are_no_queue() {
        let epoch = Instant::now();
        let mut queue = QueueDelay::new(epoch);
        let most = (0..36_000u32).map(|n| {
            let now = epoch + 100 * MS * n;
            waited(
                &mut queue,
                now,
                (f64::from(n) * 100_000.0 * 1.0002) as i64,
                200,
                now,
            )
        });
        assert!(most.max() < Some(8 * MS));
    }
}
