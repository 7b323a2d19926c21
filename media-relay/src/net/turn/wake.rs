//! A bell that gets the TURN thread out of its poll.

use rustix::event::{EventfdFlags, eventfd};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug)]
pub(super) struct Wake {
    bell: OwnedFd,
    rung: AtomicBool,
}

impl Wake {
    pub(super) fn new() -> io::Result<Self> {
        let bell = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        Ok(Self { bell, rung: AtomicBool::new(false) })
    }

    /// To be called after something was put in the queue. Ringing twice costs nothing.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::AcqRel) {
            // It can only fail when the bell has been rung 2^64 times unheard.
            let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
        }
    }

    /// To be called before the queue is looked at: what is put in later rings again.
    pub(super) fn heard(&self) {
        let _ = rustix::io::read(&self.bell, &mut [0_u8; 8]);
        self.rung.store(false, Ordering::Release);
    }
}

impl AsFd for Wake {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
