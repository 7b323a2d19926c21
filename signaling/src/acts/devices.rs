//! Verbs about devices. The gateway decides; here it is only asked.

use super::{Acted, Press};
use minato_protocol::act::Outcome;
use minato_protocol::reading::{DeviceId, RequestKey};
use minato_protocol::uplink::{FromBroker, SimulatedFault};
use minato_protocol::{Code, GatewayId, Role, StaffId, TicketId};

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
        let bind = |key| FromBroker::Bind { key, device, subject, by, takes_over };
        self.ask(gateway, bind).await
    }

    pub(super) async fn detach(&self, device: DeviceId) -> Acted {
        let (by, gateway) = self.device_at_my_site(&device)?;
        self.ask(gateway, |key| FromBroker::Unbind { key, device, by }).await
    }

    /// The measurement shows in the readings; only a refusal comes back.
    pub(super) async fn measure(&self, device: DeviceId) -> Acted {
        let (_, gateway) = self.device_at_my_site(&device)?;
        let key = self.request()?;
        self.edge.gateways.tell(gateway, FromBroker::Measure { key, device })?;
        Ok(Outcome::Done)
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
