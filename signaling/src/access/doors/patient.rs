//! A patient's door: the button under a link, eight dictated digits, a second device.
//!
//! The session is opened first, shut; then the link is bound to it; then it is let in; then the
//! patient arrives in the room. Whatever is cut off, the same browser asking again goes on from
//! there, and nobody else gets in by it.

use super::{Joined, PATIENT_SESSION_LIFE, Place, exists};
use crate::access::limits::Limits;
use crate::access::link::{Command as LinkCommand, Issued, Kind};
use crate::access::secret_hash::SecretHash;
use crate::access::secrets::Label;
use crate::access::session::{Command as SessionCommand, Principal, Session, Why};
use crate::access::who::{admitted, is_of_generation};
use crate::aggregate::Aggregate as _;
use crate::desk::Desk;
use crate::log::StreamId;
use crate::room::{Command as RoomCommand, Ticket};
use minato_protocol::entry::{Entry, JoinByCode, JoinByLink};
use minato_protocol::{Code, Role, RoomId, TicketId, Timestamp};
use std::net::SocketAddr;

/// The page draws at least 128 bits, which are 22 characters of base64.
const BROWSER_CHARS_MIN: usize = 22;
const BROWSER_CHARS_MAX: usize = 128;
/// Second devices that may ask for one ticket at a time. A further one is told to come again.
const ASKING_MAX: usize = 3;
const CODE_DIGITS: usize = 8;

/// The button under a join link. `cookie` is what the browser brought along.
pub async fn join_by_link(
    desk: &Desk,
    limits: &Limits,
    join: &JoinByLink,
    cookie: Option<&str>,
) -> Result<Joined, Code> {
    check_browser(&join.browser)?;
    if !desk.secrets.is_ours(Label::Join, &join.secret) {
        return Err(Code::LinkUnknown);
    }
    let hash = desk.secrets.lookup_hash(Label::Join, &join.secret);
    let link = desk.links.see(&StreamId::link(&hash.0)).await?.state;
    let issued = link.issued.ok_or(Code::LinkUnknown)?;
    if let Some(kit) = issued.kit {
        return super::kit::join(desk, (hash, issued), kit, &join.browser, cookie).await;
    }
    let place = Place::of(&issued);
    check_place(desk, place).await?;
    if let Some(inside) = Entrant::by_cookie(desk, cookie, &issued).await? {
        return inside.let_in().await;
    }
    let entrant = Entrant::new(desk, hash, &issued, &join.browser);
    match link.decide(&entrant.exchange(), desk.clock.now()) {
        Err(Code::LinkElsewhere) => return entrant.second_device(limits, issued.expires).await,
        decided => decided?,
    };
    entrant.open().await?;
    match entrant.bind(hash).await {
        Err(Code::LinkElsewhere) => entrant.second_device(limits, issued.expires).await,
        bound => {
            bound?;
            entrant.let_in().await
        }
    }
}

/// Eight digits from the telephone. `from` is the client's address, for the limit on guesses.
pub async fn join_by_code(
    desk: &Desk,
    limits: &Limits,
    join: &JoinByCode,
    from: SocketAddr,
) -> Result<Joined, Code> {
    check_browser(&join.browser)?;
    let code = digits(&join.code)?;
    let one_try = limits.code(from, desk.clock.now())?;
    let joined = by_digits(desk, limits, &code, &join.browser).await?;
    one_try.was_right();
    Ok(joined)
}

async fn by_digits(
    desk: &Desk,
    limits: &Limits,
    code: &str,
    browser: &str,
) -> Result<Joined, Code> {
    let (hash, issued) = issued_code(desk, Kind::Spoken, code).await?;
    let join = issued.of.ok_or(Code::CodeWrong)?;
    check_place(desk, Place::of(&issued)).await.map_err(as_wrong_code)?;
    let mut entrant = Entrant::new(desk, hash, &issued, browser);
    let long = desk.links.see(&StreamId::link(&join.0)).await?.state;
    entrant.lasts_until(long.issued.ok_or(Code::CodeWrong)?.expires);
    let link = desk.links.see(&StreamId::link(&hash.0)).await?.state;
    link.decide(&entrant.exchange(), desk.clock.now())?;
    entrant.open().await?;
    entrant.bind(hash).await?;
    // The digits and the link of one ticket let in one device together.
    match entrant.bind(join).await {
        Err(Code::LinkElsewhere) => entrant.second_device(limits, Timestamp(i64::MAX)).await,
        bound => {
            bound?;
            entrant.let_in().await
        }
    }
}

