//! The gateway's own line to the message bus, beside the one of `bluer`, which begins to listen only
//! after it has asked a device for its notifications: what a cuff sends at once would be missed.
//! Here a device is listened to before anything is asked of it, and what it sends and that it hangs
//! up come in one order, stamped when they come.

use crate::clock::Clock;
use crate::driver::Attribute;
use bluer::Uuid;
use dbus::arg::{PropMap, prop_cast};
use dbus::message::MatchRule;
use dbus::nonblock::stdintf::org_freedesktop_dbus::ObjectManager as _;
use dbus::nonblock::{MsgMatch, Proxy, SyncConnection};
use dbus::{Message, Path};
use dbus_tokio::connection;
use minato_protocol::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// BlueZ's name on the bus.
const BLUEZ: &str = "org.bluez";
const DEVICE: &str = "org.bluez.Device1";
const SERVICE: &str = "org.bluez.GattService1";
const CHARACTERISTIC: &str = "org.bluez.GattCharacteristic1";
/// An answer that has not come by then will not.
const ANSWER_MAX: Duration = Duration::from_secs(30);
/// What waits of one device while its task carries out a step: some minutes of the fastest. What
/// comes when it is full is lost, and the log says so.
const SIGNALS_MAX: usize = 4_096;

/// What the bus says of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Signal {
    /// A notification or indication.
    Value {
        /// The characteristic's object on the bus.
        path: String,
        /// The bytes.
        bytes: Vec<u8>,
        /// When they came.
        at: Timestamp,
    },
    /// It was heard on the air.
    Seen {
        /// How strongly.
        signal_dbm: Option<i8>,
    },
    /// Its services and characteristics are known.
    Resolved,
    /// The connection has ended.
    HungUp,
}

/// A characteristic of a connected device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Characteristic {
    /// Its object on the bus.
    pub(super) path: String,
    /// Number of its service in BlueZ's names.
    pub(super) service: u16,
    /// Its own number there.
    pub(super) number: u16,
    /// Whether a write to it is answered.
    pub(super) answers_writes: bool,
}

/// What a connected device has.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// Its services.
    pub(super) services: Vec<Attribute>,
    /// Its characteristics.
    pub(super) characteristics: Vec<(Attribute, Characteristic)>,
}

/// The line.
#[derive(Clone)]
pub(super) struct Bus(Arc<SyncConnection>);

/// Tells when the bus or BlueZ is gone.
pub(super) struct Lost {
    line: JoinHandle<String>,
    service: watch::Receiver<bool>,
    /// The rule ends with it.
    _owner: MsgMatch,
}

impl Lost {
    /// Returns when it is so, with what is gone.
    pub(super) async fn wait(mut self) -> String {
        tokio::select! {
            why = &mut self.line => why.unwrap_or_else(|ended| ended.to_string()),
            _ = self.service.wait_for(|gone| *gone) => "its service has ended".into(),
        }
    }
}

impl Drop for Lost {
    fn drop(&mut self) {
        self.line.abort();
    }
}

impl Bus {
    /// Connects to the system's bus.
    pub(super) async fn open() -> Result<(Self, Lost), dbus::Error> {
        // Connecting waits for the bus's answer.
        let opened = tokio::task::spawn_blocking(connection::new_system_sync).await;
        let (line, connection) =
            opened.map_err(|error| dbus::Error::new_failed(&error.to_string()))??;
        let line = tokio::spawn(async move { format!("the message bus is gone: {}", line.await) });
        // A device's rules are beside those of others on the same line.
        connection.set_signal_match_mode(true);
        let (gone, service) = watch::channel(false);
        let rule = MatchRule::new_signal("org.freedesktop.DBus", "NameOwnerChanged");
        let owner = connection.add_match(rule).await?;
        let owner = owner.cb(move |_, (name, _, now): (String, String, String)| {
            if name == BLUEZ && now.is_empty() {
                gone.send_replace(true);
            }
            true
        });
        Ok((Self(connection), Lost { line, service, _owner: owner }))
    }

    /// Hands over what is said of a device (its object on the bus) from now on.
    pub(super) async fn listen(&self, device: &str, clock: Clock) -> Result<Ears, dbus::Error> {
        let (to, signals) = mpsc::channel(SIGNALS_MAX);
        let rule = MatchRule::new_signal("org.freedesktop.DBus.Properties", "PropertiesChanged");
        let rule = rule.with_namespaced_path(path(device)?);
        let says = to.clone();
        let heard = self.0.add_match(rule).await?;
        let heard =
            heard.cb(move |message: Message, (of, changed, _): (String, PropMap, Vec<String>)| {
                for signal in read(&message, &of, &changed, &clock) {
                    if says.try_send(signal).is_err() && !says.is_closed() {
                        tracing::error!("a device says more than can wait: some of it is lost");
                    }
                }
                true
            });
        Ok(Ears { signals, to, bus: self.clone(), heard })
    }

