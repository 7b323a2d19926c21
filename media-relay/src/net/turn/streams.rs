//! Clients that come by TCP or TLS: accepted and cut into frames here, relayed by the TURN thread.
//!
//! Towards the thread a full queue makes the connection wait, and so its client (TCP's own flow
//! control). Towards the client nothing waits: what does not fit is dropped, like on a thin link.

use super::wake::Wake;
use crate::net::places::Places;
use crate::turn::{Framing, frame_len};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

/// Connections at once; one more is closed at once.
const CONNECTIONS_MAX: usize = 4_096;
/// Of one address: a hospital behind one NAT fits, one machine cannot take all.
const CONNECTIONS_PER_IP_MAX: usize = 256;
/// A TLS handshake, and then the first frame, come within this time.
const BEGIN_WITHIN: Duration = Duration::from_secs(10);
/// A client with an allocation says something every few minutes (permissions last five).
const IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// A client that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Messages that wait for one client. When full, data is dropped and an answer closes.
const ANSWERS_MAX: usize = 256;
/// The same in bytes: half a second at a megabit a second; older sound is of no use.
pub(super) const ANSWERS_BYTES_MAX: usize = 64 * 1024;
/// Read from a connection at once.
const READ_BYTES: usize = 8 * 1024;
/// Messages written to a connection at once.
const WRITE_BATCH: usize = 32;

/// What the TURN thread is told, by connections and by its owner. One connection's are in order.
#[derive(Debug)]
pub(super) enum FromStream {
    Opened {
        connection: u64,
        answers: Answers,
    },
    /// Whole frames, one behind the other.
    Frames {
        connection: u64,
        address: SocketAddr,
        bytes: Vec<u8>,
    },
    Closed {
        connection: u64,
        address: SocketAddr,
    },
    /// Nobody new is taken once this is answered.
    Drain(oneshot::Sender<()>),
    Stop,
}

/// The way back to a client. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Answers {
    queue: mpsc::Sender<Vec<u8>>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Answers {
    /// Queues a message; `false`: there is no room.
    pub(super) fn push(&self, message: Vec<u8>) -> bool {
        let len = message.len();
        if self.waiting_bytes.load(Ordering::Relaxed) + len > ANSWERS_BYTES_MAX {
            return false;
        }
        self.waiting_bytes.fetch_add(len, Ordering::Relaxed);
        let queued = self.queue.try_send(message).is_ok();
        if !queued {
            self.waiting_bytes.fetch_sub(len, Ordering::Relaxed);
        }
        queued
    }
}

/// What all connections share.
#[derive(Debug)]
pub(super) struct Lobby {
    pub(super) to_thread: mpsc::Sender<FromStream>,
    pub(super) wake: Arc<Wake>,
    next: AtomicU64,
    places: Places,
}

impl Lobby {
    pub(super) fn new(to_thread: mpsc::Sender<FromStream>, wake: Arc<Wake>) -> Self {
        let places = Places::new(CONNECTIONS_MAX, CONNECTIONS_PER_IP_MAX);
        Self { to_thread, wake, next: AtomicU64::new(0), places }
    }

    async fn tell(&self, what: FromStream) -> io::Result<()> {
        self.to_thread.send(what).await.map_err(|_| io::ErrorKind::BrokenPipe)?;
        self.wake.ring();
        Ok(())
    }
}

/// Accepts for ever.
pub(super) async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, lobby: Arc<Lobby>) {
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            // Out of descriptors, most probably: wait until some are given back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let address = super::spelling::canonical(address);
        let Some(place) = lobby.places.enter(address.ip()) else {
            crate::metrics::dropped("turn_connections");
            continue;
        };
        let (tls, lobby) = (tls.clone(), Arc::clone(&lobby));
        tokio::spawn(async move {
            let ended = Box::pin(greet(stream, tls, address, &lobby)).await;
            if let Err(error) = ended {
                tracing::debug!(%error, "a TURN connection ended");
            }
            drop(place);
        });
    }
}

