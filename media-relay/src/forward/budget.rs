//! What everybody gets and what everybody is asked for, from what links carry and streams cost.

use super::addresses::Key;
use super::demand::Missing;
use super::engine::Engine;
use super::session::Session;
use crate::ladder::Needs;
use minato_protocol::media::{
    GivenUp, PartyRole, Pin, Reduced, Slot, SlotMap, VideoWish, VoiceTerms, Wanted,
};
use std::time::{Duration, Instant};
use str0m::bwe::{Bitrate, BweKind};
use str0m::stats::PeerStats;

/// A still every few seconds of one person, which is how pages send their pieces.
const STILLS_BPS: u64 = 16_000;
/// A picture whose packets wait longer for the pacer than this is not worth waiting for.
const PICTURE_WAIT: Duration = Duration::from_secs(1);
/// How much sound a packet of an ordinary and of a lean voice has, in milliseconds.
const FRAME_MS: (u16, u16) = (20, 60);
/// What a repetition may come late beside.
const HOLD_MS: u16 = 40;

impl Engine {
    /// The estimator of a session has a new figure.
    pub(super) fn estimated(&mut self, key: Key, kind: &BweKind) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let BweKind::Twcc { estimate, .. } = kind {
            session.downlink.estimated(estimate.as_u64());
        }
    }

    /// A session's figures are there.
    pub(super) fn measured(&mut self, key: Key, stats: &PeerStats, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let pair = stats.selected_candidate_pair.as_ref();
        let rtt = pair.and_then(|pair| pair.current_round_trip_time).or(stats.rtt);
        session.downlink.measured(stats.egress_loss_fraction, rtt);
        session.uplink.measured(stats.ingress_loss_fraction);
        if let Some(trip) = stats.rtt {
            session.downlink.took(trip, session.uplink.lags(now), now);
        }
        let known = session.downlink.estimate_bps();
        session.stats.estimate_bps = known.map(|bps| u32::try_from(bps).unwrap_or(u32::MAX));
        session.stats.rtt_ms = rtt.and_then(|rtt| u32::try_from(rtt.as_millis()).ok());
        session.stats.egress_loss = stats.egress_loss_fraction;
        session.stats.ingress_loss = stats.ingress_loss_fraction;
    }

    /// Decides anew what a page gets.
    pub(super) fn plan(&mut self, key: Key, now: Instant) {
        let needs = self.weigh(key, now);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if let Some(bps) = session.downlink.pauses(session.away, &needs, now) {
            session.with(&mut self.drained, |rtc| rtc.bwe().reset(Bitrate::bps(bps)));
        }
        let before = session.downlink.plan;
        let both = session.downlink.waits();
        if let Some(longer) = session.uplink.look(session.source.shown(now), both, now) {
            session.downlink.way_back_is_longer(longer);
        }
        let rtt = session.downlink.rtt();
        session.ask_again(session.uplink.is_worth_asking(rtt, both, now));
        let waits = session.uplink.queue(both, now);
        session.downlink.look(&needs, now);
        let ways = (session.uplink.manner, session.uplink.cap, session.downlink.plan.voice);
        if ways != session.ways {
            session.ways = ways;
            let (up, picture, down) = ways;
            let visit = session.claims.visit;
            let ms = |wait: Option<Duration>| wait.map(|wait| wait.as_millis());
            let up_waits = ms(waits);
            let down_waits = ms(session.downlink.queue());
            tracing::info!(
                %visit, ?up, ?picture, ?up_waits, ?down, ?down_waits, "how voice and picture go"
            );
        }
        let after = session.downlink.plan;
        session.stats.step = after.step;
        if before.step != after.step {
            crate::metrics::stepped(before.step, after.step);
            let (visit, because) = (session.claims.visit, after.because);
            tracing::info!(%visit, from = ?before.step, to = ?after.step, ?because, "the ladder");
        }
        if let Some(bps) = session.downlink.spares() {
            session.with(&mut self.drained, |rtc| rtc.bwe().reset(Bitrate::bps(bps)));
        }
        if let Some((least, most)) = session.downlink.worth_bps(&needs, now) {
            session.with(&mut self.drained, |rtc| {
                rtc.bwe().set_bitrate(Bitrate::bps(least), Bitrate::bps(most));
            });
        }
        session.drop_late_pictures(PICTURE_WAIT, now);
    }

    /// What everything costs a page.
    pub(super) fn weigh(&self, key: Key, now: Instant) -> Needs {
        let mut needs = Needs::default();
        let Some(session) = self.sessions.get(&key) else { return needs };
        let visit = session.claims.visit;
        for (slot, holder) in session.slots.occupied() {
            let Some(publisher) = self.present(visit, holder) else { continue };
            needs.audio_bps += publisher.source.voice_bps();
            let shows = publisher.source.shows(now) && session.can_show(publisher);
            if !session.outgoing.has_picture(slot) || !shows {
                continue;
            }
            let wish = session.wish_of(holder);
            let picture = |cap: VideoWish| publisher.source.picture_bps(wish.min(cap));
            needs.thumbnail_bps += picture(VideoWish::Quarter);
            needs.small_bps += picture(VideoWish::Half);
            needs.full_bps += picture(VideoWish::Full);
            needs.stills_bps += if wish == VideoWish::Off { 0 } else { STILLS_BPS };
        }
        for other in self.others(key) {
            needs.waves_bps += other.source.waves_bps(now);
            if session.hears_stethoscopes() {
                needs.audio_bps += other.source.auscultation_bps(now);
            }
        }
        needs
    }

    fn others(&self, key: Key) -> impl Iterator<Item = &Session> {
        let visit = self.sessions.get(&key).map(|session| session.claims.visit);
        let keys = visit.and_then(|visit| self.keys_by_visit.get(&visit));
        let others = keys.into_iter().flatten().filter(move |other| **other != key);
        others.filter_map(|other| self.sessions.get(other)).filter(|other| other.connected)
    }

    /// What anybody needs of a page's camera; `None` while nobody could see it.
    pub(super) fn needed_of(&self, key: Key) -> Option<Wanted> {
        let session = self.sessions.get(&key)?;
        session.lines.camera.as_ref()?;
        let participant = session.claims.participant;
        let room = session.uplink.cap;
        let mut needed = None;
        let sees =
            |other: &&Session| other.slots.of(participant).is_some() && other.can_show(session);
        for other in self.others(key).filter(sees) {
            let wish = other.wish_of(participant);
            // The smallest layer stays on for who may be able to take it soon.
            let video = wish.min(other.downlink.cap().max(VideoWish::Quarter));
            let stills = other.takes_stills_of(participant, room);
            let before = needed.unwrap_or(Wanted::of(VideoWish::Off));
            let video = before.video.max(video);
            needed = Some(Wanted { stills: before.stills || stills, ..Wanted::of(video) });
        }
        needed
    }

    /// How a page should send its voice, and how long hold back what it hears. A voice is one for
    /// all who hear it: the narrowest of their links and its own decides.
    pub(super) fn voice_terms(&self, key: Key) -> VoiceTerms {
        let Some(session) = self.sessions.get(&key) else { return VoiceTerms::default() };
        let (own, down) = (session.uplink.manner, session.downlink.plan.voice);
        let narrow = |other: &Session| other.downlink.plan.voice.lean;
        let lean = own.lean || self.others(key).any(narrow);
        let others_lean = down.lean || self.others(key).any(|other| other.uplink.manner.lean);
        let frame_ms = if others_lean { FRAME_MS.1 } else { FRAME_MS.0 };
        let repeats = self.others(key).map(|other| other.uplink.manner.copies.min(1)).max();
        let behind = u16::from(down.copies.max(repeats.unwrap_or(0))) * frame_ms;
        let hold_ms = if behind > 0 { behind + HOLD_MS } else { 0 };
        VoiceTerms { lean, repeat: own.copies > 0, hold_ms }
    }

    /// A doctor chose a step for somebody's page.
    pub(super) fn pin(&mut self, key: Key, pin: Pin, now: Instant) {
        let Some(doctor) = self.sessions.get(&key) else { return };
        if doctor.claims.role != PartyRole::Doctor {
            return crate::metrics::dropped("no_right");
        }
        let visit = doctor.claims.visit;
        let Some(pinned) = self.present(visit, pin.participant).map(|session| session.key) else {
            return;
        };
        if let Some(session) = self.sessions.get_mut(&pinned) {
            session.downlink.pin = pin.step;
        }
        self.refresh(visit, now);
    }
}

