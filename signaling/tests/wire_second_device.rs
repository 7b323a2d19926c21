//! A second device in a bedside patient's room: by the nurse's link, with the nurse's yes, silent.

mod wire_support;

use minato_protocol::act::{Act, IdentityMethod, IssuedLink, Language, Outcome};
use minato_protocol::view::AlertKind;
use minato_protocol::wire::FromScreen;
use minato_protocol::{Code, Role, TicketId};
use minato_signaling::access::random_text;
use serde_json::json;
use wire_support::{Broker, Clinic, Screen, Seen, site};

async fn link_for(screen: &Screen, ticket: TicketId) -> IssuedLink {
    let outcome = screen.must(Act::ReissueLink { ticket }).await;
    let Outcome::Issued { mut links } = outcome else { panic!("{outcome:?}") };
    links.remove(0)
}

/// The button under a link, in a browser of one's own: what the page is told, and the cookie.
async fn knock(broker: &Broker, path: &str, body: serde_json::Value) -> (String, String) {
    let answer = broker.post(path, body, None).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    (answer.body.to_string(), answer.cookie.expect("a session"))
}

async fn request_of(nurse: &Screen, ticket: TicketId) -> String {
    let asked = |seen: &Seen| seen.ticket(ticket)?.device_requests.first().cloned();
    let request = nurse.find("the nurse is asked", asked).await;
    let alert = |seen: &Seen| seen.has_alert(AlertKind::DeviceRequest, ticket);
    nurse.until("and alerted", alert).await;
    request
}

