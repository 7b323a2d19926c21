//! Still pictures where nothing else of a picture can be given.

use crate::call::{speak_and_show, while_doing};
use crate::peer::{Peer, Sort};
use crate::stage::{ABE, FACE, ITO, PATIENCE, SATO, TestRelay, claims};
use minato_protocol::Timestamp;
use minato_protocol::media::{
    GivenUp, LadderStep, PartyRole, STILL_GAP_MS, STILL_PIECE_BYTES_MAX, SlotMap, StillPiece,
    VideoWish, still_of,
};
use std::time::Duration;

const DOCTOR: PartyRole = PartyRole::Doctor;
const PATIENT: PartyRole = PartyRole::Patient;

fn piece(taken: i64, index: u8) -> StillPiece<'static> {
    StillPiece { taken: Timestamp(taken), index, count: 2, jpeg: &[0xff, 0xd8, 0xff] }
}

async fn next_still(peer: &Peer) -> Vec<u8> {
    let still = async { peer.stills.lock().await.recv().await };
    let still = tokio::time::timeout(PATIENCE, still).await.expect("a piece in time");
    still.expect("the peer lives").to_vec()
}

/// Waits for a slot map, beside somebody else who uses the peer.
async fn sees(peer: &Peer, wanted: impl Fn(&SlotMap) -> bool) -> SlotMap {
    let mut maps = peer.maps.clone();
    let seen = tokio::time::timeout(PATIENCE, maps.wait_for(|map| wanted(map))).await;
    seen.expect("the map comes in time").expect("the peer lives").clone()
}

/// Begins newer and newer stills until one is let through; none before `first` may be.
async fn gets_through(from: &Peer, to: &Peer, first: i64) -> i64 {
    let mut stills = to.stills.lock().await;
    for taken in first.. {
        from.still(piece(taken, 0)).await;
        let wait = Duration::from_millis(STILL_GAP_MS / 4);
        if let Ok(still) = tokio::time::timeout(wait, stills.recv()).await {
            let still = still.expect("the peer lives");
            let came = (first..=taken).find(|t| still[..] == still_of(ABE, &piece(*t, 0).write()));
            return came.expect("one of these");
        }
    }
    unreachable!("there is always a newer one")
}

/// Three people, of whom the second is given stills by the first's choice.
async fn three(relay: &TestRelay) -> [Peer; 3] {
    relay.signaling().await.desire(&[ABE, SATO, ITO]).await;
    let abe = Peer::join(relay, &claims(ABE, DOCTOR, FACE), Sort::Page).await;
    let sato = Peer::join(relay, &claims(SATO, PATIENT, FACE), Sort::Page).await;
    let ito = Peer::join(relay, &claims(ITO, PATIENT, FACE), Sort::Page).await;
    [abe, sato, ito]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stills_reach_the_page_on_their_step_and_nobody_else() {
    let relay = TestRelay::start().await;
    let [abe, sato, ito] = three(&relay).await;
    while_doing(speak_and_show(&abe), async {
        sees(&sato, |map| map.slots.len() == 2).await;
        assert!(!sees(&abe, |map| map.wanted.is_some()).await.wanted.is_some_and(|w| w.stills));
        // Nobody is on that step yet. When what the page says next was heard, this was, too.
        abe.still(piece(1, 0)).await;
        abe.pin(ITO, Some(LadderStep::AudioOnly)).await;
        sees(&ito, |map| map.reduced.is_some()).await;
        abe.pin(ITO, None).await;
        abe.pin(SATO, Some(LadderStep::Stills)).await;
        let kept_back = Some(GivenUp::Picture);
        sees(&sato, |map| map.slots.iter().any(|slot| slot.given_up == kept_back)).await;
        sees(&abe, |map| map.wanted.is_some_and(|wanted| wanted.stills)).await;
        // The rest of one that began before is of no use to anybody.
        abe.still(piece(1, 1)).await;
        let taken = gets_through(&abe, &sato, 2).await;
        abe.still(piece(taken, 1)).await;
        assert_eq!(next_still(&sato).await, still_of(ABE, &piece(taken, 1).write()));
        // Who wants no picture of somebody gets no still of them either.
        sato.want(ABE, VideoWish::Off).await;
        sees(&abe, |map| map.wanted.is_some_and(|wanted| !wanted.stills)).await;
        abe.still(piece(1_000, 0)).await;
        abe.pin(SATO, Some(LadderStep::TextOnly)).await;
        let silent = |map: &SlotMap| map.reduced.is_some_and(|r| r.step == LadderStep::TextOnly);
        sees(&sato, silent).await;
        sato.want(ABE, VideoWish::Half).await;
        abe.pin(SATO, Some(LadderStep::Stills)).await;
        sees(&abe, |map| map.wanted.is_some_and(|wanted| wanted.stills)).await;
        gets_through(&abe, &sato, 1_001).await;
    })
    .await;
    assert!(ito.stills.lock().await.try_recv().is_err(), "its line carries pictures");
    assert!(abe.stills.lock().await.try_recv().is_err(), "nobody gets the own one back");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_still_out_of_bounds_is_dropped_and_the_call_goes_on() {
    let relay = TestRelay::start().await;
    let [abe, sato, _ito] = three(&relay).await;
    while_doing(speak_and_show(&abe), async {
        abe.pin(SATO, Some(LadderStep::Stills)).await;
        sees(&abe, |map| map.wanted.is_some_and(|wanted| wanted.stills)).await;
        let jpeg = vec![7; STILL_PIECE_BYTES_MAX + 1];
        abe.still(StillPiece { jpeg: &jpeg, ..piece(1, 0) }).await;
        abe.still(StillPiece { count: 200, ..piece(1, 0) }).await;
        abe.still_bytes(b"no still at all").await;
        abe.still_bytes(&[]).await;
        abe.still(piece(5, 0)).await;
        // Twice the same, an older one, and the next too soon.
        abe.still(piece(5, 0)).await;
        abe.still(piece(4, 1)).await;
        abe.still(piece(6, 0)).await;
        abe.still(piece(5, 1)).await;
        for index in [0, 1] {
            assert_eq!(next_still(&sato).await, still_of(ABE, &piece(5, index).write()));
        }
        let mut arrived = sato.arrived.lock().await;
        while arrived.try_recv().is_ok() {}
        for _ in 0..50 {
            arrived.recv().await.expect("sound goes on");
        }
    })
    .await;
    assert!(sato.stills.lock().await.try_recv().is_err(), "nothing else came");
}
