//! One direction of a link: what happens to a frame between its two ends. PURE.
//!
//! A frame waits in the queue until the rate lets it leave, is lost or not when it leaves, and
//! arrives after the delay. What is lost on the way has used up its time on the link, as on a real
//! one. A frame's luck is drawn when it is offered, so that it hangs on the seed and on how many
//! frames were offered before it, never on the clock.

use crate::dice::{Dice, Throw};
use crate::shape::{Burst, Shape};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

/// Bytes that may wait and fly in one direction: 60 s of delay at 8 Mbit/s. What is offered beyond
/// it is dropped, so that a long delay on a fast link cannot eat the machine's memory.
pub const HELD_BYTES_MAX: usize = 64 << 20;

/// Why a frame did not get onto the link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dropped {
    QueueFull,
    BlackOut,
    HeldTooMuch,
}

/// What happened so far. Everything offered is in exactly one of the others, waits or flies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    pub offered: u64,
    pub offered_bytes: u64,
    pub delivered: u64,
    pub delivered_bytes: u64,
    pub lost_evenly: u64,
    pub lost_in_bursts: u64,
    pub lost_in_black_outs: u64,
    pub queue_full: u64,
    pub held_too_much: u64,
    /// Now in the queue and on the way.
    pub waiting: u64,
    pub waiting_bytes: u64,
    pub flying: u64,
}

#[derive(Debug)]
pub struct Link<F> {
    shape: Shape,
    dice: Dice,
    is_bad: bool,
    waiting: VecDeque<Frame<F>>,
    /// When the front of `waiting` has left; none when nothing waits.
    front_leaves: Option<Instant>,
    flying: BinaryHeap<Flying<F>>,
    held_bytes: usize,
    waiting_bytes: usize,
    flown: u64,
    last_due: Option<Instant>,
    cut_until: Option<Instant>,
    tally: Tally,
}

#[derive(Debug)]
struct Frame<F> {
    what: F,
    bytes: usize,
    luck: Luck,
}

#[derive(Debug, Clone, Copy)]
struct Luck {
    lost: Option<Lost>,
    jitter: f64,
}

#[derive(Debug, Clone, Copy)]
enum Lost {
    Evenly,
    InBurst,
}

