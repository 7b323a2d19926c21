//! The whole relay over loopback, met by participants of an independent WebRTC stack.

mod call;
mod door;
mod link;
mod peer;
mod stack;
mod stage;
mod thin;
mod turn;
