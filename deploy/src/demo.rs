//! The demonstration: a clinic, its people, a bedside with simulated devices, and links to all of
//! it, printed once.

use crate::shown::{qr, say};
use crate::{Common, admin};
use anyhow::anyhow;
use minato_devices::gateway::{Gateway, GatewayConfig, SimulateConfig, ZONE_DEFAULT};
use minato_protocol::view::Clinic;
use minato_protocol::{Code, GatewayId, Person, Role, RoomId, SiteId, Span, StaffId};
use minato_protocol::{SubjectId, TicketId};
use minato_signaling::access::doors::{self, NewAccount, Place};
use minato_signaling::access::{random_id, random_text};
use minato_signaling::aggregate::CommandKey;
use minato_signaling::http::Edge;
use minato_signaling::room::{Command as RoomCommand, NewTicket};
use minato_signaling::site::Sheet;
use std::fmt::Write as _;

const CLINIC: &str = "みなと在宅医療センター";
const CLINIC_PHONE: &str = "0599-00-0100";
const SITE_NAME: &str = "港島診療所";
const HOSPITAL: &str = "港市民病院 0599-00-0119";
const ROOM: RoomId = RoomId(1);
const GATEWAY: GatewayId = GatewayId(1);
const NURSE_PIN: &str = "2468";
const LINK_LIFE: Span = Span::minutes(24 * 60);

struct Somebody {
    account: &'static str,
    name: &'static str,
    affiliation: &'static str,
    role: Role,
    page: &'static str,
}

const PEOPLE: [Somebody; 4] = [
    Somebody {
        account: "coordinator",
        name: "潮田 みなみ",
        affiliation: CLINIC,
        role: Role::Coordinator,
        page: "board",
    },
    Somebody {
        account: "abe",
        name: "阿部 直子",
        affiliation: CLINIC,
        role: Role::Doctor,
        page: "doctor",
    },
    Somebody {
        account: "mori",
        name: "森 健一",
        affiliation: "港大学病院",
        role: Role::Doctor,
        page: "doctor",
    },
    Somebody {
        account: "nurse",
        name: "浜 ちひろ",
        affiliation: SITE_NAME,
        role: Role::Nurse,
        page: "nurse",
    },
];

/// Makes what is missing, prints the links, and opens the bedside's gateway.
pub(crate) async fn open(
    edge: &Edge,
    common: &Common,
    base: &str,
    lan: Option<&str>,
) -> anyhow::Result<Option<Gateway>> {
    let shown = lan.unwrap_or(base);
    let mut text = format!("\nMinato listens on {shown}\n\n");
    let site = set_up(edge).await.map_err(sentence)?;
    for somebody in &PEOPLE {
        let staff = account(edge, somebody, site).await?;
        let once = doors::issue_once(&edge.desk, staff, LINK_LIFE).await.map_err(sentence)?;
        let Somebody { name, page, account, .. } = somebody;
        writeln!(text, "  {account:<12} {name:　<8} {shown}/{page}#once={once}")?;
    }
    open_room(edge).await.map_err(sentence)?;
    let patient = patient_link(edge).await.map_err(sentence)?;
    writeln!(text, "  {:<12} {:　<8} {shown}/p#{patient}", "patient", "佐藤 ハナ")?;
    writeln!(text, "\nEach link signs in once. The nurse's PIN is {NURSE_PIN}.")?;
    if lan.is_some() {
        writeln!(text, "{}", qr(&format!("{shown}/p#{patient}"))?)?;
    }
    if common.lan {
        writeln!(
            text,
            "The certificate was made on the spot: the phone asks once whether to go on."
        )?;
    }
    say(&text);
    let code = expect_gateway(edge, site).await.map_err(sentence)?;
    if common.no_gateway {
        say(&format!("A gateway enrols with the code {code}\n"));
        return Ok(None);
    }
    let clock = edge.desk.clock.clone();
    let config = GatewayConfig {
        data_dir: common.data.join("gateway"),
        broker_url: base.to_owned(),
        enrol_code: Some(code),
        zone: ZONE_DEFAULT.to_owned(),
        simulate: Some(SimulateConfig::default()),
        bluetooth: None,
        replay: None,
        capture_to: None,
        serial: Vec::new(),
        status_listen: None,
        lan: None,
        ca_file: None,
    };
    let clock = minato_devices::clock::Clock::from_source(move || clock.now());
    Ok(Some(Gateway::open(config, clock).await?))
}

