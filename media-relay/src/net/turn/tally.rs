//! What an operator can count of TURN. Summed up here and told once a second: a counter for each
//! packet would cost as much as a look-up.

use super::batch::Sent;
use crate::turn::Counts;
use metrics::{counter, gauge};
use std::collections::HashMap;

/// Names and meanings, for whoever installs a recorder.
pub(super) fn describe() {
    metrics::describe_gauge!("minato_turn_allocations", "TURN allocations alive");
    metrics::describe_counter!("minato_turn_packets_in_total", "Received, by side");
    metrics::describe_counter!("minato_turn_bytes_in_total", "Payload bytes received, by side");
    metrics::describe_counter!("minato_turn_packets_out_total", "Relayed, by side");
    metrics::describe_counter!("minato_turn_dropped_total", "Not relayed, by reason");
    metrics::describe_counter!("minato_turn_answers_total", "Answers to requests");
    metrics::describe_counter!("minato_turn_refused_total", "Requests refused, by error code");
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    now: Numbers,
    told: Numbers,
    refusals_told: HashMap<u16, u64>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Numbers {
    from_clients: u64,
    from_clients_bytes: u64,
    from_peers: u64,
    from_peers_bytes: u64,
    from_unit: u64,
    from_unit_bytes: u64,
    to_clients: u64,
    to_peers: u64,
    to_unit: u64,
    refused_by_unit: u64,
    answers: u64,
    refused_by_kernel: u64,
    refused_from_client: u64,
    refused_from_peer: u64,
}

impl Tally {
    pub(super) fn came_from_client(&mut self, bytes: usize) {
        self.now.from_clients += 1;
        self.now.from_clients_bytes += bytes as u64;
    }

    pub(super) fn came_from_peer(&mut self, bytes: usize) {
        self.now.from_peers += 1;
        self.now.from_peers_bytes += bytes as u64;
    }

    pub(super) fn came_from_unit(&mut self, bytes: usize) {
        self.now.from_unit += 1;
        self.now.from_unit_bytes += bytes as u64;
    }

    pub(super) fn passed_to_unit(&mut self, went: bool) {
        self.now.to_unit += u64::from(went);
        self.now.refused_by_unit += u64::from(!went);
    }

    pub(super) fn went_to_client(&mut self, sent: Sent) {
        self.now.to_clients += sent.packets as u64;
        self.now.refused_by_kernel += sent.dropped as u64;
    }

    pub(super) fn went_to_peer(&mut self, sent: Sent) {
        self.now.to_peers += sent.packets as u64;
        self.now.refused_by_kernel += sent.dropped as u64;
    }

    pub(super) fn answered(&mut self, went: bool) {
        self.now.answers += u64::from(went);
        self.now.refused_by_kernel += u64::from(!went);
    }

    /// Too long, or its socket is gone.
    pub(super) fn dropped_from_client(&mut self) {
        self.now.refused_from_client += 1;
    }

    /// Too long, or nobody permitted it.
    pub(super) fn dropped_from_peer(&mut self) {
        self.now.refused_from_peer += 1;
    }

    /// Whether there is something to tell.
    pub(super) fn is_changed(&self) -> bool {
        self.now != self.told
    }

    pub(super) fn tell(&mut self, counts: &Counts) {
        gauge!("minato_turn_allocations").set(counts.allocations as f64);
        let (now, told) = (self.now, std::mem::replace(&mut self.told, self.now));
        let sides = [
            ("client", now.from_clients - told.from_clients),
            ("peer", now.from_peers - told.from_peers),
            ("unit", now.from_unit - told.from_unit),
        ];
        for (side, packets) in sides {
            counter!("minato_turn_packets_in_total", "side" => side).increment(packets);
        }
        let bytes = [
            ("client", now.from_clients_bytes - told.from_clients_bytes),
            ("peer", now.from_peers_bytes - told.from_peers_bytes),
            ("unit", now.from_unit_bytes - told.from_unit_bytes),
        ];
        for (side, bytes) in bytes {
            counter!("minato_turn_bytes_in_total", "side" => side).increment(bytes);
        }
        let out = [
            ("client", now.to_clients - told.to_clients),
            ("peer", now.to_peers - told.to_peers),
            ("unit", now.to_unit - told.to_unit),
        ];
        for (side, packets) in out {
            counter!("minato_turn_packets_out_total", "side" => side).increment(packets);
        }
        let dropped = [
            ("buffer_full", now.refused_by_kernel - told.refused_by_kernel),
            ("unit_full", now.refused_by_unit - told.refused_by_unit),
            ("client", now.refused_from_client - told.refused_from_client),
            ("peer", now.refused_from_peer - told.refused_from_peer),
        ];
        for (reason, packets) in dropped {
            counter!("minato_turn_dropped_total", "reason" => reason).increment(packets);
        }
        counter!("minato_turn_answers_total").increment(now.answers - told.answers);
        for &(code, count) in &counts.refusals {
            let before = self.refusals_told.insert(code, count).unwrap_or_default();
            counter!("minato_turn_refused_total", "code" => code.to_string())
                .increment(count.saturating_sub(before));
        }
    }
}
