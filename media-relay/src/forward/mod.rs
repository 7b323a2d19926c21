//! The selective forwarding unit: one thread, one UDP port, all visits.
//!
//! `engine` holds the state and is fed by `run`, which owns the socket. The rules in between are
//! pure and have a file each: `addresses`, `beats`, `timers`, `slots`, `layer`, `splice`,
//! `keyframe`, `waves`, `rate`, `demand`, `path`, `pause`, `red`, `lag`, `stills`, `codecs`, `h264`.

mod addresses;
mod beats;
mod budget;
mod codecs;
mod demand;
mod downlink;
mod engine;
mod even;
mod figures;
mod flow;
#[cfg(test)]
mod fuzzed;
mod h264;
mod joins;
mod keyframe;
mod lag;
mod layer;
mod links;
mod maps;
mod outgoing;
mod path;
mod pause;
mod rate;
mod red;
mod run;
mod session;
mod slots;
mod source;
mod splice;
mod stills;
mod timers;
mod uplink;
mod waves;

pub(crate) use codecs::Codecs;
pub(crate) use run::start;
pub(crate) use session::Opening;

use crate::admission::LinkId;
use crate::sdp::Offer;
use minato_protocol::Timestamp;
use minato_protocol::media::{FromRelay, RelayCode, SessionStats, ToRelay};
use std::time::Instant;
use tokio::sync::{mpsc, oneshot};

/// Commands on their way to the forwarding thread. When full, HTTP answers `unavailable` and the
/// control sockets are read more slowly.
pub(crate) const COMMANDS_MAX: usize = 256;

/// Where the answer to a command goes.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, RelayCode>>;

/// What HTTP and control sockets ask of the forwarding thread.
#[derive(Debug)]
pub(crate) enum Command {
    /// A verified token with an answered offer; `at` is the time of day.
    Join { opening: Box<Opening>, at: Timestamp, reply: Reply<()> },
    /// ICE restart; answers with the SDP.
    Restart { id: String, secret: String, offer: Offer, reply: Reply<String> },
    /// Goodbye.
    Leave { id: String, secret: String, reply: Reply<()> },
    /// Figures of a session.
    Stats { id: String, secret: String, reply: Reply<SessionStats> },
    /// Signaling is connected.
    LinkUp { link: LinkId, out: mpsc::Sender<FromRelay> },
    /// Signaling said something.
    LinkSays { link: LinkId, message: ToRelay },
    /// Signaling is gone.
    LinkDown { link: LinkId },
    /// Close every session and end.
    Stop,
}

/// A join whose list has not come yet.
#[derive(Debug)]
pub(crate) struct WaitingJoin {
    opening: Box<Opening>,
    until: Instant,
    reply: Reply<()>,
}

#[cfg(test)]
mod tests {
    use super::engine::Engine;
    use super::*;
    use crate::answer::Answerer;
    use crate::net::Here;
    use crate::sdp::read_offer;
    use minato_protocol::media::{MediaClaims, PartyRole, Rights};
    use minato_protocol::{ParticipantId, VisitId};
    use std::io;
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
        m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
        a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:\
        77:88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";
    const VISIT: VisitId = VisitId(1);
    const SATO: ParticipantId = ParticipantId(2);

    fn opening(here: Here, now: Instant) -> Box<Opening> {
        let offer = read_offer(OFFER).expect("an offer");
        let answerer = Answerer::new(here).expect("a certificate");
        let answered = answerer.answer(&offer, now).expect("an answer");
        let claims = MediaClaims {
            visit: VISIT,
            participant: SATO,
            claim_epoch: 1,
            role: PartyRole::Patient,
            rights: Rights { receive: true, ..Rights::default() },
            jti: "j".into(),
            not_after: Timestamp(0),
            generation: 1,
        };
        let (rtc, user, codecs) = (answered.rtc, answered.user, answered.codecs);
        let (id, secret) = ("id".to_owned(), "secret".to_owned());
        Box::new(Opening { id, secret, claims, lines: offer.lines, user, codecs, rtc })
    }

    fn with_a_session(now: Instant) -> Engine {
        let here = Here::new(([127, 0, 0, 1], 7).into(), &[]);
        let opening = opening(here.clone(), now);
        let mut engine = Engine::new(here, 10, now);
        let (reply, mut joined) = oneshot::channel();
        engine.command(Command::Join { opening, at: Timestamp(0), reply }, now);
        let participants = vec![SATO];
        let message = ToRelay::Desired { visit: VISIT, seq: 1, generation: 1, participants };
        engine.command(Command::LinkSays { link: 1, message }, now);
        assert!(matches!(joined.try_recv(), Ok(Ok(()))), "the list let it in");
        engine
    }

    fn is_there(engine: &mut Engine, now: Instant) -> bool {
        let (reply, mut answer) = oneshot::channel();
        let (id, secret) = ("id".to_owned(), "secret".to_owned());
        engine.command(Command::Stats { id, secret, reply }, now);
        answer.try_recv().expect("answered at once").is_ok()
    }

    #[derive(Debug, Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("whole").write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_is_logged_about_a_session_names_its_visit_and_nobody() {
        let log = Log::default();
        let write = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_writer(move || write.clone())
            .with_ansi(false)
            .with_max_level(tracing::Level::DEBUG)
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            // Whom another test made known at this very moment may have been told that nobody listens.
            tracing::callsite::rebuild_interest_cache();
            let now = Instant::now();
            let mut engine = with_a_session(now);
            engine.time(now + Duration::from_secs(31));
        });
        let log = String::from_utf8(log.0.lock().expect("whole").clone()).expect("text");
        let span = format!("session{{visit={VISIT}}}");
        let about = |what: &str| log.lines().find(|row| row.contains(what)).map(str::to_owned);
        for what in ["a session was opened", "a session was closed"] {
            assert!(about(what).is_some_and(|row| row.contains(&span)), "{what} in {log}");
        }
        assert!(!log.contains(&SATO.to_string()) && !log.contains("secret"), "{log}");
    }

    #[test]
    fn a_session_that_never_connects_is_given_up_after_thirty_seconds() {
        let now = Instant::now();
        let mut engine = with_a_session(now);
        engine.time(now + Duration::from_secs(29));
        assert!(is_there(&mut engine, now + Duration::from_secs(29)));
        engine.time(now + Duration::from_secs(31));
        assert!(!is_there(&mut engine, now + Duration::from_secs(31)));
    }
}
