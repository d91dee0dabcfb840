//! This machine's network interfaces, as far as routes depend on them.

use std::net::{IpAddr, SocketAddr};

use minicbor::{Decode, Encode};

use crate::address;

/// Over what an interface reaches the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(index_only)]
pub enum Medium {
    /// This machine only.
    #[n(0)]
    Loopback,
    /// A cable, or what looks like one.
    #[n(1)]
    Cable,
    /// Wi-Fi.
    #[n(2)]
    Wifi,
    /// A mobile network.
    #[n(3)]
    Mobile,
    /// A tunnel.
    #[n(4)]
    Vpn,
}

/// An interface that is up, with one of its addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interface {
    /// The operating system's name for it.
    pub name: String,
    /// One of its addresses.
    pub address: IpAddr,
    /// What it is.
    pub medium: Medium,
    /// The operating system's number for it: another one when it was taken away and made again.
    pub index: u32,
}

impl Interface {
    /// Whether `local` is this address, and on this interface if it says on which.
    #[must_use]
    pub fn has(&self, local: &SocketAddr) -> bool {
        self.address == local.ip() && address::zone(local).is_none_or(|zone| zone == self.index)
    }
}

impl Medium {
    /// A stable word for programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Loopback => "loopback",
            Self::Cable => "cable",
            Self::Wifi => "wifi",
            Self::Mobile => "mobile",
            Self::Vpn => "vpn",
        }
    }
}
