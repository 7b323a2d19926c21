//! Debian's janus with its video room, as a process of its own with settings of its own.

use super::Cast;
use super::client::{Client, Running};
use super::tally::Tally;
use crate::http;
use crate::process::{self, Process, free_port};
use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use std::net::IpAddr;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const BINARY: &str = "/usr/bin/janus";
const PLUGIN: &str = "janus.plugin.videoroom";
const STARTS_WITHIN: Duration = Duration::from_secs(10);
/// Messages of the long poll that are not the one waited for.
const OTHERS_MAX: usize = 20;

/// A running janus; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Janus {
    pub(crate) process: Process,
    http: String,
    ip: IpAddr,
    _folder: TempDir,
}

/// A connection to the video room's plugin.
#[derive(Debug)]
struct Handle<'a> {
    http: &'a str,
    session: u64,
    handle: u64,
}

impl Janus {
    pub(crate) fn is_installed() -> bool {
        std::path::Path::new(BINARY).exists()
    }

    pub(crate) async fn start(ip: IpAddr) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?.port();
        let settings = [
            // Everything that costs at run time is as Debian has it.
            ("janus.jcfg", "general: { debug_level = 2, session_timeout = 0 }\n".to_owned()),
            ("janus.plugin.videoroom.jcfg", "general: {}\n".to_owned()),
            (
                "janus.transport.http.jcfg",
                format!(
                    "general: {{ json = \"compact\", base_path = \"/janus\", http = true, port = \
                     {port}, ip = \"127.0.0.1\", https = false }}\nadmin: {{ admin_http = false }}\n"
                ),
            ),
        ];
        for (name, text) in settings {
            std::fs::write(folder.path().join(name), text)?;
        }
        let list = ip.to_string();
        let mut command = process::command(BINARY);
        command.arg("-F").arg(folder.path()).args(["-N", "-E", &list]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let process = Process::start(&mut command)?;
        let janus = Self { process, http: format!("127.0.0.1:{port}"), ip, _folder: folder };
        let answers = async {
            while http::get(&janus.http, "/janus/info").await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(STARTS_WITHIN, answers).await.context("janus does not answer")?;
        Ok(janus)
    }

    /// Publishers have one connection to send and one to receive, as janus wants it.
    pub(crate) async fn seat(
        &self,
        room: u64,
        cast: Cast,
        tally: &Arc<Tally>,
    ) -> anyhow::Result<Vec<Running>> {
        let create = json!({
            "request": "create", "room": room, "publishers": cast.people(), "bitrate": 0,
            "audiocodec": "opus", "videocodec": "vp8", "permanent": false,
        });
        Handle::attach(&self.http).await?.ask(&create, None).await?;
        let mut running = Vec::new();
        for person in 1..=cast.publishers {
            let handle = Handle::attach(&self.http).await?;
            let mut client = Client::new(self.ip).await?;
            let (offer, pending) = client.offer(Some((cast.film, cast.seed(room, person))), 0)?;
            let join = json!({
                "request": "joinandconfigure", "ptype": "publisher", "room": room, "id": person,
            });
            handle.ask(&join, Some(("offer", &offer))).await?;
            client.accept(pending, &handle.sdp().await?)?;
            running.push(client.start(tally.clone()));
        }
        for one in &mut running {
            one.is_up().await?;
        }
        self.publishes(room, cast.publishers).await?;
        for person in 1..=cast.people() {
            let of_others = (1..=cast.publishers).filter(|other| *other != person);
            let feeds: Vec<Value> = of_others.map(|feed| json!({ "feed": feed })).collect();
            if feeds.is_empty() {
                continue;
            }
            let handle = Handle::attach(&self.http).await?;
            let mut client = Client::new(self.ip).await?;
            let join = json!({
                "request": "join", "ptype": "subscriber", "room": room, "streams": feeds,
            });
            handle.ask(&join, None).await?;
            let answer = client.answer(&handle.sdp().await?)?;
            handle.ask(&json!({ "request": "start" }), Some(("answer", &answer))).await?;
            let mut one = client.start(tally.clone());
            one.is_up().await?;
            running.push(one);
        }
        Ok(running)
    }
}

impl Janus {
    /// Until all of the first publish: janus learns it a moment after their connections are up.
    async fn publishes(&self, room: u64, publishers: u64) -> anyhow::Result<()> {
        let handle = Handle::attach(&self.http).await?;
        let list = json!({ "request": "listparticipants", "room": room });
        let all = async {
            loop {
                let answer = handle.ask(&list, None).await?;
                let there = answer["plugindata"]["data"]["participants"].as_array();
                let there = there.into_iter().flatten().filter(|one| one["publisher"] == true);
                if there.count() as u64 >= publishers {
                    return anyhow::Ok(());
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(STARTS_WITHIN, all).await.context("not all publish")?
    }
}

impl<'a> Handle<'a> {
    async fn attach(http: &'a str) -> anyhow::Result<Self> {
        let id = |answer: Value| answer["data"]["id"].as_u64().context("janus gave no id");
        let session = id(post(http, "/janus", json!({ "janus": "create" })).await?)?;
        let attach = json!({ "janus": "attach", "plugin": PLUGIN });
        let handle = id(post(http, &format!("/janus/{session}"), attach).await?)?;
        Ok(Self { http, session, handle })
    }

    async fn ask(&self, body: &Value, jsep: Option<(&str, &str)>) -> anyhow::Result<Value> {
        let mut message = json!({ "janus": "message", "body": body });
        if let Some((kind, sdp)) = jsep {
            message["jsep"] = json!({ "type": kind, "sdp": sdp });
        }
        let path = format!("/janus/{}/{}", self.session, self.handle);
        let answer = post(self.http, &path, message).await?;
        if answer["plugindata"]["data"]["error"].is_string() {
            bail!("janus refused {body}: {answer}");
        }
        Ok(answer)
    }

    /// The next session description that janus has for this connection.
    async fn sdp(&self) -> anyhow::Result<String> {
        for _ in 0..OTHERS_MAX {
            let path = format!("/janus/{}?maxev=1", self.session);
            let event: Value = http::json(&http::get(self.http, &path).await?)?;
            if let Some(sdp) = event["jsep"]["sdp"].as_str() {
                return Ok(sdp.to_owned());
            }
            if event["plugindata"]["data"]["error"].is_string() {
                bail!("janus refused: {event}");
            }
        }
        bail!("janus described no session")
    }
}

async fn post(address: &str, path: &str, mut message: Value) -> anyhow::Result<Value> {
    message["transaction"] = "bench".into();
    let answer: Value = http::json(&http::post(address, path, &[], &message).await?)?;
    if answer["janus"] == "error" {
        bail!("janus refused {message}: {answer}");
    }
    Ok(answer)
}
