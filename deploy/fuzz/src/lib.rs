//! Feeds a reader of outside bytes with broken input for a while: seeds that are right, changed by a
//! dice that can be thrown again.
//!
//! `MINATO_FUZZ_SECONDS` says for how long (without it a moment only), `MINATO_FUZZ_RUNS` instead how
//! many inputs each target is fed, whatever time they take, and `MINATO_FUZZ_SEED` throws the same
//! dice again. An input that breaks something is kept in `fuzz/<target>/` of the crate and
//! tried first from then on. It runs on the stable toolchain: nothing counts which code was
//! reached, instead each target brings seeds for all it can do.

#![allow(clippy::print_stdout, clippy::expect_used, clippy::panic, reason = "tests alone use it")]

mod change;

use change::Dice;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Without being asked for more.
const MOMENT: Duration = Duration::from_millis(300);
/// Inputs that are changed further; when full one gives way.
const INPUTS_MAX: usize = 512;
/// One in so many changed inputs is changed further.
const KEPT_OF: usize = 16;
const INPUT_BYTES_MAX: usize = 8 * 1_024;
/// Whatever takes longer than this for one input hangs: the slowest takes some milliseconds.
const HANGS_AFTER: Duration = Duration::from_secs(5);

/// Feeds `target`, which is made once, until the time is over. It says by a panic that something
/// broke.
pub fn feed(name: &str, seeds: &[&[u8]], target: impl FnMut(&[u8])) {
    feed_for(name, seeds, 1, target);
}

/// The same for a fraction of the time: a reader of text or of a few bytes has fewer ways to go.
pub fn feed_for(name: &str, seeds: &[&[u8]], fraction: u32, mut target: impl FnMut(&[u8])) {
    // Cargo says of which crate the running test is.
    let crate_folder = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into());
    let folder = PathBuf::from(crate_folder).join("fuzz").join(name);
    let kept = std::fs::read_dir(&folder).into_iter().flatten().flatten();
    for path in kept.map(|entry| entry.path()) {
        println!("{name}: {} again", path.display());
        target(&std::fs::read(&path).expect("it was found just now"));
    }
    let seed = number("MINATO_FUZZ_SEED").unwrap_or_else(by_the_clock);
    let lasting =
        number("MINATO_FUZZ_SECONDS").map_or(MOMENT, Duration::from_secs) / fraction.max(1);
    let runs = number("MINATO_FUZZ_RUNS");
    let mut dice = Dice::new(seed);
    let mut inputs: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    let begun = Instant::now();
    let mut count = 0u64;
    while runs.map_or_else(|| begun.elapsed() < lasting, |runs| count < runs) {
        count += 1;
        let mut input = dice.one_of(&inputs).cloned().unwrap_or_default();
        let other = dice.one_of(&inputs).cloned().unwrap_or_default();
        dice.change(&mut input, &other);
        input.truncate(INPUT_BYTES_MAX);
        let since = Instant::now();
        let endured = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let hangs = since.elapsed() > HANGS_AFTER;
        if endured.is_err() || hangs {
            let path = folder.join(format!("{seed:016x}-{count}"));
            std::fs::create_dir_all(&folder).expect("a folder");
            std::fs::write(&path, &input).expect("room on the disk");
            println!("{name}: input {count} of MINATO_FUZZ_SEED={seed} is in {}", path.display());
            endured.unwrap_or_else(|broken| resume_unwind(broken));
            panic!("it took {:?}", since.elapsed());
        }
        if dice.below(KEPT_OF) == 0 {
            let place =
                if inputs.len() < INPUTS_MAX { inputs.len() } else { dice.below(INPUTS_MAX) };
            if place >= inputs.len() {
                inputs.push(input);
            } else if place >= seeds.len() {
                inputs[place] = input;
            }
        }
    }
    println!("{name}: {count} inputs of MINATO_FUZZ_SEED={seed} in {:?}", begun.elapsed());
}

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number")))
}

fn by_the_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::from(since.subsec_nanos()) | (since.as_secs() << 30)
}
