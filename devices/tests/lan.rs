//! The box's door on the clinic's network by real HTTPS: who is let in, what is on the disk before it
//! is answered, and that all of it reaches the broker in order.

mod common;
#[path = "lan/page.rs"]
mod page;

use bytes::Bytes;
use common::{Broker, CALM, CODE, Kept, PATIENCE, SITE};
use http::{Method, StatusCode};
use minato_devices::clock::Clock;
use minato_devices::gateway::{Gateway, GatewayConfig, GatewayError, LanConfig, SimulateConfig};
use minato_devices::lan::CertificateFiles;
use minato_devices::status::Buttons;
use minato_protocol::lan::{LanSeen, PASS_LIFE, PassClaims};
use minato_protocol::reading::{Hex, Quantity};
use minato_protocol::uplink::{Entry, FromBroker, FromGateway};
use minato_protocol::{SiteId, Span, StaffId, SubjectId, Timestamp};
use page::{Answer, ORIGIN, Page, PassKey, claims};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const SATO: SubjectId = SubjectId(1);
const ITO: SubjectId = SubjectId(2);
const CUFF: &str = "sim-cuff-1";
/// A simulated measurement is over by then.
const CUFF_TAKES: Span = Span::seconds(12);
/// A test asks oftener than a page, and not so often that it is told to wait.
const ASKS_EVERY: Duration = Duration::from_millis(60);

struct Clinic {
    broker: Broker,
    key: PassKey,
    page: Page,
    buttons: Buttons,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), GatewayError>>,
    data: TempDir,
}

fn config(broker: &Broker, data: &TempDir) -> GatewayConfig {
    GatewayConfig {
        data_dir: data.path().to_path_buf(),
        broker_url: broker.url(),
        enrol_code: Some(CODE.into()),
        zone: "Asia/Tokyo".into(),
        simulate: Some(SimulateConfig::default()),
        bluetooth: None,
        replay: None,
        capture_to: None,
        serial: Vec::new(),
        status_listen: None,
        lan: Some(LanConfig {
            listen: "127.0.0.1:0".parse().expect("an address"),
            url: None,
            certificate: None,
            origins: vec![ORIGIN.into()],
        }),
        ca_file: None,
    }
}

impl Clinic {
    async fn open() -> Self {
        let broker = Broker::start(CALM).await;
        let key = PassKey::of(7);
        *broker.pass_key.lock().expect("unpoisoned") = Some(key.public());
        Self::start(broker, key, tempfile::tempdir().expect("a folder")).await
    }

    async fn start(broker: Broker, key: PassKey, data: TempDir) -> Self {
        Self::start_at(broker, key, data, Clock::system()).await
    }

    async fn start_at(broker: Broker, key: PassKey, data: TempDir, clock: Clock) -> Self {
        let before = broker.kept().connections;
        let gateway = Gateway::open(config(&broker, &data), clock).await;
        let gateway = gateway.expect("it opens");
        let buttons = gateway.buttons().expect("a rehearsal");
        let address = gateway.lan_addr().expect("a door");
        let page = Page::trusting(address, &data.path().join("lan-ca.pem"));
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(gateway.run(async move { drop(stopped.await) }));
        broker.until("it is welcomed", |kept| kept.connections > before).await;
        broker.until("it tells of its door", |kept| place(kept).is_some()).await;
        Self { broker, key, page, buttons, stop, task, data }
    }

    async fn stop(self) -> (Broker, PassKey, TempDir) {
        let _ = self.stop.send(());
        self.task.await.expect("it ends").expect("in peace");
        (self.broker, self.key, self.data)
    }

    /// A nurse's page with a pass for both patients.
    fn nurse(&self) -> Page {
        self.page.with(&self.key.sign(&claims(SITE, &[SATO, ITO])))
    }

    async fn bind(&self, key: &str, subject: SubjectId, takes_over: bool) -> Answer {
        let body =
            json!({ "key": key, "device": CUFF, "subject": subject, "takes_over": takes_over });
        self.nurse().post("/lan/bind", &body).await
    }
}

fn place(kept: &Kept) -> Option<String> {
    kept.other.iter().rev().find_map(|message| match message {
        FromGateway::Status { lan, .. } => lan.as_ref().map(|place| place.url.clone()),
        _ => None,
    })
}

