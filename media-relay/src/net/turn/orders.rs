//! What the core orders, and what comes by streams.

use super::batch::Sent;
use super::edge::{Edge, token};
use super::packets::{Desk, family};
use super::spelling::reachable;
use super::streams::FromStream;
use crate::turn::{At, Client, Command, Framing, ToPeer, frame_len};
use tokio::sync::mpsc;

/// Messages of streams handled in one round.
const STREAM_BATCH: usize = 128;

impl Edge {
    /// What came by TCP and TLS. `true`: stop.
    pub(super) fn hear_streams(&mut self, desk: &mut Desk, at: At) -> bool {
        for _ in 0..STREAM_BATCH {
            match self.inbox.try_recv() {
                Ok(FromStream::Opened { connection, answers }) => {
                    self.answers_by_connection.insert(connection, answers);
                }
                Ok(FromStream::Frames { connection, address, bytes }) => {
                    self.relay_from_stream(
                        Client::Stream { connection, address },
                        &bytes,
                        desk,
                        at,
                    );
                }
                Ok(FromStream::Closed { connection, address }) => {
                    self.answers_by_connection.remove(&connection);
                    self.turn.gone(Client::Stream { connection, address }, &mut desk.commands);
                    self.obey(&mut desk.commands, at);
                }
                Ok(FromStream::Drain(done)) => {
                    self.turn.drain();
                    // Who asked may have gone.
                    let _ = done.send(());
                }
                Ok(FromStream::Stop) | Err(mpsc::error::TryRecvError::Disconnected) => return true,
                Err(mpsc::error::TryRecvError::Empty) => return false,
            }
        }
        self.wake.ring();
        false
    }

    fn relay_from_stream(&mut self, client: Client, bytes: &[u8], desk: &mut Desk, at: At) {
        let mut rest = bytes;
        while let Framing::Length(length) = frame_len(rest) {
            let Some((frame, behind)) = rest.split_at_checked(length) else { return };
            rest = behind;
            self.tally.came_from_client(frame.len());
            if let Some(out) = self.turn.from_client(client, frame, at, &mut desk.commands)
                && !self.pass_to_unit(&out)
            {
                let went = self.send_one(&out);
                self.tally.went_to_peer(Sent::one(went));
            }
            self.obey(&mut desk.commands, at);
        }
    }

    fn send_one(&self, out: &ToPeer<'_>) -> bool {
        let number = self.relayed.number(out.allocation, family(out.peer));
        let relayed = number.and_then(|number| self.relayed.get(number));
        relayed.is_some_and(|relayed| relayed.socket.send_to(out.data, out.peer).is_ok())
    }

    /// Does what the core says, and what follows from that.
    pub(super) fn obey(&mut self, commands: &mut Vec<Command>, at: At) {
        while !commands.is_empty() {
            for command in std::mem::take(commands) {
                match command {
                    Command::Answer { client, bytes } => self.answer(client, bytes),
                    Command::Open { allocation, family, port } => {
                        let opened = self.relayed.open(&self.poll, token, allocation, family, port);
                        self.turn.opened(allocation, family, opened, at, commands);
                        self.tell_unit(allocation);
                    }
                    Command::Close { allocation, family } => {
                        for told in self.relayed.close(allocation, family) {
                            self.unit.iter().for_each(|unit| unit.close(told));
                        }
                    }
                    Command::Release { reserved } => self.relayed.release(reserved),
                }
            }
        }
    }

    fn answer(&mut self, client: Client, bytes: Vec<u8>) {
        match client {
            Client::Udp { listener, address } => {
                let Some(port) = self.ports.get(usize::from(listener)) else { return };
                let to = reachable(address, port.is_v6);
                self.tally.answered(port.socket.send_to(&bytes, to).is_ok());
            }
            Client::Stream { connection, .. } => {
                let answers = self.answers_by_connection.get(&connection);
                let went = answers.is_some_and(|answers| answers.push(bytes));
                self.tally.answered(went);
                if !went {
                    // A client that is not answered waits in vain: better it comes anew.
                    self.answers_by_connection.remove(&connection);
                }
            }
        }
    }
}
