//! The whole relay over loopback, met by participants of an independent WebRTC stack.

mod call;
mod door;
mod h264;
mod link;
mod peer;
mod stack;
mod stage;
mod stills;
mod thin;
