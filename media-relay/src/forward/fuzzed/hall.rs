//! A call without sockets: the engine, one honest participant and one who sends what a script says.

use crate::answer::Answerer;
use crate::forward::engine::Engine;
use crate::forward::session::Opening;
use crate::forward::{Command, Reply};
use crate::net::{Here, Way};
use crate::sdp::read_offer;
use minato_protocol::media::{MediaClaims, PartyRole, Rights, ToRelay};
use minato_protocol::{ParticipantId, Timestamp, VisitId};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::change::SdpAnswer;
use str0m::media::{Direction, KeyframeRequestKind, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::RtpWrite;
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::sync::oneshot;

const VISIT: VisitId = VisitId(1);
const HONEST: ParticipantId = ParticipantId(1);
const OTHER: ParticipantId = ParticipantId(2);
const STEP: Duration = Duration::from_millis(5);
/// A connection is up after so many steps; it takes some tens.
const STEPS_MAX: usize = 2_000;

struct Client {
    rtc: Rtc,
    address: SocketAddr,
    microphone: Mid,
    camera: Mid,
    slot: Mid,
    up: bool,
    received: usize,
}

pub(super) struct Hall {
    engine: Engine,
    now: Instant,
    clients: [Client; 2],
    sequence: u64,
    datagrams: usize,
}

/// A script that sends one payload as sound, as RED and as a picture.
pub(super) fn script(payload: &[u8]) -> Vec<u8> {
    let length = u8::try_from(payload.len()).unwrap_or(u8::MAX);
    let one = |what: u8| [&[what, 1, 0, 20, length], payload].concat();
    [0, 1, 2, 3, 4, 5].map(one).concat()
}

impl Hall {
    /// Both have joined and are connected.
    pub(super) fn open() -> Self {
        let now = Instant::now();
        let here = Here::new(([127, 0, 0, 1], 7).into(), &[]);
        let answerer = Answerer::new(here.clone()).expect("a certificate");
        let mut engine = Engine::new(here, 10, now);
        let participants = vec![HONEST, OTHER];
        let message = ToRelay::Desired { visit: VISIT, seq: 1, generation: 1, participants };
        engine.command(Command::LinkSays { link: 1, message }, now);
        let clients = [HONEST, OTHER].map(|who| join(&mut engine, &answerer, who, now));
        let mut hall = Self { engine, now, clients, sequence: 1, datagrams: 0 };
        for _ in 0..STEPS_MAX {
            hall.step();
            if hall.clients.iter().all(|client| client.up) {
                return hall;
            }
        }
        panic!("both connect");
    }

    /// How many media packets the honest one got.
    pub(super) fn received(&self) -> usize {
        self.clients[0].received
    }

    /// Plays a script. Answers whether the one who sent it is still there; the other one has to be.
    pub(super) fn play(&mut self, mut script: &[u8]) -> bool {
        while let [what, step, high, low, length, rest @ ..] = script {
            let (payload, rest) = rest.split_at(rest.len().min(usize::from(*length)));
            self.act(*what, *step, u16::from_be_bytes([*high, *low]), payload);
            script = rest;
        }
        self.step();
        self.speak();
        self.step();
        let there = |engine: &Engine, who| engine.present(VISIT, who).is_some_and(|s| !s.is_dead());
        assert!(there(&self.engine, HONEST), "the honest one is still in the call");
        there(&self.engine, OTHER)
    }

    fn act(&mut self, what: u8, step: u8, time: u16, payload: &[u8]) {
        self.sequence += u64::from(step % 3) * if step > 250 { 20_000 } else { 1 };
        let client = &mut self.clients[1];
        let (mid, name) = match what % 9 {
            0 | 1 => (client.microphone, "opus"),
            2 => (client.microphone, "red"),
            3 | 4 => (client.camera, "vp8"),
            // As if it were the other kind.
            5 => (client.camera, "opus"),
            6 => {
                let bytes = [&[what | 0x80, step], payload].concat();
                let from = Way::udp(client.address);
                return self.engine.receive(from, &bytes, self.now, self.now);
            }
            7 => {
                // Feedback whose content browsers agree on among themselves (RFC 4585 §6.4).
                let mut direct = client.rtc.direct_api();
                direct.send_app_specific_feedback(1.into(), 2.into(), payload.to_vec());
                return self.step();
            }
            _ => {
                if let Some(stream) = client.rtc.direct_api().stream_rx_by_mid(client.slot, None) {
                    stream.request_keyframe(KeyframeRequestKind::Pli);
                }
                return self.step();
            }
        };
        let Some(pt) = payload_type(&client.rtc, name) else { return };
        let time = u32::from(time) * 90 + u32::from(what) * 65_536;
        let write = RtpWrite::new(pt, self.sequence.into(), time, self.now, payload.to_vec());
        let write = write.marker(step & 1 == 0).nackable(what % 16 > 8);
        if let Some(stream) = client.rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.write_rtp(write);
        }
        self.step();
    }

    /// The honest one says something right.
    fn speak(&mut self) {
        let client = &mut self.clients[0];
        let Some(pt) = payload_type(&client.rtc, "opus") else { return };
        let number = u32::try_from(self.datagrams % 60_000).unwrap_or_default();
        let write = RtpWrite::new(pt, u64::from(number).into(), number * 960, self.now, vec![1; 3]);
        if let Some(stream) = client.rtc.direct_api().stream_tx_by_mid(client.microphone, None) {
            stream.write_rtp(write);
        }
        self.datagrams += 1;
    }

    /// A little time passes, and everything that was sent arrives.
    fn step(&mut self) {
        self.now += STEP;
        let now = self.now;
        for client in &mut self.clients {
            let _ = client.rtc.handle_input(Input::Timeout(now));
            for datagram in drain(client) {
                self.engine.receive(Way::udp(client.address), &datagram, now, now);
            }
        }
        self.engine.settle(now);
        if now >= self.engine.deadline() {
            self.engine.time(now);
        }
        for sent in self.engine.take_transmits() {
            let client = self.clients.iter_mut().find(|c| c.address == sent.destination);
            let Some(client) = client else { continue };
            let Ok(contents) = sent.contents[..].try_into() else { continue };
            let (source, destination) = (sent.source, client.address);
            let receive = Receive { proto: Protocol::Udp, source, destination, contents };
            let _ = client.rtc.handle_input(Input::Receive(now, receive));
            for datagram in drain(client) {
                self.engine.receive(Way::udp(client.address), &datagram, now, now);
            }
        }
        self.engine.settle(now);
    }
}

