//! Who attached what to a person, and when: the last of it, for the doctor.

use minato_protocol::reading::{DeviceId, Hex};
use minato_protocol::uplink::UnboundWhy;
use minato_protocol::{StaffId, Timestamp};

/// Attachments that are remembered of a person. When there are more, the oldest is forgotten here;
/// the stream keeps it.
pub const ATTACHMENTS_MAX: usize = 32;

/// A device on a person, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Which device.
    pub device: DeviceId,
    /// Who said so.
    pub by: StaffId,
    /// Since when, by the gateway's clock.
    pub since: Timestamp,
    /// The run of the page that it hangs at; none at a gateway.
    pub run: Option<Hex<8>>,
    /// Until when, and why.
    pub until: Option<(Timestamp, UnboundWhy)>,
}

/// The last attachments, the oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachments(Vec<Attachment>);

impl Attachments {
    /// All that are remembered, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Attachment> {
        self.0.iter()
    }

    /// Whether a device came on, and that was not known: what is delivered again is not, nor what
    /// is older than all that is remembered.
    pub(super) fn is_news(&self, device: &DeviceId, since: Timestamp, run: Option<Hex<8>>) -> bool {
        let is_known = |known: &Attachment| {
            let same_run = run.is_some() && known.run == run;
            known.device == *device && (known.since == since || same_run)
        };
        let is_forgotten = self.0.len() >= ATTACHMENTS_MAX
            && self.0.first().is_some_and(|first| since < first.since);
        !is_forgotten && !self.0.iter().any(is_known)
    }

    /// Whether a device came off that was on.
    pub(super) fn is_on(&self, device: &DeviceId, at: Timestamp) -> bool {
        let ended_then = |known: &&Attachment| known.until.is_some_and(|(until, _)| until == at);
        let mut of_device = self.0.iter().filter(|known| known.device == *device);
        // One that came on again in the very millisecond is not taken off by a repetition.
        !of_device.clone().any(|known| ended_then(&known))
            && of_device.any(|known| known.until.is_none() && known.since <= at)
    }

    pub(super) fn put_on(&mut self, new: Attachment) {
        // Whatever said that it came off before is not on its way any more.
        self.take_off(&new.device, new.since, UnboundWhy::Asked);
        let place = self.0.partition_point(|known| known.since <= new.since);
        self.0.insert(place, new);
        if self.0.len() > ATTACHMENTS_MAX {
            self.0.remove(0);
        }
    }

    pub(super) fn take_off(&mut self, device: &DeviceId, at: Timestamp, why: UnboundWhy) {
        let is_on = |known: &&mut Attachment| {
            known.device == *device && known.until.is_none() && known.since <= at
        };
        self.0.iter_mut().filter(is_on).for_each(|known| known.until = Some((at, why)));
    }
}
