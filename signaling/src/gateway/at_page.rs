//! PURE: which devices of a site hang at a page, and whose each is. There is no box that could decide
//! it, so the broker does, by the same rules: on at most one person, because somebody said so.

use minato_protocol::reading::{DeviceId, Hex};
use minato_protocol::uplink::UnboundWhy;
use minato_protocol::{Code, Span, StaffId, SubjectId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// A worn device that gave no value for so long may be on somebody else by now: it comes off, as at
/// a box.
pub const SILENCE_UNBINDS: Span = Span::minutes(2);
/// Devices at pages that are remembered of a site. When there are more, the oldest that came off is
/// forgotten here, and the oldest at all if every one is on; what is still handed in of it is nobody's.
pub const HANGINGS_MAX: usize = 256;
/// Runs that are remembered as put on nobody, of a site. When there are more, the oldest is forgotten:
/// its page has handed in what it kept long before.
const DECLINED_MAX: usize = 256;

/// Somebody connected a device to a page, beside one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HangOn {
    /// Which device: the browser's own name for it.
    pub device: DeviceId,
    /// Its maker's model name: the only thing by which two browsers speak of the same device. Empty
    /// where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub model: String,
    /// The page's run: drawn when somebody connected it.
    pub run: Hex<8>,
    /// On whom.
    pub subject: SubjectId,
    /// Who says so.
    pub by: StaffId,
    /// Since when.
    pub since: Timestamp,
}

/// It came off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HangOff {
    /// Which device.
    pub device: DeviceId,
    /// In which of the page's runs.
    pub run: Hex<8>,
    /// Who says so.
    pub by: StaffId,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub why: UnboundWhy,
}

/// A device at a page, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hanging {
    /// What was said when it came on.
    pub on: HangOn,
    /// What was said when it came off.
    pub off: Option<HangOff>,
}

impl HangOn {
    /// Whether another one may be this very device: every browser has its own name for it.
    fn may_be(&self, other: &Self) -> bool {
        let is_one_model = !self.model.is_empty() && self.model == other.model;
        self.device == other.device || (is_one_model && self.subject != other.subject)
    }
}

impl Hanging {
    /// Whether what was received at a moment belongs to whom it is on.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.on.since <= at && self.off.as_ref().is_none_or(|off| at <= off.at)
    }
}

/// The last of them, the oldest first.
///
/// Law: **a device at a page is on at most one person, and a run that came off never comes on
/// again.** Whoever connects it anew says anew whose it is. What was declined came off before it was
/// ever on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtPages {
    known: Vec<Hanging>,
    declined: VecDeque<(DeviceId, Hex<8>)>,
}

impl AtPages {
    /// What is known of one of the page's runs.
    pub fn of_run(&self, device: &DeviceId, run: Hex<8>) -> Option<&Hanging> {
        self.of(device).find(|hanging| hanging.on.run == run)
    }

    /// Everything that is known of a device, the oldest first.
    pub fn of(&self, device: &DeviceId) -> impl Iterator<Item = &Hanging> {
        self.known.iter().filter(move |hanging| hanging.on.device == *device)
    }

    /// Everything that is on somebody.
    pub fn on(&self) -> impl Iterator<Item = &Hanging> {
        self.known.iter().filter(|hanging| hanging.off.is_none())
    }

    fn is_declined(&self, device: &DeviceId, run: Hex<8>) -> bool {
        self.declined.iter().any(|(known, of)| known == device && *of == run)
    }

    /// Everything on somebody that may be the device which somebody connects now.
    pub(super) fn alike(&self, on: &HangOn) -> impl Iterator<Item = &Hanging> {
        self.on().filter(move |hanging| on.may_be(&hanging.on))
    }

