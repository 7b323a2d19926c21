//! Join links through the real router, over both logs.

mod access_support;

use access_support::{ITO, MINUTE, ROOM, SATO, drawn, everywhere, nearly};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use minato_protocol::entry::Entry;
use minato_protocol::{Code, Role, Span};
use minato_signaling::access::doors::{LINK_LIFE, Place, issue_links};
use minato_signaling::aggregate::CommandKey;
use minato_signaling::room::Command;
use serde_json::json;

const IN: Entry = Entry::Open { role: Role::Patient };

#[tokio::test]
async fn twenty_previews_burn_nothing_and_the_button_works() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let before = house.events("").await;
        let mut preview = house.browser();
        for path in ["/p", "/api/join", "/api/join/spoken", "/api/sign-in/once"] {
            for method in [Method::GET, Method::HEAD] {
                for _ in 0..20 {
                    let path = format!("{path}?secret={}", link.secret);
                    let answer = preview.ask(method.clone(), &path, Body::empty()).await;
                    assert!(answer.status.is_client_error(), "{path}");
                    assert_eq!(answer.set_cookie(), None);
                }
            }
        }
        assert_eq!(house.events("").await, before);
        let mut phone = house.browser();
        assert_eq!(phone.join(&link.secret).await.entry(), IN);
        assert_eq!(phone.me().await.entry(), IN);
        assert!(house.has_arrived(SATO).await && !house.has_arrived(ITO).await);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_is_asked_for_again_by_the_same_browser() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join(&link.secret).await;
        let first = phone.cookie.take().expect("a session");
        let written = house.events("").await;
        assert_eq!(phone.join(&link.secret).await.entry(), IN);
        assert_eq!(phone.cookie.as_deref(), Some(first.as_str()));
        assert_eq!(house.events("").await, written);
    })
    .await;
}

#[tokio::test]
async fn a_browser_that_is_in_presses_again_with_its_cookie_alone() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join(&link.secret).await;
        let first = phone.cookie.clone();
        phone.drawn = drawn();
        assert_eq!(phone.join(&link.secret).await.entry(), IN);
        assert_eq!(phone.cookie, first);
        assert!(house.asking(SATO).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn another_device_waits_for_a_yes_and_is_let_in_by_it() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        house.browser().join(&link.secret).await;
        let mut tablet = house.browser();
        assert_eq!(tablet.join(&link.secret).await.entry(), Entry::Pending);
        assert_eq!(tablet.me().await.entry(), Entry::Pending);
        assert_eq!(tablet.transfer().await.refusal(), (409, Code::LinkElsewhere));
        let asking = house.asking(SATO).await;
        assert_eq!(asking.len(), 1);
        // Asking again is the same question.
        assert_eq!(tablet.join(&link.secret).await.entry(), Entry::Pending);
        assert_eq!(house.asking(SATO).await, asking);
        assert_eq!(house.settle(&asking[0], true).await, Ok(()));
        assert_eq!(tablet.me().await.entry(), IN);
        assert_eq!(tablet.join(&link.secret).await.entry(), IN);
        assert!(house.asking(SATO).await.is_empty());
        assert_eq!(house.settle(&asking[0], true).await, Ok(()));
        assert_eq!(house.settle(&asking[0], false).await, Err(Code::NotAllowed));
    })
    .await;
}

#[tokio::test]
async fn another_device_stays_out_after_a_no() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        house.browser().join(&link.secret).await;
        let mut stranger = house.browser();
        stranger.join(&link.secret).await;
        let asking = house.asking(SATO).await;
        assert_eq!(house.settle(&asking[0], false).await, Ok(()));
        assert_eq!(stranger.me().await.refusal(), (403, Code::NotAllowed));
        assert_eq!(stranger.join(&link.secret).await.refusal(), (403, Code::NotAllowed));
        assert!(house.asking(SATO).await.is_empty());
        assert_eq!(house.settle(&asking[0], true).await, Err(Code::NotAllowed));
    })
    .await;
}

#[tokio::test]
async fn a_request_is_settled_only_for_the_ticket_it_is_about() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        house.browser().join(&link.secret).await;
        house.browser().join(&link.secret).await;
        let asking = house.asking(SATO).await;
        let settle = minato_signaling::access::doors::settle_device;
        let of_ito = settle(house.desk(), ROOM, ITO, &asking[0], true).await;
        assert_eq!(of_ito, Err(Code::DeviceUnknown));
        for made_up in ["", "me", &"0".repeat(64)] {
            assert_eq!(house.settle(made_up, true).await, Err(Code::DeviceUnknown));
        }
        assert_eq!(house.asking(SATO).await, asking);
    })
    .await;
}

