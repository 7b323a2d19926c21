//! As many people as a visit may have, each heard by all the others.

use crate::call::while_doing;
use crate::peer::{Peer, Sort};
use crate::stack::OPUS_PT;
use crate::stage::{FACE, TestRelay, claims};
use minato_protocol::ParticipantId;
use minato_protocol::media::PartyRole;
use std::collections::BTreeMap;
use std::time::Duration;

const PEOPLE: u8 = 6;
/// So many packets of each of the others, everybody has to have.
const HEARD: u32 = 20;

/// What a person says: nothing but who it is.
fn word(person: u64) -> [u8; 3] {
    [7, u8::try_from(person).expect("few"), 7]
}

async fn speak_all(people: &[Peer]) {
    for number in 0.. {
        for (person, peer) in (1..).zip(people) {
            peer.speak_words(number, &word(person)).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Listens until enough was heard of everybody else: by stream, which words came and how often.
async fn listen(peer: &Peer, own: u64) -> BTreeMap<(String, Vec<u8>), u32> {
    let mut heard: BTreeMap<(String, Vec<u8>), u32> = BTreeMap::new();
    let mut arrived = peer.arrived.lock().await;
    let others = usize::from(PEOPLE) - 1;
    while heard.values().filter(|count| **count >= HEARD).count() < others {
        let packet = arrived.recv().await.expect("the peer lives");
        assert_eq!(packet.packet.header.payload_type, OPUS_PT, "nobody shows anything");
        let words = packet.packet.payload.to_vec();
        assert_ne!(words, word(own), "somebody hears their own voice");
        *heard.entry((packet.stream, words)).or_default() += 1;
    }
    heard
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_people_hear_one_another_each_in_a_slot_of_its_own_and_nobody_hears_more() {
    let relay = TestRelay::start().await;
    let ids: Vec<u64> = (1..=u64::from(PEOPLE)).collect();
    let everybody: Vec<ParticipantId> = ids.iter().copied().map(ParticipantId).collect();
    relay.signaling().await.desire(&everybody).await;
    let mut people = Vec::new();
    for id in &everybody {
        let role = if *id == ParticipantId(1) { PartyRole::Doctor } else { PartyRole::Patient };
        people.push(Peer::join(&relay, &claims(*id, role, FACE), Sort::Page).await);
    }
    let mut maps = Vec::new();
    for (own, peer) in everybody.iter().zip(&mut people) {
        let map = peer.sees(|map| map.slots.len() == usize::from(PEOPLE) - 1).await;
        let mut there: Vec<ParticipantId> = map.slots.iter().map(|slot| slot.participant).collect();
        there.sort_unstable();
        let others = everybody.iter().copied().filter(|other| other != own);
        assert_eq!(there, others.collect::<Vec<_>>());
        maps.push(map);
    }
    let all = async {
        let listeners = people.iter().zip(&ids).map(|(peer, own)| listen(peer, *own));
        futures_util::future::join_all(listeners).await
    };
    let heard = while_doing(speak_all(&people), all).await;
    for (map, heard) in maps.iter().zip(heard) {
        let told = map
            .slots
            .iter()
            .map(|slot| (format!("slot{}", slot.index), word(slot.participant.0).to_vec()));
        let mut told: Vec<_> = told.collect();
        told.sort_unstable();
        assert_eq!(
            heard.into_keys().collect::<Vec<_>>(),
            told,
            "five voices, each where it was told"
        );
    }
}
