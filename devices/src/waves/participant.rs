//! One data-only session at the relay: a single offer, a single answer, two channels.

use crate::dial::{DialError, Dialer, below};
use bytes::BytesMut;
use http::{Method, StatusCode, Uri};
use minato_protocol::media::{JoinAnswer, JoinOffer, RelayRefusal, SLOTS_CHANNEL, WAVES_CHANNEL};
use minato_protocol::reading::{WAVE_MESSAGE_BYTES_MAX, WaveBlock};
use rtc::ice::mdns::MulticastDnsMode;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::sync::watch;
use webrtc::data_channel::{DataChannel, DataChannelEvent, RTCDataChannelInit};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, PeerConnectionEventHandler, RTCPeerConnectionState,
    RTCSessionDescription, SettingEngineBuilder,
};

/// Bytes that wait in the channel; a block that finds no room is dropped: the next one is newer.
const SEND_BUFFER_BYTES: usize = 16 * WAVE_MESSAGE_BYTES_MAX;
/// A cut that lasts longer, after ICE has noticed it, is mended by joining again.
const CUT_MAX: Duration = Duration::from_secs(3);
/// ICE, DTLS and the channel's opening take at most so long.
const OPENS_WITHIN: Duration = Duration::from_secs(15);

/// Why the relay was not joined.
#[derive(Debug, Error)]
pub(super) enum JoinError {
    #[error(transparent)]
    Dial(#[from] DialError),
    #[error("the relay refused: {0}")]
    Refused(String),
    #[error("the relay's answer is unreadable")]
    Answer,
    #[error("the connection to the relay failed: {0}")]
    Connection(#[from] webrtc::error::Error),
    #[error("the connection to the relay did not open in time")]
    TooSlow,
}

/// Present in a visit until it is dropped.
pub(super) struct Participant {
    connection: Arc<dyn PeerConnection>,
    waves: Arc<dyn DataChannel>,
    state: watch::Receiver<RTCPeerConnectionState>,
    /// Its sender is dropped when the relay has closed the channel.
    open: watch::Receiver<()>,
    goodbye: Option<Goodbye>,
}

struct Goodbye {
    dialer: Dialer,
    session: Uri,
    secret: String,
}

impl Participant {
    pub(super) async fn join(
        dialer: &Dialer,
        relay_url: &str,
        token: &str,
    ) -> Result<Self, JoinError> {
        let address = below(relay_url, "/relay/sessions")?;
        let (tell, state) = watch::channel(RTCPeerConnectionState::New);
        let connection = Box::pin(connection(&address, tell)).await?;
        let slots = connection.create_data_channel(SLOTS_CHANNEL, None).await?;
        let unreliable = RTCDataChannelInit {
            ordered: false,
            max_retransmits: Some(0),
            ..RTCDataChannelInit::default()
        };
        let waves = connection.create_data_channel(WAVES_CHANNEL, Some(unreliable)).await?;
        let (hold, open) = watch::channel(());
        let mut participant = Self { connection, waves, state, open, goodbye: None };
        participant.negotiate(dialer, relay_url, &address, token).await?;
        // Who is in which slot is nothing to a gateway; what it does not read would pile up.
        tokio::spawn(async move { while slots.poll().await.is_some() {} });
        participant.opened().await?;
        let waves = participant.waves.clone();
        tokio::spawn(async move {
            let closed = |event: &DataChannelEvent| matches!(event, DataChannelEvent::OnClose);
            while waves.poll().await.is_some_and(|event| !closed(&event)) {}
            drop(hold);
        });
        Ok(participant)
    }

    async fn negotiate(
        &mut self,
        dialer: &Dialer,
        relay_url: &str,
        address: &Uri,
        token: &str,
    ) -> Result<(), JoinError> {
        let offer = self.connection.create_offer(None).await?;
        let sdp = offer.sdp.clone();
        self.connection.set_local_description(offer).await?;
        let body = JoinOffer { sdp };
        let answer = dialer.request(Method::POST, address, Some(token), &body).await?;
        if answer.status != StatusCode::CREATED {
            let refusal: Option<RelayRefusal> = serde_json::from_slice(&answer.body).ok();
            let words = refusal.map_or_else(|| answer.status.to_string(), |said| said.message);
            return Err(JoinError::Refused(words));
        }
        let answer: JoinAnswer =
            serde_json::from_slice(&answer.body).map_err(|_| JoinError::Answer)?;
        let session = below(relay_url, &format!("/relay/sessions/{}", answer.session))?;
        let secret = answer.secret;
        self.goodbye = Some(Goodbye { dialer: dialer.clone(), session, secret });
        let answer = RTCSessionDescription::answer(answer.sdp)?;
        self.connection.set_remote_description(answer).await?;
        Ok(())
    }

    async fn opened(&self) -> Result<(), JoinError> {
        let opened = async {
            while let Some(event) = self.waves.poll().await {
                if matches!(event, DataChannelEvent::OnOpen) {
                    return Ok(());
                }
            }
            Err(JoinError::TooSlow)
        };
        tokio::select! {
            opened = tokio::time::timeout(OPENS_WITHIN, opened) => {
                opened.map_err(|_| JoinError::TooSlow)?
            }
            () = self.lost() => Err(JoinError::TooSlow),
        }
    }

    /// Sends a block now or never.
    pub(super) async fn send(&self, block: &WaveBlock) {
        let Ok(text) = serde_json::to_vec(block) else { return };
        if text.len() > WAVE_MESSAGE_BYTES_MAX {
            tracing::warn!(bytes = text.len(), "a wave block is too long and is not sent");
            return;
        }
        let bytes = BytesMut::from(text.as_slice());
        if let Err(error) = self.waves.try_send(bytes).await {
            tracing::debug!(%error, "a wave block was dropped");
        }
    }

    /// Returns once the connection is beyond repair, or the relay has closed the channel.
    pub(super) async fn lost(&self) {
        let mut open = self.open.clone();
        // The channel's sender says nothing: it only goes.
        tokio::select! {
            () = broken(self.state.clone()) => {}
            _ = open.changed() => {}
        }
    }
}

impl Drop for Participant {
    fn drop(&mut self) {
        let connection = self.connection.clone();
        let goodbye = self.goodbye.take();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Some(Goodbye { dialer, session, secret }) = goodbye {
                // A relay that does not hear it forgets this participant by itself.
                let _ = dialer.request(Method::DELETE, &session, Some(&secret), &()).await;
            }
            let _ = connection.close().await;
        });
    }
}

