//! When a rule fires and when it is back to normal. Pure: values come as they were measured, time
//! as an argument.

use minato_protocol::kit::ChangeRule;
use minato_protocol::reading::Decimal;
use minato_protocol::{Span, Timestamp};

/// A value that was older when it arrived fires nothing. A day's memory of a cuff counts, because a
/// doctor wants to know of this morning's 190 although it came late; last week's was before whatever
/// has been done since, and stands in the trend. It is counted to the arrival and not to now, so that
/// what arrived just before an outage of the service still fires after it.
pub const RECENT: Span = Span::minutes(24 * 60);

/// A rule is back to normal when a value is on the right side again and none was on the wrong one
/// for so long before the next: a value that goes to and fro about its limit is one change, and not
/// a ticket a reading.
pub const QUIET: Span = Span::minutes(15);

/// A value of one quantity that counts: of this person, valid, not withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it was measured, by the corrected clock; never later than it arrived.
    pub at: Timestamp,
    /// When it became durable here.
    pub stored: Timestamp,
    /// How much.
    pub value: Decimal,
}

/// How a rule stands.
#[derive(Debug, Clone, Copy)]
pub struct Standing<'a> {
    /// What it says.
    pub is: &'a ChangeRule,
    /// Values measured after this may fire it; where values are missing, awaited from here.
    pub armed_since: Timestamp,
    /// It fired on a value of then.
    pub fired: Option<Timestamp>,
    /// When the service came back, and how long it had been away.
    pub away: &'a [(Timestamp, Span)],
}

/// What becomes of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It fires on this.
    Fires {
        /// The value; none where values are missing.
        value: Option<Decimal>,
        /// The one before that it differs from.
        before: Option<Decimal>,
        /// When it was measured; where values are missing, since when.
        at: Timestamp,
    },
    /// It is armed again, for what is measured later.
    BackToNormal {
        /// The value that says so was measured then.
        at: Timestamp,
    },
}

/// What a rule says to the values of its quantity, in the order in which they were measured. The
/// next step alone: whoever writes it down asks again.
pub fn judge(standing: &Standing<'_>, samples: &[Sample], now: Timestamp) -> Option<Verdict> {
    if let ChangeRule::Missing { within, .. } = standing.is {
        return missing(standing, *within, samples.last(), now);
    }
    match standing.fired {
        None => fires(standing, samples),
        Some(fired) => settles(standing.is, fired, samples),
    }
}

/// By when a value is awaited; nothing for rules that do not wait, or have stopped to.
pub fn due(standing: &Standing<'_>, last: Option<&Sample>) -> Option<Timestamp> {
    match (standing.is, standing.fired) {
        (ChangeRule::Missing { within, .. }, None) => Some(awaited(standing, *within, last).1),
        _ => None,
    }
}

fn fires(standing: &Standing<'_>, samples: &[Sample]) -> Option<Verdict> {
    let counts =
        |sample: &Sample| standing.armed_since < sample.at && sample.stored - sample.at <= RECENT;
    let found = samples.iter().enumerate().filter(|(_, sample)| counts(sample));
    found
        .filter_map(|(index, sample)| {
            let before = is_outside(standing.is, &samples[..index], sample)?;
            Some(Verdict::Fires { value: Some(sample.value), before, at: sample.at })
        })
        .next()
}

/// Whether a value is on the wrong side, and the earlier one that makes it so where it is a change.
fn is_outside(is: &ChangeRule, earlier: &[Sample], sample: &Sample) -> Option<Option<Decimal>> {
    let value = sample.value.to_f64();
    match is {
        ChangeRule::Above { limit, .. } => (value > limit.to_f64()).then_some(None),
        ChangeRule::Below { limit, .. } => (value < limit.to_f64()).then_some(None),
        ChangeRule::Changed { by, within, .. } => {
            let near = earlier.iter().rev().take_while(|other| sample.at - other.at <= *within);
            let distance = |other: &Sample| (value - other.value.to_f64()).abs();
            // The farthest one: the whole of the change is the reason.
            let farthest = near.max_by(|a, b| distance(a).total_cmp(&distance(b)))?;
            let is_more = distance(farthest) > by.to_f64() + ROUNDING;
            is_more.then_some(Some(farthest.value))
        }
        ChangeRule::Missing { .. } => None,
    }
}

/// 36.6 and 36.1 differ by 0.5 and by no more, whatever binary numbers make of it.
const ROUNDING: f64 = 1e-9;

/// Goes through what was measured since: where the first quiet lies behind, the rule is armed from
/// its end, or from the value on the right side if that is later. What was measured before belongs to
/// the change that was told, however late it comes.
fn settles(is: &ChangeRule, fired: Timestamp, samples: &[Sample]) -> Option<Verdict> {
    let mut last_outside = fired;
    let mut inside = None;
    for (index, sample) in samples.iter().enumerate().filter(|(_, sample)| sample.at > fired) {
        let is_in = is_outside(is, &samples[..index], sample).is_none();
        if is_in {
            inside = inside.or(Some(sample.at));
        }
        let quiet = last_outside + QUIET;
        if let Some(began) = inside.filter(|_| sample.at >= quiet) {
            // One of the very same moment still counts.
            return Some(Verdict::BackToNormal { at: began.max(quiet) - Span(1) });
        }
        if !is_in {
            (last_outside, inside) = (sample.at, None);
        }
    }
    None
}

fn missing(
    standing: &Standing<'_>,
    within: Span,
    last: Option<&Sample>,
    now: Timestamp,
) -> Option<Verdict> {
    let (base, due) = awaited(standing, within, last);
    match (standing.fired, last) {
        (None, _) if due <= now => Some(Verdict::Fires { value: None, before: None, at: base }),
        // One that was measured long ago and came only now does not say how it is now.
        (Some(fired), Some(last)) if last.at > fired && now - last.at < within => {
            Some(Verdict::BackToNormal { at: last.at })
        }
        (None | Some(_), _) => None,
    }
}

/// Since when a value is awaited, and until when.
fn awaited(standing: &Standing<'_>, within: Span, last: Option<&Sample>) -> (Timestamp, Timestamp) {
    let base = last.map_or(standing.armed_since, |last| last.at.max(standing.armed_since));
    // In the order in which it happened: an outage after the deadline is no excuse.
    let due = standing.away.iter().fold(base + within, |due, (back, span)| {
        let left = *back - *span;
        if left < due && base < *back { due + (*back - left.max(base)) } else { due }
    });
    (base, due)
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
