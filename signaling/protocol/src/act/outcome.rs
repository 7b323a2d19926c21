//! What an act brought, and the rights that come with it.

use crate::lan::LanPass;
use crate::reading::ReadingId;
use crate::{KitId, Person, RoomId, TicketId, Timestamp, VisitId};
use serde::{Deserialize, Serialize};

/// What an act brought, beside the change of the views.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Outcome {
    /// Done; the views tell the rest.
    Done,
    /// A room was opened.
    RoomOpened { room: RoomId },
    /// Links were made. They are shown once and stored only as hashes.
    Issued { links: Vec<IssuedLink> },
    /// Admitted at the bedside.
    Admitted { ticket: TicketId },
    /// A home kit stands.
    KitSetUp { kit: KitId },
    /// A link to a kit's page: shown once and stored only as a hash.
    KitLink { secret: String, expires: Timestamp },
    /// Called: this doctor has this patient.
    Called { ticket: TicketId, visit: VisitId, epoch: u32 },
    /// A waiting patient's own data.
    PersonOpened { person: Person },
    /// Where to negotiate media, and with what.
    Media(MediaGrant),
    /// For the time when the broker is away.
    Lan(LanPass),
    /// Typed values are stored under this name; a picture of the display may follow.
    Entered { reading: ReadingId },
    /// Frames are stored, and the device is not on this patient any more: what was measured since is
    /// held at the site, and the page lets the device go.
    CameOff,
}

impl std::fmt::Debug for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Outcome::Done => "done",
            Outcome::RoomOpened { .. } => "room_opened",
            Outcome::Issued { .. } => "issued",
            Outcome::Admitted { .. } => "admitted",
            Outcome::KitSetUp { .. } => "kit_set_up",
            Outcome::KitLink { .. } => "kit_link",
            Outcome::Called { .. } => "called",
            Outcome::PersonOpened { .. } => "person_opened",
            Outcome::Media(_) => "media",
            Outcome::Lan(_) => "lan",
            Outcome::Entered { .. } => "entered",
            Outcome::CameOff => "came_off",
        })
    }
}

/// A link to hand to one patient.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct IssuedLink {
    /// Whose place it opens.
    pub ticket: TicketId,
    /// The ticket's short code, for the list.
    pub code: String,
    /// The secret behind the `#`; the page's address is the reader's own origin plus `/p#`.
    pub secret: String,
    /// Eight digits to dictate by telephone, valid for 15 minutes.
    pub spoken: String,
    /// When the link dies.
    pub expires: crate::Timestamp,
}

/// The right to negotiate media with one relay.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct MediaGrant {
    /// The relay's base address, `""` for the page's own origin.
    pub relay_url: String,
    /// Signed claims, valid for 60 seconds, good for one POST.
    pub token: String,
    /// This screen's name in the visit.
    pub participant: crate::ParticipantId,
    /// Another screen of the same room is in already: start with microphone and speaker off.
    pub companion: bool,
    /// Compared with [`VisitRow::relay`](crate::view::VisitRow::relay).
    pub relay: u32,
    /// The way round a network that lets no UDP through, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "ts", ts(optional))]
    pub turn: Option<TurnPass>,
}

/// TURN for one participant (RFC 8656), with a password that is good for a visit's length.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TurnPass {
    /// `turn:` and `turns:` addresses.
    pub urls: Vec<String>,
    /// TURN is also reached through the door that the page itself came by: `turns:` with the
    /// page's own host and port.
    pub same_door: bool,
    /// `timestamp:name`.
    pub username: String,
    /// Made from the name and a secret that the page never sees.
    pub credential: String,
}

hidden!(IssuedLink, MediaGrant, TurnPass);
