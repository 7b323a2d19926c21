//! Whether the machine has started anew since the gateway last ran, and whether it knows for how
//! long it was off.

use std::path::Path;

/// Linux names each start of the machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";
/// Each clock chip says there whether the kernel took the time from it.
const CLOCK_CHIPS: &str = "/sys/class/rtc";

/// This start's name; nothing where the system does not tell.
pub(crate) fn id() -> Option<String> {
    std::fs::read_to_string(BOOT_ID).ok().map(|id| id.trim().to_owned())
}

/// Whether a clock went on while the machine was off, so that the time was right from the start.
pub(crate) fn kept_time() -> bool {
    kept_time_in(Path::new(CLOCK_CHIPS))
}

fn kept_time_in(chips: &Path) -> bool {
    let Ok(chips) = std::fs::read_dir(chips) else { return false };
    chips.flatten().any(|chip| {
        std::fs::read_to_string(chip.path().join("hctosys")).is_ok_and(|said| said.trim() == "1")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_a_clock_chip_does_not_know_how_long_it_was_off() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(!kept_time_in(&folder.path().join("rtc")));
        let chip = folder.path().join("rtc0");
        std::fs::create_dir(&chip).expect("a folder");
        assert!(!kept_time_in(folder.path()));
        for (said, kept) in [("0\n", false), ("1\n", true)] {
            std::fs::write(chip.join("hctosys"), said).expect("written");
            assert_eq!(kept_time_in(folder.path()), kept);
        }
    }
}
