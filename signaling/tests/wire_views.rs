//! Every screen shows what is: after any story each equals a fresh one, and coming back costs only
//! what changed.

mod wire_support;

use futures_util::future::join_all;
use minato_protocol::act::{Act, Disposition, Duty, IdentityMethod, Invitation, Triage};
use minato_protocol::view::{ViewName, Why};
use minato_protocol::wire::{FromScreen, ToScreen};
use minato_protocol::{Code, Role, RoomId, SubjectId, TicketId, VisitId};
use minato_signaling::http::Edge;
use minato_signaling::presence::Seat;
use minato_signaling::room::{Command, NewTicket, Room, Ticket};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_tungstenite::tungstenite::Message;
use wire_support::{Clinic, Raw, Screen, Seen, doctor_id, nurse_id, person, press_name, until};

/// Small, repeatable dice (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % sides
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        (!of.is_empty()).then(|| of[self.below(of.len())])
    }
}

/// Something that this person might press now: mostly about a ticket of theirs.
fn something(dice: &mut Dice, room: RoomId, state: &Room, screen: &Screen, count: u32) -> Act {
    let seen = screen.seen();
    let you = seen.you();
    let is_mine = |ticket: &&Ticket| match you.role {
        Role::Coordinator => true,
        Role::Doctor => ticket.owner() == you.staff,
        Role::Nurse => ticket.bedside.is_some_and(|bed| Some(bed.site) == you.site),
        Role::Patient => you.ticket == Some(ticket.id),
    };
    let named = |ticket: &Ticket| (ticket.id, ticket.epoch, ticket.visit());
    let mine: Vec<_> = state.live().filter(is_mine).map(named).collect();
    let all: Vec<_> = state.live().map(named).collect();
    let about = if dice.below(4) > 0 { dice.one(&mine) } else { None };
    let about = about.or_else(|| dice.one(&all)).unwrap_or((TicketId(7), 0, None));
    let (ticket, epoch, visit) = about;
    let visit = visit.unwrap_or(VisitId(7));
    let text = || format!("{count} 番");
    let triage = [Triage::Emergency, Triage::Urgent, Triage::Standard, Triage::Revisit];
    let triage = triage[dice.below(4)];
    let duty = [Duty::On, Duty::On, Duty::Break, Duty::Off][dice.below(4)];
    let disposition = Disposition::FollowUp;
    let usual: &[usize] = match you.role {
        Role::Coordinator => &[14, 23, 24, 25],
        Role::Doctor => &[0, 0, 1, 2, 5, 6, 7, 8, 9, 9, 10, 10, 11, 11, 12, 13, 18, 19, 20, 22],
        Role::Nurse => &[3, 3, 3, 4, 15, 15, 16, 16, 17, 18, 20, 21, 22],
        Role::Patient => &[3, 3, 3, 4, 18, 21],
    };
    // Now and then somebody tries what is not theirs.
    let verb = if dice.below(8) == 0 { dice.below(26) } else { usual[dice.below(usual.len())] };
    match verb {
        0 | 1 => Act::CallNext { room },
        2 => Act::CallOne { room, ticket },
        3 | 4 => Act::Answer { ticket, epoch },
        5 => Act::EndVisit { ticket, epoch, disposition, note: text() },
        6 => Act::Park { ticket, epoch },
        7 => Act::ReturnToFront { ticket, epoch },
        8 => Act::CancelCall { ticket, epoch },
        9 => Act::OfferHandOver { ticket, epoch, to: doctor_id(dice.below(3) as u64 + 1) },
        10 => Act::AskHandOver { ticket },
        11 => Act::AcceptHandOver { ticket, epoch },
        12 => Act::DeclineHandOver { ticket, epoch },
        13 => Act::SetDuty { room, duty },
        14 => Act::SetTriage { ticket, triage },
        15 => Act::SetReady { ticket, ready: dice.below(3) > 0 },
        16 | 17 => Act::AdmitBedside { room, person: person(count), triage, first_visit: true },
        18 => Act::Say { visit, text: text() },
        19 => Act::WriteOrder { visit, text: text() },
        20 => Act::ConfirmIdentity { visit, method: IdentityMethod::KnownInPerson },
        21 => Act::JoinMedia { visit },
        22 => Act::WrongPatient { visit },
        23 => Act::RaiseEmergency { ticket },
        24 => Act::CloseIntake { room, closed: dice.below(2) > 0 },
        _ => {
            let people = vec![Invitation { person: person(count), triage, first_visit: false }];
            Act::Invite { room, people }
        }
    }
}

