//! Who gets the patient: of all who press at once exactly one, and a repeated press changes
//! nothing.

mod wire_support;

use futures_util::future::join_all;
use minato_protocol::act::{Act, Disposition, Invitation, Outcome, Triage};
use minato_protocol::view::{HandOver, TicketState};
use minato_protocol::{Code, TicketId};
use wire_support::{Clinic, Screen, Seen, doctor_id, person, press_name};

#[tokio::test]
async fn of_twenty_doctors_who_press_at_once_exactly_one_gets_the_patient_fifty_times() {
    const DOCTORS: u64 = 20;
    let clinic = Clinic::open(DOCTORS).await;
    let mut doctors = Vec::new();
    for number in 1..=DOCTORS {
        doctors.push(clinic.doctor(number).await);
    }
    let nurse = clinic.nurse(1).await;
    for round in 0..50 {
        let ticket = clinic.in_bed(&nurse, round).await;
        let picks = round % 2 == 1;
        let act = || match picks {
            true => Act::CallOne { room: clinic.room, ticket },
            false => Act::CallNext { room: clinic.room },
        };
        let answers = join_all(doctors.iter().map(|doctor| doctor.press(act()))).await;
        let (winner, epoch) = the_one_winner(&answers, ticket, picks);
        clinic.end(&doctors[winner], ticket, epoch).await;
    }
}