/// What the clinic said to a second device that asks for this ticket. The caller has checked that
/// it may say so. Said again, nothing happens; said otherwise by a colleague, the first one stands
/// (`NotAllowed`). `DeviceUnknown`: nobody asks under this name for this ticket.
pub async fn settle_device(
    desk: &Desk,
    room: RoomId,
    ticket: TicketId,
    request: &str,
    yes: bool,
) -> Result<(), Code> {
    let session: SecretHash = request.parse().map_err(|_| Code::DeviceUnknown)?;
    let stream = StreamId::session(&session.0);
    let seen = desk.room(room).await?;
    let listed = seen.state.ticket(ticket)?.device_requests.iter().any(|known| known == request);
    if !listed && !exists(desk, &stream).await? {
        return Err(Code::DeviceUnknown);
    }
    let Session { opened, allowed, closed, .. } = desk.sessions.see(&stream).await?.state;
    let about = |(principal, _)| matches!(principal, Principal::Patient { room: r, ticket: t, .. } if (r, t) == (room, ticket));
    let settled = allowed || closed.is_some();
    if !opened.is_some_and(about) || !(listed || settled) {
        return Err(Code::DeviceUnknown);
    }
    // The session first: cut off here, the request still stands in the room and is settled again.
    let command = if yes { SessionCommand::Allow } else { SessionCommand::Close(Why::Refused) };
    let said = desk.sessions.submit(&stream, None, command).await.map(drop);
    if listed && said != Err(Code::NotDurable) && said != Err(Code::Busy) {
        let allowed = desk.sessions.see(&stream).await?.state.allowed;
        let request = request.to_owned();
        let settle = RoomCommand::SettleDevice { ticket, request, yes: allowed };
        match desk.rooms.submit(&StreamId::room(room), None, settle).await {
            Ok(_) | Err(Code::DeviceUnknown) => {}
            Err(code) => return Err(code),
        }
    }
    said
}

/// One browser on its way in to one place.
pub(super) struct Entrant<'a> {
    desk: &'a Desk,
    place: Place,
    secret: String,
    session: SecretHash,
    expires: Timestamp,
}

impl<'a> Entrant<'a> {
    pub(super) fn new(desk: &'a Desk, link: SecretHash, issued: &Issued, browser: &str) -> Self {
        let place = Place::of(issued);
        let secret = desk.secrets.session_secret(link, &place.bytes(), browser);
        let session = desk.secrets.lookup_hash(Label::Session, &secret);
        let expires = issued.expires.max(desk.clock.now() + PATIENT_SESSION_LIFE);
        Self { desk, place, secret, session, expires }
    }

