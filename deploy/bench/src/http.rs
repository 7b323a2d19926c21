//! Requests to servers on this machine, one connection each: HTTP/1.0, so that no answer comes in
//! chunks.

use anyhow::Context as _;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Posts JSON; answers with head and body as they came.
pub(crate) async fn post(
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> anyhow::Result<String> {
    let body = body.to_string();
    let length = body.len().to_string();
    let own = [("content-type", "application/json"), ("content-length", &length)];
    ask(address, &format!("POST {path}"), &[headers, own.as_slice()].concat(), &body).await
}

/// Gets what is there.
pub(crate) async fn get(address: &str, path: &str) -> anyhow::Result<String> {
    ask(address, &format!("GET {path}"), &[], "").await
}

async fn ask(
    address: &str,
    what: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> anyhow::Result<String> {
    let lines = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n"));
    let lines: String = lines.collect();
    let request = format!("{what} HTTP/1.0\r\nhost: {address}\r\n{lines}\r\n{body}");
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

/// The JSON of an answer that was not refused.
pub(crate) fn json<T: DeserializeOwned>(answer: &str) -> anyhow::Result<T> {
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer without a body")?;
    serde_json::from_str(body).with_context(|| format!("not what was asked for: {answer}"))
}
