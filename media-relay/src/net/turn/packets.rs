//! The way of a packet: from a peer to its client, from a client to a peer. Nothing here waits,
//! and nothing is copied but what goes to a stream.

use super::batch::{Buffer, PORT_BATCH, Parcel, Piece, RELAYED_BATCH, Received, SLOTS, Sent};
use super::edge::Edge;
use super::passage::TurnEnd;
use crate::turn::{AllocationId, At, Client, Command, Family, ToClient, ToPeer};
use std::io;
use std::net::SocketAddr;

/// Packets of the forwarding unit taken in one round.
const UNIT_BATCH: usize = 256;

/// What one round works on.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) buffer: Buffer,
    /// Slots of the buffer that hold what is still to be sent to clients.
    used: usize,
    /// Counts the polls.
    pub(super) round: u64,
    /// Something of this round came from the forwarding unit of this process or went to it.
    inside: bool,
    /// More was there than one round takes.
    more: bool,
    received: Vec<Received>,
    /// At most [`SLOTS`].
    to_clients: Vec<Parcel>,
    /// At most [`PORT_BATCH`].
    to_peers: Vec<Parcel>,
    pub(super) commands: Vec<Command>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            buffer: Buffer::new(),
            used: 0,
            round: 1,
            inside: false,
            more: false,
            received: Vec::with_capacity(PORT_BATCH),
            to_clients: Vec::with_capacity(SLOTS),
            to_peers: Vec::with_capacity(PORT_BATCH),
            commands: Vec::new(),
        }
    }

    /// Whether there is time to rest after this round: what goes through the forwarding unit waits
    /// for its beat anyway, and packets that wait here meanwhile cost one round instead of many.
    pub(super) fn may_rest(&mut self) -> bool {
        let more = std::mem::take(&mut self.more);
        std::mem::take(&mut self.inside) && !more
    }
}

impl Edge {
    /// What peers sent to one relayed address. It stays in the buffer until it is sent.
    pub(super) fn relay_from_peers(&mut self, number: usize, desk: &mut Desk, at: At) {
        if desk.used + RELAYED_BATCH > SLOTS {
            self.send_to_clients(desk);
        }
        let Some(relayed) = self.relayed.get_mut(number) else { return };
        desk.received.clear();
        let (buffer, received) = (&mut desk.buffer, &mut desk.received);
        // Mostly one datagram is there, and of a burst the poll tells again.
        let taken = if relayed.is_busy(desk.round) {
            let (socket, is_v6) = (&relayed.socket, relayed.is_v6);
            buffer.receive::<RELAYED_BATCH>(socket, is_v6, desk.used, received)
        } else {
            buffer.receive_one(&relayed.socket, desk.used, received)
        };
        if let Err(error) = taken {
            return say_unless_empty(&error);
        }
        desk.used += received.len();
        desk.more |= received.len() == RELAYED_BATCH;
        let allocation = relayed.allocation;
        for index in 0..desk.received.len() {
            let Some(&Received { source, piece, cut }) = desk.received.get(index) else { break };
            self.tally.came_from_peer(piece.len());
            let wrapped =
                if cut { None } else { self.turn.from_peer(allocation, source, piece.len(), at) };
            let Some(wrapped) = wrapped else {
                self.tally.dropped_from_peer();
                continue;
            };
            self.wrap(&wrapped, piece, desk);
        }
    }

    fn wrap(&mut self, wrapped: &ToClient, piece: Piece, desk: &mut Desk) {
        let prefix = wrapped.prefix.get(..wrapped.prefix_len).unwrap_or_default();
        let piece = desk.buffer.wrap(piece, prefix, wrapped.padding);
        match wrapped.client {
            Client::Udp { listener, address } => {
                desk.to_clients.push(Parcel { by: usize::from(listener), to: address, piece });
            }
            Client::Stream { connection, .. } => {
                let message = desk.buffer.bytes(piece).to_vec();
                let answers = self.answers_by_connection.get(&connection);
                let went = answers.is_some_and(|answers| answers.push(message));
                self.tally.went_to_client(Sent::one(went));
            }
        }
    }

    /// Sends what has been collected for clients; the buffer is free again.
    pub(super) fn send_to_clients(&mut self, desk: &mut Desk) {
        if self.ports.len() > 1 {
            desk.to_clients.sort_unstable_by_key(|parcel| (parcel.by, parcel.piece.start()));
        }
        for run in desk.to_clients.chunk_by(|a, b| a.by == b.by) {
            let Some(port) = run.first().and_then(|parcel| self.ports.get(parcel.by)) else {
                continue;
            };
            self.tally.went_to_client(desk.buffer.send(&port.socket, port.is_v6, run));
        }
        desk.to_clients.clear();
        desk.used = 0;
    }

