//! One participant's connection: a str0m instance and the lines of its offer.

mod drive;
mod media;

pub(crate) use drive::Arrival;

use super::addresses::Key;
use super::beats::Haste;
use super::codecs::Codecs;
use super::demand::Demand;
use super::downlink::Downlink;
use super::layer::Layer;
use super::outgoing::Outgoing;
use super::path::Path;
use super::slots::Slots;
use super::source::{Source, Track};
use super::stills::{StillsIn, StillsOut};
use super::uplink::Uplink;
use super::waves::WaveQueue;
use crate::ladder::Manner;
use crate::net::Way;
use crate::sdp::Lines;
use media::LineAside;
use minato_protocol::ParticipantId;
use minato_protocol::media::{
    LadderStep, MediaClaims, PartyRole, SessionStats, SlotMap, VideoWish,
};
use std::collections::{HashMap, VecDeque};
use std::time::Instant;
use str0m::channel::ChannelId;
use str0m::media::Mid;
use str0m::net::Transmit;
use str0m::rtp::Ssrc;
use str0m::{Event, Rtc};
use tracing::Span;

/// Wishes of one page, one a participant it has ever named. When full none is added.
pub(crate) const WISHES_MAX: usize = 32;

/// What came out of draining sessions, in order.
#[derive(Debug, Default)]
pub(crate) struct Drained {
    pub(crate) transmits: Vec<Transmit>,
    pub(crate) events: VecDeque<(Key, Event)>,
}

/// Everything needed to open a session, made outside of the forwarding thread.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) claims: MediaClaims,
    pub(crate) lines: Lines,
    pub(crate) user: String,
    pub(crate) codecs: Codecs,
    pub(crate) rtc: Box<Rtc>,
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) key: Key,
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) claims: MediaClaims,
    pub(crate) lines: Lines,
    pub(crate) born: Instant,
    /// When its verified address was last heard.
    pub(crate) heard: Instant,
    /// It was silent for so long that what was sent meanwhile is lost.
    pub(crate) away: bool,
    pub(crate) connected: bool,
    /// When, and how exactly then, it wants to see the time again.
    pub(crate) deadline: Instant,
    pub(crate) haste: Haste,
    /// The latest time that str0m has seen.
    seen: Instant,
    /// Something goes out with the next look at the time.
    pub(crate) waits: bool,
    pub(crate) source: Source,
    pub(crate) outgoing: Outgoing,
    pub(crate) slots: Slots,
    pub(crate) wishes: HashMap<ParticipantId, VideoWish>,
    pub(crate) slots_channel: Option<ChannelId>,
    pub(crate) waves_channel: Option<ChannelId>,
    pub(crate) stills_channel: Option<ChannelId>,
    pub(crate) map: SlotMap,
    /// The map was not written yet as it is.
    pub(crate) map_is_news: bool,
    pub(crate) waves: WaveQueue,
    pub(crate) stills_in: StillsIn,
    pub(crate) stills_out: StillsOut,
    pub(crate) stats: SessionStats,
    pub(crate) downlink: Downlink,
    pub(crate) uplink: Uplink,
    /// What was told of both ways last.
    pub(crate) ways: (Manner, VideoWish, Manner),
    /// Lost sound, lost pictures of this page are asked for again.
    asks_again: (bool, bool),
    pub(crate) path: Path,
    /// What is asked of the page's camera.
    pub(crate) demand: Demand,
    /// The one DTLS flight that may arrive before ICE has verified its address.
    pub(crate) early: Option<(Way, Vec<u8>)>,
    /// Payload types that this page expects.
    pub(crate) codecs: Codecs,
    /// Lines that nobody was ever on; no more than were offered.
    aside: Vec<LineAside>,
    track_by_mid: HashMap<Mid, Track>,
    track_by_ssrc: HashMap<Ssrc, (Track, Layer)>,
    rtc: Box<Rtc>,
    dead: bool,
    /// For whatever is logged about it.
    pub(crate) span: Span,
}

