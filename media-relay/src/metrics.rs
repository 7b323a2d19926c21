//! What an operator can count. No label names a person, a visit or an address.

use metrics::{counter, gauge};
use minato_protocol::media::RelayCode;

/// Names and meanings, for whoever installs a recorder.
pub(crate) fn describe() {
    metrics::describe_gauge!("minato_relay_sessions", "Media sessions open now");
    metrics::describe_gauge!("minato_relay_visits", "Visits with at least one session");
    metrics::describe_counter!("minato_relay_packets_in_total", "UDP datagrams received");
    metrics::describe_counter!("minato_relay_packets_out_total", "UDP datagrams sent");
    metrics::describe_counter!("minato_relay_bytes_in_total", "UDP payload bytes received");
    metrics::describe_counter!("minato_relay_bytes_out_total", "UDP payload bytes sent");
    metrics::describe_counter!("minato_relay_dropped_total", "Packets dropped, by reason");
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

pub(crate) fn received(bytes: usize) {
    counter!("minato_relay_packets_in_total").increment(1);
    counter!("minato_relay_bytes_in_total").increment(bytes as u64);
}

pub(crate) fn sent(bytes: usize) {
    counter!("minato_relay_packets_out_total").increment(1);
    counter!("minato_relay_bytes_out_total").increment(bytes as u64);
}

pub(crate) fn dropped(reason: &'static str) {
    counter!("minato_relay_dropped_total", "reason" => reason).increment(1);
}

pub(crate) fn joined() {
    counter!("minato_relay_joins_total").increment(1);
}

pub(crate) fn refused(code: RelayCode) {
    // The wire name of a code is the only place where it is written down.
    let name = serde_json::to_value(code).ok();
    let name = name.as_ref().and_then(|name| name.as_str()).unwrap_or("unknown").to_owned();
    counter!("minato_relay_refused_total", "code" => name).increment(1);
}
