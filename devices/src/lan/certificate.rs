//! The certificate that the box shows on the clinic's network: the operator's, read again when it was
//! renewed, or one that the box makes for itself, which tablets are told to trust.

use crate::private;
use aws_lc_rs::digest::{SHA256, digest};
use minato_protocol::reading::Hex;
use minato_protocol::{Span, Timestamp};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use thiserror::Error;

/// For tablets: what they are told to trust now. It holds no secret.
const AUTHORITY_FILE: &str = "lan-ca.pem";
const BEGINS: &str = "-----BEGIN CERTIFICATE-----";
const ENDS: &str = "-----END CERTIFICATE-----";
const DAY: Span = Span::minutes(24 * 60);
/// Apple's devices take no longer one: 825 days at most.
const LASTS: Span = Span(800 * DAY.0);
/// So long before its end a new one is made at the next start.
const RENEWED_BEFORE: Span = Span(60 * DAY.0);
/// A renewed file is noticed within this time.
const LOOK_EVERY: Duration = Duration::from_secs(60);

/// Why there is none.
#[derive(Debug, Error)]
pub enum CertificateError {
    /// A file cannot be read, or holds nothing of the kind.
    #[error("{0} holds no {1} as PEM")]
    Unreadable(PathBuf, &'static str),
    /// Certificate and key do not belong together, or are of a kind that TLS 1.3 does not know.
    #[error("the certificate cannot be used: {0}")]
    Unusable(#[from] rustls::Error),
    /// One's own cannot be made.
    #[error("no certificate can be made: {0}")]
    Made(#[from] rcgen::Error),
    /// One's own cannot be kept.
    #[error("the certificate cannot be kept: {0}")]
    File(#[from] io::Error),
}

/// Two PEM files.
#[derive(Debug, Clone)]
pub struct CertificateFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// What TLS is spoken with now.
#[derive(Debug)]
pub(crate) struct Certificate {
    config: Arc<ServerConfig>,
    /// The operator's, and when it was looked at.
    files: Option<(CertificateFiles, Option<SystemTime>, Instant)>,
    /// What tablets are told to trust, where it is the box's own.
    pub(crate) own: Option<Own>,
}

/// The authority that signed one's own certificate.
#[derive(Debug, Clone)]
pub(crate) struct Own {
    /// As a file for tablets.
    pub(crate) pem: String,
    /// SHA-256 of the certificate itself, to be compared by eye.
    pub(crate) fingerprint: Hex<32>,
}

impl Certificate {
    /// The operator's.
    pub(crate) fn of_files(files: CertificateFiles) -> Result<Self, CertificateError> {
        let config = read(&files)?;
        let at = changed_at(&files);
        Ok(Self { config, files: Some((files, at, Instant::now())), own: None })
    }

    /// The box's own for a host: the one that is kept, or a new one where there is none or the end is
    /// near. Tablets trust what is kept, so a clock that has lost the time is no reason to throw it
    /// away: it is never earlier than `met`, when the broker's time was last heard (0: never). Each
    /// host has its own file: a box that gets its old address back shows what it showed there.
    pub(crate) fn own(
        folder: &Path,
        host: &str,
        clock: Timestamp,
        met: Timestamp,
    ) -> Result<Self, CertificateError> {
        let path = folder.join(format!("lan.{host}.pem"));
        let mut kept = std::fs::read_to_string(&path).unwrap_or_default();
        let until = kept.lines().next().and_then(|line| {
            line.strip_prefix(&format!("for {host} until "))?.parse().ok().map(Timestamp)
        });
        if !until.is_some_and(|until| is_good(until, clock, met)) {
            kept = make(host, clock.max(met))?;
            put(&path, &kept)?;
            tracing::warn!(%host, "a new certificate was made: tablets have to be told to trust it");
        }
        let files = CertificateFiles { certificate: path.clone(), key: path };
        let config = read(&files)?;
        let chain = chain(&files.certificate)?;
        let missing = || CertificateError::Unreadable(files.certificate.clone(), "authority");
        let authority = chain.last().ok_or_else(missing)?;
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, authority).as_ref());
        let pem = kept
            .rfind(BEGINS)
            .zip(kept.rfind(ENDS))
            .map(|(begins, ends)| format!("{}\n", &kept[begins..ends + ENDS.len()]));
        let pem = pem.ok_or_else(missing)?;
        put(&folder.join(AUTHORITY_FILE), &pem)?;
        let own = Own { pem, fingerprint: Hex(fingerprint) };
        Ok(Self { config, files: None, own: Some(own) })
    }

    /// What the next connection is shown. A renewed file that cannot be used changes nothing.
    pub(crate) fn now(&mut self) -> Arc<ServerConfig> {
        if let Some((files, read_at, looked)) = &mut self.files
            && looked.elapsed() >= LOOK_EVERY
        {
            *looked = Instant::now();
            let at = changed_at(files);
            if at != *read_at {
                match read(files) {
                    Ok(config) => (self.config, *read_at) = (config, at),
                    Err(error) => tracing::warn!(%error, "the old certificate stays in use"),
                }
            }
        }
        Arc::clone(&self.config)
    }
}

/// Whether one that lasts `until` is shown. One from the future was made while the clock was ahead:
/// no tablet takes it yet. It is known only by a clock that has not lost the time itself.
fn is_good(until: Timestamp, clock: Timestamp, met: Timestamp) -> bool {
    let knows_time = met > Timestamp(0) && clock >= met;
    let is_from_future = knows_time && until > clock + LASTS + DAY;
    clock.max(met) + RENEWED_BEFORE < until && !is_from_future
}

fn changed_at(files: &CertificateFiles) -> Option<SystemTime> {
    let at = |path: &Path| std::fs::metadata(path).and_then(|about| about.modified()).ok();
    at(&files.certificate).max(at(&files.key))
}

fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, CertificateError> {
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let chain = read.ok().filter(|chain| !chain.is_empty());
    chain.ok_or_else(|| CertificateError::Unreadable(path.to_owned(), "certificate"))
}

fn read(files: &CertificateFiles) -> Result<Arc<ServerConfig>, CertificateError> {
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|_| CertificateError::Unreadable(files.key.clone(), "private key"))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain(&files.certificate)?, key)?;
    Ok(Arc::new(config))
}

