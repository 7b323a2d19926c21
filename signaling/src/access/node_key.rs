//! The file that holds the node's secret: made once, never overwritten.

use super::secrets::{NODE_SECRET_BYTES, Secrets, random_bytes, random_id};
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// The file in the data folder. On many nodes it is the same one.
const FILE_NAME: &str = "server.key";

/// Why the node's secret is not there. Nothing was overwritten.
#[derive(Debug, thiserror::Error)]
pub enum SecretsError {
    /// The file is there and is something else: bring back the right one.
    #[error("{path} does not hold {NODE_SECRET_BYTES} bytes; it was left as it is")]
    Foreign {
        /// Which file.
        path: PathBuf,
    },
    /// Others may read it: take that right away from them.
    #[error("{path} can be read by everybody: chmod 600 {path}")]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path} cannot be read or made: {reason}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// Its words.
        reason: io::Error,
    },
}

impl Secrets {
    /// Reads `server.key` in the data folder, or makes it there, readable by its owner only and
    /// durable. Two processes that start at once end up with the same one. Waits for the disk.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, SecretsError> {
        let path = data_dir.join(FILE_NAME);
        let failed = |reason| SecretsError::Failed { path: path.clone(), reason };
        match read(&path) {
            Err(SecretsError::Failed { reason, .. }) if reason.kind() == ErrorKind::NotFound => {
                std::fs::create_dir_all(data_dir).map_err(failed)?;
                make(data_dir, &path).map_err(failed)?;
                read(&path)
            }
            known => known,
        }
    }
}

fn read(path: &Path) -> Result<Secrets, SecretsError> {
    let failed = |reason| SecretsError::Failed { path: path.to_owned(), reason };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.permissions().mode();
    // A group may read it: that is how orchestrators hand out secrets.
    if mode & 0o007 != 0 {
        return Err(SecretsError::Open { path: path.to_owned() });
    }
    let mut bytes = Vec::with_capacity(NODE_SECRET_BYTES + 1);
    let most = NODE_SECRET_BYTES as u64 + 1;
    file.take(most).read_to_end(&mut bytes).map_err(failed)?;
    let foreign = |_| SecretsError::Foreign { path: path.to_owned() };
    <[u8; NODE_SECRET_BYTES]>::try_from(bytes).map(Secrets::from_bytes).map_err(foreign)
}

/// Writes it beside its place and links it there: the name never stands for half a secret, and
/// never replaces one.
fn make(data_dir: &Path, path: &Path) -> io::Result<()> {
    let draft = data_dir.join(format!("{FILE_NAME}.{:016x}", random_id()));
    let written = write_new(&draft).and_then(|()| match std::fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    std::fs::remove_file(&draft)?;
    written?;
    File::open(data_dir)?.sync_all()
}

fn write_new(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(&random_bytes::<NODE_SECRET_BYTES>())?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_file_is_made_once_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = Secrets::load_or_create(&data).unwrap();
        let again = Secrets::load_or_create(&data).unwrap();
        assert_eq!(first.link_secret(1, 0), again.link_secret(1, 0));
        let names: Vec<_> = std::fs::read_dir(&data).unwrap().map(|e| e.unwrap()).collect();
        assert_eq!(names.len(), 1);
        assert_eq!(names[0].metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_key_file_that_is_something_else_or_open_to_all_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let chmod = |mode| {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        std::fs::write(&path, b"short").unwrap();
        chmod(0o600);
        let refused = Secrets::load_or_create(folder.path());
        assert!(matches!(refused, Err(SecretsError::Foreign { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), b"short");
        chmod(0o644);
        let refused = Secrets::load_or_create(folder.path());
        assert!(matches!(refused, Err(SecretsError::Open { .. })));
    }
}
