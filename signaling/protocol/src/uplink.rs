//! Between a gateway and the broker: one WebSocket at `/gateway`, JSON text messages, one enum
//! each way. Once welcomed, a gateway may say anything as a binary message too: squeezed together
//! with all that it squeezed before on this connection ([`crate::squeeze`]).
//!
//! ```text
//! gateway                                   broker
//!   Hello{version, gateway, boot, outbox, nonce} ->
//!                                        <- Challenge{nonce}
//!   Prove{signature}                     ->
//!                                        <- Welcome{site, now}      or Refused{code, message}
//!   Status{devices, …}                   ->                         at once, on change, every 10 s
//!   Deliver{sent_at, batch}              ->
//!                                        <- Ack{through}            only when durable
//!                                        <- Bind | Unbind | Measure | SimulateFault{key, …}
//!   Deliver{… Bound{key} | Unbound{key}} ->                         or RequestRefused{key, code}
//!                                        <- MediaGrant{visit, subject, relay_url, token}
//!   MediaLost{visit}                     ->                         asks for a new grant
//!                                        <- EndPass{holder, until}
//!                                        <- Ping{nonce}
//!   Pong{nonce}                          ->
//! ```
//!
//! The gateway delivers its outbox in the order of `seq`, keeps an entry until an `Ack` covers it,
//! and sends it again after every reconnection: at least once. The broker drops what it has by
//! [`crate::reading::ReadingId`], and bindings by (`outbox`, `seq`).

pub use crate::reading::{DeviceId, RequestKey};

use crate::lan::LanPlace;
use crate::reading::{DeviceKind, Hex, Outcome};
use crate::{Code, GatewayId, SiteId, Span, StaffId, SubjectId, Timestamp, VisitId};
use serde::{Deserialize, Serialize};

/// The version that this code speaks. A broker refuses others with [`RefusedCode::Version`].
pub const UPLINK_VERSION: u32 = 1;
/// No message of either side is longer, squeezed or not; a longer one ends the connection.
pub const UPLINK_MESSAGE_BYTES_MAX: usize = 64 * 1024;
/// No batch has more entries.
pub const UPLINK_BATCH_ENTRIES_MAX: usize = 64;
/// The gateway has at most this many entries sent and not acknowledged; then it waits.
pub const UPLINK_WINDOW_ENTRIES_MAX: u64 = 128;
/// The broker sends a `Ping` this often; either side gives up after three silent ones.
pub const UPLINK_PING_SECONDS: u32 = 5;

/// The first bytes of everything that a gateway signs for the uplink.
pub const PROOF_DOMAIN: &[u8; 25] = b"minato gateway uplink v1\0";

/// What the gateway signs (Ed25519, RFC 8032, no prehash), 105 bytes:
/// `"minato gateway uplink v1\0"` (25) | gateway id, u64 big-endian (8) | boot (8) |
/// the gateway's nonce from `Hello` (32) | the broker's nonce from `Challenge` (32).
pub fn proof_bytes(
    gateway: GatewayId,
    boot: &Hex<8>,
    gateway_nonce: &Hex<32>,
    broker_nonce: &Hex<32>,
) -> Vec<u8> {
    let parts: [&[u8]; 5] =
        [PROOF_DOMAIN, &gateway.0.to_be_bytes(), &boot.0, &gateway_nonce.0, &broker_nonce.0];
    parts.concat()
}

/// `POST /gateway/enrol`: a one-time code is exchanged for an identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// The code that the coordinator was shown; valid once.
    pub code: String,
    /// The gateway's Ed25519 public key. Asking again with the same code and the same key gives
    /// the same answer, so that a lost answer does not burn the code.
    pub public_key: Hex<32>,
}

/// The answer to [`EnrolRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolled {
    /// Who the gateway is from now on.
    pub gateway: GatewayId,
    /// Where it hangs.
    pub site: SiteId,
}

