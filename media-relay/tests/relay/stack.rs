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

fn codec(kind: RtpCodecKind) -> RTCRtpCodec {
    let (mime, clock_rate, channels, fmtp) = match kind {
        RtpCodecKind::Video => ("video/VP8", 90_000, 0, ""),
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

/// With feedback about every packet, as browsers have it, so that the relay can estimate.
pub(crate) fn stack() -> (MediaEngine, Registry) {
    let mut engine = media_engine();
    let registry = register_default_interceptors(Registry::new(), &mut engine);
    (engine, registry.expect("the usual interceptors"))
}

fn media_engine() -> MediaEngine {
    let mut engine = MediaEngine::default();
    for (kind, payload_type) in [(RtpCodecKind::Audio, OPUS_PT), (RtpCodecKind::Video, VP8_PT)] {
        let parameters = RTCRtpCodecParameters { rtp_codec: codec(kind), payload_type };
        engine.register_codec(parameters, kind).expect("a codec of its kind");
    }
    let red = RTCRtpCodec {
        mime_type: "audio/red".to_owned(),
        sdp_fmtp_line: format!("{OPUS_PT}/{OPUS_PT}"),
        rtcp_feedback: vec![],
        ..codec(RtpCodecKind::Audio)
    };
    let red = RTCRtpCodecParameters { rtp_codec: red, payload_type: RED_PT };
    engine.register_codec(red, RtpCodecKind::Audio).expect("a codec of sound");
    engine
}

pub(crate) fn track(kind: RtpCodecKind, ssrc: u32) -> Arc<TrackLocalStaticRTP> {
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
            codec: codec(kind),
            ..Default::default()
        }],
    )))
}
