//! Many datagrams a system call, and every datagram in one shared buffer with room in front.
//!
//! A TURN packet is read once and written once: the header towards a client goes into the room in
//! front of the data, so nothing is copied. What goes one way in pieces of one size leaves as one
//! run that the kernel cuts up (UDP generic segmentation offload): its cost is that of one packet.

use super::spelling::{canonical, reachable};
use crate::net::burst::runs_of;
use nix::sys::socket::{
    ControlMessage, MsgFlags, MultiHeaders, SockaddrIn, SockaddrIn6, SockaddrLike, SockaddrStorage,
    recvmmsg, sendmsg,
};
use rustix::net::{
    MMsgHdr, RecvFlags, SendAncillaryBuffer, SendFlags, SocketAddrAny, recvfrom, sendmmsg, sendto,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd};

#[cfg(test)]
mod tests;

/// Room in front of the data: as much as the longest header of a Data indication.
pub(super) const HEAD: usize = 48;
/// A longer datagram is dropped: media and its handshakes keep to an Ethernet frame.
pub(super) const DATA_MAX: usize = 2_048;
/// Room behind the data for padding to four bytes.
const TAIL: usize = 16;
const SLOT: usize = HEAD + DATA_MAX + TAIL;
/// Datagrams in the shared buffer. When they are used up, what waits is sent first.
pub(super) const SLOTS: usize = 128;
/// Datagrams taken from a port by one system call; the rest is taken in the next round.
pub(super) const PORT_BATCH: usize = 64;
/// The same for the socket of one allocation, of which there are many.
pub(super) const RELAYED_BATCH: usize = 8;

/// Packets of a run, as many as the kernel takes (UDP_MAX_SEGMENTS).
const RUN_MAX: usize = 64;

/// Where a datagram lies in the shared buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    /// Counted from the beginning of the buffer.
    start: usize,
    len: usize,
}

impl Piece {
    pub(super) fn len(self) -> usize {
        self.len
    }

    /// For putting pieces in the order in which they came.
    pub(super) fn start(self) -> usize {
        self.start
    }

    /// The part of this piece that `part` is, which must have been cut from `whole`, its bytes.
    pub(super) fn cut(self, whole: &[u8], part: &[u8]) -> Self {
        let offset = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
        debug_assert!(offset + part.len() <= self.len);
        Self { start: self.start + offset, len: part.len() }
    }
}

/// A received datagram. Its source is in the canonical family.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    pub(super) source: SocketAddr,
    pub(super) piece: Piece,
    /// It was longer than [`DATA_MAX`] and is no use.
    pub(super) cut: bool,
}

/// A datagram that waits to be sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parcel {
    /// Number of the socket that sends it.
    pub(super) by: usize,
    pub(super) to: SocketAddr,
    pub(super) piece: Piece,
}

/// What became of parcels.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sent {
    pub(super) packets: usize,
    pub(super) dropped: usize,
}

impl Sent {
    /// Of one packet.
    pub(super) fn one(went: bool) -> Self {
        Self { packets: usize::from(went), dropped: usize::from(!went) }
    }

    fn add(&mut self, more: Self) {
        self.packets += more.packets;
        self.dropped += more.dropped;
    }
}

/// The shared buffer, and the headers that the kernel fills beside it.
#[derive(Debug)]
pub(super) struct Buffer {
    bytes: Box<[u8]>,
    v4: MultiHeaders<SockaddrIn>,
    v6: MultiHeaders<SockaddrIn6>,
}

impl Buffer {
    pub(super) fn new() -> Self {
        Self {
            bytes: vec![0; SLOT * SLOTS].into_boxed_slice(),
            v4: MultiHeaders::preallocate(PORT_BATCH, None),
            v6: MultiHeaders::preallocate(PORT_BATCH, None),
        }
    }

    /// Takes at most `N` datagrams that are there, into the slots from `first` on.
    pub(super) fn receive<const N: usize>(
        &mut self,
        socket: &impl AsRawFd,
        is_v6: bool,
        first: usize,
        out: &mut Vec<Received>,
    ) -> io::Result<()> {
        let fd = socket.as_raw_fd();
        let room = self.bytes.get_mut(first * SLOT..).unwrap_or_default();
        if is_v6 {
            receive::<N, _>(fd, &mut self.v6, room, first, out)
        } else {
            receive::<N, _>(fd, &mut self.v4, room, first, out)
        }
    }

    /// Takes one datagram into a slot, if one is there: cheaper than asking for many.
    pub(super) fn receive_one(
        &mut self,
        socket: &impl AsFd,
        slot: usize,
        out: &mut Vec<Received>,
    ) -> io::Result<()> {
        let start = slot * SLOT + HEAD;
        let room = self.bytes.get_mut(start..start + DATA_MAX).unwrap_or_default();
        let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
        let (len, whole, source) = recvfrom(socket, room, flags)?;
        let Some(Ok(source)) = source.map(SocketAddr::try_from) else { return Ok(()) };
        let piece = Piece { start, len };
        out.push(Received { source: canonical(source), piece, cut: whole > len });
        Ok(())
    }

    /// Lays bytes into a slot; `None`: they are too long.
    pub(super) fn put(&mut self, slot: usize, bytes: &[u8]) -> Option<Piece> {
        let start = slot * SLOT + HEAD;
        let fits = bytes.len() <= DATA_MAX;
        let room = self.bytes.get_mut(start..start + bytes.len()).filter(|_| fits)?;
        room.copy_from_slice(bytes);
        Some(Piece { start, len: bytes.len() })
    }

    pub(super) fn bytes(&self, piece: Piece) -> &[u8] {
        self.bytes.get(piece.start..piece.start + piece.len).unwrap_or_default()
    }

