//! What a screen has by now: it applies every message as a page does and checks each hash.

use minato_protocol::act::Outcome;
use minato_protocol::kit::KitRow;
use minato_protocol::reading::ReadingId;
use minato_protocol::view::{
    AlertKind, ChatLine, DeviceRow, DoctorRow, HeldRow, PlaceRow, ReadingRow, RoomRow, Row,
    TicketRow, ViewName, VisitRow,
};
use minato_protocol::wire::{Have, ToScreen, You, row_hash};
use minato_protocol::{Code, SubjectId, TicketId};
use std::collections::{BTreeMap, BTreeSet};

/// One view as this screen has it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Table {
    pub(crate) epoch: u32,
    pub(crate) version: u32,
    pub(crate) hash: u32,
    pub(crate) rows: BTreeMap<String, Row>,
}

impl Table {
    fn sum(&self) -> u32 {
        let hash = |row: &Row| row_hash(&serde_json::to_vec(row).expect("a row is plain"));
        self.rows.values().map(hash).fold(0, u32::wrapping_add)
    }
}

/// What a verb brought.
pub(crate) type Told = Result<Outcome, (Code, Option<String>)>;

/// Everything that one connection was told.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) welcomes: Vec<You>,
    pub(crate) tables: BTreeMap<ViewName, Table>,
    pub(crate) unchanged: BTreeSet<ViewName>,
    pub(crate) whole: BTreeSet<ViewName>,
    pub(crate) answers: BTreeMap<String, Vec<Told>>,
    pub(crate) readings: BTreeMap<SubjectId, Vec<ReadingRow>>,
    /// How often the flow began anew.
    pub(crate) readings_begun: usize,
    pub(crate) chat: Vec<ChatLine>,
    pub(crate) bye: Option<Code>,
    pub(crate) over: bool,
    /// Every message as it came.
    pub(crate) transcript: String,
    /// The first message that broke the protocol.
    pub(crate) wrong: Option<String>,
}

impl Seen {
    pub(crate) fn take_in(&mut self, text: &str) -> Option<ToScreen> {
        self.transcript.push_str(text);
        self.transcript.push('\n');
        let message: ToScreen = match serde_json::from_str(text) {
            Ok(message) => message,
            Err(error) => {
                self.wrong.get_or_insert(format!("{error}: {text}"));
                return None;
            }
        };
        self.apply(message.clone());
        Some(message)
    }

    fn apply(&mut self, message: ToScreen) {
        match message {
            ToScreen::Welcome { you, .. } => {
                self.tables.clear();
                self.welcomes.push(you);
            }
            ToScreen::View { view, epoch, version, hash, whole, upsert, remove } => {
                let table = self.tables.entry(view).or_default();
                if whole {
                    self.whole.insert(view);
                    *table = Table::default();
                } else if (epoch, version) != (table.epoch, table.version.wrapping_add(1)) {
                    let what = format!("{view:?} {epoch}/{version} after {}", table.version);
                    self.wrong.get_or_insert(what);
                }
                (table.epoch, table.version, table.hash) = (epoch, version, hash);
                for key in remove {
                    if table.rows.remove(&key).is_none() {
                        self.wrong.get_or_insert(format!("{view:?} never had {key}"));
                    }
                }
                table.rows.extend(upsert.into_iter().map(|row| (row.key(), row)));
                if table.sum() != hash {
                    self.wrong.get_or_insert(format!("{view:?} {version}: the hash does not fit"));
                }
            }
            ToScreen::Unchanged { view } => {
                self.unchanged.insert(view);
            }
            ToScreen::Readings { subject, whole, rows } => {
                let kept = self.readings.entry(subject).or_default();
                if whole {
                    kept.clear();
                    self.readings_begun += 1;
                }
                for row in rows {
                    // Told again with what was put beside it since.
                    match kept.iter_mut().find(|known| known.seq == row.seq && **known != row) {
                        Some(known) => *known = row,
                        None => kept.push(row),
                    }
                }
            }
            ToScreen::Chat { lines, .. } => self.chat.extend(lines),
            ToScreen::Done { key, outcome } => {
                self.answers.entry(key).or_default().push(Ok(outcome));
            }
            ToScreen::Refused { key, code, by } => {
                self.answers.entry(key).or_default().push(Err((code, by)));
            }
            ToScreen::Ping { .. } => {}
            ToScreen::Bye { code } => self.bye = Some(code),
        }
    }

