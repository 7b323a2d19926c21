//! Media and control tokens: PURE checks of signature, life and single use.
//!
//! The text form and the signed bytes are described in `minato_protocol::media`.

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, UnparsedPublicKey};
use minato_protocol::media::{
    CONTROL_DOMAIN, ControlClaims, JTI_BYTES_MAX, MEDIA_DOMAIN, MediaClaims, RelayCode,
    TOKEN_LIFE_MS_MAX, TokenText, token_payload, token_signed_bytes, token_text,
};
use minato_protocol::{Span, Timestamp};
use serde::Serialize;
use std::collections::HashSet;

/// How far the clocks of signaling and relay may lie apart.
pub const CLOCK_SKEW: Span = Span(5_000);
/// How long a used `jti` is remembered at least: longer than any token with it can live.
const REMEMBER: Span = Span(TOKEN_LIFE_MS_MAX + 3 * CLOCK_SKEW.0);
/// Used `jti`s kept in one generation. When full, new tokens are refused: forgetting one would
/// allow its replay.
const JTIS_MAX: usize = 65_536;

/// Signs a participant's claims. Signaling does the same with its own code.
pub fn sign(claims: &MediaClaims, key: &Ed25519KeyPair) -> String {
    sign_as(MEDIA_DOMAIN, claims, key)
}

/// Signs the claims that open the control socket.
pub fn sign_control(claims: &ControlClaims, key: &Ed25519KeyPair) -> String {
    sign_as(CONTROL_DOMAIN, claims, key)
}

fn sign_as<C: Serialize>(domain: &str, claims: &C, key: &Ed25519KeyPair) -> String {
    let payload = token_payload(claims);
    let signature = key.sign(&token_signed_bytes(domain, &payload));
    token_text(&payload, signature.as_ref())
}

/// The public half of signaling's key: 32 bytes of Ed25519 (RFC 8032).
#[derive(Debug, Clone, Copy)]
pub struct TokenKey(pub [u8; 32]);

impl TokenKey {
    /// Believes a media token or says why not. Single use is [`Replays`]' part.
    pub fn media(&self, text: &str, now: Timestamp) -> Result<MediaClaims, RelayCode> {
        let parts = self.signed(MEDIA_DOMAIN, text)?;
        let claims: MediaClaims = parts.claims().ok_or(RelayCode::TokenMalformed)?;
        if claims.jti.is_empty() || claims.jti.len() > JTI_BYTES_MAX {
            return Err(RelayCode::TokenMalformed);
        }
        alive(claims.not_after, now)?;
        Ok(claims)
    }

    /// Believes a control token or says why not.
    pub fn control(&self, text: &str, now: Timestamp) -> Result<ControlClaims, RelayCode> {
        let parts = self.signed(CONTROL_DOMAIN, text)?;
        let claims: ControlClaims = parts.claims().ok_or(RelayCode::TokenMalformed)?;
        alive(claims.not_after, now)?;
        Ok(claims)
    }

    fn signed<'a>(&self, domain: &str, text: &'a str) -> Result<TokenText<'a>, RelayCode> {
        let parts = TokenText::parse(text).ok_or(RelayCode::TokenMalformed)?;
        UnparsedPublicKey::new(&ED25519, self.0)
            .verify(&token_signed_bytes(domain, parts.payload), &parts.signature)
            .map_err(|_| RelayCode::TokenSignature)?;
        Ok(parts)
    }
}

fn alive(not_after: Timestamp, now: Timestamp) -> Result<(), RelayCode> {
    if not_after + CLOCK_SKEW < now {
        return Err(RelayCode::TokenExpired);
    }
    if not_after - now > Span(TOKEN_LIFE_MS_MAX + CLOCK_SKEW.0) {
        return Err(RelayCode::TokenTooLong);
    }
    Ok(())
}

/// The `jti`s used lately, in two generations so that forgetting costs nothing.
#[derive(Debug, Default)]
pub struct Replays {
    young: HashSet<String>,
    old: HashSet<String>,
    turned: Timestamp,
}

