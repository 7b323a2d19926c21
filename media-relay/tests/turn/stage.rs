//! A TURN server on loopback, with a certificate made on the spot.

use minato_relay::{TurnCertificate, TurnSecret, TurnServer, TurnSettings, TurnTls};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const SECRET: &[u8] = b"a secret of the tests alone";

pub struct Stage {
    pub server: TurnServer,
    pub certificate: TurnCertificate,
    folder: tempfile::TempDir,
    runtime: tokio::runtime::Runtime,
}

impl Stage {
    /// Listens on an address by UDP, TCP and TLS; loopback is open as a peer.
    pub fn on(ip: &str) -> Self {
        Self::with(ip, |_| {})
    }

    pub fn with(ip: &str, change: impl FnOnce(&mut TurnSettings)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        let folder = tempfile::tempdir().unwrap();
        write_certificate(&folder);
        let (chain, key) = files(&folder);
        // Of its own: the server's is renewed while the client reads.
        for file in [&chain, &key] {
            std::fs::copy(file, file.with_extension("client")).unwrap();
        }
        let certificate = TurnCertificate::open(&chain, &key).unwrap();
        let settings = Self::settings(ip, |settings| {
            let any = settings.udp[0];
            settings.tls = Some(TurnTls { listen: vec![any], certificate: certificate.clone() });
            change(settings);
        });
        let server = runtime.block_on(async { TurnServer::start(&settings) }).unwrap();
        Self { server, certificate, folder, runtime }
    }

    /// By UDP and TCP.
    pub fn settings(ip: &str, change: impl FnOnce(&mut TurnSettings)) -> TurnSettings {
        let any = SocketAddr::new(ip.parse().unwrap(), 0);
        let mut settings = TurnSettings::new(TurnSecret::new(SECRET).unwrap());
        settings.udp = vec![any];
        settings.tcp = vec![any];
        settings.allowed_peers = vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()];
        change(&mut settings);
        settings
    }

    pub fn udp(&self) -> SocketAddr {
        self.server.addresses().udp[0]
    }

    pub fn tcp(&self) -> SocketAddr {
        self.server.addresses().tcp[0]
    }

    pub fn tls(&self) -> SocketAddr {
        self.server.addresses().tls[0]
    }

    /// Certificate and key as files in PEM for coturn's client, which wants some for TLS.
    pub fn client_files(&self) -> (String, String) {
        let (chain, key) = files(&self.folder);
        let text = |file: PathBuf| file.with_extension("client").display().to_string();
        (text(chain), text(key))
    }

    /// Puts another certificate in the place of the first.
    pub fn renew_certificate(&self) {
        write_certificate(&self.folder);
        self.certificate.reload().unwrap();
    }

    pub fn stop(self) {
        self.runtime.block_on(self.server.stop());
    }
}

fn files(folder: &tempfile::TempDir) -> (PathBuf, PathBuf) {
    (folder.path().join("chain.pem"), folder.path().join("key.pem"))
}

fn write_certificate(folder: &tempfile::TempDir) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (chain, key) = files(folder);
    std::fs::write(chain, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
}

/// A user name that is good for as many seconds (negative: it has ended), and its password.
pub fn credential(user: &str, seconds: i64) -> (String, String) {
    TurnSecret::new(SECRET).unwrap().credential(user, unix_s().saturating_add_signed(seconds))
}

pub fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
