//! Everything the forwarding thread reads from and writes to: the UDP port, and connections.

use super::tcp::TcpPort;
use super::udp::UdpPort;
use super::way::Way;
use std::io;
use str0m::net::{Protocol, Transmit};

/// One UDP port and all connections with media.
#[derive(Debug)]
pub(crate) struct Ports {
    udp: UdpPort,
    tcp: TcpPort,
}

impl Ports {
    /// To be called on the thread that uses them.
    pub(crate) fn new(udp: std::net::UdpSocket, tcp: TcpPort) -> io::Result<Self> {
        Ok(Self { udp: UdpPort::new(udp)?, tcp })
    }

    /// Waits until something has come.
    pub(crate) async fn readable(&mut self) {
        tokio::select! {
            () = self.udp.readable() => {}
            () = self.tcp.readable() => {}
        }
    }

    /// Takes what has come. Answers whether there may be more.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(Way, &[u8])) -> bool {
        let more = self.udp.receive(|source, bytes| take(Way::udp(source), bytes));
        self.tcp.receive(take) || more
    }

    /// Sends all; what goes one way goes in order. Connections never make it wait.
    pub(crate) async fn send(&mut self, mut transmits: Vec<Transmit>) {
        let by_tcp = |transmit: &mut Transmit| transmit.proto != Protocol::Udp;
        for transmit in transmits.extract_if(.., by_tcp) {
            self.tcp.send(&transmit);
        }
        self.udp.send(transmits).await;
    }
}
