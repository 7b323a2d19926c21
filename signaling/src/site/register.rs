//! All sites and the responsible institution, as a snapshot in memory that follows each change.

use super::{Command, InstitutionCommand, Sheet, Site};
use crate::desk::{Desk, Seen};
use crate::log::{Noun, StreamId};
use crate::views::{SiteCard, Sites};
use minato_protocol::view::Clinic;
use minato_protocol::{Code, SiteId};
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// What is set up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Open sites.
    pub sites: Sites,
    /// Who is responsible where a site names nobody else; `None` until it was said.
    pub clinic: Option<Clinic>,
}

/// The register of this node. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Register(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    known: watch::Sender<Arc<Known>>,
    /// One change after the other: two sites opened at once get two numbers.
    changing: Mutex<()>,
}

impl Register {
    /// Reads all sites and the institution.
    pub async fn load(desk: &Desk) -> Result<Self, Code> {
        let known = watch::Sender::new(Arc::default());
        let register = Self(Arc::new(Inner { known, changing: Mutex::default() }));
        register.refresh(desk).await?;
        Ok(register)
    }

    /// What is set up, as of now.
    pub fn known(&self) -> Arc<Known> {
        Arc::clone(&self.0.known.borrow())
    }

    /// Who is responsible for what begins now. `ClinicFirst` while nobody said so.
    pub fn clinic(&self) -> Result<Clinic, Code> {
        self.0.known.borrow().clinic.clone().ok_or(Code::ClinicFirst)
    }

    /// Says who is responsible. Rooms that are open keep the one they were opened under.
    pub async fn set_clinic(&self, desk: &Desk, clinic: Clinic) -> Result<(), Code> {
        let _one_at_a_time = self.0.changing.lock().await;
        desk.clinics.submit(&StreamId::clinic(), None, InstitutionCommand::Set(clinic)).await?;
        self.refresh(desk).await
    }

    /// Opens a site under the next free number. `HospitalFirst` without emergency contacts,
    /// `ClinicFirst` while nobody is responsible, `NameTaken` when one of this name is open.
    pub async fn open_site(&self, desk: &Desk, sheet: Sheet) -> Result<SiteId, Code> {
        let _one_at_a_time = self.0.changing.lock().await;
        // Another node may have opened one.
        self.refresh(desk).await?;
        let known = self.known();
        if sheet.clinic.is_none() && known.clinic.is_none() {
            return Err(Code::ClinicFirst);
        }
        if known.sites.values().any(|site| site.name == sheet.name.trim()) {
            return Err(Code::NameTaken);
        }
        let last = known.sites.last_key_value().map_or(0, |(site, _)| site.0);
        let site = SiteId(last + 1);
        desk.sites.submit(&StreamId::site(site), None, Command::Open(sheet)).await?;
        self.refresh(desk).await?;
        Ok(site)
    }

    /// Changes what is known of a site: `change` gets its sheet. `SiteUnknown`: it is not open.
    pub async fn change_site(
        &self,
        desk: &Desk,
        site: SiteId,
        change: impl FnOnce(&mut Sheet),
    ) -> Result<(), Code> {
        let _one_at_a_time = self.0.changing.lock().await;
        if !self.known().sites.contains_key(&site) {
            return Err(Code::SiteUnknown);
        }
        let stream = StreamId::site(site);
        let seen = desk.sites.see(&stream).await?;
        let mut sheet = seen.state.sheet.clone().ok_or(Code::SiteUnknown)?;
        change(&mut sheet);
        desk.sites.submit(&stream, None, Command::Change(sheet)).await?;
        self.refresh(desk).await
    }

    /// Reads everything anew and tells the screens.
    async fn refresh(&self, desk: &Desk) -> Result<(), Code> {
        let clinic = desk.clinics.see(&StreamId::clinic()).await?.state.clinic.clone();
        let streams = desk.log.streams(Noun::Site.prefix()).await.map_err(|error| {
            tracing::error!(%error, "sites cannot be listed");
            Code::NotDurable
        })?;
        let mut sites = Sites::new();
        for stream in streams {
            let Ok(id) = stream.key().parse() else { continue };
            let seen: Arc<Seen<Site>> = desk.sites.see(&stream).await?;
            let Some(sheet) = seen.state.sheet.clone() else { continue };
            // One that opens has one; only a log that was tampered with would say otherwise.
            let responsible = sheet.clinic.or_else(|| clinic.clone()).unwrap_or_default();
            let Sheet { name, receiving_hospital, .. } = sheet;
            sites.insert(id, SiteCard { name, receiving_hospital, clinic: responsible });
        }
        let fresh = Arc::new(Known { sites, clinic });
        let news = self.0.known.send_if_modified(|known| {
            let news = *known != fresh;
            *known = Arc::clone(&fresh);
            news
        });
        if news {
            // The keeper's ring came before this was known here.
            desk.bell.ring();
        }
        Ok(())
    }
}
