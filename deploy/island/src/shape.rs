//! What a direction of the link is like, and the words a person says it with. PURE.

use serde::Serialize;
use std::time::Duration;

/// One direction of a link. The default is a wire: no delay, no loss, no bound on the rate.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shape {
    /// One way; a round trip takes both directions' delays.
    pub delay_ms: u32,
    /// The delay of a frame is off by up to this much, either way, evenly.
    pub jitter_ms: u32,
    /// Whether jitter may let a frame overtake another. Radio links and queues do not.
    pub reorder: bool,
    /// Even loss, of each frame alone.
    pub loss_percent: f64,
    /// Loss that comes in bursts, besides the even one.
    pub burst: Option<Burst>,
    /// Of IP bytes; none is no bound.
    pub rate_bit_s: Option<u64>,
    /// The queue before the rate is as long as this much time at that rate, at least two full
    /// frames. A frame that finds it full is lost.
    pub queue_ms: u32,
}

/// The Gilbert-Elliott model: with each frame the link may go from good to bad or back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Burst {
    /// Chance with each frame that a good link goes bad.
    pub enter_percent: f64,
    /// Chance with each frame that a bad link turns good; 100 / this is the mean length in frames.
    pub leave_percent: f64,
    /// Loss while it is bad.
    pub loss_percent: f64,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            delay_ms: 0,
            jitter_ms: 0,
            reorder: false,
            loss_percent: 0.0,
            burst: None,
            rate_bit_s: None,
            queue_ms: QUEUE_MS,
        }
    }
}

/// A modem's queue: half a second, so that a sender that watches its delay learns of it.
const QUEUE_MS: u32 = 500;
/// Two full frames: a queue that holds less would refuse a packet of ordinary length for ever.
const QUEUE_BYTES_MIN: u64 = 2 * 1_500;
const DELAY_MS_MAX: u32 = 60_000;
const RATE_BIT_S_MIN: u64 = 1_000;
const RATE_BIT_S_MAX: u64 = 10_000_000_000;

impl Shape {
    /// Time that the link is busy with so many bytes.
    pub fn busy(&self, bytes: usize) -> Duration {
        let Some(rate) = self.rate_bit_s else {
            return Duration::ZERO;
        };
        let nanos = (bytes as u128) * 8 * 1_000_000_000 / u128::from(rate.max(1));
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// Bytes that the queue before the rate holds.
    pub fn queue_bytes(&self) -> u64 {
        let rate = self.rate_bit_s.unwrap_or(0);
        (rate / 8).saturating_mul(u64::from(self.queue_ms)).div_ceil(1_000).max(QUEUE_BYTES_MIN)
    }
}

/// A setting that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Misunderstood {
    #[error("there is no setting {0:?}; there are {SETTINGS}")]
    Unknown(String),
    #[error("{setting} needs {needs}, not {said:?}")]
    Value { setting: &'static str, needs: &'static str, said: String },
}

pub const SETTINGS: &str = "delay MS, jitter MS, loss PERCENT, burst ENTER LEAVE [LOSS] | none, \
                            rate 256k | 2m | none, queue MS, reorder on | off";

impl Shape {
    /// Changes one setting, said as in `delay 300`, `rate 256k`, `burst 2 30 100`, `burst none`.
    pub fn set(&mut self, words: &[&str]) -> Result<(), Misunderstood> {
        let setting = words.first().copied().unwrap_or("");
        let values = words.get(1..).unwrap_or(&[]);
        let one = if let [only] = values { *only } else { "" };
        let wrong =
            |setting, needs| Misunderstood::Value { setting, needs, said: values.join(" ") };
        match setting {
            "delay" => self.delay_ms = ms(one).ok_or_else(|| wrong("delay", TIME))?,
            "jitter" => self.jitter_ms = ms(one).ok_or_else(|| wrong("jitter", TIME))?,
            "queue" => self.queue_ms = ms(one).ok_or_else(|| wrong("queue", TIME))?,
            "loss" => self.loss_percent = percent(one).ok_or_else(|| wrong("loss", SHARE))?,
            "rate" => self.rate_bit_s = rate(one).ok_or_else(|| wrong("rate", RATE))?,
            "burst" => self.burst = burst(values).ok_or_else(|| wrong("burst", BURST))?,
            "reorder" => self.reorder = on(one).ok_or_else(|| wrong("reorder", "on or off"))?,
            other => return Err(Misunderstood::Unknown(other.to_owned())),
        }
        Ok(())
    }

    /// Several settings with commas between them: `loss 10, rate 64k`.
    pub fn set_all(&mut self, text: &str) -> Result<(), Misunderstood> {
        for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
            self.set(&one.split_whitespace().collect::<Vec<_>>())?;
        }
        Ok(())
    }
}

const TIME: &str = "milliseconds from 0 to 60000";
const SHARE: &str = "a percentage from 0 to 100";
const RATE: &str = "bits a second as 256k, 2m or 64000 (1k to 10000m), or none";
const BURST: &str = "two or three percentages (enter, leave, loss within), or none";

fn ms(said: &str) -> Option<u32> {
    let number: u32 = said.strip_suffix("ms").unwrap_or(said).parse().ok()?;
    (number <= DELAY_MS_MAX).then_some(number)
}

