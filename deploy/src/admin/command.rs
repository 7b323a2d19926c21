//! The operator's subcommands. Secrets come in by the standard input and never by an argument,
//! which everybody on the machine could read.

use super::ask::ask;
use super::drawn::{self, Told};
use super::words::{AccountRow, Answer, Request, Secret, SiteRow};
use crate::Folder;
use crate::shown::{qr, say};
use anyhow::bail;
use clap::{Args, Subcommand, ValueEnum};
use minato_protocol::Role;
use minato_protocol::view::Clinic as ClinicCard;
use std::fmt::Write as _;
use std::path::Path;

/// What an operator asks of the running service.
#[derive(Debug, Subcommand)]
pub(crate) enum Operate {
    /// Staff accounts of the running service.
    Account(Account),
    /// The institution responsible for new rooms of the running service.
    Clinic(Clinic),
    /// Sites of the running service: where patients are cared for at the bedside.
    Site(Site),
    /// Boxes on the walls of the running service's sites.
    Gateway(Gateway),
}

#[derive(Debug, Args)]
pub(crate) struct Account {
    #[command(flatten)]
    folder: Folder,
    #[command(subcommand)]
    verb: AccountVerb,
}

#[derive(Debug, Subcommand)]
enum AccountVerb {
    /// Makes an account. The password is the first line of the piped input; without one it is
    /// drawn. It is printed once, with what the authenticator reads.
    Create(NewAccount),
    /// Everybody who has an account.
    List,
    /// Ends every session of an account and lets nobody in with it.
    Disable {
        /// The name typed at sign-in.
        account: String,
    },
    /// Lets this person sign in again.
    Enable {
        /// The name typed at sign-in.
        account: String,
    },
}

