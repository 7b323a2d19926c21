//! A participant made of str0m whose packets the test holds in its hands: over UDP or over one TCP
//! connection (RFC 6544), it speaks and shows all the time and counts what it hears and sees.

use crate::stage::{PATIENCE, TestRelay};
use axum::http::StatusCode;
use minato_protocol::media::{JoinAnswer, JoinOffer, MediaClaims};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpPendingOffer};
use str0m::media::{Direction, MediaKind, MediaTime, Mid};
use str0m::net::{Protocol, Receive, TcpType, Transmit};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpStream, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

/// What came: sound, or a picture of so many bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Came {
    Sound,
    Picture,
}

/// A participant that has joined and whose media begins with [`Page::begin`].
pub(crate) struct Joined {
    rtc: Box<Rtc>,
    pending: SdpPendingOffer,
    lines: (Mid, Mid),
    pub(crate) answer: JoinAnswer,
    wire: Wire,
}

pub(crate) struct Page {
    pub(crate) answer: JoinAnswer,
    pub(crate) came: mpsc::UnboundedReceiver<Came>,
    /// The DTLS flights that it sent.
    pub(crate) flights: Arc<Mutex<Vec<Vec<u8>>>>,
    /// What goes out beside its own packets, by the same way.
    pub(crate) beside: mpsc::Sender<Vec<u8>>,
    /// It takes nothing from its connection while this is true.
    pub(crate) deaf: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Drop for Page {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The way to the relay.
struct Wire {
    own: SocketAddr,
    there: SocketAddr,
    proto: Protocol,
    out: Out,
    incoming: mpsc::Receiver<Vec<u8>>,
    deaf: watch::Sender<bool>,
}

enum Out {
    Udp(Arc<UdpSocket>),
    Tcp(OwnedWriteHalf),
}

impl Wire {
    async fn udp(there: SocketAddr) -> Self {
        let socket = Arc::new(UdpSocket::bind("127.0.0.1:0").await.expect("a port"));
        socket.connect(there).await.expect("loopback");
        let (to_page, incoming) = mpsc::channel(1_024);
        let from = socket.clone();
        tokio::spawn(async move {
            let mut bytes = [0; 2_048];
            while let Ok(length) = from.recv(&mut bytes).await {
                let _ = to_page.try_send(bytes[..length].to_vec());
            }
        });
        let own = socket.local_addr().expect("bound");
        let (deaf, _) = watch::channel(false);
        Self { own, there, proto: Protocol::Udp, out: Out::Udp(socket), incoming, deaf }
    }

    async fn tcp(there: SocketAddr) -> Self {
        let stream = TcpStream::connect(there).await.expect("the relay listens");
        let own = stream.local_addr().expect("bound");
        let (mut from, to) = stream.into_split();
        let (to_page, incoming) = mpsc::channel(1_024);
        let (deaf, mut hears) = watch::channel(false);
        tokio::spawn(async move {
            let mut length = [0; 2];
            while hears.wait_for(|deaf| !deaf).await.is_ok() {
                let Ok(_) = from.read_exact(&mut length).await else { return };
                let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
                let Ok(_) = from.read_exact(&mut packet).await else { return };
                let _ = to_page.send(packet).await;
            }
        });
        Self { own, there, proto: Protocol::Tcp, out: Out::Tcp(to), incoming, deaf }
    }

    async fn send(&mut self, packet: &[u8]) {
        match &mut self.out {
            Out::Udp(socket) => drop(socket.send(packet).await),
            Out::Tcp(stream) => {
                let length = u16::try_from(packet.len()).expect("short").to_be_bytes();
                let _ = stream.write_all(&[&length[..], packet].concat()).await;
            }
        }
    }

    fn candidate(&self) -> Candidate {
        if self.proto == Protocol::Udp {
            return Candidate::host(self.own, "udp").expect("an address");
        }
        let active = Candidate::builder().tcp().host(self.own).tcptype(TcpType::Active);
        active.build().expect("an address")
    }
}

impl Joined {
    /// Joins by TCP or by UDP and sends nothing yet.
    pub(crate) async fn new(relay: &TestRelay, claims: &MediaClaims, proto: Protocol) -> Self {
        let wire = match proto {
            Protocol::Udp => Wire::udp(relay.relay.media_addresses()[0]).await,
            _ => Wire::tcp(relay.relay.tcp_addresses()[0]).await,
        };
        let mut rtc = Box::new(Rtc::builder().build(Instant::now()));
        rtc.add_local_candidate(wire.candidate()).expect("a candidate");
        let mut changes = rtc.sdp_api();
        let mut line = |kind, direction| changes.add_media(kind, direction, None, None, None);
        let microphone = line(MediaKind::Audio, Direction::SendOnly);
        let camera = line(MediaKind::Video, Direction::SendOnly);
        line(MediaKind::Audio, Direction::RecvOnly);
        line(MediaKind::Video, Direction::RecvOnly);
        changes.add_channel("slots".to_owned());
        let (offer, pending) = changes.apply().expect("something to offer");
        let body = serde_json::to_vec(&JoinOffer { sdp: offer.to_sdp_string() }).expect("JSON");
        let answer = relay.post(claims, body).await;
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        assert_eq!(answer.status, StatusCode::CREATED, "{said}");
        Self { rtc, pending, lines: (microphone, camera), answer: answer.json(), wire }
    }

    /// Begins to talk to the relay and waits until it hears somebody.
    pub(crate) async fn begin(mut self) -> Page {
        let sdp = SdpAnswer::from_sdp_string(&self.answer.sdp).expect("an answer");
        self.rtc.sdp_api().accept_answer(self.pending, sdp).expect("an answer to the offer");
        let (to_test, came) = mpsc::unbounded_channel();
        let (beside, besides) = mpsc::channel(64);
        let (up, mut is_up) = watch::channel(false);
        let (answer, deaf) = (self.answer, self.wire.deaf.clone());
        let flights = Arc::new(Mutex::new(Vec::new()));
        let seen = Seen { to_test, up, flights: flights.clone() };
        let task = tokio::spawn(live(self.rtc, self.lines, self.wire, besides, seen));
        let connected = tokio::time::timeout(PATIENCE, is_up.wait_for(|up| *up)).await;
        connected.expect("it connects in time").expect("it lives");
        Page { answer, came, flights, beside, deaf, task }
    }
}

impl Page {
    pub(crate) async fn join(relay: &TestRelay, claims: &MediaClaims, proto: Protocol) -> Self {
        let joined = Joined::new(relay, claims, proto).await;
        Box::pin(joined.begin()).await
    }

    /// Waits until so many sounds and pictures more have come.
    pub(crate) async fn gets(&mut self, sounds: usize, pictures: usize) {
        let (mut heard, mut seen) = (0, 0);
        let all = async {
            while heard < sounds || seen < pictures {
                match self.came.recv().await.expect("it lives") {
                    Came::Sound => heard += 1,
                    Came::Picture => seen += 1,
                }
            }
        };
        let in_time = tokio::time::timeout(PATIENCE, all).await;
        assert!(in_time.is_ok(), "{heard} sounds and {seen} pictures came");
    }
}

struct Seen {
    to_test: mpsc::UnboundedSender<Came>,
    up: watch::Sender<bool>,
    flights: Arc<Mutex<Vec<Vec<u8>>>>,
}

/// It lives until it is dropped: talks, shows, hears and sees.
async fn live(
    mut rtc: Box<Rtc>,
    (microphone, camera): (Mid, Mid),
    mut wire: Wire,
    mut besides: mpsc::Receiver<Vec<u8>>,
    seen: Seen,
) {
    let mut every = tokio::time::interval(Duration::from_millis(20));
    let mut number = 0;
    while rtc.is_alive() {
        let due = drain(&mut rtc, &mut wire, &seen).await;
        tokio::select! {
            Some(packet) = wire.incoming.recv() => {
                let (source, destination, proto) = (wire.there, wire.own, wire.proto);
                let Ok(contents) = packet.as_slice().try_into() else { continue };
                let receive = Receive { proto, source, destination, contents };
                let _ = rtc.handle_input(Input::Receive(Instant::now(), receive));
            }
            Some(packet) = besides.recv() => wire.send(&packet).await,
            _ = every.tick(), if *seen.up.borrow() => {
                number += 1;
                let sound = MediaTime::from_micros(number * 20_000);
                write(&mut rtc, microphone, sound, vec![1, 2, 3]);
                // The lowest bit of a VP8 frame is 0 for a keyframe (RFC 6386 §9.1).
                let mut picture = vec![9; 500];
                picture[0] = u8::from(number % 10 != 0);
                write(&mut rtc, camera, sound, picture);
                let _ = rtc.handle_input(Input::Timeout(Instant::now()));
            }
            () = tokio::time::sleep_until(due.into()) => {
                let _ = rtc.handle_input(Input::Timeout(Instant::now()));
            }
        }
    }
}

async fn drain(rtc: &mut Rtc, wire: &mut Wire, seen: &Seen) -> Instant {
    loop {
        match rtc.poll_output().expect("a healthy participant") {
            Output::Timeout(due) => return due,
            Output::Transmit(Transmit { contents, .. }) => {
                if matches!(contents.first(), Some(20..=63)) {
                    seen.flights.lock().expect("whole").push(contents.to_vec());
                }
                wire.send(&contents).await;
            }
            Output::Event(Event::Connected) => drop(seen.up.send_replace(true)),
            Output::Event(Event::MediaData(data)) => {
                let sound = data.params.spec().codec.is_audio();
                let _ = seen.to_test.send(if sound { Came::Sound } else { Came::Picture });
            }
            Output::Event(_) => {}
        }
    }
}

fn write(rtc: &mut Rtc, mid: Mid, time: MediaTime, data: Vec<u8>) {
    let Some(writer) = rtc.writer(mid) else { return };
    let Some(pt) = writer.payload_params().next().map(|params| params.pt()) else { return };
    writer.write(pt, Instant::now(), time, data).expect("it was agreed");
}