impl Replays {
    /// Uses a `jti` up.
    pub fn claim(&mut self, jti: &str, now: Timestamp) -> Result<(), RelayCode> {
        if now - self.turned >= REMEMBER {
            self.old = std::mem::take(&mut self.young);
            self.turned = now;
        }
        if self.young.contains(jti) || self.old.contains(jti) {
            return Err(RelayCode::TokenReplayed);
        }
        if self.young.len() >= JTIS_MAX {
            return Err(RelayCode::Unavailable);
        }
        self.young.insert(jti.to_owned());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::KeyPair;
    use minato_protocol::media::{PartyRole, Rights};
    use minato_protocol::{ParticipantId, VisitId};
    use proptest::prelude::*;

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn key() -> (Ed25519KeyPair, TokenKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("a seed of 32 bytes");
        let public = pair.public_key().as_ref().try_into().expect("32 bytes");
        (pair, TokenKey(public))
    }

    fn claims(not_after: Timestamp) -> MediaClaims {
        MediaClaims {
            visit: VisitId(1),
            participant: ParticipantId(2),
            claim_epoch: 1,
            role: PartyRole::Doctor,
            rights: Rights { receive: true, ..Rights::default() },
            jti: "j1".into(),
            not_after,
            generation: 1,
        }
    }

    #[test]
    fn the_signed_bytes_are_those_of_the_published_vector() {
        let (pair, key) = key();
        let signature = pair.sign(&token_signed_bytes(MEDIA_DOMAIN, "e30"));
        let text = token_text("e30", signature.as_ref());
        assert_eq!(
            text,
            "e30.qGO3bmAB8CsTnbAiqGelR2wGaXI5qB7nhrEe2F6W4m-B3x7PmPQLpXvKT4vVDxNArAZMSrQ4GtWUaYDz0apKDQ"
        );
        assert_eq!(key.media(&text, NOW), Err(RelayCode::TokenMalformed), "signed, but no claims");
    }

    #[test]
    fn a_fresh_token_is_believed() {
        let (pair, key) = key();
        let claims = claims(NOW + Span::seconds(60));
        assert_eq!(key.media(&sign(&claims, &pair), NOW), Ok(claims));
    }

    #[test]
    fn a_token_past_its_end_is_refused() {
        let (pair, key) = key();
        let text = sign(&claims(NOW), &pair);
        assert_eq!(key.media(&text, NOW + Span::seconds(6)), Err(RelayCode::TokenExpired));
    }

    #[test]
    fn a_token_that_would_live_too_long_is_refused() {
        let (pair, key) = key();
        let text = sign(&claims(NOW + Span::minutes(2)), &pair);
        assert_eq!(key.media(&text, NOW), Err(RelayCode::TokenTooLong));
        let text = sign(&claims(Timestamp(i64::MAX)), &pair);
        assert_eq!(key.media(&text, NOW), Err(RelayCode::TokenTooLong));
    }

    #[test]
    fn a_control_token_opens_no_media_session() {
        let (pair, key) = key();
        let control = ControlClaims { node: "a".into(), not_after: NOW + Span::seconds(30) };
        let text = sign_control(&control, &pair);
        assert_eq!(key.control(&text, NOW), Ok(control));
        assert_eq!(key.media(&text, NOW), Err(RelayCode::TokenSignature));
    }

    #[test]
    fn a_jti_is_good_once_as_long_as_its_token_could_live() {
        let mut replays = Replays::default();
        assert_eq!(replays.claim("a", NOW), Ok(()));
        for seconds in [0, 30, 60, 70, 74] {
            let later = NOW + Span::seconds(seconds);
            assert_eq!(replays.claim("a", later), Err(RelayCode::TokenReplayed), "{seconds} s");
        }
        assert_eq!(replays.claim("b", NOW), Ok(()));
    }

    proptest! {
        #[test]
        fn no_text_at_all_is_believed_unsigned(text in ".{0,300}") {
            prop_assert!(key().1.media(&text, NOW).is_err());
        }

        #[test]
        fn one_changed_byte_breaks_a_token(at in 0usize..200, to in 33u8..127) {
            let (pair, key) = key();
            let good = sign(&claims(NOW + Span::seconds(60)), &pair);
            let mut bytes = good.clone().into_bytes();
            let at = at % bytes.len();
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            let bad = String::from_utf8(bytes).expect("ascii");
            // The last character of base64 may carry unused bits: the same bytes, the same token.
            if let Ok(believed) = key.media(&bad, NOW) {
                prop_assert_eq!(Ok(believed), key.media(&good, NOW));
            }
        }
    }
}
