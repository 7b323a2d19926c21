//! Somebody with a screen: signs in over HTTP, then speaks the WebSocket protocol.

use crate::http;
use anyhow::{Context as _, bail};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use minato_protocol::act::{Act, Outcome};
use minato_protocol::wire::{FromScreen, ToScreen, VERSION};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

static KEYS: AtomicU64 = AtomicU64::new(1);

/// Nothing asked for in these benchmarks takes longer; a wait beyond it is an error, not a figure.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// What waits for a person who looks elsewhere. When it is full the socket is no longer read, and
/// the server drops it as it would drop any slow reader.
const UNREAD_MAX: usize = 65_536;

type Socket = WebSocketStream<TcpStream>;

/// One connected screen. Like a browser it reads and answers pings whether or not anybody looks.
#[derive(Debug)]
pub(crate) struct Person {
    sends: mpsc::Sender<FromScreen>,
    messages: mpsc::Receiver<ToScreen>,
    ended: JoinHandle<anyhow::Result<()>>,
}

impl Person {
    /// A member of staff, by a printed link.
    pub(crate) async fn staff(address: &str, once: &str) -> anyhow::Result<Self> {
        let body = serde_json::json!({ "secret": once });
        let cookie = post(address, "/api/sign-in/once", &body).await?;
        Self::connect(address, &cookie).await
    }

    /// A patient, by a link.
    pub(crate) async fn patient(address: &str, secret: &str) -> anyhow::Result<Self> {
        let browser = format!("bench-browser-{:016x}", KEYS.fetch_add(1, Ordering::Relaxed));
        let body = serde_json::json!({ "secret": secret, "browser": browser });
        let cookie = post(address, "/api/join", &body).await?;
        Self::connect(address, &cookie).await
    }

    async fn connect(address: &str, cookie: &str) -> anyhow::Result<Self> {
        let mut request = format!("ws://{address}/ws").into_client_request()?;
        request.headers_mut().insert("cookie", cookie.parse()?);
        request.headers_mut().insert("origin", format!("http://{address}").parse()?);
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let small = WebSocketConfig::default().read_buffer_size(4_096).write_buffer_size(0);
        let (socket, _) =
            tokio_tungstenite::client_async_with_config(request, stream, Some(small)).await?;
        let (sink, stream) = socket.split();
        let (sends, to_send) = mpsc::channel(8);
        let (seen, messages) = mpsc::channel(UNREAD_MAX);
        tokio::spawn(write(sink, to_send));
        let ended = tokio::spawn(read(stream, seen, sends.clone()));
        let person = Self { sends, messages, ended };
        person.send(FromScreen::Hello { version: VERSION, have: Vec::new() }).await?;
        Ok(person)
    }

    async fn send(&self, message: FromScreen) -> anyhow::Result<()> {
        self.sends.send(message).await.context("the socket ended")
    }

    /// Sends a verb; the answer comes with the other messages.
    pub(crate) async fn press(&mut self, act: Act) -> anyhow::Result<String> {
        let key = format!("bench-key-{}", KEYS.fetch_add(1, Ordering::Relaxed));
        self.send(FromScreen::Do { key: key.clone(), act }).await?;
        Ok(key)
    }

    /// Sends a verb and waits for its outcome.
    pub(crate) async fn act(&mut self, act: Act) -> anyhow::Result<Outcome> {
        let verb = act.verb();
        let pressed = self.press(act).await?;
        let outcome = async {
            loop {
                match self.next().await? {
                    ToScreen::Done { key, outcome } if key == pressed => return Ok(outcome),
                    ToScreen::Refused { key, code, .. } if key == pressed => {
                        bail!("{verb} was refused: {code:?}")
                    }
                    _ => {}
                }
            }
        };
        let outcome = tokio::time::timeout(ANSWER_WITHIN, outcome).await;
        outcome.with_context(|| format!("{verb} was not answered"))?
    }

    /// The next message.
    pub(crate) async fn next(&mut self) -> anyhow::Result<ToScreen> {
        if let Some(message) = self.messages.recv().await {
            return Ok(message);
        }
        (&mut self.ended).await??;
        bail!("the server closed the socket")
    }
}

async fn write(mut sink: SplitSink<Socket, Message>, mut to_send: mpsc::Receiver<FromScreen>) {
    while let Some(message) = to_send.recv().await {
        let Ok(text) = serde_json::to_string(&message) else { return };
        if sink.send(Message::text(text)).await.is_err() {
            return;
        }
    }
}

async fn read(
    mut stream: SplitStream<Socket>,
    seen: mpsc::Sender<ToScreen>,
    sends: mpsc::Sender<FromScreen>,
) -> anyhow::Result<()> {
    while let Some(message) = stream.next().await {
        let Message::Text(text) = message? else { continue };
        match serde_json::from_str(&text)? {
            ToScreen::Ping { .. } => sends.send(FromScreen::Pong).await?,
            ToScreen::Bye { code } => bail!("the server said goodbye: {code:?}"),
            other => seen.send(other).await?,
        }
    }
    Ok(())
}

/// A request that makes a session; answers the cookie.
async fn post(address: &str, path: &str, body: &serde_json::Value) -> anyhow::Result<String> {
    let origin = format!("http://{address}");
    let answer = http::post(address, path, &[("origin", &origin)], body).await?;
    let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie.and_then(|line| line.split(';').next());
    cookie.map(str::to_owned).with_context(|| format!("{path} gave no session: {answer}"))
}
