//! The other stack as a browser sets it up: codecs, feedback, tracks.

use rtc::interceptor::Registry;
use rtc::media_stream::MediaStreamTrack;
use rtc::peer_connection::configuration::interceptor_registry::register_default_interceptors;
use rtc::rtp_transceiver::rtp_sender::{
    RTCPFeedback, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpCodingParameters,
    RTCRtpEncodingParameters, RtpCodecKind,
};
use std::sync::Arc;
use webrtc::media_stream::track_local::static_rtp::TrackLocalStaticRTP;
use webrtc::peer_connection::MediaEngine;

pub(crate) const OPUS_PT: u8 = 111;
/// Opus that repeats itself.
pub(crate) const RED_PT: u8 = 63;
pub(crate) const VP8_PT: u8 = 96;
/// Pictures that come again.
const RESENDS_PT: u8 = 97;
/// Not the relay's own name for it.
pub(crate) const H264_PT: u8 = 102;

/// What a page's browser can encode and show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pictures {
    Vp8,
    H264,
}

impl Pictures {
    pub(crate) fn payload_type(self) -> u8 {
        match self {
            Self::Vp8 => VP8_PT,
            Self::H264 => H264_PT,
        }
    }
}

fn codec(kind: RtpCodecKind, pictures: Pictures) -> RTCRtpCodec {
    let (mime, clock_rate, channels, fmtp) = match (kind, pictures) {
        (RtpCodecKind::Video, Pictures::Vp8) => ("video/VP8", 90_000, 0, ""),
        (RtpCodecKind::Video, Pictures::H264) => (
            "video/H264",
            90_000,
            0,
            "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
        ),
        _ => ("audio/opus", 48_000, 2, "minptime=10;useinbandfec=1"),
    };
    RTCRtpCodec {
        mime_type: mime.to_owned(),
        clock_rate,
        channels,
        sdp_fmtp_line: fmtp.to_owned(),
        // A page that sends sound again when it is asked to.
        rtcp_feedback: vec![RTCPFeedback { typ: "nack".to_owned(), parameter: String::new() }],
    }
}

/// With feedback about every packet, as browsers have it, so that the relay can estimate. `resends`:
/// pictures may come again, in a stream of their own (RFC 4588).
pub(crate) fn stack(pictures: Pictures, resends: bool) -> (MediaEngine, Registry) {
    let mut engine = media_engine(pictures);
    if resends {
        let again = RTCRtpCodec {
            mime_type: "video/rtx".to_owned(),
            sdp_fmtp_line: format!("apt={}", pictures.payload_type()),
            rtcp_feedback: vec![],
            ..codec(RtpCodecKind::Video, pictures)
        };
        let again = RTCRtpCodecParameters { rtp_codec: again, payload_type: RESENDS_PT };
        engine.register_codec(again, RtpCodecKind::Video).expect("a codec of pictures");
    }
    let registry = register_default_interceptors(Registry::new(), &mut engine);
    (engine, registry.expect("the usual interceptors"))
}

fn media_engine(pictures: Pictures) -> MediaEngine {
    let mut engine = MediaEngine::default();
    let video = (RtpCodecKind::Video, pictures.payload_type());
    for (kind, payload_type) in [(RtpCodecKind::Audio, OPUS_PT), video] {
        let parameters = RTCRtpCodecParameters { rtp_codec: codec(kind, pictures), payload_type };
        engine.register_codec(parameters, kind).expect("a codec of its kind");
    }
    let red = RTCRtpCodec {
        mime_type: "audio/red".to_owned(),
        sdp_fmtp_line: format!("{OPUS_PT}/{OPUS_PT}"),
        rtcp_feedback: vec![],
        ..codec(RtpCodecKind::Audio, pictures)
    };
    let red = RTCRtpCodecParameters { rtp_codec: red, payload_type: RED_PT };
    engine.register_codec(red, RtpCodecKind::Audio).expect("a codec of sound");
    engine
}

pub(crate) fn track(kind: RtpCodecKind, pictures: Pictures, ssrc: u32) -> Arc<TrackLocalStaticRTP> {
    let name = |what| format!("{what}-{ssrc}");
    Arc::new(TrackLocalStaticRTP::new(MediaStreamTrack::new(
        name("stream"),
        name("track"),
        name("label"),
        kind,
        vec![RTCRtpEncodingParameters {
            rtp_coding_parameters: RTCRtpCodingParameters {
                ssrc: Some(ssrc),
                ..Default::default()
            },
            codec: codec(kind, pictures),
            ..Default::default()
        }],
    )))
}
