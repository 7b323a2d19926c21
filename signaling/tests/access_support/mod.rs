//! What the tests of coming in share: a house with one room, and browsers that knock at it.
#![allow(dead_code, unused_imports, reason = "every test crate uses its own part of it")]

mod cut;
mod web;

pub(crate) use cut::CutLog;
pub(crate) use web::{Answer, Browser, HOST};

use minato_protocol::act::Triage;
use minato_protocol::view::Clinic;
use minato_protocol::{
    Code, Person, Pii, Role, RoomId, SiteId, Span, StaffId, SubjectId, TicketId, VisitId,
};
use minato_signaling::access::doors::{self, Created, IssuedParts, NewAccount, Place};
use minato_signaling::access::{Directory, Limits, Secrets, TotpSecret, random_text};
use minato_signaling::aggregate::CommandKey;
use minato_signaling::blob::MemoryBlobs;
use minato_signaling::clock::Clock;
use minato_signaling::desk::Desk;
use minato_signaling::gateway::{Gateways, Held};
use minato_signaling::http::{self, Edge};
use minato_signaling::kit::Kits;
use minato_signaling::log::{EventLog, MemoryLog, SqliteLog, StreamId};
use minato_signaling::photos::Photos;
use minato_signaling::presence::Presence;
use minato_signaling::readers::Readers;
use minato_signaling::readings::Readings;
use minato_signaling::relays::{Fleet, MediaKey};
use minato_signaling::room::{Command, NewTicket, Room, Stage};
use minato_signaling::site::Register;
use minato_signaling::vault::Vault;
use std::sync::Arc;

pub(crate) const ROOM: RoomId = RoomId(1);
pub(crate) const SATO: TicketId = TicketId(1);
pub(crate) const ITO: TicketId = TicketId(2);
pub(crate) const DOCTOR: StaffId = StaffId(7);
pub(crate) const PASSWORD: &str = "かもめ-kamome-12";
pub(crate) const PIN: &str = "2468";
pub(crate) const MINUTE: Span = Span::minutes(1);

/// A broker with one room in which Sato and Ito are invited.
pub(crate) struct House {
    pub(crate) edge: Arc<Edge>,
    pub(crate) router: axum::Router,
    pub(crate) secrets: Secrets,
    pub(crate) folder: Option<tempfile::TempDir>,
}

/// Runs a story over both logs.
pub(crate) async fn everywhere(story: impl AsyncFn(House)) {
    story(House::over(Arc::new(MemoryLog::default()), None).await).await;
    let folder = tempfile::tempdir().expect("a folder");
    let vault = Vault::open(&folder.path().join("keys.db")).expect("the keys file opens");
    let log = SqliteLog::open(&folder.path().join("log.db"), vault).expect("the log opens");
    story(House::over(Arc::new(log), Some(folder)).await).await;
}

impl House {
    pub(crate) async fn over(log: Arc<dyn EventLog>, folder: Option<tempfile::TempDir>) -> Self {
        let house = Self::open(log, Clock::start(), Secrets::random(), folder).await;
        let clinic = Clinic { name: "港診療所".into(), phone: "0599-00-0100".into() };
        house.in_room(Command::Open { name: "朝の診療".into(), clinic }).await;
        house.in_room(Command::SetRoster { doctors: vec![DOCTOR] }).await;
        house.in_room(Command::Invite { tickets: vec![invited(SATO), invited(ITO)] }).await;
        house
    }

    /// A broker over a log that may have been written by another one before.
    pub(crate) async fn open(
        log: Arc<dyn EventLog>,
        clock: Clock,
        secrets: Secrets,
        folder: Option<tempfile::TempDir>,
    ) -> Self {
        let desk = Arc::new(Desk::new(log, clock.clone(), secrets.clone()));
        desk.find_rooms().await.expect("the log is readable");
        let edge = Arc::new(Edge {
            directory: Directory::load(&desk).await.expect("the log is readable"),
            presence: Presence::new(clock.clone()),
            readings: Readings::default(),
            kits: Kits::load(&desk).await.expect("the log is readable"),
            held: Held::load(&desk).await.expect("the log is readable"),
            photos: Photos::new(Arc::new(MemoryBlobs::default()), Vault::in_memory()),
            readers: Readers::none(),
            gateways: Arc::new(Gateways::new(desk.bell.clone())),
            media_key: Arc::new(MediaKey::from_seed(&[1; 32]).expect("a seed")),
            fleet: Arc::new(Fleet::new(Vec::new(), clock)),
            register: Register::load(&desk).await.expect("the log is readable"),
            secure_cookies: false,
            turn: std::sync::OnceLock::new(),
            limits: Limits::default(),
            epoch: 1,
            heartbeat: http::Heartbeat::default(),
            rehearsal: false,
            desk,
        });
        Self { router: http::router(Arc::clone(&edge)), edge, secrets, folder }
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.edge.desk
    }

