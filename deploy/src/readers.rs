//! How signaling reads what pages hand in: by the gateway's own drivers and codecs.

use anyhow::Context as _;
use minato_devices::gateway::ZONE_DEFAULT;
use minato_devices::page::{Handed, PageZone, Typed, frame, typed};
use minato_signaling::readers::{PageFrame, Readers, TypedEntry};
use std::sync::Arc;

/// Devices at pages tell the time of the zone in which boxes stand by default.
pub(crate) fn of_the_gateway() -> anyhow::Result<Readers> {
    let zone = PageZone::named(ZONE_DEFAULT).context("devices at pages")?;
    let read = move |handed: &PageFrame<'_>| {
        let PageFrame { device, model, characteristic, bytes, boot, sequence, at } = *handed;
        frame(&Handed { device, model, characteristic, bytes, boot, sequence, at }, &zone)
    };
    let read_typed = |entry: &TypedEntry<'_>| {
        let TypedEntry { id, values, entered, at } = *entry;
        typed(&Typed { id, values, entered, at })
    };
    Ok(Readers { frame: Arc::new(read), typed: Arc::new(read_typed) })
}
