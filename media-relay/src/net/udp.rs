//! The one UDP port of all sessions: many datagrams a system call, in and out.

use super::burst::{RUN_BYTES_MAX, gather, runs};
use crate::metrics::Traffic;
use quinn_udp::{RecvMeta, UdpSocketState};
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, IoSliceMut};
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use str0m::net::Transmit;
use tokio::io::Interest;
use tokio::net::UdpSocket;

/// Kernel buffers. A burst of keyframes of several visits must fit.
const BUFFER_BYTES: usize = 4 * 1024 * 1024;
/// Datagrams are not larger than an Ethernet frame; a longer one is dropped.
const DATAGRAM_BYTES_MAX: usize = 2_048;
/// Messages taken in one call. Each may hold a run of datagrams that the kernel put together.
const MESSAGES: usize = 16;
/// Room for the longest run.
const MESSAGE_BYTES: usize = 64 * 1024;
/// The kernel stamps datagrams with the wall clock. One that seems to have waited longer than this
/// came while that clock was set.
const WAITED_MAX: Duration = Duration::from_millis(100);
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
    state: UdpSocketState,
    is_v6: bool,
    inbox: Vec<u8>,
    /// A run of datagrams, one after the other.
    run: Vec<u8>,
    traffic: Traffic,
    /// Calls to the kernel that sent something.
    calls: u64,
}

impl UdpPort {
    pub(crate) fn new(socket: std::net::UdpSocket) -> io::Result<Self> {
        let is_v6 = socket.local_addr()?.is_ipv6();
        let state = UdpSocketState::new((&socket).into())?;
        let socket = UdpSocket::from_std(socket)?;
        let inbox = vec![0; MESSAGES * MESSAGE_BYTES];
        let run = Vec::with_capacity(RUN_BYTES_MAX);
        Ok(Self { socket, state, is_v6, inbox, run, traffic: Traffic::new(), calls: 0 })
    }

    pub(crate) async fn readable(&self) {
        if let Err(error) = self.socket.readable().await {
            tracing::warn!(%error, "the media port");
        }
    }