/// Runs the bedside's gateway, or waits for ever where there is none.
pub(crate) async fn run_gateway(gateway: Option<Gateway>) -> anyhow::Result<()> {
    match gateway {
        Some(gateway) => Ok(Box::pin(gateway.run(std::future::pending())).await?),
        None => std::future::pending().await,
    }
}

fn sentence(code: Code) -> anyhow::Error {
    anyhow!(code.sentence())
}

/// The clinic and its one site, by the way that an operator's commands take. What was set up
/// before stays.
async fn set_up(edge: &Edge) -> Result<SiteId, Code> {
    if edge.register.clinic().is_err() {
        let clinic = Clinic { name: CLINIC.into(), phone: CLINIC_PHONE.into() };
        edge.register.set_clinic(&edge.desk, clinic).await?;
    }
    let known = edge.register.known();
    if let Some((site, _)) = known.sites.iter().find(|(_, site)| site.name == SITE_NAME) {
        return Ok(*site);
    }
    let sheet = Sheet { name: SITE_NAME.into(), receiving_hospital: HOSPITAL.into(), clinic: None };
    edge.register.open_site(&edge.desk, sheet).await
}

async fn account(edge: &Edge, somebody: &Somebody, site: SiteId) -> anyhow::Result<StaffId> {
    if let Some(staff) = edge.directory.roll().staff(somebody.account) {
        return Ok(staff);
    }
    let nurse = somebody.role == Role::Nurse;
    let new = NewAccount {
        account: somebody.account.to_owned(),
        // Nobody knows it: the demonstration comes in by links.
        password: random_text(24),
        pin: nurse.then(|| NURSE_PIN.to_owned()),
        role: somebody.role,
        name: somebody.name.to_owned(),
        affiliation: somebody.affiliation.to_owned(),
        site: nurse.then_some(site),
    };
    Ok(doors::create_account(&edge.desk, &edge.directory, new).await?.staff)
}

async fn open_room(edge: &Edge) -> Result<(), Code> {
    let clinic = edge.register.clinic()?;
    let open = RoomCommand::Open { name: "夜間オンライン診療".into(), clinic };
    edge.desk.in_room(ROOM, None, open).await?;
    edge.desk.room_was_opened(ROOM);
    admin::put_on_rosters(edge).await
}

/// One patient at home, so that there is somebody to try it with.
async fn patient_link(edge: &Edge) -> Result<String, Code> {
    let subject = SubjectId(random_id());
    let person = Person {
        name: "佐藤 ハナ".into(),
        kana: "さとう はな".into(),
        birth_date: "1944-12-01".into(),
        call_back: "0599-00-0001".into(),
        location: "港市港島 2-3".into(),
    };
    let ticket = TicketId(random_id());
    let new = NewTicket::standard(ticket, subject, format!("H-{:02}", ticket.0 % 100), person);
    edge.desk.in_room(ROOM, None, RoomCommand::Invite { tickets: vec![new] }).await?;
    let key = CommandKey { id: random_id(), command: 0 };
    let place = Place { room: ROOM, ticket, generation: 0 };
    let parts = doors::issue_link(&edge.desk, place, key, 0, LINK_LIFE).await?;
    Ok(parts.secret)
}

/// The gateway's code is derived, so that a restart expects the same box.
async fn expect_gateway(edge: &Edge, site: SiteId) -> Result<String, Code> {
    let code = format!("{:016x}", edge.desk.secrets.derive_id("demo gateway", b""));
    admin::expect_gateway(edge, GATEWAY, site, &code).await?;
    Ok(code)
}
