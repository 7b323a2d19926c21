//! Where somebody comes in. IO: each door reads and appends through the desk, in an order that
//! can be cut off anywhere; the same request again finishes what was begun.

mod issue;
mod kit;
mod patient;
mod staff;
mod transfer;

pub use issue::{IssuedParts, LINK_LIFE, SPOKEN_LIFE, issue_link, issue_links};
pub use kit::{KIT_LINK_LIFE, KIT_SESSION_LIFE, issue_kit_link};
pub use patient::{join_by_code, join_by_link, settle_device};
pub use staff::{
    CreateError, Created, NewAccount, ONCE_LIFE, create_account, issue_once, set_enabled, sign_in,
    sign_in_once, sign_out, totp_secret, verify_pin,
};
pub use transfer::{TRANSFER_LIFE, transfer_issue, transfer_use};

use super::link::Issued;
use super::session::Principal;
use crate::desk::Desk;
use crate::log::StreamId;
use minato_protocol::entry::Entry;
use minato_protocol::{Code, RoomId, Span, TicketId};

/// A member of staff's session lasts so long.
pub const STAFF_SESSION_LIFE: Span = Span::minutes(12 * 60);
/// A patient's session lasts at least so long, and never shorter than its link.
pub const PATIENT_SESSION_LIFE: Span = Span::minutes(24 * 60);

/// What a link opens: a ticket in a room, under one generation of its links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The waiting room.
    pub room: RoomId,
    /// The ticket.
    pub ticket: TicketId,
    /// The ticket's generation of links when this one was made.
    pub generation: u32,
}

impl Place {
    pub(super) fn of(issued: &Issued) -> Self {
        let Issued { room, ticket, generation, .. } = *issued;
        Self { room, ticket, generation }
    }

    pub(super) fn principal(self) -> Principal {
        let Self { room, ticket, generation } = self;
        Principal::Patient { room, ticket, generation }
    }

    fn bytes(self) -> [u8; 20] {
        let mut bytes = [0; 20];
        bytes[..8].copy_from_slice(&self.room.0.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.ticket.0.to_be_bytes());
        bytes[16..].copy_from_slice(&self.generation.to_be_bytes());
        bytes
    }
}

/// Somebody came in, or waits for the clinic's yes.
#[derive(Clone)]
pub struct Joined {
    /// The cookie's value.
    pub secret: String,
    /// What the page is told.
    pub entry: Entry,
    /// How long the cookie is worth keeping.
    pub lasts: Span,
}

impl std::fmt::Debug for Joined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joined").field("entry", &self.entry).finish_non_exhaustive()
    }
}

/// Whether a stream was ever written to. Guesses are asked for here and not at the desk, which
/// would open a keeper for each of them.
pub(super) async fn exists(desk: &Desk, stream: &StreamId) -> Result<bool, Code> {
    let first = desk.log.read_after(stream, 0, 1).await.map_err(|error| {
        tracing::error!(%stream, %error, "stream cannot be read");
        Code::NotDurable
    })?;
    Ok(!first.is_empty())
}
