//! How many times in a row a file could not be read -> when the check tries it again.

use std::time::{Duration, Instant};

/// The same as for files that the scan cannot read.
pub(super) const FIRST_PAUSE: Duration = Duration::from_secs(1);
pub(super) const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How many times in a row a file could not be read, and when the next try is due.
#[derive(Clone, Copy, Debug)]
pub(super) struct Failures {
    pub(super) count: u32,
    pub(super) pause: Duration,
    pub(super) not_before: Instant,
}

impl Failures {
    /// One more than `before`.
    pub(super) fn after(before: Option<Self>, now: Instant) -> Self {
        let (count, pause) =
            before.map_or((0, FIRST_PAUSE), |last| (last.count, (last.pause * 2).min(LONGEST_PAUSE)));
        Self { count: count + 1, pause, not_before: now + pause }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute() {
        let now = Instant::now();
        let mut failures = None;
        let pauses = (0..8).map(|_| failures.insert(Failures::after(failures, now)).pause.as_secs());
        assert_eq!(pauses.collect::<Vec<u64>>(), [1, 2, 4, 8, 16, 32, 60, 60]);
    }
}
