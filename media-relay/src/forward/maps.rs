//! What pages are told and tell: slot maps, wishes, waves, stills.

use super::addresses::Key;
use super::budget::{given_up, reduced, unsent};
use super::demand::Outlet;
use super::engine::Engine;
use super::session::{Session, WISHES_MAX};
use super::waves::Wave;
use minato_protocol::VisitId;
use minato_protocol::media::{
    FromPage, SLOTS_CHANNEL, STILLS_CHANNEL, Slot, SlotMap, ToPage, WAVE_BYTES_MAX, WAVES_CHANNEL,
    still_of,
};
use std::time::Instant;
use str0m::channel::{ChannelData, ChannelId};

/// Longest message of a page that is read.
const FROM_PAGE_BYTES_MAX: usize = 1_024;
/// Bytes that may wait in a page's data channel before its waves queue up here. It is far below
/// what the association holds, so that waves never keep a slot map out.
const WAVES_IN_CHANNEL_MAX: usize = 32 * 1024;
/// The same for a still that begins, and for one that has begun: on the links that are given stills
/// each kilobyte more keeps everything else waiting. A piece beyond it spoils its still.
const STILL_BEGINS_MAX: usize = 3_000;
const STILL_GOES_ON_MAX: usize = 6_000;
/// The same for slot maps: as much as the association takes.
const MAPS_IN_CHANNEL_MAX: usize = 128 * 1024;

impl Engine {
    /// Seats people, points pictures and tells pages, as far as anything has changed.
    pub(super) fn refresh(&mut self, visit: VisitId, now: Instant) {
        let keys = self.keys_by_visit.get(&visit).cloned().unwrap_or_default();
        let faces: Vec<_> = keys
            .iter()
            .filter_map(|key| self.sessions.get(key))
            .filter(|session| session.connected && session.has_a_face())
            .map(|session| session.claims.participant)
            .collect();
        for key in keys {
            let Some(session) = self.sessions.get_mut(&key) else { continue };
            if !session.connected {
                continue;
            }
            if session.claims.rights.receive {
                let mut others = faces.clone();
                others.retain(|other| *other != session.claims.participant);
                session.slots.seat(&others);
            }
            self.plan(key, now);
            self.aim(key, now);
            self.ask_for_lines(key, now);
            self.ask_keyframes(key, now);
            self.draw_map(key, now);
            self.tell_map(key);
            self.send_waves(key);
        }
    }

    fn draw_map(&mut self, key: Key, now: Instant) {
        let Some(session) = self.sessions.get(&key) else { return };
        let visit = session.claims.visit;
        let seat = |(index, participant)| {
            let publisher = self.present(visit, participant)?;
            let given_up = given_up(session, publisher, now);
            let unsent = given_up.and_then(|_| unsent(session, publisher, now));
            Some(Slot {
                index: u8::try_from(index).ok()?,
                participant,
                role: publisher.claims.role,
                audio: publisher.source.sounds(now),
                video: publisher.source.shows(now),
                given_up,
                own_link: unsent.is_some_and(|missing| missing.own_link),
                unsent: unsent.is_some(),
            })
        };
        let auscultator = self
            .auscultator_by_visit
            .get(&visit)
            .filter(|holder| **holder != key && session.hears_stethoscopes())
            .and_then(|holder| self.sessions.get(holder))
            .filter(|holder| holder.source.auscultates(now));
        let mut drawn = SlotMap {
            version: session.map.version,
            slots: session.slots.occupied().filter_map(seat).collect(),
            auscultation: auscultator.map(|holder| holder.claims.participant),
            reduced: None,
            wanted: None,
            voice: self.voice_terms(key),
            waves_wait: session.downlink.lacks_room_for_waves()
                && self.weigh(key, now).waves_bps > 0,
        };
        drawn.reduced = reduced(session, &drawn);
        let needed = self.needed_of(key);
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let (room, source) = (session.uplink.cap, &session.source);
        let outlet = Outlet { room, shown: source.shown(now), layered: source.has_layers() };
        drawn.wanted = session.demand.tell(needed, outlet, now);
        if drawn == session.map {
            return;
        }
        session.map = SlotMap { version: drawn.version + 1, ..drawn };
        session.map_is_news = true;
    }

    /// Writes the newest map, if the page has not got it. One that cannot be written yet is
    /// written at the next tick, in the form it has then.
    fn tell_map(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Some(channel) = session.slots_channel.filter(|_| session.map_is_news) else { return };
        let Ok(text) = serde_json::to_vec(&ToPage::SlotMap(session.map.clone())) else { return };
        let told = session.say(channel, false, &text, MAPS_IN_CHANNEL_MAX, &mut self.drained);
        session.map_is_news = !told;
        self.touched.push(key);
    }

