//! Nonin's serial data formats 2 and 7 (OEM III, Xpod, WristOx2; 9600 baud, 8 bits, no parity): 75
//! packets of five bytes a second, of which 25 make a frame. The first of them has the bit SYNC.
//!
//! ```text
//! format 2   01     status wave       slot sum     sum: of the four bytes before it, eight bits
//! format 7   status wave (two bytes)  slot sum
//! status     1 disconnected artifact out-of-track alarm red green SYNC
//! slot       0: pulse bits 7 and 8   1: pulse bits 0 to 6   2: saturation   7: battery (format 7)
//! ```
//!
//! Of the several averages the one over four beats, for recording, is read: it is none at once when
//! the finger is out, while those for a display stay for ten seconds.

use super::{Front, Packet, Protocol, spo2_and_pulse};
use crate::codec::Frame;
use minato_protocol::reading::{Characteristic, Quality};

/// Length of a packet.
pub const PACKET_BYTES: usize = 5;
/// Packets of a frame.
pub const FRAME_PACKETS: usize = 25;
/// Length of a frame.
pub const FRAME_BYTES: usize = PACKET_BYTES * FRAME_PACKETS;

const FORMAT_2_FIRST: u8 = 0x01;
const STATUS_ALWAYS: u8 = 0x80;
const SYNC: u8 = 0x01;
/// Bits of the status and what they say, each for as long as it is set.
const STATUS: [(u8, Quality); 4] = [
    (DISCONNECTED, Quality::SensorDisconnected),
    (0x20, Quality::SignalIrregularity),
    (0x10, Quality::PoorSignal),
    (ALARM, Quality::SensorOff),
];
const DISCONNECTED: u8 = 0x40;
const ALARM: u8 = 0x08;
/// How large the pulse is, while one passes: red alone is low, with green beside it medium.
const PERFUSION: u8 = 0x06;
const PERFUSION_LOW: u8 = 0x04;
const SLOT: usize = 3;
const SLOT_PULSE_HIGH: usize = 0;
const SLOT_PULSE_LOW: usize = 1;
const SLOT_SATURATION: usize = 2;
const SLOT_BATTERY: usize = 7;
const BATTERY_LOW: u8 = 0x01;
const SEVEN_BITS: u8 = 0x7F;
const PULSE_NONE: u16 = 511;
const SATURATION_NONE: u16 = 127;

/// Which of the two layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Two,
    Seven,
}

impl Format {
    /// Where the status stands in a packet.
    const fn status(self) -> usize {
        match self {
            Self::Two => 1,
            Self::Seven => 0,
        }
    }
}

/// The protocol: which format the stream was found to have, and the frame that is under way.
#[derive(Debug)]
pub struct Nonin {
    format: Option<Format>,
    frame: [u8; FRAME_BYTES],
    /// Packets of the frame that are there; none before a SYNC.
    packets: Option<usize>,
}

impl Default for Nonin {
    fn default() -> Self {
        Self { format: None, frame: [0; FRAME_BYTES], packets: None }
    }
}

impl Protocol for Nonin {
    type Packet = NoninPacket;
    const CHARACTERISTIC: Characteristic = Characteristic::SerialNonin;
    const SAMPLES_PER_SECOND: u32 = 75;
    const BELIEVED_AFTER: u32 = 0;

    fn front(&mut self, bytes: &[u8]) -> Front<NoninPacket> {
        let Some(first) = bytes.first() else { return Front::Unfinished };
        let by_first = if *first == FORMAT_2_FIRST { Format::Two } else { Format::Seven };
        if self.format.is_some_and(|format| format != by_first) {
            return self.noise();
        }
        // A sum of eight bits is right by chance too often to begin with any packet.
        let needed = if self.format.is_some() { STATUS_ALWAYS } else { STATUS_ALWAYS | SYNC };
        let status = bytes.get(by_first.status());
        if status.is_some_and(|status| status & needed != needed) {
            return self.noise();
        }
        let Some(packet) = bytes.first_chunk::<PACKET_BYTES>() else { return Front::Unfinished };
        let [a, b, c, d, sum] = *packet;
        if a.wrapping_add(b).wrapping_add(c).wrapping_add(d) != sum {
            return self.noise();
        }
        self.format = Some(by_first);
        Front::Packet(self.packet(by_first, *packet), PACKET_BYTES)
    }
}

