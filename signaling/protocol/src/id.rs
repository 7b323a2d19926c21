//! Who and what is meant: ids are small copies of a random number, written as 13 characters of
//! Crockford's base32. They carry no personal data and give no rights.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use std::{fmt, str::FromStr};

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const ID_CHARS: usize = 13;

/// The text was not 13 characters of Crockford's base32.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdInvalid;

impl fmt::Display for IdInvalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an id is 13 characters of base32")
    }
}

impl std::error::Error for IdInvalid {}

fn encode(mut value: u64) -> [u8; ID_CHARS] {
    let mut text = [b'0'; ID_CHARS];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[usize::from((value & 31) as u8)];
        value >>= 5;
    }
    text
}

fn decode(text: &str) -> Result<u64, IdInvalid> {
    if text.len() != ID_CHARS {
        return Err(IdInvalid);
    }
    text.bytes().try_fold(0u64, |value, byte| {
        let digit = ALPHABET.iter().position(|known| *known == byte).ok_or(IdInvalid)?;
        // 13 digits hold 65 bits: the first one may only be 0 or 1 in its top bit's place.
        let shifted = value.checked_mul(32).ok_or(IdInvalid)?;
        shifted.checked_add(digit as u64).ok_or(IdInvalid)
    })
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(type = "string"))]
        pub struct $name(pub u64);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(std::str::from_utf8(&encode(self.0)).unwrap_or_default())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl FromStr for $name {
            type Err = IdInvalid;
            fn from_str(text: &str) -> Result<Self, IdInvalid> {
                decode(text).map(Self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
                text.parse().map_err(D::Error::custom)
            }
        }
    )+};
}

ids! {
    /// A virtual waiting room.
    RoomId,
    /// One patient's place in one waiting room.
    TicketId,
    /// A doctor, nurse or coordinator.
    StaffId,
    /// One consultation, from the call to its end; a hand-over keeps it.
    VisitId,
    /// Whose readings these are. A home kit has a subject without a ticket.
    SubjectId,
    /// An island clinic, a shelter, a vehicle.
    SiteId,
    /// The box on a clinic's wall.
    GatewayId,
    /// A home kit: a page and devices at somebody's home.
    KitId,
    /// Somebody or something present in a visit.
    ParticipantId,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_wrote() {
        for value in [0, 1, 31, 32, u64::MAX] {
            assert_eq!(TicketId(value).to_string().parse(), Ok(TicketId(value)));
        }
    }

    #[test]
    fn a_text_that_is_no_id_is_refused() {
        for text in ["", "abc", "zzzzzzzzzzzzz", "il00000000000", "あああああ"] {
            assert_eq!(text.parse::<RoomId>(), Err(IdInvalid), "{text}");
        }
    }
}
