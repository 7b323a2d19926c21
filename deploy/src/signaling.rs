//! Puts signaling together: the log, the desk, the watchmen, the relays' helm, the edge.

use crate::admin::AdminSocket;
use crate::doors::{self, Https};
use crate::tls::Guests;
use crate::{All, Common, RelaysArgs, SignalingOnly};
use crate::{demo, observe, pages, readers, serve, shutdown, tls, turn};
use anyhow::Context as _;
use axum::Router;
use minato_protocol::reading::Hex;
use minato_relay::{Relay, RelayConfig, TurnSecret};
use minato_signaling::access::{Directory, Limits, Secrets, random_id};
use minato_signaling::blob::Folder;
use minato_signaling::clock::Clock;
use minato_signaling::desk::{self, Desk};
use minato_signaling::gateway::{self, Gateways, Held};
use minato_signaling::http::{self, Edge, Heartbeat};
use minato_signaling::kit::{self, Kits};
use minato_signaling::log::{EventLog, SqliteLog};
use minato_signaling::photos::{self, Photos};
use minato_signaling::presence::{self, Presence};
use minato_signaling::readings::Readings;
use minato_signaling::relays::{self, Dialer, Fleet, Helm, MediaKey, RelayPlace, TurnPasswords};
use minato_signaling::site::Register;
use minato_signaling::vault::Vault;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt as _;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;

/// Everything in one process: the relay listens on the same port as the pages.
pub(crate) async fn run_all(all: All) -> anyhow::Result<()> {
    let listener = serve::bind(all.common.listen, "--listen").await?;
    let here = listener.local_addr()?;
    let lan = if all.common.lan { Some(Lan::open(&all).await?) } else { None };
    let https = all.doors.open_https().await?;
    let mut config = RelayConfig::new(all.media, [0; 32]);
    if let Some(lan) = &lan {
        config.udp_bind = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), all.media.port());
        config.advertised = vec![lan.address];
    }
    if !all.advertise.is_empty() {
        config.advertised = all.advertise.clone();
    }
    let place = RelayPlace {
        control_url: format!("ws://{here}/relay/control"),
        page_url: String::new(),
        gateway_url: format!("http://{here}"),
    };
    let further = all.relay.iter().map(|base| RelayPlace::elsewhere(base));
    let places = [place].into_iter().chain(further).collect();
    let given = turn::secret(all.relays.turn_secret_file.as_deref())?;
    let dialer = dialer(&all.relays)?;
    let house = House::open(&all.common, places, dialer, given.clone(), https.is_some()).await?;
    if !all.relay.is_empty() {
        house.tell_token_key();
    }
    config.token_key = house.edge.media_key.public();
    let secret = match given {
        Some(given) => given,
        None => TurnSecret::new(&house.edge.desk.secrets.derive_key("turn"))?,
    };
    let told = config.advertised.clone();
    config.turn = all.doors.turn(secret.clone(), &told, &[here])?;
    config.tcp_doors = all.doors.media(https.as_ref(), &told)?;
    let (relay, relay_routes) = Relay::start(config)?;
    let door = relay.turn_place().map(|turn| doors::turn_door(turn, https.is_some(), secret));
    // Set once, here.
    door.into_iter().for_each(|door| drop(house.edge.turn.set(door)));
    let (turn, media) = (relay.turn().cloned(), Some(relay.ice_tcp().clone()));
    let doors = Doors { plain: listener, lan, https, guests: Guests { turn, media } };
    let ended = house.serve(&all.common, doors, relay_routes).await;
    relay.stop().await;
    ended
}

/// Signaling by itself; relays are told in which visits who may be.
pub(crate) async fn run_signaling(only: SignalingOnly) -> anyhow::Result<()> {
    let listener = serve::bind(only.common.listen, "--listen").await?;
    let places = only.relay.iter().map(|base| RelayPlace::elsewhere(base)).collect();
    let secret = turn::secret(only.relays.turn_secret_file.as_deref())?;
    let house = House::open(&only.common, places, dialer(&only.relays)?, secret, false).await?;
    house.tell_token_key();
    let doors = Doors { plain: listener, lan: None, https: None, guests: Guests::default() };
    house.serve(&only.common, doors, Router::new()).await
}

fn dialer(args: &RelaysArgs) -> anyhow::Result<Dialer> {
    let Some(file) = &args.relay_ca_file else { return Ok(Dialer::default()) };
    let in_words = || format!("the authorities in {} cannot be read", file.display());
    Dialer::trusting(file).with_context(in_words)
}

/// Every way in.
struct Doors {
    plain: TcpListener,
    lan: Option<Lan>,
    https: Option<Https>,
    /// Who else comes by the ports with TLS.
    guests: Guests,
}

/// A phone in the same network comes in here.
struct Lan {
    listener: TcpListener,
    address: IpAddr,
    certificate: tls::Certificate,
}

impl Lan {
    /// At the address that pages are told for media: a machine may be in several networks.
    async fn open(all: &All) -> anyhow::Result<Self> {
        let address = match all.advertise.first() {
            Some(told) => *told,
            None => doors::own_address().context("this machine is in no network")?,
        };
        let any = Ipv4Addr::UNSPECIFIED;
        let listener = serve::bind((any, all.common.lan_port).into(), "--lan-port").await?;
        let certificate = tls::Certificate::made_on_the_spot(&[address])?;
        Ok(Self { listener, address, certificate })
    }

    fn url(&self) -> anyhow::Result<String> {
        let bound = self.listener.local_addr()?;
        Ok(format!("https://{}", SocketAddr::new(self.address, bound.port())))
    }
}

/// Signaling, put together and not yet served.
struct House {
    edge: Arc<Edge>,
}

