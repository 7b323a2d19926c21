//! The one WebSocket a screen has: one enum each way, version 1.

use crate::act::{Act, Outcome};
use crate::view::{ChatLine, ReadingRow, Row, ViewName};
use crate::{Code, KitId, Role, SiteId, StaffId, SubjectId, TicketId, Timestamp, VisitId};
use serde::{Deserialize, Serialize};

/// The protocol spoken here. A screen that speaks another one is told to reload.
pub const VERSION: u32 = 1;
/// A message from a screen is at most so long, in bytes.
pub const MESSAGE_BYTES_MAX: usize = 64 * 1024;

/// From a screen to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum FromScreen {
    /// The first message: which protocol, and what the screen still has.
    Hello {
        /// Must be [`VERSION`].
        version: u32,
        /// Views that the screen kept from before.
        have: Vec<Have>,
    },
    /// A verb. The same key is never carried out twice within 24 hours.
    Do {
        /// Made by the screen, at random, once a press.
        key: String,
        /// The verb.
        act: Act,
    },
    /// The view's hash did not fit: send it whole.
    Resync {
        /// Which view.
        view: ViewName,
    },
    /// Sends the chat of a visit after a line.
    WatchChat {
        /// Which visit.
        visit: VisitId,
        /// The last line that the screen has.
        after: u32,
    },
    /// Answers a ping.
    Pong,
}

/// What a screen kept of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Have {
    /// Which view.
    pub view: ViewName,
    /// The server's run in which versions count.
    pub epoch: u32,
    /// The version within it.
    pub version: u32,
    /// The hash over all rows.
    pub hash: u32,
}

/// From the broker to a screen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ToScreen {
    /// The first message: who you are here, and the server's time.
    Welcome {
        /// [`VERSION`].
        version: u32,
        /// The server's time, for ages of values.
        now: Timestamp,
        /// A ping comes so often; silence of three means cut off.
        heartbeat_ms: u32,
        /// Who you are.
        you: You,
    },
    /// A view, whole or the rows that changed.
    View {
        /// Which view.
        view: ViewName,
        /// The server's run in which versions count.
        epoch: u32,
        /// One higher with every message of this view.
        version: u32,
        /// Sum of all rows' hashes after this message (see `row_hash`).
        hash: u32,
        /// Forget what you had.
        whole: bool,
        /// New or changed rows.
        upsert: Vec<Row>,
        /// Keys of rows that are gone.
        remove: Vec<String>,
    },
    /// What the screen has is what there is.
    Unchanged {
        /// Which view.
        view: ViewName,
    },
    /// Readings in the order of their cursor.
    Readings {
        /// Whose.
        subject: SubjectId,
        /// Forget what you had of this person: the flow begins, or something is held back or
        /// shown again.
        whole: bool,
        /// The next ones.
        rows: Vec<ReadingRow>,
    },
    /// Chat lines in the order of their cursor.
    Chat {
        /// Which visit.
        visit: VisitId,
        /// The next ones.
        lines: Vec<ChatLine>,
    },
    /// A verb was carried out and is durable.
    Done {
        /// The verb's key.
        key: String,
        /// What it brought.
        outcome: Outcome,
    },
    /// A verb was refused; nothing changed.
    Refused {
        /// The verb's key.
        key: String,
        /// Why.
        code: Code,
        /// Who took the patient, with [`Code::AlreadyTaken`].
        by: Option<String>,
    },
    /// Alive? Answer with a pong.
    Ping {
        /// The server's time.
        now: Timestamp,
    },
    /// The connection ends; the page says why.
    Bye {
        /// Why.
        code: Code,
    },
}

/// Who a screen's session belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct You {
    /// In which role.
    pub role: Role,
    /// Name of a member of staff; empty for a patient.
    pub name: String,
    /// Which member of staff.
    pub staff: Option<StaffId>,
    /// The nurse's site.
    pub site: Option<SiteId>,
    /// The patient's ticket, or the one of a tablet in patient view.
    pub ticket: Option<TicketId>,
    /// The hospital that receives emergencies of the nurse's site, with its number: she needs it
    /// without a link.
    pub hospital: Option<String>,
    /// This tablet shows only the patient's side.
    pub patient_view: bool,
    /// A device beside a bedside tablet: it sees and hears, and speaks for nobody.
    pub companion: bool,
    /// The home kit whose page this is.
    #[serde(default)]
    pub kit: Option<KitId>,
    /// Devices can be told to fail (rehearsal).
    pub rehearsal: bool,
}

/// FNV-1a (32 bit) over a row's JSON text. A view's hash is the wrapping sum over its rows, so
/// that it follows a change of one row in constant time.
pub fn row_hash(json: &[u8]) -> u32 {
    json.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}
