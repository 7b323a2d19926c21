//! The test vectors of RFC 5769, and bytes near them.

use super::*;

const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
const REQUEST: &str = "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf";
const RESPONSE_V4: &str = "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96";
const RESPONSE_V6: &str = "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c";
const LONG_TERM: &str = "000100602112a44278ad3433c6ad72c029da412e00060012e3839ee38388e383aae38383e382afe382b900000015001c662f2f3439396b39353464364f4c33346f4c394653547679363473410014000b6578616d706c652e6f72670000080014f67024656dd64a3e02b8e0712e85c9a28ca89666";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|i| u8::from_str_radix(&hex[i..i + 2], 16).unwrap()).collect()
}

fn signed_by(bytes: &[u8], key: &[u8]) -> bool {
    Message::parse(bytes).is_some_and(|message| {
        let placed = message.integrity;
        fingerprint_is_right(&message)
            && placed.is_some_and(|placed| is_right(&message, Kind::Sha1, placed, key))
    })
}

#[test]
fn the_sample_request_is_read_and_believed() {
    let bytes = bytes(REQUEST);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!((message.method, message.class), (method::BINDING, Class::Request));
    assert_eq!(message.username, Some(&b"evtj:h6vY"[..]));
    assert_eq!(message.unknown(), [0x0024], "PRIORITY is a matter of ICE");
    assert!(signed_by(&bytes, PASSWORD));
    assert!(!signed_by(&bytes, b"another"));
}

#[test]
fn the_sample_responses_tell_their_addresses() {
    for (hex, mapped) in [
        (RESPONSE_V4, "192.0.2.1:32853"),
        (RESPONSE_V6, "[2001:db8:1234:5678:11:2233:4455:6677]:32853"),
    ] {
        let bytes = bytes(hex);
        assert!(signed_by(&bytes, PASSWORD));
        let at = 20 + 4 + 12 + 4;
        let message = Message::parse(&bytes).unwrap();
        let value = &bytes[at..at + usize::from(bytes[at - 1])];
        assert_eq!(xor_address(value, &message.transaction), Some(address(mapped)));
        let mut written = [0; 20];
        let length = super::super::wire::write_xor_address(
            address(mapped),
            &message.transaction,
            &mut written,
        );
        assert_eq!(written[..length], *value);
    }
}

#[test]
fn the_sample_with_a_long_term_credential_is_believed() {
    let bytes = bytes(LONG_TERM);
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(message.realm, Some(&b"example.org"[..]));
    assert_eq!(message.nonce, Some(&b"f//499k954d6OL34oL9FSTvy64sA"[..]));
    let name = std::str::from_utf8(message.username.unwrap()).unwrap();
    assert_eq!(name, "マトリックス");
    let key = long_term_key(name, "example.org", "TheMatrIX");
    assert!(signed_by(&bytes, &key));
    assert!(!signed_by(&bytes, &long_term_key(name, "example.org", "TheMatrix")));
}

#[test]
fn a_sample_changed_in_any_byte_is_not_believed() {
    let has_fingerprint =
        |bytes: &[u8]| Message::parse(bytes).is_some_and(|m| m.fingerprint.is_some());
    for hex in [REQUEST, RESPONSE_V4, RESPONSE_V6] {
        let good = bytes(hex);
        for at in 0..good.len() {
            for bit in [0x01, 0x80] {
                let mut bad = good.clone();
                bad[at] ^= bit;
                // Its own type changed, the fingerprint is a stranger behind the signature.
                let believed = signed_by(&bad, PASSWORD) && has_fingerprint(&bad);
                assert!(!believed, "byte {at}");
            }
        }
    }
}

#[test]
fn a_sample_cut_off_anywhere_is_no_message() {
    let good = bytes(REQUEST);
    for length in 0..good.len() {
        assert!(Message::parse(&good[..length]).is_none(), "{length}");
    }
}

#[test]
fn the_long_term_key_is_the_known_one() {
    let key = long_term_key("1700000000:visit42", "minato", "oelKfi3aLwjIMeuDIMPs6RYaavI=");
    assert_eq!(u128::from_be_bytes(key), 0x4ec4_bf8f_84af_9fcb_504e_7970_b03e_587f);
}

#[test]
fn message_types_are_those_of_the_standards() {
    use super::super::wire::{message_type, method_and_class};
    for (kind, method, class) in [
        (0x0001, method::BINDING, Class::Request),
        (0x0101, method::BINDING, Class::Success),
        (0x0113, method::ALLOCATE, Class::Error),
        (0x0016, method::SEND, Class::Indication),
        (0x0017, method::DATA, Class::Indication),
        (0x0118, method::CREATE_PERMISSION, Class::Error),
        (0x0109, method::CHANNEL_BIND, Class::Success),
        (0x3eef, 0xfff, Class::Request),
        (0x3fff, 0xfff, Class::Error),
    ] {
        assert_eq!(message_type(method, class), kind);
        assert_eq!(method_and_class(kind), (method, class));
    }
}

#[test]
fn integrity_covers_what_stands_before_it_only() {
    let mut rig = Rig::usual();
    let login = rig.login(udp(1), "sato", 600);
    let mut ask = Ask::allocate();
    ask.fingerprint = false;
    let mut bytes = ask.signed(&login);
    // A peer, an unknown attribute and another lifetime behind the signature: not believed.
    let extra = Ask::new(method::ALLOCATE).lifetime(3_000).with(0x7777, &[1, 2, 3, 4]);
    let mut extra_bytes = extra.plain();
    extra_bytes.truncate(extra_bytes.len() - 8);
    bytes.extend(&extra_bytes[20..]);
    let length = u16::try_from(bytes.len() - 20).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    let answer = Answer::read(rig.give(udp(1), &bytes).unwrap(), Some(&login));
    assert_eq!((answer.code, answer.lifetime_s()), (None, 600));
}
