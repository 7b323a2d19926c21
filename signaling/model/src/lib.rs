//! The claim protocol over staff and room streams, with every interleaving and every crash.
//!
//! The rules that are checked are the rules that run: [`minato_signaling::room::Room`],
//! [`minato_signaling::staff::Staff`] and [`minato_signaling::staff::judge`]. What is modelled is
//! only the order of the steps that the desk takes between them:
//!
//! - a claim: choose a ticket (epoch + 1), reserve the doctor, reserve the bedside nurse, `Call`;
//! - a hand-over: reserve the new doctor (epoch + 1), `HandOver`;
//! - settling: read a reservation, see the room, judge, burn if need be, release or renew;
//! - end, park, return: the room first, then settle the doctor and the nurse.
//!
//! Between any two steps anybody else may act, any process may be refused for no reason (a stale
//! cache, a busy node) or may crash and forget everything. Time does not pass in the model: a
//! watchman may settle any reservation at any moment, however young, which is more than the
//! service allows itself.
//!
//! [`Guards`] takes one guard out of the protocol at a time. Then the checker has to find what the
//! guard is there for.

mod clinic;
mod laws;
mod plan;
mod process;
mod settling;

pub use clinic::{Clinic, Ghost};
pub use laws::{LAWS, WISHES};
pub use plan::{Action, Guards, Mendable, Plan, Script, State};
pub use process::{Process, Step, Verb};
