//! The gateway's own Ed25519 key, in a file that only its owner reads, and random bytes.

use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use aws_lc_rs::rand;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use minato_protocol::reading::Hex;
use std::fmt;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use thiserror::Error;

const FILE: &str = "key.pkcs8";

/// Why there is no key.
#[derive(Debug, Error)]
pub enum KeyError {
    /// The file cannot be made or read.
    #[error("the key file cannot be used: {0}")]
    File(#[from] std::io::Error),
    /// The file is no Ed25519 key.
    #[error("the key file holds no Ed25519 key")]
    NoKey,
    /// Others may read the key.
    #[error("the key file can be read by others: set its mode to 600")]
    Open,
}

/// Signs for this gateway, and is what its other keys are derived from.
pub(crate) struct GatewayKey {
    pair: Ed25519KeyPair,
    file: Vec<u8>,
}

impl fmt::Debug for GatewayKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GatewayKey").field(&self.public()).finish()
    }
}

impl GatewayKey {
    /// Reads the key in a folder, or makes one there.
    pub(crate) fn open(folder: &Path) -> Result<Self, KeyError> {
        crate::private::folder(folder)?;
        let path = folder.join(FILE);
        if !path.exists() {
            write_new(&path)?;
        }
        if std::fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
            return Err(KeyError::Open);
        }
        let file = std::fs::read(&path)?;
        let pair = Ed25519KeyPair::from_pkcs8(&file).map_err(|_| KeyError::NoKey)?;
        Ok(Self { pair, file })
    }

    /// The half that the broker keeps.
    pub(crate) fn public(&self) -> Hex<32> {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        Hex(bytes)
    }

    /// Signs (RFC 8032).
    pub(crate) fn sign(&self, message: &[u8]) -> Hex<64> {
        let mut bytes = [0; 64];
        bytes.copy_from_slice(self.pair.sign(message).as_ref());
        Hex(bytes)
    }

    /// A key for one purpose (HKDF, RFC 5869, over the key file). It tells nothing of the others.
    pub(crate) fn derive(&self, purpose: &[u8]) -> [u8; 32] {
        let secret = Salt::new(HKDF_SHA256, b"minato.gateway").extract(&self.file);
        let mut key = [0; 32];
        let filled = secret.expand(&[purpose], HKDF_SHA256).and_then(|okm| okm.fill(&mut key));
        filled.expect("one hash long");
        key
    }
}

/// Written beside and moved into place, so that a half-written key is never found.
fn write_new(path: &Path) -> Result<(), KeyError> {
    let random = rand::SystemRandom::new();
    let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).map_err(|_| KeyError::NoKey)?;
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&beside)?;
    file.write_all(pkcs8.as_ref())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(())
}

/// Bytes that nobody can guess.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};

    #[test]
    fn a_key_is_kept_for_its_owner_alone_and_stays_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = GatewayKey::open(folder.path()).expect("a key");
        let again = GatewayKey::open(folder.path()).expect("the key");
        assert_eq!(key.public(), again.public());
        let path = folder.path().join(FILE);
        assert_eq!(std::fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        let public = key.public();
        UnparsedPublicKey::new(&ED25519, public.0).verify(b"x", &key.sign(b"x").0).expect("signed");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        assert!(matches!(GatewayKey::open(folder.path()), Err(KeyError::Open)));
    }
}
