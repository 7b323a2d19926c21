//! The staff's door through the real router, over both logs.

mod access_support;

use access_support::{Browser, House, MINUTE, PASSWORD, PIN, ROOM, SATO, everywhere, nearly};
use axum::http::StatusCode;
use minato_protocol::entry::Entry;
use minato_protocol::{Code, Role, Span, StaffId};
use minato_signaling::access::doors::{
    CreateError, NewAccount, ONCE_LIFE, STAFF_SESSION_LIFE, create_account, issue_once,
    set_enabled, totp_secret, verify_pin,
};
use minato_signaling::access::{Limits, SessionCommand, admitted, who};
use minato_signaling::log::StreamId;

const STEP: Span = Span::seconds(30);

async fn signed_in(house: &House, account: &str, role: Role) -> (Browser, StaffId) {
    let made = house.account(account, role).await;
    let mut page = house.browser();
    let answer = page.sign_in(account, PASSWORD, &house.totp(&made.totp)).await;
    assert_eq!(answer.entry(), Entry::Open { role });
    (page, made.staff)
}

#[tokio::test]
async fn name_password_and_code_open_a_session_until_signing_out() {
    everywhere(async |house| {
        let (mut page, staff) = signed_in(&house, "Abe", Role::Doctor).await;
        assert_eq!(page.me().await.entry(), Entry::Open { role: Role::Doctor });
        let cookie = page.cookie.clone().expect("a session");
        let known = admitted(house.desk(), &cookie).await.expect("signed in");
        assert_eq!((known.staff(), known.role, known.place()), (Some(staff), Role::Doctor, None));
        let out = page.sign_out().await;
        assert_eq!(out.entry(), Entry::Outside);
        assert!(out.set_cookie().expect("a cookie").contains("Max-Age=0"));
        page.cookie = Some(cookie);
        assert_eq!(page.me().await.entry(), Entry::Outside);
    })
    .await;
}

