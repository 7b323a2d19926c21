//! Messages of one connection made small: each is a piece of one DEFLATE stream (RFC 1951), flushed
//! (§3.2.4, an empty stored block) so that it can be read at once. What was said before need not be
//! said again: of a reading like the last one a seventh is left.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// Room that is made at a time, in bytes.
const STEP: usize = 4 * 1024;

/// The sender's end.
#[derive(Debug)]
pub struct Squeezer(Compress);

impl Default for Squeezer {
    fn default() -> Self {
        Self(Compress::new(Compression::default(), false))
    }
}

impl Squeezer {
    /// The next message, as it goes out.
    pub fn squeeze(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let begun = self.0.total_in();
        let mut rest = text.as_bytes();
        loop {
            bytes.reserve(STEP);
            let squeezed = self.0.compress_vec(rest, &mut bytes, FlushCompress::Sync);
            let done = usize::try_from(self.0.total_in() - begun).unwrap_or(usize::MAX);
            rest = text.as_bytes().get(done..).unwrap_or_default();
            // With room left over nothing waits to be flushed; to ask again would flush for ever.
            let flushed = rest.is_empty() && bytes.len() < bytes.capacity();
            if flushed || !matches!(squeezed, Ok(Status::Ok)) {
                return bytes;
            }
        }
    }
}

/// The receiver's end.
#[derive(Debug)]
pub struct Unsqueezer(Decompress);

impl Default for Unsqueezer {
    fn default() -> Self {
        Self(Decompress::new(false))
    }
}

impl Unsqueezer {
    /// The next message as it was said. None if it is no such thing, or longer than `bytes_max`; then
    /// the connection's later messages cannot be read either.
    pub fn open(&mut self, squeezed: &[u8], bytes_max: usize) -> Option<String> {
        let mut bytes = Vec::new();
        let begun = self.0.total_in();
        let mut rest = squeezed;
        loop {
            bytes.reserve(STEP);
            let before = (rest.len(), bytes.len());
            let opened = self.0.decompress_vec(rest, &mut bytes, FlushDecompress::Sync);
            let done = usize::try_from(self.0.total_in() - begun).ok()?;
            rest = squeezed.get(done..)?;
            if bytes.len() > bytes_max {
                return None;
            }
            // With room left over nothing more comes of what was read.
            if rest.is_empty() && bytes.len() < bytes.capacity() {
                return String::from_utf8(bytes).ok();
            }
            let stands_still = before == (rest.len(), bytes.len());
            // The stream has an end of its own, or it is none.
            if stands_still || !matches!(opened, Ok(Status::Ok)) {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 64 * 1024;

    fn reading(number: u32) -> String {
        format!(
            "{{\"type\":\"deliver\",\"sent_at\":17000000{number},\"batch\":[{{\"seq\":{number},\"entry\":{{\"measured\":\
             {{\"device\":{{\"id\":\"sim-oximeter-1\",\"kind\":\"oximeter\",\"model\":\"Minato Rehearsal Oximeter\"}},\
             \"measurements\":[{{\"what\":\"spo2\",\"value\":{{\"number\":\"9{}\"}},\"unit\":\"percent\"}}]}}}}}}]}}",
            number % 10
        )
    }

    #[test]
    fn a_reading_like_the_last_one_shrinks_to_less_than_a_quarter() {
        let (mut squeezer, mut unsqueezer) = (Squeezer::default(), Unsqueezer::default());
        for number in 0..100 {
            let text = reading(number);
            let squeezed = squeezer.squeeze(&text);
            assert!(number == 0 || squeezed.len() * 4 < text.len(), "{} bytes", squeezed.len());
            assert_eq!(unsqueezer.open(&squeezed, MAX), Some(text));
        }
    }

    #[test]
    fn nothing_to_say_is_said_and_understood_wherever_it_stands() {
        let (mut squeezer, mut unsqueezer) = (Squeezer::default(), Unsqueezer::default());
        for text in ["", "", "a reading", "", "", "another", ""] {
            assert_eq!(unsqueezer.open(&squeezer.squeeze(text), MAX).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_message_that_grows_beyond_the_bound_is_refused() {
        let bomb = Squeezer::default().squeeze(&" ".repeat(100 * MAX));
        assert!(bomb.len() < MAX);
        assert_eq!(Unsqueezer::default().open(&bomb, MAX), None);
        let just = " ".repeat(MAX);
        let fits = Squeezer::default().squeeze(&just);
        assert_eq!(Unsqueezer::default().open(&fits, MAX), Some(just));
    }

    proptest! {
        #[test]
        fn every_message_arrives_as_it_was_said(said in prop::collection::vec(".{0,3000}", 1..8)) {
            let (mut squeezer, mut unsqueezer) = (Squeezer::default(), Unsqueezer::default());
            for text in said {
                let squeezed = squeezer.squeeze(&text);
                prop_assert_eq!(unsqueezer.open(&squeezed, MAX), Some(text));
            }
        }

        #[test]
        fn broken_bytes_break_nothing(bytes in prop::collection::vec(any::<u8>(), 0..500), at in 0usize..400) {
            let _ = Unsqueezer::default().open(&bytes, MAX);
            let mut squeezed = Squeezer::default().squeeze(&reading(1).repeat(3));
            if let Some(byte) = squeezed.get_mut(at) {
                *byte ^= 1 << (at % 8);
            }
            let opened = Unsqueezer::default().open(&squeezed, MAX);
            prop_assert!(opened.is_none_or(|text| text.len() <= MAX));
        }
    }
}
