//! Offers from outside, broken in every way.

use super::{OFFER_BYTES_MAX, finish_answer, ice_ufrag, read_offer};
use crate::answer::Answerer;
use crate::net::Here;
use std::time::Instant;

/// As a browser writes it, somewhat shorter: sending, simulcast, two pairs to receive, data.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0 1 2 3 4\r\n\
    a=extmap-allow-mixed\r\na=msid-semantic: WMS *\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 63 111\r\nc=IN IP4 0.0.0.0\r\na=rtcp:9 IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=ice-options:trickle\r\n\
    a=candidate:1 1 udp 2113937151 192.0.2.7 5000 typ host generation 0\r\n\
    a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:\
    88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:0\r\n\
    a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\r\n\
    a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\na=sendonly\r\na=msid:- one\r\na=rtcp-mux\r\n\
    a=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\na=rtpmap:111 opus/48000/2\r\n\
    a=rtcp-fb:111 transport-cc\r\na=rtcp-fb:111 nack\r\na=fmtp:111 minptime=10;useinbandfec=1\r\n\
    a=ssrc:11 cname:page\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=ice-ufrag:abcd\r\n\
    a=ice-pwd:0123456789abcdef01234567\r\na=setup:actpass\r\na=mid:1\r\n\
    a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n\
    a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id\r\na=sendonly\r\na=rtcp-mux\r\n\
    a=rtcp-rsize\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 goog-remb\r\na=rtcp-fb:96 transport-cc\r\n\
    a=rtcp-fb:96 ccm fir\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack pli\r\na=rtpmap:97 rtx/90000\r\n\
    a=fmtp:97 apt=96\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;h;f\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:2\r\n\
    a=recvonly\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:3\r\n\
    a=recvonly\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\n\
    a=mid:4\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

#[test]
fn no_offer_breaks_the_reader_and_none_aims_the_relay_at_anybody() {
    let here = Here::new(([127, 0, 0, 1], 7).into(), &[]);
    let answerer = Answerer::new(here).expect("a certificate");
    let (first, _) = OFFER.split_at(OFFER.len() / 2);
    assert!(answerer.answer(&read_offer(OFFER).expect("an offer"), Instant::now()).is_ok());
    let mut count = 0;
    minato_fuzz::feed("offer", &[OFFER.as_bytes(), first.as_bytes()], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let finished = |lines: &super::Lines| drop(finish_answer(&text, lines));
        let _ = ice_ufrag(&text);
        let Ok(offer) = read_offer(&text) else {
            return finished(&super::Lines::default());
        };
        finished(&offer.lines);
        assert!(!offer.text.lines().any(|row| row.starts_with("a=candidate:")), "{}", offer.text);
        assert!(offer.text.len() <= 2 * OFFER_BYTES_MAX);
        // The media engine's own reader is slower by far; its panics are caught and refused.
        count += 1;
        if count % 8 == 0 {
            let _ = answerer.answer(&offer, Instant::now());
        }
    });
}