/// From the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromGateway {
    /// The first message.
    Hello {
        /// [`UPLINK_VERSION`].
        version: u32,
        /// Who says so.
        gateway: GatewayId,
        /// Drawn at each start of the gateway.
        boot: Hex<8>,
        /// Drawn when the outbox was created: `seq` counts within it.
        outbox: Hex<8>,
        /// Fresh for this connection.
        nonce: Hex<32>,
    },
    /// Answers the challenge.
    Prove {
        /// Over [`proof_bytes`].
        signature: Hex<64>,
    },
    /// Entries in the order of `seq`, without holes within one connection but for entries that the
    /// gateway cannot read any more.
    Deliver {
        /// The gateway's clock when it sent this: `sent_at - measured_at` is a reading's age
        /// whatever the broker's clock says.
        sent_at: Timestamp,
        /// At most [`UPLINK_BATCH_ENTRIES_MAX`].
        batch: Vec<OutboxEntry>,
    },
    /// What hangs at the gateway now.
    Status {
        /// Every device.
        devices: Vec<DeviceStatus>,
        /// The outbox is over its bound: no new bindings are taken until it has shrunk.
        outbox_full: bool,
        /// Entries that wait for an acknowledgement.
        waiting: u32,
        /// Where it listens on the clinic's own network.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        lan: Option<LanPlace>,
    },
    /// A `Bind`, `Unbind`, `Measure` or `SimulateFault` was not done.
    RequestRefused {
        /// Which request.
        key: RequestKey,
        /// Why.
        code: RequestRefusal,
    },
    /// The connection to the relay ended or was never made: a new grant is needed.
    MediaLost {
        /// Of which visit.
        visit: VisitId,
    },
    /// Answers `Ping`.
    Pong {
        /// The ping's number.
        nonce: u32,
    },
}

/// From the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromBroker {
    /// Answers `Hello`.
    Challenge {
        /// Fresh for this connection.
        nonce: Hex<32>,
    },
    /// The proof was good; deliveries may begin.
    Welcome {
        /// Where the gateway hangs.
        site: SiteId,
        /// The broker's clock.
        now: Timestamp,
        /// Checks the passes of nurses' pages ([`crate::lan`]); a broker that gives none says
        /// nothing.
        #[serde(default)]
        pass_key: Option<Hex<32>>,
    },
    /// Everything up to and including `through` is durable; the gateway forgets it.
    Ack {
        /// A `seq`.
        through: u64,
    },
    /// Put a device on a subject. Answered by a [`Entry::Bound`] with this key, or refused.
    Bind {
        /// Repeating it changes nothing.
        key: RequestKey,
        /// Which device.
        device: DeviceId,
        /// On whom.
        subject: SubjectId,
        /// Who said so.
        by: StaffId,
        /// Somebody confirmed that it comes off whoever it is on now.
        #[serde(default)]
        takes_over: bool,
    },
    /// Take a device off. Answered by an [`Entry::Unbound`] with this key, or refused.
    Unbind {
        /// Repeating it changes nothing.
        key: RequestKey,
        /// Which device.
        device: DeviceId,
        /// Who said so.
        by: StaffId,
        /// It comes off only if it is on this person; nothing: whoever it is on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        subject: Option<SubjectId>,
    },
    /// Start a measurement on a device that can be started from afar.
    Measure {
        /// Repeating it starts nothing twice.
        key: RequestKey,
        /// Which device.
        device: DeviceId,
    },
    /// Let a simulated device fail, for a rehearsal. A real device refuses.
    SimulateFault {
        /// Repeating it changes nothing.
        key: RequestKey,
        /// Which device.
        device: DeviceId,
        /// How.
        fault: SimulatedFault,
    },
    /// Join a visit at the relay, to send the waves of this subject's devices.
    MediaGrant {
        /// Which visit.
        visit: VisitId,
        /// Whose waves, and nobody else's.
        subject: SubjectId,
        /// Where the relay's HTTP listens, without a trailing slash.
        relay_url: String,
        /// Bearer token; lives at most 60 s, is used at once.
        token: String,
    },
    /// Leave a visit at the relay.
    MediaRevoke {
        /// Which visit.
        visit: VisitId,
    },
    /// A session is over: its passes end. Said only to a box that tells of a [`LanPlace`].
    EndPass {
        /// Whose passes.
        holder: Hex<8>,
        /// The last of them ends by itself then.
        until: Timestamp,
    },
    /// Are you there?
    Ping {
        /// Comes back in `Pong`.
        nonce: u32,
    },
    /// The connection is not wanted; it is closed after this.
    Refused {
        /// For a program.
        code: RefusedCode,
        /// For a person.
        message: String,
    },
}

/// Why the broker closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusedCode {
    /// The broker does not speak this version.
    Version,
    /// Not enrolled, or revoked.
    UnknownGateway,
    /// The signature is wrong.
    BadProof,
    /// Not a message of this protocol, or not at this moment.
    BadMessage,
    /// The same gateway connected again; the older connection ends.
    Superseded,
    /// The broker cannot store now; try again later.
    Unavailable,
}

/// Why the gateway did not do what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum RequestRefusal {
    /// No such device hangs here.
    UnknownDevice,
    /// It is on somebody else: take it off first.
    BoundElsewhere,
    /// It is on nobody.
    NotBound,
    /// It has no start button that a program can press.
    NotStartable,
    /// It is no simulated device, or that fault is not one of its kind.
    NotSimulated,
    /// It is measuring.
    Busy,
    /// The gateway's disk is over its bound.
    OutboxFull,
}

