//! Who asks: the long-term credential of a request (RFC 8489 section 9.2.4). PURE.

use super::credential::Name;
use super::integrity::{Kind, Signed, is_right, long_term_key};
use super::refusal::Refusal;
use super::wire::{Message, method};
use super::{At, Client, Turn};

/// A request's proved sender.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    pub(super) client: Client,
    /// The whole user name.
    pub(super) name: &'a str,
    /// The part of it that quotas count for.
    pub(super) user: &'a str,
    pub(super) expires_unix_s: u64,
    /// How the answer is to be signed.
    pub(super) signed: Signed,
}

impl Turn {
    /// Believes the request or says why not. The order of the checks is the standard's.
    pub(super) fn asker<'a>(
        &self,
        client: Client,
        message: &Message<'a>,
        at: At,
    ) -> Result<Asker<'a>, Refusal> {
        let (kind, placed) = match (message.integrity_sha256, message.integrity) {
            (Some(placed), _) => (Kind::Sha256, placed),
            (None, Some(placed)) => (Kind::Sha1, placed),
            (None, None) => return Err(Refusal::Unauthenticated),
        };
        let named = message.username.is_some() || message.userhash;
        let (Some(realm), Some(nonce), true) = (message.realm, message.nonce, named) else {
            return Err(Refusal::BadRequest);
        };
        if !self.nonces.is_good(nonce, &client, at.unix_s) {
            return Err(Refusal::StaleNonce);
        }
        // Names are not looked up by their hashes: that is not offered.
        let name = message.username.and_then(|name| std::str::from_utf8(name).ok());
        let Some((name, known)) = name.and_then(|name| Some((name, Name::parse(name)?))) else {
            return Err(Refusal::Unauthenticated);
        };
        // Who only gives back may do so late.
        let gives_back = message.method == method::REFRESH && message.lifetime_s == Some(0);
        let is_over = known.expires_unix_s <= at.unix_s && !gives_back;
        if is_over || realm != self.config.realm.as_bytes() {
            return Err(Refusal::Unauthenticated);
        }
        let key = long_term_key(name, &self.config.realm, &self.config.secret.password(name));
        if !is_right(message, kind, placed, &key) {
            return Err(Refusal::Unauthenticated);
        }
        let expires_unix_s = known.expires_unix_s;
        Ok(Asker { client, name, user: known.user, expires_unix_s, signed: Signed { kind, key } })
    }
}
