//! A clinic with one room: a board, doctors, nurses at two sites, patients at home and in bed.

use super::{Broker, Screen};
use minato_protocol::act::{Act, Disposition, Duty, Invitation, IssuedLink, Outcome, Triage};
use minato_protocol::view::TicketState;
use minato_protocol::{Person, Role, RoomId, SiteId, StaffId, SubjectId, TicketId, VisitId};
use minato_signaling::access::{Secrets, random_text};
use minato_signaling::clock::Clock;
use minato_signaling::http::Edge;
use minato_signaling::log::{EventLog, MemoryLog};
use minato_signaling::presence::Seat;
use serde_json::json;
use std::sync::Arc;

const COORDINATOR: StaffId = StaffId(1);

pub(crate) fn site(number: u64) -> SiteId {
    SiteId(number)
}

pub(crate) fn doctor_id(number: u64) -> StaffId {
    StaffId(100 + number)
}

pub(crate) fn nurse_id(site: u64) -> StaffId {
    StaffId(200 + site)
}

/// Somebody whose every field is found nowhere else.
pub(crate) fn person(number: u32) -> Person {
    Person {
        name: format!("患者{number:04}太郎"),
        kana: format!("かんじゃ{number:04}たろう"),
        birth_date: format!(
            "19{:02}-{:02}-{:02}",
            30 + number % 60,
            number % 12 + 1,
            number % 28 + 1
        ),
        call_back: format!("0599-77-{number:04}"),
        location: format!("港町{number:04}番地"),
    }
}

/// A patient at home.
#[derive(Debug)]
pub(crate) struct Patient {
    pub(crate) ticket: TicketId,
    pub(crate) code: String,
    pub(crate) cookie: String,
    pub(crate) screen: Screen,
}

/// A broker, a room and its board.
#[derive(Debug)]
pub(crate) struct Clinic {
    pub(crate) board: Screen,
    pub(crate) room: RoomId,
    pub(crate) broker: Broker,
}

impl Clinic {
    pub(crate) async fn open(doctors: u64) -> Self {
        Self::over(Arc::new(MemoryLog::default()), doctors).await
    }

    pub(crate) async fn over(log: Arc<dyn EventLog>, doctors: u64) -> Self {
        let broker = Broker::start(log, Clock::start(), Secrets::random()).await;
        Self::within(broker, doctors).await
    }

    pub(crate) async fn within(broker: Broker, doctors: u64) -> Self {
        broker.make_staff(COORDINATOR, Role::Coordinator, None).await;
        for number in 1..=doctors {
            broker.make_staff(doctor_id(number), Role::Doctor, None).await;
        }
        for number in 1..=2 {
            broker.make_staff(nurse_id(number), Role::Nurse, Some(site(number))).await;
        }
        let board = Screen::open(&broker, &broker.sign_in(COORDINATOR).await).await;
        let opened = board.must(Act::OpenRoom { name: "夜間の診療".into() }).await;
        let Outcome::RoomOpened { room } = opened else { panic!("{opened:?}") };
        Self { board, room, broker }
    }

    pub(crate) async fn another_board(&self) -> Screen {
        self.staff(COORDINATOR).await
    }

    pub(crate) async fn staff(&self, staff: StaffId) -> Screen {
        Screen::open(&self.broker, &self.broker.sign_in(staff).await).await
    }

    pub(crate) async fn nurse(&self, site: u64) -> Screen {
        self.staff(nurse_id(site)).await
    }

    /// A doctor on duty.
    pub(crate) async fn doctor(&self, number: u64) -> Screen {
        let screen = self.staff(doctor_id(number)).await;
        screen.must(Act::SetDuty { room: self.room, duty: Duty::On }).await;
        screen
    }

    pub(crate) async fn invite(&self, number: u32) -> IssuedLink {
        let invitation =
            Invitation { person: person(number), triage: Triage::Standard, first_visit: false };
        let invite = Act::Invite { room: self.room, people: vec![invitation] };
        let outcome = self.board.must(invite).await;
        let Outcome::Issued { mut links } = outcome else { panic!("{outcome:?}") };
        links.remove(0)
    }

