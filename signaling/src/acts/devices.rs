//! Verbs about devices. The gateway decides; here it is only asked.

use super::{Acted, Press};
use crate::access::SecretHash;
use crate::gateway::{Holder, give};
use minato_protocol::act::Outcome;
use minato_protocol::lan::{LanPass, PASS_SUBJECTS_MAX};
use minato_protocol::reading::{DeviceId, RequestKey};
use minato_protocol::uplink::{FromBroker, SimulatedFault};
use minato_protocol::{Code, GatewayId, Role, SiteId, StaffId, SubjectId, TicketId};

impl Press<'_> {
    pub(super) fn device_at_my_site(
        &self,
        device: &DeviceId,
    ) -> Result<(StaffId, GatewayId), Code> {
        let nurse = self.staff_in(Role::Nurse)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        Ok((nurse, self.edge.gateways.gateway_of(site, device)?))
    }

    fn request(&self) -> Result<RequestKey, Code> {
        format!("{:016x}", self.key.id).parse().map_err(|_| Code::NotUnderstood)
    }

    pub(super) async fn ask(
        &self,
        gateway: GatewayId,
        message: impl FnOnce(RequestKey) -> FromBroker,
    ) -> Acted {
        let key = self.request()?;
        self.edge.gateways.ask(gateway, key.clone(), message(key)).await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn attach(
        &self,
        ticket: TicketId,
        device: DeviceId,
        takes_over: bool,
    ) -> Acted {
        let (_, known) = self.ticket(ticket).await?;
        let by = self.nurse_of(&known)?;
        if known.is_over() {
            return Err(Code::TicketOver.into());
        }
        let (_, gateway) = self.device_at_my_site(&device)?;
        let subject = known.subject;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        self.edge.readings.place(&self.edge.desk, subject, site).await?;
        self.take_off_at_another(gateway, &device, (subject, by), takes_over).await?;
        let bind = |key| FromBroker::Bind { key, device, subject, by, takes_over };
        self.ask(gateway, bind).await
    }

    /// Each box knows only of itself: a device that two of them hear comes off at the other one
    /// first, so that its record is one person's.
    pub(super) async fn take_off_at_another(
        &self,
        gateway: GatewayId,
        device: &DeviceId,
        (subject, by): (SubjectId, StaffId),
        takes_over: bool,
    ) -> Result<(), Code> {
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let other = self.edge.gateways.bound_at_another(site, device, gateway);
        let Some((other, on)) = other else { return Ok(()) };
        if on != subject && !takes_over {
            return Err(Code::DeviceElsewhere);
        }
        let (key, device) = (self.request()?, device.clone());
        let off = FromBroker::Unbind { key: key.clone(), device, by, subject: Some(on) };
        self.edge.gateways.ask(other, key, off).await
    }

    pub(super) async fn detach(&self, device: DeviceId) -> Acted {
        let (by, gateway) = self.device_at_my_site(&device)?;
        self.ask(gateway, |key| FromBroker::Unbind { key, device, by, subject: None }).await
    }

    /// The measurement shows in the readings; only a refusal comes back.
    pub(super) async fn measure(&self, device: DeviceId) -> Acted {
        let (_, gateway) = self.device_at_my_site(&device)?;
        let key = self.request()?;
        self.edge.gateways.tell(gateway, FromBroker::Measure { key, device })?;
        Ok(Outcome::Done)
    }

    /// For the time when this broker is away. The patients on it are those of the nurse's site;
    /// where their devices are put on is noted now, because what is measured then comes here later.
    pub(super) async fn ask_lan_pass(&self) -> Acted {
        let staff = self.staff_in(Role::Nurse)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        let session: SecretHash = self.actor.session.parse().map_err(|_| Code::NotAllowed)?;
        let boxes = self.edge.gateways.on_lan(site);
        let desk = &self.edge.desk;
        if boxes.is_empty() {
            let (pass, until) = (String::new(), desk.clock.now());
            return Ok(Outcome::Lan(LanPass { pass, until, boxes }));
        }
        let subjects = self.patients_at(site).await?;
        for subject in &subjects {
            self.edge.readings.place(desk, *subject, site).await?;
        }
        let holder = Holder { session, staff, site };
        let (pass, until) = give(desk, &self.edge.gateways, &holder, subjects);
        Ok(Outcome::Lan(LanPass { pass, until, boxes }))
    }

    /// Who lies at the bedside of a site now, whoever came last first.
    async fn patients_at(&self, site: SiteId) -> Result<Vec<SubjectId>, Code> {
        let rooms = self.edge.desk.all_rooms().await?;
        let live = rooms.iter().flat_map(|(_, seen)| seen.state.live());
        let mut here: Vec<_> = live
            .filter(|ticket| ticket.is_at(site) && !ticket.is_over())
            .map(|ticket| (ticket.arrived, ticket.subject))
            .collect();
        here.sort_unstable_by(|one, other| other.cmp(one));
        Ok(here.into_iter().map(|(_, subject)| subject).take(PASS_SUBJECTS_MAX).collect())
    }

    pub(super) async fn simulate_fault(&self, device: DeviceId, fault: SimulatedFault) -> Acted {
        let (_, gateway) = self.device_at_my_site(&device)?;
        if !self.edge.rehearsal {
            return Err(Code::NotAllowed.into());
        }
        let key = self.request()?;
        self.edge.gateways.tell(gateway, FromBroker::SimulateFault { key, device, fault })?;
        Ok(Outcome::Done)
    }
}
