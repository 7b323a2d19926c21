//! The TURN thread: it owns the core, all TURN UDP sockets and the clock, and feeds what comes.
//!
//! What costs is system calls. Packets of a port come by one call for many, packets to clients
//! leave by one call for all that one round brought, and a packet lies in one place from its way in
//! to its way out.

use super::packets::Desk;
use super::passage::TurnEnd;
use super::relayed::Relayed;
use super::streams::{Answers, FromStream};
use super::tally::Tally;
use super::wake::Wake;
use crate::turn::{At, Turn};
use rustix::event::epoll;
use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc;

/// Events taken from the poll at once.
const EVENTS_MAX: usize = 128;
/// How often the counters are told.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// After a round that served the forwarding unit of this process: packets of a call that come in this
/// time are worked off together.
const REST: Duration = Duration::from_millis(2);
/// Longest sleep: a stepped wall clock is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(10);

/// Numbers that the poll tells with its events: the bell, then the ports, then relayed sockets.
const BELL: u64 = 0;
const FIRST_PORT: u64 = 1;
const FIRST_RELAYED: u64 = 1 << 16;

/// A UDP listener.
#[derive(Debug)]
pub(super) struct Port {
    pub(super) socket: UdpSocket,
    pub(super) is_v6: bool,
}

impl Port {
    pub(super) fn new(socket: UdpSocket) -> io::Result<Self> {
        let is_v6 = socket.local_addr()?.is_ipv6();
        Ok(Self { socket, is_v6 })
    }
}

/// Everything the thread owns.
#[derive(Debug)]
pub(super) struct Edge {
    pub(super) turn: Turn,
    pub(super) poll: OwnedFd,
    pub(super) ports: Vec<Port>,
    pub(super) relayed: Relayed,
    pub(super) answers_by_connection: HashMap<u64, Answers>,
    pub(super) inbox: mpsc::Receiver<FromStream>,
    /// The forwarding unit of this process, if there is one.
    pub(super) unit: Option<TurnEnd>,
    pub(super) wake: Arc<Wake>,
    pub(super) tally: Tally,
}

impl Edge {
    pub(super) fn new(
        turn: Turn,
        ports: Vec<Port>,
        relayed: Relayed,
        inbox: mpsc::Receiver<FromStream>,
        unit: Option<TurnEnd>,
        wake: Arc<Wake>,
    ) -> io::Result<Self> {
        let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&poll, &*wake, epoll::EventData::new_u64(BELL), epoll::EventFlags::IN)?;
        for (token, port) in (FIRST_PORT..).zip(&ports) {
            let token = epoll::EventData::new_u64(token);
            epoll::add(&poll, &port.socket, token, epoll::EventFlags::IN)?;
        }
        let answers_by_connection = HashMap::new();
        let tally = Tally::default();
        Ok(Self { turn, poll, ports, relayed, answers_by_connection, inbox, unit, wake, tally })
    }

    /// Runs until it is told to stop. Every round looks at everything that is ready, once.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS_MAX);
        let mut desk = Desk::new();
        let mut told = Instant::now();
        loop {
            events.clear();
            let sleep = self.sleep(Instant::now(), told);
            let timeout = sleep.try_into().ok();
            let room = rustix::buffer::spare_capacity(&mut events);
            match epoll::wait(&self.poll, room, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            let at = at();
            desk.round += 1;
            if self.round(&events, &mut desk, at) {
                return Ok(());
            }
            if self.turn.next_deadline().is_some_and(|due| due <= at.now) {
                self.turn.expire(at, &mut desk.commands);
                self.obey(&mut desk.commands, at);
            }
            if at.now.saturating_duration_since(told) >= TELL_EVERY {
                told = at.now;
                self.tally.tell(&self.turn.counts());
            }
            if desk.may_rest() {
                std::thread::sleep(REST);
            }
        }
    }

    /// How long nothing has to be done if nothing comes.
    fn sleep(&self, now: Instant, told: Instant) -> Duration {
        let telling = self.tally.is_changed().then(|| told + TELL_EVERY);
        let due = [self.turn.next_deadline(), telling].into_iter().flatten().min();
        let sleep = due.map_or(SLEEP_MAX, |due| due.saturating_duration_since(now));
        // The poll counts milliseconds: one more, so that it is not asked again too early.
        if sleep.is_zero() { sleep } else { (sleep + Duration::from_millis(1)).min(SLEEP_MAX) }
    }

    /// `true`: stop. First what goes to clients, so that it shares one call; then the ports.
    fn round(&mut self, events: &[epoll::Event], desk: &mut Desk, at: At) -> bool {
        for event in events {
            let number = event.data.u64();
            if number >= FIRST_RELAYED {
                self.relay_from_peers(index(number, FIRST_RELAYED), desk, at);
            }
        }
        self.send_to_clients(desk);
        let mut stop = false;
        for event in events {
            let number = event.data.u64();
            if number == BELL {
                self.wake.heard();
                self.relay_from_unit(desk, at);
                stop |= self.hear_streams(desk, at);
            } else if number < FIRST_RELAYED {
                self.relay_from_clients(index(number, FIRST_PORT), desk, at);
            }
        }
        stop
    }
}

/// What the poll tells of a relayed socket.
pub(super) fn token(relayed: usize) -> epoll::EventData {
    epoll::EventData::new_u64(FIRST_RELAYED + relayed as u64)
}

/// Numbers were made from indexes of this machine's width.
fn index(number: u64, first: u64) -> usize {
    usize::try_from(number - first).unwrap_or(usize::MAX)
}

fn at() -> At {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    At { now: Instant::now(), unix_s: unix.as_secs() }
}
