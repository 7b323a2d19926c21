//! From an offer to an answered str0m instance, outside of the forwarding thread.

use crate::forward::Codecs;
use crate::net::Here;
use crate::sdp::{Offer, finish_answer, ice_ufrag};
use minato_protocol::media::RelayCode;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::format::Codec;
use str0m::net::TcpType;
use str0m::{Candidate, Rtc};

/// How often a session's figures are renewed: oftener than the ladder must react.
const STATS_EVERY: Duration = Duration::from_millis(500);
/// What a receiver's link is taken for until it was measured.
const FIRST_ESTIMATE: Bitrate = Bitrate::kbps(300);
/// What is probed for before anything is known: two pictures of half size and sound.
const WISHED_AT_FIRST: Bitrate = Bitrate::kbps(1_200);
/// Packets kept for a page that asks for them again, and for as long as str0m keeps them.
const RESEND_PACKETS: usize = 1_000;
/// Largest message a participant may send on a data channel. What is forwarded is smaller yet;
/// the room between lets a too large one be counted instead of breaking the channel.
const MESSAGE_BYTES_MAX: u32 = 16 * 1024;

/// H.264 in pieces (packetization-mode 1), constrained baseline 3.1: what browsers have in common
/// (RFC 7742 §6.2). A page's own payload types take precedence.
const H264_PT: u8 = 125;
const H264_RTX_PT: u8 = 107;
const H264_PROFILE: u32 = 0x42_e0_1f;

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
    pub(crate) codecs: Codecs,
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
        // VP8 and Opus are what every tablet can encode; H.264 is for the few that encode nothing
        // else, and comes second, so that all pages of a visit can show a picture. Full ICE, because a browser facing
        // ICE-lite nominates seconds late on a long link.
        let measurable = offer.text.contains("transport-cc");
        let mut config = Rtc::builder()
            .clear_codecs()
            // Without feedback there is nothing to estimate from, and pacing at a guess for ever
            // would only harm.
            .enable_bwe(measurable.then_some(FIRST_ESTIMATE))
            .set_send_buffer_video(RESEND_PACKETS)
            .enable_opus(true, true)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .set_dtls_cert(self.certificate.clone())
            .set_stats_interval(Some(STATS_EVERY))
            .set_sctp_max_message_size(MESSAGE_BYTES_MAX);
        config.codec_config().add_h264(
            H264_PT.into(),
            Some(H264_RTX_PT.into()),
            true,
            H264_PROFILE,
        );
        let sounds = config.codec_config().iter_mut();
        for sound in sounds.filter(|params| params.spec().codec == Codec::Opus) {
            sound.set_fb_nack(offer.lines.resends_sound);
        }
        let mut rtc = config.build(now);
        // Without a wish str0m probes nothing (its first probes come right after DTLS).
        rtc.bwe().set_bitrate(Bitrate::ZERO, WISHED_AT_FIRST);
        for address in self.here.advertised() {
            rtc.add_local_candidate(Candidate::host(*address, "udp").ok()?);
        }
        for address in self.here.by_tcp() {
            let passive = Candidate::builder().tcp().host(*address).tcptype(TcpType::Passive);
            rtc.add_local_candidate(passive.build().ok()?);
        }
        let answer = rtc.sdp_api().accept_offer(sdp).ok()?;
        let sdp = finish_answer(&answer.to_sdp_string(), &offer.lines);
        let user = ice_ufrag(&sdp)?.to_owned();
        let codecs = Codecs::read(&sdp, &rtc);
        Some(Answered { rtc: Box::new(rtc), sdp, user, codecs })
    }
}
