//! Who may, without asking anybody: the broker's key, its time, and whose passes it took back. Learnt
//! while the broker is there and kept beside the box's own key for the time when it is not.

use super::pass::{self, Known};
use crate::clock::Clock;
use crate::private;
use minato_protocol::lan::{PASS_LIFE, PassClaims};
use minato_protocol::reading::Hex;
use minato_protocol::{Code, SiteId, Span, Timestamp};
use serde::{Deserialize, Serialize};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

const FILE: &str = "lan.json";
/// Sessions whose passes were taken back. When it is full every pass of before is: their pages get
/// new ones from the broker.
const ENDED_MAX: usize = 256;
/// Somebody has set the clock; less is how any clock goes.
const SET_MIN: Span = Span::seconds(1);
/// A clock that was set is noticed within this time.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Learnt {
    key: Option<Hex<32>>,
    /// The broker's clock minus the box's, when they last met.
    off: Span,
    /// The broker's time then: it is never earlier.
    met: Timestamp,
    ended: Vec<(Hex<8>, Timestamp)>,
    /// Passes that were given before are over.
    ended_before: Timestamp,
}

/// Believes or refuses passes.
#[derive(Debug)]
pub(crate) struct Authority {
    path: PathBuf,
    clock: Clock,
    learnt: Mutex<Learnt>,
    /// See [`Clock::offset`], when `off` was learnt in this run.
    offset: Mutex<Option<Span>>,
}

impl Authority {
    /// Takes up what is known. A file that cannot be read is as good as none: the broker says it
    /// again.
    pub(crate) fn open(folder: &Path, clock: Clock) -> Self {
        let path = folder.join(FILE);
        let kept = std::fs::read(&path).ok();
        let learnt = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        Self { path, clock, learnt: Mutex::new(learnt), offset: Mutex::new(None) }
    }

    fn learnt(&self) -> MutexGuard<'_, Learnt> {
        self.learnt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offset(&self) -> MutexGuard<'_, Option<Span>> {
        self.offset.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The broker's time when they last met; 0 if they never have.
    pub(crate) fn met(&self) -> Timestamp {
        self.learnt().met
    }

    /// The same moment by the box's own clock.
    pub(crate) fn met_here(&self) -> Option<Timestamp> {
        let learnt = self.learnt();
        (learnt.met > Timestamp(0)).then(|| learnt.met - learnt.off)
    }

    /// Notices a clock that was set, also while nobody shows a pass. It never returns.
    pub(crate) async fn follow_clock(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            self.settle();
        }
    }

    /// Somebody has set the box's clock since the two met: what is kept says so too, or a restart
    /// would take it for time that has passed.
    fn settle(&self) {
        let mut offset = self.offset();
        let (Some(then), now) = (*offset, self.clock.offset()) else { return };
        let set_by = Span(now.0 - then.0);
        if set_by.0.abs() < SET_MIN.0 {
            return;
        }
        *offset = Some(now);
        let mut learnt = self.learnt();
        learnt.off = Span(learnt.off.0 - set_by.0);
        self.keep(&learnt);
    }

    /// The broker has proved nothing to the box but its certificate, as for every other wish.
    pub(crate) fn meet(&self, key: Option<Hex<32>>, broker_now: Timestamp) {
        let mut offset = self.offset();
        *offset = Some(self.clock.offset());
        let mut learnt = self.learnt();
        learnt.key = key;
        learnt.off = broker_now - self.clock.now();
        learnt.met = broker_now;
        self.keep(&learnt);
    }

    /// The passes of a session are over.
    pub(crate) fn end(&self, holder: Hex<8>, until: Timestamp) {
        let now = self.now();
        let mut learnt = self.learnt();
        learnt.ended.retain(|(other, end)| *other != holder && now < *end);
        if learnt.ended.len() >= ENDED_MAX {
            learnt.ended.clear();
            learnt.ended_before = now;
        }
        learnt.ended.push((holder, until.min(now + PASS_LIFE)));
        self.keep(&learnt);
    }

    /// The broker's time, as far as anybody here can tell: by the box's clock and how far that was
    /// off, whether or not somebody has set it since.
    pub(crate) fn now(&self) -> Timestamp {
        self.settle();
        let offset = self.offset();
        let set_by = offset.map_or(Span(0), |then| Span(self.clock.offset().0 - then.0));
        let learnt = self.learnt();
        (self.clock.now() + learnt.off - set_by).max(learnt.met)
    }

    /// Whose pass this is, if it is good at this site now.
    pub(crate) fn read(&self, text: &str, site: Option<SiteId>) -> Result<PassClaims, Code> {
        let now = self.now();
        let learnt = self.learnt();
        let claims = pass::read(text, &Known { key: learnt.key, site, now })?;
        let ended = learnt.ended.iter().any(|(holder, _)| *holder == claims.holder);
        if ended || claims.issued < learnt.ended_before {
            return Err(Code::PassEnded);
        }
        Ok(claims)
    }

    /// A disk that refuses loses what the broker says again; a pass that was taken back is over in
    /// this run all the same.
    fn keep(&self, learnt: &Learnt) {
        if let Err(error) = write(&self.path, learnt) {
            tracing::warn!(%error, "what was learnt of the broker is not kept");
        }
    }
}

