//! What crosses a wire between Minato's parts: plain values, serde only.
//!
//! `README.md` beside this crate tells the protocol to people; `tests/typescript.rs` exports it to
//! the pages.

/// Types that carry a secret show only their name.
macro_rules! hidden {
    ($($name:ident),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    )+};
}

mod code;
mod id;
mod person;
mod pii;
mod time;

pub mod act;
pub mod entry;
pub mod kit;
pub mod lan;
pub mod media;
pub mod photo;
pub mod reading;
pub mod squeeze;
pub mod uplink;
pub mod view;
pub mod wire;

pub use code::Code;
pub use id::*;
pub use person::{Person, Role};
pub use pii::Pii;
pub use time::{Span, Timestamp};
