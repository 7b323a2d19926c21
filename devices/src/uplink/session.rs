//! One connection to the broker, from the dial to its end.

use super::{Ask, Ended, LanDoor, LinkState, MediaOrder, Uplink};
use crate::binding::BindRequest;
use crate::dial::{Connection, authority, below};
use crate::key;
use crate::ledger::Stopped;
use futures_util::{SinkExt, StreamExt};
use http::Uri;
use minato_protocol::reading::{DeviceId, Hex, RequestKey};
use minato_protocol::squeeze::Squeezer;
use minato_protocol::uplink::{
    DeviceStatus, FromBroker, FromGateway, RequestRefusal, UPLINK_BATCH_ENTRIES_MAX,
    UPLINK_MESSAGE_BYTES_MAX, UPLINK_PING_SECONDS, UPLINK_VERSION, UPLINK_WINDOW_ENTRIES_MAX,
    proof_bytes,
};
use std::convert::Infallible;
use std::time::{Duration, Instant};
use tokio::sync::{oneshot, watch};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

/// Three pings of the broker without a word: the link is dead.
const SILENCE_MAX: Duration = Duration::from_secs(UPLINK_PING_SECONDS as u64 * 3);
/// The status is repeated this often even when nothing changes.
const STATUS_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether numbers are late.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// JSON of the entries in a batch at most, so that answers to the broker do not wait long behind a
/// backlog. A single entry is far below [`UPLINK_MESSAGE_BYTES_MAX`].
const BATCH_BYTES: usize = 16 * 1024;
/// About so many times as long is the JSON of entries as what is left of it. It only chooses how many
/// go together: the pace counts what was really sent.
const SQUEEZED: usize = 4;
/// tungstenite's own buffers are 128 KiB each way; messages here are far smaller.
const SOCKET_BUFFER_BYTES: usize = 8 * 1024;

type Socket = WebSocketStream<Box<dyn Connection>>;

/// Connects, introduces itself, and delivers until the connection ends.
pub(super) async fn run(uplink: &mut Uplink, welcomed: &mut bool) -> Result<Infallible, Ended> {
    let mut socket = dial(uplink).await?;
    introduce(uplink, &mut socket).await?;
    *welcomed = true;
    tracing::info!(gateway = %uplink.identity.gateway, "the broker has welcomed this gateway");
    uplink.state.send_replace(LinkState { connected: true, trouble: None });
    uplink.pace.begin();
    Session {
        uplink,
        socket,
        sent: 0,
        acknowledged: 0,
        told: Vec::new(),
        squeezer: Squeezer::default(),
    }
    .serve()
    .await
}

async fn dial(uplink: &Uplink) -> Result<Socket, Ended> {
    let address = below(&uplink.broker_url, "/gateway")?;
    let stream = uplink.dialer.connect(&address).await?;
    let scheme = if address.scheme_str() == Some("https") { "wss" } else { "ws" };
    let target = format!("{scheme}://{}{}", authority(&address), address.path());
    let request =
        target.parse::<Uri>().map_err(|_| Ended::Protocol("an address"))?.into_client_request()?;
    let config = WebSocketConfig::default()
        .read_buffer_size(SOCKET_BUFFER_BYTES)
        .write_buffer_size(SOCKET_BUFFER_BYTES)
        .max_write_buffer_size(4 * UPLINK_MESSAGE_BYTES_MAX)
        .max_message_size(Some(UPLINK_MESSAGE_BYTES_MAX))
        .max_frame_size(Some(UPLINK_MESSAGE_BYTES_MAX));
    let handshake = client_async_with_config(request, stream, Some(config));
    let (socket, _) = in_time(handshake).await??;
    Ok(socket)
}

async fn introduce(uplink: &Uplink, socket: &mut Socket) -> Result<(), Ended> {
    let (gateway, boot) = (uplink.identity.gateway, uplink.boot);
    let nonce = Hex(key::random());
    let outbox = uplink.ledger.outbox();
    let hello = FromGateway::Hello { version: UPLINK_VERSION, gateway, boot, outbox, nonce };
    send(socket, &hello).await?;
    let broker_nonce = match receive(socket).await? {
        FromBroker::Challenge { nonce } => nonce,
        FromBroker::Refused { code, message } => return Err(Ended::Refused { code, message }),
        _ => return Err(Ended::Protocol("a challenge was expected")),
    };
    let signature = uplink.key.sign(&proof_bytes(gateway, &boot, &nonce, &broker_nonce));
    send(socket, &FromGateway::Prove { signature }).await?;
    match receive(socket).await? {
        FromBroker::Welcome { site, now, pass_key } if site == uplink.identity.site => {
            if let Some((_, authority)) = &uplink.lan {
                authority.meet(pass_key, now);
            }
            Ok(())
        }
        FromBroker::Welcome { .. } => Err(Ended::Protocol("welcomed to another site")),
        FromBroker::Refused { code, message } => Err(Ended::Refused { code, message }),
        _ => Err(Ended::Protocol("a welcome was expected")),
    }
}

