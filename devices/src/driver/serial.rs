//! Oximeters on a serial cable, by the name that the operator gave with the port: values once a
//! second and the pulse wave.

mod wave;

use super::{Attribute, Driver, Family, Line, Meta, Offer, Said, Way};
use crate::codec::serial::{Packet, Protocol, Stream, bci::Bci, emay::Emay, nonin::Nonin};
use crate::driver::Message;
use minato_protocol::reading::DeviceKind;
use minato_protocol::{Span, Timestamp};
use wave::Wave;

/// A line that was silent for longer begins anew, and its wave has a gap.
const SILENCE_MAX: Span = Span::seconds(1);
/// Values are told so often.
const PERIOD: Span = Span::seconds(1);
/// Packets come in bursts: one that comes a little before its second is told with it.
const EARLY_MAX: Span = Span(200);

/// Contec CMS50D+ with its own cable.
pub(super) const CONTEC: Family = Family {
    matches: |offer| is_called(offer, "contec"),
    way: Way::Serial(Line { baud: 19_200, odd_parity: true, wake: &[], keep_awake: &[] }),
    make: || Box::new(SerialOximeter::<Bci>::new("contec-serial")),
};

/// EMAY, and Contec's newer ones. Asks who it is and how it is, for the wave, and for the values;
/// it stops after some seconds in which nobody says that they are still wanted.
pub(super) const EMAY: Family = Family {
    matches: |offer| is_called(offer, "emay"),
    way: Way::Serial(Line {
        baud: 115_200,
        odd_parity: false,
        wake: &[0x89, 0x09, 0x8E, 0x05, 0x13, 0x9B, 0x00, 0x1B, 0x9B, 0x01, 0x1C],
        keep_awake: &[0x9A, 0x1A],
    }),
    make: || Box::new(SerialOximeter::<Emay>::new("emay-serial")),
};

/// Nonin's modules and cables with serial data format 2 or 7.
pub(super) const NONIN: Family = Family {
    matches: |offer| is_called(offer, "nonin"),
    way: Way::Serial(Line { baud: 9_600, odd_parity: false, wake: &[], keep_awake: &[] }),
    make: || Box::new(SerialOximeter::<Nonin>::new("nonin-serial")),
};

/// A cable has no attributes: a radio device that happens to have the same name does.
fn is_called(offer: &Offer, name: &str) -> bool {
    offer.attributes.is_empty() && offer.name == name
}

/// Reads one stream of packets.
#[derive(Debug)]
struct SerialOximeter<P: Protocol> {
    name: &'static str,
    stream: Stream<P>,
    /// The last packet, and when it came, where the next one has yet to prove it.
    held: Option<(P::Packet, Timestamp)>,
    /// Packets without a byte lost between them, as far as it matters.
    in_a_row: u32,
    heard_at: Option<Timestamp>,
    /// When values are told next.
    due: Option<Timestamp>,
    worn: bool,
    wave: Wave,
}

impl<P: Protocol> SerialOximeter<P> {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            stream: Stream::default(),
            held: None,
            in_a_row: 0,
            heard_at: None,
            due: None,
            worn: true,
            wave: Wave::new(P::SAMPLES_PER_SECOND),
        }
    }

    /// A clock that was set back counts as silence too: what was due then is due now.
    fn notice_silence(&mut self, at: Timestamp, said: &mut Vec<Said>) {
        let since = self.heard_at.replace(at).map_or(Span(0), |before| at - before);
        if !(Span(0)..=SILENCE_MAX).contains(&since) {
            self.stream.restart();
            self.due = None;
            self.begin_again(said);
        }
    }

    /// Something is missing: the bytes that were lost may have been the held packet's own.
    fn begin_again(&mut self, said: &mut Vec<Said>) {
        (self.held, self.in_a_row) = (None, 0);
        self.wave.interrupt(said);
    }

    /// Takes a packet that is sure to be whole.
    fn take(&mut self, packet: &P::Packet, at: Timestamp, said: &mut Vec<Said>) {
        self.worn = packet.worn().unwrap_or(self.worn);
        match packet.sample() {
            Some(sample) if self.worn => self.wave.push(sample, at, said),
            Some(_) => self.wave.interrupt(said),
            None => {}
        }
        if self.due.is_some_and(|due| at < due - EARLY_MAX) {
            return;
        }
        let Some(frame) = packet.frame() else { return };
        let next = self.due.unwrap_or(at) + PERIOD;
        self.due = Some(if next > at { next } else { at + PERIOD });
        said.push(Said::Frame(Message {
            characteristic: P::CHARACTERISTIC,
            raw: packet.raw(),
            frame: Ok(frame),
            live: true,
        }));
    }
}

impl<P: Protocol> Driver for SerialOximeter<P> {
    fn meta(&self) -> Meta {
        Meta { name: self.name, kind: DeviceKind::Oximeter }
    }

    fn on_bytes(&mut self, from: Attribute, bytes: &[u8], at: Timestamp, said: &mut Vec<Said>) {
        if from != Attribute::SERIAL {
            return;
        }
        self.notice_silence(at, said);
        let mut found = Vec::new();
        self.stream.feed(bytes, &mut found);
        for found in found {
            if found.lost_bytes > 0 {
                self.begin_again(said);
            }
            if P::BELIEVED_AFTER == 0 {
                self.take(&found.packet, at, said);
                continue;
            }
            let before = self.held.replace((found.packet, at));
            if self.in_a_row < P::BELIEVED_AFTER {
                self.in_a_row += 1;
            } else if let Some((packet, at)) = before {
                self.take(&packet, at, said);
            }
        }
    }
}

#[cfg(test)]
mod tests;
