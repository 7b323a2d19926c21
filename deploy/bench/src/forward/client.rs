//! A synthetic WebRTC participant: str0m, a socket of its own, no estimation of its own.

use super::film::{Film, Piece, STEP, Studio};
use super::stamp;
use super::tally::Tally;
use anyhow::{Context as _, bail};
use minato_protocol::media::SLOTS_CHANNEL;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer, SdpPendingOffer};
use str0m::format::Codec;
use str0m::media::{Direction, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Datagrams read before time is looked at again.
const READ_AT_ONCE: usize = 64;
const CONNECTED_WITHIN: Duration = Duration::from_secs(20);

/// A line it sends on.
#[derive(Debug)]
struct Sending {
    mid: Mid,
    pt: Pt,
    serial: u64,
    /// When the sound or picture began that is being sent.
    stamp: u64,
}

/// A participant that negotiates.
#[derive(Debug)]
pub(crate) struct Client {
    rtc: Rtc,
    socket: UdpSocket,
    address: SocketAddr,
    sound: Option<Sending>,
    picture: Option<Sending>,
    studio: Option<Studio>,
    opus: Pt,
    vp8: Pt,
    connected: watch::Sender<bool>,
}

/// One that is connected; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Running {
    task: JoinHandle<()>,
    connected: watch::Receiver<bool>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    pub(crate) async fn is_up(&mut self) -> anyhow::Result<()> {
        let up = self.connected.wait_for(|up| *up);
        tokio::time::timeout(CONNECTED_WITHIN, up).await.context("no media in time")??;
        Ok(())
    }
}

impl Client {
    pub(crate) async fn new(ip: IpAddr) -> anyhow::Result<Self> {
        let socket = UdpSocket::bind((ip, 0)).await?;
        let address = socket.local_addr()?;
        let mut rtc = Rtc::builder()
            .clear_codecs()
            .enable_opus(true, false)
            .enable_vp8(true)
            .set_rtp_mode(true)
            .build(Instant::now());
        rtc.add_local_candidate(Candidate::host(address, "udp")?);
        let pt = |codec| {
            let params = rtc.codec_config().find(|params| params.spec().codec == codec);
            params.map(|params| params.pt()).context("a codec")
        };
        let (opus, vp8) = (pt(Codec::Opus)?, pt(Codec::Vp8)?);
        let (connected, _) = watch::channel(false);
        let (sound, picture, studio) = (None, None, None);
        Ok(Self { rtc, socket, address, sound, picture, studio, opus, vp8, connected })
    }

    /// Offers to send a film, to receive `pairs` of others, and a channel if it receives at all.
    pub(crate) fn offer(
        &mut self,
        film: Option<(Film, u32)>,
        pairs: u8,
    ) -> anyhow::Result<(String, SdpPendingOffer)> {
        let mut change = self.rtc.sdp_api();
        let mut add = |kind, direction| change.add_media(kind, direction, None, None, None);
        if let Some((film, seed)) = film {
            let (sound, picture) = (
                add(MediaKind::Audio, Direction::SendOnly),
                add(MediaKind::Video, Direction::SendOnly),
            );
            self.sound = Some(Sending { mid: sound, pt: self.opus, serial: 0, stamp: 0 });
            self.picture = Some(Sending { mid: picture, pt: self.vp8, serial: 0, stamp: 0 });
            self.studio = Some(Studio::new(film, seed));
        }
        for _ in 0..pairs {
            add(MediaKind::Audio, Direction::RecvOnly);
            add(MediaKind::Video, Direction::RecvOnly);
        }
        if pairs > 0 {
            change.add_channel(SLOTS_CHANNEL.to_owned());
        }
        let (offer, pending) = change.apply().context("an offer of nothing")?;
        Ok((offer.to_sdp_string(), pending))
    }

    pub(crate) fn accept(&mut self, pending: SdpPendingOffer, answer: &str) -> anyhow::Result<()> {
        let answer = SdpAnswer::from_sdp_string(answer)?;
        Ok(self.rtc.sdp_api().accept_answer(pending, answer)?)
    }

