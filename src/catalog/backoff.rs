//! Files that cannot be read -> when to try again: after one second, then two, four, up to a minute.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The files that failed last time.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    by_path: BTreeMap<PathBuf, (Instant, Duration)>,
}

impl Backoff {
    /// Notes a failure at `now` and returns the pause before the next try.
    pub(super) fn failed(&mut self, path: &Path, now: Instant) -> Duration {
        let pause = self.by_path.get(path).map_or(FIRST_PAUSE, |(_, pause)| (*pause * 2).min(LONGEST_PAUSE));
        self.by_path.insert(path.to_owned(), (now + pause, pause));
        pause
    }

    /// Whether it is time to try a file again that failed.
    pub(super) fn is_due(&self, path: &Path, now: Instant) -> bool {
        self.by_path.get(path).is_some_and(|(at, _)| *at <= now)
    }

    /// Forgets a file that could be read or was removed. Returns whether it had failed.
    pub(super) fn forget(&mut self, path: &Path) -> bool {
        self.by_path.remove(path).is_some()
    }

    /// Forgets all.
    pub(super) fn clear(&mut self) {
        self.by_path.clear();
    }

    /// When the next file is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.by_path.values().map(|(at, _)| *at).min()
    }

    /// The files that wait.
    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.by_path.keys().map(PathBuf::as_path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_minute_and_begin_anew_after_success() {
        let (mut backoff, path, now) = (Backoff::default(), Path::new("a"), Instant::now());
        let pauses: Vec<u64> = (0..8).map(|_| backoff.failed(path, now).as_secs()).collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert!(!backoff.is_due(path, now) && backoff.is_due(path, now + Duration::from_secs(60)));
        assert!(backoff.forget(path) && !backoff.forget(path));
        assert_eq!(backoff.failed(path, now).as_secs(), 1);
    }
}
