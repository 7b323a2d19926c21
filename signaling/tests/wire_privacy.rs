//! What a screen is never told: everything that was ever sent to it is searched.

mod wire_support;

use minato_protocol::act::{Act, Duty, Triage};
use minato_protocol::view::TicketState;
use minato_protocol::{Person, SubjectId, TicketId};
use wire_support::{Clinic, Screen, Seen, doctor_id, person};

/// Everything that points to one person.
#[derive(Debug)]
struct Traces(Vec<String>);

impl Traces {
    fn of_person(person: &Person) -> Vec<String> {
        let Person { name, kana, birth_date, call_back, location } = person.clone();
        vec![name, kana, birth_date, call_back, location]
    }

    async fn of(clinic: &Clinic, ticket: TicketId, number: u32) -> Self {
        let subject = clinic.subject_of(ticket).await;
        let code = |seen: &Seen| seen.ticket(ticket).map(|row| row.code.clone());
        let code = clinic.board.find("the board shows the code", code).await;
        let mut traces = Self::of_person(&person(number));
        traces.extend([ticket.to_string(), subject.to_string()]);
        traces.push(format!("\"{code}\""));
        Self(traces)
    }

    fn assert_absent_from(&self, who: &str, transcript: &str) {
        for trace in &self.0 {
            assert!(!transcript.contains(trace), "{who} was told {trace}");
        }
    }
}

fn transcript(screen: &Screen) -> String {
    screen.shows(|seen| seen.transcript.clone())
}

#[tokio::test]
async fn a_patient_learns_its_own_place_and_nothing_of_anybody_else() {
    let clinic = Clinic::open(3).await;
    let nurse = clinic.nurse(1).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let sato = clinic.at_home(11).await;
    let others = busy_evening(&clinic, &nurse, &one, &two, &sato.screen).await;

    // Sato's own visit, with another one going on beside it.
    let (visit, epoch) = clinic.visit(&one, &sato.screen, sato.ticket).await;
    one.must(Act::Say { visit, text: "聞こえますか".into() }).await;
    sato.screen.must(Act::Say { visit, text: "はい".into() }).await;
    one.must(Act::RaiseEmergency { ticket: sato.ticket }).await;
    let own = |seen: &Seen| seen.visits().first().is_some_and(|row| row.person.is_some());
    sato.screen.until("the visit shows Sato's own name", own).await;
    clinic.end(&one, sato.ticket, epoch).await;
    let ended = |seen: &Seen| seen.place().is_some_and(|row| row.state == TicketState::Ended);
    sato.screen.until("the visit is over", ended).await;

    let told = transcript(&sato.screen);
    assert!(told.contains(&person(11).name), "the search finds what is there");
    for traces in others {
        traces.assert_absent_from("Sato", &told);
    }
}

/// Others come, are called, move, miss, leave and end; gives what must not be told.
async fn busy_evening(
    clinic: &Clinic,
    nurse: &Screen,
    one: &Screen,
    two: &Screen,
    watcher: &Screen,
) -> Vec<Traces> {
    let mut traces = Vec::new();
    let ito = clinic.at_home(12).await;
    let kato = clinic.at_home(13).await;
    let bed = clinic.in_bed(nurse, 14).await;
    let second = clinic.admitted(nurse, 15).await;
    for (ticket, number) in [(ito.ticket, 12), (kato.ticket, 13), (bed, 14), (second, 15)] {
        traces.push(Traces::of(clinic, ticket, number).await);
    }
    clinic.board.must(Act::SetTriage { ticket: ito.ticket, triage: Triage::Emergency }).await;
    let ahead = |count| move |seen: &Seen| seen.place().is_some_and(|row| row.ahead == Some(count));
    watcher.until("one is before Sato", ahead(1)).await;
    let (visit, epoch) = clinic.visit(two, &ito.screen, ito.ticket).await;
    two.must(Act::Say { visit, text: "伊藤さんだけに".into() }).await;
    traces.push(Traces(vec![visit.to_string(), "伊藤さんだけに".into()]));
    clinic.end(two, ito.ticket, epoch).await;
    let (visit, epoch) = clinic.visit(two, nurse, bed).await;
    traces.push(Traces(vec![visit.to_string()]));
    two.must(Act::OfferHandOver { ticket: bed, epoch, to: doctor_id(1) }).await;
    one.must(Act::AcceptHandOver { ticket: bed, epoch }).await;
    nurse.must(Act::WrongPatient { visit }).await;
    kato.screen.must(Act::Leave { ticket: kato.ticket }).await;
    clinic.board.must(Act::RevokeLink { ticket: ito.ticket }).await;
    two.must(Act::SetDuty { room: clinic.room, duty: Duty::Break }).await;
    traces
}

