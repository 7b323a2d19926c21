//! The forwarding unit without its sockets: packets, time and commands in, packets out.
//!
//! Everything here belongs to one thread. Nothing waits, nothing asks a clock.

use super::addresses::{Addresses, Key, Sort, sort};
use super::figures::Figures;
use super::session::{Drained, Session};
use super::{Command, Reply, WaitingJoin};
use crate::admission::{Admissions, LinkId};
use crate::net::{Here, Way};
use crate::token::Replays;
use minato_protocol::media::{FromRelay, LeftReason, RelayCode};
use minato_protocol::{ParticipantId, VisitId};
use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::net::{Receive, Transmit};
use str0m::{Event, Input};
use tokio::sync::mpsc;
use tracing::Span;

/// How often seats, flags, layers and ends are looked over.
const TICK: Duration = Duration::from_millis(100);
/// A session that is not heard for this long is lost (RFC 7675 §5.1), as is one that does not
/// connect within it.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// After such a silence pictures begin anew: a browser would wait for three seconds before it asks.
const AWAY_AFTER: Duration = Duration::from_secs(1);
/// Timers never fire closer together than this.
const TIMER_STEP: Duration = Duration::from_millis(1);
/// A datagram with which str0m is asked whether it knows an address: an empty RTP header.
const PROBE: [u8; 12] = [0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// All sessions, visits and lists of one UDP port.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(super) here: Here,
    pub(super) sessions_max: usize,
    pub(super) sessions: HashMap<Key, Session>,
    pub(super) key_by_id: HashMap<String, Key>,
    /// In order of arrival.
    pub(super) keys_by_visit: HashMap<VisitId, Vec<Key>>,
    /// Whose stethoscope a visit hears.
    pub(super) auscultator_by_visit: HashMap<VisitId, Key>,
    pub(super) addresses: Addresses,
    pub(super) admissions: Admissions,
    pub(super) replays: Replays,
    pub(super) waiting: Vec<WaitingJoin>,
    pub(super) links: HashMap<LinkId, mpsc::Sender<FromRelay>>,
    pub(super) drained: Drained,
    pub(super) figures: Figures,
    /// Sessions that were written to and must see the time before they send.
    pub(super) touched: Vec<Key>,
    timers: BTreeSet<(Instant, Key)>,
    timer_by_key: HashMap<Key, Instant>,
    next_tick: Instant,
    last_key: u64,
}

impl Engine {
    pub(crate) fn new(here: Here, sessions_max: usize, now: Instant) -> Self {
        Self {
            here,
            sessions_max,
            sessions: HashMap::new(),
            key_by_id: HashMap::new(),
            keys_by_visit: HashMap::new(),
            auscultator_by_visit: HashMap::new(),
            addresses: Addresses::default(),
            admissions: Admissions::default(),
            replays: Replays::default(),
            waiting: Vec::new(),
            links: HashMap::new(),
            drained: Drained::default(),
            figures: Figures::default(),
            touched: Vec::new(),
            timers: BTreeSet::new(),
            timer_by_key: HashMap::new(),
            next_tick: now + TICK,
            last_key: 0,
        }
    }

