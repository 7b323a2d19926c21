//! The five-byte packets of the BCI protocol, about 60 a second, as Contec's CMS50D+ sends them
//! (19200 baud, 8 bits, odd parity). Only the first byte has its top bit set.
//!
//! ```text
//! 0   1 beep unplugged off strength(4)      2   0 pulse.7 searching off bars(4)
//! 1   0 wave(7)                             3   0 pulse(7)        4   0 saturation(7)
//! ```
//!
//! The layouts that are published differ in the words for three bits. Bit 4 of byte 0 is "no
//! signal" or "finger out", bit 4 of byte 2 "no finger" or "probe error": by either word there is
//! nothing to measure. Bit 5 of byte 0 is "probe unplugged" or, on Contec's, "saturation falls": it
//! must not hide the very number that falls, so it counts as unplugged only where there is none.

use super::{Front, Packet, Protocol, spo2_and_pulse, widened};
use crate::codec::Frame;
use minato_protocol::reading::{Characteristic, Quality};

/// Length of a packet.
pub const PACKET_BYTES: usize = 5;

const FIRST: u8 = 0x80;
const BEEP: u8 = 0x40;
const UNPLUGGED_OR_FALLING: u8 = 0x20;
const NO_SIGNAL: u8 = 0x10;
const STRENGTH: u8 = 0x0F;
const PULSE_BIT_7: u8 = 0x40;
const SEARCHING: u8 = 0x20;
const NO_FINGER: u8 = 0x10;
const BARS: u8 = 0x0F;
const SATURATION_NONE: u8 = 0x7F;
const PULSE_NONE: u8 = 0xFF;
/// What a pulse without its top bit looks like beside a saturation that is none.
const PULSE_NONE_LOW: u8 = 0x7F;

/// The protocol.
#[derive(Debug, Default, Clone, Copy)]
pub struct Bci;

impl Protocol for Bci {
    type Packet = BciPacket;
    const CHARACTERISTIC: Characteristic = Characteristic::SerialBci;
    const SAMPLES_PER_SECOND: u32 = 60;
    /// A fifth of a second. One in 32 places of mere noise looks like a packet, and none like twelve.
    const BELIEVED_AFTER: u32 = 12;

    fn front(&mut self, bytes: &[u8]) -> Front<BciPacket> {
        let Some((first, rest)) = bytes.split_first() else { return Front::Unfinished };
        if first & FIRST == 0 || rest.iter().take(PACKET_BYTES - 1).any(|byte| byte & FIRST != 0) {
            return Front::Noise;
        }
        match bytes.first_chunk() {
            Some(packet) => Front::Packet(BciPacket(*packet), PACKET_BYTES),
            None => Front::Unfinished,
        }
    }
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BciPacket([u8; PACKET_BYTES]);

impl BciPacket {
    /// How strong the signal is, 0 to 15, of which devices use 0 to 8.
    pub fn signal_strength(&self) -> u8 {
        self.0[0] & STRENGTH
    }

    /// Whether a beat falls on this packet.
    pub fn beep(&self) -> bool {
        self.0[0] & BEEP != 0
    }

    /// The pulse wave as it came, 0 to 127.
    pub fn wave(&self) -> u8 {
        self.0[1]
    }

    /// How long the bar beside the display's numbers is, 0 to 15.
    pub fn bars(&self) -> u8 {
        self.0[2] & BARS
    }

    /// Percent.
    pub fn spo2(&self) -> Option<u8> {
        Some(self.0[4]).filter(|percent| !matches!(*percent, 0 | SATURATION_NONE))
    }

    /// Beats a minute.
    pub fn pulse(&self) -> Option<u8> {
        let pulse = self.0[3] | ((self.0[2] & PULSE_BIT_7) << 1);
        let none = matches!(pulse, 0 | PULSE_NONE)
            || (pulse == PULSE_NONE_LOW && self.0[4] == SATURATION_NONE);
        (!none).then_some(pulse)
    }

    /// Whether the device looks for a pulse.
    pub fn searching(&self) -> bool {
        self.0[2] & SEARCHING != 0
    }

    fn off(&self) -> bool {
        self.0[0] & NO_SIGNAL != 0 || self.0[2] & NO_FINGER != 0
    }

