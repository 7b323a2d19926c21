//! Measures a link from its two ends with UDP: round trips, loss and rate.

use anyhow::{Context as _, bail};
use clap::Args;
use serde::Serialize;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

/// First byte: send this back as it is.
const ECHO: u8 = b'E';
/// First byte: count this, and say how much has come.
const POUR: u8 = b'P';
/// The number of a packet that only asks whether an echo is there.
const MEETING: u64 = u64::MAX;
/// First byte and number.
const HEADER_BYTES: usize = 9;
const PACKET_BYTES_MAX: usize = 1_472;
/// IPv4 and UDP headers, which the link counts too.
const IP_UDP_BYTES: u64 = 28;

/// Answers for ever.
pub fn echo(listen: SocketAddr) -> anyhow::Result<()> {
    let socket = UdpSocket::bind(listen).with_context(|| format!("listening on {listen}"))?;
    let mut buffer = [0; PACKET_BYTES_MAX];
    let mut poured = Poured::default();
    loop {
        let (bytes, from) = socket.recv_from(&mut buffer)?;
        let answered = match buffer.first() {
            Some(&ECHO) => socket.send_to(&buffer[..bytes], from),
            Some(&POUR) => socket.send_to(&poured.count(from, bytes as u64), from),
            _ => continue,
        };
        // A place without a way back at this moment loses the answer, as a link does.
        let _ = answered;
    }
}

/// What came of one pouring; another sender begins another.
#[derive(Default)]
struct Poured {
    from: Option<SocketAddr>,
    first: Option<Instant>,
    packets: u64,
    /// Without the first packet, which began before the first arrival.
    later_bytes: u64,
}

impl Poured {
    /// Gives the report: packets, bytes after the first packet, microseconds since it.
    fn count(&mut self, from: SocketAddr, bytes: u64) -> [u8; 24] {
        if self.from != Some(from) {
            *self = Self { from: Some(from), ..Self::default() };
        }
        let now = Instant::now();
        let first = *self.first.get_or_insert(now);
        self.packets += 1;
        if self.packets > 1 {
            self.later_bytes += bytes + IP_UDP_BYTES;
        }
        let span_us = u64::try_from((now - first).as_micros()).unwrap_or(u64::MAX);
        let mut report = [0; 24];
        for (at, value) in [self.packets, self.later_bytes, span_us].into_iter().enumerate() {
            report[at * 8..][..8].copy_from_slice(&value.to_be_bytes());
        }
        report
    }
}

/// Round trips and loss.
#[derive(Debug, Args)]
pub struct Probe {
    #[arg(long, default_value = "203.0.113.1:7000")]
    to: SocketAddr,
    #[arg(long, default_value_t = 100)]
    count: u64,
    /// Milliseconds from packet to packet.
    #[arg(long, default_value_t = 20)]
    every: u64,
    /// Bytes of UDP payload.
    #[arg(long, default_value_t = 160)]
    size: usize,
    /// Milliseconds to wait for the last answers.
    #[arg(long, default_value_t = 3_000)]
    wait: u64,
    /// Begins at once, whether or not there is an echo yet.
    #[arg(long)]
    at_once: bool,
}

#[derive(Debug, Serialize)]
pub struct RoundTrips {
    sent: u64,
    received: u64,
    lost_percent: f64,
    /// Answers that came after a later packet's.
    reordered: u64,
    /// Longest time without an answer between the first and the last.
    longest_gap_ms: f64,
    rtt_ms: Option<Spread>,
}

#[derive(Debug, Serialize)]
struct Spread {
    min: f64,
    median: f64,
    p95: f64,
    max: f64,
}

impl Probe {
    pub fn run(&self) -> anyhow::Result<RoundTrips> {
        let socket = towards(self.to)?;
        let mut packet = sized(self.size)?;
        if !self.at_once {
            meet(&socket)?;
        }
        let start = Instant::now();
        let every = Duration::from_millis(self.every);
        let mut answers = Answers::default();
        let mut sent_at = BTreeMap::new();
        for number in 0..self.count {
            let due = start + every * u32::try_from(number).context("too many packets")?;
            answers.hear_until(&socket, due, self.count)?;
            packet[..HEADER_BYTES].copy_from_slice(&header(ECHO, number));
            sent_at.insert(number, Instant::now());
            // An address that is just being changed cannot send: lost, as on the link.
            let _ = send(&socket, &packet);
        }
        answers.hear_until(
            &socket,
            Instant::now() + Duration::from_millis(self.wait),
            self.count,
        )?;
        Ok(answers.measure(&sent_at))
    }
}

/// Numbers of the answers in the order they came.
#[derive(Default)]
struct Answers {
    came: Vec<(u64, Instant)>,
}

impl Answers {
    /// Listens until then, or until there is an answer to each.
    fn hear_until(&mut self, socket: &UdpSocket, due: Instant, all: u64) -> anyhow::Result<()> {
        let mut buffer = [0; PACKET_BYTES_MAX];
        while (self.came.len() as u64) < all {
            let left = due.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            socket.set_read_timeout(Some(left))?;
            let Ok(bytes) = socket.recv(&mut buffer) else { continue };
            match parse(&buffer[..bytes]) {
                Some((ECHO, number)) if number != MEETING => {
                    self.came.push((number, Instant::now()));
                }
                Some(_) | None => {}
            }
        }
        Ok(())
    }

