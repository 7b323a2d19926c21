//! What a page handed in and nobody can be said to have worn the device for: it is held at the site
//! like a box's, in a stream of its own.

use super::delivery::{Origin, take_in};
use super::{Command, Gateways, Held};
use crate::desk::Desk;
use crate::log::StreamId;
use crate::readings::Readings;
use minato_protocol::reading::{Hex, Outcome};
use minato_protocol::uplink::{Entry, OutboxEntry};
use minato_protocol::{Code, GatewayId, SiteId, Timestamp};
use std::collections::BTreeMap;

/// A measurement of nobody, as a page received it.
#[derive(Debug, Clone)]
pub(crate) struct HeldByPage {
    /// The page's run.
    pub(crate) run: Hex<8>,
    /// Count of frames in this run.
    pub(crate) sequence: u64,
    /// When the page received it.
    pub(crate) at: Timestamp,
    /// What it says.
    pub(crate) outcome: Outcome,
}

/// Keeps them at the site. Durable when it answers; repeated, it changes nothing.
pub(crate) async fn hold_for_page(
    into: (&Desk, &Readings, &Gateways, &Held),
    site: SiteId,
    measured: Vec<HeldByPage>,
) -> Result<(), Code> {
    if measured.is_empty() {
        return Ok(());
    }
    let (desk, ..) = into;
    let gateway = of_pages(desk, site);
    // No box ever enrols in its place: no code has this hash.
    let expect = Command::Expect { site, code_hash: String::new() };
    desk.boxes.submit(&StreamId::gateway(gateway), None, expect).await?;
    let mut lines_by_run: BTreeMap<Hex<8>, Vec<OutboxEntry>> = BTreeMap::new();
    for HeldByPage { run, sequence, at, outcome } in measured {
        let entry = Entry::Measured { subject: None, outcome };
        lines_by_run.entry(run).or_default().push(OutboxEntry { seq: sequence, at, entry });
    }
    for (outbox, lines) in lines_by_run {
        let origin = Origin { gateway, site, outbox };
        take_in(into, &origin, desk.clock.now(), &lines).await?;
    }
    Ok(())
}

/// The name under which a site's pages hold what is nobody's.
fn of_pages(desk: &Desk, site: SiteId) -> GatewayId {
    GatewayId(desk.secrets.derive_id("pages of a site", &site.0.to_be_bytes()))
}
