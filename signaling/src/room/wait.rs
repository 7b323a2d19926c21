//! How long it may take: a range from what this room really did, or "cannot tell".

use minato_protocol::view::Wait;
use minato_protocol::{Span, StaffId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};

/// The last so many visits tell the rate.
const VISITS_SEEN_MAX: usize = 20;
/// Fewer than so many visits tell nothing.
const VISITS_SEEN_MIN: usize = 3;
/// A visit counts as at most so long.
const VISIT_MAX: Span = Span::minutes(4 * 60);

/// The note, a breath, a break: what lies between two patients is a part of a doctor's pace, but no
/// more of it than this.
const GAP_MAX: Span = Span::minutes(20);
/// Whom an idle doctor can take is called within so long.
const IDLE_MIN: u32 = 3;
/// Half the width of a range, in standard deviations.
const WIDTH: f64 = 1.5;
/// The pace itself changes, and for the worse: doctors go home early, nobody comes unforeseen. So
/// much of a wait is added to its longer end, as one more standard deviation.
const DOUBT: f64 = 0.3;

/// How long one patient after the other takes in a room where somebody waits: from the end of a
/// doctor's visit to the end of the same doctor's next, breaks included.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Service {
    took: VecDeque<Span>,
    /// Doctors who ended a visit while others waited, and when.
    free_since: BTreeMap<StaffId, Timestamp>,
}

impl Service {
    /// A doctor's visit is over that was called then; somebody waits for the doctor, or nobody.
    pub(super) fn saw(
        &mut self,
        doctor: StaffId,
        called: Timestamp,
        ended: Timestamp,
        waiting: usize,
    ) {
        let free = self.free_since.remove(&doctor).filter(|free| *free < called);
        let began = free.map_or(called, |free| free.max(called - GAP_MAX));
        if waiting > 0 {
            self.free_since.insert(doctor, ended);
        }
        if self.took.len() == VISITS_SEEN_MAX {
            self.took.pop_front();
        }
        // A stepped clock must not make a visit of years, or one that ended before it began.
        self.took.push_back((ended - began).clamp(Span(0), VISIT_MAX));
    }

    /// A doctor went home: the time until the next visit is no part of any pace.
    pub(super) fn went_home(&mut self, doctor: StaffId) {
        self.free_since.remove(&doctor);
    }

    /// The wait behind `ahead` others with so many doctors here (on duty, or back soon), of whom
    /// `free` could take somebody now.
    ///
    /// As many visits have to end as there are people before, and one more: a sum of times whose
    /// mean and spread are those of the last visits, with the doctors working side by side. The
    /// mean itself is known from few visits only, and that widens the range too; and it will not
    /// stay what it is.
    pub(super) fn range(&self, ahead: usize, doctors: usize, free: usize) -> Wait {
        let seen = self.took.len();
        if doctors == 0 || seen < VISITS_SEEN_MIN {
            return Wait::CannotTell;
        }
        let ends = (ahead + 1).saturating_sub(free) as f64;
        let minutes = || self.took.iter().map(|span| span.0 as f64 / 60_000.0);
        let mean = minutes().sum::<f64>() / seen as f64;
        let spread = minutes().map(|took| (took - mean).powi(2)).sum::<f64>() / (seen - 1) as f64;
        let each = ends / doctors as f64;
        let of_the_visits = spread * each / doctors as f64;
        let of_the_mean = spread * each.powi(2) / seen as f64;
        let known = of_the_visits + of_the_mean;
        let of_the_pace = (DOUBT * each * mean).powi(2);
        let from_min = whole((each * mean - WIDTH * known.sqrt()).floor());
        let latest = each * mean + WIDTH * (known + of_the_pace).sqrt();
        let to_min = whole(latest.ceil()).max(IDLE_MIN);
        Wait::Range { from_min, to_min: to_min.max(from_min + 1) }
    }
}

/// Whole minutes, never fewer than none.
#[expect(clippy::cast_possible_truncation, reason = "it is clamped to what fits")]
fn whole(minutes: f64) -> u32 {
    minutes.clamp(0.0, VISIT_MAX.0 as f64) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(minutes: &[i64]) -> Service {
        let mut service = Service::default();
        for (number, took) in (0..).zip(minutes) {
            service.saw(StaffId(number), Timestamp(0), Timestamp(took * 60_000), 1);
        }
        service
    }

    #[test]
    fn with_nobody_on_duty_nobody_can_tell() {
        assert_eq!(seen(&[5, 5, 5, 5]).range(2, 0, 0), Wait::CannotTell);
    }

    #[test]
    fn after_two_visits_it_is_too_early_to_tell() {
        assert_eq!(seen(&[5, 5]).range(2, 1, 0), Wait::CannotTell);
    }

    #[test]
    fn a_second_doctor_halves_the_wait() {
        let service = seen(&[10, 10, 10, 10]);
        assert_eq!(service.range(3, 1, 0), Wait::Range { from_min: 40, to_min: 58 });
        assert_eq!(service.range(3, 2, 0), Wait::Range { from_min: 20, to_min: 29 });
    }

    #[test]
    fn a_doctor_who_has_nobody_makes_the_wait_short() {
        let Wait::Range { from_min, to_min } = seen(&[10, 10, 10]).range(0, 2, 1) else {
            panic!("a range");
        };
        assert_eq!((from_min, to_min), (0, IDLE_MIN));
    }

    #[test]
    fn the_time_between_two_patients_counts_while_somebody_waits_and_the_doctor_is_here() {
        let minute = |count: i64| Timestamp(count * 60_000);
        let doctor = StaffId(1);
        let mut service = Service::default();
        service.saw(doctor, minute(0), minute(10), 4);
        service.saw(doctor, minute(12), minute(20), 3);
        // Ten minutes of break, then an hour, then home and back, then nobody waited.
        service.saw(doctor, minute(30), minute(36), 3);
        service.saw(doctor, minute(96), minute(100), 3);
        service.went_home(doctor);
        service.saw(doctor, minute(130), minute(136), 0);
        service.saw(doctor, minute(150), minute(154), 0);
        let took: Vec<i64> = service.took.iter().map(|span| span.0 / 60_000).collect();
        assert_eq!(took, [10, 10, 16, 24, 6, 4]);
    }
}
