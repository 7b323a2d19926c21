//! How soon a reading of the simulated oximeter is on the doctor's screen.

use crate::island;
use crate::person::Person;
use crate::server::Server;
use crate::spread::Spread;
use anyhow::{Context as _, bail};
use minato_protocol::act::{Act, Duty, Outcome, Triage};
use minato_protocol::reading::{DeviceId, DeviceKind};
use minato_protocol::view::{ReadingRow, Row, TicketState};
use minato_protocol::wire::ToScreen;
use minato_protocol::{Person as Data, RoomId, SubjectId, TicketId};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const READINGS: usize = 100;
/// A flow that is silent for so long has ended.
const SILENCE_MAX: Duration = Duration::from_secs(20);
/// On a line that loses the tail is longer, and a percentile of it wants more.
const READINGS_OF_THE_ISLAND: usize = 300;

/// On this machine, or, as the part `island`, with the gateway behind a poor line.
pub(crate) async fn run(part: &str) -> anyhow::Result<()> {
    match part {
        "" => {
            let spread = watch(&Server::start().await?, READINGS).await?;
            println!("vitals: gateway's clock at the frame to the doctor's screen, loopback");
            println!("  {spread}");
            Ok(())
        }
        "island" if !island::is_beside_the_link() => island::begin_on_the_mainland("vitals:island"),
        "island" => {
            let server = Server::start_at(island::MAINLAND_ADDRESS).await?;
            let folder = tempfile::tempdir()?;
            let _gateway = island::gateway(&server, folder.path())?;
            let spread = watch(&server, READINGS_OF_THE_ISLAND).await?;
            println!("vitals: gateway's clock at the frame to the doctor's screen, the gateway");
            println!(
                "behind {} ms there and back, {} % lost each way",
                2 * island::DELAY_MS,
                island::LOSS_PERCENT
            );
            println!("  {spread}  p95 {:.1} ms", spread.percentile(95).as_secs_f64() * 1_000.0);
            Ok(())
        }
        other => bail!("vitals has no part {other}"),
    }
}

/// A bedside patient with an oximeter, called by a doctor who sees its values.
async fn watch(server: &Server, readings: usize) -> anyhow::Result<Spread> {
    let once = |account: &str| server.secrets.get(account).cloned().context("a printed link");
    let mut nurse = Person::staff(&server.address, &once("nurse")?).await?;
    let mut doctor = Person::staff(&server.address, &once("abe")?).await?;
    let (room, oximeters) = look_round(&mut nurse).await?;
    let ticket = admit(&mut nurse, room).await?;
    for device in oximeters {
        nurse.act(Act::Attach { ticket, device, takes_over: false }).await?;
    }
    nurse.act(Act::SetReady { ticket, ready: true }).await?;
    doctor.act(Act::SetDuty { room, duty: Duty::On }).await?;
    doctor.press(Act::CallOne { room, ticket }).await?;
    let (subject, epoch) = subject_of(&mut doctor, ticket).await?;
    // A ring that nobody answers ends the doctor's right to see.
    nurse.act(Act::Answer { ticket, epoch }).await?;
    doctor.press(Act::WatchReadings { subject, after: 0 }).await?;
    collect(&mut doctor, readings).await
}

async fn look_round(nurse: &mut Person) -> anyhow::Result<(RoomId, Vec<DeviceId>)> {
    let (mut room, mut oximeters) = (None, Vec::new());
    loop {
        let ToScreen::View { upsert, .. } = nurse.next().await? else { continue };
        for row in upsert {
            match row {
                Row::Room(row) => room = Some(row.room),
                Row::Device(row) if row.status.kind == DeviceKind::Oximeter => {
                    oximeters.push(row.status.device);
                }
                _ => {}
            }
        }
        if let Some(room) = room
            && !oximeters.is_empty()
        {
            oximeters.sort();
            oximeters.dedup();
            return Ok((room, oximeters));
        }
    }
}

async fn admit(nurse: &mut Person, room: RoomId) -> anyhow::Result<TicketId> {
    let person = Data {
        name: "伊藤 キヨ".into(),
        kana: "いとう きよ".into(),
        birth_date: "1939-05-05".into(),
        call_back: "0599-00-0003".into(),
        location: "港島診療所".into(),
    };
    let admit = Act::AdmitBedside { room, person, triage: Triage::Standard, first_visit: false };
    match nurse.act(admit).await? {
        Outcome::Admitted { ticket } => Ok(ticket),
        other => bail!("admission brought {other:?}"),
    }
}

async fn subject_of(doctor: &mut Person, wanted: TicketId) -> anyhow::Result<(SubjectId, u32)> {
    loop {
        let ToScreen::View { upsert, .. } = doctor.next().await? else { continue };
        for row in upsert {
            if let Row::Ticket(row) = row
                && row.ticket == wanted
                && row.state == TicketState::Called
                && let Some(subject) = row.subject
            {
                return Ok((subject, row.epoch));
            }
        }
    }
}

async fn next_rows(doctor: &mut Person) -> anyhow::Result<Vec<ReadingRow>> {
    loop {
        if let ToScreen::Readings { rows, .. } = doctor.next().await? {
            return Ok(rows);
        }
    }
}

async fn collect(doctor: &mut Person, readings: usize) -> anyhow::Result<Spread> {
    let mut spread = Spread::default();
    let mut seen = 0;
    // What was there before the screen asked has waited for it.
    let mut first = true;
    while seen < readings {
        let next = tokio::time::timeout(SILENCE_MAX, next_rows(doctor)).await;
        let rows =
            next.with_context(|| format!("no more than {seen} readings came: {spread}"))??;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        for row in rows {
            let minato_protocol::reading::Outcome::Reading(reading) = row.outcome else { continue };
            if first {
                continue;
            }
            let measured = Duration::from_millis(u64::try_from(reading.gateway_time.0)?);
            spread.add(now.saturating_sub(measured));
            seen += 1;
        }
        first = false;
    }
    Ok(spread)
}