    pub(super) fn channel_opened(&mut self, key: Key, channel: ChannelId, label: &str) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        match label {
            SLOTS_CHANNEL => {
                session.slots_channel = Some(channel);
                session.map_is_news = true;
                self.tell_map(key);
            }
            WAVES_CHANNEL => session.waves_channel = Some(channel),
            STILLS_CHANNEL => session.stills_channel = Some(channel),
            _ => tracing::debug!("a channel of no known name"),
        }
    }

    pub(super) fn channel_closed(&mut self, key: Key, channel: ChannelId) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let Session { slots_channel, waves_channel, stills_channel, .. } = session;
        for ours in [slots_channel, waves_channel, stills_channel] {
            ours.take_if(|open| *open == channel);
        }
    }

    pub(super) fn channel_said(&mut self, key: Key, said: ChannelData, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if session.waves_channel == Some(said.id) {
            self.wave(key, said.data, now);
        } else if session.stills_channel == Some(said.id) {
            self.still(key, &said.data, now);
        } else if session.slots_channel == Some(said.id) && said.data.len() <= FROM_PAGE_BYTES_MAX {
            match serde_json::from_slice(&said.data) {
                Ok(FromPage::WantVideo { participant, video }) => {
                    let known = session.wishes.contains_key(&participant);
                    if known || session.wishes.len() < WISHES_MAX {
                        session.wishes.insert(participant, video);
                        self.aim(key, now);
                        self.ask_for_lines(key, now);
                    }
                }
                Ok(FromPage::Pin(pin)) => self.pin(key, pin, now),
                Err(_) => crate::metrics::dropped("page_message"),
            }
        } else {
            crate::metrics::dropped("page_message");
        }
    }

    /// Forwards a wave to every other participant that may receive.
    fn wave(&mut self, key: Key, data: Vec<u8>, now: Instant) {
        let Some(publisher) = self.sessions.get_mut(&key) else { return };
        if !publisher.claims.rights.publish_waves {
            return crate::metrics::dropped("no_right");
        }
        if data.len() > WAVE_BYTES_MAX {
            return crate::metrics::dropped("wave_too_large");
        }
        publisher.source.waved(data.len(), now);
        let wave: Wave = data.into();
        let visit = publisher.claims.visit;
        let participant = publisher.claims.participant;
        let keys = self.keys_by_visit.get(&visit).cloned().unwrap_or_default();
        let takes = |session: &Session| {
            session.waves_channel.is_some()
                && session.claims.rights.receive
                && session.claims.participant != participant
        };
        for other in keys {
            let Some(session) = self.sessions.get_mut(&other) else { continue };
            if takes(session) {
                if session.waves.push(wave.clone()) {
                    crate::metrics::dropped("waves_full");
                }
                self.send_waves(other);
            }
        }
    }

    /// Passes a piece of a still on to whom nothing but stills can be given.
    fn still(&mut self, key: Key, message: &[u8], now: Instant) {
        let Some(publisher) = self.sessions.get_mut(&key) else { return };
        if !publisher.claims.rights.publish_video {
            return crate::metrics::dropped("no_right");
        }
        let piece = match publisher.stills_in.admit(message, now) {
            Ok(piece) => piece,
            Err(reason) => return crate::metrics::dropped(reason),
        };
        let (visit, from) = (publisher.claims.visit, publisher.claims.participant);
        let narrow = publisher.uplink.cap;
        let message = still_of(from, message);
        for other in self.keys_by_visit.get(&visit).cloned().unwrap_or_default() {
            let Some(session) = self.sessions.get_mut(&other).filter(|_| other != key) else {
                continue;
            };
            let Some(channel) = session.stills_channel else { continue };
            if !session.takes_stills_of(from, narrow) {
                continue;
            }
            let room = session.waits_in(channel) <= STILL_BEGINS_MAX;
            if !session.stills_out.takes(from, piece, room) {
                crate::metrics::dropped("still_no_room");
            } else if session.say(channel, true, &message, STILL_GOES_ON_MAX, &mut self.drained) {
                self.touched.push(other);
            } else {
                session.stills_out.spoilt(from);
                crate::metrics::dropped("still_no_room");
            }
        }
    }

    fn send_waves(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        // On a link without room for waves the freshest wait for it.
        let room = session.downlink.plan.waves;
        let Some(channel) = session.waves_channel.filter(|_| room) else { return };
        while let Some(wave) = session.waves.next() {
            // On a thin link half a second of it, so that nothing waits long behind waves.
            let half_a_second = session.downlink.estimate_bps().map(|bps| bps / 16);
            let waiting_max = half_a_second
                .and_then(|bytes| usize::try_from(bytes).ok())
                .map_or(WAVES_IN_CHANNEL_MAX, |bytes| {
                    bytes.clamp(WAVE_BYTES_MAX, WAVES_IN_CHANNEL_MAX)
                });
            if !session.say(channel, true, &wave, waiting_max, &mut self.drained) {
                return;
            }
            session.waves.sent();
            self.touched.push(key);
        }
    }
}
