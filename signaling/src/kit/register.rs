//! The kits of this node: whose they are, their last values, and which have to be looked at.

use crate::desk::Desk;
use crate::log::{Noun, StreamId};
use minato_protocol::kit::KitValue;
use minato_protocol::{Code, KitId, SiteId, SubjectId, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Kits of one site; a further one is refused. A nurse's page holds all of them.
pub const KITS_MAX: usize = 500;

/// What is known of a kit beside its stream.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) subject: SubjectId,
    pub(super) site: SiteId,
    /// Something may have happened: look at the next round.
    pub(super) touched: bool,
    /// Look then at the latest.
    pub(super) due: Option<Timestamp>,
    pub(super) seen: LastSeen,
}

/// What the newest look at a kit's readings found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LastSeen {
    /// The newest value of each quantity.
    pub last: Vec<KitValue>,
    /// Values that wait for somebody to look at them.
    pub doubtful: u32,
    /// By when a value is awaited, by rule.
    pub due_by_rule: BTreeMap<u32, Timestamp>,
}

/// Home kits by id. One task judges them; everybody else touches and looks.
#[derive(Debug, Default)]
pub struct Kits {
    known: Mutex<BTreeMap<KitId, Known>>,
}

impl Kits {
    pub(super) fn with<T>(&self, change: impl FnOnce(&mut BTreeMap<KitId, Known>) -> T) -> T {
        change(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads which kits there are, at a start.
    pub async fn load(desk: &Desk) -> Result<Arc<Self>, Code> {
        let kits = Self::default();
        kits.find(desk).await?;
        Ok(Arc::new(kits))
    }

    /// Reads which kits there are.
    pub async fn find(&self, desk: &Desk) -> Result<(), Code> {
        let streams = desk.log.streams(Noun::Kit.prefix()).await.map_err(|error| {
            tracing::error!(%error, "the list of home kits cannot be read");
            Code::NotDurable
        })?;
        for kit in streams.iter().filter_map(|stream| stream.key().parse().ok()) {
            let seen = desk.kits.see(&StreamId::kit(kit)).await?;
            if let Some(new) = seen.state.looked_after() {
                self.add(kit, new.subject, new.site);
            }
        }
        Ok(())
    }

    /// A kit was set up, or found.
    pub fn add(&self, kit: KitId, subject: SubjectId, site: SiteId) {
        let seen = LastSeen::default();
        let new = Known { subject, site, touched: true, due: None, seen };
        self.with(|known| {
            known.entry(kit).or_insert(new);
        });
    }

    /// Something was said about a kit: it is judged at once.
    pub fn touch(&self, kit: KitId) {
        self.with(|known| {
            if let Some(known) = known.get_mut(&kit) {
                known.touched = true;
            }
        });
    }

    /// It could not be looked at: again then at the latest.
    pub(super) fn look_again(&self, kit: KitId, at: Timestamp) {
        self.with(|known| {
            if let Some(known) = known.get_mut(&kit) {
                known.due = Some(at);
            }
        });
    }

    /// Something arrived for these people.
    pub(super) fn touch_subjects(&self, fresh: &std::collections::BTreeSet<SubjectId>) {
        self.with(|known| {
            let theirs = known.values_mut().filter(|known| fresh.contains(&known.subject));
            theirs.for_each(|known| known.touched = true);
        });
    }

    /// Whether there is such a kit.
    pub fn is_known(&self, kit: KitId) -> bool {
        self.with(|known| known.contains_key(&kit))
    }

    /// Those of a site, by id.
    pub fn of_site(&self, site: SiteId) -> Vec<KitId> {
        self.with(|known| {
            let here = known.iter().filter(|(_, known)| known.site == site);
            here.map(|(kit, _)| *kit).collect()
        })
    }

    /// The kit whose readings these are, and the site that looks after it.
    pub fn of_subject(&self, subject: SubjectId) -> Option<(KitId, SiteId)> {
        self.with(|known| {
            let found = known.iter().find(|(_, known)| known.subject == subject);
            found.map(|(kit, known)| (*kit, known.site))
        })
    }

    /// What the newest look at a kit's readings found.
    pub fn last_seen(&self, kit: KitId) -> LastSeen {
        self.with(|known| known.get(&kit).map(|known| known.seen.clone())).unwrap_or_default()
    }

    /// Those that have to be looked at now.
    pub(super) fn take_due(&self, now: Timestamp) -> Vec<(KitId, SubjectId)> {
        self.with(|known| {
            let due = known
                .iter_mut()
                .filter(|(_, known)| known.touched || known.due.is_some_and(|due| due <= now));
            due.map(|(kit, known)| {
                known.touched = false;
                (*kit, known.subject)
            })
            .collect()
        })
    }
}
