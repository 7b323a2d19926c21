//! Thin and changing links: what a page on one is given, that nobody else notices, and that
//! media finds a page that moves.

use crate::call::{speak_and_show, while_doing, while_doing_for};
use crate::link::Link;
use crate::peer::{Peer, Sort};
use crate::stack::{OPUS_PT, RED_PT, VP8_PT};
use crate::stage::{ABE, BOX, FACE, GATEWAY, ITO, PATIENCE, SATO, TestRelay, claims};
use axum::http::Method;
use minato_protocol::media::{
    Cause, GivenUp, LadderStep, PartyRole, SessionStats, SlotMap, VideoWish,
};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;

/// Sequence numbers of sound and of pictures that arrive within a time, and the longest silence.
pub(crate) async fn collect(peer: &Peer, lasting: Duration) -> (Vec<u16>, Vec<u16>, Duration) {
    let mut arrived = peer.arrived.lock().await;
    let (mut sounds, mut pictures) = (Vec::new(), Vec::new());
    let (mut last, mut silence) = (Instant::now(), Duration::ZERO);
    let end = tokio::time::Instant::now() + lasting;
    while let Ok(Some(next)) = tokio::time::timeout_at(end, arrived.recv()).await {
        let header = &next.packet.header;
        match header.payload_type {
            OPUS_PT | RED_PT => {
                silence = silence.max(last.elapsed());
                last = Instant::now();
                sounds.push(header.sequence_number);
            }
            VP8_PT if !next.packet.payload.is_empty() => pictures.push(header.sequence_number),
            _ => {}
        }
    }
    (sounds, pictures, silence.max(last.elapsed()))
}

/// How many of the packets between the first and the last never came, and how many there are.
fn missing(mut sequence: Vec<u16>) -> (usize, usize) {
    sequence.sort_unstable();
    sequence.dedup();
    let whole = usize::from(sequence[sequence.len() - 1] - sequence[0]) + 1;
    (whole - sequence.len(), whole)
}

async fn stats(relay: &TestRelay, peer: &Peer) -> SessionStats {
    let path = format!("/relay/sessions/{}/stats", peer.session.session);
    relay.ask(Method::GET, &path, &peer.session.secret, "", "").await.json()
}

fn gaps(sequence: &[u16]) -> usize {
    sequence.windows(2).filter(|pair| pair[1] != pair[0].wrapping_add(1)).count()
}

