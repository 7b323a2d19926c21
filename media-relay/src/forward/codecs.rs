//! How one page names the codecs that were agreed with it: PURE.

use crate::sdp::picture_payload_type;
use str0m::Rtc;
use str0m::format::Codec;
use str0m::media::Pt;

/// What a picture is encoded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum PictureCodec {
    Vp8,
    H264,
}

/// Payload types of one connection.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Codecs {
    pub(crate) opus: Option<Pt>,
    /// Opus that repeats itself.
    pub(crate) red: Option<Pt>,
    /// What the page can show, and what it may send: a browser may have one way only.
    shows: Pictures,
    sends: Pictures,
}

#[derive(Debug, Clone, Copy, Default)]
struct Pictures {
    vp8: Option<Pt>,
    h264: Option<Pt>,
}

impl Pictures {
    /// Of the lines that the relay answers with this direction.
    fn read(answer: &str, direction: &str) -> Self {
        let named = |name| picture_payload_type(answer, direction, name).map(Pt::from);
        Self { vp8: named("vp8/"), h264: named("h264/") }
    }

    fn of(&self, codec: PictureCodec) -> Option<Pt> {
        match codec {
            PictureCodec::Vp8 => self.vp8,
            PictureCodec::H264 => self.h264,
        }
    }
}

impl Codecs {
    /// What the answer says; of sound, what the engine knows.
    pub(crate) fn read(answer: &str, rtc: &Rtc) -> Self {
        let opus = rtc.codec_config().find(|params| params.spec().codec == Codec::Opus);
        Self {
            opus: opus.map(|params| params.pt()),
            red: opus.and_then(|params| params.red()),
            shows: Pictures::read(answer, "a=sendonly"),
            sends: Pictures::read(answer, "a=recvonly"),
        }
    }

    /// How the page names a codec, if it can show it.
    pub(crate) fn of_picture(&self, codec: PictureCodec) -> Option<Pt> {
        self.shows.of(codec)
    }

    /// What the page sends under a payload type.
    pub(crate) fn picture_of(&self, pt: Pt) -> Option<PictureCodec> {
        let all = [PictureCodec::Vp8, PictureCodec::H264];
        all.into_iter().find(|codec| self.sends.of(*codec) == Some(pt))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::Answerer;
    use crate::net::Here;
    use crate::sdp::read_offer;
    use proptest::prelude::*;
    use std::time::Instant;

    fn offer([opus, red, vp8, vp8_rtx, h264, h264_rtx]: [u8; 6]) -> String {
        let line = |kind: &str, mid: u8, types: &[u8], rows: &str| {
            let types: Vec<_> = types.iter().map(u8::to_string).collect();
            format!(
                "m={kind} 9 UDP/TLS/RTP/SAVPF {}\r\nc=IN IP4 0.0.0.0\r\na=rtcp-mux\r\n\
                 a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
                 a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:\
                 55:66:77:88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:{mid}\r\n\
                 a={}\r\n{rows}",
                types.join(" "),
                if mid == 2 { "sendonly" } else { "recvonly" }
            )
        };
        let sound = format!(
            "a=rtpmap:{red} red/48000/2\r\na=fmtp:{red} {opus}/{opus}\r\n\
             a=rtpmap:{opus} opus/48000/2\r\na=fmtp:{opus} minptime=10;useinbandfec=1\r\n"
        );
        let picture = format!(
            "a=rtpmap:{h264} H264/90000\r\na=fmtp:{h264} level-asymmetry-allowed=1;\
             packetization-mode=1;profile-level-id=42e01f\r\na=rtpmap:{h264_rtx} rtx/90000\r\n\
             a=fmtp:{h264_rtx} apt={h264}\r\na=rtpmap:{vp8} VP8/90000\r\n\
             a=rtpmap:{vp8_rtx} rtx/90000\r\na=fmtp:{vp8_rtx} apt={vp8}\r\n"
        );
        let head = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2\r\n";
        let sounds = line("audio", 0, &[red, opus], &sound);
        let pictures = line("video", 1, &[h264, h264_rtx, vp8, vp8_rtx], &picture);
        let camera = format!("{picture}a=ssrc:7 cname:x\r\n");
        let camera = line("video", 2, &[h264, h264_rtx, vp8, vp8_rtx], &camera);
        format!("{head}{sounds}{pictures}{camera}")
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn a_page_may_name_its_codecs_as_it_likes(
            names in Just((96u8..128).collect::<Vec<_>>()).prop_shuffle()
        ) {
            let names = <[u8; 6]>::try_from(&names[..6]).expect("six of them");
            let here = Here::new(([127, 0, 0, 1], 7).into(), &[]);
            let answerer = Answerer::new(here).expect("a certificate");
            let offer = read_offer(&offer(names)).expect("an offer");
            let codecs = answerer.answer(&offer, Instant::now()).expect("an answer").codecs;
            let [opus, red, vp8, _, h264, _] = names.map(|name| Some(Pt::from(name)));
            prop_assert_eq!((codecs.opus, codecs.red), (opus, red));
            prop_assert_eq!(codecs.of_picture(PictureCodec::Vp8), vp8);
            prop_assert_eq!(codecs.of_picture(PictureCodec::H264), h264);
            prop_assert_eq!(h264.and_then(|pt| codecs.picture_of(pt)), Some(PictureCodec::H264));
        }
    }
}
