//! The staff's door: password and authenticator, links that sign in once, PINs, new accounts.

use super::{Joined, STAFF_SESSION_LIFE};
use crate::access::account::{Account, Command, NewAccountRecord};
use crate::access::directory::{Directory, account_name};
use crate::access::limits::Limits;
use crate::access::password;
use crate::access::secret_hash::SecretHash;
use crate::access::secrets::{Label, random_bytes};
use crate::access::session::{Command as SessionCommand, Principal, Why};
use crate::access::totp::{SECRET_BYTES, TotpSecret};
use crate::access::who::who;
use crate::aggregate::Aggregate as _;
use crate::desk::{Desk, Seen};
use crate::log::StreamId;
use crate::room::Ticket;
use crate::visit::Command as VisitCommand;
use minato_protocol::entry::{Entry, SignIn};
use minato_protocol::{Code, Role, SiteId, Span, StaffId};
use std::net::SocketAddr;
use std::sync::Arc;

/// A sign-in link that the demo prints lives so long.
pub const ONCE_LIFE: Span = Span::minutes(24 * 60);
const ACCOUNT_CHARS_MAX: usize = 64;
const NAME_CHARS_MAX: usize = 80;
const PASSWORD_CHARS_MIN: usize = 10;
const PIN_DIGITS: std::ops::RangeInclusive<usize> = 4..=12;

/// An account to make.
#[derive(Clone)]
pub struct NewAccount {
    /// The name typed at sign-in; upper and lower case are the same.
    pub account: String,
    /// At least 10 characters, at most 256 bytes.
    pub password: String,
    /// 4 to 12 digits: a nurse's, to leave patient view.
    pub pin: Option<String>,
    /// The role.
    pub role: Role,
    /// Name shown to patients and colleagues.
    pub name: String,
    /// Affiliation shown to patients.
    pub affiliation: String,
    /// A nurse's site.
    pub site: Option<SiteId>,
}

impl std::fmt::Debug for NewAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewAccount(…)")
    }
}

/// A new account, with what has to reach its owner's authenticator.
#[derive(Debug, Clone)]
pub struct Created {
    /// Its id, the same for the same name on every node.
    pub staff: StaffId,
    /// For the authenticator.
    pub totp: TotpSecret,
}

/// Why an account was not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// Choose another name.
    #[error("this account name is taken")]
    Taken,
    /// Correct this field.
    #[error("{0} is missing, too short or too long")]
    Field(&'static str),
    /// A patient gets a link and not an account.
    #[error("a patient has no account")]
    Patient,
    /// Try again.
    #[error("not stored: {}", .0.sentence())]
    Refused(Code),
}

/// Name, password and code. Every reason to refuse is the same `SignInWrong`, after the same work.
pub async fn sign_in(
    desk: &Desk,
    directory: &Directory,
    limits: &Limits,
    typed: &SignIn,
    from: SocketAddr,
) -> Result<Joined, Code> {
    let account = account_name(&typed.account);
    if account.chars().count() > ACCOUNT_CHARS_MAX {
        return Err(Code::SignInWrong);
    }
    let one_try = limits.sign_in(&account, from, desk.clock.now())?;
    let staff = directory.find(desk, &account).await?;
    let seen = match staff {
        Some(staff) => Some(account_of(desk, staff).await?),
        None => None,
    };
    let record = seen.as_ref().and_then(|seen| seen.state.usable());
    let hash = record.map(|record| record.password_hash.as_str());
    let right = password::is_right(&desk.secrets, &typed.password, hash).await?;
    let totp = match (staff, record) {
        (Some(staff), Some(record)) => unseal(desk, staff, record)?,
        _ => TotpSecret::new(vec![0; SECRET_BYTES]),
    };
    let step = totp.step_of(&typed.totp, desk.clock.now());
    let (Some(staff), Some(totp_step), true) = (staff, step, right) else {
        return Err(Code::SignInWrong);
    };
    desk.accounts.submit(&StreamId::account(staff), None, Command::SignIn { totp_step }).await?;
    let joined = open(desk, staff).await?;
    one_try.was_right();
    tracing::info!(%staff, "signed in");
    Ok(joined)
}