/// An authority for this one certificate, because tablets trust authorities. Its key is thrown away:
/// nobody who takes the box apart can sign for another host with it.
fn make(host: &str, now: Timestamp) -> Result<String, CertificateError> {
    let until = now + LASTS;
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    authority.distinguished_name.push(DnType::CommonName, format!("Minato box {host}"));
    lasts(&mut authority, now, until);
    let signed_itself = authority.self_signed(&authority_key)?;
    let key = KeyPair::generate()?;
    let mut leaf = CertificateParams::new(vec![host.to_owned()])?;
    leaf.distinguished_name.push(DnType::CommonName, host);
    leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    leaf.use_authority_key_identifier_extension = true;
    lasts(&mut leaf, now, until);
    let leaf = leaf.signed_by(&key, &Issuer::from_params(&authority, authority_key))?;
    let ca = signed_itself.pem();
    Ok(format!("for {host} until {}\n{}{ca}{}", until.0, leaf.pem(), key.serialize_pem()))
}

fn lasts(params: &mut CertificateParams, from: Timestamp, until: Timestamp) {
    let day = |at: Timestamp| {
        let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or_default();
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let part = |part: i8| part.unsigned_abs();
        rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    params.not_before = day(from - DAY);
    params.not_after = day(until);
}

/// Beside it first, so that no half of it is ever found.
fn put(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private::new_file(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_764_547_200_000);

    const NEVER: Timestamp = Timestamp(0);
    const HOST: &str = "192.0.2.7";

    fn fingerprint(folder: &Path, host: &str, clock: Timestamp, met: Timestamp) -> Hex<32> {
        let own = Certificate::own(folder, host, clock, met).expect("a certificate").own;
        own.expect("its own").fingerprint
    }

    #[test]
    fn a_certificate_stays_the_same_until_its_end_is_near() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |now| fingerprint(folder.path(), HOST, now, NEVER);
        let first = of(NOW);
        assert_eq!(of(NOW + Span(DAY.0 * 700)), first);
        assert_ne!(of(NOW + Span(DAY.0 * 741)), first);
    }

    #[test]
    fn a_box_that_had_another_address_for_a_while_shows_what_tablets_trust_at_the_old_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |host| fingerprint(folder.path(), host, NOW, NEVER);
        let first = of(HOST);
        assert_ne!(of("box.example"), first);
        assert_eq!(of(HOST), first);
    }

    #[test]
    fn a_clock_that_has_lost_the_time_throws_no_certificate_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |clock, met| fingerprint(folder.path(), HOST, clock, met);
        let first = of(NOW, NEVER);
        assert_eq!(of(Timestamp(0), NEVER), first);
        assert_eq!(of(Timestamp(0), NOW - Span(DAY.0 * 9)), first);
        assert_eq!(of(NOW, NOW), first);
    }

    #[test]
    fn one_that_was_made_while_the_clock_was_wrong_is_made_again_once_the_time_is_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let of = |clock, met| fingerprint(folder.path(), HOST, clock, met);
        let wrong = of(Timestamp(0), NEVER);
        assert_ne!(of(NOW, NEVER), wrong);
        let other = tempfile::tempdir().expect("a folder");
        let of = |clock, met| fingerprint(other.path(), HOST, clock, met);
        let ahead = of(NOW + LASTS, NEVER);
        assert_eq!(of(NOW, NEVER), ahead, "nobody knows which clock was right");
        assert_ne!(of(NOW, NOW), ahead);
    }

    #[test]
    fn an_operators_certificate_is_used_as_it_is_and_one_with_another_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let [one, other] = ["one", "other"].map(|name| {
            let pair = rcgen::generate_simple_self_signed(vec!["box.example".into()]);
            let pair = pair.expect("a pair");
            let [certificate, key] =
                ["crt", "key"].map(|end| folder.path().join(name).with_extension(end));
            std::fs::write(&certificate, pair.cert.pem()).expect("written");
            std::fs::write(&key, pair.signing_key.serialize_pem()).expect("written");
            CertificateFiles { certificate, key }
        });
        let used = Certificate::of_files(one.clone()).expect("a pair");
        assert!(used.own.is_none(), "there is nothing to be trusted anew");
        let mixed = CertificateFiles { key: other.key, ..one };
        let refused = Certificate::of_files(mixed);
        assert!(matches!(refused, Err(CertificateError::Unusable(_))), "{refused:?}");
    }

    #[test]
    fn a_file_that_is_no_certificate_is_refused_by_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("x.pem");
        std::fs::write(&path, "nothing").expect("written");
        let files = CertificateFiles { certificate: path.clone(), key: path.clone() };
        let refused = Certificate::of_files(files).expect_err("it holds nothing");
        assert!(refused.to_string().contains("x.pem"), "{refused}");
    }
}