/// What a page could be shown of a publisher whose own page does not send it.
pub(super) fn unsent(session: &Session, publisher: &Session, now: Instant) -> Option<Missing> {
    let shown = session.wish_of(publisher.claims.participant).min(session.downlink.cap());
    publisher.demand.missing().filter(|_| publisher.source.shown(now) < shown)
}

/// What a page is not given of somebody who sends it, or would if the own link had room.
pub(super) fn given_up(session: &Session, publisher: &Session, now: Instant) -> Option<GivenUp> {
    if !session.downlink.sounds() && publisher.source.sounds(now) {
        return Some(GivenUp::Sound);
    }
    let slot = session.slots.of(publisher.claims.participant)?;
    if !session.outgoing.has_picture(slot) {
        return None;
    }
    if !publisher.source.shows(now) {
        // Its own link has no room for more than stills.
        let narrow = publisher.uplink.cap == VideoWish::Off && publisher.stills_in.come(now);
        return narrow.then_some(GivenUp::Picture);
    }
    if !session.can_show(publisher) {
        return Some(GivenUp::Codec);
    }
    let wish = session.wish_of(publisher.claims.participant);
    let cap = session.downlink.cap();
    let smaller = publisher.source.has_layers();
    match cap {
        VideoWish::Off if wish > VideoWish::Off => Some(GivenUp::Picture),
        _ if smaller && (cap < wish || unsent(session, publisher, now).is_some()) => {
            Some(GivenUp::Size)
        }
        _ => None,
    }
}

/// Why, if anything is given up at all.
pub(super) fn reduced(session: &Session, map: &SlotMap) -> Option<Reduced> {
    let plan = session.downlink.plan;
    let cap = session.downlink.cap();
    let given_up = |slot: &Slot| {
        let is_of_this_link = !slot.unsent || cap < session.wish_of(slot.participant);
        is_of_this_link && slot.given_up.is_some_and(|what| what != GivenUp::Codec)
    };
    let because = plan.because.filter(|_| map.slots.iter().any(given_up))?;
    Some(Reduced { step: plan.step, because })
}
