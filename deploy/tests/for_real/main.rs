//! From an empty folder to a working clinic, by the binary and its commands alone: no
//! demonstration, nothing made in memory.

mod browser;
mod certificate;
mod cut;
mod listening;
mod needs;
mod relay;
mod server;

use browser::{Authenticator, Screen, post, sign_in};
use minato_protocol::act::{Act, Duty, Outcome};
use minato_protocol::{Code, Role};
use serde_json::{Value, json};
use server::{Operator, PATIENCE, Server, word_after};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;
use tokio::time::timeout;

const PASSWORD: &str = "かもめ-kamome-12";
const CLINIC: [&str; 6] =
    ["clinic", "set", "--name", "みなと在宅医療センター", "--phone", "0599-00-0100"];

fn account<'a>(account: &'a str, role: &'a str) -> Vec<&'a str> {
    let own = ["--account", account, "--role", role];
    let shown = ["--name", "浜 ちひろ", "--affiliation", "港島診療所"];
    ["account", "create"].into_iter().chain(own).chain(shown).collect()
}

fn site<'a>(name: &'a str, hospital: &'a str) -> Vec<&'a str> {
    vec!["site", "open", "--name", name, "--hospital", hospital]
}

async fn make_account(operator: &Operator, name: &str, role: &str) -> Authenticator {
    let printed = operator.does_with(&account(name, role), &format!("{PASSWORD}\n")).await;
    assert!(!printed.contains(PASSWORD), "what was typed is not repeated");
    assert!(printed.contains('█') || printed.contains('▀'), "a QR code: {printed}");
    Authenticator::reads(&word_after(&printed, "authenticator"))
}

/// Says one line to the admin socket and hears one.
async fn say(data: &Path, line: &[u8]) -> Value {
    let mut socket = UnixStream::connect(data.join("admin.sock")).await.expect("it listens");
    // Whoever is refused early is not read to the end.
    let _ = socket.write_all(line).await;
    let mut answer = String::new();
    let heard = timeout(PATIENCE, socket.read_to_string(&mut answer)).await;
    heard.expect("in time").expect("an answer");
    assert_eq!(answer.matches('\n').count(), 1, "one line: {answer}");
    serde_json::from_str(&answer).expect("JSON")
}

#[tokio::test]
async fn where_no_service_runs_a_command_says_so_in_one_sentence() {
    let operator = Operator::new();
    for words in [&["account", "list"][..], &CLINIC, &["gateway", "expect", "--site", "1"]] {
        let said = operator.fails(words).await;
        assert!(said.contains("no minato runs on"), "{said}");
    }
}

#[tokio::test]
async fn the_first_account_signs_in_and_opens_a_room_once_the_clinic_is_known() {
    let operator = Operator::new();
    let mut server = Server::start(&operator.data()).await;
    server.says("minato account create").await;
    let authenticator = make_account(&operator, "Minami", "coordinator").await;
    assert!(operator.does(&["account", "list"]).await.starts_with("minami"));
    let wrong = sign_in(&server, "minami", "another-password", &authenticator.shows(0)).await;
    assert_eq!(wrong, Err(json!("sign_in_wrong")));

    let code = authenticator.shows(0);
    let cookie = sign_in(&server, "minami", PASSWORD, &code).await.expect("signed in");
    let again = sign_in(&server, "minami", PASSWORD, &code).await;
    assert_eq!(again, Err(json!("sign_in_wrong")), "a code is good once");
    let (mut board, you) = Screen::open(&server, &cookie).await;
    assert_eq!((you.role, you.name.as_str()), (Role::Coordinator, "浜 ちひろ"));

    let open = || Act::OpenRoom { name: "夜間の診療".into() };
    assert_eq!(board.press(open()).await, Err(Code::ClinicFirst));
    operator.does(&CLINIC).await;
    let Ok(Outcome::RoomOpened { room }) = board.press(open()).await else { panic!("no room") };

    // A doctor who comes after the room was opened works in it all the same.
    let authenticator = make_account(&operator, "abe", "doctor").await;
    let cookie = sign_in(&server, "abe", PASSWORD, &authenticator.shows(0)).await;
    let (mut doctor, _) = Screen::open(&server, &cookie.expect("signed in")).await;
    let on_duty = doctor.press(Act::SetDuty { room, duty: Duty::On }).await;
    assert_eq!(on_duty, Ok(Outcome::Done));
    assert!(!server.log().contains(PASSWORD));
}

#[tokio::test]
async fn a_site_opens_with_its_hospital_and_its_nurse_sees_every_change_of_it() {
    let operator = Operator::new();
    let server = Server::start(&operator.data()).await;
    let good = site("港島診療所", "港市民病院 0599-00-0119");
    assert!(operator.fails(&good).await.contains("clinic_first"));
    operator.does(&CLINIC).await;
    for hospital in ["", "港市民病院"] {
        let said = operator.fails(&site("港島診療所", hospital)).await;
        assert!(said.contains("hospital_first"), "{said}");
    }
    assert_eq!(operator.does(&good).await.trim(), "Site 1 is open.");
    assert!(operator.fails(&good).await.contains("name_taken"));

    let nurse = |site: &'static str| [&account("nurse", "nurse")[..], &["--site", site]].concat();
    assert!(operator.fails(&nurse("2")).await.contains("site_unknown"));
    let printed = operator.does(&nurse("1")).await;
    let (password, pin) = (word_after(&printed, "password"), word_after(&printed, "PIN"));
    assert!(pin.len() == 6 && pin.bytes().all(|sign| sign.is_ascii_digit()), "{pin}");
    let authenticator = Authenticator::reads(&word_after(&printed, "authenticator"));
    let cookie = sign_in(&server, "nurse", &password, &authenticator.shows(0)).await;
    let (mut tablet, you) = Screen::open(&server, &cookie.expect("signed in")).await;
    assert_eq!(you.hospital.as_deref(), Some("港市民病院 0599-00-0119"));

    operator.does(&["site", "change", "1", "--hospital", "沖島病院 0599-00-0120"]).await;
    assert_eq!(tablet.welcomed().await.hospital.as_deref(), Some("沖島病院 0599-00-0120"));
    let refused = operator.fails(&["site", "change", "1", "--hospital", "沖島病院"]).await;
    assert!(refused.contains("hospital_first"), "{refused}");
    let list = operator.does(&["site", "list"]).await;
    assert!(list.contains("みなと在宅医療センター 0599-00-0100"), "{list}");
    assert!(list.contains("港島診療所") && list.contains("沖島病院 0599-00-0120"), "{list}");
}

