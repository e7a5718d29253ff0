//! No notifications: everything is looked at again at a fixed pace.
//!
//! Whoever sweeps compares inode, length and modification time in nanoseconds with what it knows of each file; keeping
//! that a second time here would only double the memory.

use std::{path::Path, time::Duration};

use super::hint::Watch;

const DEFAULT_PACE: Duration = Duration::from_secs(2);

/// Looking again at a fixed pace.
pub struct Poll {
    every: Duration,
}

impl Poll {
    /// Sweeps at the given pace, or every two seconds.
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
