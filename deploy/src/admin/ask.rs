//! The other end of the socket: asks the running service, or says in one sentence why nobody
//! answers.

use super::words::{Answer, Request};
use super::{ANSWER_BYTES_MAX, SOCKET_NAME};
use anyhow::{Context as _, anyhow, bail};
use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// The service answers, or says that it is busy, before this.
const ANSWER_WITHIN: Duration = Duration::from_secs(45);

/// Asks the service that runs on a data folder. A refusal is an error with its sentence.
pub(super) fn ask(data: &Path, request: &Request) -> anyhow::Result<Answer> {
    let mut stream = connect(data)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(ANSWER_WITHIN))?;
    let line = serde_json::to_string(request)? + "\n";
    // Whoever is refused early still has an answer to read.
    let sent = stream.write_all(line.as_bytes());
    let mut answer = String::new();
    BufReader::new(stream.take(ANSWER_BYTES_MAX)).read_line(&mut answer)?;
    if answer.is_empty() {
        sent?;
        bail!("minato ended before it answered; list what there is before you try again");
    }
    match serde_json::from_str(&answer).context("the running minato is of another version")? {
        Answer::Refused { code, message, .. } => {
            Err(anyhow!("refused ({}): {message}", serde_json::to_string(&code)?.trim_matches('"')))
        }
        answer => Ok(answer),
    }
}

fn connect(data: &Path) -> anyhow::Result<UnixStream> {
    let path = data.join(SOCKET_NAME);
    UnixStream::connect(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => anyhow!(
            "no minato runs on {}: start it first, or name its data folder with --data",
            data.display()
        ),
        ErrorKind::PermissionDenied => anyhow!(
            "{} belongs to another user: only the one that minato runs as may do this",
            path.display()
        ),
        _ => anyhow!("{} cannot be reached: {error}", path.display()),
    })
}
