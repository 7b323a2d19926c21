//! Whose reservation stands, whose is over, and whose has to be burnt before.

use super::*;
use crate::aggregate::Aggregate;
use crate::room::{Bedside, Event, NewTicket};
use minato_protocol::view::{Clinic, Why};
use minato_protocol::{Person, RoomId, SiteId, SubjectId, TicketId, Timestamp, VisitId};

const ABE: StaffId = StaffId(1);
const IDA: StaffId = StaffId(2);
const NURSE: StaffId = StaffId(3);
const SATO: TicketId = TicketId(9);

fn under(epoch: u32) -> Reservation {
    Reservation { room: RoomId(1), ticket: SATO, epoch }
}

/// Sato waits at the bedside; then this happens.
fn given(events: &[Event]) -> Room {
    let subject = SubjectId(9);
    let new = NewTicket::standard(SATO, subject, "K-9".into(), Person::default());
    let mut room = Room::default();
    let bedside = Bedside { site: SiteId(1), nurse: NURSE };
    let before = [
        Event::Opened { name: "island".into(), clinic: Clinic::default() },
        Event::RosterSet { doctors: vec![ABE, IDA] },
        Event::Admitted { new, bedside },
    ];
    before.iter().chain(events).for_each(|event| room.evolve(event, Timestamp(0)));
    room
}

fn called(doctor: StaffId, epoch: u32) -> Event {
    Event::Called { ticket: SATO, doctor, epoch, visit: VisitId(1) }
}

#[test]
fn a_claim_that_may_still_come_is_burnt_before_anything_is_released() {
    assert_eq!(judge(&given(&[]), ABE, under(1)), Verdict::BurnFirst);
    assert_eq!(judge(&given(&[]), NURSE, under(1)), Verdict::BurnFirst);
    let burnt = given(&[Event::ClaimBurned { ticket: SATO, epoch: 1 }]);
    assert_eq!(judge(&burnt, ABE, under(1)), Verdict::Release);
}

#[test]
fn the_owner_and_the_nurse_stay_reserved_and_the_loser_does_not() {
    let room = given(&[called(ABE, 1)]);
    assert_eq!(judge(&room, ABE, under(1)), Verdict::Stands);
    assert_eq!(judge(&room, NURSE, under(1)), Verdict::Stands);
    assert_eq!(judge(&room, IDA, under(1)), Verdict::Release);
}

#[test]
fn after_a_hand_over_the_nurse_follows_and_the_first_doctor_is_free() {
    let over = Event::HandedOver { ticket: SATO, from: ABE, to: IDA, epoch: 2 };
    let room = given(&[called(ABE, 1), over]);
    assert_eq!(judge(&room, ABE, under(1)), Verdict::Release);
    assert_eq!(judge(&room, IDA, under(2)), Verdict::Stands);
    assert_eq!(judge(&room, NURSE, under(1)), Verdict::Renew(under(2)));
}

#[test]
fn a_burnt_hand_over_leaves_the_owner_reserved() {
    let room = given(&[called(ABE, 1), Event::ClaimBurned { ticket: SATO, epoch: 2 }]);
    assert_eq!(judge(&room, ABE, under(1)), Verdict::Renew(under(2)));
    assert_eq!(judge(&room, IDA, under(2)), Verdict::Release);
}

#[test]
fn when_the_visit_is_over_everybody_is_free() {
    let back = Event::ReturnedToFront { ticket: SATO, epoch: 2, why: Why::ReturnedByDoctor };
    let room = given(&[called(ABE, 1), back]);
    assert_eq!(judge(&room, ABE, under(1)), Verdict::Release);
    assert_eq!(judge(&room, NURSE, under(1)), Verdict::Release);
}

#[test]
fn a_reservation_for_a_ticket_that_was_forgotten_is_released() {
    let unknown = Reservation { ticket: TicketId(404), ..under(1) };
    assert_eq!(judge(&given(&[]), ABE, unknown), Verdict::Release);
}
