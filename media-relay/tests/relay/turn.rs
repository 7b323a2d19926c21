//! A call through TURN to the forwarding unit of the same process: the short way.
//!
//! The addresses told to clients are ones that no packet of this machine reaches (RFC 5737): what
//! arrives has gone through no relayed socket, neither there nor back.

use crate::peer::Peer;
use crate::stage::{ABE, FACE, PATIENCE, SATO, TestRelay, claims};
use minato_protocol::media::PartyRole;
use minato_relay::{TurnSecret, TurnSettings};
use std::net::IpAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use webrtc::peer_connection::RTCIceServer;

const SECRET: &[u8] = b"a secret of the tests alone";
/// As told by the forwarding unit, and as told for relayed addresses.
const NOWHERE: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(203, 0, 113, 5)),
    IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 5)),
];

async fn relay_nowhere() -> TestRelay {
    TestRelay::with(|config| {
        let mut turn = TurnSettings::new(TurnSecret::new(SECRET).expect("long enough"));
        turn.udp = vec![([127, 0, 0, 1], 0).into()];
        turn.advertised = vec![NOWHERE[1]];
        config.advertised = vec![NOWHERE[0]];
        config.turn = Some(turn);
    })
    .await
}

fn server(relay: &TestRelay, user: &str) -> RTCIceServer {
    let at = relay.relay.turn_addresses().expect("it runs").udp[0];
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let secret = TurnSecret::new(SECRET).expect("long enough");
    let (username, credential) = secret.credential(user, now + 600);
    RTCIceServer { urls: vec![format!("turn:{at}?transport=udp")], username, credential }
}

/// Speaks until something is heard at the other end.
async fn is_heard(from: &Peer, to: &Peer) {
    let mut heard = to.arrived.lock().await;
    let speak = async {
        for number in 0.. {
            from.speak(number).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let hear = async {
        loop {
            let arrived = heard.recv().await.expect("the peer lives");
            if !arrived.packet.payload.is_empty() {
                return;
            }
        }
    };
    let heard = async {
        tokio::select! {
            () = speak => unreachable!("there is always more to say"),
            () = hear => {}
        }
    };
    tokio::time::timeout(PATIENCE, heard).await.expect("sound arrives");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_through_turn_to_the_own_unit_needs_no_relayed_socket() {
    let relay = relay_nowhere().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let doctor = claims(ABE, PartyRole::Doctor, FACE);
    let patient = claims(SATO, PartyRole::Patient, FACE);
    let abe = Peer::join_by_turn(&relay, &doctor, server(&relay, "abe")).await;
    let sato = Peer::join_by_turn(&relay, &patient, server(&relay, "sato")).await;
    is_heard(&abe, &sato).await;
    is_heard(&sato, &abe).await;
    relay.relay.stop().await;
}
