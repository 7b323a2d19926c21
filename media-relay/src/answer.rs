//! From an offer to an answered str0m instance, outside of the forwarding thread.

use crate::net::Here;
use crate::sdp::{Offer, finish_answer, ice_ufrag};
use minato_protocol::media::RelayCode;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::{Candidate, Rtc};

/// How often a session's figures are renewed.
const STATS_EVERY: Duration = Duration::from_secs(2);
/// Largest message a participant may send on a data channel. What is forwarded is smaller yet;
/// the room between lets a too large one be counted instead of breaking the channel.
const MESSAGE_BYTES_MAX: u32 = 16 * 1024;

/// What all sessions of a relay have in common.
#[derive(Debug)]
pub(crate) struct Answerer {
    here: Here,
    certificate: DtlsCert,
}

/// An answered offer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) rtc: Box<Rtc>,
    pub(crate) sdp: String,
    /// The relay's ICE user name fragment.
    pub(crate) user: String,
}

impl Answerer {
    /// Makes the relay's certificate; `None` if the crypto provider cannot.
    pub(crate) fn new(here: Here) -> Option<Self> {
        let provider = str0m::crypto::from_feature_flags();
        let certificate = provider.dtls_provider.generate_certificate()?;
        Some(Self { here, certificate })
    }

    /// Answers an offer. Whatever is wrong with it is the offer's fault.
    pub(crate) fn answer(&self, offer: &Offer, now: Instant) -> Result<Answered, RelayCode> {
        let answered = catch_unwind(AssertUnwindSafe(|| self.try_answer(offer, now)));
        answered.ok().flatten().ok_or(RelayCode::SdpInvalid)
    }

    fn try_answer(&self, offer: &Offer, now: Instant) -> Option<Answered> {
        let sdp = SdpOffer::from_sdp_string(&offer.text).ok()?;
        // VP8 and Opus are what every tablet can encode. Full ICE, because a browser facing
        // ICE-lite nominates seconds late on a long link.
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .set_dtls_cert(self.certificate.clone())
            .set_stats_interval(Some(STATS_EVERY))
            .set_sctp_max_message_size(MESSAGE_BYTES_MAX)
            .build(now);
        for address in self.here.advertised() {
            rtc.add_local_candidate(Candidate::host(*address, "udp").ok()?);
        }
        let answer = rtc.sdp_api().accept_offer(sdp).ok()?;
        let sdp = finish_answer(&answer.to_sdp_string(), &offer.lines);
        let user = ice_ufrag(&sdp)?.to_owned();
        Some(Answered { rtc: Box::new(rtc), sdp, user })
    }
}
