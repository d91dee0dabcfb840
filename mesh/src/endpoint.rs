//! QUIC endpoints: one for each shared address, each on one gated socket.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    AckFrequencyConfig, ClientConfig, ConnectionId, Endpoint, EndpointConfig, ServerConfig, TokioRuntime,
    TransportConfig, VarInt,
};
use sightline_mesh_proto::interface::Interface;
use sightline_mesh_proto::tag::Tag;
use socket2::{Domain, Protocol, Socket, Type};

use crate::bulk;
use crate::congestion::Unhindered;
use crate::socket::{GatedSocket, SharedGate};
use crate::tls::{Tls, TlsError};

/// 15,000 ms: in a handshake over a slow line what is sent again and again waits behind itself. The loop closes a connection
/// that stands, and from which nothing comes, much earlier.
const IDLE_TIMEOUT: u32 = 15_000;

/// 750 ms: a sign of life when nothing else is sent; three may be lost.
const KEEP_ALIVE: Duration = Duration::from_millis(750);

/// 48 KiB: half a second of 720p. What is older is dropped rather than sent late.
const DATAGRAM_SEND_BUFFER: usize = 48 * 1024;

/// 256 KiB: what may wait while the loop is busy.
const DATAGRAM_RECV_BUFFER: usize = 256 * 1024;

/// 333 ms: what a round trip is taken for until it is measured (RFC 9002, section 6.2.2); a first packet is sent again after
/// three. With less, a slow line gets several copies of each before the first answer can be there.
const INITIAL_RTT: Duration = Duration::from_millis(333);

/// 1 MiB: the operating system's buffers, so that a burst of key frames is not lost on the way in.
const SOCKET_BUFFER: usize = 1024 * 1024;

/// An acknowledgement is sent at once only after this many packets; otherwise with the next outgoing packet, or after 25 ms.
/// With QUIC's default each picture would be answered by a datagram of its own.
const ACK_EVERY: VarInt = VarInt::from_u32(10);

/// Why a connection is closed, as the other side is told (RFC 9000, section 20.2): all is said; or nothing came any more.
pub const CLOSE_NORMAL: VarInt = VarInt::from_u32(0);
pub const CLOSE_LOST: VarInt = VarInt::from_u32(1);

/// The sockets, and what is needed to make and accept connections on them.
#[derive(Clone)]
pub struct Endpoints {
    bound: Arc<Mutex<BTreeMap<SocketAddr, Bound>>>,
    gate: SharedGate,
    is_pinned: bool,
    server: ServerConfig,
    crypto: Arc<QuicClientConfig>,
    transport: Arc<TransportConfig>,
}

#[derive(Clone)]
struct Bound {
    endpoint: Endpoint,
    socket: Arc<GatedSocket>,
    /// The number of the interface that the socket is bound to.
    interface: Option<u32>,
}

/// An address could not be used, or encryption not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// Another socket has the port.
    #[error(
        "Port {} on {} is in use by another program. Give another port, or none: then a free one is picked.",
        .0.port(),
        .0.ip()
    )]
    Taken(SocketAddr),
    /// The port is for programs of the system.
    #[error(
        "Port {} on {} is reserved for the system's own programs. Give one from 1024 on, or none: then a free one is \
         picked.",
        .0.port(),
        .0.ip()
    )]
    Reserved(SocketAddr),
    /// The address is not there.
    #[error("The address {0} cannot be used: it is not there, or not yet. Try again in a few seconds.")]
    Absent(IpAddr),
    /// The operating system refused the address.
    #[error("The address {0} cannot be used: {1}.")]
    Bind(SocketAddr, String),
    /// The address is on none of the interfaces that may be used.
    #[error("The address {0} is on none of the network interfaces that may be used.")]
    NotAllowed(SocketAddr),
    /// A socket there could not be kept to the address's interface.
    #[error(
        "The address {0} cannot be used: its network interface {1} cannot be made the only one that is used for it ({2}), \
         and nothing may leave by another."
    )]
    NotPinned(IpAddr, String, String),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS lacks what QUIC needs.
    #[error("encryption could not be set up for QUIC")]
    Crypto,
}

impl Endpoints {
    /// No sockets yet. Each will be bound to its address's interface where the system lets programs do that; with
    /// `is_pinned` it must.
    pub fn new(tls: &Tls, gate: &SharedGate, is_pinned: bool) -> Result<Self, EndpointError> {
        let transport = Arc::new(transport_config());
        let crypto =
            QuicServerConfig::try_from(Arc::clone(&tls.server)).map_err(|_| EndpointError::Crypto)?;
        let mut server = ServerConfig::with_crypto(Arc::new(crypto));
        server.migration(false).transport_config(Arc::clone(&transport));
        let crypto =
            QuicClientConfig::try_from(Arc::clone(&tls.client)).map_err(|_| EndpointError::Crypto)?;
        Ok(Self {
            bound: Arc::default(),
            gate: gate.clone(),
            is_pinned,
            server,
            crypto: Arc::new(crypto),
            transport,
        })
    }

