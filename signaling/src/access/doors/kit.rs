//! The door of a home kit's page: one link, one browser, for months; renewed by the clinic and dead
//! at its word.
//!
//! The same steps as a patient's door: the session is opened shut, the link is bound to it, it is
//! let in. A second browser does not ask to be let in too; the clinic makes a new link for it.

use super::Joined;
use super::issue::issue;
use crate::access::link::{Command as LinkCommand, Issued, Kind};
use crate::access::secret_hash::SecretHash;
use crate::access::secrets::Label;
use crate::access::session::{Command as SessionCommand, Principal};
use crate::access::who::admitted;
use crate::aggregate::{Aggregate as _, CommandKey};
use crate::desk::Desk;
use crate::kit::Command as KitCommand;
use crate::log::StreamId;
use minato_protocol::entry::Entry;
use minato_protocol::{Code, KitId, Role, RoomId, Span, TicketId, Timestamp};

/// A kit's link has to be opened within so long.
pub const KIT_LINK_LIFE: Span = Span::minutes(14 * 24 * 60);
/// The page that it opened lasts so long; then the clinic makes a new link.
pub const KIT_SESSION_LIFE: Span = Span::minutes(90 * 24 * 60);

/// Makes a kit's link under a generation: the same press brings the same one. Its secret is shown
/// to whoever asked, and never again.
pub async fn issue_kit_link(
    desk: &Desk,
    (kit, room, generation): (KitId, RoomId, u32),
    key: CommandKey,
    expires: Timestamp,
) -> Result<(String, Timestamp), Code> {
    let secret = desk.secrets.link_secret(key.id, 0);
    let hash = desk.secrets.lookup_hash(Label::Join, &secret);
    // No ticket: that is what a kit does without.
    let ticket = TicketId(0);
    let kind = Kind::Join;
    let wanted = Issued { kind, room, ticket, generation, expires, of: None, kit: Some(kit) };
    Ok((secret, issue(desk, hash, wanted).await?.expires))
}

/// The button under a kit's link.
pub(super) async fn join(
    desk: &Desk,
    (link, issued): (SecretHash, Issued),
    kit: KitId,
    browser: &str,
    cookie: Option<&str>,
) -> Result<Joined, Code> {
    let seen = desk.kits.see(&StreamId::kit(kit)).await?;
    let generation = issued.generation;
    if seen.state.standing().is_err() || seen.state.link_generation != generation {
        return Err(Code::LinkRevoked);
    }
    let principal = Principal::Kit { kit, generation };
    if let Some(inside) = inside(desk, principal, cookie).await? {
        return Ok(inside);
    }
    let mut place = kit.0.to_be_bytes().to_vec();
    place.extend(generation.to_be_bytes());
    let secret = desk.secrets.session_secret(link, &place, browser);
    let session = desk.secrets.lookup_hash(Label::Session, &secret);
    let exchange = LinkCommand::Exchange { session };
    let elsewhere = |code| if code == Code::LinkElsewhere { Code::KitElsewhere } else { code };
    let now = desk.clock.now();
    desk.links
        .see(&StreamId::link(&link.0))
        .await?
        .state
        .decide(&exchange, now)
        .map_err(elsewhere)?;
    let expires = now + KIT_SESSION_LIFE;
    let (stream, open) =
        (StreamId::session(&session.0), SessionCommand::Open { principal, expires });
    let opened = desk.sessions.submit(&stream, None, open).await?;
    let bound = desk.links.submit(&StreamId::link(&link.0), None, exchange).await;
    bound.map_err(elsewhere)?;
    desk.sessions.submit(&stream, None, SessionCommand::Allow).await?;
    // The session that stands may have been opened by a press before this one.
    let until = opened.seen.state.opened.map_or(expires, |(_, until)| until);
    let note = KitCommand::NoteOpened { generation, until };
    desk.kits.submit(&StreamId::kit(kit), None, note).await?;
    Ok(joined(secret, until - now))
}

/// A browser that is in already and presses the button again.
async fn inside(
    desk: &Desk,
    principal: Principal,
    cookie: Option<&str>,
) -> Result<Option<Joined>, Code> {
    let Some(secret) = cookie else { return Ok(None) };
    match admitted(desk, secret).await {
        Ok(who) if who.principal == principal => {
            let seen = desk.sessions.see(&StreamId::session(&who.session.0)).await?;
            let until = seen.state.opened.map(|(_, until)| until);
            let lasts = until.map_or(Span(0), |until| until - desk.clock.now());
            Ok(Some(joined(secret.to_owned(), lasts)))
        }
        Err(Code::NotDurable) => Err(Code::NotDurable),
        Ok(_) | Err(_) => Ok(None),
    }
}

fn joined(secret: String, lasts: Span) -> Joined {
    Joined { secret, entry: Entry::Open { role: Role::Patient }, lasts }
}