    /// What would happen when it is put on. On somebody else it stays, unless somebody confirmed
    /// that it comes off there; so does what may be the same one under another browser's name.
    pub(super) fn put_on(&self, on: &HangOn, takes_over: bool) -> Result<Vec<super::Event>, Code> {
        if let Some(known) = self.of_run(&on.device, on.run) {
            let is_same = known.on.subject == on.subject;
            return if is_same { Ok(Vec::new()) } else { Err(Code::DeviceElsewhere) };
        }
        let mut events = Vec::new();
        if self.is_declined(&on.device, on.run) {
            return Ok(events);
        }
        for before in self.alike(on) {
            let is_same = before.on.subject == on.subject;
            if !is_same && !takes_over {
                return Err(Code::DeviceElsewhere);
            }
            let why = if is_same { UnboundWhy::Asked } else { UnboundWhy::TakenOver };
            let (device, run) = (before.on.device.clone(), before.on.run);
            let off = HangOff { device, run, by: on.by, at: on.since, why };
            events.push(super::Event::CameOff(off));
        }
        events.push(super::Event::HungOn(on.clone()));
        Ok(events)
    }

    /// What would happen when it comes off; nothing for what did already. One that never was on is
    /// declined: what its page hands in later puts it on nobody.
    pub(super) fn take_off(&self, off: &HangOff) -> Vec<super::Event> {
        let is_news = match self.of_run(&off.device, off.run) {
            Some(known) => known.off.is_none(),
            None => !self.is_declined(&off.device, off.run),
        };
        Vec::from_iter(is_news.then(|| super::Event::CameOff(off.clone())))
    }

    pub(super) fn hung_on(&mut self, on: &HangOn) {
        if self.known.len() >= HANGINGS_MAX {
            let oldest = self.known.iter().position(|hanging| hanging.off.is_some());
            self.known.remove(oldest.unwrap_or(0));
        }
        self.known.push(Hanging { on: on.clone(), off: None });
    }

    pub(super) fn came_off(&mut self, off: &HangOff) {
        let of_run =
            |known: &&mut Hanging| known.on.device == off.device && known.on.run == off.run;
        if let Some(known) = self.known.iter_mut().find(of_run) {
            known.off.get_or_insert_with(|| off.clone());
            return;
        }
        if self.declined.len() >= DECLINED_MAX {
            self.declined.pop_front();
        }
        self.declined.push_back((off.device.clone(), off.run));
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Command, Gateway};
    use super::*;
    use crate::aggregate::Aggregate as _;

    const SATO: SubjectId = SubjectId(1);
    const ITO: SubjectId = SubjectId(2);

    fn on(run: u8, subject: SubjectId, since: i64) -> HangOn {
        let device = "web-x".parse().expect("a name");
        let (run, by, since) = (Hex([run; 8]), StaffId(9), Timestamp(since));
        HangOn { device, model: String::new(), run, subject, by, since }
    }

    fn off(run: u8, at: i64) -> HangOff {
        let HangOn { device, run, by, .. } = on(run, SATO, 0);
        HangOff { device, run, by, at: Timestamp(at), why: UnboundWhy::Asked }
    }

    fn did(pages: &mut Gateway, command: Command) -> Result<usize, Code> {
        let events = pages.decide(&command, Timestamp(0))?;
        events.iter().for_each(|event| pages.evolve(event, Timestamp(0)));
        Ok(events.len())
    }

    fn put_on(on: HangOn, takes_over: bool) -> Command {
        Command::HangOn { on, takes_over }
    }

    #[test]
    fn a_device_at_a_page_is_on_one_person_and_changes_over_only_when_somebody_says_so() {
        let mut pages = Gateway::default();
        assert_eq!(did(&mut pages, put_on(on(1, SATO, 10), false)), Ok(1));
        assert_eq!(did(&mut pages, put_on(on(1, SATO, 10), false)), Ok(0), "said again");
        let refused = did(&mut pages, put_on(on(2, ITO, 20), false));
        assert_eq!(refused, Err(Code::DeviceElsewhere));
        assert_eq!(did(&mut pages, put_on(on(2, ITO, 20), true)), Ok(2));
        let known: Vec<_> = pages.at_pages.of(&on(1, SATO, 0).device).collect();
        assert_eq!(known[0].off.as_ref().map(|off| off.why), Some(UnboundWhy::TakenOver));
        assert!(known[0].covers(Timestamp(15)) && !known[0].covers(Timestamp(21)));
        assert!(known[1].covers(Timestamp(21)) && !known[1].covers(Timestamp(19)));
    }

