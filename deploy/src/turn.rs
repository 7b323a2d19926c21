//! TURN beside the relay: its options, its secret, its certificate, and credentials by hand.

use anyhow::{Context as _, bail};
use clap::{Args, Subcommand};
use minato_relay::{PeerRange, TURN_PER_USER_MAX, TURN_REALM, TURN_RELAY_PORTS};
use minato_relay::{TurnCertificate, TurnSecret, TurnSettings, TurnTls};
use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::signal::unix::{SignalKind, signal};

/// Holds the secret itself, for where a file is inconvenient. Never an argument: those are seen by
/// everybody on the machine.
const SECRET_VARIABLE: &str = "MINATO_TURN_SECRET";
/// Where TURN is asked by UDP and TCP (RFC 8656 §3.1).
const LISTEN_DEFAULT: &str = "0.0.0.0:3478";
/// Where TURN is asked by TLS.
const TLS_LISTEN_DEFAULT: &str = "0.0.0.0:5349";
/// The certificate is read again so often, and on SIGHUP.
const CERTIFICATE_EVERY: Duration = Duration::from_secs(10 * 60);

/// What `minato relay` does beside relaying.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum RelayCommand {
    /// Prints a user name and a password for TURN, good for a while.
    Credential(CredentialArgs),
}

#[derive(Debug, Clone, Args)]
pub(crate) struct CredentialArgs {
    /// Seconds for which it is good.
    #[arg(long, default_value_t = 600)]
    ttl: u64,
    /// Who it is for; quotas count by it. Without: a name made on the spot.
    #[arg(long)]
    user: Option<String>,
    /// The file with the secret, as the relay has it. Without: MINATO_TURN_SECRET.
    #[arg(long)]
    secret_file: Option<PathBuf>,
}

/// Options of TURN. It runs as soon as there is a secret.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "TURN")]
pub(crate) struct TurnArgs {
    /// Where TURN is asked by UDP and TCP; may be repeated. Port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = LISTEN_DEFAULT)]
    turn: Vec<SocketAddr>,
    /// The file with the secret of time-limited credentials, at least 16 bytes; the end of its
    /// line does not count. Without: MINATO_TURN_SECRET. Without both there is no TURN.
    #[arg(long, value_name = "FILE", env = "MINATO_TURN_SECRET_FILE")]
    turn_secret_file: Option<PathBuf>,
    /// Opens a range of peers, as 192.0.2.0/24; may be repeated. The relay's own media addresses
    /// are always open, everything else is not.
    #[arg(long, value_name = "CIDR")]
    allow_peer: Vec<PeerRange>,
    /// Certificate chain and key in PEM: TURN is also asked by TLS. Read again on SIGHUP.
    #[arg(long, value_names = ["CHAIN", "KEY"], num_args = 2)]
    turn_tls: Option<Vec<PathBuf>>,
    /// Where TURN is asked by TLS; may be repeated.
    #[arg(long, value_name = "ADDRESS", default_value = TLS_LISTEN_DEFAULT)]
    turn_tls_listen: Vec<SocketAddr>,
    /// Ports of relayed addresses, as 49152-65535.
    #[arg(long, value_name = "FIRST-LAST", value_parser = ports)]
    turn_ports: Option<RangeInclusive<u16>>,
    /// Allocations of one user at once.
    #[arg(long, value_name = "NUMBER", default_value_t = TURN_PER_USER_MAX)]
    turn_per_user: usize,
    /// The host in the TURN addresses that pages are told, as the certificate has it. Without: IP
    /// addresses.
    #[arg(long, value_name = "HOST")]
    turn_host: Option<String>,
    /// Realm of the credentials.
    #[arg(long, default_value = TURN_REALM)]
    turn_realm: String,
}

