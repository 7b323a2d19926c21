//! Listening: one clear sentence when a port is taken, plain or TLS.

use crate::tls::{Certificate, Guests, TlsListener, at_once};
use anyhow::Context as _;
use axum::Router;
use axum::extract::ConnectInfo;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::serve::ListenerExt as _;
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::net::TcpListener;

/// Opens a port, or says in one sentence why not, and by which option it is another one.
pub(crate) async fn bind(address: SocketAddr, option: &str) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(listener),
        Err(error) if error.kind() == ErrorKind::AddrInUse => anyhow::bail!(
            "port {} on {} is taken by another program; stop it, or choose another with {option}",
            address.port(),
            address.ip()
        ),
        Err(error) => Err(error).with_context(|| format!("{address} cannot be opened")),
    }
}

/// Serves without TLS: on this machine, or behind something that has it.
pub(crate) async fn plain(listener: TcpListener, router: Router) -> anyhow::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let listener = listener.tap_io(|stream| at_once(stream));
    axum::serve(listener, service).await.context("the server ended")
}

/// Serves with TLS; guests go through to where they belong.
pub(crate) async fn tls(
    listener: TcpListener,
    certificate: &Certificate,
    guests: Guests,
    router: Router,
) -> anyhow::Result<()> {
    let listener = TlsListener::new(listener, certificate, guests)?;
    let router = router.layer(from_fn(name_the_peer));
    let service = router.into_make_service_with_connect_info::<crate::tls::Peer>();
    axum::serve(listener, service).await.context("the server ended")
}

/// Handlers look for the peer's address in one place, whatever it came through.
async fn name_the_peer(mut request: Request, next: Next) -> axum::response::Response {
    let peer = request.extensions().get::<ConnectInfo<crate::tls::Peer>>().map(|info| info.0.0);
    if let Some(peer) = peer {
        request.extensions_mut().insert(ConnectInfo(peer));
    }
    next.run(request).await
}
