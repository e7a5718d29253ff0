//! The time and bytes that the background check used -> when it pauses, and for how long.
//!
//! All time since the last pause counts: reading, opening files, choosing. Only waiting for something to do does not count.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::catalog::demand::Demand;

const BYTES_A_SECOND: f64 = 50e6;
/// It pauses for this many times as long as it worked, so it works one twentieth of the time.
const REST_FACTOR: u32 = 19;
/// It pauses after it has read this many bytes, or worked for [`LONGEST_WORK`].
const MOST_BYTES_WITHOUT_REST: usize = 1 << 20;
const LONGEST_WORK: Duration = Duration::from_millis(2);
/// The longest pause. Without this limit, a read that takes a slow disk minutes would be followed by a pause of hours.
const LONGEST_REST: Duration = Duration::from_secs(60);
/// How often it looks whether a request still waits for an answer.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// How fast the check may go.
pub(super) struct Pace {
    demand: Arc<Demand>,
    clock: Clock,
}

impl Pace {
    /// Work has not begun yet.
    pub(super) fn new(demand: Arc<Demand>) -> Self {
        Self { demand, clock: Clock::default() }
    }

    pub(super) fn begin(&mut self) {
        self.clock.go_on(Instant::now());
    }

    /// Counts bytes that were read, and pauses if it is time.
    pub(super) fn spend(&mut self, bytes: usize) {
        self.clock.bytes += bytes;
        let Some(rest) = self.clock.rest_due(Instant::now()) else { return };
        thread::sleep(rest);
        while self.demand.is_anyone_waiting() {
            thread::sleep(LOOK_AGAIN);
        }
        self.clock = Clock::default();
        self.begin();
    }

    /// Waits for something to do, which does not count as work.
    pub(super) fn idle<T>(&mut self, wait: impl FnOnce() -> T) -> T {
        self.clock.stop(Instant::now());
        let out = wait();
        self.begin();
        out
    }
}

/// The work since the last pause.
#[derive(Default)]
struct Clock {
    /// The time of work before the clock was stopped the last time.
    worked: Duration,
    /// `None` while the clock is stopped.
    since: Option<Instant>,
    bytes: usize,
}

impl Clock {
    fn stop(&mut self, now: Instant) {
        self.worked = self.worked(now);
        self.since = None;
    }

    fn go_on(&mut self, now: Instant) {
        self.since = Some(now);
    }

    fn worked(&self, now: Instant) -> Duration {
        self.worked + self.since.map_or(Duration::ZERO, |since| now.duration_since(since))
    }

    /// How long to pause now; `None` if it is not yet time.
    fn rest_due(&self, now: Instant) -> Option<Duration> {
        let worked = self.worked(now);
        (self.bytes >= MOST_BYTES_WITHOUT_REST || worked >= LONGEST_WORK)
            .then(|| rest_after(self.bytes, worked))
    }
}

/// How long to pause after reading `bytes` and working for `worked`.
fn rest_after(bytes: usize, worked: Duration) -> Duration {
    let at_least = Duration::from_secs_f64(bytes as f64 / BYTES_A_SECOND);
    at_least.saturating_sub(worked).max(worked * REST_FACTOR).min(LONGEST_REST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn it_rests_for_the_rate_and_for_the_share() {
        // 1 MB at 50 MB/s takes 20 ms.
        assert_eq!(rest_after(1_000_000, ms(0)), ms(20));
        assert_eq!(rest_after(1_000_000, Duration::from_micros(500)), Duration::from_micros(19_500));
        assert_eq!(rest_after(1_000_000, ms(2)), ms(38));
        assert_eq!(rest_after(10, ms(2)), ms(38));
        assert_eq!(rest_after(10, ms(9_000)), LONGEST_REST);
    }

    #[test]
    fn all_time_since_the_last_rest_counts_but_waiting() {
        let created = Instant::now();
        let mut clock = Clock::default();
        let start = created + ms(60_000);
        assert_eq!(clock.rest_due(start), None, "the first scan is no work of the check");
        clock.go_on(start);
        assert_eq!(clock.rest_due(start + ms(1)), None);
        clock.stop(start + ms(1));
        clock.go_on(start + ms(10_001));
        assert_eq!(clock.rest_due(start + ms(10_001)), None);
        assert_eq!(clock.rest_due(start + ms(10_003)), Some(ms(3 * 19)));
    }
}