    /// Opens a socket on an address of one of `interfaces`; port 0 picks one. Returns the address with its real
    /// port, and the endpoint if it is a new one: a socket that is there and still good stays. One on an interface that
    /// was made anew is closed before, so that its port is free.
    pub fn bind(
        &self,
        wish: SocketAddr,
        interfaces: &[Interface],
    ) -> Result<(SocketAddr, Option<Endpoint>), EndpointError> {
        let found = interfaces.iter().find(|interface| interface.has(&wish));
        // Every address of 127.0.0.0/8 is there, though only one is listed, and none leads anywhere else.
        if found.is_none() && (self.is_pinned || !wish.ip().is_loopback()) {
            return Err(EndpointError::NotAllowed(wish));
        }
        let index = found.map(|interface| interface.index);
        let old = self.lock().get(&wish).map(|bound| bound.interface);
        if old == Some(index) {
            return Ok((wish, None));
        }
        self.unbind(wish);
        let io = open(wish, found, self.is_pinned)?;
        let (local, socket, endpoint) = self.endpoint(io).map_err(|error| refusal(wish, &error))?;
        let bound = Bound {
            endpoint: endpoint.clone(),
            socket,
            interface: index,
        };
        self.lock().insert(local, bound);
        Ok((local, Some(endpoint)))
    }

    /// Closes a socket and its connections, whose last words do not leave any more.
    pub fn unbind(&self, local: SocketAddr) {
        if let Some(bound) = self.lock().remove(&local) {
            bound.socket.close();
            bound.endpoint.close(CLOSE_NORMAL, b"");
        }
    }

    fn endpoint(&self, io: UdpSocket) -> io::Result<(SocketAddr, Arc<GatedSocket>, Endpoint)> {
        let gated = GatedSocket::new(tokio::net::UdpSocket::from_std(io)?, self.gate.clone())?;
        let socket = Arc::new(gated);
        let endpoint = Endpoint::new_with_abstract_socket(
            EndpointConfig::default(),
            Some(self.server.clone()),
            Arc::clone(&socket) as _,
            Arc::new(TokioRuntime),
        )?;
        Ok((endpoint.local_addr()?, socket, endpoint))
    }

    /// Dials from `local`; the first packet's destination connection id is `tag`. `None` when there is no socket
    /// or the address cannot be dialled.
    pub fn dial(&self, local: SocketAddr, remote: SocketAddr, tag: Tag) -> Option<quinn::Connecting> {
        let endpoint = self.lock().get(&local)?.endpoint.clone();
        let mut config = ClientConfig::new(Arc::clone(&self.crypto) as _);
        config
            .transport_config(Arc::clone(&self.transport))
            .initial_dst_cid_provider(Arc::new(move || ConnectionId::new(&tag)));
        // An address as server name: TLS then sends none.
        let name = remote.ip().to_string();
        endpoint.connect_with(config, remote, &name).ok()
    }

    /// Closes every connection and waits until the peers know, at most 200 ms.
    pub async fn close(&self) {
        let bound: Vec<_> = self.lock().values().cloned().collect();
        for Bound { endpoint, .. } in &bound {
            endpoint.close(CLOSE_NORMAL, b"");
        }
        for Bound { endpoint, .. } in &bound {
            let _late = tokio::time::timeout(Duration::from_millis(200), endpoint.wait_idle()).await;
        }
    }

