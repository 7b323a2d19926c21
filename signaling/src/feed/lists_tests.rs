//! Whatever happens in whatever order, and however seldom a screen looks: what it was told adds up to
//! what it would be shown whole.

use super::*;
use crate::aggregate::Aggregate as _;
use crate::desk::Seen;
use crate::room::{Bedside, Command, NewTicket};
use minato_protocol::act::{ContactOutcome, Disposition, Duty, Triage};
use minato_protocol::view::{Clinic, Why};
use minato_protocol::{
    Person, Pii, Role, RoomId, SiteId, Span, StaffId, SubjectId, Timestamp, VisitId,
};
use proptest::prelude::*;
use std::sync::Arc;

const DOCTORS: [StaffId; 3] = [StaffId(1), StaffId(2), StaffId(3)];
const SITE: SiteId = SiteId(7);
const LISTS: [List; 4] = [List::Rooms, List::Tickets, List::Doctors, List::Alerts];
const DAYS: [&str; 2] = ["2026-11-22", "2026-12-24"];

/// Something happens in one of two rooms, or a screen looks.
#[derive(Debug, Clone)]
enum Step {
    Press {
        room: usize,
        ticket: u64,
        doctor: usize,
        verb: u8,
    },
    Time(i64),
    /// The state is read again from what is durable: no pointer stays.
    Reload(usize),
    Midnight,
    Look(usize),
    Resync(usize, usize),
}

fn step() -> impl Strategy<Value = Step> {
    let press = (0usize..2, 0u64..40, 0usize..3, any::<u8>());
    prop_oneof![
        20 => press.prop_map(|(room, ticket, doctor, verb)| Step::Press { room, ticket, doctor, verb }),
        2 => (1i64..2_000).prop_map(Step::Time),
        1 => (0usize..2).prop_map(Step::Reload),
        1 => Just(Step::Midnight),
        6 => (0usize..4).prop_map(Step::Look),
        1 => ((0usize..4), (0usize..4)).prop_map(|(screen, list)| Step::Resync(screen, list)),
    ]
}

fn new_ticket(id: u64) -> NewTicket {
    let person = Person { birth_date: "1944-12-01".into(), ..Person::default() };
    NewTicket::standard(TicketId(id), SubjectId(id), format!("K-{id}"), person)
}

fn command(room: &Room, id: u64, doctor: StaffId, verb: u8) -> Command {
    let ticket = TicketId(id);
    let known = room.ticket(ticket).ok();
    let epoch = known.map_or(0, |it| it.epoch);
    let owner = known.and_then(Ticket::owner).unwrap_or(doctor);
    let note = Pii::new(SubjectId(id), String::new());
    match verb % 21 {
        0 | 1 => Command::Invite { tickets: vec![new_ticket(id)] },
        2 => Command::Admit {
            new: new_ticket(id),
            bedside: Bedside { site: SITE, nurse: StaffId(9) },
        },
        3..=5 => Command::Arrive { ticket },
        6 | 7 => Command::Call { ticket, doctor, epoch: epoch + 1, visit: VisitId(id) },
        8 => Command::Answer { ticket, epoch },
        9 => Command::Park { ticket, doctor: owner, epoch },
        10 => Command::SetReady { ticket, ready: true },
        11 => Command::ReturnToFront { ticket, doctor: owner, epoch, why: Why::WrongPatient },
        12 => {
            Command::End { ticket, doctor: owner, epoch, disposition: Disposition::Treated, note }
        }
        13 => Command::SetTriage { ticket, triage: Triage::Urgent },
        14 => Command::RaiseEmergency { ticket },
        15 => Command::SetPatientPresent {
            ticket,
            present: verb.is_multiple_of(2),
            heard: Timestamp(i64::MAX),
        },
        16 => Command::SetDoctorPresent {
            doctor,
            present: verb.is_multiple_of(2),
            heard: Timestamp(i64::MAX),
        },
        17 => Command::AskDevice { ticket, request: format!("device-{verb}") },
        18 => Command::RecordContact { ticket, outcome: ContactOutcome::Ready },
        19 => Command::Leave { ticket },
        _ => Command::ExtendGraces { span: Span::seconds(5) },
    }
}

/// What a page shows: rows by key, as it was told.
struct Page {
    lists: Lists,
    tables: [Table; 4],
    shown: [BTreeMap<String, Row>; 4],
}

impl Page {
    fn of(role: Role, staff: u64, site: Option<SiteId>) -> Self {
        let viewer = Viewer { role, staff: Some(StaffId(staff)), site, ticket: None, kit: None };
        Self { lists: Lists::new(viewer), tables: Default::default(), shown: Default::default() }
    }

    fn greet(&mut self, which: usize, around: Around<'_>) {
        let rows = self.lists.whole(LISTS[which], around);
        self.shown[which] = rows.iter().map(|row| (row.key(), row.clone())).collect();
        self.tables[which].whole(rows);
    }

