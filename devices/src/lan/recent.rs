//! PURE: what was measured lately, for pages on the clinic's own network. The outbox is the truth and
//! this a window on it: read again from there after a restart, and forgotten with it.

use minato_protocol::SubjectId;
use minato_protocol::lan::{LAN_ROWS_MAX, LanRow};
use minato_protocol::reading::DeviceId;
use minato_protocol::uplink::{Entry, OutboxEntry};
use minato_protocol::view::ReadingRow;
use std::collections::{BTreeMap, VecDeque};

/// Values of one device on one person; then the oldest leaves. An oximeter fills it in a minute, and
/// pushes out no cuff's.
const ROWS_MAX: usize = 60;
/// Pairs of person and device; then the one that was silent for longest leaves. About 4 MB with all
/// their values.
const PAIRS_MAX: usize = 96;

#[derive(Debug, Clone)]
struct Kept {
    cursor: u32,
    row: ReadingRow,
}

/// The window.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    cursor: u32,
    by_pair: BTreeMap<(SubjectId, DeviceId), VecDeque<Kept>>,
}

impl Recent {
    /// Takes what the outbox has taken. What is nobody's is shown to nobody.
    pub(crate) fn take(&mut self, line: OutboxEntry) {
        let Entry::Measured { subject: Some(subject), outcome } = line.entry else { return };
        self.cursor = self.cursor.saturating_add(1);
        let row = ReadingRow {
            seq: self.cursor,
            stored: line.at,
            late: outcome.is_late(line.at),
            quarantined: false,
            checked: None,
            photos: Vec::new(),
            assigned: None,
            outcome,
        };
        let pair = (subject, row.outcome.device().id.clone());
        if !self.by_pair.contains_key(&pair) && self.by_pair.len() >= PAIRS_MAX {
            self.let_one_go();
        }
        let rows = self.by_pair.entry(pair).or_default();
        if rows.len() >= ROWS_MAX {
            rows.pop_front();
        }
        rows.push_back(Kept { cursor: self.cursor, row });
    }

    fn let_one_go(&mut self) {
        let newest = |rows: &VecDeque<Kept>| rows.back().map(|kept| kept.cursor);
        let silent = self.by_pair.iter().min_by_key(|(_, rows)| newest(rows));
        if let Some(pair) = silent.map(|(pair, _)| pair.clone()) {
            self.by_pair.remove(&pair);
        }
    }

    /// Once the broker has everything, whoever wears nothing any more is forgotten.
    pub(crate) fn forget_all_but(&mut self, wears: impl Fn(SubjectId) -> bool) {
        self.by_pair.retain(|(subject, _), _| wears(*subject));
    }

    /// What these people have behind a cursor, oldest first; the cursor behind that, and whether
    /// there is more.
    pub(crate) fn after(&self, cursor: u32, of: &[SubjectId]) -> (Vec<LanRow>, u32, bool) {
        let theirs = self.by_pair.iter().filter(|((subject, _), _)| of.contains(subject));
        let mut found: Vec<_> = theirs
            .flat_map(|((subject, _), rows)| {
                let fresh = rows.iter().filter(|kept| kept.cursor > cursor);
                fresh.map(|kept| (kept.cursor, *subject, &kept.row))
            })
            .collect();
        found.sort_unstable_by_key(|(at, ..)| *at);
        let more = found.len() > LAN_ROWS_MAX;
        found.truncate(LAN_ROWS_MAX);
        let reached = if more { found.last().map_or(cursor, |(at, ..)| *at) } else { self.cursor };
        let rows = found.into_iter().map(|(_, subject, row)| LanRow { subject, row: row.clone() });
        (rows.collect(), reached, more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use minato_protocol::reading::{
        Characteristic, Device, DeviceKind, Fault, FaultReason, Hex, HexBytes, Outcome, Provenance,
        ReadingId, TransportKind,
    };
    use minato_protocol::{GatewayId, Span, Timestamp};

    const SATO: SubjectId = SubjectId(1);
    const ITO: SubjectId = SubjectId(2);

    fn tried(of: Option<SubjectId>, device: &str, seq: u64) -> OutboxEntry {
        let at = Timestamp(1_000_000);
        let fault = Fault {
            id: ReadingId(Hex([u8::try_from(seq % 251).expect("small"); 16])),
            device: Device {
                id: device.parse().expect("an id"),
                kind: DeviceKind::Cuff,
                model: "C".into(),
            },
            characteristic: Characteristic::BloodPressure,
            reason: FaultReason::CuffError,
            quality: Vec::new(),
            device_time: None,
            gateway_time: at,
            provenance: Provenance {
                gateway: GatewayId(1),
                transport: TransportKind::Simulator,
                entered: None,
                driver: "d".into(),
                raw: HexBytes(Vec::new()),
                boot: Hex([0; 8]),
                sequence: seq,
            },
        };
        OutboxEntry {
            seq,
            at: at + Span(20_000),
            entry: Entry::Measured { subject: of, outcome: Outcome::Fault(fault) },
        }
    }

    #[test]
    fn a_busy_device_pushes_out_no_others_values() {
        let mut recent = Recent::default();
        recent.take(tried(Some(SATO), "cuff", 1));
        (2..1_000).for_each(|seq| recent.take(tried(Some(SATO), "oximeter", seq)));
        let (rows, cursor, more) = recent.after(0, &[SATO]);
        assert_eq!((rows.len(), cursor, more), (ROWS_MAX + 1, 999, false));
        assert_eq!(rows[0].row.outcome.device().id.as_str(), "cuff");
        assert!(rows[0].row.late, "it was received 20 s after it was measured");
    }

    #[test]
    fn what_is_nobodys_or_somebody_elses_is_not_shown() {
        let mut recent = Recent::default();
        recent.take(tried(None, "cuff", 1));
        recent.take(tried(Some(ITO), "cuff", 2));
        assert_eq!(recent.after(0, &[SATO]).0, []);
        assert_eq!(recent.after(0, &[ITO]).0.len(), 1);
        recent.forget_all_but(|subject| subject == SATO);
        assert_eq!(recent.after(0, &[ITO]).0, []);
    }

    #[test]
    fn a_page_that_asks_again_and_again_gets_every_row_once() {
        let mut recent = Recent::default();
        for seq in 0..400 {
            recent.take(tried(Some(SATO), &format!("cuff-{}", seq % 8), seq));
        }
        let (first, cursor, more) = recent.after(0, &[SATO]);
        assert!(more);
        let (second, last, more) = recent.after(cursor, &[SATO]);
        assert!(!more && last == 400);
        let seqs: Vec<u32> = first.iter().chain(&second).map(|one| one.row.seq).collect();
        assert_eq!(seqs, (1..=400).collect::<Vec<_>>());
    }
}
