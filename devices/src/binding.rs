//! PURE: which device is on whom. The gateway is the authority: what it writes into its outbox is
//! the truth, and a device is on at most one subject.

use minato_protocol::reading::{DeviceId, DeviceKind, RequestKey};
use minato_protocol::uplink::{Entry, RequestRefusal, UnboundWhy};
use minato_protocol::{Span, StaffId, SubjectId, Timestamp};
use std::collections::BTreeMap;

/// A worn device that gave no value for so long may be on somebody else by now: it comes off. Long
/// enough to wash a hand and clip the sensor on again.
pub const SILENCE_UNBINDS: Span = Span::minutes(2);
/// Who says so when nobody pressed.
const BY_THE_GATEWAY: StaffId = StaffId(0);

/// A device is on a subject since a moment, because somebody said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// On whom.
    pub subject: SubjectId,
    /// Since when readings count, by the gateway's clock.
    pub since: Timestamp,
    /// Since when it has been on: earlier than `since` where the gateway's clock was set in between.
    pub put_on: Timestamp,
    /// Who said so.
    pub by: StaffId,
}

/// All bindings of a gateway. `bind` and `unbind` only say what would be written; [`Self::apply`]
/// makes it so once it is on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bindings {
    binding_by_device: BTreeMap<DeviceId, Binding>,
    kind_by_device: BTreeMap<DeviceId, DeviceKind>,
}

/// What somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BindRequest {
    /// Repeating it changes nothing.
    pub key: RequestKey,
    /// Which device.
    pub device: DeviceId,
    /// On whom; nobody: take it off.
    pub subject: Option<SubjectId>,
    /// Who says so.
    pub by: StaffId,
    /// Somebody confirmed that it comes off whoever it is on.
    pub takes_over: bool,
    /// Where it is to come off: only if it is on this person, and not if it is on another by now.
    pub only_off: Option<SubjectId>,
}

impl BindRequest {
    /// Takes a device off.
    pub fn off(key: RequestKey, device: DeviceId, by: StaffId) -> Self {
        Self { key, device, subject: None, by, takes_over: false, only_off: None }
    }
}

impl Bindings {
    /// Knows of what kind a device is.
    pub fn learn(&mut self, device: &DeviceId, kind: DeviceKind) {
        self.kind_by_device.insert(device.clone(), kind);
    }

    /// What would be written, in this order. A device that is on somebody else has to be taken off
    /// first, unless somebody confirmed it; the same subject again keeps the moment since which it
    /// counts. Another device of its kind that is on the same person comes off: nobody wears two
    /// cuffs.
    pub fn decide(
        &self,
        request: BindRequest,
        now: Timestamp,
    ) -> Result<Vec<Entry>, RequestRefusal> {
        let BindRequest { key, device, subject, by, takes_over, only_off } = request;
        let on = self.of(&device).copied();
        let Some(subject) = subject else {
            let on = on.filter(|on| only_off.is_none_or(|whom| whom == on.subject));
            let on = on.ok_or(RequestRefusal::NotBound)?;
            let why = UnboundWhy::Asked;
            return Ok(vec![Entry::Unbound { key, device, subject: on.subject, by, why }]);
        };
        if let Some(on) = on.filter(|on| on.subject == subject) {
            return Ok(vec![Entry::Bound { key, device, subject, since: on.since, by: on.by }]);
        }
        let mut entries = Vec::new();
        if let Some(on) = on {
            if !takes_over {
                return Err(RequestRefusal::BoundElsewhere);
            }
            let why = UnboundWhy::TakenOver;
            let (key, device) = (key.clone(), device.clone());
            entries.push(Entry::Unbound { key, device, subject: on.subject, by, why });
        }
        entries.extend(self.peers_on(&device, subject).map(|peer| Entry::Unbound {
            key: key.clone(),
            device: peer.clone(),
            subject,
            by,
            why: UnboundWhy::Swapped,
        }));
        entries.push(Entry::Bound { key, device, subject, since: now, by });
        Ok(entries)
    }

