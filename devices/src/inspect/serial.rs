//! PURE: what a serial oximeter's bytes say, as JSON.

use super::shown;
use crate::codec::serial::{Packet, Protocol, Stream, bci::Bci, emay::Emay, nonin::Nonin};
use minato_protocol::reading::{HexBytes, HexInvalid};
use serde_json::{Value, json};
use thiserror::Error;

type Read = fn(&[u8]) -> (Vec<Value>, u64);

/// Every protocol by its name.
const PROTOCOLS: [(&str, Read); 3] =
    [("bci", read::<Bci>), ("emay", read::<Emay>), ("nonin", read::<Nonin>)];

/// Why there is nothing to print.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SerialInspectError {
    /// No protocol that is read here.
    #[error("{0} is no protocol that is read here; known are bci, emay and nonin")]
    Protocol(String),
    /// Not bytes.
    #[error("the bytes are {0}")]
    Hex(#[from] HexInvalid),
    /// Bytes, but no values among them.
    #[error("none of the {bytes} bytes are a whole packet with values")]
    NoPacket {
        /// How many there were.
        bytes: usize,
    },
}

/// Reads a stream given as text. Each packet with values is one element of the list, in the form of
/// [`super::frame`], with its `raw` bytes and the number of bytes that were lost before it.
pub fn packets(protocol: &str, hex: &str) -> Result<Value, SerialInspectError> {
    let known = PROTOCOLS.iter().find(|(name, _)| *name == protocol);
    let (_, read) = known.ok_or_else(|| SerialInspectError::Protocol(protocol.to_owned()))?;
    let packed: String = hex.chars().filter(|c| !c.is_whitespace()).collect();
    let bytes = packed.parse::<HexBytes>()?.0;
    let (mut list, rest_bytes) = read(&bytes);
    let Some(last) = list.last_mut() else {
        return Err(SerialInspectError::NoPacket { bytes: bytes.len() });
    };
    last["lost_bytes_after"] = json!(rest_bytes);
    Ok(Value::Array(list))
}

/// Packets with values, and how many bytes behind the last packet are none. Bytes that were lost
/// before a packet without values count for the next one that has some.
fn read<P: Protocol>(bytes: &[u8]) -> (Vec<Value>, u64) {
    let (mut stream, mut found) = (Stream::<P>::default(), Vec::new());
    stream.feed(bytes, &mut found);
    let (mut list, mut lost_bytes) = (Vec::new(), 0);
    for found in found {
        lost_bytes += found.lost_bytes;
        let Some(frame) = found.packet.frame() else { continue };
        let mut value = shown(&frame);
        value["characteristic"] = json!(frame.characteristic);
        value["raw"] = json!(HexBytes(found.packet.raw()));
        value["lost_bytes"] = json!(std::mem::take(&mut lost_bytes));
        list.push(value);
    }
    (list, lost_bytes + stream.rest_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_packet_with_values_is_an_element() {
        let list = packets("bci", "c428034861 9000007f7f").expect("packets");
        assert_eq!(list[0]["values"]["spo2"], json!({ "value": 97, "unit": "%" }));
        assert_eq!(list[0]["values"]["pulse_rate"], json!({ "value": 72, "unit": "/min" }));
        assert_eq!(list[0]["characteristic"], json!("serial_bci"));
        assert_eq!(list[1]["values"]["spo2"], json!({ "special": "NaN" }));
        assert_eq!(list[1]["quality"], json!(["sensor_off"]));
    }

    #[test]
    fn bytes_that_are_no_packet_are_counted_or_refused() {
        let list = packets("emay", "00 EB0105 3E62 7F0010 EB01").expect("a packet");
        let counts = (&list[0]["lost_bytes"], &list[0]["lost_bytes_after"]);
        assert_eq!(counts, (&json!(1), &json!(2)));
        let refused = packets("bci", "c42803").expect_err("cut short");
        assert_eq!(refused, SerialInspectError::NoPacket { bytes: 3 });
        assert!(matches!(packets("bcj", "00"), Err(SerialInspectError::Protocol(_))));
        assert!(matches!(packets("bci", "0"), Err(SerialInspectError::Hex(_))));
    }
}