#[tokio::test]
async fn whatever_is_wrong_the_answer_is_the_same() {
    everywhere(async |house| {
        let made = house.account("abe", Role::Doctor).await;
        let code = house.totp(&made.totp);
        let wrong_code = if code == "000000" { "000001" } else { "000000" };
        let endless = "x".repeat(2_000);
        let mut bodies = Vec::new();
        for (account, password, totp) in [
            ("abe", "かもめ-kamome-13", code.as_str()),
            ("abe", "", code.as_str()),
            ("abe", endless.as_str(), code.as_str()),
            ("abe", PASSWORD, wrong_code),
            ("abe", PASSWORD, ""),
            ("nobody", PASSWORD, code.as_str()),
            ("", PASSWORD, code.as_str()),
            (endless.as_str(), PASSWORD, code.as_str()),
        ] {
            let mut page = house.browser();
            let answer = page.sign_in(account, password, totp).await;
            assert_eq!(answer.refusal(), (401, Code::SignInWrong));
            assert_eq!(page.cookie, None);
            bodies.push(answer.body);
        }
        assert!(bodies.windows(2).all(|two| two[0] == two[1]));
        let right = house.browser().sign_in(" ABE ", PASSWORD, &code).await;
        assert_eq!(right.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_code_of_the_authenticator_is_accepted_once() {
    everywhere(async |house| {
        let made = house.account("abe", Role::Doctor).await;
        let code = house.totp(&made.totp);
        assert_eq!(house.browser().sign_in("abe", PASSWORD, &code).await.status, StatusCode::OK);
        let replayed = house.browser().sign_in("abe", PASSWORD, &code).await;
        assert_eq!(replayed.refusal(), (401, Code::SignInWrong));
        house.advance(STEP);
        let next = house.totp(&made.totp);
        assert_eq!(house.browser().sign_in("abe", PASSWORD, &next).await.status, StatusCode::OK);
        // One step late is late enough for the clock of a telephone; three are not.
        house.advance(STEP);
        let late = house.totp(&made.totp);
        house.advance(Span(3 * STEP.0));
        let late = house.browser().sign_in("abe", PASSWORD, &late).await;
        assert_eq!(late.refusal(), (401, Code::SignInWrong));
    })
    .await;
}

#[tokio::test]
async fn two_browsers_with_the_same_code_are_one_session() {
    everywhere(async |house| {
        let made = house.account("abe", Role::Doctor).await;
        let code = house.totp(&made.totp);
        let (mut a, mut b) = (house.browser(), house.browser());
        let both =
            tokio::join!(a.sign_in("abe", PASSWORD, &code), b.sign_in("abe", PASSWORD, &code));
        let statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        assert!(statuses == [200, 401] || statuses == [401, 200], "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn a_disabled_account_is_out_at_once_and_its_old_sessions_never_come_back() {
    everywhere(async |house| {
        let (mut page, staff) = signed_in(&house, "abe", Role::Doctor).await;
        let once = issue_once(house.desk(), staff, ONCE_LIFE).await.expect("issued");
        set_enabled(house.desk(), staff, false).await.expect("disabled");
        assert_eq!(page.me().await.entry(), Entry::Outside);
        let by_link = house.browser().sign_in_once(&once).await;
        assert_eq!(by_link.refusal(), (403, Code::NotAllowed));
        house.advance(STEP);
        let cookie = page.cookie.clone().expect("kept by the browser");
        assert_eq!(who(house.desk(), &cookie).await, Err(Code::SignInFirst));
        assert_eq!(totp_secret(house.desk(), staff).await, Err(Code::NotAllowed));
        set_enabled(house.desk(), staff, true).await.expect("enabled");
        assert_eq!(page.me().await.entry(), Entry::Outside);
        let totp = totp_secret(house.desk(), staff).await.expect("enabled again");
        let again = house.browser().sign_in("abe", PASSWORD, &house.totp(&totp)).await;
        assert_eq!(again.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_right_password_does_not_open_a_disabled_account() {
    everywhere(async |house| {
        let made = house.account("abe", Role::Doctor).await;
        set_enabled(house.desk(), made.staff, false).await.expect("disabled");
        let refused = house.browser().sign_in("abe", PASSWORD, &house.totp(&made.totp)).await;
        assert_eq!(refused.refusal(), (401, Code::SignInWrong));
    })
    .await;
}

#[tokio::test]
async fn a_session_ends_after_twelve_hours() {
    everywhere(async |house| {
        let (mut page, _) = signed_in(&house, "abe", Role::Doctor).await;
        house.advance(nearly(STAFF_SESSION_LIFE));
        assert_eq!(page.me().await.entry(), Entry::Open { role: Role::Doctor });
        house.advance(MINUTE);
        assert_eq!(page.me().await.entry(), Entry::Outside);
    })
    .await;
}

#[tokio::test]
async fn a_sign_in_link_signs_in_once() {
    everywhere(async |house| {
        let made = house.account("umi", Role::Coordinator).await;
        let once = issue_once(house.desk(), made.staff, ONCE_LIFE).await.expect("issued");
        let mut page = house.browser();
        let entry = page.sign_in_once(&once).await.entry();
        assert_eq!(entry, Entry::Open { role: Role::Coordinator });
        assert_eq!(page.me().await.entry(), entry);
        let again = house.browser().sign_in_once(&once).await;
        assert_eq!(again.refusal(), (410, Code::LinkExpired));
        let late = issue_once(house.desk(), made.staff, MINUTE).await.expect("issued");
        house.advance(MINUTE);
        let late = house.browser().sign_in_once(&late).await;
        assert_eq!(late.refusal(), (410, Code::LinkExpired));
        for made_up in ["", "abc", once.trim_end_matches(char::is_alphanumeric), &once[1..]] {
            let answer = house.browser().sign_in_once(made_up).await;
            assert_eq!(answer.refusal(), (404, Code::LinkUnknown));
        }
    })
    .await;
}

#[tokio::test]
async fn two_browsers_press_a_sign_in_link_at_once_and_one_is_in() {
    everywhere(async |house| {
        let made = house.account("umi", Role::Coordinator).await;
        let once = issue_once(house.desk(), made.staff, ONCE_LIFE).await.expect("issued");
        let (mut a, mut b) = (house.browser(), house.browser());
        let both = tokio::join!(a.sign_in_once(&once), b.sign_in_once(&once));
        let statuses = [both.0.status.as_u16(), both.1.status.as_u16()];
        assert!(statuses == [200, 410] || statuses == [410, 200], "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn guessing_passwords_is_slow_for_an_account_and_from_an_address() {
    everywhere(async |house| {
        let made = house.account("abe", Role::Doctor).await;
        let mut tries = 0;
        while tries < 100 {
            let mut page = house.browser().at(&format!("198.51.100.{tries}"));
            if page.sign_in("abe", "wrong", "000000").await.status == 429 {
                break;
            }
            tries += 1;
        }
        assert!((10..30).contains(&tries), "{tries}");
        let mut tries = 0;
        while tries < 100 {
            let mut page = house.browser().at("203.0.113.5");
            let answer = page.sign_in(&format!("name{tries}"), "wrong", "000000").await;
            if answer.status == 429 {
                assert_eq!(answer.refusal(), (429, Code::TooMany));
                break;
            }
            tries += 1;
        }
        assert!((10..30).contains(&tries), "{tries}");
        house.advance(MINUTE);
        let right = house.browser().sign_in("abe", PASSWORD, &house.totp(&made.totp)).await;
        assert_eq!(right.status, StatusCode::OK);
    })
    .await;
}

#[tokio::test]
async fn a_whole_clinic_signs_in_from_behind_one_address() {
    everywhere(async |house| {
        for n in 0..15 {
            signed_in(&house, &format!("name{n}"), Role::Doctor).await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_pin_is_the_nurses_own_and_is_not_guessed() {
    everywhere(async |house| {
        let nurse = house.account("hama", Role::Nurse).await.staff;
        let doctor = house.account("abe", Role::Doctor).await.staff;
        let limits = Limits::default();
        let pin = |staff, pin| verify_pin(house.desk(), &limits, staff, pin);
        for _ in 0..10 {
            assert_eq!(pin(nurse, PIN).await, Ok(()));
        }
        assert_eq!(pin(doctor, PIN).await, Err(Code::PinWrong));
        assert_eq!(pin(doctor, "").await, Err(Code::PinWrong));
        let mut wrong = 0;
        while wrong < 30 && pin(nurse, "0000").await == Err(Code::PinWrong) {
            wrong += 1;
        }
        assert!((5..20).contains(&wrong), "{wrong}");
        assert_eq!(pin(nurse, PIN).await, Err(Code::TooMany));
    })
    .await;
}

#[tokio::test]
async fn nobody_signs_out_of_a_tablet_in_patient_view() {
    everywhere(async |house| {
        let (mut tablet, _) = signed_in(&house, "hama", Role::Nurse).await;
        let cookie = tablet.cookie.clone().expect("a session");
        let nurse = who(house.desk(), &cookie).await.expect("signed in");
        let stream = StreamId::session(&nurse.session.0);
        let turn = async |command| house.desk().sessions.submit(&stream, None, command).await;
        let show = SessionCommand::EnterPatientView { room: ROOM, ticket: SATO };
        turn(show).await.expect("shown");
        let shown = who(house.desk(), &cookie).await.expect("signed in");
        assert_eq!(shown.patient_view, Some((ROOM, SATO)));
        assert_eq!(shown.place(), Some((ROOM, SATO)));
        assert_eq!(tablet.sign_out().await.refusal(), (403, Code::NotAllowed));
        assert_eq!(tablet.me().await.entry(), Entry::Open { role: Role::Nurse });
        turn(SessionCommand::LeavePatientView).await.expect("left");
        assert_eq!(tablet.sign_out().await.entry(), Entry::Outside);
    })
    .await;
}

fn new(account: &str) -> NewAccount {
    NewAccount {
        account: account.into(),
        password: PASSWORD.into(),
        pin: None,
        role: Role::Doctor,
        name: "森 健一".into(),
        affiliation: "港大学病院".into(),
        site: None,
    }
}

#[tokio::test]
async fn an_account_needs_a_free_name_and_decent_secrets() {
    everywhere(async |house| {
        let make = async |new| {
            create_account(house.desk(), &house.edge.directory, new).await.map(|made| made.staff)
        };
        let staff = make(new("Mori")).await.expect("made");
        let card = house.edge.directory.card(staff).expect("on the roll");
        assert_eq!((card.role, card.name.as_str()), (Role::Doctor, "森 健一"));
        assert_eq!(house.edge.directory.roll().staff(" MORI "), Some(staff));
        assert_eq!(make(new(" mori")).await, Err(CreateError::Taken));
        let wrong = [
            NewAccount { account: " ".into(), ..new("a") },
            NewAccount { password: "short".into(), ..new("a") },
            NewAccount { pin: Some("12".into()), ..new("a") },
            NewAccount { pin: Some("12a4".into()), ..new("a") },
            NewAccount { name: String::new(), ..new("a") },
        ];
        for new in wrong {
            assert!(matches!(make(new).await, Err(CreateError::Field(_))));
        }
        let patient = NewAccount { role: Role::Patient, ..new("a") };
        assert_eq!(make(patient).await, Err(CreateError::Patient));
        assert_eq!(format!("{:?}", new("a")), "NewAccount(…)");
    })
    .await;
}

#[tokio::test]
async fn an_account_made_on_one_node_signs_in_on_another() {
    everywhere(async |house| {
        let desk = house.desk();
        let (log, clock) = (std::sync::Arc::clone(&desk.log), desk.clock.clone());
        let other = House::open(log, clock, house.secrets.clone(), None).await;
        let made = house.account("abe", Role::Doctor).await;
        assert_eq!(other.edge.directory.card(made.staff), None);
        let mut page = other.browser();
        let answer = page.sign_in("abe", PASSWORD, &other.totp(&made.totp)).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert!(other.edge.directory.card(made.staff).is_some());
        let taken = create_account(other.desk(), &other.edge.directory, new("abe")).await;
        assert_eq!(taken.map(|made| made.staff), Err(CreateError::Taken));
    })
    .await;
}
