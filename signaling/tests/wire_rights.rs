//! Who may do what: every verb, pressed by everybody, over the wire.

mod wire_support;

use minato_protocol::act::{
    Act, CONSENT_VERSION, ContactOutcome, Disposition, Duty, HandedFrame, IdentityMethod,
    Invitation, Language, Outcome, Triage,
};
use minato_protocol::kit::ChangeRule;
use minato_protocol::reading::{Decimal, Hex, Quantity, ReadingId, TypedValue, Unit};
use minato_protocol::uplink::{FromBroker, FromGateway, RequestRefusal, SimulatedFault};
use minato_protocol::{
    Code, GatewayId, KitId, Pii, RoomId, StaffId, SubjectId, TicketId, Timestamp, VisitId,
};
use minato_signaling::http::Edge;
use minato_signaling::room::Command;
use std::collections::BTreeMap;
use wire_support::{
    Clinic, PIN, Patient, Screen, Wall, cuff, cuff_status, doctor_id, person, site,
};

/// Who presses, in the order of the table's columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Coordinator,
    OtherDoctor,
    Owner,
    Nurse,
    NurseElsewhere,
    Patient,
    OtherPatient,
    Tablet,
    /// A second device beside the tablet.
    Companion,
}

const EVERYBODY: [By; 9] = [
    By::Coordinator,
    By::OtherDoctor,
    By::Owner,
    By::Nurse,
    By::NurseElsewhere,
    By::Patient,
    By::OtherPatient,
    By::Tablet,
    By::Companion,
];

/// One letter a column: `+` may (another rule may still refuse), `-` may not, `?` does not even
/// know the device. The other doctor was offered the patient.
#[rustfmt::skip]
const TABLE: &[(&str, &str)] = &[
    //                      board, other doctor, owner, nurse, nurse elsewhere, patient, other, tablet, companion
    ("open_room",          "+--------"),
    ("invite",             "+--------"),
    ("revoke_link",        "+--+-----"),
    ("reissue_link",       "+--+-----"),
    ("close_intake",       "+--------"),
    ("record_contact",     "+--------"),
    ("allow_device",       "+--+-----"),
    ("admit_bedside",      "---++----"),
    ("set_ready",          "---+-----"),
    ("attach",             "---+-----"),
    ("detach",             "---+?----"),
    ("measure",            "---+?----"),
    ("hand_frames",        "---+-----"),
    ("attach_here",        "---+-----"),
    ("detach_here",        "---++----"),
    ("settle_reading",     "---+-----"),
    ("dismiss_reading",    "---++----"),
    ("set_up_kit",         "---++----"),
    ("issue_kit_link",     "---+-----"),
    ("set_kit_rule",       "---+-----"),
    ("take_kit_rule",      "---+-----"),
    ("take_kit_back",      "---+-----"),
    ("attach_to_kit",      "---+-----"),
    ("check_kit_reading",  "---+-----"),
    ("enter_kit_reading",  "---+-----"),
    ("enter_reading",      "---+-+-+-"),
    ("confirm_reading",    "--++-----"),
    ("withdraw_reading",   "--++-----"),
    ("simulate_fault",     "---+?----"),
    ("ask_lan_pass",       "---++----"),
    ("enter_patient_view", "---+-----"),
    ("leave_patient_view", "-------+-"),
    ("read_back",          "---+-----"),
    ("order_done",         "---+-----"),
    ("answer",             "---+-+-+-"),
    ("leave",              "---+-+-+-"),
    ("doctor_silent",      "---+-+-+-"),
    ("consent",            "---+-+-+-"),
    ("set_duty",           "-++------"),
    ("call_next",          "-++------"),
    ("call_one",           "-++------"),
    ("cancel_call",        "--+------"),
    ("park",               "--+------"),
    ("return_to_front",    "--+------"),
    ("end_visit",          "--+------"),
    ("offer_hand_over",    "--+------"),
    ("ask_hand_over",      "-++------"),
    ("accept_hand_over",   "-+-------"),
    ("decline_hand_over",  "-++------"),
    ("write_order",        "--+------"),
    ("defer",              "--+------"),
    ("confirm_identity",   "--++-+-+-"),
    ("wrong_patient",      "--++-+-+-"),
    ("raise_emergency",    "+-++---+-"),
    ("say",                "--++-+-+-"),
    ("audio_only",         "--++-+-+-"),
    ("join_media",         "--++-+-++"),
    ("set_triage",         "+-++-----"),
    ("open_person",        "-++------"),
    ("watch_readings",     "--++-+-++"),
];

