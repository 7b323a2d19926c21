//! The call on the wire: the token that opens it, the bodies a page and the media relay exchange,
//! the slot map, and the control socket between signaling and the relay.
//!
//! # The token
//!
//! ```text
//! token   = payload "." base64url(signature)          (base64url without padding, RFC 4648 §5)
//! payload = base64url(JSON of the claims, UTF-8)
//! signature = Ed25519 (RFC 8032) over the ASCII bytes  domain ":" payload
//! domain  = "minato-media-1" for a participant, "minato-control-1" for signaling itself
//! ```
//!
//! The signature covers the payload as it was sent, so nobody has to agree on a canonical JSON.
//! The domain keeps one kind of token from being taken for the other.
//!
//! Test vector: secret seed 32 bytes of `0x07` (public key
//! `ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c`), domain `minato-media-1`,
//! payload `e30` (the JSON `{}`): the token is `e30.` followed by
//! `qGO3bmAB8CsTnbAiqGelR2wGaXI5qB7nhrEe2F6W4m-B3x7PmPQLpXvKT4vVDxNArAZMSrQ4GtWUaYDz0apKDQ`.

mod ladder;
mod slots;
mod stills;

pub use ladder::{Cause, GivenUp, LadderStep, Pin, Reduced, VoiceTerms, Wanted};
pub use slots::{FromPage, Slot, SlotMap, ToPage, VideoWish};
pub use stills::{
    STILL_GAP_MS, STILL_PIECE_BYTES_MAX, STILL_PIECES_MAX, STILLS_CHANNEL, StillPiece, still_of,
};

use crate::{ParticipantId, Timestamp, VisitId};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

/// Signed domain of [`MediaClaims`].
pub const MEDIA_DOMAIN: &str = "minato-media-1";
/// Signed domain of [`ControlClaims`].
pub const CONTROL_DOMAIN: &str = "minato-control-1";
/// A token is used at once or not at all: its end lies at most this far ahead.
pub const TOKEN_LIFE_MS_MAX: i64 = 60_000;
/// Longest token text that is looked at.
pub const TOKEN_BYTES_MAX: usize = 2_048;
/// Longest `jti`.
pub const JTI_BYTES_MAX: usize = 64;
/// Whom [`TurnPlace::proof`] is made for.
pub const TURN_PROOF_USER: &str = "proof";
/// Receiving slots a page asks for: everybody else in a visit of six.
pub const SLOTS: u8 = 5;
/// Label of the ordered, reliable data channel that carries [`ToPage`] and [`FromPage`] as JSON.
pub const SLOTS_CHANNEL: &str = "slots";
/// Label of the unordered data channel without retransmission that carries waves as bytes.
pub const WAVES_CHANNEL: &str = "waves";
/// Largest message forwarded on [`WAVES_CHANNEL`]; a larger one is dropped.
pub const WAVE_BYTES_MAX: usize = 4_096;

/// What somebody is in a visit. It decides nothing by itself: [`Rights`] do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum PartyRole {
    /// The doctor who holds the visit, or one who was asked in.
    Doctor,
    /// The nurse at the bedside; her tablet carries the patient too.
    Nurse,
    /// The patient at home.
    Patient,
    /// Interpreter, family, anybody the doctor let in.
    Guest,
    /// The box on the clinic's wall: sends waves, has no face.
    Gateway,
}

/// What a participant may do in the media plane.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rights {
    /// Microphone, and for staff the stethoscope.
    pub publish_audio: bool,
    /// Camera.
    pub publish_video: bool,
    /// Messages on [`WAVES_CHANNEL`].
    pub publish_waves: bool,
    /// Takes part in slots and gets the waves of others.
    pub receive: bool,
}

/// Who may open one media session, once, within [`TOKEN_LIFE_MS_MAX`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaClaims {
    /// The consultation.
    pub visit: VisitId,
    /// Who joins it. A second session of the same participant replaces the first.
    pub participant: ParticipantId,
    /// Epoch of the claim in the room; a session of an older epoch is refused or replaced.
    pub claim_epoch: u32,
    /// What the participant is.
    pub role: PartyRole,
    /// What the participant may do.
    pub rights: Rights,
    /// Random, at most [`JTI_BYTES_MAX`] bytes; the relay accepts each once.
    pub jti: String,
    /// End of validity, at most [`TOKEN_LIFE_MS_MAX`] ahead.
    pub not_after: Timestamp,
    /// How often the visit has been given to a relay; see [`ToRelay::Desired`].
    pub generation: u32,
}

