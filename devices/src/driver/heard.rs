//! What the drivers' tests share: a device of a family, and what was heard of it.

use super::{Attribute, Driver, Family, Message, Offer, Said, family_of};
use crate::codec::Value;
use minato_protocol::Timestamp;
use minato_protocol::reading::Quantity;

/// One device with its driver.
pub(super) struct Device(Box<dyn Driver>);

impl Device {
    pub(super) fn of(family: &Family) -> Self {
        Self((family.make)())
    }

    pub(super) fn says(&mut self, from: Attribute, bytes: &[u8], at: i64) -> Vec<Said> {
        let mut said = Vec::new();
        self.0.on_bytes(from, bytes, Timestamp(at), &mut said);
        said
    }
}

/// The one message that was heard.
pub(super) fn frame(said: Vec<Said>) -> Message {
    let [Said::Frame(message)] = said.as_slice() else { panic!("{said:?}") };
    message.clone()
}

/// A number of a message, with its digits.
pub(super) fn number(message: &Message, what: Quantity) -> Option<String> {
    let frame = message.frame.as_ref().expect("a good frame");
    match frame.values.iter().find(|said| said.what == what)?.value {
        Value::Number(number) => Some(number.to_string()),
        Value::Special(_) => None,
    }
}

/// Who reads a device of this name with these attributes.
pub(super) fn named(name: &str, numbers: &[u16]) -> Option<&'static str> {
    let attributes = numbers.iter().map(|number| Attribute::assigned(*number)).collect();
    let offer = Offer { name: name.to_owned(), attributes };
    family_of(&offer).map(|family| (family.make)().meta().name)
}