    fn unplugged(&self) -> bool {
        self.0[0] & UNPLUGGED_OR_FALLING != 0 && self.spo2().is_none()
    }

    fn quality(&self) -> Vec<Quality> {
        let remarks = [
            (self.off(), Quality::SensorOff),
            (self.unplugged(), Quality::SensorDisconnected),
            (self.searching(), Quality::SignalAnalysis),
        ];
        remarks.into_iter().filter(|(said, _)| *said).map(|(_, remark)| remark).collect()
    }
}

impl Packet for BciPacket {
    fn frame(&self) -> Option<Frame> {
        let (spo2, pulse) = (self.spo2().map(u16::from), self.pulse().map(u16::from));
        Some(spo2_and_pulse(Bci::CHARACTERISTIC, spo2, pulse, &self.quality()))
    }

    fn raw(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn sample(&self) -> Option<u8> {
        Some(widened(self.wave()))
    }

    fn worn(&self) -> Option<bool> {
        Some(!self.off() && !self.unplugged())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::Value;
    use crate::codec::serial::{Found, Stream};
    use minato_protocol::reading::{Decimal, Special};

    fn read(bytes: &[u8]) -> Vec<Found<BciPacket>> {
        let (mut stream, mut found) = (Stream::<Bci>::default(), Vec::new());
        stream.feed(bytes, &mut found);
        found
    }

    fn one(bytes: [u8; 5]) -> BciPacket {
        read(&bytes).pop().expect("a packet").packet
    }

    #[test]
    fn a_packet_says_saturation_pulse_and_wave() {
        let packet = one([0xc4, 0x28, 0x03, 0x48, 0x61]);
        assert_eq!((packet.spo2(), packet.pulse(), packet.wave()), (Some(97), Some(72), 40));
        assert_eq!((packet.signal_strength(), packet.bars(), packet.beep()), (4, 3, true));
        assert_eq!(packet.worn(), Some(true));
        let frame = packet.frame().expect("values");
        assert_eq!(frame.values[0].value, Value::Number(Decimal::whole(97)));
        assert_eq!(frame.quality, []);
    }

    #[test]
    fn a_fast_heart_has_its_top_bit_in_the_third_byte() {
        assert_eq!(one([0x84, 0x28, 0x43, 0x0c, 0x61]).pulse(), Some(140));
        assert_eq!(one([0x84, 0x28, 0x03, 0x7f, 0x61]).pulse(), Some(127));
        assert_eq!(one([0x84, 0x28, 0x43, 0x7f, 0x61]).pulse(), None);
    }

    #[test]
    fn without_a_finger_there_is_no_number_even_if_the_device_repeats_one() {
        for packet in [[0x94, 0x28, 0x03, 0x48, 0x61], [0x84, 0x28, 0x13, 0x48, 0x61]] {
            let packet = one(packet);
            assert_eq!(packet.worn(), Some(false));
            let frame = packet.frame().expect("a frame");
            assert_eq!(frame.quality, [Quality::SensorOff]);
            let numbers = frame.values.iter().all(|v| v.value == Value::Special(Special::NaN));
            assert!(numbers, "{frame:?}");
        }
    }

    #[test]
    fn a_falling_saturation_is_not_hidden_by_the_bit_that_others_use_for_a_probe() {
        let falling = one([0xa4, 0x28, 0x03, 0x48, 0x52]).frame().expect("values");
        assert_eq!(falling.values[0].value, Value::Number(Decimal::whole(82)));
        assert_eq!(falling.quality, []);
        let unplugged = one([0xa0, 0x00, 0x00, 0x7f, 0x7f]);
        assert_eq!(unplugged.frame().expect("a frame").quality, [Quality::SensorDisconnected]);
        assert_eq!(unplugged.worn(), Some(false));
    }

    #[test]
    fn a_packet_cut_short_costs_its_bytes_and_nothing_else() {
        let found = read(&[0xc4, 0x28, 0x03, 0xc4, 0x28, 0x03, 0x48, 0x61, 0x11]);
        let [found] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((found.packet.spo2(), found.lost_bytes), (Some(97), 3));
    }
}
