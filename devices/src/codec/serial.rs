//! PURE: oximeters on a serial cable. Bytes come in pieces of any length and with noise among
//! them; whole packets go out, each with the number of bytes that were lost before it.

pub mod bci;
pub mod emay;
pub mod nonin;

use super::{Frame, Value};
use minato_protocol::reading::{Characteristic, Decimal, Quality, Quantity, Special, Unit};
use std::fmt::Debug;

/// No packet that is read here is longer, in bytes.
pub const PACKET_BYTES_MAX: usize = 8;

/// How packets of one protocol are told from noise.
pub trait Protocol: Debug + Default + Send + Sync {
    /// What it sends.
    type Packet: Packet;
    /// How its messages are named.
    const CHARACTERISTIC: Characteristic;
    /// Samples of the pulse wave a second, while there are any.
    const SAMPLES_PER_SECOND: u32;
    /// A packet that does not prove itself by a sum is believed once so many have stood one behind
    /// the other and the next one has followed; 0 where there is a sum.
    const BELIEVED_AFTER: u32;

    /// What stands at the front of `bytes`, which are never more than [`PACKET_BYTES_MAX`]. Asked
    /// again with one byte more after [`Front::Unfinished`], with one byte less at the front after
    /// [`Front::Noise`], and with what is behind it after a packet.
    fn front(&mut self, bytes: &[u8]) -> Front<Self::Packet>;
}

/// What stands at the front of a window of bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Front<P> {
    /// A packet, so many bytes long.
    Packet(P, usize),
    /// The beginning of what may become one; also no bytes at all.
    Unfinished,
    /// The first byte begins no packet.
    Noise,
}

/// One packet of an oximeter.
pub trait Packet: Debug + Clone + PartialEq + Send + Sync {
    /// Values and remarks, if it carries any.
    fn frame(&self) -> Option<Frame>;
    /// The bytes that they were read from.
    fn raw(&self) -> Vec<u8>;
    /// A sample of the pulse wave, 0 to 255, if it carries one.
    fn sample(&self) -> Option<u8>;
    /// Whether a finger is in the sensor, if it says so.
    fn worn(&self) -> Option<bool>;
}

/// A packet as it stood in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<P> {
    /// The packet.
    pub packet: P,
    /// Bytes before it that belong to no packet.
    pub lost_bytes: u64,
}

/// Finds packets in a stream of bytes. It holds one unfinished packet and nothing else, so that no
/// stream makes it grow; where the stream is cut into pieces changes nothing.
#[derive(Debug, Default)]
pub struct Stream<P> {
    protocol: P,
    window: [u8; PACKET_BYTES_MAX],
    held: usize,
    lost_bytes: u64,
}

impl<P: Protocol> Stream<P> {
    /// Reads on, and adds the packets that are complete now.
    pub fn feed(&mut self, bytes: &[u8], found: &mut Vec<Found<P::Packet>>) {
        for byte in bytes {
            self.window[self.held] = *byte;
            self.held += 1;
            self.settle(found);
        }
    }

    /// Gives up the packet that is under way: the line was silent.
    pub fn restart(&mut self) {
        self.lost_bytes += self.held as u64;
        self.held = 0;
        self.protocol = P::default();
    }

    /// Bytes behind the last packet that belong to none, or not yet.
    pub fn rest_bytes(&self) -> u64 {
        self.lost_bytes + self.held as u64
    }

    fn settle(&mut self, found: &mut Vec<Found<P::Packet>>) {
        loop {
            match self.protocol.front(&self.window[..self.held]) {
                Front::Packet(packet, bytes) => {
                    found.push(Found { packet, lost_bytes: std::mem::take(&mut self.lost_bytes) });
                    self.drop_front(bytes);
                }
                Front::Noise => {
                    self.lost_bytes += 1;
                    self.drop_front(1);
                }
                // A full window that is no packet yet would be a protocol longer than the window.
                Front::Unfinished if self.held == PACKET_BYTES_MAX => {
                    self.lost_bytes += 1;
                    self.drop_front(1);
                }
                Front::Unfinished => return,
            }
        }
    }

    fn drop_front(&mut self, bytes: usize) {
        self.window.copy_within(bytes..self.held, 0);
        self.held -= bytes;
    }
}

/// Saturation and pulse with their remarks, as every protocol here has them. Where `quality` says
/// that the sensor is on nobody there is no number, whatever the device still repeats.
fn spo2_and_pulse(
    characteristic: Characteristic,
    spo2: Option<u16>,
    pulse: Option<u16>,
    quality: &[Quality],
) -> Frame {
    let mut frame = Frame::begin(characteristic);
    frame.quality.extend(quality);
    frame.quality.sort_unstable();
    frame.quality.dedup();
    let off = quality.iter().any(|remark| remark.withholds());
    let value = |number: Option<u16>| match number.filter(|_| !off) {
        Some(number) => Value::Number(Decimal::whole(i32::from(number))),
        None => Value::Special(Special::NaN),
    };
    frame.push(Quantity::Spo2, value(spo2), Unit::Percent);
    frame.push(Quantity::PulseRate, value(pulse), Unit::PerMinute);
    frame
}

/// A sample of seven bits over the whole of a byte.
const fn widened(seven_bits: u8) -> u8 {
    (seven_bits << 1) | ((seven_bits >> 6) & 1)
}

#[cfg(test)]
mod fuzzed;
