//! Verbs about home kits: setting one up, its link, its rules, its values.

use super::readings::Typed;
use super::{Acted, Press};
use crate::access::doors;
use crate::gateway::take_off;
use crate::kit::{Command, KITS_MAX, Kit, NewKit};
use crate::log::StreamId;
use crate::subject::Command as SubjectCommand;
use minato_protocol::act::Outcome;
use minato_protocol::kit::ChangeRule;
use minato_protocol::reading::{DeviceId, EnteredBy, ReadingId, TypedValue};
use minato_protocol::uplink::FromBroker;
use minato_protocol::{Code, KitId, Person, Pii, Role, RoomId, StaffId, SubjectId, Timestamp};

impl Press<'_> {
    /// Whoever takes patients in at the bedside of a site sets up the kits of its patients at home.
    pub(super) async fn set_up_kit(&self, room: RoomId, person: Person) -> Acted {
        let by = self.staff_in(Role::Nurse)?;
        let site = self.actor.viewer.site.ok_or(Code::NotAllowed)?;
        self.known_room(room)?;
        if !person.is_well_formed() {
            return Err(Code::FieldWrong.into());
        }
        let secrets = &self.edge.desk.secrets;
        let from = self.key.id.to_be_bytes();
        let kit = KitId(secrets.derive_id("kit", &from));
        let subject = SubjectId(secrets.derive_id("kit subject", &from));
        // A press that is repeated finds its kit here already.
        let is_new = !self.edge.kits.is_known(kit);
        if is_new && self.edge.kits.of_site(site).len() >= KITS_MAX {
            return Err(Code::KitsTooMany.into());
        }
        let new = NewKit { subject, person: Pii::new(subject, person), room, site, by };
        self.in_kit(kit, Command::SetUp(new)).await?;
        self.edge.kits.add(kit, subject, site);
        self.edge.bell().ring();
        Ok(Outcome::KitSetUp { kit })
    }

    async fn in_kit(&self, kit: KitId, command: Command) -> Acted {
        let stream = StreamId::kit(kit);
        self.edge.desk.kits.submit(&stream, Some(self.key), command).await?;
        self.edge.kits.touch(kit);
        Ok(Outcome::Done)
    }

    /// A kit that stands. Anybody can make up ids: one that nobody set up is not looked for.
    async fn kit(&self, kit: KitId) -> Result<Kit, Code> {
        if !self.edge.kits.is_known(kit) {
            return Err(Code::KitUnknown);
        }
        let seen = self.edge.desk.kits.see(&StreamId::kit(kit)).await?;
        seen.state.standing()?;
        Ok(seen.state.clone())
    }

    /// The nurse of the site that looks after it.
    async fn nurse_of_kit(&self, kit: KitId) -> Result<(StaffId, Kit), Code> {
        let nurse = self.staff_in(Role::Nurse)?;
        let known = self.kit(kit).await?;
        let here = Some(known.standing()?.site) == self.actor.viewer.site;
        if here { Ok((nurse, known)) } else { Err(Code::NotAllowed) }
    }

    /// The old link is dead before the new one is there. Pressed again, it is the same new one.
    pub(super) async fn issue_kit_link(&self, kit: KitId) -> Acted {
        let (by, known) = self.nurse_of_kit(kit).await?;
        let room = known.standing()?.room;
        let expires = self.edge.desk.clock.now() + doors::KIT_LINK_LIFE;
        self.in_kit(kit, Command::RenewLink { expires, by }).await?;
        let generation = self.kit(kit).await?.link_generation;
        let place = (kit, room, generation);
        let made = doors::issue_kit_link(&self.edge.desk, place, self.key, expires).await;
        // The press was carried out, and somebody has made a newer link since.
        let made =
            made.map_err(|code| if code == Code::KeyReused { Code::LinkRevoked } else { code });
        let (secret, expires) = made?;
        Ok(Outcome::KitLink { secret, expires })
    }

    pub(super) async fn set_kit_rule(
        &self,
        kit: KitId,
        is: ChangeRule,
        replaces: Option<u32>,
    ) -> Acted {
        let (by, _) = self.nurse_of_kit(kit).await?;
        self.in_kit(kit, Command::SetRule { is, replaces, by }).await
    }

    pub(super) async fn take_kit_rule(&self, kit: KitId, rule: u32) -> Acted {
        let (by, _) = self.nurse_of_kit(kit).await?;
        self.in_kit(kit, Command::TakeRule { rule, by }).await
    }

    pub(super) async fn take_kit_back(&self, kit: KitId) -> Acted {
        let (by, known) = self.nurse_of_kit(kit).await?;
        let subject = known.standing()?.subject;
        self.in_kit(kit, Command::TakeBack { by }).await?;
        // The next person may wear them at once.
        take_off(&self.edge.desk, &self.edge.gateways, subject);
        Ok(Outcome::Done)
    }

    /// A box that stands at home belongs to the site that lent it.
    pub(super) async fn attach_to_kit(
        &self,
        kit: KitId,
        device: DeviceId,
        takes_over: bool,
    ) -> Acted {
        let (by, known) = self.nurse_of_kit(kit).await?;
        let (subject, site) = (known.standing()?.subject, known.standing()?.site);
        let (_, gateway) = self.device_at_my_site(&device)?;
        self.edge.readings.place(&self.edge.desk, subject, site).await?;
        self.take_off_at_another(gateway, &device, (subject, by), takes_over).await?;
        let bind = |key| FromBroker::Bind { key, device, subject, by, takes_over };
        self.ask(gateway, bind).await
    }

    /// The kit's own page, or the site's nurse on the telephone.
    pub(super) async fn enter_kit_reading(
        &self,
        kit: KitId,
        values: Vec<TypedValue>,
        measured_at: Option<Timestamp>,
    ) -> Acted {
        let (entered, known) = if self.actor.viewer.kit == Some(kit) {
            (EnteredBy::Patient, self.kit(kit).await?)
        } else {
            let (staff, known) = self.nurse_of_kit(kit).await?;
            (EnteredBy::Staff { staff }, known)
        };
        let typed = Typed { values, measured_at, corrects: None, reason: String::new() };
        let outcomes = self.typed(&typed, entered)?;
        self.keep_typed(known.standing()?.subject, outcomes).await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn check_kit_reading(
        &self,
        kit: KitId,
        reading: ReadingId,
        real: bool,
        reason: String,
    ) -> Acted {
        let (by, known) = self.nurse_of_kit(kit).await?;
        let subject = known.standing()?.subject;
        let reason = Pii::new(subject, Self::reason(&reason, !real)?);
        let edge = self.edge;
        edge.readings.find(&edge.desk, subject, reading).await?;
        let said = if real {
            SubjectCommand::Confirm { reading, by }
        } else {
            SubjectCommand::Withdraw { reading, by, reason, replaced_by: None }
        };
        edge.readings.note(&edge.desk, subject, Some(self.key), said).await?;
        Ok(Outcome::Done)
    }
}
