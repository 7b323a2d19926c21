//! The forwarding unit without its sockets: packets, time and commands in, packets out.
//!
//! Everything here belongs to one thread. Nothing waits, nothing asks a clock.

use super::addresses::{Addresses, Key};
use super::beats::Beats;
use super::figures::Figures;
use super::outgoing::Published;
use super::session::{Arrival, Drained, Session};
use super::timers::Timers;
use super::{Command, Reply, WaitingJoin};
use crate::admission::{Admissions, LinkId};
use crate::net::{Here, Sort, Way, sort};
use crate::token::Replays;
use minato_protocol::media::{FromRelay, LeftReason, RelayCode};
use minato_protocol::{ParticipantId, VisitId};
use std::collections::HashMap;
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
/// A call brings sound fifty times a second; who waited for longer than this waits for nothing.
const BUSY_FOR: Duration = Duration::from_millis(100);
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
    /// What came of pictures and is not handed out yet.
    pub(super) pieces: Vec<Published<'static>>,
    pub(super) figures: Figures,
    /// Sessions that were written to and must see the time before they send.
    pub(super) touched: Vec<Key>,
    /// Sessions that heard something and are not drained yet.
    heard: Vec<Key>,
    pub(super) timers: Timers,
    pub(super) beats: Beats,
    /// When media last came.
    busy: Option<Instant>,
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
            pieces: Vec::new(),
            figures: Figures::default(),
            touched: Vec::new(),
            heard: Vec::new(),
            timers: Timers::default(),
            beats: Beats::new(now),
            busy: None,
            next_tick: now + TICK,
            last_key: 0,
        }
    }

    /// When [`Engine::time`] wants to be called at the latest.
    pub(crate) fn deadline(&self) -> Instant {
        self.timers.first().map_or(self.next_tick, |at| self.next_tick.min(at))
    }

    /// Packets to send, oldest first.
    pub(crate) fn take_transmits(&mut self) -> Vec<Transmit> {
        std::mem::take(&mut self.drained.transmits)
    }

    /// Whether media came lately: then a little patience lets many packets go together.
    pub(crate) fn is_busy(&self, now: Instant) -> bool {
        self.busy.is_some_and(|at| now.saturating_duration_since(at) < BUSY_FOR)
    }

    /// A packet came, at a time that may be a moment ago. [`Engine::settle`] must follow, after as
    /// many of them as were read.
    pub(crate) fn receive(&mut self, source: Way, bytes: &[u8], at: Instant, now: Instant) {
        let sort = sort(bytes);
        if let Some(key) = self.addresses.route(source, bytes) {
            self.deliver(key, source, bytes, Arrival { sort, at }, now);
            return;
        }
        let claimed = self.addresses.claimed_by(source).filter(|_| sort == Sort::Dtls);
        let kept = match claimed.and_then(|key| self.sessions.get_mut(&key)) {
            Some(session) => session.early.replace((source, bytes.to_vec())).is_none(),
            None => false,
        };
        if !kept {
            crate::metrics::dropped(sort.of_nobody());
        }
    }

    fn deliver(&mut self, key: Key, source: Way, bytes: &[u8], arrival: Arrival, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let destination = self.here.nearest(source);
        let Some(receive) = received(source, destination, bytes) else {
            crate::metrics::dropped("malformed");
            return;
        };
        let goes_on = session.hear(receive, arrival, now, &mut self.drained);
        session.stats.packets_in += 1;
        session.stats.bytes_in += bytes.len() as u64;
        if self.addresses.is_verified(source, key) {
            session.heard = now;
            let media = arrival.sort == Sort::Media;
            if media {
                self.busy = Some(now);
            }
            if (media || arrival.sort == Sort::Control) && session.path.heard(source, now) {
                session.moved(&mut self.drained);
            }
        } else if matches!(arrival.sort, Sort::Request | Sort::Stun)
            && knows(session, source, destination, now)
        {
            session.heard = now;
            self.addresses.verified(source, key);
            let early = session.early.take().filter(|(from, _)| *from == source);
            if let Some((_, hello)) = early {
                let arrival = Arrival { sort: Sort::Dtls, at: now };
                self.deliver(key, source, &hello, arrival, now);
            }
        }
        self.welcome_back(key, now);
        if goes_on {
            // An answer leaves in company.
            self.timers.call(key, self.beats.after(now));
        } else {
            self.heard.push(key);
        }
    }

    /// Time passed.
    pub(crate) fn time(&mut self, now: Instant) {
        while let Some(key) = self.timers.due(now) {
            match self.sessions.get(&key) {
                Some(later) if later.deadline > now && !later.waits => self.reschedule(key, now),
                Some(_) => self.touched.push(key),
                None => {}
            }
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
            self.hand_out_pieces(now);
            let touched = each_once(&mut self.touched);
            if touched.is_empty() && self.heard.is_empty() {
                return;
            }
            // Who was written to is drained by that.
            let heard = each_once(&mut self.heard);
            for key in heard.into_iter().filter(|key| touched.binary_search(key).is_err()) {
                let Some(session) = self.sessions.get_mut(&key) else { continue };
                // To drain it now would send the first of what waits, and the rest at a time of its own.
                if session.waits {
                    continue;
                }
                session.rest(&mut self.drained);
                self.look_after(key, now);
            }
            for key in touched {
                let Some(session) = self.sessions.get_mut(&key) else { continue };
                session.advance(now, &mut self.drained);
                self.look_after(key, now);
            }
        }
    }

    /// A session was driven: when it wants to be called again, or that it is dead.
    fn look_after(&mut self, key: Key, now: Instant) {
        if self.sessions.get(&key).is_some_and(Session::is_dead) {
            self.remove(key, LeftReason::Lost, now);
        } else {
            self.reschedule(key, now);
        }
    }

    fn reschedule(&mut self, key: Key, now: Instant) {
        if let Some(session) = self.sessions.get(&key) {
            let due = session.deadline.max(now + TIMER_STEP);
            self.timers.call(key, self.beats.of(due, session.haste));
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

/// Takes a list of sessions, each once, in their order.
fn each_once(keys: &mut Vec<Key>) -> Vec<Key> {
    let mut keys = std::mem::take(keys);
    keys.sort_unstable();
    keys.dedup();
    keys
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
