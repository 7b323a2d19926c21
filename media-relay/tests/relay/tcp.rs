//! Media by TCP: a call where no UDP packet goes, and who else may come to that port.

use crate::call::{packets, speak_and_show, while_doing, while_doing_for};
use crate::page::Page;
use crate::peer::{Peer, Sort};
use crate::stage::{ABE, FACE, ITO, PATIENCE, SATO, TestRelay, claims};
use crate::thin::collect;
use minato_protocol::media::PartyRole;
use std::net::SocketAddr;
use std::time::Duration;
use str0m::net::Protocol;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;

async fn relay() -> TestRelay {
    TestRelay::with(|config| config.tcp_bind = vec![([127, 0, 0, 1], 0).into()]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_and_picture_go_both_ways_by_tcp_alone() {
    let relay = relay().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Page::join(&relay, &claims(SATO, PATIENT, FACE), Protocol::Tcp).await;
    let door = relay.relay.tcp_addresses()[0];
    let passive = format!(" {} {} typ host tcptype passive", door.ip(), door.port());
    assert!(sato.answer.sdp.contains(&passive), "{}", sato.answer.sdp);
    while_doing(speak_and_show(&abe), async {
        sato.gets(50, 20).await;
        let (sounds, pictures) = packets(&abe, "slot0", 20).await;
        assert!(sounds.len() >= 20 && pictures.len() >= 20);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_takes_nothing_harms_nobody_and_comes_back() {
    let relay = relay().await;
    relay.signaling().await.desire(&[ABE, SATO, ITO]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    abe.picture_bytes = 1_000;
    let mut sato = Page::join(&relay, &claims(SATO, PATIENT, FACE), Protocol::Tcp).await;
    let ito = Peer::join(&relay, &claims(ITO, PATIENT, FACE), Sort::Page).await;
    while_doing_for(PATIENCE * 2, speak_and_show(&abe), async {
        sato.gets(20, 5).await;
        sato.deaf.send_replace(true);
        collect(&ito, Duration::from_millis(500)).await;
        let (sounds, _, silence) = collect(&ito, Duration::from_secs(6)).await;
        assert!(sounds.len() > 250, "{}", sounds.len());
        assert!(silence < Duration::from_secs(1), "{silence:?}");
        sato.deaf.send_replace(false);
        // What lay on the way is old; new sound follows.
        while sato.came.try_recv().is_ok() {}
        sato.gets(200, 0).await;
    })
    .await;
}

fn request(user: &str) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([7; 12]);
    message.extend([0, 6, 0, u8::try_from(user.len()).expect("short")]);
    message.extend(user.bytes());
    message.resize(message.len().next_multiple_of(4), 0);
    let length = u16::try_from(message.len() - 20).expect("short");
    message[2..4].copy_from_slice(&length.to_be_bytes());
    let framed = u16::try_from(message.len()).expect("short");
    [&framed.to_be_bytes()[..], &message].concat()
}

/// Waits until the relay closes the connection; answers with what it said before.
async fn closed(mut stream: TcpStream) -> Vec<u8> {
    let mut said = Vec::new();
    let ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut said)).await;
    // It may end with a reset: what was sent to it was never read.
    drop(ended.expect("it is closed in time"));
    said
}

async fn send(door: SocketAddr, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(door).await.expect("the relay listens");
    stream.write_all(bytes).await.expect("sent");
    stream
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_knows_no_password_is_closed_without_a_word_and_a_call_goes_on() {
    let relay = relay().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let door = relay.relay.tcp_addresses()[0];
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Page::join(&relay, &claims(SATO, PATIENT, FACE), Protocol::Tcp).await;
    let user = sato.answer.sdp.lines().find_map(|row| row.strip_prefix("a=ice-ufrag:"));
    let known = request(&format!("{}:page", user.expect("a user name")));
    while_doing(speak_and_show(&abe), async {
        let guests: [&[u8]; 5] =
            [&request("nobody:page"), &known, b"GET / HTTP/1.1\r\n\r\n", &[0, 20], &[]];
        let mut ends = tokio::task::JoinSet::new();
        for bytes in guests {
            let stream = send(door, bytes).await;
            ends.spawn(closed(stream));
        }
        for said in ends.join_all().await {
            assert!(said.is_empty(), "{said:x?}");
        }
        while sato.came.try_recv().is_ok() {}
        sato.gets(20, 5).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_has_so_many_connections_and_no_more() {
    const OF_ONE_MAX: usize = 256;
    let relay = relay().await;
    let door = relay.relay.tcp_addresses()[0];
    let mut open = Vec::new();
    for _ in 0..OF_ONE_MAX {
        open.push(TcpStream::connect(door).await.expect("there is room"));
    }
    let one_more = TcpStream::connect(door).await.expect("accepted by the kernel");
    let soon = tokio::time::timeout(Duration::from_secs(5), closed(one_more)).await;
    assert_eq!(soon.expect("closed at once"), b"");
}
