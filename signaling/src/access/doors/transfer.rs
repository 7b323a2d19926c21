//! From one browser to another on the same phone, without staff, until the first admission: the
//! browser inside a messenger often may not use the camera.

use super::issue::{issue, issued};
use super::patient::{Entrant, as_wrong_code, check_browser, check_place, digits, issued_code};
use super::{Joined, Place};
use crate::access::limits::Limits;
use crate::access::link::Kind;
use crate::access::secret_hash::SecretHash;
use crate::access::secrets::{Label, random_digits};
use crate::access::session::{Command as SessionCommand, Principal, Why};
use crate::access::who::{admitted, who_is};
use crate::aggregate::Aggregate as _;
use crate::desk::Desk;
use crate::log::StreamId;
use minato_protocol::entry::{JoinByCode, TransferCode};
use minato_protocol::{Code, Span, Timestamp};
use std::net::SocketAddr;

/// A transfer code lives so long.
pub const TRANSFER_LIFE: Span = Span::minutes(5);
/// Digits in use are drawn again, so often.
const DRAWS: usize = 16;

/// Makes a code for the patient whose cookie this is. `TransferTooLate` after the first admission.
pub async fn transfer_issue(
    desk: &Desk,
    limits: &Limits,
    cookie: &str,
) -> Result<TransferCode, Code> {
    let who = admitted(desk, cookie).await?;
    let Principal::Patient { room, ticket, generation } = who.principal else {
        return Err(Code::NotAllowed);
    };
    let place = Place { room, ticket, generation };
    if check_place(desk, place).await?.answered.is_some() {
        return Err(Code::TransferTooLate);
    }
    // Not given back: every live code is one more that a guess may hit.
    let _made = limits.transfer_code(ticket.0, desk.clock.now())?;
    for _ in 0..DRAWS {
        let code = random_digits();
        let hash = desk.secrets.lookup_hash(Label::Transfer, &code);
        let expires = desk.clock.now() + TRANSFER_LIFE;
        match issue(desk, hash, issued(Kind::Transfer, place, expires, Some(who.session))).await {
            // The same digits for the same session: live or dead, they were handed out before.
            Ok(standing) if standing.expires == expires => return Ok(TransferCode { code }),
            Ok(_) | Err(Code::KeyReused) => {}
            Err(code) => return Err(code),
        }
    }
    Err(Code::Busy)
}

/// Uses a code in the other browser: it gets a session of its own, and the old one ends.
pub async fn transfer_use(
    desk: &Desk,
    limits: &Limits,
    join: &JoinByCode,
    from: SocketAddr,
) -> Result<Joined, Code> {
    check_browser(&join.browser)?;
    let code = digits(&join.code)?;
    let one_try = limits.code(from, desk.clock.now())?;
    let joined = carry_over(desk, &code, &join.browser).await?;
    one_try.was_right();
    Ok(joined)
}

async fn carry_over(desk: &Desk, code: &str, browser: &str) -> Result<Joined, Code> {
    let (hash, issued) = issued_code(desk, Kind::Transfer, code).await?;
    let old = issued.of.ok_or(Code::CodeWrong)?;
    let mut entrant = Entrant::new(desk, hash, &issued, browser);
    let ticket = check_place(desk, Place::of(&issued)).await.map_err(as_wrong_code)?;
    let link = desk.links.see(&StreamId::link(&hash.0)).await?.state;
    let first_time = !link.decide(&entrant.exchange(), desk.clock.now())?.is_empty();
    if first_time {
        if ticket.answered.is_some() {
            return Err(Code::TransferTooLate);
        }
        // Who moves loses no time by it.
        entrant.lasts_until(check_old(desk, old).await?);
        entrant.open().await?;
    }
    entrant.bind(hash).await?;
    let joined = entrant.let_in().await?;
    let close = SessionCommand::Close(Why::Moved);
    desk.sessions.submit(&StreamId::session(&old.0), None, close).await?;
    Ok(joined)
}

/// When the old session ends. One that has moved on or was shut out has nothing to carry over.
async fn check_old(desk: &Desk, old: SecretHash) -> Result<Timestamp, Code> {
    match who_is(desk, old).await {
        Ok(who) if !who.pending => {}
        Err(Code::NotDurable) => return Err(Code::NotDurable),
        Ok(_) | Err(_) => return Err(Code::CodeWrong),
    }
    let opened = desk.sessions.see(&StreamId::session(&old.0)).await?.state.opened;
    opened.map(|(_, expires)| expires).ok_or(Code::CodeWrong)
}
