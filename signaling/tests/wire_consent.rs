//! Who is who and the consent, before anything is ordered or finished; and no dead end.

mod wire_support;

use minato_protocol::act::{Act, CONSENT_VERSION, Disposition, IdentityMethod, Language};
use minato_protocol::view::TicketState;
use minato_protocol::{Code, VisitId};
use minato_signaling::http::Edge;
use minato_signaling::log::StreamId;
use std::sync::Arc;
use wire_support::{Clinic, Seen};

const KNOWN: IdentityMethod = IdentityMethod::AskedNameAndBirthDate;

fn order(visit: VisitId) -> Act {
    Act::WriteOrder { visit, text: "血圧をもう一度".into() }
}

fn agree(visit: VisitId, language: Language) -> Act {
    let (version, explained_by) = (CONSENT_VERSION, "阿部 直子".into());
    Act::Consent { visit, version, explained_by, language: Some(language) }
}

fn end(ticket: minato_protocol::TicketId, epoch: u32, disposition: Disposition) -> Act {
    Act::EndVisit { ticket, epoch, disposition, note: "港市民病院".into() }
}

fn confirm(visit: VisitId) -> Act {
    Act::ConfirmIdentity { visit, method: KNOWN }
}

#[tokio::test]
async fn both_sides_say_who_it_is_and_the_patient_agrees_before_orders_and_before_the_end() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let ticket = patient.ticket;
    let (visit, epoch) = clinic.visit(&doctor, &patient.screen, ticket).await;
    let treated = [Disposition::Treated, Disposition::FollowUp];
    for disposition in treated {
        assert_eq!(doctor.refused(end(ticket, epoch, disposition)).await, Code::IdentityFirst);
    }
    assert_eq!(doctor.refused(order(visit)).await, Code::IdentityFirst);
    doctor.must(confirm(visit)).await;
    // One side is not both.
    assert_eq!(doctor.refused(order(visit)).await, Code::IdentityFirst);
    for disposition in treated {
        assert_eq!(doctor.refused(end(ticket, epoch, disposition)).await, Code::IdentityFirst);
    }
    patient.screen.must(confirm(visit)).await;
    assert_eq!(doctor.refused(order(visit)).await, Code::ConsentFirst);
    for disposition in treated {
        assert_eq!(doctor.refused(end(ticket, epoch, disposition)).await, Code::ConsentFirst);
    }
    // Meanwhile they hear each other.
    doctor.must(Act::Say { visit, text: "受けますか".into() }).await;
    assert_eq!(doctor.refused(Act::JoinMedia { visit }).await, Code::RelayAway);

    patient.screen.must(agree(visit, Language::En)).await;
    doctor.must(order(visit)).await;
    doctor.must(end(ticket, epoch, Disposition::FollowUp)).await;
    clinic.until(ticket, TicketState::Ended).await;
    let stored = move |edge: Arc<Edge>| async move {
        let events = edge.desk.log.read_after(&StreamId::visit(visit), 0, 100).await;
        let events = events.expect("readable").into_iter();
        events.filter(|event| &*event.kind == "consented").map(|event| event.body).next()
    };
    let consent = clinic.broker.inside(stored).await.expect("it is written down");
    assert_eq!(consent["is"]["language"], "en");
    assert_eq!(consent["is"]["version"], CONSENT_VERSION);
}

#[tokio::test]
async fn who_is_not_treated_is_sent_on_without_consent() {
    for disposition in
        [Disposition::Refused, Disposition::Unsuitable, Disposition::EmergencyTransfer]
    {
        let clinic = Clinic::open(1).await;
        let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
        let (_, epoch) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
        doctor.must(end(patient.ticket, epoch, disposition)).await;
        clinic.until(patient.ticket, TicketState::Ended).await;
    }
}

