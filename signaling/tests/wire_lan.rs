//! Passes for boxes on the clinics' own networks: who gets one, for whom it is good, that it is taken
//! back with its session, and which page's policy names whose box.

mod wire_support;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use minato_protocol::Code;
use minato_protocol::act::{Act, Outcome};
use minato_protocol::lan::{LanBox, LanPass, LanPlace, PASS_DOMAIN, PASS_LIFE, PassClaims};
use minato_protocol::media::{TokenText, token_signed_bytes};
use minato_protocol::reading::Hex;
use minato_protocol::uplink::{FromBroker, FromGateway};
use minato_signaling::http::{router, with_headers};
use serde_json::json;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use wire_support::{BOX, Broker, Clinic, Screen, Wall, nurse_id, site, until};

const URL: &str = "https://192.0.2.7:8443";

/// A clinic with a box that listens on the network of site 1, and the key that it was told.
async fn clinic() -> (Clinic, Wall, Hex<32>) {
    let clinic = Clinic::open(1).await;
    Wall::enrol(&clinic.broker, BOX, site(1)).await;
    let mut wall = Wall::dial(&clinic.broker, BOX).await;
    wall.hello(minato_protocol::uplink::UPLINK_VERSION).await;
    wall.prove(BOX).await;
    let Some(FromBroker::Welcome { pass_key: Some(key), .. }) = wall.next().await else {
        panic!("it is welcomed and told the key")
    };
    tell(&clinic.broker, &mut wall, URL, 1).await;
    (clinic, wall, key)
}

/// The box says where it listens; so many boxes are known after that.
async fn tell(broker: &Broker, wall: &mut Wall, url: &str, boxes: usize) {
    let lan = Some(LanPlace { url: url.into(), fingerprint: Some(Hex([5; 32])) });
    let devices = Vec::new();
    wall.send(&FromGateway::Status { devices, outbox_full: false, waiting: 9, lan }).await;
    until("the box's place is known", || async {
        broker.edge.gateways.on_lan(site(1)).len() == boxes
    })
    .await;
}

async fn pass_of(screen: &Screen) -> LanPass {
    match screen.must(Act::AskLanPass).await {
        Outcome::Lan(pass) => pass,
        other => panic!("{other:?}"),
    }
}

/// As a box reads it.
fn read(pass: &LanPass, key: &Hex<32>) -> PassClaims {
    let token = TokenText::parse(&pass.pass).expect("a token");
    UnparsedPublicKey::new(&ED25519, key.0)
        .verify(&token_signed_bytes(PASS_DOMAIN, token.payload), &token.signature)
        .expect("the key that boxes were told");
    token.claims().expect("claims")
}

#[tokio::test]
async fn a_nurse_gets_a_pass_for_her_own_sites_patients_and_its_box_for_one_shift() {
    let (clinic, _wall, key) = clinic().await;
    let (here, there) = (clinic.nurse(1).await, clinic.nurse(2).await);
    let ticket = clinic.in_bed(&here, 1).await;
    let elsewhere = clinic.in_bed(&there, 2).await;
    let subject = clinic.subject_of(ticket).await;
    let pass = pass_of(&here).await;
    let place = LanPlace { url: URL.into(), fingerprint: Some(Hex([5; 32])) };
    assert_eq!(pass.boxes, [LanBox { gateway: BOX, place }]);
    let claims = read(&pass, &key);
    assert_eq!((claims.site, claims.staff), (site(1), nurse_id(1)));
    assert_eq!(claims.subjects, [subject]);
    assert_eq!((claims.not_after, pass.until), (claims.issued + PASS_LIFE, claims.not_after));
    let text = format!("{claims:?}");
    assert!(!text.contains("患者"), "the box is told no name");
    let other = pass_of(&there).await;
    assert!(other.boxes.is_empty() && other.pass.is_empty(), "there is no box on that network");
    assert_ne!(clinic.subject_of(elsewhere).await, subject);
}

#[tokio::test]
async fn nobody_but_a_nurse_gets_one() {
    let (clinic, _wall, _) = clinic().await;
    let doctor = clinic.doctor(1).await;
    for screen in [&clinic.board, &doctor] {
        assert_eq!(screen.refused(Act::AskLanPass).await, Code::NotAllowed);
    }
}

#[tokio::test]
async fn the_box_is_told_when_a_session_is_over_also_when_it_was_away_at_that_moment() {
    let (clinic, mut wall, key) = clinic().await;
    let broker = &clinic.broker;
    let ended = async |wall: &mut Wall| match wall.next().await {
        Some(FromBroker::EndPass { holder, until }) => (holder, until),
        other => panic!("{other:?}"),
    };
    let sign_out = async |cookie: &str| {
        let answer = broker.post("/api/sign-out", json!({}), Some(cookie)).await;
        assert_eq!(answer.status, 200);
    };
    let cookie = broker.sign_in(nurse_id(1)).await;
    let first = read(&pass_of(&Screen::open(broker, &cookie).await).await, &key);
    sign_out(&cookie).await;
    assert_eq!(ended(&mut wall).await, (first.holder, first.not_after));

    let cookie = broker.sign_in(nurse_id(1)).await;
    let second = read(&pass_of(&Screen::open(broker, &cookie).await).await, &key);
    assert_ne!(second.holder, first.holder);
    drop(wall);
    let edge = Arc::clone(&broker.edge);
    let is_away = || edge.gateways.look(|links| links.values().all(|link| !link.present));
    until("the box is away", || async { is_away() }).await;
    assert_eq!(edge.gateways.on_lan(site(1)).len(), 1, "pages are told of it all the same");
    sign_out(&cookie).await;
    let mut wall = Wall::connect(broker, BOX).await;
    let told = [ended(&mut wall).await, ended(&mut wall).await];
    for pass in [first, second] {
        let end = (pass.holder, pass.not_after);
        assert!(told.contains(&end), "the connection before may have ended on its way");
    }
}

#[tokio::test]
async fn only_the_page_of_a_nurse_who_is_signed_in_may_speak_to_her_sites_box() {
    let (clinic, mut wall, _) = clinic().await;
    let broker = &clinic.broker;
    let (own, other) = (broker.sign_in(nurse_id(1)).await, broker.sign_in(nurse_id(2)).await);
    let edge = Arc::clone(&broker.edge);
    let address = broker
        .inside(move |_| async move {
            let pages = with_headers(router(Arc::clone(&edge)), &edge);
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
            let address = listener.local_addr().expect("an address");
            tokio::spawn(async move { axum::serve(listener, pages).await });
            address
        })
        .await;
    let named = async |path: &str, cookie: &str| {
        let mut tcp = tokio::net::TcpStream::connect(address).await.expect("it listens");
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
        );
        tcp.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = String::new();
        tcp.read_to_string(&mut answer).await.expect("text");
        assert!(answer.contains("connect-src 'self'"), "{answer}");
        answer.contains(URL)
    };
    assert!(named("/nurse", &format!("a=b; minato-nurse={own}")).await);
    assert!(!named("/nurse", "").await, "nobody is signed in");
    assert!(!named("/nurse", &format!("minato-nurse={other}")).await, "of another site");
    assert!(!named("/nurse", "minato-nurse=made-up").await);
    assert!(!named("/doctor", &format!("minato-nurse={own}")).await);
    tell(broker, &mut wall, "https://x; script-src *", 0).await;
    assert!(!named("/nurse", &format!("minato-nurse={own}")).await);
}
