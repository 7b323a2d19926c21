//! Media of one connection: reading what comes in, writing what goes out.

use super::{Drained, Session};
use crate::forward::layer::Layer;
use crate::forward::outgoing::{Outgoing, Voice};
use crate::forward::red::{Frame, Frames};
use crate::forward::source::Track;
use std::time::{Duration, Instant};
use str0m::bwe::Bitrate;
use str0m::media::{KeyframeRequestKind, Mid, Rid};
use str0m::rtp::{RtpPacket, RtpWrite, Ssrc};

/// Synchronisation sources remembered of one participant: 3 lines, simulcast, restarts. When
/// full all are looked up anew.
const SSRCS_MAX: usize = 32;
/// Packets of a picture kept for who asks for them again, and for how long.
const RESEND_PACKETS: usize = 512;
const RESEND_AGE: Duration = Duration::from_secs(2);
/// Resends above this share of what is sent are given up. str0m's own 15 % ends all repair on
/// the links that need it most.
const RESEND_SHARE: f32 = 0.35;

/// A receiving line that nobody was ever on, as it was answered.
#[derive(Debug)]
pub(super) struct LineAside {
    mid: Mid,
    ssrc: Ssrc,
    resends: Option<Ssrc>,
}

impl Session {
    /// What an incoming packet is part of; `None` if it is on a line that was never agreed.
    pub(crate) fn identify(&mut self, packet: &RtpPacket) -> Option<(Track, Layer)> {
        let ssrc = packet.header.ssrc;
        if let Some(known) = self.track_by_ssrc.get(&ssrc) {
            return Some(*known);
        }
        let mut direct = self.rtc.direct_api();
        let stream = direct.stream_rx(&ssrc)?;
        let layer = Layer::of_rid(stream.rid().as_deref())?;
        let track = *self.track_by_mid.get(&stream.mid())?;
        if track != Track::Camera && self.lines.resends_sound {
            // str0m asks again only for what has a stream for resends; sound comes again in its
            // own.
            stream.suppress_nack(!self.asks_again.0);
        }
        if self.track_by_ssrc.len() >= SSRCS_MAX {
            self.track_by_ssrc.clear();
        }
        self.track_by_ssrc.insert(ssrc, (track, layer));
        Some((track, layer))
    }

    /// The frames of sound in a packet that were not known yet.
    pub(crate) fn unwrap(&self, frames: &mut Frames, packet: &RtpPacket) -> Vec<Frame> {
        let (seq, time) = (*packet.seq_no, packet.header.timestamp);
        match self.codecs.opus {
            Some(opus) if self.codecs.red == Some(packet.header.payload_type) => {
                frames.repeated(seq, time, &packet.payload, opus)
            }
            _ => {
                let payload = packet.payload.clone();
                frames.plain(Frame { seq, time, payload }).into_iter().collect()
            }
        }
    }

    /// How this page is sent sound now.
    pub(crate) fn voice(&self) -> Option<Voice> {
        let copies = self.downlink.plan.voice.copies;
        let red = self.codecs.red.filter(|_| copies > 0).map(|red| (red, copies));
        Some(Voice { pt: self.codecs.opus?, red })
    }

    /// Hands a media packet to the connection, which sends it when it next sees the time; that must
    /// follow. Nothing is queued for a page that is not connected.
    pub(crate) fn write(&mut self, mid: Mid, write: RtpWrite) {
        if !self.connected {
            return;
        }
        self.begin_line(mid);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(mid, None) {
            stream.write_rtp(write);
            self.waits = true;
        }
    }

    /// Puts aside the lines that nobody is on yet: str0m walks over all it has with every packet, and
    /// most pages hear one or two others. The first pair stays, for it is what links are probed with.
    pub(crate) fn put_lines_aside(&mut self) {
        let Outgoing { sounds, pictures, auscultation } = &self.outgoing;
        let sounds = sounds.iter().skip(1).chain(auscultation).map(|out| out.mid);
        let pictures = pictures.iter().skip(1).flatten().map(|out| out.mid);
        self.put_aside(sounds.chain(pictures).collect());
    }

