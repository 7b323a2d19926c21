//! Waiting rooms, visits, and who may come in.
//!
//! Arrows run down: `http` uses `acts` and `feed`, these use `desk`, which uses `log`; `views` use
//! `room`, `staff`, `visit`, `subject`, `kit` and the rules of `site`, which are pure.

pub mod access;
mod acts;
pub mod aggregate;
pub mod blob;
pub mod clock;
pub mod desk;
pub mod feed;
pub mod gateway;
pub mod http;
pub mod kit;
pub mod log;
pub mod photos;
pub mod presence;
pub mod readers;
pub mod readings;
pub mod relays;
pub mod room;
pub mod site;
pub mod sorted;
pub mod staff;
pub mod subject;
pub mod vault;
pub mod views;
pub mod visit;
