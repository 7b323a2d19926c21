//! Passwords and PINs: argon2id, keyed with the node's secret, two at a time for the whole process.

use super::secrets::{Secrets, random_bytes};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use minato_protocol::Code;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Hashes computed at the same time: each takes 19 MiB and a core.
const HASHING_MAX: usize = 2;
/// Hashes computed or waited for. A further one is told to come again.
const QUEUE_MAX: usize = 64;
/// Bytes of a password; longer ones are wrong without a look.
pub(super) const PASSWORD_BYTES_MAX: usize = 256;
const SALT_BYTES: usize = 16;

// The process has one machine: the bound is the same whoever asks.
static HASHING: Semaphore = Semaphore::const_new(HASHING_MAX);
static QUEUE: Semaphore = Semaphore::const_new(QUEUE_MAX);

/// Hashes a password or PIN with a new salt, in PHC format.
pub(super) async fn hash(secrets: &Secrets, password: &str) -> Result<String, Code> {
    let (pepper, password) = (secrets.pepper(), password.to_owned());
    on_a_thread(move || hash_now(&pepper, &password)).await
}

/// Whether a password fits a hash. Without a hash it takes as long and is wrong.
pub(super) async fn is_right(
    secrets: &Secrets,
    password: &str,
    hash: Option<&str>,
) -> Result<bool, Code> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Ok(false);
    }
    let (pepper, password) = (secrets.pepper(), password.to_owned());
    let hash = hash.map(str::to_owned);
    on_a_thread(move || match hash.as_deref().map(PasswordHash::new) {
        Some(Ok(hash)) => keyed(&pepper).verify_password(password.as_bytes(), &hash).is_ok(),
        Some(Err(_)) => {
            tracing::error!("a stored password hash cannot be read");
            false
        }
        None => {
            hash_now(&pepper, &password);
            false
        }
    })
    .await
}

async fn on_a_thread<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Code> {
    let queued = QUEUE.try_acquire().map_err(|_| Code::Busy)?;
    let running = HASHING.acquire().await.map_err(|_| Code::Busy)?;
    // The permits go along: whoever asked may go away, the work does not.
    let permits: [SemaphorePermit<'static>; 2] = [queued, running];
    let done = tokio::task::spawn_blocking(move || {
        let done = work();
        drop(permits);
        done
    });
    done.await.map_err(|_| Code::Busy)
}

fn hash_now(pepper: &[u8], password: &str) -> String {
    keyed(pepper)
        .hash_password_with_salt(password.as_bytes(), &random_bytes::<SALT_BYTES>())
        .expect("a short password and a salt of 16 bytes are within argon2's limits")
        .to_string()
}

fn keyed(pepper: &[u8]) -> Argon2<'_> {
    Argon2::new_with_secret(pepper, Algorithm::Argon2id, Version::V0x13, Params::DEFAULT)
        .expect("a key of 32 bytes is within argon2's limits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_fits_its_own_hash_under_its_own_node() {
        let secrets = Secrets::random();
        let hash = hash(&secrets, "かもめ 12").await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert_eq!(is_right(&secrets, "かもめ 12", Some(&hash)).await, Ok(true));
        assert_eq!(is_right(&secrets, "かもめ 13", Some(&hash)).await, Ok(false));
        assert_eq!(is_right(&Secrets::random(), "かもめ 12", Some(&hash)).await, Ok(false));
        assert_eq!(is_right(&secrets, "かもめ 12", None).await, Ok(false));
    }

    #[tokio::test]
    async fn an_endless_password_and_a_broken_hash_are_wrong_and_nothing_breaks() {
        let secrets = Secrets::random();
        let endless = "x".repeat(PASSWORD_BYTES_MAX + 1);
        assert_eq!(is_right(&secrets, &endless, None).await, Ok(false));
        assert_eq!(is_right(&secrets, "x", Some("$argon2id$broken")).await, Ok(false));
    }
}
