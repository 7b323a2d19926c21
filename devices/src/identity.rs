//! Who this gateway is: exchanged once for a code, kept beside the key.

use crate::dial::{DialError, Dialer, below};
use crate::key::GatewayKey;
use http::Method;
use minato_protocol::uplink::{EnrolRequest, Enrolled};
use minato_protocol::{GatewayId, SiteId};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::time::Duration;
use thiserror::Error;

const FILE: &str = "identity.json";
/// A broker that cannot be reached yet is asked again this often.
const RETRY_EVERY: Duration = Duration::from_secs(1);

/// What the broker gave for the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Who.
    pub(crate) gateway: GatewayId,
    /// Where it hangs.
    pub(crate) site: SiteId,
}

/// Why there is no identity.
#[derive(Debug, Error)]
pub enum EnrolError {
    /// Never enrolled, and no code to do it with.
    #[error("this gateway is not enrolled: start it once with --code and the code from the board")]
    NoCode,
    /// The broker does not take the code.
    #[error("the broker does not take this code ({status}): ask for a new one on the board")]
    CodeRefused {
        /// HTTP status.
        status: u16,
    },
    /// The broker's address is wrong.
    #[error(transparent)]
    Address(DialError),
    /// The file cannot be read or written.
    #[error("the identity cannot be kept: {0}")]
    File(#[from] std::io::Error),
    /// The file or the broker's answer is not what was expected.
    #[error("the identity is unreadable")]
    Unreadable,
}

/// Reads the identity, or enrols with the code. A broker that is not there yet is waited for.
pub(crate) async fn establish(
    folder: &Path,
    broker_url: &str,
    code: Option<&str>,
    key: &GatewayKey,
    dialer: &Dialer,
) -> Result<Identity, EnrolError> {
    let path = folder.join(FILE);
    match std::fs::read(&path) {
        Ok(bytes) => return serde_json::from_slice(&bytes).map_err(|_| EnrolError::Unreadable),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error.into()),
    }
    let code = code.ok_or(EnrolError::NoCode)?.to_owned();
    let request = EnrolRequest { code, public_key: key.public() };
    let identity = enrol(broker_url, &request, dialer).await?;
    keep(&path, identity)?;
    tracing::info!(gateway = %identity.gateway, site = %identity.site, "enrolled");
    Ok(identity)
}

async fn enrol(
    broker_url: &str,
    request: &EnrolRequest,
    dialer: &Dialer,
) -> Result<Identity, EnrolError> {
    let address = below(broker_url, "/gateway/enrol").map_err(EnrolError::Address)?;
    loop {
        match dialer.request(Method::POST, &address, None, request).await {
            Ok(answer) if answer.status.is_success() => {
                let enrolled: Enrolled =
                    serde_json::from_slice(&answer.body).map_err(|_| EnrolError::Unreadable)?;
                return Ok(Identity { gateway: enrolled.gateway, site: enrolled.site });
            }
            Ok(answer) if answer.status.is_client_error() && answer.status != 429 => {
                return Err(EnrolError::CodeRefused { status: answer.status.as_u16() });
            }
            Ok(answer) => tracing::warn!(status = %answer.status, "the broker cannot enrol now"),
            Err(error) => tracing::info!(%error, "the broker cannot be reached yet"),
        }
        tokio::time::sleep(RETRY_EVERY).await;
    }
}

fn keep(path: &Path, identity: Identity) -> Result<(), EnrolError> {
    let bytes = serde_json::to_vec(&identity).map_err(|_| EnrolError::Unreadable)?;
    let beside = path.with_extension("new");
    std::fs::write(&beside, bytes)?;
    std::fs::File::open(&beside)?.sync_all()?;
    std::fs::rename(&beside, path)?;
    Ok(())
}