/// A call in which a link stands between the relay and the patient.
async fn doctor_and_patient_over_a_link(patient: Sort) -> (TestRelay, Link, Peer, Peer) {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let link = Link::to(relay.relay.media_addresses()[0]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = claims(SATO, PATIENT, FACE);
    let sato = Peer::join_over_as(&link, &relay, &sato, patient).await;
    (relay, link, abe, sato)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_on_a_thin_link_keeps_sound_is_told_what_is_missing_and_harms_nobody() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO, ITO]).await;
    let link = Link::to(relay.relay.media_addresses()[0]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    abe.picture_bytes = 900;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let mut ito = Peer::join_over(&link, &relay, &claims(ITO, PATIENT, FACE)).await;
    // A link that was once taken for a thin one is tried again step by step.
    while_doing_for(PATIENCE * 5, speak_and_show(&abe), async {
        // The relay finds out what the links carry.
        for peer in [&ito, &sato] {
            while collect(peer, Duration::from_secs(1)).await.1.len() < 30 {}
        }
        while stats(&relay, &ito).await.step < LadderStep::Full {
            collect(&ito, Duration::from_secs(1)).await;
        }
        link.narrow(100_000);
        let narrow = Instant::now();
        while stats(&relay, &ito).await.step > LadderStep::Stills {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        println!("no moving picture is sent after {:?}", narrow.elapsed());
        let told = ito.sees(|map| map.reduced.is_some()).await;
        let reduced = told.reduced.expect("told");
        assert!(reduced.step <= LadderStep::Stills, "{reduced:?}");
        assert_ne!(reduced.because, Cause::Pinned);
        let slot = told.slots.iter().find(|slot| slot.participant == ABE).expect("in a slot");
        assert_eq!((slot.video, slot.given_up), (true, Some(GivenUp::Picture)));
        let wanted = abe.maps.borrow().wanted.expect("somebody sees the camera");
        assert_eq!(wanted.video, VideoWish::Half, "for the page that has room");
        // What waits in the pacer goes out at the pace of the thin link.
        collect(&ito, Duration::from_secs(4)).await;
        collect(&sato, Duration::from_millis(1)).await;
        let lasting = Duration::from_secs(3);
        let (thin, good) = tokio::join!(collect(&ito, lasting), collect(&sato, lasting));
        assert_eq!(thin.1.len(), 0, "no picture is sent in vain");
        assert!(thin.0.len() > 110 && gaps(&thin.0) < 8, "{} {}", thin.0.len(), gaps(&thin.0));
        assert!(good.0.len() > 110 && good.1.len() > 110, "{} {}", good.0.len(), good.1.len());
        assert_eq!((gaps(&good.0), gaps(&good.1)), (0, 0));
        assert!(good.2 < Duration::from_millis(200), "{:?}", good.2);
    })
    .await;
    let stats = stats(&relay, &ito).await;
    assert!(stats.estimate_bps.is_some_and(|bps| bps < 300_000), "{stats:?}");
    assert!(stats.step <= LadderStep::Stills);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_without_room_for_waves_is_told_that_they_wait() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO, GATEWAY]).await;
    let link = Link::to(relay.relay.media_addresses()[0]).await;
    let mut abe = Peer::join_over(&link, &relay, &claims(ABE, DOCTOR, FACE)).await;
    let sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let gateway =
        Peer::join(&relay, &claims(GATEWAY, PartyRole::Gateway, BOX), Sort::DataOnly).await;
    let measure = async {
        loop {
            gateway.wave(&[7; 800]).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let both = async {
        tokio::join!(measure, speak_and_show(&sato));
    };
    while_doing_for(PATIENCE * 3, both, async {
        while collect(&abe, Duration::from_secs(1)).await.1.len() < 30 {}
        assert!(!abe.maps.borrow().waves_wait);
        link.narrow(60_000);
        abe.sees(|map| map.waves_wait).await;
        abe.sees(|map| map.reduced.is_some()).await;
        link.narrow(5_000_000);
        let mut maps = abe.maps.clone();
        maps.wait_for(|map| !map.waves_wait).await.expect("told");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_picture_does_not_go_out_is_told_so_until_it_does() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let mut abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let _sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let missing = |map: &SlotMap| map.wanted.and_then(|wanted| wanted.given_up);
    abe.sees(|map| map.wanted.is_some()).await;
    let told = abe.sees(|map| missing(map).is_some()).await;
    assert_eq!(missing(&told), Some(GivenUp::Picture), "nothing has been shown yet");
    assert_eq!(told.wanted.map(|wanted| wanted.own_link), Some(false), "its link has room");
    let mut maps = abe.maps.clone();
    while_doing(speak_and_show(&abe), async {
        maps.wait_for(|map| map.wanted.is_some() && missing(map).is_none()).await.expect("told");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_doctor_pins_what_a_page_gets_and_nobody_else_may() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let mut sato = Peer::join(&relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    while_doing(speak_and_show(&abe), async {
        sato.pin(SATO, Some(LadderStep::TextOnly)).await;
        abe.pin(SATO, Some(LadderStep::AudioOnly)).await;
        let told = sato.sees(|map| map.reduced.is_some()).await.reduced.expect("told");
        assert_eq!((told.step, told.because), (LadderStep::AudioOnly, Cause::Pinned));
        collect(&sato, Duration::from_millis(300)).await;
        let (sounds, pictures, _) = collect(&sato, Duration::from_secs(1)).await;
        assert!(sounds.len() > 30 && pictures.is_empty());
        abe.pin(SATO, None).await;
        sato.sees(|map| map.reduced.is_none()).await;
        let (_, pictures, _) = collect(&sato, Duration::from_secs(2)).await;
        assert!(!pictures.is_empty());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_finds_a_page_whose_address_changes_within_three_seconds() {
    let (_relay, link, abe, sato) = doctor_and_patient_over_a_link(Sort::Page).await;
    let both = async {
        tokio::join!(speak_and_show(&abe), speak_and_show(&sato));
    };
    while_doing(both, async {
        collect(&sato, Duration::from_secs(1)).await;
        for _ in 0..2 {
            link.roam().await;
            let (heard, seen) = tokio::join!(back(&sato), back(&abe));
            println!("back after {heard:?} at the page that moved, {seen:?} at the other");
            assert!(heard < Duration::from_secs(3) && seen < Duration::from_secs(3));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_begin_anew_with_a_keyframe_for_a_page_that_was_cut_off() {
    let (_relay, link, abe, sato) = doctor_and_patient_over_a_link(Sort::Page).await;
    let keyframe = AtomicBool::new(true);
    let show = async {
        for number in 0.. {
            // Sound comes from both: a page that is silent all the time is away all the time.
            abe.show(number, keyframe.swap(false, Ordering::Relaxed)).await;
            sato.speak(number).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    while_doing(show, async {
        let mut arrived = sato.arrived.lock().await;
        let first = arrived.recv().await.expect("the peer lives");
        assert_eq!(first.packet.payload[4] & 1, 0, "a keyframe");
        link.cut(true);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        while arrived.try_recv().is_ok() {}
        link.cut(false);
        tokio::time::sleep(Duration::from_millis(1_000)).await;
        keyframe.store(true, Ordering::Relaxed);
        let mut useless = 0;
        while arrived.recv().await.expect("the peer lives").packet.payload[4] & 1 == 1 {
            useless += 1;
        }
        // Until the relay has heard of it, which is soon; fifty were shown meanwhile.
        assert!(useless < 25, "{useless} pieces that nobody can decode");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sound_that_is_lost_on_the_way_to_the_relay_is_asked_for_again() {
    let (_relay, link, abe, sato) = doctor_and_patient_over_a_link(Sort::Page).await;
    let answer = &sato.session.sdp;
    let sections: Vec<_> = answer.split("\nm=audio").collect();
    assert!(sections[1].contains("a=rtcp-fb:111 nack"), "the microphone's line: {answer}");
    assert!(sections[2..].iter().all(|section| !section.contains("a=rtcp-fb:111 nack")));
    while_doing(speak_and_show(&sato), async {
        collect(&abe, Duration::from_secs(1)).await;
        link.lose(10, 0);
        let (sounds, ..) = collect(&abe, Duration::from_secs(5)).await;
        let (missing, whole) = missing(sounds);
        println!("{missing} of {whole} frames of sound are missing");
        assert!(whole > 150 && missing * 100 <= whole * 2, "{missing} of {whole}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_that_are_lost_on_the_way_to_a_page_are_sent_again_by_the_relay() {
    let (_relay, link, abe, sato) = doctor_and_patient_over_a_link(Sort::PatientPage).await;
    while_doing(speak_and_show(&abe), async {
        collect(&sato, Duration::from_secs(1)).await;
        link.lose(0, 10);
        let (_, pictures, _) = collect(&sato, Duration::from_secs(5)).await;
        let (missing, whole) = missing(pictures);
        println!("{missing} of {whole} pictures are missing");
        // Of one in ten that is lost, one in ten is lost again, and the last is still on its way.
        assert!(whole > 150 && missing * 100 <= whole * 4, "{missing} of {whole}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_that_loses_sound_is_sent_it_twice_and_another_page_is_not() {
    let relay = TestRelay::start().await;
    relay.signaling().await.desire(&[ABE, SATO, ITO]).await;
    let link = Link::to(relay.relay.media_addresses()[0]).await;
    let abe = Peer::join(&relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join_over(&link, &relay, &claims(SATO, PATIENT, FACE)).await;
    let ito = Peer::join(&relay, &claims(ITO, PATIENT, FACE), Sort::Page).await;
    while_doing(speak_and_show(&abe), async {
        collect(&sato, Duration::from_secs(1)).await;
        link.lose(0, 10);
        let mut arrived = sato.arrived.lock().await;
        let (mut packets, mut frames) = (0, BTreeSet::new());
        while packets < 200 {
            let next = arrived.recv().await.expect("the peer lives");
            if next.packet.header.payload_type != RED_PT {
                continue;
            }
            packets += 1;
            let time = next.packet.header.timestamp;
            // Each repetition has a header of four bytes, the frame itself one of one byte.
            let heads = next.packet.payload.chunks(4).take_while(|head| head[0] & 0x80 != 0);
            for head in heads {
                assert_eq!(head[0] & 0x7f, OPUS_PT);
                frames.insert(time - ((u32::from(head[1]) << 6) | (u32::from(head[2]) >> 2)));
            }
            frames.insert(time);
        }
        let first = *frames.first().expect("some");
        let whole = (frames.last().expect("some") - first) / 960 + 1;
        let missing = usize::try_from(whole).expect("few") - frames.len();
        println!("{missing} of {whole} frames of sound are missing, {packets} packets came");
        assert!(missing * 100 <= frames.len() * 4, "{missing} of {whole}");
        drop(arrived);
        let mut arrived = ito.arrived.lock().await;
        while let Ok(next) = arrived.try_recv() {
            assert_ne!(next.packet.header.payload_type, RED_PT, "nothing was lost here");
        }
    })
    .await;
}

/// How long it takes until a second of sound has come without a gap.
async fn back(peer: &Peer) -> Duration {
    let start = Instant::now();
    let mut arrived = peer.arrived.lock().await;
    // What came before the change.
    while arrived.try_recv().is_ok() {}
    let (mut since, mut count, mut last) = (start, 0, start);
    while count < 40 {
        let next = tokio::time::timeout(PATIENCE, arrived.recv()).await.expect("in time");
        if next.expect("the peer lives").packet.header.payload_type != VP8_PT {
            if last.elapsed() > Duration::from_millis(200) {
                (since, count) = (Instant::now(), 0);
            }
            (last, count) = (Instant::now(), count + 1);
        }
    }
    since.duration_since(start)
}
