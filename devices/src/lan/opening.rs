//! Opens the door, as often as it takes: a port that is still taken, an address that is not there yet
//! or a certificate that is just being copied keeps nobody from measuring.

use super::authority::Authority;
use super::certificate::{Certificate, CertificateError};
use super::{LanConfig, LanError};
use crate::clock::Clock;
use minato_protocol::lan::LanPlace;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use thiserror::Error;
use tokio::net::TcpListener;

/// A door that stays shut is tried again after this time, then after twice as long each time.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// And at least so often.
const AGAIN_AFTER_MAX: Duration = Duration::from_secs(30);

/// Why the door is shut for now.
#[derive(Debug, Error)]
pub(super) enum Shut {
    /// The port is taken, or the address is none of this machine.
    #[error("the clinic's network cannot be listened to on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    /// Nobody said how tablets call this box, and it cannot be told.
    #[error("this box has no address on a network by which tablets could call it (--lan-url)")]
    Nameless,
    /// See [`CertificateError`].
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

/// A port and a certificate of one's own.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) listener: TcpListener,
    pub(super) certificate: Certificate,
    pub(super) place: LanPlace,
}

/// What is tried.
#[derive(Debug)]
pub(super) struct Opening {
    config: LanConfig,
    folder: PathBuf,
    clock: Clock,
    authority: Arc<Authority>,
}

impl Opening {
    /// Refuses what no later try would mend.
    pub(super) fn of(
        config: &LanConfig,
        folder: PathBuf,
        clock: Clock,
        authority: Arc<Authority>,
    ) -> Result<Self, LanError> {
        let said = config.url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
        let listens = !config.listen.ip().is_unspecified();
        let url = said.or_else(|| listens.then(|| format!("https://{}", config.listen)));
        if let Some(url) = url {
            let place = LanPlace { url, fingerprint: None };
            host_of(&place).ok_or_else(|| LanError::Address(place.url.clone()))?;
        }
        Ok(Self { config: config.clone(), folder, clock, authority })
    }

    /// One try.
    pub(super) async fn once(&self) -> Result<Opened, Shut> {
        let (config, listen) = (&self.config, self.config.listen);
        let bound = TcpListener::bind(listen).await;
        let listener = bound.map_err(|error| Shut::Listen(listen, error))?;
        let local = listener.local_addr().map_err(|error| Shut::Listen(listen, error))?;
        let url = match &config.url {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => {
                let ip = if local.ip().is_unspecified() { own_address() } else { Some(local.ip()) };
                let ip = ip.ok_or(Shut::Nameless)?;
                format!("https://{}", SocketAddr::new(ip, local.port()))
            }
        };
        let named = LanPlace { url, fingerprint: None };
        let host = host_of(&named).ok_or(Shut::Nameless)?;
        let certificate = match &config.certificate {
            Some(files) => Certificate::of_files(files.clone())?,
            None => {
                let (now, met) = (self.clock.now(), self.authority.met());
                Certificate::own(&self.folder, &host, now, met)?
            }
        };
        let fingerprint = certificate.own.as_ref().map(|own| own.fingerprint);
        Ok(Opened { listener, certificate, place: LanPlace { fingerprint, ..named } })
    }

    /// Tries until it is open; each new reason is told once.
    pub(super) async fn until_open(&self, shut: impl Fn(String)) -> Opened {
        let (mut pause, mut told) = (AGAIN_AFTER, String::new());
        loop {
            match self.once().await {
                Ok(opened) => return opened,
                Err(error) => {
                    let why = error.to_string();
                    if why != told {
                        tracing::error!(%error, "the door on the clinic's network is shut");
                        shut(why.clone());
                        told = why;
                    }
                }
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(AGAIN_AFTER_MAX);
        }
    }
}

/// The name that stands in the certificate.
fn host_of(place: &LanPlace) -> Option<String> {
    let host = |url: &str| {
        let uri: http::Uri = url.parse().ok()?;
        Some(uri.host()?.trim_matches(['[', ']']).to_owned())
    };
    // An IPv6 address has brackets, which no policy takes: such a box needs a name.
    host(&place.url).filter(|_| place.is_plain())
}

/// The address by which this machine would reach others; nothing is sent.
fn own_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
