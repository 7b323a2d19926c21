//! The relay by itself: `minato relay`.

use crate::{RelayOnly, serve, shutdown};
use anyhow::{Context as _, bail};
use minato_relay::{Relay, RelayConfig};

pub(crate) async fn run(only: RelayOnly) -> anyhow::Result<()> {
    let mut config = RelayConfig::new(only.media, key(&only.token_key)?);
    config.advertised = only.advertise;
    config.allowed_origins = only.origin;
    let (relay, router) = Relay::start(config)?;
    let listener = serve::bind(only.listen).await?;
    tracing::info!(http = %only.listen, media = ?relay.media_addresses(), "relay listens");
    let served = tokio::spawn(serve::plain(listener, router));
    tokio::select! {
        ended = served => ended.context("the relay's server ended")??,
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
