//! PURE: how a record is bound to the one before it, so that a change of the past shows.

use aws_lc_rs::digest::{SHA256, digest};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What stands before the first record of a chain.
pub const ORIGIN: Hash = [0; 32];

/// What a record is one of, so that none passes for another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Chain {
    Events,
    Items,
    Snapshots,
}

/// Everything a record says, as it is stored: the body is sealed and serialised.
#[derive(Debug, Clone, Copy)]
pub(super) struct Link<'a> {
    pub(super) chain: Chain,
    pub(super) schema: u16,
    pub(super) stream: &'a str,
    /// The version of an event, the cursor of an item.
    pub(super) number: u64,
    pub(super) at: i64,
    /// The kind of an event, the dedupe id of an item.
    pub(super) name: &'a [u8],
    pub(super) body: &'a [u8],
}

impl Link<'_> {
    /// The record's hash. Every field has a fixed width or says its length first, so no two
    /// different records feed the same bytes.
    pub(super) fn hash(&self, before: &Hash) -> Hash {
        let texts = [self.stream.as_bytes(), self.name, self.body];
        // All of it in one piece: the writer does this for every record, and asking the library a
        // dozen times costs more than copying.
        let room = texts.iter().map(|text| text.len() + 8).sum::<usize>() + 64;
        let mut said = Vec::with_capacity(room);
        said.extend_from_slice(match self.chain {
            Chain::Events => b"minato.event",
            Chain::Items => b"minato.items",
            Chain::Snapshots => b"minato.folds",
        });
        said.extend_from_slice(before);
        said.extend_from_slice(&self.schema.to_be_bytes());
        said.extend_from_slice(&self.number.to_be_bytes());
        said.extend_from_slice(&self.at.to_be_bytes());
        for text in texts {
            said.extend_from_slice(&(text.len() as u64).to_be_bytes());
            said.extend_from_slice(text);
        }
        let mut hash = ORIGIN;
        hash.copy_from_slice(digest(&SHA256, &said).as_ref());
        hash
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link<'_> = Link {
        chain: Chain::Events,
        schema: 1,
        stream: "room/a",
        number: 1,
        at: 5,
        name: b"Opened",
        body: b"{}",
    };

    #[test]
    fn every_field_changes_the_hash() {
        let same = LINK.hash(&ORIGIN);
        let others = [
            Link { chain: Chain::Items, ..LINK },
            Link { schema: 2, ..LINK },
            Link { stream: "room/b", ..LINK },
            Link { number: 2, ..LINK },
            Link { at: 6, ..LINK },
            Link { name: b"Closed", ..LINK },
            Link { body: b"[]", ..LINK },
        ];
        assert!(others.iter().all(|other| other.hash(&ORIGIN) != same));
        assert_ne!(LINK.hash(&[1; 32]), same);
    }

    #[test]
    fn moving_a_byte_from_one_field_to_the_next_changes_the_hash() {
        let left = Link { name: b"Opened{", body: b"}", ..LINK };
        assert_ne!(left.hash(&ORIGIN), LINK.hash(&ORIGIN));
    }

    /// The format is for ever: written by hand from the description above with another tool.
    #[test]
    fn version_1_of_the_format_never_changes() {
        let hash = LINK.hash(&ORIGIN);
        let text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(text, "de7fd00e692fd12eb8559bfe679edadcdb61d6091acf73e4cbd6de18b3dc54ce");
    }
}