    fn measure(&self, sent_at: &BTreeMap<u64, Instant>) -> RoundTrips {
        let rtt = |(number, at): &(u64, Instant)| sent_at.get(number).map(|sent| ms(*at - *sent));
        let mut rtts: Vec<f64> = self.came.iter().filter_map(rtt).collect();
        rtts.sort_by(f64::total_cmp);
        let (sent, received) = (sent_at.len() as u64, rtts.len() as u64);
        let pairs = || self.came.windows(2);
        RoundTrips {
            sent,
            received,
            lost_percent: 100.0 * (sent - received) as f64 / sent.max(1) as f64,
            reordered: pairs().filter(|pair| pair[0].0 > pair[1].0).count() as u64,
            longest_gap_ms: pairs().map(|pair| ms(pair[1].1 - pair[0].1)).fold(0.0, f64::max),
            rtt_ms: Spread::of(&rtts),
        }
    }
}

impl Spread {
    fn of(sorted: &[f64]) -> Option<Self> {
        let at = |percent: usize| sorted.get((sorted.len() - 1) * percent / 100).copied();
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        Some(Self { min, median: at(50)?, p95: at(95)?, max })
    }
}

/// The rate that arrives.
#[derive(Debug, Args)]
pub struct Pour {
    #[arg(long, default_value = "203.0.113.1:7000")]
    to: SocketAddr,
    /// Bits a second that are sent, with IP and UDP headers.
    #[arg(long, default_value_t = 1_000_000)]
    rate: u64,
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// Bytes of UDP payload.
    #[arg(long, default_value_t = 972)]
    size: usize,
    /// Milliseconds to wait for the last reports.
    #[arg(long, default_value_t = 3_000)]
    wait: u64,
}

#[derive(Debug, Serialize)]
pub struct Arrived {
    sent: u64,
    received: u64,
    /// At the far end, with IP and UDP headers.
    rate_bit_s: f64,
}

impl Pour {
    pub fn run(&self) -> anyhow::Result<Arrived> {
        let socket = towards(self.to)?;
        let mut packet = sized(self.size)?;
        meet(&socket)?;
        let bits = (self.size as u64 + IP_UDP_BYTES) * 8;
        let pause = Duration::from_secs_f64(bits as f64 / self.rate.max(1) as f64);
        let start = Instant::now();
        let end = start + Duration::from_secs(self.seconds);
        let mut last = [0; 3];
        let mut sent = 0;
        let mut due = start;
        while due < end {
            hear_reports(&socket, due, &mut last)?;
            packet[..HEADER_BYTES].copy_from_slice(&header(POUR, sent));
            send(&socket, &packet)?;
            sent += 1;
            due += pause;
        }
        hear_reports(&socket, Instant::now() + Duration::from_millis(self.wait), &mut last)?;
        let [received, later_bytes, span_us] = last;
        let rate_bit_s = later_bytes as f64 * 8e6 / span_us.max(1) as f64;
        Ok(Arrived { sent, received, rate_bit_s })
    }
}

fn hear_reports(socket: &UdpSocket, due: Instant, last: &mut [u64; 3]) -> anyhow::Result<()> {
    let mut report = [0; 24];
    loop {
        let left = due.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        socket.set_read_timeout(Some(left))?;
        let Ok(24) = socket.recv(&mut report) else { continue };
        let mut heard = [0; 3];
        for (value, bytes) in heard.iter_mut().zip(report.chunks_exact(8)) {
            *value = u64::from_be_bytes(bytes.try_into().unwrap_or_default());
        }
        if heard[0] > last[0] {
            *last = heard;
        }
    }
}

fn towards(to: SocketAddr) -> anyhow::Result<UdpSocket> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(to).with_context(|| format!("no way to {to}"))?;
    Ok(socket)
}

/// Asks until an echo answers: it may be started at this moment, and the link may lose packets.
fn meet(socket: &UdpSocket) -> anyhow::Result<()> {
    const MEETING_TAKES: Duration = Duration::from_secs(20);
    const AGAIN_AFTER: Duration = Duration::from_millis(200);
    let end = Instant::now() + MEETING_TAKES;
    let mut answer = [0; HEADER_BYTES];
    while Instant::now() < end {
        // Refused as long as nobody listens there.
        let _ = socket.send(&header(ECHO, MEETING));
        let again = Instant::now() + AGAIN_AFTER;
        while let Some(left) = again.checked_duration_since(Instant::now()).filter(|l| !l.is_zero())
        {
            socket.set_read_timeout(Some(left))?;
            if socket.recv(&mut answer).is_ok_and(|bytes| bytes == HEADER_BYTES) {
                return Ok(());
            }
        }
    }
    bail!("no echo answered within {} s", MEETING_TAKES.as_secs())
}

/// Sends although nobody listens: the socket tells of an earlier refusal instead of sending once.
fn send(socket: &UdpSocket, packet: &[u8]) -> std::io::Result<usize> {
    match socket.send(packet) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => socket.send(packet),
        sent => sent,
    }
}

fn sized(bytes: usize) -> anyhow::Result<Vec<u8>> {
    if !(HEADER_BYTES..=PACKET_BYTES_MAX).contains(&bytes) {
        bail!("a packet has {HEADER_BYTES} to {PACKET_BYTES_MAX} bytes, not {bytes}");
    }
    Ok(vec![0; bytes])
}

fn header(kind: u8, number: u64) -> [u8; HEADER_BYTES] {
    let mut header = [kind; HEADER_BYTES];
    header[1..].copy_from_slice(&number.to_be_bytes());
    header
}

fn parse(packet: &[u8]) -> Option<(u8, u64)> {
    let (kind, rest) = packet.split_first()?;
    Some((*kind, u64::from_be_bytes(*rest.first_chunk()?)))
}

fn ms(time: Duration) -> f64 {
    // Tenths are what a scheduler leaves of meaning.
    (time.as_secs_f64() * 10_000.0).round() / 10.0
}
