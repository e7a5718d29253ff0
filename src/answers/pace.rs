//! A client that reads an answer -> whether it is so slow that its answer may be stopped in favour of another one.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::client::Client;

/// A client that reads nothing for this long is slow.
const STALLED_FOR: Duration = Duration::from_secs(3);
/// After that time, a client that has read fewer bytes per second than this is slow too.
const SLOWEST_RATE: u64 = 256 << 10;

/// How fast a client reads an answer, or a part of one, from the moment at which it was ready.
pub(crate) struct Pace {
    client: Arc<dyn Client>,
    since: Instant,
    taken_before: u64,
}

impl Pace {
    /// Starts measuring now.
    pub(crate) fn of(client: Arc<dyn Client>) -> Self {
        let taken_before = client.taken();
        Self { client, since: Instant::now(), taken_before }
    }

    pub(crate) fn since(&self) -> Instant {
        self.since
    }

    pub(crate) fn is_slow(&self) -> bool {
        let lasted = self.since.elapsed();
        let stalls = self.client.stalls_for().min(lasted) >= STALLED_FOR;
        stalls || is_too_slow(lasted, self.client.taken() - self.taken_before)
    }

    /// Closes the client's connection.
    pub(crate) fn disconnect(&self) {
        self.client.disconnect();
    }

    /// As if measuring had started earlier by this time.
    #[cfg(test)]
    pub(crate) fn aged(mut self, by: Duration) -> Self {
        self.since = self.since.checked_sub(by).expect("the machine runs for longer");
        self
    }
}

fn is_too_slow(lasted: Duration, taken: u64) -> bool {
    let due = lasted.saturating_sub(STALLED_FOR).as_secs_f64() * SLOWEST_RATE as f64;
    (taken as f64) < due
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answers::client::tests::Scripted;

    #[test]
    fn a_client_has_some_seconds_and_then_a_rate() {
        let check = |seconds: u64, taken: u64, expected: bool| {
            assert_eq!(is_too_slow(Duration::from_secs(seconds), taken), expected, "{seconds} s, {taken}");
        };
        check(0, 0, false);
        check(3, 0, false);
        check(4, 0, true);
        check(4, SLOWEST_RATE, false);
        check(103, 100 * SLOWEST_RATE - 1, true);
        check(103, 100 * SLOWEST_RATE, false);
    }

    #[test]
    fn what_was_taken_before_does_not_count() {
        let client = Arc::new(Scripted::default());
        client.take(1 << 40);
        let of_client: Arc<dyn Client> = client.clone();
        let pace = Pace::of(of_client).aged(Duration::from_secs(10));
        assert!(pace.is_slow());
        client.take(7 * SLOWEST_RATE + 100_000);
        assert!(!pace.is_slow());
        pace.disconnect();
        assert!(client.is_disconnected());
    }
}
