//! A link between a participant and the relay that can be made narrow, and whose address can
//! change: a UDP forwarder on loopback.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

/// What waits longer than this in a narrow link is dropped, as a router would.
const QUEUE: Duration = Duration::from_millis(300);

pub(crate) struct Link {
    /// What the participant takes for the relay.
    pub(crate) address: SocketAddr,
    bps: watch::Sender<Option<u64>>,
    lost: watch::Sender<Lost>,
    cut: watch::Sender<bool>,
    roam: mpsc::Sender<()>,
    task: JoinHandle<()>,
}

/// How many media datagrams in a hundred are lost, from the participant and to it.
#[derive(Debug, Clone, Copy, Default)]
struct Lost {
    up: u32,
    down: u32,
}

/// The same losses in every run.
struct Dice(u32);

impl Dice {
    fn lose(&mut self, percent: u32, datagram: &[u8]) -> bool {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Only media (RFC 7983): setting up a connection is not what is tried here.
        let media = datagram.first().is_some_and(|first| (128..192).contains(first));
        media && (self.0 >> 16) % 100 < percent
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Link {
    pub(crate) async fn to(relay: SocketAddr) -> Self {
        let near = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        let address = near.local_addr().expect("bound");
        let (bps, narrow) = watch::channel(None);
        let (lost, losses) = watch::channel(Lost::default());
        let (cut, is_cut) = watch::channel(false);
        let (roam, roams) = mpsc::channel(1);
        let task = tokio::spawn(carry(near, relay, (narrow, losses, is_cut), roams));
        Self { address, bps, lost, cut, roam, task }
    }

    /// Lets so much through towards the participant.
    pub(crate) fn narrow(&self, bps: u64) {
        self.bps.send_replace(Some(bps));
    }

    /// Loses so many media datagrams in a hundred, from the participant and to it.
    pub(crate) fn lose(&self, up: u32, down: u32) {
        self.lost.send_replace(Lost { up, down });
    }

    /// Lets nothing through either way, or all of it again.
    pub(crate) fn cut(&self, is_cut: bool) {
        self.cut.send_replace(is_cut);
    }

    /// From now on the relay sees the participant at another address; the old one is gone.
    pub(crate) async fn roam(&self) {
        self.roam.send(()).await.expect("the link lives");
    }
}

async fn carry(
    near: UdpSocket,
    relay: SocketAddr,
    (bps, lost, cut): (watch::Receiver<Option<u64>>, watch::Receiver<Lost>, watch::Receiver<bool>),
    mut roams: mpsc::Receiver<()>,
) {
    let fresh = async || UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let mut far = fresh().await;
    let mut participant = None;
    let mut waiting: VecDeque<(Instant, Vec<u8>)> = VecDeque::new();
    let mut dice = Dice(7);
    let (mut up, mut down) = ([0; 2_048], [0; 2_048]);
    loop {
        let due = waiting.front().map(|(due, _)| *due);
        let due = due.unwrap_or_else(|| Instant::now() + Duration::from_secs(3_600));
        tokio::select! {
            () = sleep_until(due) => {
                let Some((_, datagram)) = waiting.pop_front() else { continue };
                if let Some(participant) = participant {
                    let _ = near.send_to(&datagram, participant).await;
                }
            }
            Ok((length, from)) = near.recv_from(&mut up) => {
                participant = Some(from);
                if !*cut.borrow() && !dice.lose(lost.borrow().up, &up[..length]) {
                    let _ = far.send_to(&up[..length], relay).await;
                }
            }
            Ok((length, _)) = far.recv_from(&mut down) => {
                let now = Instant::now();
                // A datagram of so many bytes takes its time on the wire.
                let taken = bps.borrow().map_or(0, |bps| length as u64 * 8_000_000 / bps);
                let free = waiting.back().map_or(now, |(due, _)| (*due).max(now));
                let passes = !*cut.borrow() && free < now + QUEUE;
                if passes && !dice.lose(lost.borrow().down, &down[..length]) {
                    let due = free + Duration::from_micros(taken);
                    waiting.push_back((due, down[..length].to_vec()));
                }
            }
            Some(()) = roams.recv() => far = fresh().await,
        }
    }
}
