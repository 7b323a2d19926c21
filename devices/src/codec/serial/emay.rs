//! Packets of EMAY's oximeters, which Contec's newer ones send too: values once a second, and the
//! pulse wave about 60 times where it was asked for. Only the first byte needs its top bit.
//!
//! ```text
//! EB 01 high pulse saturation x x sum       high: bit 1 is the pulse's bit 7
//! EB 00  x   wave      x          sum       sum: of all bytes before it, seven bits
//! ```
//!
//! The layout of the values is the one that is described for EMAY's SleepO2 (by Bluetooth), for
//! Contec's CMS50E (by USB) and for the CMS50D-BT; `x` is a perfusion index or nothing, depending
//! on the model, and is not read.

use super::{Front, Packet, Protocol, spo2_and_pulse, widened};
use crate::codec::Frame;
use minato_protocol::reading::{Characteristic, Quality};

/// Length of a packet with values.
pub const VALUES_BYTES: usize = 8;
/// Length of a packet with a sample of the wave.
pub const WAVE_BYTES: usize = 6;

const FIRST: u8 = 0xEB;
const WAVE: u8 = 0x00;
const VALUES: u8 = 0x01;
/// Bits of the third byte that values have: 4, 5, 6 or 7.
const HIGH: u8 = 0x07;
const HIGH_ALWAYS: u8 = 0x04;
const PULSE_BIT_7: u8 = 0x02;
const SUM: u8 = 0x7F;
const SATURATION_NONE: u8 = 0x7F;
const PULSE_NONE: u8 = 0xFF;
const PULSE_NONE_LOW: u8 = 0x7F;

/// The protocol.
#[derive(Debug, Default, Clone, Copy)]
pub struct Emay;

impl Protocol for Emay {
    type Packet = EmayPacket;
    const CHARACTERISTIC: Characteristic = Characteristic::SerialEmay;
    const SAMPLES_PER_SECOND: u32 = 60;
    const BELIEVED_AFTER: u32 = 0;

    fn front(&mut self, bytes: &[u8]) -> Front<EmayPacket> {
        match bytes {
            [] | [FIRST] => Front::Unfinished,
            [FIRST, VALUES, rest @ ..] => {
                if rest.first().is_some_and(|high| high & !HIGH != 0 || high & HIGH_ALWAYS == 0) {
                    return Front::Noise;
                }
                whole(bytes, EmayPacket::Values)
            }
            [FIRST, WAVE, ..] => whole(bytes, EmayPacket::Wave),
            _ => Front::Noise,
        }
    }
}

/// A packet of `N` bytes, once they are there, if its sum is right.
fn whole<const N: usize>(bytes: &[u8], packet: fn([u8; N]) -> EmayPacket) -> Front<EmayPacket> {
    let Some(found) = bytes.first_chunk::<N>() else { return Front::Unfinished };
    let (sum, summed) = (found[N - 1], &found[..N - 1]);
    if summed.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) & SUM == sum {
        Front::Packet(packet(*found), N)
    } else {
        Front::Noise
    }
}

/// One packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmayPacket {
    /// Saturation and pulse.
    Values([u8; VALUES_BYTES]),
    /// A sample of the pulse wave.
    Wave([u8; WAVE_BYTES]),
}

impl EmayPacket {
    /// Percent.
    pub fn spo2(&self) -> Option<u8> {
        match self {
            Self::Values([_, _, _, _, percent, ..]) => {
                Some(*percent).filter(|percent| !matches!(*percent, 0 | SATURATION_NONE | 0xFF))
            }
            Self::Wave(_) => None,
        }
    }

    /// Beats a minute. Described both as eight bits and as seven with the top one apart: the two
    /// fit together.
    pub fn pulse(&self) -> Option<u8> {
        match self {
            Self::Values([_, _, high, pulse, ..]) => {
                let pulse = pulse | ((high & PULSE_BIT_7) << 6);
                let none = matches!(pulse, 0 | PULSE_NONE)
                    || (pulse == PULSE_NONE_LOW && self.spo2().is_none());
                (!none).then_some(pulse)
            }
            Self::Wave(_) => None,
        }
    }
}

impl Packet for EmayPacket {
    fn frame(&self) -> Option<Frame> {
        let worn = self.worn()?;
        let (spo2, pulse) = (self.spo2().map(u16::from), self.pulse().map(u16::from));
        let quality: &[Quality] = if worn { &[] } else { &[Quality::SensorOff] };
        Some(spo2_and_pulse(Emay::CHARACTERISTIC, spo2, pulse, quality))
    }

    fn raw(&self) -> Vec<u8> {
        match self {
            Self::Values(bytes) => bytes.to_vec(),
            Self::Wave(bytes) => bytes.to_vec(),
        }
    }

    fn sample(&self) -> Option<u8> {
        match self {
            Self::Values(_) => None,
            Self::Wave([_, _, _, wave, ..]) => Some(widened(wave & 0x7F)),
        }
    }

    /// A finger that is out shows by both values being none.
    fn worn(&self) -> Option<bool> {
        match self {
            Self::Values(_) => Some(self.spo2().is_some() || self.pulse().is_some()),
            Self::Wave(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::serial::Stream;

    /// The packet with its sum behind it.
    fn summed(bytes: &[u8]) -> Vec<u8> {
        let sum = bytes.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte)) & SUM;
        [bytes, &[sum]].concat()
    }

    fn read(bytes: &[u8]) -> Vec<EmayPacket> {
        let (mut stream, mut found) = (Stream::<Emay>::default(), Vec::new());
        stream.feed(bytes, &mut found);
        found.into_iter().map(|found| found.packet).collect()
    }

    fn values(high: u8, pulse: u8, spo2: u8) -> EmayPacket {
        let found = read(&summed(&[0xEB, 0x01, high, pulse, spo2, 0x7F, 0x00]));
        *found.first().expect("a packet")
    }

    #[test]
    fn a_packet_says_saturation_and_pulse() {
        let found = read(&[0xEB, 0x01, 0x05, 0x3E, 0x62, 0x7F, 0x00, 0x10]);
        let [packet] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((packet.spo2(), packet.pulse()), (Some(98), Some(62)));
    }

    #[test]
    fn a_fast_heart_is_read_in_both_ways_that_are_described() {
        assert_eq!(values(0x06, 12, 98).pulse(), Some(140));
        assert_eq!(values(0x05, 140, 98).pulse(), Some(140));
    }

    #[test]
    fn without_a_finger_there_is_no_number() {
        for off in [values(0x05, 0, 0), values(0x05, 0xFF, 0xFF), values(0x06, 0x7F, 0x7F)] {
            assert_eq!((off.spo2(), off.pulse(), off.worn()), (None, None, Some(false)));
            assert_eq!(off.frame().expect("a frame").quality, [Quality::SensorOff]);
        }
        let pulse_only = values(0x05, 62, 0);
        assert_eq!((pulse_only.spo2(), pulse_only.pulse()), (None, Some(62)));
        assert_eq!(pulse_only.frame().expect("a frame").quality, []);
    }

    #[test]
    fn a_packet_with_a_wrong_sum_is_noise_and_the_next_one_is_found() {
        let mut broken = summed(&[0xEB, 0x01, 0x05, 62, 98, 0x7F, 0x00]);
        broken[4] = 99;
        broken.extend(summed(&[0xEB, 0x00, 0x00, 0x40, 0x03]));
        let found = read(&broken);
        let [wave] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((wave.sample(), wave.worn()), (Some(0x81), None));
    }
}
