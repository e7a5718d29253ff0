//! Who takes an answer, as far as the making of answers has to know.

use std::time::Duration;

/// A client that takes answers.
pub(crate) trait Client: Send + Sync {
    /// How many bytes it has taken so far, of all answers.
    fn taken(&self) -> u64;

    /// How long it has taken nothing of what there is for it.
    fn stalls_for(&self) -> Duration;

    /// Closes its connection.
    fn disconnect(&self);
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;

    /// A client that takes what a test says.
    #[derive(Default)]
    pub(crate) struct Scripted {
        taken: AtomicU64,
        is_disconnected: AtomicBool,
    }

    impl Scripted {
        pub(crate) fn take(&self, bytes: u64) {
            self.taken.fetch_add(bytes, Ordering::Relaxed);
        }

        pub(crate) fn is_disconnected(&self) -> bool {
            self.is_disconnected.load(Ordering::Relaxed)
        }
    }

    impl Client for Scripted {
        fn taken(&self) -> u64 {
            self.taken.load(Ordering::Relaxed)
        }

        fn stalls_for(&self) -> Duration {
            Duration::ZERO
        }

        fn disconnect(&self) {
            self.is_disconnected.store(true, Ordering::Relaxed);
        }
    }
}
