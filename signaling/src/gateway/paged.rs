//! Devices at a site's pages: put on and taken off by what is said of them, and what a page hands in
//! is its person's only while the device was on that person. All else is held at the site like a
//! box's: kept with device and time, until somebody says whose it is.

use super::at_page::{HangOff, HangOn, Hanging, SILENCE_UNBINDS};
use super::delivery::{Origin, take_in};
use super::held::boxes;
use super::{Command, Gateways, Held};
use crate::desk::Desk;
use crate::log::StreamId;
use crate::readings::Readings;
use crate::subject::Command as Note;
use minato_protocol::reading::{DeviceId, Hex, Outcome};
use minato_protocol::uplink::{Entry, OutboxEntry, UnboundWhy};
use minato_protocol::{Code, GatewayId, SiteId, StaffId, SubjectId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Who says so when nobody pressed: the service.
const BY_THE_SERVICE: StaffId = StaffId(0);

/// The pages of one site.
pub(crate) struct Pages<'a> {
    pub(crate) desk: &'a Desk,
    pub(crate) readings: &'a Readings,
    pub(crate) site: SiteId,
}

/// A frame of a page, read.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// The page's run.
    pub(crate) run: Hex<8>,
    /// Count of frames in this run.
    pub(crate) sequence: u64,
    /// When the page received it; now, where its clock cannot be right.
    pub(crate) at: Timestamp,
    /// Whether that is the page's own word.
    pub(crate) is_timed: bool,
    /// It was measured while the page was connected, by all that its device says.
    pub(crate) is_live: bool,
    /// What it says.
    pub(crate) outcome: Outcome,
}

/// What a page hands in of one device, beside one patient.
pub(crate) struct PageFrames {
    pub(crate) device: DeviceId,
    pub(crate) model: String,
    pub(crate) subject: SubjectId,
    pub(crate) by: StaffId,
    /// The visit is over: nothing is put on any more.
    pub(crate) is_over: bool,
    pub(crate) received: Vec<Received>,
}

