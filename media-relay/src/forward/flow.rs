//! Media from one participant to the others, and the requests for keyframes the other way.

use super::addresses::Key;
use super::engine::Engine;
use super::layer::{Layer, choose};
use super::outgoing::{Published, even_out};
use super::session::is_staff;
use super::source::Track;
use minato_protocol::VisitId;
use minato_protocol::media::MediaClaims;
use std::time::Instant;
use str0m::media::Mid;
use str0m::rtp::RtpPacket;

impl Engine {
    /// Hands a packet to everybody else in the visit. The payload is shared, not copied.
    pub(super) fn forward(&mut self, key: Key, packet: &RtpPacket, now: Instant) {
        let Some(publisher) = self.sessions.get_mut(&key) else { return };
        let Some((track, layer)) = publisher.identify(packet) else {
            return crate::metrics::dropped("unknown_line");
        };
        if !publisher.connected || !may(&publisher.claims, track) {
            return crate::metrics::dropped("no_right");
        }
        let began = publisher.source.saw(track, layer, packet.payload.len(), now);
        let visit = publisher.claims.visit;
        if track == Track::Stethoscope && !self.holds_auscultation(visit, key, now) {
            return crate::metrics::dropped("auscultation_taken");
        }
        if began {
            // Aimed at before it is carried, a stream that starts with its keyframe is shown from
            // the first packet on and nobody has to ask for another.
            self.aim_all(visit, now);
        }
        if track == Track::Camera {
            let Some(publisher) = self.sessions.get_mut(&key) else { return };
            let Some(codec) = publisher.codecs.picture_of(packet.header.payload_type) else {
                return crate::metrics::dropped("unknown_codec");
            };
            publisher.source.codec = Some(codec);
            return self.pieces.push(Published::picture(key, layer, codec, packet));
        }
        let Some(publisher) = self.sessions.get_mut(&key) else { return };
        // Taken out while others are written to.
        let mut frames = std::mem::take(publisher.source.frames(track));
        let fresh = publisher.unwrap(&mut frames, packet);
        if track == Track::Microphone {
            publisher.uplink.heard(packet.header.timestamp, packet.timestamp);
        }
        for frame in &fresh {
            publisher.source.sounded(track, frame.payload.len(), now);
        }
        for frame in fresh {
            self.hand_out(track, &mut Published::sound(key, packet, &frame, &frames), now);
        }
        if let Some(publisher) = self.sessions.get_mut(&key) {
            *publisher.source.frames(track) = frames;
        }
    }

    /// Hands out what came of pictures, each in its order.
    pub(super) fn hand_out_pieces(&mut self, now: Instant) {
        let mut pieces = std::mem::take(&mut self.pieces);
        pieces.sort_by_key(Published::place);
        even_out(&mut pieces);
        for mut piece in pieces.drain(..) {
            self.hand_out(Track::Camera, &mut piece, now);
        }
        self.pieces = pieces;
    }

    fn hand_out(&mut self, track: Track, published: &mut Published<'_>, now: Instant) {
        let from = published.from;
        let Some(publisher) = self.sessions.get(&from) else { return };
        let participant = publisher.claims.participant;
        let Some(keys) = self.keys_by_visit.get(&publisher.claims.visit) else { return };
        for other in keys.iter().filter(|other| **other != from) {
            let Some(receiver) = self.sessions.get_mut(other) else { continue };
            if !receiver.connected || !receiver.claims.rights.receive {
                continue;
            }
            if track != Track::Camera && !receiver.downlink.sounds() {
                crate::metrics::dropped("text_only");
                continue;
            }
            if track == Track::Stethoscope && !receiver.hears_stethoscopes() {
                continue;
            }
            let slot = receiver.slots.of(participant);
            let (voice, codecs) = (receiver.voice(), receiver.codecs);
            let lines = &mut receiver.outgoing;
            let made = match track {
                Track::Microphone => slot.zip(voice).and_then(|(slot, voice)| {
                    let out = lines.sounds.get_mut(slot)?;
                    Some((out.mid, out.carry(published, voice)?))
                }),
                Track::Camera => slot.and_then(|slot| {
                    let pt = codecs.of_picture(published.codec)?;
                    let out = lines.pictures.get_mut(slot)?.as_mut()?;
                    Some((out.mid, out.carry(published, pt)?))
                }),
                Track::Stethoscope => lines
                    .auscultation
                    .as_mut()
                    .zip(voice)
                    .and_then(|(out, voice)| Some((out.mid, out.carry(published, voice)?))),
            };
            if let Some((mid, write)) = made {
                receiver.write(mid, write);
                match track {
                    // What is of a picture waits for sound to go with, or for more of itself.
                    Track::Camera => self.timers.call(*other, self.beats.with_sound(now)),
                    Track::Microphone | Track::Stethoscope => self.touched.push(*other),
                }
            }
        }
    }

