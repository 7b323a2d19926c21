//! PURE: whether a pass is one of this site's broker, and still good.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use minato_protocol::lan::{PASS_DOMAIN, PASS_LIFE, PASS_SUBJECTS_MAX, PassClaims};
use minato_protocol::media::{TokenText, token_signed_bytes};
use minato_protocol::reading::Hex;
use minato_protocol::{Code, SiteId, Timestamp};

/// What a box knows when somebody shows a pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    /// The broker's, as it last said; nobody is believed without.
    pub(crate) key: Option<Hex<32>>,
    /// Where the box hangs; known once it is enrolled.
    pub(crate) site: Option<SiteId>,
    /// The broker's time, as far as the box can tell.
    pub(crate) now: Timestamp,
}

/// Reads a pass. `PassWrong`: forged, damaged or of no broker that is known here; `PassElsewhere`:
/// another site's; `PassExpired`.
pub(crate) fn read(text: &str, known: &Known) -> Result<PassClaims, Code> {
    let (key, site) = known.key.zip(known.site).ok_or(Code::PassWrong)?;
    let token = TokenText::parse(text).ok_or(Code::PassWrong)?;
    UnparsedPublicKey::new(&ED25519, key.0)
        .verify(&token_signed_bytes(PASS_DOMAIN, token.payload), &token.signature)
        .map_err(|_| Code::PassWrong)?;
    let claims: PassClaims = token.claims().ok_or(Code::PassWrong)?;
    let too_long = claims.not_after - claims.issued > PASS_LIFE;
    if too_long || claims.subjects.len() > PASS_SUBJECTS_MAX {
        return Err(Code::PassWrong);
    }
    if claims.site != site {
        return Err(Code::PassElsewhere);
    }
    // A clock that stands before the pass was given is wrong: it is at least as late as that.
    if known.now.max(claims.issued) >= claims.not_after {
        return Err(Code::PassExpired);
    }
    Ok(claims)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
    use minato_protocol::media::{token_payload, token_text};
    use minato_protocol::{Span, StaffId, SubjectId};
    use proptest::prelude::*;

    const SITE: SiteId = SiteId(5);
    const T0: Timestamp = Timestamp(1_700_000_000_000);

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("a seed")
    }

    fn known(now: Timestamp) -> Known {
        let mut key = [0; 32];
        key.copy_from_slice(pair(7).public_key().as_ref());
        Known { key: Some(Hex(key)), site: Some(SITE), now }
    }

    fn claims() -> PassClaims {
        PassClaims {
            holder: Hex([1; 8]),
            staff: StaffId(9),
            site: SITE,
            subjects: vec![SubjectId(1), SubjectId(2)],
            issued: T0,
            not_after: T0 + PASS_LIFE,
        }
    }

    fn signed(claims: &PassClaims, seed: u8, domain: &str) -> String {
        let payload = token_payload(claims);
        token_text(&payload, pair(seed).sign(&token_signed_bytes(domain, &payload)).as_ref())
    }

    #[test]
    fn a_pass_of_this_site_is_good_until_its_end_and_not_a_moment_longer() {
        let text = signed(&claims(), 7, PASS_DOMAIN);
        let at = |now| read(&text, &known(now));
        assert_eq!(at(T0), Ok(claims()));
        assert_eq!(at(T0 + PASS_LIFE - Span(1)), Ok(claims()));
        assert_eq!(at(T0 + PASS_LIFE), Err(Code::PassExpired));
        assert_eq!(at(Timestamp(0)), Ok(claims()), "a clock without a battery locks nobody out");
    }

    #[test]
    fn whatever_is_not_the_brokers_own_word_for_this_site_is_refused() {
        let refused = |text: &str| read(text, &known(T0));
        assert_eq!(refused(&signed(&claims(), 8, PASS_DOMAIN)), Err(Code::PassWrong));
        assert_eq!(refused(&signed(&claims(), 7, "minato-media-1")), Err(Code::PassWrong));
        let elsewhere = PassClaims { site: SiteId(6), ..claims() };
        assert_eq!(refused(&signed(&elsewhere, 7, PASS_DOMAIN)), Err(Code::PassElsewhere));
        let for_ever = PassClaims { not_after: T0 + PASS_LIFE + Span(1), ..claims() };
        assert_eq!(refused(&signed(&for_ever, 7, PASS_DOMAIN)), Err(Code::PassWrong));
        let backwards = PassClaims { not_after: T0 - Span(1), ..claims() };
        assert_eq!(refused(&signed(&backwards, 7, PASS_DOMAIN)), Err(Code::PassExpired));
        let keyless = Known { key: None, ..known(T0) };
        let text = signed(&claims(), 7, PASS_DOMAIN);
        assert_eq!(read(&text, &keyless), Err(Code::PassWrong), "before any broker was met");
    }

    proptest! {
        #[test]
        fn no_pass_with_a_changed_byte_is_believed(at in 0usize..400, to in any::<u8>()) {
            let text = signed(&claims(), 7, PASS_DOMAIN);
            let mut bytes = text.clone().into_bytes();
            let at = at % bytes.len();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let changed = String::from_utf8_lossy(&bytes).into_owned();
            // The last digit of base64 has bits that say nothing: such a text has the same signature.
            let same = TokenText::parse(&changed) == TokenText::parse(&text);
            prop_assert_eq!(read(&changed, &known(T0)).is_ok(), same);
        }
    }

    #[test]
    fn fuzzed_passes_break_nothing_and_open_nothing() {
        let good = signed(&claims(), 7, PASS_DOMAIN);
        let foreign = signed(&claims(), 8, PASS_DOMAIN);
        let seeds: [&[u8]; 3] = [good.as_bytes(), foreign.as_bytes(), b"e30.AA"];
        minato_fuzz::feed_for("lan_pass", &seeds, 8, |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let same = TokenText::parse(&text) == TokenText::parse(&good);
            assert_eq!(read(&text, &known(T0)).is_ok(), same, "{text}");
        });
    }
}