    /// Does something with all lines as they were answered, those put aside too.
    pub(crate) fn with_all_lines<T>(&mut self, act: impl FnOnce(&mut Self) -> T) -> T {
        let aside = std::mem::take(&mut self.aside);
        aside.iter().for_each(|line| self.bring_back(line));
        let answer = act(self);
        self.put_aside(aside.into_iter().map(|line| line.mid).collect());
        answer
    }

    fn put_aside(&mut self, mids: Vec<Mid>) {
        let mut direct = self.rtc.direct_api();
        for mid in mids {
            let Some(stream) = direct.stream_tx_by_mid(mid, None) else { continue };
            let line = LineAside { mid, ssrc: stream.ssrc(), resends: stream.rtx() };
            direct.remove_stream_tx(line.ssrc);
            self.aside.push(line);
        }
    }

    fn begin_line(&mut self, mid: Mid) {
        if let Some(index) = self.aside.iter().position(|line| line.mid == mid) {
            let line = self.aside.swap_remove(index);
            self.bring_back(&line);
        }
    }

    fn bring_back(&mut self, line: &LineAside) {
        let is_picture = self.outgoing.slot_of_picture(line.mid).is_some();
        let mut direct = self.rtc.direct_api();
        let stream = direct.declare_stream_tx(line.ssrc, line.resends, line.mid, None);
        if is_picture {
            stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, Some(RESEND_SHARE));
        }
    }

    /// Lost sound, lost pictures are asked for again from now on, or are not.
    pub(crate) fn ask_again(&mut self, asks: (bool, bool)) {
        if self.asks_again == asks {
            return;
        }
        self.asks_again = asks;
        let mut direct = self.rtc.direct_api();
        for (ssrc, (track, _)) in &self.track_by_ssrc {
            let asks = if *track == Track::Camera { asks.1 } else { asks.0 };
            if (*track == Track::Camera || self.lines.resends_sound)
                && let Some(stream) = direct.stream_rx(ssrc)
            {
                stream.suppress_nack(!asks);
            }
        }
    }

    /// Asks the participant's camera for a keyframe.
    pub(crate) fn request_keyframe(&mut self, layer: Layer, drained: &mut Drained) {
        let Some(mid) = self.lines.camera.as_deref().map(Mid::from) else { return };
        self.with(drained, |rtc| {
            let rid = layer.rid().map(Rid::from);
            if let Some(stream) = rtc.direct_api().stream_rx_by_mid(mid, rid) {
                stream.request_keyframe(KeyframeRequestKind::Pli);
            }
        });
    }

    /// Sets the cache of each picture line for lossy links.
    pub(crate) fn keep_for_resends(&mut self, drained: &mut Drained) {
        let mids: Vec<Mid> = self.outgoing.pictures.iter().flatten().map(|out| out.mid).collect();
        self.with(drained, |rtc| {
            let mut direct = rtc.direct_api();
            for mid in mids {
                if let Some(stream) = direct.stream_tx_by_mid(mid, None) {
                    stream.set_rtx_cache(RESEND_PACKETS, RESEND_AGE, Some(RESEND_SHARE));
                }
            }
        });
    }

    /// The page has moved to another address and perhaps another network.
    pub(crate) fn moved(&mut self, drained: &mut Drained) {
        crate::metrics::moved();
        self.span.in_scope(|| tracing::info!("a page has moved to another address"));
        if let Some(bps) = self.downlink.moved() {
            self.with(drained, |rtc| rtc.bwe().reset(Bitrate::bps(bps)));
        }
    }

    /// Stops pictures whose packets have waited in the pacer for too long, until a keyframe.
    pub(crate) fn drop_late_pictures(&mut self, wait_max: Duration, now: Instant) {
        let mut direct = self.rtc.direct_api();
        for out in self.outgoing.pictures.iter_mut().flatten() {
            let Some(stream) = direct.stream_tx_by_mid(out.mid, None) else { continue };
            let first = stream.queue_info().and_then(|queue| queue.first_unsent());
            let late = first.is_some_and(|at| now.saturating_duration_since(at) > wait_max);
            if late {
                out.stall(now);
                crate::metrics::dropped("late_picture");
            }
        }
    }
}
