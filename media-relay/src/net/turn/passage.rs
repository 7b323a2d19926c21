//! The short way between TURN and the forwarding unit of one process: two bounded queues in the
//! place of a socket at each end and the kernel between them.
//!
//! Either end sees what a socket would show it: the unit a datagram from the relayed address as
//! told to the client, TURN one from the media address. Permissions are TURN's as ever.

use super::wake::Wake;
use crate::metrics::Traffic;
use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError, RwLock};
use str0m::net::{Protocol, Transmit};
use tokio::sync::mpsc;

/// Packets that wait for the other end, each way: some pictures of a few people. When full what
/// comes is dropped and counted, as by a socket whose buffer is full; a call repairs that.
pub(super) const WAITING_MAX: usize = 1_024;

/// A packet on its way.
#[derive(Debug)]
pub(super) struct Passing {
    /// The relayed address as told to its client: source towards the unit, else destination.
    pub(super) relayed: SocketAddr,
    /// The unit's media address at the other end.
    pub(super) unit: SocketAddr,
    pub(super) bytes: Vec<u8>,
}

/// Relayed addresses of which the unit sends by the short way.
type Open = Arc<RwLock<HashSet<SocketAddr>>>;

/// What TURN holds.
#[derive(Debug)]
pub(crate) struct TurnEnd {
    to_unit: mpsc::Sender<Passing>,
    from_unit: mpsc::Receiver<Passing>,
    open: Open,
    pub(super) wake: Arc<Wake>,
}

/// What the forwarding unit holds.
#[derive(Debug)]
pub(crate) struct UnitEnd {
    to_turn: mpsc::Sender<Passing>,
    from_turn: mpsc::Receiver<Passing>,
    inbox: Vec<Passing>,
    open: Open,
    wake: Arc<Wake>,
    traffic: Traffic,
}

/// Both ends. It costs nothing as long as no relayed address is open.
pub(crate) fn passage() -> io::Result<(TurnEnd, UnitEnd)> {
    let (to_unit, from_turn) = mpsc::channel(WAITING_MAX);
    let (to_turn, from_unit) = mpsc::channel(WAITING_MAX);
    let (open, wake) = (Open::default(), Arc::new(Wake::new()?));
    let turn_end = TurnEnd { to_unit, from_unit, open: Arc::clone(&open), wake: Arc::clone(&wake) };
    let (inbox, traffic) = (Vec::new(), Traffic::new());
    let unit_end = UnitEnd { to_turn, from_turn, inbox, open, wake, traffic };
    Ok((turn_end, unit_end))
}

impl TurnEnd {
    /// What the unit sends to this address comes here from now on.
    pub(super) fn open(&self, relayed: SocketAddr) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).insert(relayed);
    }

    pub(super) fn close(&self, relayed: SocketAddr) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).remove(&relayed);
    }

    /// Hands a client's packet to the unit; `false`: there is no room.
    pub(super) fn pass(&self, relayed: SocketAddr, unit: SocketAddr, bytes: &[u8]) -> bool {
        let Ok(room) = self.to_unit.try_reserve() else { return false };
        room.send(Passing { relayed, unit, bytes: bytes.to_vec() });
        true
    }

    /// What the unit sent, if anything.
    pub(super) fn take(&mut self) -> Option<Passing> {
        self.from_unit.try_recv().ok()
    }
}

impl UnitEnd {
    /// Waits until something has come.
    pub(crate) async fn readable(&mut self) {
        if self.inbox.is_empty()
            && self.from_turn.recv_many(&mut self.inbox, WAITING_MAX).await == 0
        {
            // There is no TURN server any more, or none at all.
            std::future::pending().await
        }
    }

