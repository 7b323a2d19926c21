//! What every log must do. A new implementation adds one line at the end of this file.
#![allow(clippy::unwrap_used, reason = "also what helps a test is a test")]

mod log_support;

use log_support::*;
use minato_protocol::{Pii, SubjectId, Timestamp};
use minato_signaling::log::*;
use minato_signaling::vault::Vault;
use proptest::prelude::*;
use serde_json::json;
use std::sync::Arc;

/// A log that is empty, and the keys it seals with.
struct Given {
    log: Arc<dyn EventLog>,
    vault: Vault,
    // Goes last: the log's files are in it.
    _folder: Option<tempfile::TempDir>,
}

const SATO: SubjectId = SubjectId(1);
const ITO: SubjectId = SubjectId(2);

/// Each sentence becomes a test of each implementation.
macro_rules! sentences {
    ($d:tt $(async fn $name:ident($given:ident: Given) $body:block)+) => {
        $(async fn $name($given: Given) $body)+

        macro_rules! implementation {
            ($d module:ident, $d given:path) => {
                mod $d module {
                    use super::*;

                    $(#[tokio::test]
                    async fn $name() {
                        super::$name($d given()).await;
                    })+

                    proptest! {
                        #![proptest_config(ProptestConfig::with_cases(24))]

                        #[test]
                        fn any_interleaving_of_writers_gives_a_gapless_chain(
                            steps in proptest::collection::vec(a_step(), 1..60),
                        ) {
                            interleave($d given(), steps);
                        }
                    }
                }
            };
        }
    };
}