#[tokio::test]
async fn a_reason_puts_consent_off_and_so_does_an_emergency_from_before_the_call() {
    let clinic = Clinic::open(1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
    let patient = clinic.at_home(1).await;
    let (visit, epoch) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    doctor.must(Act::Defer { visit, reason: "家族に電話で確かめた".into() }).await;
    doctor.must(order(visit)).await;
    doctor.must(end(patient.ticket, epoch, Disposition::Treated)).await;

    let ticket = clinic.in_bed(&nurse, 2).await;
    nurse.must(Act::RaiseEmergency { ticket }).await;
    let (visit, epoch) = clinic.visit(&doctor, &nurse, ticket).await;
    doctor.must(confirm(visit)).await;
    doctor.must(order(visit)).await;
    doctor.must(end(ticket, epoch, Disposition::Treated)).await;
    clinic.until(ticket, TicketState::Ended).await;
}

#[tokio::test]
async fn whoever_ends_too_late_learns_that_and_not_what_is_missing() {
    let clinic = Clinic::open(2).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let patient = clinic.at_home(1).await;
    let ticket = patient.ticket;
    let (_, epoch) = clinic.visit(&one, &patient.screen, ticket).await;
    assert_eq!(two.refused(end(ticket, epoch, Disposition::Treated)).await, Code::NotYours);
    assert_eq!(one.refused(end(ticket, epoch + 1, Disposition::Treated)).await, Code::StaleEpoch);
}

#[tokio::test]
async fn whoever_is_not_in_the_visit_is_told_so() {
    let clinic = Clinic::open(2).await;
    let (doctor, other) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let (patient, neighbour) = (clinic.at_home(1).await, clinic.at_home(2).await);
    let (visit, _) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let say = || Act::Say { visit, text: "もしもし".into() };
    for outside in [&neighbour.screen, &clinic.board, &clinic.nurse(1).await] {
        assert_eq!(outside.refused(say()).await, Code::NotPresent);
        assert_eq!(outside.refused(Act::JoinMedia { visit }).await, Code::NotPresent);
    }
    assert_eq!(other.refused(say()).await, Code::NotYours);
}

#[tokio::test]
async fn a_yes_to_another_text_than_todays_is_no_consent() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let (visit, _) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let before = clinic.broker.heads().await;
    for version in [0, CONSENT_VERSION - 1, CONSENT_VERSION + 1, 999, u32::MAX] {
        let explained_by = "阿部".into();
        let yes = Act::Consent { visit, version, explained_by, language: Some(Language::Ja) };
        assert_eq!(patient.screen.refused(yes).await, Code::FieldWrong, "{version}");
    }
    assert_eq!(clinic.broker.heads().await, before, "nothing was written");
}

#[tokio::test]
async fn a_page_from_before_languages_may_still_say_yes_and_nobody_says_more_than_fits() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let (visit, _) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let pressed = |language: &str| {
        let act = format!(
            r#"{{"type":"consent","visit":"{visit}","version":{CONSENT_VERSION},"explained_by":"阿部"{language}}}"#
        );
        serde_json::from_str::<Act>(&act)
    };
    assert!(pressed(r#","language":"fr""#).is_err());
    let long = Act::Consent {
        visit,
        version: CONSENT_VERSION,
        explained_by: "あ".repeat(81),
        language: Some(Language::Ja),
    };
    assert_eq!(patient.screen.refused(long).await, Code::FieldWrong);
    patient.screen.must(pressed("").expect("an older page")).await;
    doctor.must(confirm(visit)).await;
    patient.screen.must(confirm(visit)).await;
    doctor.must(order(visit)).await;
}

#[tokio::test]
async fn who_cannot_press_says_it_aloud_and_the_doctor_writes_that_down() {
    let clinic = Clinic::open(1).await;
    let (doctor, patient) = (clinic.doctor(1).await, clinic.at_home(1).await);
    let (visit, epoch) = clinic.visit(&doctor, &patient.screen, patient.ticket).await;
    let spoken = || Act::ConfirmIdentity { visit, method: IdentityMethod::Spoken };
    assert_eq!(patient.screen.refused(spoken()).await, Code::FieldWrong);
    doctor.must(spoken()).await;
    // It stands for the patient's side; the doctor's own is still to come.
    let sides = |seen: &Seen| {
        let identity = &seen.visits().first()?.identity;
        Some((identity.doctor.is_some(), identity.other_side?.0))
    };
    let found = doctor.find("the patient's side is confirmed", sides).await;
    assert_eq!(found, (false, IdentityMethod::Spoken));
    assert_eq!(doctor.refused(order(visit)).await, Code::IdentityFirst);
    doctor.must(confirm(visit)).await;
    patient.screen.must(agree(visit, Language::Ja)).await;
    doctor.must(order(visit)).await;
    doctor.must(end(patient.ticket, epoch, Disposition::Treated)).await;
}

#[tokio::test]
async fn at_the_bedside_the_nurse_confirms_for_the_patients_side() {
    let clinic = Clinic::open(1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
    doctor.must(confirm(visit)).await;
    nurse.must(agree(visit, Language::Ja)).await;
    assert_eq!(doctor.refused(order(visit)).await, Code::IdentityFirst);
    nurse.must(Act::ConfirmIdentity { visit, method: IdentityMethod::KnownInPerson }).await;
    doctor.must(order(visit)).await;
}