#[tokio::test]
async fn strangers_with_a_link_cannot_flood_the_nurse() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        house.browser().join(&link.secret).await;
        for _ in 0..3 {
            house.browser().join(&link.secret).await;
        }
        let more = house.browser().join(&link.secret).await;
        assert_eq!(more.refusal(), (429, Code::TooMany));
        // However fast the nurse says no: one comes to six a minute, and one every ten seconds.
        let mut asked = 3;
        while asked < 60 {
            for request in house.asking(SATO).await {
                house.settle(&request, false).await.expect("a no");
            }
            if house.browser().join(&link.secret).await.status != StatusCode::OK {
                break;
            }
            asked += 1;
        }
        assert!((6..60).contains(&asked), "{asked}");
        let sessions = house.events("session/").await;
        let more = house.browser().join(&link.secret).await;
        assert_eq!(more.refusal(), (429, Code::TooMany));
        assert_eq!(house.events("session/").await, sessions);
        house.advance(MINUTE);
        assert_eq!(house.browser().join(&link.secret).await.entry(), Entry::Pending);
    })
    .await;
}

#[tokio::test]
async fn two_browsers_press_at_once_and_exactly_one_is_in() {
    everywhere(async |house| {
        for round in 0..10 {
            house.in_room(Command::RevokeLinks { ticket: SATO }).await;
            let link = house.link(SATO, round).await;
            let (mut a, mut b) = (house.browser(), house.browser());
            let (first, second) = tokio::join!(a.join(&link.secret), b.join(&link.secret));
            let entries = [first.entry(), second.entry()];
            assert!(entries.contains(&IN) && entries.contains(&Entry::Pending), "{entries:?}");
            house.advance(MINUTE);
        }
    })
    .await;
}

#[tokio::test]
async fn an_expired_link_lets_nobody_in_and_ends_nobody_who_is() {
    everywhere(async |house| {
        let (early, late) = (house.link(SATO, 1).await, house.link(ITO, 2).await);
        house.advance(nearly(LINK_LIFE));
        let mut phone = house.browser();
        assert_eq!(phone.join(&early.secret).await.entry(), IN);
        house.advance(MINUTE);
        let gone = house.browser().join(&late.secret).await;
        assert_eq!(gone.refusal(), (410, Code::LinkExpired));
        assert_eq!(phone.me().await.entry(), IN);
        assert_eq!(phone.join(&early.secret).await.entry(), IN);
        // A second device comes too late to ask.
        let second = house.browser().join(&early.secret).await;
        assert_eq!(second.refusal(), (410, Code::LinkExpired));
        house.advance(Span(24 * 60 * MINUTE.0));
        assert_eq!(phone.me().await.refusal(), (410, Code::LinkExpired));
    })
    .await;
}