    /// What a page says that it still has.
    pub(crate) fn have(&self) -> Vec<Have> {
        let have = |(view, table): (&ViewName, &Table)| Have {
            view: *view,
            epoch: table.epoch,
            version: table.version,
            hash: table.hash,
        };
        self.tables.iter().map(have).collect()
    }

    /// Rows alone: what two screens of the same person have in common.
    pub(crate) fn rows(&self) -> BTreeMap<ViewName, BTreeMap<String, Row>> {
        self.tables.iter().map(|(view, table)| (*view, table.rows.clone())).collect()
    }

    fn table(&self, view: ViewName) -> impl Iterator<Item = &Row> {
        self.tables.get(&view).into_iter().flat_map(|table| table.rows.values())
    }

    pub(crate) fn you(&self) -> &You {
        self.welcomes.last().expect("welcomed")
    }

    pub(crate) fn tickets(&self) -> Vec<&TicketRow> {
        let tickets = self.table(ViewName::Tickets);
        tickets
            .filter_map(|row| if let Row::Ticket(row) = row { Some(&**row) } else { None })
            .collect()
    }

    pub(crate) fn ticket(&self, id: TicketId) -> Option<&TicketRow> {
        self.tickets().into_iter().find(|row| row.ticket == id)
    }

    pub(crate) fn place(&self) -> Option<&PlaceRow> {
        let mut places = self.table(ViewName::Place);
        places.find_map(|row| if let Row::Place(row) = row { Some(&**row) } else { None })
    }

    pub(crate) fn visits(&self) -> Vec<&VisitRow> {
        let visits = self.table(ViewName::Visits);
        visits
            .filter_map(|row| if let Row::Visit(row) = row { Some(&**row) } else { None })
            .collect()
    }

    pub(crate) fn doctors(&self) -> Vec<&DoctorRow> {
        let doctors = self.table(ViewName::Doctors);
        doctors
            .filter_map(|row| if let Row::Doctor(row) = row { Some(row) } else { None })
            .collect()
    }

    pub(crate) fn rooms(&self) -> Vec<&RoomRow> {
        let rooms = self.table(ViewName::Rooms);
        rooms.filter_map(|row| if let Row::Room(row) = row { Some(row) } else { None }).collect()
    }

    pub(crate) fn devices(&self) -> Vec<&DeviceRow> {
        let devices = self.table(ViewName::Devices);
        devices
            .filter_map(|row| if let Row::Device(row) = row { Some(row) } else { None })
            .collect()
    }

    pub(crate) fn held(&self) -> Vec<&HeldRow> {
        let held = self.table(ViewName::Held);
        held.filter_map(|row| if let Row::Held(row) = row { Some(row) } else { None }).collect()
    }

    pub(crate) fn kits(&self) -> Vec<&KitRow> {
        let kits = self.table(ViewName::Kits);
        kits.filter_map(|row| if let Row::Kit(row) = row { Some(&**row) } else { None }).collect()
    }

    pub(crate) fn holds(&self, reading: ReadingId) -> bool {
        self.held().iter().any(|row| row.reading == reading)
    }

    /// One reading of a subject, as it was last told.
    pub(crate) fn reading(&self, of: SubjectId, id: ReadingId) -> Option<&ReadingRow> {
        self.readings.get(&of)?.iter().rev().find(|row| row.outcome.id() == id)
    }

    pub(crate) fn has_alert(&self, kind: AlertKind, ticket: TicketId) -> bool {
        self.table(ViewName::Alerts)
            .any(|row| matches!(row, Row::Alert(row) if (row.kind, row.ticket) == (kind, ticket)))
    }

    /// Ids of the readings of a subject, in the order in which they came.
    pub(crate) fn reading_ids(&self, of: SubjectId) -> Vec<ReadingId> {
        let rows = self.readings.get(&of).into_iter().flatten();
        rows.map(|row| row.outcome.id()).collect()
    }
}
