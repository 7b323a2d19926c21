//! What a person would answer when BlueZ asks whether a device may be paired. It is there only while
//! the operator allows pairing, and stands beside the device then.

use bluer::Session;
use bluer::agent::{Agent, AgentHandle, ReqError};

/// Agrees to what needs no code, and shows the code that has to be typed on the device. A device
/// that wants to be told a code of its own is refused: nobody can type here.
pub(super) async fn agent(session: &Session) -> bluer::Result<AgentHandle> {
    let agent = Agent {
        request_default: true,
        display_passkey: Some(Box::new(|shown| {
            tracing::info!(device = %shown.device, "type {:06} on the device", shown.passkey);
            Box::pin(async { Ok(()) })
        })),
        request_confirmation: Some(Box::new(|asked| {
            tracing::info!(device = %asked.device, "pairs; it shows {:06}", asked.passkey);
            Box::pin(async { Ok(()) })
        })),
        request_authorization: Some(Box::new(|asked| {
            tracing::info!(device = %asked.device, "pairs");
            Box::pin(async { Ok(()) })
        })),
        authorize_service: Some(Box::new(|_| Box::pin(async { Err(ReqError::Rejected) }))),
        ..Agent::default()
    };
    session.register_agent(agent).await
}
