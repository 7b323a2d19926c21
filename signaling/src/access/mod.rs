//! Who may come in: staff accounts, patients' links and codes, and the sessions made from them.
//!
//! [`Account`], [`Link`] and [`Session`] are pure and live in streams of their own. [`doors`] is
//! where somebody comes in; [`who`] is asked at every step afterwards. Secrets are derived from
//! the node's secret ([`Secrets`]) or drawn at random, handed over once, and stored only as
//! keyed hashes.

mod account;
mod directory;
pub mod doors;
mod limits;
mod link;
mod node_key;
mod password;
mod secret_hash;
mod secrets;
mod session;
mod totp;
mod who;

pub use account::{Account, Command as AccountCommand, Event as AccountEvent, NewAccountRecord};
pub use directory::{Card, Directory, Roll};
pub use limits::Limits;
pub use link::{Command as LinkCommand, Event as LinkEvent, Issued, Kind, Link};
pub use node_key::SecretsError;
pub use secret_hash::{SecretHash, SecretHashInvalid};
pub use secrets::{Label, Secrets, random_id, random_text};
pub use session::{Command as SessionCommand, Event as SessionEvent, Principal, Session, Why};
pub use totp::TotpSecret;
pub(crate) use who::session_is_over;
pub use who::{Who, admitted, who};
