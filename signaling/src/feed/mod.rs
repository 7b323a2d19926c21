//! Views and cursors to screens: what a screen has, and what it has to be sent next.

mod lists;
mod screen;
mod told;

pub use lists::{Around, List, Lists};
pub use screen::Screen;
pub(crate) use screen::may_read;
pub use told::Rooms;
