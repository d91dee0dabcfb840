//! What a participant brings to a call.

use std::net::{IpAddr, SocketAddr};

use libp2p_identity::Keypair;

use crate::interface::Interface;
use crate::name::Name;
use crate::route::Rule;
use crate::time::Clock;

/// Who decides about somebody who knocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Admit {
    /// The person, each time.
    #[default]
    Ask,
    /// Whoever has an open code is let in.
    Code,
}

/// What a participant brings.
pub struct Config {
    /// The identity for this call: an Ed25519 key pair, made fresh.
    pub identity: Keypair,
    /// Shown to the others.
    pub name: Name,
    /// Where this participant can be reached: sockets are open there. Goes into codes and to the other members.
    pub addresses: Vec<SocketAddr>,
    /// Where it could be as well, once this machine's interfaces let it: no socket is open there yet.
    pub awaited: Vec<SocketAddr>,
    /// The network interfaces that are up and may be used.
    pub interfaces: Vec<Interface>,
    /// Every address of this machine, on whatever interface, up or not.
    pub own: Vec<IpAddr>,
    /// Where media may go unasked.
    pub rule: Rule,
    /// Whether the others are told over what this participant is connected.
    pub tell_medium: bool,
    /// Who decides about knocks.
    pub admit: Admit,
    /// The program's own clock.
    pub clock: Clock,
}