impl Nonin {
    fn noise(&mut self) -> Front<NoninPacket> {
        (self.format, self.packets) = (None, None);
        Front::Noise
    }

    fn packet(&mut self, format: Format, packet: [u8; PACKET_BYTES]) -> NoninPacket {
        let status = packet[format.status()];
        let sample = packet[format.status() + 1];
        if status & SYNC != 0 {
            self.packets = Some(0);
        }
        // A frame that goes on without a SYNC is none.
        let place = self.packets.filter(|place| *place < FRAME_PACKETS);
        self.packets = place.map(|place| place + 1);
        if let Some(place) = place {
            self.frame[place * PACKET_BYTES..][..PACKET_BYTES].copy_from_slice(&packet);
        }
        let whole = self.packets == Some(FRAME_PACKETS);
        let frame = whole.then(|| Box::new(NoninFrame { format, bytes: self.frame }));
        NoninPacket { bytes: packet, status, sample, frame }
    }
}

/// One packet; the last of 25 carries their frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoninPacket {
    bytes: [u8; PACKET_BYTES],
    status: u8,
    sample: u8,
    frame: Option<Box<NoninFrame>>,
}

/// 25 packets that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NoninFrame {
    format: Format,
    bytes: [u8; FRAME_BYTES],
}

impl NoninFrame {
    fn slot(&self, place: usize) -> u8 {
        self.bytes[place * PACKET_BYTES + SLOT]
    }

    fn spo2(&self) -> Option<u16> {
        let percent = u16::from(self.slot(SLOT_SATURATION) & SEVEN_BITS);
        (percent != SATURATION_NONE).then_some(percent)
    }

    fn pulse(&self) -> Option<u16> {
        let high = u16::from(self.slot(SLOT_PULSE_HIGH) & 0b11) << 7;
        let pulse = high | u16::from(self.slot(SLOT_PULSE_LOW) & SEVEN_BITS);
        (pulse != PULSE_NONE).then_some(pulse)
    }

    /// What any of its packets remarked.
    fn quality(&self) -> Vec<Quality> {
        let statuses = || self.bytes.iter().skip(self.format.status()).step_by(PACKET_BYTES);
        let any = statuses().fold(0, |any, status| any | status);
        let mut found: Vec<_> =
            STATUS.iter().filter(|(bit, _)| any & bit != 0).map(|(_, remark)| *remark).collect();
        if statuses().any(|status| status & PERFUSION == PERFUSION_LOW) {
            found.push(Quality::LowPerfusion);
        }
        // The OEM modules with format 2 have no battery, and call the bit reserved.
        if self.format == Format::Seven && self.slot(SLOT_BATTERY) & BATTERY_LOW != 0 {
            found.push(Quality::BatteryLow);
        }
        found
    }
}

impl Packet for NoninPacket {
    fn frame(&self) -> Option<Frame> {
        let frame = self.frame.as_deref()?;
        let (spo2, pulse) = (frame.spo2(), frame.pulse());
        Some(spo2_and_pulse(Nonin::CHARACTERISTIC, spo2, pulse, &frame.quality()))
    }

    fn raw(&self) -> Vec<u8> {
        self.frame.as_deref().map_or(self.bytes.to_vec(), |frame| frame.bytes.to_vec())
    }

    fn sample(&self) -> Option<u8> {
        Some(self.sample)
    }

