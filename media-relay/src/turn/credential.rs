//! Time-limited credentials: the user name tells when it ends, the password is an HMAC of the
//! name, so nothing is stored anywhere. PURE.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// The secret shared by those who give out credentials and this server.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Box<[u8]>);

impl Secret {
    /// Its bytes as both sides have them.
    pub(crate) fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The password of a user name: base64 of HMAC-SHA1.
    pub(super) fn password(&self, name: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.0);
        STANDARD.encode(hmac::sign(&key, name.as_bytes()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// User name and password of a user until a time in Unix seconds.
pub(crate) fn credential(secret: &Secret, user: &str, expires_unix_s: u64) -> (String, String) {
    let name = format!("{expires_unix_s}:{user}");
    let password = secret.password(&name);
    (name, password)
}

/// A user name's two parts: `timestamp:user`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Name<'a> {
    /// Unix seconds; at this second it is no longer good.
    pub(super) expires_unix_s: u64,
    /// Who quotas count for.
    pub(super) user: &'a str,
}

impl<'a> Name<'a> {
    /// `None`: no such form, so nobody was given that name.
    pub(super) fn parse(name: &'a str) -> Option<Self> {
        let (expires, user) = name.split_once(':')?;
        let plain = expires.bytes().all(|b| b.is_ascii_digit());
        let expires_unix_s = expires.parse().ok().filter(|_| plain)?;
        (!user.is_empty()).then_some(Self { expires_unix_s, user })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_the_known_one() {
        let secret = Secret::new(*b"north-secret");
        let (name, password) = credential(&secret, "visit42", 1_700_000_000);
        assert_eq!(name, "1700000000:visit42");
        assert_eq!(password, "oelKfi3aLwjIMeuDIMPs6RYaavI=");
    }

    #[test]
    fn a_name_tells_its_end_and_its_user() {
        let name = Name::parse("1700000000:visit:42").unwrap();
        assert_eq!((name.expires_unix_s, name.user), (1_700_000_000, "visit:42"));
    }

    #[test]
    fn a_name_of_another_form_is_nobodys() {
        for name in ["", ":", "x", "1700000000", "1700000000:", ":x", "+17:x", "-1:x", "1e9:x"] {
            assert_eq!(Name::parse(name), None, "{name}");
        }
        assert_eq!(Name::parse("99999999999999999999999:x"), None);
    }

    #[test]
    fn a_secret_is_never_printed() {
        assert_eq!(format!("{:?}", Secret::new(*b"north-secret")), "Secret(..)");
    }
}
