//! STUN and TURN from outside, broken in every way: as bytes, and as requests that are signed
//! rightly and mean nonsense.

use super::*;

fn seeds(login: &Login) -> Vec<Vec<u8>> {
    let asks = [
        Ask::allocate(),
        Ask::allocate().both_families(),
        Ask::allocate().even(true),
        Ask::refresh(600).family(2),
        Ask::permission(&[PEER, PEER_V6, UNIT]),
        Ask::bind(0x4001, PEER_V6),
        Ask::new(method::BINDING),
    ];
    let plain = asks.iter().map(Ask::plain);
    let signed = asks.iter().map(|ask| ask.signed(login));
    let sha256 = asks.iter().map(|ask| ask.clone().sha256().signed(login));
    let data = [Ask::send(address(PEER), b"hello").plain(), [0x40, 0, 0, 3, 1, 2, 3].to_vec()];
    plain.chain(signed).chain(sha256).chain(data).collect()
}

/// The bytes as the method and attributes of a request that is signed rightly.
fn signed(bytes: &[u8], login: &Login) -> Vec<u8> {
    let (first, mut rest) = bytes.split_at(bytes.len().min(1));
    let mut ask = Ask::new(u16::from(first.first().copied().unwrap_or(3) % 16));
    while let [a, b, length, value @ ..] = rest {
        let (value, next) = value.split_at(value.len().min(usize::from(*length) % 40));
        // Of those that are signed with, and those that sign, it has its own.
        let kind = u16::from_be_bytes([*a & 0x80, *b]);
        let own = [attribute::USERNAME, attribute::REALM, attribute::NONCE, 0x0008, 0x001c];
        if !own.contains(&kind) {
            ask = ask.with(kind, value);
        }
        rest = next;
    }
    ask.signed(login)
}

#[test]
fn no_message_breaks_the_server_or_reaches_who_is_no_peer() {
    let (mut rig, login) = lived_in();
    let seeds = seeds(&login);
    let seeds: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
    let mut count = 0;
    minato_fuzz::feed("turn", &seeds, |bytes| {
        for bytes in [bytes.to_vec(), signed(bytes, &login)] {
            let mut out = Vec::new();
            for client in [udp(1), udp(2), stream(1)] {
                let to = rig.turn.from_client(client, &bytes, rig.at, &mut out);
                if let Some(to) = to {
                    assert!(to.data.len() <= bytes.len());
                    let inside = to.peer == address(UNIT);
                    let open =
                        config().allowed_peers.iter().any(|range| range.contains(to.peer.ip()));
                    assert!(inside || open, "{}", to.peer);
                }
            }
            let _ = frame_len(&bytes);
            let _ = Message::parse(&bytes);
            rig.run(out);
            rig.answers.clear();
        }
        count += 1;
        if count % 64 == 0 {
            rig.pass(1);
        }
        if count % 8_192 == 0 {
            // Its credential has ended by then.
            rig = lived_in().0;
        }
    });
}