sentences! { $
async fn an_append_answers_the_new_version_and_reads_back(given: Given) {
    let log = given.log;
    assert_eq!(log.append(&room(1), 0, vec![event("a"), event("b")]).await, Ok(2));
    assert_eq!(log.append(&room(1), 2, vec![event("c")]).await, Ok(3));
    let events = log.read_after(&room(1), 0, 100).await.unwrap();
    assert_eq!(events.iter().map(|e| e.version).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(texts(&*log, &room(1)).await, ["a", "b", "c"]);
    assert!(events.iter().all(|e| (e.at, e.schema, &*e.kind) == (NOON, EVENT_SCHEMA, "Said")));
}

async fn a_stale_append_is_a_conflict_and_writes_nothing(given: Given) {
    let log = given.log;
    log.append(&room(1), 0, vec![event("a"), event("b")]).await.unwrap();
    for expected in [0, 1, 3, u64::MAX] {
        let late = log.append(&room(1), expected, vec![event("late")]).await;
        assert_eq!(late, Err(AppendError::Conflict { actual: 2 }), "{expected}");
    }
    assert_eq!(texts(&*log, &room(1)).await, ["a", "b"]);
}

async fn a_conflict_does_not_make_a_stream(given: Given) {
    let log = given.log;
    let early = log.append(&room(1), 7, vec![event("a")]).await;
    assert_eq!(early, Err(AppendError::Conflict { actual: 0 }));
    assert_eq!(log.streams("").await, Ok(vec![]));
}

async fn an_append_without_events_only_checks_the_version(given: Given) {
    let log = given.log;
    assert_eq!(log.append(&room(1), 0, vec![]).await, Ok(0));
    assert_eq!(log.streams("").await, Ok(vec![]));
    log.append(&room(1), 0, vec![event("a")]).await.unwrap();
    assert_eq!(log.append(&room(1), 1, vec![]).await, Ok(1));
    let stale = log.append(&room(1), 0, vec![]).await;
    assert_eq!(stale, Err(AppendError::Conflict { actual: 1 }));
}

async fn streams_have_versions_of_their_own(given: Given) {
    let log = given.log;
    assert_eq!(log.append(&room(1), 0, vec![event("a")]).await, Ok(1));
    assert_eq!(log.append(&room(2), 0, vec![event("b")]).await, Ok(1));
    assert_eq!(log.append(&room(1), 1, vec![event("c")]).await, Ok(2));
    assert_eq!(texts(&*log, &room(1)).await, ["a", "c"]);
    assert_eq!(texts(&*log, &room(2)).await, ["b"]);
}

async fn of_writers_who_saw_the_same_version_exactly_one_wins(given: Given) {
    let log = given.log;
    let rivals = (0..32).map(|rival| {
        let log = Arc::clone(&log);
        tokio::spawn(async move { log.append(&room(1), 0, vec![event(&rival.to_string())]).await })
    });
    let mut won = 0;
    for rival in rivals.collect::<Vec<_>>() {
        match rival.await.unwrap() {
            Ok(version) => { assert_eq!(version, 1); won += 1; }
            Err(error) => assert_eq!(error, AppendError::Conflict { actual: 1 }),
        }
    }
    assert_eq!((won, texts(&*log, &room(1)).await.len()), (1, 1));
}

async fn writers_who_retry_all_get_in_once(given: Given) {
    let log = given.log;
    let writers = (0..8).map(|writer| {
        let log = Arc::clone(&log);
        tokio::spawn(async move {
            let mut version = 0;
            for step in 0..10 {
                let text = format!("{writer}.{step}");
                version = loop {
                    match log.append(&room(1), version, vec![event(&text)]).await {
                        Ok(version) => break version,
                        Err(AppendError::Conflict { actual }) => version = actual,
                        Err(error) => panic!("{error}"),
                    }
                };
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let mut texts = texts(&*log, &room(1)).await;
    assert_eq!((texts.len(), log.verify_chain(&room(1)).await.unwrap().version), (80, 80));
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), 80);
}

async fn reading_goes_on_where_it_stopped(given: Given) {
    let log = given.log;
    let events = (0..25).map(|n| event(&n.to_string())).collect();
    log.append(&room(1), 0, events).await.unwrap();
    let (mut after, mut versions) = (0, vec![]);
    loop {
        let page = log.read_after(&room(1), after, 10).await.unwrap();
        let Some(last) = page.last() else { break };
        after = last.version;
        versions.extend(page.iter().map(|event| event.version));
    }
    assert_eq!(versions, (1..=25).collect::<Vec<_>>());
}

async fn reading_after_the_end_or_of_nothing_answers_nothing(given: Given) {
    let log = given.log;
    assert_eq!(log.read_after(&room(1), 0, 10).await, Ok(vec![]));
    log.append(&room(1), 0, vec![event("a")]).await.unwrap();
    for after in [1, 2, u64::MAX] {
        assert_eq!(log.read_after(&room(1), after, 10).await, Ok(vec![]));
        assert_eq!(log.items_after(&room(1), after, 10).await, Ok(vec![]));
    }
    assert_eq!(log.read_after(&room(1), 0, 0).await, Ok(vec![]));
}

async fn the_chain_ends_with_the_last_event_and_the_last_item(given: Given) {
    let log = given.log;
    let nothing = Head { version: 0, hash: ORIGIN, last_seq: 0, item_hash: ORIGIN };
    assert_eq!(log.verify_chain(&room(1)).await, Ok(nothing));
    log.append(&room(1), 0, vec![event("a"), event("a")]).await.unwrap();
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    let events = log.read_after(&room(1), 0, 10).await.unwrap();
    let items = log.items_after(&room(1), 0, 10).await.unwrap();
    assert_ne!(events[0].hash, events[1].hash, "two equal events have different places");
    let (hash, item_hash) = (events[1].hash, items[0].hash);
    let head = Head { version: 2, hash, last_seq: 1, item_hash };
    assert_eq!(log.verify_chain(&room(1)).await, Ok(head));
}

async fn an_item_delivered_twice_is_known_and_changes_nothing(given: Given) {
    let log = given.log;
    let first = log.append_unordered(&room(1), vec![item(7), item(8)]).await.unwrap();
    let added = vec![(1, id(7)), (2, id(8))];
    assert_eq!(first, UnorderedAppended { added, known: vec![], last_seq: 2 });
    let again = log.append_unordered(&room(1), vec![item(8), item(9), item(7)]).await.unwrap();
    let (added, known) = (vec![(3, id(9))], vec![id(8), id(7)]);
    assert_eq!(again, UnorderedAppended { added, known, last_seq: 3 });
    let items = log.items_after(&room(1), 0, 10).await.unwrap();
    let all: Vec<_> = items.iter().map(|item| (item.seq, item.dedupe_id)).collect();
    assert_eq!(all, [(1, id(7)), (2, id(8)), (3, id(9))]);
}

async fn an_item_is_found_by_its_id_and_only_in_its_own_stream(given: Given) {
    let log = given.log;
    assert_eq!(log.item(&room(1), id(2)).await, Ok(None));
    log.append_unordered(&room(1), vec![item(1), item(2), item(3)]).await.unwrap();
    let all = log.items_after(&room(1), 0, 10).await.unwrap();
    for (place, number) in (1..=3).enumerate() {
        let found = log.item(&room(1), id(number)).await.unwrap();
        assert_eq!(found.as_ref(), Some(&all[place]));
    }
    assert_eq!(log.item(&room(1), id(4)).await, Ok(None));
    assert_eq!(log.item(&room(2), id(2)).await, Ok(None));
}

async fn an_item_twice_in_one_delivery_is_added_once(given: Given) {
    let done = given.log.append_unordered(&room(1), vec![item(1), item(1)]).await.unwrap();
    let (added, known) = (vec![(1, id(1))], vec![id(1)]);
    assert_eq!(done, UnorderedAppended { added, known, last_seq: 1 });
}

async fn an_empty_delivery_tells_the_last_cursor(given: Given) {
    let log = given.log;
    assert_eq!(log.append_unordered(&room(1), vec![]).await.unwrap().last_seq, 0);
    assert_eq!(log.streams("").await, Ok(vec![]));
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    assert_eq!(log.append_unordered(&room(1), vec![]).await.unwrap().last_seq, 1);
}

async fn the_same_item_in_another_stream_is_another_item(given: Given) {
    let log = given.log;
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    let other = log.append_unordered(&room(2), vec![item(1)]).await.unwrap();
    assert_eq!(other.added, [(1, id(1))]);
}

async fn items_and_events_of_a_stream_count_apart(given: Given) {
    let log = given.log;
    log.append_unordered(&room(1), vec![item(1), item(2)]).await.unwrap();
    assert_eq!(log.append(&room(1), 0, vec![event("a")]).await, Ok(1));
    assert_eq!(log.append_unordered(&room(1), vec![item(3)]).await.unwrap().last_seq, 3);
    let cursor = log.items_after(&room(1), 2, 10).await.unwrap();
    assert_eq!(cursor.iter().map(|item| item.seq).collect::<Vec<_>>(), [3]);
}

async fn streams_are_listed_by_the_beginning_of_their_name(given: Given) {
    let log = given.log;
    let staff = StreamId::staff(minato_protocol::StaffId(1));
    for stream in [&room(2), &staff, &room(1)] {
        log.append(stream, 0, vec![event("a")]).await.unwrap();
    }
    log.append_unordered(&StreamId::subject(SATO), vec![item(1)]).await.unwrap();
    assert_eq!(log.streams(Noun::Room.prefix()).await, Ok(vec![room(1), room(2)]));
    assert_eq!(log.streams(Noun::Staff.prefix()).await, Ok(vec![staff]));
    assert_eq!(log.streams(Noun::Visit.prefix()).await, Ok(vec![]));
    assert_eq!(log.streams("").await.unwrap().len(), 4);
}

async fn the_doorbell_rings_for_what_became_durable_and_for_nothing_else(given: Given) {
    let log = given.log;
    let mut tail = log.tail();
    log.append(&room(1), 3, vec![event("refused")]).await.unwrap_err();
    log.append(&room(1), 0, vec![]).await.unwrap();
    log.append(&room(1), 0, vec![event("a"), event("b")]).await.unwrap();
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    log.append(&room(2), 0, vec![event("c")]).await.unwrap();
    let rings = [tail.recv().await, tail.recv().await, tail.recv().await].map(Result::unwrap);
    assert_eq!(rings, [
        Ring::Events { stream: room(1), version: 2 },
        Ring::Items { stream: room(1), last_seq: 1 },
        Ring::Events { stream: room(2), version: 1 },
    ]);
    assert!(tail.try_recv().is_err());
}

async fn a_snapshot_is_there_only_for_the_fold_that_wrote_it(given: Given) {
    let log = given.log;
    assert_eq!(log.snapshot(&room(1), 1).await, Ok(None));
    log.append(&room(1), 0, vec![event("a"), event("b")]).await.unwrap();
    log.put_snapshot(&room(1), 1, 1, json!({"open": true})).await.unwrap();
    let first = Snapshot { version: 1, body: json!({"open": true}) };
    assert_eq!(log.snapshot(&room(1), 1).await, Ok(Some(first)));
    assert_eq!(log.snapshot(&room(1), 2).await, Ok(None));
    assert_eq!(log.snapshot(&room(2), 1).await, Ok(None));
    log.put_snapshot(&room(1), 2, 2, json!([])).await.unwrap();
    assert_eq!(log.snapshot(&room(1), 1).await, Ok(None));
    assert_eq!(log.snapshot(&room(1), 2).await.unwrap().unwrap().version, 2);
}

async fn a_snapshot_of_a_version_that_is_not_there_is_refused(given: Given) {
    let log = given.log;
    let refused = |done| matches!(done, Err(StoreError::Invalid { .. }));
    assert!(refused(log.put_snapshot(&room(1), 1, 1, json!(1)).await));
    log.append(&room(1), 0, vec![event("a")]).await.unwrap();
    assert!(refused(log.put_snapshot(&room(1), 1, 2, json!(1)).await));
    assert_eq!(log.snapshot(&room(1), 1).await, Ok(None));
}

async fn a_stream_of_items_can_have_a_snapshot(given: Given) {
    let log = given.log;
    log.put_snapshot(&room(1), 1, 0, json!(0)).await.unwrap();
    assert_eq!(log.streams("").await, Ok(vec![]), "a cache makes no stream");
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    log.put_snapshot(&room(1), 1, 0, json!({"seq": 1})).await.unwrap();
    assert_eq!(log.snapshot(&room(1), 1).await.unwrap().unwrap().body, json!({"seq": 1}));
}

async fn the_last_beat_is_the_one_that_was_noted_last(given: Given) {
    let log = given.log;
    assert_eq!(log.last_beat().await, Ok(None));
    log.beat(NOON).await.unwrap();
    log.beat(Timestamp(5)).await.unwrap();
    assert_eq!(log.last_beat().await, Ok(Some(Timestamp(5))));
}

async fn personal_fields_read_back_as_they_were_written(given: Given) {
    let log = given.log;
    let body = json!({"people": [about(SATO, "佐藤"), about(ITO, "伊藤")], "n": 2});
    let events = vec![Draft { kind: "Met".into(), at: NOON, body: body.clone() }];
    log.append(&room(1), 0, events).await.unwrap();
    log.append_unordered(&room(1), vec![Item { body: body.clone(), ..item(1) }]).await.unwrap();
    log.put_snapshot(&room(1), 1, 1, body.clone()).await.unwrap();
    assert_eq!(log.read_after(&room(1), 0, 1).await.unwrap()[0].body, body);
    assert_eq!(log.items_after(&room(1), 0, 1).await.unwrap()[0].body, body);
    assert_eq!(log.snapshot(&room(1), 1).await.unwrap().unwrap().body, body);
}

async fn an_erased_subject_is_gone_everywhere_and_the_chain_stays_valid(given: Given) {
    let log = given.log;
    let both = json!({"a": Pii::new(SATO, "佐藤"), "b": Pii::new(ITO, "伊藤")});
    let events = vec![event_about(SATO, "佐藤"), Draft { body: both.clone(), ..event("") }];
    log.append(&room(1), 0, events).await.unwrap();
    log.append_unordered(&room(1), vec![Item { body: both.clone(), ..item(1) }]).await.unwrap();
    log.put_snapshot(&room(1), 1, 2, both).await.unwrap();
    let head = log.verify_chain(&room(1)).await.unwrap();

    assert_eq!(given.vault.erase(SATO), Ok(true));

    assert_eq!(log.verify_chain(&room(1)).await, Ok(head));
    let left = json!({"a": Pii::<String>::Erased(SATO), "b": Pii::new(ITO, "伊藤")});
    let events = log.read_after(&room(1), 0, 10).await.unwrap();
    let name: Pii<String> = serde_json::from_value(events[0].body["name"].clone()).unwrap();
    assert_eq!(name, Pii::Erased(SATO));
    assert_eq!((&events[0].body["seat"], &events[1].body), (&json!(4), &left));
    assert_eq!(log.items_after(&room(1), 0, 10).await.unwrap()[0].body, left);
    assert_eq!(log.snapshot(&room(1), 1).await.unwrap().unwrap().body, left);
    assert_eq!(log.append(&room(1), 2, vec![event("on")]).await, Ok(3));
}

async fn what_is_said_about_an_erased_subject_is_not_kept(given: Given) {
    let log = given.log;
    given.vault.erase(SATO).unwrap();
    log.append(&room(1), 0, vec![event_about(SATO, "佐藤")]).await.unwrap();
    let events = log.read_after(&room(1), 0, 10).await.unwrap();
    assert_eq!(events[0].body["name"], json!(Pii::<String>::Erased(SATO)));
}

async fn a_badly_marked_personal_field_is_refused_rather_than_stored_readable(given: Given) {
    let log = given.log;
    let of = SATO.to_string();
    let bad = [
        json!({"pii": "佐藤"}),
        json!({"pii": {"of": of}}),
        json!({"pii": {"of": "nobody", "value": "佐藤"}}),
        json!({"pii": {"of": of, "value": "佐藤", "more": "佐藤"}}),
        json!({"pii": {"of": of, "value": "佐藤"}, "beside": 1}),
        json!([{"deep": {"pii": {"of": 3, "value": "佐藤"}}}]),
        json!({"sealed": {"of": of, "bytes": "AAAA"}}),
    ];
    for body in bad {
        let refused = log.append(&room(1), 0, vec![Draft { body, ..event("") }]).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    }
    assert_eq!(log.streams("").await, Ok(vec![]));
}

async fn an_append_beyond_a_bound_is_refused_whole(given: Given) {
    let log = given.log;
    let long = "k".repeat(KIND_BYTES_MAX + 1);
    let deep = (0..200).fold(json!(1), |inner, _| json!([inner]));
    let large = json!("x".repeat(APPEND_BYTES_MAX));
    let bad = [
        vec![event("many"); APPEND_EVENTS_MAX + 1],
        vec![event("ok"), Draft { kind: long.into(), ..event("") }],
        vec![Draft { kind: "".into(), ..event("") }],
        vec![event("ok"), Draft { body: deep, ..event("") }],
        vec![event("ok"), Draft { body: large, ..event("") }],
    ];
    for events in bad {
        let refused = log.append(&room(1), 0, events).await;
        assert!(matches!(refused, Err(AppendError::Invalid { .. })), "{refused:?}");
    }
    let many = (0..=APPEND_ITEMS_MAX as u128).map(item).collect();
    let refused = log.append_unordered(&room(1), many).await;
    assert!(matches!(refused, Err(StoreError::Invalid { .. })), "{refused:?}");
    assert_eq!(log.streams("").await, Ok(vec![]));
}
}

/// One writer's turn: which writer, on which stream, how many events; and whether it reads first.
type Step = (usize, u64, usize, bool);

fn a_step() -> impl Strategy<Value = Step> {
    (0..4usize, 0..3u64, 0..4usize, any::<bool>())
}

/// Writers who remember different versions take turns; a plain list a stream says what is true.
fn interleave(given: Given, steps: Vec<Step>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let log = given.log;
        let mut seen = [[0u64; 3]; 4];
        let mut truth = [const { Vec::<String>::new() }; 3];
        for (turn, (writer, place, count, reads)) in steps.into_iter().enumerate() {
            let truth = &mut truth[usize::try_from(place).unwrap()];
            let seen = &mut seen[writer][usize::try_from(place).unwrap()];
            if reads {
                let new = log.read_after(&room(place), *seen, 1_000).await.unwrap();
                *seen = new.last().map_or(*seen, |event| event.version);
                assert_eq!(*seen, truth.len() as u64);
            }
            let new: Vec<_> = (0..count).map(|n| format!("{turn}.{n}")).collect();
            let events = new.iter().map(|text| event(text)).collect();
            let actual = truth.len() as u64;
            match log.append(&room(place), *seen, events).await {
                Ok(version) => {
                    assert_eq!(*seen, actual, "only who saw everything may append");
                    truth.extend(new);
                    assert_eq!(version, truth.len() as u64);
                    *seen = version;
                }
                Err(error) => {
                    assert_eq!(error, AppendError::Conflict { actual });
                    assert_ne!(*seen, actual);
                }
            }
        }
        for (place, truth) in (0..).zip(truth) {
            let head = log.verify_chain(&room(place)).await.unwrap();
            assert_eq!(head.version, truth.len() as u64);
            assert_eq!(texts(&*log, &room(place)).await, truth);
        }
    });
}

fn in_memory() -> Given {
    let vault = Vault::in_memory();
    Given { log: Arc::new(MemoryLog::new(vault.clone())), vault, _folder: None }
}

fn in_a_file() -> Given {
    let folder = tempfile::tempdir().expect("a folder for a test");
    let vault = Vault::open(&folder.path().join("keys.db")).expect("the keys file opens");
    let log = SqliteLog::open(&folder.path().join("log.db"), vault.clone());
    Given { log: Arc::new(log.expect("the file opens")), vault, _folder: Some(folder) }
}

implementation!(memory, in_memory);
implementation!(sqlite, in_a_file);