impl RequestRefusal {
    /// What a page is told.
    pub const fn code(self) -> Code {
        match self {
            Self::UnknownDevice | Self::NotSimulated | Self::NotBound | Self::NotStartable => {
                Code::DeviceUnknown
            }
            Self::BoundElsewhere => Code::DeviceElsewhere,
            Self::Busy | Self::OutboxFull => Code::Busy,
        }
    }
}

/// What a simulated device can be told to suffer. It sends the frames that a real one sends then.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum SimulatedFault {
    /// The cuff's next measurement ends in NaN with all status bits zero, as real cuffs do.
    CuffError,
    /// The cuff's next measurement gives a value with "body moved" set.
    BodyMovement,
    /// The cuff's next measurement gives a value with "cuff too loose" set.
    CuffLoose,
    /// The oximeter reports low perfusion for 10 s, with values.
    LowPerfusion,
    /// The oximeter has slipped for 10 s: questionable values.
    SensorDisplaced,
    /// The finger is out for 10 s: NaN.
    SensorOff,
    /// The device is out of range for 10 s: silence.
    Silent,
    /// The device says that its battery is at 2 %.
    BatteryEmpty,
    /// The device has forgotten this box for 10 s.
    NotPaired,
    /// The device's clock is set back by three days.
    ClockWrong,
    /// A telephone holds the connection for 10 s.
    HeldElsewhere,
    /// The next value is one that no living person shows.
    Implausible,
}

/// One line of the gateway's outbox. "Lost" counts from the moment it is on the gateway's disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Counts up by one from 1 within one outbox.
    pub seq: u64,
    /// The gateway's clock when it was written.
    pub at: Timestamp,
    /// What happened.
    pub entry: Entry,
}

/// What happened at the gateway. The gateway is the authority for bindings: they stand in one
/// order with the readings, and a device is on at most one subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly all entries are of the large kind")]
pub enum Entry {
    /// A frame was received.
    Measured {
        /// Who wore the device for the whole measurement; nobody known: quarantine.
        subject: Option<SubjectId>,
        /// What came of it.
        outcome: Outcome,
    },
    /// A device is on a subject. Said again for the same subject, it changes nothing.
    Bound {
        /// The request that asked for it.
        key: RequestKey,
        /// Which device.
        device: DeviceId,
        /// On whom.
        subject: SubjectId,
        /// Since when.
        since: Timestamp,
        /// Who said so.
        by: StaffId,
    },
    /// A device is on nobody.
    Unbound {
        /// The request that asked for it.
        key: RequestKey,
        /// Which device.
        device: DeviceId,
        /// Whom it was on.
        subject: SubjectId,
        /// Who said so; 0 when nobody pressed.
        by: StaffId,
        /// Why.
        #[serde(default)]
        why: UnboundWhy,
    },
}

/// Why a device came off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum UnboundWhy {
    /// Somebody took it off, or the visit was over.
    #[default]
    Asked,
    /// A worn device gave no value for so long that it may be on somebody else.
    Silent,
    /// Another device of its kind was put on the same person.
    Swapped,
    /// It was put on somebody else.
    TakenOver,
}

/// What stands in the way of a device, each with one remedy in the dictionaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Trouble {
    /// Its battery is empty or nearly so.
    NoBattery,
    /// It has to be paired with this box first.
    NotPaired,
    /// The cuff sits too loosely.
    CuffLoose,
    /// The body moved while the cuff measured.
    BodyMoved,
    /// It is too far away, or switched off.
    OutOfRange,
    /// Its clock is wrong.
    ClockWrong,
    /// A telephone or another box holds the connection.
    HeldElsewhere,
    /// The finger is not in the sensor, or it slipped.
    SensorOff,
}

/// How one device is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct DeviceStatus {
    /// Which one.
    pub device: DeviceId,
    /// What kind of thing.
    pub kind: DeviceKind,
    /// Maker's model name.
    pub model: String,
    /// Whether it answers now.
    pub connected: bool,
    /// Percent, if it says so.
    pub battery_percent: Option<u8>,
    /// Whom it is on.
    pub bound: Option<SubjectId>,
    /// Whether a measurement is under way.
    pub measuring: bool,
    /// Whether `Measure` starts it.
    pub startable: bool,
    /// When its last frame came, by the gateway's clock.
    pub last_frame_at: Option<Timestamp>,
    /// How strongly it is heard, in dBm, if the radio says so.
    #[serde(default)]
    pub signal_dbm: Option<i8>,
    /// The device's clock minus the gateway's, when they were last compared.
    #[serde(default)]
    pub clock_off: Option<Span>,
    /// What stands in its way, the gravest first.
    #[serde(default)]
    pub trouble: Option<Trouble>,
}
