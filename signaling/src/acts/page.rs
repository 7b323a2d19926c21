//! Verbs about devices that hang at the nurse's page itself, and what the page hands in of them.

use super::{Acted, Press};
use crate::gateway::{HangOff, HangOn, PageFrames, Pages, Received};
use crate::readers::PageFrame;
use minato_protocol::act::{HandedFrame, Outcome};
use minato_protocol::reading::{DeviceId, Hex, Outcome as Measured, Quality};
use minato_protocol::uplink::UnboundWhy;
use minato_protocol::{Code, Role, SiteId, Span, TicketId, Timestamp};

/// Frames of one press.
const FRAMES_MAX: usize = 64;
/// The longest attribute that Bluetooth carries.
const FRAME_BYTES_MAX: usize = 512;
/// Characters of a maker's model name.
const MODEL_CHARS_MAX: usize = 40;
/// No page was cut off for longer than this and kept its frames: an older moment is a wrong clock.
const PAGE_AGE_MAX: Span = Span::minutes(24 * 60);
/// A page's clock may run ahead by so much, as far as it knows the broker's.
const PAGE_AHEAD_MAX: Span = Span::seconds(15);

impl Press<'_> {
    pub(super) fn pages(&self, site: SiteId) -> Pages<'_> {
        Pages { desk: &self.edge.desk, readings: &self.edge.readings, site }
    }

    /// The nurse says whose a device is that she connected to her page.
    pub(super) async fn attach_here(
        &self,
        ticket: TicketId,
        (device, model, run): (DeviceId, String, Hex<8>),
        at: Timestamp,
        takes_over: bool,
    ) -> Acted {
        let (_, known) = self.ticket(ticket).await?;
        let by = self.nurse_of(&known)?;
        if known.is_over() {
            return Err(Code::TicketOver.into());
        }
        if !is_line(&model) {
            return Err(Code::FieldWrong.into());
        }
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let since = self.bounded(at).unwrap_or(self.edge.desk.clock.now());
        let on = HangOn { device, model, run, subject: known.subject, by, since };
        self.pages(site).hang_on(on, takes_over).await?;
        Ok(Outcome::Done)
    }

    /// It came off; one that never was on in this run is declined.
    pub(super) async fn detach_here(
        &self,
        (device, run): (DeviceId, Hex<8>),
        at: Timestamp,
        silent: bool,
    ) -> Acted {
        let by = self.staff_in(Role::Nurse)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let at = self.bounded(at).unwrap_or(self.edge.desk.clock.now());
        let why = if silent { UnboundWhy::Silent } else { UnboundWhy::Asked };
        self.pages(site).hang_off(HangOff { device, run, by, at, why }).await?;
        Ok(Outcome::Done)
    }

    /// The nurse holds the device: its frames are this patient's from the moment at which she put it
    /// on until it came off. What the device had measured before, and sends from its memory, is
    /// nobody's until she says whose; so is what comes after the visit.
    pub(super) async fn hand_frames(
        &self,
        ticket: TicketId,
        device: DeviceId,
        model: String,
        frames: Vec<HandedFrame>,
    ) -> Acted {
        let (_, known) = self.ticket(ticket).await?;
        let by = self.nurse_of(&known)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let received = self.read(&device, &model, &frames)?;
        let (subject, is_over) = (known.subject, known.is_over());
        let handed = PageFrames { device, model, subject, by, is_over, received };
        let into = (&*self.edge.gateways, &self.edge.held);
        let is_on = self.pages(site).take_in(handed, into).await?;
        Ok(if is_on { Outcome::Done } else { Outcome::CameOff })
    }

    /// All frames or none.
    fn read(
        &self,
        device: &DeviceId,
        model: &str,
        frames: &[HandedFrame],
    ) -> Result<Vec<Received>, Code> {
        let fits = |frame: &HandedFrame| frame.bytes.0.len() <= FRAME_BYTES_MAX;
        let is_many = !(1..=FRAMES_MAX).contains(&frames.len());
        if is_many || !frames.iter().all(fits) || !is_line(model) {
            return Err(Code::FieldWrong);
        }
        frames.iter().map(|frame| self.read_one(device, model, frame)).collect()
    }

    fn read_one(
        &self,
        device: &DeviceId,
        model: &str,
        frame: &HandedFrame,
    ) -> Result<Received, Code> {
        let told = self.bounded(frame.at);
        let at = told.unwrap_or(self.edge.desk.clock.now());
        let (run, sequence, is_timed) = (frame.boot, frame.sequence, told.is_some());
        let read = (self.edge.readers.frame)(&PageFrame {
            device,
            model,
            characteristic: &frame.characteristic,
            bytes: &frame.bytes.0,
            boot: run,
            sequence,
            at,
        });
        let mut outcome = read.ok_or(Code::FrameRefused)?;
        let is_live = is_live(&outcome);
        if !is_timed {
            remark(&mut outcome, Quality::ClockCorrected);
        }
        Ok(Received { run, sequence, at, is_timed, is_live, outcome })
    }

    /// What a page says of when; nothing where its clock cannot be right. A little ahead is now:
    /// nothing was received in the future.
    fn bounded(&self, at: Timestamp) -> Option<Timestamp> {
        let now = self.edge.desk.clock.now();
        let may_be = now - PAGE_AGE_MAX <= at && at <= now + PAGE_AHEAD_MAX;
        may_be.then(|| at.min(now))
    }
}

fn is_line(model: &str) -> bool {
    model.chars().count() <= MODEL_CHARS_MAX && !model.chars().any(char::is_control)
}

/// Whether a device says when it measured: what comes from a memory without a usable time may have
/// been measured at any time.
fn is_live(outcome: &Measured) -> bool {
    let (quality, characteristic) = match outcome {
        Measured::Reading(reading) => (&reading.quality, reading.characteristic),
        Measured::Fault(fault) => (&fault.quality, fault.characteristic),
    };
    let untold = [Quality::ClockUnknown, Quality::ClockAhead, Quality::FromStorage];
    characteristic.is_running() || !quality.iter().any(|it| untold.contains(it))
}

fn remark(outcome: &mut Measured, remark: Quality) {
    let quality = match outcome {
        Measured::Reading(reading) => &mut reading.quality,
        Measured::Fault(fault) => &mut fault.quality,
    };
    if !quality.contains(&remark) {
        quality.push(remark);
    }
}
