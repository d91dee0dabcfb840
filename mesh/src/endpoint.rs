//! QUIC endpoints: one for each shared address, each on one gated socket.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

use quinn::congestion::CubicConfig;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    ClientConfig, ConnectionId, Endpoint, EndpointConfig, Runtime, ServerConfig, TokioRuntime,
    TransportConfig, VarInt,
};
use sightline_mesh_proto::tag::Tag;
use socket2::{Domain, Protocol, Socket, Type};

use crate::socket::{GatedSocket, SharedGate};
use crate::tls::{Tls, TlsError};

/// 3000 ms: a connection from which nothing comes for this long is closed, so that a killed member is noticed
/// within five.
const IDLE_TIMEOUT: u32 = 3000;

/// 750 ms: a sign of life when nothing else is sent; three may be lost.
const KEEP_ALIVE: Duration = Duration::from_millis(750);

/// 48 KiB: half a second of 720p. What is older is dropped rather than sent late.
const DATAGRAM_SEND_BUFFER: usize = 48 * 1024;

/// 256 KiB: what may wait while the loop is busy.
const DATAGRAM_RECV_BUFFER: usize = 256 * 1024;

/// 64 KiB: a first key frame leaves without waiting for acknowledgements.
const INITIAL_WINDOW: u64 = 64 * 1024;

/// 100 ms: what a round trip is taken for until it is measured; a lost first packet is sent again after three.
const INITIAL_RTT: Duration = Duration::from_millis(100);

/// 1 MiB: the operating system's buffers, so that a burst of key frames is not lost on the way in.
const SOCKET_BUFFER: usize = 1024 * 1024;

/// What is needed to make and accept connections.
#[derive(Clone)]
pub struct Endpoints {
    endpoints: Vec<(SocketAddr, Endpoint)>,
    crypto: Arc<QuicClientConfig>,
    transport: Arc<TransportConfig>,
}

/// An address could not be used, or encryption not be set up.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EndpointError {
    /// The operating system refused the address.
    #[error("The address {0} cannot be used: {1}.")]
    Bind(SocketAddr, io::Error),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// TLS lacks what QUIC needs.
    #[error("encryption could not be set up for QUIC")]
    Crypto,
}

impl Endpoints {
    /// Binds every address (port 0 picks a free one).
    pub fn bind(addresses: &[SocketAddr], tls: &Tls, gate: &SharedGate) -> Result<Self, EndpointError> {
        let transport = Arc::new(transport_config());
        let crypto =
            QuicServerConfig::try_from(Arc::clone(&tls.server)).map_err(|_| EndpointError::Crypto)?;
        let mut server = ServerConfig::with_crypto(Arc::new(crypto));
        server.migration(false).transport_config(Arc::clone(&transport));
        let endpoints = addresses
            .iter()
            .map(|address| {
                bind(*address, server.clone(), gate).map_err(|error| EndpointError::Bind(*address, error))
            })
            .collect::<Result<_, _>>()?;
        let crypto =
            QuicClientConfig::try_from(Arc::clone(&tls.client)).map_err(|_| EndpointError::Crypto)?;
        Ok(Self {
            endpoints,
            crypto: Arc::new(crypto),
            transport,
        })
    }

    /// The addresses, with their real ports.
    pub fn local(&self) -> Vec<SocketAddr> {
        self.endpoints.iter().map(|(local, _)| *local).collect()
    }

    pub fn iter(&self) -> impl Iterator<Item = &(SocketAddr, Endpoint)> {
        self.endpoints.iter()
    }

    /// Dials; the first packet's destination connection id is `tag`. `None` when no local address can reach
    /// `remote`: another family, or one of the two on this machine only.
    pub fn dial(&self, remote: SocketAddr, tag: Tag) -> Option<(SocketAddr, quinn::Connecting)> {
        let fits = |local: &IpAddr| {
            local.is_ipv4() == remote.is_ipv4() && local.is_loopback() == remote.ip().is_loopback()
        };
        let (local, endpoint) = self.endpoints.iter().find(|(local, _)| fits(&local.ip()))?;
        let mut config = ClientConfig::new(Arc::clone(&self.crypto) as _);
        config
            .transport_config(Arc::clone(&self.transport))
            .initial_dst_cid_provider(Arc::new(move || ConnectionId::new(&tag)));
        // An address as server name: TLS then sends none.
        let name = remote.ip().to_string();
        Some((*local, endpoint.connect_with(config, remote, &name).ok()?))
    }

    /// Closes every connection and waits until the peers know, at most 200 ms.
    pub async fn close(&self) {
        for (_, endpoint) in &self.endpoints {
            endpoint.close(VarInt::from_u32(0), b"");
        }
        for (_, endpoint) in &self.endpoints {
            let _late = tokio::time::timeout(Duration::from_millis(200), endpoint.wait_idle()).await;
        }
    }
}

fn bind(address: SocketAddr, server: ServerConfig, gate: &SharedGate) -> io::Result<(SocketAddr, Endpoint)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // The operating system may give less; a smaller buffer only loses more under bursts.
    let _smaller = socket.set_recv_buffer_size(SOCKET_BUFFER);
    let _smaller = socket.set_send_buffer_size(SOCKET_BUFFER);
    socket.bind(&address.into())?;
    let socket = TokioRuntime.wrap_udp_socket(UdpSocket::from(socket))?;
    let gated = GatedSocket::new(socket, gate.clone())?;
    let endpoint = Endpoint::new_with_abstract_socket(
        EndpointConfig::default(),
        Some(server),
        Arc::new(gated),
        Arc::new(TokioRuntime),
    )?;
    Ok((endpoint.local_addr()?, endpoint))
}

fn transport_config() -> TransportConfig {
    let mut congestion = CubicConfig::default();
    congestion.initial_window(INITIAL_WINDOW);
    let mut config = TransportConfig::default();
    config
        .max_idle_timeout(Some(VarInt::from_u32(IDLE_TIMEOUT).into()))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .initial_rtt(INITIAL_RTT)
        .max_concurrent_bidi_streams(VarInt::from_u32(2))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(256 * 1024))
        .receive_window(VarInt::from_u32(512 * 1024))
        .datagram_receive_buffer_size(Some(DATAGRAM_RECV_BUFFER))
        .datagram_send_buffer_size(DATAGRAM_SEND_BUFFER)
        .congestion_controller_factory(Arc::new(congestion))
        // Packets are sized for 1200 bytes; larger probes would only be more to see from outside.
        .mtu_discovery_config(None)
        .allow_spin(false);
    config
}