    /// Takes what one call to the kernel gives, with addresses in their canonical family and the
    /// time of arrival, `now` at the latest. Answers whether there may be more.
    pub(crate) fn receive(
        &mut self,
        now: Instant,
        mut take: impl FnMut(SocketAddr, &[u8], Instant),
    ) -> bool {
        let mut room = self.inbox.chunks_exact_mut(MESSAGE_BYTES);
        let mut buffers: [IoSliceMut<'_>; MESSAGES] =
            std::array::from_fn(|_| IoSliceMut::new(room.next().unwrap_or_default()));
        let mut metas = [RecvMeta::default(); MESSAGES];
        // Whether or not the reactor knows of it: while media flows nobody asks the reactor.
        let Ok(count) = self.state.recv((&self.socket).into(), &mut buffers, &mut metas) else {
            // Now it has to be asked.
            let _ = self.socket.try_io(Interest::READABLE, || -> io::Result<()> {
                Err(io::ErrorKind::WouldBlock.into())
            });
            return false;
        };
        let (mut packets, mut bytes) = (0, 0);
        let (wall, behind) = (crate::clock::since_1970(), now.elapsed());
        for (meta, buffer) in metas.iter().zip(&buffers).take(count) {
            let source = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
            let run = buffer.get(..meta.len).unwrap_or_default();
            let waited = meta.timestamp.map(|at| wall.saturating_sub(at).saturating_sub(behind));
            let waited = waited.unwrap_or_default().min(WAITED_MAX);
            let at = now.checked_sub(waited).unwrap_or(now);
            for datagram in run.chunks(meta.stride.max(1)) {
                packets += 1;
                bytes += datagram.len();
                if datagram.len() <= DATAGRAM_BYTES_MAX {
                    take(source, datagram, at);
                } else {
                    crate::metrics::dropped("too_large");
                }
            }
        }
        self.traffic.received(packets, bytes);
        count == MESSAGES
    }

    /// Sends all; what is of one stream goes in order.
    pub(crate) async fn send(&mut self, mut transmits: Vec<Transmit>) {
        gather(&mut transmits);
        for run in runs(&transmits, self.state.max_gso_segments()) {
            self.send_run(&transmits[run]).await;
        }
    }

    async fn send_run(&mut self, run: &[Transmit]) {
        if let [first, _, ..] = run {
            let to = self.reachable(first.destination);
            let mut joined = std::mem::take(&mut self.run);
            joined.clear();
            run.iter().for_each(|transmit| joined.extend_from_slice(&transmit.contents));
            let sent = self.put(to, &joined, Some(first.contents.len())).await;
            let bytes = joined.len();
            self.run = joined;
            match sent {
                Ok(()) => return self.traffic.sent(run.len(), bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return crate::metrics::dropped_many("socket", run.len());
                }
                // The way there knows no runs: each for itself.
                Err(error) => tracing::debug!(%error, "a run was refused"),
            }
        }
        for transmit in run {
            let to = self.reachable(transmit.destination);
            match self.put(to, &transmit.contents, None).await {
                Ok(()) => self.traffic.sent(1, transmit.contents.len()),
                Err(_) => crate::metrics::dropped("socket"),
            }
        }
    }

    async fn put(
        &mut self,
        to: SocketAddr,
        bytes: &[u8],
        segment: Option<usize>,
    ) -> io::Result<()> {
        let transmit = quinn_udp::Transmit {
            destination: to,
            ecn: None,
            contents: bytes,
            segment_size: segment,
            src_ip: None,
        };
        let put = || self.state.try_send((&self.socket).into(), &transmit);
        self.calls += 1;
        match self.socket.try_io(Interest::WRITABLE, put) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let late = self.socket.async_io(Interest::WRITABLE, put);
                let late = tokio::time::timeout(SEND_WAIT, late).await;
                late.unwrap_or_else(|_| Err(io::ErrorKind::WouldBlock.into()))
            }
            sent => sent,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn port(address: &str) -> UdpPort {
        let socket = bind(address.parse().expect("an address")).expect("a free port");
        UdpPort::new(socket).expect("a port")
    }

    fn burst(to: SocketAddr, sizes: &[usize]) -> Vec<Transmit> {
        let numbered = sizes.iter().zip(0u8..);
        let datagram = |(size, number): (&usize, u8)| Transmit {
            proto: str0m::net::Protocol::Udp,
            source: to,
            destination: to,
            contents: vec![number; *size].into(),
        };
        numbered.map(datagram).collect()
    }

    async fn arrived(port: &mut UdpPort, count: usize) -> Vec<(usize, u8)> {
        let mut seen = Vec::new();
        while seen.len() < count {
            tokio::time::timeout(Duration::from_secs(5), port.readable()).await.expect("in time");
            while port.receive(Instant::now(), |_, bytes, _| seen.push((bytes.len(), bytes[0]))) {}
        }
        seen
    }

    #[tokio::test]
    async fn a_burst_to_one_receiver_leaves_in_fewer_calls_than_packets_and_arrives_in_order() {
        let (mut from, mut to) = (port("127.0.0.1:0"), port("127.0.0.1:0"));
        let sizes = [60, 1_100, 1_100, 1_100, 1_100, 1_100, 1_100, 400, 1_050, 1_050];
        let there = to.socket.local_addr().expect("bound");
        from.send(burst(there, &sizes)).await;
        let numbered: Vec<_> = sizes.into_iter().zip(0u8..).collect();
        assert_eq!(arrived(&mut to, sizes.len()).await, numbered);
        let offload = from.state.max_gso_segments() > 1;
        assert_eq!(from.calls, if offload { 3 } else { 10 });
    }

    #[tokio::test]
    async fn a_port_of_ipv6_reaches_ipv4_and_names_it_so() {
        let (mut from, mut to) = (port("[::]:0"), port("127.0.0.1:0"));
        from.send(burst(to.socket.local_addr().expect("bound"), &[900, 900])).await;
        assert_eq!(arrived(&mut to, 2).await, [(900, 0), (900, 1)]);
        let back = ([127, 0, 0, 1], from.socket.local_addr().expect("bound").port()).into();
        to.send(burst(back, &[10])).await;
        let mut sources = Vec::new();
        from.readable().await;
        from.receive(Instant::now(), |source, _, _| sources.push(source));
        assert_eq!(sources, [to.socket.local_addr().expect("bound")]);
    }

    #[tokio::test]
    async fn a_datagram_that_is_too_large_is_dropped_and_the_next_is_taken() {
        let (mut from, mut to) = (port("127.0.0.1:0"), port("127.0.0.1:0"));
        from.send(burst(to.socket.local_addr().expect("bound"), &[3_000, 100])).await;
        assert_eq!(arrived(&mut to, 1).await, [(100, 1)]);
    }
}
