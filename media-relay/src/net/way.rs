//! The other end of packets: an address, and by what it is reached.

use std::net::SocketAddr;
use str0m::net::{Protocol, Transmit};

/// A page may use one port number for UDP and TCP: they are two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Way {
    /// UDP, or TCP with a connection to that address.
    pub(crate) proto: Protocol,
    pub(crate) address: SocketAddr,
}

impl Way {
    pub(crate) fn udp(address: SocketAddr) -> Self {
        Self { proto: Protocol::Udp, address }
    }

    pub(crate) fn tcp(address: SocketAddr) -> Self {
        Self { proto: Protocol::Tcp, address }
    }

    /// Where a packet is to go.
    pub(crate) fn of(transmit: &Transmit) -> Self {
        Self { proto: transmit.proto, address: transmit.destination }
    }
}
