//! The gated socket: the last place before the operating system. What the gate refuses does not pass, and
//! everything is counted.

use std::fmt;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, UdpPoller};
use sightline_mesh_proto::gate::Gate;

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
    inner: Arc<dyn AsyncUdpSocket>,
    local: SocketAddr,
    gate: SharedGate,
}

impl GatedSocket {
    pub fn new(inner: Arc<dyn AsyncUdpSocket>, gate: SharedGate) -> io::Result<Self> {
        Ok(Self {
            local: inner.local_addr()?,
            inner,
            gate,
        })
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

#[allow(clippy::disallowed_methods, reason = "the socket's clock")]
impl AsyncUdpSocket for GatedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.inner).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        let now = Instant::now();
        let remote = transmit.destination;
        if self.gate.lock().is_open_to(remote, now) {
            // Counted below only once it left: what would block is sent again.
            self.inner.try_send(transmit)?;
        }
        let segment = transmit.segment_size.unwrap_or(transmit.contents.len()).max(1);
        let mut gate = self.gate.lock();
        for datagram in transmit.contents.chunks(segment) {
            gate.handle_outgoing(self.local, remote, datagram.len(), now);
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
        loop {
            let count = match self.inner.poll_recv(cx, bufs, meta) {
                Poll::Ready(Ok(count)) => count,
                other => return other,
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
        self.inner.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.inner.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.inner.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.inner.may_fragment()
    }
}
