//! The call itself: participants of an independent WebRTC stack meet through a real relay.

use crate::peer::{Arrived, Peer, Sort};
use crate::stack::{OPUS_PT, RED_PT, VP8_PT};
use crate::stage::{ABE, BOX, FACE, GATEWAY, PATIENCE, SATO, TestRelay, VISIT, claims};
use axum::http::Method;
use minato_protocol::media::{FromRelay, LeftReason, PartyRole, RelayCode, ToRelay};
use std::time::{Duration, Instant};

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;
const DEVICE: PartyRole = PartyRole::Gateway;

/// What a peer does until its test has seen enough.
pub(crate) async fn while_doing<T>(
    act: impl Future<Output = ()>,
    seen: impl Future<Output = T>,
) -> T {
    while_doing_for(PATIENCE, act, seen).await
}

pub(crate) async fn while_doing_for<T>(
    patience: Duration,
    act: impl Future<Output = ()>,
    seen: impl Future<Output = T>,
) -> T {
    tokio::select! {
        () = act => unreachable!("it goes on"),
        seen = tokio::time::timeout(patience, seen) => seen.expect("it is seen in time"),
    }
}

pub(crate) async fn speak_and_show(peer: &Peer) {
    for number in 0.. {
        peer.speak(number).await;
        peer.show(number, number % 10 == 0).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// What arrives in a stream until there are so many of sounds and of pictures.
pub(crate) async fn packets(
    peer: &Peer,
    stream: &str,
    count: usize,
) -> (Vec<Arrived>, Vec<Arrived>) {
    let mut arrived = peer.arrived.lock().await;
    let (mut sounds, mut pictures) = (Vec::new(), Vec::new());
    while sounds.len() < count || pictures.len() < count {
        let packet = arrived.recv().await.expect("the peer lives");
        if packet.stream == stream {
            match packet.packet.header.payload_type {
                // Probes that carry no media are lost to this stack: sound may be sent with copies.
                OPUS_PT | RED_PT => sounds.push(packet),
                VP8_PT => pictures.push(packet),
                other => panic!("payload type {other} was never agreed"),
            }
        }
    }
    (sounds, pictures)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_learn_who_is_in_which_slot_and_signaling_learns_that_they_are_there() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE, SATO]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    assert_eq!(abe.session.slots, 5);
    let answer = &abe.session.sdp;
    assert!(!answer.contains("a=ice-lite"), "it speaks ICE in full: {answer}");
    assert!(answer.contains("useinbandfec=1"), "sound carries its own repair: {answer}");
    let map = abe.sees(|map| map.slots.len() == 1).await;
    assert_eq!((map.slots[0].participant, map.slots[0].role), (SATO, PATIENT));
    assert_eq!(sato.sees(|map| map.slots.len() == 1).await.slots[0].participant, ABE);
    let joined = FromRelay::Joined { visit: VISIT, participant: SATO };
    signaling.until(|said| *said == joined).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_and_picture_arrive_numbered_anew_from_the_first_keyframe_on() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    while_doing(speak_and_show(&abe), async {
        let (sounds, pictures) = packets(&sato, "slot0", 20).await;
        assert_eq!(sounds[0].packet.header.sequence_number, 1);
        assert!(sounds.iter().all(|sound| sound.packet.payload == [1, 2, 3][..]));
        let first = &pictures[0].packet;
        assert_eq!((first.header.sequence_number, first.payload[4] & 1), (1, 0), "a keyframe");
        for pair in pictures.windows(2) {
            let (old, new) = (&pair[0].packet.header, &pair[1].packet.header);
            assert_eq!(new.sequence_number, old.sequence_number + 1);
            assert_eq!(new.timestamp, old.timestamp + 3_000);
        }
        let map = sato.sees(|map| map.slots.iter().any(|slot| slot.audio && slot.video)).await;
        assert_eq!(map.slots[0].participant, ABE);
    })
    .await;
    sato.sees(|map| map.slots.iter().any(|slot| !slot.audio && !slot.video)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pieces_that_differ_by_a_byte_arrive_equally_long_and_the_picture_is_the_same() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let show = async {
        for number in 0.. {
            abe.show_in_pieces(number, &[200, 200, 201]).await;
            tokio::time::sleep(Duration::from_millis(33)).await;
        }
    };
    while_doing(show, async {
        let mut arrived = sato.arrived.lock().await;
        let mut sizes = Vec::new();
        // Where a picture came at two times, each part of it is cut for itself.
        while sizes != [201, 201, 199] {
            sizes.clear();
            let mut picture = Vec::new();
            for place in 0..3 {
                let packet = arrived.recv().await.expect("the peer lives").packet;
                assert_eq!(packet.header.sequence_number % 3, (1 + place) % 3, "in order");
                let body = &packet.payload[4..];
                sizes.push(body.len());
                picture.extend_from_slice(body);
            }
            let shown: Vec<u8> = (0..=250).cycle().take(601).collect();
            assert_eq!(picture, shown);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn waves_of_the_gateway_reach_everybody_who_may_receive() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO, GATEWAY]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let gateway = Peer::join(&relay, &claims(GATEWAY, DEVICE, BOX), Sort::DataOnly).await;
    abe.sees(|map| map.slots.len() == 1 && map.slots[0].participant == SATO).await;
    // A page without the right is not heard, nor is a message that is too large.
    abe.wave(b"from a page").await;
    gateway.wave(&[7; 5_000]).await;
    gateway.wave(b"pulse").await;
    assert_eq!(abe.next_wave().await, b"pulse"[..]);
    assert_eq!(sato.next_wave().await, b"pulse"[..]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_taken_off_the_list_is_out_within_two_seconds() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE, SATO]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    abe.sees(|map| map.slots.len() == 1).await;
    let start = Instant::now();
    signaling
        .say(&ToRelay::Desired { visit: VISIT, seq: 50, generation: 1, participants: vec![ABE] })
        .await;
    abe.sees(|map| map.slots.is_empty()).await;
    assert!(start.elapsed() < Duration::from_secs(2));
    let left = FromRelay::Left { visit: VISIT, participant: SATO, reason: LeftReason::Removed };
    let said = signaling.until(|s| *s == FromRelay::Applied { visit: VISIT, seq: 50 }).await;
    assert!(said.contains(&left), "{said:?}");
    sato.loses_its_channels().await;
    let stats = format!("/relay/sessions/{}/stats", sato.session.session);
    let stats = relay.ask(Method::GET, &stats, &sato.session.secret, "", "").await;
    assert_eq!(stats.refusal(), RelayCode::SessionUnknown);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_goes_on_and_restarts_ice_while_signaling_is_away() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    drop(signaling);
    while_doing(speak_and_show(&abe), async {
        packets(&sato, "slot0", 5).await;
        let old = sato.pc.local_description().await.expect("set").sdp;
        sato.restart(&relay).await;
        let new = sato.pc.local_description().await.expect("set").sdp;
        assert_ne!(user(&old), user(&new), "the restart was one");
        packets(&sato, "slot0", 100).await;
        sato.restart(&relay).await;
        packets(&sato, "slot0", 100).await;
    })
    .await;
}

fn user(sdp: &str) -> Option<&str> {
    sdp.lines().find(|row| row.starts_with("a=ice-ufrag:"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_is_loaded_again_takes_its_own_slot_over() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE, SATO]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut before = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    abe.sees(|map| map.slots.len() == 1).await;
    let after = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    before.loses_its_channels().await;
    while_doing(speak_and_show(&after), async {
        packets(&abe, "slot0", 5).await;
    })
    .await;
    assert_eq!(abe.sees(|map| map.slots.len() == 1).await.slots[0].index, 0);
    signaling.say(&ToRelay::Ping).await;
    let said = signaling.until(|said| *said == FromRelay::Pong).await;
    let gone = |said: &FromRelay| matches!(said, FromRelay::Left { .. });
    assert!(!said.iter().any(gone), "nobody left: {said:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_visit_is_empty_and_signaling_that_returns_is_told_who_is_there() {
    let relay = TestRelay::start().await;
    let mut signaling = relay.signaling().await;
    signaling.desire(&[ABE]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut again = relay.signaling().await;
    let hello = again.until(|said| matches!(said, FromRelay::Hello { .. })).await;
    let [FromRelay::Hello { present, media, .. }] = hello.as_slice() else {
        panic!("hello comes first: {hello:?}")
    };
    assert_eq!((present.len(), present[0].participant), (1, ABE));
    assert_eq!(media, &[relay.relay.media_addresses()[0].to_string()]);
    again.say(&ToRelay::Close { visit: VISIT }).await;
    abe.loses_its_channels().await;
}
