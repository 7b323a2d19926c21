//! What an operator can count. No label names a person, a visit or an address.

use metrics::{Counter, counter, gauge};
use minato_protocol::media::{LadderStep, RelayCode};

/// Names and meanings, for whoever installs a recorder.
pub(crate) fn describe() {
    metrics::describe_gauge!("minato_relay_sessions", "Media sessions open now");
    metrics::describe_gauge!("minato_relay_visits", "Visits with at least one session");
    metrics::describe_gauge!("minato_relay_tcp_connections", "TCP connections with media");
    metrics::describe_counter!("minato_relay_packets_in_total", "Packets received");
    metrics::describe_counter!("minato_relay_packets_out_total", "Packets sent");
    metrics::describe_counter!("minato_relay_sends_total", "System calls that sent datagrams");
    metrics::describe_counter!("minato_relay_bytes_in_total", "UDP payload bytes received");
    metrics::describe_counter!("minato_relay_bytes_out_total", "UDP payload bytes sent");
    metrics::describe_counter!("minato_relay_dropped_total", "Packets dropped, by reason");
    metrics::describe_gauge!("minato_relay_pages", "Pages by step of the ladder");
    metrics::describe_gauge!("minato_relay_pictures", "Pictures sent to pages, by layer");
    metrics::describe_gauge!(
        "minato_relay_loss_ratio",
        "Packets lost on the links of now, by direction and quantile"
    );
    metrics::describe_gauge!(
        "minato_relay_rtt_seconds",
        "Round trips to the pages of now, by quantile"
    );
    metrics::describe_counter!("minato_relay_steps_total", "Steps of pages on the ladder");
    metrics::describe_counter!("minato_relay_moves_total", "Changes of address during a call");
    metrics::describe_counter!("minato_relay_joins_total", "Sessions opened");
    metrics::describe_counter!("minato_relay_refused_total", "Requests refused, by code");
    metrics::describe_counter!(
        "minato_relay_engine_panics_total",
        "Sessions closed because their input broke the media engine"
    );
}

pub(crate) fn present(sessions: usize, visits: usize) {
    gauge!("minato_relay_sessions").set(sessions as f64);
    gauge!("minato_relay_visits").set(visits as f64);
}

/// What comes and goes at one of the relay's ports, in counters that are looked up once.
pub(crate) struct Traffic {
    packets_in: Counter,
    bytes_in: Counter,
    sends: Counter,
    packets_out: Counter,
    bytes_out: Counter,
}

impl Traffic {
    /// Counts with the recorder of now.
    pub(crate) fn new() -> Self {
        Self {
            packets_in: counter!("minato_relay_packets_in_total"),
            bytes_in: counter!("minato_relay_bytes_in_total"),
            sends: counter!("minato_relay_sends_total"),
            packets_out: counter!("minato_relay_packets_out_total"),
            bytes_out: counter!("minato_relay_bytes_out_total"),
        }
    }

    pub(crate) fn received(&self, packets: usize, bytes: usize) {
        self.packets_in.increment(packets as u64);
        self.bytes_in.increment(bytes as u64);
    }

    /// One call to the kernel, or the like of it, sent these.
    pub(crate) fn sent(&self, packets: usize, bytes: usize) {
        self.sends.increment(1);
        self.packets_out.increment(packets as u64);
        self.bytes_out.increment(bytes as u64);
    }
}

impl std::fmt::Debug for Traffic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Traffic")
    }
}

/// Connections that carry media now.
pub(crate) fn tcp_connections(open: usize) {
    gauge!("minato_relay_tcp_connections").set(open as f64);
}

pub(crate) fn dropped(reason: &'static str) {
    dropped_many(reason, 1);
}

pub(crate) fn dropped_many(reason: &'static str, packets: usize) {
    counter!("minato_relay_dropped_total", "reason" => reason).increment(packets as u64);
}

/// So many pages are on a step.
pub(crate) fn pages_on(step: LadderStep, pages: usize) {
    gauge!("minato_relay_pages", "step" => name_of(step)).set(pages as f64);
}

/// So many pictures of a layer go out.
pub(crate) fn pictures_of(layer: &'static str, pictures: usize) {
    gauge!("minato_relay_pictures", "layer" => layer).set(pictures as f64);
}

/// The share of packets lost on each link; `out` is toward the pages.
pub(crate) fn loss(direction: &'static str, mut links: Vec<f32>) {
    for (quantile, loss) in quantiles(&mut links) {
        gauge!("minato_relay_loss_ratio", "direction" => direction, "quantile" => quantile)
            .set(loss);
    }
}

/// The round trip of each link, in seconds.
pub(crate) fn round_trips(mut links: Vec<f32>) {
    for (quantile, seconds) in quantiles(&mut links) {
        gauge!("minato_relay_rtt_seconds", "quantile" => quantile).set(seconds);
    }
}

/// The middle, the worst tenth and the worst of some values; 0 where there are none.
fn quantiles(values: &mut [f32]) -> [(&'static str, f64); 3] {
    values.sort_by(f32::total_cmp);
    let last = values.len().saturating_sub(1);
    let at = |tenths: usize| values.get(last * tenths / 10).copied().unwrap_or_default().into();
    [("0.5", at(5)), ("0.9", at(9)), ("1", at(10))]
}

/// A page went from one step of the ladder to another.
pub(crate) fn stepped(from: LadderStep, to: LadderStep) {
    let direction = if to < from { "down" } else { "up" };
    let step = name_of(to);
    counter!("minato_relay_steps_total", "to" => step, "direction" => direction).increment(1);
}

/// A page went on from another address.
pub(crate) fn moved() {
    counter!("minato_relay_moves_total").increment(1);
}

pub(crate) fn joined() {
    counter!("minato_relay_joins_total").increment(1);
}

pub(crate) fn refused(code: RelayCode) {
    let name = name_of(code);
    counter!("minato_relay_refused_total", "code" => name).increment(1);
}

/// The wire name is the only place where it is written down.
fn name_of(value: impl serde::Serialize) -> String {
    let name = serde_json::to_value(value).ok();
    name.as_ref().and_then(|name| name.as_str()).unwrap_or("unknown").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_what_is_there_now() {
        assert_eq!(quantiles(&mut []), [("0.5", 0.0), ("0.9", 0.0), ("1", 0.0)]);
        assert_eq!(quantiles(&mut [0.5]), [("0.5", 0.5), ("0.9", 0.5), ("1", 0.5)]);
        let mut links: Vec<f32> = (0u8..=10).rev().map(f32::from).collect();
        assert_eq!(quantiles(&mut links), [("0.5", 5.0), ("0.9", 9.0), ("1", 10.0)]);
    }
}
