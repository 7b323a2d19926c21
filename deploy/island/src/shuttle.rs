//! Carries frames between the two TAP devices, each direction over its link, and takes orders while
//! it does.

use crate::control::{Answer, Order, Orders};
use crate::link::Link;
use crate::shape::Shape;
use anyhow::Context as _;
use std::time::Instant;
use tokio_tun::Tun;

/// A TAP's frame without its Ethernet header is what an IP link carries and is sold by.
const ETHERNET_HEADER_BYTES: usize = 14;
/// Longest frame of a device with the usual 1500 bytes of payload, with room for a tag.
const FRAME_BYTES_MAX: usize = 1_522;
/// Frames read from one device before the other side, the clock and the orders have a turn.
const READ_AT_ONCE: usize = 32;

type Frame = Box<[u8]>;

/// One end: where its frames come out, and the link that takes them away from here.
struct End {
    tap: Tun,
    away: Link<Frame>,
    /// Frames that the device did not take at the end of their way.
    refused: u64,
}

/// The two ends and what lies between.
pub struct Shuttle {
    /// Its frames go down to the island.
    mainland: End,
    /// Its frames go up to the mainland.
    island: End,
}

impl Shuttle {
    pub fn new(mainland: (Tun, Shape), island: (Tun, Shape), seed: u64) -> Self {
        let end = |(tap, shape), seed| End { tap, away: Link::new(shape, seed), refused: 0 };
        // Two directions with one luck would lose a question and its answer together.
        Self { mainland: end(mainland, seed), island: end(island, !seed) }
    }

    /// Carries until a device fails; ends well when nobody can give orders any more.
    pub async fn run(mut self, mut orders: Orders) -> anyhow::Result<()> {
        let mut buffers = [[0_u8; FRAME_BYTES_MAX]; 2];
        let [down, up] = &mut buffers;
        loop {
            let now = Instant::now();
            deliver(&mut self.mainland.away, &self.island.tap, &mut self.island.refused, now);
            deliver(&mut self.island.away, &self.mainland.tap, &mut self.mainland.refused, now);
            let dues = [self.mainland.away.next_due(), self.island.away.next_due()];
            let due = dues.into_iter().flatten().min();
            tokio::select! {
                read = self.mainland.tap.recv(down) => {
                    let first = read.context("the mainland's device")?;
                    take_in(&mut self.mainland, down, first);
                }
                read = self.island.tap.recv(up) => {
                    let first = read.context("the island's device")?;
                    take_in(&mut self.island, up, first);
                }
                order = orders.recv() => {
                    let Some((order, answer)) = order else { return Ok(()) };
                    // Whoever asked may be gone.
                    let _ = answer.send(self.obey(order));
                }
                () = until(due) => {}
            }
        }
    }

    fn obey(&mut self, order: Order) -> Answer {
        let now = Instant::now();
        let seen = match &order {
            Order::Set { direction, .. } | Order::Cut { direction, .. } => *direction,
            Order::Status => None,
        };
        for (direction, end) in [("up", &mut self.island), ("down", &mut self.mainland)] {
            if seen.is_some_and(|seen| seen.name() != direction) {
                continue;
            }
            match &order {
                Order::Set { changes, .. } => {
                    let mut shape = end.away.shape().clone();
                    if let Err(error) = shape.set_all(changes) {
                        return Answer::refused(&error);
                    }
                    end.away.reshape(shape, now);
                }
                Order::Cut { length, .. } => end.away.cut(*length, now),
                Order::Status => {}
            }
        }
        Answer::of(
            (&self.island.away, self.mainland.refused),
            (&self.mainland.away, self.island.refused),
            now,
        )
    }
}

fn take_in(end: &mut End, buffer: &mut [u8], first: usize) {
    let mut bytes = first;
    for _ in 0..READ_AT_ONCE {
        let frame: Frame = buffer[..bytes].into();
        let counted = bytes.saturating_sub(ETHERNET_HEADER_BYTES);
        // What is dropped is in the link's tally.
        let _ = end.away.offer(frame, counted, Instant::now());
        match end.tap.try_recv(buffer) {
            Ok(more) => bytes = more,
            Err(_) => return,
        }
    }
}

fn deliver(link: &mut Link<Frame>, tap: &Tun, refused: &mut u64, now: Instant) {
    while let Some(frame) = link.take_due(now) {
        // A device that is down, or whose namespace is being left, takes nothing: as a real one.
        if tap.try_send(&frame).is_err() {
            *refused += 1;
        }
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
