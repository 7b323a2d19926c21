//! Everything the forwarding thread reads from and writes to: the UDP port, connections, and the
//! TURN server in the same process.

use super::tcp::TcpPort;
use super::turn::UnitEnd;
use super::udp::UdpPort;
use super::way::Way;
use std::io;
use std::net::UdpSocket;
use std::time::Instant;
use str0m::net::{Protocol, Transmit};

/// One UDP port, all connections with media, and what clients of TURN send and get.
#[derive(Debug)]
pub(crate) struct Ports {
    udp: UdpPort,
    tcp: TcpPort,
    turn: UnitEnd,
}

impl Ports {
    /// To be called on the thread that uses them.
    pub(crate) fn new(udp: UdpSocket, tcp: TcpPort, turn: UnitEnd) -> io::Result<Self> {
        Ok(Self { udp: UdpPort::new(udp)?, tcp, turn })
    }

    /// Waits until something has come.
    pub(crate) async fn readable(&mut self) {
        tokio::select! {
            () = self.udp.readable() => {}
            () = self.tcp.readable() => {}
            () = self.turn.readable() => {}
        }
    }

    /// Takes what has come, with when it did, `now` at the latest. Answers whether there may be more.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        mut take: impl FnMut(Way, &[u8], Instant),
    ) -> bool {
        self.turn.receive(|source, bytes| take(Way::udp(source), bytes, now));
        let more = self.udp.receive(now, |source, bytes, at| take(Way::udp(source), bytes, at));
        self.tcp.receive(|source, bytes| take(source, bytes, now)) || more
    }

    /// Sends all; what is of one stream and goes one way goes in order. Connections never make it wait.
    pub(crate) async fn send(&mut self, mut transmits: Vec<Transmit>) {
        let by_tcp = |transmit: &mut Transmit| transmit.proto != Protocol::Udp;
        for transmit in transmits.extract_if(.., by_tcp) {
            self.tcp.send(&transmit);
        }
        self.turn.send(&mut transmits);
        self.udp.send(transmits).await;
    }
}
