//! No notifications: all files are checked again at fixed intervals.
//!
//! The caller compares inode, length and modification time in nanoseconds with what it knows about each file; storing
//! this here too would only double the memory.

use std::{path::Path, time::Duration};

use super::hint::Watch;

const DEFAULT_PACE: Duration = Duration::from_secs(2);

/// Checking again at fixed intervals.
pub struct Poll {
    every: Duration,
}

impl Poll {
    /// Checks at the given interval, or every two seconds.
    #[must_use]
    pub fn new(every: Option<Duration>) -> Self {
        Self { every: every.unwrap_or(DEFAULT_PACE) }
    }
}

impl Watch for Poll {
    fn add(&mut self, _: &Path) -> Result<(), String> {
        Ok(())
    }

    fn forget(&mut self, _: &Path) {}

    fn sweep_every(&self) -> Duration {
        self.every
    }
}
