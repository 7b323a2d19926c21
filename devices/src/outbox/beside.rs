//! What the outbox keeps beside its entries, so that a gateway that starts again goes on: who wears
//! what, and what was known of the devices.

use super::{Group, Outbox, OutboxError};
use crate::binding::{Binding, Bindings};
use crate::device_clock::ClockHistory;
use crate::run::Run;
use minato_protocol::reading::{DeviceId, DeviceKind};
use minato_protocol::{Span, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::collections::BTreeMap;

/// How the devices were when the outbox was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOff {
    /// When each worn device had last given a value.
    pub valued: BTreeMap<DeviceId, Timestamp>,
    /// Measurements under way.
    pub runs: BTreeMap<DeviceId, Run>,
}

impl LeftOff {
    /// The gateway's clock was set forward by this much.
    pub fn shift(&mut self, by: Span) {
        for valued_at in self.valued.values_mut() {
            *valued_at = *valued_at + by;
        }
        for run in self.runs.values_mut() {
            run.shift(by);
        }
    }
}

impl Outbox {
    /// Who wears what.
    pub fn bindings(&self) -> Result<Bindings, OutboxError> {
        let all = "SELECT device, subject, since, by_staff, put_on FROM bindings";
        let worn: BTreeMap<_, _> = by_device(&self.db, all, |row| {
            let (subject, by): (String, String) = (row.get(1)?, row.get(3)?);
            let (since, put_on) = (Timestamp(row.get(2)?), Timestamp(row.get(4)?));
            Ok((subject, by, since, put_on))
        })?;
        let worn = worn.into_iter().map(|(device, (subject, by, since, put_on))| {
            let subject = subject.parse().map_err(|_| OutboxError::Damaged)?;
            let by = by.parse().map_err(|_| OutboxError::Damaged)?;
            Ok((device, Binding { subject, since, put_on, by }))
        });
        let mut bindings: Bindings = worn.collect::<Result<_, OutboxError>>()?;
        let kinds = by_device(&self.db, "SELECT device, kind FROM kinds", |row| row.get(1))?;
        for (device, kind) in kinds {
            let kind: String = kind;
            bindings.learn(&device, known_again(&kind)?);
        }
        Ok(bindings)
    }

    /// What is known of the devices' clocks.
    pub fn clocks(&self) -> Result<BTreeMap<DeviceId, ClockHistory>, OutboxError> {
        let all = "SELECT device, history FROM clocks";
        let clocks: BTreeMap<DeviceId, String> = by_device(&self.db, all, |row| row.get(1))?;
        clocks.into_iter().map(|(device, history)| Ok((device, known_again(&history)?))).collect()
    }

    /// See [`LeftOff`].
    pub fn left_off(&self) -> Result<LeftOff, OutboxError> {
        let valued = "SELECT device, at FROM valued";
        let runs = "SELECT device, began_at, heard_at FROM runs";
        Ok(LeftOff {
            valued: by_device(&self.db, valued, |row| Ok(Timestamp(row.get(1)?)))?,
            runs: by_device(&self.db, runs, |row| {
                let (began_at, heard_at) = (Timestamp(row.get(1)?), Timestamp(row.get(2)?));
                Ok(Run { began_at, heard_at })
            })?,
        })
    }

    /// The newest moment by the gateway's clock that is known of: a clock that shows less was set
    /// back, or has lost the time.
    pub fn newest_moment(&self) -> Result<Option<Timestamp>, OutboxError> {
        let newest = "SELECT MAX(at) FROM (
                          SELECT at FROM (SELECT at FROM entries ORDER BY seq DESC LIMIT 1)
                          UNION ALL SELECT since FROM bindings
                          UNION ALL SELECT at FROM valued)";
        let newest: Option<i64> = self.db.query_row(newest, [], |row| row.get(0))?;
        Ok(newest.map(Timestamp))
    }

    /// The start of the machine during which the gateway ran last; nothing if none is known.
    pub fn machine_start(&self) -> Result<Option<String>, OutboxError> {
        let noted = self.db.query_row("SELECT boot FROM machine", [], |row| row.get(0));
        Ok(noted.optional()?)
    }
}