    pub(crate) fn advance(&self, span: Span) {
        self.desk().clock.advance(span);
    }

    pub(crate) async fn in_room(&self, command: Command) {
        let settled = self.desk().in_room(ROOM, None, command).await;
        settled.expect("the room's rules allow it");
    }

    pub(crate) async fn room(&self) -> Room {
        self.desk().room(ROOM).await.expect("the room is readable").state.clone()
    }

    /// A link for a ticket's present generation. The same `press` brings the same link.
    pub(crate) async fn link(&self, ticket: TicketId, press: u64) -> IssuedParts {
        self.try_link(ticket, press).await.expect("the link is issued")
    }

    pub(crate) async fn try_link(&self, ticket: TicketId, press: u64) -> Result<IssuedParts, Code> {
        let generation = self.room().await.ticket(ticket).expect("invited").link_generation;
        let place = Place { room: ROOM, ticket, generation };
        let key = CommandKey { id: press, command: 1 };
        doors::issue_link(self.desk(), place, key, 0, doors::LINK_LIFE).await
    }

    /// A browser that nobody knows, at 192.0.2.1 unless told otherwise.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.router.clone())
    }

    /// The doctor comes, calls and is answered; then the visit goes on.
    pub(crate) async fn admit(&self, ticket: TicketId) {
        use minato_protocol::act::Duty;
        self.in_room(Command::SetDuty { doctor: DOCTOR, duty: Duty::On }).await;
        let epoch = self.room().await.ticket(ticket).expect("invited").epoch + 1;
        let visit = VisitId(9);
        self.in_room(Command::Call { ticket, doctor: DOCTOR, epoch, visit }).await;
        self.in_room(Command::Answer { ticket, epoch }).await;
    }

    pub(crate) async fn account(&self, account: &str, role: Role) -> Created {
        let new = NewAccount {
            account: account.into(),
            password: PASSWORD.into(),
            pin: (role == Role::Nurse).then(|| PIN.into()),
            role,
            name: "浜 ちひろ".into(),
            affiliation: "港島診療所".into(),
            site: (role == Role::Nurse).then_some(SiteId(1)),
        };
        let made = doors::create_account(self.desk(), &self.edge.directory, new).await;
        made.expect("the account is made")
    }

    /// What an authenticator shows now.
    pub(crate) fn totp(&self, secret: &TotpSecret) -> String {
        secret.code_at(self.desk().clock.now())
    }

    /// Everything in the log as text: names of streams, and bodies as their readers see them.
    pub(crate) async fn whole_log(&self) -> String {
        let log = &self.desk().log;
        let mut text = String::new();
        for stream in log.streams("").await.expect("the log is readable") {
            text.push_str(stream.as_str());
            for event in log.read_after(&stream, 0, 10_000).await.expect("readable") {
                text.push_str(&event.kind);
                text.push_str(&event.body.to_string());
            }
        }
        text
    }

    /// How many events streams of this beginning hold together.
    pub(crate) async fn events(&self, prefix: &str) -> usize {
        let log = &self.desk().log;
        let mut count = 0;
        for stream in log.streams(prefix).await.expect("the log is readable") {
            count += log.read_after(&stream, 0, 10_000).await.expect("readable").len();
        }
        count
    }

    pub(crate) async fn has_arrived(&self, ticket: TicketId) -> bool {
        self.room().await.ticket(ticket).expect("invited").stage != Stage::Invited
    }

    /// Those that ask to be let in as a second device.
    pub(crate) async fn asking(&self, ticket: TicketId) -> Vec<String> {
        self.room().await.ticket(ticket).expect("invited").device_requests.clone()
    }

    pub(crate) async fn settle(&self, request: &str, yes: bool) -> Result<(), Code> {
        doors::settle_device(self.desk(), ROOM, SATO, request, yes).await
    }

    pub(crate) async fn stream_version(&self, stream: &StreamId) -> usize {
        self.desk().log.read_after(stream, 0, 10_000).await.expect("readable").len()
    }
}

fn invited(ticket: TicketId) -> NewTicket {
    let subject = SubjectId(ticket.0);
    let person = Person { name: "佐藤 ハナ".into(), ..Person::default() };
    NewTicket::standard(ticket, subject, format!("K-{}", ticket.0), person)
}

/// A minute before the end of a span.
pub(crate) fn nearly(span: Span) -> Span {
    Span(span.0 - MINUTE.0)
}

/// What a page draws for itself.
pub(crate) fn drawn() -> String {
    random_text(16)
}
