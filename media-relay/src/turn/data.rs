//! The data path: ChannelData and Send towards peers, what comes from them towards clients
//! (RFC 8656 sections 11 and 12). PURE, allocates nothing.

use super::allocation::Allocation;
use super::peers::Reach;
use super::wire::{
    COOKIE, Class, HEADER_BYTES, Message, Transaction, attribute, message_type, method,
    write_xor_address,
};
use super::{AllocationId, At, Client, Family, PREFIX_BYTES_MAX, ToClient, ToPeer, Turn};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;

/// Bytes before the data of ChannelData.
const CHANNEL_HEADER_BYTES: usize = 4;

impl Turn {
    fn live(&self, client: Client) -> Option<(AllocationId, &Allocation)> {
        let id = self.table.id_of(&client)?;
        Some((id, self.table.allocation(id)?))
    }

    /// Over UDP there may be padding behind the data, or none.
    pub(super) fn channel_data<'a>(
        &self,
        client: Client,
        bytes: &'a [u8],
        at: At,
    ) -> Option<ToPeer<'a>> {
        let (&[a, b, high, low], rest) = bytes.split_first_chunk::<CHANNEL_HEADER_BYTES>()?;
        let data = rest.get(..usize::from(u16::from_be_bytes([high, low])))?;
        let (id, allocation) = self.live(client)?;
        let channel = allocation.channel(u16::from_be_bytes([a, b]), at.now)?;
        passes(allocation, channel.peer, at)?;
        let inside = channel.reach == Reach::Inside;
        Some(ToPeer { allocation: id, peer: channel.peer, data, inside })
    }

    /// A Send indication. One that asks for what is not done here (DONT-FRAGMENT) is dropped.
    pub(super) fn send<'a>(
        &self,
        client: Client,
        message: &Message<'a>,
        at: At,
    ) -> Option<ToPeer<'a>> {
        if message.malformed || !message.unknown().is_empty() {
            return None;
        }
        let (peer, data) = (message.peer?, message.data?);
        let (id, allocation) = self.live(client)?;
        passes(allocation, peer, at)?;
        let inside = self.peers.reach(peer)? == Reach::Inside;
        Some(ToPeer { allocation: id, peer, data, inside })
    }

    /// How to wrap `len` bytes that came from a peer to a relayed address; `None`: drop them.
    /// Holds for datagrams of our own forwarding unit too.
    #[expect(clippy::wrong_self_convention, reason = "no conversion: where bytes come from")]
    pub(crate) fn from_peer(
        &self,
        allocation: AllocationId,
        peer: SocketAddr,
        len: usize,
        at: At,
    ) -> Option<ToClient> {
        let allocation = self.table.allocation(allocation)?;
        passes(allocation, peer, at)?;
        let client = allocation.client;
        match allocation.channel_of(peer, at.now) {
            Some(channel) => to_channel(client, channel.number, len),
            None => {
                // Permissions are by IP; a peer of this port may still be none.
                self.peers.reach(peer)?;
                to_indication(client, peer, len, self.transaction())
            }
        }
    }

    /// Another one for each Data indication; nobody answers them.
    fn transaction(&self) -> Transaction {
        let number = self.indications.fetch_add(1, Ordering::Relaxed);
        let mut transaction = Transaction::default();
        transaction[4..].copy_from_slice(&number.to_be_bytes());
        transaction
    }
}

/// The allocation has an address of the peer's family, and the peer is permitted.
fn passes(allocation: &Allocation, peer: SocketAddr, at: At) -> Option<()> {
    let open = allocation.serves(Family::of(peer), at.now) && allocation.permits(peer.ip(), at.now);
    open.then_some(())
}

fn to_channel(client: Client, number: u16, len: usize) -> Option<ToClient> {
    let length = u16::try_from(len).ok()?;
    let mut prefix = [0; PREFIX_BYTES_MAX];
    prefix[..2].copy_from_slice(&number.to_be_bytes());
    prefix[2..4].copy_from_slice(&length.to_be_bytes());
    let padding = match client {
        Client::Udp { .. } => 0,
        Client::Stream { .. } => len.next_multiple_of(4) - len,
    };
    Some(ToClient { client, prefix, prefix_len: CHANNEL_HEADER_BYTES, padding })
}

fn to_indication(
    client: Client,
    peer: SocketAddr,
    len: usize,
    transaction: Transaction,
) -> Option<ToClient> {
    let mut address = [0; 20];
    let address_len = write_xor_address(peer, &transaction, &mut address);
    let prefix_len = HEADER_BYTES + 4 + address_len + 4;
    let padded = len.checked_next_multiple_of(4)?;
    let length = u16::try_from(prefix_len - HEADER_BYTES + padded).ok()?;
    let data_len = u16::try_from(len).ok()?;
    let address_len_told = u16::try_from(address_len).ok()?;

    let mut prefix = [0; PREFIX_BYTES_MAX];
    prefix[..2].copy_from_slice(&message_type(method::DATA, Class::Indication).to_be_bytes());
    prefix[2..4].copy_from_slice(&length.to_be_bytes());
    prefix[4..8].copy_from_slice(&COOKIE.to_be_bytes());
    prefix[8..20].copy_from_slice(&transaction);
    prefix[20..22].copy_from_slice(&attribute::XOR_PEER_ADDRESS.to_be_bytes());
    prefix[22..24].copy_from_slice(&address_len_told.to_be_bytes());
    prefix[24..24 + address_len].copy_from_slice(&address[..address_len]);
    let data_at = prefix_len - 4;
    prefix[data_at..data_at + 2].copy_from_slice(&attribute::DATA.to_be_bytes());
    prefix[data_at + 2..prefix_len].copy_from_slice(&data_len.to_be_bytes());
    Some(ToClient { client, prefix, prefix_len, padding: padded - len })
}
