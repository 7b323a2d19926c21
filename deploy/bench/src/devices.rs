//! What devices cost a gateway: frames that one core decodes a second, and the share of a core that
//! 64 oximeters take from their bytes to the disk.

use crate::proc;
use jiff::tz::TimeZone;
use minato_devices::bench::Bench;
use minato_devices::binding::BindRequest;
use minato_devices::clock::Clock;
use minato_devices::codec::{by_assigned_number, decode};
use minato_devices::driver::{Attribute, Offer};
use minato_devices::ledger::Ledger;
use minato_devices::outbox::Outbox;
use minato_devices::transport::{Found, Heard};
use minato_protocol::reading::{DeviceId, Hex, HexBytes, TransportKind};
use minato_protocol::{GatewayId, StaffId, SubjectId};
use std::hint::black_box;
use std::time::{Duration, Instant};
use tokio::sync::{broadcast, watch};

const DECODES_FOR: Duration = Duration::from_secs(2);
const DEVICES: u64 = 64;
const SECONDS: u32 = 20;
/// One frame of each message.
const FRAMES: [(u16, &str); 9] = [
    (0x2A35, "1e7b004f005d00ea070b160800004800010200"),
    (0x2A36, "005000ff07ff07"),
    (0x2A5E, "0062004800"),
    (0x2A5F, "0061004b00"),
    (0x2A1C, "006e0100ff"),
    (0x2A37, "164800040a03"),
    (0x2A9D, "00c832"),
    (0x2A18, "020100ea070b1608000064b011"),
    (0x2A9C, "0000c800"),
];

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("devices: one core decodes so many frames a second (goal: at least 2,000,000)");
    for (number, hex) in FRAMES {
        println!("  {number:04X}  {:>12.0}", decoded_a_second(number, hex)?);
    }
    let share = share_of_a_core().await?;
    println!(
        "  {DEVICES} oximeters, a value a second each, to the disk: {share:.1} % of a core (goal: 5)"
    );
    Ok(())
}

fn decoded_a_second(number: u16, hex: &str) -> anyhow::Result<f64> {
    let characteristic =
        by_assigned_number(number).ok_or_else(|| anyhow::anyhow!("no message {number:04X}"))?;
    let bytes: HexBytes = hex.parse()?;
    let (began, mut count) = (Instant::now(), 0u32);
    while began.elapsed() < DECODES_FOR {
        for _ in 0..1_000 {
            decode(characteristic, black_box(&bytes.0)).map(black_box)?;
        }
        count += 1_000;
    }
    Ok(f64::from(count) / began.elapsed().as_secs_f64())
}

/// Bytes, driver, codec, reading, sealed entry and one write for all that came together.
async fn share_of_a_core() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let clock = Clock::system();
    let ledger = Ledger::start(Outbox::open(folder.path())?, clock.clone())?;
    let (tell, _) = watch::channel(Vec::new());
    let (waves, _) = broadcast::channel(4);
    let who = (GatewayId(1), Hex([1; 8]));
    let around = (TimeZone::get("Asia/Tokyo")?, clock.clone());
    let mut bench = Bench::new(who, around, ledger.clone(), waves, tell);
    let id = |number: u64| format!("d{number}").parse::<DeviceId>();
    for number in 0..DEVICES {
        let attributes = vec![Attribute::assigned(0x2A5F)];
        let found = Found {
            device: id(number)?,
            offer: Offer { name: "any".into(), attributes },
            transport: TransportKind::Bluetooth,
            battery_percent: None,
            signal_dbm: None,
            startable: false,
        };
        bench.hear(Heard::Appeared(found)).await?;
        let off = BindRequest::off(format!("k{number}").parse()?, id(number)?, StaffId(1));
        let bound = ledger.bind(BindRequest { subject: Some(SubjectId(number)), ..off }).await?;
        bound.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
    }
    let mut beat = tokio::time::interval(Duration::from_secs(1) / 64);
    let (began, before) = (Instant::now(), proc::cpu("self")?.as_secs_f64());
    for turn in 0..u64::from(SECONDS) * DEVICES {
        beat.tick().await;
        let bytes = vec![0x00, 0x61, 0x00, 0x4b, 0x00];
        let from = Attribute::assigned(0x2A5F);
        let device = id(turn % DEVICES)?;
        bench.hear(Heard::Bytes { device, from, bytes, at: clock.now() }).await?;
    }
    ledger.settled().await?;
    let spent = proc::cpu("self")?.as_secs_f64() - before;
    Ok(100.0 * spent / began.elapsed().as_secs_f64())
}
