//! The gateway's folder and files are its owner's alone: readings of patients lie in them.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// SQLite keeps these beside its file while it is open.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// Makes a folder that nobody else can look into. A folder that somebody else made keeps its mode:
/// what is in it is closed file by file.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)
}

/// Makes a database file in its folder that nobody else can read, or closes the one that is there.
/// A folder in which there is one is the gateway's own and is closed too.
pub(crate) fn database(folder: &Path, name: &str) -> io::Result<PathBuf> {
    let path = folder.join(name);
    match OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&path) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            std::fs::set_permissions(folder, Permissions::from_mode(FOLDER_MODE))?;
        }
        Err(error) => return Err(error),
    }
    std::fs::set_permissions(&path, Permissions::from_mode(FILE_MODE))?;
    for ending in BESIDE {
        let beside = folder.join(format!("{name}{ending}"));
        match std::fs::set_permissions(&beside, Permissions::from_mode(FILE_MODE)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    Ok(path)
}

/// Makes a file that nobody else can read. It fails where there is one already.
pub(crate) fn new_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::Outbox;

    fn mode(path: &Path) -> u32 {
        std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    }

    fn modes_in(folder: &Path) -> Vec<(String, u32)> {
        let files = std::fs::read_dir(folder).expect("a folder").map(|file| file.expect("a file"));
        files
            .map(|file| (file.file_name().to_string_lossy().into_owned(), mode(&file.path())))
            .collect()
    }

    #[test]
    fn a_new_outbox_and_its_folder_are_its_owners_alone() {
        let house = tempfile::tempdir().expect("a folder");
        let folder = house.path().join("clinic/box");
        let _outbox = Outbox::open(&folder).expect("an outbox");
        assert_eq!(mode(&folder), 0o700);
        let modes = modes_in(&folder);
        assert!(modes.len() >= 2, "the log of writes too: {modes:?}");
        assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    }

    #[test]
    fn an_outbox_that_others_could_read_is_closed_when_it_is_opened() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(Outbox::open(folder.path()).expect("an outbox"));
        let everybody = |path: &Path, mode| {
            std::fs::set_permissions(path, Permissions::from_mode(mode)).expect("set");
        };
        // A key that others could read is not closed again but refused: it may be known by now.
        let outbox = |(name, _): &(String, u32)| name.starts_with("outbox");
        for (name, _) in modes_in(folder.path()).into_iter().filter(outbox) {
            everybody(&folder.path().join(name), 0o644);
        }
        everybody(folder.path(), 0o755);
        let _outbox = Outbox::open(folder.path()).expect("the outbox");
        assert_eq!(mode(folder.path()), 0o700);
        let modes = modes_in(folder.path());
        assert!(modes.iter().all(|(_, mode)| *mode == 0o600), "{modes:?}");
    }

    #[test]
    fn a_folder_of_somebody_else_is_left_as_it_is() {
        let shared = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(shared.path(), Permissions::from_mode(0o755)).expect("set");
        let _outbox = Outbox::open(shared.path()).expect("an outbox");
        assert_eq!(mode(shared.path()), 0o755);
        assert!(modes_in(shared.path()).iter().all(|(_, mode)| *mode == 0o600));
    }
}
