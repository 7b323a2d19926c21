//! Who works here: account names and the cards shown to others, as a snapshot in memory.

use super::account::NewAccountRecord;
use crate::desk::Desk;
use crate::log::{Noun, StreamId};
use minato_protocol::{Code, Role, SiteId, StaffId};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// What others may know of a member of staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// The role.
    pub role: Role,
    /// Name shown to patients and colleagues.
    pub name: String,
    /// Affiliation shown to patients.
    pub affiliation: String,
    /// A nurse's site.
    pub site: Option<SiteId>,
}

/// Everybody who has an account, disabled ones too: their names stand in old visits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roll {
    /// Account names as typed, in the form of [`account_name`].
    pub staff_by_account: BTreeMap<String, StaffId>,
    /// Cards.
    pub card_by_staff: BTreeMap<StaffId, Card>,
}

impl Roll {
    /// A member of staff's card.
    pub fn card(&self, staff: StaffId) -> Option<&Card> {
        self.card_by_staff.get(&staff)
    }

    /// Whose name was typed.
    pub fn staff(&self, account: &str) -> Option<StaffId> {
        self.staff_by_account.get(&account_name(account)).copied()
    }

    fn add(&mut self, staff: StaffId, record: &NewAccountRecord) {
        self.staff_by_account.insert(record.account.clone(), staff);
        let card = Card {
            role: record.role,
            name: record.name.clone(),
            affiliation: record.affiliation.clone(),
            site: record.site,
        };
        self.card_by_staff.insert(staff, card);
    }
}

/// The same name however it is typed: without blanks around it, in lower case.
pub(super) fn account_name(typed: &str) -> String {
    typed.trim().to_lowercase()
}

/// The roll of this node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Directory(Arc<watch::Sender<Arc<Roll>>>);

impl Directory {
    /// Reads all accounts.
    pub async fn load(desk: &Desk) -> Result<Self, Code> {
        let directory = Self(Arc::new(watch::Sender::new(Arc::default())));
        directory.refresh(desk).await?;
        Ok(directory)
    }

    /// Reads all accounts again: another node may have made one.
    pub async fn refresh(&self, desk: &Desk) -> Result<(), Code> {
        let streams = desk.log.streams(Noun::Account.prefix()).await.map_err(|error| {
            tracing::error!(%error, "accounts cannot be listed");
            Code::NotDurable
        })?;
        let mut known = Vec::with_capacity(streams.len());
        for stream in streams {
            let Ok(staff) = stream.key().parse() else { continue };
            known.push((staff, desk.accounts.see(&stream).await?));
        }
        self.0.send_modify(|roll| {
            let roll = Arc::make_mut(roll);
            for (staff, seen) in &known {
                if let Some(record) = &seen.state.record {
                    roll.add(*staff, record);
                }
            }
        });
        Ok(())
    }

    /// Everybody, as of now.
    pub fn roll(&self) -> Arc<Roll> {
        Arc::clone(&self.0.borrow())
    }

    /// Follows the roll.
    pub fn watch(&self) -> watch::Receiver<Arc<Roll>> {
        self.0.subscribe()
    }

    /// A member of staff's card.
    pub fn card(&self, staff: StaffId) -> Option<Card> {
        self.0.borrow().card(staff).cloned()
    }

    /// Takes in a new account, after it is durable.
    pub(super) fn add(&self, staff: StaffId, record: &NewAccountRecord) {
        self.0.send_modify(|roll| Arc::make_mut(roll).add(staff, record));
    }

    /// Whose name was typed; looks into the store when this node does not know the name yet.
    pub(super) async fn find(&self, desk: &Desk, account: &str) -> Result<Option<StaffId>, Code> {
        let account = account_name(account);
        if let Some(staff) = self.0.borrow().staff(&account) {
            return Ok(Some(staff));
        }
        // Ids are derived from names, so one look at one stream is enough.
        let staff = StaffId(desk.secrets.staff_id(&account));
        let stream = StreamId::account(staff);
        if !super::doors::exists(desk, &stream).await? {
            return Ok(None);
        }
        let seen = desk.accounts.see(&stream).await?;
        let Some(record) = &seen.state.record else { return Ok(None) };
        self.add(staff, record);
        Ok(Some(staff))
    }
}
