//! The relay's door: who is refused, with which words, and that no refused one does any harm.

use crate::peer::{Peer, Sort};
use crate::stage::{ABE, FACE, PATIENCE, SATO, TestRelay, VISIT, claims, wall};
use axum::http::{Method, StatusCode, header};
use minato_protocol::Timestamp;
use minato_protocol::media::{JoinOffer, MediaClaims, PartyRole, RelayCode, SessionStats, ToRelay};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;

/// An offer of a data channel, as a browser writes it.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
    a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:\
    88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";

fn json(sdp: &str) -> Vec<u8> {
    serde_json::to_vec(&JoinOffer { sdp: sdp.to_owned() }).expect("JSON")
}

async fn refused(relay: &TestRelay, claims: &MediaClaims) -> RelayCode {
    relay.post(claims, json(OFFER)).await.refusal()
}

#[tokio::test]
async fn a_token_opens_one_session() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    let claims = claims(ABE, DOCTOR, FACE);
    assert_eq!(relay.post(&claims, json(OFFER)).await.status, StatusCode::CREATED);
    assert_eq!(refused(&relay, &claims).await, RelayCode::TokenReplayed);
}

#[tokio::test]
async fn a_token_past_its_end_or_of_another_key_or_of_a_former_claim_is_refused() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let late = MediaClaims { not_after: Timestamp(wall() - 6_000), ..claims(ABE, DOCTOR, FACE) };
    assert_eq!(refused(&relay, &late).await, RelayCode::TokenExpired);
    let long = MediaClaims { not_after: Timestamp(wall() + 90_000), ..claims(ABE, DOCTOR, FACE) };
    assert_eq!(refused(&relay, &long).await, RelayCode::TokenTooLong);
    let now = MediaClaims { claim_epoch: 4, ..claims(ABE, DOCTOR, FACE) };
    assert_eq!(relay.post(&now, json(OFFER)).await.status, StatusCode::CREATED);
    assert_eq!(refused(&relay, &claims(SATO, PATIENT, FACE)).await, RelayCode::TokenStale);
    let mut token = relay.token(&claims(ABE, DOCTOR, FACE)).into_bytes();
    token[10] ^= 1;
    let token = String::from_utf8(token).expect("ascii");
    let answer =
        relay.ask(Method::POST, "/relay/sessions", &token, "application/json", json(OFFER)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.refusal(), RelayCode::TokenSignature);
    let none = relay.ask(Method::POST, "/relay/sessions", "", "application/json", "{}").await;
    assert_eq!(none.refusal(), RelayCode::TokenMalformed);
}

#[tokio::test]
async fn who_is_not_on_the_list_is_refused_after_a_short_wait() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    let start = Instant::now();
    assert_eq!(refused(&relay, &claims(SATO, PATIENT, FACE)).await, RelayCode::NotDesired);
    let waited = start.elapsed();
    assert!(waited > Duration::from_secs(1) && waited < Duration::from_secs(4), "{waited:?}");
}

#[tokio::test]
async fn a_token_that_overtakes_its_list_gets_in_when_the_list_comes() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE]).await;
    let claims = claims(SATO, PATIENT, FACE);
    let (answer, ()) = tokio::join!(relay.post(&claims, json(OFFER)), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        signaling.desire(&[ABE, SATO]).await;
    });
    assert_eq!(answer.status, StatusCode::CREATED);
}

#[tokio::test]
async fn without_signaling_its_last_list_decides() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    let listed = relay.post(&claims(ABE, DOCTOR, FACE), json(OFFER)).await;
    assert_eq!(listed.status, StatusCode::CREATED);
    assert_eq!(refused(&relay, &claims(SATO, PATIENT, FACE)).await, RelayCode::NotDesired);
}

#[tokio::test]
async fn a_relay_that_drains_is_alive_and_not_ready() {
    let relay = TestRelay::start().await.relay;
    assert!(relay.is_alive() && relay.is_ready());
    tokio::join!(relay.drain(PATIENCE), async {
        assert!(relay.is_alive() && !relay.is_ready());
    });
    relay.stop().await;
    assert!(!relay.is_alive());
}

#[tokio::test]
async fn a_relay_that_drains_takes_nobody_new() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    let claims = claims(ABE, DOCTOR, FACE);
    let ((), code) = tokio::join!(relay.relay.drain(PATIENCE), refused(&relay, &claims));
    assert_eq!(code, RelayCode::Unavailable);
}