/// Somebody who was let in elsewhere.
pub(super) async fn welcome(
    stream: impl AsyncRead + AsyncWrite,
    address: SocketAddr,
    lobby: &Arc<Lobby>,
) -> io::Result<()> {
    let address = super::spelling::canonical(address);
    let Some(_place) = lobby.places.enter(address.ip()) else {
        crate::metrics::dropped("turn_connections");
        return Err(io::ErrorKind::ConnectionRefused.into());
    };
    serve(stream, address, lobby).await
}

async fn greet(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    address: SocketAddr,
    lobby: &Lobby,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let Some(tls) = tls else { return serve(stream, address, lobby).await };
    let stream = tokio::time::timeout(BEGIN_WITHIN, tls.accept(stream)).await??;
    Box::pin(serve(stream, address, lobby)).await
}

/// Carries one connection until either side ends it.
async fn serve(
    stream: impl AsyncRead + AsyncWrite,
    address: SocketAddr,
    lobby: &Lobby,
) -> io::Result<()> {
    let connection = lobby.next.fetch_add(1, Ordering::Relaxed);
    let (queue, answers) = mpsc::channel(ANSWERS_MAX);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    let way_back = Answers { queue, waiting_bytes: Arc::clone(&waiting_bytes) };
    let (incoming, outgoing) = tokio::io::split(stream);
    lobby.tell(FromStream::Opened { connection, answers: way_back }).await?;
    let ended = tokio::select! {
        ended = read(incoming, connection, address, lobby) => ended,
        ended = write(outgoing, answers, &waiting_bytes) => ended,
    };
    lobby.tell(FromStream::Closed { connection, address }).await?;
    ended
}

async fn read(
    mut incoming: impl AsyncRead + Unpin,
    connection: u64,
    address: SocketAddr,
    lobby: &Lobby,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut deadline = Instant::now() + BEGIN_WITHIN;
    loop {
        bytes.reserve(READ_BYTES);
        let read = tokio::time::timeout_at(deadline, incoming.read_buf(&mut bytes)).await??;
        if read == 0 {
            return Ok(());
        }
        let whole = whole_frames(&bytes)?;
        if whole == 0 {
            // The deadline stands: single bytes keep no connection open.
            continue;
        }
        deadline = Instant::now() + IDLE_MAX;
        let rest = bytes.split_off(whole);
        let frames = std::mem::replace(&mut bytes, rest);
        lobby.tell(FromStream::Frames { connection, address, bytes: frames }).await?;
    }
}

/// The length of the whole frames at the beginning.
fn whole_frames(bytes: &[u8]) -> io::Result<usize> {
    let mut whole = 0;
    loop {
        let rest = bytes.get(whole..).unwrap_or_default();
        match frame_len(rest) {
            Framing::Length(length) if length <= rest.len() => whole += length,
            Framing::Length(_) | Framing::More => return Ok(whole),
            Framing::Broken => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

async fn write(
    mut outgoing: impl AsyncWrite + Unpin,
    mut answers: mpsc::Receiver<Vec<u8>>,
    waiting_bytes: &AtomicUsize,
) -> io::Result<()> {
    let mut some = Vec::with_capacity(WRITE_BATCH);
    let mut joined = Vec::new();
    while answers.recv_many(&mut some, WRITE_BATCH).await > 0 {
        joined.clear();
        for message in some.drain(..) {
            joined.extend_from_slice(&message);
        }
        let written = async {
            outgoing.write_all(&joined).await?;
            outgoing.flush().await
        };
        tokio::time::timeout(WRITE_WITHIN, written).await??;
        waiting_bytes.fetch_sub(joined.len(), Ordering::Relaxed);
    }
    outgoing.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_cut_behind_its_last_whole_frame() {
        let data = [0x40, 0, 0, 1, 7, 0, 0, 0];
        assert_eq!(whole_frames(&[&data[..], &data, &data[..5]].concat()).unwrap(), 16);
        assert_eq!(whole_frames(&data[..3]).unwrap(), 0);
        assert!(whole_frames(b"GET / HTTP/1.1").is_err() || whole_frames(b"GET ").unwrap() == 0);
    }
}
