//! A member of staff at a browser: signs in by password and authenticator, and opens a screen.

use super::server::{PATIENCE, Server};
use futures_util::{SinkExt as _, StreamExt as _};
use minato_protocol::Code;
use minato_protocol::act::{Act, Outcome};
use minato_protocol::wire::{FromScreen, ToScreen, VERSION, You};
use serde_json::{Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{WebSocketStream, client_async};
use totp_rs::{Builder, Secret, Totp};

/// An authenticator that read the printed address.
#[derive(Debug)]
pub(crate) struct Authenticator(Totp);

impl Authenticator {
    pub(crate) fn reads(address: &str) -> Self {
        let (_, rest) = address.split_once("?secret=").expect("an otpauth address");
        let secret = rest.split('&').next().expect("a secret");
        let secret = Secret::try_from_base32(secret).expect("base32");
        Self(Builder::new().with_secret(secret).build().expect("a rule"))
    }

    /// What it shows so many steps of 30 s from now. A code is good once, one step off as well.
    pub(crate) fn shows(&self, steps_ahead: u64) -> String {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
        self.0.generate(now + steps_ahead * 30).to_string()
    }
}

/// Status, body and the session's cookie, if one was set.
pub(crate) async fn post(
    server: &Server,
    path: &str,
    body: &Value,
) -> (u16, Value, Option<String>) {
    let (at, body) = (&server.address, body.to_string());
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut tcp = TcpStream::connect(at).await.expect("it listens");
    tcp.write_all(request.as_bytes()).await.expect("it takes the request");
    let mut bytes = Vec::new();
    timeout(PATIENCE, tcp.read_to_end(&mut bytes)).await.expect("in time").expect("an answer");
    let text = String::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
    let cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let value = name.eq_ignore_ascii_case("set-cookie").then_some(value)?;
        Some(value.split(';').next()?.to_owned())
    });
    (status, serde_json::from_str(body).unwrap_or_default(), cookie)
}

/// Signs in; gives the cookie, or the code of the refusal.
pub(crate) async fn sign_in(
    server: &Server,
    account: &str,
    password: &str,
    code: &str,
) -> Result<String, Value> {
    let typed = json!({ "account": account, "password": password, "totp": code });
    let (status, body, cookie) = post(server, "/api/sign-in", &typed).await;
    if status == 200 { Ok(cookie.expect("a session")) } else { Err(body["code"].clone()) }
}

/// A page that is open.
pub(crate) struct Screen {
    socket: WebSocketStream<TcpStream>,
    presses: u32,
}

impl Screen {
    pub(crate) async fn open(server: &Server, cookie: &str) -> (Self, You) {
        let at = &server.address;
        let mut request = format!("ws://{at}/ws").into_client_request().expect("an address");
        let header = |text: &str| HeaderValue::from_str(text).expect("ASCII");
        request.headers_mut().insert("cookie", header(cookie));
        request.headers_mut().insert("origin", header(&format!("http://{at}")));
        let tcp = TcpStream::connect(at).await.expect("it listens");
        let (socket, _) = client_async(request, tcp).await.expect("a WebSocket");
        let mut screen = Self { socket, presses: 0 };
        screen.send(&FromScreen::Hello { version: VERSION, have: Vec::new() }).await;
        let you = screen.welcomed().await;
        (screen, you)
    }

    async fn send(&mut self, message: &FromScreen) {
        let text = serde_json::to_string(message).expect("plain");
        self.socket.send(Message::text(text)).await.expect("it is connected");
    }

    /// The next message of a kind.
    pub(crate) async fn until<T>(
        &mut self,
        what: &str,
        mut look: impl FnMut(ToScreen) -> Option<T>,
    ) -> T {
        let found = async {
            loop {
                let next = self.socket.next().await.unwrap_or_else(|| panic!("over: {what}"));
                let Message::Text(text) = next.expect("whole") else { continue };
                let message = serde_json::from_str(&text).expect("understood");
                if let ToScreen::Ping { .. } = message {
                    self.send(&FromScreen::Pong).await;
                }
                if let Some(found) = look(message) {
                    return found;
                }
            }
        };
        timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("never: {what}"))
    }

    /// Whom the service takes this screen for; said anew when something about that changes.
    pub(crate) async fn welcomed(&mut self) -> You {
        let welcome = |message| {
            if let ToScreen::Welcome { you, .. } = message { Some(you) } else { None }
        };
        self.until("a welcome", welcome).await
    }

    pub(crate) async fn press(&mut self, act: Act) -> Result<Outcome, Code> {
        self.presses += 1;
        let own = format!("press-{:06}", self.presses);
        self.send(&FromScreen::Do { key: own.clone(), act }).await;
        let answer = |message| match message {
            ToScreen::Done { key, outcome } if key == own => Some(Ok(outcome)),
            ToScreen::Refused { key, code, .. } if key == own => Some(Err(code)),
            _ => None,
        };
        self.until("an answer", answer).await
    }

    /// Why the service ended it.
    pub(crate) async fn bye(&mut self) -> Code {
        let bye = |message| if let ToScreen::Bye { code } = message { Some(code) } else { None };
        self.until("goodbye", bye).await
    }
}