    #[test]
    fn a_run_that_came_off_never_comes_on_again() {
        let mut pages = Gateway::default();
        did(&mut pages, put_on(on(1, SATO, 10), false)).expect("it comes on");
        assert_eq!(did(&mut pages, Command::HangOff(off(1, 20))), Ok(1));
        assert_eq!(did(&mut pages, Command::HangOff(off(1, 30))), Ok(0));
        assert_eq!(did(&mut pages, put_on(on(1, SATO, 40), false)), Ok(0));
        assert_eq!(pages.at_pages.on().count(), 0);
        assert_eq!(did(&mut pages, put_on(on(2, ITO, 40), false)), Ok(1), "anew it does");
    }

    #[test]
    fn two_browsers_names_for_one_cuff_are_on_one_patient_when_somebody_says_so() {
        let mut pages = Gateway::default();
        let at = |tablet: &str, run, subject, since| {
            let device = tablet.parse().expect("a name");
            HangOn { device, model: "UA-651".into(), ..on(run, subject, since) }
        };
        assert_eq!(did(&mut pages, put_on(at("web-a", 1, SATO, 10), false)), Ok(1));
        assert_eq!(did(&mut pages, put_on(at("web-b", 2, SATO, 11), false)), Ok(1), "beside one");
        let refused = did(&mut pages, put_on(at("web-b", 3, ITO, 20), false));
        assert_eq!(refused, Err(Code::DeviceElsewhere));
        let other = HangOn { model: "Nonin".into(), ..at("web-c", 4, ITO, 20) };
        assert_eq!(did(&mut pages, put_on(other, false)), Ok(1), "no cuff");
        assert_eq!(did(&mut pages, put_on(at("web-b", 5, ITO, 30), true)), Ok(3));
        let on: Vec<_> = pages.at_pages.on().map(|known| known.on.subject).collect();
        assert_eq!(on, [ITO, ITO]);
    }

    #[test]
    fn a_run_that_was_declined_is_on_nobody_whatever_its_page_hands_in() {
        let mut pages = Gateway::default();
        assert_eq!(did(&mut pages, Command::HangOff(off(1, 20))), Ok(1));
        assert_eq!(did(&mut pages, Command::HangOff(off(1, 21))), Ok(0), "said again");
        assert_eq!(did(&mut pages, put_on(on(1, SATO, 10), false)), Ok(0));
        assert_eq!(pages.at_pages.on().count(), 0);
        assert_eq!(did(&mut pages, put_on(on(2, SATO, 30), false)), Ok(1), "anew it is");
    }

    #[test]
    fn of_too_many_those_that_came_off_are_forgotten_first() {
        let mut pages = AtPages::default();
        pages.hung_on(&on(1, SATO, 0));
        for run in 0..HANGINGS_MAX {
            let run = Hex(u64::try_from(run + 2).expect("few").to_be_bytes());
            pages.hung_on(&HangOn { run, ..on(1, SATO, 1) });
            pages.came_off(&HangOff { run, ..off(1, 2) });
        }
        assert_eq!(pages.known.len(), HANGINGS_MAX);
        assert_eq!(pages.on().count(), 1, "what is on somebody stays");
    }

    #[test]
    fn silence_is_as_long_as_at_a_box() {
        assert_eq!(SILENCE_UNBINDS, minato_devices::binding::SILENCE_UNBINDS);
    }
}