#[tokio::test]
async fn a_device_with_the_nurses_link_waits_for_the_nurses_yes_and_joins_silent() {
    let clinic = Clinic::open(1).await;
    let (nurse, doctor) = (clinic.nurse(1).await, clinic.doctor(1).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let link = link_for(&nurse, ticket).await;
    let body = json!({ "secret": link.secret, "browser": random_text(16) });
    let (told, cookie) = knock(&clinic.broker, "/api/join", body).await;
    assert!(told.contains("pending"), "nobody comes in by the link alone: {told}");
    let request = request_of(&nurse, ticket).await;
    let elsewhere = clinic.nurse(2).await;
    let yes = || Act::AllowDevice { ticket, request: request.clone(), yes: true };
    assert_eq!(elsewhere.refused(yes()).await, Code::NotAllowed);
    nurse.must(yes()).await;
    let phone = Screen::open(&clinic.broker, &cookie).await;
    assert_eq!(
        phone.shows(|seen| (seen.you().role, seen.you().ticket)),
        (Role::Patient, Some(ticket))
    );

    // The phone is quicker than the tablet, and is the companion all the same.
    let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
    for screen in [&phone, &nurse] {
        assert_eq!(screen.refused(Act::JoinMedia { visit }).await, Code::RelayAway);
    }
    let companions = |seen: &Seen| {
        let parties = &seen.visits().first()?.parties;
        let of = |role| parties.iter().find(|party| party.role == role).map(|p| p.companion);
        of(Role::Patient).zip(of(Role::Nurse))
    };
    assert_eq!(nurse.find("both are in", companions).await, (true, false));
}

/// A relative's phone beside the bed shows the visit; for the patient speak the tablet and its nurse.
#[tokio::test]
async fn a_device_beside_the_tablet_sees_and_hears_and_speaks_for_nobody() {
    let clinic = Clinic::open(1).await;
    let (nurse, doctor) = (clinic.nurse(1).await, clinic.doctor(1).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let phone = clinic.companion(&nurse, ticket).await;
    assert!(phone.shows(|seen| seen.you().companion), "its page is told so");
    assert_eq!(phone.refused(Act::Leave { ticket }).await, Code::NotAllowed);
    let (visit, epoch) = clinic.call(&doctor, ticket).await;
    assert_eq!(phone.refused(Act::Answer { ticket, epoch }).await, Code::NotAllowed);
    nurse.must(Act::Answer { ticket, epoch }).await;

    let before = clinic.broker.heads().await;
    let method = IdentityMethod::AskedNameAndBirthDate;
    let (version, language) = (1, Some(Language::Ja));
    for act in [
        Act::ConfirmIdentity { visit, method },
        Act::Consent { visit, version, explained_by: "娘".into(), language },
        Act::WrongPatient { visit },
        Act::Say { visit, text: "もう帰ります".into() },
        Act::AudioOnly { visit, reason: "娘の希望".into() },
        Act::DoctorSilent { ticket },
        Act::RaiseEmergency { ticket },
        Act::Leave { ticket },
    ] {
        let what = format!("{act:?}");
        assert_eq!(phone.refused(act).await, Code::NotAllowed, "{what}");
    }
    assert_eq!(clinic.broker.heads().await, before, "nothing was written");

    // It sees what is said and measured, and joins the call.
    nurse.must(Act::Say { visit, text: "血圧を測ります".into() }).await;
    phone.send(&FromScreen::WatchChat { visit, after: 0 });
    phone.until("it reads along", |seen| seen.chat.iter().any(|line| line.seq == 1)).await;
    let subject = clinic.subject_of(ticket).await;
    phone.must(Act::WatchReadings { subject, after: 0 }).await;
    assert_eq!(phone.refused(Act::JoinMedia { visit }).await, Code::RelayAway);
    let is_in = |seen: &Seen| {
        let here = seen.visits().first().and_then(|row| row.parties.first());
        here.is_some_and(|party| party.companion)
    };
    phone.until("it is on the list of who is there", is_in).await;
}

/// The same verbs from a patient's own phone at home, and from the tablet in patient view.
#[tokio::test]
async fn a_patient_at_home_is_no_companion_and_neither_is_the_tablet_itself() {
    let clinic = Clinic::open(1).await;
    let home = clinic.at_home(1).await;
    let nurse = clinic.broker.make_nurse_with_pin("nurse", site(1)).await;
    let tablet = clinic.staff(nurse).await;
    let ticket = clinic.in_bed(&tablet, 2).await;
    tablet.must(Act::EnterPatientView { ticket }).await;
    tablet.until("the tablet turned round", |seen| seen.you().patient_view).await;
    for screen in [&home.screen, &tablet] {
        assert!(!screen.shows(|seen| seen.you().companion));
    }
    tablet.must(Act::Leave { ticket }).await;
    home.screen.must(Act::Leave { ticket: home.ticket }).await;
}

#[tokio::test]
async fn a_device_that_is_refused_stays_outside_and_the_digits_open_no_other_way() {
    let clinic = Clinic::open(1).await;
    let nurse = clinic.nurse(1).await;
    let ticket = clinic.in_bed(&nurse, 1).await;
    // Also the board's link for a bedside patient waits for somebody's yes.
    for screen in [&nurse, &clinic.board] {
        let link = link_for(screen, ticket).await;
        let body = json!({ "code": link.spoken, "browser": random_text(16) });
        let (told, cookie) = knock(&clinic.broker, "/api/join/spoken", body).await;
        assert!(told.contains("pending"), "{told}");
        let request = request_of(&nurse, ticket).await;
        nurse.must(Act::AllowDevice { ticket, request, yes: false }).await;
        let outside = Screen::connect(&clinic.broker, &cookie, Vec::new()).await;
        assert!(outside.end().await.is_some());
    }
}

#[tokio::test]
async fn a_nurse_makes_and_withdraws_links_at_her_own_site_only() {
    let clinic = Clinic::open(1).await;
    let (nurse, elsewhere) = (clinic.nurse(1).await, clinic.nurse(2).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let home = clinic.at_home(2).await;
    let link = link_for(&nurse, ticket).await;
    for act in [Act::ReissueLink { ticket }, Act::RevokeLink { ticket }] {
        assert_eq!(elsewhere.refused(act).await, Code::NotAllowed);
    }
    for ticket in [home.ticket] {
        assert_eq!(nurse.refused(Act::ReissueLink { ticket }).await, Code::NotAllowed);
        assert_eq!(nurse.refused(Act::RevokeLink { ticket }).await, Code::NotAllowed);
    }
    nurse.must(Act::RevokeLink { ticket }).await;
    let body = json!({ "secret": link.secret, "browser": random_text(16) });
    let answer = clinic.broker.post("/api/join", body, None).await;
    assert_eq!(answer.code(), Code::LinkRevoked);
}

#[tokio::test]
async fn a_press_for_a_link_that_comes_twice_gives_the_same_link() {
    let clinic = Clinic::open(1).await;
    let nurse = clinic.nurse(1).await;
    let ticket = clinic.in_bed(&nurse, 1).await;
    let key = wire_support::press_name();
    let first = nurse.press_as(&key, Act::ReissueLink { ticket }).await;
    let before = clinic.broker.heads().await;
    assert!(nurse.press_as(&key, Act::ReissueLink { ticket }).await == first);
    assert_eq!(clinic.broker.heads().await, before);
}
