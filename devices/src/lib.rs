//! What the nurse attaches: frames of real devices become readings, kept on the gateway's disk
//! until the broker has them.
//!
//! `codec`, `driver`, `reading`, `plausible`, `run`, `binding`, `inspect` and the simulator are pure:
//! bytes and times go in, values come out. Around them stand the bench, the ledger with its
//! outbox, the uplink for numbers and the relay's data channel for waves.

pub mod bench;
pub mod binding;
pub mod clock;
pub mod codec;
pub mod device_clock;
pub mod driver;
pub mod gateway;
pub mod inspect;
pub mod lan;
pub mod ledger;
pub mod outbox;
pub mod page;
pub mod plausible;
pub mod reading;
pub mod run;
pub mod status;
pub mod transport;
pub mod trouble;

mod boot;
mod dial;
mod identity;
mod key;
mod private;
mod rehearsal;
mod sealing;
mod uplink;
mod waves;