/// Opens the control socket. Not single use: a reconnect may come within its life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ControlClaims {
    /// Name of the signaling node, for the relay's log.
    pub node: String,
    /// End of validity, at most [`TOKEN_LIFE_MS_MAX`] ahead.
    pub not_after: Timestamp,
}

/// A token taken apart, not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenText<'a> {
    /// The part that was signed, as sent.
    pub payload: &'a str,
    /// 64 bytes of Ed25519, if the signer was honest.
    pub signature: Vec<u8>,
}

/// The base64url payload of claims.
pub fn token_payload<C: Serialize>(claims: &C) -> String {
    // Claims are plain structs of strings and numbers: they always have a JSON form.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(claims).unwrap_or_default())
}

/// The exact bytes that are signed: `domain ":" payload`.
pub fn token_signed_bytes(domain: &str, payload: &str) -> Vec<u8> {
    [domain.as_bytes(), b":", payload.as_bytes()].concat()
}

/// The text that travels.
pub fn token_text(payload: &str, signature: &[u8]) -> String {
    format!("{payload}.{}", URL_SAFE_NO_PAD.encode(signature))
}

impl<'a> TokenText<'a> {
    /// Takes a token's text apart; `None` if it has not the form of a token.
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (payload, signature) = text.split_once('.')?;
        Some(Self { payload, signature: URL_SAFE_NO_PAD.decode(signature).ok()? })
    }

    /// Reads the claims. Only after the signature was checked are they worth anything.
    pub fn claims<C: DeserializeOwned>(&self) -> Option<C> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(self.payload).ok()?).ok()
    }
}

/// `POST /relay/sessions`, `Authorization: Bearer <media token>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct JoinOffer {
    /// The page's single offer.
    pub sdp: String,
}

/// `201` to [`JoinOffer`]; `Location` names the session too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct JoinAnswer {
    /// The relay's answer, candidates included.
    pub sdp: String,
    /// Names the session in `/relay/sessions/{session}`.
    pub session: String,
    /// Bearer for that resource: restart, statistics, leave. Works without signaling.
    pub secret: String,
    /// How many receiving pairs of the offer became slots.
    pub slots: u8,
}

/// `PATCH /relay/sessions/{session}`, `Authorization: Bearer <secret>`: an ICE restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RestartOffer {
    /// The offer made after `restartIce()`; the m-lines are those of the first offer.
    pub sdp: String,
}

/// `200` to [`RestartOffer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RestartAnswer {
    /// The relay's answer.
    pub sdp: String,
}

/// Why the relay said no. The code never changes its meaning; the sentence is for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct RelayRefusal {
    /// For programs.
    pub code: RelayCode,
    /// For people: what is wrong and what helps.
    pub message: String,
}

/// Stable reasons of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum RelayCode {
    /// No bearer token, or not the form of one.
    TokenMalformed,
    /// Signed by a key this relay does not trust, or altered.
    TokenSignature,
    /// Past its end. Get a new one.
    TokenExpired,
    /// Its end lies too far ahead: the signer's clock or rule is wrong.
    TokenTooLong,
    /// Its `jti` was used before.
    TokenReplayed,
    /// A newer claim or generation of the visit is known.
    TokenStale,
    /// Signaling has not (or no longer) put this participant on the visit's list.
    NotDesired,
    /// The visit has its six people.
    VisitFull,
    /// The relay has no room; take another.
    RelayFull,
    /// Not an offer this relay can answer.
    SdpInvalid,
    /// Neither `application/json` nor `application/sdp`, or JSON of another shape.
    BodyInvalid,
    /// More bytes than allowed.
    BodyTooLarge,
    /// No such session here; join anew.
    SessionUnknown,
    /// The secret is not this session's.
    SecretWrong,
    /// The relay is stopping or overloaded; try another in a moment.
    Unavailable,
}

/// `GET /relay/sessions/{session}/stats`. Counts since the session began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SessionStats {
    /// ICE has a working pair and DTLS is up.
    pub connected: bool,
    /// Age of the session.
    pub age_s: u32,
    /// UDP packets from the participant.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub packets_in: u64,
    /// UDP packets to the participant.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub packets_out: u64,
    /// UDP payload bytes from the participant.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes_in: u64,
    /// UDP payload bytes to the participant.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub bytes_out: u64,
    /// Round trip between page and relay, if measured.
    pub rtt_ms: Option<u32>,
    /// Packets the participant reported lost on the way from the relay, 0 to 1.
    pub egress_loss: Option<f32>,
    /// Packets the relay found lost on the way from the participant, 0 to 1.
    pub ingress_loss: Option<f32>,
    /// What the link to the participant is found to carry, in bit/s, once it was measured.
    #[serde(default)]
    pub estimate_bps: Option<u32>,
    /// Where the participant's page is on the ladder.
    #[serde(default)]
    pub step: LadderStep,
}