#[tokio::test]
async fn whatever_people_press_every_screen_equals_a_fresh_one() {
    let mut carried_out = BTreeSet::new();
    for seed in [0x5eed_0001, 0x5eed_0002, 0x5eed_0003] {
        println!("seed {seed:#x}");
        let clinic = Clinic::open(3).await;
        let mut dice = Dice(seed);
        let mut people = Vec::new();
        for staff in [doctor_id(1), doctor_id(2), doctor_id(3), nurse_id(1), nurse_id(2)] {
            people.push(clinic.broker.sign_in(staff).await);
        }
        for number in 1..=4 {
            let link = clinic.invite(9_000 + number).await;
            people.push(clinic.join(&link.secret).await);
        }
        let mut screens = Vec::new();
        for cookie in &people {
            screens.push(Screen::open(&clinic.broker, cookie).await);
        }
        for doctor in &screens[..3] {
            doctor.must(Act::SetDuty { room: clinic.room, duty: Duty::On }).await;
        }
        let room = clinic.room;
        for step in 0..100 {
            let look = move |edge: Arc<Edge>| async move { edge.desk.room(room).await };
            let seen = clinic.broker.inside(look).await.expect("readable");
            let presses = (0..3u32).map(|index| {
                let pressing = dice.below(screens.len() + 1);
                let screen = screens.get(pressing).unwrap_or(&clinic.board);
                let act = something(&mut dice, room, &seen.state, screen, step * 3 + index);
                let verb = act.verb();
                async move { screen.press(act).await.ok().map(|_| verb) }
            });
            let pressed = join_all(presses.collect::<Vec<_>>()).await;
            carried_out.extend(pressed.into_iter().flatten());
        }
        for (screen, cookie) in screens.iter().zip(&people) {
            equals_a_fresh_one(&clinic, screen, cookie).await;
        }
    }
    println!("carried out: {carried_out:?}");
    assert!(carried_out.len() >= 18, "the stories were too dull: {carried_out:?}");
}

async fn equals_a_fresh_one(clinic: &Clinic, screen: &Screen, cookie: &str) {
    let fresh = Screen::open(&clinic.broker, cookie).await;
    until("the screen equals a fresh one", || async {
        assert_eq!(screen.shows(|seen| seen.wrong.clone()), None);
        screen.shows(Seen::rows) == fresh.shows(Seen::rows)
    })
    .await;
}

#[tokio::test]
async fn who_comes_back_is_sent_only_what_changed() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let nurse = clinic.nurse(1).await;
    let ticket = clinic.in_bed(&nurse, 1).await;
    let first = Screen::open(&clinic.broker, &cookie).await;
    let before = first.shows(Seen::have);
    drop(first);

    let same = Screen::resume(&clinic.broker, &cookie, before.clone()).await;
    assert_eq!(same.shows(|seen| (seen.unchanged.len(), seen.whole.len())), (5, 0));
    drop(same);

    nurse.must(Act::SetTriage { ticket, triage: Triage::Urgent }).await;
    let changed = Screen::resume(&clinic.broker, &cookie, before.clone()).await;
    let whole: Vec<ViewName> = changed.shows(|seen| seen.whole.iter().copied().collect());
    assert_eq!(whole, [ViewName::Tickets]);
    assert_eq!(
        changed.shows(|seen| seen.ticket(ticket).map(|row| row.triage)),
        Some(Triage::Urgent)
    );

    // What counts is the hash within the same run of the server, not the screen's word.
    let mut wrong = before.clone();
    wrong.iter_mut().for_each(|have| have.hash ^= 1);
    let mut elsewhere = before;
    elsewhere.iter_mut().for_each(|have| have.epoch ^= 1);
    for have in [wrong, elsewhere] {
        let screen = Screen::resume(&clinic.broker, &cookie, have).await;
        assert_eq!(screen.shows(|seen| (seen.unchanged.len(), seen.whole.len())), (0, 5));
    }
}

#[tokio::test]
async fn changes_after_coming_back_fit_what_the_screen_kept() {
    let clinic = Clinic::open(1).await;
    let cookie = clinic.broker.sign_in(nurse_id(1)).await;
    let first = Screen::open(&clinic.broker, &cookie).await;
    let ticket = clinic.in_bed(&first, 1).await;
    let ready = |seen: &Seen| seen.ticket(ticket).is_some_and(|row| row.ready);
    first.until("the patient is ready", ready).await;
    let mut raw = Raw::open(&clinic.broker, Some(&cookie)).await;
    let (have, mut kept) = first.shows(|seen| (seen.have(), seen.tables.clone()));
    let hello = FromScreen::Hello { version: 1, have };
    raw.text(&serde_json::to_string(&hello).expect("plain")).await;
    let unchanged = ToScreen::Unchanged { view: ViewName::Tickets };
    while raw.next().await.expect("goes on") != unchanged {}
    first.must(Act::SetTriage { ticket, triage: Triage::Emergency }).await;
    let table = kept.remove(&ViewName::Tickets).expect("a nurse has tickets");
    loop {
        let message = raw.next().await.expect("goes on");
        if let ToScreen::View { view: ViewName::Tickets, version, whole, .. } = message {
            assert_eq!((version, whole), (table.version + 1, false));
            return;
        }
    }
}

