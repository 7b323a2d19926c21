//! What the way through TURN adds to packets for our own forwarding unit and to its answers: by
//! the unit's own port, by our TURN, by coturn. The packets are connectivity checks (RFC 8445
//! §7.2) of one session, which the unit answers each, so that both ways are measured.

use super::client::{Client, Wire, integrity, put};
use super::program::{Program, Unit, credential, is_coturn_there};
use super::{ROUNDS, SIGNALING_SEED, median};
use anyhow::{Context as _, bail, ensure};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use futures_util::{SinkExt as _, StreamExt as _};
use minato_protocol::media::{ControlClaims, FromRelay, MediaClaims, PartyRole, Rights, ToRelay};
use minato_protocol::{ParticipantId, Timestamp, VisitId};
use minato_relay::token;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// Checks sent at once, as a picture comes in pieces, and how often: 4,000 a second.
const BURST: u32 = 4;
const EVERY: Duration = Duration::from_millis(1);
const MEASURED: Duration = Duration::from_secs(5);
/// A run in which fewer than this share is answered says nothing.
const ANSWERED_MIN: f64 = 0.99;
const CHANNEL: u16 = 0x4000;
const VISIT: VisitId = VisitId(1);
const SOMEBODY: ParticipantId = ParticipantId(1);
/// An offer of a page that has nothing but data channels (RFC 8839, RFC 8841).
const OFFER: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
    m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
    a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\n\
    a=fingerprint:sha-256 11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:\
    77:88:99:AA:BB:CC:DD:EE:FF:00\r\na=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\n";

fn key() -> anyhow::Result<Ed25519KeyPair> {
    Ok(Ed25519KeyPair::from_seed_unchecked(&SIGNALING_SEED)?)
}