impl<F> Link<F> {
    pub fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            dice: Dice::new(seed),
            is_bad: false,
            waiting: VecDeque::new(),
            front_leaves: None,
            flying: BinaryHeap::new(),
            held_bytes: 0,
            waiting_bytes: 0,
            flown: 0,
            last_due: None,
            cut_until: None,
            tally: Tally::default(),
        }
    }

    pub fn shape(&self) -> &Shape {
        &self.shape
    }

    /// A frame comes in at the near end. `bytes` is what counts against the rate and the queue.
    pub fn offer(&mut self, what: F, bytes: usize, now: Instant) -> Result<(), Dropped> {
        self.advance(now);
        self.tally.offered += 1;
        self.tally.offered_bytes += bytes as u64;
        let luck = self.draw();
        self.room_for(bytes, now).inspect_err(|why| match why {
            Dropped::QueueFull => self.tally.queue_full += 1,
            Dropped::BlackOut => self.tally.lost_in_black_outs += 1,
            Dropped::HeldTooMuch => self.tally.held_too_much += 1,
        })?;
        self.held_bytes += bytes;
        self.waiting_bytes += bytes;
        self.waiting.push_back(Frame { what, bytes, luck });
        if self.front_leaves.is_none() {
            self.front_leaves = Some(now + self.shape.busy(bytes));
        }
        self.advance(now);
        Ok(())
    }

    /// The next frame that has arrived at the far end by now.
    pub fn take_due(&mut self, now: Instant) -> Option<F> {
        self.advance(now);
        if self.flying.peek()?.due > now {
            return None;
        }
        let Flying { frame, .. } = self.flying.pop()?;
        self.held_bytes -= frame.bytes;
        self.tally.delivered += 1;
        self.tally.delivered_bytes += frame.bytes as u64;
        Some(frame.what)
    }

    /// When something may be due next; ask `take_due` then.
    pub fn next_due(&self) -> Option<Instant> {
        let arrives = self.flying.peek().map(|first| first.due);
        [arrives, self.front_leaves].into_iter().flatten().min()
    }

    /// Changes the link. What flies keeps the delay it left with; what waits leaves at the new rate.
    pub fn reshape(&mut self, shape: Shape, now: Instant) {
        self.advance(now);
        self.shape = shape;
        if let (Some(leaves), Some(front)) = (self.front_leaves, self.waiting.front()) {
            // The frame that is leaving may leave sooner now, never later.
            self.front_leaves = Some(leaves.min(now + self.shape.busy(front.bytes)));
        }
        self.advance(now);
    }

    /// A black-out: until then everything is lost that is offered or would leave the queue. What
    /// already flies arrives. A length of zero ends one.
    pub fn cut(&mut self, length: Duration, now: Instant) {
        self.advance(now);
        self.cut_until = Some(now + length);
    }

    pub fn is_cut(&self, at: Instant) -> bool {
        self.cut_until.is_some_and(|until| at < until)
    }

    pub fn tally(&self) -> Tally {
        Tally {
            waiting: self.waiting.len() as u64,
            waiting_bytes: self.waiting_bytes as u64,
            flying: self.flying.len() as u64,
            ..self.tally.clone()
        }
    }

    fn room_for(&self, bytes: usize, now: Instant) -> Result<(), Dropped> {
        if self.is_cut(now) {
            return Err(Dropped::BlackOut);
        }
        if self.held_bytes + bytes > HELD_BYTES_MAX {
            return Err(Dropped::HeldTooMuch);
        }
        // An idle link takes a frame of any length.
        let would_wait = (self.waiting_bytes + bytes) as u64;
        if !self.waiting.is_empty() && would_wait > self.shape.queue_bytes() {
            return Err(Dropped::QueueFull);
        }
        Ok(())
    }

    fn draw(&mut self) -> Luck {
        let throw = self.dice.throw();
        let in_burst = self.shape.burst.is_some_and(|burst| self.burst(burst, throw));
        let lost = if in_burst {
            Some(Lost::InBurst)
        } else if throw.loss * 100.0 < self.shape.loss_percent {
            Some(Lost::Evenly)
        } else {
            None
        };
        Luck { lost, jitter: throw.jitter }
    }

    /// Goes on by one frame in the Gilbert-Elliott model; true when that frame is lost by it.
    fn burst(&mut self, burst: Burst, throw: Throw) -> bool {
        let turns = if self.is_bad { burst.leave_percent } else { burst.enter_percent };
        if throw.turn * 100.0 < turns {
            self.is_bad = !self.is_bad;
        }
        self.is_bad && throw.burst * 100.0 < burst.loss_percent
    }

    /// Lets everything leave the queue whose time has come.
    fn advance(&mut self, now: Instant) {
        while let Some(left) = self.front_leaves.filter(|leaves| *leaves <= now) {
            let Some(frame) = self.waiting.pop_front() else {
                self.front_leaves = None;
                return;
            };
            self.waiting_bytes -= frame.bytes;
            self.front_leaves = self.waiting.front().map(|next| left + self.shape.busy(next.bytes));
            self.leave(frame, left);
        }
    }

    fn leave(&mut self, frame: Frame<F>, left: Instant) {
        let count = match frame.luck.lost {
            _ if self.is_cut(left) => &mut self.tally.lost_in_black_outs,
            Some(Lost::Evenly) => &mut self.tally.lost_evenly,
            Some(Lost::InBurst) => &mut self.tally.lost_in_bursts,
            None => return self.fly(frame, left),
        };
        *count += 1;
        self.held_bytes -= frame.bytes;
    }

    fn fly(&mut self, frame: Frame<F>, left: Instant) {
        let jitter_ms = f64::from(self.shape.jitter_ms) * frame.luck.jitter;
        let delay_ms = (f64::from(self.shape.delay_ms) + jitter_ms).max(0.0);
        let mut due = left + Duration::from_secs_f64(delay_ms / 1_000.0);
        if !self.shape.reorder {
            due = self.last_due.map_or(due, |last| due.max(last));
        }
        self.last_due = Some(self.last_due.map_or(due, |last| due.max(last)));
        self.flown += 1;
        self.flying.push(Flying { due, place: self.flown, frame });
    }
}

/// In the heap the first due is on top; of two due at once the one that left first.
#[derive(Debug)]
struct Flying<F> {
    due: Instant,
    place: u64,
    frame: Frame<F>,
}

impl<F> Ord for Flying<F> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.place).cmp(&(self.due, self.place))
    }
}

impl<F> PartialOrd for Flying<F> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<F> PartialEq for Flying<F> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<F> Eq for Flying<F> {}

#[cfg(test)]
mod tests;