    /// The piece with `prefix` before it and `padding` zeros behind it.
    pub(super) fn wrap(&mut self, piece: Piece, prefix: &[u8], padding: usize) -> Piece {
        debug_assert!(prefix.len() <= HEAD && padding <= TAIL);
        let start = piece.start - prefix.len();
        let end = piece.start + piece.len;
        if let Some(before) = self.bytes.get_mut(start..piece.start) {
            before.copy_from_slice(prefix);
        }
        if let Some(behind) = self.bytes.get_mut(end..end + padding) {
            behind.fill(0);
        }
        Piece { start, len: prefix.len() + piece.len + padding }
    }

    /// Sends in order, by as few system calls as can be. When the kernel's buffer is full the rest
    /// is dropped: waiting would hold up everybody else.
    pub(super) fn send(&self, socket: &impl AsFd, is_v6: bool, parcels: &[Parcel]) -> Sent {
        let mut sent = Sent::default();
        let mut singles = 0..0;
        let facts = |parcel: &Parcel| ((parcel.to, parcel.piece.len == 0), parcel.piece.len);
        for run in runs_of(parcels, RUN_MAX, facts) {
            // Of nothing the kernel makes no run.
            if run.len() == 1 || parcels[run.start].piece.len == 0 {
                singles.end = run.end;
                continue;
            }
            sent.add(self.send_singles(socket, is_v6, &parcels[singles.start..run.start]));
            sent.add(self.send_run(socket, is_v6, &parcels[run.clone()]));
            singles = run.end..run.end;
        }
        sent.add(self.send_singles(socket, is_v6, &parcels[singles.start..]));
        sent
    }

    fn send_run(&self, socket: &impl AsFd, is_v6: bool, run: &[Parcel]) -> Sent {
        let [first, ..] = run else { return Sent::default() };
        let to = SockaddrStorage::from(reachable(first.to, is_v6));
        let bytes: Vec<IoSlice<'_>> =
            run.iter().map(|parcel| IoSlice::new(self.bytes(parcel.piece))).collect();
        // Pieces are short: their length is one of a datagram.
        let size = u16::try_from(first.piece.len).unwrap_or(u16::MAX);
        let control = [ControlMessage::UdpGsoSegments(&size)];
        let fd = socket.as_fd().as_raw_fd();
        match sendmsg(fd, &bytes, &control, MsgFlags::MSG_DONTWAIT, Some(&to)) {
            Ok(_) => Sent { packets: run.len(), dropped: 0 },
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::ENOBUFS) => {
                Sent { packets: 0, dropped: run.len() }
            }
            // The way there knows no runs, or no packets so long: each for itself.
            Err(_) => self.send_singles(socket, is_v6, run),
        }
    }

    fn send_singles(&self, socket: &impl AsFd, is_v6: bool, parcels: &[Parcel]) -> Sent {
        if let [parcel] = parcels {
            let to = reachable(parcel.to, is_v6);
            let bytes = self.bytes(parcel.piece);
            return Sent::one(sendto(socket, bytes, SendFlags::DONTWAIT, &to).is_ok());
        }
        let mut sent = Sent::default();
        for some in parcels.chunks(PORT_BATCH) {
            let to: Vec<SocketAddrAny> =
                some.iter().map(|parcel| reachable(parcel.to, is_v6).into()).collect();
            let bytes: Vec<[IoSlice<'_>; 1]> =
                some.iter().map(|parcel| [IoSlice::new(self.bytes(parcel.piece))]).collect();
            let mut control: Vec<_> = some.iter().map(|_| SendAncillaryBuffer::default()).collect();
            let mut messages: Vec<MMsgHdr<'_>> = (to.iter().zip(&bytes).zip(&mut control))
                .map(|((to, bytes), control)| MMsgHdr::new_with_addr(to, bytes, control))
                .collect();
            let packets = send_messages(socket, &mut messages);
            sent.packets += packets;
            sent.dropped += some.len() - packets;
        }
        sent
    }
}

/// How many were sent. One that the kernel refuses (no route, too long) is left out.
fn send_messages(socket: &impl AsFd, messages: &mut [MMsgHdr<'_>]) -> usize {
    let mut packets = 0;
    let mut rest = messages;
    while !rest.is_empty() {
        let done = match sendmmsg(socket, rest, SendFlags::DONTWAIT) {
            Ok(done) => {
                packets += done;
                done.max(1)
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::NOBUFS) => return packets,
            // Only the first message is to blame.
            Err(_) => 1,
        };
        rest = rest.get_mut(done..).unwrap_or_default();
    }
    packets
}

fn receive<const N: usize, S>(
    fd: i32,
    headers: &mut MultiHeaders<S>,
    room: &mut [u8],
    first: usize,
    out: &mut Vec<Received>,
) -> io::Result<()>
where
    S: SockaddrLike + Copy + Into<SocketAddr>,
{
    let mut slots = room.chunks_exact_mut(SLOT);
    let mut count = 0;
    let mut vectors: [[IoSliceMut<'_>; 1]; N] = std::array::from_fn(|_| {
        let slot = slots.next().and_then(|slot| slot.get_mut(HEAD..HEAD + DATA_MAX));
        count += usize::from(slot.is_some());
        [IoSliceMut::new(slot.unwrap_or_default())]
    });
    let taken = recvmmsg(fd, headers, vectors.iter_mut().take(count), MsgFlags::MSG_DONTWAIT, None);
    for (index, message) in taken?.enumerate() {
        let Some(source) = message.address.map(Into::into) else { continue };
        let start = (first + index) * SLOT + HEAD;
        let piece = Piece { start, len: message.bytes.min(DATA_MAX) };
        let cut = message.flags.contains(MsgFlags::MSG_TRUNC);
        out.push(Received { source: canonical(source), piece, cut });
    }
    Ok(())
}