    /// Other devices of its kind that this subject wears.
    fn peers_on(&self, device: &DeviceId, subject: SubjectId) -> impl Iterator<Item = &DeviceId> {
        let kind = self.kind_by_device.get(device);
        let worn = self.iter().filter(move |(_, on)| on.subject == subject);
        let others = worn.map(|(peer, _)| peer).filter(move |peer| *peer != device);
        others.filter(move |peer| kind.is_some() && self.kind_by_device.get(*peer) == kind)
    }

    /// What would be written when the machine has started anew and nobody knows how long it was off:
    /// what is worn may be on somebody else by now.
    pub fn machine_off(&self, key: &RequestKey) -> Vec<Entry> {
        let is_worn =
            |device: &DeviceId| self.kind_by_device.get(device).is_some_and(|k| k.is_worn());
        let worn = self.iter().filter(|(device, _)| is_worn(device));
        let off = worn.map(|(device, on)| {
            let (key, device, why) = (key.clone(), device.clone(), UnboundWhy::Silent);
            Entry::Unbound { key, device, subject: on.subject, by: BY_THE_GATEWAY, why }
        });
        off.collect()
    }

    /// Whom a device is on, if it has been silent there for so long that it may be on somebody else
    /// by now. It last gave a value at `valued_at`; whoever got it later than that has had it since.
    pub fn silent_on(
        &self,
        device: &DeviceId,
        valued_at: Timestamp,
        now: Timestamp,
    ) -> Option<SubjectId> {
        let on = self.of(device)?;
        let silent_since = on.put_on.max(valued_at);
        (now - silent_since > SILENCE_UNBINDS).then_some(on.subject)
    }

    /// What would be written then.
    pub fn silent(
        &self,
        device: &DeviceId,
        valued_at: Timestamp,
        now: Timestamp,
        key: RequestKey,
    ) -> Option<Entry> {
        let subject = self.silent_on(device, valued_at, now)?;
        let (device, by, why) = (device.clone(), BY_THE_GATEWAY, UnboundWhy::Silent);
        Some(Entry::Unbound { key, device, subject, by, why })
    }

    /// The gateway's own clock was set forward by this much.
    pub fn shift(&mut self, by: Span) {
        for on in self.binding_by_device.values_mut() {
            on.put_on = on.put_on + by;
        }
    }

    /// What would be written when the gateway's own clock was set: moments by the clock before say
    /// nothing beside moments by the new one. Every device stays where it is and counts from now on;
    /// what is measured before now is nobody's until somebody says.
    pub fn clock_set(&self, now: Timestamp, key: &RequestKey) -> Vec<Entry> {
        let again = |(device, on): (&DeviceId, &Binding)| Entry::Bound {
            key: key.clone(),
            device: device.clone(),
            subject: on.subject,
            since: now,
            by: on.by,
        };
        self.iter().map(again).collect()
    }

    /// Takes over what was written.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Bound { device, subject, since, by, .. } => {
                let before = self.of(device).filter(|on| on.subject == *subject);
                let put_on = before.map_or(*since, |on| on.put_on);
                let binding = Binding { subject: *subject, since: *since, put_on, by: *by };
                self.binding_by_device.insert(device.clone(), binding);
            }
            Entry::Unbound { device, .. } => {
                self.binding_by_device.remove(device);
            }
            Entry::Measured { .. } => {}
        }
    }

    /// Whom the device is on now.
    pub fn of(&self, device: &DeviceId) -> Option<&Binding> {
        self.binding_by_device.get(device)
    }

    /// Whose a measurement is: the subject who has worn the device for all of it. A measurement
    /// that began before the binding, or comes from before it, is nobody's until somebody says.
    pub fn wearer(
        &self,
        device: &DeviceId,
        began_at: Timestamp,
        measured_at: Timestamp,
    ) -> Option<SubjectId> {
        let binding = self.of(device)?;
        let covers = binding.since <= began_at && binding.since <= measured_at;
        covers.then_some(binding.subject)
    }

    /// Every binding.
    pub fn iter(&self) -> impl Iterator<Item = (&DeviceId, &Binding)> {
        self.binding_by_device.iter()
    }
}

