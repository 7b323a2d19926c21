//! A home kit: devices and a page at somebody's home, and the rules by which a change of values
//! calls a doctor.

use crate::reading::{Decimal, Quantity, Unit};
use crate::view::Clinic;
use crate::{KitId, Person, RoomId, SiteId, Span, SubjectId, TicketId, Timestamp};
use serde::{Deserialize, Serialize};

/// Rules in force for one kit at a time; a further one is refused.
pub const RULES_MAX: usize = 16;
/// The longest span that a rule may speak of.
pub const WITHIN_MAX: Span = Span::minutes(7 * 24 * 60);
/// The shortest one.
pub const WITHIN_MIN: Span = Span::minutes(1);

/// When a doctor has to look. Numbers are in the unit that [`watched_unit`] names. No score is
/// computed: a rule looks at one quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum ChangeRule {
    /// A value is above the limit.
    Above { what: Quantity, limit: Decimal },
    /// A value is below the limit.
    Below { what: Quantity, limit: Decimal },
    /// Two values measured within the span differ by more.
    Changed { what: Quantity, by: Decimal, within: Span },
    /// No value for longer than the span.
    Missing { what: Quantity, within: Span },
}

impl ChangeRule {
    /// Which quantity it looks at.
    pub const fn what(&self) -> Quantity {
        match self {
            Self::Above { what, .. }
            | Self::Below { what, .. }
            | Self::Changed { what, .. }
            | Self::Missing { what, .. } => *what,
        }
    }

    /// Whether it can be kept at all: a quantity with one unit, a span within bounds, a change that
    /// is one.
    pub fn is_well_formed(&self) -> bool {
        let fits = |within: Span| (WITHIN_MIN..=WITHIN_MAX).contains(&within);
        let is_kept = match self {
            Self::Above { limit, .. } | Self::Below { limit, .. } => limit.to_f64().is_finite(),
            Self::Changed { by, within, .. } => by.mantissa > 0 && fits(*within),
            Self::Missing { within, .. } => fits(*within),
        };
        is_kept && watched_unit(self.what()).is_some()
    }
}

/// The unit in which a quantity is watched; nothing for those that no rule looks at.
pub const fn watched_unit(what: Quantity) -> Option<Unit> {
    match what {
        Quantity::Systolic | Quantity::Diastolic => Some(Unit::MmHg),
        Quantity::Spo2 => Some(Unit::Percent),
        Quantity::PulseRate | Quantity::HeartRate | Quantity::RespirationRate => {
            Some(Unit::PerMinute)
        }
        Quantity::Temperature => Some(Unit::Celsius),
        Quantity::Weight => Some(Unit::Kilogram),
        Quantity::Glucose => Some(Unit::MgPerDl),
        Quantity::MeanArterial
        | Quantity::CuffPressure
        | Quantity::Spo2Fast
        | Quantity::Spo2Slow
        | Quantity::PulseRateFast
        | Quantity::PulseRateSlow
        | Quantity::PulseAmplitudeIndex
        | Quantity::RrInterval
        | Quantity::EnergyExpended
        | Quantity::Height
        | Quantity::BodyMassIndex
        | Quantity::BodyFat
        | Quantity::BasalMetabolism
        | Quantity::MusclePercentage
        | Quantity::MuscleMass
        | Quantity::FatFreeMass
        | Quantity::SoftLeanMass
        | Quantity::BodyWaterMass
        | Quantity::Impedance => None,
    }
}

/// A rule that has fired, with what it saw: the reason of a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Fired {
    /// 1, 2, 3 within the kit.
    pub firing: u32,
    /// Which rule.
    pub rule: ChangeRule,
    /// The value that it saw; none where values are missing.
    pub value: Option<Decimal>,
    /// The value before, where it changed.
    pub before: Option<Decimal>,
    /// When the value was measured; where values are missing, since when.
    pub at: Timestamp,
}

/// A kit as its site's nurse sees it, and, without person and staff, as its own page does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct KitRow {
    /// Which.
    pub kit: KitId,
    /// Where its tickets open.
    pub room: RoomId,
    /// Whose nurses look after it.
    pub site: SiteId,
    /// Whom to telephone.
    pub clinic: Clinic,
    /// Whose home; absent on the kit's own page.
    pub person: Option<Person>,
    /// Whose readings.
    pub subject: SubjectId,
    /// The kit's page is open now.
    pub present: bool,
    /// Until when the link can be opened; absent: none is in force.
    pub link_expires: Option<Timestamp>,
    /// The link was opened: the page is in use until then.
    pub page_until: Option<Timestamp>,
    /// Rules in force, and those that were taken away last.
    pub rules: Vec<KitRuleRow>,
    /// The last value of each quantity that counts.
    pub last: Vec<KitValue>,
    /// Values that no living person shows and nobody has looked at: no rule sees them.
    pub doubtful: u32,
    /// The ticket that is open because of a change.
    pub ticket: Option<TicketId>,
}

/// One rule of a kit, with who set it and who took it away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct KitRuleRow {
    /// Its number within the kit. It never means another rule.
    pub rule: u32,
    /// What it says.
    pub is: ChangeRule,
    /// Name of who set it; empty on the kit's own page.
    pub by: String,
    /// Since when it stands.
    pub since: Timestamp,
    /// It fired on this value and is not back to normal yet.
    pub fired: Option<Timestamp>,
    /// By when a value is awaited, where the rule waits for one.
    pub due: Option<Timestamp>,
    /// Who took it away, and when.
    pub taken: Option<(String, Timestamp)>,
}

/// The newest value of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct KitValue {
    /// What.
    pub what: Quantity,
    /// How much.
    pub value: Decimal,
    /// In which unit.
    pub unit: Unit,
    /// When it was measured.
    pub at: Timestamp,
}