#[tokio::test]
async fn a_doctor_sees_no_person_before_the_claim_and_none_after_it() {
    let clinic = Clinic::open(2).await;
    let nurse = clinic.nurse(1).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let sato = clinic.at_home(21).await;
    let bed = clinic.in_bed(&nurse, 22).await;
    let subjects = [clinic.subject_of(sato.ticket).await, clinic.subject_of(bed).await];
    for ticket in [sato.ticket, bed] {
        one.until("the ticket shows", |seen| seen.ticket(ticket).is_some()).await;
    }
    nothing_of(&one, &[21, 22], &subjects);

    let (_, epoch) = clinic.visit(&one, &sato.screen, sato.ticket).await;
    let told = |seen: &Seen| seen.ticket(sato.ticket).is_some_and(|row| row.person.is_some());
    one.until("the owner sees the person", told).await;
    nothing_of(&one, &[22], &subjects[1..]);
    clinic.end(&one, sato.ticket, epoch).await;
    one.until("it is closed again", |seen| !told(seen)).await;
    nothing_of(&two, &[21, 22], &subjects);

    // Opening more is possible, and written down.
    let before = clinic.broker.heads().await;
    two.must(Act::OpenPerson { ticket: bed }).await;
    assert_ne!(clinic.broker.heads().await, before);
}

fn nothing_of(screen: &Screen, numbers: &[u32], subjects: &[SubjectId]) {
    let told = transcript(screen);
    for number in numbers {
        Traces(Traces::of_person(&person(*number))).assert_absent_from("a doctor", &told);
    }
    let ids = subjects.iter().map(ToString::to_string).collect();
    Traces(ids).assert_absent_from("a doctor", &told);
}

#[tokio::test]
async fn a_nurse_elsewhere_and_a_tablet_in_patient_view_see_nobody_else() {
    let clinic = Clinic::open(1).await;
    let nurse = clinic.broker.make_nurse_with_pin("nurse", wire_support::site(1)).await;
    let (nurse, elsewhere) = (clinic.staff(nurse).await, clinic.nurse(2).await);
    let doctor = clinic.doctor(1).await;
    let mine = clinic.in_bed(&nurse, 31).await;
    nurse.must(Act::EnterPatientView { ticket: mine }).await;
    nurse.until("the tablet turned round", |seen| seen.you().patient_view).await;
    let turned_at = transcript(&nurse).len();

    let other = clinic.in_bed(&elsewhere, 32).await;
    let home = clinic.at_home(33).await;
    let traces_of_home = Traces::of(&clinic, home.ticket, 33).await;
    let (visit_at_home, epoch) = clinic.visit(&doctor, &home.screen, home.ticket).await;
    let busy = |seen: &Seen| seen.doctors().iter().any(|row| row.busy);
    elsewhere.until("the nurse elsewhere sees that the doctor is busy", busy).await;
    clinic.end(&doctor, home.ticket, epoch).await;
    elsewhere.until("and free again", |seen| !busy(seen)).await;
    let (visit, _) = clinic.visit(&doctor, &nurse, mine).await;
    elsewhere.until("and busy again", busy).await;
    nurse.until("the tablet shows its own visit", |seen| seen.visits().len() == 1).await;

    let shown = transcript(&nurse)[turned_at..].to_owned();
    assert!(shown.contains(&person(31).name), "the search finds what is there");
    Traces::of(&clinic, other, 32).await.assert_absent_from("the tablet", &shown);
    traces_of_home.assert_absent_from("the tablet", &shown);
    // The nurse elsewhere saw which doctor was busy, but not with whom: no name, no id.
    let told = transcript(&elsewhere);
    let visits = Traces(vec![visit_at_home.to_string(), visit.to_string()]);
    for traces in [Traces::of(&clinic, mine, 31).await, traces_of_home, visits] {
        traces.assert_absent_from("the nurse elsewhere", &told);
    }

    nurse.must(Act::LeavePatientView { pin: wire_support::PIN.into() }).await;
    nurse.until("the nurse is back", |seen| seen.ticket(mine).is_some()).await;
}