fn payload_type(rtc: &Rtc, name: &str) -> Option<Pt> {
    use str0m::format::Codec;
    let codec = if name == "vp8" { Codec::Vp8 } else { Codec::Opus };
    let params = rtc.codec_config().find(|params| params.spec().codec == codec)?;
    if name == "red" { params.red() } else { Some(params.pt()) }
}

fn drain(client: &mut Client) -> Vec<Vec<u8>> {
    let mut datagrams = Vec::new();
    loop {
        match client.rtc.poll_output() {
            Ok(Output::Transmit(sent)) => datagrams.push(sent.contents.to_vec()),
            Ok(Output::Event(Event::Connected)) => client.up = true,
            Ok(Output::Event(Event::RtpPacket(_))) => client.received += 1,
            Ok(Output::Event(_)) => {}
            Ok(Output::Timeout(_)) | Err(_) => return datagrams,
        }
    }
}

fn join(engine: &mut Engine, answerer: &Answerer, who: ParticipantId, now: Instant) -> Client {
    let port = 1_000 + u16::try_from(who.0).expect("small");
    let address: SocketAddr = ([127, 0, 0, 1], port).into();
    let mut rtc = Rtc::builder()
        .clear_codecs()
        .enable_opus(true, true)
        .enable_vp8(true)
        .set_rtp_mode(true)
        .build(now);
    rtc.add_local_candidate(Candidate::host(address, "udp").expect("an address"));
    let mut changes = rtc.sdp_api();
    let mut line = |kind, direction| changes.add_media(kind, direction, None, None, None);
    let microphone = line(MediaKind::Audio, Direction::SendOnly);
    let camera = line(MediaKind::Video, Direction::SendOnly);
    line(MediaKind::Audio, Direction::RecvOnly);
    let slot = line(MediaKind::Video, Direction::RecvOnly);
    changes.add_channel("slots".to_owned());
    let (offer, pending) = changes.apply().expect("something to offer");
    let offer = read_offer(&offer.to_sdp_string()).expect("an offer");
    let answered = answerer.answer(&offer, now).expect("an answer");
    let answer = SdpAnswer::from_sdp_string(&answered.sdp).expect("an answer");
    rtc.sdp_api().accept_answer(pending, answer).expect("to this offer");
    let claims = MediaClaims {
        visit: VISIT,
        participant: who,
        claim_epoch: 1,
        role: PartyRole::Patient,
        rights: Rights {
            publish_audio: true,
            publish_video: true,
            publish_waves: false,
            receive: true,
        },
        jti: format!("jti-{}", who.0),
        not_after: Timestamp(0),
        generation: 1,
    };
    let (id, secret) = (format!("id-{}", who.0), "secret".to_owned());
    let (user, codecs, engine_rtc) = (answered.user, answered.codecs, answered.rtc);
    let opening = Opening { id, secret, claims, lines: offer.lines, user, codecs, rtc: engine_rtc };
    let (reply, mut joined): (Reply<()>, _) = oneshot::channel();
    engine.command(Command::Join { opening: Box::new(opening), at: Timestamp(0), reply }, now);
    assert!(matches!(joined.try_recv(), Ok(Ok(()))), "it is on the list");
    Client { rtc, address, microphone, camera, slot, up: false, received: 0 }
}
