//! An estimate of the memory that a command needs -> a refusal where this process may not have so much.
//!
//! The estimate is the one by which the daemon admits work. Without it, a tensor that is too large would end the process: the
//! standard library aborts where memory for a buffer cannot be had.

use super::exit::answer_failure;
use crate::{answers::memory_gate::Need, memory::most_bytes};

/// How much this process may use. A command does one thing at a time, so that may use all of it.
#[derive(Clone, Copy)]
pub(super) struct MemoryBudget {
    bytes: u64,
}

impl MemoryBudget {
    /// As the system says now.
    pub(super) fn of_process() -> Self {
        Self { bytes: most_bytes() }
    }

    /// Checks that it is enough.
    ///
    /// # Errors
    /// Otherwise: the sizes, and what to do.
    pub(super) fn check(self, need: Need) -> anyhow::Result<()> {
        need.within(self.bytes).map_err(|error| answer_failure(&error))
    }
}
