//! What the links and pages of a relay are like, summed up for an operator once a second: nothing in
//! it says whose they are.

use super::engine::Engine;
use super::layer::Layer;
use crate::ladder::STEPS;
use std::time::{Duration, Instant};

/// How often they are told.
const EVERY: Duration = Duration::from_secs(1);

/// When the figures were last told.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    told: Option<Instant>,
}

impl Figures {
    /// Whether they are to be told now; then the next time is a second later.
    fn are_due(&mut self, now: Instant) -> bool {
        let due = self.told.is_none_or(|at| now.saturating_duration_since(at) >= EVERY);
        if due {
            self.told = Some(now);
        }
        due
    }
}

impl Engine {
    /// Tells how many pages are on which step, which pictures they get, and how their links are.
    pub(super) fn tell_figures(&mut self, now: Instant) {
        if !self.figures.are_due(now) {
            return;
        }
        let connected = || self.sessions.values().filter(|session| session.connected);
        for step in STEPS {
            let pages = connected().filter(|s| s.claims.rights.receive);
            let pages = pages.filter(|s| s.downlink.plan.step == step).count();
            crate::metrics::pages_on(step, pages);
        }
        let shown = |session: &super::session::Session| -> Vec<Layer> {
            session.outgoing.pictures.iter().flatten().filter_map(|out| out.shows()).collect()
        };
        let layers: Vec<Layer> = connected().flat_map(shown).collect();
        for layer in Layer::ALL {
            let pictures = layers.iter().filter(|shown| **shown == layer).count();
            crate::metrics::pictures_of(layer.name(), pictures);
        }
        let stats = || connected().map(|session| &session.stats);
        crate::metrics::loss("out", stats().filter_map(|s| s.egress_loss).collect());
        crate::metrics::loss("in", stats().filter_map(|s| s.ingress_loss).collect());
        crate::metrics::round_trips(stats().filter_map(|s| s.rtt_ms).map(seconds).collect());
    }
}

fn seconds(ms: u32) -> f32 {
    Duration::from_millis(ms.into()).as_secs_f32()
}
