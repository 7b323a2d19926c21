//! What an operator sets up and shuts, as open screens and the relay learn of it.

mod wire_support;

use minato_protocol::act::{Act, Outcome};
use minato_protocol::view::Clinic as ClinicCard;
use minato_protocol::{Code, ParticipantId, Role, VisitId};
use minato_signaling::access::doors::set_enabled;
use minato_signaling::http::Edge;
use minato_signaling::log::MemoryLog;
use minato_signaling::relays::{List, Wishes};
use minato_signaling::site::Sheet;
use std::sync::Arc;
use wire_support::{Clinic, Seen, doctor_id, site, until};

async fn list(clinic: &Clinic, visit: VisitId) -> List {
    let look = |edge: Arc<Edge>| async move { Wishes::now(&edge.desk, &edge.gateways).await };
    let wishes = clinic.broker.inside(look).await.expect("the log is readable");
    wishes.lists.get(&visit).cloned().expect("the visit goes on")
}

fn sheet(hospital: &str) -> Sheet {
    Sheet { name: "鳥島".into(), receiving_hospital: hospital.into(), clinic: None }
}

#[tokio::test]
async fn a_disabled_doctor_is_off_the_relay_s_list_at_once() {
    let clinic = Clinic::open(1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
    for screen in [&doctor, &nurse] {
        // No relay is there, but who may be in the call is known from here on.
        assert_eq!(screen.refused(Act::JoinMedia { visit }).await, Code::RelayAway);
    }
    let party = |seen: &Seen| -> Option<ParticipantId> {
        let row = seen.visits().into_iter().find(|row| row.visit == visit)?;
        let own = row.parties.iter().find(|party| party.role == Role::Doctor);
        own.map(|party| party.participant)
    };
    let own = doctor.find("the doctor is in the visit", party).await;
    let before = list(&clinic, visit).await;
    assert!(before.participants.contains(&own));

    let shut = |edge: Arc<Edge>| async move { set_enabled(&edge.desk, doctor_id(1), false).await };
    clinic.broker.inside(shut).await.expect("disabled");
    let after = list(&clinic, visit).await;
    assert!(!after.participants.contains(&own));
    assert_eq!(after.participants.len() + 1, before.participants.len());
    assert!(after.seq > before.seq && after.generation == before.generation);
    assert_eq!(doctor.end().await, Some(Code::SignInFirst));
}

#[tokio::test]
async fn a_site_and_a_clinic_are_changed_while_everybody_is_there() {
    let clinic = Clinic::open(0).await;
    let nurse = clinic.nurse(2).await;
    let change = |edge: Arc<Edge>| async move {
        let moved = |sheet: &mut Sheet| sheet.receiving_hospital = "沖島病院 0599-00-0120".into();
        edge.register.change_site(&edge.desk, site(2), moved).await?;
        let new = ClinicCard { name: "沖医療".into(), phone: "0599-00-0200".into() };
        edge.register.set_clinic(&edge.desk, new).await
    };
    clinic.broker.inside(change).await.expect("changed");
    let hospital = |seen: &Seen| seen.welcomes.last()?.hospital.clone();
    nurse
        .until("she is told the hospital", |seen| {
            hospital(seen).as_deref() == Some("沖島病院 0599-00-0120")
        })
        .await;
    let opened = clinic.board.must(Act::OpenRoom { name: "朝の診療".into() }).await;
    let Outcome::RoomOpened { room } = opened else { panic!("{opened:?}") };
    let look = move |edge: Arc<Edge>| async move { edge.desk.room(room).await };
    let (new, old) = (clinic.broker.inside(look).await.expect("open"), clinic.room);
    assert_eq!(new.state.clinic.name, "沖医療");
    // Patients of a room that is open were told whom to telephone.
    let look = move |edge: Arc<Edge>| async move { edge.desk.room(old).await };
    assert_eq!(clinic.broker.inside(look).await.expect("open").state.clinic.name, "みなと医療");
}

#[tokio::test]
async fn a_refused_site_leaves_nothing_behind_and_two_at_once_get_two_numbers() {
    let clinic = Clinic::over(Arc::new(MemoryLog::default()), 0).await;
    let open = |hospital: &'static str, name: &'static str| {
        move |edge: Arc<Edge>| async move {
            let sheet = Sheet { name: name.into(), ..sheet(hospital) };
            edge.register.open_site(&edge.desk, sheet).await
        }
    };
    let refused = clinic.broker.inside(open("鳥島病院", "鳥島")).await;
    assert_eq!(refused, Err(Code::HospitalFirst));
    let (one, two) = tokio::join!(
        clinic.broker.inside(open("119", "鳥島")),
        clinic.broker.inside(open("119", "亀島"))
    );
    let mut numbers = [one.expect("open"), two.expect("open")];
    numbers.sort_unstable();
    assert_eq!(numbers, [site(3), site(4)]);
    assert_eq!(clinic.broker.inside(open("119", "亀島")).await, Err(Code::NameTaken));
    let edge = Arc::clone(&clinic.broker.edge);
    until("all four are known", || async { edge.register.known().sites.len() == 4 }).await;
}