    /// A browser that is in already and presses the button again.
    async fn by_cookie(
        desk: &'a Desk,
        cookie: Option<&str>,
        issued: &Issued,
    ) -> Result<Option<Self>, Code> {
        let Some(secret) = cookie else { return Ok(None) };
        let place = Place::of(issued);
        match admitted(desk, secret).await {
            Ok(who) if who.principal == place.principal() => {
                let stream = StreamId::session(&who.session.0);
                let opened = desk.sessions.see(&stream).await?.state.opened;
                let expires = opened.map_or(issued.expires, |(_, expires)| expires);
                let secret = secret.to_owned();
                Ok(Some(Self { desk, place, secret, session: who.session, expires }))
            }
            Err(Code::NotDurable) => Err(Code::NotDurable),
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// At least until then.
    pub(super) fn lasts_until(&mut self, expires: Timestamp) {
        self.expires = self.expires.max(expires);
    }

    pub(super) fn exchange(&self) -> LinkCommand {
        LinkCommand::Exchange { session: self.session }
    }

    async fn submit(&self, command: SessionCommand) -> Result<Session, Code> {
        let stream = StreamId::session(&self.session.0);
        Ok(self.desk.sessions.submit(&stream, None, command).await?.seen.state)
    }

    /// Opens the session, shut. A session of this browser that was closed stays closed.
    pub(super) async fn open(&self) -> Result<Session, Code> {
        let (principal, expires) = (self.place.principal(), self.expires);
        let opened = self.submit(SessionCommand::Open { principal, expires }).await;
        // A link that was carried to another browser is open there.
        opened.map_err(|code| if code == Code::SignInFirst { Code::LinkElsewhere } else { code })
    }

    /// Binds a link to the session, or finds it bound to it before.
    pub(super) async fn bind(&self, link: SecretHash) -> Result<(), Code> {
        self.desk.links.submit(&StreamId::link(&link.0), None, self.exchange()).await.map(drop)
    }

    /// Lets the session in and the patient arrive.
    pub(super) async fn let_in(self) -> Result<Joined, Code> {
        self.submit(SessionCommand::Allow).await?;
        let arrive = RoomCommand::Arrive { ticket: self.place.ticket };
        let arrived = self.desk.rooms.submit(&StreamId::room(self.place.room), None, arrive).await;
        arrived.map_err(|code| if code == Code::TicketOver { Code::LinkExpired } else { code })?;
        Ok(self.joined(Entry::Open { role: Role::Patient }))
    }

    /// Asks the clinic, unless it has answered before. `until`: the link is too old to ask then.
    async fn second_device(self, limits: &Limits, until: Timestamp) -> Result<Joined, Code> {
        let now = self.desk.clock.now();
        let stream = StreamId::session(&self.session.0);
        let before = exists(self.desk, &stream).await?;
        if before && self.open().await?.allowed {
            return self.let_in().await;
        }
        if now >= until {
            return Err(Code::LinkExpired);
        }
        let request = self.session.to_string();
        let seen = self.desk.room(self.place.room).await?;
        let asking = &seen.state.ticket(self.place.ticket)?.device_requests;
        if !asking.contains(&request) {
            if asking.len() >= ASKING_MAX {
                return Err(Code::TooMany);
            }
            // Not given back: somebody at the clinic has to look at each.
            let _asked = limits.device_ask(self.place.ticket.0, now)?;
            self.open().await?;
            let ask = RoomCommand::AskDevice { ticket: self.place.ticket, request };
            self.desk.rooms.submit(&StreamId::room(self.place.room), None, ask).await?;
        }
        Ok(self.joined(Entry::Pending))
    }

    fn joined(self, entry: Entry) -> Joined {
        let lasts = self.expires - self.desk.clock.now();
        Joined { secret: self.secret, entry, lasts }
    }
}

/// The link of a code that was issued, dead or alive; `CodeWrong` for all others.
pub(super) async fn issued_code(
    desk: &Desk,
    kind: Kind,
    code: &str,
) -> Result<(SecretHash, Issued), Code> {
    let label = match kind {
        Kind::Join => Label::Join,
        Kind::Spoken => Label::Spoken,
        Kind::Transfer => Label::Transfer,
    };
    let hash = desk.secrets.lookup_hash(label, code);
    let stream = StreamId::link(&hash.0);
    if !exists(desk, &stream).await? {
        return Err(Code::CodeWrong);
    }
    let issued = desk.links.see(&stream).await?.state.issued;
    issued.filter(|issued| issued.kind == kind).map(|issued| (hash, issued)).ok_or(Code::CodeWrong)
}

/// Whether a place may still be entered by links of its generation.
pub(super) async fn check_place(desk: &Desk, place: Place) -> Result<Ticket, Code> {
    let seen = desk.room(place.room).await?;
    // A room forgets tickets a day after they were over.
    let ticket = seen.state.ticket(place.ticket).map_err(|_forgotten| Code::LinkExpired)?;
    is_of_generation(ticket, place.generation)?;
    if ticket.is_over() { Err(Code::LinkExpired) } else { Ok(ticket.clone()) }
}

/// Whoever guesses at digits does not learn what they once were.
pub(super) fn as_wrong_code(reason: Code) -> Code {
    match reason {
        Code::LinkExpired | Code::LinkRevoked | Code::LinkUnknown => Code::CodeWrong,
        other => other,
    }
}

pub(super) fn check_browser(browser: &str) -> Result<(), Code> {
    let fits = (BROWSER_CHARS_MIN..=BROWSER_CHARS_MAX).contains(&browser.len());
    if fits && browser.is_ascii() { Ok(()) } else { Err(Code::FieldWrong) }
}

/// Eight digits as people type them: with blanks and hyphens, in full width.
pub(super) fn digits(typed: &str) -> Result<String, Code> {
    const BETWEEN: &str = "-‐‑–−ー－";
    let digit = |sign: char| match sign {
        '0'..='9' => Some(sign),
        '０'..='９' => char::from_u32(u32::from(sign) - u32::from('０') + u32::from('0')),
        _ => None,
    };
    let kept = typed.chars().filter(|sign| !sign.is_whitespace() && !BETWEEN.contains(*sign));
    let code: Option<String> = kept.take(CODE_DIGITS + 1).map(digit).collect();
    code.filter(|code| code.len() == CODE_DIGITS).ok_or(Code::CodeWrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_read_as_people_type_them() {
        for typed in ["12345678", " 1234 5678", "1234-5678", "１２３４－５６７８", "12 34 56 78\n"]
        {
            assert_eq!(digits(typed).as_deref(), Ok("12345678"), "{typed}");
        }
        for typed in ["", "1234567", "123456789", "1234567a", "+1234567"] {
            assert_eq!(digits(typed), Err(Code::CodeWrong), "{typed}");
        }
    }
}
