//! Where patients are cared for at the bedside, and what has to be known before anybody is. Pure,
//! but for the [`Register`], which keeps all of it at hand.

mod institution;
mod register;

pub use institution::{Command as InstitutionCommand, Event as InstitutionEvent, Institution};
pub use register::{Known, Register};

use crate::aggregate::Aggregate;
use minato_protocol::view::Clinic;
use minato_protocol::{Code, Timestamp};
use serde::{Deserialize, Serialize};

/// Characters of a name.
const NAME_CHARS_MAX: usize = 80;
/// Characters of a hospital with its number.
const HOSPITAL_CHARS_MAX: usize = 160;
/// Characters of a telephone number.
const PHONE_CHARS_MAX: usize = 40;
/// The shortest number that reaches anybody: 119.
const PHONE_DIGITS_MIN: usize = 3;

/// A clinic, a shelter, a vehicle: what has to be known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sheet {
    /// Its name.
    pub name: String,
    /// The hospital that receives emergencies, with its number.
    pub receiving_hospital: String,
    /// The institution responsible here, where it is another than everywhere else.
    pub clinic: Option<Clinic>,
}

/// Imperative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Patients may be taken in here from now on.
    Open(Sheet),
    /// Its sheet says something else from now on.
    Change(Sheet),
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It is open.
    SiteOpened {
        /// What is known of it.
        #[serde(flatten)]
        sheet: Sheet,
    },
    /// What is known of it is another thing now.
    SiteChanged {
        /// What is known of it.
        #[serde(flatten)]
        sheet: Sheet,
    },
}

/// The state of one site.
///
/// Law: whoever has a site has its emergency contacts. A site without a receiving hospital does
/// not open, and none loses it afterwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Site {
    /// What is known of it; `None` until it is open.
    pub sheet: Option<Sheet>,
}

impl Aggregate for Site {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        match (command, &self.sheet) {
            (Command::Open(_), Some(_)) => Err(Code::NameTaken),
            (Command::Open(sheet), None) => Ok(vec![Event::SiteOpened { sheet: complete(sheet)? }]),
            (Command::Change(_), None) => Err(Code::SiteUnknown),
            (Command::Change(sheet), Some(known)) => {
                let sheet = complete(sheet)?;
                let news = sheet != *known;
                Ok(news.then_some(Event::SiteChanged { sheet }).into_iter().collect())
            }
        }
    }

    fn evolve(&mut self, event: &Event, _at: Timestamp) {
        match event {
            Event::SiteOpened { sheet } | Event::SiteChanged { sheet } => {
                self.sheet = Some(sheet.clone());
            }
        }
    }
}

fn complete(sheet: &Sheet) -> Result<Sheet, Code> {
    let Sheet { name, receiving_hospital, clinic } = sheet;
    if !can_be_reached(receiving_hospital) {
        return Err(Code::HospitalFirst);
    }
    Ok(Sheet {
        name: line(name, NAME_CHARS_MAX)?,
        receiving_hospital: line(receiving_hospital, HOSPITAL_CHARS_MAX)?,
        clinic: clinic.as_ref().map(institution::complete).transpose()?,
    })
}

/// Whether there is a number to telephone, in whatever digits it is written.
fn can_be_reached(text: &str) -> bool {
    text.chars().filter(|sign| sign.is_numeric()).count() >= PHONE_DIGITS_MIN
}

/// One line of text that says something.
fn line(text: &str, chars_max: usize) -> Result<String, Code> {
    let text = text.trim();
    let fits = (1..=chars_max).contains(&text.chars().count());
    if fits && !text.chars().any(char::is_control) {
        Ok(text.to_owned())
    } else {
        Err(Code::FieldWrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(0);

    fn sheet(hospital: &str) -> Sheet {
        Sheet { name: "港島診療所".into(), receiving_hospital: hospital.into(), clinic: None }
    }

    fn open() -> Site {
        let mut site = Site::default();
        let opened = site.decide(&Command::Open(sheet("港市民病院 0599-00-0119")), T0);
        opened.expect("it opens").iter().for_each(|event| site.evolve(event, T0));
        site
    }

    #[test]
    fn a_site_does_not_open_without_a_hospital_that_can_be_telephoned() {
        for hospital in ["", "  ", "港市民病院", "港市民病院 11"] {
            let refused = Site::default().decide(&Command::Open(sheet(hospital)), T0);
            assert_eq!(refused, Err(Code::HospitalFirst), "{hospital}");
        }
        for hospital in ["119", "港市民病院 ０５９９－００－０１１９"] {
            assert!(Site::default().decide(&Command::Open(sheet(hospital)), T0).is_ok());
        }
    }

    #[test]
    fn an_open_site_never_loses_its_hospital() {
        let site = open();
        assert_eq!(site.decide(&Command::Change(sheet("")), T0), Err(Code::HospitalFirst));
        let moved = sheet("沖島病院 0599-00-0120");
        let events = site.decide(&Command::Change(moved.clone()), T0);
        assert_eq!(events, Ok(vec![Event::SiteChanged { sheet: moved }]));
    }

    #[test]
    fn a_site_opens_once_and_what_is_said_again_changes_nothing() {
        let site = open();
        let again = sheet(" 港市民病院 0599-00-0119 ");
        assert_eq!(site.decide(&Command::Open(again.clone()), T0), Err(Code::NameTaken));
        assert_eq!(site.decide(&Command::Change(again.clone()), T0), Ok(Vec::new()));
        let unknown = Site::default().decide(&Command::Change(again), T0);
        assert_eq!(unknown, Err(Code::SiteUnknown));
    }

    #[test]
    fn a_sheet_holds_single_lines_that_fit_a_screen() {
        let open = |name: &str| {
            let sheet = Sheet { name: name.into(), ..sheet("119") };
            Site::default().decide(&Command::Open(sheet), T0)
        };
        for name in ["", " ", "港\n島", "港\u{1b}[2J", &"港".repeat(NAME_CHARS_MAX + 1)] {
            assert_eq!(open(name), Err(Code::FieldWrong), "{name:?}");
        }
        assert!(open(&"港".repeat(NAME_CHARS_MAX)).is_ok());
    }

    #[test]
    fn an_event_reads_back_from_its_text() {
        let clinic = Some(Clinic { name: "沖医院".into(), phone: "0599-00-0200".into() });
        let event = Event::SiteOpened { sheet: Sheet { clinic, ..sheet("119") } };
        let text = serde_json::to_string(&event).expect("plain");
        assert!(text.starts_with(r#"{"event":"site_opened","name":"#), "{text}");
        assert_eq!(serde_json::from_str::<Event>(&text).expect("the same"), event);
    }
}
