//! The pages' types are exported from here and never typed again by hand.
//!
//! `MINATO_EXPORT=1 cargo test -p minato-protocol --features ts` writes them.
#![cfg(feature = "ts")]

use minato_protocol::{Pii, act, entry, media, reading, view, wire};
use std::{collections::BTreeMap, fs, path::Path};
use ts_rs::{Config, TS};

fn export(to: &Path) -> BTreeMap<String, String> {
    let config = Config::new().with_large_int("number").with_out_dir(to);
    let exported: [Result<(), ts_rs::ExportError>; 20] = [
        wire::FromScreen::export_all(&config),
        wire::ToScreen::export_all(&config),
        act::Act::export_all(&config),
        view::Row::export_all(&config),
        entry::JoinByLink::export_all(&config),
        entry::JoinByCode::export_all(&config),
        entry::Entry::export_all(&config),
        entry::TransferCode::export_all(&config),
        entry::SignIn::export_all(&config),
        entry::SignInOnce::export_all(&config),
        entry::HttpRefusal::export_all(&config),
        media::JoinOffer::export_all(&config),
        media::JoinAnswer::export_all(&config),
        media::ToPage::export_all(&config),
        media::RestartOffer::export_all(&config),
        media::RestartAnswer::export_all(&config),
        media::RelayRefusal::export_all(&config),
        media::SessionStats::export_all(&config),
        media::FromPage::export_all(&config),
        reading::WaveBlock::export_all(&config),
    ];
    exported.into_iter().for_each(|result| result.expect("every wire type has a TypeScript form"));
    texts_in(to)
}

fn texts_in(folder: &Path) -> BTreeMap<String, String> {
    let Ok(entries) = fs::read_dir(folder) else { return BTreeMap::new() };
    entries
        .map(|entry| entry.expect("a folder can be listed").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "ts"))
        .map(|path| {
            let name = path.file_name().expect("a file has a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a text file can be read"))
        })
        .collect()
}

#[test]
fn the_exported_types_are_those_of_the_protocol() {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/src/wire/generated");
    if std::env::var_os("MINATO_EXPORT").is_some() {
        if committed.exists() {
            fs::remove_dir_all(&committed).expect("the old export can be removed");
        }
        export(&committed);
        return;
    }
    let fresh = std::env::temp_dir().join(format!("minato-types-{}", std::process::id()));
    let exported = export(&fresh);
    fs::remove_dir_all(&fresh).expect("the scratch folder can be removed");
    assert_eq!(exported, texts_in(&committed), "stale: run `make types`");
}

#[test]
fn personal_data_has_no_wire_type_of_its_own() {
    // `Pii` marks what is stored. What crosses a wire was disclosed on purpose, as a plain value.
    let stored = serde_json::to_value(Pii::new(minato_protocol::SubjectId(7), "x")).expect("json");
    assert!(stored.get("pii").is_some());
}
