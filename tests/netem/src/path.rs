//! One direction of a path.

use std::collections::VecDeque;
use std::time::Duration;

use crate::{Hop, Random, Trace};

/// What passes the bottleneck.
#[derive(Clone, Debug)]
enum Passing<T> {
    Ours(T),
    Download,
}

/// How a path is.
#[derive(Clone, Debug)]
pub struct Weather {
    /// What the bottleneck passes, bits a second.
    pub capacity: Trace,
    /// What the bottleneck holds, bytes.
    pub buffer: u32,
    /// What happens by chance beside.
    pub hop: Hop,
    /// The largest packet that passes, bytes.
    pub mtu: Trace,
}

impl Weather {
    /// A steady link: `millis` of buffer, a round trip of `round_trip` ms.
    #[must_use]
    pub fn steady(bits: f64, millis: f64, round_trip: u64) -> Self {
        Self {
            capacity: Trace::constant(bits),
            buffer: (bits / 8.0 * millis / 1000.0).max(4000.0) as u32,
            hop: Hop::fair(Duration::from_millis(round_trip / 2)),
            mtu: Trace::constant(1500.0),
        }
    }
}

/// One direction of a path, in steps of a millisecond: a bottleneck with a buffer and a capacity that changes, a delay, and
/// losses by chance; beside what is sent, if wanted, a download that takes what it gets.
#[derive(Debug)]
pub struct Path<T> {
    /// How it is; may be changed at any time.
    pub weather: Weather,
    queue: VecDeque<(Passing<T>, u32)>,
    queued: u32,
    credit: f64,
    on_the_way: Vec<(u64, u64, Passing<T>)>,
    serial: u64,
    random: Random,
    /// Bytes of ours that passed.
    pub passed: u64,
    download: Option<Download>,
}

/// TCP Reno, as far as it matters here.
#[derive(Debug)]
struct Download {
    window: f64,
    in_flight: f64,
    slow_start: bool,
}

impl Download {
    fn handle_lost(&mut self) {
        self.in_flight -= 1.0;
        self.window = (self.window / 2.0).max(2.0);
        self.slow_start = false;
    }
}

/// A packet of a download, bytes.
const FULL: u32 = 1228;

impl<T> Path<T> {
    /// A path on which nothing is sent yet. All chance in it follows from `seed`.
    #[must_use]
    pub const fn new(weather: Weather, seed: u64) -> Self {
        Self {
            weather,
            queue: VecDeque::new(),
            queued: 0,
            credit: 0.0,
            on_the_way: Vec::new(),
            serial: 0,
            random: Random(seed),
            passed: 0,
            download: None,
        }
    }

    /// Somebody downloads something over the same bottleneck.
    pub const fn start_download(&mut self) {
        self.download = Some(Download {
            window: 4.0,
            in_flight: 0.0,
            slow_start: true,
        });
    }

    /// The download ends.
    pub const fn stop_download(&mut self) {
        self.download = None;
    }

    /// How long what stands in the buffer takes to pass, ms.
    #[must_use]
    pub fn queue_millis(&self, ms: u64) -> f64 {
        let bits = self.weather.capacity.at(ms as f64 / 1000.0);
        f64::from(self.queued) * 8.0 / bits.max(1000.0) * 1000.0
    }

    /// Sends a packet of `size` bytes.
    pub fn send(&mut self, item: T, size: u32)
    where
        T: Clone,
    {
        if self.weather.hop.duplicates(&mut self.random) {
            self.enqueue(Passing::Ours(item.clone()), size);
        }
        self.enqueue(Passing::Ours(item), size);
    }

    fn enqueue(&mut self, item: Passing<T>, size: u32) -> bool {
        let is_lost = self.weather.hop.loses(&mut self.random);
        let is_full = self.queued + size > self.weather.buffer;
        if is_lost || is_full {
            return false;
        }
        self.queued += size;
        self.queue.push_back((item, size));
        true
    }

    /// A millisecond passes. Returns what arrives.
    pub fn step(&mut self, ms: u64) -> Vec<T> {
        self.feed_download();
        let is_out = self.weather.hop.is_out(Duration::from_millis(ms));
        self.credit += self.weather.capacity.at(ms as f64 / 1000.0) / 1000.0;
        while let Some((_, size)) = self.queue.front() {
            let bits = f64::from(*size) * 8.0;
            if self.credit < bits {
                break;
            }
            self.credit -= bits;
            let Some((item, size)) = self.queue.pop_front() else {
                break;
            };
            self.queued -= size;
            if is_out || f64::from(size) > self.weather.mtu.at(ms as f64 / 1000.0) {
                if let (Passing::Download, Some(download)) = (&item, &mut self.download) {
                    download.handle_lost();
                }
                continue;
            }
            if matches!(item, Passing::Ours(_)) {
                self.passed += u64::from(size);
            }
            let latency = self.weather.hop.latency(&mut self.random);
            self.serial += 1;
            self.on_the_way
                .push((ms + latency.as_millis() as u64, self.serial, item));
        }
        if self.queue.is_empty() {
            self.credit = self.credit.min(0.0);
        }
        let mut arrived = Vec::new();
        let mut at = 0;
        while at < self.on_the_way.len() {
            if self.on_the_way[at].0 <= ms {
                let (_, serial, item) = self.on_the_way.remove(at);
                arrived.push((serial, item));
            } else {
                at += 1;
            }
        }
        let ours = arrived.into_iter().filter_map(|(_, item)| match item {
            Passing::Ours(item) => Some(item),
            Passing::Download => {
                if let Some(download) = &mut self.download {
                    download.in_flight -= 1.0;
                    download.window += if download.slow_start {
                        1.0
                    } else {
                        1.0 / download.window
                    };
                }
                None
            }
        });
        ours.collect()
    }

    fn feed_download(&mut self) {
        let Some(mut download) = self.download.take() else {
            return;
        };
        while download.in_flight < download.window {
            if self.enqueue(Passing::Download, FULL) {
                download.in_flight += 1.0;
            } else {
                download.window = (download.window / 2.0).max(2.0);
                download.slow_start = false;
                break;
            }
        }
        self.download = Some(download);
    }
}
