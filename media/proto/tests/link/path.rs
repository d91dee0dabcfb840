//! A way through a network, in steps of a millisecond: a bottleneck with a buffer and a capacity that changes, a delay,
//! and losses by chance; beside it, if wanted, a download that takes what it gets.

use std::collections::VecDeque;

/// What passes the bottleneck.
#[derive(Clone, Debug)]
pub enum Passing<T> {
    Ours(T),
    Download,
}

/// Capacity, or the largest packet, over time: bits a second, or bytes, from each second that is named on.
#[derive(Clone, Debug)]
pub struct Trace(pub Vec<(f64, f64)>);

impl Trace {
    pub fn constant(bits: f64) -> Self {
        Self(vec![(0.0, bits)])
    }

    /// A mobile network: every 200 ms the capacity wanders, 0.4 to 2.5 Mbit/s, and now and then halves for a second.
    pub fn like_3g(seed: u64, seconds: u32) -> Self {
        let mut random = Random(seed);
        let (mut bits, mut fade): (f64, u32) = (1_200_000.0, 0);
        Self::walk(seconds * 5, 0.2, || {
            bits = (bits * (1.0 + 0.3 * (random.next() - 0.5))).clamp(400_000.0, 2_500_000.0);
            fade = if random.next() < 0.02 {
                5
            } else {
                fade.saturating_sub(1)
            };
            if fade > 0 { bits / 2.0 } else { bits }
        })
    }

    /// A busy wireless network: 1 to 12 Mbit/s, another value every 50 ms, and nothing at all for 50 ms now and then.
    pub fn like_wifi(seed: u64, seconds: u32) -> Self {
        let mut random = Random(seed);
        Self::walk(seconds * 20, 0.05, || {
            let bits = 1_000_000.0 + 11_000_000.0 * random.next();
            if random.next() < 0.01 { 0.0 } else { bits }
        })
    }

    fn walk(steps: u32, length: f64, mut next: impl FnMut() -> f64) -> Self {
        Self(
            (0..steps)
                .map(|step| (f64::from(step) * length, next()))
                .collect(),
        )
    }

    pub fn at(&self, second: f64) -> f64 {
        let after = self.0.partition_point(|(from, _)| *from <= second);
        self.0[after.max(1) - 1].1
    }
}

/// How the way is.
#[derive(Clone, Debug)]
pub struct Weather {
    pub capacity: Trace,
    /// What the bottleneck holds, bytes.
    pub buffer: u32,
    /// One way, ms.
    pub delay: u64,
    /// What is added by chance, ms.
    pub jitter: u64,
    pub loss: f64,
    /// From when to when nothing at all passes, ms, and again every so often.
    pub outage: Option<(u64, u64)>,
    /// The largest packet that passes, bytes.
    pub mtu: Trace,
}

impl Weather {
    /// A steady link: `millis` of buffer, a round trip of `round_trip` ms.
    pub fn steady(bits: f64, millis: f64, round_trip: u64) -> Self {
        Self {
            capacity: Trace::constant(bits),
            buffer: (bits / 8.0 * millis / 1000.0).max(4000.0) as u32,
            delay: round_trip / 2,
            jitter: 0,
            loss: 0.0,
            outage: None,
            mtu: Trace::constant(1500.0),
        }
    }
}

/// The way there.
#[derive(Debug)]
pub struct Path<T> {
    pub weather: Weather,
    queue: VecDeque<(Passing<T>, u32)>,
    queued: u32,
    credit: f64,
    on_the_way: Vec<(u64, u64, Passing<T>)>,
    serial: u64,
    pub random: Random,
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

const FULL: u32 = 1228;

impl<T> Path<T> {
    pub fn new(weather: Weather, seed: u64) -> Self {
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

    pub fn start_download(&mut self) {
        self.download = Some(Download {
            window: 4.0,
            in_flight: 0.0,
            slow_start: true,
        });
    }

    pub fn stop_download(&mut self) {
        self.download = None;
    }

    /// How long what stands in the buffer takes to pass, ms.
    pub fn queue_millis(&self, ms: u64) -> f64 {
        let bits = self.weather.capacity.at(ms as f64 / 1000.0);
        f64::from(self.queued) * 8.0 / bits.max(1000.0) * 1000.0
    }

    pub fn send(&mut self, item: T, size: u32) {
        self.enqueue(Passing::Ours(item), size);
    }

    fn enqueue(&mut self, item: Passing<T>, size: u32) -> bool {
        let is_lost = self.random.next() < self.weather.loss;
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
        let is_out = self
            .weather
            .outage
            .is_some_and(|(every, length)| ms % every >= every - length);
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
                continue;
            }
            if matches!(item, Passing::Ours(_)) {
                self.passed += u64::from(size);
            }
            let jitter = (self.random.next() * self.weather.jitter as f64) as u64;
            self.serial += 1;
            self.on_the_way
                .push((ms + self.weather.delay + jitter, self.serial, item));
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

/// SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Clone, Debug)]
pub struct Random(pub u64);

impl Random {
    /// From 0 to 1.
    pub fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let value = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((value ^ (value >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }
}
