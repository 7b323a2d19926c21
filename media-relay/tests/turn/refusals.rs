//! What is refused through real sockets, with which code, and that nothing of it gets through.

use super::client::{Client, Wire};
use super::stage::{Stage, credential, unix_s};
use minato_relay::{TurnError, TurnServer};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};

/// Seconds a credential is good that is to end while it is used.
const SOON: i64 = 2;

fn by(wire: Wire, name: &str) -> Client {
    Client::new(wire, credential(name, 600))
}

/// Who must not be reached.
struct Closed(UdpSocket);

impl Closed {
    fn at(ip: &str) -> Self {
        let socket = UdpSocket::bind((ip, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self(socket)
    }

    fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// To be asked after the server has answered something later: it works in order, and on
    /// loopback what is sent has arrived.
    fn was_left_alone(&self) {
        let came = self.0.recv(&mut [0; 64]);
        assert_eq!(came.map_err(|error| error.kind()), Err(ErrorKind::WouldBlock));
    }
}

#[test]
fn a_credential_that_ends_is_refused_everywhere_but_for_giving_back() {
    let stage = Stage::on("127.0.0.1");
    for wire in [Wire::udp(stage.udp()), Wire::tcp(stage.tcp())] {
        let login = credential("anybody", SOON);
        let mut client = Client::new(wire, login.clone());
        client.allocate().unwrap();
        let peer = stage.udp().ip();
        let peer = SocketAddr::new(peer, 9);
        client.permit(peer).unwrap();
        let end = unix_s() + SOON.unsigned_abs();
        while unix_s() < end {
            std::thread::yield_now();
        }
        assert_eq!(client.refresh(600), Err(401));
        assert_eq!(client.permit(peer), Err(401));
        assert_eq!(client.bind(0x4000, peer), Err(401));
        let mut replay = Client::new(Wire::udp(stage.udp()), login);
        assert_eq!(replay.allocate(), Err(401), "nor does it begin anything");
        client.refresh(0).unwrap();
        assert_eq!(client.refresh(0), Err(437), "it is gone");
    }
    stage.stop();
}

/// Tries every method at one who is closed, in every spelling; one of the codes refuses each.
fn reaches_nobody(wire: Wire, closed: &Closed, spellings: &[&str], codes: &[u16]) {
    let mut client = by(wire, "anybody");
    client.allocate().unwrap();
    let refused = |answer: Result<(), u16>| answer.is_err_and(|code| codes.contains(&code));
    for ip in spellings {
        let peer = SocketAddr::new(ip.parse().unwrap(), closed.address().port());
        assert!(refused(client.permit(peer)), "{peer}");
        assert!(refused(client.bind(0x4000, peer)), "{peer}");
        client.send_to(peer, b"indication");
        client.send_by_channel(0x4000, b"channel");
    }
    client.refresh(600).unwrap();
    closed.was_left_alone();
}

#[test]
fn a_closed_peer_is_reached_by_none_of_the_four_methods() {
    let stage = Stage::with("127.0.0.1", |settings| settings.allowed_peers.clear());
    let closed = Closed::at("127.0.0.1");
    let spellings = ["127.0.0.1", "0.0.0.0", "127.1.2.3", "169.254.169.254"];
    for wire in [Wire::udp(stage.udp()), Wire::tcp(stage.tcp())] {
        reaches_nobody(wire, &closed, &spellings, &[403]);
    }
    stage.stop();
}

#[test]
fn nor_in_the_clothes_of_ipv6() {
    let stage = Stage::with("::1", |settings| settings.allowed_peers.clear());
    let closed = Closed::at("::1");
    let spellings =
        ["::1", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1"];
    // A mapped address is one of IPv4, of which this allocation has none.
    reaches_nobody(Wire::udp(stage.udp()), &closed, &spellings, &[403, 443]);
    stage.stop();
}

#[test]
fn beside_the_forwarding_unit_no_other_port_of_its_address_is_a_peer() {
    let unit = UdpSocket::bind("127.0.0.1:0").unwrap();
    let closed = Closed::at("127.0.0.1");
    let stage = Stage::with("127.0.0.1", |settings| {
        settings.allowed_peers.clear();
        settings.inside = vec![unit.local_addr().unwrap()];
    });
    let mut client = by(Wire::udp(stage.udp()), "anybody");
    let relayed = client.allocate().unwrap();
    client.permit(closed.address()).unwrap();
    assert_eq!(client.bind(0x4000, closed.address()), Err(403), "permissions are by address alone");
    client.send_to(closed.address(), b"indication");
    client.send_to(unit.local_addr().unwrap(), b"hello");
    let mut bytes = [0; 64];
    let (len, from) = unit.recv_from(&mut bytes).unwrap();
    assert_eq!((&bytes[..len], from), (&b"hello"[..], relayed), "a unit elsewhere: by the socket");
    closed.was_left_alone();
    closed.0.send_to(b"let me in", relayed).unwrap();
    unit.send_to(b"welcome", relayed).unwrap();
    assert_eq!(client.receive_data().unwrap(), b"welcome");
    stage.stop();
}

#[test]
fn a_realm_that_would_make_refusals_long_is_refused_at_the_start() {
    let with_realm = |bytes: usize| {
        let stage = Stage::settings("127.0.0.1", |settings| settings.realm = "r".repeat(bytes));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let started = TurnServer::start(&stage);
            if let Ok(server) = &started {
                server.stop().await;
            }
            started.map(drop)
        })
    };
    assert!(with_realm(32).is_ok());
    assert!(matches!(with_realm(33), Err(TurnError::Realm)));
}
