//! The node's secret and what is derived from it: links, codes, sessions, lookup hashes.
//!
//! Links and sessions carry a tag made with the node's secret, so that a guessed one is refused
//! without a look at the log. Lookup hashes are keyed, so that whoever has the log cannot search
//! for the few eight-digit codes that fit it.

use super::secret_hash::SecretHash;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::{constant_time, hmac, rand};
use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use std::fmt;
use std::sync::Arc;

pub(super) const NODE_SECRET_BYTES: usize = 32;
/// 192 bits that nobody can guess.
const BODY_BYTES: usize = 24;
/// 96 bits: a forged tag is only ever tried over the network.
const TAG_BYTES: usize = 12;
const STAFF_ID_BYTES: usize = 8;
const CODES: u64 = 100_000_000;

/// What a secret is for: nothing made for one purpose is good for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// A join link.
    Join,
    /// A spoken code.
    Spoken,
    /// A transfer code.
    Transfer,
    /// A session's cookie.
    Session,
    /// A link that signs a member of staff in once.
    Once,
}

impl Label {
    const fn text(self) -> &'static str {
        match self {
            Label::Join => "join",
            Label::Spoken => "spoken",
            Label::Transfer => "transfer",
            Label::Session => "session",
            Label::Once => "once",
        }
    }
}

/// The node's secret. Cheap to clone, never shown.
#[derive(Clone)]
pub struct Secrets(Arc<Inner>);

struct Inner {
    key: hmac::Key,
    seal: RandomizedNonceKey,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secrets(…)")
    }
}

impl Secrets {
    /// A secret from the configuration, the same on every node.
    pub fn from_bytes(node_secret: [u8; NODE_SECRET_BYTES]) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &node_secret);
        let seal_key = mac(&key, "seal", &[]);
        let seal = RandomizedNonceKey::new(&AES_256_GCM, &seal_key)
            .expect("a key of 32 bytes fits AES-256");
        Self(Arc::new(Inner { key, seal }))
    }

    /// A secret that ends with the process, for tests.
    pub fn random() -> Self {
        Self::from_bytes(random_bytes())
    }

    /// The join link's secret: 192 bits, the same again for the same press and place in its list.
    pub fn link_secret(&self, key: u64, index: u32) -> String {
        let derived = self.mac("link", &[&key.to_be_bytes(), &index.to_be_bytes()]);
        self.tagged(Label::Join, &derived[..BODY_BYTES])
    }

    /// Eight digits. `attempt` gives others when these are taken.
    pub fn spoken_code(&self, key: u64, index: u32, attempt: u32) -> String {
        let parts = [&key.to_be_bytes()[..], &index.to_be_bytes(), &attempt.to_be_bytes()];
        digits(&self.mac("spoken code", &parts))
    }

    /// A browser's session for a link or code: the same again for the same browser, so that a
    /// lost answer can be asked for again. `place` is what the link opens.
    pub fn session_secret(&self, link: SecretHash, place: &[u8], browser: &str) -> String {
        let derived = self.mac("session of link", &[&link.0, place, browser.as_bytes()]);
        self.tagged(Label::Session, &derived[..BODY_BYTES])
    }

    /// A session that nothing leads back to.
    pub(super) fn random_session_secret(&self) -> String {
        self.tagged(Label::Session, &random_bytes::<BODY_BYTES>())
    }

    /// A link that signs one member of staff in once; it says whom.
    pub(super) fn random_once_secret(&self, staff: u64) -> String {
        let body = [&staff.to_be_bytes()[..], &random_bytes::<BODY_BYTES>()].concat();
        self.tagged(Label::Once, &body)
    }

    /// Whom a sign-in link is for, if it was made here.
    pub(super) fn staff_of_once(&self, secret: &str) -> Option<u64> {
        let body = self.untagged(Label::Once, secret)?;
        let (staff, rest) = body.split_first_chunk::<STAFF_ID_BYTES>()?;
        (rest.len() == BODY_BYTES).then(|| u64::from_be_bytes(*staff))
    }

    /// Whether a long secret was made here for this purpose. Looks at nothing but the text.
    pub fn is_ours(&self, label: Label, secret: &str) -> bool {
        self.untagged(label, secret).is_some_and(|body| body.len() == BODY_BYTES)
    }

    /// The name under which a secret is kept.
    pub fn lookup_hash(&self, label: Label, secret: &str) -> SecretHash {
        SecretHash(self.mac("lookup", &[label.text().as_bytes(), secret.as_bytes()]))
    }

    /// A staff id that belongs to this account name alone, on every node.
    pub(super) fn staff_id(&self, account: &str) -> u64 {
        self.derive_id("staff id", account.as_bytes())
    }

    /// What makes password and PIN hashes useless without this node's secret.
    pub(super) fn pepper(&self) -> [u8; 32] {
        self.derive_key("pepper")
    }

    /// Seals a secret that has to be read back, bound to the stream it is stored in. Base64.
    pub(super) fn seal(&self, context: &str, plain: &[u8]) -> String {
        let mut bytes = plain.to_vec();
        let nonce = self
            .0
            .seal
            .seal_in_place_append_tag(Aad::from(context.as_bytes()), &mut bytes)
            .expect("a short text is within AES-GCM's limits");
        BASE64_STANDARD.encode([nonce.as_ref().as_slice(), &bytes].concat())
    }

    /// Opens what [`Secrets::seal`] sealed for the same context with the same node secret.
    pub(super) fn unseal(&self, context: &str, sealed: &str) -> Option<Vec<u8>> {
        let mut bytes = BASE64_STANDARD.decode(sealed).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.0.seal.open_in_place(nonce, Aad::from(context.as_bytes()), sealed);
        plain.ok().map(|plain| plain.to_vec())
    }

    /// An id that nobody can guess and that the same text gives again.
    pub fn derive_id(&self, purpose: &str, from: &[u8]) -> u64 {
        let derived = self.mac(purpose, &[b"id", from]);
        u64::from_be_bytes(*derived.first_chunk().expect("32 bytes begin with 8"))
    }

    /// A key for one purpose, the same on every node that shares the secret.
    pub fn derive_key(&self, purpose: &str) -> [u8; 32] {
        self.mac(purpose, &[b"key"])
    }

    fn tagged(&self, label: Label, body: &[u8]) -> String {
        let tag = self.mac("tag", &[label.text().as_bytes(), body]);
        BASE64_URL_SAFE_NO_PAD.encode([body, &tag[..TAG_BYTES]].concat())
    }

    fn untagged(&self, label: Label, secret: &str) -> Option<Vec<u8>> {
        // The longest one made here has 59 characters.
        let mut body =
            (secret.len() <= 64).then(|| BASE64_URL_SAFE_NO_PAD.decode(secret).ok())??;
        let tag = body.split_off(body.len().checked_sub(TAG_BYTES)?);
        let right = self.mac("tag", &[label.text().as_bytes(), &body]);
        constant_time::verify_slices_are_equal(&tag, &right[..TAG_BYTES]).ok().map(|()| body)
    }

    fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        mac(&self.0.key, purpose, parts)
    }
}