impl TurnArgs {
    /// What to start; `None` without a secret. `http`: where the relay's own HTTP is, which is no
    /// peer even in an opened range.
    pub(crate) fn settings(&self, http: SocketAddr) -> anyhow::Result<Option<TurnSettings>> {
        let Some(secret) = secret(self.turn_secret_file.as_deref())? else {
            if self.turn_tls.is_some() || !self.allow_peer.is_empty() {
                bail!("TURN needs its secret: --turn-secret-file, or {SECRET_VARIABLE}");
            }
            return Ok(None);
        };
        let mut settings = TurnSettings::new(secret);
        settings.udp = self.turn.clone();
        settings.tcp = self.turn.clone();
        settings.per_user_max = self.turn_per_user;
        settings.realm = self.turn_realm.clone();
        settings.host = self.turn_host.clone();
        settings.allowed_peers = self.allow_peer.clone();
        settings.forbidden = vec![http];
        settings.relay_ports = self.turn_ports.clone().unwrap_or(TURN_RELAY_PORTS);
        if let Some([chain, key]) = self.turn_tls.as_deref() {
            let certificate = TurnCertificate::open(chain, key)?;
            settings.tls = Some(TurnTls { listen: self.turn_tls_listen.clone(), certificate });
        }
        Ok(Some(settings))
    }
}

/// Reads the certificate again on SIGHUP and now and then; connections go on.
pub(crate) async fn keep_certificate_fresh(certificate: TurnCertificate) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be heard")?;
    let mut often = tokio::time::interval(CERTIFICATE_EVERY);
    often.tick().await;
    loop {
        tokio::select! {
            _ = hangup.recv() => {}
            _ = often.tick() => {}
        }
        match certificate.reload() {
            Ok(()) => tracing::info!(code = "certificate_read", "the certificate was read again"),
            Err(error) => {
                let code = "certificate_kept";
                tracing::warn!(code, %error, "the certificate stays the one in use");
            }
        }
    }
}

/// What `minato relay` does without relaying.
pub(crate) fn carry_out(command: &RelayCommand) -> anyhow::Result<()> {
    match command {
        RelayCommand::Credential(args) => print_credential(args),
    }
}

/// `minato relay credential`.
fn print_credential(args: &CredentialArgs) -> anyhow::Result<()> {
    let Some(secret) = secret(args.secret_file.as_deref())? else {
        bail!("there is no secret: --secret-file, or {SECRET_VARIABLE}");
    };
    let user = args.user.clone().unwrap_or_else(|| minato_signaling::access::random_text(8));
    if user.is_empty() {
        bail!("--user needs a name");
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock is before 1970")?;
    let (name, password) = secret.credential(&user, now.as_secs().saturating_add(args.ttl));
    say(&format!("username={name}\npassword={password}"));
    Ok(())
}

#[expect(clippy::print_stdout, reason = "it is what was asked for")]
fn say(text: &str) {
    println!("{text}");
}

/// The secret that signaling and its relays share; `None` where there is none.
pub(crate) fn secret(file: Option<&Path>) -> anyhow::Result<Option<TurnSecret>> {
    let text = match file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("the TURN secret in {} cannot be read", file.display()))?,
        None => match std::env::var(SECRET_VARIABLE) {
            Ok(text) => text,
            Err(std::env::VarError::NotPresent) => return Ok(None),
            Err(error) => return Err(error).context(SECRET_VARIABLE),
        },
    };
    Ok(Some(TurnSecret::new(text.trim_end_matches(['\r', '\n']).as_bytes())?))
}

fn ports(text: &str) -> Result<RangeInclusive<u16>, String> {
    let parts = text.split_once('-').and_then(|(first, last)| {
        Some((first.trim().parse::<u16>().ok()?, last.trim().parse::<u16>().ok()?))
    });
    match parts {
        Some((first, last)) if first > 0 && first <= last => Ok(first..=last),
        Some(_) | None => Err("ports are written as 49152-65535".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory as _, Parser as _};

    #[test]
    fn the_options_do_not_clash() {
        crate::Cli::command().debug_assert();
    }

    #[test]
    fn a_relay_needs_its_key_and_a_credential_does_not() {
        assert!(crate::Cli::try_parse_from(["minato", "relay"]).is_err());
        let asked = ["minato", "relay", "credential", "--ttl", "600"];
        assert!(crate::Cli::try_parse_from(asked).is_ok());
    }

    #[test]
    fn ports_are_a_first_and_a_last() {
        assert_eq!(ports("49152-65535"), Ok(49_152..=65_535));
        for wrong in ["", "49152", "2-1", "0-9", "1-65536", "a-b"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
    }
}
