//! How an operator sets a running service up: a socket in its data folder, and the subcommands
//! that speak to it. The store belongs to the running process alone.

mod ask;
mod carry_out;
mod command;
mod drawn;
mod socket;
mod words;

pub(crate) use carry_out::{expect_gateway, put_on_rosters};
pub(crate) use command::{Operate, run};
pub(crate) use socket::AdminSocket;

/// The socket's name in the data folder.
const SOCKET_NAME: &str = "admin.sock";
/// One request is a line of at most so many bytes; a longer one is refused.
const REQUEST_BYTES_MAX: u64 = 16 * 1024;
/// One answer is a line of at most so many bytes; a longer one is refused instead.
const ANSWER_BYTES_MAX: u64 = 4 * 1024 * 1024;