impl FromIterator<(DeviceId, Binding)> for Bindings {
    fn from_iter<I: IntoIterator<Item = (DeviceId, Binding)>>(all: I) -> Self {
        Self { binding_by_device: all.into_iter().collect(), kind_by_device: BTreeMap::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SATO: SubjectId = SubjectId(1);
    const ITO: SubjectId = SubjectId(2);
    const NURSE: StaffId = StaffId(9);

    fn cuff() -> DeviceId {
        "cuff".parse().expect("an id")
    }

    fn other_cuff() -> DeviceId {
        "other-cuff".parse().expect("an id")
    }

    fn key() -> RequestKey {
        "k".parse().expect("a key")
    }

    fn request(subject: Option<SubjectId>) -> BindRequest {
        BindRequest { subject, ..BindRequest::off(key(), cuff(), NURSE) }
    }

    fn ask(bindings: &mut Bindings, request: BindRequest, now: i64) -> Vec<Entry> {
        let entries = bindings.decide(request, Timestamp(now)).expect("it may");
        entries.iter().for_each(|entry| bindings.apply(entry));
        entries
    }

    fn bound(subject: SubjectId, since: i64) -> Bindings {
        let mut bindings = Bindings::default();
        ask(&mut bindings, request(Some(subject)), since);
        bindings
    }

    fn came_off(entries: &[Entry]) -> Vec<(DeviceId, SubjectId, UnboundWhy)> {
        let off = entries.iter().filter_map(|entry| match entry {
            Entry::Unbound { device, subject, why, .. } => Some((device.clone(), *subject, *why)),
            Entry::Bound { .. } | Entry::Measured { .. } => None,
        });
        off.collect()
    }

    #[test]
    fn a_device_on_one_patient_cannot_be_put_on_another() {
        let refused = bound(SATO, 10).decide(request(Some(ITO)), Timestamp(20));
        assert_eq!(refused, Err(RequestRefusal::BoundElsewhere));
    }

    #[test]
    fn a_wish_to_take_it_off_one_patient_leaves_it_on_another() {
        let off = |whom| BindRequest { only_off: Some(whom), ..request(None) };
        let bindings = bound(SATO, 10);
        let refused = bindings.decide(off(ITO), Timestamp(20));
        assert_eq!(refused, Err(RequestRefusal::NotBound));
        let entries = bindings.decide(off(SATO), Timestamp(20)).expect("it is hers");
        assert_eq!(came_off(&entries), [(cuff(), SATO, UnboundWhy::Asked)]);
    }

    #[test]
    fn a_device_that_somebody_takes_over_comes_off_the_first_patient_before_it_is_on_the_second() {
        let mut bindings = bound(SATO, 10);
        let takes_over = BindRequest { takes_over: true, ..request(Some(ITO)) };
        let entries = ask(&mut bindings, takes_over, 20);
        assert_eq!(came_off(&entries), [(cuff(), SATO, UnboundWhy::TakenOver)]);
        assert_eq!(bindings.wearer(&cuff(), Timestamp(20), Timestamp(20)), Some(ITO));
        assert_eq!(bindings.wearer(&cuff(), Timestamp(19), Timestamp(21)), None);
    }

    #[test]
    fn a_second_cuff_on_the_same_patient_takes_the_first_one_off() {
        let mut bindings = bound(SATO, 10);
        bindings.learn(&cuff(), DeviceKind::Cuff);
        bindings.learn(&other_cuff(), DeviceKind::Cuff);
        let swap = BindRequest { device: other_cuff(), ..request(Some(SATO)) };
        let entries = ask(&mut bindings, swap, 20);
        assert_eq!(came_off(&entries), [(cuff(), SATO, UnboundWhy::Swapped)]);
        assert_eq!(bindings.of(&cuff()), None);
        assert_eq!(came_off(&ask(&mut bindings, request(Some(ITO)), 30)), []);
    }

    #[test]
    fn an_oximeter_and_a_cuff_are_on_one_patient() {
        let mut bindings = bound(SATO, 10);
        bindings.learn(&cuff(), DeviceKind::Cuff);
        bindings.learn(&other_cuff(), DeviceKind::Oximeter);
        let oximeter = BindRequest { device: other_cuff(), ..request(Some(SATO)) };
        assert_eq!(came_off(&ask(&mut bindings, oximeter, 20)), []);
    }

    #[test]
    fn a_machine_that_was_off_for_nobody_knows_how_long_takes_off_what_is_worn_and_leaves_cuffs() {
        let mut bindings = bound(SATO, 10);
        bindings.learn(&cuff(), DeviceKind::Cuff);
        bindings.learn(&other_cuff(), DeviceKind::Oximeter);
        ask(&mut bindings, BindRequest { device: other_cuff(), ..request(Some(SATO)) }, 20);
        let entries = bindings.machine_off(&key());
        assert_eq!(came_off(&entries), [(other_cuff(), SATO, UnboundWhy::Silent)]);
    }

    #[test]
    fn silence_takes_a_device_off_unless_it_was_put_on_somebody_since() {
        let bindings = bound(SATO, 10);
        let silent =
            |valued_at, now| bindings.silent(&cuff(), Timestamp(valued_at), Timestamp(now), key());
        let off = silent(50, 51 + SILENCE_UNBINDS.0).expect("it comes off");
        assert_eq!(came_off(&[off]), [(cuff(), SATO, UnboundWhy::Silent)]);
        assert_eq!(silent(50, 50 + SILENCE_UNBINDS.0), None);
        // It was silent before it came on: that was somebody else's silence.
        assert_eq!(silent(-900_000, 10 + SILENCE_UNBINDS.0), None);
        assert!(silent(-900_000, 11 + SILENCE_UNBINDS.0).is_some());
    }

    #[test]
    fn a_gateway_whose_clock_was_set_counts_every_binding_from_then_on() {
        let day = 86_400_000;
        let mut bindings = bound(SATO, day);
        // Set back by a day, half a second after the cuff was put on.
        bindings.shift(Span(-day));
        let entries = bindings.clock_set(Timestamp(500), &key());
        entries.iter().for_each(|entry| bindings.apply(entry));
        assert_eq!(bindings.of(&cuff()).map(|on| on.put_on), Some(Timestamp(0)));
        assert_eq!(bindings.wearer(&cuff(), Timestamp(499), Timestamp(600)), None);
        assert_eq!(bindings.wearer(&cuff(), Timestamp(500), Timestamp(600)), Some(SATO));
    }

    #[test]
    fn saying_the_same_patient_again_keeps_the_moment_since_which_it_counts() {
        let mut bindings = bound(SATO, 10);
        ask(&mut bindings, request(Some(SATO)), 20);
        assert_eq!(bindings.of(&cuff()).map(|binding| binding.since), Some(Timestamp(10)));
    }

    #[test]
    fn a_reading_from_before_the_binding_is_nobodys() {
        let bindings = bound(SATO, 10);
        assert_eq!(bindings.wearer(&cuff(), Timestamp(9), Timestamp(9)), None);
        assert_eq!(bindings.wearer(&cuff(), Timestamp(10), Timestamp(10)), Some(SATO));
    }

    #[test]
    fn a_measurement_that_began_on_the_previous_arm_is_nobodys() {
        let bindings = bound(SATO, 10);
        assert_eq!(bindings.wearer(&cuff(), Timestamp(5), Timestamp(15)), None);
    }
}
