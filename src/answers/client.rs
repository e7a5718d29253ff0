//! The client that reads an answer, as far as the code that makes answers has to know it.

use std::time::Duration;

/// A client that reads answers.
pub(crate) trait Client: Send + Sync {
    /// How many bytes of all answers it has read so far.
    fn taken(&self) -> u64;

    /// For how long it has read nothing although bytes are ready for it.
    fn stalls_for(&self) -> Duration;

    /// Closes its connection.
    fn disconnect(&self);
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

    use super::*;

    /// A client that reads as much as a test says.
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
