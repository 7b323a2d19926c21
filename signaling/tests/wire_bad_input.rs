//! What a screen may send wrongly: it is told why, nobody else notices, nothing is written.

mod wire_support;

use minato_protocol::act::{Act, Duty};
use minato_protocol::view::ViewName;
use minato_protocol::wire::{FromScreen, MESSAGE_BYTES_MAX, VERSION};
use minato_protocol::{Code, RoomId};
use minato_signaling::http::entry::status_of;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::{Error, Message};
use wire_support::{Clinic, Raw, Screen, dial, doctor_id, hello, nurse_id, press_name};

/// The board still works, and the log is as it was before.
async fn nothing_happened(clinic: &Clinic, before: &[(String, u64, u64)], after_what: &str) {
    let act = Act::CloseIntake { room: clinic.room, closed: false };
    clinic.board.must(act).await;
    assert_eq!(clinic.broker.heads().await, before, "{after_what} wrote something");
}

fn deep(levels: usize) -> String {
    let (open, close) = ("[".repeat(levels), "]".repeat(levels));
    format!(r#"{{"type":"do","key":"12345678","act":{open}{close}}}"#)
}

#[tokio::test]
async fn what_is_not_understood_ends_that_screen_with_a_reason_and_nothing_else() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let before = clinic.broker.heads().await;
    let second_hello = hello(VERSION);
    let (deep, deeper) = (deep(200), deep(30_000));
    let wrong = [
        ("nothing", ""),
        ("no JSON", "{"),
        ("a number", "7"),
        ("half a text", "\"\\ud800\""),
        ("an unknown message", r#"{"type":"nonsense"}"#),
        ("an unknown verb", r#"{"type":"do","key":"12345678","act":{"type":"nonsense"}}"#),
        ("a verb without its fields", r#"{"type":"do","key":"12345678","act":{"type":"park"}}"#),
        ("a field too much", r#"{"type":"watch_chat","visit":"0000000000001","after":0,"x":1}"#),
        (
            "a field too much in a verb",
            r#"{"type":"do","key":"12345678","act":{"type":"open_room","name":"a","x":1}}"#,
        ),
        ("an id that is none", r#"{"type":"watch_chat","visit":"one","after":0}"#),
        ("a number out of range", r#"{"type":"watch_chat","visit":"0000000000001","after":-1}"#),
        ("hello twice", &second_hello),
        ("deep nesting", &deep),
        ("very deep nesting", &deeper),
    ];
    for (what, text) in wrong {
        let mut raw = Raw::greeted(&clinic.broker, &cookie).await;
        raw.text(text).await;
        assert_eq!(raw.bye().await, Some(Code::NotUnderstood), "{what}");
        nothing_happened(&clinic, &before, what).await;
    }
    let mut raw = Raw::greeted(&clinic.broker, &cookie).await;
    raw.message(Message::binary(hello(VERSION).into_bytes())).await;
    assert_eq!(raw.bye().await, Some(Code::NotUnderstood), "a binary frame");
    nothing_happened(&clinic, &before, "a binary frame").await;
}

#[tokio::test]
async fn a_message_that_is_too_large_is_called_too_large() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let before = clinic.broker.heads().await;
    for bytes in [MESSAGE_BYTES_MAX + 1, 65 * 1024, 2 * MESSAGE_BYTES_MAX] {
        let mut raw = Raw::greeted(&clinic.broker, &cookie).await;
        raw.text(&"x".repeat(bytes)).await;
        assert_eq!(raw.bye().await, Some(Code::TooLarge), "{bytes} bytes");
        nothing_happened(&clinic, &before, "a large message").await;
    }
    // What is much too large is not read to its end: the word may be lost with the connection.
    let mut raw = Raw::greeted(&clinic.broker, &cookie).await;
    raw.text(&"x".repeat(5 * 1024 * 1024)).await;
    assert!(matches!(raw.bye().await, Some(Code::TooLarge) | None));
    nothing_happened(&clinic, &before, "a very large message").await;
}

#[tokio::test]
async fn a_screen_says_who_it_is_first_and_in_our_version() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let before = clinic.broker.heads().await;
    for (first, code) in [
        (hello(VERSION + 1), Code::VersionUnknown),
        (hello(0), Code::VersionUnknown),
        (r#"{"type":"pong"}"#.to_owned(), Code::NotUnderstood),
        (r#"{"type":"hello","version":1}"#.to_owned(), Code::NotUnderstood),
        (r#"{"type":"hello","version":1,"have":[],"x":1}"#.to_owned(), Code::NotUnderstood),
    ] {
        let mut raw = Raw::open(&clinic.broker, Some(&cookie)).await;
        raw.text(&first).await;
        assert_eq!(raw.bye().await, Some(code), "{first}");
        nothing_happened(&clinic, &before, &first).await;
    }
}

#[tokio::test]
async fn a_screen_that_says_nothing_is_not_kept_and_may_come_again() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let begun = Instant::now();
    let silent = Raw::open(&clinic.broker, Some(&cookie)).await;
    // One of the goodbyes after which a page connects anew: any other would end a call on a full line.
    assert_eq!(silent.bye().await, Some(Code::SlowReader));
    assert!(begun.elapsed() >= Duration::from_secs(9), "a slow page has time to say hello");
}

#[tokio::test]
async fn without_a_session_of_ours_nobody_is_let_in() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let before = clinic.broker.heads().await;
    let mut forged = cookie.clone();
    forged.replace_range(8..9, if &cookie[8..9] == "A" { "B" } else { "A" });
    for cookie in [None, Some(""), Some("nonsense"), Some(forged.as_str())] {
        let mut raw = Raw::open(&clinic.broker, cookie).await;
        raw.text(&hello(VERSION)).await;
        assert_eq!(raw.bye().await, Some(Code::SignInFirst), "{cookie:?}");
    }
    for origin in [None, Some("http://evil.example"), Some("null"), Some("http://127.0.0.1:1")] {
        let refused = dial(clinic.broker.address, "/ws", Some(&cookie), origin).await;
        let Err(Error::Http(response)) = refused else { panic!("{origin:?} was let in") };
        assert_eq!(response.status().as_u16(), 403, "{origin:?}");
    }
    nothing_happened(&clinic, &before, "a stranger").await;
}

#[tokio::test]
async fn a_second_device_that_still_waits_sees_nothing() {
    let clinic = Clinic::open(1).await;
    let link = clinic.invite(1).await;
    clinic.join(&link.secret).await;
    let second = clinic.join(&link.secret).await;
    let mut raw = Raw::open(&clinic.broker, Some(&second)).await;
    raw.text(&hello(VERSION)).await;
    assert_eq!(raw.bye().await, Some(Code::LinkElsewhere));
}

#[tokio::test]
async fn a_withdrawn_link_closes_its_screen_within_a_second() {
    let clinic = Clinic::open(1).await;
    let (sato, ito) = (clinic.at_home(1).await, clinic.at_home(2).await);
    let begun = Instant::now();
    clinic.board.must(Act::RevokeLink { ticket: sato.ticket }).await;
    assert_eq!(sato.screen.end().await, Some(Code::LinkRevoked));
    assert!(begun.elapsed() < Duration::from_millis(1_500), "it took {:?}", begun.elapsed());
    let mut again = Raw::open(&clinic.broker, Some(&sato.cookie)).await;
    again.text(&hello(VERSION)).await;
    assert_eq!(again.bye().await, Some(Code::LinkRevoked));
    ito.screen.must(Act::Leave { ticket: ito.ticket }).await;
}

#[tokio::test]
async fn who_signs_out_or_is_shut_out_has_no_screen_any_more() {
    let clinic = Clinic::open(2).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let (first, second) =
        (Screen::open(&clinic.broker, &cookie).await, Screen::open(&clinic.broker, &cookie).await);
    let out = clinic.broker.post("/api/sign-out", json!(null), Some(&cookie)).await;
    assert_eq!(out.status, 200);
    assert_eq!(first.end().await, Some(Code::SignInFirst));
    assert_eq!(second.end().await, Some(Code::SignInFirst));

    let disabled = clinic.staff(doctor_id(2)).await;
    clinic
        .broker
        .inside(|edge| async move {
            minato_signaling::access::doors::set_enabled(&edge.desk, doctor_id(2), false).await
        })
        .await
        .expect("the account is shut");
    assert_eq!(disabled.end().await, Some(Code::SignInFirst));
}

#[tokio::test]
async fn a_key_has_eight_to_sixty_four_characters() {
    let clinic = Clinic::open(1).await;
    let before = clinic.broker.heads().await;
    for key in ["", "1234567", &"k".repeat(65)] {
        let open = Act::OpenRoom { name: "二番".into() };
        let refused = clinic.board.press_as(key, open).await;
        assert_eq!(refused, Err((Code::NotUnderstood, None)), "{key}");
    }
    nothing_happened(&clinic, &before, "a bad key").await;
}

#[tokio::test]
async fn the_same_key_with_another_verb_is_refused_wherever_it_goes() {
    let clinic = Clinic::open(1).await;
    let doctor = clinic.doctor(1).await;
    let patient = clinic.at_home(1).await;
    let (visit, _) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let key = press_name();
    let duty = |duty| Act::SetDuty { room: clinic.room, duty };
    doctor.press_as(&key, duty(Duty::Break)).await.expect("carried out");
    let before = clinic.broker.heads().await;
    let reused = Err((Code::KeyReused, None));
    assert_eq!(doctor.press_as(&key, duty(Duty::On)).await, reused);
    let elsewhere = Act::Say { visit, text: "もしもし".into() };
    assert_eq!(doctor.press_as(&key, elsewhere).await, reused);
    nothing_happened(&clinic, &before, "a key used twice").await;
}

#[tokio::test]
async fn a_view_that_is_not_mine_is_not_sent() {
    let clinic = Clinic::open(1).await;
    let patient = clinic.at_home(1).await;
    let before = clinic.broker.heads().await;
    let mut raw = Raw::greeted(&clinic.broker, &patient.cookie).await;
    let resync = FromScreen::Resync { view: ViewName::Tickets };
    raw.text(&serde_json::to_string(&resync).expect("plain")).await;
    assert_eq!(raw.bye().await, Some(Code::NotAllowed));
    nothing_happened(&clinic, &before, "a foreign view").await;
}

#[tokio::test]
async fn ids_of_nothing_are_refused_by_name() {
    let clinic = Clinic::open(1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.staff(nurse_id(1)).await);
    let before = clinic.broker.heads().await;
    let room = RoomId(77);
    assert_eq!(doctor.refused(Act::CallNext { room }).await, Code::RoomUnknown);
    assert_eq!(doctor.refused(Act::SetDuty { room, duty: Duty::On }).await, Code::RoomUnknown);
    let ticket = minato_protocol::TicketId(77);
    assert_eq!(
        doctor.refused(Act::CallOne { room: clinic.room, ticket }).await,
        Code::TicketUnknown
    );
    assert_eq!(nurse.refused(Act::Leave { ticket }).await, Code::TicketUnknown);
    let visit = minato_protocol::VisitId(77);
    let say = Act::Say { visit, text: "誰か".into() };
    assert_eq!(nurse.refused(say).await, Code::VisitUnknown);
    nothing_happened(&clinic, &before, "an id of nothing").await;
}

/// The table that people read is the one that the service goes by: every code, in this order, with
/// its status and its sentence.
#[test]
fn the_protocols_table_of_refusals_is_complete_and_true() {
    let readme = include_str!("../protocol/README.md");
    let (_, refusals) = readme.split_once("## 6. Refusals").expect("the chapter");
    let (refusals, _) = refusals.split_once("## 7.").expect("the next chapter");
    let told: Vec<&str> = refusals.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |code: &Code| {
        let name = serde_json::to_value(code).expect("plain");
        let status = status_of(*code).as_u16();
        format!("| `{}` | {status} | {} |", name.as_str().expect("text"), code.sentence())
    };
    let known: Vec<String> = Code::ALL.iter().map(row).collect();
    assert_eq!(told, known);
}