#[tokio::test]
async fn a_box_enrols_once_with_the_printed_code() {
    let operator = Operator::new();
    let server = Server::start(&operator.data()).await;
    let expect = ["gateway", "expect", "--site", "1"];
    assert!(operator.fails(&expect).await.contains("site_unknown"));
    operator.does(&CLINIC).await;
    operator.does(&site("港島診療所", "119")).await;
    let printed = operator.does(&expect).await;
    let code = printed.lines().map(str::trim).find(|line| line.matches('-').count() == 3);
    let enrol = |key: &str| json!({ "code": code.expect("a code"), "public_key": key.repeat(64) });
    let (status, enrolled, _) = post(&server, "/gateway/enrol", &enrol("1")).await;
    assert_eq!((status, &enrolled["site"]), (200, &json!("0000000000001")), "{enrolled}");
    let (status, refused, _) = post(&server, "/gateway/enrol", &enrol("2")).await;
    assert_eq!((status, &refused["code"]), (403, &json!("code_wrong")));
}

#[tokio::test]
async fn a_disabled_account_is_out_within_five_seconds_until_it_is_enabled() {
    let operator = Operator::new();
    let server = Server::start(&operator.data()).await;
    let authenticator = make_account(&operator, "abe", "doctor").await;
    let cookie = sign_in(&server, "abe", PASSWORD, &authenticator.shows(0)).await;
    let (mut doctor, _) = Screen::open(&server, &cookie.expect("signed in")).await;
    let unknown = operator.fails(&["account", "disable", "mori"]).await;
    assert!(unknown.contains("account_unknown"), "{unknown}");

    operator.does(&["account", "disable", "ABE"]).await;
    let asked = Instant::now();
    assert_eq!(doctor.bye().await, Code::SignInFirst);
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert!(operator.does(&["account", "list"]).await.trim().ends_with("disabled"));
    let out = sign_in(&server, "abe", PASSWORD, &authenticator.shows(1)).await;
    assert_eq!(out, Err(json!("sign_in_wrong")));

    operator.does(&["account", "enable", "abe"]).await;
    sign_in(&server, "abe", PASSWORD, &authenticator.shows(1)).await.expect("in again");
}

#[tokio::test]
async fn what_was_set_up_is_there_after_a_power_cut_and_the_socket_too() {
    let operator = Operator::new();
    let data = operator.data();
    let server = Server::start(&data).await;
    operator.does(&CLINIC).await;
    operator.does(&site("港島診療所", "港市民病院 0599-00-0119")).await;
    let authenticator = make_account(&operator, "minami", "coordinator").await;
    let sites = operator.does(&["site", "list"]).await;
    drop(server);
    assert!(data.join("admin.sock").exists(), "a dead process leaves it behind");
    assert!(operator.fails(&["site", "list"]).await.contains("no minato runs on"));

    let server = Server::start(&data).await;
    assert_eq!(operator.does(&["site", "list"]).await, sites);
    let code = authenticator.shows(0);
    let cookie = sign_in(&server, "minami", PASSWORD, &code).await.expect("signed in");
    let (mut board, _) = Screen::open(&server, &cookie).await;
    let opened = board.press(Act::OpenRoom { name: "朝の診療".into() }).await;
    assert!(opened.is_ok(), "{opened:?}");
    assert!(!server.log().contains("account create"), "there is an account already");
}

#[tokio::test]
async fn the_socket_is_its_owner_s_alone_and_bad_lines_get_a_stable_code() {
    let operator = Operator::new();
    let data = operator.data();
    let _server = Server::start(&data).await;
    let mode = |path: &Path| std::fs::metadata(path).expect("it is there").permissions().mode();
    assert_eq!(mode(&data) & 0o777, 0o700);
    assert_eq!(mode(&data.join("admin.sock")) & 0o777, 0o600);
    for bad in [&b"\n"[..], b"hello\n", b"{\"do\":\"everything\"}\n", b"\xff\n"] {
        let answer = say(&data, bad).await;
        assert_eq!(answer["code"], "not_understood", "{answer}");
    }
    assert_eq!(say(&data, &vec![b'x'; 100_000]).await["code"], "too_large");
    let short = json!({ "do": "create_account", "account": "abe", "role": "doctor", "name": "n",
        "affiliation": "", "site": null, "password": "short", "pin": null });
    let answer = say(&data, format!("{short}\n").as_bytes()).await;
    assert_eq!((&answer["code"], &answer["field"]), (&json!("field_wrong"), &json!("password")));
    // Four that say nothing take all places; they are sent away and the next one is served.
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(UnixStream::connect(data.join("admin.sock")).await.expect("it listens"));
    }
    assert_eq!(say(&data, b"{\"do\":\"list_sites\"}\n").await["answer"], "sites");
}