impl Pages<'_> {
    /// Puts a device on. `DeviceElsewhere`: it is on somebody else, and nobody confirmed that it comes
    /// off there; whoever's visit is over has it no more.
    pub(crate) async fn hang_on(&self, on: HangOn, takes_over: bool) -> Result<(), Code> {
        let command = Command::HangOn { on: on.clone(), takes_over };
        let alike = self.alike(&on).await?.into_iter().map(|hanging| hanging.on.device);
        let devices: BTreeSet<_> = alike.chain([on.device.clone()]).collect();
        match self.submit(command.clone()).await {
            Err(Code::DeviceElsewhere) => {
                self.end_alike(&on).await?;
                self.submit(command).await?;
            }
            said => said?,
        }
        for device in devices {
            self.tell(&device).await?;
        }
        Ok(())
    }

    /// Takes a device off, if it is on in this run.
    pub(crate) async fn hang_off(&self, off: HangOff) -> Result<(), Code> {
        let device = off.device.clone();
        self.submit(Command::HangOff(off)).await?;
        self.tell(&device).await
    }

    /// 別の方です: every device of a subject comes off.
    pub(crate) async fn take_off(&self, subject: SubjectId) -> Result<(), Code> {
        let now = self.desk.clock.now();
        for hanging in self.on().await?.into_iter().filter(|known| known.on.subject == subject) {
            self.hang_off(asked(&hanging, now)).await?;
        }
        Ok(())
    }

    /// Stores what a page hands in: durable when it answers; repeated, it changes nothing. Answers
    /// whether the device is still on this patient.
    pub(crate) async fn take_in(
        &self,
        frames: PageFrames,
        into: (&Gateways, &Held),
    ) -> Result<bool, Code> {
        let Some(last) = frames.received.last().map(|received| received.run) else {
            return Ok(true);
        };
        self.connect(&frames).await?;
        self.end_silence(&frames).await?;
        let known = self.known(&frames.device).await?;
        let of_run = |run| known.iter().find(|hanging| hanging.on.run == run);
        let is_own = |received: &Received| {
            of_run(received.run).is_some_and(|on| belongs(received, on, frames.subject))
        };
        let (own, nobodys): (Vec<_>, Vec<_>) = frames.received.into_iter().partition(is_own);
        let nobodys = self.unknown(frames.subject, nobodys).await?;
        self.hold(nobodys, into).await?;
        let own = own.into_iter().map(|received| received.outcome).collect();
        let now = self.desk.clock.now();
        self.readings.store(self.desk, frames.subject, now, own).await?;
        let is_on = |on: &Hanging| on.off.is_none() && on.on.subject == frames.subject;
        Ok(of_run(last).is_some_and(is_on))
    }

    /// A page of before pages said so themselves: its first frame is its nurse's word. One that is on
    /// somebody else, or came off, stays as it is.
    async fn connect(&self, frames: &PageFrames) -> Result<(), Code> {
        if frames.is_over {
            return self.end_alone(frames).await;
        }
        let mut since_by_run = BTreeMap::new();
        for Received { run, at, .. } in &frames.received {
            let since = since_by_run.entry(*run).or_insert(*at);
            *since = (*at).min(*since);
        }
        for (run, since) in since_by_run {
            let (device, model) = (frames.device.clone(), frames.model.clone());
            let (subject, by) = (frames.subject, frames.by);
            match self.hang_on(HangOn { device, model, run, subject, by, since }, false).await {
                Ok(()) | Err(Code::DeviceElsewhere) => {}
                Err(code) => return Err(code),
            }
        }
        Ok(())
    }

    /// The visit is over: nothing is put on any more, and the device came off when it ended.
    async fn end_alone(&self, frames: &PageFrames) -> Result<(), Code> {
        let is_on = |on: &Hanging| on.off.is_none() && on.on.subject == frames.subject;
        for hanging in self.known(&frames.device).await?.into_iter().filter(is_on) {
            self.end_with_the_visit(&hanging).await?;
        }
        Ok(())
    }

    /// A worn device that was silent for too long came off, by the times at which its frames were
    /// received: a page that was cut off for an hour and hands in an hour of values was not silent.
    async fn end_silence(&self, frames: &PageFrames) -> Result<(), Code> {
        let is_worn = |received: &&Received| received.outcome.device().kind.is_worn();
        let mut worn: Vec<_> = frames.received.iter().filter(is_worn).collect();
        worn.sort_unstable_by_key(|received| received.at);
        let known = self.known(&frames.device).await?;
        let is_on = |on: &&Hanging| on.off.is_none() && on.on.subject == frames.subject;
        let Some((on, first)) = known.iter().find(is_on).zip(worn.first()) else { return Ok(()) };
        let mut valued_at = on.on.since;
        if first.at - valued_at > SILENCE_UNBINDS {
            let last = self.readings.last_valued(self.desk, frames.subject, &on.on).await?;
            // Where nobody knows, nobody says that it was silent.
            valued_at = last.unwrap_or(first.at).max(valued_at);
        }
        for received in worn.iter().filter(|received| received.run == on.on.run) {
            if received.at - valued_at > SILENCE_UNBINDS {
                let (at, why) = (valued_at + SILENCE_UNBINDS, UnboundWhy::Silent);
                let (device, run) = (frames.device.clone(), received.run);
                return self.hang_off(HangOff { device, run, by: BY_THE_SERVICE, at, why }).await;
            }
            if has_value(&received.outcome) {
                valued_at = received.at.max(valued_at);
            }
        }
        Ok(())
    }

    /// What stands in the person's stream already is held for nobody: it came before, while the device
    /// was on.
    async fn unknown(
        &self,
        subject: SubjectId,
        nobodys: Vec<Received>,
    ) -> Result<Vec<Received>, Code> {
        let mut unknown = Vec::new();
        for received in nobodys {
            match self.readings.find(self.desk, subject, received.outcome.id()).await {
                Ok(_) => {}
                Err(Code::ReadingUnknown) => unknown.push(received),
                Err(code) => return Err(code),
            }
        }
        Ok(unknown)
    }

    /// Keeps at the site what nobody can be said to have worn the device for.
    async fn hold(
        &self,
        measured: Vec<Received>,
        (gateways, held): (&Gateways, &Held),
    ) -> Result<(), Code> {
        if measured.is_empty() {
            return Ok(());
        }
        let Self { desk, readings, site } = *self;
        let gateway = of_pages(desk, site);
        let mut lines_by_run: BTreeMap<Hex<8>, Vec<OutboxEntry>> = BTreeMap::new();
        for Received { run, sequence, at, outcome, .. } in measured {
            let entry = Entry::Measured { subject: None, outcome };
            lines_by_run.entry(run).or_default().push(OutboxEntry { seq: sequence, at, entry });
        }
        for (outbox, lines) in lines_by_run {
            let origin = Origin { gateway, site, outbox };
            take_in((desk, readings, gateways, held), &origin, desk.clock.now(), &lines).await?;
        }
        Ok(())
    }

    async fn submit(&self, command: Command) -> Result<(), Code> {
        let stream = StreamId::gateway(of_pages(self.desk, self.site));
        // No box ever enrols in its place: no code has this hash.
        let expect = Command::Expect { site: self.site, code_hash: String::new() };
        self.desk.boxes.submit(&stream, None, expect).await?;
        self.desk.boxes.submit(&stream, None, command).await.map(drop)
    }

    async fn on(&self) -> Result<Vec<Hanging>, Code> {
        let stream = StreamId::gateway(of_pages(self.desk, self.site));
        Ok(self.desk.boxes.see(&stream).await?.state.at_pages.on().cloned().collect())
    }

    async fn known(&self, device: &DeviceId) -> Result<Vec<Hanging>, Code> {
        let stream = StreamId::gateway(of_pages(self.desk, self.site));
        Ok(self.desk.boxes.see(&stream).await?.state.at_pages.of(device).cloned().collect())
    }

    async fn alike(&self, on: &HangOn) -> Result<Vec<Hanging>, Code> {
        let stream = StreamId::gateway(of_pages(self.desk, self.site));
        Ok(self.desk.boxes.see(&stream).await?.state.at_pages.alike(on).cloned().collect())
    }

    /// A device comes off whoever is not at the bedside of this site any more.
    async fn end_alike(&self, on: &HangOn) -> Result<(), Code> {
        for hanging in self.alike(on).await? {
            self.end_with_the_visit(&hanging).await?;
        }
        Ok(())
    }

    async fn end_with_the_visit(&self, hanging: &Hanging) -> Result<(), Code> {
        let found = self.desk.ticket_of_subject(hanging.on.subject).await;
        if found.is_some_and(|(_, ticket)| ticket.is_at(self.site)) {
            return Ok(());
        }
        let ended = self.desk.over_since(hanging.on.subject).await;
        self.hang_off(asked(hanging, ended.unwrap_or(self.desk.clock.now()))).await
    }

    /// Everybody's stream is told what hangs and hung there, so that a doctor sees who attached what;
    /// said again it changes nothing, and what was cut off in between is told now.
    async fn tell(&self, device: &DeviceId) -> Result<(), Code> {
        for Hanging { on, off } in self.known(device).await? {
            let HangOn { device, run, subject, by, since, model: _ } = on;
            let run = Some(run);
            let note = Note::NoteBinding { device, by, since, since_here: since, run };
            self.readings.note(self.desk, subject, None, note).await?;
            if let Some(HangOff { device, by, at, why, .. }) = off {
                let note = Note::NoteUnbinding { device, by, at, why };
                self.readings.note(self.desk, subject, None, note).await?;
            }
        }
        Ok(())
    }
}