/// HMAC-SHA256 over parts that cannot run into each other: each is preceded by its length.
fn mac(key: &hmac::Key, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(key);
    for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    context.sign().as_ref().try_into().expect("SHA-256 gives 32 bytes")
}

fn digits(bytes: &[u8; 32]) -> String {
    let number = u64::from_be_bytes(*bytes.first_chunk().expect("32 bytes begin with 8"));
    format!("{:08}", number % CODES)
}

pub(super) fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

/// A number drawn at random, for an id.
pub fn random_id() -> u64 {
    u64::from_be_bytes(random_bytes())
}

/// Base64url of so many random bytes (at most 64), for a name that nobody can guess.
pub fn random_text(bytes: usize) -> String {
    let drawn = random_bytes::<64>();
    BASE64_URL_SAFE_NO_PAD.encode(&drawn[..bytes.min(drawn.len())])
}

/// Eight digits drawn at random.
pub(super) fn random_digits() -> String {
    digits(&random_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_press_gives_the_same_link_and_another_press_another() {
        let secrets = Secrets::random();
        assert_eq!(secrets.link_secret(1, 2), secrets.link_secret(1, 2));
        assert_ne!(secrets.link_secret(1, 2), secrets.link_secret(1, 3));
        assert_ne!(secrets.link_secret(1, 2), secrets.link_secret(2, 2));
        assert_ne!(secrets.link_secret(1, 2), Secrets::random().link_secret(1, 2));
    }

    #[test]
    fn a_link_holds_at_least_192_bits_and_fits_an_address() {
        let link = Secrets::random().link_secret(1, 0);
        assert_eq!(link.len(), 48);
        assert!(link.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
    }

    #[test]
    fn a_changed_or_relabelled_secret_is_not_ours() {
        let secrets = Secrets::random();
        let link = secrets.link_secret(1, 0);
        assert!(secrets.is_ours(Label::Join, &link));
        assert!(!secrets.is_ours(Label::Session, &link));
        assert!(!Secrets::random().is_ours(Label::Join, &link));
        let first = if link.starts_with('A') { 'B' } else { 'A' };
        let changed = format!("{first}{}", &link[1..]);
        assert!(!secrets.is_ours(Label::Join, &changed));
        for text in ["", "あ", "AAAA", &"A".repeat(48), &"A".repeat(10_000)] {
            assert!(!secrets.is_ours(Label::Join, text), "{text}");
        }
    }

    #[test]
    fn a_sign_in_link_says_whom_it_is_for() {
        let secrets = Secrets::random();
        let once = secrets.random_once_secret(77);
        assert_eq!(secrets.staff_of_once(&once), Some(77));
        assert_eq!(secrets.staff_of_once(&secrets.link_secret(1, 0)), None);
    }

    #[test]
    fn a_spoken_code_is_eight_digits() {
        let secrets = Secrets::random();
        for attempt in 0..100 {
            let code = secrets.spoken_code(1, 0, attempt);
            assert!(code.len() == 8 && code.bytes().all(|b| b.is_ascii_digit()));
        }
    }

    #[test]
    fn what_is_sealed_opens_only_where_it_belongs() {
        let secrets = Secrets::random();
        let sealed = secrets.seal("account/1", b"secret");
        assert_eq!(secrets.unseal("account/1", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(secrets.unseal("account/2", &sealed), None);
        assert_eq!(Secrets::random().unseal("account/1", &sealed), None);
        assert_eq!(secrets.unseal("account/1", "AAAA"), None);
    }

    #[test]
    fn the_node_secret_is_never_shown() {
        assert_eq!(format!("{:?}", Secrets::random()), "Secrets(…)");
    }
}