/// Signaling to relay, one JSON text message each, on the WebSocket `GET /relay/control` with
/// `Authorization: Bearer <control token>`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToRelay {
    /// The full list of who belongs into a visit; who is not on it leaves within 2 s. After each
    /// (re)connection every open visit is sent again.
    ///
    /// Lists are ordered by (`generation`, `seq`); an older one is answered with `Applied` and
    /// otherwise ignored, an equal one is applied again. `generation` counts how often the visit
    /// was given to a relay, `seq` is the version of the stream the list was made from, so that
    /// any signaling node may send it.
    Desired {
        /// The consultation.
        visit: VisitId,
        /// Version of the list within its generation.
        seq: u64,
        /// See above.
        generation: u32,
        /// Everybody who may be in it.
        participants: Vec<ParticipantId>,
    },
    /// The visit is over: everybody leaves. It opens again only with a greater `generation`, so
    /// that a list that was on its way cannot revive it.
    Close {
        /// The consultation.
        visit: VisitId,
    },
    /// Answered with [`FromRelay::Pong`].
    Ping,
}

/// Relay to signaling on the same WebSocket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromRelay {
    /// First message of a connection.
    Hello {
        /// Version of the relay's software.
        version: String,
        /// UDP addresses of its media port, as `ip:port`.
        media: Vec<String>,
        /// Everybody who is in a visit now.
        present: Vec<Present>,
        /// The TURN server beside it, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        turn: Option<TurnPlace>,
    },
    /// Media of a participant is up (again after a reload).
    Joined {
        /// The consultation.
        visit: VisitId,
        /// Who.
        participant: ParticipantId,
    },
    /// The participant's session is gone and no newer one took its place.
    Left {
        /// The consultation.
        visit: VisitId,
        /// Who.
        participant: ParticipantId,
        /// Why.
        reason: LeftReason,
    },
    /// The list with this `seq` (or a newer one) is in force and removals are done.
    Applied {
        /// The consultation.
        visit: VisitId,
        /// As in [`ToRelay::Desired`].
        seq: u64,
    },
    /// It stops soon and takes nobody new: as the end of its lease, though media still flows.
    Draining,
    /// Answer to [`ToRelay::Ping`].
    Pong,
}

/// A relay's TURN server (RFC 8656), as the relay registers it. Its passwords are made by signaling
/// from a secret that both were given; it never crosses this wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnPlace {
    /// `turn:` and `turns:` addresses for pages.
    pub urls: Vec<String>,
    /// The password of [`TURN_PROOF_USER`] until second 0, which has been over since 1970: whoever
    /// has the same secret makes the same one, and it opens nothing.
    pub proof: String,
}

/// A participant whose media is up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Present {
    /// The consultation.
    pub visit: VisitId,
    /// Who.
    pub participant: ParticipantId,
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeftReason {
    /// The page said goodbye.
    Goodbye,
    /// Taken off the list.
    Removed,
    /// The visit was closed.
    Closed,
    /// Nothing was heard for 30 s (RFC 7675), or it never connected.
    Lost,
    /// Signaling was away for longer than the relay may keep a visit.
    Expired,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims() -> MediaClaims {
        MediaClaims {
            visit: VisitId(1),
            participant: ParticipantId(2),
            claim_epoch: 3,
            role: PartyRole::Nurse,
            rights: Rights { publish_audio: true, ..Rights::default() },
            jti: "once".into(),
            not_after: Timestamp(60_000),
            generation: 1,
        }
    }

    #[test]
    fn a_token_comes_apart_as_it_was_put_together() {
        let payload = token_payload(&claims());
        let text = token_text(&payload, &[7; 64]);
        let parts = TokenText::parse(&text).expect("a token");
        assert_eq!(parts.signature, [7; 64]);
        assert_eq!(parts.claims::<MediaClaims>(), Some(claims()));
        assert_eq!(token_signed_bytes(MEDIA_DOMAIN, "e30"), b"minato-media-1:e30");
    }

    #[test]
    fn a_desired_list_reads_as_documented() {
        let json = r#"{"type":"desired","visit":"0000000000001","seq":9,"generation":1,"participants":["0000000000002"]}"#;
        let read: ToRelay = serde_json::from_str(json).expect("a list");
        assert_eq!(
            read,
            ToRelay::Desired {
                visit: VisitId(1),
                seq: 9,
                generation: 1,
                participants: vec![ParticipantId(2)]
            }
        );
    }
}