    /// What clients sent to one of the ports.
    pub(super) fn relay_from_clients(&mut self, listener: usize, desk: &mut Desk, at: At) {
        let Some(port) = self.ports.get(listener) else { return };
        // Ports are opened once: their number is the one of the configuration.
        let number = u16::try_from(listener).unwrap_or(u16::MAX);
        desk.received.clear();
        if let Err(error) =
            desk.buffer.receive::<PORT_BATCH>(&port.socket, port.is_v6, 0, &mut desk.received)
        {
            return say_unless_empty(&error);
        }
        desk.more |= desk.received.len() == PORT_BATCH;
        for index in 0..desk.received.len() {
            let Some(&Received { source, piece, cut }) = desk.received.get(index) else { break };
            self.tally.came_from_client(piece.len());
            if cut {
                self.tally.dropped_from_client();
                continue;
            }
            let client = Client::Udp { listener: number, address: source };
            let bytes = desk.buffer.bytes(piece);
            if let Some(out) = self.turn.from_client(client, bytes, at, &mut desk.commands) {
                let piece = piece.cut(bytes, out.data);
                if self.pass_to_unit(&out) {
                    desk.inside = true;
                } else if let Some(by) = self.relayed.number(out.allocation, family(out.peer)) {
                    desk.to_peers.push(Parcel { by, to: out.peer, piece });
                } else {
                    self.tally.dropped_from_client();
                }
            }
            if !desk.commands.is_empty() {
                // In order: what was sent before an allocation ends still goes.
                self.send_to_peers(desk);
                self.obey(&mut desk.commands, at);
            }
        }
        self.send_to_peers(desk);
    }

    /// `true`: the peer is the forwarding unit of this process, so nothing is left to send.
    pub(super) fn pass_to_unit(&mut self, out: &ToPeer<'_>) -> bool {
        let Some(unit) = self.unit.as_ref().filter(|_| out.inside) else { return false };
        let number = self.relayed.number(out.allocation, family(out.peer));
        let told = number.and_then(|number| self.relayed.get(number)?.told);
        let passed = told.is_some_and(|told| unit.pass(told, out.peer, out.data));
        self.tally.passed_to_unit(passed);
        true
    }

    /// What the unit sent to relayed addresses.
    pub(super) fn relay_from_unit(&mut self, desk: &mut Desk, at: At) {
        for _ in 0..UNIT_BATCH {
            let Some(passing) = self.unit.as_mut().and_then(TurnEnd::take) else {
                return self.send_to_clients(desk);
            };
            desk.inside = true;
            let len = passing.bytes.len();
            self.tally.came_from_unit(len);
            let allocation = self.turn.allocation_at(passing.relayed);
            let wrapped = allocation.and_then(|id| self.turn.from_peer(id, passing.unit, len, at));
            if desk.used == SLOTS {
                self.send_to_clients(desk);
            }
            let piece = desk.buffer.put(desk.used, &passing.bytes);
            let (Some(wrapped), Some(piece)) = (wrapped, piece) else {
                self.tally.dropped_from_peer();
                continue;
            };
            desk.used += 1;
            self.wrap(&wrapped, piece, desk);
        }
        self.send_to_clients(desk);
        // The others come first once; then the rest.
        desk.more = true;
        self.wake.ring();
    }

    /// The unit may send to what this allocation's client knows by now.
    pub(super) fn tell_unit(&mut self, allocation: AllocationId) {
        let Some(unit) = &self.unit else { return };
        for family in [Family::V4, Family::V6] {
            let number = self.relayed.number(allocation, family);
            let told = self.turn.relayed(allocation, family);
            if let Some(relayed) = number.and_then(|number| self.relayed.get_mut(number)) {
                relayed.told = told;
                told.into_iter().for_each(|told| unit.open(told));
            }
        }
    }

    fn send_to_peers(&mut self, desk: &mut Desk) {
        desk.to_peers.sort_unstable_by_key(|parcel| (parcel.by, parcel.piece.start()));
        for run in desk.to_peers.chunk_by(|a, b| a.by == b.by) {
            let relayed = run.first().and_then(|parcel| self.relayed.get(parcel.by));
            let Some(relayed) = relayed else { continue };
            self.tally.went_to_peer(desk.buffer.send(&relayed.socket, relayed.is_v6, run));
        }
        desk.to_peers.clear();
    }
}

pub(super) fn family(peer: SocketAddr) -> Family {
    if peer.is_ipv4() { Family::V4 } else { Family::V6 }
}

/// Another one has been quicker, or the kernel tells of an earlier failure.
fn say_unless_empty(error: &io::Error) {
    if error.kind() != io::ErrorKind::WouldBlock {
        tracing::debug!(%error, "a TURN socket");
    }
}
