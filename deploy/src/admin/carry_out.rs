//! What the running service does for its operator: every change becomes an event in the store.

use super::drawn;
use super::words::{AccountRow, Answer, Request, Secret, SiteRow};
use minato_protocol::view::Clinic;
use minato_protocol::{Code, GatewayId, Role, SiteId, StaffId};
use minato_signaling::access::doors::{self, CreateError, NewAccount};
use minato_signaling::access::random_id;
use minato_signaling::gateway::Command as GatewayCommand;
use minato_signaling::http::Edge;
use minato_signaling::log::StreamId;
use minato_signaling::room::Command as RoomCommand;
use minato_signaling::site::Sheet;

/// Carries a request out. Answers after it is durable.
pub(super) async fn carry_out(edge: &Edge, request: Request) -> Answer {
    let done = match request {
        Request::CreateAccount { account, role, name, affiliation, site, password, pin } => {
            let site = site.map(SiteId);
            let (password, pin) = (password.0, pin.map(|pin| pin.0));
            let new = NewAccount { account, password, pin, role, name, affiliation, site };
            return create_account(edge, new).await.unwrap_or_else(|refused| refused);
        }
        Request::ListAccounts => list_accounts(edge).await,
        Request::SetEnabled { account, enabled } => set_enabled(edge, &account, enabled).await,
        Request::SetClinic { clinic } => set_clinic(edge, clinic).await,
        Request::OpenSite { name, hospital, clinic } => {
            open_site(edge, Sheet { name, receiving_hospital: hospital, clinic }).await
        }
        Request::ChangeSite { site, name, hospital, clinic } => {
            change_site(edge, SiteId(site), (name, hospital, clinic)).await
        }
        Request::ListSites => Ok(list_sites(edge)),
        Request::ExpectGateway { site } => expect_a_gateway(edge, SiteId(site)).await,
    };
    done.unwrap_or_else(Answer::refused)
}

async fn create_account(edge: &Edge, new: NewAccount) -> Result<Answer, Answer> {
    let nurse = new.role == Role::Nurse;
    match new.site {
        None if nurse => return Err(Answer::field_wrong("site")),
        Some(_) if !nurse => return Err(Answer::field_wrong("site")),
        Some(site) if !edge.register.known().sites.contains_key(&site) => {
            return Err(Answer::refused(Code::SiteUnknown));
        }
        Some(_) | None => {}
    }
    // Without it her tablet would never leave patient view.
    if new.pin.is_some() != nurse {
        return Err(Answer::field_wrong("pin"));
    }
    let (account, role) = (new.account.trim().to_lowercase(), new.role);
    let made = doors::create_account(&edge.desk, &edge.directory, new).await.map_err(refusal)?;
    tracing::info!(staff = %made.staff, ?role, "account made");
    if role == Role::Doctor
        && let Err(code) = put_on_rosters(edge).await
    {
        tracing::warn!(?code, "a new doctor is not on every room's roster yet");
    }
    let authenticator = Secret(made.totp.address(&account));
    Ok(Answer::AccountCreated { account, staff: made.staff, authenticator })
}

fn refusal(error: CreateError) -> Answer {
    match error {
        CreateError::Taken => Answer::refused(Code::NameTaken),
        CreateError::Field(field) => Answer::field_wrong(field),
        CreateError::Patient => Answer::field_wrong("role"),
        CreateError::Refused(code) => Answer::refused(code),
    }
}

/// Every doctor works in every room: rooms that were opened before a doctor came learn of them.
pub(crate) async fn put_on_rosters(edge: &Edge) -> Result<(), Code> {
    let doctors = edge.staff_with(Role::Doctor);
    for (room, seen) in edge.desk.all_rooms().await? {
        let roster = &seen.state.roster;
        if doctors.iter().any(|doctor| !roster.contains_key(doctor)) {
            let doctors = doctors.clone();
            edge.desk.in_room(room, None, RoomCommand::SetRoster { doctors }).await?;
        }
    }
    Ok(())
}

async fn list_accounts(edge: &Edge) -> Result<Answer, Code> {
    let roll = edge.directory.roll();
    let mut accounts = Vec::with_capacity(roll.staff_by_account.len());
    for (account, staff) in &roll.staff_by_account {
        let Some(card) = roll.card(*staff) else { continue };
        let seen = edge.desk.accounts.see(&StreamId::account(*staff)).await?;
        accounts.push(AccountRow {
            account: account.clone(),
            role: card.role,
            name: card.name.clone(),
            affiliation: card.affiliation.clone(),
            site: card.site.map(|site| site.0),
            disabled: seen.state.disabled,
        });
    }
    Ok(Answer::Accounts { accounts })
}

async fn set_enabled(edge: &Edge, account: &str, enabled: bool) -> Result<Answer, Code> {
    let staff: StaffId = edge.directory.roll().staff(account).ok_or(Code::AccountUnknown)?;
    doors::set_enabled(&edge.desk, staff, enabled).await?;
    tracing::info!(%staff, enabled, "account set");
    Ok(Answer::Done)
}

async fn set_clinic(edge: &Edge, clinic: Clinic) -> Result<Answer, Code> {
    edge.register.set_clinic(&edge.desk, clinic).await?;
    tracing::info!("clinic set");
    Ok(Answer::Done)
}

async fn open_site(edge: &Edge, sheet: Sheet) -> Result<Answer, Code> {
    let site = edge.register.open_site(&edge.desk, sheet).await?;
    tracing::info!(site = site.0, "site opened");
    Ok(Answer::SiteOpened { site: site.0 })
}

async fn change_site(
    edge: &Edge,
    site: SiteId,
    (name, hospital, clinic): (Option<String>, Option<String>, Option<Clinic>),
) -> Result<Answer, Code> {
    let change = |sheet: &mut Sheet| {
        if let Some(name) = name {
            sheet.name = name;
        }
        if let Some(hospital) = hospital {
            sheet.receiving_hospital = hospital;
        }
        if clinic.is_some() {
            sheet.clinic = clinic;
        }
    };
    edge.register.change_site(&edge.desk, site, change).await?;
    tracing::info!(site = site.0, "site changed");
    Ok(Answer::Done)
}

fn list_sites(edge: &Edge) -> Answer {
    let known = edge.register.known();
    let row = |(site, card): (&SiteId, &minato_signaling::views::SiteCard)| SiteRow {
        site: site.0,
        name: card.name.clone(),
        hospital: card.receiving_hospital.clone(),
        clinic: card.clinic.clone(),
    };
    let sites = known.sites.iter().map(row).collect();
    Answer::Sites { clinic: known.clinic.clone(), sites }
}

async fn expect_a_gateway(edge: &Edge, site: SiteId) -> Result<Answer, Code> {
    let (gateway, code) = (GatewayId(random_id()), drawn::text());
    expect_gateway(edge, gateway, site, &code).await?;
    tracing::info!(%gateway, site = site.0, "gateway expected");
    Ok(Answer::GatewayExpected { gateway, code: Secret(code) })
}

/// A box may enrol with this code, once. `SiteUnknown` where no site is open.
pub(crate) async fn expect_gateway(
    edge: &Edge,
    gateway: GatewayId,
    site: SiteId,
    code: &str,
) -> Result<(), Code> {
    if !edge.register.known().sites.contains_key(&site) {
        return Err(Code::SiteUnknown);
    }
    let command = GatewayCommand::Expect { site, code_hash: edge.gateway_code_hash(code) };
    edge.desk.boxes.submit(&StreamId::gateway(gateway), None, command).await.map(drop)
}
