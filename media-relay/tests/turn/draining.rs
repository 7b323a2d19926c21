//! A relay that is told to stop: its TURN server takes nobody new and keeps whom it has.

use super::client::{Client, Wire};
use super::stage::{Stage, credential};
use minato_relay::{Relay, RelayConfig};
use std::net::UdpSocket;
use std::time::Duration;

const CHANNEL: u16 = 0x4000;
const PATIENCE: Duration = Duration::from_secs(20);
/// A client waits for half a second at a time.
const WAITS: usize = 40;

#[test]
fn a_relay_that_drains_gives_nobody_new_an_allocation_and_those_that_are_there_go_on() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut config = RelayConfig::new(([127, 0, 0, 1], 0).into(), [0; 32]);
    config.turn = Some(Stage::settings("127.0.0.1", |_| {}));
    let (relay, _router) = runtime.block_on(async { Relay::start(config) }).unwrap();
    let at = relay.turn_addresses().unwrap().clone();
    let wires = || [Wire::udp(at.udp[0]), Wire::tcp(at.tcp[0])];
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(PATIENCE)).unwrap();
    let clients: Vec<_> = wires()
        .into_iter()
        .map(|wire| {
            let mut client = Client::new(wire, credential("before", 600));
            let relayed = client.allocate().unwrap();
            (client, relayed)
        })
        .collect();
    runtime.block_on(relay.drain(PATIENCE));
    for wire in wires() {
        let mut late = Client::new(wire, credential("after", 600));
        assert_eq!(late.allocate(), Err(508));
    }
    for (mut client, relayed) in clients {
        client.refresh(600).unwrap();
        client.bind(CHANNEL, peer.local_addr().unwrap()).unwrap();
        client.send_by_channel(CHANNEL, b"there");
        let mut bytes = [0; 64];
        let (len, from) = peer.recv_from(&mut bytes).unwrap();
        assert_eq!((&bytes[..len], from), (&b"there"[..], relayed));
        peer.send_to(b"and back", relayed).unwrap();
        let back = (0..WAITS).find_map(|_| client.receive_data());
        assert_eq!(back.unwrap(), b"and back");
        client.refresh(0).unwrap();
        assert_eq!(client.allocate(), Err(508), "who has gone is new");
    }
    runtime.block_on(relay.stop());
}