/// In hex, as the relay is told.
pub(crate) fn public_key() -> anyhow::Result<String> {
    Ok(key()?.public_key().as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// By what the unit is reached.
#[derive(Debug, Clone, Copy)]
enum Way<'a> {
    Direct,
    Ours(&'a Program),
    Coturn(&'a Program),
}

pub(crate) async fn run() -> anyhow::Result<()> {
    is_coturn_there()?;
    let mut spent = [const { Vec::new() }; 3];
    for _ in 0..ROUNDS {
        let (ours, unit) = Program::ours(&public_key()?)?;
        let coturn = Program::coturn()?;
        for (way, spent) in
            [Way::Direct, Way::Ours(&ours), Way::Coturn(&coturn)].into_iter().zip(&mut spent)
        {
            // A new session each: the one before is gone with its address.
            spent.push(cost(&ours, unit, way).await?);
        }
    }
    let shown = spent.each_ref().map(|runs| format!("{:.1} of {runs:.1?}", median(runs)));
    let [direct, ours, coturn] = spent.map(|runs| median(&runs));
    println!(
        "turn: to the own forwarding unit and back, CPU-seconds per million packets, all servers"
    );
    println!("  direct {}\n  by minato's TURN {}\n  by coturn {}", shown[0], shown[1], shown[2]);
    println!(
        "  added by minato {:.1}, by coturn {:.1}: {:.2} (goal 0.2)",
        ours - direct,
        coturn - direct,
        (ours - direct) / (coturn - direct)
    );
    Ok(())
}

/// CPU-seconds of the servers per million packets.
async fn cost(relay: &Program, unit: Unit, way: Way<'_>) -> anyhow::Result<f64> {
    let check = check(&join(unit).await?)?;
    let (socket, framed) = match way {
        Way::Direct => {
            let socket = UdpSocket::bind("127.0.0.1:0")?;
            socket.connect(unit.media)?;
            (socket, check)
        }
        Way::Ours(server) | Way::Coturn(server) => {
            let mut client = Client::new(Wire::udp(server.turn), credential()?);
            let refused = |code| anyhow::anyhow!("{} said {code}", server.name);
            client.allocate().map_err(refused)?;
            client.bind(CHANNEL, unit.media).map_err(refused)?;
            let Wire::Udp(socket) = client.wire else { bail!("by UDP") };
            let len = u16::try_from(check.len())?;
            (socket, [&CHANNEL.to_be_bytes()[..], &len.to_be_bytes(), &check].concat())
        }
    };
    let cpu = || -> anyhow::Result<f64> {
        let second = if let Way::Coturn(server) = way { server.cpu_s()? } else { 0.0 };
        Ok(relay.cpu_s()? + second)
    };
    socket.set_nonblocking(true)?;
    exchange(&socket, &framed, Duration::from_millis(500))?;
    let before = cpu()?;
    let (sent, answered) = exchange(&socket, &framed, MEASURED)?;
    ensure!(answered >= sent * ANSWERED_MIN, "{answered} of {sent} checks were answered, {way:?}");
    Ok((cpu()? - before) / (sent + answered) * 1e6)
}

/// Sends bursts at their pace and counts what comes back.
fn exchange(socket: &UdpSocket, check: &[u8], during: Duration) -> anyhow::Result<(f64, f64)> {
    let (mut sent, mut answered, mut bytes) = (0.0, 0.0, [0; 2_048]);
    let (begun, mut due) = (Instant::now(), Instant::now());
    while begun.elapsed() < during {
        for _ in 0..BURST {
            socket.send(check)?;
            sent += 1.0;
        }
        due += EVERY;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        answered += count(socket, &mut bytes);
    }
    std::thread::sleep(Duration::from_millis(50));
    Ok((sent, answered + count(socket, &mut bytes)))
}

fn count(socket: &UdpSocket, bytes: &mut [u8]) -> f64 {
    std::iter::from_fn(|| socket.recv(bytes).ok()).count() as f64
}

/// A session of the unit: its ICE user name and password.
async fn join(unit: Unit) -> anyhow::Result<(String, String)> {
    let not_after = Timestamp(i64::try_from(
        SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() + 30_000,
    )?);
    let control = ControlClaims { node: "bench".into(), not_after };
    desire(unit.http, &token::sign_control(&control, &key()?)).await?;
    let claims = MediaClaims {
        visit: VISIT,
        participant: SOMEBODY,
        claim_epoch: 1,
        role: PartyRole::Gateway,
        rights: Rights { publish_waves: true, ..Rights::default() },
        jti: format!("{:?}", Instant::now()),
        not_after,
        generation: 1,
    };
    let answer = post(unit.http, &token::sign(&claims, &key()?)).await?;
    let part =
        |name: &str| answer.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
    let user = part("a=ice-ufrag:").with_context(|| format!("no session: {answer}"))?;
    Ok((user, part("a=ice-pwd:").context("a password")?))
}

/// Puts somebody on the list of the visit.
async fn desire(http: SocketAddr, bearer: &str) -> anyhow::Result<()> {
    let mut request = format!("ws://{http}/relay/control").into_client_request()?;
    request.headers_mut().insert("authorization", format!("Bearer {bearer}").parse()?);
    let stream = TcpStream::connect(http).await?;
    let (mut socket, _) = tokio_tungstenite::client_async(request, stream).await?;
    let seq = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let list = ToRelay::Desired { visit: VISIT, seq, generation: 1, participants: vec![SOMEBODY] };
    socket.send(Message::text(serde_json::to_string(&list)?)).await?;
    while let Some(said) = socket.next().await {
        let Message::Text(text) = said? else { continue };
        if serde_json::from_str::<FromRelay>(&text)? == (FromRelay::Applied { visit: VISIT, seq }) {
            return Ok(());
        }
    }
    bail!("the relay took no list")
}

async fn post(http: SocketAddr, bearer: &str) -> anyhow::Result<String> {
    let request = format!(
        "POST /relay/sessions HTTP/1.1\r\nhost: {http}\r\nauthorization: Bearer {bearer}\r\n\
         content-type: application/sdp\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{OFFER}",
        OFFER.len()
    );
    let mut stream = TcpStream::connect(http).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The check of a controlling agent that nominates nothing.
fn check((user, password): &(String, String)) -> anyhow::Result<Vec<u8>> {
    let mut message = vec![0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42];
    message.extend([7; 12]);
    put(&mut message, 0x0006, format!("{user}:abcd").as_bytes());
    put(&mut message, 0x0024, &0x6e00_01ff_u32.to_be_bytes());
    put(&mut message, 0x802A, &[9; 8]);
    integrity(&mut message, password.as_bytes());
    Ok(message)
}
