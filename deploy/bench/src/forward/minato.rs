//! Our relay: a process of its own, fed as signaling feeds it.

use super::Cast;
use super::client::{Client, Running};
use super::tally::Tally;
use crate::http;
use crate::process::{self, Process, free_port};
use anyhow::{Context as _, bail};
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use futures_util::{SinkExt as _, StreamExt as _};
use minato_protocol::media::{
    ControlClaims, FromRelay, JoinAnswer, MediaClaims, PartyRole, Rights, SLOTS, ToRelay,
};
use minato_protocol::reading::Hex;
use minato_protocol::{ParticipantId, Timestamp, VisitId};
use minato_relay::token;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

const STARTS_WITHIN: Duration = Duration::from_secs(10);
const TOKEN_LIFE_MS: i64 = 30_000;
/// People with a face of one visit; who only looks on counts apart.
const FACES_MAX: u64 = SLOTS as u64 + 1;

/// A running relay; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Minato {
    pub(crate) process: Process,
    http: String,
    ip: IpAddr,
    key: Ed25519KeyPair,
}

impl Minato {
    pub(crate) fn start(ip: IpAddr) -> anyhow::Result<Self> {
        let key = Ed25519KeyPair::from_seed_unchecked(&[5; 32]).context("32 bytes are a seed")?;
        let public = Hex::<32>(key.public_key().as_ref().try_into()?);
        let http = free_port()?.to_string();
        let mut command = process::command(process::minato()?);
        command.args(["relay", "--listen", &http, "--media", &format!("{ip}:0")]);
        command.args(["--token-key", &public.to_string()]).env("RUST_LOG", "warn");
        let process = Process::start(&mut command)?;
        Ok(Self { process, http, ip, key })
    }

    async fn connect(&self) -> anyhow::Result<WebSocketStream<TcpStream>> {
        let listens = async {
            loop {
                match TcpStream::connect(&self.http).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let stream = tokio::time::timeout(STARTS_WITHIN, listens).await.context("no relay")?;
        let claims = ControlClaims { node: "bench".into(), not_after: soon()? };
        let bearer = format!("Bearer {}", token::sign_control(&claims, &self.key));
        let url = format!("ws://{}/relay/control", self.http);
        let mut request = url.into_client_request()?;
        request.headers_mut().insert("authorization", bearer.parse()?);
        Ok(tokio_tungstenite::client_async(request, stream).await?.0)
    }

    /// Everybody of a visit joins.
    pub(crate) async fn seat(
        &self,
        visit: u64,
        cast: Cast,
        tally: &Arc<Tally>,
    ) -> anyhow::Result<Vec<Running>> {
        self.list(visit, cast.people()).await?;
        let mut running = Vec::new();
        for person in 1..=cast.people() {
            let mut client = Client::new(self.ip).await?;
            let film = (person <= cast.publishers).then_some((cast.film, cast.seed(visit, person)));
            let (offer, pending) = client.offer(film, SLOTS)?;
            let answer = self.join(visit, person, &offer).await?;
            client.accept(pending, &answer.sdp)?;
            let mut one = client.start(tally.clone());
            one.is_up().await?;
            running.push(one);
        }
        Ok(running)
    }

    /// Tells who may be in. A relay keeps a list for hours after signaling has gone.
    async fn list(&self, visit: u64, people: u64) -> anyhow::Result<()> {
        let mut signaling = self.connect().await?;
        let visit = VisitId(visit);
        let participants = (1..=people).map(ParticipantId).collect();
        let list = ToRelay::Desired { visit, seq: 1, generation: 1, participants };
        signaling.send(Message::text(serde_json::to_string(&list)?)).await?;
        while let Some(said) = signaling.next().await {
            let Message::Text(text) = said? else { continue };
            if matches!(serde_json::from_str(&text)?, FromRelay::Applied { visit: v, .. } if v == visit)
            {
                return Ok(());
            }
        }
        bail!("the relay closed the control socket")
    }

    async fn join(&self, visit: u64, person: u64, sdp: &str) -> anyhow::Result<JoinAnswer> {
        let face = person <= FACES_MAX;
        let claims = MediaClaims {
            visit: VisitId(visit),
            participant: ParticipantId(person),
            claim_epoch: 1,
            role: PartyRole::Nurse,
            rights: Rights {
                publish_audio: face,
                publish_video: face,
                publish_waves: false,
                receive: true,
            },
            jti: format!("{visit}-{person}"),
            not_after: soon()?,
            generation: 1,
        };
        let bearer = format!("Bearer {}", token::sign(&claims, &self.key));
        let headers = [("authorization", bearer.as_str())];
        let body = serde_json::json!({ "sdp": sdp });
        http::json(&http::post(&self.http, "/relay/sessions", &headers, &body).await?)
    }
}

fn soon() -> anyhow::Result<Timestamp> {
    let wall = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(Timestamp(i64::try_from(wall)? + TOKEN_LIFE_MS))
}