#[derive(Debug, Args)]
struct NewAccount {
    /// The name typed at sign-in.
    #[arg(long)]
    account: String,
    /// What this person does here.
    #[arg(long)]
    role: StaffRole,
    /// Name shown to patients and colleagues.
    #[arg(long)]
    name: String,
    /// Affiliation shown to patients.
    #[arg(long)]
    affiliation: String,
    /// A nurse's site, by its number.
    #[arg(long, required_if_eq("role", "nurse"))]
    site: Option<u64>,
    /// A nurse's PIN is the second line of the piped input; without this it is drawn.
    #[arg(long)]
    pin: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StaffRole {
    Doctor,
    Nurse,
    Coordinator,
}

impl StaffRole {
    fn role(self) -> Role {
        match self {
            Self::Doctor => Role::Doctor,
            Self::Nurse => Role::Nurse,
            Self::Coordinator => Role::Coordinator,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Clinic {
    #[command(flatten)]
    folder: Folder,
    #[command(subcommand)]
    verb: ClinicVerb,
}

#[derive(Debug, Subcommand)]
enum ClinicVerb {
    /// Says who is responsible, and whom patients telephone.
    Set {
        /// Its name.
        #[arg(long)]
        name: String,
        /// Its telephone.
        #[arg(long)]
        phone: String,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Site {
    #[command(flatten)]
    folder: Folder,
    #[command(subcommand)]
    verb: SiteVerb,
}

#[derive(Debug, Subcommand)]
enum SiteVerb {
    /// Opens a site and prints its number.
    Open {
        /// Its name.
        #[arg(long)]
        name: String,
        /// The hospital that receives its emergencies, with its telephone number.
        #[arg(long)]
        hospital: String,
        #[command(flatten)]
        own: OwnClinic,
    },
    /// Changes what is known of a site; what is left out stays.
    Change {
        /// Its number.
        site: u64,
        /// Its name.
        #[arg(long)]
        name: Option<String>,
        /// The hospital that receives its emergencies, with its telephone number.
        #[arg(long)]
        hospital: Option<String>,
        #[command(flatten)]
        own: OwnClinic,
    },
    /// The responsible clinic and all sites.
    List,
}

#[derive(Debug, Args)]
struct OwnClinic {
    /// The institution responsible here, where it is another than everywhere else.
    #[arg(long, requires = "clinic_phone")]
    clinic: Option<String>,
    /// Its telephone.
    #[arg(long, requires = "clinic")]
    clinic_phone: Option<String>,
}

impl OwnClinic {
    fn card(self) -> Option<ClinicCard> {
        Some(ClinicCard { name: self.clinic?, phone: self.clinic_phone? })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Gateway {
    #[command(flatten)]
    folder: Folder,
    #[command(subcommand)]
    verb: GatewayVerb,
}

#[derive(Debug, Subcommand)]
enum GatewayVerb {
    /// Prints a code with which one box enrols at a site, once.
    Expect {
        /// The site's number.
        #[arg(long)]
        site: u64,
    },
}

/// Carries an operator's subcommand out.
pub(crate) fn run(command: Operate) -> anyhow::Result<()> {
    match command {
        Operate::Account(Account { folder, verb }) => account(&folder.data, verb),
        Operate::Clinic(Clinic { folder, verb: ClinicVerb::Set { name, phone } }) => {
            let clinic = ClinicCard { name, phone };
            ask(&folder.data, &Request::SetClinic { clinic }).and_then(tell)
        }
        Operate::Site(Site { folder, verb }) => site(&folder.data, verb),
        Operate::Gateway(Gateway { folder, verb: GatewayVerb::Expect { site } }) => {
            ask(&folder.data, &Request::ExpectGateway { site }).and_then(tell)
        }
    }
}

fn account(data: &Path, verb: AccountVerb) -> anyhow::Result<()> {
    let request = match verb {
        AccountVerb::Create(new) => return create(data, new),
        AccountVerb::List => Request::ListAccounts,
        AccountVerb::Disable { account } => Request::SetEnabled { account, enabled: false },
        AccountVerb::Enable { account } => Request::SetEnabled { account, enabled: true },
    };
    ask(data, &request).and_then(tell)
}

fn create(data: &Path, new: NewAccount) -> anyhow::Result<()> {
    let NewAccount { account, role, name, affiliation, site, pin } = new;
    let nurse = role == StaffRole::Nurse;
    if pin && !nurse {
        bail!("only a nurse has a PIN: it ends patient view on her tablet");
    }
    let (password, pin) = drawn::password_and_pin(nurse, pin)?;
    let request = Request::CreateAccount {
        account,
        role: role.role(),
        name,
        affiliation,
        site,
        password: password.secret.clone(),
        pin: pin.as_ref().map(|pin| pin.secret.clone()),
    };
    let answer = ask(data, &request)?;
    let Answer::AccountCreated { account, authenticator, .. } = answer else {
        bail!("the running minato is of another version");
    };
    let mut text = format!("The account {account} is made.\n\n");
    shown_once(&mut text, "password", Some(&password))?;
    shown_once(&mut text, "PIN", pin.as_ref())?;
    let Secret(address) = authenticator;
    writeln!(text, "  authenticator  {address}\n\n{}", qr(&address)?)?;
    writeln!(text, "Nothing of this is shown again.")?;
    say(&text);
    Ok(())
}

fn shown_once(text: &mut String, what: &str, told: Option<&Told>) -> std::fmt::Result {
    match told {
        Some(told) if told.drawn => writeln!(text, "  {what:<13}  {}", told.secret.0),
        Some(_) | None => Ok(()),
    }
}

fn site(data: &Path, verb: SiteVerb) -> anyhow::Result<()> {
    let request = match verb {
        SiteVerb::Open { name, hospital, own } => {
            Request::OpenSite { name, hospital, clinic: own.card() }
        }
        SiteVerb::Change { site, name, hospital, own } => {
            Request::ChangeSite { site, name, hospital, clinic: own.card() }
        }
        SiteVerb::List => Request::ListSites,
    };
    ask(data, &request).and_then(tell)
}

fn tell(answer: Answer) -> anyhow::Result<()> {
    let mut text = String::new();
    match answer {
        Answer::Done => writeln!(text, "Done.")?,
        Answer::Accounts { accounts } => {
            accounts.iter().try_for_each(|row| account_line(&mut text, row))?;
        }
        Answer::SiteOpened { site } => writeln!(text, "Site {site} is open.")?,
        Answer::Sites { clinic, sites } => {
            match clinic {
                Some(ClinicCard { name, phone }) => writeln!(text, "responsible: {name} {phone}")?,
                None => writeln!(text, "responsible: nobody yet; see `minato clinic set`")?,
            }
            sites.iter().try_for_each(|row| site_line(&mut text, row))?;
        }
        Answer::GatewayExpected { gateway, code: Secret(code) } => {
            writeln!(text, "The box {gateway} enrols once with the code\n\n  {code}\n")?;
            writeln!(text, "It is not shown again.")?;
        }
        Answer::AccountCreated { .. } | Answer::Refused { .. } => {
            bail!("the running minato is of another version")
        }
    }
    say(&text);
    Ok(())
}

fn account_line(text: &mut String, row: &AccountRow) -> std::fmt::Result {
    let AccountRow { account, role, name, affiliation, site, disabled } = row;
    let role = match role {
        Role::Doctor => "doctor",
        Role::Nurse => "nurse",
        Role::Coordinator => "coordinator",
        Role::Patient => "patient",
    };
    write!(text, "{account:<16}  {role:<11}  {name}  {affiliation}")?;
    if let Some(site) = site {
        write!(text, "  site {site}")?;
    }
    writeln!(text, "{}", if *disabled { "  disabled" } else { "" })
}

fn site_line(text: &mut String, row: &SiteRow) -> std::fmt::Result {
    let SiteRow { site, name, hospital, clinic: ClinicCard { name: clinic, phone } } = row;
    writeln!(text, "{site:>4}  {name}  emergencies: {hospital}  responsible: {clinic} {phone}")
}
