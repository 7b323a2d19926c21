//! Whose a measurement is that somebody, a restart or a clock falls into.

use super::*;

const FILLING: [u8; 7] = [0x00, 0x50, 0x00, 0xff, 0x07, 0xff, 0x07];

/// A cuff whose clock is right runs on Sato; after 15 seconds somebody says that it is on Ito.
async fn taken_over_in_mid_run(folder: &Path) -> Wall {
    let mut wall = Wall::open(folder);
    wall.appear("c1", &[0x2A35, 0x2A36]).await;
    wall.says("c1", 0x2A2B, &encode_current_time(civil(T0)), T0).await;
    wall.bind("c1").await;
    wall.says("c1", 0x2A36, &FILLING, T0 + Span::seconds(5)).await;
    wall.says("c1", 0x2A36, &FILLING, T0 + Span::seconds(15)).await;
    wall.takes_over("c1", ITO).await;
    wall
}

/// Its pressures go on at `at`, and the result comes ten seconds later.
async fn whose_result(wall: &mut Wall, at: Timestamp, clock_set: Span) -> Option<SubjectId> {
    wall.says("c1", 0x2A36, &FILLING, at).await;
    let ended = at + Span::seconds(10);
    wall.says("c1", 0x2A35, &result_at(ended - clock_set), ended).await;
    wall.readings().await.pop().expect("a reading").0
}

#[tokio::test]
async fn a_cuff_that_is_taken_over_in_the_middle_of_a_run_gives_its_result_to_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = taken_over_in_mid_run(folder.path()).await;
    let goes_on = T0 + Span::seconds(20);
    assert_eq!(whose_result(&mut wall, goes_on, Span(0)).await, None);
    // The next run began on Ito.
    let next = T0 + Span::minutes(3);
    assert_eq!(whose_result(&mut wall, next, Span(0)).await, Some(ITO));
}

#[tokio::test]
async fn a_clock_that_is_set_in_the_middle_of_a_run_does_not_end_it() {
    for by in [DAY, Span(-DAY.0)] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut wall = taken_over_in_mid_run(folder.path()).await;
        wall.set_clock(by);
        let goes_on = T0 + by + Span::seconds(20);
        assert_eq!(whose_result(&mut wall, goes_on, by).await, None, "set by {by:?}");
        // It began before the clock was set, and the binding counts from there: nobody's, too.
        let next = T0 + by + Span::minutes(3);
        assert_eq!(whose_result(&mut wall, next, by).await, Some(ITO), "set by {by:?}");
    }
}

#[tokio::test]
async fn a_gateway_that_starts_again_in_the_middle_of_a_run_does_not_end_it() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(taken_over_in_mid_run(folder.path()).await);
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35, 0x2A36]).await;
    let goes_on = T0 + Span::seconds(20);
    assert_eq!(whose_result(&mut wall, goes_on, Span(0)).await, None);
}

#[tokio::test]
async fn a_record_from_memory_in_the_middle_of_a_run_does_not_end_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = taken_over_in_mid_run(folder.path()).await;
    let before = result_at(T0 - Span::minutes(3));
    wall.says("c1", 0x2A35, &before, T0 + Span::seconds(18)).await;
    let goes_on = T0 + Span::seconds(20);
    assert_eq!(whose_result(&mut wall, goes_on, Span(0)).await, None);
}

#[tokio::test]
async fn a_result_from_just_before_a_run_is_not_that_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut wall = Wall::open(folder.path());
    wall.appear("c1", &[0x2A35, 0x2A36]).await;
    wall.says("c1", 0x2A2B, &encode_current_time(civil(T0)), T0).await;
    wall.bind("c1").await;
    // Measured out of range until a second before the next run began: nobody knows where it began.
    wall.says("c1", 0x2A36, &FILLING, T0 + Span::seconds(21)).await;
    wall.says("c1", 0x2A35, &result_at(T0 + Span::seconds(20)), T0 + Span::seconds(23)).await;
    assert_eq!(wall.readings().await.pop().expect("a reading").0, None);
    let ended = T0 + Span::seconds(50);
    wall.says("c1", 0x2A36, &FILLING, T0 + Span::seconds(45)).await;
    wall.says("c1", 0x2A35, &result_at(ended), ended).await;
    assert_eq!(wall.readings().await.pop().expect("a reading").0, Some(SATO));
}