fn percent(said: &str) -> Option<f64> {
    let number: f64 = said.strip_suffix('%').unwrap_or(said).parse().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

/// Outer none: not understood. Inner none: no bound.
#[expect(clippy::option_option, reason = "what was said, and what was meant by it")]
fn rate(said: &str) -> Option<Option<u64>> {
    if said == "none" {
        return Some(None);
    }
    let lower = said.to_ascii_lowercase();
    let (digits, unit) = match lower.strip_suffix(['k', 'm']) {
        Some(digits) if lower.ends_with('k') => (digits, 1_000),
        Some(digits) => (digits, 1_000_000),
        None => (lower.as_str(), 1),
    };
    let bits = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (RATE_BIT_S_MIN..=RATE_BIT_S_MAX).contains(&bits).then_some(Some(bits))
}

#[expect(clippy::option_option, reason = "what was said, and what was meant by it")]
fn burst(said: &[&str]) -> Option<Option<Burst>> {
    let (enter, leave, loss) = match said {
        ["none"] => return Some(None),
        [enter, leave] => (*enter, *leave, "100"),
        [enter, leave, loss] => (*enter, *leave, *loss),
        _ => return None,
    };
    let leave_percent = percent(leave).filter(|leave| *leave > 0.0)?;
    let enter_percent = percent(enter)?;
    Some(Some(Burst { enter_percent, leave_percent, loss_percent: percent(loss)? }))
}

fn on(said: &str) -> Option<bool> {
    match said {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

/// A time as `30s`, `500ms` or plain seconds; how long a black-out is said.
pub fn span(said: &str) -> Option<Duration> {
    const SPAN_MAX: Duration = Duration::from_secs(24 * 3_600);
    let span = match said.strip_suffix("ms") {
        Some(ms) => Duration::from_millis(ms.parse().ok()?),
        None => Duration::try_from_secs_f64(said.strip_suffix('s').unwrap_or(said).parse().ok()?)
            .ok()?,
    };
    (span <= SPAN_MAX).then_some(span)
}

/// Links worth a name. The same both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Profile {
    /// 600 ms there and back, nothing else.
    Satellite,
    /// A busy cell: 512 kbit/s, 5 % loss, 100 ms there and back.
    #[value(name = "512k5")]
    Cell,
    /// The edge of a cell: 128 kbit/s, 10 % loss, 100 ms there and back.
    #[value(name = "128k10")]
    Edge,
    /// The last bar: 64 kbit/s, 15 % loss, 100 ms there and back.
    #[value(name = "64k15")]
    Last,
}

impl Profile {
    pub fn shape(self) -> Shape {
        let thin = |rate_kbit_s: u64, loss_percent| Shape {
            delay_ms: 50,
            loss_percent,
            rate_bit_s: Some(rate_kbit_s * 1_000),
            ..Shape::default()
        };
        match self {
            Self::Satellite => Shape { delay_ms: 300, ..Shape::default() },
            Self::Cell => thin(512, 5.0),
            Self::Edge => thin(128, 10.0),
            Self::Last => thin(64, 15.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(text: &str) -> Result<Shape, Misunderstood> {
        let mut shape = Shape::default();
        shape.set_all(text).map(|()| shape)
    }

    #[test]
    fn a_link_is_said_in_words() {
        let shape = set("delay 300, jitter 20ms, loss 5%, rate 256k, queue 800, burst 2 30");
        let burst = Burst { enter_percent: 2.0, leave_percent: 30.0, loss_percent: 100.0 };
        let expected = Shape {
            delay_ms: 300,
            jitter_ms: 20,
            loss_percent: 5.0,
            rate_bit_s: Some(256_000),
            queue_ms: 800,
            burst: Some(burst),
            reorder: false,
        };
        assert_eq!(shape, Ok(expected));
        assert_eq!(set("rate 2m, rate none, burst 1 1, burst none"), Ok(Shape::default()));
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_what_could_be() {
        for text in ["delay", "delay x", "delay -1", "delay 70000", "loss 101", "loss NaN"] {
            assert!(matches!(set(text), Err(Misunderstood::Value { .. })), "{text}");
        }
        for text in ["rate 0", "rate 5q", "rate 99999m", "burst 5", "burst 5 0", "reorder maybe"] {
            assert!(matches!(set(text), Err(Misunderstood::Value { .. })), "{text}");
        }
        assert!(set("colour 3").unwrap_err().to_string().contains("delay MS"));
    }

    #[test]
    fn a_queue_is_as_long_as_its_time_at_the_rate_and_never_under_two_frames() {
        assert_eq!(set("rate 256k, queue 500").unwrap().queue_bytes(), 16_000);
        assert_eq!(set("rate 8k, queue 100").unwrap().queue_bytes(), QUEUE_BYTES_MIN);
    }

    #[test]
    fn spans_are_said_in_seconds_or_milliseconds() {
        assert_eq!(span("30s"), Some(Duration::from_secs(30)));
        assert_eq!(span("0.5"), Some(Duration::from_millis(500)));
        assert_eq!(span("250ms"), Some(Duration::from_millis(250)));
        assert_eq!(span("-1"), None);
        assert_eq!(span("1e30"), None);
    }
}
