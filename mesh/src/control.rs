//! The swarm's one behaviour of ours: on each connection the dialler opens one control stream, and both sides
//! are told of it together with the connection's serial.
//!
//! `libp2p-stream` would name only the peer of a stream, not the connection, picks one at random when there are
//! two, dials by itself when there is none, and drops streams that arrive together.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::identity::PeerId;
use libp2p::swarm::handler::{ConnectionEvent, FullyNegotiatedInbound, FullyNegotiatedOutbound};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm, NetworkBehaviour,
    SubstreamProtocol, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, Stream, StreamProtocol};

use crate::transport::serial;

const PROTOCOL: StreamProtocol = StreamProtocol::new("/sightline/1");

/// A control stream stands.
#[derive(Debug)]
pub struct Opened {
    pub serial: u64,
    pub stream: Stream,
}

/// The behaviour.
#[derive(Default)]
pub struct Behaviour {
    opened: VecDeque<Opened>,
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Opened;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Handler::new(remote, false)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Handler::new(remote, true)
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, opened: THandlerOutEvent<Self>) {
        self.opened.push_back(opened);
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Opened, THandlerInEvent<Self>>> {
        match self.opened.pop_front() {
            Some(opened) => Poll::Ready(ToSwarm::GenerateEvent(opened)),
            None => Poll::Pending,
        }
    }
}

/// One connection's part.
pub struct Handler {
    serial: u64,
    to_open: bool,
    /// Each connection has one control stream: further ones are dropped.
    has_stream: bool,
    opened: Option<Stream>,
}

impl Handler {
    fn new(remote: &Multiaddr, to_open: bool) -> Result<Self, ConnectionDenied> {
        let serial =
            serial(remote).ok_or_else(|| ConnectionDenied::new("not an address of this transport"))?;
        Ok(Self {
            serial,
            to_open,
            has_stream: false,
            opened: None,
        })
    }
}

impl ConnectionHandler for Handler {
    type FromBehaviour = Infallible;
    type ToBehaviour = Opened;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ())
    }

    /// How long a connection lives is the call's decision.
    fn connection_keep_alive(&self) -> bool {
        true
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Opened>> {
        if std::mem::take(&mut self.to_open) {
            let protocol = SubstreamProtocol::new(ReadyUpgrade::new(PROTOCOL), ());
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        match self.opened.take() {
            Some(stream) => {
                let opened = Opened {
                    serial: self.serial,
                    stream,
                };
                Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(opened))
            }
            None => Poll::Pending,
        }
    }

    fn on_behaviour_event(&mut self, event: Infallible) {
        match event {}
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        let stream = match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound { protocol, .. })
            | ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound { protocol, .. }) => protocol,
            // A stream that cannot be opened leaves the handshake overdue, which closes the connection.
            _ => return,
        };
        if !std::mem::replace(&mut self.has_stream, true) {
            self.opened = Some(stream);
        }
    }
}
