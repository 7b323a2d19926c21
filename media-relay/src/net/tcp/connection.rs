//! One TCP connection that carries media: cut into packets on the way in, queued on the way out.
//!
//! Towards the forwarding thread a full queue makes the connection wait, and so its page (TCP's own
//! flow control). Towards the page nothing waits: what does not fit is dropped, pictures first.

use super::FromTcp;
use super::framing::{framed, packets, whole_packets};
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout, timeout_at};

/// The relay answers only who knows the password of a session (RFC 8445 §7.3). To whom it has said
/// nothing within this time is nobody's page.
const BEGIN_WITHIN: Duration = Duration::from_secs(10);
/// To whom it has had nothing to say for so long is gone (RFC 7675 §5.1).
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// A page that takes nothing for so long is gone.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Packets that wait for one page. When full the next one is dropped.
const WAITING_MAX: usize = 512;
/// The same in bytes: half a second at a megabit a second.
const WAITING_BYTES_MAX: usize = 64 * 1024;
/// Pictures leave the other half to sound, and to what keeps the connection alive.
const PICTURES_BYTES_MAX: usize = WAITING_BYTES_MAX / 2;
/// A longer media packet is a piece of a picture: 20 ms of sound, repeated twice, are shorter.
const SOUND_BYTES_MAX: usize = 600;
/// Media that has waited longer is of no use: the page has played what stood in its place.
const MEDIA_WAIT_MAX: Duration = Duration::from_millis(500);
/// What the kernel takes beyond what it could send. More would wait there, out of our sight.
const UNSENT_BYTES: u32 = 16 * 1024;
/// Read from a connection at once.
const READ_BYTES: usize = 8 * 1024;
/// Packets written to a connection at once.
const WRITE_BATCH: usize = 16;

/// A framed packet and since when it waits.
type Waiting = (Instant, Vec<u8>);

/// The way back to a page. Dropping it closes the connection.
#[derive(Debug)]
pub(super) struct Outbox {
    queue: mpsc::Sender<Waiting>,
    waiting_bytes: Arc<AtomicUsize>,
}

impl Outbox {
    /// Queues a packet; `false`: there is no room.
    pub(super) fn push(&self, packet: &[u8]) -> bool {
        let Some(framed) = framed(packet) else { return false };
        let picture = is_media(packet) && packet.len() > SOUND_BYTES_MAX;
        let room = if picture { PICTURES_BYTES_MAX } else { WAITING_BYTES_MAX };
        let length = framed.len();
        if self.waiting_bytes.load(Ordering::Relaxed) + length > room {
            return false;
        }
        self.waiting_bytes.fetch_add(length, Ordering::Relaxed);
        let queued = self.queue.try_send((Instant::now(), framed)).is_ok();
        if !queued {
            self.waiting_bytes.fetch_sub(length, Ordering::Relaxed);
        }
        queued
    }
}

/// RTP or RTCP (RFC 7983).
fn is_media(packet: &[u8]) -> bool {
    matches!(packet, [128..=191, ..])
}

fn queue() -> (Outbox, mpsc::Receiver<Waiting>, Arc<AtomicUsize>) {
    let (queue, waiting) = mpsc::channel(WAITING_MAX);
    let waiting_bytes = Arc::new(AtomicUsize::new(0));
    (Outbox { queue, waiting_bytes: Arc::clone(&waiting_bytes) }, waiting, waiting_bytes)
}

/// Carries a connection, which began with bytes that were read already, until either side ends it.
pub(super) async fn carry(
    first: Vec<u8>,
    stream: TcpStream,
    peer: SocketAddr,
    number: u64,
    to_thread: &mpsc::Sender<FromTcp>,
) -> io::Result<()> {
    stream.set_nodelay(true)?;
    socket2::SockRef::from(&stream).set_tcp_notsent_lowat(UNSENT_BYTES)?;
    let (outbox, waiting, waiting_bytes) = queue();
    let (incoming, outgoing) = stream.into_split();
    tell(to_thread, FromTcp::Opened { peer, number, outbox }).await?;
    let ended = tokio::select! {
        ended = read(first, incoming, peer, to_thread) => ended,
        ended = write(outgoing, waiting, &waiting_bytes, BEGIN_WITHIN) => ended,
    };
    tell(to_thread, FromTcp::Closed { peer, number }).await?;
    ended
}

async fn tell(to_thread: &mpsc::Sender<FromTcp>, what: FromTcp) -> io::Result<()> {
    to_thread.send(what).await.map_err(|_| io::ErrorKind::BrokenPipe.into())
}