    fn look(&mut self, around: Around<'_>) {
        for (which, list) in LISTS.into_iter().enumerate() {
            let changes = self.lists.news(list, &mut self.tables[which], around);
            let hash = self.tables[which].hash();
            assert_eq!(changes.last().map_or(hash, |change| change.hash), hash);
            for change in changes {
                assert!(change.upsert.len() <= ROWS_MAX);
                for key in change.remove {
                    assert!(self.shown[which].remove(&key).is_some(), "{key} was not there");
                }
                let rows = change.upsert.into_iter().map(|row| (row.key(), row));
                self.shown[which].extend(rows);
            }
            let whole = Lists::new(self.lists.viewer).whole(list, around);
            let whole: BTreeMap<String, Row> =
                whole.into_iter().map(|row| (row.key(), row)).collect();
            assert_eq!(self.shown[which], whole, "{list:?}");
            let fresh = Table::resumed(&whole.into_values().collect::<Vec<_>>(), 0);
            assert_eq!(self.tables[which].hash(), fresh.hash(), "{list:?}");
        }
    }
}

struct House {
    rooms: Vec<(RoomId, Arc<Seen<Room>>)>,
    now: Timestamp,
    day: usize,
}

impl House {
    fn opened() -> Self {
        let rooms = [1, 2].map(|id| (RoomId(id), Arc::new(Seen::default())));
        let mut house = Self { rooms: rooms.to_vec(), now: Timestamp(0), day: 0 };
        for room in [0, 1] {
            let clinic = Clinic::default();
            house.submit(room, &Command::Open { name: "room".into(), clinic });
            house.submit(room, &Command::SetRoster { doctors: DOCTORS.to_vec() });
            for doctor in DOCTORS {
                house.submit(room, &Command::SetDuty { doctor, duty: Duty::On });
            }
        }
        house
    }

    fn submit(&mut self, room: usize, command: &Command) {
        let seen = &mut self.rooms[room].1;
        let Ok(events) = seen.state.decide(command, self.now) else { return };
        let mut state = seen.state.clone();
        events.iter().for_each(|event| state.evolve(event, self.now));
        *seen = Arc::new(Seen { state, version: seen.version + events.len() as u64 });
    }

    fn around<'a>(&'a self, cards: &'a Cards) -> Around<'a> {
        Around { rooms: &self.rooms, cards, today: DAYS[self.day % 2] }
    }
}

proptest! {
    #[test]
    fn what_a_screen_was_told_is_what_it_would_be_shown_whole(
        steps in prop::collection::vec(step(), 1..200)
    ) {
        let mut house = House::opened();
        let cards = Cards::default();
        let mut pages = [
            Page::of(Role::Coordinator, 8, None),
            Page::of(Role::Doctor, 1, None),
            Page::of(Role::Doctor, 2, None),
            Page::of(Role::Nurse, 9, Some(SITE)),
        ];
        for page in &mut pages {
            (0..4).for_each(|which| page.greet(which, house.around(&cards)));
        }
        for step in steps {
            match step {
                Step::Press { room, ticket, doctor, verb } => {
                    // A ticket is in one room only.
                    let ticket = ticket * 2 + room as u64;
                    let state = &house.rooms[room].1.state;
                    let command = command(state, ticket, DOCTORS[doctor], verb);
                    house.submit(room, &command);
                }
                Step::Time(seconds) => {
                    house.now = house.now + Span::seconds(seconds);
                    (0..2).for_each(|room| house.submit(room, &Command::Expire));
                }
                Step::Reload(room) => {
                    let seen = &mut house.rooms[room].1;
                    let state = Room::from_snapshot(seen.state.to_snapshot()).expect("a snapshot");
                    *seen = Arc::new(Seen { state, version: seen.version });
                }
                Step::Midnight => {
                    house.day += 1;
                    // Whoever was over for a day is forgotten at the next end.
                    house.now = house.now + Span::minutes(24 * 60);
                }
                Step::Look(page) => pages[page].look(house.around(&cards)),
                Step::Resync(page, which) => pages[page].greet(which, house.around(&cards)),
            }
        }
        for page in &mut pages {
            page.look(house.around(&cards));
        }
    }
}

#[test]
fn a_gone_doctor_is_told_although_no_ticket_changed() {
    let mut house = House::opened();
    let (doctor, ticket) = (DOCTORS[0], TicketId(4));
    house.submit(0, &Command::Invite { tickets: vec![new_ticket(4)] });
    house.submit(0, &Command::Arrive { ticket });
    house.submit(0, &Command::Call { ticket, doctor, epoch: 1, visit: VisitId(4) });
    let mut board = Page::of(Role::Coordinator, 8, None);
    let cards = Cards::default();
    board.look(house.around(&cards));
    let heard = Timestamp(i64::MAX);
    house.submit(0, &Command::SetDoctorPresent { doctor, present: false, heard });
    board.look(house.around(&cards));
    let [.., alerts] = &board.shown;
    assert!(alerts.keys().any(|key| key.ends_with("DoctorGone")), "{alerts:?}");
    house.submit(0, &Command::SetDoctorPresent { doctor, present: true, heard });
    board.look(house.around(&cards));
    let [.., alerts] = &board.shown;
    assert!(alerts.is_empty(), "{alerts:?}");
}
