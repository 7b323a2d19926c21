//! How a connection is driven: what is fed to it, how time passes for it, and that every change is
//! followed by a drain.

use super::{Drained, Session};
use crate::forward::beats::Haste;
use crate::net::{Sort, Way, sort};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use str0m::net::Receive;
use str0m::{Event, Input, Output, PacerReason, Reason, Rtc, RtcError};
use tracing::level_filters::LevelFilter;

/// The pacer gives one packet a step of time.
const PACED_STEP: Duration = Duration::from_micros(1);
/// Steps in one go. What is not sent then waits for the next timer.
const PACED_BURST_MAX: usize = 64;

/// What a datagram counts as, and when it came: a moment ago at the most.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arrival {
    pub(crate) sort: Sort,
    pub(crate) at: Instant,
}

impl Session {
    /// Whether the connection broke for good.
    pub(crate) fn is_dead(&self) -> bool {
        self.dead || !self.rtc.is_alive()
    }

    /// Whether a datagram is for this session, by str0m's own judgement.
    pub(crate) fn accepts(&self, input: &Input<'_>) -> bool {
        self.rtc.accepts(input)
    }

    /// Does one thing to the connection and drains it.
    pub(crate) fn with<T>(
        &mut self,
        drained: &mut Drained,
        act: impl FnOnce(&mut Rtc) -> T,
    ) -> Option<T> {
        self.guarded(|session| {
            let answer = act(&mut session.rtc);
            session.drain(drained);
            answer
        })
    }

    /// Hears a datagram. Answers whether [`Session::advance`] must follow, after as many of them as
    /// came at once; if not, [`Session::rest`] must: what a packet has brought about beside itself
    /// waits until then.
    pub(crate) fn hear(
        &mut self,
        receive: Receive<'_>,
        arrival: Arrival,
        now: Instant,
        drained: &mut Drained,
    ) -> bool {
        let receive = |at: Instant| Input::Receive(at, receive);
        let heard = self.guarded(|session| match arrival.sort {
            Sort::Media => {
                // To look at the time costs str0m more than a packet does, and it need not for one
                // that is older than what it has seen of the time: once for all is enough.
                if session.seen < now {
                    session.see(now)?;
                }
                session.rtc.handle_input(receive(arrival.at.min(session.seen - PACED_STEP)))?;
                session.drain_up_to(drained, |output| {
                    matches!(output, Output::Event(Event::RtpPacket(_)))
                });
                Ok(false)
            }
            Sort::Control => {
                let at = arrival.at;
                let looked = at >= session.seen;
                session.seen = at.max(session.seen);
                session.rtc.handle_input(receive(at))?;
                // What is asked for again goes out with a look at the time.
                let sent =
                    session.drain_up_to(drained, |output| matches!(output, Output::Transmit(_)));
                Ok(sent || !looked)
            }
            // ICE, DTLS and data channels go on at once.
            Sort::Request | Sort::Stun | Sort::Dtls | Sort::Unknown => {
                session.seen = now.max(session.seen);
                session.rtc.handle_input(receive(session.seen))?;
                session.drain(drained);
                Ok(false)
            }
        });
        let goes_on = self.refused(heard).unwrap_or(true);
        self.waits |= goes_on;
        goes_on
    }

    /// Drains what [`Session::hear`] has left.
    pub(crate) fn rest(&mut self, drained: &mut Drained) {
        self.guarded(|session| session.drain(drained));
    }

    /// Lets time pass and everything go out that may go now. The pacer gives one packet a step of
    /// time, so time runs on by microseconds until the pacer waits for the real one.
    pub(crate) fn advance(&mut self, now: Instant, drained: &mut Drained) {
        self.waits = false;
        let advanced = self.guarded(|session| session.step_on(now, drained));
        self.refused(advanced);
    }

    fn step_on(&mut self, now: Instant, drained: &mut Drained) -> Result<(), RtcError> {
        for _ in 0..PACED_BURST_MAX {
            self.see(now.max(self.seen + PACED_STEP))?;
            // No second packet comes before time has passed: what else there is to poll is polled
            // when no packet is left.
            if !self.drain_up_to(drained, |output| matches!(output, Output::Transmit(_))) {
                return Ok(());
            }
        }
        self.drain(drained);
        Ok(())
    }

    fn see(&mut self, at: Instant) -> Result<(), RtcError> {
        self.seen = at;
        self.rtc.handle_input(Input::Timeout(at))
    }

    fn drain(&mut self, drained: &mut Drained) {
        self.drain_up_to(drained, |_| false);
    }

    /// Drains up to and with the first output that is `enough`; answers whether there was one.
    fn drain_up_to(&mut self, drained: &mut Drained, enough: impl Fn(&Output) -> bool) -> bool {
        loop {
            let output = match self.rtc.poll_output() {
                Ok(output) => output,
                Err(error) => {
                    tracing::debug!(%error, "session failed");
                    self.dead = true;
                    return false;
                }
            };
            let enough = enough(&output);
            match output {
                Output::Timeout(at) => {
                    (self.deadline, self.haste) = (at, self.haste(self.rtc.last_timeout_reason()));
                    return false;
                }
                Output::Transmit(mut transmit) => {
                    if matches!(sort(&transmit.contents), Sort::Media | Sort::Control | Sort::Dtls)
                    {
                        let way = self.path.toward(Way::of(&transmit));
                        (transmit.proto, transmit.destination) = (way.proto, way.address);
                    }
                    self.stats.packets_out += 1;
                    self.stats.bytes_out += transmit.contents.len() as u64;
                    drained.transmits.push(transmit);
                }
                Output::Event(event) => drained.events.push_back((self.key, event)),
            }
            if enough {
                return true;
            }
        }
    }

    /// How exactly str0m's next deadline is kept.
    fn haste(&self, reason: Reason) -> Haste {
        match reason {
            // The pacer pads up to 50 kbit/s whether anybody wants it or not, and looks every 5 ms
            // whether it may. In company it seldom finds nothing else to send, which suits a thin
            // link. While room for a next step is tried for, padding is what tries it.
            Reason::Pacer(PacerReason::Padding) if !self.downlink.climbs() => Haste::InCompany,
            // What was written waits for company.
            Reason::SendStream => Haste::InCompany,
            Reason::Pacer(PacerReason::Handle) => Haste::OnBeat,
            // A probe tells nothing of a link if its packets do not leave at their times.
            Reason::Pacer(_) | Reason::Ice | Reason::DTLS => Haste::Exact,
            _ => Haste::OnBeat,
        }
    }

    /// A connection that fails or panics is dead; nobody else is harmed.
    fn guarded<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.is_dead() {
            return None;
        }
        // The media engine's own words are worth a span for each packet only where they are read.
        let told = LevelFilter::current() >= LevelFilter::DEBUG;
        let _of_visit = told.then(|| self.span.clone().entered());
        let done = catch_unwind(AssertUnwindSafe(|| act(self)));
        if done.is_err() {
            self.span.in_scope(|| tracing::error!("a session broke the media engine"));
            metrics::counter!("minato_relay_engine_panics_total").increment(1);
            self.dead = true;
        }
        done.ok()
    }

    fn refused<T>(&self, fed: Option<Result<T, RtcError>>) -> Option<T> {
        fed?.inspect_err(|error| {
            self.span.in_scope(|| tracing::debug!(%error, "input refused"));
        })
        .ok()
    }
}
