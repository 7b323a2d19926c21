//! A family's plan, step by step. What a device does not have is passed over; a device that has
//! nothing to listen to, or refuses to let itself be listened to, is left again.

use super::NobodyListens;
use super::attend::Attended;
use super::bus::Characteristic;
use super::trouble::Failure;
use crate::codec::{encode_current_time, encode_datetime};
use crate::driver::{Attribute, Step};
use crate::transport::Heard;
use bluer::gatt::WriteOp;
use bluer::gatt::remote::{self, CharacteristicWriteRequest};
use minato_protocol::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::timeout;

/// The Attribute Protocol gives up after as long (Core specification, vol 3, part F, 3.3.3).
const ANSWER_MAX: Duration = Duration::from_secs(30);

type ByAttribute = BTreeMap<Attribute, Characteristic>;

impl Attended {
    /// Carries out the plan of a device that is connected.
    pub(super) async fn carry_out(
        &mut self,
        steps: &'static [Step],
        has: &ByAttribute,
    ) -> Result<Result<(), Failure>, NobodyListens> {
        for step in steps {
            let done = match *step {
                Step::Read(attribute) => self.read(attribute, has).await?,
                Step::Subscribe(attribute) => self.subscribe(attribute, has).await,
                Step::Write(attribute, bytes) => self.write(attribute, bytes, has).await,
                Step::SetClock(attribute) => self.set_clock(attribute, has).await?,
            };
            if let Err(failure) = done {
                tracing::debug!(device = %self.id, ?step, ?failure, "the plan ends here");
                return Ok(Err(failure));
            }
        }
        let listens = !self.attribute_by_path.is_empty();
        let nothing = || Failure::Bus(String::new(), "it has nothing to listen to".into());
        Ok(if listens { Ok(()) } else { Err(nothing()) })
    }

    /// The answer goes to the driver. A device that wants a bond says so here, perhaps; whatever
    /// else fails is passed over.
    async fn read(
        &mut self,
        attribute: Attribute,
        has: &ByAttribute,
    ) -> Result<Result<(), Failure>, NobodyListens> {
        let answer = match has.get(&attribute) {
            Some(characteristic) => self.ask(characteristic).await,
            // BlueZ keeps the battery's characteristic to itself and says what it read.
            None if attribute == Attribute::BATTERY_LEVEL => {
                match self.device.battery_percentage().await {
                    Ok(Some(percent)) => Ok(vec![percent]),
                    Ok(None) | Err(_) => return Ok(Ok(())),
                }
            }
            None => return Ok(Ok(())),
        };
        match answer {
            Ok(bytes) => {
                let (device, at) = (self.id.clone(), self.around.clock.now());
                self.say(Heard::Bytes { device, from: attribute, bytes, at }).await?;
                Ok(Ok(()))
            }
            Err(failure) => Ok(passed_over(failure)),
        }
    }

    /// It is known before the device is asked, so that what it sends at once is not missed.
    async fn subscribe(&mut self, attribute: Attribute, has: &ByAttribute) -> Result<(), Failure> {
        let Some(characteristic) = has.get(&attribute) else { return Ok(()) };
        self.attribute_by_path.insert(characteristic.path.clone(), attribute);
        match self.bus.subscribe(&characteristic.path).await {
            // Somebody in this box has subscribed already: it is listened to all the same.
            Err(error) if error.name() == Some("org.bluez.Error.InProgress") => Ok(()),
            subscribed => subscribed.map_err(Failure::from),
        }
    }

    async fn write(
        &self,
        attribute: Attribute,
        bytes: &[u8],
        has: &ByAttribute,
    ) -> Result<(), Failure> {
        let Some(characteristic) = has.get(&attribute) else { return Ok(()) };
        self.put(characteristic, bytes).await.or_else(passed_over)
    }

    /// The device's own time first: what it has measured so far carries that.
    async fn set_clock(
        &mut self,
        attribute: Attribute,
        has: &ByAttribute,
    ) -> Result<Result<(), Failure>, NobodyListens> {
        let Some(characteristic) = has.get(&attribute) else { return Ok(Ok(())) };
        if let Err(failure) = self.read(attribute, has).await? {
            return Ok(Err(failure));
        }
        let at = self.around.clock.now();
        let Some(bytes) = self.local_time(attribute, at) else { return Ok(Ok(())) };
        if let Err(failure) = self.put(characteristic, &bytes).await {
            return Ok(passed_over(failure));
        }
        self.say(Heard::ClockSet { device: self.id.clone(), at }).await?;
        Ok(Ok(()))
    }

    /// In the layout of the attribute.
    fn local_time(&self, attribute: Attribute, at: Timestamp) -> Option<Vec<u8>> {
        let instant = jiff::Timestamp::from_millisecond(at.0).ok()?;
        let local = self.around.zone.to_datetime(instant);
        match attribute {
            Attribute::DATE_TIME => Some(encode_datetime(local).to_vec()),
            Attribute::CURRENT_TIME => Some(encode_current_time(local).to_vec()),
            _ => None,
        }
    }

    async fn ask(&self, characteristic: &Characteristic) -> Result<Vec<u8>, Failure> {
        let remote = self.remote(characteristic).await?;
        timeout(ANSWER_MAX, remote.read()).await.map_or(Err(Failure::NoAnswer), |read| Ok(read?))
    }

    async fn put(&self, characteristic: &Characteristic, bytes: &[u8]) -> Result<(), Failure> {
        let remote = self.remote(characteristic).await?;
        let op_type = match characteristic.answers_writes {
            true => WriteOp::Request,
            false => WriteOp::Command,
        };
        let request = CharacteristicWriteRequest { op_type, ..Default::default() };
        let written = timeout(ANSWER_MAX, remote.write_ext(bytes, &request)).await;
        written.map_or(Err(Failure::NoAnswer), |written| Ok(written?))
    }

    async fn remote(
        &self,
        characteristic: &Characteristic,
    ) -> Result<remote::Characteristic, Failure> {
        let service = self.device.service(characteristic.service).await?;
        Ok(service.characteristic(characteristic.number).await?)
    }
}

/// What a read or a write says only counts when a bond would mend it.
fn passed_over(failure: Failure) -> Result<(), Failure> {
    if failure.asks_for_a_bond() { Err(failure) } else { Ok(()) }
}
