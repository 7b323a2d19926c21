//! The institution that is responsible for this service: whom a patient may telephone. Pure.

use super::{NAME_CHARS_MAX, PHONE_CHARS_MAX, can_be_reached, line};
use crate::aggregate::Aggregate;
use minato_protocol::view::Clinic;
use minato_protocol::{Code, Timestamp};
use serde::{Deserialize, Serialize};

/// Imperative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Says who it is.
    Set(Clinic),
}

/// Past tense.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// This one is responsible for what begins from here on.
    ClinicSet {
        /// Which.
        clinic: Clinic,
    },
}

/// Who is responsible.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Institution {
    /// `None` until somebody said so.
    pub clinic: Option<Clinic>,
}

impl Aggregate for Institution {
    type Command = Command;
    type Event = Event;

    fn decide(&self, command: &Command, _now: Timestamp) -> Result<Vec<Event>, Code> {
        let Command::Set(clinic) = command;
        let clinic = complete(clinic)?;
        let news = self.clinic.as_ref() != Some(&clinic);
        Ok(news.then_some(Event::ClinicSet { clinic }).into_iter().collect())
    }

    fn evolve(&mut self, event: &Event, _at: Timestamp) {
        let Event::ClinicSet { clinic } = event;
        self.clinic = Some(clinic.clone());
    }
}

/// A name, and a number that reaches somebody.
pub(super) fn complete(clinic: &Clinic) -> Result<Clinic, Code> {
    if !can_be_reached(&clinic.phone) {
        return Err(Code::FieldWrong);
    }
    let name = line(&clinic.name, NAME_CHARS_MAX)?;
    Ok(Clinic { name, phone: line(&clinic.phone, PHONE_CHARS_MAX)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(0);

    fn set(name: &str, phone: &str) -> Command {
        Command::Set(Clinic { name: name.into(), phone: phone.into() })
    }

    #[test]
    fn a_clinic_has_a_name_and_a_number_that_can_be_telephoned() {
        let nobody = Institution::default();
        for (name, phone) in [("", "0599-00-0100"), ("港医療", ""), ("港医療", "代表")] {
            assert_eq!(nobody.decide(&set(name, phone), T0), Err(Code::FieldWrong), "{name}");
        }
        assert!(nobody.decide(&set("港医療", "0599-00-0100"), T0).is_ok());
    }

    #[test]
    fn the_same_clinic_said_again_changes_nothing() {
        let mut known = Institution::default();
        let events = known.decide(&set("港医療", "0599-00-0100"), T0).expect("set");
        events.iter().for_each(|event| known.evolve(event, T0));
        assert_eq!(known.decide(&set(" 港医療", "0599-00-0100"), T0), Ok(Vec::new()));
        assert_eq!(known.decide(&set("港医療", "0599-00-0101"), T0).map(|news| news.len()), Ok(1));
    }
}