fn write(path: &Path, learnt: &Learnt) -> io::Result<()> {
    let beside = path.with_extension("new");
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = private::new_file(&beside)?;
    file.write_all(&serde_json::to_vec(learnt)?)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MET: Timestamp = Timestamp(1_700_000_000_000);

    fn at(ms: i64) -> Clock {
        Clock::from_source(move || Timestamp(ms))
    }

    #[test]
    fn the_brokers_time_is_known_without_it_and_never_runs_backwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let ahead = Authority::open(folder.path(), at(MET.0 + 86_400_000));
        ahead.meet(Some(Hex([1; 32])), MET);
        assert_eq!(ahead.now(), MET, "a clock that is a day ahead ends no pass early");
        let restarted = Authority::open(folder.path(), at(0));
        assert_eq!(restarted.now(), MET, "a clock without a battery makes none last longer");
        assert_eq!(restarted.learnt().key, Some(Hex([1; 32])));
    }

    #[test]
    fn a_clock_that_somebody_sets_changes_nothing_about_the_brokers_time() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicI64, Ordering};
        let folder = tempfile::tempdir().expect("a folder");
        let (wall, steady) = (Arc::new(AtomicI64::new(5_000)), Arc::new(AtomicI64::new(0)));
        let tells = |hand: &Arc<AtomicI64>| {
            let hand = Arc::clone(hand);
            move || Timestamp(hand.load(Ordering::Relaxed))
        };
        let authority = Authority::open(folder.path(), Clock::beside(tells(&wall), tells(&steady)));
        authority.meet(None, MET);
        wall.store(5_000 + 3_600_000, Ordering::Relaxed);
        assert_eq!(authority.now(), MET, "it was set an hour ahead, and no time passed");
        steady.store(1_000, Ordering::Relaxed);
        wall.store(5_000 + 3_601_000, Ordering::Relaxed);
        assert_eq!(authority.now(), MET + Span::seconds(1));
    }

    #[test]
    fn a_clock_that_was_set_right_is_believed_after_a_restart_too() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicI64, Ordering};
        let folder = tempfile::tempdir().expect("a folder");
        let hour = Span::minutes(60);
        for wrong_by in [hour, Span(-hour.0)] {
            let wall = Arc::new(AtomicI64::new((MET + wrong_by).0));
            let hand = Arc::clone(&wall);
            let clock =
                Clock::beside(move || Timestamp(hand.load(Ordering::Relaxed)), || Timestamp(0));
            let authority = Authority::open(folder.path(), clock);
            authority.meet(None, MET);
            wall.store(MET.0, Ordering::Relaxed);
            authority.settle();
            let later = MET + Span::minutes(5);
            let restarted = Authority::open(folder.path(), at(later.0));
            assert_eq!(restarted.now(), later, "it was wrong by {wrong_by:?}");
        }
    }

    #[test]
    fn more_sessions_than_can_be_remembered_end_every_pass_of_before() {
        let folder = tempfile::tempdir().expect("a folder");
        let authority = Authority::open(folder.path(), at(MET.0));
        authority.meet(Some(Hex([1; 32])), MET);
        for holder in 0..=ENDED_MAX {
            let holder = Hex(u64::try_from(holder).expect("small").to_be_bytes());
            authority.end(holder, MET + Span::minutes(1));
        }
        let learnt = Authority::open(folder.path(), at(MET.0)).learnt().clone();
        assert_eq!((learnt.ended.len(), learnt.ended_before), (1, MET));
    }
}
