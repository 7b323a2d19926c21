//! Requests as a browser sends them, byte by byte, and WebSockets with small buffers.

use super::Broker;
use minato_protocol::Code;
use minato_protocol::entry::HttpRefusal;
use serde_json::Value;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

pub(crate) type Socket = WebSocketStream<TcpStream>;

/// What came back.
#[derive(Debug)]
pub(crate) struct HttpAnswer {
    pub(crate) status: u16,
    pub(crate) cookie: Option<String>,
    pub(crate) body: Value,
}

impl HttpAnswer {
    pub(crate) fn code(&self) -> Code {
        let refusal: HttpRefusal = serde_json::from_value(self.body.clone()).expect("a refusal");
        refusal.code
    }
}

impl Broker {
    pub(crate) async fn post(&self, path: &str, body: Value, cookie: Option<&str>) -> HttpAnswer {
        post(self.address, path, &body.to_string(), cookie).await
    }

    /// A WebSocket as a page of this very host opens it.
    pub(crate) async fn dial(&self, path: &str, cookie: Option<&str>) -> Result<Socket, Error> {
        let origin = format!("http://{}", self.address);
        dial(self.address, path, cookie, Some(&origin)).await
    }
}

async fn post(at: SocketAddr, path: &str, body: &str, cookie: Option<&str>) -> HttpAnswer {
    let cookie = cookie.map(|cookie| format!("Cookie: minato={cookie}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\n{cookie}\
         Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let mut tcp = TcpStream::connect(at).await.expect("the broker listens");
    tcp.write_all(request.as_bytes()).await.expect("it takes the request");
    let mut bytes = Vec::new();
    tcp.read_to_end(&mut bytes).await.expect("it answers");
    understand(&String::from_utf8(bytes).expect("text"))
}

fn understand(text: &str) -> HttpAnswer {
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let set_cookie = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        name.eq_ignore_ascii_case("set-cookie").then_some(value)
    });
    let cookie = set_cookie.and_then(|text| {
        let value = text.strip_prefix("minato=")?.split(';').next()?;
        (!value.is_empty()).then(|| value.to_owned())
    });
    let body = serde_json::from_str(body).unwrap_or(Value::Null);
    HttpAnswer { status: status.expect("a status"), cookie, body }
}

pub(crate) async fn dial(
    at: SocketAddr,
    path: &str,
    cookie: Option<&str>,
    origin: Option<&str>,
) -> Result<Socket, Error> {
    let mut request = format!("ws://{at}{path}").into_client_request()?;
    let headers = request.headers_mut();
    if let Some(cookie) = cookie {
        let value = format!("other=1; minato={cookie}");
        headers.insert("cookie", HeaderValue::from_str(&value).expect("ASCII"));
    }
    if let Some(origin) = origin {
        headers.insert("origin", HeaderValue::from_str(origin).expect("ASCII"));
    }
    let tcp = TcpStream::connect(at).await?;
    tcp.set_nodelay(true)?;
    let config = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
    let (socket, _) = client_async_with_config(request, tcp, Some(config)).await?;
    Ok(socket)
}
