//! The faults that simulations ask of the log in memory.

mod log_support;

use log_support::*;
use minato_signaling::log::{AppendError, EventLog, Fault, MemoryLog, StoreError};

fn is_unavailable(error: &AppendError) -> bool {
    matches!(error, AppendError::Unavailable { .. })
}

#[tokio::test]
async fn a_refused_append_writes_nothing_and_the_next_one_works() {
    let log = MemoryLog::default();
    log.inject(Fault::Refuse);
    assert!(is_unavailable(&log.append(&room(1), 0, vec![event("a")]).await.unwrap_err()));
    assert_eq!(log.append(&room(1), 0, vec![event("a")]).await, Ok(1));
}

#[tokio::test]
async fn an_append_whose_answer_is_lost_is_true_all_the_same() {
    let log = MemoryLog::default();
    log.inject(Fault::LoseAnswer);
    assert!(is_unavailable(&log.append(&room(1), 0, vec![event("a")]).await.unwrap_err()));
    let again = log.append(&room(1), 0, vec![event("a")]).await;
    assert_eq!(again, Err(AppendError::Conflict { actual: 1 }));
    assert_eq!(texts(&log, &room(1)).await, ["a"]);
}

#[tokio::test]
async fn a_delivery_whose_answer_is_lost_is_known_when_it_is_repeated() {
    let log = MemoryLog::default();
    log.inject(Fault::LoseAnswer);
    log.append_unordered(&room(1), vec![item(1)]).await.unwrap_err();
    let again = log.append_unordered(&room(1), vec![item(1)]).await.unwrap();
    assert_eq!((again.known, again.last_seq), (vec![id(1)], 1));
}

#[tokio::test]
async fn a_full_disk_says_so() {
    let log = MemoryLog::default();
    log.inject(Fault::Full);
    log.inject(Fault::Full);
    assert_eq!(log.append(&room(1), 0, vec![event("a")]).await, Err(AppendError::Full));
    assert_eq!(log.append_unordered(&room(1), vec![item(1)]).await, Err(StoreError::Full));
    assert_eq!(log.streams("").await, Ok(vec![]));
}

#[tokio::test]
async fn a_log_that_is_away_answers_nothing_until_it_is_back() {
    let log = MemoryLog::default();
    log.append(&room(1), 0, vec![event("a")]).await.unwrap();
    log.set_away(true);
    assert!(is_unavailable(&log.append(&room(1), 1, vec![event("b")]).await.unwrap_err()));
    assert!(log.read_after(&room(1), 0, 10).await.is_err());
    assert!(log.beat(NOON).await.is_err());
    log.set_away(false);
    assert_eq!(texts(&log, &room(1)).await, ["a"]);
}

#[tokio::test]
async fn a_future_that_is_never_awaited_writes_nothing() {
    let log = MemoryLog::default();
    drop(log.append(&room(1), 0, vec![event("a")]));
    assert_eq!(log.streams("").await, Ok(vec![]));
}
