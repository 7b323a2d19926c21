//! Further doors of the whole: HTTPS with a certificate of one's own, and TURN for pages that no UDP
//! packet reaches. Through the HTTPS door come media by TCP and TURN too: some networks let nothing
//! out but TCP 443.

pub(crate) use crate::turn::keep_certificate_fresh;
use crate::{serve, tls};
use clap::Args;
use minato_protocol::media::TurnPlace;
use minato_relay::{TurnCertificate, TurnSecret, TurnSettings};
use minato_signaling::relays::TurnDoor;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use tokio::net::TcpListener;

/// Where the whole is reached beside its plain HTTP.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "HTTPS and TURN")]
pub(crate) struct DoorArgs {
    /// Where pages are served with TLS, usually 0.0.0.0:443. Media by TCP and TURN come through the
    /// same port.
    #[arg(long, value_name = "ADDRESS", requires = "certificate")]
    https: Option<SocketAddr>,
    /// Certificate chain and key in PEM. Read again on SIGHUP.
    #[arg(long, value_names = ["CHAIN", "KEY"], num_args = 2, requires = "https")]
    certificate: Option<Vec<PathBuf>>,
    /// Where pages find that port for media, if it is elsewhere than --advertise and --https say: IP
    /// and port; may be repeated.
    #[arg(long, value_name = "ADDRESS", requires = "https")]
    https_at: Vec<SocketAddr>,
    /// Where TURN is asked by UDP and TCP, usually 0.0.0.0:3478; may be repeated.
    #[arg(long = "turn", value_name = "ADDRESS")]
    turn: Vec<SocketAddr>,
}

/// The HTTPS door, bound.
pub(crate) struct Https {
    pub(crate) listener: TcpListener,
    pub(crate) certificate: TurnCertificate,
}

impl Https {
    /// How pages name it.
    pub(crate) fn url(&self) -> anyhow::Result<String> {
        let address = self.listener.local_addr()?;
        Ok(match address.port() {
            443 => format!("https://{}", address.ip()),
            port => format!("https://{}:{port}", address.ip()),
        })
    }

    pub(crate) fn certificate(&self) -> tls::Certificate {
        tls::Certificate::Files(self.certificate.clone())
    }
}

impl DoorArgs {
    /// Opens the HTTPS port, if one is wanted.
    pub(crate) async fn open_https(&self) -> anyhow::Result<Option<Https>> {
        let (Some(address), Some([chain, key])) = (self.https, self.certificate.as_deref()) else {
            return Ok(None);
        };
        let certificate = TurnCertificate::open(chain, key)?;
        let listener = serve::bind(address, "--https").await?;
        Ok(Some(Https { listener, certificate }))
    }

    /// Where pages find the HTTPS port for media by TCP.
    pub(crate) fn media(
        &self,
        https: Option<&Https>,
        advertise: &[IpAddr],
    ) -> anyhow::Result<Vec<SocketAddr>> {
        let Some(https) = https.filter(|_| self.https_at.is_empty()) else {
            return Ok(self.https_at.clone());
        };
        let bound = https.listener.local_addr()?;
        let ips = match advertise {
            [] if bound.ip().is_unspecified() => vec![own_address()?],
            [] => vec![bound.ip()],
            told => told.to_vec(),
        };
        Ok(ips.into_iter().map(|ip| SocketAddr::new(ip, bound.port())).collect())
    }

    /// How TURN is set up, if there is a door to it. `http`: this service's own ports, which are
    /// no peers.
    pub(crate) fn turn(
        &self,
        secret: TurnSecret,
        advertise: &[IpAddr],
        http: &[SocketAddr],
    ) -> anyhow::Result<Option<TurnSettings>> {
        if self.https.is_none() && self.turn.is_empty() {
            return Ok(None);
        }
        let mut settings = TurnSettings::new(secret);
        settings.udp = self.turn.clone();
        settings.tcp = self.turn.clone();
        settings.forbidden = http.to_vec();
        settings.advertised = match (advertise, self.https) {
            // Nobody asks by another port: relayed addresses are of the door's own address.
            ([], Some(https)) if self.turn.is_empty() => {
                let ip = https.ip();
                vec![if ip.is_unspecified() { own_address()? } else { ip }]
            }
            (told, _) => told.to_vec(),
        };
        Ok(Some(settings))
    }
}

/// What pages are told of this service's own TURN server.
pub(crate) fn turn_door(place: &TurnPlace, same_door: bool, secret: TurnSecret) -> TurnDoor {
    let urls = place.urls.clone();
    TurnDoor::new(urls, same_door, move |user, until| secret.credential(user, until))
}

/// The address by which this machine would reach others. Nothing is sent.
pub(crate) fn own_address() -> anyhow::Result<IpAddr> {
    let socket = std::net::UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((Ipv4Addr::new(192, 0, 2, 1), 9))?;
    Ok(socket.local_addr()?.ip())
}