impl Session {
    pub(crate) fn new(key: Key, opening: Opening, now: Instant) -> Self {
        let Opening { id, secret, claims, lines, user: _, codecs, rtc } = opening;
        let span = tracing::info_span!(parent: None, "session", visit = %claims.visit);
        let named = [
            (&lines.microphone, Track::Microphone),
            (&lines.camera, Track::Camera),
            (&lines.stethoscope, Track::Stethoscope),
        ];
        let track_by_mid = named
            .into_iter()
            .filter_map(|(mid, track)| Some((Mid::from(mid.as_deref()?), track)))
            .collect();
        Self {
            key,
            id,
            secret,
            claims,
            born: now,
            heard: now,
            away: false,
            connected: false,
            deadline: now,
            haste: Haste::Exact,
            seen: now,
            waits: false,
            source: Source::default(),
            outgoing: Outgoing::new(&lines),
            slots: Slots::new(lines.slots.len()),
            wishes: HashMap::new(),
            slots_channel: None,
            waves_channel: None,
            stills_channel: None,
            map: SlotMap { version: 1, ..SlotMap::default() },
            map_is_news: true,
            waves: WaveQueue::default(),
            stills_in: StillsIn::default(),
            stills_out: StillsOut::default(),
            stats: SessionStats::default(),
            downlink: Downlink::default(),
            uplink: Uplink::default(),
            ways: (Manner::default(), VideoWish::Full, Manner::default()),
            asks_again: (true, true),
            path: Path::default(),
            demand: Demand::default(),
            early: None,
            codecs,
            aside: Vec::new(),
            track_by_mid,
            track_by_ssrc: HashMap::new(),
            lines,
            rtc,
            dead: false,
            span,
        }
    }

    /// Whether others can see or hear this participant.
    pub(crate) fn has_a_face(&self) -> bool {
        self.claims.rights.publish_audio || self.claims.rights.publish_video
    }

    /// Whether stethoscopes are heard here: by who can make something of them.
    pub(crate) fn hears_stethoscopes(&self) -> bool {
        self.claims.rights.receive && is_staff(&self.claims)
    }

    /// Whether the page has the codec of somebody's picture; of one that was never seen it has.
    pub(crate) fn can_show(&self, publisher: &Self) -> bool {
        publisher.source.codec.is_none_or(|codec| self.codecs.of_picture(codec).is_some())
    }

    /// Whether the page is given stills of somebody whose own link has `room` for that much
    /// picture.
    pub(crate) fn takes_stills_of(&self, participant: ParticipantId, room: VideoWish) -> bool {
        let step = self.downlink.plan.step;
        let instead =
            step == LadderStep::Stills || (step > LadderStep::Stills && room == VideoWish::Off);
        instead
            && self.wish_of(participant) > VideoWish::Off
            && self.slots.of(participant).is_some()
    }

    /// How much picture the page wants of somebody.
    pub(crate) fn wish_of(&self, participant: ParticipantId) -> VideoWish {
        self.wishes.get(&participant).copied().unwrap_or_default()
    }

    /// How many bytes wait in a data channel.
    pub(crate) fn waits_in(&mut self, channel: ChannelId) -> usize {
        self.rtc.channel(channel).map_or(0, |mut channel| channel.buffered_amount())
    }

    /// Writes to a data channel while no more than `waiting_max` bytes wait in it; answers
    /// whether the message was taken.
    pub(crate) fn say(
        &mut self,
        channel: ChannelId,
        binary: bool,
        message: &[u8],
        waiting_max: usize,
        drained: &mut Drained,
    ) -> bool {
        let taken = self.with(drained, |rtc| {
            let Some(mut channel) = rtc.channel(channel) else { return false };
            channel.buffered_amount() <= waiting_max
                && channel.write(binary, message).unwrap_or(false)
        });
        taken.unwrap_or(false)
    }
}

/// Whether somebody works here.
pub(crate) fn is_staff(claims: &MediaClaims) -> bool {
    matches!(claims.role, PartyRole::Doctor | PartyRole::Nurse)
}
