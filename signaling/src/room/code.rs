//! The short code that people say aloud.

use super::Room;
use minato_protocol::TicketId;

/// A short code that nobody else in the room has: easy to say, a letter and a number.
pub fn free_code(room: &Room, ticket: TicketId, index: usize) -> String {
    const LETTERS: &[u8] = b"ACEFHKLMNPRSTY";
    let spoken = |number: u64| {
        let letter = char::from(LETTERS[(number / 100 % LETTERS.len() as u64) as usize]);
        format!("{letter}-{:02}", number % 100)
    };
    let start = ticket.0.wrapping_add(index as u64);
    (0..1_400)
        .map(|step| spoken(start.wrapping_add(step)))
        .find(|code| room.live().all(|other| other.code != *code))
        .unwrap_or_else(|| ticket.to_string())
}
