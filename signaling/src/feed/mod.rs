//! Views and cursors to screens: what a screen has, and what it has to be sent next.

mod screen;
mod tickets;

pub use screen::Screen;
