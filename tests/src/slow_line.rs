//! A slow line between two programs on this machine: each packet takes its time, and the next ones wait behind it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// IPv4's and UDP's headers, bytes.
const HEADERS: usize = 28;

/// 50 ms: how soon an end of the line notices that it is over.
const POLL: Duration = Duration::from_millis(50);

/// When what the caller sends is lost.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    /// Once so many of its packets have passed.
    pub after: usize,
    /// For so long; `None`: for good.
    pub lasts: Option<Duration>,
}

impl Stop {
    fn is_over(&self, since: Instant) -> bool {
        self.lasts.is_some_and(|lasts| since.elapsed() >= lasts)
    }
}

/// The line, for as long as it is kept.
pub struct SlowLine {
    address: SocketAddr,
    is_cut: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
    ends: Vec<JoinHandle<()>>,
}

impl SlowLine {
    /// A line to `there` of so many bytes a second each way.
    #[must_use]
    pub fn to(there: SocketAddr, rate: u32, stop: Option<Stop>) -> Self {
        let [near, far] = [(); 2].map(|()| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
            socket.set_read_timeout(Some(POLL)).expect("a socket");
            socket
        });
        let address = near.local_addr().expect("bound");
        let [is_cut, is_over] = [(); 2].map(|()| Arc::new(AtomicBool::new(false)));
        let caller = Arc::new(Mutex::new(None));
        let out = End {
            from: near.try_clone().expect("a socket"),
            to: far.try_clone().expect("a socket"),
            rate,
            is_over: Arc::clone(&is_over),
        };
        let back = End {
            from: far,
            to: near,
            rate,
            is_over: Arc::clone(&is_over),
        };
        let who = Arc::clone(&caller);
        let cut = Arc::clone(&is_cut);
        let ends = vec![
            std::thread::spawn(move || {
                let (mut came, mut stopped) = (0, None);
                out.pass(|from| {
                    *who.lock().expect("no panic") = Some(from);
                    came += 1;
                    let stop = stop.filter(|stop| came > stop.after);
                    let passes =
                        stop.is_none_or(|stop| stop.is_over(*stopped.get_or_insert_with(Instant::now)));
                    (passes && !cut.load(Ordering::Relaxed)).then_some(there)
                });
            }),
            std::thread::spawn(move || back.pass(|_| *caller.lock().expect("no panic"))),
        ];
        Self {
            address,
            is_cut,
            is_over,
            ends,
        }
    }

    /// From now on all that the caller sends is lost.
    pub fn cut(&self) {
        self.is_cut.store(true, Ordering::Relaxed);
    }

    /// Where the line begins.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for SlowLine {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        for end in self.ends.drain(..) {
            // What it would say is said by the test.
            let _panicked = end.join();
        }
    }
}

/// One way of the line. What waits is in the socket's buffer.
struct End {
    from: UdpSocket,
    to: UdpSocket,
    rate: u32,
    is_over: Arc<AtomicBool>,
}

impl End {
    fn pass(&self, mut to_whom: impl FnMut(SocketAddr) -> Option<SocketAddr>) {
        let mut packet = [0; 2048];
        while !self.is_over.load(Ordering::Relaxed) {
            let Ok((len, from)) = self.from.recv_from(&mut packet) else {
                continue;
            };
            std::thread::sleep(Duration::from_secs((len + HEADERS) as u64) / self.rate);
            if let Some(to) = to_whom(from) {
                // Where nobody listens a packet is lost.
                let _lost = self.to.send_to(&packet[..len], to);
            }
        }
    }
}
