//! How an input is changed: as noise does it, as an attacker does it, as another client's bytes do.

/// Numbers that are at the edge of something.
const EDGES: [u8; 12] = [0, 1, 2, 3, 4, 0x0d, 0x0a, 0x1f, 0x7f, 0x80, 0xfe, 0xff];
/// Words that mean something in an SDP.
const WORDS: [&str; 16] = [
    "a=mid:0\r\n",
    "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\n",
    "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n",
    "a=sendrecv\r\n",
    "a=recvonly\r\n",
    "a=inactive\r\n",
    "a=rtpmap:63 red/48000/2\r\n",
    "a=rtcp-fb:111 nack\r\n",
    "a=simulcast:send q;h;f\r\n",
    "a=rid:q send\r\n",
    "a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\r\n",
    "a=ssrc-group:FID 1 2\r\n",
    "99999999999999999999",
    "-1",
    "\r\n",
    "\u{3042}",
];

/// The same numbers for the same seed (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; 0 if nothing is.
    pub(super) fn below(&mut self, end: usize) -> usize {
        let end = u64::try_from(end).unwrap_or(1).max(1);
        usize::try_from((self.next() >> 16) % end).unwrap_or_default()
    }

    pub(super) fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.below(list.len()))
    }

    fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    fn range(&mut self, length: usize) -> std::ops::Range<usize> {
        let start = self.below(length + 1);
        let most = if self.below(4) == 0 { length } else { 16 };
        start..(start + self.below(most + 1)).min(length)
    }

    /// Changes an input in one to eight places.
    pub(super) fn change(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        for _ in 0..1 << self.below(4) {
            self.change_once(input, other);
        }
    }

    fn change_once(&mut self, input: &mut Vec<u8>, other: &[u8]) {
        let at = self.below(input.len());
        let range = self.range(input.len());
        match self.below(12) {
            0 => {
                let bit = 1 << self.below(8);
                input.get_mut(at).into_iter().for_each(|byte| *byte ^= bit);
            }
            1 => {
                let edge = EDGES[self.below(EDGES.len())];
                input.get_mut(at).into_iter().for_each(|byte| *byte = edge);
            }
            2 => {
                let byte = self.byte();
                input.get_mut(at).into_iter().for_each(|old| *old = byte);
            }
            3 => drop(input.drain(range)),
            4 => {
                let copy = input[range].to_vec();
                input.splice(at..at, copy);
            }
            5 => {
                let noise: Vec<u8> = (0..self.below(24)).map(|_| self.byte()).collect();
                input.splice(at..at, noise);
            }
            6 => {
                let range = self.range(other.len());
                input.splice(at..at, other[range].iter().copied());
            }
            7 => {
                let cut = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(&other[cut..]);
            }
            8 => input.truncate(at),
            9 => {
                // A length or a number in 16 bits, a little off or far off.
                let by = [1u16, 0xffff, 4, 0xfffc, 0x8000][self.below(5)];
                if let Some([high, low]) = input.get_mut(at..at + 2) {
                    let number = u16::from_be_bytes([*high, *low]).wrapping_add(by);
                    [*high, *low] = number.to_be_bytes();
                }
            }
            10 => {
                let word = WORDS[self.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
            _ => self.change_lines(input),
        }
    }

    /// One line is gone, comes twice, or stands elsewhere.
    fn change_lines(&mut self, input: &mut Vec<u8>) {
        let mut lines: Vec<Vec<u8>> =
            input.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
        let (from, to) = (self.below(lines.len()), self.below(lines.len()));
        match self.below(3) {
            0 if !lines.is_empty() => drop(lines.remove(from)),
            1 if !lines.is_empty() => lines.insert(to, lines[from].clone()),
            2 if !lines.is_empty() => lines.swap(from, to),
            _ => {}
        }
        *input = lines.concat();
    }
}