#[tokio::test]
async fn a_screen_that_stops_reading_is_dropped_alone_and_comes_back() {
    let clinic = Clinic::open(2).await;
    let nurse = clinic.nurse(1).await;
    for number in 0..150 {
        clinic.admitted(&nurse, number).await;
    }
    let cookie = clinic.broker.sign_in(doctor_id(1)).await;
    let mut slow = Raw::greeted(&clinic.broker, &cookie).await;
    let seat = Seat::Staff(doctor_id(1));
    let edge = Arc::clone(&clinic.broker.edge);
    assert!(edge.presence.is_there(seat));
    let resync = FromScreen::Resync { view: ViewName::Tickets };
    let resync = serde_json::to_string(&resync).expect("plain");
    let other = clinic.doctor(2).await;
    let mut pressed_ms_max = 0;
    for _ in 0..600 {
        slow.text(&resync).await;
        if !edge.presence.is_there(seat) {
            break;
        }
        let begun = Instant::now();
        other.must(Act::SetDuty { room: clinic.room, duty: Duty::On }).await;
        pressed_ms_max = pressed_ms_max.max(begun.elapsed().as_millis());
    }
    until("the slow one is gone", || async { !edge.presence.is_there(seat) }).await;
    assert!(pressed_ms_max < 2_000, "the others waited {pressed_ms_max} ms");
    let again = Screen::open(&clinic.broker, &cookie).await;
    assert_eq!(again.shows(|seen| seen.tickets().len()), 150);
}

#[tokio::test]
async fn the_largest_list_reaches_the_board_whole() {
    const TICKETS: u64 = 4_000;
    let clinic = Clinic::open(1).await;
    let room = clinic.room;
    let fill = move |edge: Arc<Edge>| async move {
        for first in (0..TICKETS).step_by(200) {
            let tickets = (first..first + 200).map(new_ticket).collect();
            let invited = edge.desk.in_room(room, None, Command::Invite { tickets }).await;
            invited.expect("there is room");
        }
    };
    clinic.broker.inside(fill).await;
    let all = |seen: &Seen| u64::try_from(seen.tickets().len()) == Ok(TICKETS);
    clinic.board.until("the board that was there shows all", all).await;
    let board = clinic.another_board().await;
    board.until("a new board shows all", all).await;
}

fn new_ticket(number: u64) -> NewTicket {
    let id = 5_000 + number;
    let person = person(u32::try_from(number).expect("a small number"));
    NewTicket::standard(TicketId(id), SubjectId(id), format!("Z-{number}"), person)
}

#[tokio::test]
async fn who_left_a_visit_is_shown_as_gone_at_once() {
    let clinic = Clinic::open(1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
    let ticket = clinic.in_bed(&nurse, 1).await;
    let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
    for screen in [&doctor, &nurse] {
        // No relay runs here; the list of those present does not depend on it.
        assert_eq!(screen.refused(Act::JoinMedia { visit }).await, Code::RelayAway);
    }
    let present = |seen: &Seen| -> Vec<bool> {
        seen.visits().iter().flat_map(|row| row.parties.iter().map(|party| party.present)).collect()
    };
    doctor.until("both are there", |seen| present(seen) == [true, true]).await;
    // Once this line shows, every bell that rang before has been heard.
    doctor.must(Act::Say { visit, text: "聞こえますか".into() }).await;
    let said = |seen: &Seen| seen.visits().first().is_some_and(|row| row.chat_seq == 1);
    doctor.until("the line shows", said).await;
    let begun = Instant::now();
    drop(nurse);
    doctor.until("the nurse is gone", |seen| present(seen).contains(&false)).await;
    assert!(begun.elapsed() < Duration::from_secs(3), "it took {:?}", begun.elapsed());
}

#[tokio::test]
async fn what_was_pressed_is_carried_out_although_the_screen_is_gone_at_once() {
    let clinic = Clinic::open(1).await;
    let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
    for round in 0..10 {
        let ticket = clinic.in_bed(&nurse, round).await;
        let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
        let cookie = clinic.broker.sign_in(nurse_id(1)).await;
        let mut brief = Raw::greeted(&clinic.broker, &cookie).await;
        let press = FromScreen::Do { key: press_name(), act: Act::WrongPatient { visit } };
        brief.text(&serde_json::to_string(&press).expect("plain")).await;
        brief.message(Message::Close(None)).await;
        assert_eq!(brief.bye().await, None);
        let returned =
            |seen: &Seen| seen.ticket(ticket).is_some_and(|row| row.why == Why::WrongPatient);
        clinic.board.until("the ticket is back in the queue", returned).await;
        nurse.must(Act::Leave { ticket }).await;
    }
}