/// A link that signs in once.
pub async fn sign_in_once(desk: &Desk, secret: &str) -> Result<Joined, Code> {
    let staff = StaffId(desk.secrets.staff_of_once(secret).ok_or(Code::LinkUnknown)?);
    let hash = desk.secrets.lookup_hash(Label::Once, secret);
    let used = Command::UseOnce { hash };
    let seen = account_of(desk, staff).await?;
    seen.state.decide(&used, desk.clock.now())?;
    desk.accounts.submit(&StreamId::account(staff), None, used).await?;
    let joined = open(desk, staff).await?;
    tracing::info!(%staff, "signed in by link");
    Ok(joined)
}

/// Makes a link that signs a member of staff in once. Its secret is shown here and never again.
pub async fn issue_once(desk: &Desk, staff: StaffId, life: Span) -> Result<String, Code> {
    let secret = desk.secrets.random_once_secret(staff.0);
    let hash = desk.secrets.lookup_hash(Label::Once, &secret);
    let expires = desk.clock.now() + life;
    let command = Command::IssueOnce { hash, expires };
    desk.accounts.submit(&StreamId::account(staff), None, command).await?;
    Ok(secret)
}

/// Ends a member of staff's session. Whoever has none is out already.
pub async fn sign_out(desk: &Desk, cookie: &str) -> Result<(), Code> {
    let who = match who(desk, cookie).await {
        Err(Code::NotDurable) => return Err(Code::NotDurable),
        Err(_) => return Ok(()),
        Ok(who) => who,
    };
    // A patient's link is bound to this session: without it only the clinic could let them in.
    who.staff().ok_or(Code::NotAllowed)?;
    close(desk, who.session).await
}

/// Whether this is the PIN of this member of staff. `PinWrong`, or `TooMany` tries.
pub async fn verify_pin(
    desk: &Desk,
    limits: &Limits,
    staff: StaffId,
    pin: &str,
) -> Result<(), Code> {
    let one_try = limits.pin(staff.0, desk.clock.now())?;
    let seen = account_of(desk, staff).await?;
    let hash = seen.state.usable().and_then(|record| record.pin_hash.as_deref());
    if !password::is_right(&desk.secrets, pin, hash).await? {
        return Err(Code::PinWrong);
    }
    one_try.was_right();
    Ok(())
}

/// Lets a member of staff in or out. Out: every session of theirs is dead from the answer on, and
/// the relay is told that they are in no visit. Cut off in between, asking again finishes it.
pub async fn set_enabled(desk: &Desk, staff: StaffId, enabled: bool) -> Result<(), Code> {
    let command = if enabled { Command::Enable } else { Command::Disable };
    desk.accounts.submit(&StreamId::account(staff), None, command).await?;
    if enabled { Ok(()) } else { take_out_of_visits(desk, staff).await }
}

/// The patient stays whose they are until the room's graces say otherwise.
async fn take_out_of_visits(desk: &Desk, staff: StaffId) -> Result<(), Code> {
    for (_, room) in desk.all_rooms().await? {
        for visit in room.state.live().filter_map(Ticket::visit) {
            let stream = StreamId::visit(visit);
            let papers = desk.visits.see(&stream).await?;
            let own = papers.state.parties.iter().filter(|party| party.staff == Some(staff));
            for participant in own.map(|party| party.participant) {
                desk.visits.submit(&stream, None, VisitCommand::Exit { participant }).await?;
            }
        }
    }
    Ok(())
}

/// What a member of staff's authenticator holds, to set up another one.
pub async fn totp_secret(desk: &Desk, staff: StaffId) -> Result<TotpSecret, Code> {
    let seen = account_of(desk, staff).await?;
    unseal(desk, staff, seen.state.usable().ok_or(Code::NotAllowed)?)
}