async fn seen(page: &Page, after: &str) -> LanSeen {
    let answer = page.get(&format!("/lan/seen{after}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.code());
    serde_json::from_slice(&answer.body).expect("what is seen")
}

/// Asks as a page does until it has what it waits for.
async fn until(page: &Page, what: &str, fits: impl Fn(&LanSeen) -> bool) -> LanSeen {
    let mut asks = tokio::time::interval(ASKS_EVERY);
    let found = tokio::time::timeout(PATIENCE, async {
        loop {
            asks.tick().await;
            let now = seen(page, "").await;
            if fits(&now) {
                return now;
            }
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what}: it never came"))
}

fn systolic(seen: &LanSeen, of: SubjectId) -> Option<String> {
    let rows = seen.rows.iter().rev().filter(|one| one.subject == of);
    let numbers = rows.filter_map(|one| match &one.row.outcome {
        minato_protocol::reading::Outcome::Reading(reading) => reading.number(Quantity::Systolic),
        minato_protocol::reading::Outcome::Fault(_) => None,
    });
    numbers.map(|number| number.to_string()).next()
}

#[tokio::test]
async fn without_the_broker_a_nurse_puts_a_cuff_on_measures_and_the_broker_gets_it_in_order() {
    let clinic = Clinic::open().await;
    clinic.buttons.plug(false);
    let nurse = clinic.nurse();
    until(&nurse, "the line is cut", |seen| !seen.connected).await;
    assert_eq!(clinic.bind("a", SATO, false).await.status, StatusCode::NO_CONTENT);
    let measure = json!({ "key": "b", "device": CUFF });
    let pressed = nurse.post("/lan/measure", &measure).await;
    assert_eq!(pressed.status, StatusCode::NO_CONTENT, "{}", pressed.code());
    clinic.buttons.advance(CUFF_TAKES);
    let shown = until(&nurse, "a value", |seen| systolic(seen, SATO).is_some()).await;
    assert!(shown.waiting > 0, "the broker has nothing of it yet");
    let cuff = shown.devices.iter().find(|one| one.status.device.as_str() == CUFF);
    assert_eq!(cuff.expect("the cuff").status.bound, Some(SATO));
    assert!(shown.rows.iter().all(|one| !one.row.late), "it was seen while it happened");
    let cursor = format!("?run={}&after={}", shown.run, shown.cursor);
    assert!(systolic(&seen(&nurse, &cursor).await, SATO).is_none(), "once is enough");
    assert!(systolic(&seen(&nurse, "?after=999").await, SATO).is_some(), "a page of before");

    clinic.buttons.plug(true);
    let kept = clinic.broker.until("the pressure", |kept| {
        kept.readings()
            .iter()
            .any(|(of, reading)| *of == Some(SATO) && reading.number(Quantity::Systolic).is_some())
    });
    let kept = kept.await;
    let bound = kept.once.iter().find_map(|(line, _)| match &line.entry {
        Entry::Bound { key, by, subject, .. } => Some((line.seq, key.as_str(), *by, *subject)),
        Entry::Measured { .. } | Entry::Unbound { .. } => None,
    });
    let (bound_at, key, by, on) = bound.expect("it is told");
    assert_eq!((key, by, on), ("lan-a", StaffId(9), SATO));
    let measured = kept.once.iter().find(|(line, _)| {
        matches!(&line.entry, Entry::Measured { subject: Some(SATO), outcome } if outcome.device().id.as_str() == CUFF)
    });
    assert!(bound_at < measured.expect("it is there").0.seq, "on the patient before the value");
    clinic.stop().await;
}

#[tokio::test]
async fn a_binding_and_its_values_are_there_after_the_box_was_restarted_without_its_broker() {
    let clinic = Clinic::open().await;
    clinic.broker.becomes(common::Temper { mute: true, ..CALM });
    assert_eq!(clinic.bind("a", SATO, false).await.status, StatusCode::NO_CONTENT);
    let device = CUFF.parse().expect("an id");
    clinic.buttons.measure(device).await.expect("it starts");
    clinic.buttons.advance(CUFF_TAKES);
    let before = until(&clinic.nurse(), "a value", |seen| systolic(seen, SATO).is_some()).await;
    let certificate = std::fs::read(clinic.data.path().join("lan-ca.pem")).expect("it is kept");
    let (broker, key, data) = clinic.stop().await;
    let clinic = Clinic::start(broker, key, data).await;
    assert_eq!(std::fs::read(clinic.data.path().join("lan-ca.pem")).ok(), Some(certificate));
    let after = until(&clinic.nurse(), "the value", |seen| systolic(seen, SATO).is_some()).await;
    assert_eq!(systolic(&after, SATO), systolic(&before, SATO));
    assert_ne!(after.run, before.run);
    let wearer = after.devices.iter().find(|one| one.status.device.as_str() == CUFF);
    assert_eq!(wearer.expect("the cuff").status.bound, Some(SATO));
    clinic.stop().await;
}

#[tokio::test]
async fn a_cuff_stays_on_its_patient_when_the_box_restarts_without_the_time() {
    let clinic = Clinic::open().await;
    clinic.broker.becomes(common::Temper { mute: true, ..CALM });
    assert_eq!(clinic.bind("a", SATO, false).await.status, StatusCode::NO_CONTENT);
    let (broker, key, data) = clinic.stop().await;
    let began = std::time::Instant::now();
    let since_1970 =
        move || Timestamp(i64::try_from(began.elapsed().as_millis()).expect("a short test"));
    let clinic = Clinic::start_at(broker, key, data, Clock::from_source(since_1970)).await;
    clinic.buttons.measure(CUFF.parse().expect("an id")).await.expect("it starts");
    clinic.buttons.advance(CUFF_TAKES);
    until(&clinic.nurse(), "a value of hers", |seen| systolic(seen, SATO).is_some()).await;
    clinic.stop().await;
}

#[tokio::test]
async fn a_door_that_cannot_open_yet_keeps_nobody_from_measuring_and_opens_by_itself() {
    let broker = Broker::start(CALM).await;
    let data = tempfile::tempdir().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address");
    let mut config = config(&broker, &data);
    let pem = data.path().join("box.pem");
    let files = CertificateFiles { certificate: pem.clone(), key: pem.clone() };
    let lan = config.lan.as_mut().expect("a door is wanted");
    (lan.listen, lan.certificate) = (address, Some(files));
    let gateway = Gateway::open(config, Clock::system()).await.expect("it opens all the same");
    assert_eq!(gateway.lan_addr(), None);
    let buttons = gateway.buttons().expect("a rehearsal");
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(gateway.run(async move { drop(stopped.await) }));
    broker.until("it is welcomed", |kept| kept.connections > 0).await;
    buttons.measure(CUFF.parse().expect("an id")).await.expect("it starts");
    buttons.advance(CUFF_TAKES);
    let measured = broker.until("a value", |kept| !kept.readings().is_empty()).await;
    assert_eq!(place(&measured), None, "pages are told of no door that is shut");
    let pair = rcgen::generate_simple_self_signed(vec!["127.0.0.1".into()]).expect("a pair");
    std::fs::write(&pem, pair.cert.pem() + &pair.signing_key.serialize_pem()).expect("written");
    drop(taken);
    let open = broker.until("it tells of its door", |kept| place(kept).is_some()).await;
    assert_eq!(place(&open), Some(format!("https://{address}")));
    let _ = stop.send(());
    task.await.expect("it ends").expect("in peace");
}

#[tokio::test]
async fn a_door_that_is_set_up_wrongly_refuses_the_start() {
    let broker = Broker::start(CALM).await;
    for wrong in ["http://box.example", "https://[2001:db8::1]:8443", "https://box/path"] {
        let data = tempfile::tempdir().expect("a folder");
        let mut config = config(&broker, &data);
        config.lan.as_mut().expect("a door is wanted").url = Some(wrong.into());
        let refused = Gateway::open(config, Clock::system()).await.map(drop);
        assert!(matches!(refused, Err(GatewayError::Lan(_))), "{wrong}: {refused:?}");
    }
}

#[tokio::test]
async fn a_press_that_was_refused_is_not_told_as_done_when_it_is_sent_again() {
    let clinic = Clinic::open().await;
    let nurse = clinic.nurse();
    let oximeter = "sim-oximeter-1";
    let bind = json!({ "key": "a", "device": oximeter, "subject": SATO, "takes_over": false });
    assert_eq!(nurse.post("/lan/bind", &bind).await.status, StatusCode::NO_CONTENT);
    let measure = json!({ "key": "b", "device": oximeter });
    for _ in 0..2 {
        assert_eq!(nurse.post("/lan/measure", &measure).await.code(), "device_unknown");
    }
    clinic.stop().await;
}

#[tokio::test]
async fn a_pass_is_what_opens_and_each_that_is_none_is_refused_by_its_own_code() {
    let clinic = Clinic::open().await;
    let good = claims(SITE, &[SATO]);
    let expired =
        PassClaims { issued: Timestamp(-1) - PASS_LIFE, not_after: Timestamp(-1), ..good.clone() };
    let cases = [
        (None, StatusCode::UNAUTHORIZED, "pass_wrong"),
        (Some("nonsense".to_owned()), StatusCode::UNAUTHORIZED, "pass_wrong"),
        (Some(PassKey::of(8).sign(&good)), StatusCode::UNAUTHORIZED, "pass_wrong"),
        (Some(clinic.key.sign(&expired)), StatusCode::UNAUTHORIZED, "pass_expired"),
        (
            Some(clinic.key.sign(&claims(SiteId(6), &[SATO]))),
            StatusCode::FORBIDDEN,
            "pass_elsewhere",
        ),
    ];
    for (pass, status, code) in cases {
        let page = Page { pass, ..clinic.page.with("") };
        let bind = json!({ "key": "a", "device": CUFF, "subject": SATO, "takes_over": false });
        for answer in [page.get("/lan/seen").await, page.post("/lan/bind", &bind).await] {
            assert_eq!((answer.status, answer.code().as_str()), (status, code));
        }
    }
    let unbound = seen(&clinic.nurse(), "").await;
    assert!(unbound.devices.iter().all(|one| !one.worn), "nothing was put on anybody");
    assert_eq!(clinic.page.with(&clinic.key.sign(&good)).get("/lan/seen").await.status, 200);
    clinic.stop().await;
}

#[tokio::test]
async fn a_nurse_who_signs_out_at_the_box_or_at_the_broker_is_let_in_no_more_even_after_a_restart()
{
    let clinic = Clinic::open().await;
    let nurse = clinic.nurse();
    assert_eq!(nurse.post("/lan/leave", &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(nurse.get("/lan/seen").await.code(), "pass_ended");
    let second = PassClaims { holder: Hex([2; 8]), ..claims(SITE, &[SATO]) };
    let second = clinic.page.with(&clinic.key.sign(&second));
    assert_eq!(second.get("/lan/seen").await.status, StatusCode::OK);
    let until = Timestamp(0) + PASS_LIFE;
    clinic.broker.say(FromBroker::EndPass { holder: Hex([2; 8]), until });
    let mut asks = tokio::time::interval(ASKS_EVERY);
    let ended = tokio::time::timeout(PATIENCE, async {
        while second.get("/lan/seen").await.status == StatusCode::OK {
            asks.tick().await;
        }
    });
    ended.await.expect("it is taken back");
    let (broker, key, data) = clinic.stop().await;
    let clinic = Clinic::start(broker, key, data).await;
    assert_eq!(clinic.nurse().get("/lan/seen").await.code(), "pass_ended");
    clinic.stop().await;
}

#[tokio::test]
async fn the_rules_of_a_binding_are_the_same_as_by_the_broker() {
    let clinic = Clinic::open().await;
    let code = |answer: &Answer| (answer.status.as_u16(), answer.code());
    let done = (204, String::new());
    assert_eq!(code(&clinic.bind("a", SATO, false).await), done);
    let taken = clinic.bind("b", ITO, false).await;
    assert_eq!(code(&taken), (409, "device_elsewhere".into()));
    assert_eq!(code(&clinic.bind("c", ITO, true).await), done, "somebody confirmed it");
    assert_eq!(code(&clinic.bind("a", SATO, true).await), done, "a press that was sent again");
    let stranger = clinic.bind("d", SubjectId(77), true).await;
    assert_eq!(code(&stranger), (403, "not_on_pass".into()));
    let narrow = clinic.page.with(&clinic.key.sign(&claims(SITE, &[SATO])));
    let told = seen(&narrow, "").await;
    let cuff = told.devices.iter().find(|one| one.status.device.as_str() == CUFF);
    let cuff = cuff.expect("the cuff");
    assert!(cuff.worn && cuff.status.bound.is_none(), "worn, and it is not said by whom");
    let measure = json!({ "key": "e", "device": CUFF });
    let pressed = narrow.post("/lan/measure", &measure).await;
    assert_eq!(code(&pressed), (403, "not_on_pass".into()));
    let unknown = json!({ "key": "f", "device": "nothing", "subject": SATO, "takes_over": false });
    let unknown = narrow.post("/lan/bind", &unknown).await;
    assert_eq!(code(&unknown), (404, "device_unknown".into()));
    let off = narrow.post("/lan/unbind", &json!({ "key": "g", "device": CUFF })).await;
    assert_eq!(code(&off), done);
    let off = narrow.post("/lan/unbind", &json!({ "key": "h", "device": CUFF })).await;
    assert_eq!(code(&off), (404, "device_unknown".into()));
    clinic.stop().await;
}

#[tokio::test]
async fn a_browser_is_told_that_the_brokers_pages_may_ask_and_no_others() {
    let clinic = Clinic::open().await;
    let asks = [
        ("access-control-request-method", "POST"),
        ("access-control-request-private-network", "true"),
    ];
    let first = clinic.page.send(Method::OPTIONS, "/lan/bind", &asks, Bytes::new()).await;
    let header = |answer: &Answer, name: &str| {
        let value = answer.headers.get(name);
        value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
    };
    assert_eq!(first.status, StatusCode::NO_CONTENT);
    assert_eq!(header(&first, "access-control-allow-origin"), ORIGIN);
    assert_eq!(header(&first, "access-control-allow-private-network"), "true");
    assert!(header(&first, "access-control-allow-headers").contains("authorization"));
    let evil = Page { origin: Some("https://evil.example"), ..clinic.nurse() };
    for answer in [
        evil.send(Method::OPTIONS, "/lan/bind", &asks, Bytes::new()).await,
        evil.get("/lan/seen").await,
        Page { origin: Some("null"), ..clinic.nurse() }.get("/lan/seen").await,
    ] {
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert_eq!(header(&answer, "access-control-allow-origin"), "");
    }
    let seen = clinic.nurse().get("/lan/seen").await;
    assert_eq!(header(&seen, "access-control-allow-origin"), ORIGIN);
    assert_eq!(header(&seen, "cache-control"), "no-store");
    clinic.stop().await;
}

#[tokio::test]
async fn whatever_is_too_long_unreadable_or_too_often_is_refused() {
    let clinic = Clinic::open().await;
    let nurse = clinic.nurse();
    let long = json!({ "key": "a".repeat(4_000), "device": CUFF });
    assert_eq!(nurse.post("/lan/unbind", &long).await.code(), "too_large");
    let odd: [Value; 4] = [
        json!({}),
        json!({ "key": "a", "device": CUFF, "more": 1 }),
        json!({ "key": "", "device": CUFF }),
        json!({ "key": "a".repeat(64), "device": CUFF }),
    ];
    for body in odd {
        assert_eq!(nurse.post("/lan/unbind", &body).await.code(), "not_understood", "{body}");
    }
    let text = [("content-type", "text/plain")];
    let body = Bytes::from(json!({ "key": "a", "device": CUFF }).to_string());
    let simple = nurse.send(Method::POST, "/lan/unbind", &text, body).await;
    assert_eq!(simple.code(), "not_understood", "a form of a strange page is no JSON");
    assert_eq!(nurse.get("/lan/seen?after=x").await.code(), "not_understood");
    let wrong = clinic.page.with("wrong");
    let mut codes = Vec::new();
    for _ in 0..30 {
        codes.push(wrong.get("/lan/seen").await.code());
    }
    assert_eq!(codes.first().map(String::as_str), Some("pass_wrong"));
    assert_eq!(codes.last().map(String::as_str), Some("too_many"));
    clinic.stop().await;
}

#[tokio::test]
async fn the_boxs_own_page_tells_how_it_is_and_nothing_of_any_patient() {
    let clinic = Clinic::open().await;
    let told = async || {
        let answer = Page { origin: None, ..clinic.page.with("") }.get("/").await;
        String::from_utf8(answer.body.to_vec()).expect("text")
    };
    let free = told().await;
    assert!(free.contains("つながっています") && free.contains(CUFF), "{free}");
    assert_eq!(clinic.bind("a", SATO, false).await.status, StatusCode::NO_CONTENT);
    clinic.broker.until("it is told", |kept| kept.last_seq > 0).await;
    let worn = told().await;
    assert!(!worn.contains(&SATO.to_string()));
    let table = |page: &str| page.split("<ul>").nth(1).map(str::to_owned);
    assert_eq!(table(&free), table(&worn), "not even that it is worn");
    assert!(!worn.contains("<script"));
    let authority = Page { origin: None, ..clinic.page.with("") }.get("/ca.pem").await;
    let kept = std::fs::read(clinic.data.path().join("lan-ca.pem")).expect("it is kept");
    assert_eq!(authority.body, kept);
    clinic.stop().await;
}

#[tokio::test]
async fn nobody_is_let_in_without_tls() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let clinic = Clinic::open().await;
    let mut plain = tokio::net::TcpStream::connect(clinic.page.address).await.expect("a port");
    plain.write_all(b"GET / HTTP/1.1\r\nhost: box\r\n\r\n").await.expect("sent");
    let mut answer = Vec::new();
    let _ = tokio::time::timeout(PATIENCE, plain.read_to_end(&mut answer)).await;
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
    clinic.stop().await;
}
