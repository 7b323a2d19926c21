//! Reads what pages hand in as the binary does.

use minato_devices::page::{Handed, PageZone, Typed, frame, typed};
use minato_signaling::readers::{PageFrame, Readers, TypedEntry};
use std::sync::Arc;

pub(super) fn of_tests() -> Readers {
    let zone = PageZone::named("Asia/Tokyo").expect("a zone");
    let read = move |handed: &PageFrame<'_>| {
        let PageFrame { device, model, characteristic, bytes, boot, sequence, at } = *handed;
        frame(&Handed { device, model, characteristic, bytes, boot, sequence, at }, &zone)
    };
    let read_typed = |entry: &TypedEntry<'_>| {
        let TypedEntry { id, values, entered, at } = *entry;
        typed(&Typed { id, values, entered, at })
    };
    Readers { frame: Arc::new(read), typed: Arc::new(read_typed) }
}
