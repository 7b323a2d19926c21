//! Spoken codes and transfer codes through the real router, over both logs.

mod access_support;

use access_support::{Browser, House, ITO, MINUTE, ROOM, SATO, drawn, everywhere, nearly};
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode, header};
use minato_protocol::entry::Entry;
use minato_protocol::{Code, Role};
use minato_signaling::access::doors::{LINK_LIFE, SPOKEN_LIFE, TRANSFER_LIFE};
use minato_signaling::access::{Issued, Kind, Label, LinkCommand};
use minato_signaling::log::{MemoryLog, StreamId};
use minato_signaling::room::Command;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const IN: Entry = Entry::Open { role: Role::Patient };

#[tokio::test]
async fn eight_digits_let_one_browser_in_once() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        assert!(link.spoken.len() == 8 && link.spoken.bytes().all(|b| b.is_ascii_digit()));
        let mut phone = house.browser();
        let typed = format!(" {}-{} ", &link.spoken[..4], &link.spoken[4..]);
        assert_eq!(phone.join_spoken(&typed).await.entry(), IN);
        assert!(house.has_arrived(SATO).await);
        let cookie = phone.cookie.clone();
        // A lost answer.
        assert_eq!(phone.join_spoken(&link.spoken).await.entry(), IN);
        assert_eq!(phone.cookie, cookie);
        let other = house.browser().join_spoken(&link.spoken).await;
        assert_eq!(other.refusal(), (401, Code::CodeWrong));
    })
    .await;
}

