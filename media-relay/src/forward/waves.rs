//! Waves on their way to one page: PURE, bounded. A wave is worth something only while it is
//! fresh, so the oldest gives way.

use std::collections::VecDeque;
use std::sync::Arc;

/// Messages that wait for one page. When full the oldest is dropped and counted.
pub(crate) const WAVES_WAITING_MAX: usize = 32;

/// A message as the gateway sent it.
pub(crate) type Wave = Arc<[u8]>;

/// The waiting messages of one page.
#[derive(Debug, Default)]
pub(crate) struct WaveQueue {
    waiting: VecDeque<Wave>,
}

impl WaveQueue {
    /// Takes a message; answers whether an older one had to go.
    pub(crate) fn push(&mut self, wave: Wave) -> bool {
        let full = self.waiting.len() >= WAVES_WAITING_MAX;
        if full {
            self.waiting.pop_front();
        }
        self.waiting.push_back(wave);
        full
    }

    /// The message that goes next.
    pub(crate) fn next(&self) -> Option<Wave> {
        self.waiting.front().cloned()
    }

    /// The next message went out.
    pub(crate) fn sent(&mut self) {
        self.waiting.pop_front();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_wave_gives_way() {
        let mut queue = WaveQueue::default();
        for number in 0..=u8::try_from(WAVES_WAITING_MAX).expect("small") {
            let full = usize::from(number) == WAVES_WAITING_MAX;
            assert_eq!(queue.push(Arc::from([number].as_slice())), full);
        }
        assert_eq!(queue.next().as_deref(), Some([1].as_slice()));
    }
}
