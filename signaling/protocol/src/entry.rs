//! Coming in: the bodies of the few HTTP requests that make a session.

use crate::{Code, Role};
use serde::{Deserialize, Serialize};

/// `POST /api/join`: the button under the link.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct JoinByLink {
    /// What stood behind the `#`.
    pub secret: String,
    /// Drawn at random by the page (22 characters or more) and kept until it is in: a lost answer
    /// may be asked for again by this browser, and by no other.
    pub browser: String,
}

/// `POST /api/join/spoken`: eight digits from the telephone.
/// `POST /api/transfer/use`: the code of another browser on the same phone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct JoinByCode {
    /// Digits; blanks and hyphens are ignored.
    pub code: String,
    /// As in [`JoinByLink`].
    pub browser: String,
}

/// Answer to every way of coming in, and to `GET /api/me`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Entry {
    /// The cookie opens the WebSocket.
    Open {
        /// In which role.
        role: Role,
    },
    /// A second device: the clinic was asked; ask `GET /api/me` again.
    Pending,
    /// No session.
    Outside,
}

/// Answer to `POST /api/transfer`: a one-time code for another browser on the same phone.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct TransferCode {
    /// Eight digits, valid for five minutes, once.
    pub code: String,
}

/// `POST /api/sign-in`: a member of staff.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SignIn {
    /// The account's name.
    pub account: String,
    /// The password.
    pub password: String,
    /// Six digits of the authenticator (RFC 6238).
    pub totp: String,
}

/// `POST /api/sign-in/once`: a link that the demo prints.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct SignInOnce {
    /// What stood behind the `#`.
    pub secret: String,
}

/// The body of every HTTP refusal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct HttpRefusal {
    /// Stable.
    pub code: Code,
    /// English, for people who read logs; the pages use their dictionary.
    pub message: String,
}

hidden!(JoinByLink, JoinByCode, TransferCode, SignIn, SignInOnce);
