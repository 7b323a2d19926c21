//! A whole broker on a loopback port, with its watchmen, and the people who use it by its wire.
#![allow(dead_code, unused_imports, reason = "every test crate uses its own part of it")]

mod clinic;
mod http;
mod panics;
mod readers;
mod screen;
mod seen;
mod uplink;
mod ward;

pub(crate) use clinic::{Clinic, Patient, doctor_id, nurse_id, person, site};
pub(crate) use http::{HttpAnswer, Socket, dial};
pub(crate) use screen::{Answer, Raw, Screen, hello, press_name};
pub(crate) use seen::{Seen, Table};
pub(crate) use uplink::{OUTBOX, Wall, cuff, cuff_status, id_of, reading_of};
pub(crate) use ward::{BOX, Ward, kept_of};

use axum::serve::ListenerExt as _;
use minato_protocol::view::Clinic as ClinicCard;
use minato_protocol::{Role, SiteId, StaffId};
use minato_signaling::access::doors::{self, NewAccount};
use minato_signaling::access::{AccountCommand, Directory, Limits, NewAccountRecord, Secrets};
use minato_signaling::blob::MemoryBlobs;
use minato_signaling::clock::Clock;
use minato_signaling::desk::{self, Desk};
use minato_signaling::gateway::{self, Gateways, Held};
use minato_signaling::http::{self as edge, Edge, Heartbeat};
use minato_signaling::kit::{self, Kits};
use minato_signaling::log::{EventLog, MemoryLog, StreamId};
use minato_signaling::photos::Photos;
use minato_signaling::presence::{self, Presence};
use minato_signaling::readings::Readings;
use minato_signaling::relays::{self, Fleet, Helm, MediaKey, RelayPlace, TurnPasswords};
use minato_signaling::site::{Register, Sheet};
use minato_signaling::vault::Vault;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

/// A condition that does not come true within so long will not come true.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
pub(crate) const PIN: &str = "2468";
/// Signs media tokens.
pub(crate) const MEDIA_SEED: [u8; 32] = [1; 32];
/// Shared with relays that are TURN servers too.
pub(crate) const TURN_SECRET: &[u8] = b"a secret of the tests alone";

/// A broker in a runtime of its own, so that all of it can be gone at once.
#[derive(Debug)]
pub(crate) struct Broker {
    pub(crate) edge: Arc<Edge>,
    pub(crate) address: SocketAddr,
    /// Where its pictures lie.
    pub(crate) blobs: Arc<MemoryBlobs>,
    /// Their keys.
    pub(crate) vault: Vault,
    runtime: Option<Runtime>,
}

impl Broker {
    /// Starts over a log that may have been written by another one before.
    pub(crate) async fn start(log: Arc<dyn EventLog>, clock: Clock, secrets: Secrets) -> Self {
        Self::start_with(log, clock, secrets, Vec::new()).await
    }

    /// The same with a heartbeat of one's own, over an empty log.
    pub(crate) async fn start_beating(heartbeat: Heartbeat) -> Self {
        let log = Arc::new(MemoryLog::default());
        Self::launch(log, Clock::start(), Secrets::random(), Vec::new(), heartbeat).await
    }

    /// The same with relays.
    pub(crate) async fn start_with(
        log: Arc<dyn EventLog>,
        clock: Clock,
        secrets: Secrets,
        relays: Vec<RelayPlace>,
    ) -> Self {
        Self::launch(log, clock, secrets, relays, Heartbeat::default()).await
    }

    async fn launch(
        log: Arc<dyn EventLog>,
        clock: Clock,
        secrets: Secrets,
        relays: Vec<RelayPlace>,
        heartbeat: Heartbeat,
    ) -> Self {
        panics::count();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name(panics::THREAD)
            .enable_all()
            .build()
            .expect("a runtime");
        let blobs = Arc::new(MemoryBlobs::default());
        let vault = Vault::in_memory();
        let photos = Photos::new(blobs.clone(), vault.clone());
        let started = runtime.spawn(Self::serve(log, clock, secrets, relays, heartbeat, photos));
        let (edge, address) = started.await.expect("the broker starts");
        Self { edge, address, blobs, vault, runtime: Some(runtime) }
    }