    /// When [`Engine::time`] wants to be called at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.timers.first().map_or(self.next_tick, |(at, _)| self.next_tick.min(*at))
    }

    /// Packets to send, oldest first.
    pub(crate) fn take_transmits(&mut self) -> Vec<Transmit> {
        std::mem::take(&mut self.drained.transmits)
    }

    /// A packet came. [`Engine::settle`] must follow, after as many of them as came at once.
    pub(crate) fn receive(&mut self, source: Way, bytes: &[u8], now: Instant) {
        if let Some(key) = self.addresses.route(source, bytes) {
            self.deliver(key, source, bytes, now);
            return;
        }
        let sort = sort(bytes);
        let claimed = self.addresses.claimed_by(source).filter(|_| sort == Sort::Dtls);
        let kept = match claimed.and_then(|key| self.sessions.get_mut(&key)) {
            Some(session) => session.early.replace((source, bytes.to_vec())).is_none(),
            None => false,
        };
        if !kept {
            crate::metrics::dropped(sort.of_nobody());
        }
    }

    fn deliver(&mut self, key: Key, source: Way, bytes: &[u8], now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let destination = self.here.nearest(source);
        let Some(receive) = received(source, destination, bytes) else {
            crate::metrics::dropped("malformed");
            return;
        };
        session.feed(Input::Receive(now, receive), &mut self.drained);
        session.stats.packets_in += 1;
        session.stats.bytes_in += bytes.len() as u64;
        let stun = matches!(sort(bytes), Sort::Request | Sort::Stun);
        if self.addresses.is_verified(source, key) {
            session.heard = now;
            if sort(bytes) == Sort::Media && session.path.heard(source, now) {
                session.moved(&mut self.drained);
            }
        } else if stun && knows(session, source, destination, now) {
            session.heard = now;
            self.addresses.verified(source, key);
            let early = session.early.take().filter(|(from, _)| *from == source);
            if let Some((_, hello)) = early {
                self.deliver(key, source, &hello, now);
            }
        }
        self.welcome_back(key, now);
        self.reschedule(key, now);
    }

    /// Time passed.
    pub(crate) fn time(&mut self, now: Instant) {
        while let Some((at, key)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.pop_first();
            self.timer_by_key.remove(&key);
            self.touched.push(key);
        }
        if now >= self.next_tick {
            self.next_tick = now + TICK;
            self.tick(now);
        }
        self.settle(now);
    }

    /// Works off everything that followed from what was fed.
    pub(crate) fn settle(&mut self, now: Instant) {
        loop {
            while let Some((key, event)) = self.drained.events.pop_front() {
                self.happened(key, event, now);
            }
            if self.touched.is_empty() {
                return;
            }
            let mut touched = std::mem::take(&mut self.touched);
            touched.sort_unstable();
            touched.dedup();
            for key in touched {
                let Some(session) = self.sessions.get_mut(&key) else { continue };
                session.advance(now, &mut self.drained);
                if session.is_dead() {
                    self.remove(key, LeftReason::Lost, now);
                } else {
                    self.reschedule(key, now);
                }
            }
        }
    }

    fn reschedule(&mut self, key: Key, now: Instant) {
        let Some(session) = self.sessions.get(&key) else { return };
        let at = session.deadline.max(now + TIMER_STEP);
        if self.timer_by_key.get(&key) == Some(&at) {
            return;
        }
        self.unschedule(key);
        self.timers.insert((at, key));
        self.timer_by_key.insert(key, at);
    }

    pub(super) fn unschedule(&mut self, key: Key) {
        if let Some(at) = self.timer_by_key.remove(&key) {
            self.timers.remove(&(at, key));
        }
    }

    fn tick(&mut self, now: Instant) {
        self.refuse_overdue_joins(now);
        for visit in self.admissions.expire(now) {
            tracing::warn!(%visit, "signaling was away for too long, the visit is ended");
            self.clear_visit(visit, LeftReason::Expired, now);
        }
        let lost = |session: &Session| {
            session.is_dead() || now.saturating_duration_since(session.heard) >= LOST_AFTER
        };
        let keys: Vec<Key> =
            self.sessions.values().filter(|session| lost(session)).map(|s| s.key).collect();
        for key in keys {
            self.remove(key, LeftReason::Lost, now);
        }
        self.tell_figures(now);
        for session in self.sessions.values_mut() {
            session.away |= now.saturating_duration_since(session.heard) >= AWAY_AFTER;
        }
        let visits: Vec<VisitId> = self.keys_by_visit.keys().copied().collect();
        for visit in visits {
            self.refresh(visit, now);
        }
    }

    /// What is logged about a session names its visit.
    pub(super) fn span(&self, key: Key) -> Span {
        self.sessions.get(&key).map_or_else(Span::none, |session| session.span.clone())
    }

    fn happened(&mut self, key: Key, event: Event, now: Instant) {
        // Of single packets there is nothing to say.
        let is_packet = matches!(event, Event::RtpPacket(_));
        let _of_visit = if is_packet { Span::none() } else { self.span(key) }.entered();
        match event {
            Event::Connected => self.connected(key, now),
            Event::RtpPacket(packet) => self.forward(key, &packet, now),
            Event::KeyframeRequest(request) => self.keyframe_wanted(key, request.mid, now),
            Event::ChannelOpen(channel, label) => self.channel_opened(key, channel, &label),
            Event::ChannelData(data) => self.channel_said(key, data, now),
            Event::ChannelClose(channel) => self.channel_closed(key, channel),
            Event::EgressBitrateEstimate(kind) => self.estimated(key, &kind),
            Event::PeerStats(stats) => self.measured(key, &stats, now),
            Event::Closed => self.remove(key, LeftReason::Goodbye, now),
            Event::IceConnectionStateChange(state) => {
                tracing::debug!(?state, "ice");
            }
            // str0m's list of events is open; the others are of no interest here.
            _ => {}
        }
    }

    /// A command came.
    pub(crate) fn command(&mut self, command: Command, now: Instant) {
        match command {
            Command::Join { opening, at, reply } => self.join(opening, at, reply, now),
            Command::Restart { id, secret, offer, reply } => {
                let answer = self.restart(&id, &secret, offer, now);
                answered(reply, answer);
            }
            Command::Leave { id, secret, reply } => {
                let left =
                    self.owned(&id, &secret).map(|key| self.remove(key, LeftReason::Goodbye, now));
                answered(reply, left);
            }
            Command::Stats { id, secret, reply } => {
                let stats = self.stats(&id, &secret, now);
                answered(reply, stats);
            }
            Command::LinkUp { link, out } => self.link_up(link, out),
            Command::LinkSays { link, message } => self.link_says(link, message, now),
            Command::LinkDown { link } => self.link_down(link, now),
            Command::Stop => self.stop(now),
        }
        self.settle(now);
    }

    /// The connected session of a participant.
    pub(super) fn present(&self, visit: VisitId, participant: ParticipantId) -> Option<&Session> {
        let keys = self.keys_by_visit.get(&visit)?;
        let sessions = keys.iter().filter_map(|key| self.sessions.get(key));
        sessions.into_iter().find(|s| s.connected && s.claims.participant == participant)
    }

    pub(super) fn fresh_key(&mut self) -> Key {
        self.last_key += 1;
        Key(self.last_key)
    }
}

fn received(source: Way, destination: SocketAddr, bytes: &[u8]) -> Option<Receive<'_>> {
    let Way { proto, address: source } = source;
    Some(Receive { proto, source, destination, contents: bytes.try_into().ok()? })
}

fn knows(session: &Session, source: Way, destination: SocketAddr, now: Instant) -> bool {
    let probe = received(source, destination, &PROBE);
    probe.is_some_and(|probe| session.accepts(&Input::Receive(now, probe)))
}

/// Whoever asked may be gone: then nobody needs the answer.
pub(super) fn answered<T>(reply: Reply<T>, answer: Result<T, RelayCode>) {
    let _ = reply.send(answer);
}
