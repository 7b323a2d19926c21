//! PURE: which device is on whom. The gateway is the authority: what it writes into its outbox is
//! the truth, and a device is on at most one subject.

use minato_protocol::reading::{DeviceId, RequestKey};
use minato_protocol::uplink::{Entry, RequestRefusal, UnboundWhy};
use minato_protocol::{StaffId, SubjectId, Timestamp};
use std::collections::BTreeMap;

/// A device is on a subject since a moment, because somebody said so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// On whom.
    pub subject: SubjectId,
    /// Since when, by the gateway's clock.
    pub since: Timestamp,
    /// Who said so.
    pub by: StaffId,
}

/// All bindings of a gateway. `bind` and `unbind` only say what would be written; [`Self::apply`]
/// makes it so once it is on the disk.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bindings {
    binding_by_device: BTreeMap<DeviceId, Binding>,
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
}

impl Bindings {
    /// What would be written. A device that is on somebody else has to be taken off first; the
    /// same subject again keeps the moment since which it counts.
    pub fn decide(&self, request: BindRequest, now: Timestamp) -> Result<Entry, RequestRefusal> {
        let BindRequest { key, device, subject, by, takes_over: _ } = request;
        match (self.of(&device).copied(), subject) {
            (None, Some(subject)) => Ok(Entry::Bound { key, device, subject, since: now, by }),
            (Some(now_on), Some(subject)) if now_on.subject == subject => {
                Ok(Entry::Bound { key, device, subject, since: now_on.since, by: now_on.by })
            }
            (Some(_), Some(_)) => Err(RequestRefusal::BoundElsewhere),
            (Some(Binding { subject, .. }), None) => {
                Ok(Entry::Unbound { key, device, subject, by, why: UnboundWhy::Asked })
            }
            (None, None) => Err(RequestRefusal::NotBound),
        }
    }

    /// Takes over what was written.
    pub fn apply(&mut self, entry: &Entry) {
        match entry {
            Entry::Bound { device, subject, since, by, .. } => {
                let binding = Binding { subject: *subject, since: *since, by: *by };
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
        Self { binding_by_device: all.into_iter().collect() }
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

    fn request(subject: Option<SubjectId>) -> BindRequest {
        BindRequest {
            key: "k".parse().expect("a key"),
            device: cuff(),
            subject,
            by: NURSE,
            takes_over: false,
        }
    }

    fn bound(subject: SubjectId, since: i64) -> Bindings {
        let mut bindings = Bindings::default();
        let entry = bindings.decide(request(Some(subject)), Timestamp(since)).expect("free");
        bindings.apply(&entry);
        bindings
    }

    #[test]
    fn a_device_on_one_patient_cannot_be_put_on_another() {
        let refused = bound(SATO, 10).decide(request(Some(ITO)), Timestamp(20));
        assert_eq!(refused, Err(RequestRefusal::BoundElsewhere));
    }

    #[test]
    fn saying_the_same_patient_again_keeps_the_moment_since_which_it_counts() {
        let mut bindings = bound(SATO, 10);
        let again = bindings.decide(request(Some(SATO)), Timestamp(20)).expect("the same");
        bindings.apply(&again);
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
