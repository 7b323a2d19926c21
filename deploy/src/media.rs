//! The relay by itself: `minato relay`.

use crate::{RelayOnly, serve, shutdown};
use anyhow::{Context as _, bail};
use minato_relay::{Relay, RelayConfig};
use std::time::Duration;

/// Whoever has not moved to another relay by then is said goodbye to.
const DRAIN_WITHIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(only: RelayOnly) -> anyhow::Result<()> {
    let mut config = RelayConfig::new(only.media, key(&only.token_key)?);
    config.advertised = only.advertise;
    config.allowed_origins = only.origin;
    let (relay, router) = Relay::start(config)?;
    let listener = serve::bind(only.listen).await?;
    tracing::info!(http = %only.listen, media = ?relay.media_addresses(), "relay listens");
    let mut served = tokio::spawn(serve::plain(listener, router));
    tokio::select! {
        ended = &mut served => ended.context("the relay's server ended")??,
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

fn key(text: &str) -> anyhow::Result<[u8; 32]> {
    let Ok(hex) = text.parse::<minato_protocol::reading::Hex<32>>() else {
        bail!("--token-key takes 64 hexadecimal digits, as `minato signaling` prints them");
    };
    Ok(hex.0)
}
