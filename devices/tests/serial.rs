//! Oximeters on serial cables: real bytes through a pair of terminals, the transport, a driver and
//! the whole gateway.

mod common;

use common::{Broker, CALM, CODE, Kept, PATIENCE};
use minato_devices::clock::Clock;
use minato_devices::driver::Attribute;
use minato_devices::gateway::{Gateway, GatewayConfig};
use minato_devices::transport::Heard;
use minato_devices::transport::serial::{SerialPort, run};
use minato_protocol::reading::{Characteristic, Quality, Quantity, TransportKind};
use minato_protocol::uplink::{Entry, FromBroker, FromGateway, Trouble};
use minato_protocol::{StaffId, SubjectId};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_serial::{SerialPort as _, SerialStream};

const SATO: SubjectId = SubjectId(1);
const DEVICE: &str = "serial-contec-cable";
const WORN: [u8; 5] = [0xc4, 0x28, 0x03, 0x48, 0x61];
const NO_FINGER: [u8; 5] = [0x90, 0x00, 0x10, 0x48, 0x61];
const PACKET: Duration = Duration::from_millis(16);

/// The device's end of a cable. Whoever opens the path has the other one; dropping it is pulling
/// the plug.
fn plug_in(path: &Path) -> SerialStream {
    let (device, port) = SerialStream::pair().expect("two terminals");
    let _ = std::fs::remove_file(path);
    std::os::unix::fs::symlink(port.name().expect("a name"), path).expect("a link");
    device
}

/// Sends packets at a Contec's pace until it is told to stop, and gives the device back.
fn stream(mut device: SerialStream, packet: [u8; 5]) -> Streaming {
    let (stop, mut stopped) = mpsc::channel::<()>(1);
    let task = tokio::spawn(async move {
        let mut pace = tokio::time::interval(PACKET);
        loop {
            tokio::select! {
                _ = pace.tick() => device.write_all(&packet).await.expect("an open line"),
                _ = stopped.recv() => return device,
            }
        }
    });
    Streaming { stop, task }
}

struct Streaming {
    stop: mpsc::Sender<()>,
    task: JoinHandle<SerialStream>,
}

impl Streaming {
    async fn end(self) -> SerialStream {
        drop(self.stop);
        self.task.await.expect("it was sending")
    }
}

struct Cable {
    folder: TempDir,
    heard: mpsc::Receiver<Heard>,
}

impl Cable {
    fn path(folder: &TempDir) -> PathBuf {
        folder.path().join("cable")
    }

    /// A port that is listened to.
    fn new(name: &str, folder: TempDir) -> Self {
        let path = Self::path(&folder).to_str().expect("a plain path").to_owned();
        let (to, heard) = mpsc::channel(64);
        tokio::spawn(run(SerialPort { path, name: name.to_owned() }, Clock::system(), to));
        Self { folder, heard }
    }

    async fn next(&mut self) -> Heard {
        let next = tokio::time::timeout(PATIENCE, self.heard.recv()).await;
        next.expect("something is heard in time").expect("the transport lives")
    }
}

fn is_obstructed(heard: &Heard, wanted: Option<Trouble>) -> bool {
    matches!(heard, Heard::Obstructed { by, .. } if *by == wanted)
}

#[tokio::test]
async fn a_port_is_opened_with_its_devices_settings_and_its_bytes_are_handed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut device = plug_in(&Cable::path(&folder));
    let mut cable = Cable::new("contec", folder);
    let Heard::Appeared(found) = cable.next().await else { panic!("not found") };
    assert_eq!((found.device.as_str(), found.transport), (DEVICE, TransportKind::Serial));
    assert_eq!(found.offer.name, "contec");
    // A pair of terminals has one set of settings, without a parity bit: there is no wire. That it
    // is asked for is tested beside the transport.
    assert_eq!(device.baud_rate().expect("a rate"), 19_200);
    device.write_all(&WORN).await.expect("an open line");
    let heard = cable.next().await;
    let Heard::Bytes { from, bytes, .. } = heard else { panic!("{heard:?}") };
    assert_eq!((from, bytes.as_slice()), (Attribute::SERIAL, WORN.as_slice()));
}

#[tokio::test]
async fn an_unplugged_cable_is_gone_and_comes_back_when_it_is_plugged_in_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let device = plug_in(&Cable::path(&folder));
    let mut cable = Cable::new("contec", folder);
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
    drop(device);
    assert!(matches!(cable.next().await, Heard::Gone { .. }));
    assert!(is_obstructed(&cable.next().await, Some(Trouble::OutOfRange)));
    let _device = plug_in(&Cable::path(&cable.folder));
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
    assert!(is_obstructed(&cable.next().await, None));
}

#[tokio::test]
async fn a_cable_that_is_not_there_is_said_once_and_found_later() {
    let mut cable = Cable::new("contec", tempfile::tempdir().expect("a folder"));
    assert!(is_obstructed(&cable.next().await, Some(Trouble::OutOfRange)));
    let _device = plug_in(&Cable::path(&cable.folder));
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
}

#[tokio::test]
async fn a_port_that_another_program_has_is_held_elsewhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let _device = plug_in(&Cable::path(&folder));
    let path = Cable::path(&folder).to_str().expect("a plain path").to_owned();
    let other = SerialStream::open(&tokio_serial::new(path, 19_200)).expect("it opens");
    let mut cable = Cable::new("contec", folder);
    assert!(is_obstructed(&cable.next().await, Some(Trouble::HeldElsewhere)));
    drop(other);
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
}

