//! The one UDP port of all sessions.

use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use str0m::net::Transmit;
use tokio::net::UdpSocket;

/// Kernel buffers. A burst of keyframes of several visits must fit.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Datagrams are not larger than an Ethernet frame; a longer one is cut and then refused.
const DATAGRAM_BYTES_MAX: usize = 2_048;
/// How long a full send buffer is waited for. After that the rest of what was to be sent is
/// dropped: the kernel does not tell sound from picture, but it empties within microseconds.
const SEND_WAIT: Duration = Duration::from_millis(5);

/// Binds the port.
pub(crate) fn bind(address: SocketAddr) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    // The kernel may grant less (net.core.rmem_max): then it is as much as there is.
    socket.set_recv_buffer_size(BUFFER_BYTES)?;
    socket.set_send_buffer_size(BUFFER_BYTES)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    let granted = socket.recv_buffer_size()?;
    if granted < BUFFER_BYTES {
        tracing::info!(granted, wanted = BUFFER_BYTES, "receive buffer is smaller than wanted");
    }
    Ok(socket.into())
}

/// The port on the forwarding thread's reactor.
#[derive(Debug)]
pub(crate) struct UdpPort {
    socket: UdpSocket,
    is_v6: bool,
    buffer: Box<[u8; DATAGRAM_BYTES_MAX]>,
}

impl UdpPort {
    pub(crate) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let is_v6 = socket.local_addr()?.is_ipv6();
        let socket = UdpSocket::from_std(socket)?;
        Ok(Self { socket, is_v6, buffer: Box::new([0; DATAGRAM_BYTES_MAX]) })
    }

    pub(crate) async fn readable(&self) {
        if let Err(error) = self.socket.readable().await {
            tracing::warn!(%error, "the media port");
        }
    }

    /// The next datagram, if one is there. Addresses are in their canonical family.
    pub(crate) fn receive(&mut self) -> Option<(SocketAddr, &[u8])> {
        let (length, source) = self.socket.try_recv_from(self.buffer.as_mut_slice()).ok()?;
        crate::metrics::received(length);
        let source = SocketAddr::new(source.ip().to_canonical(), source.port());
        Some((source, self.buffer.get(..length)?))
    }

    /// Sends in order.
    pub(crate) async fn send(&self, transmits: Vec<Transmit>) {
        for transmit in transmits {
            let to = self.reachable(transmit.destination);
            let sent = match self.socket.try_send_to(&transmit.contents, to) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    let late = self.socket.send_to(&transmit.contents, to);
                    let late = tokio::time::timeout(SEND_WAIT, late).await;
                    late.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
                }
                sent => sent,
            };
            match sent {
                Ok(length) => crate::metrics::sent(length),
                Err(_) => crate::metrics::dropped("socket"),
            }
        }
    }

    /// A socket of IPv6 reaches IPv4 by mapped addresses (RFC 4291 §2.5.5.2).
    fn reachable(&self, to: SocketAddr) -> SocketAddr {
        match to.ip() {
            IpAddr::V4(ip) if self.is_v6 => SocketAddr::new(ip.to_ipv6_mapped().into(), to.port()),
            IpAddr::V4(_) | IpAddr::V6(_) => to,
        }
    }
}
