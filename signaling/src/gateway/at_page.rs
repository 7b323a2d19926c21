//! PURE: which devices of a site hang at a page, and whose each is. There is no box that could decide
//! it, so the broker does, by the same rules: on at most one person, because somebody said so.

use minato_protocol::reading::{DeviceId, Hex};
use minato_protocol::uplink::UnboundWhy;
use minato_protocol::{Code, Span, StaffId, SubjectId, Timestamp};
use serde::{Deserialize, Serialize};

/// A worn device that gave no value for so long may be on somebody else by now: it comes off, as at
/// a box.
pub const SILENCE_UNBINDS: Span = Span::minutes(2);
/// Devices at pages that are remembered of a site. When there are more, the oldest that came off is
/// forgotten here, and the oldest at all if every one is on; what is still handed in of it is nobody's.
pub const HANGINGS_MAX: usize = 256;

/// Somebody connected a device to a page, beside one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HangOn {
    /// Which device: the browser's own name for it.
    pub device: DeviceId,
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

impl Hanging {
    /// Whether what was received at a moment belongs to whom it is on.
    pub fn covers(&self, at: Timestamp) -> bool {
        self.on.since <= at && self.off.as_ref().is_none_or(|off| at <= off.at)
    }
}

/// The last of them, the oldest first.
///
/// Law: **a device at a page is on at most one person, and a run that came off never comes on
/// again.** Whoever connects it anew says anew whose it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AtPages(Vec<Hanging>);

impl AtPages {
    /// What is known of one of the page's runs.
    pub fn of_run(&self, device: &DeviceId, run: Hex<8>) -> Option<&Hanging> {
        self.of(device).find(|hanging| hanging.on.run == run)
    }

    /// Everything that is known of a device, the oldest first.
    pub fn of(&self, device: &DeviceId) -> impl Iterator<Item = &Hanging> {
        self.0.iter().filter(move |hanging| hanging.on.device == *device)
    }

    /// Everything that is on somebody.
    pub fn on(&self) -> impl Iterator<Item = &Hanging> {
        self.0.iter().filter(|hanging| hanging.off.is_none())
    }

    /// What would happen when it is put on. On somebody else it stays, unless somebody confirmed
    /// that it comes off there.
    pub(super) fn put_on(&self, on: &HangOn, takes_over: bool) -> Result<Vec<super::Event>, Code> {
        if let Some(known) = self.of_run(&on.device, on.run) {
            let is_same = known.on.subject == on.subject;
            return if is_same { Ok(Vec::new()) } else { Err(Code::DeviceElsewhere) };
        }
        let mut events = Vec::new();
        for before in self.on().filter(|hanging| hanging.on.device == on.device) {
            let is_same = before.on.subject == on.subject;
            if !is_same && !takes_over {
                return Err(Code::DeviceElsewhere);
            }
            let why = if is_same { UnboundWhy::Asked } else { UnboundWhy::TakenOver };
            let (device, run) = (on.device.clone(), before.on.run);
            let off = HangOff { device, run, by: on.by, at: on.since, why };
            events.push(super::Event::CameOff(off));
        }
        events.push(super::Event::HungOn(on.clone()));
        Ok(events)
    }

    /// What would happen when it comes off; nothing for what did already.
    pub(super) fn take_off(&self, off: &HangOff) -> Vec<super::Event> {
        let is_on = self.of_run(&off.device, off.run).is_some_and(|known| known.off.is_none());
        Vec::from_iter(is_on.then(|| super::Event::CameOff(off.clone())))
    }

    pub(super) fn hung_on(&mut self, on: &HangOn) {
        if self.0.len() >= HANGINGS_MAX {
            let oldest = self.0.iter().position(|hanging| hanging.off.is_some());
            self.0.remove(oldest.unwrap_or(0));
        }
        self.0.push(Hanging { on: on.clone(), off: None });
    }

    pub(super) fn came_off(&mut self, off: &HangOff) {
        let of_run = |known: &&mut Hanging| {
            known.on.device == off.device && known.on.run == off.run && known.off.is_none()
        };
        self.0.iter_mut().filter(of_run).for_each(|known| known.off = Some(off.clone()));
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
        HangOn { device, run, subject, by, since }
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
    fn of_too_many_those_that_came_off_are_forgotten_first() {
        let mut pages = AtPages::default();
        pages.hung_on(&on(1, SATO, 0));
        for run in 0..HANGINGS_MAX {
            let run = Hex(u64::try_from(run + 2).expect("few").to_be_bytes());
            pages.hung_on(&HangOn { run, ..on(1, SATO, 1) });
            pages.came_off(&HangOff { run, ..off(1, 2) });
        }
        assert_eq!(pages.0.len(), HANGINGS_MAX);
        assert_eq!(pages.on().count(), 1, "what is on somebody stays");
    }

    #[test]
    fn silence_is_as_long_as_at_a_box() {
        assert_eq!(SILENCE_UNBINDS, minato_devices::binding::SILENCE_UNBINDS);
    }
}