impl Group<'_> {
    /// A worn device gave a value: after a restart its silence counts from here.
    pub fn note_valued(&mut self, device: &DeviceId, at: Timestamp) -> Result<(), OutboxError> {
        let keep = "INSERT OR REPLACE INTO valued (device, at) VALUES (?1, ?2)";
        self.transaction.prepare_cached(keep)?.execute(params![device.as_str(), at.0])?;
        Ok(())
    }

    /// A measurement goes on, or none does.
    pub fn note_run(&mut self, device: &DeviceId, run: Option<Run>) -> Result<(), OutboxError> {
        match run {
            Some(Run { began_at, heard_at }) => {
                let keep = "INSERT OR REPLACE INTO runs (device, began_at, heard_at)
                            VALUES (?1, ?2, ?3)";
                let row = params![device.as_str(), began_at.0, heard_at.0];
                self.transaction.prepare_cached(keep)?.execute(row)?;
            }
            None => {
                let forget = "DELETE FROM runs WHERE device = ?1";
                self.transaction.prepare_cached(forget)?.execute([device.as_str()])?;
            }
        }
        Ok(())
    }

    /// The gateway's clock was set forward by this much.
    pub fn shift(&mut self, by: Span) -> Result<(), OutboxError> {
        self.transaction.execute("UPDATE valued SET at = at + ?1", [by.0])?;
        self.transaction.execute("UPDATE bindings SET put_on = put_on + ?1", [by.0])?;
        let runs = "UPDATE runs SET began_at = began_at + ?1, heard_at = heard_at + ?1";
        self.transaction.execute(runs, [by.0])?;
        Ok(())
    }

    /// Keeps what is known of a device's clock; it is about the device and of no patient.
    pub fn note_clock(
        &mut self,
        device: &DeviceId,
        history: &ClockHistory,
    ) -> Result<(), OutboxError> {
        let keep = "INSERT OR REPLACE INTO clocks (device, history) VALUES (?1, ?2)";
        let row = params![device.as_str(), written(history)?];
        self.transaction.prepare_cached(keep)?.execute(row)?;
        Ok(())
    }

    /// Keeps during which start of the machine the gateway runs.
    pub fn note_machine_start(&mut self, boot: &str) -> Result<(), OutboxError> {
        let keep = "INSERT OR REPLACE INTO machine (one, boot) VALUES (1, ?1)";
        self.transaction.execute(keep, [boot])?;
        Ok(())
    }

    /// Keeps what kind of device it is.
    pub fn note_kind(&mut self, device: &DeviceId, kind: DeviceKind) -> Result<(), OutboxError> {
        let keep = "INSERT OR REPLACE INTO kinds (device, kind) VALUES (?1, ?2)";
        self.transaction.execute(keep, params![device.as_str(), written(&kind)?])?;
        Ok(())
    }
}

/// A row a device.
fn by_device<T>(
    db: &Connection,
    query: &str,
    read: impl Fn(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<BTreeMap<DeviceId, T>, OutboxError> {
    let mut query = db.prepare(query)?;
    let rows = query.query_map([], |row| Ok((row.get::<_, String>(0)?, read(row)?)))?;
    rows.map(|row| {
        let (device, value) = row?;
        Ok((device.parse().map_err(|_| OutboxError::Damaged)?, value))
    })
    .collect()
}

fn written(value: &impl serde::Serialize) -> Result<String, OutboxError> {
    serde_json::to_string(value).map_err(|_| OutboxError::Damaged)
}

fn known_again<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, OutboxError> {
    serde_json::from_str(text).map_err(|_| OutboxError::Damaged)
}