    async fn serve(
        log: Arc<dyn EventLog>,
        clock: Clock,
        secrets: Secrets,
        relays: Vec<RelayPlace>,
        heartbeat: Heartbeat,
        photos: Photos,
    ) -> (Arc<Edge>, SocketAddr) {
        let desk = Arc::new(Desk::new(log, clock.clone(), secrets));
        desk.find_rooms().await.expect("the log is readable");
        let gateways = Arc::new(Gateways::new(desk.bell.clone()));
        let secret = minato_relay::TurnSecret::new(TURN_SECRET).expect("long enough");
        let passwords = TurnPasswords::new(move |user, until| secret.credential(user, until));
        let fleet = Arc::new(Fleet::new(relays, clock.clone()).with_turn(passwords));
        let media_key = Arc::new(MediaKey::from_seed(&MEDIA_SEED).expect("a seed"));
        let presence = Presence::new(clock);
        let kits = Kits::load(&desk).await.expect("the log is readable");
        desk::give_back(&desk).await;
        tokio::spawn(desk::watch(Arc::clone(&desk)));
        tokio::spawn(presence::watch(Arc::clone(&desk), presence.clone()));
        tokio::spawn(gateway::watch(Arc::clone(&desk), Arc::clone(&gateways), Arc::clone(&kits)));
        tokio::spawn(relays::steer(Helm {
            desk: Arc::clone(&desk),
            gateways: Arc::clone(&gateways),
            key: Arc::clone(&media_key),
            fleet: Arc::clone(&fleet),
        }));
        let readings = Readings::default();
        tokio::spawn(kit::watch(Arc::clone(&desk), readings.clone(), Arc::clone(&kits)));
        let held = Held::load(&desk).await.expect("the log is readable");
        tokio::spawn(gateway::finish(Arc::clone(&desk), readings.clone(), held.clone()));
        let edge = Arc::new(Edge {
            directory: Directory::load(&desk).await.expect("the log is readable"),
            presence,
            readings,
            kits,
            held,
            photos,
            readers: readers::of_tests(),
            gateways,
            media_key,
            fleet,
            register: set_up(&desk).await,
            secure_cookies: false,
            turn: std::sync::OnceLock::new(),
            limits: Limits::default(),
            epoch: (minato_signaling::access::random_id() >> 32) as u32,
            heartbeat,
            rehearsal: true,
            desk,
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it is bound");
        // Small messages leave at once.
        let listener = listener.tap_io(|tcp| tcp.set_nodelay(true).expect("a socket"));
        let router = edge::router(Arc::clone(&edge));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move { axum::serve(listener, service).await });
        (edge, address)
    }

    /// Does something inside, as the broker itself would.
    pub(crate) async fn inside<T, F>(&self, work: impl FnOnce(Arc<Edge>) -> F) -> T
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let work = work(Arc::clone(&self.edge));
        let runtime = self.runtime.as_ref().expect("it runs");
        runtime.spawn(work).await.expect("nothing panics inside")
    }

    /// Everything is gone at once, as by kill -9; what was durable stays in the log.
    pub(crate) async fn kill(mut self) {
        let runtime = self.runtime.take().expect("it runs");
        let stop = move || runtime.shutdown_timeout(Duration::from_secs(5));
        tokio::task::spawn_blocking(stop).await.expect("it stops");
        panics::assert_none();
    }

    /// Makes an account, without the seconds that hashing a password takes.
    pub(crate) async fn make_staff(&self, staff: StaffId, role: Role, at: Option<SiteId>) {
        let record = NewAccountRecord {
            account: format!("account-{staff}"),
            role,
            name: name_of(staff),
            affiliation: "港大学病院".into(),
            site: at,
            password_hash: "none".into(),
            totp_sealed: String::new(),
            pin_hash: None,
        };
        self.inside(move |edge| async move {
            let create = AccountCommand::Create(Box::new(record));
            let made = edge.desk.accounts.submit(&StreamId::account(staff), None, create).await;
            made.expect("the account is made");
            edge.directory.refresh(&edge.desk).await.expect("the log is readable");
        })
        .await;
    }

    /// A nurse with a PIN, made by the front door.
    pub(crate) async fn make_nurse_with_pin(&self, account: &str, at: SiteId) -> StaffId {
        let new = NewAccount {
            account: account.into(),
            password: "かもめ-kamome-12".into(),
            pin: Some(PIN.into()),
            role: Role::Nurse,
            name: "浜 ちひろ".into(),
            affiliation: "港島診療所".into(),
            site: Some(at),
        };
        let make = |edge: Arc<Edge>| async move {
            doors::create_account(&edge.desk, &edge.directory, new).await
        };
        self.inside(make).await.expect("the account is made").staff
    }

    /// A fresh session of a member of staff: its cookie.
    pub(crate) async fn sign_in(&self, staff: StaffId) -> String {
        let issue = move |edge: Arc<Edge>| async move {
            doors::issue_once(&edge.desk, staff, doors::ONCE_LIFE).await
        };
        let secret = self.inside(issue).await.expect("the link is issued");
        let body = serde_json::json!({ "secret": secret });
        self.post("/api/sign-in/once", body, None).await.cookie.expect("a session")
    }

    /// The end of every stream: equal before and after when nothing was written.
    pub(crate) async fn heads(&self) -> Vec<(String, u64, u64)> {
        self.inside(|edge| async move {
            let log = &edge.desk.log;
            let mut heads = Vec::new();
            for stream in log.streams("").await.expect("the log is readable") {
                let head = log.verify_chain(&stream).await.expect("the chain is whole");
                heads.push((stream.as_str().to_owned(), head.version, head.last_seq));
            }
            heads
        })
        .await
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
            if !std::thread::panicking() {
                panics::assert_none();
            }
        }
    }
}

/// The name under which a member of staff appears.
pub(crate) fn name_of(staff: StaffId) -> String {
    format!("医療者{}", staff.0)
}

/// Two sites and who is responsible; a broker over the same log finds them.
async fn set_up(desk: &Desk) -> Register {
    let register = Register::load(desk).await.expect("the log is readable");
    if register.clinic().is_ok() {
        return register;
    }
    let own = ClinicCard { name: "みなと医療".into(), phone: "0599-00-0100".into() };
    register.set_clinic(desk, own).await.expect("a clinic");
    for name in ["港島", "沖島"] {
        let sheet = Sheet {
            name: name.into(),
            receiving_hospital: "港市民病院 0599-00-0119".into(),
            clinic: Some(ClinicCard {
                name: "港島診療所".into(), phone: "0599-00-0101".into()
            }),
        };
        register.open_site(desk, sheet).await.expect("it opens");
    }
    register
}

/// Waits until a question about the broker is answered with yes.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut ask: impl FnMut() -> F) {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    while !ask().await {
        assert!(tokio::time::Instant::now() < deadline, "never came true: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