impl House {
    async fn open(
        common: &Common,
        places: Vec<RelayPlace>,
        dialer: Dialer,
        turn: Option<TurnSecret>,
        secure_cookies: bool,
    ) -> anyhow::Result<Self> {
        // Keys and readings are in there: nobody else on this machine looks in.
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&common.data)
            .with_context(|| format!("{} cannot be made", common.data.display()))?;
        let vault = Vault::open(&common.data.join("keys.db"))?;
        let folder = Folder::open(common.data.join("photos")).context("no folder for pictures")?;
        let photos = Photos::new(Arc::new(folder), vault.clone());
        let log: Arc<dyn EventLog> = Arc::new(SqliteLog::open(&common.data.join("log.db"), vault)?);
        let secrets = Secrets::load_or_create(&common.data)?;
        let clock = Clock::start();
        let desk = Arc::new(Desk::new(log, clock.clone(), secrets));
        desk.find_rooms().await.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        let directory =
            Directory::load(&desk).await.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        let register =
            Register::load(&desk).await.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        let media_key = Arc::new(MediaKey::from_seed(&desk.secrets.derive_key("media"))?);
        let gateways = Arc::new(Gateways::new(desk.bell.clone()));
        let mut fleet = Fleet::new(places, clock.clone()).dialed_by(dialer);
        if let Some(secret) = turn {
            let passwords = move |user: &str, until| secret.credential(user, until);
            fleet = fleet.with_turn(TurnPasswords::new(passwords));
        }
        let fleet = Arc::new(fleet);
        let presence = Presence::new(clock);
        let helm = Helm {
            desk: Arc::clone(&desk),
            gateways: Arc::clone(&gateways),
            key: Arc::clone(&media_key),
            fleet: Arc::clone(&fleet),
        };
        let readings = Readings::default();
        let held = Held::load(&desk).await.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        tokio::spawn({
            let (desk, held) = (Arc::clone(&desk), held.clone());
            async move {
                if let Err(code) = held.load_older(&desk).await {
                    tracing::warn!(?code, "older readings of nobody are not in the list");
                }
            }
        });
        let kits = Kits::load(&desk).await.map_err(|code| anyhow::anyhow!(code.sentence()))?;
        desk::give_back(&desk).await;
        tokio::spawn(desk::watch(Arc::clone(&desk)));
        tokio::spawn(kit::watch(Arc::clone(&desk), readings.clone(), Arc::clone(&kits)));
        tokio::spawn(presence::watch(Arc::clone(&desk), presence.clone()));
        tokio::spawn(relays::steer(helm));
        tokio::spawn(gateway::watch(Arc::clone(&desk), Arc::clone(&gateways), Arc::clone(&kits)));
        tokio::spawn(gateway::finish(Arc::clone(&desk), readings.clone(), held.clone()));
        tokio::spawn(photos::sweep_always(Arc::clone(&desk), photos.clone()));
        let edge = Arc::new(Edge {
            desk,
            directory,
            presence,
            readings,
            kits,
            held,
            photos,
            readers: readers::of_the_gateway()?,
            gateways,
            media_key,
            fleet,
            register,
            secure_cookies,
            turn: OnceLock::new(),
            limits: Limits::default(),
            epoch: (random_id() >> 32) as u32,
            heartbeat: Heartbeat::default(),
            rehearsal: common.demo,
        });
        Ok(Self { edge })
    }

    fn tell_token_key(&self) {
        let key = Hex(self.edge.media_key.public());
        tracing::info!(token_key = %key, "a relay for this signaling is started with this key");
    }

    async fn serve(
        self,
        common: &Common,
        doors: Doors,
        relay_routes: Router,
    ) -> anyhow::Result<()> {
        let figures = observe::count()?;
        let Doors { plain, lan, https, guests } = doors;
        let base = format!("http://{}", plain.local_addr()?);
        let router = http::router(Arc::clone(&self.edge))
            .merge(relay_routes)
            .merge(pages::router())
            .merge(observe::figures(figures));
        let router = http::with_headers(router, &self.edge);
        let mut served = tokio::task::JoinSet::new();
        served.spawn(serve::plain(plain, router.clone()));
        let admin = AdminSocket::open(&common.data)?;
        served.spawn(admin.serve(Arc::clone(&self.edge)));
        let lan_url = lan.as_ref().map(Lan::url).transpose()?;
        let https_url = https.as_ref().map(Https::url).transpose()?;
        if let Some(https) = https {
            let (certificate, router) = (https.certificate(), router.clone());
            let guests = guests.clone();
            served.spawn(doors::keep_certificate_fresh(https.certificate));
            served.spawn(
                async move { serve::tls(https.listener, &certificate, guests, router).await },
            );
        }
        if let Some(lan) = lan {
            served.spawn(async move {
                serve::tls(lan.listener, &lan.certificate, guests, router).await
            });
        }
        let gateway = if common.demo {
            demo::open(&self.edge, common, &base, lan_url.or(https_url).as_deref()).await?
        } else {
            tracing::info!("listening on {base}");
            if let Some(url) = &https_url {
                tracing::info!("listening on {url}");
            }
            if self.edge.directory.roll().staff_by_account.is_empty() {
                let data = common.data.display();
                tracing::info!(
                    "nobody can sign in yet: make the first account with `minato account create \
                     --data {data} --account NAME --role coordinator --name … --affiliation …`"
                );
            }
            None
        };
        tokio::select! {
            Some(ended) = served.join_next() => ended.context("the server ended")?,
            ended = demo::run_gateway(gateway) => ended,
            stopped = shutdown() => stopped,
        }
    }
}