#[tokio::test]
async fn a_visit_holds_six_people() {
    let relay = TestRelay::start().await;
    let people: Vec<_> = (1..=7).map(minato_protocol::ParticipantId).collect();
    relay.signaling().await.desire(&people).await;
    for person in &people[..6] {
        let answer = relay.post(&claims(*person, DOCTOR, FACE), json(OFFER)).await;
        assert_eq!(answer.status, StatusCode::CREATED);
    }
    assert_eq!(refused(&relay, &claims(people[6], DOCTOR, FACE)).await, RelayCode::VisitFull);
}

#[tokio::test]
async fn a_body_that_is_too_large_or_no_offer_is_refused() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    let fresh = || claims(ABE, DOCTOR, FACE);
    let large = relay.post(&fresh(), json(&"a".repeat(70_000))).await;
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(large.refusal(), RelayCode::BodyTooLarge);
    let huge = relay.post(&fresh(), vec![b' '; 2_000_000]).await;
    assert_eq!(huge.refusal(), RelayCode::BodyTooLarge);
    assert_eq!(relay.post(&fresh(), "{}").await.refusal(), RelayCode::BodyInvalid);
    let token = relay.token(&fresh());
    let text = relay.ask(Method::POST, "/relay/sessions", &token, "text/plain", OFFER).await;
    assert_eq!(text.refusal(), RelayCode::BodyInvalid);
    let no_fingerprint = OFFER.replace("a=fingerprint", "a=nothing");
    let many = format!("{OFFER}{}", "m=audio 9 X 1\r\na=mid:1\r\n".repeat(100));
    for garbage in ["", "hello", "m=", "v=0\r\nm=audio\r\na=mid:0\r\n", &no_fingerprint, &many] {
        let answer = relay.post(&fresh(), json(garbage)).await;
        assert_eq!(answer.refusal(), RelayCode::SdpInvalid, "{garbage}");
    }
}

#[tokio::test]
async fn a_client_of_bare_sdp_joins_and_leaves() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    let token = relay.token(&claims(ABE, DOCTOR, FACE));
    let answer = relay.ask(Method::POST, "/relay/sessions", &token, "application/sdp", OFFER).await;
    assert_eq!(answer.status, StatusCode::CREATED);
    assert!(answer.body.starts_with(b"v=0"));
    let location = answer.headers[header::LOCATION].to_str().expect("ascii");
    let secret = answer.headers["session-secret"].to_str().expect("ascii");
    let stats = format!("{location}/stats");
    let stats = relay.ask(Method::GET, &stats, secret, "", "").await;
    assert!(!stats.json::<SessionStats>().connected);
    let wrong = relay.ask(Method::DELETE, location, "wrong", "", "").await;
    assert_eq!(wrong.refusal(), RelayCode::SecretWrong);
    let gone = relay.ask(Method::DELETE, location, secret, "", "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    let again = relay.ask(Method::DELETE, location, secret, "", "").await;
    assert_eq!(again.refusal(), RelayCode::SessionUnknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn garbage_on_every_door_leaves_an_honest_call_alone() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let media = relay.relay.media_addresses()[0];
    for number in 0u32..4_000 {
        let first = [0, 0, 22, 128, 200, 1][number as usize % 6];
        let mut datagram = vec![first, 1, 0, 8, 0x21, 0x12, 0xa4, 0x42];
        let noise = (0..number % 1_400).map(|i| (i * 31 + number).to_le_bytes()[0]);
        datagram.extend(noise);
        socket.send_to(&datagram, media).await.expect("sent");
    }
    let path = format!("/relay/sessions/{}", sato.session.session);
    let other_lines = relay
        .ask(Method::PATCH, &path, &sato.session.secret, "application/json", json(OFFER))
        .await;
    assert_eq!(other_lines.refusal(), RelayCode::SdpInvalid);
    let stolen = relay.ask(Method::PATCH, &path, "wrong", "application/json", json(OFFER)).await;
    assert_eq!(stolen.refusal(), RelayCode::SecretWrong);
    let ghost = ToRelay::Close { visit: minato_protocol::VisitId(VISIT.0 + 1) };
    signaling.say(&ghost).await;
    for number in 0..50 {
        abe.speak(number).await;
    }
    let heard = async { sato.arrived.lock().await.recv().await };
    let heard = tokio::time::timeout(PATIENCE, heard).await.expect("in time");
    assert_eq!(heard.expect("the peer lives").stream, "slot0");
}
