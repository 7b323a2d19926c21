//! Who somebody is, as far as a waiting room needs it.

use serde::{Deserialize, Serialize};

/// A patient's own data. At rest it is always inside `Pii`.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// 氏名, as on the insurance card; at most 80 characters.
    pub name: String,
    /// ふりがな; at most 80 characters.
    pub kana: String,
    /// `YYYY-MM-DD`.
    pub birth_date: String,
    /// The telephone that reaches this person now; at most 30 characters.
    pub call_back: String,
    /// Where the person is, for an ambulance; at most 120 characters.
    pub location: String,
}

hidden!(Person);

impl Person {
    /// Whether every field is filled as the form demands and short enough.
    pub fn is_well_formed(&self) -> bool {
        let short = |text: &str, most: usize| text.chars().count() <= most;
        !self.name.trim().is_empty()
            && short(&self.name, 80)
            && short(&self.kana, 80)
            && short(&self.call_back, 30)
            && short(&self.location, 120)
            && is_date(&self.birth_date)
    }

    /// Age in tens of years on a day `YYYY-MM-DD`: `"80s"` says less than a birth date.
    pub fn age_band(&self, today: &str) -> String {
        let year = |date: &str| date.get(0..4).and_then(|text| text.parse::<i32>().ok());
        let (Some(born), Some(now)) = (year(&self.birth_date), year(today)) else {
            return String::new();
        };
        let birthday_passed = self.birth_date.get(5..) <= today.get(5..);
        let age = (now - born - i32::from(!birthday_passed)).clamp(0, 120);
        format!("{}", age / 10 * 10)
    }
}

fn is_date(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits = |range: std::ops::Range<usize>| text.get(range)?.parse::<u32>().ok();
    bytes.len() == 10
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(digits(0..4), Some(1880..=2200))
        && matches!(digits(5..7), Some(1..=12))
        && matches!(digits(8..10), Some(1..=31))
}

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Role {
    /// Opens rooms, issues links, watches the board.
    Coordinator,
    /// Takes patients.
    Doctor,
    /// Sits beside patients at one site.
    Nurse,
    /// Has one ticket.
    Patient,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sato() -> Person {
        Person {
            name: "佐藤 ハナ".into(),
            kana: "さとう はな".into(),
            birth_date: "1944-12-01".into(),
            call_back: "0599-00-0000".into(),
            location: "港島 2-3".into(),
        }
    }

    #[test]
    fn an_age_band_counts_the_birthday() {
        assert_eq!(sato().age_band("2024-11-30"), "70");
        assert_eq!(sato().age_band("2024-12-01"), "80");
    }

    #[test]
    fn a_person_needs_a_name_and_a_real_date() {
        assert!(sato().is_well_formed());
        assert!(!Person { name: " ".into(), ..sato() }.is_well_formed());
        for date in ["", "1944-13-01", "44-1-1", "1944/12/01", "1944-12-32"] {
            assert!(!Person { birth_date: date.into(), ..sato() }.is_well_formed(), "{date}");
        }
    }

    #[test]
    fn a_person_is_never_shown_by_debug() {
        assert_eq!(format!("{:?}", sato()), "Person(…)");
    }
}
