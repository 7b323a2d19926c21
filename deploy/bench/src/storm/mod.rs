//! A random storm at the beds of a clinic: whose each reading is, counted from the gateway's disk to
//! the broker's. Devices are moved with and without a word, tablets are swapped in the middle of a
//! cuff's run, records are sent again and late, clocks are days off, the gateway's own clock is set,
//! the gateway dies, and the line to the broker breaks, repeats and brings what is old.

mod broker;
mod clinic;
mod world;

use broker::Broker;
use clinic::Clinic;
use std::fmt;
use std::time::Instant;

const READINGS: u64 = 1_000_000;
/// So many things happen between two looks at the disk.
const LOOK_EVERY: u64 = 2_000;

/// What came of a storm.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Measurements that the gateway heard, each counted once.
    pub(crate) measured: u64,
    /// Of those: on the right patient.
    pub(crate) right: u64,
    /// On somebody who did not wear the device.
    pub(crate) wrong: u64,
    /// Never on the gateway's disk, or there and never at the broker.
    pub(crate) lost: u64,
    /// More than once, at either.
    pub(crate) doubled: u64,
    /// Sent again by the device, and known.
    pub(crate) repeated: u64,
    /// Of nobody, because the device was on nobody.
    pub(crate) on_nobody: u64,
    /// Of nobody, because the device came on after the measurement had begun.
    pub(crate) before_binding: u64,
    /// Of nobody, because the device had been silent for too long.
    pub(crate) silent: u64,
    /// Of nobody, because the gateway's clock was set since the measurement.
    pub(crate) clock_set: u64,
    /// Of nobody, and nothing explains it.
    pub(crate) unexplained: u64,
    /// Deliveries that the line repeated, broke or brought late.
    pub(crate) line_faults: u64,
    /// Starts of the gateway.
    pub(crate) starts: u64,
}

impl Tally {
    /// Whether every law held.
    pub(crate) fn holds(&self) -> bool {
        self.wrong + self.lost + self.doubled + self.unexplained == 0
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = self.on_nobody + self.before_binding + self.silent + self.clock_set;
        let rows = [
            ("measured", self.measured),
            ("on the right patient", self.right),
            ("on a wrong patient", self.wrong),
            ("lost", self.lost),
            ("doubled", self.doubled),
            ("of nobody, explained", held),
            ("  the device was on nobody", self.on_nobody),
            ("  it came on after the measurement had begun", self.before_binding),
            ("  it had been silent for too long", self.silent),
            ("  the gateway's clock was set since", self.clock_set),
            ("of nobody, unexplained", self.unexplained),
            ("records sent again by a device", self.repeated),
            ("deliveries repeated, broken or late", self.line_faults),
            ("starts of the gateway", self.starts),
        ];
        rows.iter().try_for_each(|(name, count)| writeln!(f, "  {name:<46}{count:>10}"))
    }
}

pub(crate) async fn run() -> anyhow::Result<()> {
    println!("storm: {READINGS} readings of 10 devices on 8 patients, seed 1");
    let started = Instant::now();
    let tally = storm(1, READINGS).await?;
    print!("{tally}");
    println!("  {:.0} s", started.elapsed().as_secs_f64());
    anyhow::ensure!(tally.holds(), "a law of readings was broken");
    Ok(())
}

/// One storm of so many readings.
pub(crate) async fn storm(seed: u64, readings: u64) -> anyhow::Result<Tally> {
    let folder = tempfile::tempdir()?;
    let mut clinic = Clinic::open(seed, &folder.path().join("gateway")).await?;
    let mut broker = Broker::open(seed, &folder.path().join("broker")).await?;
    while clinic.tally.measured < readings {
        for _ in 0..LOOK_EVERY {
            clinic.step().await?;
        }
        let written = clinic.look_at_disk().await?;
        let through = broker.deliver(&written, clinic.now()).await?;
        clinic.acknowledge(through).await?;
    }
    let mut tally = clinic.tally;
    broker.count(&mut tally).await?;
    Ok(tally)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn in_a_storm_no_reading_is_on_a_wrong_patient_lost_doubled_or_unexplained() {
        let mut all = [0; 8];
        for seed in 1..=4 {
            let tally = Box::pin(storm(seed, 10_000)).await.expect("it runs");
            assert!(tally.holds(), "seed {seed}\n{tally}");
            let counts = [
                tally.right,
                tally.on_nobody,
                tally.before_binding,
                tally.silent,
                tally.clock_set,
                tally.repeated,
                tally.line_faults,
                tally.starts - 1,
            ];
            all.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        }
        assert!(all.iter().all(|count| *count > 0), "something never happened: {all:?}");
    }
}
