//! Push, pull, and no in the right moment.

use super::support::*;

fn offer(to: StaffId) -> Command {
    Command::OfferHandOver { ticket: SATO, from: ABE, to, epoch: 1 }
}

fn over_to(to: StaffId, epoch: u32) -> Command {
    Command::HandOver { ticket: SATO, from: ABE, to, epoch }
}

fn proposed(to: StaffId, offered: bool) -> Option<HandOver> {
    Some(HandOver { to, offered })
}

#[test]
fn an_offered_patient_changes_the_owner_in_one_event() {
    let mut room = sato_with_abe();
    when(&mut room, offer(IDA), after(1));
    assert_eq!(of(&room, SATO).hand_over, proposed(IDA, true));
    let events = when(&mut room, over_to(IDA, 2), after(2));
    assert_eq!(events, [Event::HandedOver { ticket: SATO, from: ABE, to: IDA, epoch: 2 }]);
    assert_eq!(of(&room, SATO).owner(), Some(IDA));
    assert_eq!(of(&room, SATO).hand_over, None);
    assert!(!room.holds(SATO, ABE, 1) && room.holds(SATO, IDA, 2));
}

#[test]
fn a_colleague_may_ask_for_a_patient_and_the_owner_grants_it() {
    let mut room = sato_with_abe();
    when(&mut room, Command::AskHandOver { ticket: SATO, to: IDA }, after(1));
    assert_eq!(of(&room, SATO).hand_over, proposed(IDA, false));
    when(&mut room, over_to(IDA, 2), after(2));
    assert_eq!(of(&room, SATO).owner(), Some(IDA));
}

#[test]
fn a_hand_over_keeps_the_papers() {
    let mut room = sato_with_abe();
    let papers = of(&room, SATO).visit();
    when(&mut room, offer(IDA), after(1));
    when(&mut room, over_to(IDA, 2), after(2));
    assert_eq!(of(&room, SATO).visit(), papers);
}

#[test]
fn nobody_is_handed_over_without_a_proposal() {
    assert_eq!(sato_with_abe().decide(&over_to(IDA, 2), T0), Err(Code::NoOffer));
}

#[test]
fn an_offer_is_for_one_colleague_only() {
    let mut room = sato_with_abe();
    when(&mut room, offer(IDA), after(1));
    assert_eq!(room.decide(&over_to(MORI, 2), after(2)), Err(Code::NotYours));
}

#[test]
fn a_hand_over_under_an_old_epoch_is_refused() {
    let mut room = sato_with_abe();
    when(&mut room, offer(IDA), after(1));
    assert_eq!(room.decide(&over_to(IDA, 1), after(2)), Err(Code::StaleEpoch));
    assert_eq!(room.decide(&over_to(IDA, 3), after(2)), Err(Code::StaleEpoch));
}

#[test]
fn an_offer_that_was_declined_is_off() {
    for by in [ABE, IDA] {
        let mut room = sato_with_abe();
        when(&mut room, offer(IDA), after(1));
        when(&mut room, Command::DropHandOver { ticket: SATO, by }, after(2));
        assert_eq!(room.decide(&over_to(IDA, 2), after(3)), Err(Code::NoOffer));
        assert_eq!(of(&room, SATO).owner(), Some(ABE));
    }
}

#[test]
fn a_third_doctor_cannot_decline_for_others() {
    let mut room = sato_with_abe();
    when(&mut room, offer(IDA), after(1));
    let drop = Command::DropHandOver { ticket: SATO, by: MORI };
    assert_eq!(room.decide(&drop, after(2)), Err(Code::NotYours));
}

#[test]
fn the_same_offer_twice_is_one() {
    let mut room = sato_with_abe();
    when(&mut room, offer(IDA), after(1));
    assert_eq!(room.decide(&offer(IDA), after(2)), Ok(vec![]));
}

#[test]
fn nobody_offers_to_themselves_to_a_stranger_or_to_who_is_off_duty() {
    let mut room = sato_with_abe();
    assert_eq!(room.decide(&offer(ABE), T0), Err(Code::NotWaiting));
    assert_eq!(room.decide(&offer(STRANGER), T0), Err(Code::DoctorNotNamed));
    when(&mut room, Command::SetDuty { doctor: IDA, duty: Duty::Off }, T0);
    assert_eq!(room.decide(&offer(IDA), T0), Err(Code::DoctorOffDuty));
}

#[test]
fn who_went_off_duty_after_asking_is_not_handed_the_patient() {
    let mut room = sato_with_abe();
    when(&mut room, Command::AskHandOver { ticket: SATO, to: IDA }, after(1));
    when(&mut room, Command::SetDuty { doctor: IDA, duty: Duty::Off }, after(2));
    assert_eq!(room.decide(&over_to(IDA, 2), after(3)), Err(Code::DoctorOffDuty));
}

#[test]
fn a_patient_whom_nobody_has_cannot_be_asked_for() {
    let ask = Command::AskHandOver { ticket: SATO, to: IDA };
    assert_eq!(waiting(&[SATO]).decide(&ask, T0), Err(Code::NotWaiting));
}

#[test]
fn a_proposal_ends_with_the_visit_it_was_made_in() {
    let mut room = sato_with_abe();
    when(&mut room, offer(IDA), after(1));
    when(&mut room, Command::Park { ticket: SATO, doctor: ABE, epoch: 1 }, after(2));
    when(&mut room, call(SATO, ABE, 3), after(3));
    assert_eq!(of(&room, SATO).hand_over, None);
    assert_eq!(room.decide(&over_to(IDA, 4), after(4)), Err(Code::NoOffer));
}

#[test]
fn a_patient_handed_over_while_ringing_rings_for_the_new_doctor_as_long() {
    let mut room = given([invited(SATO), arrived(SATO), called(SATO, ABE, 1)]);
    when(&mut room, offer(IDA), after(50));
    when(&mut room, over_to(IDA, 2), after(59));
    assert_eq!(room.next_deadline(), Some(after(59) + RING));
}

#[test]
fn who_was_given_a_patient_while_away_has_the_whole_grace() {
    let mut room = sato_with_abe();
    when(&mut room, Command::AskHandOver { ticket: SATO, to: IDA }, after(1));
    when(
        &mut room,
        Command::SetDoctorPresent { doctor: IDA, present: false, heard: JUST_NOW },
        after(2),
    );
    when(&mut room, over_to(IDA, 2), after(120));
    assert_eq!(room.decide(&Command::Expire, after(121)), Ok(vec![]));
    assert_eq!(room.next_deadline(), Some(after(120) + DOCTOR_GRACE));
}