/// Returns once the connection has failed, or has been cut for longer than a hole in the air. A
/// state whose sender is gone belongs to a connection that is closed.
async fn broken(mut state: watch::Receiver<RTCPeerConnectionState>) {
    let cut = |state: &RTCPeerConnectionState| {
        matches!(
            state,
            RTCPeerConnectionState::Disconnected
                | RTCPeerConnectionState::Failed
                | RTCPeerConnectionState::Closed
        )
    };
    loop {
        match state.wait_for(cut).await.map(|state| *state) {
            Ok(RTCPeerConnectionState::Disconnected) => {}
            _ => return,
        }
        let mended = state.wait_for(|state| *state == RTCPeerConnectionState::Connected);
        if !matches!(tokio::time::timeout(CUT_MAX, mended).await, Ok(Ok(_))) {
            return;
        }
    }
}

async fn connection(
    relay: &Uri,
    tell: watch::Sender<RTCPeerConnectionState>,
) -> Result<Arc<dyn PeerConnection>, JoinError> {
    let near = relay.host().is_some_and(is_loopback);
    // Nobody here has a name of the kind that is asked for by multicast, and where no route leads to
    // such a question the whole connection would fail.
    let settings = SettingEngineBuilder::new()
        .with_include_loopback_candidate(near)
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .build();
    let from = if near { "127.0.0.1:0" } else { "0.0.0.0:0" };
    let connection = PeerConnectionBuilder::new()
        .with_setting_engine(settings)
        .with_handler(Arc::new(Watcher(tell)))
        .with_data_channel_send_buffer_limit(SEND_BUFFER_BYTES)
        .with_udp_addrs(vec![from])
        .build();
    Ok(Arc::new(Box::pin(connection).await?))
}

fn is_loopback(host: &str) -> bool {
    let host = host.trim_matches(['[', ']']);
    let address: Option<std::net::IpAddr> = host.parse().ok();
    host == "localhost" || address.is_some_and(|address| address.is_loopback())
}

/// Passes the connection's state on.
struct Watcher(watch::Sender<RTCPeerConnectionState>);

impl PeerConnectionEventHandler for Watcher {
    fn on_connection_state_change<'me, 'future>(
        &'me self,
        state: RTCPeerConnectionState,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + 'future>>
    where
        'me: 'future,
        Self: 'future,
    {
        self.0.send_replace(state);
        Box::pin(async {})
    }
}