/// Ten real seconds: the port is a real one.
#[tokio::test]
async fn a_device_that_says_nothing_for_ten_seconds_is_gone_until_it_speaks() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut device = plug_in(&Cable::path(&folder));
    let mut cable = Cable::new("contec", folder);
    let since = tokio::time::Instant::now();
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
    assert!(matches!(cable.next().await, Heard::Gone { .. }));
    assert!(since.elapsed() >= Duration::from_secs(10));
    assert!(is_obstructed(&cable.next().await, Some(Trouble::OutOfRange)));
    device.write_all(&WORN).await.expect("an open line");
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
    assert!(is_obstructed(&cable.next().await, None));
    assert!(matches!(cable.next().await, Heard::Bytes { .. }));
}

#[tokio::test]
async fn a_device_that_falls_asleep_is_woken_and_kept_awake() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut device = plug_in(&Cable::path(&folder));
    let mut cable = Cable::new("emay", folder);
    assert!(matches!(cable.next().await, Heard::Appeared(_)));
    let (values, awake) = ([0x9B, 0x01, 0x1C], [0x9A, 0x1A]);
    let mut written = Vec::new();
    let both = |written: &[u8]| {
        let has = |wanted: &[u8]| written.windows(wanted.len()).filter(|w| *w == wanted).count();
        has(&values) >= 2 && has(&awake) >= 2
    };
    let reading = async {
        while !both(&written) {
            device.read_buf(&mut written).await.expect("an open line");
        }
    };
    tokio::time::timeout(PATIENCE, reading).await.expect("it is woken twice");
}

fn config(broker: &Broker, folder: &TempDir, port: &str) -> GatewayConfig {
    GatewayConfig {
        data_dir: folder.path().join("data"),
        broker_url: broker.url(),
        enrol_code: Some(CODE.into()),
        zone: "Asia/Tokyo".into(),
        simulate: None,
        bluetooth: None,
        replay: None,
        capture_to: None,
        serial: vec![port.parse().expect("a port")],
        status_listen: None,
        lan: None,
        ca_file: None,
    }
}

fn connected(kept: &Kept) -> Option<bool> {
    let devices = kept.other.iter().rev().find_map(|message| match message {
        FromGateway::Status { devices, .. } => Some(devices),
        _ => None,
    })?;
    devices.iter().find(|told| told.device.as_str() == DEVICE).map(|told| told.connected)
}

fn bind() -> FromBroker {
    let (key, device) = ("k1".parse().expect("a key"), DEVICE.parse().expect("an id"));
    FromBroker::Bind { key, device, subject: SATO, by: StaffId(9), takes_over: false }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contec_on_a_cable_reaches_the_broker_and_comes_back_after_noise_and_an_unplugging() {
    let broker = Broker::start(CALM).await;
    let folder = tempfile::tempdir().expect("a folder");
    let path = Cable::path(&folder);
    let device = plug_in(&path);
    let port = format!("{}=contec", path.display());
    let gateway = Gateway::open(config(&broker, &folder, &port), Clock::system()).await;
    tokio::spawn(gateway.expect("it opens").run(std::future::pending()));
    broker.until("the device", |kept| connected(kept) == Some(true)).await;
    broker.say(bind());
    broker
        .until("the binding", |kept| {
            kept.once.iter().any(|(kept, _)| matches!(kept.entry, Entry::Bound { .. }))
        })
        .await;

    let sending = stream(device, WORN);
    let kept = broker.until("three values", |kept| kept.readings().len() >= 3).await;
    for (subject, reading) in kept.readings() {
        assert_eq!(subject, Some(SATO));
        assert_eq!(reading.characteristic, Characteristic::SerialBci);
        assert_eq!(reading.provenance.driver, "contec-serial");
        assert_eq!(reading.provenance.transport, TransportKind::Serial);
        assert_eq!(reading.provenance.raw.0, WORN);
        let number = |what| reading.number(what).map(|number| number.to_string());
        assert_eq!(number(Quantity::Spo2).as_deref(), Some("97"));
        assert_eq!(number(Quantity::PulseRate).as_deref(), Some("72"));
    }

    let mut device = sending.end().await;
    let mut dice = 1u32;
    for _ in 0..200 {
        let noise = [0; 1_000].map(|_| {
            dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            dice.to_be_bytes()[0]
        });
        device.write_all(&noise).await.expect("an open line");
    }
    let sending = stream(device, NO_FINGER);
    let is_off = |kept: &Kept| {
        let readings = kept.readings();
        readings.iter().any(|(_, reading)| reading.quality.contains(&Quality::SensorOff))
    };
    let kept = broker.until("the finger is out", is_off).await;
    for (_, reading) in kept.readings() {
        let number = reading.number(Quantity::Spo2).map(|number| number.to_string());
        let off = reading.quality.contains(&Quality::SensorOff);
        assert_eq!(number.as_deref(), (!off).then_some("97"), "noise is no value");
    }

    drop(sending.end().await);
    broker.until("it is gone", |kept| connected(kept) == Some(false)).await;
    let before = broker.kept().readings().len();
    let device = plug_in(&path);
    broker.until("it is back", |kept| connected(kept) == Some(true)).await;
    let sending = stream(device, WORN);
    broker.until("new values", |kept| kept.readings().len() >= before + 2).await;
    drop(sending.end().await);
}