    /// One stethoscope is heard at a time: the first keeps the line until it is silent.
    fn holds_auscultation(&mut self, visit: VisitId, key: Key, now: Instant) -> bool {
        let holder = self.auscultator_by_visit.get(&visit).copied();
        let holder = holder
            .filter(|holder| self.sessions.get(holder).is_some_and(|s| s.source.auscultates(now)));
        match holder {
            Some(holder) => holder == key,
            None => {
                self.auscultator_by_visit.insert(visit, key);
                true
            }
        }
    }

    /// A page cannot decode what is on a line. Requests about an empty slot are ignored: a
    /// browser takes the silence of one for a freeze.
    pub(super) fn keyframe_wanted(&mut self, key: Key, mid: Mid, now: Instant) {
        let wanted = self.sessions.get(&key).and_then(|session| {
            let slot = session.outgoing.slot_of_picture(mid)?;
            session.slots.holder(slot)?;
            session.outgoing.pictures.get(slot)?.as_ref()?.wants()
        });
        if let Some((publisher, layer)) = wanted {
            self.want_keyframe(publisher, layer, now);
        }
    }

    fn want_keyframe(&mut self, publisher: Key, layer: Layer, now: Instant) {
        let Some(session) = self.sessions.get_mut(&publisher) else { return };
        session.source.keyframes.want(layer);
        self.ask_keyframes(publisher, now);
    }

    /// Sends the requests for which the publisher's ration has room now.
    pub(super) fn ask_keyframes(&mut self, publisher: Key, now: Instant) {
        let Some(session) = self.sessions.get_mut(&publisher) else { return };
        for layer in session.source.keyframes.ask(now) {
            session.request_keyframe(layer, &mut self.drained);
            self.touched.push(publisher);
        }
    }

    fn aim_all(&mut self, visit: VisitId, now: Instant) {
        for key in self.keys_by_visit.get(&visit).cloned().unwrap_or_default() {
            self.aim(key, now);
        }
    }

    /// Points every picture line of a page at the layer it should show.
    pub(super) fn aim(&mut self, key: Key, now: Instant) {
        let Some(session) = self.sessions.get(&key) else { return };
        let visit = session.claims.visit;
        let targets: Vec<_> = (0..session.outgoing.pictures.len())
            .map(|slot| {
                let holder = session.slots.holder(slot)?;
                let publisher = self.present(visit, holder).filter(|p| session.can_show(p))?;
                let wish = session.wish_of(holder).min(session.downlink.cap());
                let layer = choose(wish, |layer| publisher.source.layer_flows(layer, now))?;
                Some((publisher.key, layer))
            })
            .collect();
        let Some(session) = self.sessions.get_mut(&key) else { return };
        for (out, target) in session.outgoing.pictures.iter_mut().zip(targets) {
            if let Some(out) = out {
                out.aim(target);
            }
        }
    }

    /// A page that was away is heard again: its pictures begin anew.
    pub(super) fn welcome_back(&mut self, key: Key, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        if !session.away || session.heard != now {
            return;
        }
        session.away = false;
        for line in session.outgoing.pictures.iter_mut().flatten() {
            line.begin_anew();
        }
        self.ask_for_lines(key, now);
    }

    /// Asks for the keyframes that a page's picture lines wait for.
    pub(super) fn ask_for_lines(&mut self, key: Key, now: Instant) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let lines = session.outgoing.pictures.iter_mut().flatten();
        let asks: Vec<_> = lines.filter_map(|line| line.asks(now)).collect();
        for (publisher, layer) in asks {
            self.want_keyframe(publisher, layer, now);
        }
    }
}

fn may(claims: &MediaClaims, track: Track) -> bool {
    match track {
        Track::Microphone => claims.rights.publish_audio,
        Track::Camera => claims.rights.publish_video,
        Track::Stethoscope => claims.rights.publish_audio && is_staff(claims),
    }
}
