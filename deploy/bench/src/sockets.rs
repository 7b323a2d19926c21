//! One room, 1,000 waiting sockets: how soon a claim is on the screens concerned, and what an idle
//! socket costs.

use crate::person::Person;
use crate::server::Server;
use crate::spread::Spread;
use anyhow::{Context as _, bail};
use minato_protocol::act::{Act, Disposition, Duty, Invitation, Outcome, Triage};
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
    let nurse = Person::staff(&address, &once("nurse")?).await?;
    let mut doctor = Person::staff(&address, &once("abe")?).await?;
    let colleague = Person::staff(&address, &once("mori")?).await?;
    let room = first_room(&mut doctor).await?;
    let secrets = invite(&mut board, room).await?;
    let (seen, mut reached) = mpsc::unbounded_channel();
    tokio::spawn(watch_list(board, Screen::Board, seen.clone()));
    tokio::spawn(watch_list(colleague, Screen::Colleague, seen.clone()));
    tokio::spawn(watch_count(nurse, seen.clone()));
    // Patients whose links were never opened cost no socket: the difference is the sockets'.
    let before_kb = server.resident_kb()?;
    join_all(&address, secrets, &seen).await?;
    let after_kb = server.resident_kb()?;
    println!("sockets: one room, {WAITING} waiting sockets, no TLS");
    println!(
        "  an idle socket: {:.1} kB resident (ticket, session and presence included)",
        (after_kb.saturating_sub(before_kb)) as f64 / WAITING as f64
    );
    doctor.act(Act::SetDuty { room, duty: Duty::On }).await?;
    let spreads = claim_many(&mut doctor, room, &mut reached).await?;
    for (screen, spread) in &spreads {
        println!("  claim to {}: {spread}", screen.in_words());
    }
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

/// A screen that a claim concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Screen {
    Patient,
    Colleague,
    Board,
    Nurse,
}

impl Screen {
    const ALL: [Self; 4] = [Self::Patient, Self::Colleague, Self::Board, Self::Nurse];

    fn in_words(self) -> &'static str {
        match self {
            Self::Patient => "the patient's screen  ",
            Self::Colleague => "another doctor's list ",
            Self::Board => "the coordinator's list",
            Self::Nurse => "a nurse's room row    ",
        }
    }
}

/// What a screen shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// A patient is called.
    Called(TicketId),
    /// So many wait. A nurse sees no ticket of a patient at home.
    Waiting(u32),
    /// The patient has answered.
    Answered(TicketId),
}

/// What was seen on a screen, and when.
#[derive(Debug)]
struct Sight {
    screen: Screen,
    shown: Shown,
    at: Instant,
}

type Seen = mpsc::UnboundedSender<Sight>;

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

/// Tells when the patient is called, and answers.
async fn watch_patient(mut person: Person, seen: Seen) {
    let screen = Screen::Patient;
    while let Ok(message) = person.next().await {
        let now = Instant::now();
        for place in places(message).filter(|place| place.state == TicketState::Called) {
            let (ticket, epoch) = (place.ticket, place.epoch);
            drop(seen.send(Sight { screen, shown: Shown::Called(ticket), at: now }));
            if person.act(Act::Answer { ticket, epoch }).await.is_ok() {
                let shown = Shown::Answered(ticket);
                drop(seen.send(Sight { screen, shown, at: Instant::now() }));
            }
        }
    }
}

/// The rows of one change; the first, whole view is none.
async fn changed_rows(person: &mut Person) -> Option<(Vec<Row>, Instant)> {
    loop {
        let message = person.next().await.ok()?;
        if let ToScreen::View { upsert, whole: false, .. } = message {
            return Some((upsert, Instant::now()));
        }
    }
}

async fn watch_list(mut person: Person, screen: Screen, seen: Seen) {
    while let Some((rows, at)) = changed_rows(&mut person).await {
        for row in rows {
            // Changes come together: whoever answers at once is in the visit by then.
            if let Row::Ticket(row) = row
                && matches!(row.state, TicketState::Called | TicketState::InVisit)
            {
                drop(seen.send(Sight { screen, shown: Shown::Called(row.ticket), at }));
            }
        }
    }
}

async fn watch_count(mut person: Person, seen: Seen) {
    while let Some((rows, at)) = changed_rows(&mut person).await {
        for row in rows {
            if let Row::Room(row) = row {
                let shown = Shown::Waiting(row.waiting);
                drop(seen.send(Sight { screen: Screen::Nurse, shown, at }));
            }
        }
    }
}

/// One patient after the other, each called, answering, and seen to.
async fn claim_many(
    doctor: &mut Person,
    room: RoomId,
    sights: &mut mpsc::UnboundedReceiver<Sight>,
) -> anyhow::Result<BTreeMap<Screen, Spread>> {
    let mut spreads: BTreeMap<Screen, Spread> = BTreeMap::new();
    let mut before = None;
    for waiting in (0..u32::try_from(WAITING)?).rev().take(CLAIMS) {
        let pressed = Instant::now();
        let Outcome::Called { ticket, epoch, .. } = doctor.act(Act::CallNext { room }).await?
        else {
            bail!("Next brings a patient");
        };
        if before.replace(ticket) == Some(ticket) {
            bail!("the same patient was called twice");
        }
        let mut took: BTreeMap<Screen, Duration> = BTreeMap::new();
        let mut answered = false;
        let all = async {
            while took.len() < Screen::ALL.len() || !answered {
                let sight = sights.recv().await.context("the watchers ended")?;
                answered |= sight.shown == Shown::Answered(ticket);
                let is_this = [Shown::Called(ticket), Shown::Waiting(waiting)];
                if sight.at >= pressed && is_this.contains(&sight.shown) {
                    let since = sight.at.saturating_duration_since(pressed);
                    took.entry(sight.screen).or_insert(since);
                }
            }
            anyhow::Ok(())
        };
        let reached = tokio::time::timeout(Duration::from_secs(5), all).await;
        reached.with_context(|| format!("a claim reached only {took:?}"))??;
        for (screen, took) in took {
            spreads.entry(screen).or_default().add(took);
        }
        let (disposition, note) = (Disposition::Unsuitable, "seen in person".to_owned());
        doctor.act(Act::EndVisit { ticket, epoch, disposition, note }).await?;
    }
    Ok(spreads)
}