    fn worn(&self) -> Option<bool> {
        Some(self.status & (DISCONNECTED | ALARM) == 0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::codec::serial::{Found, Stream};
    use crate::codec::{FrameValue, Value};
    use minato_protocol::reading::Decimal;

    /// A frame as the device sends it. `status` is added to what each packet's has anyway.
    pub(crate) fn frame(format_7: bool, pulse: u16, spo2: u8, status: u8) -> Vec<u8> {
        let slot = |place: usize| match place {
            SLOT_PULSE_HIGH => u8::try_from(pulse >> 7).expect("nine bits"),
            SLOT_PULSE_LOW => u8::try_from(pulse & 0x7F).expect("seven bits"),
            SLOT_SATURATION => spo2,
            _ => 0,
        };
        let packet = |place: usize| {
            let wave = u8::try_from(place).expect("small") * 10;
            let status = STATUS_ALWAYS | status | u8::from(place == 0);
            let four = if format_7 {
                [status, wave, 0x55, slot(place)]
            } else {
                [1, status, wave, slot(place)]
            };
            let sum = four.iter().fold(0, |sum: u8, byte| sum.wrapping_add(*byte));
            [four.as_slice(), &[sum]].concat()
        };
        (0..FRAME_PACKETS).flat_map(packet).collect()
    }

    fn read(bytes: &[u8]) -> Vec<Found<NoninPacket>> {
        let (mut stream, mut found) = (Stream::<Nonin>::default(), Vec::new());
        stream.feed(bytes, &mut found);
        found
    }

    fn values(found: &[Found<NoninPacket>]) -> Vec<Vec<FrameValue>> {
        found.iter().filter_map(|found| found.packet.frame()).map(|frame| frame.values).collect()
    }

    fn number(value: i32) -> Value {
        Value::Number(Decimal::whole(value))
    }

    #[test]
    fn both_formats_say_saturation_pulse_and_wave() {
        for format_7 in [false, true] {
            let found = read(&frame(format_7, 140, 97, 0));
            assert_eq!(found.len(), 25);
            let [values] = &values(&found)[..] else { panic!("{found:?}") };
            assert_eq!((values[0].value, values[1].value), (number(97), number(140)));
            assert_eq!(found[3].packet.sample(), Some(30));
            assert_eq!(found[24].packet.raw().len(), FRAME_BYTES);
        }
    }

    #[test]
    fn a_frame_that_lost_a_byte_says_nothing_and_the_next_one_does() {
        for format_7 in [false, true] {
            let mut bytes = frame(format_7, 72, 97, 0);
            bytes.remove(33);
            bytes.extend(frame(format_7, 73, 98, 0));
            let values = values(&read(&bytes));
            let [values] = values.as_slice() else { panic!("{values:?}") };
            assert_eq!((values[0].value, values[1].value), (number(98), number(73)));
        }
    }

    #[test]
    fn without_a_finger_there_is_no_number_and_the_reason_is_said() {
        let off = read(&frame(false, PULSE_NONE, 127, ALARM));
        let frame_off = off[24].packet.frame().expect("a frame");
        assert_eq!(frame_off.quality, [Quality::SensorOff]);
        assert_eq!(off[0].packet.worn(), Some(false));
        assert!(frame_off.values.iter().all(|value| matches!(value.value, Value::Special(_))));
        let unplugged = read(&frame(true, 72, 97, DISCONNECTED));
        let frame_unplugged = unplugged[24].packet.frame().expect("a frame");
        assert_eq!(frame_unplugged.quality, [Quality::SensorDisconnected]);
        assert!(matches!(frame_unplugged.values[0].value, Value::Special(_)));
    }

    #[test]
    fn remarks_are_those_of_the_whole_frame() {
        let found = read(&frame(true, 72, 97, 0x10 | PERFUSION_LOW));
        let quality = found[24].packet.frame().expect("a frame").quality;
        assert_eq!(quality, [Quality::PoorSignal, Quality::LowPerfusion]);
    }
}