struct Session<'a> {
    uplink: &'a mut Uplink,
    socket: Socket,
    /// `seq` of the newest entry sent on this connection.
    sent: u64,
    /// Everything up to here is the broker's.
    acknowledged: u64,
    /// The status that was last told.
    told: Vec<DeviceStatus>,
    squeezer: Squeezer,
}

impl Session<'_> {
    /// What the broker says is heard before anything more is sent: on a link that keeps breaking
    /// its acknowledgements are what makes progress.
    async fn serve(mut self) -> Result<Infallible, Ended> {
        let mut head = self.uplink.ledger.head();
        let mut cable = self.uplink.cable.subscribe();
        let mut status_due = tokio::time::interval(STATUS_EVERY);
        let mut silent = tokio::time::Instant::now() + SILENCE_MAX;
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            let news = self.sent < head.borrow_and_update().last_seq;
            let sends = news && self.room() > 0 && self.uplink.pace.room() > 0;
            tokio::select! {
                biased;
                message = next(&mut self.socket) => {
                    silent = tokio::time::Instant::now() + SILENCE_MAX;
                    self.obey(message?).await?;
                }
                () = tokio::time::sleep_until(silent) => return Err(Ended::Silent),
                ended = unplugged(&mut cable) => return Err(ended),
                _ = status_due.tick() => self.tell_status(true).await?,
                _ = looks.tick() => self.uplink.let_waves_rest(),
                changed = self.uplink.devices.changed() => {
                    changed.map_err(|_| Stopped)?;
                    self.tell_status(false).await?;
                }
                () = door_news(&mut self.uplink.lan) => self.tell_status(true).await?,
                Some(visit) = self.uplink.media_lost.recv() => {
                    send(&mut self.socket, &FromGateway::MediaLost { visit }).await?;
                }
                () = std::future::ready(()), if sends => self.deliver().await?,
                changed = head.changed() => changed.map_err(|_| Stopped)?,
            }
        }
    }

    /// How many more entries may be on their way.
    fn room(&self) -> usize {
        let under_way = self.sent - self.acknowledged;
        usize::try_from(UPLINK_WINDOW_ENTRIES_MAX.saturating_sub(under_way)).unwrap_or(usize::MAX)
    }

    /// Sends the next batch.
    async fn deliver(&mut self) -> Result<(), Ended> {
        let entries_max = self.room().min(UPLINK_BATCH_ENTRIES_MAX);
        let last_seq = self.uplink.ledger.head().borrow().last_seq;
        let bytes_max = (self.uplink.pace.room() * SQUEEZED).min(BATCH_BYTES);
        let batch = self.uplink.ledger.after(self.sent, entries_max, bytes_max).await?;
        let batch = batch.ok_or(Ended::Outbox)?;
        let (Some(first), Some(last)) = (batch.first(), batch.last()) else {
            // Everything up to the head was acknowledged on an earlier connection, or what is left
            // cannot be read; what is under way still has to be acknowledged.
            if self.acknowledged == self.sent {
                self.acknowledged = last_seq;
            }
            self.sent = last_seq;
            return Ok(());
        };
        if self.sent == 0 {
            self.acknowledged = first.seq - 1;
        }
        self.sent = last.seq;
        let sent_at = self.uplink.clock.now();
        let squeezed = self.squeezer.squeeze(&json(&FromGateway::Deliver { sent_at, batch })?);
        self.uplink.pace.sent(self.sent, squeezed.len(), Instant::now());
        in_time(self.socket.send(Message::binary(squeezed))).await??;
        Ok(())
    }

    async fn obey(&mut self, message: FromBroker) -> Result<(), Ended> {
        match message {
            FromBroker::Ack { through } => return self.acknowledge(through).await,
            FromBroker::Ping { nonce } => {
                send(&mut self.socket, &FromGateway::Pong { nonce }).await?;
            }
            FromBroker::Bind { key, device, subject, by, takes_over } => {
                let subject = Some(subject);
                self.bind(BindRequest { key, device, subject, by, takes_over, only_off: None })
                    .await?;
            }
            FromBroker::Unbind { key, device, by, subject: only_off } => {
                let off = BindRequest::off(key, device, by);
                self.bind(BindRequest { only_off, ..off }).await?;
            }
            FromBroker::Measure { key, device } => {
                let (reply, answer) = oneshot::channel();
                self.ask(key, Ask::Measure { device, reply }, answer).await?;
            }
            FromBroker::SimulateFault { key, device, fault } => {
                let (reply, answer) = oneshot::channel();
                self.ask(key, Ask::Fail { device, fault, reply }, answer).await?;
            }
            FromBroker::MediaGrant { visit, subject, relay_url, token } => {
                self.order(MediaOrder::Join { visit, subject, relay_url, token }).await?;
            }
            FromBroker::MediaRevoke { visit } => self.order(MediaOrder::Leave { visit }).await?,
            FromBroker::EndPass { holder, until } => {
                if let Some((_, authority)) = &self.uplink.lan {
                    authority.end(holder, until);
                }
            }
            FromBroker::Refused { code, message } => return Err(Ended::Refused { code, message }),
            FromBroker::Challenge { .. } | FromBroker::Welcome { .. } => {
                return Err(Ended::Protocol("it introduced itself twice"));
            }
        }
        Ok(())
    }

    /// An acknowledgement of something never sent would lose readings: it is refused.
    async fn acknowledge(&mut self, through: u64) -> Result<(), Ended> {
        if through > self.sent {
            return Err(Ended::Protocol("it acknowledged what was never sent"));
        }
        if through > self.acknowledged {
            self.uplink.pace.acknowledged(through, Instant::now());
            self.acknowledged = through;
            self.uplink.ledger.acknowledge(through).await?;
        }
        Ok(())
    }

    async fn bind(&mut self, request: BindRequest) -> Result<(), Ended> {
        let key = request.key.clone();
        let done = if request.subject.is_none() || self.hangs_here(&request.device) {
            self.uplink.ledger.bind(request).await?
        } else {
            Err(RequestRefusal::UnknownDevice)
        };
        self.answer(key, done).await
    }

    async fn ask(
        &mut self,
        key: RequestKey,
        ask: Ask,
        answer: oneshot::Receiver<Result<(), RequestRefusal>>,
    ) -> Result<(), Ended> {
        if !self.uplink.is_new(&key) {
            return Ok(());
        }
        self.uplink.asks.send(ask).await.map_err(|_| Stopped)?;
        let done = answer.await.map_err(|_| Stopped)?;
        self.answer(key, done).await
    }

    async fn answer(
        &mut self,
        key: RequestKey,
        done: Result<(), RequestRefusal>,
    ) -> Result<(), Ended> {
        let Err(code) = done else { return Ok(()) };
        send(&mut self.socket, &FromGateway::RequestRefused { key, code }).await
    }

    async fn order(&mut self, order: MediaOrder) -> Result<(), Ended> {
        self.uplink.media.send(order).await.map_err(|_| Stopped)?;
        Ok(())
    }

    fn hangs_here(&self, device: &DeviceId) -> bool {
        self.uplink.devices.borrow().iter().any(|status| status.device == *device)
    }

    /// A new frame alone is no news: the readings tell of it.
    async fn tell_status(&mut self, due: bool) -> Result<(), Ended> {
        let devices = self.uplink.devices.borrow_and_update().clone();
        let same = devices.len() == self.told.len()
            && devices.iter().zip(&self.told).all(|(now, told)| {
                let told = DeviceStatus { last_frame_at: now.last_frame_at, ..told.clone() };
                *now == told
            });
        if same && !due {
            return Ok(());
        }
        self.told.clone_from(&devices);
        let (outbox_full, waiting) = {
            let head = self.uplink.ledger.head();
            let head = head.borrow();
            (head.is_full(), u32::try_from(head.waiting).unwrap_or(u32::MAX))
        };
        let lan = self.uplink.lan.as_ref().and_then(|(state, _)| state.borrow().place.clone());
        send(&mut self.socket, &FromGateway::Status { devices, outbox_full, waiting, lan }).await
    }
}

