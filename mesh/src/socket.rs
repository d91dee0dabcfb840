//! The gated socket: the last place before the operating system. What the gate refuses does not pass, and
//! everything is counted.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use quinn::udp::{RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use quinn::{AsyncUdpSocket, UdpPoller};
use sightline_mesh_proto::gate::{Delivery, Gate, Obstacle};
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// The gate, shared by the sockets and the loop that tells it what to let pass.
#[derive(Clone, Debug)]
pub struct SharedGate(Arc<Mutex<Gate>>);

impl SharedGate {
    pub fn new(gate: Gate) -> Self {
        Self(Arc::new(Mutex::new(gate)))
    }

    /// The gate; a panic elsewhere does not open or close it.
    pub fn lock(&self) -> MutexGuard<'_, Gate> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A UDP socket behind the gate.
pub struct GatedSocket {
    /// `None` once it is closed.
    io: Mutex<Option<Arc<UdpSocket>>>,
    state: UdpSocketState,
    local: SocketAddr,
    gate: SharedGate,
}

impl GatedSocket {
    /// Must be made within the runtime, of a socket that does not block.
    pub fn new(io: UdpSocket, gate: SharedGate) -> io::Result<Self> {
        Ok(Self {
            local: io.local_addr()?,
            state: UdpSocketState::new(UdpSockRef::from(&io))?,
            io: Mutex::new(Some(Arc::new(io))),
            gate,
        })
    }

    /// Gives the port back to the operating system at once, whoever still holds this. Nothing leaves or comes any more.
    pub fn close(&self) {
        self.lock().take();
    }

    /// The operating system's socket, to be held no longer than for one call of it: it is closed with the last of these.
    fn io(&self) -> Option<Arc<UdpSocket>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<UdpSocket>>> {
        self.io.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps of a received batch only the datagrams that may pass, moved together. Returns their bytes.
    fn filter(&self, buffer: &mut [u8], meta: &RecvMeta, now: Instant) -> usize {
        let mut gate = self.gate.lock();
        let stride = meta.stride.max(1);
        let (mut read, mut kept) = (0, 0);
        while read < meta.len {
            let end = (read + stride).min(meta.len);
            let passes = buffer
                .get(read..end)
                .is_some_and(|datagram| gate.handle_incoming(self.local, meta.addr, datagram, now));
            if passes {
                buffer.copy_within(read..end, kept);
                kept += end - read;
            }
            read = end;
        }
        kept
    }
}

impl fmt::Debug for GatedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GatedSocket")
    }
}

/// `EMSGSIZE`, for which the standard library has no kind: the network takes only smaller datagrams.
const TOO_LARGE: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
    90
} else if cfg!(windows) {
    10_040
} else {
    40
};

/// Why the operating system does not take a datagram. On Linux a firewall's rule about what leaves says `EPERM`.
fn obstacle(error: &io::Error) -> Obstacle {
    match error.kind() {
        io::ErrorKind::PermissionDenied => Obstacle::Forbidden,
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkDown => {
            Obstacle::NoRoute
        }
        _ if error.raw_os_error() == Some(TOO_LARGE) => Obstacle::TooLarge,
        _ => Obstacle::Other,
    }
}

/// Waits until the socket takes another datagram.
struct Writable {
    socket: Arc<GatedSocket>,
    waiting: Option<Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>>,
}

impl fmt::Debug for Writable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writable")
    }
}

impl UdpPoller for Writable {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(io) = self.socket.io() else {
            // What is sent now is refused.
            return Poll::Ready(Ok(()));
        };
        let waiting = self
            .waiting
            .get_or_insert_with(|| Box::pin(async move { io.writable().await }));
        let ready = std::task::ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(ready)
    }
}

#[allow(clippy::disallowed_methods, reason = "the socket's clock")]
impl AsyncUdpSocket for GatedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Writable {
            socket: self,
            waiting: None,
        })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let now = Instant::now();
        let pair = (self.local, transmit.destination);
        let mut delivery = Delivery::Refused;
        let is_open = self.gate.lock().is_open(pair, now);
        if let Some(io) = self.io().filter(|_| is_open) {
            let send = || self.state.try_send(UdpSockRef::from(&*io), transmit);
            match io.try_io(Interest::WRITABLE, send) {
                Ok(()) => delivery = Delivery::Sent,
                // What would block is sent again, and counted then.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(error),
                Err(error) => delivery = Delivery::Failed(obstacle(&error)),
            }
        }
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        let mut gate = self.gate.lock();
        for datagram in transmit.contents.chunks(segment) {
            gate.handle_sent(pair, datagram.len(), delivery, now);
        }
        // A refused datagram is gone like one that the network lost: QUIC must not learn more.
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        bufs: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let Some(io) = self.io() else {
            // Nothing comes any more. QUIC's endpoint ends with its connections.
            return Poll::Pending;
        };
        // Tokio's budget ends the loop now and then, however fast strangers send.
        loop {
            std::task::ready!(io.poll_recv_ready(cx))?;
            let receive = || self.state.recv(UdpSockRef::from(&*io), bufs, meta);
            // Not ready after all, or an earlier datagram was bounced: neither concerns QUIC.
            let Ok(count) = io.try_io(Interest::READABLE, receive) else {
                continue;
            };
            let now = Instant::now();
            let mut passed = 0;
            for (buffer, meta) in bufs.iter_mut().zip(meta.iter_mut()).take(count) {
                meta.len = self.filter(buffer, meta, now);
                passed += meta.len;
            }
            if passed > 0 {
                return Poll::Ready(Ok(count));
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.local)
    }

    fn max_transmit_segments(&self) -> usize {
        self.state.max_gso_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.state.gro_segments()
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

#[cfg(test)]
mod tests;