    /// Takes what has come, with its source.
    pub(crate) fn receive(&mut self, mut take: impl FnMut(SocketAddr, &[u8])) {
        while let Ok(more) = self.from_turn.try_recv() {
            self.inbox.push(more);
            if self.inbox.len() >= WAITING_MAX {
                break;
            }
        }
        let bytes = self.inbox.iter().map(|passing| passing.bytes.len()).sum();
        self.traffic.received(self.inbox.len(), bytes);
        for passing in self.inbox.drain(..) {
            take(passing.relayed, &passing.bytes);
        }
    }

    /// Sends what goes to relayed addresses of this process, and takes it out of the list.
    pub(crate) fn send(&mut self, transmits: &mut Vec<Transmit>) {
        let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
        if open.is_empty() {
            return;
        }
        let (mut packets, mut bytes, mut dropped) = (0, 0, 0);
        let short = |transmit: &mut Transmit| {
            transmit.proto == Protocol::Udp && open.contains(&transmit.destination)
        };
        for transmit in transmits.extract_if(.., short) {
            let Ok(room) = self.to_turn.try_reserve() else {
                dropped += 1;
                continue;
            };
            let Transmit { source: unit, destination: relayed, contents, .. } = transmit;
            (packets, bytes) = (packets + 1, bytes + contents.len());
            room.send(Passing { relayed, unit, bytes: contents.into() });
        }
        if packets > 0 {
            self.wake.ring();
            self.traffic.sent(packets, bytes);
        }
        if dropped > 0 {
            crate::metrics::dropped_many("turn_full", dropped);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIT: SocketAddr =
        SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

    fn address(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn to(destination: SocketAddr) -> Transmit {
        let contents = vec![7; 20].into();
        Transmit { proto: Protocol::Udp, source: UNIT, destination, contents }
    }

    #[tokio::test]
    async fn the_unit_sees_the_relayed_address_as_source() {
        let (turn, mut unit) = passage().unwrap();
        assert!(turn.pass(address(5), UNIT, b"a") && turn.pass(address(6), UNIT, b"bc"));
        unit.readable().await;
        let mut seen = Vec::new();
        unit.receive(|source, bytes| seen.push((source.port(), bytes.to_vec())));
        assert_eq!(seen, [(5, b"a".to_vec()), (6, b"bc".to_vec())]);
    }

    #[test]
    fn only_what_goes_to_an_open_address_is_taken_from_the_socket() {
        let (mut turn, mut unit) = passage().unwrap();
        let mut list = vec![to(address(5)), to(address(6)), to(address(5))];
        unit.send(&mut list);
        assert_eq!(list.len(), 3, "none is open");
        turn.open(address(5));
        unit.send(&mut list);
        assert_eq!(list.iter().map(|t| t.destination).collect::<Vec<_>>(), [address(6)]);
        let passed: Vec<_> = std::iter::from_fn(|| turn.take()).collect();
        assert_eq!(passed.len(), 2);
        assert!(passed.iter().all(|p| p.relayed == address(5) && p.unit == UNIT));
        turn.close(address(5));
        let mut list = vec![to(address(5))];
        unit.send(&mut list);
        assert_eq!(list.len(), 1, "its port may be somebody else's");
    }

    #[tokio::test]
    async fn what_nobody_takes_is_bounded_and_the_rest_is_dropped_both_ways() {
        let (mut turn, mut unit) = passage().unwrap();
        let passed = (0..WAITING_MAX + 9).filter(|_| turn.pass(address(5), UNIT, &[0; 9])).count();
        assert_eq!(passed, WAITING_MAX);
        turn.open(address(5));
        let mut list: Vec<_> = (0..WAITING_MAX + 9).map(|_| to(address(5))).collect();
        unit.send(&mut list);
        assert!(list.is_empty(), "what is dropped does not go by the socket either");
        assert_eq!(std::iter::from_fn(|| turn.take()).count(), WAITING_MAX);
        let mut seen = 0;
        unit.readable().await;
        unit.receive(|_, _| seen += 1);
        assert_eq!(seen, WAITING_MAX);
        assert!(turn.pass(address(5), UNIT, b"x"), "there is room again");
    }
}
