//! Date Time (2A08): seven bytes without a time zone, in which zero means "I do not know".

use super::cursor::{Cursor, Refused};
use jiff::civil::DateTime;

/// What a frame says about its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FrameTime {
    /// The message has no time.
    Absent,
    /// There is one, but it is no date, or the device says that its clock is not set.
    Unusable,
    /// What the device's clock showed.
    Civil(DateTime),
}

/// Reads the seven bytes. A date that does not exist keeps the frame.
pub(super) fn take_datetime(cursor: &mut Cursor<'_>) -> Result<FrameTime, Refused> {
    let [low, high, rest @ ..] = cursor.take::<7>("the time")?;
    let year = i16::from_le_bytes([low, high]);
    // The profile begins with the Gregorian calendar; 0 is "unknown".
    if !(1582..=9999).contains(&year) {
        return Ok(FrameTime::Unusable);
    }
    let [month, day, hour, minute, second] = rest.map(u8::cast_signed);
    let time = DateTime::new(year, month, day, hour, minute, second, 0);
    Ok(time.map_or(FrameTime::Unusable, FrameTime::Civil))
}

/// Reads what a clock shows: the seven bytes of Date Time (2A08), and whether bytes stand behind
/// them.
pub fn decode_datetime(bytes: &[u8]) -> Result<(FrameTime, bool), Refused> {
    let mut cursor = Cursor::new(bytes);
    let time = take_datetime(&mut cursor)?;
    Ok((time, !cursor.is_empty()))
}

/// Reads what a clock shows: the ten bytes of Current Time (2A2B), and whether bytes stand behind
/// them. The weekday is in the date, the fractions are finer than anybody sets a clock, and why it
/// was set last changes nothing.
pub fn decode_current_time(bytes: &[u8]) -> Result<(FrameTime, bool), Refused> {
    let mut cursor = Cursor::new(bytes);
    let time = take_datetime(&mut cursor)?;
    cursor.take::<3>("the weekday, fractions and reason")?;
    Ok((time, !cursor.is_empty()))
}

/// Writes Current Time (2A2B): the seven bytes, the weekday (1 is Monday), no fractions, and why it
/// was set (bit 0, by hand).
pub fn encode_current_time(time: DateTime) -> [u8; 10] {
    let [a, b, c, d, e, f, g] = encode_datetime(time);
    let weekday = time.weekday().to_monday_one_offset().cast_unsigned();
    [a, b, c, d, e, f, g, weekday, 0, 1]
}

/// Writes the seven bytes, as a device would.
pub fn encode_datetime(time: DateTime) -> [u8; 7] {
    let [low, high] = time.year().to_le_bytes();
    let rest = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
    let [month, day, hour, minute, second] = rest.map(i8::cast_unsigned);
    [low, high, month, day, hour, minute, second]
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::datetime;

    fn read(bytes: [u8; 7]) -> FrameTime {
        take_datetime(&mut Cursor::new(&bytes)).expect("seven bytes")
    }

    #[test]
    fn a_time_is_read_as_it_was_written() {
        let time = datetime(2026, 11, 22, 8, 0, 59, 0);
        assert_eq!(read(encode_datetime(time)), FrameTime::Civil(time));
    }

    #[test]
    fn a_current_time_has_ten_bytes_of_which_seven_are_its_time() {
        let time = datetime(2026, 11, 22, 8, 0, 59, 0);
        let bytes = encode_current_time(time);
        assert_eq!(decode_current_time(&bytes), Ok((FrameTime::Civil(time), false)));
        for end in 0..bytes.len() {
            assert!(decode_current_time(&bytes[..end]).is_err(), "{end} bytes");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(decode_current_time(&longer), Ok((FrameTime::Civil(time), true)));
        assert_eq!(decode_datetime(&bytes), Ok((FrameTime::Civil(time), true)));
    }

    #[test]
    fn a_time_that_does_not_exist_is_unusable() {
        let good = encode_datetime(datetime(2026, 2, 28, 23, 59, 59, 0));
        for (place, byte) in [(0, 0), (2, 0), (2, 13), (3, 0), (3, 29), (4, 24), (5, 60), (6, 60)] {
            let mut bytes = good;
            bytes[place] = byte;
            // Year 0x0700 is 1792 and exists; both bytes zero are needed for "unknown".
            let expected_known = place == 0;
            assert_eq!(matches!(read(bytes), FrameTime::Civil(_)), expected_known, "{bytes:?}");
        }
        assert_eq!(read([0; 7]), FrameTime::Unusable);
        assert_eq!(read([0xff; 7]), FrameTime::Unusable);
    }
}