fn json(message: &FromGateway) -> Result<String, Ended> {
    serde_json::to_string(message).map_err(|_| Ended::Protocol("no JSON"))
}

async fn send(socket: &mut Socket, message: &FromGateway) -> Result<(), Ended> {
    in_time(socket.send(Message::text(json(message)?))).await??;
    Ok(())
}

async fn receive(socket: &mut Socket) -> Result<FromBroker, Ended> {
    in_time(next(socket)).await?
}

/// What a broker says.
pub(super) fn parse(text: &str) -> Result<FromBroker, Ended> {
    serde_json::from_str(text).map_err(|_| Ended::Protocol("unreadable"))
}

/// The next message of the protocol. Dropping the future loses nothing.
async fn next(socket: &mut Socket) -> Result<FromBroker, Ended> {
    loop {
        match socket.next().await {
            Some(Ok(Message::Text(text))) => {
                return parse(&text);
            }
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
            Some(Ok(Message::Binary(_) | Message::Frame(_))) => {
                return Err(Ended::Protocol("bytes instead of text"));
            }
            Some(Err(SocketError::ConnectionClosed)) | Some(Ok(Message::Close(_))) | None => {
                return Err(Ended::Closed);
            }
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

/// Returns when the door on the clinic's network has opened or shut.
async fn door_news(lan: &mut Option<LanDoor>) {
    let changed = match lan {
        Some((state, _)) => state.changed().await.is_ok(),
        None => false,
    };
    if !changed {
        std::future::pending().await
    }
}

async fn unplugged(cable: &mut watch::Receiver<bool>) -> Ended {
    // The uplink holds the sender: it cannot be gone.
    let _ = cable.wait_for(|plugged| !plugged).await;
    Ended::Unplugged
}

async fn in_time<T>(work: impl Future<Output = T>) -> Result<T, Ended> {
    tokio::time::timeout(SILENCE_MAX, work).await.map_err(|_| Ended::Silent)
}
