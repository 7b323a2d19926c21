//! One room, 1,000 waiting sockets: how soon a claim is on the screens concerned, and what an idle
//! socket costs.

use crate::person::Person;
use crate::server::Server;
use crate::spread::Spread;
use anyhow::{Context as _, bail};
use minato_protocol::act::{Act, Duty, Invitation, Outcome, Triage};
use minato_protocol::view::{PlaceRow, Row, TicketState};
use minato_protocol::wire::ToScreen;
use minato_protocol::{Person as Data, RoomId, TicketId};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

const WAITING: usize = 1_000;
const CLAIMS: usize = 200;
const JOINS_AT_ONCE: usize = 32;

pub(crate) async fn run() -> anyhow::Result<()> {
    let server = Server::start().await?;
    let address = server.address.clone();
    let once = |account: &str| server.secrets.get(account).cloned().context("a printed link");
    let mut board = Person::staff(&address, &once("coordinator")?).await?;
    let mut doctor = Person::staff(&address, &once("abe")?).await?;
    let colleague = Person::staff(&address, &once("mori")?).await?;
    let room = first_room(&mut doctor).await?;
    let secrets = invite(&mut board, room).await?;
    drop(board);
    // Patients whose links were never opened cost no socket: the difference is the sockets'.
    let before_kb = server.resident_kb()?;
    let (seen, mut called) = mpsc::unbounded_channel();
    join_all(&address, secrets, &seen).await?;
    let after_kb = server.resident_kb()?;
    println!("sockets: one room, {WAITING} waiting sockets, no TLS");
    println!(
        "  an idle socket: {:.1} kB resident (ticket, session and presence included)",
        (after_kb.saturating_sub(before_kb)) as f64 / WAITING as f64
    );
    tokio::spawn(watch_staff(colleague, seen));
    doctor.act(Act::SetDuty { room, duty: Duty::On }).await?;
    let (patient, staff) = claim_many(&mut doctor, room, &mut called).await?;
    println!("  claim to the patient's screen:      {patient}");
    println!("  claim to another doctor's screen:   {staff}");
    Ok(())
}

async fn first_room(person: &mut Person) -> anyhow::Result<RoomId> {
    loop {
        if let ToScreen::View { upsert, .. } = person.next().await? {
            for row in upsert {
                if let Row::Room(row) = row {
                    return Ok(row.room);
                }
            }
        }
    }
}

async fn invite(board: &mut Person, room: RoomId) -> anyhow::Result<Vec<String>> {
    let mut secrets = Vec::with_capacity(WAITING);
    while secrets.len() < WAITING {
        let people = (0..100).map(|n| somebody(secrets.len() + n)).collect();
        let Outcome::Issued { links } = board.act(Act::Invite { room, people }).await? else {
            bail!("an invitation brings links");
        };
        secrets.extend(links.into_iter().map(|link| link.secret));
    }
    Ok(secrets)
}

fn somebody(number: usize) -> Invitation {
    let person = Data {
        name: format!("患者 {number}"),
        kana: "かんじゃ".into(),
        birth_date: "1950-01-01".into(),
        call_back: "0599-00-0002".into(),
        location: "港市".into(),
    };
    Invitation { person, triage: Triage::Standard, first_visit: false }
}

/// A ticket was seen as called, on which screen, when.
#[derive(Debug)]
struct Called {
    ticket: TicketId,
    by_patient: bool,
    at: Instant,
}

type Seen = mpsc::UnboundedSender<Called>;

async fn join_all(address: &str, secrets: Vec<String>, seen: &Seen) -> anyhow::Result<()> {
    for some in secrets.chunks(JOINS_AT_ONCE) {
        let mut joining = tokio::task::JoinSet::new();
        for secret in some {
            let (address, secret) = (address.to_owned(), secret.clone());
            joining.spawn(async move {
                let mut person = Person::patient(&address, &secret).await?;
                wait_for_place(&mut person).await?;
                anyhow::Ok(person)
            });
        }
        while let Some(joined) = joining.join_next().await {
            tokio::spawn(watch_patient(joined??, seen.clone()));
        }
    }
    Ok(())
}

fn places(message: ToScreen) -> impl Iterator<Item = PlaceRow> {
    let rows = match message {
        ToScreen::View { upsert, .. } => upsert,
        _ => Vec::new(),
    };
    rows.into_iter().filter_map(|row| match row {
        Row::Place(place) => Some(*place),
        _ => None,
    })
}

async fn wait_for_place(person: &mut Person) -> anyhow::Result<()> {
    loop {
        if places(person.next().await?).any(|place| place.state == TicketState::Waiting) {
            return Ok(());
        }
    }
}

async fn watch_patient(mut person: Person, seen: Seen) {
    while let Ok(message) = person.next().await {
        for place in places(message).filter(|place| place.state == TicketState::Called) {
            let called = Called { ticket: place.ticket, by_patient: true, at: Instant::now() };
            drop(seen.send(called));
        }
    }
}

async fn watch_staff(mut person: Person, seen: Seen) {
    while let Ok(message) = person.next().await {
        let ToScreen::View { upsert, whole: false, .. } = message else { continue };
        for row in upsert {
            if let Row::Ticket(row) = row
                && row.state == TicketState::Called
            {
                let called = Called { ticket: row.ticket, by_patient: false, at: Instant::now() };
                drop(seen.send(called));
            }
        }
    }
}

async fn claim_many(
    doctor: &mut Person,
    room: RoomId,
    called: &mut mpsc::UnboundedReceiver<Called>,
) -> anyhow::Result<(Spread, Spread)> {
    let (mut patient, mut staff) = (Spread::default(), Spread::default());
    for _ in 0..CLAIMS {
        let pressed = Instant::now();
        let Outcome::Called { ticket, epoch, .. } = doctor.act(Act::CallNext { room }).await?
        else {
            bail!("Next brings a patient");
        };
        let mut seen: BTreeMap<bool, Duration> = BTreeMap::new();
        let reached = async {
            while seen.len() < 2 {
                let one = called.recv().await.context("the watchers ended")?;
                if one.ticket == ticket {
                    seen.insert(one.by_patient, one.at.saturating_duration_since(pressed));
                }
            }
            anyhow::Ok(())
        };
        let reached = tokio::time::timeout(Duration::from_secs(5), reached).await;
        reached.context("a claim did not reach its screens")??;
        patient.add(seen[&true]);
        staff.add(seen[&false]);
        doctor.act(Act::CancelCall { ticket, epoch }).await?;
    }
    Ok((patient, staff))
}