#[tokio::test]
async fn digits_and_link_of_one_ticket_let_in_one_device_together() {
    everywhere(async |house| {
        let of_sato = house.link(SATO, 1).await;
        house.browser().join_spoken(&of_sato.spoken).await;
        let by_link = house.browser().join(&of_sato.secret).await;
        assert_eq!(by_link.entry(), Entry::Pending);

        let of_ito = house.link(ITO, 2).await;
        house.browser().join(&of_ito.secret).await;
        let mut by_digits = house.browser();
        assert_eq!(by_digits.join_spoken(&of_ito.spoken).await.entry(), Entry::Pending);
        assert_eq!(by_digits.join_spoken(&of_ito.spoken).await.entry(), Entry::Pending);
        assert_eq!(house.asking(ITO).await.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn digits_die_after_a_quarter_of_an_hour() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        house.advance(SPOKEN_LIFE);
        let late = house.browser().join_spoken(&link.spoken).await;
        assert_eq!(late.refusal(), (401, Code::CodeWrong));
        assert_eq!(house.browser().join(&link.secret).await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn a_session_made_by_digits_lasts_as_long_as_the_link() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        phone.join_spoken(&link.spoken).await;
        house.advance(nearly(LINK_LIFE));
        assert_eq!(phone.me().await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn digits_that_another_patient_uses_now_are_skipped() {
    everywhere(async |house| {
        let taken = house.secrets.spoken_code(1, 0, 0);
        let hash = house.secrets.lookup_hash(Label::Spoken, &taken);
        let expires = house.desk().clock.now() + SPOKEN_LIFE;
        let of_ito = Issued {
            kind: Kind::Spoken,
            room: ROOM,
            ticket: ITO,
            generation: 0,
            expires,
            of: None,
            kit: None,
        };
        let issue = LinkCommand::Issue(of_ito);
        house.desk().links.submit(&StreamId::link(&hash.0), None, issue).await.expect("issued");
        let link = house.link(SATO, 1).await;
        assert_eq!(link.spoken, house.secrets.spoken_code(1, 0, 1));
        assert_eq!(house.browser().join_spoken(&link.spoken).await.entry(), IN);
    })
    .await;
}

/// Wrong codes until the limit speaks, 100 at most.
async fn guess(mut browser: Browser, header: Option<&str>) -> usize {
    for tries in 0..100 {
        let body = json!({"code": format!("{tries:08}"), "browser": browser.drawn}).to_string();
        let mut request = Request::post("/api/join/spoken")
            .header(header::HOST, access_support::HOST)
            .header(header::ORIGIN, format!("http://{}", access_support::HOST))
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ConnectInfo(browser.address));
        if let Some(name) = header {
            request = request.header(name, format!("198.51.100.{tries}"));
        }
        let answer = browser.send(request.body(Body::from(body)).expect("a request")).await;
        match answer.status {
            StatusCode::UNAUTHORIZED => assert_eq!(answer.refusal().1, Code::CodeWrong),
            _ => {
                assert_eq!(answer.refusal(), (429, Code::TooMany));
                assert_eq!(answer.headers["retry-after"], "60");
                return tries;
            }
        }
    }
    100
}

#[tokio::test]
async fn guessing_is_slow_from_one_address_whatever_it_says_about_itself() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let before = house.events("").await;
        // Ten, and one more for every six seconds that the machine took.
        let tries = guess(house.browser().at("192.0.2.1"), None).await;
        assert!((10..30).contains(&tries), "{tries}");
        let tries = guess(house.browser().at("192.0.2.1"), Some("x-forwarded-for")).await;
        assert!(tries < 5, "{tries}");
        assert_eq!(house.events("").await, before);
        // The right one has to wait too, and others do not.
        let mut guesser = house.browser().at("192.0.2.1");
        assert_eq!(guesser.join_spoken(&link.spoken).await.status, 429);
        let mut phone = house.browser().at("192.0.2.2");
        assert_eq!(phone.join_spoken(&link.spoken).await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn guessing_is_slow_from_everywhere_together() {
    everywhere(async |house| {
        let mut tries = 0;
        for host in 1..=20 {
            tries += guess(house.browser().at(&format!("192.0.2.{host}")), None).await;
        }
        assert!((60..120).contains(&tries), "{tries}");
        house.advance(MINUTE);
        let link = house.link(SATO, 1).await;
        assert_eq!(house.browser().join_spoken(&link.spoken).await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn right_digits_do_not_count_as_guesses() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut phone = house.browser();
        for _ in 0..40 {
            assert_eq!(phone.join_spoken(&link.spoken).await.entry(), IN);
        }
    })
    .await;
}

#[tokio::test]
async fn the_limit_counts_the_connection_that_is_there() {
    let house = House::over(Arc::new(MemoryLog::default()), None).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let service = house.router.clone().into_make_service_with_connect_info::<SocketAddr>();
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let mut last = String::new();
    for tries in 0..30 {
        let body = json!({"code": "00000000", "browser": drawn()}).to_string();
        let head = format!(
            "POST /api/join/spoken HTTP/1.1\r\nHost: {address}\r\nOrigin: http://{address}\r\n\
             Content-Type: application/json\r\nX-Forwarded-For: 203.0.113.{tries}\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        last.clear();
        stream.read_to_string(&mut last).await.expect("it answers");
        if !last.starts_with("HTTP/1.1 401") {
            break;
        }
    }
    assert!(last.starts_with("HTTP/1.1 429"), "{last}");
    server.abort();
}

async fn joined(house: &House, press: u64) -> Browser {
    let link = house.link(SATO, press).await;
    let mut phone = house.browser();
    assert_eq!(phone.join(&link.secret).await.entry(), IN);
    phone
}

#[tokio::test]
async fn a_transfer_code_carries_the_place_to_another_browser_once() {
    everywhere(async |house| {
        let mut messenger = joined(&house, 1).await;
        let code = messenger.transfer().await.transfer_code();
        let mut safari = house.browser();
        assert_eq!(safari.transfer_use(&code).await.entry(), IN);
        assert_eq!(safari.me().await.entry(), IN);
        assert_eq!(messenger.me().await.entry(), Entry::Outside);
        let cookie = safari.cookie.clone();
        assert_eq!(safari.transfer_use(&code).await.entry(), IN);
        assert_eq!(safari.cookie, cookie);
        let third = house.browser().transfer_use(&code).await;
        assert_eq!(third.refusal(), (401, Code::CodeWrong));
        assert!(house.asking(SATO).await.is_empty());
    })
    .await;
}

#[tokio::test]
async fn the_browser_that_was_left_asks_like_any_second_device() {
    everywhere(async |house| {
        let link = house.link(SATO, 1).await;
        let mut messenger = house.browser();
        messenger.join(&link.secret).await;
        let code = messenger.transfer().await.transfer_code();
        let mut safari = house.browser();
        safari.transfer_use(&code).await;
        assert_eq!(messenger.join(&link.secret).await.refusal(), (409, Code::LinkElsewhere));
        messenger.drawn = drawn();
        assert_eq!(messenger.join(&link.secret).await.entry(), Entry::Pending);
        // The browser that has the place now presses the same link and is simply in.
        assert_eq!(safari.join(&link.secret).await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn who_moves_loses_no_time_by_it() {
    everywhere(async |house| {
        let mut messenger = joined(&house, 1).await;
        let code = messenger.transfer().await.transfer_code();
        let mut safari = house.browser();
        safari.transfer_use(&code).await;
        house.advance(nearly(LINK_LIFE));
        assert_eq!(safari.me().await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn a_transfer_code_dies_after_five_minutes() {
    everywhere(async |house| {
        let mut phone = joined(&house, 1).await;
        let code = phone.transfer().await.transfer_code();
        house.advance(TRANSFER_LIFE);
        let late = house.browser().transfer_use(&code).await;
        assert_eq!(late.refusal(), (401, Code::CodeWrong));
        assert_eq!(phone.me().await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn after_the_first_admission_a_second_device_is_the_clinics_to_allow() {
    everywhere(async |house| {
        let mut phone = joined(&house, 1).await;
        let code = phone.transfer().await.transfer_code();
        house.admit(SATO).await;
        let late = house.browser().transfer_use(&code).await;
        assert_eq!(late.refusal(), (409, Code::TransferTooLate));
        assert_eq!(phone.transfer().await.refusal(), (409, Code::TransferTooLate));
        assert_eq!(phone.me().await.entry(), IN);
    })
    .await;
}

#[tokio::test]
async fn a_transfer_code_is_no_spoken_code_and_dies_with_its_links() {
    everywhere(async |house| {
        let mut phone = joined(&house, 1).await;
        let code = phone.transfer().await.transfer_code();
        let other_door = house.browser().join_spoken(&code).await;
        assert_eq!(other_door.refusal(), (401, Code::CodeWrong));
        house.in_room(Command::RevokeLinks { ticket: SATO }).await;
        let revoked = house.browser().transfer_use(&code).await;
        assert_eq!(revoked.refusal(), (401, Code::CodeWrong));
        assert_eq!(phone.transfer().await.refusal(), (410, Code::LinkRevoked));
    })
    .await;
}

#[tokio::test]
async fn a_code_of_a_browser_that_has_moved_on_carries_nothing() {
    everywhere(async |house| {
        let mut phone = joined(&house, 1).await;
        let first = phone.transfer().await.transfer_code();
        let second = phone.transfer().await.transfer_code();
        assert_eq!(house.browser().transfer_use(&first).await.entry(), IN);
        let again = house.browser().transfer_use(&second).await;
        assert_eq!(again.refusal(), (401, Code::CodeWrong));
    })
    .await;
}

#[tokio::test]
async fn a_patient_makes_few_transfer_codes_and_nobody_else_makes_any() {
    everywhere(async |house| {
        let mut phone = joined(&house, 1).await;
        let mut made = 0;
        while made < 60 && phone.transfer().await.status == StatusCode::OK {
            made += 1;
        }
        // Five, and one more for every twelve seconds that the machine took.
        assert!((5..20).contains(&made), "{made}");
        let doctor = house.account("abe", Role::Doctor).await;
        let mut page = house.browser();
        page.sign_in("abe", access_support::PASSWORD, &house.totp(&doctor.totp)).await;
        assert_eq!(page.transfer().await.refusal(), (403, Code::NotAllowed));
    })
    .await;
}