    /// The button under a link, pressed in a browser of one's own: its cookie.
    pub(crate) async fn join(&self, secret: &str) -> String {
        let body = json!({ "secret": secret, "browser": random_text(16) });
        let joined = self.broker.post("/api/join", body, None).await;
        assert_eq!(joined.status, 200, "{:?}", joined.body);
        joined.cookie.expect("a session")
    }

    /// A patient at home, in the queue.
    pub(crate) async fn at_home(&self, number: u32) -> Patient {
        let link = self.invite(number).await;
        let cookie = self.join(&link.secret).await;
        let screen = Screen::open(&self.broker, &cookie).await;
        Patient { ticket: link.ticket, code: link.code, cookie, screen }
    }

    /// A patient in bed, callable.
    pub(crate) async fn in_bed(&self, nurse: &Screen, number: u32) -> TicketId {
        let ticket = self.admitted(nurse, number).await;
        nurse.must(Act::SetReady { ticket, ready: true }).await;
        ticket
    }

    pub(crate) async fn admitted(&self, nurse: &Screen, number: u32) -> TicketId {
        let admit = Act::AdmitBedside {
            room: self.room,
            person: person(number),
            triage: Triage::Standard,
            first_visit: true,
        };
        let outcome = nurse.must(admit).await;
        let Outcome::Admitted { ticket } = outcome else { panic!("{outcome:?}") };
        ticket
    }

    /// A second device beside a bedside patient, by the nurse's link and with the nurse's yes.
    pub(crate) async fn companion(&self, nurse: &Screen, ticket: TicketId) -> Screen {
        let outcome = nurse.must(Act::ReissueLink { ticket }).await;
        let Outcome::Issued { mut links } = outcome else { panic!("{outcome:?}") };
        let cookie = self.join(&links.remove(0).secret).await;
        let asked = |seen: &super::Seen| seen.ticket(ticket)?.device_requests.first().cloned();
        let request = nurse.find("the nurse is asked", asked).await;
        nurse.must(Act::AllowDevice { ticket, request, yes: true }).await;
        Screen::open(&self.broker, &cookie).await
    }

    pub(crate) async fn call(&self, doctor: &Screen, ticket: TicketId) -> (VisitId, u32) {
        let outcome = doctor.must(Act::CallOne { room: self.room, ticket }).await;
        let Outcome::Called { visit, epoch, .. } = outcome else { panic!("{outcome:?}") };
        (visit, epoch)
    }

    /// Called and answered.
    pub(crate) async fn visit(
        &self,
        doctor: &Screen,
        other_side: &Screen,
        ticket: TicketId,
    ) -> (VisitId, u32) {
        let (visit, epoch) = self.call(doctor, ticket).await;
        other_side.must(Act::Answer { ticket, epoch }).await;
        (visit, epoch)
    }

    /// Ended in a way that waits for neither identity nor consent.
    pub(crate) async fn end(&self, doctor: &Screen, ticket: TicketId, epoch: u32) {
        let note = String::new();
        let end = Act::EndVisit { ticket, epoch, disposition: Disposition::Refused, note };
        doctor.must(end).await;
    }

    /// Waits until the board shows a ticket in a state.
    pub(crate) async fn until(&self, ticket: TicketId, state: TicketState) {
        let what = format!("{ticket} is {state:?}");
        let holds = |seen: &super::Seen| seen.ticket(ticket).is_some_and(|row| row.state == state);
        self.board.until(&what, holds).await;
    }

    /// Waits until the broker has noticed that a connection ended.
    pub(crate) async fn until_empty(&self, seat: Seat) {
        let edge = Arc::clone(&self.broker.edge);
        super::until("the connection is gone", || async { !edge.presence.is_there(seat) }).await;
    }

    pub(crate) async fn subject_of(&self, ticket: TicketId) -> SubjectId {
        let look = move |edge: Arc<Edge>| async move { edge.desk.ticket(ticket).await };
        let (_, known) = self.broker.inside(look).await.expect("the ticket is known");
        known.subject
    }

    pub(crate) fn advance(&self, span: minato_protocol::Span) {
        self.broker.edge.desk.clock.advance(span);
    }
}
