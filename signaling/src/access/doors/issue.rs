//! Making links: a long one to send and eight digits to dictate, the same again for the same press.

use super::Place;
use crate::access::link::{Command, Issued, Kind};
use crate::access::secret_hash::SecretHash;
use crate::access::secrets::Label;
use crate::aggregate::CommandKey;
use crate::desk::Desk;
use crate::log::StreamId;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use minato_protocol::{Code, Span, Timestamp};

/// A join link lives so long unless configured otherwise.
pub const LINK_LIFE: Span = Span::minutes(48 * 60);
/// A spoken code lives so long.
pub const SPOKEN_LIFE: Span = Span::minutes(15);
/// Links made at the same time for one list; their appends share the log's group commits.
const AT_ONCE: usize = 32;
/// Eight digits that another patient's code uses right now are skipped, so often.
const SPOKEN_ATTEMPTS: u32 = 16;

/// What is shown once to whoever issued a link, and stored only as hashes.
#[derive(Clone, PartialEq, Eq)]
pub struct IssuedParts {
    /// The secret behind the `#`.
    pub secret: String,
    /// Eight digits.
    pub spoken: String,
    /// When the link dies; the digits die after [`SPOKEN_LIFE`].
    pub expires: Timestamp,
}

impl std::fmt::Debug for IssuedParts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IssuedParts(…)")
    }
}

/// Makes the links of a list, in its order. `key` is the press that asked for them: the same
/// press for the same list brings the same links.
pub async fn issue_links(
    desk: &Desk,
    places: &[Place],
    key: CommandKey,
    life: Span,
) -> Result<Vec<IssuedParts>, Code> {
    let numbered = (0u32..).zip(places.iter().copied());
    let one = |(index, place)| issue_link(desk, place, key, index, life);
    stream::iter(numbered.map(one)).buffered(AT_ONCE).try_collect().await
}

/// Makes one link; `index` is its place in its list.
pub async fn issue_link(
    desk: &Desk,
    place: Place,
    key: CommandKey,
    index: u32,
    life: Span,
) -> Result<IssuedParts, Code> {
    let secret = desk.secrets.link_secret(key.id, index);
    let hash = desk.secrets.lookup_hash(Label::Join, &secret);
    let expires = desk.clock.now() + life;
    let standing = issue(desk, hash, issued(Kind::Join, place, expires, None)).await?;
    let spoken = issue_spoken(desk, place, key, index, hash).await?;
    Ok(IssuedParts { secret, spoken, expires: standing.expires })
}

async fn issue_spoken(
    desk: &Desk,
    place: Place,
    key: CommandKey,
    index: u32,
    join: SecretHash,
) -> Result<String, Code> {
    let expires = desk.clock.now() + SPOKEN_LIFE;
    for attempt in 0..SPOKEN_ATTEMPTS {
        let code = desk.secrets.spoken_code(key.id, index, attempt);
        let hash = desk.secrets.lookup_hash(Label::Spoken, &code);
        match issue(desk, hash, issued(Kind::Spoken, place, expires, Some(join))).await {
            Err(Code::KeyReused) => {}
            Err(code) => return Err(code),
            Ok(_) => return Ok(code),
        }
    }
    Err(Code::Busy)
}

/// Makes a link's stream, or finds it made for the same place before. Answers what stands.
pub(super) async fn issue(desk: &Desk, hash: SecretHash, wanted: Issued) -> Result<Issued, Code> {
    let settled = desk.links.submit(&StreamId::link(&hash.0), None, Command::Issue(wanted)).await?;
    settled.seen.state.issued.ok_or(Code::NotDurable)
}

pub(super) fn issued(
    kind: Kind,
    place: Place,
    expires: Timestamp,
    of: Option<SecretHash>,
) -> Issued {
    let Place { room, ticket, generation } = place;
    Issued { kind, room, ticket, generation, expires, of, kit: None }
}
