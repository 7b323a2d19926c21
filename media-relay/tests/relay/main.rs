//! The whole relay over loopback, met by participants of an independent WebRTC stack.

mod call;
mod counts;
mod door;
mod h264;
mod hostile;
mod link;
mod page;
mod peer;
mod six;
mod stack;
mod stage;
mod stills;
mod tcp;
mod thin;
mod turn;
