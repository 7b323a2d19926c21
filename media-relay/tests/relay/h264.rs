//! Pages whose browser has another codec than the rest.

use crate::call::{speak_and_show, while_doing};
use crate::peer::{Peer, Sort};
use crate::stack::{H264_PT, OPUS_PT};
use crate::stage::{ABE, FACE, ITO, PATIENCE, SATO, TestRelay, claims};
use minato_protocol::media::{GivenUp, PartyRole};

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn h264_reaches_who_has_it_from_its_parameters_on_and_others_are_told() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO, ITO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::H264Page).await;
    let mut sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::H264Page).await;
    let mut ito = Peer::join(&relay, &claims(ITO, PATIENT, FACE), Sort::Page).await;
    while_doing(speak_and_show(&abe), async {
        let mut arrived = sato.arrived.lock().await;
        let mut pictures = Vec::new();
        while pictures.len() < 30 {
            let next = arrived.recv().await.expect("the peer lives").packet;
            if next.header.payload_type == H264_PT && !next.payload.is_empty() {
                pictures.push(next);
            }
        }
        drop(arrived);
        assert_eq!(pictures[0].payload[..5], [0x78, 0, 2, 0x67, 1], "it begins with parameters");
        assert_eq!(pictures[0].header.sequence_number, 1);
        for pair in pictures.windows(2) {
            let (old, new) = (&pair[0].header, &pair[1].header);
            assert_eq!(new.sequence_number, old.sequence_number + 1);
            assert_eq!(new.timestamp, old.timestamp + 3_000);
        }
        let map = sato.sees(|map| map.slots.iter().any(|slot| slot.video)).await;
        assert!(map.slots.iter().all(|slot| slot.given_up.is_none()), "{map:?}");
        let told = ito.sees(|map| map.slots.iter().any(|slot| slot.video)).await;
        let slot = told.slots.iter().find(|slot| slot.participant == ABE).expect("in a slot");
        assert_eq!(slot.given_up, Some(GivenUp::Codec));
        assert_eq!(told.reduced, None, "it is not the link's fault");
        let mut arrived = ito.arrived.lock().await;
        for _ in 0..60 {
            let next = tokio::time::timeout(PATIENCE, arrived.recv()).await.expect("in time");
            let next = next.expect("the peer lives").packet;
            assert_eq!(next.header.payload_type, OPUS_PT, "sound and nothing else");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_has_both_is_asked_for_vp8() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE]).await;
    // Offered the other way round.
    let rows = |pt, name| format!("a=rtpmap:{pt} {name}/90000\r\n");
    let fmtp = "a=fmtp:102 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";
    let offer = format!(
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
         m=video 9 UDP/TLS/RTP/SAVPF 102 96\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n\
         a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
         a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:\
         77:88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:0\r\na=sendonly\r\n\
         {}{fmtp}\r\n{}a=ssrc:7 cname:x\r\n",
        rows(102, "H264"),
        rows(96, "VP8")
    );
    let body = serde_json::to_vec(&minato_protocol::media::JoinOffer { sdp: offer }).expect("JSON");
    let answer = relay.post(&claims(ABE, DOCTOR, FACE), body).await;
    let answer: minato_protocol::media::JoinAnswer = answer.json();
    let line = answer.sdp.lines().find(|row| row.starts_with("m=video")).expect("a picture's line");
    let types: Vec<_> = line.split(' ').skip(3).collect();
    assert_eq!(types.first(), Some(&"96"), "{line}");
    assert!(types.contains(&"102"), "{line}");
}