/// Whoever lost is told the right thing; with a pick also who won.
fn the_one_winner(answers: &[wire_support::Answer], ticket: TicketId, picks: bool) -> (usize, u32) {
    let mut winners = Vec::new();
    for (index, answer) in answers.iter().enumerate() {
        match answer {
            Ok(Outcome::Called { ticket: called, epoch, .. }) => {
                assert_eq!(*called, ticket);
                winners.push((index, *epoch));
            }
            Ok(other) => panic!("{other:?}"),
            Err((Code::AlreadyTaken, _)) => {}
            // The nurse is reserved for the winner a moment before the call is written.
            Err((Code::NurseBusy, None)) if picks => {}
            Err((Code::NobodyCallable, None)) if !picks => {}
            Err(refused) => panic!("{refused:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "{answers:?}");
    let by = wire_support::name_of(doctor_id(winners[0].0 as u64 + 1));
    for answer in answers.iter().filter_map(|answer| answer.as_ref().err()) {
        assert!(answer.1.is_none() || answer.1.as_deref() == Some(by.as_str()), "{answer:?}");
    }
    winners[0]
}

#[tokio::test]
async fn a_nurse_with_two_ready_patients_is_in_one_call() {
    let clinic = Clinic::open(2).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let nurse = clinic.nurse(1).await;
    for round in 0..20 {
        let first = clinic.in_bed(&nurse, 2 * round).await;
        let second = clinic.in_bed(&nurse, 2 * round + 1).await;
        let next = || Act::CallNext { room: clinic.room };
        let answers = join_all([one.press(next()), two.press(next())]).await;
        let called: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
        let [Outcome::Called { ticket, epoch, .. }] = called[..] else { panic!("{answers:?}") };
        let won_first = answers[0].is_ok();
        let (winner, other) = if won_first { (&one, &two) } else { (&two, &one) };
        let by = wire_support::name_of(doctor_id(if won_first { 1 } else { 2 }));
        match answers.iter().find_map(|answer| answer.as_ref().err()) {
            Some((Code::NobodyCallable, None)) => {}
            Some((Code::AlreadyTaken, Some(told))) => assert_eq!(*told, by),
            other => panic!("{other:?}"),
        }
        let waits = if *ticket == first { second } else { first };
        let pick = Act::CallOne { room: clinic.room, ticket: waits };
        assert_eq!(other.refused(pick).await, Code::NurseBusy);
        clinic.until(waits, TicketState::Waiting).await;
        clinic.end(winner, *ticket, *epoch).await;
        let (_, epoch) = clinic.call(other, waits).await;
        clinic.end(other, waits, epoch).await;
    }
}

#[tokio::test]
async fn a_press_on_a_patient_who_is_taken_leaves_the_owners_claim_alone() {
    let clinic = Clinic::open(2).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let patient = clinic.at_home(1).await;
    let ticket = patient.ticket;
    let (_, epoch) = clinic.call(&one, ticket).await;
    let before = clinic.broker.heads().await;
    for _ in 0..5 {
        let by = Some(wire_support::name_of(doctor_id(1)));
        let refused = two.press(Act::CallOne { room: clinic.room, ticket }).await;
        assert_eq!(refused, Err((Code::AlreadyTaken, by)));
    }
    assert_eq!(clinic.broker.heads().await, before, "nothing was reserved, nothing burnt");
    patient.screen.must(Act::Answer { ticket, epoch }).await;
    clinic.end(&one, ticket, epoch).await;
}

#[tokio::test]
async fn a_doctor_has_one_patient_at_a_time() {
    let clinic = Clinic::open(1).await;
    let doctor = clinic.doctor(1).await;
    let (sato, ito) = (clinic.at_home(1).await, clinic.at_home(2).await);
    let next = || Act::CallNext { room: clinic.room };
    let answers = join_all([doctor.press(next()), doctor.press(next())]).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1, "{answers:?}");
    assert!(answers.contains(&Err((Code::DoctorBusy, None))), "{answers:?}");
    clinic.until(sato.ticket, TicketState::Called).await;
    clinic.until(ito.ticket, TicketState::Waiting).await;
}

/// At no instant does the board show a ticket in a visit with nobody or with somebody else.
fn owners(seen: &Seen, ticket: TicketId) -> Option<minato_protocol::StaffId> {
    seen.ticket(ticket).and_then(|row| row.doctor)
}

#[tokio::test]
async fn a_patient_is_handed_over_by_push_and_by_pull_and_the_old_owner_is_free() {
    let clinic = Clinic::open(3).await;
    let (one, two, three) =
        (clinic.doctor(1).await, clinic.doctor(2).await, clinic.doctor(3).await);
    let nurse = clinic.nurse(1).await;
    let ticket = clinic.in_bed(&nurse, 1).await;
    let (visit, epoch) = clinic.visit(&one, &nurse, ticket).await;

    one.must(Act::OfferHandOver { ticket, epoch, to: doctor_id(2) }).await;
    let offered = Some(HandOver { to: doctor_id(2), offered: true });
    let shows = |seen: &Seen| seen.ticket(ticket).is_some_and(|row| row.hand_over == offered);
    two.until("the offer shows", shows).await;
    let accept = |epoch| Act::AcceptHandOver { ticket, epoch };
    assert_eq!(three.refused(accept(epoch)).await, Code::NotYours);
    assert_eq!(one.refused(accept(epoch)).await, Code::NotYours);
    assert_eq!(two.refused(accept(epoch + 1)).await, Code::StaleEpoch);
    let taken = two.must(accept(epoch)).await;
    assert_eq!(taken, Outcome::Called { ticket, visit, epoch: epoch + 1 });
    clinic
        .board
        .until("two has the patient", |seen| owners(seen, ticket) == Some(doctor_id(2)))
        .await;
    assert_eq!(one.refused(Act::Park { ticket, epoch }).await, Code::NotYours);
    assert_eq!(two.refused(Act::Park { ticket, epoch }).await, Code::StaleEpoch);

    // One is free at once, and asks for the patient again.
    let other = clinic.at_home(2).await;
    let (_, ended) = clinic.call(&one, other.ticket).await;
    clinic.end(&one, other.ticket, ended).await;
    one.must(Act::AskHandOver { ticket }).await;
    let epoch = epoch + 1;
    assert_eq!(one.refused(accept(epoch)).await, Code::NotYours);
    let granted = two.must(accept(epoch)).await;
    assert_eq!(granted, Outcome::Called { ticket, visit, epoch: epoch + 1 });
    clinic
        .board
        .until("one has the patient", |seen| owners(seen, ticket) == Some(doctor_id(1)))
        .await;
    // The nurse followed: she is busy with this patient and with nobody else.
    let second = clinic.in_bed(&nurse, 3).await;
    let pick = Act::CallOne { room: clinic.room, ticket: second };
    assert_eq!(two.refused(pick).await, Code::NurseBusy);
    clinic.end(&one, ticket, epoch + 1).await;
    clinic.call(&two, second).await;
}

#[tokio::test]
async fn a_declined_hand_over_leaves_everything_as_it_was() {
    let clinic = Clinic::open(2).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let patient = clinic.at_home(1).await;
    let ticket = patient.ticket;
    let (_, epoch) = clinic.visit(&one, &patient.screen, ticket).await;
    one.must(Act::OfferHandOver { ticket, epoch, to: doctor_id(2) }).await;
    assert_eq!(two.refused(Act::DeclineHandOver { ticket, epoch: 9 }).await, Code::StaleEpoch);
    two.must(Act::DeclineHandOver { ticket, epoch }).await;
    assert_eq!(two.refused(Act::AcceptHandOver { ticket, epoch }).await, Code::NoOffer);
    clinic.end(&one, ticket, epoch).await;
}

#[tokio::test]
async fn every_verb_with_a_stale_epoch_is_refused_and_changes_nothing() {
    let clinic = Clinic::open(2).await;
    let (one, _two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let patient = clinic.at_home(1).await;
    let ticket = patient.ticket;
    let (_, old) = clinic.visit(&one, &patient.screen, ticket).await;
    one.must(Act::ReturnToFront { ticket, epoch: old }).await;
    let (_, now) = clinic.visit(&one, &patient.screen, ticket).await;
    assert!(now > old);
    let offer = |epoch| Act::OfferHandOver { ticket, epoch, to: doctor_id(2) };
    one.must(offer(now)).await;
    let before = clinic.broker.heads().await;
    for epoch in [0, old, now - 1, now + 1, u32::MAX] {
        let end =
            Act::EndVisit { ticket, epoch, disposition: Disposition::Treated, note: String::new() };
        let verbs = [
            Act::CancelCall { ticket, epoch },
            Act::Park { ticket, epoch },
            Act::ReturnToFront { ticket, epoch },
            end,
            offer(epoch),
            Act::AcceptHandOver { ticket, epoch },
            Act::DeclineHandOver { ticket, epoch },
        ];
        for act in verbs {
            let verb = act.verb();
            assert_eq!(one.refused(act).await, Code::StaleEpoch, "{verb} at {epoch} of {now}");
        }
        let answer = Act::Answer { ticket, epoch };
        assert_eq!(patient.screen.refused(answer).await, Code::StaleEpoch);
    }
    assert_eq!(clinic.broker.heads().await, before);
}

#[tokio::test]
async fn a_repeated_press_brings_the_same_result_and_no_second_event() {
    let clinic = Clinic::open(2).await;
    let (one, two) = (clinic.doctor(1).await, clinic.doctor(2).await);
    let nurse = clinic.nurse(1).await;
    let invitation =
        |number| Invitation { person: person(number), triage: Triage::Urgent, first_visit: false };
    let room = clinic.room;
    same_again(&clinic, &clinic.board, Act::OpenRoom { name: "三番".into() }).await;
    let people = (500..520).map(invitation).collect();
    same_again(&clinic, &clinic.board, Act::Invite { room, people }).await;
    let admit = Act::AdmitBedside {
        room,
        person: person(600),
        triage: Triage::Standard,
        first_visit: false,
    };
    let Outcome::Admitted { ticket } = same_again(&clinic, &nurse, admit).await else {
        panic!("not admitted")
    };
    same_again(&clinic, &nurse, Act::SetReady { ticket, ready: true }).await;
    let called = same_again(&clinic, &one, Act::CallNext { room }).await;
    let Outcome::Called { visit, epoch, .. } = called else { panic!("{called:?}") };
    same_again(&clinic, &nurse, Act::Answer { ticket, epoch }).await;
    same_again(&clinic, &nurse, Act::Say { visit, text: "聞こえますか".into() }).await;
    same_again(&clinic, &one, Act::OfferHandOver { ticket, epoch, to: doctor_id(2) }).await;
    let taken = same_again(&clinic, &two, Act::AcceptHandOver { ticket, epoch }).await;
    let Outcome::Called { epoch, .. } = taken else { panic!("{taken:?}") };
    same_again(&clinic, &two, Act::Park { ticket, epoch }).await;
    nurse.must(Act::SetReady { ticket, ready: true }).await;
    let resumed = same_again(&clinic, &two, Act::CallNext { room }).await;
    let Outcome::Called { epoch, .. } = resumed else { panic!("{resumed:?}") };
    same_again(&clinic, &two, Act::Defer { visit, reason: "電話で確かめた".into() }).await;
    let end = Act::EndVisit {
        ticket,
        epoch,
        disposition: Disposition::FollowUp,
        note: "一週間後".into(),
    };
    same_again(&clinic, &two, end).await;
}

/// Presses twice with one key. Whoever comes with the key on a second screen learns the same.
async fn same_again(clinic: &Clinic, screen: &Screen, act: Act) -> Outcome {
    let (key, verb) = (press_name(), act.verb());
    let first = screen.press_as(&key, act.clone()).await.unwrap_or_else(|refused| {
        panic!("{verb}: {refused:?}");
    });
    let before = clinic.broker.heads().await;
    let again = screen.press_as(&key, act).await;
    assert!(again.as_ref() == Ok(&first), "{verb}: first {first:?}, again {again:?}");
    assert_eq!(clinic.broker.heads().await, before, "{verb} again wrote something");
    first
}

#[tokio::test]
async fn a_call_pressed_again_long_after_its_visit_takes_nobody_else() {
    let clinic = Clinic::open(1).await;
    let doctor = clinic.doctor(1).await;
    let nurse = clinic.nurse(1).await;
    let first = clinic.in_bed(&nurse, 1).await;
    let key = press_name();
    let next = || Act::CallNext { room: clinic.room };
    let called = doctor.press_as(&key, next()).await.expect("called");
    let Outcome::Called { epoch, .. } = called else { panic!("{called:?}") };
    clinic.end(&doctor, first, epoch).await;
    let second = clinic.in_bed(&nurse, 2).await;
    let before = clinic.broker.heads().await;
    assert!(doctor.press_as(&key, next()).await == Ok(called));
    assert_eq!(clinic.broker.heads().await, before, "nobody was called or reserved");
    clinic.until(second, TicketState::Waiting).await;
}