/// Devices at pages come off whoever's visit is over.
pub(super) async fn end_with_visits(desk: &Desk, readings: &Readings) -> Result<(), Code> {
    for (gateway, stream) in boxes(desk).await? {
        let seen = desk.boxes.see(&stream).await?;
        let Some(site) = seen.state.site.filter(|site| of_pages(desk, *site) == gateway) else {
            continue;
        };
        let pages = Pages { desk, readings, site };
        for hanging in seen.state.at_pages.on() {
            pages.end_with_the_visit(hanging).await?;
        }
    }
    Ok(())
}

/// Whether a frame is of the person whom its run is on.
fn belongs(received: &Received, on: &Hanging, subject: SubjectId) -> bool {
    let is_covered = if received.is_timed {
        on.covers(received.at) && on.on.since <= received.outcome.measured_at()
    } else {
        // Nobody knows when: it is this person's while nobody has taken the device off.
        on.off.is_none()
    };
    on.on.subject == subject && received.is_live && is_covered
}

/// What a worn device says counts as a sign that it is worn only with a number in it.
pub(crate) fn has_value(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::Reading(reading) => !reading.is_error(),
        Outcome::Fault(_) => false,
    }
}

fn asked(hanging: &Hanging, at: Timestamp) -> HangOff {
    let (device, run) = (hanging.on.device.clone(), hanging.on.run);
    HangOff { device, run, by: BY_THE_SERVICE, at, why: UnboundWhy::Asked }
}

/// The name under which a site's pages hold what is nobody's.
fn of_pages(desk: &Desk, site: SiteId) -> GatewayId {
    GatewayId(desk.secrets.derive_id("pages of a site", &site.0.to_be_bytes()))
}