    /// Answers an offer to receive.
    pub(crate) fn answer(&mut self, offer: &str) -> anyhow::Result<String> {
        let offer = SdpOffer::from_sdp_string(offer)?;
        Ok(self.rtc.sdp_api().accept_offer(offer)?.to_sdp_string())
    }

    /// Connects, and sends what it has to send.
    pub(crate) fn start(mut self, tally: Arc<Tally>) -> Running {
        let connected = self.connected.subscribe();
        let task = tokio::spawn(async move {
            if let Err(error) = self.run(&tally).await {
                eprintln!("a client ended: {error:#}");
            }
        });
        Running { task, connected }
    }

    async fn run(&mut self, tally: &Tally) -> anyhow::Result<()> {
        let mut steps = tokio::time::interval(STEP);
        let mut inbox = vec![0; 2_048];
        let mut due = self.drain(tally).await?;
        loop {
            tokio::select! {
                _ = steps.tick(), if self.studio.is_some() => {
                    if !tally.plays() || !*self.connected.borrow() {
                        continue;
                    }
                    let pieces = self.studio.as_mut().map(Studio::step).unwrap_or_default();
                    pieces.into_iter().for_each(|piece| self.send(piece, tally));
                }
                ready = self.socket.readable() => {
                    ready?;
                    for _ in 0..READ_AT_ONCE {
                        let Ok((length, source)) = self.socket.try_recv_from(&mut inbox) else { break };
                        due = self.take(source, inbox.get(..length).unwrap_or_default(), tally).await?;
                    }
                    if due > Instant::now() {
                        continue;
                    }
                }
                () = tokio::time::sleep_until(due.into()) => {}
            }
            self.rtc.handle_input(Input::Timeout(Instant::now()))?;
            due = self.drain(tally).await?;
        }
    }

    async fn take(
        &mut self,
        source: SocketAddr,
        bytes: &[u8],
        tally: &Tally,
    ) -> anyhow::Result<Instant> {
        let contents = bytes.try_into()?;
        let receive = Receive { proto: Protocol::Udp, source, destination: self.address, contents };
        self.rtc.handle_input(Input::Receive(Instant::now(), receive))?;
        self.drain(tally).await
    }

    async fn drain(&mut self, tally: &Tally) -> anyhow::Result<Instant> {
        loop {
            match self.rtc.poll_output()? {
                Output::Timeout(at) => return Ok(at),
                Output::Transmit(transmit) => {
                    self.socket.send_to(&transmit.contents, transmit.destination).await?;
                }
                Output::Event(Event::Connected) => {
                    self.connected.send_replace(true);
                }
                Output::Event(Event::RtpPacket(packet)) => self.arrived(&packet, tally),
                Output::Event(Event::KeyframeRequest(_)) => {
                    self.studio.iter_mut().for_each(Studio::want_keyframe);
                }
                Output::Event(Event::Closed) => bail!("the server said goodbye"),
                Output::Event(_) => {}
            }
        }
    }

    fn arrived(&self, packet: &RtpPacket, tally: &Tally) {
        if let Some(stamp) = stamp::read(&packet.payload) {
            tally.arrived(packet.header.payload_type == self.opus, stamp);
        }
    }

    fn send(&mut self, piece: Piece, tally: &Tally) {
        let Piece { is_sound, begins, marker, time, mut payload, fixed, offset } = piece;
        let line = if is_sound { &mut self.sound } else { &mut self.picture };
        let Some(line) = line else { return };
        if begins {
            line.stamp = tally.now();
        }
        tally.sent(is_sound, line.stamp);
        if let Some(text) = payload.get_mut(fixed..) {
            stamp::fill(text, offset, line.stamp);
        }
        line.serial += 1;
        let write = RtpWrite::new(line.pt, line.serial.into(), time, Instant::now(), payload)
            .marker(marker)
            .nackable(!is_sound);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(line.mid, None) {
            stream.write_rtp(write);
        }
    }
}