/// Every verb that the wire knows, as the wire itself says it.
fn every_verb() -> Vec<String> {
    let nonsense = serde_json::from_str::<Act>(r#"{"type":"nonsense"}"#).expect_err("no verb");
    let text = nonsense.to_string();
    let (_, known) = text.split_once("expected one of").expect("the verbs are listed");
    known.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn every_verb_has_a_row_and_every_row_a_verb() {
    let mut verbs = every_verb();
    let mut rows: Vec<&str> = TABLE.iter().map(|(verb, _)| *verb).collect();
    verbs.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, verbs);
    assert!(TABLE.iter().all(|(_, cells)| cells.len() == EVERYBODY.len()));
}

/// One ticket in a visit, with the ids that verbs name.
#[derive(Debug, Clone, Copy)]
struct Target {
    room: RoomId,
    ticket: TicketId,
    visit: VisitId,
    epoch: u32,
    subject: SubjectId,
    other_doctor: StaffId,
    /// Of the nurse's site.
    kit: KitId,
}

/// A whole blood pressure.
fn frame() -> HandedFrame {
    let (characteristic, bytes) = ("2A35".to_owned(), "00780050005a00".parse().expect("hex"));
    HandedFrame { characteristic, bytes, at: Timestamp(0), boot: Hex([1; 8]), sequence: 1 }
}

fn act(verb: &str, at: Target) -> Act {
    let Target { room, ticket, visit, epoch, subject, other_doctor, kit } = at;
    let text = || "あ".to_owned();
    let someone = || Invitation { person: person(9), triage: Triage::Urgent, first_visit: true };
    let (device, reading) = (cuff(), ReadingId(Hex([5; 16])));
    match verb {
        "open_room" => Act::OpenRoom { name: text() },
        "invite" => Act::Invite { room, people: vec![someone()] },
        "revoke_link" => Act::RevokeLink { ticket },
        "reissue_link" => Act::ReissueLink { ticket },
        "close_intake" => Act::CloseIntake { room, closed: false },
        "record_contact" => Act::RecordContact { ticket, outcome: ContactOutcome::Ready },
        "allow_device" => Act::AllowDevice { ticket, request: "0".repeat(64), yes: true },
        "admit_bedside" => Act::AdmitBedside {
            room,
            person: person(8),
            triage: Triage::Standard,
            first_visit: true,
        },
        "set_ready" => Act::SetReady { ticket, ready: false },
        "attach" => Act::Attach { ticket, device, takes_over: false },
        "detach" => Act::Detach { device },
        "measure" => Act::Measure { device },
        "hand_frames" => Act::HandFrames { ticket, device, model: text(), frames: vec![frame()] },
        "attach_here" => {
            let (run, at) = (Hex([1; 8]), Timestamp(0));
            Act::AttachHere { ticket, device, model: text(), run, at, takes_over: false }
        }
        "detach_here" => {
            let (run, at) = (Hex([1; 8]), Timestamp(0));
            Act::DetachHere { device, run, at, silent: false }
        }
        "settle_reading" => {
            let (code, birth_date, reason) = (text(), text(), text());
            Act::SettleReading { reading, ticket, code, birth_date, reason }
        }
        "dismiss_reading" => Act::DismissReading { reading, reason: text() },
        "enter_reading" => {
            let (what, unit) = (Quantity::Temperature, Unit::Celsius);
            let values = vec![TypedValue { what, value: Decimal::whole(37), unit }];
            let (measured_at, corrects, reason) = (None, None, String::new());
            Act::EnterReading { ticket, values, measured_at, corrects, reason }
        }
        "set_up_kit" => Act::SetUpKit { room, person: person(7) },
        "issue_kit_link" => Act::IssueKitLink { kit },
        "set_kit_rule" => {
            let (what, limit) = (Quantity::PulseRate, Decimal::whole(120));
            Act::SetKitRule { kit, is: ChangeRule::Above { what, limit }, replaces: None }
        }
        "take_kit_rule" => Act::TakeKitRule { kit, rule: 1 },
        "take_kit_back" => Act::TakeKitBack { kit },
        "attach_to_kit" => Act::AttachToKit { kit, device, takes_over: false },
        "check_kit_reading" => Act::CheckKitReading { kit, reading, real: false, reason: text() },
        "enter_kit_reading" => {
            let (what, unit) = (Quantity::Temperature, Unit::Celsius);
            let values = vec![TypedValue { what, value: Decimal::whole(37), unit }];
            Act::EnterKitReading { kit, values, measured_at: None }
        }
        "confirm_reading" => Act::ConfirmReading { ticket, reading },
        "withdraw_reading" => Act::WithdrawReading { ticket, reading, reason: text() },
        "simulate_fault" => Act::SimulateFault { device, fault: SimulatedFault::CuffError },
        "ask_lan_pass" => Act::AskLanPass,
        "enter_patient_view" => Act::EnterPatientView { ticket },
        "leave_patient_view" => Act::LeavePatientView { pin: PIN.into() },
        "read_back" => Act::ReadBack { visit, order: 1 },
        "order_done" => Act::OrderDone { visit, order: 1 },
        "answer" => Act::Answer { ticket, epoch },
        "leave" => Act::Leave { ticket },
        "doctor_silent" => Act::DoctorSilent { ticket },
        "consent" => {
            let version = CONSENT_VERSION;
            Act::Consent { visit, version, explained_by: text(), language: Some(Language::Ja) }
        }
        "set_duty" => Act::SetDuty { room, duty: Duty::On },
        "call_next" => Act::CallNext { room },
        "call_one" => Act::CallOne { room, ticket },
        "cancel_call" => Act::CancelCall { ticket, epoch },
        "park" => Act::Park { ticket, epoch },
        "return_to_front" => Act::ReturnToFront { ticket, epoch },
        "end_visit" => {
            let disposition = Disposition::Treated;
            Act::EndVisit { ticket, epoch, disposition, note: String::new() }
        }
        "offer_hand_over" => Act::OfferHandOver { ticket, epoch, to: other_doctor },
        "ask_hand_over" => Act::AskHandOver { ticket },
        "accept_hand_over" => Act::AcceptHandOver { ticket, epoch },
        "decline_hand_over" => Act::DeclineHandOver { ticket, epoch },
        "write_order" => Act::WriteOrder { visit, text: text() },
        "defer" => Act::Defer { visit, reason: text() },
        "confirm_identity" => Act::ConfirmIdentity { visit, method: IdentityMethod::KnownInPerson },
        "wrong_patient" => Act::WrongPatient { visit },
        "raise_emergency" => Act::RaiseEmergency { ticket },
        "say" => Act::Say { visit, text: text() },
        "audio_only" => Act::AudioOnly { visit, reason: text() },
        "join_media" => Act::JoinMedia { visit },
        "set_triage" => Act::SetTriage { ticket, triage: Triage::Urgent },
        "open_person" => Act::OpenPerson { ticket },
        "watch_readings" => Act::WatchReadings { subject, after: 0 },
        other => panic!("{other} has no example"),
    }
}

/// Everybody at work: a bedside patient with one doctor, a patient at home with another.
struct Scene {
    bed: Target,
    home: Target,
    by: BTreeMap<u8, Screen>,
    patient: Patient,
    other_patient: Patient,
    /// Stays in the call with the patient at home.
    _home_owner: Screen,
}

impl Scene {
    async fn set(clinic: &Clinic, nurse: StaffId, round: u32) -> Self {
        let nurse_screen = clinic.staff(nurse).await;
        let owner = clinic.doctor(1).await;
        let other = clinic.doctor(2).await;
        let home_owner = clinic.doctor(3).await;
        let ticket = clinic.in_bed(&nurse_screen, 1_000 + 10 * round).await;
        let (visit, epoch) = clinic.visit(&owner, &nurse_screen, ticket).await;
        owner.must(Act::OfferHandOver { ticket, epoch, to: doctor_id(2) }).await;
        let subject = clinic.subject_of(ticket).await;
        let room = clinic.room;
        let set_up = Act::SetUpKit { room, person: person(1_003 + 10 * round) };
        let Outcome::KitSetUp { kit } = nurse_screen.must(set_up).await else { panic!("a kit") };
        let other_doctor = doctor_id(2);
        let bed = Target { room, ticket, visit, epoch, subject, other_doctor, kit };

        let patient = clinic.at_home(1_001 + 10 * round).await;
        let other_patient = clinic.at_home(1_002 + 10 * round).await;
        let ticket = patient.ticket;
        let (visit, epoch) = clinic.visit(&home_owner, &patient.screen, ticket).await;
        let subject = clinic.subject_of(ticket).await;
        let home = Target { ticket, visit, epoch, subject, ..bed };

        let tablet = clinic.staff(nurse).await;
        tablet.must(Act::EnterPatientView { ticket: bed.ticket }).await;
        tablet.until("the tablet turned round", |seen| seen.you().patient_view).await;
        let companion = clinic.companion(&nurse_screen, bed.ticket).await;
        let elsewhere = clinic.nurse(2).await;
        let board = clinic.another_board().await;
        let by = BTreeMap::from([
            (By::Coordinator as u8, board),
            (By::OtherDoctor as u8, other),
            (By::Owner as u8, owner),
            (By::Nurse as u8, nurse_screen),
            (By::NurseElsewhere as u8, elsewhere),
            (By::Tablet as u8, tablet),
            (By::Companion as u8, companion),
        ]);
        Self { bed, home, by, patient, other_patient, _home_owner: home_owner }
    }

    fn screen(&self, by: By) -> &Screen {
        match by {
            By::Patient => &self.patient.screen,
            By::OtherPatient => &self.other_patient.screen,
            staff => &self.by[&(staff as u8)],
        }
    }

    fn target(&self, by: By) -> Target {
        match by {
            By::Patient | By::OtherPatient => self.home,
            By::Coordinator
            | By::OtherDoctor
            | By::Owner
            | By::Nurse
            | By::NurseElsewhere
            | By::Tablet
            | By::Companion => self.bed,
        }
    }

    /// Everybody goes home, so that the next scene finds doctors and nurses free.
    async fn clear(self, clinic: &Clinic) {
        let room = clinic.room;
        clinic.broker.inside(move |edge| async move { clear(&edge, room).await }).await;
    }
}

async fn clear(edge: &Edge, room: RoomId) {
    let desk = &edge.desk;
    let seen = desk.room(room).await.expect("readable");
    for ticket in seen.state.live() {
        let (id, epoch) = (ticket.id, ticket.epoch);
        let disposition = Disposition::Treated;
        let note = Pii::new(ticket.subject, String::new());
        let home = match ticket.owner() {
            Some(doctor) => Command::End { ticket: id, doctor, epoch, disposition, note },
            None => Command::Leave { ticket: id },
        };
        desk.in_room(room, None, home).await.expect("allowed");
        let nurse = ticket.bedside.map(|bedside| bedside.nurse);
        for staff in ticket.owner().into_iter().chain(nurse) {
            desk.settle(staff).await;
        }
    }
}

/// A box that answers at once to whatever it is asked.
async fn answering_box(clinic: &Clinic) -> tokio::task::JoinHandle<()> {
    let gateway = GatewayId(1);
    Wall::enrol(&clinic.broker, gateway, site(1)).await;
    let mut wall = Wall::connect(&clinic.broker, gateway).await;
    wall.status(vec![cuff_status(cuff(), None)]).await;
    tokio::spawn(async move {
        while let Some(message) = wall.next().await {
            if let FromBroker::Bind { key, .. } | FromBroker::Unbind { key, .. } = message {
                let code = RequestRefusal::Busy;
                wall.send(&FromGateway::RequestRefused { key, code }).await;
            }
        }
    })
}

fn is_about_rights(code: Code) -> bool {
    matches!(code, Code::NotAllowed | Code::NotYours | Code::NotPresent)
}

/// A refusal that would come whoever presses proves nothing about rights.
fn was_looked_at(answer: &Result<Outcome, (Code, Option<String>)>) -> bool {
    !matches!(
        answer,
        Err((
            Code::TicketUnknown
                | Code::VisitUnknown
                | Code::VisitOver
                | Code::RoomUnknown
                | Code::KitUnknown,
            _
        ))
    )
}

#[tokio::test]
async fn everybody_may_do_their_own_work_and_nobody_elses() {
    let clinic = Clinic::open(3).await;
    let nurse = clinic.broker.make_nurse_with_pin("nurse", site(1)).await;
    let _answers = answering_box(&clinic).await;
    let mut round = 0;
    let mut scene = Scene::set(&clinic, nurse, round).await;
    for (verb, cells) in TABLE {
        let cells: Vec<(By, char)> = EVERYBODY.into_iter().zip(cells.chars()).collect();
        let before = clinic.broker.heads().await;
        for (by, cell) in cells.iter().filter(|(_, cell)| *cell != '+') {
            let answer = scene.screen(*by).press(act(verb, scene.target(*by))).await;
            let code = answer.as_ref().err().map(|(code, _)| *code);
            let expected = match cell {
                '?' => code == Some(Code::DeviceUnknown),
                _ => code.is_some_and(is_about_rights),
            };
            assert!(expected, "{verb} by {by:?}: {answer:?}");
        }
        assert_eq!(clinic.broker.heads().await, before, "{verb} refused wrote something");
        for (by, _) in cells.iter().filter(|(_, cell)| *cell == '+') {
            let before = clinic.broker.heads().await;
            let answer = scene.screen(*by).press(act(verb, scene.target(*by))).await;
            let about_rights =
                answer.as_ref().err().is_some_and(|(code, _)| is_about_rights(*code));
            assert!(!about_rights && was_looked_at(&answer), "{verb} by {by:?}: {answer:?}");
            if clinic.broker.heads().await != before {
                round += 1;
                scene.clear(&clinic).await;
                scene = Scene::set(&clinic, nurse, round).await;
            }
        }
    }
}
