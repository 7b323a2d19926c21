//! The whole relay over loopback, met by participants of an independent WebRTC stack.

mod call;
mod counts;
mod door;
mod hostile;
mod link;
mod page;
mod peer;
mod stack;
mod stage;
mod tcp;
mod thin;
mod turn;
