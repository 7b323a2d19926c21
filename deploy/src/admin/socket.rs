//! The socket in the data folder: a line in, a line out, for the service's own user alone.

use super::carry_out::carry_out;
use super::words::{Answer, Request};
use super::{ANSWER_BYTES_MAX, REQUEST_BYTES_MAX, SOCKET_NAME};
use anyhow::{Context as _, bail};
use minato_protocol::Code;
use minato_signaling::http::Edge;
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

/// A request is read, and its answer taken, within so long.
const LINE_WITHIN: Duration = Duration::from_secs(5);
/// A request is carried out within so long; hashing a password may have to wait for its turn.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// Requests at the same time. Further ones wait to be accepted.
const AT_ONCE_MAX: usize = 4;
/// A failed accept is tried again after so long: out of descriptors, most probably.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// What came beyond a refused line is thrown away so far; beyond that the connection just ends.
const UNREAD_BYTES_MAX: u64 = 1 << 20;
const ROOT: u32 = 0;

/// The open socket; its file goes with it.
#[derive(Debug)]
pub(crate) struct AdminSocket {
    listener: UnixListener,
    path: PathBuf,
    owner: u32,
}

impl Drop for AdminSocket {
    fn drop(&mut self) {
        // What stays behind is replaced at the next start.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl AdminSocket {
    /// Opens the socket of a data folder. The caller has the folder's store, which belongs to one
    /// process: a socket that is there already is a dead one's.
    pub(crate) fn open(data: &Path) -> anyhow::Result<Self> {
        let path = data.join(SOCKET_NAME);
        remove_dead(&path)?;
        let listener = UnixListener::bind(&path).with_context(|| {
            format!("{} cannot be opened; is the folder's path too long?", path.display())
        })?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        let owner = std::fs::symlink_metadata(&path)?.uid();
        Ok(Self { listener, path, owner })
    }

    /// Serves until the task is dropped.
    pub(crate) async fn serve(self, edge: Arc<Edge>) -> anyhow::Result<()> {
        let places = Arc::new(Semaphore::new(AT_ONCE_MAX));
        loop {
            let place = Arc::clone(&places).acquire_owned().await?;
            let Ok((stream, _)) = self.listener.accept().await else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            // The file's mode says the same; between its making and its mode there is a moment.
            let may = stream.peer_cred().is_ok_and(|peer| [self.owner, ROOT].contains(&peer.uid()));
            if !may {
                continue;
            }
            let edge = Arc::clone(&edge);
            tokio::spawn(async move {
                converse(&edge, stream).await;
                drop(place);
            });
        }
    }
}

fn remove_dead(path: &Path) -> anyhow::Result<()> {
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path)
            .with_context(|| format!("{} is left over and cannot be removed", path.display())),
        Ok(_) => bail!("{} is in the way: it is no socket", path.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| path.display().to_string()),
    }
}

async fn converse(edge: &Edge, mut stream: UnixStream) {
    let read = timeout(LINE_WITHIN, read(&mut stream)).await;
    let unread = matches!(read, Ok(Err(Code::TooLarge)));
    let answer = match read {
        Ok(Ok(request)) => timeout(ANSWER_WITHIN, Box::pin(carry_out(edge, request)))
            .await
            .unwrap_or_else(|_late| Answer::refused(Code::Busy)),
        Ok(Err(code)) => Answer::refused(code),
        Err(_late) => Answer::refused(Code::NotUnderstood),
    };
    if let Answer::Refused { code, .. } = &answer {
        tracing::info!(?code, "refused at the admin socket");
    }
    // Whoever asked may be gone.
    let _ = timeout(LINE_WITHIN, tell(stream, &line(&answer), unread)).await;
}

/// Says the answer so that it is read: a socket that is closed over unread input takes the answer
/// along.
async fn tell(mut stream: UnixStream, answer: &str, unread: bool) -> std::io::Result<()> {
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await?;
    if !unread {
        return Ok(());
    }
    tokio::io::copy(&mut stream.take(UNREAD_BYTES_MAX), &mut tokio::io::sink()).await.map(drop)
}

/// One line, whole and understood whole.
async fn read(stream: &mut UnixStream) -> Result<Request, Code> {
    let mut line = Vec::new();
    // One byte more shows that it is too long.
    let mut input = BufReader::new(stream.take(REQUEST_BYTES_MAX + 1));
    input.read_until(b'\n', &mut line).await.map_err(|_| Code::NotUnderstood)?;
    if line.len() as u64 > REQUEST_BYTES_MAX {
        return Err(Code::TooLarge);
    }
    match line.split_last() {
        Some((b'\n', request)) => serde_json::from_slice(request).map_err(|_| Code::NotUnderstood),
        Some(_) | None => Err(Code::NotUnderstood),
    }
}

fn line(answer: &Answer) -> String {
    let text = |answer: &Answer| serde_json::to_string(answer).unwrap_or_default() + "\n";
    let whole = text(answer);
    if whole.len() as u64 > ANSWER_BYTES_MAX {
        return text(&Answer::refused(Code::TooLarge));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn heard(said: &[u8]) -> Result<Request, Code> {
        let (mut here, mut there) = UnixStream::pair().expect("a pair");
        let said = said.to_vec();
        tokio::spawn(async move {
            // Whoever is refused early stops reading.
            let _ = there.write_all(&said).await;
        });
        read(&mut here).await
    }

    #[tokio::test]
    async fn a_line_is_understood_whole_or_not_at_all() {
        assert!(matches!(heard(b"{\"do\":\"list_sites\"}\n").await, Ok(Request::ListSites)));
        for bad in [&b""[..], b"\n", b"{\"do\":\"list_sites\"}", b"hello\n", b"\xff\xfe\n"] {
            assert_eq!(heard(bad).await.err(), Some(Code::NotUnderstood), "{bad:?}");
        }
    }

    #[tokio::test]
    async fn an_endless_line_is_refused_without_being_read_to_its_end() {
        let endless = vec![b' '; 1 << 20];
        assert_eq!(heard(&endless).await.err(), Some(Code::TooLarge));
    }

    #[tokio::test]
    async fn a_dead_process_s_socket_is_replaced_and_a_file_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(SOCKET_NAME);
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        assert!(path.exists(), "a dead process leaves its socket behind");
        let socket = AdminSocket::open(folder.path()).expect("it is replaced");
        let mode = std::fs::metadata(&path).expect("it is there").mode();
        assert_eq!(mode & 0o777, 0o600);
        drop(socket);
        assert!(!path.exists());
        std::fs::write(&path, "somebody's").expect("written");
        assert!(AdminSocket::open(folder.path()).is_err());
        assert!(path.exists());
    }
}
