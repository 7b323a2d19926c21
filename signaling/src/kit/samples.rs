//! Which of a person's readings a rule may look at, and those of the last days. Pure.

use super::judge::Sample;
use crate::log::RecordedItem;
use crate::subject::{Item, Subject};
use minato_protocol::kit::{KitValue, watched_unit};
use minato_protocol::reading::{MeasuredValue, Outcome, Quality, Quantity, Reading};
use minato_protocol::view::Checked;
use minato_protocol::{Span, Timestamp};
use std::collections::BTreeMap;

/// Values of one quantity that are kept as they are; with more, and twice what the last thinning
/// left, those older than [`FINE`] are thinned to the lowest and the highest of every ten minutes,
/// which is what limits and changes look at. Of two weeks that leaves about 5,000 at most.
pub const SAMPLES_MAX: usize = 2_048;
/// The newest ones are never thinned.
const FINE: Span = Span::minutes(15);
/// One lowest and one highest stay of every such span.
const COARSE_MS: i64 = 10 * 60_000;

/// Values that count, by quantity, in the order in which they were measured.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Samples {
    of: BTreeMap<Quantity, Vec<Sample>>,
    /// What the last thinning left; the next one is at twice as many.
    thinned: BTreeMap<Quantity, usize>,
    /// Values that no rule sees before somebody has looked at them.
    pub doubtful: u32,
}

impl Samples {
    /// Takes an item of the subject's stream in, if it counts.
    pub fn take_in(&mut self, item: &Item, stored: Timestamp, subject: &Subject) {
        match worth(item, subject) {
            Worth::Nothing => {}
            Worth::Doubtful => self.doubtful = self.doubtful.saturating_add(1),
            Worth::Counts(reading) => {
                let at = item.measured_here().min(stored);
                for measured in &reading.measurements {
                    if let Some(sample) = sample_of(reading, measured.what, (at, stored)) {
                        self.insert(measured.what, sample);
                    }
                }
            }
        }
    }

    fn insert(&mut self, what: Quantity, sample: Sample) {
        let all = self.of.entry(what).or_default();
        let place = all.partition_point(|other| other.at <= sample.at);
        all.insert(place, sample);
        let thinned = self.thinned.entry(what).or_default();
        if all.len() > SAMPLES_MAX.max(2 * *thinned) {
            thin(all);
            *thinned = all.len();
        }
    }

    /// Those of one quantity.
    pub fn of(&self, what: Quantity) -> &[Sample] {
        self.of.get(&what).map(Vec::as_slice).unwrap_or_default()
    }

    /// Forgets what was measured before.
    pub fn forget_before(&mut self, at: Timestamp) {
        for all in self.of.values_mut() {
            // The last value stays, however old: its age is shown.
            let gone = all.partition_point(|sample| sample.at < at).min(all.len().max(1) - 1);
            all.drain(..gone);
        }
    }

    /// The newest value of each quantity.
    pub fn last(&self) -> Vec<KitValue> {
        let newest = |(what, all): (&Quantity, &Vec<Sample>)| {
            let Sample { at, value, .. } = *all.last()?;
            Some(KitValue { what: *what, value, unit: watched_unit(*what)?, at })
        };
        self.of.iter().filter_map(newest).collect()
    }
}

/// The value of a quantity in the unit that rules speak.
/// It was measured at the first moment and stored at the second, both by the broker's clock.
pub fn sample_of(
    reading: &Reading,
    what: Quantity,
    (at, stored): (Timestamp, Timestamp),
) -> Option<Sample> {
    let measured = reading.measurement(what)?;
    let MeasuredValue::Number { value } = measured.value else { return None };
    let fits = watched_unit(what) == Some(measured.unit);
    fits.then_some(Sample { at, stored, value })
}

enum Worth<'a> {
    Nothing,
    Doubtful,
    Counts(&'a Reading),
}

/// What is held back, withdrawn, under way or an attempt that failed is nothing; what is doubted
/// counts once somebody has said that it is real. Demonstrations and tests have no numbers at all.
fn worth<'a>(item: &'a Item, subject: &Subject) -> Worth<'a> {
    let Outcome::Reading(reading) = &item.outcome else { return Worth::Nothing };
    if subject.hides(item) || reading.is_intermediate() || reading.is_error() {
        return Worth::Nothing;
    }
    match subject.checked(reading.id, &|_| String::new()) {
        Some(Checked::Withdrawn { .. }) => Worth::Nothing,
        Some(Checked::Confirmed { .. }) => Worth::Counts(reading),
        None if reading.quality.contains(&Quality::Implausible) => Worth::Doubtful,
        None if reading.quality.iter().any(|remark| is_unsure(*remark)) => Worth::Nothing,
        None => Worth::Counts(reading),
    }
}

/// The device itself says that the number is no result yet, or none to rely on.
const fn is_unsure(remark: Quality) -> bool {
    matches!(
        remark,
        Quality::Questionable
            | Quality::Ongoing
            | Quality::Early
            | Quality::Calibrating
            | Quality::EquipmentMalfunction
            | Quality::SensorMalfunction
            | Quality::SensorDisplaced
            | Quality::InadequateSignal
            | Quality::DeviceFault
    )
}

/// An item as it stands in the stream; nothing where the person was erased.
pub(super) fn opened(recorded: &RecordedItem) -> Option<Item> {
    let pii: minato_protocol::Pii<Item> = serde_json::from_value(recorded.body.clone()).ok()?;
    pii.reveal().cloned()
}

fn thin(all: &mut Vec<Sample>) {
    let Some(newest) = all.last().map(|sample| sample.at) else { return };
    let fine = all.split_off(all.partition_point(|sample| newest - sample.at > FINE));
    let mut kept: Vec<Sample> = Vec::new();
    for span in all.chunk_by(|a, b| a.at.0 / COARSE_MS == b.at.0 / COARSE_MS) {
        let by_value = |a: &&Sample, b: &&Sample| a.value.to_f64().total_cmp(&b.value.to_f64());
        let extremes = [span.iter().min_by(by_value), span.iter().max_by(by_value)];
        let mut extremes: Vec<Sample> = extremes.into_iter().flatten().copied().collect();
        extremes.sort_by_key(|sample| sample.at);
        extremes.dedup();
        kept.extend(extremes);
    }
    kept.extend(fine);
    *all = kept;
}
