//! A slow line between two programs on this machine: each packet takes its time, and the next ones wait behind it.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// IPv4's and UDP's headers, bytes.
const HEADERS: usize = 28;

/// 50 ms: how soon an end of the line notices that it is over.
const POLL: Duration = Duration::from_millis(50);

/// The line, for as long as it is kept.
pub struct SlowLine {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    ends: Vec<JoinHandle<()>>,
}

impl SlowLine {
    /// A line to `there` of so many bytes a second each way. It dies once so many packets have come back, if a number is
    /// given.
    #[must_use]
    pub fn to(there: SocketAddr, rate: u32, dies_after: Option<usize>) -> Self {
        let [near, far] = [(); 2].map(|()| {
            let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
            socket.set_read_timeout(Some(POLL)).expect("a socket");
            socket
        });
        let address = near.local_addr().expect("bound");
        let is_over = Arc::new(AtomicBool::new(false));
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
        let ends = vec![
            std::thread::spawn(move || {
                out.pass(|from| {
                    *who.lock().expect("no panic") = Some(from);
                    Some(there)
                });
            }),
            std::thread::spawn(move || {
                let mut passed = 0;
                back.pass(|_| {
                    passed += 1;
                    let lives = dies_after.is_none_or(|most| passed <= most);
                    caller.lock().expect("no panic").filter(|_| lives)
                });
            }),
        ];
        Self {
            address,
            is_over,
            ends,
        }
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
