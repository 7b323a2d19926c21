use super::*;
use proptest::prelude::*;
use quinn_udp::{RecvMeta, UdpSocketState};
use std::net::UdpSocket;
use std::time::Duration;

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    socket
}

/// Parcels of these sizes, each filled with its number.
fn parcels(buffer: &mut Buffer, wanted: &[(SocketAddr, usize)]) -> Vec<Parcel> {
    let lay = |(slot, &(to, size)): (usize, &(SocketAddr, usize))| {
        let fill = u8::try_from(slot).unwrap();
        let piece = buffer.put(slot, &vec![fill; size]).unwrap();
        Parcel { by: 0, to, piece }
    };
    wanted.iter().enumerate().map(lay).collect()
}

fn received(socket: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
    let mut bytes = [0; DATA_MAX];
    let mut next = || {
        let len = socket.recv(&mut bytes).unwrap();
        bytes[..len].to_vec()
    };
    (0..count).map(|_| next()).collect()
}

#[test]
fn a_burst_one_way_goes_through_the_kernel_as_one() {
    let (from, to) = (socket(), socket());
    let there = to.local_addr().unwrap();
    let state = UdpSocketState::new((&to).into()).unwrap();
    let mut buffer = Buffer::new();
    let burst = parcels(&mut buffer, &[(there, 1_100), (there, 1_100), (there, 1_100), (there, 9)]);
    assert_eq!(buffer.send(&from, false, &burst), Sent { packets: 4, dropped: 0 });
    let mut bytes = vec![0; 65_536];
    let mut meta = [RecvMeta::default()];
    let taken = state.recv((&to).into(), &mut [IoSliceMut::new(&mut bytes)], &mut meta).unwrap();
    assert_eq!((taken, meta[0].len, meta[0].stride), (1, 3_309, 1_100));
}

#[test]
fn what_is_wrapped_is_header_data_and_padding() {
    let mut buffer = Buffer::new();
    let piece = buffer.put(3, b"hello").unwrap();
    let piece = buffer.wrap(piece, &[0x40, 0, 0, 5], 3);
    assert_eq!(buffer.bytes(piece), b"\x40\0\0\x05hello\0\0\0");
    assert!(buffer.put(0, &[0; DATA_MAX + 1]).is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn every_parcel_arrives_once_whole_and_in_order(
        wanted in prop::collection::vec((0usize..2, prop::sample::select(&[0usize, 9, 160, 1_100])), 0..SLOTS)
    ) {
        let (from, to) = (socket(), [socket(), socket()]);
        let there = to.each_ref().map(|socket| socket.local_addr().unwrap());
        let mut buffer = Buffer::new();
        let wanted: Vec<_> = wanted.into_iter().map(|(which, size)| (there[which], size)).collect();
        let list = parcels(&mut buffer, &wanted);
        prop_assert_eq!(buffer.send(&from, false, &list), Sent { packets: list.len(), dropped: 0 });
        for (socket, address) in to.iter().zip(there) {
            let sent: Vec<_> = list
                .iter()
                .filter(|parcel| parcel.to == address)
                .map(|parcel| buffer.bytes(parcel.piece).to_vec())
                .collect();
            prop_assert_eq!(received(socket, sent.len()), sent);
        }
    }
}
