//! Which history is meant: a noun and a key, such as `room/0000000000001`.

use minato_protocol::{GatewayId, KitId, RoomId, SiteId, StaffId, SubjectId, VisitId};
use std::{fmt, fmt::Write as _, str::FromStr, sync::Arc};

/// Characters of a key.
const KEY_CHARS_MAX: usize = 64;

macro_rules! nouns {
    ($($(#[$doc:meta])* $name:ident = $text:literal),+ $(,)?) => {
        /// What a stream is about. An invariant lives in the stream of the noun that owns it.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Noun {
            $($(#[$doc])* $name,)+
        }

        impl Noun {
            /// The beginning of every such stream's text, for [`streams`](super::EventLog::streams).
            pub const fn prefix(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($text, "/"),)+
                }
            }

            fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Self::$name),)+
                    _ => None,
                }
            }
        }
    };
}

nouns! {
    /// Tickets, their one owner and epoch, triage, roster, closing.
    Room = "room",
    /// The single reservation of a doctor or a bedside nurse.
    Staff = "staff",
    /// Presence, identity, consent, orders, notes, chat.
    Visit = "visit",
    /// Readings, as items.
    Subject = "subject",
    /// A staff member's way in.
    Account = "account",
    /// A join link, by the hash of its secret.
    Link = "link",
    /// A browser's session, by the hash of its secret.
    Session = "session",
    /// The box on a clinic's wall.
    Gateway = "gateway",
    /// A home kit: its rules, what fired, where that went.
    Kit = "kit",
    /// Where patients are cared for at the bedside.
    Site = "site",
    /// The institution responsible for this service.
    Clinic = "clinic",
}

/// A stream's name: a [`Noun`], a slash and a key of 1 to 64 ASCII letters, digits, `-` and `_`.
/// Cheap to clone. Carries no personal data: ids and hashes only.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(Arc<str>);

/// The text does not name a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a stream is a known noun, a slash and a short key")]
pub struct StreamIdInvalid;

impl StreamId {
    /// The stream of a waiting room.
    pub fn room(id: RoomId) -> Self {
        Self::of(Noun::Room, id)
    }

    /// The stream of a staff member's reservation.
    pub fn staff(id: StaffId) -> Self {
        Self::of(Noun::Staff, id)
    }

    /// The stream of a consultation.
    pub fn visit(id: VisitId) -> Self {
        Self::of(Noun::Visit, id)
    }

    /// The stream of a person's readings.
    pub fn subject(id: SubjectId) -> Self {
        Self::of(Noun::Subject, id)
    }

    /// The stream of a staff member's account.
    pub fn account(id: StaffId) -> Self {
        Self::of(Noun::Account, id)
    }

    /// The stream of a join link, by the SHA-256 of its secret.
    pub fn link(secret_hash: &[u8; 32]) -> Self {
        Self::of(Noun::Link, Hex(secret_hash))
    }

    /// The stream of a session, by the SHA-256 of its secret.
    pub fn session(secret_hash: &[u8; 32]) -> Self {
        Self::of(Noun::Session, Hex(secret_hash))
    }

    /// The stream of a gateway.
    pub fn gateway(id: GatewayId) -> Self {
        Self::of(Noun::Gateway, id)
    }

    /// The stream of a home kit.
    pub fn kit(id: KitId) -> Self {
        Self::of(Noun::Kit, id)
    }

    /// The stream of a site.
    pub fn site(id: SiteId) -> Self {
        Self::of(Noun::Site, id)
    }

    /// The stream of the responsible institution: there is one.
    pub fn clinic() -> Self {
        Self::of(Noun::Clinic, "own")
    }

    // Only for keys that are known to be valid: ids and hexadecimal hashes.
    fn of(noun: Noun, key: impl fmt::Display) -> Self {
        Self(format!("{}{key}", noun.prefix()).into())
    }

    /// The whole text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is about.
    pub fn noun(&self) -> Noun {
        let (noun, _) = self.split();
        Noun::parse(noun).expect("a stream id was made from a known noun")
    }

    /// The text after the slash: parses back to the id it was made from.
    pub fn key(&self) -> &str {
        self.split().1
    }

    fn split(&self) -> (&str, &str) {
        self.0.split_once('/').expect("a stream id was made with a slash")
    }
}

impl FromStr for StreamId {
    type Err = StreamIdInvalid;

    fn from_str(text: &str) -> Result<Self, StreamIdInvalid> {
        let (noun, key) = text.split_once('/').ok_or(StreamIdInvalid)?;
        Noun::parse(noun).ok_or(StreamIdInvalid)?;
        let fits = (1..=KEY_CHARS_MAX).contains(&key.len());
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits && plain { Ok(Self(text.into())) } else { Err(StreamIdInvalid) }
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(self.0.len() * 2);
        for byte in self.0 {
            write!(text, "{byte:02x}")?;
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_reads_back_from_its_text() {
        let streams = [
            StreamId::room(RoomId(7)),
            StreamId::staff(StaffId(u64::MAX)),
            StreamId::visit(VisitId(0)),
            StreamId::subject(SubjectId(1)),
            StreamId::account(StaffId(1)),
            StreamId::link(&[0xab; 32]),
            StreamId::session(&[0; 32]),
            StreamId::gateway(GatewayId(3)),
            StreamId::site(SiteId(1)),
            StreamId::clinic(),
        ];
        for stream in streams {
            assert_eq!(stream.as_str().parse(), Ok(stream.clone()));
            assert!(stream.as_str().starts_with(stream.noun().prefix()));
        }
    }

    #[test]
    fn a_key_parses_back_to_its_id() {
        assert_eq!(StreamId::room(RoomId(99)).key().parse(), Ok(RoomId(99)));
    }

    #[test]
    fn a_text_that_names_no_stream_is_refused() {
        let long = format!("room/{}", "a".repeat(65));
        for text in ["", "room", "room/", "attic/1", "room/a/b", "room/あ", "room/a b", &long] {
            assert_eq!(text.parse::<StreamId>(), Err(StreamIdInvalid), "{text}");
        }
    }
}
