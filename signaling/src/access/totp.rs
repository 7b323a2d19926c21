//! Time-based one-time passwords (RFC 6238): six digits, SHA-1, 30 seconds, one step either way.

use minato_protocol::Timestamp;
use totp_rs::{Builder, Totp};

/// RFC 4226 section 4 recommends 160 bits.
pub(super) const SECRET_BYTES: usize = 20;

/// What a member of staff's authenticator holds. Never shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret(Vec<u8>);

impl std::fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

impl TotpSecret {
    /// A secret of at least 16 bytes.
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// As an authenticator takes it: base32 without padding.
    pub fn base32(&self) -> String {
        self.rule().map(|rule| rule.secret().to_base32()).unwrap_or_default()
    }

    /// The address that an authenticator reads from a QR code. `account` is percent-encoded here.
    pub fn address(&self, account: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        let encode = |byte: u8| match plain(byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        let account: String = account.bytes().map(encode).collect();
        format!("otpauth://totp/Minato:{account}?secret={}&issuer=Minato", self.base32())
    }

    /// The six digits that the authenticator shows at a moment.
    pub fn code_at(&self, now: Timestamp) -> String {
        let shown = self.rule().map(|rule| rule.generate(seconds(now)).to_string());
        shown.unwrap_or_default()
    }

    /// The step that a code belongs to, when it is right now or one step off.
    pub(super) fn step_of(&self, code: &str, now: Timestamp) -> Option<u64> {
        let code: String = code.chars().filter(|sign| !sign.is_whitespace()).collect();
        let digits = code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit());
        if !digits {
            return None;
        }
        self.rule()?.check(&code, seconds(now))
    }

    fn rule(&self) -> Option<Totp> {
        // Six digits, SHA-1, 30 s and one step of skew are what the builder starts with.
        Builder::new().with_secret(self.0.clone()).build().ok()
    }
}

fn seconds(now: Timestamp) -> u64 {
    u64::try_from(now.0 / 1_000).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238 appendix B, SHA-1; its eight digits end with our six.
    const VECTORS: [(i64, &str); 4] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_234_567_890, "005924"),
        (20_000_000_000, "353130"),
    ];

    fn rfc() -> TotpSecret {
        TotpSecret::new(b"12345678901234567890".to_vec())
    }

    #[test]
    fn the_vectors_of_the_standard_hold() {
        for (at, code) in VECTORS {
            let now = Timestamp(at * 1_000);
            assert_eq!(rfc().code_at(now), code);
            assert_eq!(rfc().step_of(code, now), Some(u64::try_from(at).unwrap() / 30));
        }
    }

    #[test]
    fn a_code_is_good_one_step_early_and_late_and_no_longer() {
        let at = |seconds: i64| Timestamp((1_111_111_109 + seconds) * 1_000);
        for (seconds, good) in [(-60, false), (-30, true), (0, true), (30, true), (61, false)] {
            let step = rfc().step_of("081804", at(seconds));
            assert_eq!(step, good.then_some(37_037_036), "{seconds}");
        }
    }

    #[test]
    fn blanks_are_ignored_and_anything_else_is_wrong() {
        let now = Timestamp(59_000);
        assert!(rfc().step_of(" 287 082 ", now).is_some());
        for code in ["", "28708", "2870821", "28708a", "+28708", "２８７０８２"] {
            assert_eq!(rfc().step_of(code, now), None, "{code}");
        }
    }

    #[test]
    fn the_secret_is_shown_only_on_purpose() {
        assert_eq!(format!("{:?}", rfc()), "TotpSecret(…)");
        assert_eq!(rfc().base32(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert!(rfc().address("a b").starts_with("otpauth://totp/Minato:a%20b?secret=GEZD"));
    }
}