#[tokio::test]
async fn a_revoked_link_and_its_sessions_are_dead_and_the_new_one_works() {
    everywhere(async |house| {
        let old = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join(&old.secret).await;
        house.in_room(Command::RevokeLinks { ticket: SATO }).await;
        assert_eq!(phone.me().await.refusal(), (410, Code::LinkRevoked));
        assert_eq!(phone.join(&old.secret).await.refusal(), (410, Code::LinkRevoked));
        let wrong = house.browser().join_spoken(&old.spoken).await;
        assert_eq!(wrong.refusal(), (401, Code::CodeWrong));
        let new = house.link(SATO, 2).await;
        assert_eq!(phone.join(&new.secret).await.entry(), IN);
        assert_eq!(phone.me().await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn a_link_is_dead_after_the_end_and_the_patient_still_reads_how_it_ended() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join(&link.secret).await;
        house.in_room(Command::Leave { ticket: SATO }).await;
        let late = house.browser().join(&link.secret).await;
        assert_eq!(late.refusal(), (410, Code::LinkExpired));
        assert_eq!(phone.me().await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_press_brings_the_same_links() {
    everywhere(async |house| {
        let places = [SATO, ITO].map(|ticket| Place { room: ROOM, ticket, generation: 0 });
        let key = CommandKey { id: 5, command: 1 };
        let first = issue_links(house.desk(), &places, key, LINK_LIFE).await.expect("issued");
        house.advance(MINUTE);
        let again = issue_links(house.desk(), &places, key, LINK_LIFE).await.expect("issued");
        assert!(first == again);
        assert_eq!(house.events("link/").await, 4);
        let other = CommandKey { id: 6, command: 1 };
        let others = issue_links(house.desk(), &places, other, LINK_LIFE).await.expect("issued");
        assert!(others.iter().all(|link| !first.contains(link)));
    })
    .await;
}

#[tokio::test]
async fn a_made_up_link_is_unknown_and_leaves_no_trace() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let before = house.events("").await;
        let mut phone = house.browser();
        let mut changed = link.secret.clone().into_bytes();
        changed[5] = if changed[5] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).expect("ASCII");
        for secret in ["", "abc", &changed, &"A".repeat(48), "あ"] {
            assert_eq!(phone.join(secret).await.refusal(), (404, Code::LinkUnknown));
        }
        phone.drawn = "short".into();
        assert_eq!(phone.join(&link.secret).await.refusal(), (400, Code::FieldWrong));
        for cookie in ["", "x", &changed, &link.secret, &"A".repeat(3_000)] {
            phone.cookie = Some(cookie.to_owned());
            assert_eq!(phone.me().await.entry(), Entry::Outside);
        }
        assert_eq!(house.events("").await, before);
    })
    .await;
}

#[tokio::test]
async fn what_is_not_understood_is_refused_with_a_stable_code() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut page = house.browser();
        let drawn = page.drawn.clone();
        for body in [
            json!(null),
            json!([]),
            json!({"secret": link.secret}),
            json!({"secret": link.secret, "browser": drawn, "version": 2}),
            json!({"secret": 5, "browser": drawn}),
        ] {
            let answer = page.post("/api/join", body).await;
            assert_eq!(answer.refusal(), (400, Code::NotUnderstood));
        }
        let broken = page.ask(Method::POST, "/api/join", Body::from("{\"secret\":")).await;
        assert_eq!(broken.refusal(), (400, Code::NotUnderstood));
        let deep = Body::from("[".repeat(4_000));
        let deep = page.ask(Method::POST, "/api/join", deep).await;
        assert_eq!(deep.refusal(), (400, Code::NotUnderstood));
        let long = json!({"secret": "A".repeat(5_000), "browser": drawn});
        let long = page.post("/api/join", long).await;
        assert_eq!(long.refusal(), (413, Code::TooLarge));
        assert_eq!(page.cookie, None);
        assert!(!house.has_arrived(SATO).await);
    })
    .await;
}

#[tokio::test]
async fn a_page_of_another_host_may_not_press_the_button() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let origins = [None, Some("null"), Some("http://evil.example")];
        for origin in origins {
            let mut page = house.browser();
            page.origin = origin.map(str::to_owned);
            let answer = page.join(&link.secret).await;
            assert_eq!(answer.refusal(), (403, Code::OriginForbidden));
            for path in ["/api/transfer", "/api/sign-out", "/api/sign-in", "/api/join/spoken"] {
                let answer = page.post(path, json!({})).await;
                assert_eq!(answer.refusal(), (403, Code::OriginForbidden), "{path}");
            }
        }
        assert!(!house.has_arrived(SATO).await);
    })
    .await;
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        let answer = phone.join(&link.secret).await;
        let cookie = answer.set_cookie().expect("a cookie").to_owned();
        let parts: Vec<&str> = cookie.split("; ").collect();
        assert_eq!(parts[1..4], ["HttpOnly", "SameSite=Strict", "Path=/"]);
        let max_age_s: i64 = parts[4].strip_prefix("Max-Age=").unwrap().parse().unwrap();
        assert!((48 * 3_600 - 60..=48 * 3_600).contains(&max_age_s), "{max_age_s}");
        assert_eq!(parts.len(), 5, "{cookie}");
        assert_eq!(answer.headers["cache-control"], "no-store");
        // The same house by TLS.
        phone.origin = Some("https://clinic.example".into());
        let answer = phone.join(&link.secret).await;
        assert!(answer.set_cookie().expect("a cookie").ends_with("; Secure"));
    })
    .await;
}

#[tokio::test]
async fn a_browser_without_a_session_is_outside() {
    everywhere(async |house| {
        assert_eq!(house.browser().me().await.entry(), Entry::Outside);
        let out = house.browser().transfer().await;
        assert_eq!(out.refusal(), (401, Code::SignInFirst));
        assert_eq!(house.browser().sign_out().await.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_patient_does_not_lose_the_place_by_signing_out() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join(&link.secret).await;
        assert_eq!(phone.sign_out().await.refusal(), (403, Code::NotAllowed));
        assert_eq!(phone.me().await.entry(), IN);
    })
    .await;
}
