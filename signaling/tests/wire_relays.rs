//! Calls and the relays that carry them: two real relays, which die, drain and come back.

mod wire_support;

use minato_protocol::VisitId;
use minato_protocol::act::{Act, MediaGrant, Outcome};
use minato_protocol::media::{JoinOffer, PartyRole, RelayRefusal};
use minato_relay::{Relay, RelayConfig, TurnSecret, TurnSettings};
use minato_signaling::access::Secrets;
use minato_signaling::clock::Clock;
use minato_signaling::http::Edge;
use minato_signaling::log::MemoryLog;
use minato_signaling::relays::{LEASE, MediaKey, Pass, RelayPlace};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::{Builder, Runtime};
use wire_support::{Broker, Clinic, MEDIA_SEED, Screen, TURN_SECRET, until};

/// An offer of a data channel, as a browser writes it.
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
    a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:\
    88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";

/// A relay in a runtime of its own, so that all of it can be gone at once.
struct Running {
    relay: Relay,
    address: SocketAddr,
    runtime: Option<Runtime>,
}

impl Running {
    async fn start() -> Self {
        Self::start_at("127.0.0.1:0".parse().expect("an address")).await
    }

    async fn start_at(address: SocketAddr) -> Self {
        Self::start_with(address, |_| {}).await
    }

    /// With a TURN server beside it.
    async fn with_turn(secret: &'static [u8]) -> Self {
        let any = "127.0.0.1:0".parse().expect("an address");
        let turn = move |config: &mut RelayConfig| {
            let mut settings = TurnSettings::new(TurnSecret::new(secret).expect("long enough"));
            (settings.udp, settings.tcp) = (vec![any], vec![any]);
            config.turn = Some(settings);
        };
        Self::start_with(any, turn).await
    }

