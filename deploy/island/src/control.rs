//! What may be said to a link while it runs: lines of words in, lines of JSON out.
//!
//! `delay 300`, `up loss 5`, `down rate 256k`, `blackout 30s`, `address 203.0.113.3`, `status`; the
//! same on standard input, on the control socket and with `minato-island tell`.

use crate::house::Places;
use crate::link::{Link, Tally};
use crate::shape::{self, SETTINGS, Shape};
use serde::Serialize;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// Orders that may wait; whoever gives one more waits too.
const ORDERS_MAX: usize = 16;
/// Longest line that is read; whoever says more is hung up on.
const LINE_BYTES_MAX: u64 = 4_096;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the island to the mainland.
    Up,
    /// From the mainland to the island.
    Down,
}

impl Direction {
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// What the shuttle is told to do; without a direction both are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    Set { direction: Option<Direction>, changes: String },
    Cut { direction: Option<Direction>, length: Duration },
    Status,
}

pub type Orders = mpsc::Receiver<(Order, oneshot::Sender<Answer>)>;

/// The state after an order, or why nothing was changed.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    State { up: Box<State>, down: Box<State> },
    Moved { island: Ipv4Addr },
    Refused { error: String },
}

#[derive(Debug, Serialize)]
pub struct State {
    shape: Shape,
    is_blacked_out: bool,
    #[serde(flatten)]
    tally: Tally,
    /// Arrived, but the device at the far end was down.
    refused_at_the_end: u64,
}

impl State {
    fn of<F>((link, refused_at_the_end): (&Link<F>, u64), now: Instant) -> Box<Self> {
        Box::new(Self {
            shape: link.shape().clone(),
            is_blacked_out: link.is_cut(now),
            tally: link.tally(),
            refused_at_the_end,
        })
    }
}

impl Answer {
    pub fn of<F>(up: (&Link<F>, u64), down: (&Link<F>, u64), now: Instant) -> Self {
        Self::State { up: State::of(up, now), down: State::of(down, now) }
    }

    pub fn refused(why: &dyn std::fmt::Display) -> Self {
        Self::Refused { error: why.to_string() }
    }
}

/// What a line asks for.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    Order(Order),
    Move(Ipv4Addr),
}

fn parse(line: &str) -> Result<Line, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (direction, words) = match words.as_slice() {
        ["up", rest @ ..] => (Some(Direction::Up), rest),
        ["down", rest @ ..] => (Some(Direction::Down), rest),
        all => (None, all),
    };
    match (direction, words) {
        (None, ["status"]) => Ok(Line::Order(Order::Status)),
        (None, ["address", address]) => {
            address.parse().map(Line::Move).map_err(|_| format!("{address} is no IPv4 address"))
        }
        (_, ["blackout", length]) => {
            let length = shape::span(length).ok_or_else(|| {
                format!("a black-out lasts as long as 30s or 500ms, not {length}")
            })?;
            Ok(Line::Order(Order::Cut { direction, length }))
        }
        (_, []) => Err(format!(
            "nothing was said; there are status, address IPV4, blackout 30s, {SETTINGS}, \
             each of the last with up or down before it if one direction is meant"
        )),
        (_, words) => {
            let changes = words.join(" ");
            // Tried here on any link, so that both directions change or none.
            Shape::default().set_all(&changes).map_err(|error| error.to_string())?;
            Ok(Line::Order(Order::Set { direction, changes }))
        }
    }
}

/// Where lines go: to the shuttle, or to the island's own address.
#[derive(Debug, Clone)]
pub struct Control {
    orders: mpsc::Sender<(Order, oneshot::Sender<Answer>)>,
    places: Places,
}

impl Control {
    pub fn new(places: Places) -> (Self, Orders) {
        let (orders, received) = mpsc::channel(ORDERS_MAX);
        (Self { orders, places }, received)
    }

    /// Does what a line says and gives the answer as one line of JSON.
    pub async fn say(&self, line: &str) -> String {
        let answer = match parse(line) {
            Ok(Line::Order(order)) => self.order(order).await,
            Ok(Line::Move(address)) => match self.places.move_island(address).await {
                Ok(()) => Answer::Moved { island: address },
                Err(error) => Answer::refused(&format!("{error:#}")),
            },
            Err(error) => Answer::refused(&error),
        };
        serde_json::to_string(&answer).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
    }

    async fn order(&self, order: Order) -> Answer {
        let (answer, answered) = oneshot::channel();
        if self.orders.send((order, answer)).await.is_err() {
            return Answer::refused(&"the link has ended");
        }
        answered.await.unwrap_or_else(|_| Answer::refused(&"the link has ended"))
    }

    /// Serves a socket of the file system; a stale one at that place is replaced.
    pub fn listen(&self, path: &Path) -> std::io::Result<SocketFile> {
        if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        let control = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(control.clone().serve(stream));
            }
        });
        Ok(SocketFile(path.to_owned()))
    }

    async fn serve(self, mut stream: UnixStream) {
        let (read, mut write) = stream.split();
        let mut read = BufReader::new(read);
        let mut line = String::new();
        loop {
            line.clear();
            match (&mut read).take(LINE_BYTES_MAX).read_line(&mut line).await {
                Ok(1..) if line.ends_with('\n') => {}
                Ok(_) | Err(_) => return,
            }
            let answer = self.say(line.trim()).await + "\n";
            if write.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

/// The control socket's name; gone with this, unless the process is killed.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_order_for_one_direction_or_both() {
        let both = Order::Set { direction: None, changes: "delay 300".into() };
        assert_eq!(parse("delay 300"), Ok(Line::Order(both)));
        let up = Order::Set { direction: Some(Direction::Up), changes: "loss 5, rate 64k".into() };
        assert_eq!(parse(" up  loss 5, rate 64k"), Ok(Line::Order(up)));
        let cut = Order::Cut { direction: None, length: Duration::from_secs(30) };
        assert_eq!(parse("blackout 30s"), Ok(Line::Order(cut)));
        assert_eq!(parse("status"), Ok(Line::Order(Order::Status)));
        assert_eq!(parse("address 203.0.113.3"), Ok(Line::Move(Ipv4Addr::new(203, 0, 113, 3))));
    }

    #[test]
    fn a_line_that_cannot_be_meant_says_what_can() {
        assert!(parse("").unwrap_err().contains("blackout 30s"));
        assert!(parse("fly 3").unwrap_err().contains("delay MS"));
        assert!(parse("up address 203.0.113.3").is_err());
        assert!(parse("blackout soon").unwrap_err().contains("30s"));
        assert!(parse("address home").unwrap_err().contains("home"));
    }
}
