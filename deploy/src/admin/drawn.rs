//! Secrets for people: from the standard input, or drawn so that they can be typed.

use super::words::Secret;
use anyhow::{Context as _, bail};
use minato_signaling::access::random_id;
use std::io::{IsTerminal as _, Read as _};

/// Without 0 and o, 1 and l side by side: it has to be copied by hand.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const SIGNS: usize = 16;
const SIGNS_A_GROUP: usize = 4;
/// The standard input is read so far.
const INPUT_BYTES_MAX: u64 = 4 * 1024;

/// 80 random bits as four groups of four signs.
pub(super) fn text() -> String {
    let mut bits = (u128::from(random_id()) << 64) | u128::from(random_id());
    let mut text = String::with_capacity(SIGNS + SIGNS / SIGNS_A_GROUP);
    for place in 0..SIGNS {
        if place > 0 && place % SIGNS_A_GROUP == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[(bits & 31) as usize]));
        bits >>= 5;
    }
    text
}

/// Six random digits.
pub(super) fn pin() -> String {
    format!("{:06}", random_id() % 1_000_000)
}

/// A secret, and whether it was drawn here and has to be shown once.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) secret: Secret,
    pub(super) drawn: bool,
}

impl Told {
    fn drawn(text: String) -> Self {
        Self { secret: Secret(text), drawn: true }
    }

    fn typed(text: &str) -> Self {
        Self { secret: Secret(text.to_owned()), drawn: false }
    }
}

/// Password and, where asked for, PIN: the first and second line of what is piped in. From a
/// terminal nothing is read, because it would show what is typed.
pub(super) fn password_and_pin(
    wants_pin: bool,
    reads_pin: bool,
) -> anyhow::Result<(Told, Option<Told>)> {
    let mut piped = String::new();
    if !std::io::stdin().is_terminal() {
        let mut input = std::io::stdin().take(INPUT_BYTES_MAX);
        input.read_to_string(&mut piped).context("the password cannot be read")?;
    }
    understand(&piped, wants_pin, reads_pin)
}

fn understand(
    piped: &str,
    wants_pin: bool,
    reads_pin: bool,
) -> anyhow::Result<(Told, Option<Told>)> {
    let mut lines = piped.lines();
    let password = match lines.next() {
        None | Some("") => Told::drawn(text()),
        Some(typed) => Told::typed(typed),
    };
    let pin = match (wants_pin || reads_pin, lines.next()) {
        (false, _) => None,
        (true, Some(typed)) if reads_pin && !typed.is_empty() => Some(Told::typed(typed)),
        (true, _) if reads_pin => bail!("--pin takes the PIN from the second line of the input"),
        (true, _) => Some(Told::drawn(pin())),
    };
    Ok((password, pin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_text_is_long_enough_for_a_password_and_never_the_same() {
        let drawn = text();
        assert_eq!(drawn.len(), 19);
        assert!(drawn.split('-').all(|group| group.len() == 4));
        assert_ne!(drawn, text());
    }

    #[test]
    fn the_first_line_is_the_password_and_the_second_the_pin() {
        let (password, pin) = understand("kamome kamome\n2468\n", true, true).expect("both");
        assert_eq!(password.secret.0, "kamome kamome");
        assert_eq!(pin.expect("a PIN").secret.0, "2468");
    }

    #[test]
    fn what_is_not_given_is_drawn() {
        let (password, pin) = understand("", true, false).expect("drawn");
        assert!(password.drawn && pin.is_some_and(|pin| pin.drawn));
        let (password, pin) = understand("kamome-kamome\n", false, false).expect("given");
        assert!(!password.drawn && pin.is_none());
        assert!(understand("kamome-kamome\n", true, true).is_err());
    }
}
