//! The relay by itself: `minato relay`.

use crate::{RelayOnly, observe, serve, shutdown, turn};
use anyhow::{Context as _, bail};
use minato_relay::{Relay, RelayConfig};
use std::time::Duration;

/// Whoever has not moved to another relay by then is said goodbye to.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(only: RelayOnly) -> anyhow::Result<()> {
    let mut config = RelayConfig::new(only.media, key(only.token_key.as_deref())?);
    let listener = serve::bind(only.listen, "--listen").await?;
    let http = listener.local_addr()?;
    config.turn = only.turn.settings(http)?;
    if let Some(turn) = &mut config.turn {
        turn.advertised = only.advertise.clone();
    }
    config.advertised = only.advertise;
    config.tcp_bind = only.ice_tcp;
    config.allowed_origins = only.origin;
    let certificate = config.turn.as_ref().and_then(|turn| turn.tls.as_ref());
    let certificate = certificate.map(|tls| tls.certificate.clone());
    let figures = observe::count()?;
    let (relay, router) = Relay::start(config)?;
    let router = router.merge(observe::figures(figures)).merge(observe::health(&relay));
    tracing::info!(%http, media = ?relay.media_addresses(), "relay listens");
    let mut served = tokio::spawn(serve::plain(listener, router));
    let fresh = async {
        match certificate {
            Some(certificate) => turn::keep_certificate_fresh(certificate).await,
            None => std::future::pending().await,
        }
    };
    tokio::select! {
        ended = &mut served => ended.context("the relay's server ended")??,
        ended = fresh => ended?,
        stopped = shutdown() => stopped?,
    }
    tracing::info!("the relay takes nobody new and ends when everybody has gone");
    tokio::select! {
        () = relay.drain(DRAIN_WITHIN) => {}
        // Asked a second time: at once.
        stopped = shutdown() => stopped?,
    }
    relay.stop().await;
    Ok(())
}

fn key(text: Option<&str>) -> anyhow::Result<[u8; 32]> {
    let Ok(hex) = text.unwrap_or_default().parse::<minato_protocol::reading::Hex<32>>() else {
        bail!("--token-key takes 64 hexadecimal digits, as `minato signaling` prints them");
    };
    Ok(hex.0)
}
