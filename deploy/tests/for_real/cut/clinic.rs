//! The broker with the demonstration's clinic, which is killed too, and its nurse's screen.

use super::super::browser::{Screen, post};
use super::super::server::Server;
use minato_protocol::act::{Act, Outcome, Triage};
use minato_protocol::reading::DeviceId;
use minato_protocol::view::{ReadingRow, Row};
use minato_protocol::wire::ToScreen;
use minato_protocol::{Person, RoomId, SubjectId, TicketId};
use minato_signaling::readings::ROWS_MAX;
use serde_json::json;
use std::path::{Path, PathBuf};

/// Two beds of three devices, and three for both.
const DEVICES: usize = 9;

/// A running broker.
#[derive(Debug)]
pub(super) struct Clinic {
    server: Server,
    data: PathBuf,
}

impl Clinic {
    pub(super) async fn open(data: &Path) -> Self {
        let server = serve(data, "127.0.0.1:0").await;
        Self { server, data: data.to_owned() }
    }

    /// Where gateways reach it; it stays when it is started again.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    pub(super) async fn gateway_code(&mut self) -> String {
        let line = self.server.says("A gateway enrols with the code").await;
        line.split_whitespace().last().expect("a code").to_owned()
    }

    /// Kills it with -9 and starts it again.
    pub(super) async fn killed_and_started_again(self) -> Self {
        let Self { server, data } = self;
        let address = server.address.clone();
        drop(server);
        let server = serve(&data, &address).await;
        Self { server, data }
    }

    /// The nurse signs in by the link printed at this start.
    pub(super) async fn nurse(&mut self) -> Nurse {
        let line = self.server.says("/nurse#once=").await;
        let (_, secret) = line.split_once("#once=").expect("a secret");
        let body = json!({ "secret": secret.trim() });
        let (status, said, cookie) = post(&self.server, "/api/sign-in/once", &body).await;
        assert_eq!(status, 200, "{said}");
        let (screen, _) = Screen::open(&self.server, &cookie.expect("a session")).await;
        Nurse(screen)
    }
}

async fn serve(data: &Path, listen: &str) -> Server {
    let data = data.to_str().expect("a name in text");
    let words = ["--demo", "--no-gateway", "--listen", listen, "--data", data];
    let mut server = Server::run(&words);
    let line = server.says("Minato listens on http://").await;
    let (_, address) = line.split_once("http://").expect("an address");
    address.trim().clone_into(&mut server.address);
    server.says("A gateway enrols with the code").await;
    server
}

/// A nurse at her tablet.
pub(super) struct Nurse(Screen);

impl Nurse {
    /// The clinic's room, once the box's devices are seen too.
    pub(super) async fn sees_the_devices(&mut self) -> RoomId {
        let (mut room, mut devices) = (None, 0);
        let look = |message| {
            let ToScreen::View { upsert, .. } = message else { return None };
            for row in upsert {
                match row {
                    Row::Room(row) => room = Some(row.room),
                    Row::Device(_) => devices += 1,
                    _ => {}
                }
            }
            room.filter(|_| devices >= DEVICES)
        };
        self.0.until("a room and the devices", look).await
    }

    pub(super) async fn admits(&mut self, room: RoomId, name: &str) -> TicketId {
        let person = Person {
            name: name.into(),
            kana: "みなと".into(),
            birth_date: "1939-05-05".into(),
            call_back: "0599-00-0003".into(),
            location: "港島診療所".into(),
        };
        let triage = Triage::Standard;
        let admit = Act::AdmitBedside { room, person, triage, first_visit: false };
        match self.0.press(admit).await {
            Ok(Outcome::Admitted { ticket }) => ticket,
            other => panic!("admission brought {other:?}"),
        }
    }

    pub(super) async fn puts_on(&mut self, ticket: TicketId, device: &str) {
        let device: DeviceId = device.parse().expect("an id");
        let done = self.0.press(Act::Attach { ticket, device, takes_over: false }).await;
        assert_eq!(done, Ok(Outcome::Done));
    }

    pub(super) async fn takes_off(&mut self, device: &str) {
        let device: DeviceId = device.parse().expect("an id");
        assert_eq!(self.0.press(Act::Detach { device }).await, Ok(Outcome::Done));
    }

    /// All readings of one person, as a screen gets them that has just come.
    pub(super) async fn reads(&mut self, subject: SubjectId) -> Vec<ReadingRow> {
        let watch = Act::WatchReadings { subject, after: 0 };
        assert_eq!(self.0.press(watch).await, Ok(Outcome::Done));
        let (mut told, mut quiet) = (Vec::new(), 0);
        let look = |message| {
            match message {
                ToScreen::Readings { subject: whose, rows, .. } if whose == subject => {
                    quiet = 0;
                    let ends = rows.len() < ROWS_MAX;
                    told.extend(rows);
                    if ends {
                        return Some(());
                    }
                }
                // A full page may have been the last one.
                ToScreen::Ping { .. } => quiet += 1,
                _ => {}
            }
            (quiet == 2).then_some(())
        };
        self.0.until("all readings", look).await;
        told
    }
}