    async fn start_with(
        address: SocketAddr,
        change: impl FnOnce(&mut RelayConfig) + Send + 'static,
    ) -> Self {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
        let key = MediaKey::from_seed(&MEDIA_SEED).expect("a seed").public();
        let started = runtime.spawn(async move {
            let mut config = RelayConfig::new(([127, 0, 0, 1], 0).into(), key);
            change(&mut config);
            let (relay, router) = Relay::start(config).expect("a relay on loopback");
            // A port of one who has just died is free again at once.
            let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
            socket.set_reuseaddr(true).expect("a socket");
            socket.bind(address).expect("the port is free");
            let listener = socket.listen(64).expect("it listens");
            let address = listener.local_addr().expect("bound");
            tokio::spawn(async move { axum::serve(listener, router).await });
            (relay, address)
        });
        let (relay, address) = started.await.expect("the relay starts");
        Self { relay, address, runtime: Some(runtime) }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Its connections break off without a word.
    async fn kill(mut self) -> SocketAddr {
        let runtime = self.runtime.take().expect("it runs");
        let stop = move || runtime.shutdown_timeout(Duration::from_secs(5));
        tokio::task::spawn_blocking(stop).await.expect("it stops");
        self.address
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// A doctor and a nurse in a visit, and relays.
struct Call {
    clinic: Clinic,
    doctor: Screen,
    nurse: Screen,
    visit: VisitId,
}

impl Call {
    async fn over(relays: &[&Running]) -> Self {
        let places = relays.iter().map(|relay| RelayPlace::elsewhere(&relay.url())).collect();
        let log = Arc::new(MemoryLog::default());
        let broker = Broker::start_with(log, Clock::start(), Secrets::random(), places).await;
        let clinic = Clinic::within(broker, 1).await;
        let (doctor, nurse) = (clinic.doctor(1).await, clinic.nurse(1).await);
        let ticket = clinic.in_bed(&nurse, 1).await;
        let (visit, _) = clinic.visit(&doctor, &nurse, ticket).await;
        Self { clinic, doctor, nurse, visit }
    }

    /// What signaling gives a page that asks, as soon as there is a relay for it.
    async fn grant(&self, screen: &Screen) -> MediaGrant {
        let found = async {
            loop {
                match screen.press(Act::JoinMedia { visit: self.visit }).await {
                    Ok(Outcome::Media(grant)) => return grant,
                    Ok(other) => panic!("{other:?}"),
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        tokio::time::timeout(wire_support::PATIENCE, found).await.expect("a relay takes it")
    }

    fn shown(&self, screen: &Screen) -> u32 {
        screen.shows(|seen| seen.visits().first().map_or(0, |row| row.relay))
    }

    /// Waits until both pages are told to join anew; gives the new generation.
    async fn moved_beyond(&self, generation: u32) -> u32 {
        for screen in [&self.doctor, &self.nurse] {
            let told = |seen: &wire_support::Seen| {
                seen.visits().first().is_some_and(|row| row.relay > generation)
            };
            screen.until("the visit has moved", told).await;
        }
        self.shown(&self.doctor)
    }
}

/// `POST /relay/sessions` as a page does: the status and the body.
async fn join(relay: SocketAddr, token: &str) -> (u16, String) {
    let body = serde_json::to_string(&JoinOffer { sdp: OFFER.into() }).expect("plain");
    let request = format!(
        "POST /relay/sessions HTTP/1.1\r\nHost: {relay}\r\nAuthorization: Bearer {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut tcp = TcpStream::connect(relay).await.expect("the relay listens");
    tcp.write_all(request.as_bytes()).await.expect("it takes the request");
    let mut text = String::new();
    tcp.read_to_string(&mut text).await.expect("it answers");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    (status.expect("a status"), body.to_owned())
}

fn other<'a>(relays: [&'a Running; 2], url: &str) -> &'a Running {
    if relays[0].url() == url { relays[1] } else { relays[0] }
}

#[tokio::test]
async fn when_the_relay_dies_both_pages_are_sent_to_the_other_one_which_admits_at_once() {
    let (one, two) = (Running::start().await, Running::start().await);
    let call = Call::over(&[&one, &two]).await;
    let first = call.grant(&call.doctor).await;
    assert_eq!(call.grant(&call.nurse).await.relay_url, first.relay_url, "they meet");
    call.moved_beyond(first.relay - 1).await;
    let (dies, lives) = if one.url() == first.relay_url { (one, two) } else { (two, one) };
    let since = Instant::now();
    dies.kill().await;
    let generation = call.moved_beyond(first.relay).await;
    let took = since.elapsed();
    assert!(took < LEASE + Duration::from_secs(2), "{took:?}");
    for screen in [&call.doctor, &call.nurse] {
        let grant = call.grant(screen).await;
        assert_eq!((grant.relay_url.as_str(), grant.relay), (&*lives.url(), generation));
        let asked = Instant::now();
        let (status, body) = join(lives.address, &grant.token).await;
        assert_eq!(status, 201, "{body}");
        // It waits for no list: it had it before.
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
}

#[tokio::test]
async fn the_standby_knows_the_list_before_anything_happens() {
    let (one, two) = (Running::start().await, Running::start().await);
    let call = Call::over(&[&one, &two]).await;
    let grant = call.grant(&call.doctor).await;
    let standby = other([&one, &two], &grant.relay_url);
    let row = |seen: &wire_support::Seen| seen.visits().first().map(|row| row.epoch);
    let epoch = call.doctor.find("the visit is shown", row).await;
    let pass =
        Pass { visit: call.visit, participant: grant.participant, epoch, role: PartyRole::Doctor };
    let sign = move |edge: Arc<Edge>| async move {
        edge.media_key.media_token(&pass, edge.desk.clock.now_elsewhere())
    };
    let token = call.clinic.broker.inside(sign).await;
    let (status, body) = join(standby.address, &token).await;
    assert_eq!(status, 201, "{body}");
}

#[tokio::test]
async fn a_relay_that_comes_back_takes_nothing_back() {
    let (one, two) = (Running::start().await, Running::start().await);
    let call = Call::over(&[&one, &two]).await;
    let first = call.grant(&call.doctor).await;
    let (dies, lives) = if one.url() == first.relay_url { (one, two) } else { (two, one) };
    let address = dies.kill().await;
    let generation = call.moved_beyond(first.relay).await;
    let back = Running::start_at(address).await;
    // It is there again when it takes over from the other one.
    lives.kill().await;
    let again = call.moved_beyond(generation).await;
    assert_eq!(call.grant(&call.nurse).await.relay_url, back.url());
    assert!(again > generation);
}

#[tokio::test]
async fn with_no_other_relay_the_call_stays_and_a_page_is_told_to_wait() {
    let only = Running::start().await;
    let call = Call::over(&[&only]).await;
    let first = call.grant(&call.doctor).await;
    let address = only.kill().await;
    until("nobody is sent to a dead relay", || async {
        let asked = call.doctor.press(Act::JoinMedia { visit: call.visit }).await;
        asked.is_err_and(|(code, ..)| code == minato_protocol::Code::RelayAway)
    })
    .await;
    let back = Running::start_at(address).await;
    let grant = call.grant(&call.doctor).await;
    assert_eq!(grant.relay_url, back.url());
    // It has begun anew: whoever still believes to be there joins again.
    assert!(grant.relay > first.relay);
}

#[tokio::test]
async fn a_relay_that_drains_gives_its_visits_away_and_takes_nobody_new() {
    let (one, two) = (Running::start().await, Running::start().await);
    let call = Call::over(&[&one, &two]).await;
    let first = call.grant(&call.doctor).await;
    let relays = [&one, &two];
    let lives = other(relays, &first.relay_url);
    let drains = other(relays, &lives.url());
    let since = Instant::now();
    let (generation, ()) = tokio::join!(
        async {
            let generation = call.moved_beyond(first.relay).await;
            // Sooner than a lease would have run out.
            assert!(since.elapsed() < Duration::from_secs(2), "{:?}", since.elapsed());
            let (status, body) = join(drains.address, &first.token).await;
            let refusal: RelayRefusal = serde_json::from_str(&body).expect("a refusal");
            assert_eq!(
                (status, refusal.code),
                (503, minato_protocol::media::RelayCode::Unavailable)
            );
            generation
        },
        drains.relay.drain(Duration::from_secs(30)),
    );
    assert!(since.elapsed() < Duration::from_secs(10), "it was empty: {:?}", since.elapsed());
    let grant = call.grant(&call.nurse).await;
    assert_eq!((grant.relay_url.as_str(), grant.relay), (&*lives.url(), generation));
}

#[tokio::test]
async fn a_page_is_told_of_the_turn_server_of_the_relay_that_serves_its_visit() {
    let (one, two) = (Running::with_turn(TURN_SECRET).await, Running::with_turn(TURN_SECRET).await);
    let call = Call::over(&[&one, &two]).await;
    let first = call.grant(&call.doctor).await;
    let (dies, lives) = if one.url() == first.relay_url { (one, two) } else { (two, one) };
    let places =
        [&dies, &lives].map(|relay| relay.relay.turn_place().expect("it has TURN").clone());
    let pass = first.turn.as_ref().expect("a way round");
    assert_eq!(pass.urls, places[0].urls);
    assert_eq!(pass.urls.len(), 2, "by UDP and by TCP");
    let (until_s, _) = pass.username.split_once(':').expect("a time and a name");
    let secret = TurnSecret::new(TURN_SECRET).expect("long enough");
    let until_s = until_s.parse().expect("seconds");
    let made = secret.credential(&first.participant.to_string(), until_s);
    assert_eq!((pass.username.clone(), pass.credential.clone()), made);
    dies.kill().await;
    call.moved_beyond(first.relay).await;
    assert_eq!(call.grant(&call.doctor).await.turn.expect("a way round").urls, places[1].urls);
}

#[tokio::test]
async fn a_turn_server_with_another_secret_is_not_told_of_and_the_call_goes_on_without() {
    let relay = Running::with_turn(b"a secret of somebody else's").await;
    let call = Call::over(&[&relay]).await;
    let grant = call.grant(&call.doctor).await;
    assert_eq!((grant.relay_url, grant.turn), (relay.url(), None));
}