    /// What the sockets are behind.
    pub const fn gate(&self) -> &SharedGate {
        &self.gate
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Bound>> {
        self.bound.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why the operating system refused an address, in words for the user.
fn refusal(wish: SocketAddr, error: &io::Error) -> EndpointError {
    match error.kind() {
        ErrorKind::AddrInUse => EndpointError::Taken(wish),
        ErrorKind::AddrNotAvailable => EndpointError::Absent(wish.ip()),
        ErrorKind::PermissionDenied if (1..1024).contains(&wish.port()) => EndpointError::Reserved(wish),
        _ => EndpointError::Bind(wish, in_words(error)),
    }
}

/// What the operating system says, without its number, which says nothing to a user.
fn in_words(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

/// A UDP socket on `address`, and on its interface alone: when that goes away nothing leaves by another. With
/// `must_keep` it is an error as well if the system does not let programs do that.
fn open(
    address: SocketAddr,
    interface: Option<&Interface>,
    must_keep: bool,
) -> Result<UdpSocket, EndpointError> {
    let refused = |error: io::Error| refusal(address, &error);
    let socket =
        Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP)).map_err(refused)?;
    if address.is_ipv6() {
        socket.set_only_v6(true).map_err(refused)?;
    }
    if let Some(interface) = interface
        && let Err(error) = pin_to(&socket, interface.index, address)
        && !may_go_unpinned(&error, must_keep)
    {
        let name = interface.name.clone();
        return Err(EndpointError::NotPinned(address.ip(), name, in_words(&error)));
    }
    // The operating system may give less; a smaller buffer only loses more under bursts.
    let _smaller = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _smaller = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.set_nonblocking(true).map_err(refused)?;
    socket.bind(&address.into()).map_err(refused)?;
    Ok(UdpSocket::from(socket))
}

/// `ENOPROTOOPT`, for which the standard library has no kind: this system has no such option.
const NO_SUCH_OPTION: i32 = if cfg!(any(target_os = "linux", target_os = "android")) {
    92
} else {
    42
};

/// Whether the system lets no program keep to an interface, or none without privileges (Linux before 5.7), and nobody
/// asked for that: the operating system then picks the interface for the address.
fn may_go_unpinned(error: &io::Error, must_keep: bool) -> bool {
    let is_not_for_us = matches!(error.kind(), ErrorKind::Unsupported | ErrorKind::PermissionDenied);
    !must_keep && (is_not_for_us || error.raw_os_error() == Some(NO_SUCH_OPTION))
}

/// Linux: `SO_BINDTOIFINDEX`, which needs no privilege since 5.7. macOS: `IP_BOUND_IF` and `IPV6_BOUND_IF`. By number, so
/// that whatever names and labels are made of it, it is the interface that has the address.
#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn pin_to(socket: &Socket, index: u32, address: SocketAddr) -> io::Result<()> {
    // With none the socket would be free to use any.
    let index = std::num::NonZeroU32::new(index).ok_or_else(|| {
        io::Error::new(
            ErrorKind::NotFound,
            "the operating system does not say which one it is",
        )
    })?;
    if address.is_ipv6() {
        socket.bind_device_by_index_v6(Some(index))
    } else {
        socket.bind_device_by_index_v4(Some(index))
    }
}

/// Elsewhere nothing is promised that cannot be kept.
#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn pin_to(_: &Socket, _: u32, _: SocketAddr) -> io::Result<()> {
    Err(io::Error::new(
        ErrorKind::Unsupported,
        "this system does not let a program keep to one network interface",
    ))
}

fn transport_config() -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(ACK_EVERY);
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(Some(VarInt::from_u32(IDLE_TIMEOUT).into()))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_rtt(INITIAL_RTT)
        .max_concurrent_bidi_streams(VarInt::from_u32(2))
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .stream_receive_window(VarInt::from_u32(bulk::STREAM_WINDOW))
        // More once media may flow.
        .receive_window(VarInt::from_u32(512 * 1024))
        .datagram_receive_buffer_size(Some(DATAGRAM_RECV_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_SEND_BUFFER)
        .congestion_controller_factory(Arc::new(Unhindered))
        .ack_frequency_config(Some(acks))
        // Packets are sized for 1200 bytes; larger probes would only be more to see from outside.
        .mtu_discovery_config(None)
        .allow_spin(false);
    config
}

#[cfg(test)]
mod tests {
    use sightline_mesh_proto::interface::Medium;

    use super::*;

    #[test]
    fn an_address_that_cannot_be_used_is_told_in_words() {
        let wish = SocketAddr::from(([192, 168, 1, 5], 443));
        for (kind, words) in [
            (
                ErrorKind::AddrInUse,
                "Port 443 on 192.168.1.5 is in use by another program",
            ),
            (ErrorKind::AddrNotAvailable, "192.168.1.5 cannot be used"),
            (ErrorKind::PermissionDenied, "Port 443 on 192.168.1.5 is reserved"),
        ] {
            let told = refusal(wish, &kind.into()).to_string();
            assert!(told.contains(words), "{told}");
        }
        let odd = refusal(wish, &io::Error::from_raw_os_error(22)).to_string();
        assert!(!odd.contains("os error"), "{odd}");
    }

    #[test]
    fn only_where_no_program_can_and_nobody_asked_a_socket_is_not_kept_to_its_interface() {
        for kind in [ErrorKind::Unsupported, ErrorKind::PermissionDenied] {
            assert!(may_go_unpinned(&kind.into(), false), "{kind}");
            assert!(!may_go_unpinned(&kind.into(), true), "{kind}");
        }
        let no_such_option = io::Error::from_raw_os_error(NO_SUCH_OPTION);
        assert!(may_go_unpinned(&no_such_option, false));
        assert!(!may_go_unpinned(&no_such_option, true));
        for error in [ErrorKind::NotFound, ErrorKind::Other, ErrorKind::InvalidInput] {
            assert!(!may_go_unpinned(&error.into(), false), "{error}");
        }
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn an_address_whose_interface_has_no_number_is_refused_in_words() {
        let interface = Interface {
            name: "eth0".into(),
            address: [127, 0, 0, 1].into(),
            medium: Medium::Cable,
            index: 0,
        };
        let wish = SocketAddr::from((interface.address, 0));
        let refused = open(wish, Some(&interface), false).expect_err("it is not kept");
        let told = refused.to_string();
        assert!(
            told.contains("127.0.0.1") && told.contains("eth0") && !told.contains("os error"),
            "{told}"
        );
    }
}
