//! When the logdir was last listed -> when it is listed next.

use std::time::{Duration, Instant};

/// How often a missing logdir is looked for.
const MISSING_LOGDIR_PACE: Duration = Duration::from_millis(500);
/// How often it is checked whether the logdir is still the same directory, and files that are not being read are closed.
const TIDY_EVERY: Duration = Duration::from_secs(1);
/// Before a sweep that a hint requires, there is a pause of this many times the duration of the last sweep.
const PAUSE_FOR_A_HINT: u32 = 4;
/// Sweeps without a hint take at most about 1/20 of the thread's time.
const PAUSE_WITHOUT_A_HINT: u32 = 20;

/// When the thread has to act without a message.
pub(super) struct Schedule {
    last_sweep: Sweep,
    is_sweep_asked_for: bool,
    tidied: Instant,
}

/// A sweep, which lists everything.
struct Sweep {
    ended: Instant,
    took: Duration,
}

/// The reasons for a sweep without a hint.
pub(super) struct SweepReasons {
    /// How often everything should be listed; `None` while the logdir does not exist.
    pub(super) pace: Option<Duration>,
    /// When a file that could not be read is tried again.
    pub(super) next_retry: Option<Instant>,
}

impl Schedule {
    /// A schedule before the first sweep.
    pub(super) fn new(now: Instant) -> Self {
        let last_sweep = Sweep { ended: now, took: Duration::ZERO };
        Self { last_sweep, is_sweep_asked_for: false, tidied: now }
    }

    /// Notes that a hint requires a sweep.
    pub(super) fn ask_for_sweep(&mut self) {
        self.is_sweep_asked_for = true;
    }

    /// Notes that a sweep begins. Later hints require another one.
    pub(super) fn sweep_begins(&mut self) {
        self.is_sweep_asked_for = false;
    }

    /// Notes that a sweep that began at `begun` is done.
    pub(super) fn sweep_ended(&mut self, begun: Instant) {
        self.last_sweep = Sweep { ended: Instant::now(), took: begun.elapsed() };
    }

    /// When the next sweep is due.
    pub(super) fn next_sweep(&self, reasons: &SweepReasons) -> Instant {
        let Sweep { ended, took } = self.last_sweep;
        if self.is_sweep_asked_for {
            return ended + took * PAUSE_FOR_A_HINT;
        }
        let Some(pace) = reasons.pace else { return ended + MISSING_LOGDIR_PACE };
        // Sweeps of a huge logdir must leave time for other work.
        let next = ended + pace.max(took * PAUSE_WITHOUT_A_HINT);
        reasons.next_retry.map_or(next, |retry| retry.min(next))
    }

    /// When tidying is due.
    pub(super) fn next_tidying(&self) -> Instant {
        self.tidied + TIDY_EVERY
    }

    /// If tidying is due, notes that it begins. Returns whether it is due.
    pub(super) fn begins_tidying(&mut self) -> bool {
        let is_due = self.tidied.elapsed() >= TIDY_EVERY;
        if is_due {
            self.tidied = Instant::now();
        }
        is_due
    }

    /// Whether a hint requires a sweep.
    #[cfg(test)]
    pub(super) fn is_sweep_asked_for(&self) -> bool {
        self.is_sweep_asked_for
    }

    /// Makes tidying due, as if the last one were long ago.
    #[cfg(test)]
    pub(super) fn let_tidying_be_due(&mut self) {
        self.tidied = Instant::now().checked_sub(TIDY_EVERY).expect("the machine runs for longer");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sweep_takes_a_small_part_of_the_time_and_comes_sooner_where_a_hint_asks_for_it() {
        let (ended, took) = (Instant::now(), Duration::from_secs(3));
        let mut schedule = Schedule::new(ended);
        schedule.last_sweep = Sweep { ended, took };
        let pause = |schedule: &Schedule, pace: Option<u64>, retry: Option<u64>| {
            let next_retry = retry.map(|seconds| ended + Duration::from_secs(seconds));
            let reasons = SweepReasons { pace: pace.map(Duration::from_secs), next_retry };
            (schedule.next_sweep(&reasons) - ended).as_secs_f64()
        };
        assert_eq!(pause(&schedule, Some(20), None), 60.0, "20 times as long as the last one took");
        assert_eq!(pause(&schedule, Some(100), None), 100.0);
        assert_eq!(pause(&schedule, Some(100), Some(7)), 7.0);
        assert_eq!(pause(&schedule, None, None), 0.5, "the logdir is looked for");
        schedule.ask_for_sweep();
        assert_eq!(pause(&schedule, Some(100), None), 12.0);
        schedule.sweep_begins();
        assert_eq!(pause(&schedule, Some(100), None), 100.0);
    }
}