    /// Services and characteristics of a connected device, in one question.
    pub(super) async fn resolved(&self, device: &str) -> Result<Resolved, dbus::Error> {
        let proxy = Proxy::new(BLUEZ, "/", ANSWER_MAX, self.0.clone());
        let inside = format!("{device}/");
        let mut resolved = Resolved::default();
        for (path, interfaces) in proxy.get_managed_objects().await? {
            if !path.starts_with(&inside) {
                continue;
            }
            if let Some(attribute) = interfaces.get(SERVICE).and_then(attribute) {
                resolved.services.push(attribute);
            }
            let Some(found) = interfaces.get(CHARACTERISTIC) else { continue };
            let named = attribute(found).zip(characteristic(&path, found));
            resolved.characteristics.extend(named);
        }
        Ok(resolved)
    }

    /// Asks for notifications or indications, whichever the characteristic has.
    pub(super) async fn subscribe(&self, characteristic: &str) -> Result<(), dbus::Error> {
        let proxy = Proxy::new(BLUEZ, path(characteristic)?, ANSWER_MAX, self.0.clone());
        proxy.method_call(CHARACTERISTIC, "StartNotify", ()).await
    }
}

fn path(text: &str) -> Result<Path<'static>, dbus::Error> {
    Path::new(text.to_owned()).map_err(|error| dbus::Error::new_failed(&error))
}

fn attribute(properties: &PropMap) -> Option<Attribute> {
    let uuid: Uuid = prop_cast::<String>(properties, "UUID")?.parse().ok()?;
    Some(Attribute(uuid.as_u128()))
}

/// Its numbers stand in its name: `…/service000a/char000b`.
fn characteristic(path: &str, properties: &PropMap) -> Option<Characteristic> {
    let (before, number) = path.rsplit_once("/char")?;
    let (_, service) = before.rsplit_once("/service")?;
    let flags = prop_cast::<Vec<String>>(properties, "Flags");
    Some(Characteristic {
        path: path.to_owned(),
        service: u16::from_str_radix(service, 16).ok()?,
        number: u16::from_str_radix(number, 16).ok()?,
        answers_writes: flags.is_none_or(|flags| flags.iter().any(|flag| flag == "write")),
    })
}

/// What a change of properties says; a value comes before the end of the connection that brought it.
fn read(message: &Message, of: &str, changed: &PropMap, clock: &Clock) -> Vec<Signal> {
    let mut said = Vec::new();
    if of == CHARACTERISTIC
        && let (Some(path), Some(bytes)) = (message.path(), prop_cast::<Vec<u8>>(changed, "Value"))
    {
        said.push(Signal::Value { path: path.to_string(), bytes: bytes.clone(), at: clock.now() });
    }
    if of != DEVICE {
        return said;
    }
    if let Some(dbm) = prop_cast::<i16>(changed, "RSSI") {
        said.push(Signal::Seen { signal_dbm: i8::try_from(*dbm).ok() });
    }
    if prop_cast::<bool>(changed, "ServicesResolved") == Some(&true) {
        said.push(Signal::Resolved);
    }
    if prop_cast::<bool>(changed, "Connected") == Some(&false) {
        said.push(Signal::HungUp);
    }
    said
}

/// What is heard of one device.
pub(super) struct Ears {
    signals: mpsc::Receiver<Signal>,
    to: mpsc::Sender<Signal>,
    bus: Bus,
    /// The rule ends with it.
    heard: MsgMatch,
}

impl Ears {
    /// The next that is said. It waits for ever when nothing is.
    pub(super) async fn next(&mut self) -> Signal {
        let signal = self.signals.recv().await;
        signal.expect("one end of the channel is kept beside the other")
    }

    /// What has been said already, if anything.
    pub(super) fn already(&mut self) -> Option<Signal> {
        self.signals.try_recv().ok()
    }

    /// For those who know of the device from elsewhere.
    pub(super) fn beside(&self) -> mpsc::Sender<Signal> {
        self.to.clone()
    }
}

impl Drop for Ears {
    fn drop(&mut self) {
        let (bus, token) = (self.bus.clone(), self.heard.token());
        tokio::spawn(async move { drop(bus.0.remove_match(token).await) });
    }
}
