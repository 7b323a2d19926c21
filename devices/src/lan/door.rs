//! The door itself: TLS and nothing else, with bounds on everything that somebody could hold open.

use super::certificate::Certificate;
use super::limits::{Limits, Place};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// A page asks every second: a connection that says nothing for so long makes room.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// A connection ends after this time whatever is said on it, and a page opens another: whoever reads
/// nothing of what is answered keeps no place for ever.
const LASTS: Duration = Duration::from_secs(5 * 60);
/// Request line and headers: a pass has at most 2 kB.
const READ_BYTES_MAX: usize = 16 * 1024;
/// Out of descriptors, most probably: some are given back.
const ACCEPTS_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// Whoever asks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Lets in until it is dropped, and with it everybody who is inside.
pub(crate) async fn serve(
    listener: TcpListener,
    mut certificate: Certificate,
    limits: Limits,
    router: Router,
) {
    let mut inside = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, peer)) = accepted else {
                    tokio::time::sleep(ACCEPTS_AGAIN_AFTER).await;
                    continue;
                };
                let from = peer.ip().to_canonical();
                let Some(place) = limits.connect(from) else { continue };
                let router = router.clone().layer(Extension(Peer(from)));
                inside.spawn(let_in(stream, certificate.now(), router, place));
            }
            Some(_) = inside.join_next() => {}
        }
    }
}

async fn let_in(stream: TcpStream, tls: Arc<ServerConfig>, router: Router, _place: Place) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection will be slow");
    }
    let shaken = TlsAcceptor::from(tls).accept(stream);
    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE_WITHIN, shaken).await else { return };
    let served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADERS_WITHIN)
            .max_buf_size(READ_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
    );
    if let Err(error) = bounded(served, LASTS).await {
        tracing::debug!(%error, "a connection on the clinic's network ended");
    }
}

/// What is under way after `lasts` is answered within a fifth of it; whoever does not take the answer is left.
async fn bounded<C: hyper::rt::Read + hyper::rt::Write + Unpin + 'static>(
    mut served: Pin<&mut http1::Connection<C, TowerToHyperService<Router>>>,
    lasts: Duration,
) -> hyper::Result<()> {
    if let Ok(ended) = tokio::time::timeout(lasts, served.as_mut()).await {
        return ended;
    }
    served.as_mut().graceful_shutdown();
    tokio::time::timeout(lasts / 5, served).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::routing::get;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn whoever_reads_nothing_is_left_after_a_while() {
        let (mut client, server) = tokio::io::duplex(256);
        let router = Router::new().route("/", get(|| async { "x".repeat(4_096) }));
        let served = pin!(
            http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(server), TowerToHyperService::new(router))
        );
        client.write_all(b"GET / HTTP/1.1\r\nhost: box\r\n\r\n").await.expect("sent");
        let left = bounded(served, Duration::from_millis(100));
        tokio::time::timeout(HANDSHAKE_WITHIN, left).await.expect("in time").expect("in peace");
        drop(client);
    }
}
