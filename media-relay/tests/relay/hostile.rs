//! Who is not asked to the media port: forged handshakes and floods, with an honest call beside
//! them that must not notice.

use crate::call::{packets, speak_and_show, while_doing_for};
use crate::counts::{count, recorder};
use crate::page::{Joined, Page};
use crate::peer::{Peer, Sort};
use crate::stage::{ABE, FACE, GATEWAY, ITO, PATIENCE, SATO, TestRelay, claims};
use crate::thin::collect;
use minato_protocol::media::{JoinOffer, PartyRole};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use str0m::net::Protocol;
use tokio::net::UdpSocket;

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;
const UNVERIFIED: &str = "minato_relay_dropped_total{reason=\"dtls_unverified\"}";
/// A fatal alert without any protection (RFC 6347 §4.1.2.7): whoever believes it hangs up.
const ALERT: [u8; 15] = [21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2, 2, 40];
/// The call's longest silence.
const GAP_MAX: Duration = Duration::from_secs(1);

/// A Binding request for a session, by somebody who knows its name and not its password.
fn forged_request(user: &str) -> Vec<u8> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([9; 12]);
    message.extend([0, 6, 0, u8::try_from(user.len()).expect("short")]);
    message.extend(user.bytes());
    message.resize(message.len().next_multiple_of(4), 0);
    message.extend([0, 0x24, 0, 4, 0x6e, 0, 0x1e, 0xff]);
    message.extend([0x80, 0x2a, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    message.extend([0, 8, 0, 20]);
    message.extend([0x55; 20]);
    let length = u16::try_from(message.len() - 20).expect("short");
    message[2..4].copy_from_slice(&length.to_be_bytes());
    message
}

fn user(sdp: &str) -> String {
    let user = sdp.lines().find_map(|row| row.strip_prefix("a=ice-ufrag:"));
    format!("{}:page", user.expect("a user name"))
}

/// Waits until the relay has dropped so many more than before.
async fn dropped(before: f64, more: f64) {
    let until = Instant::now() + PATIENCE;
    while count(UNVERIFIED) < before + more {
        assert!(Instant::now() < until, "{} of {more}", count(UNVERIFIED) - before);
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dtls_from_elsewhere_than_the_verified_pair_goes_nowhere_and_the_call_stays() {
    recorder();
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO, ITO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Page::join(&relay, &claims(SATO, PATIENT, FACE), Protocol::Udp).await;
    let ito = Joined::new(&relay, &claims(ITO, PATIENT, FACE), Protocol::Udp).await;
    let rogue = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    rogue.connect(relay.relay.media_addresses()[0]).await.expect("loopback");
    let mut flights = sato.flights.lock().expect("whole").clone();
    assert!(!flights.is_empty(), "a handshake was had");
    flights.push(ALERT.to_vec());
    while_doing_for(PATIENCE * 2, speak_and_show(&abe), async {
        sato.gets(10, 2).await;
        let before = count(UNVERIFIED);
        for flight in &flights {
            rogue.send(flight).await.expect("sent");
        }
        dropped(before, flights.len() as f64).await;
        // The name of a session alone opens nothing, neither of one in a call nor of one to come.
        for sdp in [&sato.answer.sdp, &ito.answer.sdp] {
            let before = count(UNVERIFIED);
            rogue.send(&forged_request(&user(sdp))).await.expect("sent");
            for flight in &flights {
                rogue.send(flight).await.expect("sent");
            }
            // One flight of an unproved address is kept for when it proves itself.
            dropped(before, flights.len() as f64 - 1.0).await;
        }
        let mut answer = [0; 2_048];
        assert!(rogue.try_recv(&mut answer).is_err(), "nobody there is answered");
        while sato.came.try_recv().is_ok() {}
        sato.gets(50, 20).await;
        let mut ito = Box::pin(ito.begin()).await;
        ito.gets(20, 5).await;
    })
    .await;
}

/// Packets of every kind that are none.
fn malformed(number: u64) -> Vec<u8> {
    const BEGINNINGS: [&[u8]; 12] = [
        &[0x80, 111],
        &[0x90, 0xe0, 0, 1],
        &[0xbf, 96],
        &[0x80, 63, 0, 1, 0, 0, 0, 0, 0, 0, 3, 0xe8, 0xff],
        &[0x81, 200, 0xff, 0xff],
        &[0x8f, 205, 0, 0],
        &[0x9f, 203, 0, 200],
        &[0x81, 206, 0, 2],
        &[0x8f, 205, 0, 5, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0xff, 0xff],
        &[22, 0xfe, 0xfd],
        &[0, 1, 0, 0xfc, 0x21, 0x12, 0xa4, 0x42],
        &[0xff],
    ];
    let kind = usize::try_from(number).unwrap_or_default() % BEGINNINGS.len();
    let mut packet = BEGINNINGS[kind].to_vec();
    let length = number.wrapping_mul(7_919) % 1_300;
    packet.extend((0..length).map(|at| (at * 31 + number).to_le_bytes()[0]));
    packet
}

/// How often the floods send a burst, from outside and from inside: together some 25,000 packets a
/// second, far more than all pages of a clinic.
const BURST_EVERY: Duration = Duration::from_millis(10);
const BURSTS: (u64, u64) = (200, 50);

/// Speaks and shows, and remembers the longest pause it made itself: on a busy machine that is not
/// the relay's.
async fn speak_and_remember(peer: &Peer, pause_ms: &AtomicU64) {
    let mut last = Instant::now();
    for number in 0.. {
        peer.speak(number).await;
        peer.show(number, number % 10 == 0).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let pause = u64::try_from(last.elapsed().as_millis()).expect("short");
        pause_ms.fetch_max(pause, Ordering::Relaxed);
        last = Instant::now();
    }
}

/// Sends until it is told to stop. Gives how much it sent.
fn flood(to: SocketAddr, stop: Arc<AtomicBool>) -> std::thread::JoinHandle<u64> {
    std::thread::spawn(move || {
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let mut sent = 0;
        while !stop.load(Ordering::Relaxed) {
            sent += u64::from(socket.send_to(&malformed(sent), to).is_ok());
            if sent.is_multiple_of(BURSTS.0) {
                std::thread::sleep(BURST_EVERY);
            }
        }
        sent
    })
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("a Linux machine");
    let row = status.lines().find_map(|row| row.strip_prefix("VmRSS:")).expect("it is told");
    let kilobytes: u64 = row.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1_024
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_of_malformed_media_and_offers_leave_a_call_up_and_memory_bounded() {
    const ROOM: u64 = 100 * 1_024 * 1_024;
    let relay = Arc::new(TestRelay::alone().await);
    relay.signaling().await.desire(&[ABE, SATO, ITO, GATEWAY]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    // Somebody who is in the call and sends nonsense: the worst place for it to come from.
    let ito = Page::join(&relay, &claims(ITO, PATIENT, FACE), Protocol::Udp).await;
    let stop = Arc::new(AtomicBool::new(false));
    let offers = Arc::new(AtomicU64::new(0));
    let pause_ms = AtomicU64::new(0);
    while_doing_for(PATIENCE * 3, speak_and_remember(&abe, &pause_ms), async {
        packets(&sato, "slot0", 10).await;
        pause_ms.store(0, Ordering::Relaxed);
        let before = resident_bytes();
        let outside = flood(relay.relay.media_addresses()[0], stop.clone());
        let (inside, stopped) = (ito.beside.clone(), stop.clone());
        let inside = tokio::spawn(async move {
            let mut sent = 0;
            while !stopped.load(Ordering::Relaxed) {
                inside.send(malformed(sent)).await.expect("it lives");
                sent += 1;
                if sent.is_multiple_of(BURSTS.1) {
                    tokio::time::sleep(BURST_EVERY).await;
                }
            }
            sent
        });
        let (asked, told, stopped) = (relay.clone(), offers.clone(), stop.clone());
        let asking = tokio::spawn(async move {
            while !stopped.load(Ordering::Relaxed) {
                let number = told.fetch_add(1, Ordering::Relaxed);
                let body = serde_json::to_vec(&JoinOffer { sdp: malformed_offer(number) });
                let claims = claims(GATEWAY, PATIENT, FACE);
                asked.post(&claims, body.expect("JSON")).await;
            }
        });
        let (sounds, pictures, silence) = collect(&sato, Duration::from_secs(6)).await;
        let after = resident_bytes();
        stop.store(true, Ordering::Relaxed);
        asking.await.expect("it was answered each time");
        let inside = inside.await.expect("it lives");
        let outside = outside.join().expect("it lives");
        let offers = offers.load(Ordering::Relaxed);
        println!(
            "{outside} packets from outside, {inside} from inside, {offers} offers: {} sounds, {} \
             pictures, longest silence {silence:?}, {} more bytes",
            sounds.len(),
            pictures.len(),
            after.saturating_sub(before),
        );
        assert!(outside > 1_000 && inside > 100 && offers > 10);
        let own_pause = Duration::from_millis(pause_ms.load(Ordering::Relaxed));
        assert!(silence <= GAP_MAX + own_pause, "{silence:?}, of which {own_pause:?} before it");
        assert!(after.saturating_sub(before) < ROOM);
    })
    .await;
}

/// An offer with something wrong, another thing each time.
fn malformed_offer(number: u64) -> String {
    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1\r\n\
        m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendonly\r\n\
        a=rtpmap:111 opus/48000/2\r\na=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
        a=fingerprint:sha-256 11:22\r\na=setup:actpass\r\na=rtcp-mux\r\n\
        m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:1\r\na=sendonly\r\n\
        a=rtpmap:96 VP8/90000\r\na=rid:q send\r\na=simulcast:send q\r\n";
    let mut bytes = OFFER.as_bytes().to_vec();
    let at = usize::try_from(number).unwrap_or_default() * 37 % bytes.len();
    match number % 4 {
        0 => bytes.truncate(at),
        1 => bytes[at] = b'a' + u8::try_from(number % 26).unwrap_or_default(),
        2 => bytes.extend_from_slice(&OFFER.as_bytes()[at..].repeat(60)),
        _ => drop(bytes.drain(at..(at + 20).min(OFFER.len()))),
    }
    String::from_utf8(bytes).expect("ascii")
}