async fn read(
    mut bytes: Vec<u8>,
    mut incoming: OwnedReadHalf,
    peer: SocketAddr,
    to_thread: &mpsc::Sender<FromTcp>,
) -> io::Result<()> {
    loop {
        let whole = whole_packets(&bytes).map_err(|_| io::ErrorKind::InvalidData)?;
        if whole > 0 {
            let rest = bytes.split_off(whole);
            let bytes = std::mem::replace(&mut bytes, rest);
            tell(to_thread, FromTcp::Packets { peer, bytes }).await?;
        }
        bytes.reserve(READ_BYTES);
        if incoming.read_buf(&mut bytes).await? == 0 {
            return Ok(());
        }
    }
}

async fn write(
    mut outgoing: OwnedWriteHalf,
    mut waiting: mpsc::Receiver<Waiting>,
    waiting_bytes: &AtomicUsize,
    begin_within: Duration,
) -> io::Result<()> {
    let mut some = Vec::with_capacity(WRITE_BATCH);
    let mut joined = Vec::new();
    let mut deadline = Instant::now() + begin_within;
    while timeout_at(deadline, waiting.recv_many(&mut some, WRITE_BATCH)).await? > 0 {
        let now = Instant::now();
        deadline = now + SILENCE_MAX;
        let (mut taken, mut late) = (0, 0);
        joined.clear();
        for (since, framed) in some.drain(..) {
            taken += framed.len();
            let is_late = now.saturating_duration_since(since) > MEDIA_WAIT_MAX;
            if is_late && packets(&framed).any(is_media) {
                late += 1;
            } else {
                joined.extend_from_slice(&framed);
            }
        }
        if late > 0 {
            crate::metrics::dropped_many("tcp_late", late);
        }
        timeout(WRITE_WITHIN, outgoing.write_all(&joined)).await??;
        waiting_bytes.fetch_sub(taken, Ordering::Relaxed);
    }
    outgoing.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    const SOUND: [u8; 100] = [128; 100];
    const PICTURE: [u8; 1_100] = [128; 1_100];
    const STUN: [u8; 60] = [0; 60];

    #[test]
    fn pictures_leave_room_for_sound_and_nothing_grows_without_end() {
        let (outbox, _waiting, bytes) = queue();
        while outbox.push(&PICTURE) {}
        assert!(bytes.load(Ordering::Relaxed) <= PICTURES_BYTES_MAX);
        let sounds = (0..1_000).take_while(|_| outbox.push(&SOUND)).count();
        assert!(sounds > 250, "{sounds}");
        while outbox.push(&STUN) {}
        assert!(bytes.load(Ordering::Relaxed) <= WAITING_BYTES_MAX);
    }

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let there = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(there));
        (near.unwrap().0, far.unwrap())
    }

    #[tokio::test]
    async fn packets_go_in_and_out_and_what_was_read_before_comes_first() {
        let (near, mut far) = pair().await;
        let (to_thread, mut inbox) = mpsc::channel(8);
        let peer = far.local_addr().unwrap();
        let first = vec![0, 3, 1];
        let carried = tokio::spawn(async move { carry(first, near, peer, 7, &to_thread).await });
        let Some(FromTcp::Opened { outbox, number: 7, .. }) = inbox.recv().await else { panic!() };
        far.write_all(&[2, 3, 0, 1, 9, 0]).await.unwrap();
        let Some(FromTcp::Packets { bytes, .. }) = inbox.recv().await else { panic!() };
        assert_eq!(packets(&bytes).collect::<Vec<_>>(), [&[1, 2, 3][..], &[9]]);
        assert!(outbox.push(&[5, 6]));
        let mut answer = [0; 4];
        far.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer, [0, 2, 5, 6]);
        drop(outbox);
        assert_eq!(far.read(&mut answer).await.unwrap(), 0, "it ends with its outbox");
        carried.await.unwrap().unwrap();
        assert!(matches!(inbox.recv().await, Some(FromTcp::Closed { number: 7, .. })));
    }

    #[tokio::test]
    async fn who_is_never_answered_is_nobodys_page() {
        let (near, mut far) = pair().await;
        let (_in, out) = near.into_split();
        let (_outbox, waiting, bytes) = queue();
        let ended = write(out, waiting, &bytes, Duration::from_millis(20)).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        drop(_in);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn sound_that_has_waited_too_long_is_left_out_and_stun_is_not() {
        let (near, mut far) = pair().await;
        let (_in, out) = near.into_split();
        let (outbox, waiting, bytes) = queue();
        let before = Instant::now().checked_sub(MEDIA_WAIT_MAX * 2).unwrap();
        for packet in [&SOUND[..], &STUN] {
            let framed = framed(packet).unwrap();
            bytes.fetch_add(framed.len(), Ordering::Relaxed);
            outbox.queue.try_send((before, framed)).unwrap();
        }
        drop(outbox);
        write(out, waiting, &bytes, BEGIN_WITHIN).await.unwrap();
        let mut came = Vec::new();
        far.read_to_end(&mut came).await.unwrap();
        assert_eq!(came, framed(&STUN).unwrap());
        assert_eq!(bytes.load(Ordering::Relaxed), 0);
    }
}
