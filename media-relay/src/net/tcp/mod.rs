//! Media by TCP for pages that no UDP packet reaches (ICE-TCP, RFC 6544): connections are carried
//! by tasks, the forwarding thread gets their packets and queues what goes out.

mod connection;
pub(crate) mod framing;

use super::places::Places;
use super::way::Way;
use crate::metrics::Traffic;
use connection::{Outbox, carry};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use str0m::net::Transmit;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// Connections at once: three of each session that a relay usually has. One more is closed.
const CONNECTIONS_MAX: usize = 2_048;
/// Of one address: a hospital behind one NAT fits, one machine cannot take all.
const CONNECTIONS_PER_IP_MAX: usize = 256;
/// What connections bring and the thread has not taken yet. When full they wait, and so their
/// pages.
const INBOX_MAX: usize = 1_024;
/// Messages of connections that the thread takes in one go.
const READINGS: usize = 64;

/// What a connection tells the forwarding thread. One connection's are in order.
#[derive(Debug)]
enum FromTcp {
    Opened {
        peer: SocketAddr,
        number: u64,
        outbox: Outbox,
    },
    /// Whole packets behind their lengths.
    Packets {
        peer: SocketAddr,
        bytes: Vec<u8>,
    },
    Closed {
        peer: SocketAddr,
        number: u64,
    },
}

/// Where connections are handed in. Clones share it.
#[derive(Debug, Clone)]
pub struct IceTcp {
    to_thread: mpsc::Sender<FromTcp>,
    next: Arc<AtomicU64>,
    places: Places,
}

impl IceTcp {
    /// Carries a connection until either side ends it; `first` was read from it already. Refused
    /// when there are too many. Who knows no password of a session is closed after ten seconds.
    pub async fn serve(
        &self,
        first: Vec<u8>,
        stream: TcpStream,
        peer: SocketAddr,
    ) -> io::Result<()> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        let Some(_place) = self.places.enter(peer.ip()) else {
            crate::metrics::dropped("tcp_connections");
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        carry(first, stream, peer, number, &self.to_thread).await
    }

    /// Accepts for ever at a port of its own.
    pub(crate) async fn accept(self, listener: TcpListener) {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Out of descriptors, most probably: wait until some are given back.
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            };
            let carried = self.clone();
            tokio::spawn(async move {
                if let Err(error) = carried.serve(Vec::new(), stream, peer).await {
                    tracing::debug!(%error, "a connection with media ended");
                }
            });
        }
    }
}

/// Both ends between the connections and the forwarding thread.
pub(crate) fn ice_tcp() -> (IceTcp, TcpPort) {
    let (to_thread, inbox) = mpsc::channel(INBOX_MAX);
    let places = Places::new(CONNECTIONS_MAX, CONNECTIONS_PER_IP_MAX);
    let next = Arc::default();
    let (open, traffic) = (HashMap::new(), Traffic::new());
    let port = TcpPort { inbox, next: None, open, traffic };
    (IceTcp { to_thread, next, places }, port)
}

/// All connections, as the forwarding thread has them.
#[derive(Debug)]
pub(crate) struct TcpPort {
    inbox: mpsc::Receiver<FromTcp>,
    next: Option<FromTcp>,
    open: HashMap<SocketAddr, (u64, Outbox)>,
    traffic: Traffic,
}

impl TcpPort {
    /// Waits until a connection has brought something.
    pub(crate) async fn readable(&mut self) {
        if self.next.is_none() {
            self.next = self.inbox.recv().await;
        }
        if self.next.is_none() {
            // Nobody can hand in a connection any more.
            std::future::pending().await
        }
    }

    /// Takes what connections have brought. Answers whether there may be more.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(Way, &[u8])) -> bool {
        for _ in 0..READINGS {
            let Some(next) = self.next.take().or_else(|| self.inbox.try_recv().ok()) else {
                return false;
            };
            self.hear(next, &mut take);
        }
        true
    }

    fn hear(&mut self, said: FromTcp, take: &mut impl FnMut(Way, &[u8])) {
        match said {
            FromTcp::Opened { peer, number, outbox } => {
                self.open.insert(peer, (number, outbox));
                crate::metrics::tcp_connections(self.open.len());
            }
            FromTcp::Packets { peer, bytes } => {
                let (mut count, mut length) = (0, 0);
                for packet in framing::packets(&bytes) {
                    (count, length) = (count + 1, length + packet.len());
                    take(Way::tcp(peer), packet);
                }
                self.traffic.received(count, length);
            }
            FromTcp::Closed { peer, number } => {
                // A later connection may have the same address: through another door.
                if self.open.get(&peer).is_some_and(|(open, _)| *open == number) {
                    self.open.remove(&peer);
                }
                crate::metrics::tcp_connections(self.open.len());
            }
        }
    }

    /// Queues a packet, or drops it.
    pub(crate) fn send(&self, transmit: &Transmit) {
        match self.open.get(&transmit.destination) {
            None => crate::metrics::dropped("tcp_closed"),
            Some((_, outbox)) if outbox.push(&transmit.contents) => {
                self.traffic.sent(1, transmit.contents.len());
            }
            Some(_) => crate::metrics::dropped("tcp_full"),
        }
    }
}