/// Makes an account. Its authenticator secret is drawn here.
pub async fn create_account(
    desk: &Desk,
    directory: &Directory,
    new: NewAccount,
) -> Result<Created, CreateError> {
    check(&new)?;
    let account = account_name(&new.account);
    if directory.find(desk, &account).await.map_err(CreateError::Refused)?.is_some() {
        return Err(CreateError::Taken);
    }
    let staff = StaffId(desk.secrets.staff_id(&account));
    let totp = TotpSecret::new(random_bytes::<SECRET_BYTES>().to_vec());
    let record = record(desk, staff, account, new, &totp).await.map_err(CreateError::Refused)?;
    let command = Command::Create(Box::new(record.clone()));
    match desk.accounts.submit(&StreamId::account(staff), None, command).await {
        Err(Code::KeyReused) => Err(CreateError::Taken),
        Err(code) => Err(CreateError::Refused(code)),
        Ok(_) => {
            directory.add(staff, &record);
            Ok(Created { staff, totp })
        }
    }
}

async fn record(
    desk: &Desk,
    staff: StaffId,
    account: String,
    new: NewAccount,
    totp: &TotpSecret,
) -> Result<NewAccountRecord, Code> {
    let password_hash = password::hash(&desk.secrets, &new.password).await?;
    let pin_hash = match &new.pin {
        Some(pin) => Some(password::hash(&desk.secrets, pin).await?),
        None => None,
    };
    let totp_sealed = desk.secrets.seal(StreamId::account(staff).as_str(), totp.as_bytes());
    let NewAccount { role, name, affiliation, site, .. } = new;
    Ok(NewAccountRecord {
        account,
        role,
        name,
        affiliation,
        site,
        password_hash,
        totp_sealed,
        pin_hash,
    })
}

fn check(new: &NewAccount) -> Result<(), CreateError> {
    let fits = |text: &str, most: usize| {
        (1..=most).contains(&text.trim().chars().count()) && !text.chars().any(char::is_control)
    };
    let pin_fits = |pin: &String| {
        PIN_DIGITS.contains(&pin.len()) && pin.bytes().all(|byte| byte.is_ascii_digit())
    };
    if new.role == Role::Patient {
        return Err(CreateError::Patient);
    }
    let rules = [
        ("account", fits(&new.account, ACCOUNT_CHARS_MAX)),
        ("password", new.password.chars().count() >= PASSWORD_CHARS_MIN),
        ("password", new.password.len() <= password::PASSWORD_BYTES_MAX),
        ("pin", new.pin.as_ref().is_none_or(pin_fits)),
        ("name", fits(&new.name, NAME_CHARS_MAX)),
        ("affiliation", new.affiliation.is_empty() || fits(&new.affiliation, NAME_CHARS_MAX)),
    ];
    match rules.into_iter().find(|(_, kept)| !kept) {
        Some((field, _)) => Err(CreateError::Field(field)),
        None => Ok(()),
    }
}

async fn account_of(desk: &Desk, staff: StaffId) -> Result<Arc<Seen<Account>>, Code> {
    desk.accounts.see(&StreamId::account(staff)).await
}

fn unseal(desk: &Desk, staff: StaffId, record: &NewAccountRecord) -> Result<TotpSecret, Code> {
    let context = StreamId::account(staff);
    let opened = desk.secrets.unseal(context.as_str(), &record.totp_sealed);
    opened.map(TotpSecret::new).ok_or_else(|| {
        tracing::error!(%staff, "authenticator secret is sealed with another server.key");
        Code::SignInWrong
    })
}

/// Opens a session and lets it in: only ever asked for after the proof is durable.
async fn open(desk: &Desk, staff: StaffId) -> Result<Joined, Code> {
    let account = account_of(desk, staff).await?;
    let role = account.state.usable().ok_or(Code::SignInWrong)?.role;
    let principal = Principal::Staff { staff, generation: account.state.generation };
    let secret = desk.secrets.random_session_secret();
    let stream = StreamId::session(&desk.secrets.lookup_hash(Label::Session, &secret).0);
    let expires = desk.clock.now() + STAFF_SESSION_LIFE;
    desk.sessions.submit(&stream, None, SessionCommand::Open { principal, expires }).await?;
    desk.sessions.submit(&stream, None, SessionCommand::Allow).await?;
    Ok(Joined { secret, entry: Entry::Open { role }, lasts: STAFF_SESSION_LIFE })
}

async fn close(desk: &Desk, session: SecretHash) -> Result<(), Code> {
    let command = SessionCommand::Close(Why::SignedOut);
    desk.sessions.submit(&StreamId::session(&session.0), None, command).await.map(drop)
}
